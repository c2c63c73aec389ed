/* ind_obv: on-balance volume.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

struct obv {
	double before, sum;
	bool any;
};

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct obv);
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
	struct obv *obv = state;
	double before = obv->before;

	(void)params;
	obv->before = bar->price;
	if (isnan(bar->volume))
		return;
	if (!obv->any || bar->price > before)
		obv->sum += bar->volume;
	else if (bar->price < before)
		obv->sum -= bar->volume;
	obv->any = true;
	out[0] = obv->sum;
}

const struct fl_indicator fl_ind_obv = {
	.name = "obv",
	.summary = "on-balance volume since the first bar",
	.outputs = { "" },
	.by_price = true,
	.by_volume = true,
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
