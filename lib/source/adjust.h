/* adjust: prices, volumes and amounts made comparable over splits.
 *
 * A factor over / under multiplies; the results are rounded as decimals are,
 * and stay what they were where they would be out of range.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_ADJUST_H
#define FL_SOURCE_ADJUST_H

#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"

struct fl_decimal fl_adjust_times(struct fl_decimal a, struct fl_decimal b);
/* value × over / under */
struct fl_decimal fl_adjust_price(struct fl_decimal value,
				  struct fl_decimal over,
				  struct fl_decimal under);
/* The same of a volume, to the nine decimals that sums have. */
struct fl_decimal fl_adjust_volume(struct fl_decimal volume,
				   struct fl_decimal over,
				   struct fl_decimal under);

/* The splits of a series, in the order of their days. Starts zeroed. */
struct fl_splits {
	struct fl_split {
		int64_t day;
		struct fl_decimal over, under;
	} * items;
	size_t count;
};

void fl_splits_add(struct fl_splits *splits, int64_t day,
		   struct fl_decimal over, struct fl_decimal under);
/* All were added: from here on each is the product of all from it on. */
void fl_splits_multiply(struct fl_splits *splits);
/* The product of all that come behind the day; NULL: there are none. */
const struct fl_split *fl_splits_behind(const struct fl_splits *splits,
					int64_t day);
void fl_splits_release(struct fl_splits *splits);

#endif
