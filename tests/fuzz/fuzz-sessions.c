/* fuzz-sessions: any bytes as a file of calendars; what is taken can be asked
 * anything, and its answers fit together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/sessions-file.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rec/sessions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static void check_session(const struct fl_session *s, int64_t day)
{
	CHECK(s->day == day && s->pre_open_ns <= s->open_ns);
	CHECK(s->open_ns <= s->close_ns && s->close_ns <= s->closing_ns);
	CHECK(s->closing_ns <= s->post_close_ns);
	CHECK(!s->break_from_ns == !s->break_to_ns);
	if (s->break_to_ns)
		CHECK(s->open_ns <= s->break_from_ns &&
		      s->break_from_ns <= s->break_to_ns &&
		      s->break_to_ns <= s->close_ns);
}

static void ask_days(const struct fl_exchange *ex, int64_t day)
{
	struct fl_session s;
	int64_t next = fl_exchange_next_day(ex, day);
	int64_t before = fl_exchange_previous_day(ex, day + 1);

	if (next != FL_DAY_NONE) {
		CHECK(next > day && fl_exchange_session(ex, next, &s));
		check_session(&s, next);
		CHECK(fl_exchange_count_days(ex, day + 1, next + 1) == 1);
	}
	if (before != FL_DAY_NONE)
		CHECK(before <= day && fl_exchange_session(ex, before, &s));
	CHECK(fl_exchange_session(ex, day, &s) == (before == day));
	fl_exchange_known(ex, day);
}

static void ask_instant(const struct fl_exchange *ex, int64_t ns)
{
	struct fl_session_cache a = { 0 }, b = { 0 };

	fl_exchange_at(ex, ns, &a);
	CHECK(a.from_ns <= ns && ns < a.to_ns && a.ex == ex);
	CHECK(a.kind == FL_SESSION_CLOSED || a.day != FL_DAY_NONE);
	/* The same wherever it is asked within what it says. */
	fl_exchange_look(ex, a.from_ns, &b);
	CHECK(a.kind == b.kind && a.day == b.day && b.to_ns == a.to_ns);
}

static void ask(const struct fl_exchange *ex)
{
	static const int64_t days[] = { -100000, -1, 0, 10956, 20454, 22279 };

	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++)
		ask_days(ex, days[i]);
	for (size_t i = 0; i < ex->special_count && i < 20; i++) {
		int64_t day = ex->specials[i].day;

		ask_days(ex, day);
		for (int hour = -30; hour < 30; hour += 3)
			ask_instant(ex, day * FL_DAY + hour * FL_HOUR);
	}
	for (size_t i = 1; i < ex->hours_count && i < 20; i++)
		ask_instant(ex, ex->hours[i].from * FL_DAY);
	for (int hour = 0; hour < 24 * 8; hour++)
		ask_instant(ex, 20454 * FL_DAY + hour * FL_HOUR);
	ask_instant(ex, FL_TIME_MIN);
	ask_instant(ex, FL_TIME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_calendars set;
	const struct fl_exchange *ex;

	/* A wrong name is looked for among all there are: have few. */
	setenv("TZDIR", "tests/data/base/zoneinfo", 1);
	if (fl_calendars_read(&set, "x", (const char *)data, size, &err) < 0) {
		CHECK((err.code == FL_ERR_DATA || err.code == FL_ERR_USAGE) &&
		      strncmp(err.text, "'x' ", 4) == 0 && !set.count);
		CHECK(fl_utf8_valid(err.text, strlen(err.text)));
		return 0;
	}
	CHECK(set.count);
	for (size_t i = 0; (ex = fl_exchange_number(&set, i)) && i < 4; i++) {
		const char *name = fl_exchange_name(ex);

		CHECK(fl_exchange_find(&set, name, strlen(name)) == ex);
		ask(ex);
	}
	fl_calendars_release(&set);
	return 0;
}
