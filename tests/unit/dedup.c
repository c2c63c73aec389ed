/* dedup: against a plain list of all that came, by the definition.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/dedup.h"

#include <stdlib.h>

#include "base/time.h"
#include "tap.h"

enum {
	EVENTS = 20000,
	SERIES = 7,
};

struct event {
	uint64_t series, content;
	int64_t ts;
};

static uint64_t state = 20261123;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static enum fl_seen see(struct fl_dedup *dedup, uint64_t series,
			uint64_t content, int64_t ts)
{
	const struct fl_hash128 hash = { content, ~content };

	return fl_dedup_see(dedup, series, hash, ts);
}

/* By the definition: unchecked when older than the horizon before the series'
 * newest, else a duplicate when the content came within it. */
static enum fl_seen judge(const struct event *events, int n, int64_t horizon)
{
	const struct event *e = &events[n];
	int64_t newest = e->ts;

	for (int i = 0; i < n; i++) {
		if (events[i].series == e->series && events[i].ts > newest)
			newest = events[i].ts;
	}
	if (newest - e->ts > horizon)
		return FL_SEEN_UNCHECKED;
	for (int i = 0; i < n; i++) {
		if (events[i].series == e->series &&
		    events[i].content == e->content)
			return FL_SEEN_BEFORE;
	}
	return FL_SEEN_NEW;
}

static void test_definition(void)
{
	static struct event events[EVENTS];
	const int64_t horizon = 600;
	struct fl_dedup *dedup = fl_dedup_new(horizon, 64 << 20);
	int wrong = 0, seen[3] = { 0 };

	for (int n = 0; n < EVENTS; n++) {
		struct event *e = &events[n];

		/* Time goes on, with disorder beyond the horizon at times; the
		 * content holds the time, as all content does. */
		e->series = 1 + below(SERIES);
		e->ts = n - (int64_t)below(below(50) ? 300 : 2000);
		e->content = (uint64_t)e->ts * 16 + e->series * 2 + below(2);
		if (n > 50 && below(10) == 0)
			*e = events[n - 1 - (int)below(50)];
		if (n % 10 == 0 || n > EVENTS - 2000) {
			enum fl_seen truth = judge(events, n, horizon);
			enum fl_seen got =
				see(dedup, e->series, e->content, e->ts);

			wrong += got != truth;
			seen[got]++;
		} else {
			see(dedup, e->series, e->content, e->ts);
		}
	}
	is_int(wrong, 0, "every verdict is that of the definition");
	ok(seen[0] > 100 && seen[1] > 100 && seen[2] > 0,
	   "all three verdicts occur: %d %d %d", seen[0], seen[1], seen[2]);
	is_int(fl_dedup_reached(dedup), horizon,
	       "memory sufficed, so the horizon was reached");
	fl_dedup_free(dedup);
}

static void test_series(void)
{
	struct fl_dedup *dedup = fl_dedup_new(600, 1 << 20);

	see(dedup, 1, 11, 1000000);
	is_int(see(dedup, 2, 22, 10), FL_SEEN_NEW,
	       "no symbol makes another's history old");
	is_int(see(dedup, 2, 22, 10), FL_SEEN_BEFORE, "a repeat in its series");
	is_int(see(dedup, 1, 33, 999399), FL_SEEN_UNCHECKED,
	       "older than the horizon cannot be judged");
	is_int(see(dedup, 1, 33, 999400), FL_SEEN_NEW,
	       "just on the horizon can");
	fl_dedup_free(dedup);
}

static void test_memory(void)
{
	/* 64 KiB hold about a thousand entries. */
	struct fl_dedup *dedup = fl_dedup_new(FL_DAY, 64 << 10);

	for (uint64_t i = 0; i < 100000; i++)
		see(dedup, 1, i, (int64_t)i);
	is_int(see(dedup, 1, 99999, 99999), FL_SEEN_BEFORE,
	       "the newest are held");
	is_int(see(dedup, 1, 1, 1), FL_SEEN_UNCHECKED,
	       "what memory let go is not called new");
	ok(fl_dedup_reached(dedup) < 100000,
	   "the account says how far back it reached");
	for (uint64_t i = 0; i < 100000; i++)
		see(dedup, 100 + i, i, (int64_t)i);
	is_int(see(dedup, 1000000, 5, 5), FL_SEEN_UNCHECKED,
	       "more series than memory holds are not judged");
	fl_dedup_free(dedup);
}

int main(void)
{
	test_definition();
	test_series();
	test_memory();
	return done_testing();
}
