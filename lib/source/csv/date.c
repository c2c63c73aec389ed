/* csv_date: what the dates of a whole file are; see csv_date.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/date.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "source/csv/scan.h"

bool fl_csv_dates_read(const struct fl_csv_dates *dates, const char *text,
		       size_t len, struct fl_csv_when *when)
{
	struct fl_csv_scan in = { text, text + len };

	memset(when, 0, sizeof(*when));
	if (dates->format)
		return fl_csv_read_format(&in, dates->format, when);
	return fl_csv_read_any(&in, when);
}

bool fl_csv_date_looks(const char *text, size_t len)
{
	struct fl_csv_dates none = { 0 };
	struct fl_csv_when when;

	if (!fl_csv_dates_read(&none, text, len, &when))
		return false;
	if (when.form != FL_CSV_INTEGER)
		return true;
	return when.compact || (when.count >= INT64_C(100000000) && len >= 9);
}

/* --- the whole file --- */

int64_t fl_csv_unit_ns(enum fl_csv_unit unit)
{
	static const int64_t ns[FL_CSV_UNITS] = { 0, 1000000000, 1000000, 1000,
						  1 };

	return ns[unit];
}

/* The unit in which a count of this size is a time between 1973 and 5138; too
 * small: none. */
static enum fl_csv_unit unit_by_size(int64_t count)
{
	uint64_t size = count < 0 ? -(uint64_t)count : (uint64_t)count;

	return size < UINT64_C(100000000)            ? FL_CSV_NO_COUNT
	       : size < UINT64_C(100000000000)       ? FL_CSV_S
	       : size < UINT64_C(100000000000000)    ? FL_CSV_MS
	       : size < UINT64_C(100000000000000000) ? FL_CSV_US
						     : FL_CSV_NS;
}

/* false: beyond what int64 nanoseconds hold */
static bool count_ns(const struct fl_csv_when *when, enum fl_csv_unit unit,
		     int64_t *ns)
{
	int64_t one = fl_csv_unit_ns(unit);

	return !__builtin_mul_overflow(when->count, one, ns) &&
	       !__builtin_add_overflow(
		       *ns, (int64_t)when->count_frac * one / 1000000000, ns);
}

static bool off_day(int64_t ns)
{
	return ns % FL_DAY != 0;
}

static void add_count(struct fl_csv_dates *dates,
		      const struct fl_csv_when *when,
		      const struct fl_zone *zone)
{
	dates->integers++;
	dates->compacts += when->compact;
	dates->sizes[unit_by_size(when->count)]++;
	for (enum fl_csv_unit unit = FL_CSV_S; unit < FL_CSV_UNITS; unit++) {
		int64_t ns;

		if (!count_ns(when, unit, &ns))
			continue;
		dates->count_off_utc[unit] |= off_day(ns);
		dates->count_off_local[unit] |=
			off_day(ns + fl_zone_offset(zone, ns) * FL_SECOND);
	}
}

static void keep_example(struct fl_csv_example *example, const char *text,
			 size_t len, uint64_t line)
{
	if (example->line)
		return;
	example->line = line;
	snprintf(example->text, sizeof(example->text), "%s",
		 fl_show(text, len, sizeof(example->text) - 8));
}

static void add_triple(struct fl_csv_dates *dates,
		       const struct fl_csv_when *when, const char *text,
		       size_t len, uint64_t line)
{
	bool mdy = fl_date_valid(when->year, when->month, when->day);
	bool dmy = fl_date_valid(when->year, when->day, when->month);

	if (mdy && !dmy) {
		dates->only_mdy++;
		keep_example(&dates->mdy, text, len, line);
	} else if (dmy && !mdy) {
		dates->only_dmy++;
		keep_example(&dates->dmy, text, len, line);
	} else if (mdy && when->month != when->day) {
		if (dates->both++ == 0) {
			dates->open_separator = when->separator;
			dates->open_short_year = when->short_year;
		}
		keep_example(&dates->open, text, len, line);
	}
}

void fl_csv_dates_add(struct fl_csv_dates *dates,
		      const struct fl_csv_when *when,
		      const struct fl_zone *zone, const char *text, size_t len,
		      uint64_t line)
{
	if (when->form == FL_CSV_TRIPLE)
		add_triple(dates, when, text, len, line);
	if (when->form == FL_CSV_INTEGER) {
		add_count(dates, when, zone);
		if (!when->compact)
			return;
	}
	if (when->timed &&
	    (when->hour || when->minute || when->second || when->nanos))
		dates->off_midnight = true;
}

static enum fl_csv_unit unit_of_word(const char *word)
{
	return *word == 's'   ? FL_CSV_S
	       : *word == 'm' ? FL_CSV_MS
	       : *word == 'u' ? FL_CSV_US
			      : FL_CSV_NS;
}

/* What most integers are; a stray one does not change it. */
static enum fl_csv_unit settle_unit(const struct fl_csv_dates *dates)
{
	enum fl_csv_unit best = FL_CSV_NO_COUNT;

	if (dates->format)
		return fl_csv_is_unit(dates->format)
			       ? unit_of_word(dates->format)
			       : FL_CSV_S; /* %s */
	if (2 * dates->compacts >= dates->integers)
		return FL_CSV_NO_COUNT;
	for (enum fl_csv_unit unit = FL_CSV_S; unit < FL_CSV_UNITS; unit++) {
		if (dates->sizes[unit] > dates->sizes[best])
			best = unit;
	}
	return best;
}

int fl_csv_dates_settle(struct fl_csv_dates *dates, const char *name,
			struct fl_error *err)
{
	char c = dates->open_separator, y = dates->open_short_year ? 'y' : 'Y';
	const char *shown = fl_show(name, strlen(name), 200);

	if (dates->only_mdy && dates->only_dmy)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"'%s': '%s' in line %llu is month first, '%s' in line "
			"%llu is day first; --date-format says which is right, "
			"and the others are rejects",
			shown, dates->mdy.text,
			(unsigned long long)dates->mdy.line, dates->dmy.text,
			(unsigned long long)dates->dmy.line);
	if (dates->both && !dates->only_mdy && !dates->only_dmy)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"'%s': dates read as M%cD%cY and as D%cM%cY (all days "
			"<= 12); say --date-format '%%m%c%%d%c%%%c'",
			shown, c, c, c, c, c, c, y);
	dates->order = dates->only_dmy ? FL_CSV_AS_DMY : FL_CSV_AS_MDY;
	dates->unit = settle_unit(dates);
	dates->utc_days = dates->unit && !dates->count_off_utc[dates->unit];
	dates->timed =
		dates->off_midnight || (dates->count_off_utc[dates->unit] &&
					dates->count_off_local[dates->unit]);
	return 0;
}

/* --- moments --- */

static bool civil_of(const struct fl_csv_when *when, bool day_first,
		     struct fl_civil *civil)
{
	*civil = (struct fl_civil){
		.year = when->year,
		.month = day_first ? when->day : when->month,
		.day = day_first ? when->month : when->day,
		.hour = when->hour,
		.minute = when->minute,
		.second = when->second,
		.nanos = when->nanos,
	};
	return fl_date_valid(civil->year, civil->month, civil->day);
}

static bool is_leap(const struct fl_civil *civil)
{
	return civil->second == 60;
}

/* The wall clock as if it were UTC. A leap second is the next minute's first.
 */
static bool wall_ns(struct fl_civil civil, int64_t *ns)
{
	bool leap = is_leap(&civil);

	if (leap) {
		civil.second = 59;
		civil.nanos = 0;
	}
	*ns = fl_time_from_civil(&civil);
	if (*ns == FL_TIME_NONE)
		return false;
	*ns += leap ? FL_SECOND : 0;
	return true;
}

static bool moment_of_count(const struct fl_csv_dates *dates,
			    const struct fl_csv_when *when,
			    const struct fl_zone *zone,
			    struct fl_csv_moment *moment)
{
	int64_t local;

	if (!count_ns(when, dates->unit, &moment->ns))
		return false;
	local = moment->ns;
	if (zone && !dates->utc_days &&
	    __builtin_add_overflow(
		    local, fl_zone_offset(zone, local) * FL_SECOND, &local))
		return false;
	fl_civil_from_time(local, &moment->civil);
	moment->exact = true;
	return true;
}

bool fl_csv_dates_moment(const struct fl_csv_dates *dates,
			 const struct fl_csv_when *when,
			 const struct fl_zone *zone,
			 struct fl_csv_moment *moment)
{
	int64_t wall;

	moment->exact = false;
	if (when->form == FL_CSV_INTEGER && dates->unit) {
		if (!moment_of_count(dates, when, zone, moment))
			return false;
	} else if ((when->form == FL_CSV_INTEGER && !when->compact) ||
		   !civil_of(when,
			     when->form == FL_CSV_TRIPLE &&
				     dates->order == FL_CSV_AS_DMY,
			     &moment->civil) ||
		   !wall_ns(moment->civil, &wall)) {
		return false;
	} else {
		if (is_leap(&moment->civil))
			fl_civil_from_time(wall, &moment->civil);
		if (when->zoned) {
			moment->exact = true;
			if (__builtin_sub_overflow(
				    wall, (int64_t)when->offset * FL_SECOND,
				    &moment->ns))
				return false;
		}
	}
	moment->day = fl_days_from_civil(
		moment->civil.year, moment->civil.month, moment->civil.day);
	return !moment->exact ||
	       (moment->ns >= FL_TIME_MIN && moment->ns <= FL_TIME_MAX);
}

bool fl_csv_when_value(const struct fl_csv_when *when,
		       enum fl_csv_reading reading, int64_t *value)
{
	struct fl_civil civil;

	if (reading == FL_CSV_AS_COUNT) {
		*value = when->count;
		return when->form == FL_CSV_INTEGER;
	}
	if (when->form == FL_CSV_INTEGER && !when->compact)
		return false;
	return civil_of(when,
			when->form == FL_CSV_TRIPLE && reading == FL_CSV_AS_DMY,
			&civil) &&
	       wall_ns(civil, value);
}
