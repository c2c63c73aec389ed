/* holes: what a store lacks of a series of bars, by the calendar of its
 * exchange.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_HOLES_H
#define FL_SOURCE_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "rec/sessions.h"
#include "store/store.h"

/* Bars that follow each other and are not there. */
struct fl_hole {
	int64_t from_day, to_day; /* their dates: from, to (exclusive) */
	int64_t from_ns, to_ns;   /* the same as instants; of intraday bars from
				   * the first one's beginning to the last one's
				   * end */
	uint64_t missing;
};

struct fl_holes {
	struct fl_hole *items; /* in order of time */
	size_t count, cap;
	uint64_t stored; /* bars that are there; 0: the series is not */
};

#define FL_HOLES_INIT                                                          \
	{                                                                      \
		0                                                              \
	}

struct fl_holes_ask {
	const char *provider, *symbol, *adj;
	const struct fl_interval *interval;
	int64_t from_ns, to_ns;   /* FL_TIME_NONE: from the first stored bar; to
				   * the last that is over */
	int64_t from_day, to_day; /* the same for dated bars */
	int64_t now_ns;
	const struct fl_calendars *calendars;
};

/* Look for holes. A bar that was not final when it was stored, and would be
 * now, is one. Where the exchange is not known, weekdays count as trading
 * dates, and intraday bars cannot be judged.
 *
 * errors  those of the store; FL_ERR_REFUSED intraday, and the stored bars name
 *         no exchange that the calendars know */
int fl_holes_find(struct fl_holes *holes, struct fl_store *store,
		  const struct fl_holes_ask *ask, struct fl_error *err);
void fl_holes_release(struct fl_holes *holes);

#endif
