/* option: see option.h.
 *
 * No getopt: its table is no place for help texts, it does not say which word
 * was meant, and its abbreviations break scripts when an option is added.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/time.h"
#include "cli/help.h"
#include "cli/run.h"
#include "cli/text.h"

#define SHOWN        80 /* bytes of a user's word in a message */
#define SHOW_COLUMNS 31 /* of a setting before its origin */

static const char *show(const char *text)
{
	return fl_show(text, strlen(text), SHOWN);
}

bool fl_option_hidden(const struct fl_option *option)
{
	return !option->help || !*option->help;
}

bool fl_option_optional(const struct fl_option *option)
{
	return option->arg && option->arg[0] == '[';
}

bool fl_option_valued(const struct fl_option *option)
{
	return option->arg || (option->kind != FL_OPTION_FLAG &&
			       option->kind != FL_OPTION_CALL);
}

bool fl_option_acts(const struct fl_option *option)
{
	static const char *const names[] = { "help", "version", "show-config",
					     NULL };

	for (size_t i = 0; names[i]; i++) {
		if (strcmp(option->name, names[i]) == 0)
			return true;
	}
	return strncmp(option->name, "help-", 5) == 0;
}

/* --- the settings ----------------------------------------------------------
 */

static void add_one(struct fl_settings *settings, size_t *at,
		    const char *section, const struct fl_option *option)
{
	struct fl_setting setting = { .option = option, .section = section };

	if (settings->count == settings->cap) {
		settings->cap = settings->cap ? 2 * settings->cap : 32;
		settings->items = fl_realloc(settings->items, settings->cap,
					     sizeof(*settings->items));
	}
	memmove(settings->items + *at + 1, settings->items + *at,
		(settings->count - *at) * sizeof(setting));
	settings->items[(*at)++] = setting;
	settings->count++;
}

static void add_table(struct fl_settings *settings, size_t *at,
		      const char *section, const struct fl_option *table)
{
	for (; table && table->kind != FL_OPTION_END; table++) {
		const char *title;

		if (table->kind != FL_OPTION_GROUP) {
			add_one(settings, at, section, table);
			continue;
		}
		title = fl_group_title(table->group);
		add_table(settings, at, title ? title : section, table->group);
	}
}

void fl_settings_add(struct fl_settings *settings, const char *section,
		     const struct fl_option *table, bool front)
{
	size_t at = front ? 0 : settings->count;

	add_table(settings, &at, section, table);
}

struct fl_setting *fl_settings_find(const struct fl_settings *settings,
				    const char *name, size_t len)
{
	for (size_t i = 0; i < settings->count; i++) {
		const char *known = settings->items[i].option->name;

		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return &settings->items[i];
	}
	return NULL;
}

static struct fl_setting *find_letter(const struct fl_settings *settings,
				      char letter)
{
	for (size_t i = 0; i < settings->count; i++) {
		if (settings->items[i].option->letter == letter)
			return &settings->items[i];
	}
	return NULL;
}

void fl_settings_release(struct fl_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct fl_setting *setting = &settings->items[i];

		if (setting->layer != FL_LAYER_NONE &&
		    setting->option->kind == FL_OPTION_LIST)
			*(struct fl_list *)setting->option->target =
				(struct fl_list){ NULL, 0 };
	}
	free(settings->items);
	fl_arena_release(&settings->arena);
	fl_buf_release(&settings->files);
	free(settings->others);
	*settings = (struct fl_settings)FL_SETTINGS_INIT;
}

/* --- values ----------------------------------------------------------------
 */

static int set_flag(bool *target, const char *value, const char *what,
		    struct fl_error *err)
{
	static const char *const words[] = { "no", "yes",   "off",
					     "on", "false", "true",
					     "0",  "1",     NULL };

	if (!value) {
		*target = true;
		return 0;
	}
	for (size_t i = 0; words[i]; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*target = i % 2 == 1;
			return 0;
		}
	}
	return fl_error_set(err, FL_ERR_USAGE, "%s takes yes or no, not '%s'",
			    what, show(value));
}

/* Digits only; NULL when that is not how it begins, or past 64 bits. */
static const char *read_digits(const char *value, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*value))
		return NULL;
	errno = 0;
	*number = strtoull(value, &end, 10);
	return errno ? NULL : end;
}

static int set_u64(uint64_t *target, const char *value, const char *what,
		   struct fl_error *err)
{
	uint64_t number;
	const char *end = read_digits(value, &number);

	if (!end || *end)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s takes a whole number, not '%s'", what,
				    show(value));
	*target = number;
	return 0;
}

static int set_real(double *target, const char *value, const char *what,
		    struct fl_error *err)
{
	char *end = NULL;
	double number = 0;

	/* strtod takes more: hexadecimal, infinity, blanks in front. */
	if (*value && !value[strspn(value, "0123456789.eE+-")])
		number = strtod(value, &end);
	if (!end || *end || end == value || !isfinite(number))
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s takes a number, not '%s'", what,
				    show(value));
	*target = number;
	return 0;
}

static int set_size(uint64_t *target, const char *value, const char *what,
		    struct fl_error *err)
{
	static const char units[] = "KMGT";
	uint64_t number;
	const char *end = read_digits(value, &number), *unit;

	if (end && *end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || end[1] ||
		    number > UINT64_MAX >> (10 * (unit - units + 1)))
			end = NULL;
		else
			number <<= 10 * (unit - units + 1);
	}
	if (!end)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s takes a size such as 64K, 32M or 1G, "
				    "not '%s'",
				    what, show(value));
	*target = number;
	return 0;
}

/* Adds to what the same layer has put there already. */
static int add_list(struct fl_settings *settings, struct fl_list *list,
		    const char *value, const char *what, struct fl_error *err)
{
	uint64_t count = list->count + 1;
	const char **items;
	char *word;

	for (const char *p = value; *p; p++)
		count += *p == ',';
	items = fl_arena_alloc(&settings->arena, (count + 1) * sizeof(*items));
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	word = fl_arena_strndup(&settings->arena, value, strlen(value));
	for (uint64_t i = list->count; i < count; i++) {
		char *comma = strchr(word, ',');

		if (comma)
			*comma = '\0';
		if (!*value)
			return fl_error_set(err, FL_ERR_USAGE, "%s is empty",
					    what);
		if (!*word)
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s: an empty item in '%s'", what,
					    show(value));
		items[i] = word;
		word = comma ? comma + 1 : word;
	}
	items[count] = NULL;
	list->items = items;
	list->count = count;
	return 0;
}

/* A call names itself in its messages; only another name stands before. */
static int call(const struct fl_setting *setting, const char *value, int layer,
		const char *what, struct fl_error *err)
{
	const struct fl_option *option = setting->option;
	bool on = true;

	if (!option->arg && value) {
		if (set_flag(&on, value, what, err) < 0)
			return -1;
		value = NULL;
	}
	if (!on || option->take(option->target, value, err) == 0)
		return 0;
	if (err->code == FL_OK)
		return fl_error_set(err, FL_ERR_USAGE, "%s does not take '%s'",
				    what, show(value ? value : ""));
	return layer == FL_LAYER_ARGUMENT ? -1 : fl_error_wrap(err, "%s", what);
}

static int set_value(struct fl_settings *settings, struct fl_setting *setting,
		     const char *value, int layer, const char *what,
		     struct fl_error *err)
{
	void *target = setting->option->target;

	switch (setting->option->kind) {
	case FL_OPTION_FLAG:
		return set_flag(target, value, what, err);
	case FL_OPTION_U64:
		return set_u64(target, value, what, err);
	case FL_OPTION_REAL:
		return set_real(target, value, what, err);
	case FL_OPTION_SIZE:
		return set_size(target, value, what, err);
	case FL_OPTION_TEXT:
		*(const char **)target = value;
		return 0;
	case FL_OPTION_LIST:
		if (setting->layer == FL_LAYER_NONE) /* not onto the default */
			*(struct fl_list *)target = (struct fl_list){ NULL, 0 };
		return add_list(settings, target, value, what, err);
	case FL_OPTION_DURATION:
		if (fl_duration_parse(value, target, err) < 0)
			return fl_error_wrap(err, "%s", what);
		return 0;
	case FL_OPTION_CALL:
		return call(setting, value, layer, what, err);
	case FL_OPTION_END:
	case FL_OPTION_GROUP:
		break;
	}
	FL_BUG("an option of no kind");
}

int fl_settings_set(struct fl_settings *settings, struct fl_setting *setting,
		    const char *value, int layer, const char *from,
		    const char *what, struct fl_error *err)
{
	if (setting->layer != FL_LAYER_NONE && setting->layer != layer)
		return 0;
	if (set_value(settings, setting, value, layer, what, err) < 0)
		return -1;
	if (setting->layer == layer && value && setting->value &&
	    setting->option->kind == FL_OPTION_LIST) {
		size_t room = strlen(setting->value) + strlen(value) + 2;
		char *both = fl_arena_alloc(&settings->arena, room);

		snprintf(both, room, "%s,%s", setting->value, value);
		value = both;
	}
	setting->layer = layer;
	setting->from = from;
	setting->value = value;
	return 0;
}

/* --- the command line ------------------------------------------------------
 */

struct parse {
	struct fl_settings *settings;
	const char *command;
	int argc, at;
	char **argv;
	fl_elsewhere_fn elsewhere;
	void *arg;
};

static int unknown_option(const struct parse *parse, const char *name,
			  size_t len, struct fl_error *err)
{
	const struct fl_settings *settings = parse->settings;
	char *word = fl_strndup(name, len);
	const char **words = fl_alloc((settings->count + 1) * sizeof(*words));
	const char *near, *elsewhere = NULL;
	size_t count = 0;

	for (size_t i = 0; i < settings->count; i++) {
		if (!fl_option_hidden(settings->items[i].option))
			words[count++] = settings->items[i].option->name;
	}
	words[count] = NULL;
	near = fl_nearest(word, words);
	if (parse->elsewhere)
		elsewhere = parse->elsewhere(parse->arg, word);
	if (elsewhere)
		fl_error_set(err, FL_ERR_USAGE, "unknown option '--%s': %s",
			     show(word), elsewhere);
	else if (near)
		fl_error_set(err, FL_ERR_USAGE,
			     "unknown option '--%s' (did you mean '--%s'?)",
			     show(word), near);
	else
		fl_error_set(err, FL_ERR_USAGE,
			     "unknown option '--%s'; try '%s --help'",
			     show(word), parse->command);
	free(words);
	free(word);
	return -1;
}

static int unknown_letter(const struct parse *parse, const char *letters,
			  struct fl_error *err)
{
	char word[2] = { letters[0], '\0' };
	size_t len = strlen(letters);

	/* "-count" was meant to be "--count". */
	if (parse->argv[parse->at] + 1 == letters && len > 1 &&
	    fl_settings_find(parse->settings, letters, strcspn(letters, "=")))
		return fl_error_set(err, FL_ERR_USAGE,
				    "unknown option '-%s' (did you mean "
				    "'--%s'?)",
				    show(letters), show(letters));
	/* Not half of a character that has more bytes. */
	return fl_error_set(
		err, FL_ERR_USAGE, "unknown option '-%s'; try '%s --help'",
		(unsigned char)word[0] < 0x80 ? show(word) : show(letters),
		parse->command);
}

/* The next word as the value of an option. One that is itself an option was
 * hardly meant to be a value: it is asked for as --x=V. */
static const char *next_value(struct parse *parse,
			      const struct fl_option *option,
			      struct fl_error *err)
{
	const char *arg = option->arg ? option->arg : "VALUE";
	const char *value =
		parse->at + 1 < parse->argc ? parse->argv[parse->at + 1] : NULL;

	if (!value) {
		fl_error_set(err, FL_ERR_USAGE,
			     "option '--%s' needs a value: --%s %s",
			     option->name, option->name, arg);
		return NULL;
	}
	if (strncmp(value, "--", 2) == 0 && value[2] &&
	    fl_settings_find(parse->settings, value + 2,
			     strcspn(value + 2, "="))) {
		fl_error_set(err, FL_ERR_USAGE,
			     "option '--%s' needs a value before '%s': --%s %s",
			     option->name, show(value), option->name, arg);
		return NULL;
	}
	parse->at++;
	return value;
}

static int take(struct parse *parse, struct fl_setting *setting,
		const char *value, struct fl_error *err)
{
	char what[80];

	snprintf(what, sizeof(what), "--%s", setting->option->name);
	return fl_settings_set(parse->settings, setting, value,
			       FL_LAYER_ARGUMENT, "option", what, err);
}

static int take_long(struct parse *parse, struct fl_error *err)
{
	const char *name = parse->argv[parse->at] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	struct fl_setting *setting =
		fl_settings_find(parse->settings, name, len);

	if (!setting)
		return unknown_option(parse, name, len, err);
	if (!value && fl_option_valued(setting->option) &&
	    !fl_option_optional(setting->option)) {
		value = next_value(parse, setting->option, err);
		if (!value)
			return -1;
	}
	return take(parse, setting, value, err);
}

/* -n5, -n 5, -qv, -qn5 */
static int take_letters(struct parse *parse, struct fl_error *err)
{
	const char *letters = parse->argv[parse->at] + 1;

	for (; *letters; letters++) {
		struct fl_setting *setting =
			find_letter(parse->settings, *letters);
		const char *value = NULL;

		if (!setting && *letters == 'h')
			setting = fl_settings_find(parse->settings, "help", 4);
		if (!setting)
			return unknown_letter(parse, letters, err);
		if (fl_option_valued(setting->option) &&
		    !fl_option_optional(setting->option)) {
			value = letters[1] ? letters + 1
					   : next_value(parse, setting->option,
							err);
			if (!value)
				return -1;
			return take(parse, setting, value, err);
		}
		if (take(parse, setting, value, err) < 0)
			return -1;
	}
	return 0;
}

int fl_settings_parse(struct fl_settings *settings, const char *command,
		      int argc, char **argv, fl_operand_fn operand,
		      fl_elsewhere_fn elsewhere, void *arg,
		      struct fl_error *err)
{
	struct parse parse = {
		settings, command, argc, 1, argv, elsewhere, arg
	};
	bool ended = false;
	int result = 0;

	for (; parse.at < argc && result == 0; parse.at++) {
		char *word = argv[parse.at];

		if (ended || word[0] != '-' || !word[1])
			result = operand(arg, word, err);
		else if (strcmp(word, "--") == 0)
			ended = true;
		else if (word[1] == '-')
			result = take_long(&parse, err);
		else
			result = take_letters(&parse, err);
	}
	return result;
}

/* --- the environment -------------------------------------------------------
 */

const char *fl_option_variable(const char *option, char *name)
{
	size_t i = 3;

	memcpy(name, "FL_", 3);
	for (; *option && i < 63; option++)
		name[i++] = *option == '-'
				    ? '_'
				    : (char)toupper((unsigned char)*option);
	name[i] = '\0';
	return name;
}

int fl_settings_environment(struct fl_settings *settings, struct fl_error *err)
{
	for (size_t i = 0; i < settings->count; i++) {
		struct fl_setting *setting = &settings->items[i];
		char name[64];
		const char *value;

		if (setting->layer != FL_LAYER_NONE ||
		    fl_option_acts(setting->option))
			continue;
		value = getenv(fl_option_variable(setting->option->name, name));
		/* Of two options of one name the first holds. */
		if (!value || !*value ||
		    fl_settings_find(settings, setting->option->name,
				     strlen(setting->option->name)) != setting)
			continue;
		value = fl_arena_strndup(&settings->arena, value,
					 strlen(value));
		if (fl_settings_set(settings, setting, value,
				    FL_LAYER_ENVIRONMENT,
				    fl_arena_strndup(&settings->arena, name,
						     strlen(name)),
				    name, err) < 0)
			return -1;
	}
	return 0;
}

/* --- show ------------------------------------------------------------------
 */

static void append_size(struct fl_buf *out, uint64_t bytes)
{
	static const char units[] = " KMGT";
	int unit = 0;

	while (unit < 4 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	fl_buf_u64(out, bytes);
	if (unit)
		fl_buf_putc(out, units[unit]);
}

/* What holds where nothing was said; false: nothing that can be shown. */
static bool append_default(const struct fl_option *option, struct fl_buf *out)
{
	char text[FL_TIME_TEXT];

	switch (option->kind) {
	case FL_OPTION_FLAG:
		fl_buf_puts(out, *(bool *)option->target ? "yes" : "no");
		return true;
	case FL_OPTION_U64:
		fl_buf_u64(out, *(uint64_t *)option->target);
		return true;
	case FL_OPTION_REAL:
		fl_buf_printf(out, "%.15g", *(double *)option->target);
		return true;
	case FL_OPTION_SIZE:
		append_size(out, *(uint64_t *)option->target);
		return true;
	case FL_OPTION_DURATION:
		if (*(int64_t *)option->target == FL_TIME_NONE)
			return false;
		fl_duration_print(*(int64_t *)option->target, text);
		fl_buf_puts(out, text);
		return true;
	case FL_OPTION_TEXT:
		if (!*(const char **)option->target)
			return false;
		fl_mask(*(const char **)option->target, out);
		return true;
	default:
		return false;
	}
}

/* The default as the help has it: one word in brackets at its end. */
static bool append_told(const struct fl_option *option, struct fl_buf *out)
{
	const char *from = strrchr(option->help, '[');
	size_t len = from ? strlen(from) : 0;

	if (len < 3 || from[len - 1] != ']' || strchr(from, ' '))
		return false;
	fl_buf_append(out, from + 1, len - 2);
	return true;
}

/* As fl_config_parse reads it back. */
static void append_quoted(struct fl_buf *out, const char *value)
{
	if (*value && !strpbrk(value, "#\"\\ \t\n\r")) {
		fl_buf_puts(out, value);
		return;
	}
	fl_buf_putc(out, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fl_buf_putc(out, '\\');
		fl_buf_putc(out, *value == '\n' ? ' ' : *value);
	}
	fl_buf_putc(out, '"');
}

static void append_value(struct fl_buf *out, const char *name, const char *text)
{
	struct fl_buf value = FL_BUF_INIT;

	if (fl_mask_name(name, strlen(name)))
		fl_buf_puts(&value, "***");
	else
		fl_mask(text, &value);
	append_quoted(out, fl_buf_text(&value));
	fl_buf_release(&value);
}

/* Blanks up to a column of the line that is being made. */
static void pad(struct fl_buf *out, size_t column)
{
	const char *lf = memrchr(out->data, '\n', out->len);
	size_t used = lf ? out->len - (size_t)(lf + 1 - out->data) : out->len;

	for (; used < column; used++)
		fl_buf_putc(out, ' ');
}

/* NAME = VALUE and where from; `from` NULL: as a comment, not set. */
static void put_setting(struct fl_buf *out, const char *name, const char *value,
			const char *from)
{
	fl_buf_printf(out, "%s%s = %s", from ? "" : "# ", name, value);
	pad(out, SHOW_COLUMNS);
	fl_buf_printf(out, " # %s\n", from ? from : "not set");
}

/* The place, which is named among the operands or by its setting. */
static void show_place(const struct fl_settings *settings, struct fl_buf *out)
{
	struct fl_buf value = FL_BUF_INIT;
	const char *given = getenv("FL_STORE"), *from = "FL_STORE";

	for (size_t i = 0; i < settings->other_count && !(given && *given);
	     i++) {
		if (strcmp(settings->others[i].key, "store") != 0)
			continue;
		given = settings->others[i].value;
		from = settings->others[i].from;
	}
	if (given && *given)
		append_value(&value, "store", given);
	put_setting(out, "store", fl_buf_text(&value),
		    given && *given ? from : NULL);
	fl_buf_release(&value);
}

void fl_settings_show(const struct fl_settings *settings, const char *command,
		      bool place, struct fl_buf *out)
{
	struct fl_buf line = FL_BUF_INIT;

	fl_buf_printf(out, "# what %s goes by, and where it was set\n%s",
		      command, fl_buf_text(&settings->files));
	for (size_t i = 0; i < settings->count; i++) {
		const struct fl_setting *setting = &settings->items[i];
		const struct fl_option *option = setting->option;
		const char *from = "default";

		/* The files stand above. */
		if (fl_option_hidden(option) || fl_option_acts(option) ||
		    strcmp(option->name, "config") == 0 ||
		    fl_settings_find(settings, option->name,
				     strlen(option->name)) != setting)
			continue;
		fl_buf_reset(&line);
		if (setting->layer != FL_LAYER_NONE) {
			append_value(&line, option->name,
				     setting->value ? setting->value : "yes");
			from = setting->from;
		} else if (!append_default(option, &line) &&
			   !append_told(option, &line)) {
			from = NULL;
		}
		put_setting(out, option->name, fl_buf_text(&line), from);
	}
	if (place)
		show_place(settings, out);
	for (size_t i = 0; i < settings->other_count; i++)
		if (!place || strcmp(settings->others[i].key, "store") != 0)
			fl_buf_printf(out, "# %s is no option of %s, %s\n",
				      settings->others[i].key, command,
				      settings->others[i].from);
	fl_buf_release(&line);
}
