/* dedup: has equal content come before, within a horizon of event time?
 *
 * The horizon is kept per series: history comes symbol by symbol, and no symbol
 * may make another's records old. Memory is bounded: when it is full the oldest
 * entries go, and what can no longer be judged is said to be unchecked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_DEDUP_H
#define FL_OP_DEDUP_H

#include <stdint.h>

#include "base/hash.h"

struct fl_dedup;

enum fl_seen {
	FL_SEEN_NEW,
	FL_SEEN_BEFORE,    /* a duplicate */
	FL_SEEN_UNCHECKED, /* older than the horizon, or than what memory held:
			    * nobody can tell, so it passes */
};

/* memory: bytes for all tables together, at least 64 KiB */
struct fl_dedup *fl_dedup_new(int64_t horizon_ns, uint64_t memory);
void fl_dedup_free(struct fl_dedup *dedup);
enum fl_seen fl_dedup_see(struct fl_dedup *dedup, uint64_t series,
			  struct fl_hash128 content, int64_t ts_ns);
/* Begin to fetch what fl_dedup_see will look at: call _far some 16 records
 * ahead of it and _near some 8. The tables are larger than the caches near by.
 */
void fl_dedup_far(const struct fl_dedup *dedup, struct fl_hash128 content);
void fl_dedup_near(const struct fl_dedup *dedup, struct fl_hash128 content);
/* The shortest look-back that memory allowed for any record so far; the horizon
 * itself while memory sufficed. */
int64_t fl_dedup_reached(const struct fl_dedup *dedup);

#endif
