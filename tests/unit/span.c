/* span: what users type for times, durations and intervals.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "base/zone.h"

#include "tap.h"
#include "tsv.h"

static void check_spans(void)
{
	static const struct {
		const char *text;
		int64_t ns;
		int months;
	} good[] = {
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "10s", 10 * FL_SECOND, 0 },
		{ "5m", 5 * FL_MINUTE, 0 },
		{ "4h", 4 * FL_HOUR, 0 },
		{ "7d", 7 * FL_DAY, 0 },
		{ "1wk", 7 * FL_DAY, 0 },
		{ "3mo", 0, 3 },
		{ "1y", 0, 12 },
		{ "1y6mo", 0, 18 },
		{ "250ms", 250000000, 0 },
		{ "7us", 7000, 0 },
		{ "9ns", 9, 0 },
		{ "10m10s", 610 * FL_SECOND, 0 },
		{ "1mo1d", FL_DAY, 1 },
		{ "007d", 7 * FL_DAY, 0 },
		{ "90m", 90 * FL_MINUTE, 0 },
		{ "106751d", 106751 * FL_DAY, 0 },
	};
	static const char *const bad[] = {
		"",        "s",
		"10",      "-1s",
		"1.5h",    " 1s",
		"1s ",     "1S",
		"1sec",    "5s5m",
		"5m5m",    "1 m",
		"106752d", "99999999999999999999s",
		"12001mo", "9223372036854775807y",
		"1w",      "1H",
		"1D",      "1m30",
		"00",
	};
	struct fl_error err = { .code = FL_OK };
	struct fl_span span;
	int64_t ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(fl_span_parse(good[i].text, &span, &err) == 0 &&
			   span.ns == good[i].ns &&
			   span.months == good[i].months,
		   "a duration: '%s'", good[i].text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fl_error_clear(&err);
		ok(fl_span_parse(bad[i], &span, &err) == -1 &&
			   err.code == FL_ERR_USAGE,
		   "no duration: '%s'", bad[i]);
	}
	fl_error_clear(&err);
	is_int(fl_span_parse("1q", &span, &err), -1, "1q is refused");
	is_str(err.text,
	       "'1q' is no duration; say for example 10s, 5m, 4h, 7d, 1wk, 3mo "
	       "or 1y",
	       "the message names what it takes");
	fl_error_clear(&err);
	is_int(fl_span_parse("15M", &span, &err), -1, "15M is refused");
	is_str(err.text,
	       "duration '15M' is unclear: 1m is a minute, 1mo a month",
	       "the message tells m from mo");
	fl_error_clear(&err);
	is_int(fl_duration_parse("10m10s", &ns, &err), 0, "a duration");
	is_int(ns, 610 * FL_SECOND, "10m10s");
	is_int(fl_duration_parse("1y", &ns, &err), -1, "no year as a duration");
	is_str(err.text,
	       "duration '1y' has no fixed length; say it in days, for example "
	       "90d",
	       "the message says what to type");
}

static void check_print(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 10 * FL_MINUTE, "10m" },
		{ 90 * FL_MINUTE, "1h30m" },
		{ FL_DAY, "1d" },
		{ 8 * FL_DAY, "8d" },
		{ 14 * FL_DAY, "2wk" },
		{ 36 * FL_HOUR, "1d12h" },
		{ 1500000000, "1s500ms" },
		{ -FL_SECOND, "-1s" },
		{ INT64_MAX, "106751d23h47m16s854ms775us807ns" },
		{ INT64_MIN, "-106751d23h47m16s854ms775us808ns" },
	};
	struct fl_error err = { .code = FL_OK };
	char text[FL_TIME_TEXT];
	int wrong = 0;
	int64_t back;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = fl_duration_print(cases[i].ns, text);

		is_str(text, cases[i].text, "%s is printed", cases[i].text);
		is_int(len, strlen(cases[i].text), "its length");
	}
	for (int64_t ns = 1; ns > 0 && ns < INT64_MAX / 3; ns = ns * 3 + 7) {
		fl_duration_print(ns, text);
		if (fl_duration_parse(text, &back, &err) < 0 || back != ns)
			wrong++;
	}
	is_int(wrong, 0, "what is printed reads back");
}

static void check_intervals(void)
{
	static const struct {
		const char *text, *canonical;
		int64_t ns;
		int months;
		bool dated;
	} good[] = {
		{ "1s", "1s", FL_SECOND, 0, false },
		{ "60s", "1m", FL_MINUTE, 0, false },
		{ "60m", "1h", FL_HOUR, 0, false },
		{ "90m", "1h30m", 90 * FL_MINUTE, 0, false },
		{ "1000ms", "1s", FL_SECOND, 0, false },
		{ "432s", "7m12s", 432 * FL_SECOND, 0, false },
		{ "12h", "12h", 12 * FL_HOUR, 0, false },
		{ "24h", "1d", FL_DAY, 0, true },
		{ "1d", "1d", FL_DAY, 0, true },
		{ "7d", "1wk", 7 * FL_DAY, 0, true },
		{ "1wk", "1wk", 7 * FL_DAY, 0, true },
		{ "1mo", "1mo", 0, 1, true },
		{ "3mo", "3mo", 0, 3, true },
		{ "12mo", "1y", 0, 12, true },
		{ "1y", "1y", 0, 12, true },
	};
	static const char *const bad[] = { "0",      "0s",    "7s",    "2d",
					   "2wk",    "2mo",   "2y",    "5h",
					   "1500ms", "1mo1d", "999ms", "25h" };
	struct fl_error err = { .code = FL_OK };
	struct fl_interval interval;
	int wrong = 0, count = 0;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ok(fl_interval_parse(good[i].text, &interval, &err) == 0 &&
			   interval.ns == good[i].ns &&
			   interval.months == good[i].months &&
			   interval.dated == good[i].dated,
		   "an interval: %s", good[i].text);
		is_str(interval.text, good[i].canonical, "its canonical form");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fl_error_clear(&err);
		ok(fl_interval_parse(bad[i], &interval, &err) == -1 &&
			   err.code == FL_ERR_USAGE,
		   "no interval: %s", bad[i]);
	}
	fl_error_clear(&err);
	fl_interval_parse("1M", &interval, &err);
	is_str(err.text,
	       "interval '1M' is unclear: 1m is a minute, 1mo a month",
	       "1M is refused with advice");
	fl_error_clear(&err);
	fl_interval_parse("7s", &interval, &err);
	is_str(err.text,
	       "no bars of interval '7s': it must divide the day, 1s to 12h, or "
	       "be 1d, 1wk, 1mo, 3mo or 1y",
	       "7s is refused with what there is");
	fl_error_clear(&err);
	for (int seconds = 1; seconds <= 86400; seconds++) {
		char text[20], again[12];

		snprintf(text, sizeof(text), "%ds", seconds);
		if (86400 % seconds)
			continue;
		count++;
		if (fl_interval_parse(text, &interval, &err) < 0 ||
		    interval.ns != seconds * FL_SECOND) {
			wrong++;
			continue;
		}
		strcpy(again, interval.text);
		if (fl_interval_parse(again, &interval, &err) < 0 ||
		    strcmp(interval.text, again) != 0)
			wrong++;
	}
	is_int(wrong, 0, "all that divide the day");
	is_int(count, 96, "of which there are 96");
}

static int64_t instant(const char *text)
{
	int64_t ns = FL_TIME_NONE;

	fl_time_parse(text, strlen(text), &ns);
	return ns;
}

static void check_minus(const char *path)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_span span;
	struct tsv tsv;
	int count = 0, wrong = 0;

	tsv_open(&tsv, path);
	while (tsv_next(&tsv)) {
		if (strcmp(tsv.field[0], "minus") != 0)
			continue;
		count++;
		if (fl_span_parse(tsv.field[2], &span, &err) < 0 ||
		    fl_time_minus_span(atoll(tsv.field[1]), &span) !=
			    atoll(tsv.field[3]))
			wrong++;
	}
	ok(count && !wrong, "months back, by the calendar (%d cases)", count);
	fl_span_parse("1mo1d", &span, &err);
	is_int(fl_time_minus_span(instant("2026-03-31T12:00:00.000Z"), &span),
	       instant("2026-02-27T12:00:00.000Z"), "months first, then days");
	fl_span_parse("400y", &span, &err);
	ok(fl_time_minus_span(0, &span) == FL_TIME_NONE, "too many years");
	fl_span_parse("106751d", &span, &err);
	ok(fl_time_minus_span(0, &span) == FL_TIME_NONE, "too many days");
}

static void check_times(void)
{
	static const struct {
		const char *text, *utc, *new_york;
	} good[] = {
		{ "now", "2026-11-23T03:28:47.500Z",
		  "2026-11-23T03:28:47.500Z" },
		{ "today", "2026-11-23T00:00:00.000Z",
		  "2026-11-22T05:00:00.000Z" },
		{ "yesterday", "2026-11-22T00:00:00.000Z",
		  "2026-11-21T05:00:00.000Z" },
		{ "-7d", "2026-11-16T03:28:47.500Z",
		  "2026-11-16T03:28:47.500Z" },
		{ "-1y", "2025-11-23T03:28:47.500Z",
		  "2025-11-23T03:28:47.500Z" },
		{ "-0", "2026-11-23T03:28:47.500Z",
		  "2026-11-23T03:28:47.500Z" },
		{ "2026-01-31", "2026-01-31T00:00:00.000Z",
		  "2026-01-31T05:00:00.000Z" },
		{ "2026-07-31", "2026-07-31T00:00:00.000Z",
		  "2026-07-31T04:00:00.000Z" },
		{ "2026-01-31T09:30", "2026-01-31T09:30:00.000Z",
		  "2026-01-31T14:30:00.000Z" },
		{ "2026-01-31 09:30:15", "2026-01-31T09:30:15.000Z",
		  "2026-01-31T14:30:15.000Z" },
		{ "2026-01-31T09:30:15.5", "2026-01-31T09:30:15.500Z",
		  "2026-01-31T14:30:15.500Z" },
		{ "2026-01-31T09:30:15Z", "2026-01-31T09:30:15.000Z",
		  "2026-01-31T09:30:15.000Z" },
		{ "2026-01-31T09:30Z", "2026-01-31T09:30:00.000Z",
		  "2026-01-31T09:30:00.000Z" },
		{ "2026-01-31T09:30+01:00", "2026-01-31T08:30:00.000Z",
		  "2026-01-31T08:30:00.000Z" },
		/* skipped: as if standard time went on; repeated: the first */
		{ "2026-03-08T02:30", "2026-03-08T02:30:00.000Z",
		  "2026-03-08T07:30:00.000Z" },
		{ "2026-11-01T01:30", "2026-11-01T01:30:00.000Z",
		  "2026-11-01T05:30:00.000Z" },
		{ "@0", "1970-01-01T00:00:00.000Z",
		  "1970-01-01T00:00:00.000Z" },
		{ "@1700000000.25", "2023-11-14T22:13:20.250Z",
		  "2023-11-14T22:13:20.250Z" },
		{ "@-1", "1969-12-31T23:59:59.000Z",
		  "1969-12-31T23:59:59.000Z" },
	};
	static const char *const bad[] = {
		"",
		"tomorrow",
		"2026-02-30",
		"2026-01-31T",
		"2026-01-31T9:30",
		"2026-01-31T25:00",
		"31.01.2026",
		"@",
		"@x",
		"@1e30",
		"@0.0000000001",
		"--7d",
		"7d",
		"1677-12-31",
		"2026-01-31T09:30ZZ",
		"2026-01-31T09:30:00.00000000000000000000000000000000000Z+",
		"2026-01",
		"-400y",
		"-1M",
		"-",
		"2026-01-31T09:30:",
	};
	int64_t now = instant("2026-11-23T03:28:47.500Z"), ns;
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *zone = NULL;

	is_int(fl_zone_open("America/New_York", &zone, &err), 0, "New York");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ok(fl_time_from_user(good[i].text, NULL, now, &ns, &err) == 0 &&
			   ns == instant(good[i].utc),
		   "'%s' in UTC", good[i].text);
		ok(fl_time_from_user(good[i].text, zone, now, &ns, &err) == 0 &&
			   ns == instant(good[i].new_york),
		   "'%s' in New York", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fl_error_clear(&err);
		ok(fl_time_from_user(bad[i], zone, now, &ns, &err) == -1 &&
			   err.code == FL_ERR_USAGE,
		   "no time: '%s'", bad[i]);
	}
	fl_error_clear(&err);
	fl_time_from_user("31.1.2026\n", NULL, now, &ns, &err);
	is_str(err.text,
	       "'31.1.2026\\x0a' is no time; say for example 2026-01-31, "
	       "2026-01-31T09:30, 2026-01-31T09:30:00Z, today, yesterday, now, "
	       "-7d or @1700000000",
	       "the message says what it takes");
}

int main(void)
{
	setenv("TZDIR", "tests/data/base/zoneinfo", 1);
	check_spans();
	check_print();
	check_intervals();
	check_minus("tests/data/base/time.tsv");
	check_times();
	return done_testing();
}
