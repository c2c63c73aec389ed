/* mark: control lines that carry a source's position through the pipe.
 *
 * source  DESIGN: a source opens with open:true, writes marks between batches,
 *         ends with end:true; `at` maps an origin to [FROM, TO]
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_MARK_H
#define FL_REC_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "io/io.h"

struct fl_mark_at {
	const char *origin;
	const char *from; /* NULL: the store held nothing (null) */
	const char *to;
	int64_t wm; /* watermark, FL_TIME_NONE when the mark gives none */
	int64_t rt; /* time of the last record before `to`; likewise */
};

struct fl_mark {
	const char *pipeline;
	struct fl_mark_at *at; /* at[count], in the order of the line */
	size_t count, cap;
	bool open, end;
	int live;               /* -1: says nothing, 0 false, 1 true */
	const char *const *via; /* via[via_count] */
	size_t via_count;
	const char *unknown;   /* members not known here, as ,"k":v text; "" */
	struct fl_arena arena; /* holds all the strings */
};

#define FL_MARK_INIT                                                           \
	{                                                                      \
		.live = -1                                                     \
	}

/* A record whose type is "mark": a cheap look that is never wrong (a line that
 * holds `"type":"mark"` in any spelling is parsed to make sure). */
bool fl_mark_is(const char *bytes, size_t len);
/* errors  FL_ERR_DATA not a mark as above */
int fl_mark_parse(struct fl_mark *mark, const char *bytes, size_t len,
		  struct fl_error *err);
void fl_mark_print(const struct fl_mark *mark, struct fl_buf *out);
/* Add or move an origin. Strings are copied. */
void fl_mark_set(struct fl_mark *mark, const char *origin, const char *from,
		 const char *to, int64_t wm, int64_t rt);
/* Join: [a,b] then [b,c] is [a,c].
 * errors  FL_ERR_DATA the second does not begin where the first ends */
int fl_mark_join(struct fl_mark *mark, const struct fl_mark *next,
		 struct fl_error *err);
/* Forget the origins, keep the pipeline. */
void fl_mark_reset(struct fl_mark *mark);
void fl_mark_release(struct fl_mark *mark);
/* hooks->mark: note open and live in io, add io->via, write to out. */
int fl_mark_forward(struct fl_io *io, const char *bytes, size_t len,
		    struct fl_writer *out, struct fl_error *err);

#endif
