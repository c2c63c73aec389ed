/* adjust: see adjust.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/adjust.h"

#include <stdlib.h>

#include "base/mem.h"

struct fl_decimal fl_adjust_times(struct fl_decimal a, struct fl_decimal b)
{
	struct fl_decimal product = a;

	(void)fl_decimal_mul(a, b, &product);
	return product;
}

struct fl_decimal fl_adjust_price(struct fl_decimal value,
				  struct fl_decimal over,
				  struct fl_decimal under)
{
	struct fl_decimal result = fl_adjust_times(value, over);

	(void)fl_decimal_div(result, under, &result);
	return result;
}

struct fl_decimal fl_adjust_volume(struct fl_decimal volume,
				   struct fl_decimal over,
				   struct fl_decimal under)
{
	struct fl_sum all = { 0 }, part = { 0 };
	struct fl_decimal result = volume;

	if (fl_sum_add_product(&all, volume, over) && fl_sum_add(&part, under))
		(void)fl_sum_ratio(all, part, &result);
	return result;
}

void fl_splits_add(struct fl_splits *splits, int64_t day,
		   struct fl_decimal over, struct fl_decimal under)
{
	splits->items = fl_realloc(splits->items, splits->count + 1,
				   sizeof(*splits->items));
	splits->items[splits->count++] = (struct fl_split){ day, over, under };
}

void fl_splits_multiply(struct fl_splits *splits)
{
	for (size_t i = splits->count; i-- > 1;) {
		struct fl_split *at = &splits->items[i - 1];

		at->over = fl_adjust_times(at->over, at[1].over);
		at->under = fl_adjust_times(at->under, at[1].under);
	}
}

const struct fl_split *fl_splits_behind(const struct fl_splits *splits,
					int64_t day)
{
	size_t low = 0, high = splits->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (splits->items[middle].day <= day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < splits->count ? &splits->items[low] : NULL;
}

void fl_splits_release(struct fl_splits *splits)
{
	free(splits->items);
	*splits = (struct fl_splits){ 0 };
}
