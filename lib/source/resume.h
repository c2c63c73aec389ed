/* resume: how far a series of a provider is held, and what of it is missing.
 *
 * A position is a number that says three things: up to which minute all bars
 * are final and held, on which day they begin, and on which day the last split
 * took effect (or what else changes the prices before it). So a later run asks
 * for the end alone, and for the whole when a split has come since.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_RESUME_H
#define FL_SOURCE_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "source/holes.h"
#include "source/poll-out.h"
#include "source/source.h"

struct fl_reach {
	int64_t held_ns;   /* FL_TIME_NONE: nothing is */
	int64_t first_day; /* of the bars, or from which they were asked for */
	int64_t event_day; /* INT64_MIN: none is known */
};

#define FL_REACH_NONE                                                          \
	{                                                                      \
		.held_ns = FL_TIME_NONE, .event_day = INT64_MIN                \
	}

uint64_t fl_reach_print(const struct fl_reach *reach);
bool fl_reach_parse(const char *pos, struct fl_reach *reach);

/* The origin of a symbol's series: "yahoo:AAPL/1d/split". To be freed. */
char *fl_reach_origin(const struct fl_holes_ask *series, const char *symbol);
/* Where it stands.
 * returns 1; 0 nothing is held; -1: FL_ERR_REFUSED the position is none */
int fl_reach_start(const struct fl_ask *ask, const char *origin,
		   struct fl_reach *reach, struct fl_error *err);

/* What is to be asked for: from some days before the end, as those may have
 * been corrected, up to now or the series' end. whole: all of it, from the
 * first bar on, or from where the user said, if that is earlier.
 * holes   one; fl_holes_release() */
void fl_reach_missing(const struct fl_reach *reach,
		      const struct fl_holes_ask *series, int64_t now_ns,
		      bool whole, struct fl_holes *holes);
/* Take in what came: records in canonical form. A reach never goes back. */
void fl_reach_extend(struct fl_reach *reach, const struct fl_holes_ask *series,
		     const struct fl_poll_out *out, int64_t event_day);

#endif
