/* option: settings of one run, from the tables of base/option.h: parsed from
 * the command line, then FL_NAME variables, then config files. What a stronger
 * place has set, a weaker one does not touch.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_OPTION_H
#define FL_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/option.h"

/* Where a value came from. The weaker the higher: what was set by a lower one
 * holds. */
enum fl_layer {
	FL_LAYER_NONE, /* the default */
	FL_LAYER_ARGUMENT,
	FL_LAYER_ENVIRONMENT,
	FL_LAYER_FILE, /* and up: each section of each config file is one */
};

struct fl_setting {
	const struct fl_option *option;
	const char *section; /* heading in --help */
	int layer;           /* enum fl_layer */
	const char *from;    /* "option", "FL_TZ", "'/etc/…' line 3" */
	const char *value;   /* as it was given; NULL for a bare flag */
};

struct fl_settings {
	struct fl_setting *items;
	size_t count, cap;
	int layer; /* the last one used */
	/* What targets and items borrow: the strings of variables and files. */
	struct fl_arena arena;
	struct fl_buf
		files; /* which config files were looked at, as comments */
	/* Keys of config files that are no option of this command. */
	struct fl_other {
		const char *key, *value, *from;
	} * others;
	size_t other_count;
};

#define FL_SETTINGS_INIT                                                       \
	{                                                                      \
		.arena = FL_ARENA_INIT, .files = FL_BUF_INIT                   \
	}

/* Add a table, its groups in their place; the first of a name wins. `front`: as
 * if it had been added first. section: of the options that are in no group. */
void fl_settings_add(struct fl_settings *settings, const char *section,
		     const struct fl_option *table, bool front);
struct fl_setting *fl_settings_find(const struct fl_settings *settings,
				    const char *name, size_t len);
/* Frees all; lists that were set are empty after. */
void fl_settings_release(struct fl_settings *settings);

/* Give the option its value; `what` is how the user named it, for messages.
 * value   NULL: a flag, on; must outlive the settings
 * errors  FL_ERR_USAGE */
int fl_settings_set(struct fl_settings *settings, struct fl_setting *setting,
		    const char *value, int layer, const char *from,
		    const char *what, struct fl_error *err);

/* What becomes of an operand; it may add tables. */
typedef int (*fl_operand_fn)(void *arg, char *word, struct fl_error *err);
/* `elsewhere`: an unknown option that the command has in another place; text
 * for the message, or NULL. May be NULL. */
typedef const char *(*fl_elsewhere_fn)(void *arg, const char *name);

/* Read argv[1] and on: --x V, --x=V, -n5, -n 5, -qv; options may follow
 * operands, "--" ends them.  errors FL_ERR_USAGE */
int fl_settings_parse(struct fl_settings *settings, const char *command,
		      int argc, char **argv, fl_operand_fn operand,
		      fl_elsewhere_fn elsewhere, void *arg,
		      struct fl_error *err);

/* FL_NAME variables; an empty one is none. */
int fl_settings_environment(struct fl_settings *settings, struct fl_error *err);
/* "FL_MAX_REJECTS" of "max-rejects"; name[64]. */
const char *fl_option_variable(const char *option, char *name);
/* Those that act instead of setting (--help): on the command line only. */
bool fl_option_acts(const struct fl_option *option);
/* Shown nowhere: it has no help. */
bool fl_option_hidden(const struct fl_option *option);
/* Takes a value? true also for one that may do without ("[=V]"). */
bool fl_option_valued(const struct fl_option *option);
bool fl_option_optional(const struct fl_option *option);

/* Config files: KEY = VALUE lines, '#' begins a comment, "[fl-clean]" and
 * "[fl-fetch csv]" sections for one command; see fl_config_parse.
 * must    the file has to be there
 * sub     the subcommand, or NULL
 * knows   does the command have such a key in another place (may be NULL)?
 * errors  FL_ERR_USAGE cannot be read, a line is no setting, or a key in the
 *         command's own section is no option of it */
int fl_settings_file(struct fl_settings *settings, const char *path, bool must,
		     const char *command, const char *sub,
		     fl_elsewhere_fn knows, void *arg, struct fl_error *err);
/* Where the user's own config file is; NULL: nowhere. free() it. */
char *fl_config_path(void);
#define FL_CONFIG_SYSTEM "/etc/financelake/config"
#define FL_CONFIG_MAX    (1 << 20) /* bytes of a config file */

/* One KEY = VALUE of a config file; strings end with NUL. */
struct fl_config_line {
	const char *section; /* "" before the first */
	const char *key;
	const char *value;
	unsigned line;
};
/* Walk text[len]. Values may stand in double quotes (\" and \\ inside), which
 * keeps blanks and '#'; without them a blank and '#' begin a comment.
 * each    strings live in `arena`; -1 stops
 * errors  FL_ERR_USAGE a line that is none of these: "line 3: …" */
int fl_config_parse(const char *text, size_t len, struct fl_arena *arena,
		    int (*each)(void *arg, const struct fl_config_line *line,
				struct fl_error *err),
		    void *arg, struct fl_error *err);

/* What holds and from where, in the form of a config file, secrets masked.
 * place   does the command go by the setting `store`, which is no option? */
void fl_settings_show(const struct fl_settings *settings, const char *command,
		      bool place, struct fl_buf *out);

#endif
