/* bar-line: the records of a series' bars, as a provider that gives many at
 * once writes them.
 *
 * What all bars of the series have in common is made once; what is left for
 * each is a copy of that and the printing of six numbers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_BAR_LINE_H
#define FL_SOURCE_BAR_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/decimal.h"

/* Of the series. */
struct fl_bar_line {
	struct fl_buf middle; /* from behind ts to "open": */
	struct fl_buf adj;    /* ,"adj":… up to the date, if there is one */
	struct fl_buf zone;   /* from behind that on: ,"tz":… or nothing */
	struct fl_buf tail;   /* from the currency on, with the last } */
	bool dated;
	bool all_sessions;
};

/* Begin the lines of a series; the caller appends to middle, zone and tail what
 * belongs there.
 *
 * adj    0 none, 1 split, 2 all
 * dated  1d and longer: the bar has a date */
void fl_bar_line_begin(struct fl_bar_line *line, unsigned adj, bool dated,
		       bool all_sessions);
void fl_bar_line_release(struct fl_bar_line *line);

/* Of one bar. */
struct fl_bar_values {
	const struct fl_decimal *prices; /* open, high, low, close */
	unsigned has;                    /* bits of those, 1 for open; others
					  * are null */
	const struct fl_decimal *volume, *adjclose; /* NULL: none */
	bool open;                                  /* it may come again */
};

/* Append a bar.
 * ts  text[len], canonical */
void fl_bar_line_put(const struct fl_bar_line *line, const char *ts, size_t len,
		     const struct fl_bar_values *values, struct fl_buf *out);

#endif
