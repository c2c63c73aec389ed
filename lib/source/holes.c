/* holes: see holes.h.
 *
 * The bars that should be there are walked beside those that are, both in order
 * of time: no list of either is kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/holes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/window.h"
#include "base/zone.h"
#include "rec/bar.h"

struct walk {
	const struct fl_holes_ask *ask;
	struct fl_holes *holes;
	const struct fl_exchange *ex; /* NULL: not known */
	const struct fl_zone *zone;
	bool broken; /* the bar that was due last is missing */
	/* The next one that is due. */
	bool due;
	int64_t due_ts, due_end;  /* ts of the bar; when it is over */
	int64_t due_from, due_to; /* its dates */
	/* Of intraday intervals: where in the session. */
	struct fl_session session;
};

/* --- bars that should be there -------------------------------------------- */

/* The first trading date from `day` on. */
static int64_t trading_day(const struct walk *walk, int64_t day)
{
	int64_t weekday = (day + 3) % 7; /* 0: Monday; no date is before 1970 -
					  * 3 where it matters */

	if (walk->ex)
		return fl_exchange_next_day(walk->ex, day - 1);
	if (weekday < 0)
		weekday += 7;
	return weekday < 5 ? day : day + 7 - weekday;
}

/* The first dated bar from `day` on that has a trading date in it. */
static void seek_dated(struct walk *walk, int64_t day)
{
	struct fl_window window;

	day = trading_day(walk, day);
	walk->due = day != FL_DAY_NONE;
	if (!walk->due)
		return;
	fl_window_date(walk->ask->interval, walk->zone, day, &window);
	walk->due_ts = window.ts_ns;
	walk->due_end = window.end_ns;
	walk->due_from = window.from;
	walk->due_to = window.to;
	/* A day is over on the close. */
	if (walk->ex && window.to - window.from == 1) {
		struct fl_session session;

		if (fl_exchange_session(walk->ex, day, &session))
			walk->due_end = session.closing_ns;
	}
}

/* The first intraday bar from `ns` on: they count from the open, and again from
 * the end of the break. */
static void seek_instant(struct walk *walk, int64_t ns)
{
	int64_t length = walk->ask->interval->ns;
	int64_t day = fl_window_day(walk->zone, ns) - 1;

	walk->due = false;
	for (;;) {
		const struct fl_session *s = &walk->session;
		int64_t starts[2], ends[2];

		day = fl_exchange_next_day(walk->ex, day);
		if (day == FL_DAY_NONE ||
		    !fl_exchange_session(walk->ex, day, &walk->session))
			return;
		if (s->close_ns <= ns)
			continue;
		starts[0] = s->open_ns;
		ends[0] = s->break_to_ns ? s->break_from_ns : s->close_ns;
		starts[1] = s->break_to_ns ? s->break_to_ns : s->close_ns;
		ends[1] = s->close_ns;
		for (int i = 0; i < 2; i++) {
			int64_t steps = 0;

			if (ends[i] <= ns || starts[i] >= ends[i])
				continue;
			if (ns > starts[i])
				steps = (ns - starts[i] + length - 1) / length;
			walk->due_ts = starts[i] + steps * length;
			if (walk->due_ts >= ends[i])
				continue;
			walk->due_end = walk->due_ts + length;
			if (walk->due_end > ends[i])
				walk->due_end = ends[i];
			walk->due_from = day;
			walk->due_to = day + 1;
			walk->due = true;
			return;
		}
	}
}

static void seek(struct walk *walk, int64_t ns, int64_t day)
{
	if (walk->ask->interval->dated)
		seek_dated(walk, day);
	else
		seek_instant(walk, ns);
}

static void step(struct walk *walk)
{
	seek(walk, walk->due_end, walk->due_to);
}

/* --- holes ---------------------------------------------------------------- */

static void add_missing(struct walk *walk)
{
	struct fl_holes *holes = walk->holes;
	struct fl_hole *hole;

	if (walk->broken) {
		hole = &holes->items[holes->count - 1];
		hole->to_day = walk->due_to;
		hole->to_ns = walk->due_end;
		hole->missing++;
		return;
	}
	if (holes->count == holes->cap) {
		holes->cap = holes->cap ? 2 * holes->cap : 8;
		holes->items = fl_realloc(holes->items, holes->cap,
					  sizeof(*holes->items));
	}
	holes->items[holes->count++] = (struct fl_hole){
		.from_day = walk->due_from,
		.to_day = walk->due_to,
		.from_ns =
			walk->ask->interval->dated
				? fl_window_midnight(walk->zone, walk->due_from)
				: walk->due_ts,
		.to_ns = walk->due_end,
		.missing = 1,
	};
	walk->broken = true;
}

/* All that is due before the bar at ts is missing. */
static void pass(struct walk *walk, int64_t ts, bool final)
{
	while (walk->due && walk->due_ts < ts) {
		add_missing(walk);
		step(walk);
	}
	if (!walk->due || walk->due_ts != ts)
		return; /* one that nobody waits for */
	if (!final && walk->due_end <= walk->ask->now_ns)
		add_missing(walk);
	else
		walk->broken = false;
	step(walk);
}

static const struct fl_exchange *find_exchange(const struct walk *walk,
					       const struct fl_bar *bar)
{
	const struct fl_part codes[] = { bar->mic, bar->exchange };
	const struct fl_exchange *ex = NULL;

	for (size_t i = 0; !ex && i < 2; i++) {
		if (codes[i].bytes)
			ex = fl_exchange_find(walk->ask->calendars,
					      codes[i].bytes, codes[i].len);
	}
	return ex;
}

/* The first bar tells of the exchange, and so what is due. */
static int begin(struct walk *walk, const struct fl_bar *bar,
		 struct fl_error *err)
{
	const struct fl_holes_ask *ask = walk->ask;
	int64_t day = fl_window_day(NULL, bar->ts_ns);
	char *name;

	walk->ex = find_exchange(walk, bar);
	if (!walk->ex && !ask->interval->dated)
		return fl_error_set(
			err, FL_ERR_REFUSED,
			"'%s': the stored %s bars name no exchange whose hours "
			"are known: holes can be told of 1d and longer only",
			ask->symbol, ask->interval->text);
	if (bar->tz.bytes) {
		name = fl_strndup(bar->tz.bytes, bar->tz.len);
		if (fl_zone_open(name, &walk->zone, err) < 0)
			fl_error_clear(err);
		free(name);
	}
	if (!walk->zone && walk->ex)
		walk->zone = fl_exchange_zone(walk->ex);
	seek(walk, ask->from_ns == FL_TIME_NONE ? bar->ts_ns : ask->from_ns,
	     ask->from_day == FL_TIME_NONE ? day : ask->from_day);
	return 0;
}

/* What is due from the last stored bar on, as far as it was asked for and is
 * over. */
static void finish(struct walk *walk)
{
	const struct fl_holes_ask *ask = walk->ask;
	bool dated = ask->interval->dated;

	while (walk->due && walk->due_end <= ask->now_ns) {
		if (dated && ask->to_day != FL_TIME_NONE &&
		    walk->due_from >= ask->to_day)
			return;
		if (!dated && ask->to_ns != FL_TIME_NONE &&
		    walk->due_ts >= ask->to_ns)
			return;
		add_missing(walk);
		step(walk);
	}
}

static bool says_final(const struct fl_record *rec)
{
	return !rec->at[FL_BAR_FINAL] ||
	       rec->json->toks[rec->at[FL_BAR_FINAL]].kind != FL_JSON_FALSE;
}

static int take(struct walk *walk, const char *bytes, size_t len,
		struct fl_json *json, struct fl_error *err)
{
	struct fl_record rec = { .bytes = bytes, .len = len };
	struct fl_note note;
	struct fl_bar bar;

	if (fl_record_check(&rec, json, &note) != FL_REASON_NONE)
		return fl_error_set(err, FL_ERR_DATA,
				    "a stored bar of '%s' is not valid: %s",
				    walk->ask->symbol, note.detail);
	fl_bar_read(&rec, &bar);
	if (walk->holes->stored++ == 0 && begin(walk, &bar, err) < 0)
		return -1;
	pass(walk, rec.ts_ns, says_final(&rec));
	return 0;
}

int fl_holes_find(struct fl_holes *holes, struct fl_store *store,
		  const struct fl_holes_ask *ask, struct fl_error *err)
{
	const char *const types[] = { "bar", NULL };
	const char *const symbols[] = { ask->symbol, NULL };
	const char *const providers[] = { ask->provider, NULL };
	const struct fl_query query = {
		.types = types,
		.symbols = symbols,
		.providers = providers,
		.from = ask->from_ns,
		.to = ask->to_ns,
		.date_from = ask->from_day == FL_TIME_NONE
				     ? FL_TIME_NONE
				     : ask->from_day * FL_DAY,
		.date_to = ask->to_day == FL_TIME_NONE ? FL_TIME_NONE
						       : ask->to_day * FL_DAY,
		.interval = ask->interval->text,
		.adj = ask->adj,
	};
	struct walk walk = { .ask = ask, .holes = holes };
	struct fl_json json = FL_JSON_INIT;
	struct fl_cursor *cursor = NULL;
	const char *bytes;
	int64_t ts;
	size_t len;
	int got;

	holes->count = 0;
	holes->stored = 0;
	if (store->ops->query(store, &query, &cursor, err) < 0)
		return -1;
	while ((got = store->ops->next(cursor, &bytes, &len, &ts, err)) > 0) {
		if (take(&walk, bytes, len, &json, err) < 0) {
			got = -1;
			break;
		}
	}
	store->ops->end(cursor);
	if (got == 0 && holes->stored)
		finish(&walk);
	fl_json_release(&json);
	return got;
}

void fl_holes_release(struct fl_holes *holes)
{
	free(holes->items);
	*holes = (struct fl_holes)FL_HOLES_INIT;
}
