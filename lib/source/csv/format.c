/* csv_format: dates as --date-format says, in the letters of strptime(3).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "source/csv/scan.h"

/* Digits each directive takes at most; letters do not take digits. */
static bool directive(struct fl_csv_scan *in, char c, struct fl_csv_when *when,
		      bool *pm_given, bool *pm)
{
	int value;

	switch (c) {
	case 'Y':
		return number(in, 4, 4, &when->year);
	case 'y':
		if (!number(in, 2, 2, &value))
			return false;
		when->year = full_year(value);
		return true;
	case 'm':
		return number(in, 1, 2, &when->month);
	case 'd':
	case 'e':
		skip_blanks(in);
		return number(in, 1, 2, &when->day);
	case 'j':
		when->month = 1;
		return number(in, 1, 3, &when->day) && when->day >= 1 &&
		       when->day <= 366;
	case 'b':
	case 'B':
	case 'h':
		when->month = fl_csv_take_month(in);
		return when->month > 0;
	case 'a':
	case 'A':
		return fl_csv_take_weekday(in);
	case 'H':
	case 'k':
	case 'I':
	case 'l':
		skip_blanks(in);
		when->timed = true;
		return number(in, 1, 2, &when->hour) &&
		       (c == 'H' || c == 'k' ||
			(when->hour >= 1 && when->hour <= 12));
	case 'M':
		when->timed = true;
		return number(in, 1, 2, &when->minute);
	case 'S':
		when->timed = true;
		return number(in, 1, 2, &when->second);
	case 'f':
		when->timed = true;
		return fraction(in, &when->nanos);
	case 'p':
		value = 1;
		*pm_given = true;
		skip_blanks(in);
		*pm = (peek(in) | ' ') == 'p';
		return one_of(peek(in), "aApP") && fl_csv_half_day(in, &value);
	case 'z':
	case 'Z':
		return fl_csv_zone_after(in, when) && when->zoned;
	case 's':
		return fl_csv_integer(in, when);
	case 'n':
	case 't':
		skip_blanks(in);
		return true;
	default: /* '%' */
		return take(in, c);
	}
}

static const char directives[] = "YymdejbBhaAHkIlMSfpzZsnt%";

/* Directives that stand for several. */
static const char *several(char c)
{
	switch (c) {
	case 'T':
		return "%H:%M:%S";
	case 'R':
		return "%H:%M";
	case 'D':
		return "%m/%d/%y";
	case 'F':
		return "%Y-%m-%d";
	default:
		return NULL;
	}
}

bool fl_csv_is_unit(const char *format)
{
	return strcmp(format, "s") == 0 || strcmp(format, "ms") == 0 ||
	       strcmp(format, "us") == 0 || strcmp(format, "ns") == 0;
}

/* What the format holds, as bits: 1 year, 2 month, 4 day; or 16, a letter that
 * is none. */
static unsigned format_parts(const char *format, char *unknown)
{
	unsigned parts = 0;

	for (const char *at = format; *at; at++) {
		const char *more;

		if (*at != '%')
			continue;
		at++;
		more = several(*at);
		if (more)
			parts |= format_parts(more, unknown);
		else if (!*at || !strchr(directives, *at)) {
			*unknown = *at;
			return 16;
		} else if (*at == 'Y' || *at == 'y')
			parts |= 1;
		else if (one_of(*at, "mbBh"))
			parts |= 2;
		else if (*at == 'd' || *at == 'e')
			parts |= 4;
		else if (*at == 'j')
			parts |= 6;
		else if (*at == 's')
			parts |= 7;
	}
	return parts;
}

int fl_csv_format_check(const char *format, struct fl_error *err)
{
	char unknown = 0;
	unsigned parts;

	if (fl_csv_is_unit(format))
		return 0;
	parts = format_parts(format, &unknown);
	if (parts == 16)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--date-format '%s': '%%%s' is not known; "
				    "%%Y %%y %%m %%d %%b %%H %%I %%M %%S %%f "
				    "%%p %%z %%s are, and the words s ms us ns",
				    fl_show(format, strlen(format), 80),
				    fl_show(&unknown, unknown != 0, 1));
	if (parts != 7)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--date-format '%s' names no %s; dates "
				    "need all three, as in '%%m/%%d/%%Y'",
				    fl_show(format, strlen(format), 80),
				    !(parts & 1)   ? "year (%Y)"
				    : !(parts & 2) ? "month (%m)"
						   : "day (%d)");
	return 0;
}

static bool by_format(struct fl_csv_scan *in, const char *format,
		      struct fl_csv_when *when, bool *pm_given, bool *pm)
{
	for (; *format; format++) {
		const char *more;

		if (*format == ' ' || *format == '\t') {
			skip_blanks(in);
			continue;
		}
		if (*format != '%') {
			if (!take(in, *format))
				return false;
			continue;
		}
		format++;
		more = several(*format);
		if (more ? !by_format(in, more, when, pm_given, pm)
			 : !directive(in, *format, when, pm_given, pm))
			return false;
	}
	return true;
}

bool fl_csv_read_format(struct fl_csv_scan *in, const char *format,
			struct fl_csv_when *when)
{
	bool pm_given = false, pm = false;

	skip_blanks(in);
	if (fl_csv_is_unit(format))
		return fl_csv_integer(in, when);
	when->form = FL_CSV_DAY;
	if (!by_format(in, format, when, &pm_given, &pm))
		return false;
	if (when->form == FL_CSV_INTEGER)
		return at_end(in);
	if (strstr(format, "%j")) { /* the day of the year */
		int64_t day = fl_days_from_civil(when->year, 1, 1) + when->day;

		fl_civil_from_days(day - 1, &when->year, &when->month,
				   &when->day);
	}
	if (pm_given) {
		if (when->hour < 1 || when->hour > 12)
			return false;
		when->hour = when->hour % 12 + (pm ? 12 : 0);
	}
	if (!when->timed)
		return fl_csv_time_after(in, true, when);
	return fl_csv_time_good(when) && fl_csv_zone_after(in, when) &&
	       at_end(in);
}
