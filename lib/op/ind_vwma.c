/* ind_vwma: moving average weighted by volume.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

/* Two windows, the other one behind the first. */
static size_t size(const double *params)
{
	return 2 * fl_trail_size(params[0]);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0] - 1;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct fl_trail *traded = state;
	struct fl_trail *volumes =
		(void *)((char *)state + fl_trail_size(params[0]));
	const double *over, *under;
	double volume;

	if (isnan(bar->volume))
		return;
	over = fl_trail_push(traded, params[0], bar->price * bar->volume);
	under = fl_trail_push(volumes, params[0], bar->volume);
	if (!over)
		return;
	volume = fl_sum_of(under, params[0]);
	if (volume > 0)
		out[0] = fl_sum_of(over, params[0]) / volume;
}

const struct fl_indicator fl_ind_vwma = {
	.name = "vwma",
	.summary = "moving average of N bars, weighted by volume",
	.params = { { "N", 1, FL_IND_MOST, 20, false, false } },
	.outputs = { "" },
	.by_price = true,
	.by_volume = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
