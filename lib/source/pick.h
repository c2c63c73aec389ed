/* pick: which records of a source the user asked for.
 *
 * For sources that give all they have; a store selects by itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_PICK_H
#define FL_SOURCE_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/source.h"

struct fl_pick;

enum fl_picked {
	FL_PICK_NO,   /* leave it out */
	FL_PICK_YES,  /* write it */
	FL_PICK_KEPT, /* --last: perhaps; see fl_pick_each */
};

/* NULL when everything is wanted.
 * errors  FL_ERR_USAGE a type that does not exist */
int fl_pick_open(struct fl_pick **pick, const struct fl_ask *ask,
		 struct fl_error *err);
/* Judge one record. One that cannot be read is wanted: refusing it, with its
 * reason, is the business of fl-clean.
 *
 * dropped   out: records kept before that have now given way
 * errors    FL_ERR_DATA --last would need too much memory */
int fl_pick_item(struct fl_pick *pick, const struct fl_item *item,
		 enum fl_picked *picked, uint64_t *dropped,
		 struct fl_error *err);
/* The records that --last has kept, by time. */
int fl_pick_each(struct fl_pick *pick,
		 int (*each)(void *arg, const char *bytes, size_t len,
			     struct fl_error *err),
		 void *arg, struct fl_error *err);
void fl_pick_close(struct fl_pick **pick); /* NULL is fine; sets NULL */

#endif
