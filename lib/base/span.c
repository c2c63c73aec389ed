/* span: the times, durations and intervals that users type; see time.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/time.h"
#include "base/zone.h"

#define MOST_MONTHS (12 * 1000) /* more than any time here can go back */
#define MOST_SHOWN  60          /* bytes of a user's text in a message */

struct unit {
	char name[4];
	int64_t ns;
	int months;
};

/* Largest first: this is also the order of printing. */
static const struct unit units[] = {
	{ "y", 0, 12 },        { "mo", 0, 1 },       { "wk", 7 * FL_DAY, 0 },
	{ "d", FL_DAY, 0 },    { "h", FL_HOUR, 0 },  { "m", FL_MINUTE, 0 },
	{ "s", FL_SECOND, 0 }, { "ms", 1000000, 0 }, { "us", 1000, 0 },
	{ "ns", 1, 0 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static const char *show(const char *text)
{
	return fl_show(text, strlen(text), MOST_SHOWN);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Digits; NULL when there are none or too many. */
static const char *read_count(const char *p, int64_t *count)
{
	const char *start = p;

	for (*count = 0; is_digit(*p); p++)
		if (__builtin_mul_overflow(*count, 10, count) ||
		    __builtin_add_overflow(*count, *p - '0', count))
			return NULL;
	return p > start ? p : NULL;
}

static const char *read_unit(const char *p, const struct unit **unit)
{
	size_t len = 0;

	while (is_letter(p[len]))
		len++;
	for (size_t i = 0; i < UNITS; i++) {
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, p, len) == 0) {
			*unit = &units[i];
			return p + len;
		}
	}
	return NULL;
}

static bool add_term(struct fl_span *span, int64_t count,
		     const struct unit *unit)
{
	int64_t ns, months;

	if (__builtin_mul_overflow(count, unit->ns, &ns) ||
	    __builtin_add_overflow(span->ns, ns, &span->ns) ||
	    __builtin_mul_overflow(count, unit->months, &months) ||
	    __builtin_add_overflow(span->months, months, &months) ||
	    months > MOST_MONTHS)
		return false;
	span->months = (int)months;
	return true;
}

/* Counts with their units, the larger units first, each at most once. */
static bool read_span(const char *p, struct fl_span *span)
{
	const struct unit *unit, *last = NULL;
	int64_t count;

	*span = (struct fl_span){ 0 };
	if (strcmp(p, "0") == 0)
		return true;
	do {
		p = read_count(p, &count);
		if (!p)
			return false;
		p = read_unit(p, &unit);
		if (!p || (last && unit <= last) ||
		    !add_term(span, count, unit))
			return false;
		last = unit;
	} while (*p);
	return true;
}

/* `what` names the kind of thing in messages. */
static int parse_span(const char *text, const char *what, struct fl_span *span,
		      struct fl_error *err)
{
	const char *unit = text + strspn(text, "0123456789");

	if (read_span(text, span))
		return 0;
	if (unit > text && strcmp(unit, "M") == 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s '%s' is unclear: 1m is a minute, 1mo a "
				    "month",
				    what, show(text));
	return fl_error_set(err, FL_ERR_USAGE,
			    "'%s' is no %s; say for example 10s, 5m, 4h, 7d, "
			    "1wk, 3mo or 1y",
			    show(text), what);
}

int fl_span_parse(const char *text, struct fl_span *span, struct fl_error *err)
{
	return parse_span(text, "duration", span, err);
}

int fl_duration_parse(const char *text, int64_t *ns, struct fl_error *err)
{
	struct fl_span span;

	if (parse_span(text, "duration", &span, err) < 0)
		return -1;
	if (span.months)
		return fl_error_set(err, FL_ERR_USAGE,
				    "duration '%s' has no fixed length; say it "
				    "in days, for example 90d",
				    show(text));
	*ns = span.ns;
	return 0;
}

size_t fl_duration_print(int64_t ns, char *text)
{
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	size_t len = 0;

	if (!ns)
		return (size_t)snprintf(text, FL_TIME_TEXT, "0s");
	if (ns < 0)
		text[len++] = '-';
	for (const struct unit *unit = units; left; unit++) {
		uint64_t size = (uint64_t)unit->ns;

		/* Weeks only where nothing else is needed: 8d, not 1wk1d. */
		if (!size || left < size || (size > FL_DAY && left % size))
			continue;
		len += (size_t)snprintf(
			text + len, FL_TIME_TEXT - len, "%llu%s",
			(unsigned long long)(left / size), unit->name);
		left %= size;
	}
	return len;
}

static int month_days(int year, int month)
{
	int days = 28;

	while (fl_date_valid(year, month, days + 1))
		days++;
	return days;
}

int64_t fl_time_minus_span(int64_t ns, const struct fl_span *span)
{
	struct fl_civil civil;
	int months, most;

	if (span->months) {
		fl_civil_from_time(ns, &civil);
		/* Since year 0; positive, since no span is that long. */
		months = civil.year * 12 + civil.month - 1 - span->months;
		if (months < FL_YEAR_MIN * 12)
			return FL_TIME_NONE;
		civil.year = months / 12;
		civil.month = months % 12 + 1;
		most = month_days(civil.year, civil.month);
		if (civil.day > most)
			civil.day = most;
		ns = fl_time_from_civil(&civil);
		if (ns == FL_TIME_NONE)
			return FL_TIME_NONE;
	}
	if (__builtin_sub_overflow(ns, span->ns, &ns) || ns < FL_TIME_MIN)
		return FL_TIME_NONE;
	return ns;
}

int fl_interval_parse(const char *text, struct fl_interval *interval,
		      struct fl_error *err)
{
	struct fl_span span;
	char name[FL_TIME_TEXT];
	bool good;

	if (parse_span(text, "interval", &span, err) < 0)
		return -1;
	if (span.months)
		good = !span.ns && (span.months == 1 || span.months == 3 ||
				    span.months == 12);
	else
		good = span.ns == FL_DAY || span.ns == 7 * FL_DAY ||
		       (span.ns >= FL_SECOND && span.ns % FL_SECOND == 0 &&
			FL_DAY % span.ns == 0);
	if (!good)
		return fl_error_set(err, FL_ERR_USAGE,
				    "no bars of interval '%s': it must divide "
				    "the day, 1s to 12h, or be 1d, 1wk, 1mo, "
				    "3mo or 1y",
				    show(text));
	if (span.months == 12)
		memcpy(name, "1y", 3);
	else if (span.months)
		snprintf(name, sizeof(name), "%dmo", span.months);
	else
		fl_duration_print(span.ns, name);
	assert(strlen(name) < sizeof(interval->text));
	*interval = (struct fl_interval){
		.ns = span.ns,
		.months = span.months,
		.dated = span.months || span.ns >= FL_DAY,
	};
	memcpy(interval->text, name, strlen(name) + 1);
	return 0;
}

/* Wall time, given as if it were UTC, to the instant in the zone. */
static bool from_wall(int64_t wall, const struct fl_zone *zone, int64_t *ns)
{
	struct fl_civil civil;

	fl_civil_from_time(wall, &civil);
	return fl_zone_to_utc(zone, &civil, ns, NULL) != FL_ZONE_RANGE;
}

/* Midnight `back` days before the present day of the zone. */
static bool from_midnight(int back, const struct fl_zone *zone, int64_t now_ns,
			  int64_t *ns)
{
	int64_t wall = now_ns + fl_zone_offset(zone, now_ns) * FL_SECOND;
	int64_t days = wall / FL_DAY - (wall % FL_DAY < 0);

	return from_wall((days - back) * FL_DAY, zone, ns);
}

/* Seconds since 1970, with a fraction if need be. */
static bool from_epoch(const char *text, int64_t *ns)
{
	struct fl_decimal seconds;

	if (fl_decimal_parse(text, strlen(text), &seconds) !=
		    FL_DECIMAL_EXACT ||
	    seconds.scale > 9)
		return false;
	*ns = seconds.mant;
	for (int i = seconds.scale; i < 9; i++)
		if (__builtin_mul_overflow(*ns, 10, ns))
			return false;
	return *ns >= FL_TIME_MIN && *ns <= FL_TIME_MAX;
}

/* A date, or RFC 3339 of which seconds or offset or both may be missing: they
 * are filled in and the whole is read as RFC 3339. */
static bool from_calendar(const char *text, const struct fl_zone *zone,
			  int64_t *ns)
{
	size_t len = strlen(text);
	char full[64];
	int64_t wall;

	if (len > sizeof(full) - 5)
		return false;
	if (fl_time_parse(text, len, ns) != FL_TIME_BAD)
		return true;
	if (fl_date_parse(text, len, &wall))
		return from_wall(wall * FL_DAY, zone, ns);
	if (len < 16)
		return false;
	snprintf(full, sizeof(full), "%.16s:00%s", text, text + 16);
	if (fl_time_parse(full, len + 3, ns) != FL_TIME_BAD)
		return true;
	snprintf(full, sizeof(full), "%s%s", text, len == 16 ? ":00Z" : "Z");
	return fl_time_parse(full, strlen(full), &wall) != FL_TIME_BAD &&
	       from_wall(wall, zone, ns);
}

int fl_time_from_user(const char *text, const struct fl_zone *zone,
		      int64_t now_ns, int64_t *ns, struct fl_error *err)
{
	struct fl_span span;
	bool good;

	if (strcmp(text, "now") == 0) {
		*ns = now_ns;
		return 0;
	}
	if (*text == '-') {
		if (fl_span_parse(text + 1, &span, err) < 0)
			return -1;
		*ns = fl_time_minus_span(now_ns, &span);
		if (*ns == FL_TIME_NONE)
			return fl_error_set(err, FL_ERR_USAGE,
					    "'%s' reaches too far back",
					    show(text));
		good = true;
	} else if (*text == '@') {
		good = from_epoch(text + 1, ns);
	} else if (strcmp(text, "today") == 0) {
		good = from_midnight(0, zone, now_ns, ns);
	} else if (strcmp(text, "yesterday") == 0) {
		good = from_midnight(1, zone, now_ns, ns);
	} else {
		good = from_calendar(text, zone, ns);
	}
	if (good)
		return 0;
	return fl_error_set(err, FL_ERR_USAGE,
			    "'%s' is no time; say for example 2026-01-31, "
			    "2026-01-31T09:30, 2026-01-31T09:30:00Z, today, "
			    "yesterday, now, -7d or @1700000000",
			    show(text));
}

int fl_count_or_time_parse(const char *text, const char *option,
			   const char *like, uint64_t *count, int64_t *ns,
			   struct fl_error *err)
{
	const char *comma = strchr(text, ',');
	char *end;

	*count = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || (*end && end != comma) || !*count)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s takes a number of records and a time, "
				    "such as %s, not '%s'",
				    option, like,
				    fl_show(text, strlen(text), 60));
	if (comma && fl_duration_parse(comma + 1, ns, err) < 0)
		return fl_error_wrap(err, "%s", option);
	return 0;
}
