/* ind_atr: average true range, in Wilder's smoothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

struct atr {
	struct fl_memory range;
	double before; /* the last close */
	bool any;
};

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct atr);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0];
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct atr *atr = state;
	double before = atr->before;

	atr->before = bar->close;
	if (!atr->any) {
		atr->any = true;
		return;
	}
	out[0] = fl_wilder_step(&atr->range, params[0],
				fl_true_range(bar->high, bar->low, before));
}

const struct fl_indicator fl_ind_atr = {
	.name = "atr",
	.summary = "average true range of N bars",
	.params = { { "N", 1, FL_IND_MOST, 14, false, false } },
	.outputs = { "" },
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
