/* csv_row: records out of one row; see csv_row.h.
 *
 * Fields are printed in the order of the type's table, which makes the record
 * canonical as it stands.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/row.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/decimal.h"
#include "base/lanes.h"
#include "rec/number.h"
#include "source/csv/plain.h"
#include "source/csv/work.h"

/* --- shape, symbol --- */

enum fl_reason fl_csv_row_shape(const struct fl_csv_plan *plan,
				const struct fl_csv_row *row,
				struct fl_note *note)
{
	switch (row->fault) {
	case FL_CSV_GOOD:
		break;
	case FL_CSV_LONG:
		fl_note_set(note, "", "the row has %llu bytes, more than %d",
			    (unsigned long long)row->raw_bytes, FL_CSV_ROW_MAX);
		return FL_REASON_too_long;
	case FL_CSV_WIDE:
		fl_note_set(note, "", "the row has more than %d cells",
			    FL_CSV_CELLS_MAX);
		return FL_REASON_too_long;
	case FL_CSV_QUOTE:
		fl_note_set(note, "", "a quote is opened and never closed");
		return FL_REASON_truncated;
	}
	if (row->count < plan->needed) {
		fl_note_set(note, "", "%zu cells where the header has %zu",
			    row->count, plan->needed);
		return FL_REASON_truncated;
	}
	for (size_t i = plan->columns; i < row->count; i++) {
		if (row->cells[i].len == 0)
			continue;
		fl_note_set(note, "", "%zu cells where the header has %zu",
			    row->count, plan->columns);
		return FL_REASON_unknown_format;
	}
	return FL_REASON_NONE;
}

/* Stooq's markets as Yahoo has them, where both are known. */
static size_t yahoo_form(char *text, size_t len)
{
	static const struct {
		const char *stooq, *yahoo;
	} markets[] = { { ".US", "" }, { ".UK", ".L" }, { ".JP", ".T" } };

	for (size_t i = 0; i < sizeof(markets) / sizeof(*markets); i++) {
		if (len <= 3 ||
		    memcmp(text + len - 3, markets[i].stooq, 3) != 0)
			continue;
		strcpy(text + len - 3, markets[i].yahoo);
		return strlen(text);
	}
	return len;
}

static enum fl_reason find_symbol(const struct fl_csv_plan *plan,
				  const char *fixed,
				  const struct fl_csv_row *row, char *text,
				  size_t *len, struct fl_note *note)
{
	const struct fl_csv_cell *cell = fl_csv_cell_at(row, plan->symbol);
	struct fl_csv_cell given = { fixed, fixed ? strlen(fixed) : 0 };

	if (plan->symbol == FL_CSV_NO_COLUMN)
		cell = &given;
	if (cell->len == 0) {
		fl_note_set(note, "symbol", "the row names no symbol");
		return FL_REASON_missing_field;
	}
	*len = 0;
	for (size_t i = 0; i < cell->len; i++) {
		char c = cell->text[i];

		if (c <= ' ' || c > '~' || *len == FL_CSV_SYMBOL_MAX) {
			fl_note_set(note, "symbol",
				    "'symbol' is '%s', not at most %d "
				    "printable ASCII without blanks",
				    fl_csv_show(cell), FL_CSV_SYMBOL_MAX);
			return FL_REASON_out_of_range;
		}
		text[(*len)++] =
			c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	text[*len] = '\0';
	if (plan->stooq)
		*len = yahoo_form(text, *len);
	return FL_REASON_NONE;
}

/* A symbol as it is to be: at most 16 bytes, printable, no letter to be raised.
 */
static inline bool copy_usual(const struct fl_csv_cell *cell, char *text)
{
	unsigned mine, good;
	struct fl_lanes bytes;

	if (cell->len - 1 >= FL_LANES)
		return false;
	bytes = fl_lanes_load(cell->text);
	mine = (2U << (cell->len - 1)) - 1;
	good = fl_lanes_within(bytes, '!', '~') &
	       ~fl_lanes_within(bytes, 'a', 'z');
	if ((good & mine) != mine)
		return false;
	fl_lanes_store(text, bytes); /* no NUL: it is read in lanes again */
	return true;
}

enum fl_reason fl_csv_row_symbol(const struct fl_csv_plan *plan,
				 const char *fixed,
				 const struct fl_csv_row *row, char *text,
				 size_t *len, struct fl_note *note)
{
	if (!plan->stooq && plan->symbol < row->count &&
	    copy_usual(&row->cells[plan->symbol], text)) {
		*len = row->cells[plan->symbol].len;
		return FL_REASON_NONE;
	}
	return find_symbol(plan, fixed, row, text, len, note);
}

/* --- the record --- */

static enum fl_reason put_extra(struct fl_csv_work *w,
				const struct fl_csv_extra *extra)
{
	const struct fl_csv_cell *cell = fl_csv_cell_at(w->row, extra->column);
	struct fl_decimal ignored;

	if (cell->len == 0)
		return FL_REASON_NONE;
	if (extra->drop_type && fl_csv_names_type(w, cell))
		return FL_REASON_NONE;
	fl_buf_append(&w->made->text, extra->key, extra->key_len);
	if (fl_decimal_parse(cell->text, cell->len, &ignored) !=
	    FL_DECIMAL_BAD) {
		fl_number_print(cell->text, cell->len, &w->made->text);
		return FL_REASON_NONE;
	}
	return fl_csv_put_text(w, "", cell);
}

static enum fl_reason put_extras(struct fl_csv_work *w)
{
	enum fl_reason reason = FL_REASON_NONE;

	/* Of which day of the week a dividend was, the file does not say. */
	for (int i = 0;
	     i < FL_CSV_EVENTS && !reason && fl_csv_longer_than_day(w); i++) {
		if (w->plan->events[i].key)
			reason = put_extra(w, &w->plan->events[i]);
	}
	for (size_t i = 0; i < w->plan->extra_count && !reason; i++)
		reason = put_extra(w, &w->plan->extras[i]);
	if (!reason && w->plan->type == &fl_type_bar && w->interval.dated &&
	    w->day != w->moment.day)
		fl_csv_put_date(w, "date_src", w->moment.day);
	return reason;
}

static enum fl_reason make_main(struct fl_csv_work *w)
{
	const struct fl_csv_plan *plan = w->plan;
	const struct fl_field *fields = plan->type->fields;
	enum fl_reason reason = FL_REASON_NONE;
	size_t next = 0;

	fl_csv_record_begin(w, plan->type->name, w->ts_ns);
	for (int i = 2; fields[i].path && !reason; i++) { /* type, ts: done */
		const struct fl_csv_cell *cell;

		if (next == plan->field_count ||
		    plan->fields[next].field != i) {
			fl_csv_put_given(w, plan->given[i]);
			continue;
		}
		cell = fl_csv_cell_at(w->row, plan->fields[next++].column);
		if (fl_csv_absent(cell->text, cell->len)) {
			if (fields[i].required &&
			    !fl_csv_put_given(w, plan->given[i])) {
				fl_note_set(w->note, fields[i].path,
					    "'%s' is missing", fields[i].path);
				reason = FL_REASON_missing_field;
			}
			continue;
		}
		fl_csv_put_key(w, fields[i].path);
		reason = fl_csv_put_value(w, &fields[i], cell);
	}
	if (!reason)
		reason = put_extras(w);
	return reason ? reason : fl_csv_record_end(w);
}

/* Has a bar's row none of its four prices? */
static bool no_prices(const struct fl_csv_work *w)
{
	const struct fl_csv_plan *plan = w->plan;

	if (plan->type != &fl_type_bar)
		return false;
	for (size_t i = 0; i < plan->field_count; i++) {
		const struct fl_field *field =
			&plan->type->fields[plan->fields[i].field];
		const struct fl_csv_cell *cell =
			fl_csv_cell_at(w->row, plan->fields[i].column);

		if (field->required && field->unit == FL_UNIT_PRICE &&
		    !fl_csv_absent(cell->text, cell->len))
			return false;
	}
	return true;
}

/* --- the row --- */

/* The vendor's own symbol, where ours is another but for its case. */
static void find_symbol_src(struct fl_csv_work *w)
{
	const struct fl_csv_cell *cell =
		fl_csv_cell_at(w->row, w->plan->symbol);

	w->symbol_src = NULL;
	if (!w->plan->stooq || w->plan->symbol == FL_CSV_NO_COLUMN ||
	    (cell->len == w->made->symbol_len &&
	     strncasecmp(cell->text, w->made->symbol, cell->len) == 0))
		return;
	w->symbol_src = cell->text;
	w->symbol_src_len = cell->len;
}

enum fl_reason fl_csv_row_make(struct fl_csv_maker *maker,
			       const struct fl_csv_row *row,
			       struct fl_csv_made *made, struct fl_note *note)
{
	FL_UNINITIALIZED struct fl_csv_work w; /* the rest is found below */
	enum fl_reason reason;
	size_t before;
	bool empty;

	w.maker = maker;
	w.plan = maker->plan;
	w.row = row;
	w.made = made;
	w.note = note;
	if (!made->run)
		fl_buf_reset(&made->text);
	before = made->text.len;
	made->count = 0;
	reason = fl_csv_row_symbol(maker->plan, maker->symbol, row,
				   made->symbol, &made->symbol_len, note);
	if (!reason)
		reason = fl_csv_find_time(&w);
	if (reason)
		return reason;
	find_symbol_src(&w);
	if (fl_csv_plain_make(&w))
		return FL_REASON_NONE;
	empty = no_prices(&w);
	if (!empty)
		reason = make_main(&w);
	if (!reason)
		reason = fl_csv_make_events(&w);
	if (!reason && empty && made->count == 0) {
		fl_note_set(note, "", "the bar has no prices");
		reason = FL_REASON_null_bar;
	}
	if (reason) {
		made->count = 0;
		made->text.len = before;
	}
	return reason;
}

static void free_clock(void *clock)
{
	free(clock);
}

void fl_csv_maker_rewind(struct fl_csv_maker *maker)
{
	fl_map_release(&maker->clocks, free_clock);
	maker->clocks = (struct fl_map)FL_MAP_INIT;
}

void fl_csv_maker_release(struct fl_csv_maker *maker)
{
	fl_csv_maker_rewind(maker);
	fl_csv_plain_release(&maker->plain);
}

void fl_csv_made_release(struct fl_csv_made *made)
{
	fl_buf_release(&made->text);
}
