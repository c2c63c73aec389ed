/* stats: fl-agg stats: each series in a few figures, and how series move
 * together.
 *
 * One pass, a fixed size for each series; only --corr keeps prices.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "op/agg.h"
#include "op/per-year.h"
#include "op/series.h"
#include "op/stat.h"
#include "rec/bar.h"

/* --- options -------------------------------------------------------------- */

static struct {
	bool corr;
	double per_year;
	uint64_t memory;
} option = { .memory = 64 << 20 };

static const struct fl_option options[] = {
	FL_OPT_FLAG(0, "corr", &option.corr,
		    "the correlation of returns as well, of each two series of "
		    "one provider and interval"),
	FL_OPT_REAL(0, "per-year", "N", &option.per_year,
		    "bars in a year of trade, 365 for daily bars of coins [252 "
		    "days of 6.5 hours, 52 weeks, 12 months; quotes: not by "
		    "the year]"),
	FL_OPT_SIZE(0, "memory", "SIZE", &option.memory,
		    "for the prices of --corr, 16 bytes each [64M]"),
	FL_OPT_END,
};

/* --- state ---------------------------------------------------------------- */

/* Mean and spread of values that come one by one (Welford's way). */
struct spread {
	double count, mean, squares;
};

struct point {
	int64_t ts_ns;
	double price;
};

struct series {
	char *provider, *subject;
	struct fl_buf by; /* more of what it is, as JSON members */
	const struct fl_type *type;
	struct fl_interval interval; /* of bars */
	/* The newest price waits for the next one: a bar that was not final
	 * may come again. */
	int64_t newest_ns;
	struct fl_decimal newest;
	bool open_yet;
	uint64_t count; /* without the newest */
	struct fl_decimal first, last, min, max;
	double before, peak, drawdown;
	struct spread returns, logs;
	struct point *points; /* --corr */
	size_t point_count, point_cap;
};

struct state {
	struct fl_agg_ask ask;
	int price; /* of quotes */
	struct fl_series_map series;
	uint64_t points; /* of all series: room for them */
	struct fl_stat stat;
	struct fl_buf text;
};

/* --- figures ---------------------------------------------------------------
 */

static void add_value(struct spread *spread, double value)
{
	double far = value - spread->mean;

	spread->count++;
	spread->mean += far / spread->count;
	spread->squares += far * (value - spread->mean);
}

/* Of a sample. NAN of fewer than two. */
static double deviation(const struct spread *spread)
{
	return spread->count < 2 ? NAN
				 : sqrt(spread->squares / (spread->count - 1));
}

static int keep_point(struct state *state, struct series *series, double price,
		      struct fl_error *err)
{
	size_t count = series->point_count;

	/* Ticks of one instant: the last one counts. */
	if (count && series->points[count - 1].ts_ns == series->newest_ns) {
		series->points[count - 1].price = price;
		return 0;
	}
	if (count == series->point_cap) {
		size_t cap = series->point_cap ? 2 * series->point_cap : 64;

		state->points += cap - series->point_cap;
		if (state->points * sizeof(*series->points) > option.memory)
			return fl_error_set(
				err, FL_ERR_DATA,
				"--corr has no room for more prices: give it a "
				"larger --memory, a shorter time or bars of a "
				"longer interval");
		series->points = fl_realloc(series->points, cap,
					    sizeof(*series->points));
		series->point_cap = cap;
	}
	series->points[series->point_count++] =
		(struct point){ series->newest_ns, price };
	return 0;
}

/* Take the newest price of the series into its figures. */
static int settle(struct state *state, struct series *series,
		  struct fl_error *err)
{
	struct fl_decimal value = series->newest;
	double price = fl_decimal_to_double(value), below;

	if (series->count++ == 0) {
		series->first = series->min = series->max = value;
		series->peak = price;
	} else {
		if (series->before != 0)
			add_value(&series->returns,
				  (price - series->before) / series->before);
		if (series->before > 0 && price > 0)
			add_value(&series->logs, log(price / series->before));
	}
	series->last = value;
	if (fl_decimal_cmp(value, series->min) < 0)
		series->min = value;
	if (fl_decimal_cmp(value, series->max) > 0)
		series->max = value;
	series->before = price;
	series->peak = fmax(series->peak, price);
	below = series->peak > 0 ? (price - series->peak) / series->peak : 0;
	series->drawdown = fmin(series->drawdown, below);
	return option.corr ? keep_point(state, series, price, err) : 0;
}

/* --- input -----------------------------------------------------------------
 */

static void put_by(struct series *series, const struct fl_record *rec,
		   const char *path)
{
	const struct fl_json_tok *tok = fl_record_value(rec, path);
	struct fl_buf *by = &series->by;

	if (!tok)
		return;
	fl_buf_putc(by, by->len ? ',' : '{');
	fl_buf_printf(by, "\"%s\":", path);
	fl_buf_json_string(by, tok->text, tok->len);
}

static struct series *add_series(struct state *state,
				 const struct fl_record *rec)
{
	struct series *series = fl_zalloc(sizeof(*series));
	const struct fl_json_tok *provider = fl_record_value(rec, "provider");

	fl_buf_reset(&state->text);
	fl_series_subject(rec, &state->text);
	series->subject = fl_strdup(fl_buf_text(&state->text));
	series->provider = fl_strndup(provider->text, provider->len);
	series->type = rec->type;
	series->newest_ns = FL_TIME_NONE;
	put_by(series, rec, "symbol");
	if (rec->type == &fl_type_bar) {
		fl_record_interval(&rec->json->toks[rec->at[FL_BAR_INTERVAL]],
				   &series->interval);
		put_by(series, rec, "interval");
		put_by(series, rec, "adj");
		put_by(series, rec, "session");
	}
	return series;
}

static void free_series(void *arg)
{
	struct series *series = arg;

	if (!series)
		return;
	free(series->provider);
	free(series->subject);
	free(series->points);
	fl_buf_release(&series->by);
	free(series);
}

static bool is_final(const struct fl_record *rec)
{
	return rec->type != &fl_type_bar || !rec->at[FL_BAR_FINAL] ||
	       rec->json->toks[rec->at[FL_BAR_FINAL]].kind != FL_JSON_FALSE;
}

static int refuse_late(struct state *state, const struct series *series,
		       const struct fl_record *rec, struct fl_error *err)
{
	struct fl_note note = { "", "" };
	char newest[FL_TIME_TEXT];

	fl_time_print(series->newest_ns, newest);
	fl_note_set(&note, "ts",
		    rec->ts_ns == series->newest_ns
			    ? "a second bar of %s, after a final one"
			    : "before %s, the newest of its series: returns go "
			      "by the order of time",
		    newest);
	return fl_agg_refuse(state->ask.io, rec, FL_REASON_late, &note, err);
}

static int stats_put(void *arg, const struct fl_record *rec,
		     struct fl_error *err)
{
	struct state *state = arg;
	bool bar = rec->type == &fl_type_bar, again;
	struct series *series;
	struct fl_decimal price;
	void **slot;

	if ((!bar && rec->type != &fl_type_quote) ||
	    !fl_record_number(rec, bar ? FL_BAR_CLOSE : state->price, &price)) {
		state->ask.io->counts.filtered++;
		return 0;
	}
	slot = fl_series_at(&state->series, rec);
	series = *slot;
	if (!series)
		*slot = series = add_series(state, rec);
	again = bar && rec->ts_ns == series->newest_ns;
	if (rec->ts_ns < series->newest_ns || (again && !series->open_yet))
		return refuse_late(state, series, rec, err);
	state->ask.io->counts.used++;
	if (series->newest_ns != FL_TIME_NONE && !again &&
	    settle(state, series, err) < 0)
		return -1;
	series->newest_ns = rec->ts_ns;
	series->newest = price;
	series->open_yet = !is_final(rec);
	return 0;
}

/* --- output ----------------------------------------------------------------
 */

/* 0: not known. */
static double per_year(const struct series *series)
{
	if (option.per_year > 0)
		return option.per_year;
	return series->type == &fl_type_bar ? fl_per_year(&series->interval)
					    : 0;
}

static int write_series(struct state *state, const struct series *series,
			struct fl_error *err)
{
	double year = per_year(series), first, last;
	double spread = deviation(&series->returns);
	struct fl_stat *stat = &state->stat;

	fl_stat_begin(stat, series->newest_ns, series->provider, "stats",
		      series->subject, NULL);
	fl_buf_append(&stat->by, series->by.data, series->by.len);
	fl_stat_count(stat, "count", series->count);
	fl_stat_decimal(stat, "first", series->first);
	fl_stat_decimal(stat, "last", series->last);
	fl_stat_decimal(stat, "min", series->min);
	fl_stat_decimal(stat, "max", series->max);
	first = fl_decimal_to_double(series->first);
	last = fl_decimal_to_double(series->last);
	fl_stat_real(stat, "return", first != 0 ? (last - first) / first : NAN);
	fl_stat_real(stat, "volatility",
		     deviation(&series->logs) * sqrt(year > 0 ? year : 1));
	fl_stat_real(stat, "sharpe",
		     year > 0 && spread > 0
			     ? series->returns.mean / spread * sqrt(year)
			     : NAN);
	fl_stat_real(stat, "max_drawdown", series->drawdown);
	return fl_stat_write(stat, state->ask.out, err);
}

struct pair {
	double count, mean_a, mean_b, aa, bb, ab;
};

static void add_pair(struct pair *pair, double a, double b)
{
	double far_a = a - pair->mean_a, far_b = b - pair->mean_b;

	pair->count++;
	pair->mean_a += far_a / pair->count;
	pair->mean_b += far_b / pair->count;
	pair->aa += far_a * (a - pair->mean_a);
	pair->bb += far_b * (b - pair->mean_b);
	pair->ab += far_a * (b - pair->mean_b);
}

static double return_of(const struct point *before, const struct point *now)
{
	return (now->price - before->price) / before->price;
}

/* Returns from one time that both have to the next: they are of the same span
 * then. returns the last such time */
static int64_t compare_series(const struct series *a, const struct series *b,
			      struct pair *pair)
{
	const struct point *p = a->points, *p_end = p + a->point_count;
	const struct point *q = b->points, *q_end = q + b->point_count;
	const struct point *p_before = NULL, *q_before = NULL;

	*pair = (struct pair){ .count = 0 };
	while (p < p_end && q < q_end) {
		if (p->ts_ns < q->ts_ns) {
			p++;
		} else if (q->ts_ns < p->ts_ns) {
			q++;
		} else {
			if (p_before && p_before->price != 0 &&
			    q_before->price != 0)
				add_pair(pair, return_of(p_before, p),
					 return_of(q_before, q));
			p_before = p++;
			q_before = q++;
		}
	}
	return p_before ? p_before->ts_ns : FL_TIME_NONE;
}

static int write_pair(struct state *state, const struct series *a,
		      const struct series *b, struct fl_error *err)
{
	struct fl_stat *stat = &state->stat;
	struct pair pair;
	int64_t ts_ns;

	if (a->type != b->type || strcmp(a->provider, b->provider) != 0 ||
	    strcmp(a->interval.text, b->interval.text) != 0)
		return 0;
	ts_ns = compare_series(a, b, &pair);
	if (pair.count < 1)
		return 0;
	fl_buf_reset(&state->text);
	fl_buf_printf(&state->text, "%s~%s", a->subject, b->subject);
	fl_stat_begin(stat, ts_ns, a->provider, "correlation",
		      fl_buf_text(&state->text), NULL);
	fl_stat_by(stat, "a", a->subject);
	fl_stat_by(stat, "b", b->subject);
	fl_stat_real(stat, "correlation",
		     pair.count > 1 && pair.aa > 0 && pair.bb > 0
			     ? pair.ab / sqrt(pair.aa * pair.bb)
			     : NAN);
	fl_stat_count(stat, "count", (uint64_t)pair.count);
	return fl_stat_write(stat, state->ask.out, err);
}

static int stats_end(void *arg, struct fl_error *err)
{
	struct state *state = arg;
	const struct fl_map *map = &state->series.map;

	for (size_t i = 0; i < map->count; i++) {
		struct series *series = map->entries[i].value;

		if (settle(state, series, err) < 0 ||
		    write_series(state, series, err) < 0)
			return -1;
	}
	for (size_t i = 0; option.corr && i < map->count; i++) {
		for (size_t j = i + 1; j < map->count; j++) {
			if (write_pair(state, map->entries[i].value,
				       map->entries[j].value, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int stats_open(void **arg, const struct fl_agg_ask *ask,
		      struct fl_error *err)
{
	struct state *state = fl_zalloc(sizeof(*state));

	*arg = state;
	state->ask = *ask;
	state->stat.table = fl_writer_as(ask->out) == FL_AS_TABLE;
	state->price = fl_type_field(&fl_type_quote, "price", 5);
	if (option.per_year < 0)
		return fl_error_set(err, FL_ERR_USAGE, "--per-year is above 0");
	return 0;
}

static void stats_close(void *arg)
{
	struct state *state = arg;

	if (!state)
		return;
	fl_series_release(&state->series, free_series);
	fl_stat_release(&state->stat);
	fl_buf_release(&state->text);
	free(state);
}

const struct fl_agg fl_agg_stats = {
	.name = "stats",
	.summary = "return, volatility, Sharpe ratio and drawdown of each "
		   "series, and correlations",
	.spec = "",
	.examples = "fl-fetch store lake.db --type bar --interval 1d | fl-agg "
		    "stats\n"
		    "fl-agg stats --corr --as table bars.ndjson\n"
		    "fl-fetch store coins.db --interval 1d | fl-agg stats "
		    "--per-year 365",
	.options = options,
	.whole_only = true,
	.whole_stream = true,
	.open = stats_open,
	.put = stats_put,
	.end = stats_end,
	.close = stats_close,
};
