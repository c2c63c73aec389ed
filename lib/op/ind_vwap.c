/* ind_vwap: volume-weighted average price, since the day began.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

struct vwap {
	double money, volume;
	int64_t day;
};

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct vwap);
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
	struct vwap *vwap = state;

	(void)params;
	if (bar->day != vwap->day)
		*vwap = (struct vwap){ .day = bar->day };
	if (isnan(bar->volume))
		return;
	vwap->volume += bar->volume;
	vwap->money +=
		isnan(bar->turnover)
			? bar->volume * (bar->high + bar->low + bar->close) / 3
			: bar->turnover;
	if (vwap->volume > 0)
		out[0] = vwap->money / vwap->volume;
}

const struct fl_indicator fl_ind_vwap = {
	.name = "vwap",
	.summary = "volume-weighted average price of the trading day, from 1d "
		   "up since the first bar",
	.outputs = { "" },
	.by_volume = true,
	.by_day = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
