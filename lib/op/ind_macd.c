/* ind_macd: moving average convergence and divergence.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

/* All three begin together: the quick average so late that its first value is
 * of the same bar as the slow one's, and nothing is given before the signal. */
struct macd {
	struct fl_memory fast, slow, signal;
	double seen; /* bars, up to slow - fast */
};

static const char *check(const double *params)
{
	return params[0] < params[1] ? NULL : "FAST is to be below SLOW";
}

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct macd);
}

static unsigned warm_up(const double *params, unsigned output)
{
	(void)output;
	return (unsigned)(params[1] + params[2]) - 2;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct macd *macd = state;
	double slow = fl_ema_step(&macd->slow, params[1], bar->price);
	double line, signal;

	if (macd->seen < params[1] - params[0]) {
		macd->seen++;
		return;
	}
	line = fl_ema_step(&macd->fast, params[0], bar->price) - slow;
	if (isnan(line))
		return;
	signal = fl_ema_step(&macd->signal, params[2], line);
	if (isnan(signal))
		return;
	out[0] = line;
	out[1] = signal;
	out[2] = line - signal;
}

const struct fl_indicator fl_ind_macd = {
	.name = "macd",
	.summary = "two exponential averages apart, and that one's average",
	.params = { { "FAST", 1, FL_IND_MOST, 12, false, false },
		    { "SLOW", 2, FL_IND_MOST, 26, false, false },
		    { "SIGNAL", 1, FL_IND_MOST, 9, false, false } },
	.outputs = { "", "signal", "hist" },
	.by_price = true,
	.check = check,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
