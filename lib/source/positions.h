/* positions: --state FILE: where a source has come, in a file of its own.
 *
 * It holds one mark, as a store would tell it (fl-load --positions). It is
 * replaced whole, and only after the lines before it were flushed: a run that
 * is killed gives some lines again, and misses none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_POSITIONS_H
#define FL_SOURCE_POSITIONS_H

#include "base/error.h"
#include "rec/mark.h"
#include "source/source.h"

struct fl_positions;

/* Read the file; there need be none.
 *
 * held    out: what it holds; fl_mark_release()
 * errors  FL_ERR_IO; FL_ERR_DATA it is no such file */
int fl_positions_open(struct fl_positions **positions, const char *path,
		      struct fl_mark *held, struct fl_error *err);
/* The item was written. */
void fl_positions_move(struct fl_positions *positions,
		       const struct fl_item *item);
/* Is there something to save, and is it time? */
bool fl_positions_due(const struct fl_positions *positions);
/* All lines up to here are flushed. errors  FL_ERR_IO */
int fl_positions_save(struct fl_positions *positions, struct fl_error *err);
void fl_positions_close(struct fl_positions **positions); /* NULL is fine */

#endif
