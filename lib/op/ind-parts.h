/* ind-parts: what several indicators are made of: windows and averages.
 *
 * What goes over a window is worked out from the whole window at every step,
 * in one order: so it depends on these bars alone, and a run that begins with
 * enough of them gives the same bytes as one that saw all before. A running sum
 * would be quicker for long windows and never forget a rounding.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_IND_PARTS_H
#define FL_OP_IND_PARTS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The newest n values. Each stands twice, n apart, so that the window is always
 * in one piece. */
struct fl_trail {
	uint32_t at; /* where the next one goes */
	uint32_t count;
	double items[]; /* 2 × n */
};

static inline size_t fl_trail_size(double n)
{
	return sizeof(struct fl_trail) + 2 * (size_t)n * sizeof(double);
}

/* Put a value in. The window, oldest first, or NULL while it is not full. */
static inline const double *fl_trail_push(struct fl_trail *trail, double length,
					  double value)
{
	uint32_t n = (uint32_t)length;

	trail->items[trail->at] = trail->items[trail->at + n] = value;
	trail->at = trail->at + 1 == n ? 0 : trail->at + 1;
	if (trail->count < n)
		trail->count++;
	return trail->count == n ? trail->items + trail->at : NULL;
}

static inline double fl_sum_of(const double *items, double length)
{
	double sums[4] = { 0, 0, 0, 0 };
	size_t n = (size_t)length, i = 0;

	for (; i + 4 <= n; i += 4) {
		sums[0] += items[i];
		sums[1] += items[i + 1];
		sums[2] += items[i + 2];
		sums[3] += items[i + 3];
	}
	for (; i < n; i++)
		sums[0] += items[i];
	return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Sum of squared distances from the mean. */
static inline double fl_squares_of(const double *items, double length,
				   double mean)
{
	double sums[4] = { 0, 0, 0, 0 };
	size_t n = (size_t)length;

	for (size_t i = 0; i < n; i++) {
		double far = items[i] - mean;

		sums[i % 4] += far * far;
	}
	return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* An average that remembers: begins with the mean of the first n values, then
 * moves by `weight` of the distance to each new one. */
struct fl_memory {
	double count; /* values seen, up to n */
	double value; /* their sum before that */
};

/* returns the average, NAN before n values */
static inline double fl_memory_step(struct fl_memory *memory, double n,
				    double weight, double value)
{
	if (memory->count < n) {
		memory->value += value;
		if (++memory->count < n)
			return NAN;
		memory->value /= n;
		return memory->value;
	}
	memory->value += weight * (value - memory->value);
	return memory->value;
}

static inline double fl_ema_step(struct fl_memory *memory, double n,
				 double value)
{
	return fl_memory_step(memory, n, 2 / (n + 1), value);
}

static inline double fl_wilder_step(struct fl_memory *memory, double n,
				    double value)
{
	return fl_memory_step(memory, n, 1 / n, value);
}

/* The bar's range, from where the last one closed. */
static inline double fl_true_range(double high, double low, double before)
{
	return fmax(high - low, fmax(fabs(high - before), fabs(low - before)));
}

#endif
