/* csv_value: cells as values of a record, in canonical form.
 *
 * Numbers go through fl_decimal or fl_sum and never through double.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "base/decimal.h"
#include "base/utf8.h"
#include "io/io.h"
#include "rec/record.h"
#include "source/csv/work.h"

enum fl_reason fl_csv_bad_value(struct fl_csv_work *w, const char *path,
				const struct fl_csv_cell *cell,
				const char *wanted, enum fl_reason reason)
{
	fl_note_set(w->note, path, "'%s' is '%s', not %s", path,
		    fl_csv_show(cell), wanted);
	return reason;
}

/* A number as JSON has it; length 0: it is none. */
size_t fl_csv_read_number(const struct fl_csv_work *w, enum fl_unit unit,
			  const struct fl_csv_cell *cell, char *number)
{
	enum fl_csv_suffix suffix = unit == FL_UNIT_PERCENT ? FL_CSV_PERCENT
				    : unit == FL_UNIT_SHARES ||
						    unit == FL_UNIT_MONEY ||
						    unit == FL_UNIT_COUNT
					    ? FL_CSV_SCALE
					    : FL_CSV_PLAIN;

	return fl_csv_number(w->maker->style, w->maker->delimiter, suffix,
			     cell->text, cell->len, number);
}

enum fl_reason fl_csv_put_number(struct fl_csv_work *w,
				 const struct fl_field *field,
				 const struct fl_csv_cell *cell)
{
	char number[FL_CSV_NUMBER_MAX], text[FL_DECIMAL_TEXT];
	size_t len = fl_csv_read_number(w, field->unit, cell, number);
	enum fl_decimal_read got = FL_DECIMAL_BAD;
	struct fl_decimal value;
	struct fl_sum sum;
	int64_t whole;

	if (len && field->kind == FL_INTEGER) {
		if (!fl_integer_parse(number, len, &whole))
			return fl_csv_bad_value(w, field->path, cell,
						"a whole number of 64 bits",
						FL_REASON_bad_number);
		fl_buf_printf(&w->made->text, "%lld", (long long)whole);
		return FL_REASON_NONE;
	}
	if (len && field->kind == FL_SUM)
		got = fl_sum_parse(number, len, &sum);
	else if (len)
		got = fl_decimal_parse(number, len, &value);
	if (got == FL_DECIMAL_RANGE)
		return fl_csv_bad_value(w, field->path, cell,
					"within 18 digits and 18 decimals",
					FL_REASON_out_of_range);
	if (got == FL_DECIMAL_BAD)
		return fl_csv_bad_value(w, field->path, cell, "a number",
					FL_REASON_bad_number);
	w->rounded |= got == FL_DECIMAL_ROUNDED;
	len = field->kind == FL_SUM ? fl_sum_print(sum, text)
				    : fl_decimal_print(value, text);
	fl_buf_append(&w->made->text, text, len);
	return FL_REASON_NONE;
}

static bool is_text(const struct fl_csv_cell *cell)
{
	return !memchr(cell->text, '\0', cell->len) &&
	       fl_utf8_valid(cell->text, cell->len);
}

enum fl_reason fl_csv_put_text(struct fl_csv_work *w, const char *path,
			       const struct fl_csv_cell *cell)
{
	if (!is_text(cell))
		return fl_csv_bad_value(w, path, cell, "UTF-8 without NUL",
					FL_REASON_bad_utf8);
	fl_buf_json_string(&w->made->text, cell->text, cell->len);
	return FL_REASON_NONE;
}

static enum fl_reason put_boolean(struct fl_csv_work *w, const char *path,
				  const struct fl_csv_cell *cell)
{
	static const char *const words[] = { "false", "true", "0", "1", "no",
					     "yes",   "f",    "t", "n", "y" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i]) != cell->len ||
		    strncasecmp(words[i], cell->text, cell->len) != 0)
			continue;
		fl_buf_puts(&w->made->text, i % 2 ? "true" : "false");
		return FL_REASON_NONE;
	}
	return fl_csv_bad_value(w, path, cell, "true or false",
				FL_REASON_bad_type);
}

/* A second time or date of the record, read as the file's dates are. */
static enum fl_reason put_time(struct fl_csv_work *w,
			       const struct fl_field *field,
			       const struct fl_csv_cell *cell)
{
	struct fl_csv_dates plain = *w->maker->dates;
	struct fl_csv_moment moment;
	char text[FL_TIME_TEXT];
	struct fl_csv_when when;
	int64_t ns;

	plain.format = NULL; /* said of the first column of dates only */
	if (!fl_csv_dates_read(&plain, cell->text, cell->len, &when) ||
	    !fl_csv_dates_moment(&plain, &when, w->maker->zone, &moment))
		return fl_csv_bad_value(w, field->path, cell, "a time or date",
					FL_REASON_bad_time);
	if (field->kind == FL_DATE) {
		fl_date_print(moment.day, text);
	} else {
		ns = moment.ns;
		if (!moment.exact && !w->maker->zone)
			ns = fl_time_from_civil(&moment.civil);
		else if (!moment.exact &&
			 fl_zone_to_utc(w->maker->zone, &moment.civil, &ns,
					NULL) != FL_ZONE_UNIQUE)
			return fl_csv_bad_value(
				w, field->path, cell,
				"one instant on that zone's clock",
				FL_REASON_bad_time);
		fl_time_print(ns, text);
	}
	fl_buf_json_string(&w->made->text, text, strlen(text));
	return FL_REASON_NONE;
}

enum fl_reason fl_csv_put_value(struct fl_csv_work *w,
				const struct fl_field *field,
				const struct fl_csv_cell *cell)
{
	switch (field->kind) {
	case FL_NUMBER:
	case FL_SUM:
	case FL_INTEGER:
		return fl_csv_put_number(w, field, cell);
	case FL_BOOLEAN:
		return put_boolean(w, field->path, cell);
	case FL_TIME:
	case FL_DATE:
		return put_time(w, field, cell);
	default:
		return fl_csv_put_text(w, field->path, cell);
	}
}

void fl_csv_put_key(struct fl_csv_work *w, const char *path)
{
	fl_buf_puts(&w->made->text, ",\"");
	fl_buf_puts(&w->made->text, path);
	fl_buf_puts(&w->made->text, "\":");
}

void fl_csv_put_string(struct fl_csv_work *w, const char *path,
		       const char *text, size_t len)
{
	fl_csv_put_key(w, path);
	fl_buf_json_string(&w->made->text, text, len);
}

void fl_csv_put_date(struct fl_csv_work *w, const char *path, int64_t day)
{
	char text[FL_TIME_TEXT];

	fl_csv_put_string(w, path, text, fl_date_print(day, text));
}

void fl_csv_record_begin(struct fl_csv_work *w, const char *type, int64_t ts_ns)
{
	struct fl_csv_record *record = &w->made->records[w->made->count];
	char text[FL_TIME_TEXT];

	record->at = w->made->text.len;
	record->ts_ns = ts_ns;
	w->rounded = false;
	fl_buf_puts(&w->made->text, "{\"type\":\"");
	fl_buf_puts(&w->made->text, type);
	fl_buf_puts(&w->made->text, "\"");
	fl_csv_put_string(w, "ts", text, fl_time_print(ts_ns, text));
}

enum fl_reason fl_csv_record_end(struct fl_csv_work *w)
{
	struct fl_csv_record *record = &w->made->records[w->made->count];

	fl_buf_putc(&w->made->text, '}');
	record->len = w->made->text.len - record->at;
	fl_buf_putc(&w->made->text, '\n');
	record->rounded = w->rounded;
	if (record->len > FL_LINE_MAX) {
		fl_note_set(w->note, "", "the record has more than %d bytes",
			    FL_LINE_MAX);
		return FL_REASON_too_long;
	}
	w->made->count++;
	return FL_REASON_NONE;
}

/* What is made here and does not come from a column; false: nothing is. */
bool fl_csv_put_given(struct fl_csv_work *w, enum fl_csv_given given)
{
	const struct fl_csv_made *made = w->made;
	const char *zone;

	switch (given) {
	case FL_CSV_NOTHING:
		return false;
	case FL_CSV_PROVIDER:
		fl_csv_put_string(w, "provider", "csv", 3);
		return true;
	case FL_CSV_SYMBOL:
		fl_csv_put_string(w, "symbol", made->symbol, made->symbol_len);
		return true;
	case FL_CSV_SYMBOL_SRC:
		if (w->symbol_src)
			fl_csv_put_string(w, "symbol_src", w->symbol_src,
					  w->symbol_src_len);
		return w->symbol_src;
	case FL_CSV_INTERVAL:
		fl_csv_put_string(w, "interval", w->interval.text,
				  strlen(w->interval.text));
		return true;
	case FL_CSV_ADJ:
		fl_csv_put_string(w, "adj", w->plan->adj, strlen(w->plan->adj));
		return true;
	case FL_CSV_DATE:
		if (w->interval.dated)
			fl_csv_put_date(w, "date", w->day);
		return w->interval.dated;
	case FL_CSV_TZ:
		if (!w->maker->zone || w->moment.exact)
			return false;
		zone = fl_zone_name(w->maker->zone);
		fl_csv_put_string(w, "tz", zone, strlen(zone));
		return true;
	}
	return false;
}
