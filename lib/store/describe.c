/* describe: see describe.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/describe.h"

#include <string.h>

void fl_describe_type(struct fl_buf *out, const struct fl_type *type)
{
	fl_buf_printf(out, "%s; a row for each", type->summary);
	for (size_t i = 0; i < FL_KEY_MAX && type->key[i]; i++)
		fl_buf_printf(out, "%s %s", i ? "," : "", type->key[i]);
}

/* Does the field's own line name all of its words? */
static bool names_words(const struct fl_field *field)
{
	for (const char *const *word = field->words; *word; word++) {
		if (!strstr(field->doc, *word))
			return false;
	}
	return true;
}

static void put_words(struct fl_buf *out, const struct fl_field *field)
{
	const char *before = "; one of ";

	for (const char *const *word = field->words; *word; word++) {
		fl_buf_printf(out, "%s%s", before, *word);
		before = ", ";
	}
}

/* "of the last trade; in main currency units" */
void fl_describe_field(struct fl_buf *out, const struct fl_field *field)
{
	if (strchr(field->path, '.'))
		fl_buf_printf(out, "%s: ", field->path);
	fl_buf_puts(out, field->doc);
	if (field->words && !names_words(field))
		put_words(out, field);
	if (field->absent && *field->absent)
		fl_buf_printf(out, "; %s unless said otherwise", field->absent);
	if (*fl_unit_text(field->unit) &&
	    !strstr(field->doc, fl_unit_text(field->unit)))
		fl_buf_printf(out, "; in %s", fl_unit_text(field->unit));
}

void fl_describe_column(struct fl_buf *out, const struct fl_type *type,
			const struct fl_sql_column *col)
{
	const struct fl_field *field =
		&type->fields[col->field < 0 ? 0 : col->field];

	switch (col->role) {
	case FL_SQL_FIELD:
		fl_describe_field(out, field);
		break;
	case FL_SQL_GIVEN:
		fl_buf_printf(out,
			      "true: the record itself said %s, which goes "
			      "without saying",
			      field->path);
		break;
	case FL_SQL_NS:
		fl_buf_printf(out,
			      "nanoseconds that the microseconds of %s leave, "
			      "0 to 999",
			      field->column);
		break;
	case FL_SQL_TICK_ID:
		fl_buf_puts(out, "tells ticks of one instant apart: seq, else "
				 "a hash of the record");
		break;
	case FL_SQL_EXTRA:
		fl_buf_puts(out, "fields that the type does not know, as one "
				 "JSON object");
		break;
	case FL_SQL_DOC:
		fl_buf_puts(out, "the whole record, as JSON");
		break;
	case FL_SQL_PIPELINE:
		fl_buf_puts(out, "of a row made of parts: the pipeline whose "
				 "marks brought them");
		break;
	}
}

const struct fl_description fl_descriptions[] = {
	{ "fl_position", NULL,
	  "where each pipeline stands: moved in the transaction of the rows "
	  "that came up to there" },
	{ "fl_position", "pipeline", "name of the pipeline" },
	{ "fl_position", "origin", "what it reads from: a file, a topic" },
	{ "fl_position", "pos", "where it goes on, in the source's own words" },
	{ "fl_position", "record_time",
	  "time of the last record before that position" },
	{ "fl_position", "record_time_ns",
	  "nanoseconds that its microseconds leave, 0 to 999" },
	{ "fl_position", "wm",
	  "watermark: all records of the origin up to this time have come" },
	{ "fl_position", "wm_ns",
	  "nanoseconds that its microseconds leave, 0 to 999" },
	{ "fl_position", "via",
	  "the commands of the pipeline, as a JSON array" },
	{ "fl_schema", NULL, "which release made the tables" },
	{ "fl_schema", "version", "of the tables of records" },
	{ NULL, NULL, NULL },
};
