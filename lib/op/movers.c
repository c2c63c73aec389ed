/* movers: fl-agg movers: who gained, lost or traded most.
 *
 * Of each series the newest quote, or the newest two daily bars, whatever the
 * order in which they come. A quote that says neither its change nor the close
 * before is held against the oldest one of the input.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "op/agg.h"
#include "op/series.h"
#include "op/stat.h"
#include "rec/bar.h"

/* --- options -------------------------------------------------------------- */

static struct {
	uint64_t top;
	const char *by;
	int64_t max_age_ns;
} option = { .top = 10, .max_age_ns = 4 * FL_DAY };

static const struct fl_option options[] = {
	FL_OPT_U64(0, "top", "N", &option.top, "so many of each list [10]"),
	FL_OPT_WORD(0, "by", "WHAT", "change_pct volume", &option.by,
		    "change_pct: gainers and losers; volume: the most active "
		    "[change_pct]"),
	FL_OPT_DURATION(0, "max-age", "DUR", &option.max_age_ns,
			"leave out what is older than the newest by more [4d]"),
	FL_OPT_END,
};

/* --- state ---------------------------------------------------------------- */

struct quote_fields {
	int price, volume, prev_close, change_pct;
};

struct series {
	char *provider, *subject, *symbol;
	int64_t newest_ns, before_ns; /* FL_TIME_NONE: none yet */
	struct fl_decimal price, before;
	int64_t oldest_ns; /* of quotes */
	struct fl_decimal oldest;
	double change_pct; /* NAN: unknown, or by the bar before */
	double volume;
	char volume_text[FL_DECIMAL_TEXT]; /* as it is printed */
	bool bar;
};

struct state {
	struct fl_agg_ask ask;
	bool by_volume;
	struct quote_fields quote;
	struct fl_series_map series;
	int64_t newest_ns;
	struct fl_buf text;
	struct fl_stat stat;
};

/* --- input -----------------------------------------------------------------
 */

static struct series *add_series(struct state *state,
				 const struct fl_record *rec)
{
	struct series *series = fl_zalloc(sizeof(*series));
	const struct fl_json_tok *provider = fl_record_value(rec, "provider");
	const struct fl_json_tok *symbol = fl_record_value(rec, "symbol");

	fl_buf_reset(&state->text);
	fl_series_subject(rec, &state->text);
	series->subject = fl_strdup(fl_buf_text(&state->text));
	series->provider = fl_strndup(provider->text, provider->len);
	series->symbol = fl_strndup(symbol->text, symbol->len);
	series->newest_ns = series->before_ns = FL_TIME_NONE;
	series->bar = rec->type == &fl_type_bar;
	return series;
}

static void free_series(void *arg)
{
	struct series *series = arg;

	if (!series)
		return;
	free(series->provider);
	free(series->subject);
	free(series->symbol);
	free(series);
}

static void take_volume(struct series *series, const struct fl_record *rec,
			int field)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];
	struct fl_sum sum;

	series->volume = NAN;
	if (!rec->at[field] || fl_sum_parse(tok->text, tok->len, &sum) < 0)
		return;
	series->volume = (double)sum.nano / 1e9;
	fl_sum_print(sum, series->volume_text);
}

static void take_bar(struct series *series, const struct fl_record *rec)
{
	struct fl_decimal close;

	fl_record_number(rec, FL_BAR_CLOSE, &close);
	if (rec->ts_ns >= series->newest_ns) {
		if (rec->ts_ns > series->newest_ns) {
			series->before_ns = series->newest_ns;
			series->before = series->price;
		}
		series->newest_ns = rec->ts_ns;
		series->price = close;
		take_volume(series, rec, FL_BAR_VOLUME);
	} else if (rec->ts_ns >= series->before_ns) {
		series->before_ns = rec->ts_ns;
		series->before = close;
	}
	series->change_pct = NAN;
}

static void take_quote(const struct quote_fields *fields, struct series *series,
		       const struct fl_record *rec)
{
	struct fl_decimal percent, price;

	fl_record_number(rec, fields->price, &price);
	if (series->newest_ns == FL_TIME_NONE ||
	    rec->ts_ns < series->oldest_ns) {
		series->oldest_ns = rec->ts_ns;
		series->oldest = price;
	}
	if (rec->ts_ns < series->newest_ns)
		return;
	series->newest_ns = rec->ts_ns;
	series->price = price;
	take_volume(series, rec, fields->volume);
	series->before_ns =
		fl_record_number(rec, fields->prev_close, &series->before)
			? rec->ts_ns
			: FL_TIME_NONE;
	series->change_pct = fl_record_number(rec, fields->change_pct, &percent)
				     ? fl_decimal_to_double(percent)
				     : NAN;
}

/* A quote, or a bar of one day. */
static bool is_wanted(const struct fl_record *rec)
{
	return rec->type == &fl_type_quote ||
	       (rec->type == &fl_type_bar &&
		fl_json_is(&rec->json->toks[rec->at[FL_BAR_INTERVAL]], "1d",
			   2));
}

static int movers_put(void *arg, const struct fl_record *rec,
		      struct fl_error *err)
{
	struct state *state = arg;
	struct series *series;
	void **slot;

	(void)err;
	if (!is_wanted(rec)) {
		state->ask.io->counts.filtered++;
		return 0;
	}
	slot = fl_series_at(&state->series, rec);
	series = *slot;
	if (!series)
		*slot = series = add_series(state, rec);
	if (series->bar)
		take_bar(series, rec);
	else
		take_quote(&state->quote, series, rec);
	if (rec->ts_ns > state->newest_ns)
		state->newest_ns = rec->ts_ns;
	state->ask.io->counts.used++;
	return 0;
}

/* --- output ----------------------------------------------------------------
 */

static void find_change(struct series *series)
{
	double before;

	if (!isnan(series->change_pct))
		return;
	if (!series->bar && series->before_ns == FL_TIME_NONE &&
	    series->oldest_ns < series->newest_ns) {
		series->before_ns = series->oldest_ns;
		series->before = series->oldest;
	}
	before = fl_decimal_to_double(series->before);
	if (series->before_ns == FL_TIME_NONE || before == 0)
		return;
	series->change_pct =
		100 * (fl_decimal_to_double(series->price) - before) / before;
}

static int compare_reals(double a, double b)
{
	return a < b ? 1 : -(a > b);
}

/* Providers apart, the largest first. */
static int by_change(const void *a, const void *b)
{
	const struct series *l = *(struct series *const *)a;
	const struct series *r = *(struct series *const *)b;
	int order = strcmp(l->provider, r->provider);

	if (order == 0)
		order = compare_reals(l->change_pct, r->change_pct);
	return order ? order : strcmp(l->subject, r->subject);
}

static int by_fall(const void *a, const void *b)
{
	const struct series *l = *(struct series *const *)a;
	const struct series *r = *(struct series *const *)b;
	int order = strcmp(l->provider, r->provider);

	if (order == 0)
		order = compare_reals(r->change_pct, l->change_pct);
	return order ? order : strcmp(l->subject, r->subject);
}

static int by_volume(const void *a, const void *b)
{
	const struct series *l = *(struct series *const *)a;
	const struct series *r = *(struct series *const *)b;
	int order = strcmp(l->provider, r->provider);

	if (order == 0)
		order = compare_reals(l->volume, r->volume);
	return order ? order : strcmp(l->subject, r->subject);
}

static int write_mover(struct state *state, const struct series *series,
		       const char *list, unsigned rank, struct fl_error *err)
{
	struct fl_stat *stat = &state->stat;
	struct fl_decimal change, minus = series->before;

	fl_buf_reset(&state->text);
	fl_buf_printf(&state->text, "%s/%s", series->subject, list);
	fl_stat_begin(stat, state->newest_ns, series->provider, "movers",
		      fl_buf_text(&state->text), NULL);
	fl_stat_by(stat, "list", list);
	fl_stat_by(stat, "symbol", series->symbol);
	fl_stat_count(stat, "rank", rank);
	fl_stat_decimal(stat, "price", series->price);
	minus.mant = -minus.mant;
	if (series->before_ns != FL_TIME_NONE &&
	    fl_decimal_add(series->price, minus, &change))
		fl_stat_decimal(stat, "change", change);
	fl_stat_real(stat, "change_pct", series->change_pct);
	if (!isnan(series->volume))
		fl_buf_printf(&stat->values, ",\"volume\":%s",
			      series->volume_text);
	return fl_stat_write(stat, state->ask.out, err);
}

/* The first --top of each provider for which `wanted` holds. */
static int write_list(struct state *state, struct series **all, size_t count,
		      const char *list, bool (*wanted)(const struct series *),
		      struct fl_error *err)
{
	const char *provider = "";
	unsigned rank = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(all[i]->provider, provider) != 0) {
			provider = all[i]->provider;
			rank = 0;
		}
		if (!wanted(all[i]) || rank >= option.top)
			continue;
		if (write_mover(state, all[i], list, ++rank, err) < 0)
			return -1;
	}
	return 0;
}

static bool gained(const struct series *series)
{
	return series->change_pct > 0;
}

static bool lost(const struct series *series)
{
	return series->change_pct < 0;
}

static bool traded(const struct series *series)
{
	return series->volume > 0;
}

static int movers_end(void *arg, struct fl_error *err)
{
	struct state *state = arg;
	const struct fl_map *map = &state->series.map;
	struct series **all = fl_alloc((map->count + 1) * sizeof(*all));
	size_t count = 0;
	int result = 0;

	for (size_t i = 0; i < map->count; i++) {
		struct series *series = map->entries[i].value;

		find_change(series);
		if (state->newest_ns - series->newest_ns > option.max_age_ns)
			continue;
		/* What compares as nothing sorts as nothing. */
		if (isnan(state->by_volume ? series->volume
					   : series->change_pct))
			continue;
		all[count++] = series;
	}
	if (state->by_volume) {
		qsort(all, count, sizeof(*all), by_volume);
		result = write_list(state, all, count, "active", traded, err);
	} else {
		qsort(all, count, sizeof(*all), by_change);
		result = write_list(state, all, count, "gainers", gained, err);
		qsort(all, count, sizeof(*all), by_fall);
		if (result == 0)
			result = write_list(state, all, count, "losers", lost,
					    err);
	}
	free(all);
	return result;
}

/* --- the verb --------------------------------------------------------------
 */

static int movers_open(void **arg, const struct fl_agg_ask *ask,
		       struct fl_error *err)
{
	struct state *state = fl_zalloc(sizeof(*state));
	const char *by = option.by ? option.by : "change_pct";

	*arg = state;
	state->ask = *ask;
	state->stat.table = fl_writer_as(ask->out) == FL_AS_TABLE;
	state->newest_ns = FL_TIME_NONE;
	state->by_volume = strcmp(by, "volume") == 0;
	state->quote = (struct quote_fields){
		.price = fl_type_field(&fl_type_quote, "price", 5),
		.volume = fl_type_field(&fl_type_quote, "volume", 6),
		.prev_close = fl_type_field(&fl_type_quote, "prev_close", 10),
		.change_pct = fl_type_field(&fl_type_quote, "change_pct", 10),
	};
	if (!state->by_volume && strcmp(by, "change_pct") != 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--by is change_pct or volume, not '%s'",
				    fl_show(by, strlen(by), 60));
	if (option.top == 0)
		return fl_error_set(err, FL_ERR_USAGE, "--top is 1 or more");
	if (option.max_age_ns < 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--max-age is 0s or more");
	return 0;
}

static void movers_close(void *arg)
{
	struct state *state = arg;

	if (!state)
		return;
	fl_series_release(&state->series, free_series);
	fl_stat_release(&state->stat);
	fl_buf_release(&state->text);
	free(state);
}

const struct fl_agg fl_agg_movers = {
	.name = "movers",
	.summary = "who gained, lost or traded most, of quotes or daily bars",
	.spec = "",
	.examples =
		"fl-fetch store lake.db --type bar --interval 1d --last 2 | "
		"fl-agg movers --top 5 --as table\n"
		"fl-agg movers --by volume quotes.ndjson",
	.options = options,
	.whole_only = true,
	.whole_stream = true,
	.open = movers_open,
	.put = movers_put,
	.end = movers_end,
	.close = movers_close,
};
