/* window: windows cover time without gaps and overlaps, also where clocks
 * are changed, and begin where people expect them to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/window.h"

#include "tap.h"

static struct fl_interval interval(const char *text)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_interval iv;

	if (fl_interval_parse(text, &iv, &err) < 0)
		abort();
	return iv;
}

static const struct fl_zone *zone(const char *name)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *found;

	if (fl_zone_open(name, &found, &err) < 0)
		skip_all("%s", err.text);
	return found;
}

static int64_t at(const char *text)
{
	int64_t ns;

	if (fl_time_parse(text, strlen(text), &ns) == FL_TIME_BAD)
		abort();
	return ns;
}

static const char *shown(const struct fl_window *w)
{
	static char text[2 * FL_TIME_TEXT];
	size_t len = fl_time_print(w->from, text);

	text[len++] = ' ';
	fl_time_print(w->to, text + len);
	return text;
}

static void is_window(const char *iv, const char *name, const char *when,
		      const char *want)
{
	struct fl_interval length = interval(iv);
	struct fl_window w;

	fl_window_instant(&length, name ? zone(name) : NULL, at(when), &w);
	is_str(shown(&w), want, "%s in %s at %s", iv, name ? name : "UTC",
	       when);
}

/* Walk over days in steps and look that each window is the one before's
 * neighbour, and that all instants of a window agree about it. */
static int holes(const char *iv, const char *name, const char *from,
		 const char *to)
{
	struct fl_interval length = interval(iv);
	const struct fl_zone *z = zone(name);
	int64_t end = at(to), expected;
	struct fl_window w, again;
	int wrong = 0;

	fl_window_instant(&length, z, at(from), &w);
	for (; w.to < end; w = again) {
		expected = w.to;
		for (int64_t ns = w.from; ns < w.to; ns += FL_MINUTE * 5) {
			fl_window_instant(&length, z, ns, &again);
			wrong += again.from != w.from || again.to != w.to;
		}
		fl_window_instant(&length, z, w.to - 1, &again);
		wrong += again.from != w.from || again.to != w.to;
		fl_window_instant(&length, z, w.to, &again);
		wrong += again.from != expected || again.to <= expected;
	}
	return wrong;
}

static void test_instants(void)
{
	static const char *const lengths[] = { "1m",  "15m", "30m", "1h",
					       "90m", "2h",  "3h",  "4h",
					       "6h",  "8h",  "12h" };
	static const char *const zones[] = {
		"America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
		"Asia/Kolkata", "America/Sao_Paulo"
	};
	int wrong = 0;

	is_window("1m", NULL, "2026-01-02T14:30:59.999Z",
		  "2026-01-02T14:30:00.000Z 2026-01-02T14:31:00.000Z");
	is_window("1h", "Asia/Kolkata", "2026-01-02T14:45:00Z",
		  "2026-01-02T14:30:00.000Z 2026-01-02T15:30:00.000Z");
	is_window("4h", "America/New_York", "2026-01-02T14:30:00Z",
		  "2026-01-02T13:00:00.000Z 2026-01-02T17:00:00.000Z");
	/* 2026-11-01, 06:00Z: 02:00 becomes 01:00. */
	is_window("4h", "America/New_York", "2026-11-01T06:30:00Z",
		  "2026-11-01T04:00:00.000Z 2026-11-01T09:00:00.000Z");
	is_window("1h", "America/New_York", "2026-11-01T05:30:00Z",
		  "2026-11-01T05:00:00.000Z 2026-11-01T06:00:00.000Z");
	is_window("1h", "America/New_York", "2026-11-01T06:30:00Z",
		  "2026-11-01T06:00:00.000Z 2026-11-01T07:00:00.000Z");
	/* 2026-03-08, 07:00Z: 02:00 becomes 03:00. */
	is_window("4h", "America/New_York", "2026-03-08T07:30:00Z",
		  "2026-03-08T05:00:00.000Z 2026-03-08T08:00:00.000Z");
	is_window("2h", "America/New_York", "2026-03-08T07:30:00Z",
		  "2026-03-08T07:00:00.000Z 2026-03-08T08:00:00.000Z");
	/* Before 1970 it still is rounded down. */
	is_window("1h", NULL, "1969-12-31T23:30:00Z",
		  "1969-12-31T23:00:00.000Z 1970-01-01T00:00:00.000Z");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (size_t j = 0; j < sizeof(zones) / sizeof(*zones); j++) {
			int bad = holes(lengths[i], zones[j],
					"2018-02-10T00:00:00Z",
					"2018-02-25T00:00:00Z") +
				  holes(lengths[i], zones[j],
					"2018-03-05T00:00:00Z",
					"2018-04-05T00:00:00Z") +
				  holes(lengths[i], zones[j],
					"2018-10-01T00:00:00Z",
					"2018-11-10T00:00:00Z");

			if (bad)
				note("%s in %s: %d", lengths[i], zones[j], bad);
			wrong += bad;
		}
	}
	is_int(wrong, 0, "windows cover all of time once, in all zones");
}

static void is_dates(const char *iv, const char *name, const char *date,
		     const char *want)
{
	struct fl_interval length = interval(iv);
	char text[3 * FL_TIME_TEXT];
	struct fl_window w;
	int64_t day;
	size_t len;

	if (!fl_date_parse(date, strlen(date), &day))
		abort();
	fl_window_date(&length, name ? zone(name) : NULL, day, &w);
	len = fl_date_print(w.from, text);
	text[len++] = ' ';
	len += fl_date_print(w.to, text + len);
	text[len++] = ' ';
	fl_time_print(w.end_ns, text + len);
	is_str(text, want, "%s of %s in %s", iv, date, name ? name : "UTC");
	is_int(w.ts_ns, w.from * FL_DAY, "its ts is its first date");
}

static void test_dates(void)
{
	is_dates("1d", "America/New_York", "2026-01-02",
		 "2026-01-02 2026-01-03 2026-01-03T05:00:00.000Z");
	is_dates("1wk", NULL, "2026-01-04",
		 "2025-12-29 2026-01-05 2026-01-05T00:00:00.000Z");
	is_dates("1wk", NULL, "2026-01-05",
		 "2026-01-05 2026-01-12 2026-01-12T00:00:00.000Z");
	is_dates("1wk", NULL, "1969-12-31",
		 "1969-12-29 1970-01-05 1970-01-05T00:00:00.000Z");
	is_dates("1mo", "Asia/Tokyo", "2024-02-29",
		 "2024-02-01 2024-03-01 2024-02-29T15:00:00.000Z");
	is_dates("3mo", NULL, "2026-12-31",
		 "2026-10-01 2027-01-01 2027-01-01T00:00:00.000Z");
	is_dates("1y", NULL, "1969-06-15",
		 "1969-01-01 1970-01-01 1970-01-01T00:00:00.000Z");
	is_int(fl_window_day(zone("America/New_York"),
			     at("2026-01-03T04:59:59.999Z")),
	       20455, "the date is that of the wall clock");
	is_int(fl_window_day(NULL, at("1969-12-31T23:59:59Z")), -1,
	       "also before 1970");
}

int main(void)
{
	test_instants();
	test_dates();
	return done_testing();
}
