/* marks: what the head of a pipeline writes between its records.
 *
 * source  DESIGN, "Marks": an opening mark, one after each batch, marks around
 *         warm-up, and one that says the end was good
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_MARKS_H
#define FL_SOURCE_MARKS_H

#include <stdint.h>

#include "base/error.h"
#include "base/option.h"
#include "io/writer.h"
#include "rec/mark.h"
#include "source/source.h"

struct fl_marks;

/* --resume and what goes with it. */
struct fl_resume_asked {
	const char *place, *pipeline; /* NULL: not given */
	uint64_t every;
	int64_t every_ns, warm_up_ns;
};
extern struct fl_resume_asked fl_resume_asked;
extern const struct fl_option fl_options_resume[];

/* Write the opening mark.
 *
 * held      where the store says the pipeline stands, at {origin: [pos, pos]};
 *           borrowed until closed, as are the others
 * every     records of all origins, and wall time, after which a mark is due */
int fl_marks_open(struct fl_marks **marks, struct fl_io *io,
		  struct fl_writer *out, const struct fl_mark *held,
		  uint64_t every, int64_t every_ns, struct fl_error *err);
/* Call before the item is written: says where warm-up begins and ends. */
int fl_marks_before(struct fl_marks *marks, const struct fl_item *item,
		    struct fl_error *err);
/* Call after the item was written (or left out by a selection): a mark when
 * one is due. */
int fl_marks_after(struct fl_marks *marks, const struct fl_item *item,
		   struct fl_error *err);
/* Nothing comes at the moment: a mark when the time for one has come. */
int fl_marks_idle(struct fl_marks *marks, struct fl_error *err);
/* A mark for whatever has moved, now. */
int fl_marks_now(struct fl_marks *marks, struct fl_error *err);
/* The origin is no longer ours: should it come back, it goes on from where the
 * store then holds it. Its last mark was written. */
void fl_marks_forget(struct fl_marks *marks, const char *origin);
/* The store was asked again: `held` is new, or holds something new. */
void fl_marks_held(struct fl_marks *marks, const struct fl_mark *held);
/* A good end: what is left, then the end mark. */
int fl_marks_end(struct fl_marks *marks, struct fl_error *err);
void fl_marks_close(struct fl_marks **marks); /* NULL is fine; sets NULL */

/* Ask the store where a pipeline stands, by running `fl-load --positions PLACE
 * --pipeline P`, or fl-produce for kafka://…: one implementation, and no
 * database library here. The command is looked for beside our own, then in
 * PATH.
 *
 * held    out: the mark it printed; no origins when the store knows none
 * errors  the child's own, with its message */
int fl_marks_ask(struct fl_mark *held, const char *place, const char *pipeline,
		 struct fl_error *err);

#endif
