/* csv_when: one cell of a date column, in any common form; see csv_date.h.
 *
 * Own code and not strptime(3): that knows one form at a time, takes month
 * names from the locale, and accepts the 31st of February.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "base/time.h"
#include "source/csv/scan.h"

static const char *const months[] = { "january", "february", "march",
				      "april",   "may",      "june",
				      "july",    "august",   "september",
				      "october", "november", "december" };
static const char *const weekdays[] = { "monday",   "tuesday", "wednesday",
					"thursday", "friday",  "saturday",
					"sunday" };

/* A name or its beginning, three letters or more; its number from 1, else 0. */
static int take_name(struct fl_csv_scan *in, const char *const *names,
		     int count)
{
	size_t len = letters_ahead(in);

	if (len < 3)
		return 0;
	for (int i = 0; i < count; i++) {
		if (len > strlen(names[i]) ||
		    strncasecmp(in->at, names[i], len) != 0)
			continue;
		in->at += len;
		return i + 1;
	}
	return 0;
}

int fl_csv_take_month(struct fl_csv_scan *in)
{
	int month = take_name(in, months, 12);

	if (month)
		take(in, '.'); /* Jan. 31 */
	return month;
}

bool fl_csv_take_weekday(struct fl_csv_scan *in)
{
	return take_name(in, weekdays, 7) > 0;
}

static void skip_weekday(struct fl_csv_scan *in)
{
	struct fl_csv_scan back = *in;

	if (!take_name(in, weekdays, 7))
		return;
	take(in, '.');
	take(in, ',');
	skip_blanks(in);
	if (in->at == in->end)
		*in = back;
}

/* --- time of day, zone --- */

/* AM or PM after an hour of 1 to 12; true also when there is none. */
bool fl_csv_half_day(struct fl_csv_scan *in, int *hour)
{
	struct fl_csv_scan back = *in;
	bool pm;

	skip_blanks(in);
	if (!one_of(peek(in), "aApP")) {
		*in = back;
		return true;
	}
	pm = (*in->at++ | ' ') == 'p';
	take(in, '.');
	if ((peek(in) | ' ') != 'm')
		return false;
	in->at++;
	take(in, '.');
	if (*hour < 1 || *hour > 12)
		return false;
	*hour = *hour % 12 + (pm ? 12 : 0);
	return true;
}

bool fl_csv_time_good(const struct fl_csv_when *when)
{
	return when->hour < 24 && when->minute < 60 && when->second <= 60;
}

/* hhmm, hhmmss, hhmmssmmm and, where `lost` zeros in front may be missing, hmm
 * and hmmss. */
static bool compact_time(struct fl_csv_scan *in, bool lost,
			 struct fl_csv_when *when)
{
	size_t count = digits_ahead(in);

	if (count != 4 && count != 6 && count != 9 &&
	    !(lost && (count == 3 || count == 5)))
		return false;
	when->hour = take_number(in, count == 3 || count == 5 ? 1 : 2);
	when->minute = take_number(in, 2);
	if (count >= 5)
		when->second = take_number(in, 2);
	if (count == 9)
		when->nanos = take_number(in, 3) * 1000000;
	else if (count >= 5 && take(in, '.') && !fraction(in, &when->nanos))
		return false;
	return true;
}

/* 9:30, 09:30:00.123, 9:30 PM, 9 PM; with `compact` also 093000. */
static bool time_of_day(struct fl_csv_scan *in, bool compact, bool lost,
			struct fl_csv_when *when)
{
	size_t count = digits_ahead(in);

	when->timed = true;
	when->hour = when->minute = when->second = when->nanos = 0;
	if (count == 0)
		return false;
	if (count > 2) {
		if (!compact || !compact_time(in, lost, when))
			return false;
	} else {
		when->hour = take_number(in, count);
		if (take(in, ':')) {
			if (digits_ahead(in) != 2)
				return false;
			when->minute = take_number(in, 2);
			if (take(in, ':')) {
				if (digits_ahead(in) != 2)
					return false;
				when->second = take_number(in, 2);
				if ((take(in, '.') || take(in, ',')) &&
				    !fraction(in, &when->nanos))
					return false;
			}
		} else {
			struct fl_csv_scan back = *in;

			/* An hour alone needs its half of the day. */
			skip_blanks(&back);
			if (!one_of(peek(&back), "aApP"))
				return false;
		}
	}
	return fl_csv_half_day(in, &when->hour) && fl_csv_time_good(when);
}

/* Z, UTC, GMT, +01:00, -0500, GMT+1; true also when there is none. */
bool fl_csv_zone_after(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	int hours, minutes = 0, sign;
	size_t count;

	skip_blanks(in);
	if (take(in, 'Z') || take(in, 'z')) {
		when->zoned = true;
		when->offset = 0;
		return true;
	}
	if (in->end - in->at >= 3 && (strncasecmp(in->at, "UTC", 3) == 0 ||
				      strncasecmp(in->at, "GMT", 3) == 0)) {
		in->at += 3;
		when->zoned = true;
		when->offset = 0;
	}
	if (peek(in) != '+' && peek(in) != '-')
		return true;
	sign = *in->at++ == '-' ? -1 : 1;
	count = digits_ahead(in);
	if (count != 1 && count != 2 && count != 4)
		return false;
	hours = take_number(in, count == 1 ? 1 : 2);
	if (count == 4 || (count == 2 && take(in, ':'))) {
		if (digits_ahead(in) != 2)
			return false;
		minutes = take_number(in, 2);
	}
	when->zoned = true;
	when->offset = sign * (hours * 3600 + minutes * 60);
	return hours <= 18 && minutes < 60;
}

/* What may follow a date: nothing, or a time and perhaps its offset. */
bool fl_csv_time_after(struct fl_csv_scan *in, bool compact,
		       struct fl_csv_when *when)
{
	bool apart = false;

	while (one_of(peek(in), " \tT,")) {
		apart = true;
		in->at++;
	}
	if (in->at == in->end)
		return true;
	return apart && time_of_day(in, compact, false, when) &&
	       fl_csv_zone_after(in, when) && at_end(in);
}

/* --- dates --- */

static bool year_after(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	size_t count;

	take(in, '\'');
	count = digits_ahead(in);
	if (count != 4 && count != 2)
		return false;
	when->year = take_number(in, count);
	when->short_year = count == 2;
	if (count == 2)
		when->year = full_year(when->year);
	return true;
}

static void skip_between(struct fl_csv_scan *in, const char *these)
{
	while (one_of(peek(in), these))
		in->at++;
}

/* 2026-01-31, 2026/1/31, 2026.1.31, 2026-Jan-31, 2026-01: four digits came. */
static bool year_first(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	char separator;

	when->form = FL_CSV_DAY;
	when->year = take_number(in, 4);
	separator = *in->at++;
	when->month = fl_csv_take_month(in);
	if (!when->month && !number(in, 1, 2, &when->month))
		return false;
	if (at_end(in) && separator == '-') {
		when->day = 1;
		return true;
	}
	return take(in, separator) && number(in, 1, 2, &when->day) &&
	       fl_csv_time_after(in, false, when);
}

/* 1/31/2026, 31.1.26, 31-1-2026, 31 Jan 2026, 31-Jan-26: one or two digits
 * came. */
static bool day_first(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	size_t count = digits_ahead(in);
	int first = take_number(in, count);
	char separator = peek(in);

	if (separator == '/' || separator == '-' || separator == '.') {
		struct fl_csv_scan back = *in;

		in->at++;
		if (is_digit(peek(in))) {
			when->form = FL_CSV_TRIPLE;
			when->month = first;
			when->separator = separator;
			return number(in, 1, 2, &when->day) &&
			       take(in, separator) && year_after(in, when) &&
			       fl_csv_time_after(in, false, when);
		}
		*in = back;
	}
	if (in->end - in->at >= 2 && (strncasecmp(in->at, "st", 2) == 0 ||
				      strncasecmp(in->at, "nd", 2) == 0 ||
				      strncasecmp(in->at, "rd", 2) == 0 ||
				      strncasecmp(in->at, "th", 2) == 0))
		in->at += 2;
	skip_between(in, " -/.,");
	when->form = FL_CSV_DAY;
	when->day = first;
	when->month = fl_csv_take_month(in);
	skip_between(in, " -/.,");
	return when->month && year_after(in, when) &&
	       fl_csv_time_after(in, false, when);
}

/* Jan 31 2026, January 31, 2026, Jan-31-26. */
static bool month_first(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	when->form = FL_CSV_DAY;
	when->month = fl_csv_take_month(in);
	skip_between(in, " -/.");
	if (!when->month || !number(in, 1, 2, &when->day))
		return false;
	if (letters_ahead(in) == 2)
		in->at += 2; /* 1st, 2nd */
	if (!one_of(peek(in), " ,-/."))
		return false;
	skip_between(in, " ,-/.");
	return year_after(in, when) && fl_csv_time_after(in, false, when);
}

/* The digits of 20260131, 202601310930, …093000 and …093000123 as a date. */
static bool compact_date(struct fl_csv_scan *in, size_t count,
			 struct fl_csv_when *when)
{
	int year, month, day;

	if (count != 8 && count != 12 && count != 14 && count != 17)
		return false;
	year = take_number(in, 4);
	month = take_number(in, 2);
	day = take_number(in, 2);
	/* Twelve digits may as well be milliseconds of before 2001. */
	if (!fl_date_valid(year, month, day) || year < 1800 || year > 2199)
		return false;
	when->year = year;
	when->month = month;
	when->day = day;
	if (count == 8)
		return true;
	when->timed = true;
	when->hour = take_number(in, 2);
	when->minute = take_number(in, 2);
	if (count >= 14)
		when->second = take_number(in, 2);
	if (count == 17)
		when->nanos = take_number(in, 3) * 1000000;
	return fl_csv_time_good(when);
}

/* Digits alone, perhaps with a sign before and a fraction after them. */
bool fl_csv_integer(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	bool negative = take(in, '-');
	size_t count = digits_ahead(in);
	struct fl_csv_scan digits = *in;
	struct fl_csv_when before = *when;
	int nanos = 0;

	if (count == 0 || count > 19)
		return false;
	when->form = FL_CSV_INTEGER;
	for (; is_digit(peek(in)); in->at++) {
		if (__builtin_mul_overflow(when->count, 10, &when->count) ||
		    __builtin_add_overflow(when->count, *in->at - '0',
					   &when->count))
			return false;
	}
	if (take(in, '.') && !fraction(in, &nanos))
		return false;
	if (!at_end(in))
		return false;
	when->compact =
		!negative && nanos == 0 && compact_date(&digits, count, when);
	if (!when->compact) {
		before.form = FL_CSV_INTEGER;
		before.count = when->count;
		*when = before;
	}
	when->count_frac = negative ? -nanos : nanos;
	if (negative)
		when->count = -when->count;
	return true;
}

/* 2026-01-31 alone, as most files have it. */
static bool iso_date(const char *at, struct fl_csv_when *when)
{
	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7 ? at[i] != '-' : !is_digit(at[i]))
			return false;
	}
	when->form = FL_CSV_DAY;
	when->year = (at[0] - '0') * 1000 + (at[1] - '0') * 100 +
		     (at[2] - '0') * 10 + (at[3] - '0');
	when->month = (at[5] - '0') * 10 + (at[6] - '0');
	when->day = (at[8] - '0') * 10 + (at[9] - '0');
	return true;
}

bool fl_csv_read_any(struct fl_csv_scan *in, struct fl_csv_when *when)
{
	size_t count;

	if (in->end - in->at == 10 && iso_date(in->at, when))
		return true;
	skip_blanks(in);
	while (in->end > in->at && (in->end[-1] == ' ' || in->end[-1] == '\t'))
		in->end--;
	skip_weekday(in);
	count = digits_ahead(in);
	if (count == 0 && peek(in) != '-')
		return month_first(in, when);
	if (in->at + count == in->end || peek(in) == '-' || count > 8 ||
	    (in->at[count] == '.' && count > 4))
		return fl_csv_integer(in, when);
	if (count == 4 && one_of(in->at[count], "-/."))
		return year_first(in, when);
	if (count == 8 && one_of(in->at[count], " T")) {
		when->form = FL_CSV_DAY;
		return compact_date(in, count, when) &&
		       fl_csv_time_after(in, true, when);
	}
	return (count == 1 || count == 2) && day_first(in, when);
}

bool fl_csv_time_read(const char *text, size_t len, struct fl_csv_when *when)
{
	struct fl_csv_scan in = { text, text + len };

	skip_blanks(&in);
	while (in.end > in.at && (in.end[-1] == ' ' || in.end[-1] == '\t'))
		in.end--;
	/* Stooq writes the days' 000000 as 0 where a program took the zeros. */
	if (in.end - in.at == 1 && *in.at == '0') {
		when->timed = true;
		when->hour = when->minute = when->second = when->nanos = 0;
		return true;
	}
	return time_of_day(&in, true, true, when) &&
	       fl_csv_zone_after(&in, when) && at_end(&in);
}
