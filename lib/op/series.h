/* series: what a verb keeps for each series of records.
 *
 * A series is what has one natural key before the time: of bars symbol,
 * provider, interval, adjustment and session, of quotes symbol and provider.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_SERIES_H
#define FL_OP_SERIES_H

#include "base/buf.h"
#include "base/map.h"
#include "rec/record.h"

struct fl_series_map {
	struct fl_map map;
	struct fl_buf key, last_key;
	void **last; /* of last_key: streams have runs of one series */
};

#define FL_SERIES_MAP_INIT                                                     \
	{                                                                      \
		.map = FL_MAP_INIT                                             \
	}

/* The record's slot, NULL in it when the series is new; borrowed until the next
 * call. Of a record without fixes. */
void **fl_series_at(struct fl_series_map *series, const struct fl_record *rec);
void fl_series_release(struct fl_series_map *series,
		       void (*free_value)(void *));

/* What stat records call a series: AAPL for quotes, AAPL/1d for bars as traded;
 * /split or /all and /pre, /post or /all follow where a bar is adjusted or of
 * another session than the regular one. */
void fl_series_subject(const struct fl_record *rec, struct fl_buf *out);

#endif
