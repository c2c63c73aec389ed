/* time: instants as int64_t nanoseconds since 1970 UTC, dates, durations.
 *
 * Covers the years 1678 to 2261: the whole ones that int64_t nanoseconds hold.
 * Reading refuses what lies outside; printing takes any int64_t.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_TIME_H
#define FL_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FL_TIME_NONE INT64_MIN
#define FL_SECOND    INT64_C(1000000000)
#define FL_MINUTE    (60 * FL_SECOND)
#define FL_HOUR      (60 * FL_MINUTE)
#define FL_DAY       (24 * FL_HOUR)
#define FL_YEAR_MIN  1678
#define FL_YEAR_MAX  2261
#define FL_TIME_MIN  INT64_C(-9214560000000000000) /* 1678-01-01T00:00 */
#define FL_TIME_MAX  INT64_C(9214646399999999999)  /* the end of 2261 */
#define FL_TIME_TEXT 36 /* enough for any print function here */

struct fl_zone; /* base/zone.h */

struct fl_civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
	int nanos;
};

/* Days since 1970-01-01 and back, for the years -32000 to 99999. */
int64_t fl_days_from_civil(int year, int month, int day);
void fl_civil_from_days(int64_t days, int *year, int *month, int *day);
/* Is this a day of the (proleptic Gregorian) calendar? */
bool fl_date_valid(int year, int month, int day);
/* FL_TIME_NONE when out of range or no valid date/time of day. Seconds 0-59. */
int64_t fl_time_from_civil(const struct fl_civil *civil); /* read as UTC */
void fl_civil_from_time(int64_t ns, struct fl_civil *civil);

enum fl_time_read {
	FL_TIME_OK = 0,      /* in our own form already */
	FL_TIME_FOREIGN = 1, /* valid RFC 3339, but not canonical: offset, lower
			      * case, blank for T, other count of digits */
	FL_TIME_BAD = -1,
};
/* Read RFC 3339, the whole of text[len] (date, time, offset all required;
 * second 60 is read as the next minute's 00; more than 9 fraction digits are
 * cut off and FOREIGN). Canonical: UTC, 'T', 'Z', and the fewest of 3, 6 or 9
 * fraction digits. BAD leaves `ns` undefined. */
enum fl_time_read fl_time_parse(const char *text, size_t len, int64_t *ns);
/* text[FL_TIME_TEXT], canonical; returns the length, NUL added. */
size_t fl_time_print(int64_t ns, char *text);
/* YYYY-MM-DD; false unless a valid date (1678 to 2261, so that days × FL_DAY
 * fits) and the whole of text[len]. */
bool fl_date_parse(const char *text, size_t len, int64_t *days);
/* text[FL_TIME_TEXT]; for the years 0 to 9999. */
size_t fl_date_print(int64_t days, char *text);

/* What a user types for TIME: RFC 3339 (the seconds may be missing) |
 * 2026-01-31[T09:30[:00]] in `zone` | now today yesterday | -7d (a DUR before
 * now; months and years by the calendar) | @EPOCH seconds. zone NULL: UTC. A
 * wall time that a clock change repeats is the earlier one, one that it skips
 * is read with the offset from before.
 *
 * errors  FL_ERR_USAGE, saying what it takes */
int fl_time_from_user(const char *text, const struct fl_zone *zone,
		      int64_t now_ns, int64_t *ns, struct fl_error *err);

/* A span as users type it: 10s 5m 4h 7d 1wk 3mo 1y, also ms, us and ns, 0
 * alone, and combined ones such as 10m10s, the larger unit first. Months and
 * years stay apart: they have no fixed length. "1M" is refused with the advice
 * that 1m is a minute and 1mo a month. */
struct fl_span {
	int64_t ns;
	int months;
};
int fl_span_parse(const char *text, struct fl_span *span, struct fl_error *err);
/* The same without months: a plain duration. */
int fl_duration_parse(const char *text, int64_t *ns, struct fl_error *err);
/* "N,DUR", or N alone, which leaves *ns as it is: so many, or what comes within
 * that time. For messages: the option, and what one may type.
 * errors  FL_ERR_USAGE */
int fl_count_or_time_parse(const char *text, const char *option,
			   const char *like, uint64_t *count, int64_t *ns,
			   struct fl_error *err);
/* The form that reads back with the fewest units: 10m, 1h30m, 8d, 2wk, 0s;
 * below 0 with '-' in front. text[FL_TIME_TEXT]; returns the length, NUL added.
 */
size_t fl_duration_print(int64_t ns, char *text);
/* ns minus the span, months first, by the UTC calendar (the day clipped to the
 * month's end). FL_TIME_NONE before 1678. */
int64_t fl_time_minus_span(int64_t ns, const struct fl_span *span);

/* Bar intervals: whole seconds that divide the day, or 1d 1wk 1mo 3mo 1y. */
struct fl_interval {
	int64_t ns;    /* up to a week; 0 for month intervals */
	int months;    /* 1, 3 or 12; 0 for the others */
	bool dated;    /* 1d and longer: the bar has a date */
	char text[12]; /* canonical: 1h, never 60m; 1d, never 24h */
};
int fl_interval_parse(const char *text, struct fl_interval *interval,
		      struct fl_error *err);

int64_t fl_now_ns(void);       /* wall clock */
int64_t fl_monotonic_ns(void); /* for time-outs and rates */

#endif
