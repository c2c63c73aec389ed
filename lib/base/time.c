/* time: see time.h. Instants, dates and RFC 3339; what users type is span.c.
 *
 * Every record carries at least one time in our own form, so that form is read
 * at fixed positions, eight characters a step: subtracting the pattern
 * "0000-00-…" leaves digits and zeros, which one addition checks at once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <endian.h>
#include <string.h>
#include <time.h>

/* Days from 0000-03-01 to 1970-01-01 and in 400 years; as many times 400 years
 * as make all numbers below positive. */
#define EPOCH_DAYS 719468
#define ERA_DAYS   146097
#define ERAS       82

static bool is_leap(int year)
{
	/* Of the years divisible by 25 those divisible by 16, of the others
	 * those divisible by 4. */
	return (year & (year % 25 ? 3 : 15)) == 0;
}

bool fl_date_valid(int year, int month, int day)
{
	int days;

	if (month < 1 || month > 12 || day < 1)
		return false;
	/* 31 for odd months up to July, for even ones after it. */
	days = month == 2 ? 28 + is_leap(year) : 30 | (month ^ month >> 3);
	return day <= days;
}

/* Years start in March here, so that the leap day comes last; January and
 * February are months 13 and 14 of the year before. Divisions by constants and
 * multiples of 2^16 or 2^32 stand for the calendar's own, which cost more.
 *
 * source  Neri and Schneider, "Euclidean affine functions and their application
 *         to calendar algorithms", Software: Practice and Experience, 2022 */
int64_t fl_days_from_civil(int year, int month, int day)
{
	bool next = month < 3;
	uint32_t y = (uint32_t)(year + ERAS * 400 - next);
	uint32_t m = (uint32_t)(month + (next ? 12 : 0));
	uint32_t century = y / 100;

	return (int64_t)(1461 * y / 4 - century + century / 4 +
			 (979 * m - 2919) / 32) +
	       day - 1 - (EPOCH_DAYS + ERAS * ERA_DAYS);
}

void fl_civil_from_days(int64_t days, int *year, int *month, int *day)
{
	uint32_t n = 4 * ((uint32_t)days + EPOCH_DAYS + ERAS * ERA_DAYS) + 3;
	uint32_t century = n / ERA_DAYS;
	uint64_t product = UINT64_C(2939745) * (n % ERA_DAYS | 3);
	uint32_t of_century = (uint32_t)(product >> 32);
	uint32_t of_year = (uint32_t)product / 2939745 / 4;
	uint32_t months = 2141 * of_year + 197913;
	bool next = of_year >= 306;

	*year = (int)(100 * century + of_century) - ERAS * 400 + next;
	*month = (int)(months >> 16) - (next ? 12 : 0);
	*day = (int)((months & 0xffff) / 2141) + 1;
}

/* Whole days and what is left, which is never negative. */
static int64_t split_days(int64_t ns, int64_t *rest)
{
	int64_t days = ns / FL_DAY;

	*rest = ns % FL_DAY;
	if (*rest < 0) {
		*rest += FL_DAY;
		days--;
	}
	return days;
}

int64_t fl_time_from_civil(const struct fl_civil *civil)
{
	if (civil->year < FL_YEAR_MIN || civil->year > FL_YEAR_MAX ||
	    !fl_date_valid(civil->year, civil->month, civil->day) ||
	    (unsigned)civil->hour > 23 || (unsigned)civil->minute > 59 ||
	    (unsigned)civil->second > 59 || (unsigned)civil->nanos > 999999999)
		return FL_TIME_NONE;
	return fl_days_from_civil(civil->year, civil->month, civil->day) *
		       FL_DAY +
	       civil->hour * FL_HOUR + civil->minute * FL_MINUTE +
	       civil->second * FL_SECOND + civil->nanos;
}

void fl_civil_from_time(int64_t ns, struct fl_civil *civil)
{
	int64_t rest;
	int seconds;

	fl_civil_from_days(split_days(ns, &rest), &civil->year, &civil->month,
			   &civil->day);
	seconds = (int)(rest / FL_SECOND);
	civil->nanos = (int)(rest % FL_SECOND);
	civil->hour = seconds / 3600;
	civil->minute = seconds / 60 % 60;
	civil->second = seconds % 60;
}

/* The word whose lowest byte is the first of eight characters. */
#define WORD(a, b, c, d, e, f, g, h)                                           \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 |            \
	 (uint64_t)(d) << 24 | (uint64_t)(e) << 32 | (uint64_t)(f) << 40 |     \
	 (uint64_t)(g) << 48 | (uint64_t)(h) << 56)

static uint64_t load(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return le64toh(word);
}

/* Take the pattern off eight characters, leaving digits where it has '0' and 0
 * elsewhere. The top bits of `bad` collect what was no digit or differed. */
static inline uint64_t match(const char *text, uint64_t pattern, uint64_t *bad)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	/* 1 in each byte of the pattern that is not '0': folded to a constant,
	 * as all patterns are. */
	uint64_t zeros = pattern ^ ones * '0';
	uint64_t fixed = (zeros + ones * 0x7f) >> 7 & ones;
	uint64_t word = load(text) ^ pattern;

	/* + 0x76 lifts 10 and more to the top bit, + 0x7f all but 0. */
	*bad |= (word + ones * 0x76 + fixed * 9) | word;
	return word;
}

static bool is_bad(uint64_t bad)
{
	return (bad & UINT64_C(0x8080808080808080)) != 0;
}

/* In each byte ten times its digit plus the digit after it. */
static uint64_t pairs(uint64_t digits)
{
	return digits * 10 + (digits >> 8);
}

static int byte(uint64_t word, int i)
{
	return (int)(word >> 8 * i & 0xff);
}

/* Nanoseconds from the digits in text[20] on: up to four stand in `third`,
 * which was loaded from text[16], the others in `last`, which ends with the
 * text. */
static int own_fraction(size_t len, uint64_t third, uint64_t last)
{
	uint64_t two = pairs(last);

	switch (len) {
	case 24:
		return byte(pairs(third), 4) * 10000000 +
		       byte(third, 6) * 1000000;
	case 27:
		return byte(two, 1) * 10000000 + byte(two, 3) * 100000 +
		       byte(two, 5) * 1000;
	default:
		return byte(pairs(third), 4) * 10000000 +
		       byte(two, 0) * 100000 + byte(two, 2) * 1000 +
		       byte(two, 4) * 10 + byte(last, 6);
	}
}

/* 2026-01-31T09:30:00.000Z, with 3, 6 or 9 digits, which is 24, 27 or 30
 * characters. false: not in our form, or no valid time. */
static inline bool parse_own(const char *text, size_t len, int64_t *ns)
{
	uint64_t bad = 0, date, clock, third, last = 0;
	struct fl_civil civil;

	date = match(text, WORD('0', '0', '0', '0', '-', '0', '0', '-'), &bad);
	clock = match(text + 8, WORD('0', '0', 'T', '0', '0', ':', '0', '0'),
		      &bad);
	if (len == 24)
		third = match(text + 16,
			      WORD(':', '0', '0', '.', '0', '0', '0', 'Z'),
			      &bad);
	else
		third = match(text + 16,
			      WORD(':', '0', '0', '.', '0', '0', '0', '0'),
			      &bad);
	if (len == 27)
		last = match(text + 19,
			     WORD('.', '0', '0', '0', '0', '0', '0', 'Z'),
			     &bad);
	else if (len == 30)
		last = match(text + 22,
			     WORD('0', '0', '0', '0', '0', '0', '0', 'Z'),
			     &bad);
	if (is_bad(bad))
		return false;
	civil.nanos = own_fraction(len, third, last);
	if (len > 24 && civil.nanos % (len == 27 ? 1000000 : 1000) == 0)
		return false; /* fewer digits would do */
	date = pairs(date);
	clock = pairs(clock);
	civil.year = byte(date, 0) * 100 + byte(date, 2);
	civil.month = byte(date, 5);
	civil.day = byte(clock, 0);
	civil.hour = byte(clock, 3);
	civil.minute = byte(clock, 6);
	civil.second = byte(pairs(third), 1);
	*ns = fl_time_from_civil(&civil);
	return *ns != FL_TIME_NONE;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Two digits, or -1. */
static int two(const char *p)
{
	if (!is_digit(p[0]) || !is_digit(p[1]))
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* YYYY-MM-DD at text[10]. */
static bool read_date(const char *text, int *year, int *month, int *day)
{
	int high = two(text), low = two(text + 2);

	*year = high * 100 + low;
	*month = two(text + 5);
	*day = two(text + 8);
	return high >= 0 && low >= 0 && text[4] == '-' && text[7] == '-' &&
	       fl_date_valid(*year, *month, *day);
}

/* Z or ±hh:mm, all of [p, end), in seconds east. */
static bool read_offset(const char *p, const char *end, int *offset)
{
	int hours, minutes;

	*offset = 0;
	if (end - p == 1)
		return *p == 'Z' || *p == 'z';
	if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':')
		return false;
	hours = two(p + 1);
	minutes = two(p + 4);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*offset = (hours * 60 + minutes) * (*p == '-' ? -60 : 60);
	return true;
}

/* Nanoseconds of the fraction's digits; those past the ninth are cut off. */
static const char *read_fraction(const char *p, const char *end, int *nanos)
{
	int unit = 100000000;

	*nanos = 0;
	for (; p < end && is_digit(*p); p++) {
		*nanos += (*p - '0') * unit;
		unit /= 10;
	}
	return p;
}

/* Any RFC 3339 date-time. */
static bool parse_any(const char *text, size_t len, int64_t *ns)
{
	const char *p = text + 19, *end = text + len;
	int year, month, day, hour, minute, second, nanos = 0, offset;
	int64_t seconds;

	if (len < 20 || !read_date(text, &year, &month, &day) ||
	    (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
	    text[13] != ':' || text[16] != ':')
		return false;
	hour = two(text + 11);
	minute = two(text + 14);
	second = two(text + 17); /* 60 counts on by itself */
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 60)
		return false;
	if (*p == '.') {
		if (p + 1 == end || !is_digit(p[1]))
			return false;
		p = read_fraction(p + 1, end, &nanos);
	}
	if (!read_offset(p, end, &offset))
		return false;
	seconds = fl_days_from_civil(year, month, day) * 86400 + hour * 3600 +
		  minute * 60 + second - offset;
	if (seconds < FL_TIME_MIN / FL_SECOND ||
	    seconds > FL_TIME_MAX / FL_SECOND)
		return false;
	*ns = seconds * FL_SECOND + nanos;
	return true;
}

enum fl_time_read fl_time_parse(const char *text, size_t len, int64_t *ns)
{
	if ((len == 24 || len == 27 || len == 30) && parse_own(text, len, ns))
		return FL_TIME_OK;
	return parse_any(text, len, ns) ? FL_TIME_FOREIGN : FL_TIME_BAD;
}

bool fl_date_parse(const char *text, size_t len, int64_t *days)
{
	int year, month, day;

	if (len != 10 || !read_date(text, &year, &month, &day) ||
	    year < FL_YEAR_MIN || year > FL_YEAR_MAX)
		return false;
	*days = fl_days_from_civil(year, month, day);
	return true;
}

/* The last `count` decimal digits of value. */
static char *put(char *p, unsigned value, int count)
{
	for (int i = count; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + count;
}

static char *put_date(char *p, int year, int month, int day)
{
	p = put(p, (unsigned)year, 4);
	*p++ = '-';
	p = put(p, (unsigned)month, 2);
	*p++ = '-';
	return put(p, (unsigned)day, 2);
}

size_t fl_date_print(int64_t days, char *text)
{
	int year, month, day;
	char *p;

	fl_civil_from_days(days, &year, &month, &day);
	p = put_date(text, year, month, day);
	*p = '\0';
	return (size_t)(p - text);
}

size_t fl_time_print(int64_t ns, char *text)
{
	struct fl_civil civil;
	unsigned nanos;
	char *p;

	fl_civil_from_time(ns, &civil);
	nanos = (unsigned)civil.nanos;
	p = put_date(text, civil.year, civil.month, civil.day);
	*p++ = 'T';
	p = put(p, (unsigned)civil.hour, 2);
	*p++ = ':';
	p = put(p, (unsigned)civil.minute, 2);
	*p++ = ':';
	p = put(p, (unsigned)civil.second, 2);
	*p++ = '.';
	if (nanos % 1000000 == 0)
		p = put(p, nanos / 1000000, 3);
	else if (nanos % 1000 == 0)
		p = put(p, nanos / 1000, 6);
	else
		p = put(p, nanos, 9);
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - text);
}

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * FL_SECOND + now.tv_nsec;
}

int64_t fl_now_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t fl_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
