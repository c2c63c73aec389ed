/* ind_wma: linearly weighted moving average.
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
	double sum = 0;

	if (!window)
		return;
	for (unsigned i = 0; i < (unsigned)params[0]; i++)
		sum += window[i] * (i + 1);
	out[0] = sum / (params[0] * (params[0] + 1) / 2);
}

const struct fl_indicator fl_ind_wma = {
	.name = "wma",
	.summary = "weighted moving average, the newest of N bars by N",
	.params = { { "N", 1, FL_IND_MOST, 20, false, false } },
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
