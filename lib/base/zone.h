/* zone: IANA time zones from the system's tz database.
 *
 * The C library knows one zone at a time, per process; data has many. So the
 * TZif files (RFC 8536) under $TZDIR or /usr/share/zoneinfo are read here,
 * with their footer rule for years past the table. Zones are read once, shared
 * and never freed before exit; safe to use from several threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_ZONE_H
#define FL_BASE_ZONE_H

#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

/* errors  FL_ERR_USAGE unknown name (says a near one, and that tzdata may be
 *         missing; also for names with '..' or a '/' at the start);
 *         FL_ERR_IO or FL_ERR_DATA the zone's file is unreadable or broken.
 *         UTC needs no file. */
int fl_zone_open(const char *name, const struct fl_zone **zone,
		 struct fl_error *err);
const char *fl_zone_name(const struct fl_zone *zone);
/* Seconds east of UTC at an instant. NULL zone: UTC, 0. */
int32_t fl_zone_offset(const struct fl_zone *zone, int64_t ns);
/* The same at a time in seconds, and from when until when it holds: for those
 * who ask about one time after the other. zone is not NULL. */
int32_t fl_zone_offset_span(const struct fl_zone *zone, int64_t seconds,
			    int64_t *from, int64_t *to);

enum fl_zone_read {
	FL_ZONE_UNIQUE = 0,
	FL_ZONE_REPEATED = 1, /* the clock went back: the earlier instant given,
			       * `*later` the other */
	FL_ZONE_SKIPPED = 2,  /* the clock jumped: the instant as if the offset
			       * from before still held */
	FL_ZONE_RANGE = -1,
};
/* The wall clock at an instant, written as if it were UTC: what a bare date in
 * `zone` means for records that are dated by the day. FL_TIME_NONE stays. */
int64_t fl_zone_wall(const struct fl_zone *zone, int64_t ns);
/* Local wall time to an instant. later may be NULL; only REPEATED sets it.
 * RANGE: no valid date or time of day, or outside 1678 to 2261. */
enum fl_zone_read fl_zone_to_utc(const struct fl_zone *zone,
				 const struct fl_civil *local, int64_t *ns,
				 int64_t *later);

#endif
