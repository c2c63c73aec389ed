/* config: files of KEY = VALUE lines; see option.h.
 *
 * A file serves all commands, so a key that this command does not know is
 * passed over, except in the command's own section, where it is a mistake.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/option.h"
#include "cli/run.h"

/* --- lines -----------------------------------------------------------------
 */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

static void cut_blanks(char *text)
{
	size_t len = strlen(text);

	while (len && is_blank(text[len - 1]))
		text[--len] = '\0';
}

static int bad_line(struct fl_error *err, unsigned line, const char *why)
{
	return fl_error_set(err, FL_ERR_USAGE, "line %u: %s", line, why);
}

/* What may stand behind a value or a section: nothing, or a comment. */
static bool is_rest(char *p)
{
	p = skip_blanks(p);
	return !*p || *p == '#';
}

/* Undo the quotes in place; `p` is behind the opening one. */
static bool unquote(char *p)
{
	char *to = p;

	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*to++ = *p;
	}
	if (*p != '"' || !is_rest(p + 1))
		return false;
	*to = '\0';
	return true;
}

static int parse_value(char *p, unsigned line, const char **value,
		       struct fl_error *err)
{
	char *start = skip_blanks(p);

	if (*start == '"') {
		*value = start + 1;
		if (!unquote(start + 1))
			return bad_line(err, line,
					"a value in quotes ends with a quote");
		return 0;
	}
	*value = start;
	for (p = start; *p; p++) {
		if (*p == '#' && (p == start || is_blank(p[-1]))) {
			*p = '\0';
			break;
		}
	}
	cut_blanks(start);
	return 0;
}

static bool is_key(const char *key)
{
	if (!isalnum((unsigned char)*key))
		return false;
	for (; *key; key++) {
		if (!isalnum((unsigned char)*key) && *key != '-' && *key != '_')
			return false;
	}
	return true;
}

/* "[fl-clean]" */
static int parse_section(char *p, unsigned line, const char **section,
			 struct fl_error *err)
{
	char *end = strchr(p, ']');

	if (!end || !is_rest(end + 1))
		return bad_line(err, line, "a section is [fl-clean]");
	*end = '\0';
	p = skip_blanks(p + 1);
	cut_blanks(p);
	*section = p;
	return 0;
}

/* One line, NUL-ended. returns 1 with a setting, 0 without, -1. */
static int parse_line(char *p, struct fl_config_line *at, struct fl_error *err)
{
	char *eq;

	p = skip_blanks(p);
	if (!*p || *p == '#')
		return 0;
	if (*p == '[')
		return parse_section(p, at->line, &at->section, err);
	eq = strchr(p, '=');
	if (eq)
		*eq = '\0';
	cut_blanks(p);
	if (!eq || !is_key(p))
		return bad_line(err, at->line,
				"a setting is KEY = VALUE, the key a long "
				"option's name");
	at->key = p;
	return parse_value(eq + 1, at->line, &at->value, err) < 0 ? -1 : 1;
}

int fl_config_parse(const char *text, size_t len, struct fl_arena *arena,
		    int (*each)(void *arg, const struct fl_config_line *line,
				struct fl_error *err),
		    void *arg, struct fl_error *err)
{
	struct fl_config_line at = { .section = "", .key = "", .value = "" };
	char *p, *end;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	p = fl_arena_strndup(arena, text, len);
	end = p + len;
	while (p < end) {
		char *lf = memchr(p, '\n', (size_t)(end - p));
		char *next = lf ? lf : end;
		int got;

		at.line++;
		if (memchr(p, '\0', (size_t)(next - p)) ||
		    !fl_utf8_valid(p, (size_t)(next - p)))
			return bad_line(err, at.line, "not UTF-8 text");
		*next = '\0';
		got = parse_line(p, &at, err);
		if (got < 0 || (got > 0 && each(arg, &at, err) < 0))
			return -1;
		p = next + 1;
	}
	return 0;
}

/* --- files -----------------------------------------------------------------
 */

/* returns 1 read, 0 not there, -1 */
static int read_file(const char *path, bool must, struct fl_buf *text,
		     struct fl_error *err)
{
	const char *shown = fl_show(path, strlen(path), 200);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t got = -1;

	if (fd < 0 && !must && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	text->max = FL_CONFIG_MAX;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
	} else if (fd >= 0) {
		do {
			char bytes[4096];

			got = read(fd, bytes, sizeof(bytes));
			if (got > 0)
				fl_buf_append(text, bytes, (size_t)got);
		} while ((got > 0 && !text->over) ||
			 (got < 0 && errno == EINTR));
	}
	/* A path that is wrong is misuse, a disk that fails is not. */
	if (got < 0)
		fl_error_set(err,
			     errno == EIO || errno == EMFILE || errno == ENFILE
				     ? FL_ERR_IO
				     : FL_ERR_USAGE,
			     "cannot read the config file '%s': %s", shown,
			     strerror(errno));
	else if (text->over)
		fl_error_set(err, FL_ERR_USAGE,
			     "cannot read the config file '%s': more than 1 "
			     "MiB",
			     shown);
	if (fd >= 0)
		close(fd);
	return err->code == FL_OK ? 1 : -1;
}

struct file {
	struct fl_settings *settings;
	const char *path, *command, *sub;
	fl_elsewhere_fn knows;
	void *arg;
	const char *section; /* the one that is taken in this turn */
	int layer;
};

/* "fl-fetch csv" */
static bool is_subsection(const struct file *file, const char *section)
{
	size_t n = strlen(file->command);

	return file->sub && strncmp(section, file->command, n) == 0 &&
	       section[n] == ' ' &&
	       strcmp(section + n + strspn(section + n, " "), file->sub) == 0;
}

static int unknown_key(const struct file *file,
		       const struct fl_config_line *line, const char *from,
		       struct fl_error *err)
{
	const struct fl_settings *settings = file->settings;
	const char **words = fl_alloc((settings->count + 1) * sizeof(*words));
	const char *near;
	size_t count = 0;

	for (size_t i = 0; i < settings->count; i++) {
		const struct fl_option *option = settings->items[i].option;

		if (!fl_option_hidden(option) && !fl_option_acts(option))
			words[count++] = option->name;
	}
	words[count] = NULL;
	near = fl_nearest(line->key, words);
	free(words);
	if (near)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s: %s has no option '%s' (did you mean "
				    "'%s'?)",
				    from, file->command, line->key, near);
	return fl_error_set(err, FL_ERR_USAGE, "%s: %s has no option '%s'",
			    from, file->command, line->key);
}

/* A place stands among the operands: its setting is no option. */
static bool is_operand(const char *key)
{
	return strcmp(key, "store") == 0;
}

static void keep_other(struct fl_settings *settings,
		       const struct fl_config_line *line, const char *from)
{
	settings->others =
		fl_realloc(settings->others, settings->other_count + 1,
			   sizeof(*settings->others));
	settings->others[settings->other_count++] = (struct fl_other){
		line->key,
		line->value,
		fl_arena_strndup(&settings->arena, from, strlen(from)),
	};
}

static int take_line(void *arg, const struct fl_config_line *line,
		     struct fl_error *err)
{
	const struct file *file = arg;
	struct fl_settings *settings = file->settings;
	bool general = !*file->section;
	struct fl_setting *setting;
	char from[300], what[400];

	if (strcmp(file->section, "sub") == 0
		    ? !is_subsection(file, line->section)
		    : strcmp(line->section, file->section) != 0)
		return 0;
	snprintf(from, sizeof(from), "'%s' line %u",
		 fl_show(file->path, strlen(file->path), 200), line->line);
	setting = fl_settings_find(settings, line->key, strlen(line->key));
	if (setting && (fl_option_acts(setting->option) ||
			strcmp(line->key, "config") == 0))
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s: '%s' is given on the command line "
				    "only",
				    from, line->key);
	if (!setting && !general && !is_operand(line->key) &&
	    !(file->knows && file->knows(file->arg, line->key)))
		return unknown_key(file, line, from, err);
	if (!setting) {
		keep_other(settings, line, from);
		return 0;
	}
	snprintf(what, sizeof(what), "%s: %s", from, line->key);
	return fl_settings_set(
		settings, setting, line->value, file->layer,
		fl_arena_strndup(&settings->arena, from, strlen(from)), what,
		err);
}

int fl_settings_file(struct fl_settings *settings, const char *path, bool must,
		     const char *command, const char *sub,
		     fl_elsewhere_fn knows, void *arg, struct fl_error *err)
{
	/* What is said of one command goes before what is said of all. */
	const char *const turns[] = { "sub", command, "" };
	struct file file = {
		.settings = settings,
		.path = path,
		.command = command,
		.sub = sub,
		.knows = knows,
		.arg = arg,
	};
	struct fl_buf text = FL_BUF_INIT;
	int result = read_file(path, must, &text, err);

	fl_buf_printf(&settings->files, "# config file %s%s\n",
		      fl_show(path, strlen(path), 200),
		      result > 0 ? "" : " is not there");
	for (size_t i = 0; result > 0 && i < 3; i++) {
		file.section = turns[i];
		if (settings->layer < FL_LAYER_FILE)
			settings->layer = FL_LAYER_FILE;
		file.layer = settings->layer++;
		if (fl_config_parse(fl_buf_text(&text), text.len,
				    &settings->arena, take_line, &file,
				    err) == 0)
			continue;
		result = -1;
		if (strncmp(err->text, "line ", 5) == 0) {
			struct fl_error bare = *err;

			/* The parser does not know the file. */
			fl_error_clear(err);
			fl_error_set(err, bare.code, "'%s' %.700s",
				     fl_show(path, strlen(path), 200),
				     bare.text);
		}
	}
	fl_buf_release(&text);
	return result < 0 ? -1 : 0;
}

char *fl_config_path(void)
{
	const char *folder = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	/* The XDG base directory specification: relative ones are ignored. */
	if (folder && *folder == '/')
		return fl_sprintf("%s/financelake/config", folder);
	if (home && *home == '/')
		return fl_sprintf("%s/.config/financelake/config", home);
	return NULL;
}
