/* csv_clock: when a row was, and of which interval its bar is.
 *
 * A clock that is put back shows an hour twice; the order of rows tells which
 * of the two is meant. An hour that it jumped over is no time at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/short.h"
#include "source/csv/step.h"
#include "source/csv/work.h"

static enum fl_reason bad_time(struct fl_note *note,
			       const struct fl_csv_dates *dates,
			       const struct fl_csv_cell *cell)
{
	const char *format = dates->format;

	if (format)
		fl_note_set(note, "ts", "'%s' does not fit --date-format '%s'",
			    fl_csv_show(cell),
			    fl_show(format, strlen(format), 60));
	else
		fl_note_set(note, "ts",
			    "'%s' is no date in a form that is known here",
			    fl_csv_show(cell));
	return FL_REASON_bad_time;
}

enum fl_reason fl_csv_row_when(const struct fl_csv_plan *plan,
			       const struct fl_csv_dates *dates,
			       const struct fl_csv_row *row,
			       struct fl_csv_when *when, struct fl_note *note)
{
	const struct fl_csv_cell *date = fl_csv_cell_at(row, plan->when);
	const struct fl_csv_cell *time = fl_csv_cell_at(row, plan->time);

	if (fl_csv_absent(date->text, date->len)) {
		fl_note_set(note, "ts", "the row has no date");
		return FL_REASON_missing_field;
	}
	if (!fl_csv_dates_read(dates, date->text, date->len, when))
		return bad_time(note, dates, date);
	if (plan->time == FL_CSV_NO_COLUMN ||
	    fl_csv_absent(time->text, time->len))
		return FL_REASON_NONE;
	if (!fl_csv_time_read(time->text, time->len, when)) {
		fl_note_set(note, "ts", "'%s' is no time of day",
			    fl_csv_show(time));
		return FL_REASON_bad_time;
	}
	return FL_REASON_NONE;
}

/* When the clock is put back it shows an hour twice. Rows run in order, so the
 * first of the two is the one that still lies behind the row before. */
static int64_t pick_hour(const struct fl_csv_work *w, const int64_t *last,
			 int64_t earlier, int64_t later)
{
	bool same = w->plan->type != &fl_type_bar; /* ticks share instants */

	if (!last)
		return w->maker->newest_first ? later : earlier;
	if (w->maker->newest_first)
		return later < *last || (same && later == *last) ? later
								 : earlier;
	return earlier > *last || (same && earlier == *last) ? earlier : later;
}

static int64_t *clock_of(struct fl_csv_work *w)
{
	void **slot;

	if (w->maker->clocks.count >= FL_CSV_SYMBOLS_MAX)
		return NULL;
	slot = fl_map_at(&w->maker->clocks, w->made->symbol,
			 w->made->symbol_len);
	return *slot;
}

static void keep_clock(struct fl_csv_work *w, int64_t ns)
{
	void **slot;

	if (w->maker->clocks.count >= FL_CSV_SYMBOLS_MAX)
		return;
	slot = fl_map_at(&w->maker->clocks, w->made->symbol,
			 w->made->symbol_len);
	if (!*slot)
		*slot = fl_alloc(sizeof(int64_t));
	*(int64_t *)*slot = ns;
}

static enum fl_reason find_instant(struct fl_csv_work *w)
{
	const struct fl_civil *civil = &w->moment.civil;
	const struct fl_zone *zone = w->maker->zone;
	int64_t later = 0;

	if (w->moment.exact) {
		w->ts_ns = w->moment.ns;
		return FL_REASON_NONE;
	}
	if (!zone) {
		w->ts_ns = fl_time_from_civil(civil);
		return FL_REASON_NONE;
	}
	switch (fl_zone_to_utc(zone, civil, &w->ts_ns, &later)) {
	case FL_ZONE_UNIQUE:
		break;
	case FL_ZONE_REPEATED:
		w->ts_ns = pick_hour(w, clock_of(w), w->ts_ns, later);
		break;
	case FL_ZONE_SKIPPED:
		if (!w->timed)
			break; /* a day that begins at 1:00 */
		fl_note_set(w->note, "ts",
			    "'%s' is no time in %s: the clock was put forward "
			    "over it",
			    fl_csv_show(fl_csv_cell_at(w->row, w->plan->when)),
			    fl_zone_name(zone));
		return FL_REASON_bad_time;
	case FL_ZONE_RANGE:
		return bad_time(w->note, w->maker->dates,
				fl_csv_cell_at(w->row, w->plan->when));
	}
	keep_clock(w, w->ts_ns);
	return FL_REASON_NONE;
}

/* The first day of the week, month, quarter or year that `day` lies in. */
static int64_t first_day(const struct fl_interval *interval, int64_t day)
{
	int year, month, in_month;

	if (!interval->months) {
		int64_t since_monday = (day + 3) % 7;

		if (interval->ns != 7 * FL_DAY)
			return day;
		return day -
		       (since_monday < 0 ? since_monday + 7 : since_monday);
	}
	fl_civil_from_days(day, &year, &month, &in_month);
	month -= (month - 1) % interval->months;
	return fl_days_from_civil(year, month, 1);
}

/* A bar that belongs to a date. false: its first day is before what can be
 * held. */
static bool find_date(struct fl_csv_work *w)
{
	w->day = first_day(&w->interval, w->moment.day);
	if (w->day < FL_TIME_MIN / FL_DAY || w->day > FL_TIME_MAX / FL_DAY)
		return false;
	w->ts_ns = w->day * FL_DAY;
	return true;
}

/* Stooq's D, W, M, Q, Y and bare minutes, or an interval of ours. */
static enum fl_reason read_interval(struct fl_csv_work *w)
{
	static const struct {
		const char *period, *interval;
	} periods[] = { { "D", "1d" },       { "W", "1wk" },
			{ "M", "1mo" },      { "Q", "3mo" },
			{ "Y", "1y" },       { "daily", "1d" },
			{ "weekly", "1wk" }, { "monthly", "1mo" } };
	const struct fl_csv_cell *cell =
		fl_csv_cell_at(w->row, w->plan->interval);
	struct fl_error ignored = { .code = FL_OK };
	char text[16];

	if (cell->len > 0 && cell->len < sizeof(text) - 1) {
		memcpy(text, cell->text, cell->len);
		text[cell->len] = '\0';
		for (size_t i = 0; i < sizeof(periods) / sizeof(*periods);
		     i++) {
			if (strcasecmp(text, periods[i].period) == 0)
				strcpy(text, periods[i].interval);
		}
		if (strspn(text, "0123456789") == strlen(text))
			strcat(text, "m");
		if (fl_interval_parse(text, &w->interval, &ignored) == 0)
			return FL_REASON_NONE;
	}
	fl_note_set(w->note, "interval", "'interval' is '%s'; say --interval",
		    fl_csv_show(cell));
	return cell->len ? FL_REASON_out_of_range : FL_REASON_missing_field;
}

static enum fl_reason find_time(struct fl_csv_work *w)
{
	struct fl_csv_when when;
	enum fl_reason reason = fl_csv_row_when(w->plan, w->maker->dates,
						w->row, &when, w->note);

	if (reason)
		return reason;
	if (!fl_csv_dates_moment(w->maker->dates, &when, w->maker->zone,
				 &w->moment))
		return bad_time(w->note, w->maker->dates,
				fl_csv_cell_at(w->row, w->plan->when));
	w->timed = when.timed || when.form == FL_CSV_INTEGER;
	w->interval = (struct fl_interval){ .ns = 0 }; /* of quotes */
	if (w->plan->type == &fl_type_bar) {
		w->interval = w->maker->interval;
		/* --interval goes before the column. */
		if (w->plan->interval != FL_CSV_NO_COLUMN &&
		    !w->interval.text[0]) {
			reason = read_interval(w);
			if (reason)
				return reason;
		}
		if (w->interval.dated)
			return find_date(w) ? FL_REASON_NONE
					    : bad_time(w->note, w->maker->dates,
						       fl_csv_cell_at(
							       w->row,
							       w->plan->when));
	}
	w->day = w->moment.day;
	return find_instant(w);
}

/* --- the row before --- */

/* The cells that tell the time of a row. */
static const struct fl_csv_cell *clock_cell(const struct fl_csv_work *w, int i)
{
	const size_t columns[FL_CSV_CLOCK_CELLS] = { w->plan->when,
						     w->plan->time,
						     w->plan->interval };

	return fl_csv_cell_at(w->row, columns[i]);
}

static bool is_known(const struct fl_csv_work *w)
{
	const struct fl_csv_clock *clock = &w->maker->clock;

	if (!clock->known)
		return false;
	for (int i = 0; i < FL_CSV_CLOCK_CELLS; i++) {
		const struct fl_csv_cell *cell = clock_cell(w, i);

		if (cell->len != clock->lens[i] ||
		    !fl_short_equal(cell->text, clock->cells[i], cell->len))
			return false;
	}
	return true;
}

static void keep(struct fl_csv_work *w)
{
	struct fl_csv_clock *clock = &w->maker->clock;

	/* A clock that may be put back goes by the rows before, too. */
	clock->known =
		!w->maker->long_way && (!w->maker->zone || w->interval.dated);
	for (int i = 0; i < FL_CSV_CLOCK_CELLS && clock->known; i++) {
		const struct fl_csv_cell *cell = clock_cell(w, i);

		clock->known = cell->len <= FL_CSV_CLOCK_CELL_MAX;
		if (!clock->known)
			break;
		clock->lens[i] = cell->len;
		memcpy(clock->cells[i], cell->text, cell->len);
	}
	clock->moment = w->moment;
	clock->timed = w->timed;
	clock->interval = w->interval;
	clock->ts_ns = w->ts_ns;
	clock->day = w->day;
	clock->printed = false;
}

enum fl_reason fl_csv_find_time(struct fl_csv_work *w)
{
	const struct fl_csv_clock *clock = &w->maker->clock;
	enum fl_reason reason;

	if (!is_known(w)) {
		reason = find_time(w);
		if (!reason)
			keep(w);
		return reason;
	}
	w->moment = clock->moment;
	w->timed = clock->timed;
	w->interval = clock->interval;
	w->ts_ns = clock->ts_ns;
	w->day = clock->day;
	return FL_REASON_NONE;
}

void fl_csv_clock_print(const struct fl_csv_work *w)
{
	static const char midnight[] = "T00:00:00.000Z";
	struct fl_csv_clock *clock = &w->maker->clock;

	clock->printed = true;
	clock->date_len = fl_date_print(clock->day, clock->date);
	if (!clock->interval.dated) {
		clock->ts_len = fl_time_print(clock->ts_ns, clock->ts);
		return;
	}
	memcpy(clock->ts, clock->date, clock->date_len);
	memcpy(clock->ts + clock->date_len, midnight, sizeof(midnight));
	clock->ts_len = clock->date_len + sizeof(midnight) - 1;
}
