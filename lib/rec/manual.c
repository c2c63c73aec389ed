/* manual: the part of fl-records.5 that the field tables know, as mdoc.
 *
 * One paragraph a field in place of a table: kinds, units and words vary too
 * much in length for columns that fit 80.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "rec/record.h"
#include "rec/type.h"

static const char *const kinds[] = {
	[FL_STRING] = "string",
	[FL_NUMBER] = "number",
	[FL_SUM] = "number of up to 38 digits",
	[FL_INTEGER] = "integer",
	[FL_BOOLEAN] = "true or false",
	[FL_TIME] = "time",
	[FL_DATE] = "date",
	[FL_STRINGS] = "array of strings",
	[FL_OBJECTS] = "array of objects",
	[FL_OBJECT] = "object",
};

static const char *const units[] = {
	[FL_UNIT_NONE] = "",
	[FL_UNIT_PRICE] = "main currency units",
	[FL_UNIT_MONEY] = "main currency units",
	[FL_UNIT_SHARES] = "shares, contracts or coins",
	[FL_UNIT_PERCENT] = "percent",
	[FL_UNIT_SECONDS] = "seconds",
	[FL_UNIT_BYTES] = "bytes",
	[FL_UNIT_COUNT] = "",
	[FL_UNIT_RATIO] = "",
};

static const char *const ranges[] = {
	[FL_ANY] = "",
	[FL_POSITIVE] = "above 0",
	[FL_NON_NEGATIVE] = "0 or above",
	[FL_UNIT_SPAN] = "-1 to 1",
	[FL_PORT] = "0 to 65535",
};

static const char *const forms[] = {
	[FL_FORM_NONE] = "",
	[FL_FORM_SYMBOL] = "",
	[FL_FORM_CURRENCY] = "three capitals",
	[FL_FORM_MIC] = "four capitals or digits",
	[FL_FORM_ZONE] = "",
	[FL_FORM_INTERVAL] = "",
	[FL_FORM_COUNTRY] = "two capitals",
	[FL_FORM_URL] = "with its scheme",
	[FL_FORM_LABEL] = "",
};

const char *fl_unit_text(enum fl_unit unit)
{
	return units[unit];
}

/* Text may begin with what roff takes for a request, or hold its escape. */
static void put_text(struct fl_buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fl_buf_puts(out, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			fl_buf_puts(out, "\\e");
		else
			fl_buf_putc(out, *text);
	}
}

static void put_part(struct fl_buf *out, const char *text)
{
	if (!*text)
		return;
	fl_buf_puts(out, ", ");
	put_text(out, text);
}

/* The kind; the forms that TYPES explains have a word of their own. */
static const char *kind_of(const struct fl_field *field)
{
	if (field->form == FL_FORM_LABEL)
		return "label";
	if (field->form == FL_FORM_SYMBOL)
		return "symbol";
	return kinds[field->kind];
}

static void put_words(struct fl_buf *out, const struct fl_field *field)
{
	bool said = field->absent && *field->absent;

	fl_buf_puts(out, ".br\none of\n");
	for (const char *const *word = field->words; *word; word++)
		fl_buf_printf(out, ".Cm %s%s\n", *word,
			      word[1] ? " ," : (said ? " ;" : ""));
	if (said)
		fl_buf_printf(out, "absent means\n.Cm %s\n", field->absent);
}

static void put_field(struct fl_buf *out, const struct fl_field *field)
{
	fl_buf_printf(out, ".It Sy %s\n%s", field->path, kind_of(field));
	if (*units[field->unit])
		fl_buf_printf(out, " in %s", units[field->unit]);
	put_part(out, ranges[field->range]);
	put_part(out, forms[field->form]);
	if (field->required)
		fl_buf_puts(out, ",\n.Em required");
	fl_buf_puts(out, "\n.br\n");
	put_text(out, field->doc);
	fl_buf_putc(out, '\n');
	if (!field->words)
		return;
	/* The reasons of rejects have a section of their own. */
	if (strcmp(field->words[0], fl_reason_name(FL_REASON_bad_json)) == 0)
		fl_buf_puts(out, ".br\none of those under\n.Sx REASONS\n");
	else
		put_words(out, field);
}

static void put_paths(struct fl_buf *out, const char *label,
		      const char *const *paths)
{
	fl_buf_printf(out, ".It %s\n", label);
	for (; *paths; paths++)
		fl_buf_printf(out, ".Sy %s%s\n", *paths, paths[1] ? " ," : "");
}

static void put_type(struct fl_buf *out, const struct fl_type *type)
{
	fl_buf_printf(out, ".Ss %s\n", type->name);
	fl_buf_putc(out, (char)toupper((unsigned char)type->summary[0]));
	put_text(out, type->summary + 1);
	fl_buf_puts(out, ".\n.Bl -tag -width \"natural key\" -compact\n");
	put_paths(out, "natural key", type->key);
	put_paths(out, "series", type->series);
	fl_buf_printf(out, ".It topic\n.Li fl.%s ,\nkeyed by\n.Sy %s\n",
		      type->topic, type->topic_key);
	if (type->doc)
		fl_buf_puts(out, ".It in stores\nthe whole line is kept in "
				 "column\n.Sy doc\n");
	fl_buf_puts(out, ".El\n.Bl -tag -width \"market_state\"\n");
	for (const struct fl_field *field = type->fields; field->path; field++)
		put_field(out, field);
	fl_buf_puts(out, ".El\n");
}

void fl_types_manual(struct fl_buf *out)
{
	fl_buf_puts(out, ".Sh TYPES\nFields stand in canonical order.\n"
			 "A label is a string of 1 to 200 bytes without "
			 "control characters,\n"
			 "a symbol one of 1 to 64 printable ASCII characters "
			 "without blanks.\n");
	for (size_t i = 0; fl_types[i]; i++)
		put_type(out, fl_types[i]);
	fl_buf_puts(out, ".Sh REASONS\n.Bl -tag -width \"unexpected_mark\" "
			 "-compact\n");
	for (int i = FL_REASON_NONE + 1; i < FL_REASON_COUNT; i++) {
		fl_buf_printf(out, ".It Sy %s\n",
			      fl_reason_name((enum fl_reason)i));
		put_text(out, fl_reason_doc((enum fl_reason)i));
		fl_buf_putc(out, '\n');
	}
	fl_buf_puts(out, ".El\n");
}
