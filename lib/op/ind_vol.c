/* ind_vol: rolling volatility.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

/* The window stands behind it. */
struct vol {
	double before;
};

static size_t size(const double *params)
{
	return sizeof(struct vol) + fl_trail_size(params[0]);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)params[0];
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct vol *vol = state;
	struct fl_trail *returns = (void *)(vol + 1);
	double per_year = params[1] > 0 ? params[1] : bar->per_year;
	double before = vol->before, mean;
	const double *window;

	vol->before = bar->price;
	/* Zero, too, before the first bar. A price at or below it has no
	 * logarithm: the window begins anew behind. */
	if (bar->price <= 0 || before <= 0) {
		returns->count = returns->at = 0;
		return;
	}
	window = fl_trail_push(returns, params[0], log(bar->price / before));
	if (!window)
		return;
	mean = fl_sum_of(window, params[0]) / params[0];
	out[0] = sqrt(fl_squares_of(window, params[0], mean) / (params[0] - 1) *
		      per_year);
}

const struct fl_indicator fl_ind_vol = {
	.name = "vol",
	.summary = "volatility by the year: sample standard deviation of N "
		   "logarithmic returns, times the root of PER_YEAR bars",
	.params = { { "N", 2, FL_IND_MOST, 20, false, false },
		    { "PER_YEAR", 0, 40000000, 0, true, true } },
	.outputs = { "" },
	.by_price = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
