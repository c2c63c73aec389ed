/* stands: where pipelines stand, as the marks that --positions prints.
 *
 * One mark a pipeline, each origin at [pos, pos]: what fl_marks_ask() reads,
 * whichever command keeps the positions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_STANDS_H
#define FL_STORE_STANDS_H

#include "base/buf.h"
#include "rec/mark.h"
#include "store/store.h"

struct fl_stands {
	struct fl_mark mark; /* the one being made */
	struct fl_buf text;  /* lines */
	uint64_t pipelines, positions;
};

#define FL_STANDS_INIT                                                         \
	{                                                                      \
		.mark = FL_MARK_INIT                                           \
	}

/* A pipeline that was asked for by name, and may stand nowhere yet: {}. */
void fl_stands_begin(struct fl_stands *stands, const char *pipeline);
/* One position, ordered by pipeline; for fl_store_ops.positions. */
int fl_stands_add(void *stands, const struct fl_position *row,
		  struct fl_error *err);
/* Print them to standard output, and say how many there were ("'x' holds 2
 * positions of 1 pipeline") in `told`.
 * errors  FL_ERR_IO, FL_ERR_CLOSED */
int fl_stands_print(struct fl_stands *stands, const char *place,
		    struct fl_buf *told, struct fl_error *err);
void fl_stands_release(struct fl_stands *stands);

#endif
