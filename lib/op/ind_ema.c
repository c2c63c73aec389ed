/* ind_ema: exponential moving average, begun with the simple one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct fl_memory);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0] - 1;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	out[0] = fl_ema_step(state, params[0], bar->price);
}

const struct fl_indicator fl_ind_ema = {
	.name = "ema",
	.summary = "exponential moving average, weight 2/(N+1)",
	.params = { { "N", 1, FL_IND_MOST, 20, false, false } },
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
