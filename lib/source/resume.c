/* resume: see resume.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/resume.h"

#include <stdlib.h>
#include <string.h>

#include "base/div.h"
#include "base/mem.h"

/* The last days are asked for again: providers correct them. */
#define TAIL_DATED (5 * FL_DAY)
#define TAIL_TIMED FL_DAY

/* A position in decimal: minutes since 1970, then five digits each for the
 * first day and the last event, counted from 1900. */
#define DAY_BASE INT64_C(25567)
#define DAY_UNIT UINT64_C(100000)

static uint64_t put_day(int64_t day)
{
	if (day < -DAY_BASE)
		return 0;
	day += DAY_BASE;
	return day < (int64_t)DAY_UNIT ? (uint64_t)day : DAY_UNIT - 1;
}

uint64_t fl_reach_print(const struct fl_reach *reach)
{
	int64_t minute = reach->held_ns / FL_MINUTE;

	return ((uint64_t)(minute < 0 ? 0 : minute) * DAY_UNIT +
		put_day(reach->first_day)) *
		       DAY_UNIT +
	       put_day(reach->event_day);
}

bool fl_reach_parse(const char *pos, struct fl_reach *reach)
{
	uint64_t number, event;
	char *end;

	if (*pos < '0' || *pos > '9')
		return false;
	number = strtoull(pos, &end, 10);
	if (*end ||
	    number / DAY_UNIT / DAY_UNIT > (uint64_t)(FL_TIME_MAX / FL_MINUTE))
		return false;
	event = number % DAY_UNIT;
	reach->event_day = event ? (int64_t)event - DAY_BASE : INT64_MIN;
	number /= DAY_UNIT;
	reach->first_day = (int64_t)(number % DAY_UNIT) - DAY_BASE;
	reach->held_ns = (int64_t)(number / DAY_UNIT) * FL_MINUTE;
	return true;
}

char *fl_reach_origin(const struct fl_holes_ask *series, const char *symbol)
{
	return fl_sprintf("%s:%s/%s/%s", series->provider, symbol,
			  series->interval->text, series->adj);
}

int fl_reach_start(const struct fl_ask *ask, const char *origin,
		   struct fl_reach *reach, struct fl_error *err)
{
	const struct fl_start *start = fl_ask_start(ask, origin);

	*reach = (struct fl_reach)FL_REACH_NONE;
	if (!start)
		return 0;
	if (fl_reach_parse(start->pos, reach))
		return 1;
	return fl_ask_moved(ask, start, "it is none of this source", err);
}

static int64_t floor_day(int64_t ns)
{
	return fl_div_floor(ns, FL_DAY);
}

/* From when the user wants the series; FL_TIME_NONE: that was not said. */
static int64_t asked_from(const struct fl_holes_ask *series)
{
	if (!series->interval->dated)
		return series->from_ns;
	return series->from_day == FL_TIME_NONE ? FL_TIME_NONE
						: series->from_day * FL_DAY;
}

void fl_reach_missing(const struct fl_reach *reach,
		      const struct fl_holes_ask *series, int64_t now_ns,
		      bool whole, struct fl_holes *holes)
{
	bool dated = series->interval->dated;
	int64_t tail = dated ? TAIL_DATED : TAIL_TIMED;
	int64_t first = reach->first_day * FL_DAY, from, to, asked;
	struct fl_hole *hole = fl_zalloc(sizeof(*hole));

	if (series->interval->ns > tail)
		tail = series->interval->ns;
	if (series->interval->months)
		tail = (int64_t)series->interval->months * 31 * FL_DAY;
	from = reach->held_ns - tail;
	if (whole || from < first)
		from = first;
	/* Who asks for what lies before the first bar gets that, too. */
	asked = asked_from(series);
	if (asked != FL_TIME_NONE && asked < first)
		from = asked;
	to = now_ns + FL_DAY;
	if (dated && series->to_day != FL_TIME_NONE &&
	    series->to_day * FL_DAY < to)
		to = series->to_day * FL_DAY;
	if (!dated)
		to = series->to_ns != FL_TIME_NONE && series->to_ns < now_ns
			     ? series->to_ns
			     : now_ns + FL_SECOND;
	if (to <= from)
		to = from + FL_MINUTE;
	*hole = (struct fl_hole){
		.from_day = floor_day(from),
		.to_day = floor_day(to - 1) + 1,
		.from_ns = from,
		.to_ns = to,
	};
	*holes = (struct fl_holes){
		.items = hole, .count = 1, .cap = 1, .stored = 1
	};
}

/* A bar's end; of months the beginning of the next one's first day at the
 * earliest. */
static int64_t end_of(const struct fl_interval *interval, int64_t ns)
{
	return interval->months ? ns + interval->months * 28 * FL_DAY
				: ns + interval->ns;
}

void fl_reach_extend(struct fl_reach *reach, const struct fl_holes_ask *series,
		     const struct fl_poll_out *out, int64_t event_day)
{
	static const char bar[] = "{\"type\":\"bar\",",
			  open[] = "\"final\":false";
	int64_t held = FL_TIME_NONE;
	bool known = reach->held_ns != FL_TIME_NONE;

	for (size_t i = 0; i < out->count; i++) {
		const struct fl_poll_entry *entry = &out->entries[i];
		const char *text = out->text.data + entry->at;

		if (entry->reason || entry->failed ||
		    entry->len < sizeof(bar) ||
		    memcmp(text, bar, sizeof(bar) - 1) != 0)
			continue;
		if (!known || floor_day(entry->ts_ns) < reach->first_day)
			reach->first_day = floor_day(entry->ts_ns);
		known = true;
		if (memmem(text, entry->len, open, sizeof(open) - 1)) {
			held = entry->ts_ns;
			break;
		}
		held = end_of(series->interval, entry->ts_ns);
	}
	/* There was nothing before the first bar, or it would have come. */
	if (known && asked_from(series) != FL_TIME_NONE &&
	    floor_day(asked_from(series)) < reach->first_day)
		reach->first_day = floor_day(asked_from(series));
	if (held != FL_TIME_NONE &&
	    (reach->held_ns == FL_TIME_NONE || held > reach->held_ns))
		reach->held_ns = held;
	if (event_day > reach->event_day)
		reach->event_day = event_day;
}
