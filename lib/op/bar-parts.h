/* bar-parts: parts of bars put together where no store does it, whatever the
 * order in which they come.
 *
 * source  records.md: where there is no order, parts are sorted by first_ts,
 *         last_ts and their bytes
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_BAR_PARTS_H
#define FL_OP_BAR_PARTS_H

#include <stdbool.h>

#include "io/writer.h"
#include "rec/bar.h"

struct fl_bar_parts;

/* partial: what comes out is a part as well, of the parts that were seen. */
void fl_bar_parts_open(struct fl_bar_parts **parts, bool partial);
/* Add a partial bar, a checked record without fixes.
 * returns FL_REASON_NONE, or as fl_bar_join with the note filled */
enum fl_reason fl_bar_parts_add(struct fl_bar_parts *parts,
				const struct fl_record *rec,
				struct fl_note *note);
/* Write them by series, in order of appearance, then interval and time. */
int fl_bar_parts_end(struct fl_bar_parts *parts, struct fl_writer *out,
		     struct fl_error *err);
void fl_bar_parts_close(struct fl_bar_parts **parts); /* NULL is fine */

#endif
