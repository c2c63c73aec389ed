/* lines: an input of records judged line by line on all cores, then taken in
 * order by one.
 *
 * A worker leaves an item for each line that is a record. Lines without one
 * (rejects, marks, blank lines) are rare: the consumer looks at them again, so
 * that no memory is kept for their reasons.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_LINES_H
#define FL_OP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/blocks.h"
#include "io/io.h"
#include "rec/record.h"

/* What every item begins with. */
struct fl_line {
	uint32_t from, len; /* in the block */
	uint32_t line;      /* counted from the block's first */
};

/* What one thread needs to judge a line. */
struct fl_judge {
	unsigned who; /* of fl_lines_judges(), for memory of the op's own */
	struct fl_json json;
	/* Of the line at hand; on the stack they would be zeroed for each. */
	struct fl_record rec;
	struct fl_note note;
};

/* The items of one block. */
struct fl_items {
	char *items; /* items[count], each of work->item_size bytes */
	uint32_t count, cap;
	struct fl_buf text; /* what items keep beside the block */
};

struct fl_lines;

struct fl_lines_work {
	struct fl_io *io;
	void *arg;
	size_t item_size; /* of the op's item, a struct fl_line first */
	/* In any worker: fill the item, behind its struct fl_line, for a line
	 * that is no mark. false: it is to be refused; the consumer gets it by
	 * `other`. */
	bool (*judge)(void *arg, struct fl_judge *judge, struct fl_items *items,
		      const char *bytes, size_t len, void *item);
	/* In the consumer, in order: an item … */
	int (*take)(void *arg, const struct fl_block *block,
		    const struct fl_items *items, uint32_t i,
		    struct fl_error *err);
	/* … a mark of a marked stream … */
	int (*mark)(void *arg, const char *bytes, size_t len,
		    struct fl_error *err);
	/* … and before anything else than the next item: the end of a block, a
	 * line that is to be refused. NULL: nothing to do. */
	int (*between)(void *arg, struct fl_error *err);
	/* A line that has no item: say why. */
	enum fl_reason (*refuse)(void *arg, struct fl_judge *judge,
				 const char **bytes, size_t *len,
				 struct fl_note *note);
	/* The input has nothing for now; what waits may be written. */
	int (*idle)(void *arg, struct fl_error *err);
	/* Call idle again at least so often while waiting; 0: once. */
	int64_t idle_every_ns;
};

/* Borrows the work until closed. */
void fl_lines_open(struct fl_lines **lines, const struct fl_lines_work *work);
/* How many judges there are: no two threads use one at a time. */
unsigned fl_lines_judges(const struct fl_lines *lines);
/* The input at hand. */
const char *fl_lines_path(const struct fl_lines *lines);
/* Go through one input from end to end.
 * returns 0; -1 with err; 1 with err where the fault is this input's alone and
 *         the next one may be tried (--keep-going)
 * errors  those of fl_stream_read, fl_reject and the op; FL_ERR_DATA not NDJSON
 *         at all, with the recipe */
int fl_lines_input(struct fl_lines *lines, const char *path,
		   struct fl_error *err);
void fl_lines_close(struct fl_lines **lines); /* NULL is fine; sets NULL */

#endif
