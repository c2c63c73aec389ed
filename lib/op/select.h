/* select: which records are wanted, by type, symbol, time and fields.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_SELECT_H
#define FL_OP_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/record.h"

struct fl_where; /* one FIELD=OP.VALUE */

struct fl_select {
	const char *const *types;   /* NULL-ended; NULL: all */
	const char *const *symbols; /* NULL-ended; NULL: all */
	int64_t from, to;           /* FL_TIME_NONE: open; to exclusive */
	/* The same for bars of a day and longer: fl_zone_wall of from, to. */
	int64_t date_from, date_to;
	struct fl_where *where; /* a list; all must hold */
};

/* Add FIELD=OP.VALUE to the list; OP: eq neq gt gte lt lte in like is. A value
 * without an operator means eq, with commas in. Numbers compare as numbers, all
 * else as bytes; `like` knows `*`; `is.null` and `is.notnull` ask for presence.
 * A word before a dot that is nearly an operator is taken for a slip. errors
 * FL_ERR_USAGE */
int fl_select_where(struct fl_select *select, const char *text,
		    struct fl_error *err);
/* Safe from several threads at once. */
bool fl_select_wants(const struct fl_select *select,
		     const struct fl_record *rec);
void fl_select_release(struct fl_select *select);

#endif
