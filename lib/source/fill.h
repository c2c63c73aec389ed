/* fill: --fill PLACE: fetch of each series what a store lacks, and nothing
 * else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_FILL_H
#define FL_SOURCE_FILL_H

#include "source/holes.h"
#include "source/source.h"

/* Look for the holes of each symbol's series.
 *
 * series  which: provider, interval, adj, times; not the symbol
 * holes   out: holes[i] of symbols[i]; fl_fill_release(). `stored` is 0 for a
 *         series that is not there at all: all of it is to be fetched
 * errors  those of fl_store_open and fl_holes_find */
int fl_fill_find(struct fl_holes **holes, const char *place,
		 char *const *symbols, const struct fl_holes_ask *series,
		 struct fl_error *err);
/* Tell of them as stat records, one a hole. */
int fl_fill_list(const struct fl_holes *holes, char *const *symbols,
		 const struct fl_holes_ask *series,
		 int (*each)(void *arg, const char *bytes, size_t len,
			     struct fl_error *err),
		 void *arg, struct fl_error *err);
void fl_fill_release(struct fl_holes **holes, char *const *symbols);

/* Is a bar, by its date or by its instant, in one of the holes? */
bool fl_fill_has_day(const struct fl_holes *holes, int64_t day);
bool fl_fill_has(const struct fl_holes *holes, int64_t ns);

#endif
