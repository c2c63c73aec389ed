/* indicators: what every indicator must do, whatever it is: the test walks the
 * registry. Their figures are held against references by
 * tests/cmd/fl-agg-verbs.bats.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/mem.h"
#include "base/time.h"
#include "op/indicator.h"
#include "op/per-year.h"
#include "tap.h"

enum {
	MORE = 40, /* bars beyond the warm-up */
	STATE_MOST = 1 << 20,
};

static uint64_t seed = 11;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1;
	return (double)(seed >> 33) / 2147483648.0;
}

static struct fl_ind_bar flat(double price)
{
	return (struct fl_ind_bar){
		.open = price,
		.high = price,
		.low = price,
		.close = price,
		.price = price,
		.volume = 10,
		.turnover = NAN,
		.per_year = 252,
	};
}

/* The next bar of a random walk. */
static struct fl_ind_bar walk(double *price)
{
	struct fl_ind_bar bar = flat(*price);

	*price = fmax(1, *price + uniform() - 0.5);
	bar.close = bar.price = *price;
	bar.high = fmax(bar.open, bar.close) + uniform();
	bar.low = fmin(bar.open, bar.close) - uniform() / 2;
	bar.volume = 1 + floor(100 * uniform());
	return bar;
}

static void step(const struct fl_ind_spec *spec, void *state,
		 const struct fl_ind_bar *bar, double *out)
{
	for (int i = 0; i < FL_IND_OUTPUTS; i++)
		out[i] = NAN;
	spec->ind->step(state, spec->params, bar, out);
}

static unsigned longest(const struct fl_ind_spec *spec)
{
	unsigned most = 0;

	for (unsigned i = 0; i < spec->outputs; i++) {
		unsigned own = spec->ind->warm_up(spec->params, i);

		most = own > most ? own : most;
	}
	return most;
}

/* Figures are absent for as long as is said, and there from then on; nothing
 * but the state is remembered. */
static void test_warm_up(const struct fl_ind_spec *spec, const char *what)
{
	char *state = fl_zalloc(spec->size), *copy = fl_zalloc(spec->size);
	unsigned early = 0, missing = 0, differ = 0, extra = 0;
	double price = 100;

	for (unsigned i = 0; i < longest(spec) + MORE; i++) {
		struct fl_ind_bar bar = walk(&price), other = flat(7);
		double out[FL_IND_OUTPUTS], again[FL_IND_OUTPUTS];

		memcpy(copy, state, spec->size);
		step(spec, copy, &other, out);
		memcpy(copy, state, spec->size);
		step(spec, state, &bar, out);
		step(spec, copy, &bar, again);
		differ += memcmp(state, copy, spec->size) != 0;
		for (unsigned j = 0; j < FL_IND_OUTPUTS; j++) {
			bool due = j < spec->outputs &&
				   i >= spec->ind->warm_up(spec->params, j);

			early += !isnan(out[j]) && !due;
			missing += due && !isfinite(out[j]);
			extra += j >= spec->outputs && !isnan(out[j]);
			differ += out[j] != again[j] &&
				  !(isnan(out[j]) && isnan(again[j]));
		}
	}
	is_int(early, 0, "%s: no figure before its warm-up is over", what);
	is_int(missing, 0, "%s: and one of every bar from then on", what);
	is_int(extra, 0, "%s: none without a name", what);
	is_int(differ, 0, "%s: the same state and bar give the same", what);
	free(state);
	free(copy);
}

/* Where nothing moves, figures do not either. */
static void test_constant(const struct fl_ind_spec *spec, const char *what)
{
	char *state = fl_zalloc(spec->size);
	double before[FL_IND_OUTPUTS] = { NAN, NAN, NAN };
	struct fl_ind_bar bar = flat(12.5);
	unsigned moved = 0;

	for (unsigned i = 0; i < longest(spec) + MORE; i++) {
		double out[FL_IND_OUTPUTS];

		step(spec, state, &bar, out);
		for (unsigned j = 0; j < FL_IND_OUTPUTS; j++) {
			if (!isnan(before[j]))
				moved += !(fabs(out[j] - before[j]) <
					   1e-9 * 12.5);
			before[j] = out[j];
		}
	}
	is_int(moved, 0, "%s: prices that stand still", what);
	free(state);
}

/* Bars without a volume leave those that want one as they were. */
static void test_no_volume(const struct fl_ind_spec *spec, const char *what)
{
	char *state = fl_zalloc(spec->size);
	double price = 100, out[FL_IND_OUTPUTS];
	unsigned wrong = 0;

	for (unsigned i = 0; i < longest(spec) + MORE; i++) {
		struct fl_ind_bar bar = walk(&price);

		bar.volume = NAN;
		step(spec, state, &bar, out);
		for (unsigned j = 0; j < spec->outputs; j++)
			wrong += isnan(out[j]) !=
				 (spec->ind->by_volume ||
				  i < spec->ind->warm_up(spec->params, j));
	}
	is_int(wrong, 0, "%s: bars without a volume", what);
	free(state);
}

/* The longest windows there may be have a size that fits. */
static void test_size(const struct fl_indicator *ind)
{
	double params[FL_IND_PARAMS];

	for (unsigned i = 0; i < FL_IND_PARAMS; i++)
		params[i] = ind->params[i].most;
	ok(ind->size(params) > 0 && ind->size(params) <= STATE_MOST,
	   "%s: %zu bytes at most", ind->name, ind->size(params));
}

static void test_spec(const char *text)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_ind_spec spec;

	if (!ok(fl_ind_spec_parse(text, "close", &spec, &err) == 0, "%s: %s",
		text, err.text))
		return;
	ok(spec.outputs > 0, "%s has a figure", text);
	test_warm_up(&spec, text);
	test_constant(&spec, text);
	test_no_volume(&spec, text);
	fl_ind_spec_release(&spec);
}

/* "name:least:least" and with other parameters in the middle. */
static void test_indicator(const struct fl_indicator *ind)
{
	struct fl_buf least = FL_BUF_INIT, middle = FL_BUF_INIT;

	fl_buf_puts(&least, ind->name);
	fl_buf_puts(&middle, ind->name);
	for (unsigned i = 0; ind->params[i].name; i++) {
		double lower =
			ind->params[i].automatic ? 1 : ind->params[i].least;

		fl_buf_printf(&least, ":%g", lower);
		fl_buf_printf(&middle, ":%g", ceil(lower) + 5 + 3 * i);
	}
	test_spec(ind->name);
	test_spec(fl_buf_text(&least));
	test_spec(fl_buf_text(&middle));
	test_size(ind);
	fl_buf_release(&least);
	fl_buf_release(&middle);
}

static void test_names(void)
{
	unsigned same = 0, odd = 0;

	for (size_t i = 0; fl_indicators[i]; i++) {
		const char *name = fl_indicators[i]->name;

		odd += strspn(name, "abcdefghijklmnopqrstuvwxyz") !=
		       strlen(name);
		for (size_t j = 0; j < i; j++)
			same += strcmp(name, fl_indicators[j]->name) == 0;
	}
	is_int(same, 0, "no name twice");
	is_int(odd, 0, "names are of small letters");
}

static void is_per_year(const char *text, double want)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_interval interval;

	ok(fl_interval_parse(text, &interval, &err) == 0 &&
		   fabs(fl_per_year(&interval) - want) < 1e-9,
	   "%g bars of %s in a year", want, text);
}

int main(void)
{
	test_names();
	for (size_t i = 0; fl_indicators[i]; i++)
		test_indicator(fl_indicators[i]);
	is_per_year("1d", 252);
	is_per_year("1wk", 52);
	is_per_year("1mo", 12);
	is_per_year("3mo", 4);
	is_per_year("1y", 1);
	is_per_year("1h", 1638);
	is_per_year("1s", 252 * 23400);
	return done_testing();
}
