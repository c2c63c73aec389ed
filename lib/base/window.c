/* window: see window.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/window.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/div.h"

/* A wall time, as nanoseconds since 1970 as if in UTC, as an instant. */
static int64_t from_wall(const struct fl_zone *zone, int64_t wall)
{
	struct fl_civil civil;
	int64_t ns;

	if (!zone)
		return wall;
	fl_civil_from_time(wall, &civil);
	if (fl_zone_to_utc(zone, &civil, &ns, NULL) == FL_ZONE_RANGE)
		return wall; /* at the end of time */
	return ns;
}

int64_t fl_window_day(const struct fl_zone *zone, int64_t ns)
{
	return fl_div_floor(ns + fl_zone_offset(zone, ns) * FL_SECOND, FL_DAY);
}

int64_t fl_window_midnight(const struct fl_zone *zone, int64_t day)
{
	return from_wall(zone, day * FL_DAY);
}

static int64_t offset_at(const struct fl_zone *zone, int64_t ns)
{
	return fl_zone_offset(zone, ns) * FL_SECOND;
}

/* The first instant after `from` at which the offset is that of `to`. */
static int64_t find_change(const struct fl_zone *zone, int64_t from, int64_t to)
{
	int64_t offset = offset_at(zone, to);

	from = fl_div_floor(from, FL_SECOND);
	to = fl_div_floor(to, FL_SECOND);
	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;

		if (offset_at(zone, middle * FL_SECOND) == offset)
			to = middle;
		else
			from = middle;
	}
	return to * FL_SECOND;
}

/* Does a window begin where the clock is changed? Where it jumps into another
 * one, back or forth, or back to the beginning of one: each of the two hours
 * that have one name has its own. */
static bool begins_at(int64_t change, int64_t before, int64_t after,
		      int64_t length)
{
	return (change + after) % length == 0 ||
	       fl_div_floor(change + before - 1, length) !=
		       fl_div_floor(change + after, length);
}

void fl_window_instant(const struct fl_interval *interval,
		       const struct fl_zone *zone, int64_t ns,
		       struct fl_window *window)
{
	int64_t length = interval->ns, offset = offset_at(zone, ns);
	int64_t wall = fl_div_floor(ns + offset, length) * length;
	int64_t from = wall - offset, to = from + length;
	int64_t before = offset_at(zone, from), after = offset_at(zone, to);

	if (before != offset) {
		int64_t change = find_change(zone, from, ns);

		from = begins_at(change, before, offset, length)
			       ? change
			       : wall - before;
	}
	if (after != offset) {
		int64_t change = find_change(zone, ns, to);

		to = begins_at(change, offset, after, length)
			     ? change
			     : wall + length - after;
	}
	*window = (struct fl_window){
		.from = from,
		.to = to,
		.ts_ns = from,
		.end_ns = to,
	};
}

static int64_t month_start(int64_t months)
{
	int64_t year = fl_div_floor(months, 12);

	return fl_days_from_civil((int)year, (int)(months - 12 * year) + 1, 1);
}

void fl_window_date(const struct fl_interval *interval,
		    const struct fl_zone *zone, int64_t day,
		    struct fl_window *window)
{
	int64_t from, to;

	if (interval->months) {
		int year, month, unused;

		fl_civil_from_days(day, &year, &month, &unused);
		from = fl_div_floor((int64_t)year * 12 + month - 1,
				    interval->months) *
		       interval->months;
		to = month_start(from + interval->months);
		from = month_start(from);
	} else {
		int64_t days = interval->ns / FL_DAY;

		/* 1970-01-01 was a Thursday. */
		from = days == 7 ? fl_div_floor(day + 3, 7) * 7 - 3 : day;
		to = from + days;
	}
	*window = (struct fl_window){
		.from = from,
		.to = to,
		.ts_ns = from * FL_DAY,
		.end_ns = fl_window_midnight(zone, to),
	};
}
