/* indicators: fl-agg indicators: figures beside prices, in the bar's `ind`.
 *
 * One bar in, the same bar out: `ind` is put into the line, and the rest of it
 * stays as it is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/window.h"
#include "base/zone.h"
#include "op/agg.h"
#include "op/indicator.h"
#include "op/per-year.h"
#include "op/series.h"
#include "op/shown.h"
#include "rec/bar.h"

enum {
	SPECS_MAX = 64,
};

/* --- options -------------------------------------------------------------- */

enum price {
	PRICE_CLOSE,
	PRICE_ADJ_CLOSE,
	PRICE_HL2,
	PRICE_HLC3,
	PRICE_OHLC4,
};

static const char *const prices[] = { "close", "adj_close", "hl2",
				      "hlc3",  "ohlc4",     NULL };

static struct {
	const char *price;
} option;

static const struct fl_option options[] = {
	FL_OPT_WORD(
		0, "price", "P", "close adj_close hl2 hlc3 ohlc4",
		&option.price,
		"the price of a bar: close, adj_close, hl2 (mean of high and "
		"low), hlc3, ohlc4 [close]"),
	FL_OPT_END,
};

/* --- state ---------------------------------------------------------------- */

/* Of one series, and behind it what its indicators remember. */
struct series {
	int64_t newest_ns;
	/* The newest bar was not final: it may come again, so that what was
	 * before it is kept in `before`. */
	bool open_yet;
	char *before;
	double per_year;
	bool dated;
	const struct fl_zone *zone;
	char *tz; /* that `zone` is for; NULL: none yet */
	_Alignas(16) char memory[];
};

struct state {
	struct fl_agg_ask ask;
	enum price price;
	const char *price_word;
	struct fl_ind_spec specs[SPECS_MAX];
	unsigned count;
	size_t memory_size; /* of a series */
	bool by_day;
	bool by_close; /* closes are all that is wanted of bars */
	bool table;
	char *fields; /* of a table, for io->fields */
	struct fl_series_map series;
	struct fl_buf ind, line;
};

/* --- a bar as figures ------------------------------------------------------
 */

static double read_number(const struct fl_record *rec, int field)
{
	struct fl_decimal value;

	return fl_record_number(rec, field, &value)
		       ? fl_decimal_to_double(value)
		       : NAN;
}

/* A sum may have more digits than a decimal. */
static double read_sum(const struct fl_record *rec, int field)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];
	double value = read_number(rec, field);
	struct fl_sum sum;

	if (isnan(value) && rec->at[field] &&
	    fl_sum_parse(tok->text, tok->len, &sum) >= 0)
		return (double)sum.nano / 1e9;
	return value;
}

static double price_of(enum price price, const struct fl_ind_bar *bar,
		       const struct fl_record *rec)
{
	switch (price) {
	case PRICE_CLOSE:
		break;
	case PRICE_ADJ_CLOSE:
		return read_number(rec, FL_BAR_ADJ_CLOSE);
	case PRICE_HL2:
		return (bar->high + bar->low) / 2;
	case PRICE_HLC3:
		return (bar->high + bar->low + bar->close) / 3;
	case PRICE_OHLC4:
		return (bar->open + bar->high + bar->low + bar->close) / 4;
	}
	return bar->close;
}

/* The trading date: the bar's own, else that of the wall clock of --tz, the
 * bar's zone, UTC. */
static int find_day(const struct state *state, struct series *series,
		    const struct fl_record *rec, int64_t *day,
		    struct fl_error *err)
{
	const struct fl_zone *zone = state->ask.io->zone;
	const char *text;
	size_t len;

	*day = 0;
	if (series->dated)
		return 0;
	if (fl_record_string(rec, FL_BAR_DATE, &text, &len) &&
	    fl_date_parse(text, len, day))
		return 0;
	if (!zone && fl_record_string(rec, FL_BAR_TZ, &text, &len)) {
		if (!series->tz || strlen(series->tz) != len ||
		    memcmp(series->tz, text, len) != 0) {
			free(series->tz);
			series->tz = fl_strndup(text, len);
			if (fl_zone_open(series->tz, &series->zone, err) < 0)
				return -1;
		}
		zone = series->zone;
	}
	*day = fl_window_day(zone, rec->ts_ns);
	return 0;
}

static int read_bar(const struct state *state, struct series *series,
		    const struct fl_record *rec, struct fl_ind_bar *bar,
		    struct fl_error *err)
{
	if (state->by_close) {
		*bar = (struct fl_ind_bar){ .per_year = series->per_year };
		bar->price = bar->close = read_number(rec, FL_BAR_CLOSE);
		return 0;
	}
	*bar = (struct fl_ind_bar){
		.open = read_number(rec, FL_BAR_OPEN),
		.high = read_number(rec, FL_BAR_HIGH),
		.low = read_number(rec, FL_BAR_LOW),
		.close = read_number(rec, FL_BAR_CLOSE),
		.volume = read_sum(rec, FL_BAR_VOLUME),
		.turnover = read_sum(rec, FL_BAR_TURNOVER),
		.per_year = series->per_year,
	};
	bar->price = price_of(state->price, bar, rec);
	return state->by_day ? find_day(state, series, rec, &bar->day, err) : 0;
}

/* --- the object ------------------------------------------------------------
 */

static void put_figure(struct fl_buf *out, const char *key, size_t len,
		       double value)
{
	struct fl_decimal decimal;

	if (!fl_decimal_from_double(value, &decimal) ||
	    !fl_buf_reserve(out, len + 1 + FL_DECIMAL_TEXT))
		return;
	if (out->len > 1)
		out->data[out->len++] = ',';
	memcpy(out->data + out->len, key, len);
	out->len += len;
	out->len += fl_decimal_print(decimal, out->data + out->len);
}

static bool is_ours(const struct state *state, const struct fl_json_tok *name)
{
	for (unsigned i = 0; i < state->count; i++) {
		const struct fl_ind_spec *spec = &state->specs[i];

		for (unsigned j = 0; j < spec->outputs; j++) {
			if (fl_json_is(name, spec->names[j],
				       strlen(spec->names[j])))
				return true;
		}
	}
	return false;
}

/* What was there before, but for what we know better. Was there such? */
static bool keep_others(struct state *state, const struct fl_record *rec)
{
	const struct fl_json_tok *toks = rec->json->toks;
	uint32_t at = rec->at[FL_BAR_IND];
	struct fl_buf *out = &state->ind;
	bool dropped = false;

	for (uint32_t i = at + 1; i < toks[at].next; i = toks[i + 1].next) {
		if (is_ours(state, &toks[i])) {
			dropped = true;
			continue;
		}
		if (out->len > 1)
			fl_buf_putc(out, ',');
		fl_json_print(rec->json, i, out);
		fl_buf_putc(out, ':');
		fl_json_print(rec->json, i + 1, out);
	}
	return dropped;
}

/* Take the bar into the series, and print its figures: "{" when there are
 * none, and no closing brace. */
static void take_steps(struct state *state, struct series *series,
		       const struct fl_ind_bar *bar)
{
	char *memory = series->memory;

	for (unsigned i = 0; i < state->count; i++) {
		const struct fl_ind_spec *spec = &state->specs[i];
		double out[FL_IND_OUTPUTS] = { NAN, NAN, NAN };

		/* A bar without the price is no bar for what goes by it. */
		if (!(spec->ind->by_price && isnan(bar->price)))
			spec->ind->step(memory, spec->params, bar, out);
		memory += spec->size;
		for (unsigned j = 0; j < spec->outputs; j++)
			put_figure(&state->ind, spec->keys[j],
				   spec->key_lens[j],
				   state->table ? fl_shown(out[j]) : out[j]);
	}
}

/* --- the line --------------------------------------------------------------
 */

/* Past the JSON value at p, which is well-formed. */
static const char *past_value(const char *p, const char *end)
{
	unsigned depth = 0;
	bool quoted = false;

	for (; p < end; p++) {
		if (quoted) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = false;
		} else if (*p == '"') {
			quoted = true;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (depth == 0)
				return p;
			depth--;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
	}
	return p;
}

/* Where in the line the key of a member stands, with its quote. */
static const char *place_of(const struct fl_record *rec, uint32_t key)
{
	return rec->bytes + (rec->json->toks[key].text - rec->json->copy) - 1;
}

/* The key of a member `ind`, even of one that is null; 0: there is none. */
static uint32_t find_ind(const struct fl_record *rec)
{
	uint32_t at = rec->at[FL_BAR_IND];

	if (!at && !rec->plain)
		at = fl_json_find(rec->json, 0, "ind", 3);
	return at ? at - 1 : 0;
}

/* Put another object, or none, in the place of the one at `key`. */
static void replace_ind(struct state *state, const struct fl_record *rec,
			uint32_t key)
{
	const char *from = place_of(rec, key), *end = rec->bytes + rec->len;
	const char *to = past_value(from, end), *p;
	struct fl_buf *line = &state->line;

	if (state->ind.len > 1) {
		while (strchr(" \t\r", to[-1]))
			to--;
		fl_buf_append(line, rec->bytes, (size_t)(from - rec->bytes));
		fl_buf_puts(line, "\"ind\":");
		fl_buf_append(line, state->ind.data, state->ind.len);
		fl_buf_putc(line, '}');
	} else { /* and a comma goes as well */
		for (p = from; p > rec->bytes && *p != ',';)
			p--;
		if (*p == ',')
			from = p;
		else if (*to == ',')
			to++;
		fl_buf_append(line, rec->bytes, (size_t)(from - rec->bytes));
	}
	fl_buf_append(line, to, (size_t)(end - to));
}

/* Behind the last of the fields that stand before `ind` in the table: so a
 * canonical record stays one. */
static void insert_ind(struct state *state, const struct fl_record *rec)
{
	const struct fl_json_tok *toks = rec->json->toks;
	const char *end = rec->bytes + rec->len, *place;
	struct fl_buf *line = &state->line;
	uint32_t last = 0, next;

	for (int i = 0; i < FL_BAR_IND; i++) {
		if (rec->at[i] > last)
			last = rec->at[i];
	}
	next = toks[last].next;
	if (next < toks[0].next) {
		place = place_of(rec, next);
	} else {
		for (place = end; *--place != '}';)
			;
	}
	fl_buf_append(line, rec->bytes, (size_t)(place - rec->bytes));
	fl_buf_puts(line, next < toks[0].next ? "\"ind\":" : ",\"ind\":");
	fl_buf_append(line, state->ind.data, state->ind.len);
	fl_buf_puts(line, next < toks[0].next ? "}," : "}");
	fl_buf_append(line, place, (size_t)(end - place));
}

static int write_bar(struct state *state, const struct fl_record *rec,
		     struct fl_error *err)
{
	uint32_t key = find_ind(rec);

	fl_buf_reset(&state->line);
	if (key)
		replace_ind(state, rec, key);
	else
		insert_ind(state, rec);
	return fl_writer_text(state->ask.out, state->line.data, state->line.len,
			      err);
}

/* --- the verb --------------------------------------------------------------
 */

static struct series *add_series(const struct state *state,
				 const struct fl_record *rec)
{
	struct series *series = fl_zalloc(sizeof(*series) + state->memory_size);
	struct fl_interval interval = { .ns = FL_DAY };

	fl_record_interval(&rec->json->toks[rec->at[FL_BAR_INTERVAL]],
			   &interval);
	series->newest_ns = FL_TIME_NONE;
	series->dated = interval.dated;
	series->per_year = fl_per_year(&interval);
	return series;
}

static void free_series(void *arg)
{
	struct series *series = arg;

	if (!series)
		return;
	free(series->before);
	free(series->tz);
	free(series);
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
			    : "a bar from before %s, the newest of its series: "
			      "indicators go by the order of time",
		    newest);
	return fl_agg_refuse(state->ask.io, rec, FL_REASON_late, &note, err);
}

/* What the series was before its newest bar, which was not final. */
static void keep_before(const struct state *state, struct series *series,
			bool open_yet)
{
	series->open_yet = open_yet;
	if (!open_yet)
		return;
	if (!series->before)
		series->before = fl_alloc(state->memory_size);
	memcpy(series->before, series->memory, state->memory_size);
}

static int put_bar(struct state *state, const struct fl_record *rec,
		   struct fl_error *err)
{
	void **slot = fl_series_at(&state->series, rec);
	struct series *series = *slot;
	struct fl_ind_bar bar;
	bool changed = false;
	size_t kept;

	if (!series)
		*slot = series = add_series(state, rec);
	if (rec->ts_ns <= series->newest_ns) {
		if (rec->ts_ns < series->newest_ns || !series->open_yet)
			return refuse_late(state, series, rec, err);
		memcpy(series->memory, series->before, state->memory_size);
	}
	if (!state->ask.io->warm)
		state->ask.io->counts.used++;
	if (read_bar(state, series, rec, &bar, err) < 0)
		return -1;
	series->newest_ns = rec->ts_ns;
	keep_before(state, series,
		    rec->at[FL_BAR_FINAL] &&
			    rec->json->toks[rec->at[FL_BAR_FINAL]].kind ==
				    FL_JSON_FALSE);
	fl_buf_reset(&state->ind);
	fl_buf_putc(&state->ind, '{');
	if (rec->at[FL_BAR_IND])
		changed = keep_others(state, rec);
	kept = state->ind.len;
	take_steps(state, series, &bar);
	if (state->ask.io->warm)
		return 0;
	return changed || state->ind.len > kept
		       ? write_bar(state, rec, err)
		       : fl_writer_put(state->ask.out, rec, err);
}

static int indicators_put(void *arg, const struct fl_record *rec,
			  struct fl_error *err)
{
	struct state *state = arg;

	if (rec->type == &fl_type_bar)
		return put_bar(state, rec, err);
	if (state->ask.io->warm)
		return 0;
	state->ask.io->counts.used++;
	return fl_writer_put(state->ask.out, rec, err);
}

static int add_spec(struct state *state, const char *word, struct fl_error *err)
{
	struct fl_ind_spec *spec = &state->specs[state->count];

	if (state->count == SPECS_MAX)
		return fl_error_set(err, FL_ERR_USAGE,
				    "at most %d indicators at once", SPECS_MAX);
	if (fl_ind_spec_parse(word, state->price_word, spec, err) < 0)
		return -1;
	state->count++;
	for (unsigned i = 0; i + 1 < state->count; i++) {
		if (strcmp(state->specs[i].names[0], spec->names[0]) == 0)
			return fl_error_set(err, FL_ERR_USAGE,
					    "'%s' stands twice",
					    spec->names[0]);
	}
	state->memory_size += spec->size;
	state->by_day |= spec->ind->by_day;
	state->by_close &= spec->ind->by_price && !spec->ind->by_volume;
	return 0;
}

static int find_price(struct state *state, struct fl_error *err)
{
	state->price_word = option.price ? option.price : "close";
	for (unsigned i = 0; prices[i]; i++) {
		if (strcmp(prices[i], state->price_word) != 0)
			continue;
		state->price = (enum price)i;
		return 0;
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "--price is close, adj_close, hl2, hlc3 or ohlc4, "
			    "not '%s'",
			    fl_show(option.price, strlen(option.price), 60));
}

/* A table of bars has no room for `ind`; that is what was asked for. */
static void choose_fields(struct state *state)
{
	struct fl_buf fields = FL_BUF_INIT;

	state->table = fl_writer_as(state->ask.out) == FL_AS_TABLE;
	if (!state->table || state->ask.io->fields)
		return;
	fl_buf_puts(&fields, "ts,symbol,interval,close");
	for (unsigned i = 0; i < state->count; i++) {
		for (unsigned j = 0; j < state->specs[i].outputs; j++)
			fl_buf_printf(&fields, ",ind.%s",
				      state->specs[i].names[j]);
	}
	state->ask.io->fields = state->fields = fl_buf_take(&fields);
}

static int indicators_open(void **arg, const struct fl_agg_ask *ask,
			   struct fl_error *err)
{
	struct state *state = fl_zalloc(sizeof(*state));
	char *words = fl_strdup(ask->spec), *rest = words;
	const char *word;
	int result;

	*arg = state;
	state->ask = *ask;
	result = find_price(state, err);
	state->by_close = state->price == PRICE_CLOSE;
	while (result == 0 && (word = strsep(&rest, ",")))
		result = add_spec(state, word, err);
	free(words);
	if (result == 0)
		choose_fields(state);
	return result;
}

static int indicators_end(void *arg, struct fl_error *err)
{
	(void)arg;
	(void)err;
	return 0;
}

static void indicators_close(void *arg)
{
	struct state *state = arg;

	if (!state)
		return;
	for (unsigned i = 0; i < state->count; i++)
		fl_ind_spec_release(&state->specs[i]);
	fl_series_release(&state->series, free_series);
	fl_buf_release(&state->ind);
	fl_buf_release(&state->line);
	/* The writer, which looks at it for every new header, closes after us,
	 * with nothing more to say than what it has buffered. */
	if (state->fields)
		state->ask.io->fields = NULL;
	free(state->fields);
	free(state);
}

const struct fl_agg fl_agg_indicators = {
	.name = "indicators",
	.summary = "moving averages, RSI, MACD and more, into `ind` of bars",
	.spec = "SPEC,...",
	.examples =
		"fl-fetch store lake.db --type bar --interval 1d | fl-agg "
		"indicators sma:20,rsi:14,macd\n"
		"fl-agg indicators bb:20:2.5 --price hlc3 bars.ndjson\n"
		"fl-fetch sim -n 100000 | fl-agg bars 1m | fl-agg indicators "
		"ema:12,vwap | fl-load lake.db\n"
		"fl-agg --list-indicators",
	.options = options,
	.whole_only = true,
	.open = indicators_open,
	.put = indicators_put,
	.end = indicators_end,
	.close = indicators_close,
};
