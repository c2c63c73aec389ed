/* logs_stamp: times as logs write them.
 *
 * Each reader takes a stamp at `at` and moves behind it; false leaves `at`
 * alone: there is none of this kind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_STAMP_H
#define FL_SOURCE_LOG_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"

enum fl_logs_clock {
	FL_LOGS_NO_STAMP,
	FL_LOGS_STAMP,
	FL_LOGS_NO_YEAR,   /* a stamp, but nothing says of which year */
	FL_LOGS_BAD_STAMP, /* the form of one, but no such day or time */
};

/* What is known of the input's clock. */
struct fl_logs_times {
	const struct fl_zone *zone; /* of stamps without one; NULL: UTC */
	int year;                   /* of stamps without one; 0: by file_ns */
	/* No stamp without a year is from more than a day after this: when the
	 * file was written last, or the message came. FL_TIME_NONE: unknown */
	int64_t file_ns;
	/* The last stamp read: lines of one second are many. */
	char last[16];
	int64_t last_ns, last_file_ns;
};

/* Mar  5 09:30:00, also with a fraction of the second, with a year behind the
 * day (Cisco) or behind the time. */
enum fl_logs_clock fl_logs_stamp_bsd(struct fl_logs_times *times,
				     const char **at, const char *end,
				     int64_t *ns);
/* RFC 3339, ended by a blank or the end. */
enum fl_logs_clock fl_logs_stamp_iso(const char **at, const char *end,
				     int64_t *ns);
/* 05/Mar/2026:09:30:00 +0100 */
enum fl_logs_clock fl_logs_stamp_clf(const char **at, const char *end,
				     int64_t *ns);
/* 2026/03/05 09:30:00 or 2026-03-05 09:30:00, on the clock of `zone`. */
enum fl_logs_clock fl_logs_stamp_wall(const struct fl_zone *zone,
				      const char **at, const char *end,
				      int64_t *ns);
/* Mar 05 2026 09:30:00 as CEF has it, or a count of seconds or milliseconds
 * since 1970; the whole of the text. */
bool fl_logs_stamp_cef(struct fl_logs_times *times, const char *at,
		       const char *end, int64_t *ns);

#endif
