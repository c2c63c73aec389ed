/* complete: --help-completion, a shell script made from the option tables.
 *
 * The script is static: completing must not wait for the command, which may
 * stand on a slow disk or be older than the script.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "cli/help.h"
#include "rec/type.h"

/* Words that a value is one of; NULL when it is none: a file, or free. */
static const char *value_words(const struct fl_option *option,
			       struct fl_buf *buf)
{
	fl_buf_reset(buf);
	if (!option->words)
		return NULL;
	if (strcmp(option->words, "@type") == 0) {
		for (size_t i = 0; fl_types[i]; i++)
			fl_buf_printf(buf, "%s%s", i ? " " : "",
				      fl_types[i]->name);
		return buf->data;
	}
	return option->words[0] == '@' ? NULL : option->words;
}

static bool takes_file(const struct fl_option *option)
{
	return option->words && (strcmp(option->words, "@file") == 0 ||
				 strcmp(option->words, "@place") == 0);
}

static bool takes_value(const struct fl_option *option)
{
	return fl_option_valued(option) && !fl_option_optional(option);
}

static bool is_zone(const struct fl_option *option)
{
	return option->words && strcmp(option->words, "@zone") == 0;
}

/* "fl_fetch" of "fl-fetch" */
static void put_identifier(const char *name, struct fl_buf *out)
{
	for (; *name; name++)
		fl_buf_putc(out, isalnum((unsigned char)*name) ? *name : '_');
}

/* --- bash ------------------------------------------------------------------
 */

static void bash_names(const struct fl_settings *settings, struct fl_buf *out)
{
	const char *blank = "";

	for (size_t i = 0; i < settings->count; i++) {
		const struct fl_option *option = settings->items[i].option;

		if (fl_option_hidden(option))
			continue;
		fl_buf_printf(out, "%s--%s%s", blank, option->name,
			      takes_value(option) ? "=" : "");
		blank = " ";
	}
}

/* "--as|-x" as a pattern of case */
static void bash_pattern(const struct fl_option *option, struct fl_buf *out)
{
	fl_buf_printf(out, "--%s", option->name);
	if (option->letter)
		fl_buf_printf(out, "|-%c", option->letter);
}

/* The values of options, as branches of a case on $prev. */
static void bash_values(const struct fl_settings *settings, const char *indent,
			struct fl_buf *out)
{
	struct fl_buf buf = FL_BUF_INIT;

	for (size_t i = 0; i < settings->count; i++) {
		const struct fl_option *option = settings->items[i].option;
		const char *words = value_words(option, &buf);

		if (fl_option_hidden(option) || !takes_value(option))
			continue;
		fl_buf_puts(out, indent);
		bash_pattern(option, out);
		if (words)
			fl_buf_printf(out, ") words='%s'%s ;;\n", words,
				      option->kind == FL_OPTION_LIST ? " list=1"
								     : "");
		else if (is_zone(option))
			fl_buf_puts(out, ") words=$(_fl_zones) ;;\n");
		else
			fl_buf_printf(out, ") %s ;;\n",
				      takes_file(option) ? "files=1"
							 : "free=1");
	}
	fl_buf_release(&buf);
}

/* The options that take the next word, for finding the subcommand. */
static void bash_skip(const struct fl_settings *settings, struct fl_buf *out)
{
	const char *bar = "";

	for (size_t i = 0; i < settings->count; i++) {
		const struct fl_option *option = settings->items[i].option;

		if (fl_option_hidden(option) || !takes_value(option))
			continue;
		fl_buf_puts(out, bar);
		bash_pattern(option, out);
		bar = "|";
	}
}

static void bash_sub(const struct fl_command *command,
		     const struct fl_subcommand *sub, struct fl_buf *out)
{
	struct fl_settings settings = FL_SETTINGS_INIT;

	fl_settings_add(&settings, sub->name, sub->options, false);
	(void)command;
	fl_buf_printf(out, "\t%s)\n\t\toptions=\"", sub->name);
	bash_names(&settings, out);
	fl_buf_puts(out, " $options\"\n");
	if (settings.count) {
		fl_buf_puts(out, "\t\tcase $prev in\n");
		bash_values(&settings, "\t\t", out);
		fl_buf_puts(out, "\t\tesac\n");
	}
	fl_buf_puts(out, "\t\t;;\n");
	fl_settings_release(&settings);
}

static void bash(const struct fl_command *command, struct fl_buf *out)
{
	struct fl_settings settings = FL_SETTINGS_INIT;
	bool subs = command->subcommands && command->subcommands[0];

	fl_help_settings(&settings, command, NULL);
	fl_buf_printf(out,
		      "# bash completion of %s; made by "
		      "'%s --help-completion bash'\n\n",
		      command->name, command->name);
	fl_buf_puts(out, "_fl_zones()\n{\n"
			 "\tawk '!/^#/ { print $3 }' "
			 "/usr/share/zoneinfo/tzdata.zi "
			 "/usr/share/zoneinfo/zone1970.tab 2>/dev/null |\n"
			 "\t\tgrep /\n}\n\n_");
	put_identifier(command->name, out);
	fl_buf_puts(out, "()\n{\n"
			 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
			 "prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
			 "\tlocal words='' list='' files='' free='' sub='' "
			 "skip='' head='' i\n"
			 "\tlocal options='");
	bash_names(&settings, out);
	fl_buf_puts(out, "'\n"
			 "\t# '=' is a word of its own here.\n"
			 "\tif [[ $cur == '=' ]]; then\n"
			 "\t\tcur=''\n"
			 "\telif [[ $prev == '=' ]]; then\n"
			 "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
			 "\tfi\n"
			 "\tcase $prev in\n");
	bash_values(&settings, "\t", out);
	fl_buf_puts(out, "\tesac\n");
	if (subs) {
		fl_buf_puts(out, "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
				 "\t\tcase ${skip}${COMP_WORDS[i]} in\n"
				 "\t\tskip* | = | --*=*) skip='' ;;\n\t\t");
		bash_skip(&settings, out);
		fl_buf_puts(out, ") skip=skip ;;\n"
				 "\t\t-*) ;;\n"
				 "\t\t*) sub=${COMP_WORDS[i]}; break ;;\n"
				 "\t\tesac\n"
				 "\tdone\n"
				 "\tcase ${sub%%[,:]*} in\n"
				 "\t'') [[ $words$files$free ]] || words='");
		for (size_t i = 0; command->subcommands[i]; i++)
			fl_buf_printf(out, "%s%s", i ? " " : "",
				      command->subcommands[i]->name);
		fl_buf_puts(out, "' ;;\n");
		for (size_t i = 0; command->subcommands[i]; i++)
			bash_sub(command, command->subcommands[i], out);
		fl_buf_puts(out, "\tesac\n");
	}
	fl_buf_puts(out,
		    "\tCOMPREPLY=()\n"
		    "\tif [[ $cur == -* && ! $files$free$list ]]; then\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
		    "\"$cur\")\n"
		    "\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
		    "\telif [[ $words ]]; then\n"
		    "\t\t# The last item of a list; the ones before stay.\n"
		    "\t\t[[ $list && $cur == *,* ]] && head=${cur%,*},\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -P \"$head\" -W "
		    "\"$words\" -- \"${cur#\"$head\"}\")\n"
		    "\telif [[ ! $free ]]; then\n"
		    "\t\tcompopt -o filenames\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		    "\tfi\n"
		    "}\n"
		    "complete -F _");
	put_identifier(command->name, out);
	fl_buf_printf(out, " %s\n", command->name);
	fl_settings_release(&settings);
}

/* --- zsh -------------------------------------------------------------------
 */

/* Inside '…' of the shell, and [ ] : of _arguments. */
static void zsh_text(const char *text, struct fl_buf *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			fl_buf_puts(out, "'\\''");
		else if (strchr("[]:\\", *text))
			fl_buf_printf(out, "\\%c", *text);
		else
			fl_buf_putc(out, *text);
	}
}

static void zsh_action(const struct fl_option *option, struct fl_buf *out)
{
	struct fl_buf buf = FL_BUF_INIT;
	const char *words = value_words(option, &buf);

	fl_buf_putc(out, ':');
	zsh_text(option->arg ? option->arg : "VALUE", out);
	fl_buf_putc(out, ':');
	if (words && option->kind == FL_OPTION_LIST)
		fl_buf_printf(out, "_values -s , item %s", words);
	else if (words)
		fl_buf_printf(out, "(%s)", words);
	else if (takes_file(option))
		fl_buf_puts(out, "_files");
	else if (is_zone(option))
		fl_buf_puts(out, "_time_zone");
	fl_buf_release(&buf);
}

static void zsh_option(const struct fl_option *option, const char *indent,
		       struct fl_buf *out)
{
	bool repeats = option->kind == FL_OPTION_LIST;
	const char *equals = takes_value(option) ? "=" : "";

	fl_buf_printf(out, "%s", indent);
	if (option->letter && !repeats)
		fl_buf_printf(out, "'(-%c --%s)'", option->letter,
			      option->name);
	if (option->letter)
		fl_buf_printf(out, "{%s-%c%s,%s--%s%s}'[", repeats ? "\\*" : "",
			      option->letter, *equals ? "+" : "",
			      repeats ? "\\*" : "", option->name, equals);
	else
		fl_buf_printf(out, "'%s--%s%s[", repeats ? "*" : "",
			      option->name, equals);
	zsh_text(option->help, out);
	fl_buf_putc(out, ']');
	if (*equals)
		zsh_action(option, out);
	fl_buf_puts(out, "'\n");
}

static void zsh_options(const struct fl_settings *settings, const char *indent,
			struct fl_buf *out)
{
	for (size_t i = 0; i < settings->count; i++) {
		if (!fl_option_hidden(settings->items[i].option))
			zsh_option(settings->items[i].option, indent, out);
	}
}

static void zsh_subs(const struct fl_command *command, struct fl_buf *out)
{
	struct fl_settings settings = FL_SETTINGS_INIT;
	char noun[16];

	fl_buf_puts(out, "local -a subs\nsubs=(\n");
	for (size_t i = 0; command->subcommands[i]; i++) {
		fl_buf_printf(out, "\t'%s:", command->subcommands[i]->name);
		zsh_text(command->subcommands[i]->summary, out);
		fl_buf_puts(out, "'\n");
	}
	fl_buf_printf(out,
		      ")\n_arguments -C -s $options "
		      "'1: :->sub' '*:: :->rest' && return\n"
		      "case $state in\n"
		      "sub) _describe '%s' subs ;;\n"
		      "rest)\n\tcase ${words[1]%%%%[,:]*} in\n",
		      fl_help_noun(command, noun));
	for (size_t i = 0; command->subcommands[i]; i++) {
		const struct fl_subcommand *sub = command->subcommands[i];

		fl_settings_add(&settings, sub->name, sub->options, false);
		fl_buf_printf(out, "\t%s) options+=(\n", sub->name);
		zsh_options(&settings, "\t\t", out);
		fl_buf_puts(out, "\t\t) ;;\n");
		fl_settings_release(&settings);
	}
	fl_buf_puts(out, "\tesac\n\t_arguments -s $options '*:file:_files'\n"
			 "\t;;\nesac\n");
}

static void zsh(const struct fl_command *command, struct fl_buf *out)
{
	struct fl_settings settings = FL_SETTINGS_INIT;

	fl_help_settings(&settings, command, NULL);
	fl_buf_printf(out,
		      "#compdef %s\n# zsh completion of %s; made by "
		      "'%s --help-completion zsh'\n\n"
		      "local curcontext=$curcontext state line\n"
		      "typeset -A opt_args\n"
		      "local -a options\noptions=(\n",
		      command->name, command->name, command->name);
	zsh_options(&settings, "\t", out);
	fl_buf_puts(out, ")\n");
	if (command->subcommands && command->subcommands[0])
		zsh_subs(command, out);
	else
		fl_buf_puts(out, "_arguments -s $options '*:file:_files'\n");
	fl_settings_release(&settings);
}

int fl_help_completion(const struct fl_command *command, const char *shell,
		       struct fl_buf *out, struct fl_error *err)
{
	if (strcmp(shell, "bash") == 0)
		bash(command, out);
	else if (strcmp(shell, "zsh") == 0)
		zsh(command, out);
	else
		return fl_error_set(err, FL_ERR_USAGE,
				    "--help-completion takes bash or zsh, not "
				    "'%s'",
				    fl_show(shell, strlen(shell), 80));
	return 0;
}
