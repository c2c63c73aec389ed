/* rows: what Yahoo's table says, once its oddities are taken out.
 *
 * Timestamps are the bars' beginnings, except that of a bar still forming,
 * which is the time of the last trade: it is a row of its own beside the bar it
 * belongs to. Rows may come in any order, twice, and outside the session that
 * was asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "source/yahoo/yahoo.h"

#define DAY_S INT64_C(86400)

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* --- days --- */

/* The wall clock at the exchange, in seconds. gmtoffset is that of now, so it
 * only serves where the zone is unknown. */
static int64_t wall(struct fl_yahoo_chart *chart, int64_t ts)
{
	struct fl_yahoo_period *holds = &chart->offset_holds;

	if (!chart->zone)
		return ts + chart->offset_s;
	if (ts < holds->start || ts >= holds->end)
		chart->zone_offset = fl_zone_offset_span(
			chart->zone, ts, &holds->start, &holds->end);
	return ts + chart->zone_offset;
}

int64_t fl_yahoo_day(struct fl_yahoo_chart *chart, int64_t ts)
{
	int64_t local = wall(chart, ts), day = floor_div(local, DAY_S);
	int64_t minutes = (local - day * DAY_S) / 60;

	/* Around a clock change the days of some markets (Brazil) begin one or
	 * two hours before midnight. What trades right now does not. */
	if ((minutes == 22 * 60 || minutes == 23 * 60) &&
	    (day + 1) * DAY_S <=
		    wall(chart, floor_div(chart->answered_ns, FL_SECOND)))
		day++;
	return day;
}

/* The first day of the week, month or quarter. */
static int64_t first_day(const struct fl_yahoo_plan *plan, int64_t day)
{
	int year, month, of_month;

	if (plan->interval->ns == FL_DAY)
		return day;
	if (plan->interval->ns) /* 1970-01-01 was a Thursday */
		return floor_div(day + 3, 7) * 7 - 3;
	fl_civil_from_days(day, &year, &month, &of_month);
	month -= (month - 1) % plan->interval->months;
	return fl_days_from_civil(year, month, 1);
}

/* The first day behind it. */
static int64_t next_day(const struct fl_yahoo_plan *plan, int64_t first)
{
	int year, month, of_month;

	if (plan->interval->ns)
		return first + plan->interval->ns / FL_DAY;
	fl_civil_from_days(first, &year, &month, &of_month);
	month += plan->interval->months;
	return fl_days_from_civil(year + (month > 12), (month - 1) % 12 + 1, 1);
}

/* --- order --- */

static int by_time(const void *left, const void *right)
{
	const struct fl_yahoo_row *a = left, *b = right;

	if (a->ts != b->ts)
		return a->ts < b->ts ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static int by_start(const void *left, const void *right)
{
	const struct fl_yahoo_period *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void sort_rows(struct fl_yahoo_chart *chart)
{
	for (size_t i = 1; i < chart->row_count; i++) {
		if (chart->rows[i - 1].ts <= chart->rows[i].ts)
			continue;
		qsort(chart->rows, chart->row_count, sizeof(*chart->rows),
		      by_time);
		return;
	}
}

/* Put the row behind the `kept` ones, which are no more than lie before it. */
static void keep_row(struct fl_yahoo_chart *chart, size_t *kept,
		     const struct fl_yahoo_row *row)
{
	struct fl_yahoo_row *to = &chart->rows[(*kept)++];

	if (to != row)
		*to = *row;
}

/* Of two rows of one time the later counts, unless it is empty. */
static void drop_repeats(struct fl_yahoo_chart *chart)
{
	size_t kept = 0;

	for (size_t i = 0; i < chart->row_count; i++) {
		struct fl_yahoo_row *row = &chart->rows[i];

		if (!kept || chart->rows[kept - 1].ts != row->ts)
			keep_row(chart, &kept, row);
		else if (row->has & FL_YAHOO_PRICES)
			chart->rows[kept - 1] = *row;
	}
	if (kept < chart->row_count)
		fl_log("%zu rows came twice", chart->row_count - kept);
	chart->row_count = kept;
}

/* --- sessions --- */

/* The last session that began by then; NULL. */
static const struct fl_yahoo_period *
period_of(const struct fl_yahoo_chart *chart, int64_t ts)
{
	size_t low = 0, high = chart->period_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (chart->periods[middle].start <= ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &chart->periods[low - 1] : NULL;
}

/* Markets that never close have sessions to 23:59, the last minute included. */
static int64_t period_end(struct fl_yahoo_chart *chart,
			  const struct fl_yahoo_period *period)
{
	int64_t local = wall(chart, period->end);

	return local - floor_div(local, DAY_S) * DAY_S == DAY_S - 60
		       ? period->end + 60
		       : period->end;
}

/* Leave out what lies before or after the regular session of its day. */
static void keep_regular(struct fl_yahoo_chart *chart)
{
	size_t kept = 0;

	if (chart->period_count > 1)
		qsort(chart->periods, chart->period_count,
		      sizeof(*chart->periods), by_start);
	for (size_t i = 0; i < chart->row_count; i++) {
		const struct fl_yahoo_row *row = &chart->rows[i];
		const struct fl_yahoo_period *period =
			period_of(chart, row->ts);
		const struct fl_yahoo_period *next =
			period ? period + 1 : chart->periods;
		int64_t day = floor_div(wall(chart, row->ts), DAY_S);
		bool told = false;

		if (period && row->ts < period_end(chart, period)) {
			chart->rows[kept++] = *row;
			continue;
		}
		/* Of a day without a session told there is nothing to go by. */
		if (period)
			told = floor_div(wall(chart, period->start), DAY_S) ==
			       day;
		if (next < chart->periods + chart->period_count)
			told |= floor_div(wall(chart, next->start), DAY_S) ==
				day;
		if (!told)
			chart->rows[kept++] = *row;
	}
	if (kept < chart->row_count)
		fl_log("%zu rows lay outside the regular session",
		       chart->row_count - kept);
	chart->row_count = kept;
}

/* --- merging --- */

/* Add a later part to a bar. */
static void merge(struct fl_yahoo_row *bar, const struct fl_yahoo_row *part)
{
	unsigned has = part->has;

	if (!(bar->has & FL_YAHOO_OPEN) && (has & FL_YAHOO_OPEN))
		bar->price[0] = part->price[0];
	if ((has & FL_YAHOO_HIGH) &&
	    (!(bar->has & FL_YAHOO_HIGH) ||
	     fl_decimal_cmp(part->price[1], bar->price[1]) > 0))
		bar->price[1] = part->price[1];
	if ((has & FL_YAHOO_LOW) &&
	    (!(bar->has & FL_YAHOO_LOW) ||
	     fl_decimal_cmp(part->price[2], bar->price[2]) < 0))
		bar->price[2] = part->price[2];
	if (has & FL_YAHOO_CLOSE)
		bar->price[3] = part->price[3];
	if (has & FL_YAHOO_ADJCLOSE)
		bar->adjclose = part->adjclose;
	if (!(bar->has & FL_YAHOO_VOLUME))
		bar->volume = part->volume;
	else if (has & FL_YAHOO_VOLUME)
		(void)fl_decimal_add(bar->volume, part->volume, &bar->volume);
	bar->has |= has;
}

/* Bars of a day and longer: one row for each. */
static void join_days(struct fl_yahoo_job *job)
{
	struct fl_yahoo_chart *chart = &job->chart;
	bool daily = job->plan->interval->ns == FL_DAY;
	size_t kept = 0;

	for (size_t i = 0; i < chart->row_count; i++) {
		struct fl_yahoo_row *row = &chart->rows[i];
		struct fl_yahoo_row *last =
			kept ? &chart->rows[kept - 1] : NULL;

		row->day = first_day(job->plan, fl_yahoo_day(chart, row->ts));
		if (!last || last->day != row->day)
			keep_row(chart, &kept, row);
		else if (!daily)
			merge(last, row);
		else if (row->has & FL_YAHOO_PRICES)
			*last = *row; /* the same day once more, but newer */
	}
	chart->row_count = kept;
}

/* Where the bar of `rows` begins that holds ts. */
static int64_t start_of(struct fl_yahoo_chart *chart, int64_t ts,
			int64_t length)
{
	const struct fl_yahoo_period *period = period_of(chart, ts);
	int64_t local = wall(chart, ts);
	int64_t anchor = ts - (local - floor_div(local, DAY_S) * DAY_S);

	if (period && ts < period->end && period->start > anchor)
		anchor = period->start;
	return ts - (ts - anchor) % length;
}

/* Bars below a day: those that are made of two, and the last row, which is of
 * the bar before it while that is forming. */
static void join_minutes(struct fl_yahoo_job *job)
{
	struct fl_yahoo_chart *chart = &job->chart;
	unsigned join = job->plan->interval->join;
	int64_t length = job->plan->interval->ns / FL_SECOND;
	int64_t part = length / join;
	size_t kept = 0;

	for (size_t i = 0; i < chart->row_count; i++) {
		struct fl_yahoo_row row = chart->rows[i];
		struct fl_yahoo_row *last =
			kept ? &chart->rows[kept - 1] : NULL;

		if (join > 1)
			row.ts = start_of(chart, row.ts, length);
		else if (last && i + 1 == chart->row_count &&
			 row.ts - last->ts < part)
			row.ts = last->ts;
		else if (i + 1 == chart->row_count && row.ts % 60)
			row.ts = start_of(chart, row.ts, length);
		if (last && last->ts == row.ts)
			merge(last, &row);
		else
			chart->rows[kept++] = row;
	}
	chart->row_count = kept;
}

/* --- what is not over --- */

static bool is_open(struct fl_yahoo_job *job, const struct fl_yahoo_row *row)
{
	struct fl_yahoo_chart *chart = &job->chart;
	const struct fl_yahoo_period *now = &chart->now_regular;
	int64_t answered = floor_div(chart->answered_ns, FL_SECOND);
	int64_t today = floor_div(wall(chart, answered), DAY_S);

	if (!job->plan->dated)
		return row->ts + job->plan->interval->ns / FL_SECOND > answered;
	if (job->plan->interval->ns == FL_DAY && now->end > now->start) {
		int64_t session = floor_div(wall(chart, now->start), DAY_S);

		/* The session under way, or the one that comes next. */
		if (session == row->day)
			return answered < period_end(chart, now);
		if (session > row->day)
			return false;
	}
	return today < next_day(job->plan, row->day);
}

void fl_yahoo_bars(struct fl_yahoo_job *job)
{
	struct fl_yahoo_chart *chart = &job->chart;

	sort_rows(chart);
	drop_repeats(chart);
	if (job->plan->dated) {
		join_days(job);
	} else {
		if (!job->plan->all_sessions)
			keep_regular(chart);
		else
			chart->period_count = 0;
		join_minutes(job);
	}
	for (size_t i = chart->row_count; i > 0; i--) {
		if (!is_open(job, &chart->rows[i - 1]))
			break;
		chart->rows[i - 1].open_ended = true;
	}
	for (size_t i = 0; i < chart->event_count; i++)
		chart->events[i].day = fl_yahoo_day(chart, chart->events[i].ts);
}
