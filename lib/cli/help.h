/* help: what a command says of itself, all from its option table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_HELP_H
#define FL_CLI_HELP_H

#include "base/buf.h"
#include "cli/option.h"
#include "cli/run.h"

#define FL_SECTION_OWN    "options"
#define FL_SECTION_COMMON "of every command"

/* The heading of a group that several commands share; NULL: of none. */
const char *fl_group_title(const struct fl_option *table);

/* What every command takes: -q -v --stats … --version. */
extern const struct fl_option fl_options_common[];

/* All options of the command, and of the subcommand unless it is NULL. */
void fl_help_settings(struct fl_settings *settings,
		      const struct fl_command *command,
		      const struct fl_subcommand *sub);

/* --help; `sub` NULL: of the command itself. */
void fl_help_text(const struct fl_command *command,
		  const struct fl_subcommand *sub, struct fl_buf *out);
/* --help-man: the lists of the OPTIONS section, as mdoc. */
void fl_help_man(const struct fl_command *command, struct fl_buf *out);
/* --help-completion: a script for "bash" or "zsh".  errors FL_ERR_USAGE */
int fl_help_completion(const struct fl_command *command, const char *shell,
		       struct fl_buf *out, struct fl_error *err);

/* What the subcommands are, from the synopsis: "source" of "SOURCE …". */
const char *fl_help_noun(const struct fl_command *command, char *noun);

#endif
