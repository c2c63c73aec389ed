/* ind_roc: rate of change.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

/* The window has one value more: that of N bars ago. */
static size_t size(const double *params)
{
	return fl_trail_size(params[0] + 1);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0];
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	const double *window = fl_trail_push(state, params[0] + 1, bar->price);

	if (window && window[0] != 0)
		out[0] = 100 * (bar->price - window[0]) / window[0];
}

const struct fl_indicator fl_ind_roc = {
	.name = "roc",
	.summary = "rate of change against N bars ago, in percent",
	.params = { { "N", 1, FL_IND_MOST, 10, false, false } },
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
