/* csv_header: what the columns of a CSV file mean.
 *
 * Names are compared without case, blanks and signs ("Adj Close**" is adjclose,
 * "1. open" is open, "<CLOSE>" is close). Vendors that name their columns the
 * same way every time are known by them, which tells what prices are adjusted
 * for. --map goes before both.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_HEADER_H
#define FL_SOURCE_CSV_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/option.h"
#include "io/csv.h"
#include "rec/type.h"

/* A known field of the record and the column it comes from. */
struct fl_csv_field {
	int field; /* index in type->fields */
	size_t column;
};

/* A column of the file's own. */
struct fl_csv_extra {
	size_t column;
	char *key; /* ,"Open Interest": as JSON */
	size_t key_len;
	bool drop_type; /* a column `type`: left out where it says our type */
};

/* Columns that become records of their own beside the bar. */
enum fl_csv_event {
	FL_CSV_DIVIDEND,
	FL_CSV_GAIN, /* capital gains that a fund pays out */
	FL_CSV_SPLIT,
	FL_CSV_EVENTS,
};

/* What a field gets that no column fills. */
enum fl_csv_given {
	FL_CSV_NOTHING,
	FL_CSV_PROVIDER,
	FL_CSV_SYMBOL,
	FL_CSV_SYMBOL_SRC,
	FL_CSV_INTERVAL,
	FL_CSV_ADJ,
	FL_CSV_DATE,
	FL_CSV_TZ,
};

#define FL_CSV_NO_COLUMN ((size_t)-1)

struct fl_csv_plan {
	const struct fl_type *type; /* bar or quote */
	const char *vendor;         /* NULL: none that is known */
	const char *adj;            /* of bars */
	const char *event_adj;      /* of dividends; NULL: not known */
	bool stooq;                 /* symbols as Stooq has them: AAPL.US */
	bool headerless;            /* the first row is data */
	size_t columns;             /* of the header */
	size_t needed;              /* a row with fewer is cut short */
	size_t symbol, when, time, interval;       /* FL_CSV_NO_COLUMN: none */
	struct fl_csv_extra events[FL_CSV_EVENTS]; /* key: for longer bars */
	struct fl_csv_field *fields; /* by column's field, ascending */
	size_t field_count;
	enum fl_csv_given given[FL_FIELDS_MAX]; /* of type->fields */
	struct fl_csv_extra *extras;
	size_t extra_count;
};

/* What the user says about columns. */
struct fl_csv_wish {
	const struct fl_list *map; /* F=COL; NULL: none */
	const char *const *types;  /* --type, NULL-ended; NULL: any */
};

/* Is this row data and no header? A date in it says so, or numbers in half of
 * it. */
bool fl_csv_is_data(const struct fl_csv_cell *row, size_t count);
/* Find out what the columns mean.
 *
 * name    of the file, for messages
 * header  its first row
 * first   its second row; count 0: there is none
 * errors  FL_ERR_USAGE no date or no price column, a --map that fits nothing,
 *         two columns for one field, a first row of data */
int fl_csv_plan_make(struct fl_csv_plan *plan, const struct fl_csv_wish *wish,
		     const char *name, const struct fl_csv_cell *header,
		     size_t header_count, const struct fl_csv_cell *first,
		     size_t first_count, struct fl_error *err);
void fl_csv_plan_release(struct fl_csv_plan *plan);

#endif
