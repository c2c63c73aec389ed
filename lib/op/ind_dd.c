/* ind_dd: drawdown.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

struct dd {
	double peak;
};

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct dd);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)params;
	(void)output;
	return 0;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct dd *dd = state;

	(void)params;
	if (bar->price > dd->peak)
		dd->peak = bar->price;
	if (dd->peak > 0)
		out[0] = (bar->price - dd->peak) / dd->peak;
}

const struct fl_indicator fl_ind_dd = {
	.name = "dd",
	.summary = "drawdown from the highest price since the first bar; -0.2 "
		   "is 20 % below",
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
