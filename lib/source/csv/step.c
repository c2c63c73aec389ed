/* csv_step: the interval of bars, from the steps between a symbol's rows.
 *
 * Steps are counted in a small table for each way of reading the dates, because
 * the rows are seen once, before it is known which way is right.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	SLOTS = 4096,               /* a power of two */
	SLOTS_USED = SLOTS * 3 / 4, /* further sizes are not counted */
};

struct fl_csv_last {
	struct fl_csv_values values; /* good: there was such a row */
};

static void count_step(struct fl_csv_steps *steps, int64_t size)
{
	uint64_t at = (uint64_t)size * UINT64_C(0x9e3779b97f4a7c15) >> 52;

	if (!steps->slots)
		steps->slots = fl_zalloc(SLOTS * sizeof(*steps->slots));
	while (steps->slots[at].rows && steps->slots[at].size != size)
		at = (at + 1) & (SLOTS - 1);
	if (!steps->slots[at].rows) {
		if (steps->used == SLOTS_USED)
			return;
		steps->used++;
		steps->slots[at].size = size;
	}
	steps->slots[at].rows++;
}

struct fl_csv_last *fl_csv_learn_last(struct fl_csv_learner *learner,
				      const char *symbol, size_t len,
				      struct fl_error *err)
{
	void **slot = fl_map_at(&learner->symbols, symbol, len);

	if (*slot)
		return *slot;
	if (learner->symbols.count > FL_CSV_SYMBOLS_MAX) {
		fl_error_set(err, FL_ERR_DATA,
			     "more than %d symbols in one file: say "
			     "--interval, and no --tz",
			     FL_CSV_SYMBOLS_MAX);
		return NULL;
	}
	return *slot = fl_zalloc(sizeof(struct fl_csv_last));
}

void fl_csv_learn_values(const struct fl_csv_when *when,
			 struct fl_csv_values *values)
{
	for (int i = 0; i < FL_CSV_READINGS; i++)
		values->good[i] = fl_csv_when_value(
			when, (enum fl_csv_reading)i, &values->value[i]);
}

void fl_csv_learn(struct fl_csv_learner *learner, struct fl_csv_last *row,
		  const struct fl_csv_values *values)
{
	struct fl_csv_values *last = &row->values;

	for (int i = 0; i < FL_CSV_READINGS; i++) {
		int64_t step;

		if (!values->good[i])
			continue;
		if (last->good[i] &&
		    !__builtin_sub_overflow(values->value[i], last->value[i],
					    &step) &&
		    step != 0 && step != INT64_MIN) {
			learner->up += step > 0;
			learner->down += step < 0;
			count_step(&learner->steps[i], step < 0 ? -step : step);
		}
		last->good[i] = true;
		last->value[i] = values->value[i];
	}
}

bool fl_csv_newest_first(const struct fl_csv_learner *learner)
{
	return learner->down > learner->up;
}

static void free_last(void *last)
{
	free(last);
}

void fl_csv_learner_release(struct fl_csv_learner *learner)
{
	fl_map_release(&learner->symbols, free_last);
	for (int i = 0; i < FL_CSV_READINGS; i++)
		free(learner->steps[i].slots);
	memset(learner, 0, sizeof(*learner));
}

/* --- the interval --- */

static int by_size(const void *a, const void *b)
{
	const struct fl_csv_step *left = a, *right = b;

	return left->size < right->size ? -1 : left->size > right->size;
}

/* The steps in order of size; free() them. */
static struct fl_csv_step *sorted(const struct fl_csv_steps *steps,
				  int64_t unit, size_t *count, uint64_t *rows)
{
	struct fl_csv_step *all =
		fl_realloc(NULL, steps->used + 1, sizeof(*all));

	*count = 0;
	*rows = 0;
	for (size_t i = 0; steps->slots && i < SLOTS; i++) {
		struct fl_csv_step step = steps->slots[i];

		if (!step.rows ||
		    __builtin_mul_overflow(step.size, unit, &step.size))
			continue;
		all[(*count)++] = step;
		*rows += step.rows;
	}
	qsort(all, *count, sizeof(*all), by_size);
	return all;
}

static bool parse_interval(const char *text, struct fl_interval *interval)
{
	struct fl_error ignored = { .code = FL_OK };

	return fl_interval_parse(text, interval, &ignored) == 0;
}

static const char *interval_of_days(int64_t days)
{
	return days <= 4                    ? "1d"
	       : days >= 5 && days <= 10    ? "1wk"
	       : days >= 26 && days <= 33   ? "1mo"
	       : days >= 85 && days <= 95   ? "3mo"
	       : days >= 360 && days <= 372 ? "1y"
					    : NULL;
}

static bool by_median(const struct fl_csv_step *all, size_t count,
		      uint64_t rows, struct fl_interval *interval,
		      const char **why)
{
	uint64_t before = 0;
	const char *text = "1d";

	for (size_t i = 0; i < count; i++) {
		before += all[i].rows;
		if (2 * before < rows)
			continue;
		text = interval_of_days((all[i].size + FL_DAY / 2) / FL_DAY);
		break;
	}
	*why = "the usual step between its dates is none of a day, week, month, "
	       "quarter or year";
	return text && parse_interval(text, interval);
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Less than a day: whole seconds that divide it. */
static bool by_seconds(int64_t ns, struct fl_interval *interval)
{
	char text[32];

	if (ns < FL_SECOND || ns % FL_SECOND != 0)
		return false;
	snprintf(text, sizeof(text), "%llds", (long long)(ns / FL_SECOND));
	return parse_interval(text, interval);
}

static bool by_smallest(const struct fl_csv_step *all, size_t count,
			uint64_t rows, struct fl_interval *interval,
			const char **why)
{
	int64_t smallest = 0, common = 0;

	for (size_t i = 0; i < count; i++) {
		if (all[i].rows * 100 < rows)
			continue; /* a stray row */
		if (!smallest)
			smallest = all[i].size;
		common = gcd(common, all[i].size);
	}
	*why = "its rows have times, but no symbol has two of them";
	if (count == 0)
		return false;
	if (!smallest) /* thousands of sizes, none of them usual */
		smallest = all[0].size;
	if (smallest >=
	    20 * FL_HOUR) /* once a day; summer time begins and ends */
		return by_median(all, count, rows, interval, why);
	*why = "the steps between its times divide no day";
	return by_seconds(smallest, interval) || by_seconds(common, interval);
}

bool fl_csv_interval(const struct fl_csv_learner *learner,
		     const struct fl_csv_dates *dates,
		     struct fl_interval *interval, const char **why)
{
	enum fl_csv_reading reading = dates->order;
	struct fl_csv_step *all;
	int64_t unit = 1;
	uint64_t rows;
	size_t count;
	bool told;

	if (dates->unit) {
		reading = FL_CSV_AS_COUNT;
		unit = fl_csv_unit_ns(dates->unit);
	}
	all = sorted(&learner->steps[reading], unit, &count, &rows);
	told = dates->timed ? by_smallest(all, count, rows, interval, why)
			    : by_median(all, count, rows, interval, why);
	free(all);
	return told;
}
