/* bars: fl-agg bars: bars of ticks and of smaller bars.
 *
 * Workers read lines and find out of which kind each record is (its variant:
 * all that does not change from tick to tick); one consumer, who sees all in
 * order, puts them into their bars. Prices are decimals from end to end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/short.h"
#include "base/time.h"
#include "base/window.h"
#include "base/zone.h"
#include "op/agg.h"
#include "op/bar-parts.h"
#include "op/bar-series.h"
#include "op/lines.h"
#include "rec/mark.h"
#include "rec/sessions.h"

/* --- options -------------------------------------------------------------- */

static struct {
	const char *session, *calendar;
	int64_t lateness_ns, close_idle_ns;
	bool gaps, merge, partial, keep;
} option = { .lateness_ns = 10 * FL_SECOND };

static const struct fl_option options[] = {
	FL_OPT_TEXT(0, "session", "S", &option.session,
		    "trading hours that count, where the exchange is known: "
		    "regular, pre, post, all [regular]"),
	FL_OPT_DURATION(0, "allowed-lateness", "DUR", &option.lateness_ns,
			"keep a bar open so long past its end, by the times of "
			"its series; what comes later is late [10s]"),
	FL_OPT_DURATION(0, "close-idle", "DUR", &option.close_idle_ns,
			"live: write a bar that is over when its series has "
			"been silent for DUR"),
	FL_OPT_FLAG(0, "gaps", &option.gaps,
		    "fill intervals without trade with the last close, as "
		    "gap:true"),
	FL_OPT_WORD(
		0, "calendar", "FILE", "@file", &option.calendar,
		"trading hours and holidays from FILE instead of those built "
		"in"),
	FL_OPT_FLAG(0, "keep", &option.keep, "pass the input on as well"),
	FL_OPT_FLAG(0, "partial", &option.partial,
		    "write parts of bars, to be merged; nothing is late then"),
	FL_OPT_FLAG(0, "merge", &option.merge,
		    "put parts of bars together, in whatever order they come"),
	FL_OPT_END,
};

static const char *const sessions[] = { "regular", "pre", "post", "all", NULL };

/* --- variants ------------------------------------------------------------- */

/* What a record of one series says besides time and figures. */
enum word {
	PROVIDER,
	SYMBOL,
	CURRENCY,
	CURRENCY_SRC,
	PRICE_SCALE,
	MIC,
	EXCHANGE,
	QUOTE_WORDS,
	ADJ = QUOTE_WORDS, /* the rest of bars only */
	SESSION,
	TZ,
	INTERVAL,
	BAR_WORDS,
};

static const char *const paths[BAR_WORDS] = {
	"provider", "symbol", "currency", "currency_src", "price_scale", "mic",
	"exchange", "adj",    "session",  "tz",           "interval",
};

/* One for each worker that meets it; what the consumer knows of it is filled
 * in when it comes along. */
struct variant {
	uint64_t hash;
	bool is_bar;
	struct fl_part words[BAR_WORDS]; /* bytes NULL: absent */
	struct fl_interval interval;
	bool resolved, unknown_zone;
	struct fl_bar_source *source;
};

struct variants {
	struct variant **slots;
	size_t mask, count;
};

struct scratch {
	struct variants variants;
	struct fl_buf text; /* a record with its fixes made */
	struct fl_record rec;
	struct fl_json json;
};

/* --- state ---------------------------------------------------------------- */

enum kind {
	KIND_OTHER,  /* of no use here */
	KIND_REJECT, /* refused before us, on its way to the store */
	KIND_TICK,
	KIND_BAR,
	KIND_PART, /* --merge */
};

struct item {
	struct fl_line line;
	enum kind kind;
	struct variant *variant;
	int64_t ts;
	struct fl_decimal price, size;
	bool has_size;
	uint32_t figures; /* of a bar: struct bar_figures, in the items' text */
};

struct bar_figures {
	struct fl_ohlcv v;
	int64_t end_ns; /* FL_TIME_NONE: not said */
	bool gap;
	bool open; /* its interval may go on: it tells up to its last tick */
};

struct state {
	struct fl_agg_ask ask;
	struct fl_lines_work work;
	struct fl_lines *lines;
	struct scratch *scratches;
	unsigned count; /* of scratches */
	struct fl_bars_config config;
	struct fl_bars *bars;
	struct fl_bar_parts *parts;
	const struct fl_calendars *calendars; /* NULL: not needed yet */
	bool any_dated;
	int fields[2][BAR_WORDS]; /* of quote and bar, by word */
	int price, size;
	struct fl_json json; /* the consumer's, for --merge */
};

/* --- in the workers ------------------------------------------------------- */

static struct fl_part word_of(const struct fl_record *rec, int field)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];

	if (field < 0 || !rec->at[field])
		return (struct fl_part){ NULL, 0 };
	return (struct fl_part){ tok->text, tok->len };
}

static inline __attribute__((always_inline)) bool
is_variant(const struct variant *variant, const struct fl_record *rec,
	   const int *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct fl_json_tok *tok =
			&rec->json->toks[rec->at[fields[i]]];
		const struct fl_part *word = &variant->words[i];

		if (!rec->at[fields[i]]) {
			if (word->bytes)
				return false;
		} else if (!word->bytes || tok->len != word->len ||
			   !fl_short_equal(tok->text, word->bytes, word->len)) {
			return false;
		}
	}
	return true;
}

static void grow(struct variants *variants)
{
	size_t mask = variants->mask ? 2 * variants->mask + 1 : 255;
	struct variant **slots = fl_zalloc((mask + 1) * sizeof(*slots));

	for (size_t i = 0; variants->slots && i <= variants->mask; i++) {
		struct variant *variant = variants->slots[i];
		size_t at;

		if (!variant)
			continue;
		at = variant->hash & mask;
		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = variant;
	}
	free(variants->slots);
	variants->slots = slots;
	variants->mask = mask;
}

static struct variant *add_variant(const struct state *state,
				   const struct fl_record *rec, bool is_bar,
				   unsigned count, uint64_t hash)
{
	struct variant *variant = fl_zalloc(sizeof(*variant));

	variant->hash = hash;
	variant->is_bar = is_bar;
	for (unsigned i = 0; i < count; i++) {
		struct fl_part word = word_of(rec, state->fields[is_bar][i]);

		if (word.bytes)
			variant->words[i] = (struct fl_part){
				fl_strndup(word.bytes, word.len), word.len
			};
	}
	if (is_bar)
		fl_record_interval(&rec->json->toks[rec->at[FL_BAR_INTERVAL]],
				   &variant->interval);
	return variant;
}

static struct variant *find_variant(const struct state *state,
				    struct variants *variants,
				    const struct fl_record *rec, bool is_bar)
{
	const int *fields = state->fields[is_bar];
	unsigned count = is_bar ? BAR_WORDS : QUOTE_WORDS;
	struct fl_part symbol = word_of(rec, fields[SYMBOL]);
	uint64_t hash = fl_short_hash(symbol.bytes, symbol.len) + is_bar;
	size_t at;

	if (2 * variants->count >= variants->mask)
		grow(variants);
	at = hash & variants->mask;
	for (; variants->slots[at]; at = (at + 1) & variants->mask) {
		struct variant *variant = variants->slots[at];

		if (variant->hash == hash && variant->is_bar == is_bar &&
		    (is_bar ? is_variant(variant, rec, fields, BAR_WORDS)
			    : is_variant(variant, rec, fields, QUOTE_WORDS)))
			return variant;
	}
	variants->count++;
	return variants->slots[at] =
		       add_variant(state, rec, is_bar, count, hash);
}

static void read_bar(const struct fl_record *rec, struct fl_items *items,
		     struct item *item)
{
	struct bar_figures figures;
	struct fl_bar bar;

	fl_bar_read(rec, &bar);
	figures.v = bar.v;
	figures.end_ns = bar.ts_end_ns;
	figures.gap = bar.gap;
	figures.open =
		bar.partial ||
		(rec->at[FL_BAR_FINAL] &&
		 rec->json->toks[rec->at[FL_BAR_FINAL]].kind == FL_JSON_FALSE);
	item->figures = (uint32_t)items->text.len;
	fl_buf_append(&items->text, &figures, sizeof(figures));
}

static bool judge(void *arg, struct fl_judge *judge, struct fl_items *items,
		  const char *bytes, size_t len, void *room)
{
	const struct state *state = arg;
	struct scratch *scratch = &state->scratches[judge->who];
	const struct fl_record *rec = &judge->rec;
	struct item *item = room;

	judge->rec.bytes = bytes;
	judge->rec.len = len;
	judge->note.field[0] = judge->note.detail[0] = '\0';
	if (fl_record_check(&judge->rec, &judge->json, &judge->note) !=
	    FL_REASON_NONE)
		return false;
	if (rec->fixes)
		rec = fl_record_mend(rec, &scratch->text, &scratch->json,
				     &scratch->rec);
	item->ts = rec->ts_ns;
	item->kind = KIND_OTHER;
	if (rec->type == &fl_type_reject) {
		item->kind = KIND_REJECT;
	} else if (option.merge) {
		if (rec->type == &fl_type_bar)
			item->kind = KIND_PART;
	} else if (rec->type == &fl_type_quote) {
		item->kind = KIND_TICK;
		item->variant =
			find_variant(state, &scratch->variants, rec, false);
		fl_record_number(rec, state->price, &item->price);
		item->has_size =
			fl_record_number(rec, state->size, &item->size);
	} else if (rec->type == &fl_type_bar) {
		item->kind = KIND_BAR;
		item->variant =
			find_variant(state, &scratch->variants, rec, true);
		read_bar(rec, items, item);
	}
	return true;
}

/* Why a line was refused. */
static enum fl_reason refuse(void *arg, struct fl_judge *judge,
			     const char **bytes, size_t *len,
			     struct fl_note *note)
{
	(void)arg;
	judge->rec.bytes = *bytes;
	judge->rec.len = *len;
	return fl_record_check(&judge->rec, &judge->json, note);
}

/* --- in the consumer ------------------------------------------------------ */

static const struct fl_exchange *find_exchange(struct state *state,
					       const struct variant *variant,
					       struct fl_error *err)
{
	const struct fl_part codes[] = { variant->words[MIC],
					 variant->words[EXCHANGE] };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		const struct fl_exchange *ex;

		if (!codes[i].bytes)
			continue;
		if (!state->calendars &&
		    fl_calendars_open(&state->calendars, option.calendar, err) <
			    0)
			return NULL;
		ex = fl_exchange_find(state->calendars, codes[i].bytes,
				      codes[i].len);
		if (ex)
			return ex;
	}
	return NULL;
}

/* Whose wall clock counts: --tz, the record's own zone, its exchange's, UTC. */
static int find_zone(const struct state *state, struct variant *variant,
		     struct fl_bar_origin *origin, struct fl_error *err)
{
	const struct fl_part *tz = &variant->words[TZ];
	const char *name = NULL;

	if (state->ask.io->zone) {
		origin->zone = state->ask.io->zone;
		name = fl_zone_name(origin->zone);
	} else if (tz->bytes) {
		name = tz->bytes;
		if (fl_zone_open(name, &origin->zone, err) < 0) {
			if (err->code != FL_ERR_USAGE)
				return -1;
			fl_error_clear(err);
			variant->unknown_zone = true;
			return 0;
		}
	} else if (origin->ex) {
		origin->zone = fl_exchange_zone(origin->ex);
		name = fl_exchange_zone_name(origin->ex);
	}
	if (name)
		origin->tz = (struct fl_part){ name, strlen(name) };
	return 0;
}

/* What bars of a variant have as session. */
static struct fl_part session_of(const struct variant *variant)
{
	const struct fl_part *own = &variant->words[SESSION];
	const char *name = option.session;

	if (variant->is_bar &&
	    (!name || !own->bytes || strncmp(own->bytes, "all", own->len) != 0))
		name = own->bytes;
	if (!name || strcmp(name, "regular") == 0)
		return (struct fl_part){ NULL, 0 };
	return (struct fl_part){ name, strlen(name) };
}

static int resolve(struct state *state, struct variant *variant,
		   struct fl_error *err)
{
	struct fl_bar_origin origin = {
		.provider = variant->words[PROVIDER],
		.symbol = variant->words[SYMBOL],
		.adj = variant->is_bar ? variant->words[ADJ]
				       : (struct fl_part){ "none", 4 },
		.session = session_of(variant),
		.currency = variant->words[CURRENCY],
		.currency_src = variant->words[CURRENCY_SRC],
		.price_scale = variant->words[PRICE_SCALE],
		.mic = variant->words[MIC],
		.exchange = variant->words[EXCHANGE],
		.interval = variant->interval,
	};

	origin.ex = find_exchange(state, variant, err);
	if (err->code != FL_OK || find_zone(state, variant, &origin, err) < 0)
		return -1;
	variant->resolved = true;
	if (!variant->unknown_zone)
		variant->source = fl_bars_source(state->bars, &origin);
	return 0;
}

/* Is trade of that part of the day asked for? */
static bool is_wanted(enum fl_session_kind kind)
{
	const char *session = option.session ? option.session : "regular";

	switch (kind) {
	case FL_SESSION_REGULAR:
		return strcmp(session, "regular") == 0;
	case FL_SESSION_PRE:
		return strcmp(session, "pre") == 0;
	case FL_SESSION_POST:
		return strcmp(session, "post") == 0;
	case FL_SESSION_CLOSED:
	case FL_SESSION_BREAK:
		break;
	}
	return false;
}

static bool wants_all(void)
{
	return option.session && strcmp(option.session, "all") == 0;
}

/* The moment of an instant at the exchange: in which session, on which trading
 * date. A print of the close belongs to what ends there. false: not wanted. */
static bool find_moment(const struct state *state, struct fl_bar_source *source,
			int64_t ns, struct fl_bar_input *in)
{
	const struct fl_bar_origin *origin = fl_bar_source_origin(source);
	struct fl_session_cache *cache = fl_bar_source_cache(source);
	enum fl_session_kind kind;

	in->at_ns = ns;
	in->day = 0;
	if (!origin->ex) {
		if (state->any_dated)
			in->day = fl_window_day(origin->zone, ns);
		return true;
	}
	kind = fl_exchange_at(origin->ex, ns, cache);
	if (!wants_all() && !is_wanted(kind))
		return false;
	if (kind == FL_SESSION_REGULAR)
		in->at_ns = fl_session_inside(&cache->session, ns);
	if (state->ask.io->zone || kind == FL_SESSION_CLOSED)
		in->day = fl_window_day(origin->zone, ns);
	else
		in->day = cache->day;
	return true;
}

/* Where the figures of a bar belong. false: not wanted. */
static bool place_bar(const struct state *state, struct variant *variant,
		      const struct item *item,
		      const struct bar_figures *figures,
		      struct fl_bar_input *in)
{
	const struct fl_bar_origin *origin =
		fl_bar_source_origin(variant->source);
	const struct fl_part *own = &variant->words[SESSION];
	bool own_all = own->bytes && strcmp(own->bytes, "all") == 0;
	struct fl_window window;

	/* A bar without a trade says nothing that its neighbours do not. */
	if (figures->gap)
		return false;
	if (option.session && !own_all &&
	    strcmp(own->bytes ? own->bytes : "regular", option.session) != 0)
		return false;
	if (variant->interval.dated) {
		if (option.session && own_all && !wants_all())
			return false;
		in->at_ns = item->ts;
		in->day = item->ts / FL_DAY - (item->ts % FL_DAY < 0);
		fl_window_date(&variant->interval, origin->zone, in->day,
			       &window);
		in->end_ns = window.end_ns;
		if (figures->open && figures->v.last_ts < in->end_ns)
			in->end_ns = figures->v.last_ts;
		return true;
	}
	if (option.session && own_all) {
		if (!find_moment(state, variant->source, item->ts, in))
			return false;
	} else {
		in->at_ns = item->ts;
		in->day = fl_window_day(origin->zone, item->ts);
		if (origin->ex && !state->ask.io->zone) {
			struct fl_session_cache *cache =
				fl_bar_source_cache(variant->source);

			if (fl_exchange_at(origin->ex, item->ts, cache) !=
			    FL_SESSION_CLOSED)
				in->day = cache->day;
		}
	}
	if (figures->open)
		in->end_ns = figures->v.last_ts;
	else if (figures->end_ns != FL_TIME_NONE)
		in->end_ns = figures->end_ns;
	else
		in->end_ns = item->ts + variant->interval.ns;
	return true;
}

static int refuse_item(struct state *state, const struct fl_block *block,
		       const struct item *item, enum fl_reason reason,
		       const struct fl_note *note, struct fl_error *err)
{
	struct fl_record rec = {
		.bytes = block->data + item->line.from,
		.len = item->line.len,
		.line = block->first_line + item->line.line,
		.input = fl_lines_path(state->lines),
	};

	return fl_agg_refuse(state->ask.io, &rec, reason, note, err);
}

static bool make_tick(const struct item *item, struct fl_ohlcv *v)
{
	v->open = v->high = v->low = v->close = item->price;
	v->volume.nano = v->turnover.nano = 0;
	v->trades = 1;
	v->first_ts = v->last_ts = item->ts;
	v->has_volume = v->has_turnover = item->has_size;
	v->has_trades = true;
	return !item->has_size ||
	       (fl_sum_add(&v->volume, item->size) &&
		fl_sum_add_product(&v->turnover, item->price, item->size));
}

/* Put a tick or a bar into its bars, and count it. */
static int put_in(struct state *state, const struct fl_block *block,
		  const struct fl_items *items, const struct item *item,
		  struct fl_error *err)
{
	FL_UNINITIALIZED struct bar_figures figures;
	FL_UNINITIALIZED struct fl_note note;
	struct fl_counts *counts = &state->ask.io->counts;
	struct variant *variant = item->variant;
	struct fl_bar_input in = { .v = &figures.v, .end_ns = item->ts };
	enum fl_bars_taken taken = FL_BARS_OTHER;
	enum fl_reason reason = FL_REASON_NONE;
	bool wanted;

	note.field[0] = note.detail[0] = '\0';
	if (!variant->resolved && resolve(state, variant, err) < 0)
		return -1;
	if (variant->unknown_zone) {
		fl_note_set(&note, "tz", "no time zone '%s' is installed",
			    fl_show(variant->words[TZ].bytes,
				    variant->words[TZ].len, 60));
		return refuse_item(state, block, item, FL_REASON_bad_time,
				   &note, err);
	}
	if (variant->is_bar) {
		memcpy(&figures, items->text.data + item->figures,
		       sizeof(figures));
		wanted = place_bar(state, variant, item, &figures, &in);
	} else {
		wanted = find_moment(state, variant->source, item->ts, &in);
		if (wanted && !make_tick(item, &figures.v)) {
			fl_note_set(&note, "size",
				    "price times size needs more than 38 "
				    "digits");
			return refuse_item(state, block, item,
					   FL_REASON_out_of_range, &note, err);
		}
	}
	if (wanted && fl_bars_add(state->bars, variant->source, &in, &taken,
				  &reason, &note, err) < 0)
		return -1;
	switch (taken) {
	case FL_BARS_TAKEN:
		counts->used++;
		return 0;
	case FL_BARS_OTHER:
		counts->filtered++;
		return 0;
	case FL_BARS_LATE:
		reason = FL_REASON_late;
		break;
	case FL_BARS_REFUSED:
		break;
	}
	return refuse_item(state, block, item, reason, &note, err);
}

static bool is_asked_for(const struct state *state, const struct fl_record *rec)
{
	struct fl_interval interval;

	fl_record_interval(&rec->json->toks[rec->at[FL_BAR_INTERVAL]],
			   &interval);
	for (unsigned i = 0; i < state->config.count; i++) {
		if (strcmp(state->config.intervals[i].text, interval.text) == 0)
			return true;
	}
	return false;
}

/* --merge: parts come by the thousand, not by the million. */
static int put_part(struct state *state, const struct fl_block *block,
		    const struct item *item, struct fl_error *err)
{
	struct scratch *scratch = &state->scratches[state->count - 2];
	struct fl_record rec = {
		.bytes = block->data + item->line.from,
		.len = item->line.len,
	};
	const struct fl_record *mended = &rec;
	struct fl_note note = { "", "" };
	enum fl_reason reason;

	if (fl_record_check(&rec, &state->json, &note) != FL_REASON_NONE)
		FL_BUG("a record that was good is not");
	if (rec.fixes)
		mended = fl_record_mend(&rec, &scratch->text, &scratch->json,
					&scratch->rec);
	if (!is_asked_for(state, mended)) {
		state->ask.io->counts.filtered++;
		return 0;
	}
	if (!fl_bar_is_partial(mended)) {
		fl_note_set(&note, "partial",
			    "a whole bar: --merge puts parts together");
		reason = FL_REASON_merge_conflict;
	} else {
		reason = fl_bar_parts_add(state->parts, mended, &note);
	}
	if (reason != FL_REASON_NONE)
		return refuse_item(state, block, item, reason, &note, err);
	state->ask.io->counts.used++;
	return 0;
}

static int take_item(struct state *state, const struct fl_block *block,
		     const struct fl_items *items, const struct item *item,
		     struct fl_error *err)
{
	struct fl_io *io = state->ask.io;

	if (item->ts > *state->ask.event_ns)
		*state->ask.event_ns = item->ts;
	if ((option.keep || item->kind == KIND_REJECT) &&
	    fl_writer_text(state->ask.out, block->data + item->line.from,
			   item->line.len, err) < 0)
		return -1;
	switch (item->kind) {
	case KIND_TICK:
	case KIND_BAR:
		return put_in(state, block, items, item, err);
	case KIND_PART:
		return put_part(state, block, item, err);
	case KIND_REJECT:
		io->counts.used++;
		return 0;
	case KIND_OTHER:
		break;
	}
	/* Passed on is used as well. */
	if (option.keep)
		io->counts.used++;
	else
		io->counts.filtered++;
	return 0;
}

static int take(void *arg, const struct fl_block *block,
		const struct fl_items *items, uint32_t i, struct fl_error *err)
{
	struct state *state = arg;
	struct fl_counts *counts = &state->ask.io->counts;

	/* Bars learn nothing from warm-up: what it holds was stored before. */
	if (state->ask.io->warm)
		return 0;
	counts->in++;
	if (take_item(state, block, items,
		      (const struct item *)(const void *)items->items + i,
		      err) == 0)
		return 0;
	/* One that could not be written, or whose bar could not, was not taken;
	 * one reject too many was. */
	counts->in = counts->used + counts->rejected + counts->duplicates +
		     counts->filtered + counts->late;
	return -1;
}

static int take_mark(void *arg, const char *bytes, size_t len,
		     struct fl_error *err)
{
	struct state *state = arg;
	struct fl_io *io = state->ask.io;

	if (option.gaps || option.merge)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--%s needs the whole input, and a stream "
				    "with marks comes in parts: fill or merge "
				    "what the store gives back",
				    option.gaps ? "gaps" : "merge");
	if (io->marked && fl_bars_mark(state->bars, err) < 0)
		return -1;
	return fl_mark_forward(io, bytes, len, state->ask.out, err);
}

static int idle(void *arg, struct fl_error *err)
{
	struct state *state = arg;

	if (state->bars && fl_bars_idle(state->bars, err) < 0)
		return -1;
	return fl_writer_flush(state->ask.out, err);
}

/* --- the verb ------------------------------------------------------------- */

static int add_interval(struct fl_bars_config *config, const char *text,
			struct fl_error *err)
{
	struct fl_interval *interval = &config->intervals[config->count];

	if (config->count == FL_BARS_INTERVALS_MAX)
		return fl_error_set(err, FL_ERR_USAGE,
				    "at most %d intervals at once",
				    FL_BARS_INTERVALS_MAX);
	if (fl_interval_parse(text, interval, err) < 0)
		return -1;
	for (unsigned i = 0; i < config->count; i++) {
		if (strcmp(config->intervals[i].text, interval->text) == 0)
			return fl_error_set(err, FL_ERR_USAGE,
					    "interval '%s' stands twice",
					    interval->text);
	}
	config->count++;
	return 0;
}

static int parse_spec(struct fl_bars_config *config, const char *spec,
		      struct fl_error *err)
{
	char *words = fl_strdup(spec), *rest = words, *word;
	int result = 0;

	while (result == 0 && (word = strsep(&rest, ",")))
		result = add_interval(config, word, err);
	free(words);
	return result;
}

static int check_options(struct fl_error *err)
{
	if (option.partial && option.gaps)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--gaps and --partial exclude each other: "
				    "a gap is known when all parts are");
	if (option.merge && option.gaps)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--gaps and --merge exclude each other");
	if (option.lateness_ns < 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--allowed-lateness is 0s or more");
	for (size_t i = 0; option.session && sessions[i]; i++) {
		if (strcmp(sessions[i], option.session) == 0)
			return 0;
	}
	return option.session
		       ? fl_error_set(err, FL_ERR_USAGE,
				      "--session is regular, pre, post or all, "
				      "not '%s'",
				      fl_show(option.session,
					      strlen(option.session), 60))
		       : 0;
}

static void find_fields(struct state *state)
{
	for (size_t i = 0; i < BAR_WORDS; i++) {
		size_t len = strlen(paths[i]);

		state->fields[0][i] =
			fl_type_field(&fl_type_quote, paths[i], len);
		state->fields[1][i] =
			fl_type_field(&fl_type_bar, paths[i], len);
	}
	state->price = fl_type_field(&fl_type_quote, "price", 5);
	state->size = fl_type_field(&fl_type_quote, "size", 4);
}

static int bars_open(void **arg, const struct fl_agg_ask *ask,
		     struct fl_error *err)
{
	struct state *state = fl_zalloc(sizeof(*state));

	*arg = state;
	state->ask = *ask;
	if (check_options(err) < 0 ||
	    parse_spec(&state->config, ask->spec, err) < 0)
		return -1;
	if (option.calendar &&
	    fl_calendars_open(&state->calendars, option.calendar, err) < 0)
		return -1;
	for (unsigned i = 0; i < state->config.count; i++)
		state->any_dated |= state->config.intervals[i].dated;
	state->config.io = ask->io;
	state->config.out = ask->out;
	state->config.lateness_ns = option.lateness_ns;
	state->config.close_idle_ns = option.close_idle_ns;
	state->config.partial = option.partial;
	state->config.gaps = option.gaps;
	if (option.merge)
		fl_bar_parts_open(&state->parts, option.partial);
	else
		fl_bars_open(&state->bars, &state->config);
	find_fields(state);
	state->work = (struct fl_lines_work){
		.io = ask->io,
		.arg = state,
		.item_size = sizeof(struct item),
		.judge = judge,
		.take = take,
		.mark = take_mark,
		.refuse = refuse,
		.idle = idle,
		.idle_every_ns = option.close_idle_ns ? FL_SECOND / 5 : 0,
	};
	fl_lines_open(&state->lines, &state->work);
	state->count = fl_lines_judges(state->lines);
	state->scratches = fl_zalloc(state->count * sizeof(*state->scratches));
	return 0;
}

static int bars_input(void *arg, const char *path, struct fl_error *err)
{
	struct state *state = arg;

	return fl_lines_input(state->lines, path, err);
}

static int bars_end(void *arg, struct fl_error *err)
{
	struct state *state = arg;

	return state->parts
		       ? fl_bar_parts_end(state->parts, state->ask.out, err)
		       : fl_bars_end(state->bars, err);
}

static void free_scratch(struct scratch *scratch)
{
	struct variants *variants = &scratch->variants;

	for (size_t i = 0; variants->slots && i <= variants->mask; i++) {
		struct variant *variant = variants->slots[i];

		for (size_t j = 0; variant && j < BAR_WORDS; j++)
			free((void *)(uintptr_t)variant->words[j].bytes);
		free(variant);
	}
	free(variants->slots);
	fl_buf_release(&scratch->text);
	fl_json_release(&scratch->json);
}

static void bars_close(void *arg)
{
	struct state *state = arg;

	if (!state)
		return;
	fl_lines_close(&state->lines);
	fl_bars_close(&state->bars);
	fl_bar_parts_close(&state->parts);
	for (unsigned i = 0; i < state->count; i++)
		free_scratch(&state->scratches[i]);
	free(state->scratches);
	fl_calendars_close(&state->calendars);
	fl_json_release(&state->json);
	free(state);
}

const struct fl_agg fl_agg_bars = {
	.name = "bars",
	.summary = "open, high, low, close, volume and VWAP by interval, of "
		   "ticks or smaller bars",
	.spec = "IV,...",
	.examples =
		"fl-agg bars 1m ticks.ndjson\n"
		"fl-fetch sim -n 100000 | fl-agg bars 1m,5m,1h | fl-load "
		"bars.db\n"
		"fl-fetch store lake.db --type bar --interval 1d | fl-agg bars "
		"1wk,1mo\n"
		"fl-agg bars 1h --tz America/New_York --gaps ticks.ndjson",
	.options = options,
	.open = bars_open,
	.input = bars_input,
	.end = bars_end,
	.close = bars_close,
};
