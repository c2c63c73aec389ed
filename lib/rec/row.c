/* row: see row.h. A table streams: its widths come from the field tables, and a
 * wider value moves its row along instead of being cut.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/row.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/zone.h"
#include "rec/number.h"
#include "rec/record.h"

enum {
	COLUMNS_MAX = FL_FIELDS_MAX,
	OWN_WIDTH = 10,   /* of a --fields column that no table knows */
	OFFSET_WIDTH = 5, /* of a time, +01:00 instead of Z */
};

struct column {
	char path[64];
	int field; /* in the type; -1: a field of the user's own */
	unsigned width;
};

/* Kept by the writer from row to row: what the header said. */
struct layout {
	const struct fl_type *type;
	struct column columns[COLUMNS_MAX];
	int count;
	bool any; /* a header was written */
};

static void add_column(struct layout *layout, const struct fl_type *type,
		       bool zoned, const char *path, size_t len)
{
	struct column *column = &layout->columns[layout->count];

	if (layout->count == COLUMNS_MAX || len == 0 ||
	    len >= sizeof(column->path))
		return;
	memcpy(column->path, path, len);
	column->path[len] = '\0';
	column->field = type ? fl_type_field(type, path, len) : -1;
	column->width = OWN_WIDTH;
	if (column->field >= 0 && type->fields[column->field].width)
		column->width = type->fields[column->field].width;
	if (zoned && column->field >= 0 &&
	    type->fields[column->field].kind == FL_TIME)
		column->width += OFFSET_WIDTH;
	if (column->width < len)
		column->width = (unsigned)len;
	layout->count++;
}

static void lay_out(struct layout *layout, const struct fl_type *type,
		    const struct fl_io *io, enum fl_as as)
{
	const char *fields = io->fields;
	bool zoned = io->zone != NULL;

	layout->count = 0;
	layout->type = type;
	if (fields) {
		for (const char *from = fields; *from;) {
			size_t len = strcspn(from, ",");

			add_column(layout, type, zoned, from, len);
			from += len + (from[len] == ',');
		}
		return;
	}
	for (const struct fl_field *f = type ? type->fields : NULL;
	     f && f->path; f++) {
		if (as == FL_AS_CSV ? strcmp(f->path, "type") != 0
				    : f->width > 0)
			add_column(layout, type, zoned, f->path,
				   strlen(f->path));
	}
}

/* A time in the zone asked for: RFC 3339, with a blank for T in a table. */
static void print_time(int64_t ns, const struct fl_io *io, enum fl_as as,
		       struct fl_buf *out)
{
	char text[FL_TIME_TEXT];
	int32_t offset = io->zone ? fl_zone_offset(io->zone, ns) : 0;
	size_t len = fl_time_print(ns + offset * FL_SECOND, text);

	if (as == FL_AS_TABLE)
		text[10] = ' ';
	if (!io->zone) {
		fl_buf_append(out, text, len);
		return;
	}
	fl_buf_append(out, text, len - 1);
	fl_buf_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+',
		      (offset < 0 ? -offset : offset) / 3600,
		      (offset < 0 ? -offset : offset) / 60 % 60);
}

static const struct fl_json_tok *value_of(const struct fl_record *rec,
					  const struct column *column)
{
	if (column->field >= 0 && rec->at[column->field])
		return &rec->json->toks[rec->at[column->field]];
	return column->field < 0 ? fl_record_value(rec, column->path) : NULL;
}

/* The value as plain text: strings without quotes, the rest as JSON. */
static void print_value(const struct fl_record *rec,
			const struct column *column, const struct fl_io *io,
			enum fl_as as, struct fl_buf *out)
{
	const struct fl_json_tok *tok = value_of(rec, column);
	int64_t ns;

	if (!tok || tok->kind == FL_JSON_NULL)
		return;
	if (tok->kind == FL_JSON_NUMBER) {
		fl_number_print(tok->text, tok->len, out);
	} else if (tok->kind != FL_JSON_STRING) {
		fl_json_print(rec->json, (uint32_t)(tok - rec->json->toks),
			      out);
	} else if (column->field >= 0 &&
		   rec->type->fields[column->field].kind == FL_TIME &&
		   fl_time_parse(tok->text, tok->len, &ns) != FL_TIME_BAD) {
		print_time(ns, io, as, out);
	} else {
		fl_buf_append(out, tok->text, tok->len);
	}
}

static void put_csv_cell(const char *text, size_t len, struct fl_buf *out)
{
	bool quote = false;

	for (size_t i = 0; i < len && !quote; i++)
		quote = strchr(",\"\r\n", text[i]) != NULL;
	if (!quote && len && (text[0] == ' ' || text[len - 1] == ' '))
		quote = true;
	if (!quote) {
		fl_buf_append(out, text, len);
		return;
	}
	fl_buf_putc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			fl_buf_putc(out, '"');
		fl_buf_putc(out, text[i]);
	}
	fl_buf_putc(out, '"');
}

static void csv_row(const struct layout *layout, const struct fl_record *rec,
		    const struct fl_io *io, struct fl_buf *out)
{
	struct fl_buf cell = FL_BUF_INIT;

	for (int i = 0; i < layout->count; i++) {
		if (i)
			fl_buf_putc(out, ',');
		fl_buf_reset(&cell);
		print_value(rec, &layout->columns[i], io, FL_AS_CSV, &cell);
		put_csv_cell(fl_buf_text(&cell), cell.len, out);
	}
	fl_buf_putc(out, '\n');
	fl_buf_release(&cell);
}

static bool is_right(const struct layout *layout, const struct column *column)
{
	enum fl_kind kind;

	if (column->field < 0)
		return false;
	kind = layout->type->fields[column->field].kind;
	return kind == FL_NUMBER || kind == FL_SUM || kind == FL_INTEGER;
}

/* A control character in a foreign text must not drive the terminal. */
static void put_shown(const char *text, size_t len, struct fl_buf *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		/* U+0080 to U+009F, as UTF-8 */
		bool c1 = c == 0xc2 && i + 1 < len &&
			  (unsigned char)text[i + 1] < 0xa0;

		fl_buf_putc(out, c < ' ' || c == 0x7f || c1 ? '?' : text[i]);
		i += c1;
	}
}

static void put_cell(const char *text, size_t len, unsigned width, bool right,
		     bool last, struct fl_buf *out)
{
	size_t columns = fl_utf8_columns(text, len);
	size_t pad = columns < width ? width - columns : 0;

	for (size_t i = 0; right && i < pad; i++)
		fl_buf_putc(out, ' ');
	put_shown(text, len, out);
	for (size_t i = 0; !right && !last && i < pad; i++)
		fl_buf_putc(out, ' ');
	if (!last)
		fl_buf_puts(out, "  ");
}

static void table_row(const struct layout *layout, const struct fl_record *rec,
		      const struct fl_io *io, struct fl_buf *out)
{
	struct fl_buf cell = FL_BUF_INIT;

	for (int i = 0; i < layout->count; i++) {
		const struct column *column = &layout->columns[i];

		fl_buf_reset(&cell);
		print_value(rec, column, io, FL_AS_TABLE, &cell);
		put_cell(fl_buf_text(&cell), cell.len, column->width,
			 is_right(layout, column), i + 1 == layout->count, out);
	}
	fl_buf_putc(out, '\n');
	fl_buf_release(&cell);
}

static void header(const struct layout *layout, enum fl_as as,
		   struct fl_buf *out)
{
	for (int i = 0; i < layout->count; i++) {
		const struct column *column = &layout->columns[i];
		size_t len = strlen(column->path);
		char name[sizeof(column->path)];

		if (as == FL_AS_CSV) {
			if (i)
				fl_buf_putc(out, ',');
			put_csv_cell(column->path, len, out);
			continue;
		}
		for (size_t j = 0; j < len; j++)
			name[j] = (char)toupper((unsigned char)column->path[j]);
		put_cell(name, len, column->width, is_right(layout, column),
			 i + 1 == layout->count, out);
	}
	fl_buf_putc(out, '\n');
}

/* NDJSON of the chosen fields, each under its own (dotted) name. */
static void json_row(const struct layout *layout, const struct fl_record *rec,
		     struct fl_buf *out)
{
	char before = '{';

	for (int i = 0; i < layout->count; i++) {
		const struct column *column = &layout->columns[i];
		const struct fl_json_tok *tok = value_of(rec, column);

		if (!tok)
			continue;
		fl_buf_putc(out, before);
		before = ',';
		fl_buf_json_string(out, column->path, strlen(column->path));
		fl_buf_putc(out, ':');
		fl_json_print(rec->json, (uint32_t)(tok - rec->json->toks),
			      out);
	}
	if (before == '{')
		fl_buf_putc(out, before);
	fl_buf_puts(out, "}\n");
}

int fl_row_put(struct fl_writer *out, const struct fl_record *rec,
	       struct fl_error *err)
{
	struct fl_io *io = fl_writer_io(out);
	void **state = fl_writer_row_state(out);
	enum fl_as as = fl_writer_as(out);
	struct layout *layout = *state;

	/* What is no record of ours has no columns: it is shown as it is. */
	if (!rec->type) {
		fl_buf_append(fl_writer_buf(out), rec->bytes, rec->len);
		fl_buf_putc(fl_writer_buf(out), '\n');
		return 0;
	}
	if (!layout)
		*state = layout = fl_zalloc(sizeof(*layout));
	if (!layout->any || layout->type != rec->type) {
		if (layout->any && as == FL_AS_CSV && !io->fields)
			return fl_error_set(
				err, FL_ERR_USAGE,
				"CSV has one header, and a '%s' follows a '%s':"
				" choose with --type or --fields",
				rec->type->name, layout->type->name);
		lay_out(layout, rec->type, io, as);
		if (as == FL_AS_TABLE && layout->any && !io->fields)
			fl_buf_putc(fl_writer_buf(out), '\n');
		if (as != FL_AS_NDJSON && !(layout->any && io->fields))
			header(layout, as, fl_writer_buf(out));
		layout->any = true;
	}
	if (as == FL_AS_NDJSON)
		json_row(layout, rec, fl_writer_buf(out));
	else if (as == FL_AS_CSV)
		csv_row(layout, rec, io, fl_writer_buf(out));
	else
		table_row(layout, rec, io, fl_writer_buf(out));
	return 0;
}
