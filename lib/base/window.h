/* window: which interval an instant or a date belongs to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_WINDOW_H
#define FL_BASE_WINDOW_H

#include <stdint.h>

#include "base/time.h"
#include "base/zone.h"

struct fl_window {
	/* Of what is looked up, from (inclusive) to (exclusive): instants, in
	 * windows of dated intervals days since 1970. */
	int64_t from, to;
	int64_t ts_ns;  /* what bars of the window have as ts */
	int64_t end_ns; /* the instant at which it is over */
};

/* The window of an interval below 1d. Intervals count from midnight on the wall
 * clock of `zone` (NULL: UTC). Where that is changed one is longer or shorter,
 * and an hour that comes twice has its windows twice. */
void fl_window_instant(const struct fl_interval *interval,
		       const struct fl_zone *zone, int64_t ns,
		       struct fl_window *window);
/* The window of an interval from 1d up that the date is in. Weeks begin on
 * Monday; it is over when the last date is, on the wall clock of `zone`. */
void fl_window_date(const struct fl_interval *interval,
		    const struct fl_zone *zone, int64_t day,
		    struct fl_window *window);
/* The date of an instant on the wall clock of `zone`. */
int64_t fl_window_day(const struct fl_zone *zone, int64_t ns);
/* Midnight at which a date begins there. */
int64_t fl_window_midnight(const struct fl_zone *zone, int64_t day);

#endif
