/* sessions-file: a text of calendars as tables; its form is told at the head of
 * lib/rec/calendars.txt.
 *
 * Apart from sessions.h so that tests can feed it any bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_SESSIONS_FILE_H
#define FL_REC_SESSIONS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"

#define FL_CALENDARS_MAX (4 << 20) /* bytes of a file; ours has 70 kB */

/* Seconds of the trading date's wall clock; an opening on the evening before
 * is negative. */
struct fl_hours {
	int64_t from; /* the first date on which they hold; INT64_MIN: ever */
	unsigned line;
	int32_t open, close;
	int32_t break_from, break_to; /* equal: no break */
	int32_t pre; /* at which the pre-market opens; as open: none */
	/* After the close, so that a short day moves them. */
	int32_t closing, post; /* post counts from the close, too */
};

/* A date that is not as its weekday would have it. */
struct fl_special {
	int64_t day;
	unsigned line;
	bool closed;
	int32_t open, close, break_from, break_to; /* of one that is not */
};

struct fl_exchange {
	const char *name;
	unsigned line;
	const char *zone_name;
	const struct fl_zone *zone;
	unsigned weekend; /* bit 0: Monday … bit 6: Sunday */
	bool weekend_given;
	int64_t known_from, known_to; /* both inclusive */
	bool known_given;
	struct fl_hours *hours; /* ascending by from, the first INT64_MIN */
	size_t hours_count;
	struct fl_special *specials; /* ascending by day */
	size_t special_count;
};

struct fl_calendars {
	struct fl_arena arena; /* names */
	struct fl_map codes;   /* upper case to struct fl_exchange */
	struct fl_exchange **exchanges;
	size_t count;
};

/* path  stands in messages only
 * errors  as of fl_calendars_open; the set is empty then */
int fl_calendars_read(struct fl_calendars *set, const char *path,
		      const char *text, size_t len, struct fl_error *err);
void fl_calendars_release(struct fl_calendars *set);
/* code[len] as the map's key; false: longer than any code is. */
#define FL_CODE_MAX 32
bool fl_calendars_key(const char *code, size_t len, char key[FL_CODE_MAX]);

/* lib/rec/calendars.txt, as it was when this was built. */
extern const char fl_calendars_text[];
extern const char fl_calendars_text_end[];

#endif
