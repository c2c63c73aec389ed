/* ind_rsi: relative strength index, in Wilder's smoothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

struct rsi {
	struct fl_memory gain, loss;
	double before;
	bool any;
};

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct rsi);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0];
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct rsi *rsi = state;
	double change = bar->price - rsi->before, gain, loss;

	rsi->before = bar->price;
	if (!rsi->any) {
		rsi->any = true;
		return;
	}
	gain = fl_wilder_step(&rsi->gain, params[0], fmax(change, 0));
	loss = fl_wilder_step(&rsi->loss, params[0], fmax(-change, 0));
	/* Prices that never moved have 0, as TA-Lib says. */
	out[0] = gain + loss == 0 ? 0 : 100 * gain / (gain + loss);
}

const struct fl_indicator fl_ind_rsi = {
	.name = "rsi",
	.summary = "relative strength index of N changes, 0 to 100",
	.params = { { "N", 2, FL_IND_MOST, 14, false, false } },
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
