/* csv_number: numbers as people write them, to numbers as JSON has them.
 *
 * "$1,234.50", "1.234,50", "+5", ".5", "1.2M", "1E+05", "1.25%"; digits are
 * never touched. A comma before three digits may be thousands or decimals: the
 * whole file tells (fl_csv_numbers_add, then fl_csv_numbers_settle), as with
 * dates, or it is an error.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_NUMBER_H
#define FL_SOURCE_CSV_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/csv/date.h"

#define FL_CSV_NUMBER_MAX 128 /* bytes of a JSON number made here */

enum fl_csv_style {
	FL_CSV_POINT, /* 1,234.50 */
	FL_CSV_COMMA, /* 1.234,50 */
	FL_CSV_EACH,  /* not settled: what is clear by itself */
};

struct fl_csv_numbers {
	uint64_t points, commas;    /* cells that can be read in one way only */
	struct fl_csv_example open; /* one that can be read in both */
	enum fl_csv_style style;
};

/* A cell that says there is no value: empty, -, N/A, null, nan and their like.
 */
bool fl_csv_absent(const char *text, size_t len);

void fl_csv_numbers_add(struct fl_csv_numbers *numbers, const char *text,
			size_t len, uint64_t line);
/* Where commas cut cells, a quoted 1,234 has thousands; elsewhere it is asked.
 * errors  FL_ERR_USAGE cannot be told */
int fl_csv_numbers_settle(struct fl_csv_numbers *numbers, char delimiter,
			  const char *name, struct fl_error *err);

enum fl_csv_suffix {
	FL_CSV_PLAIN = 0,
	FL_CSV_PERCENT = 1, /* a % may stand behind it and is dropped */
	FL_CSV_SCALE = 2,   /* K M B T may: 1.2M is 1200000 */
};

/* A JSON number (RFC 8259), which may have an exponent.
 *
 * delimiter  for FL_CSV_EACH
 * out        out[FL_CSV_NUMBER_MAX], NUL added
 * returns    its length, 0: not a number */
size_t fl_csv_number(enum fl_csv_style style, char delimiter,
		     enum fl_csv_suffix suffix, const char *text, size_t len,
		     char *out);

#endif
