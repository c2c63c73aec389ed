/* ind_sma: simple moving average.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

static size_t size(const double *params)
{
	return fl_trail_size(params[0]);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0] - 1;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	const double *window = fl_trail_push(state, params[0], bar->price);

	if (window)
		out[0] = fl_sum_of(window, params[0]) / params[0];
}

const struct fl_indicator fl_ind_sma = {
	.name = "sma",
	.summary = "simple moving average of N bars",
	.params = { { "N", 1, FL_IND_MOST, 20, false, false } },
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
