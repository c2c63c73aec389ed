/* csv_date: dates and times as people and vendors write them.
 *
 * One cell is read without deciding anything (fl_csv_dates_read); what a cell
 * alone cannot tell, the whole file does: M/D/Y or D/M/Y, seconds or
 * milliseconds (fl_csv_dates_add for every cell, then fl_csv_dates_settle).
 * Then cells become moments. What stays open after that is an error that says
 * which --date-format decides it: nothing is guessed.
 *
 * Forms: 2026-01-31, 2026/1/31, 2026.01.31, 20260131, 1/31/2026, 31.1.26,
 * Jan 31 2026, January 31, 2026, 31 Jan 2026, 31-Jan-26, each with a time after
 * it (9:30, 09:30:00.123, 9:30 PM, 093000 behind 20260131) and an offset (Z,
 * UTC, +01:00, GMT-0500); 20260131093000; counts of s, ms, us or ns since 1970.
 * Years of two digits are 1969 to 2068, as POSIX has them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_DATE_H
#define FL_SOURCE_CSV_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "base/zone.h"

enum fl_csv_form {
	FL_CSV_DAY,     /* year, month and day are known */
	FL_CSV_TRIPLE,  /* month/day/year, if the file is so: else month is the
			 * day and day the month */
	FL_CSV_INTEGER, /* 20260131 (`compact`, read into year …) or a count */
};

/* One cell, read. */
struct fl_csv_when {
	enum fl_csv_form form;
	int year, month, day;
	int hour, minute, second, nanos; /* second up to 60 */
	bool timed;                      /* a time of day is written */
	bool zoned; /* with its offset from UTC, in seconds */
	int32_t offset;
	bool compact;       /* INTEGER: the digits are a valid date as well */
	int64_t count;      /* INTEGER */
	int32_t count_frac; /* 10^-9 of its unit */
	char separator;     /* TRIPLE */
	bool short_year;    /* TRIPLE: two digits */
};

/* A moment: what the clock on the wall showed, and the instant if that is known
 * without a zone. */
struct fl_csv_moment {
	struct fl_civil civil;
	int64_t day; /* of civil, since 1970-01-01 */
	bool exact;
	int64_t ns; /* when exact */
};

struct fl_csv_example {
	uint64_t line; /* 0: none */
	char text[48];
};

/* Readings of a file that are possible before it is settled: steps between rows
 * are learnt for each. */
enum fl_csv_reading {
	FL_CSV_AS_MDY,
	FL_CSV_AS_DMY,
	FL_CSV_AS_COUNT, /* integers, their unit not known yet */
	FL_CSV_READINGS,
};

enum fl_csv_unit {
	FL_CSV_NO_COUNT, /* integers are dates */
	FL_CSV_S,
	FL_CSV_MS,
	FL_CSV_US,
	FL_CSV_NS,
	FL_CSV_UNITS,
};

struct fl_csv_dates {
	const char *format; /* --date-format, NULL: find out */

	/* Learnt. */
	uint64_t only_mdy, only_dmy, both; /* cells; `both` where it matters */
	struct fl_csv_example mdy, dmy, open;
	char open_separator;
	bool open_short_year;
	uint64_t integers, compacts;
	uint64_t sizes[FL_CSV_UNITS]; /* integers by the unit their size has */
	bool off_midnight;            /* dates with a time that is not 0:00 */
	bool count_off_utc[FL_CSV_UNITS], count_off_local[FL_CSV_UNITS];

	/* Settled. */
	enum fl_csv_reading order; /* of triples */
	enum fl_csv_unit unit;
	bool timed;    /* times matter: not all are midnight */
	bool utc_days; /* counts whose days are UTC's, whatever the zone */
};

/* Is --date-format something that can be read?  errors FL_ERR_USAGE */
int fl_csv_format_check(const char *format, struct fl_error *err);

/* Read one cell; false: in no form that is known. */
bool fl_csv_dates_read(const struct fl_csv_dates *dates, const char *text,
		       size_t len, struct fl_csv_when *when);
/* Add the time of day from a column of its own: replaces when's. */
bool fl_csv_time_read(const char *text, size_t len, struct fl_csv_when *when);
/* Does this look like a date and not like a name or a mere number? */
bool fl_csv_date_looks(const char *text, size_t len);

void fl_csv_dates_add(struct fl_csv_dates *dates,
		      const struct fl_csv_when *when,
		      const struct fl_zone *zone, const char *text, size_t len,
		      uint64_t line);
/* errors  FL_ERR_USAGE both orders stay possible, or each is contradicted */
int fl_csv_dates_settle(struct fl_csv_dates *dates, const char *name,
			struct fl_error *err);

/* The moment of a cell, after settling. zone NULL: UTC.
 * false: no such day, or out of what can be held */
bool fl_csv_dates_moment(const struct fl_csv_dates *dates,
			 const struct fl_csv_when *when,
			 const struct fl_zone *zone,
			 struct fl_csv_moment *moment);
/* The same for one reading of a file that is not settled: nanoseconds on the
 * wall clock, or the bare count. */
bool fl_csv_when_value(const struct fl_csv_when *when,
		       enum fl_csv_reading reading, int64_t *value);
/* Nanoseconds of a unit. */
int64_t fl_csv_unit_ns(enum fl_csv_unit unit);

#endif
