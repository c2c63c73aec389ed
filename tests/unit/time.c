/* time: the calendar counted day by day, RFC 3339 against Python's datetime,
 * and every byte at every place against a slow reader.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include "tap.h"
#include "tsv.h"

/* The Gregorian rule, word by word. */
static int month_days(int year, int month)
{
	switch (month) {
	case 4:
	case 6:
	case 9:
	case 11:
		return 30;
	case 2:
		if (year % 400 == 0)
			return 29;
		if (year % 100 == 0)
			return 28;
		return year % 4 == 0 ? 29 : 28;
	default:
		return 31;
	}
}

static void check_calendar(void)
{
	int64_t days = -719528; /* 0000-01-01 */
	int wrong = 0, invalid = 0;

	for (int year = 0; year <= 9999; year++) {
		for (int month = 0; month <= 13; month++) {
			for (int day = -1; day <= 33; day++) {
				bool good = month >= 1 && month <= 12 &&
					    day >= 1 &&
					    day <= month_days(year, month);
				int y, m, d;

				if (fl_date_valid(year, month, day) != good)
					invalid++;
				if (!good)
					continue;
				fl_civil_from_days(days, &y, &m, &d);
				if (fl_days_from_civil(year, month, day) !=
					    days ||
				    y != year || m != month || d != day)
					wrong++;
				days++;
			}
		}
	}
	is_int(invalid, 0, "which days exist, years 0 to 9999");
	is_int(wrong, 0, "every day of the years 0 to 9999, both ways");
	is_int(days, 2932897, "and their number");
	is_int(fl_days_from_civil(1970, 1, 1), 0, "1970-01-01 is day 0");
	is_int(fl_days_from_civil(-4, 2, 29), fl_days_from_civil(-4, 3, 1) - 1,
	       "years before 0 have leap days too");
}

static void check_dates(void)
{
	static const char *const bad[] = {
		"2026-02-29", "2026-00-10", "2026-13-01", "2026-01-00",
		"2026-01-32", "2026-1-01",  "2026/01/01", "20260101",
		"2026-01-0",  "1677-12-31", "2262-01-01", "2026-01-011",
		"",           "-026-01-01", "2026-01-1 ", "+026-01-01",
	};
	int64_t first = FL_TIME_MIN / FL_DAY, days;
	int wrong = 0;
	char text[FL_TIME_TEXT];

	for (int64_t day = first; day <= FL_TIME_MAX / FL_DAY; day++)
		if (fl_date_print(day, text) != 10 ||
		    !fl_date_parse(text, 10, &days) || days != day)
			wrong++;
	is_int(wrong, 0, "every date is printed and read back");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!fl_date_parse(bad[i], strlen(bad[i]), &days),
		   "no date: '%s'", bad[i]);
	fl_date_print(0, text);
	is_str(text, "1970-01-01", "day 0");
	fl_date_print(first, text);
	is_str(text, "1678-01-01", "the first day");
}

static void check_limits(void)
{
	struct fl_civil civil = { 1678, 1, 1, 0, 0, 0, 0 };
	struct fl_civil bad[] = {
		{ 1677, 12, 31, 23, 59, 59, 999999999 },
		{ 2262, 1, 1, 0, 0, 0, 0 },
		{ 2026, 2, 29, 0, 0, 0, 0 },
		{ 2026, 1, 1, 24, 0, 0, 0 },
		{ 2026, 1, 1, -1, 0, 0, 0 },
		{ 2026, 1, 1, 0, 60, 0, 0 },
		{ 2026, 1, 1, 0, -1, 0, 0 },
		{ 2026, 1, 1, 0, 0, 60, 0 },
		{ 2026, 1, 1, 0, 0, -1, 0 },
		{ 2026, 1, 1, 0, 0, 0, 1000000000 },
		{ 2026, 1, 1, 0, 0, 0, -1 },
	};
	char text[FL_TIME_TEXT];

	is_int(fl_time_from_civil(&civil), FL_TIME_MIN, "the first instant");
	civil = (struct fl_civil){ 2261, 12, 31, 23, 59, 59, 999999999 };
	is_int(fl_time_from_civil(&civil), FL_TIME_MAX, "the last instant");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(fl_time_from_civil(&bad[i]) == FL_TIME_NONE,
		   "no instant: case %zu", i);
	fl_civil_from_time(-1, &civil);
	ok(civil.year == 1969 && civil.month == 12 && civil.day == 31 &&
		   civil.hour == 23 && civil.minute == 59 &&
		   civil.second == 59 && civil.nanos == 999999999,
	   "one nanosecond before 1970");
	is_int(fl_time_print(FL_TIME_NONE, text), 30, "all int64_t print: min");
	is_str(text, "1677-09-21T00:12:43.145224192Z", "the least");
	fl_time_print(INT64_MAX, text);
	is_str(text, "2262-04-11T23:47:16.854775807Z", "the greatest");
}

static void check_file(const char *path)
{
	int own = 0, other = 0, wrong = 0;
	struct tsv tsv;
	char text[FL_TIME_TEXT];

	tsv_open(&tsv, path);
	while (tsv_next(&tsv)) {
		const char *op = tsv.field[0], *in = tsv.field[1];
		enum fl_time_read read;
		char got[64];
		int64_t ns;

		if (strcmp(op, "own") != 0 && strcmp(op, "parse") != 0)
			continue;
		read = fl_time_parse(in, strlen(in), &ns);
		snprintf(got, sizeof(got), "%s%lld",
			 read == FL_TIME_OK ? "" : "foreign ", (long long)ns);
		if (read == FL_TIME_BAD)
			strcpy(got, "bad");
		if (*op == 'o') {
			own++;
			fl_time_print(ns, text);
			if (strcmp(text, in) != 0)
				strcpy(got, text);
		} else {
			other++;
		}
		if (strcmp(got, tsv.field[2]) == 0)
			continue;
		if (wrong++ < 20)
			note("%s:%d: '%s': got %s, wanted %s", path, tsv.number,
			     in, got, tsv.field[2]);
	}
	ok(own && other && !wrong,
	   "times as Python has them (%d our own, %d others)", own, other);
}

static bool all_digits(const char *p, int count)
{
	for (int i = 0; i < count; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static int number(const char *p, int count)
{
	int value = 0;

	while (count--)
		value = value * 10 + (*p++ - '0');
	return value;
}

/* A time whose form is ours but for its first 20 characters. */
static enum fl_time_read slow_parse(const char *text, size_t len, int64_t *ns)
{
	int digits = (int)len - 21, year, month, day, hour, minute, second;
	bool own;

	if (!all_digits(text, 4) || text[4] != '-' ||
	    !all_digits(text + 5, 2) || text[7] != '-' ||
	    !all_digits(text + 8, 2) || !strchr("Tt ", text[10]) || !text[10] ||
	    !all_digits(text + 11, 2) || text[13] != ':' ||
	    !all_digits(text + 14, 2) || text[16] != ':' ||
	    !all_digits(text + 17, 2) || text[19] != '.' ||
	    !all_digits(text + 20, digits) ||
	    (text[len - 1] != 'Z' && text[len - 1] != 'z'))
		return FL_TIME_BAD;
	year = number(text, 4);
	month = number(text + 5, 2);
	day = number(text + 8, 2);
	hour = number(text + 11, 2);
	minute = number(text + 14, 2);
	second = number(text + 17, 2);
	if (month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month) || hour > 23 || minute > 59 ||
	    second > 60 || year < 1678 || year > 2261)
		return FL_TIME_BAD;
	*ns = (fl_days_from_civil(year, month, day) * 86400 + hour * 3600 +
	       minute * 60 + second) *
	      FL_SECOND;
	for (int i = 0, unit = 100000000; i < digits; i++, unit /= 10)
		*ns += (text[20 + i] - '0') * unit;
	own = text[10] == 'T' && text[len - 1] == 'Z' && second < 60 &&
	      (digits == 3 || number(text + 20 + digits - 3, 3));
	return own ? FL_TIME_OK : FL_TIME_FOREIGN;
}

static void check_bytes(void)
{
	static const char *const texts[] = {
		"2026-01-31T09:30:15.250Z",
		"2024-02-29T23:59:59.123456Z",
		"1999-12-10T20:08:07.123456789Z",
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i]);

		for (size_t at = 0; at < 2 * len; at++) {
			for (int c = 0; c < 256; c++) {
				int64_t ns = 0, slow = 0;
				char text[40];

				strcpy(text, texts[i]);
				text[at % len] = (char)c;
				/* A second change, so that two may hide each
				 * other. */
				if (at >= len)
					text[(at + 1) % len] ^= (char)0x80;
				if (fl_time_parse(text, len, &ns) !=
					    slow_parse(text, len, &slow) ||
				    (slow && ns != slow))
					wrong++;
			}
		}
	}
	is_int(wrong, 0, "every byte at every place of a time");
}

/* No read past the end: the sanitizer watches. */
static void check_cut(void)
{
	const char *whole = "2026-01-31T09:30:15.123456789+01:00";
	int good = 0;
	int64_t ns;

	for (size_t len = 0; len <= strlen(whole); len++) {
		char *text = malloc(len ? len : 1);

		memcpy(text, whole, len);
		good += fl_time_parse(text, len, &ns) != FL_TIME_BAD;
		good += fl_date_parse(text, len, &ns);
		free(text);
	}
	is_int(good, 2, "cut anywhere: only the date and the whole are good");
}

int main(int argc, char **argv)
{
	int64_t before = fl_monotonic_ns();

	check_calendar();
	check_dates();
	check_limits();
	check_file(argc > 1 ? argv[1] : "tests/data/base/time.tsv");
	check_bytes();
	check_cut();
	ok(fl_monotonic_ns() > before, "the monotonic clock goes on");
	ok(fl_now_ns() > INT64_C(1700000000) * FL_SECOND, "it is past 2023");
	return done_testing();
}
