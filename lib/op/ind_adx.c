/* ind_adx: directional movement, after Wilder.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/ind-parts.h"
#include "op/indicator.h"

/* Wilder's sums: of the first N - 1 moves, then less an N-th of themselves with
 * each new one. */
struct adx {
	double high, low, close; /* of the last bar */
	double up, down, range;
	double moves; /* seen, up to N */
	struct fl_memory index;
	bool any;
};

static size_t size(const double *params)
{
	(void)params;
	return sizeof(struct adx);
}

static unsigned warm_up(const double *params, unsigned output)
{
	return (unsigned)(output == 0 ? 2 * params[0] - 1 : params[0]);
}

static void add_move(struct adx *adx, double n, const struct fl_ind_bar *bar)
{
	double up = bar->high - adx->high, down = adx->low - bar->low;
	double keep = adx->moves < n - 1 ? 1 : 1 - 1 / n;

	adx->up = adx->up * keep + (up > 0 && up > down ? up : 0);
	adx->down = adx->down * keep + (down > 0 && down > up ? down : 0);
	adx->range = adx->range * keep +
		     fl_true_range(bar->high, bar->low, adx->close);
	if (adx->moves < n)
		adx->moves++;
}

static void step(void *state, const double *params,
		 const struct fl_ind_bar *bar, double *out)
{
	struct adx *adx = state;
	bool any = adx->any;
	double plus = 0, minus = 0, apart = 0;

	if (any)
		add_move(adx, params[0], bar);
	adx->any = true;
	adx->high = bar->high;
	adx->low = bar->low;
	adx->close = bar->close;
	if (adx->moves < params[0])
		return;
	if (adx->range > 0) {
		plus = 100 * adx->up / adx->range;
		minus = 100 * adx->down / adx->range;
	}
	/* Where nothing moves, the average stays as it is; while it is still
	 * being begun, that counts as 0. */
	if (plus + minus > 0)
		apart = 100 * fabs(plus - minus) / (plus + minus);
	else if (adx->index.count == params[0])
		apart = adx->index.value;
	out[0] = fl_wilder_step(&adx->index, params[0], apart);
	out[1] = plus;
	out[2] = minus;
}

const struct fl_indicator fl_ind_adx = {
	.name = "adx",
	.summary = "average directional index of N moves, and the two "
		   "directional indicators",
	.params = { { "N", 2, FL_IND_MOST, 14, false, false } },
	.outputs = { "", "plus", "minus" },
	.size = size,
	.warm_up = warm_up,
	.step = step,
};
