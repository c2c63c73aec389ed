/* csv_work: one row on its way to records; what csv_row.c and its helpers
 * share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_WORK_H
#define FL_SOURCE_CSV_WORK_H

#include <string.h>

#include "source/csv/row.h"

struct fl_csv_work {
	struct fl_csv_maker *maker;
	const struct fl_csv_plan *plan;
	const struct fl_csv_row *row;
	struct fl_csv_made *made;
	struct fl_note *note;
	struct fl_csv_moment moment;
	bool timed; /* a time of day was written, not a date alone */
	struct fl_interval interval;
	int64_t ts_ns;
	int64_t day; /* of the bar */
	const char *symbol_src;
	size_t symbol_src_len;
	bool rounded;
};

/* The row's cell in a column, an empty one behind its end. */
static inline const struct fl_csv_cell *
fl_csv_cell_at(const struct fl_csv_row *row, size_t column)
{
	static const struct fl_csv_cell empty = { "", 0 };

	return column < row->count ? &row->cells[column] : &empty;
}

/* Does the cell name the type that is made? */
static inline bool fl_csv_names_type(const struct fl_csv_work *w,
				     const struct fl_csv_cell *cell)
{
	return strlen(w->plan->type->name) == cell->len &&
	       memcmp(cell->text, w->plan->type->name, cell->len) == 0;
}

static inline const char *fl_csv_show(const struct fl_csv_cell *cell)
{
	return fl_show(cell->text, cell->len, 60);
}

/* csv_clock.c: moment, ts_ns, day, timed and interval of the work. */
enum fl_reason fl_csv_find_time(struct fl_csv_work *w);
/* Fill in ts, date and their lengths of maker->clock, for the row whose time
 * was found last. */
void fl_csv_clock_print(const struct fl_csv_work *w);

/* csv_value.c: values, printed to made->text. Of cells that are not absent. */

/* A number as JSON has it, in number[FL_CSV_NUMBER_MAX]; 0: it is none. */
size_t fl_csv_read_number(const struct fl_csv_work *w, enum fl_unit unit,
			  const struct fl_csv_cell *cell, char *number);
/* Fill the note: 'path' is 'cell', not `wanted`. Returns the reason. */
enum fl_reason fl_csv_bad_value(struct fl_csv_work *w, const char *path,
				const struct fl_csv_cell *cell,
				const char *wanted, enum fl_reason reason);
enum fl_reason fl_csv_put_number(struct fl_csv_work *w,
				 const struct fl_field *field,
				 const struct fl_csv_cell *cell);
enum fl_reason fl_csv_put_text(struct fl_csv_work *w, const char *path,
			       const struct fl_csv_cell *cell);
enum fl_reason fl_csv_put_value(struct fl_csv_work *w,
				const struct fl_field *field,
				const struct fl_csv_cell *cell);
/* ,"path": */
void fl_csv_put_key(struct fl_csv_work *w, const char *path);
void fl_csv_put_string(struct fl_csv_work *w, const char *path,
		       const char *text, size_t len);
void fl_csv_put_date(struct fl_csv_work *w, const char *path, int64_t day);
/* What is made here and comes from no column; false: nothing is. */
bool fl_csv_put_given(struct fl_csv_work *w, enum fl_csv_given given);
/* A record of the row: {"type":…,"ts":… and } */
void fl_csv_record_begin(struct fl_csv_work *w, const char *type,
			 int64_t ts_ns);
enum fl_reason fl_csv_record_end(struct fl_csv_work *w);

/* csv_event.c: the dividend and the split that the row tells of. */
enum fl_reason fl_csv_make_events(struct fl_csv_work *w);
/* Is the bar's interval longer than a day? */
bool fl_csv_longer_than_day(const struct fl_csv_work *w);

#endif
