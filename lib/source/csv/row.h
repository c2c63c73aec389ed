/* csv_row: records out of one row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_ROW_H
#define FL_SOURCE_CSV_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/time.h"
#include "base/zone.h"
#include "io/csv.h"
#include "io/reject.h"
#include "source/csv/date.h"
#include "source/csv/header.h"
#include "source/csv/number.h"

#define FL_CSV_SYMBOL_MAX 64 /* bytes of a symbol */

struct fl_csv_plain; /* source/csv/plain.h */

enum {
	FL_CSV_CLOCK_CELLS = 3,     /* date, time, interval */
	FL_CSV_CLOCK_CELL_MAX = 32, /* bytes of one that is remembered */
};

/* When the row before was, by what its cells said: in most files one day, or
 * one interval, is that of many rows. */
struct fl_csv_clock {
	bool known; /* the same cells mean the same */
	size_t lens[FL_CSV_CLOCK_CELLS];
	char cells[FL_CSV_CLOCK_CELLS][FL_CSV_CLOCK_CELL_MAX];
	struct fl_csv_moment moment;
	bool timed;
	struct fl_interval interval;
	int64_t ts_ns, day;
	/* As they are printed, once that was asked for. */
	bool printed;
	size_t ts_len, date_len;
	char ts[FL_TIME_TEXT], date[FL_TIME_TEXT];
};

/* What is settled about a file, and what is remembered from row to row. */
struct fl_csv_maker {
	const struct fl_csv_plan *plan;
	const struct fl_csv_dates *dates;
	enum fl_csv_style style;
	char delimiter;
	const struct fl_zone *zone;  /* of local times; NULL: UTC */
	struct fl_interval interval; /* of bars without a column for it */
	const char *symbol;          /* of files without a column for it */
	bool newest_first;
	struct fl_map clocks; /* by symbol: the instant of its last row, to tell
			       * the two hours apart that one clock shows when
			       * it is put back; used where `zone` is set */
	struct fl_csv_clock clock;
	struct fl_csv_plain *plain; /* NULL: not needed yet */
	bool long_way;              /* no row is taken for a usual one */
};

/* The records of a row: the bar or quote, then its dividend and its split. */
struct fl_csv_made {
	bool run;           /* those of the rows before stay in text */
	struct fl_buf text; /* each with an LF behind it */
	struct fl_csv_record {
		size_t at, len; /* in text */
		int64_t ts_ns;
		bool rounded; /* a number was cut to 18 digits */
	} records[1 + FL_CSV_EVENTS];
	unsigned count;
	char symbol[FL_CSV_SYMBOL_MAX + 1];
	size_t symbol_len;
};

#define FL_CSV_MADE_INIT                                                       \
	{                                                                      \
		0                                                              \
	}

/* The row's shape: faults of fl_csv_row, too few cells, too many.
 * returns FL_REASON_NONE, or the reason with the note filled */
enum fl_reason fl_csv_row_shape(const struct fl_csv_plan *plan,
				const struct fl_csv_row *row,
				struct fl_note *note);
/* The row's symbol, upper case, in Yahoo's form where the vendor's is known.
 * text[FL_CSV_SYMBOL_MAX + 1]; no NUL is added */
enum fl_reason fl_csv_row_symbol(const struct fl_csv_plan *plan,
				 const char *fixed,
				 const struct fl_csv_row *row, char *text,
				 size_t *len, struct fl_note *note);
/* The row's date and time, not settled yet. */
enum fl_reason fl_csv_row_when(const struct fl_csv_plan *plan,
			       const struct fl_csv_dates *dates,
			       const struct fl_csv_row *row,
			       struct fl_csv_when *when, struct fl_note *note);
/* Make the records of a row whose shape is good, in canonical form. */
enum fl_reason fl_csv_row_make(struct fl_csv_maker *maker,
			       const struct fl_csv_row *row,
			       struct fl_csv_made *made, struct fl_note *note);
/* Forget the rows that were; settings stay. */
void fl_csv_maker_rewind(struct fl_csv_maker *maker);
void fl_csv_maker_release(struct fl_csv_maker *maker);
void fl_csv_made_release(struct fl_csv_made *made);

#endif
