/* ind_bb: Bollinger bands.
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
	double mean, band;

	if (!window)
		return;
	mean = fl_sum_of(window, params[0]) / params[0];
	band = params[1] *
	       sqrt(fl_squares_of(window, params[0], mean) / params[0]);
	out[0] = mean + band;
	out[1] = mean;
	out[2] = mean - band;
}

const struct fl_indicator fl_ind_bb = {
	.name = "bb",
	.summary = "Bollinger bands: the mean of N bars and K standard "
		   "deviations (of a population) around it",
	.params = { { "N", 2, FL_IND_MOST, 20, false, false },
		    { "K", 0.0001, 100, 2, true, false } },
	.outputs = { "upper", "middle", "lower" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
