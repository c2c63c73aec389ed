/* help: --help and the manual's OPTIONS; see help.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/text.h"

enum {
	NAME_COLUMNS = 26, /* longer ones get a line of their own */
	HELP_COLUMNS = 80,
	GAP = 6, /* before a remark */
};

void fl_help_settings(struct fl_settings *settings,
		      const struct fl_command *command,
		      const struct fl_subcommand *sub)
{
	if (sub)
		fl_settings_add(settings, sub->name, sub->options, false);
	fl_settings_add(settings, FL_SECTION_OWN, command->options, false);
	fl_settings_add(settings, FL_SECTION_COMMON, fl_options_common, false);
}

const char *fl_help_noun(const struct fl_command *command, char *noun)
{
	const char *from = command->synopsis;
	size_t n = 0;

	while (isupper((unsigned char)from[n]) && n < 15) {
		noun[n] = (char)tolower((unsigned char)from[n]);
		n++;
	}
	noun[n] = '\0';
	return n ? noun : strcpy(noun, "word");
}

/* Is it the first of its name, and no hidden one? */
static bool is_shown(const struct fl_settings *settings, size_t i)
{
	const struct fl_option *option = settings->items[i].option;

	return !fl_option_hidden(option) &&
	       fl_settings_find(settings, option->name, strlen(option->name)) ==
		       &settings->items[i];
}

static bool is_shared(const char *section)
{
	return strncmp(section, "of ", 3) == 0;
}

/* Call `each` for every section that has something to show: the command's own
 * first, then those it shares with others. */
static void each_section(const struct fl_settings *settings,
			 void (*each)(const struct fl_settings *settings,
				      const char *section, void *arg),
			 void *arg)
{
	for (int shared = 0; shared < 2; shared++) {
		const char *done[8] = { NULL };
		size_t count = 0;

		for (size_t i = 0; i < settings->count; i++) {
			const char *section = settings->items[i].section;
			bool first = is_shown(settings, i) &&
				     is_shared(section) == shared;

			for (size_t j = 0; j < count && first; j++)
				first = strcmp(done[j], section) != 0;
			if (!first || count == 8)
				continue;
			done[count++] = section;
			each(settings, section, arg);
		}
	}
}

/* --- text ------------------------------------------------------------------
 */

static void put_option(const struct fl_option *option, struct fl_buf *out)
{
	size_t start = out->len, columns;

	if (option->letter)
		fl_buf_printf(out, "  -%c, ", option->letter);
	else
		fl_buf_puts(out, "      ");
	fl_buf_printf(out, "--%s", option->name);
	if (option->arg)
		fl_buf_printf(out, "%s%s",
			      fl_option_optional(option) ? "" : " ",
			      option->arg);
	columns = fl_utf8_columns(out->data + start, out->len - start);
	if (columns + 2 > NAME_COLUMNS)
		fl_buf_printf(out, "\n%*s", NAME_COLUMNS, "");
	else
		fl_buf_printf(out, "%*s", (int)(NAME_COLUMNS - columns), "");
	fl_wrap(option->help, NAME_COLUMNS, NAME_COLUMNS, out);
	fl_buf_putc(out, '\n');
}

static void put_section(const struct fl_settings *settings, const char *section,
			void *arg)
{
	struct fl_buf *out = arg;

	if (strcmp(section, FL_SECTION_OWN) == 0)
		fl_buf_puts(out, "options:\n");
	else
		fl_buf_printf(out, "options %s%s:\n",
			      is_shared(section) ? "" : "of ", section);
	for (size_t i = 0; i < settings->count; i++) {
		if (settings->items[i].section == section &&
		    is_shown(settings, i))
			put_option(settings->items[i].option, out);
	}
}

/* Lines of text, each with what stands before it. */
static void put_lines(const char *text, const char *first, const char *next,
		      struct fl_buf *out)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		fl_buf_puts(out, len ? first : "");
		fl_buf_append(out, text, len);
		fl_buf_putc(out, '\n');
		text += len + (text[len] != '\0');
		first = next;
	}
}

static void put_usage(const struct fl_command *command,
		      const struct fl_subcommand *sub, struct fl_buf *out)
{
	char first[80], next[80];

	snprintf(first, sizeof(first), "usage: %s%s%s ", command->name,
		 sub ? " " : "", sub ? sub->name : "");
	snprintf(next, sizeof(next), "%*s%s%s%s ", 7, "", command->name,
		 sub ? " " : "", sub ? sub->name : "");
	put_lines(sub ? sub->synopsis : command->synopsis, first, next, out);
}

static void put_subcommands(const struct fl_command *command,
			    struct fl_buf *out)
{
	struct fl_buf names = FL_BUF_INIT;
	struct fl_buf hint = FL_BUF_INIT;
	char noun[16];
	size_t indent;

	fl_help_noun(command, noun);
	indent = strlen(noun) + 3;
	for (size_t i = 0; command->subcommands[i]; i++)
		fl_buf_printf(&names, "%s%s", i ? " " : "",
			      command->subcommands[i]->name);
	fl_buf_printf(&hint, "(%s ", command->name);
	for (const char *p = noun; *p; p++)
		fl_buf_putc(&hint, (char)toupper((unsigned char)*p));
	fl_buf_puts(&hint, " --help: its options)");
	fl_buf_printf(out, "%ss: ", noun);
	fl_wrap(fl_buf_text(&names), indent, indent, out);
	if (indent + names.len + GAP + hint.len > HELP_COLUMNS)
		fl_buf_printf(out, "\n%*s", (int)indent, "");
	else
		fl_buf_printf(out, "%*s", GAP, "");
	fl_buf_printf(out, "%s\n", hint.data);
	fl_buf_release(&hint);
	fl_buf_release(&names);
}

void fl_help_text(const struct fl_command *command,
		  const struct fl_subcommand *sub, struct fl_buf *out)
{
	struct fl_settings settings = FL_SETTINGS_INIT;

	fl_buf_printf(out, "%s%s%s: %s\n\n", command->name, sub ? " " : "",
		      sub ? sub->name : "",
		      sub ? sub->summary : command->summary);
	put_lines(sub ? sub->examples : command->examples, "  ", "  ", out);
	put_usage(command, sub, out);
	if (!sub && command->subcommands)
		put_subcommands(command, out);
	fl_help_settings(&settings, command, sub);
	each_section(&settings, put_section, out);
	if (!sub && command->notes)
		put_lines(command->notes, "", "", out);
	fl_settings_release(&settings);
}

/* --- the manual ------------------------------------------------------------
 */

/* A blank before '-' begins an option's name, whose hyphens are to be typed. */
static void put_mdoc(const char *text, bool macro, struct fl_buf *out)
{
	bool name = false;

	if (!macro && (*text == '.' || *text == '\''))
		fl_buf_puts(out, "\\&");
	for (const char *p = text; *p; p++) {
		if (*p == '-' && (p == text || strchr(" ([,", p[-1])))
			name = true;
		else if (*p == ' ')
			name = false;
		if (*p == '\\')
			fl_buf_puts(out, "\\e");
		else if (*p == '-' && name)
			fl_buf_puts(out, "\\-");
		else if (*p == '"' && macro)
			fl_buf_puts(out, "\\(dq");
		else
			fl_buf_putc(out, *p);
	}
}

static void put_item(const struct fl_option *option, struct fl_buf *out)
{
	fl_buf_puts(out, ".It ");
	if (option->letter)
		fl_buf_printf(out, "Fl %c , ", option->letter);
	fl_buf_printf(out, "Fl \\-%s", option->name);
	if (option->arg) {
		const char *arg = option->arg;

		fl_buf_puts(out, fl_option_optional(option) ? " Ns Ar \""
							    : " Ar \"");
		put_mdoc(arg, true, out);
		fl_buf_putc(out, '"');
	}
	fl_buf_putc(out, '\n');
	put_mdoc(option->help, false, out);
	fl_buf_puts(out, ".\n");
}

static void put_list(const struct fl_settings *settings, const char *section,
		     void *arg)
{
	struct fl_buf *out = arg;

	if (strcmp(section, FL_SECTION_OWN) != 0)
		fl_buf_printf(out, ".Ss Options %s%s\n",
			      is_shared(section) ? "" : "of ", section);
	fl_buf_puts(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < settings->count; i++) {
		if (settings->items[i].section == section &&
		    is_shown(settings, i))
			put_item(settings->items[i].option, out);
	}
	fl_buf_puts(out, ".El\n");
}

void fl_help_man(const struct fl_command *command, struct fl_buf *out)
{
	struct fl_settings settings = FL_SETTINGS_INIT;

	fl_help_settings(&settings, command, NULL);
	each_section(&settings, put_list, out);
	fl_settings_release(&settings);
	for (size_t i = 0; command->subcommands && command->subcommands[i];
	     i++) {
		const struct fl_subcommand *sub = command->subcommands[i];

		fl_settings_add(&settings, FL_SECTION_OWN, sub->options, false);
		fl_buf_printf(out, ".Ss Options of %s %s\n", command->name,
			      sub->name);
		put_mdoc(sub->summary, false, out);
		fl_buf_puts(out, ".\n");
		each_section(&settings, put_list, out);
		fl_settings_release(&settings);
	}
}
