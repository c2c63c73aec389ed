/* logs_stamp: see stamp.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/stamp.h"

#include <string.h>

#include "base/time.h"
#include "source/log/work.h"

enum {
	BSD_LEN = 15,   /* Mmm dd hh:mm:ss */
	YEARS_BACK = 8, /* the 29th of February comes that often at least */
};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* 1 to 12; 0: none. */
static int month_at(const char *at)
{
	for (int i = 0; i < 12; i++)
		if (memcmp(at, months + (size_t)i * 3, 3) == 0)
			return i + 1;
	return 0;
}

/* `count` digits; -1: others. */
static int digits(const char *at, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!fl_logs_digit(at[i]))
			return -1;
		value = value * 10 + (at[i] - '0');
	}
	return value;
}

/* hh:mm:ss */
static bool time_at(const char *at, struct fl_civil *civil)
{
	civil->hour = digits(at, 2);
	civil->minute = digits(at + 3, 2);
	civil->second = digits(at + 6, 2);
	return at[2] == ':' && at[5] == ':' && civil->hour >= 0 &&
	       civil->minute >= 0 && civil->second >= 0;
}

/* A wall time to an instant. One that a clock change repeats is the first of
 * the two, one that it skips is read with the offset from before: a line is not
 * refused for an hour in the year. */
static enum fl_logs_clock wall_to_ns(const struct fl_zone *zone,
				     const struct fl_civil *wall, int64_t *ns)
{
	struct fl_civil civil = *wall;
	bool leap = civil.second == 60;

	if (leap)
		civil.second = 59;
	if (!zone)
		*ns = fl_time_from_civil(&civil);
	else if (fl_zone_to_utc(zone, &civil, ns, NULL) == FL_ZONE_RANGE)
		*ns = FL_TIME_NONE;
	if (*ns == FL_TIME_NONE)
		return FL_LOGS_BAD_STAMP;
	if (leap)
		*ns += FL_SECOND;
	return FL_LOGS_STAMP;
}

/* The latest year that puts the stamp no more than a day after the file. */
static enum fl_logs_clock find_year(const struct fl_logs_times *times,
				    struct fl_civil *civil, int64_t *ns)
{
	struct fl_civil now;

	if (times->year) {
		civil->year = times->year;
		return wall_to_ns(times->zone, civil, ns);
	}
	if (times->file_ns == FL_TIME_NONE)
		return FL_LOGS_NO_YEAR;
	fl_civil_from_time(times->file_ns, &now);
	for (int back = -1; back <= YEARS_BACK; back++) {
		civil->year = now.year - back;
		if (wall_to_ns(times->zone, civil, ns) == FL_LOGS_STAMP &&
		    *ns <= times->file_ns + FL_DAY)
			return FL_LOGS_STAMP;
	}
	return FL_LOGS_BAD_STAMP;
}

/* .123456: up to nine digits count. */
static void fraction_at(const char **at, const char *end, int *nanos)
{
	int unit = 100000000;

	*nanos = 0;
	if (end - *at < 2 || **at != '.' || !fl_logs_digit((*at)[1]))
		return;
	for (++*at; *at < end && fl_logs_digit(**at); ++*at) {
		*nanos += (**at - '0') * unit;
		unit /= 10;
	}
}

/* Mmm dd yyyy hh:mm:ss; -1: no year stands there */
static int year_at(const char *at, const char *end)
{
	int year;

	if (end - at < 5 || at[4] != ' ')
		return -1;
	year = digits(at, 4);
	return year >= FL_YEAR_MIN && year <= FL_YEAR_MAX ? year : -1;
}

enum fl_logs_clock fl_logs_stamp_bsd(struct fl_logs_times *times,
				     const char **at, const char *end,
				     int64_t *ns)
{
	const char *from = *at, *rest;
	struct fl_civil civil = { 0 };
	enum fl_logs_clock got;
	int year;

	if (end - from < BSD_LEN)
		return FL_LOGS_NO_STAMP;
	if (memcmp(from, times->last, BSD_LEN) == 0 && times->last_ns &&
	    times->last_file_ns == times->file_ns &&
	    (end - from == BSD_LEN || from[BSD_LEN] == ' ' ||
	     from[BSD_LEN] == ':') &&
	    !(end - from > BSD_LEN && year_at(from + BSD_LEN + 1, end) > 0)) {
		*ns = times->last_ns;
		*at = from + BSD_LEN;
		return FL_LOGS_STAMP;
	}
	civil.month = month_at(from);
	if (!civil.month || from[3] != ' ' || from[6] != ' ')
		return FL_LOGS_NO_STAMP;
	civil.day = from[4] == ' ' ? digits(from + 5, 1) : digits(from + 4, 2);
	rest = from + 7;
	year = year_at(rest, end);
	if (year > 0)
		rest += 5;
	if (civil.day < 0 || end - rest < 8 || !time_at(rest, &civil))
		return FL_LOGS_NO_STAMP;
	rest += 8;
	fraction_at(&rest, end, &civil.nanos);
	if (rest < end && *rest != ' ' && *rest != ':')
		return FL_LOGS_NO_STAMP;
	/* Some write the year last: Mar  5 09:30:00 2026 host … */
	if (year < 0 && rest < end && *rest == ' ' &&
	    (year = year_at(rest + 1, end)) > 0)
		rest += 5;
	if (year > 0) {
		civil.year = year;
		got = wall_to_ns(times->zone, &civil, ns);
	} else {
		got = find_year(times, &civil, ns);
		if (got == FL_LOGS_STAMP && rest == from + BSD_LEN) {
			memcpy(times->last, from, BSD_LEN);
			times->last_ns = *ns;
			times->last_file_ns = times->file_ns;
		}
	}
	*at = rest;
	return got;
}

enum fl_logs_clock fl_logs_stamp_iso(const char **at, const char *end,
				     int64_t *ns)
{
	const char *from = *at, *to;

	if (end - from < 20 || !fl_logs_digit(*from) || from[4] != '-' ||
	    from[10] != 'T')
		return FL_LOGS_NO_STAMP;
	to = fl_logs_until(from, end, ' ');
	/* Cisco and others end the stamp with a colon. */
	if (to > from && to[-1] == ':')
		to--;
	if (fl_time_parse(from, (size_t)(to - from), ns) == FL_TIME_BAD)
		return FL_LOGS_BAD_STAMP;
	*at = to;
	return FL_LOGS_STAMP;
}

enum fl_logs_clock fl_logs_stamp_clf(const char **at, const char *end,
				     int64_t *ns)
{
	const char *from = *at;
	struct fl_civil civil = { 0 };
	int hours, minutes;

	if (end - from < 26 || from[2] != '/' || from[6] != '/' ||
	    from[11] != ':' || from[20] != ' ' ||
	    (from[21] != '+' && from[21] != '-'))
		return FL_LOGS_NO_STAMP;
	civil.day = digits(from, 2);
	civil.month = month_at(from + 3);
	civil.year = digits(from + 7, 4);
	hours = digits(from + 22, 2);
	minutes = digits(from + 24, 2);
	if (!time_at(from + 12, &civil) || hours < 0 || minutes < 0 ||
	    minutes > 59 || hours > 18)
		return FL_LOGS_BAD_STAMP;
	if (wall_to_ns(NULL, &civil, ns) != FL_LOGS_STAMP)
		return FL_LOGS_BAD_STAMP;
	minutes += hours * 60;
	*ns -= (from[21] == '-' ? -minutes : minutes) * FL_MINUTE;
	if (*ns < FL_TIME_MIN || *ns > FL_TIME_MAX)
		return FL_LOGS_BAD_STAMP;
	*at = from + 26;
	return FL_LOGS_STAMP;
}

enum fl_logs_clock fl_logs_stamp_wall(const struct fl_zone *zone,
				      const char **at, const char *end,
				      int64_t *ns)
{
	const char *from = *at;
	struct fl_civil civil = { 0 };

	if (end - from < 19 || (from[4] != '/' && from[4] != '-') ||
	    from[7] != from[4] || (from[10] != ' ' && from[10] != 'T'))
		return FL_LOGS_NO_STAMP;
	civil.year = digits(from, 4);
	civil.month = digits(from + 5, 2);
	civil.day = digits(from + 8, 2);
	if (!time_at(from + 11, &civil))
		return FL_LOGS_NO_STAMP;
	*at = from + 19;
	fraction_at(at, end, &civil.nanos);
	return wall_to_ns(zone, &civil, ns);
}

bool fl_logs_stamp_cef(struct fl_logs_times *times, const char *at,
		       const char *end, int64_t *ns)
{
	int64_t count;

	if (fl_logs_number(at, (size_t)(end - at), &count)) {
		/* Below this they are seconds of our days, above milliseconds
		 * since 1973. */
		count *= count < INT64_C(100000000000) ? 1000 : 1;
		if (count > FL_TIME_MAX / 1000000)
			return false;
		*ns = count * 1000000;
		return true;
	}
	if (fl_logs_stamp_bsd(times, &at, end, ns) == FL_LOGS_STAMP)
		return true;
	if (fl_logs_stamp_iso(&at, end, ns) == FL_LOGS_STAMP)
		return true;
	return fl_logs_stamp_wall(times->zone, &at, end, ns) == FL_LOGS_STAMP;
}
