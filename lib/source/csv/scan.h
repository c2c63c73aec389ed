/* csv_scan: the small readers that dates are read with.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_SCAN_H
#define FL_SOURCE_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "source/csv/date.h"

struct fl_csv_scan {
	const char *at, *end;
};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline void skip_blanks(struct fl_csv_scan *in)
{
	while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
		in->at++;
}

static inline char peek(const struct fl_csv_scan *in)
{
	return in->at < in->end ? *in->at : '\0';
}

static inline bool one_of(char c, const char *these)
{
	return c && strchr(these, c);
}

static inline bool take(struct fl_csv_scan *in, char c)
{
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static inline bool at_end(struct fl_csv_scan *in)
{
	skip_blanks(in);
	return in->at == in->end;
}

static inline size_t digits_ahead(const struct fl_csv_scan *in)
{
	const char *at = in->at;

	while (at < in->end && is_digit(*at))
		at++;
	return (size_t)(at - in->at);
}

static inline size_t letters_ahead(const struct fl_csv_scan *in)
{
	const char *at = in->at;

	while (at < in->end && is_letter(*at))
		at++;
	return (size_t)(at - in->at);
}

/* `count` digits, which are there. */
static inline int take_number(struct fl_csv_scan *in, size_t count)
{
	int value = 0;

	while (count--)
		value = 10 * value + (*in->at++ - '0');
	return value;
}

/* Between `least` and `most` digits; false: there are fewer. */
static inline bool number(struct fl_csv_scan *in, size_t least, size_t most,
			  int *value)
{
	size_t count = digits_ahead(in);

	if (count < least)
		return false;
	*value = take_number(in, count < most ? count : most);
	return true;
}

/* Digits of a fraction, as billionths; what is finer is cut off. */
static inline bool fraction(struct fl_csv_scan *in, int *nanos)
{
	int value = 0, places = 0;

	if (!is_digit(peek(in)))
		return false;
	for (; is_digit(peek(in)); in->at++) {
		if (places == 9)
			continue;
		value = 10 * value + (*in->at - '0');
		places++;
	}
	while (places++ < 9)
		value *= 10;
	*nanos = value;
	return true;
}

static inline int full_year(int year)
{
	return year + (year <= 68 ? 2000 : 1900);
}

/* The parts of a cell, in csv_when.c. Each takes what it reads and says whether
 * that was good; those of optional parts say so too when there is nothing. */

/* A month's name or its beginning, three letters or more: 1 to 12, else 0. */
int fl_csv_take_month(struct fl_csv_scan *in);
bool fl_csv_take_weekday(struct fl_csv_scan *in);
/* Optional: AM or PM after an hour of 1 to 12, which it makes one of 24. */
bool fl_csv_half_day(struct fl_csv_scan *in, int *hour);
bool fl_csv_time_good(const struct fl_csv_when *when);
/* Optional: Z, UTC, GMT, +01:00, -0500, GMT+1. */
bool fl_csv_zone_after(struct fl_csv_scan *in, struct fl_csv_when *when);
/* Optional, to the end: a time of day behind a date and perhaps its offset;
 * with `compact` also 093000. */
bool fl_csv_time_after(struct fl_csv_scan *in, bool compact,
		       struct fl_csv_when *when);
/* To the end: digits alone, perhaps with a sign before and a fraction after. */
bool fl_csv_integer(struct fl_csv_scan *in, struct fl_csv_when *when);
/* A whole cell in any form. */
bool fl_csv_read_any(struct fl_csv_scan *in, struct fl_csv_when *when);
/* A whole cell by --date-format; csv_format.c. */
bool fl_csv_read_format(struct fl_csv_scan *in, const char *format,
			struct fl_csv_when *when);
/* Is the format one of the words s ms us ns? */
bool fl_csv_is_unit(const char *format);

#endif
