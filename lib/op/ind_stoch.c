/* ind_stoch: stochastic oscillator, slow.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

/* Windows of highs, of lows, of the raw figure and of its mean, one behind the
 * other. */
static size_t size(const double *params)
{
	return 2 * fl_trail_size(params[0]) + fl_trail_size(params[1]) +
	       fl_trail_size(params[2]);
}

/* Both begin together. */
static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)(params[0] + params[1] + params[2]) - 3;
}

static double raw(const double *highs, const double *lows, unsigned n,
		  double close)
{
	double high = highs[0], low = lows[0];

	for (unsigned i = 1; i < n; i++) {
		high = highs[i] > high ? highs[i] : high;
		low = lows[i] < low ? lows[i] : low;
	}
	return high > low ? 100 * (close - low) / (high - low) : 0;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	char *at = state;
	const double *highs = fl_trail_push((void *)at, params[0], bar->high);
	const double *lows, *raws, *means;
	double mean;

	at += fl_trail_size(params[0]);
	lows = fl_trail_push((void *)at, params[0], bar->low);
	at += fl_trail_size(params[0]);
	if (!highs)
		return;
	raws = fl_trail_push((void *)at, params[1],
			     raw(highs, lows, (unsigned)params[0], bar->close));
	at += fl_trail_size(params[1]);
	if (!raws)
		return;
	mean = fl_sum_of(raws, params[1]) / params[1];
	means = fl_trail_push((void *)at, params[2], mean);
	if (!means)
		return;
	out[0] = mean;
	out[1] = fl_sum_of(means, params[2]) / params[2];
}

const struct fl_indicator fl_ind_stoch = {
	.name = "stoch",
	.summary = "stochastic: the close between low and high of N bars, "
		   "averaged over K, and that over D",
	.params = { { "N", 1, FL_IND_MOST, 14, false, false },
		    { "K", 1, FL_IND_MOST, 3, false, false },
		    { "D", 1, FL_IND_MOST, 3, false, false } },
	.outputs = { "k", "d" },
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
