/* bar-series: see bar-series.h.
 *
 * What is written, and in which order, depends on the records and their order
 * alone, never on how the input was cut into blocks or on the clock (but for
 * --close-idle): replaying a file gives what the live stream gave.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/bar-series.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/short.h"
#include "base/window.h"

/* A bar that is not written yet. */
struct open {
	struct fl_bar bar;
	int64_t from, to; /* of its window: instants, or dates */
	const struct fl_bar_source *source; /* of the latest record in it */
	char date[12];
	bool shown; /* --close-idle wrote it, and nothing came since */
};

/* The open bars of one interval of a series, by window. */
struct track {
	struct open *open;
	unsigned count, cap;
	/* --gaps: the bar that was written last. */
	bool has_last;
	int64_t last_to;
	struct fl_ohlcv last;
};

struct series {
	struct fl_part provider, symbol, adj, session;
	const struct fl_interval *made_of; /* NULL: of nothing yet */
	int64_t newest;                    /* FL_TIME_NONE: nothing yet */
	int64_t due;        /* the first end of an open bar; INT64_MAX: none */
	int64_t arrived_ns; /* monotonic; for --close-idle */
	bool touched;       /* in bars->touched */
	struct track tracks[];
};

struct fl_bar_source {
	struct fl_bar_origin origin;
	struct series *series;
	struct fl_session_cache cache;
	bool nests[FL_BARS_INTERVALS_MAX]; /* goes into that interval … */
	bool nests_any;                    /* … or into any of them */
};

struct fl_bars {
	struct fl_bars_config config;
	struct fl_map sources, series; /* in order of appearance */
	struct series **touched;       /* since the last mark, likewise */
	size_t touched_count, touched_cap;
	int64_t newest; /* of all series */
	struct fl_arena arena;
	struct fl_buf key, line;
};

/* --- sources and series --------------------------------------------------- */

static void put_part(struct fl_buf *key, struct fl_part part)
{
	if (part.bytes)
		fl_buf_append(key, part.bytes, part.len);
	fl_buf_putc(key, '\0');
}

static struct fl_part keep(struct fl_bars *bars, struct fl_part part)
{
	if (!part.bytes)
		return part;
	return (struct fl_part){
		fl_arena_strndup(&bars->arena, part.bytes, part.len), part.len
	};
}

/* What is made is marked as such, once. */
static struct fl_part made_by(struct fl_bars *bars, struct fl_part provider)
{
	char *text;

	if (provider.len >= 4 && memcmp(provider.bytes, "agg:", 4) == 0)
		return keep(bars, provider);
	text = fl_arena_alloc(&bars->arena, provider.len + 5);
	memcpy(text, "agg:", 4);
	memcpy(text + 4, provider.bytes, provider.len);
	text[provider.len + 4] = '\0';
	return (struct fl_part){ text, provider.len + 4 };
}

static struct series *series_of(struct fl_bars *bars,
				const struct fl_bar_origin *origin)
{
	struct fl_part provider = made_by(bars, origin->provider);
	struct series *series;
	void **slot;

	fl_buf_reset(&bars->key);
	put_part(&bars->key, provider);
	put_part(&bars->key, origin->symbol);
	put_part(&bars->key, origin->adj);
	put_part(&bars->key, origin->session);
	slot = fl_map_at(&bars->series, bars->key.data, bars->key.len);
	if (*slot)
		return *slot;
	*slot = series = fl_zalloc(sizeof(*series) +
				   bars->config.count * sizeof(struct track));
	series->provider = provider;
	series->symbol = keep(bars, origin->symbol);
	series->adj = keep(bars, origin->adj);
	series->session = keep(bars, origin->session);
	series->newest = FL_TIME_NONE;
	series->due = INT64_MAX;
	return series;
}

/* Do intervals of one kind fill one of the other exactly? */
static bool nests(const struct fl_interval *in, const struct fl_interval *out)
{
	if (!in->ns && !in->months)
		return true; /* ticks */
	if (in->months)
		return out->months && out->months % in->months == 0;
	if (out->months)
		return in->ns <= FL_DAY;
	return in->ns <= out->ns && out->ns % in->ns == 0;
}

struct fl_bar_source *fl_bars_source(struct fl_bars *bars,
				     const struct fl_bar_origin *origin)
{
	const struct fl_part parts[] = {
		origin->provider,     origin->symbol,      origin->adj,
		origin->session,      origin->tz,          origin->currency,
		origin->currency_src, origin->price_scale, origin->mic,
		origin->exchange,
	};
	struct fl_bar_source *source;
	struct fl_bar_origin *own;
	void **slot;

	fl_buf_reset(&bars->key);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		put_part(&bars->key, parts[i]);
	fl_buf_puts(&bars->key, origin->interval.text);
	slot = fl_map_at(&bars->sources, bars->key.data, bars->key.len);
	if (*slot)
		return *slot;
	*slot = source = fl_zalloc(sizeof(*source));
	own = &source->origin;
	*own = *origin;
	source->series = series_of(bars, origin);
	own->provider = source->series->provider;
	own->symbol = source->series->symbol;
	own->adj = source->series->adj;
	own->session = source->series->session;
	own->tz = keep(bars, origin->tz);
	own->currency = keep(bars, origin->currency);
	own->currency_src = keep(bars, origin->currency_src);
	own->price_scale = keep(bars, origin->price_scale);
	own->mic = keep(bars, origin->mic);
	own->exchange = keep(bars, origin->exchange);
	for (unsigned i = 0; i < bars->config.count; i++) {
		source->nests[i] =
			nests(&own->interval, &bars->config.intervals[i]);
		source->nests_any |= source->nests[i];
	}
	return source;
}

const struct fl_bar_origin *
fl_bar_source_origin(const struct fl_bar_source *source)
{
	return &source->origin;
}

struct fl_session_cache *fl_bar_source_cache(struct fl_bar_source *source)
{
	return &source->cache;
}

/* --- writing -------------------------------------------------------------- */

static int write_bar(struct fl_bars *bars, const struct fl_bar *bar,
		     struct fl_error *err)
{
	fl_buf_reset(&bars->line);
	fl_bar_print(bar, &bars->line);
	return fl_writer_text(bars->config.out, bars->line.data, bars->line.len,
			      err);
}

static void find_window(const struct fl_interval *interval,
			const struct fl_bar_origin *origin, int64_t at_ns,
			int64_t day, struct fl_window *window)
{
	if (interval->dated)
		fl_window_date(interval, origin->zone, day, window);
	else
		fl_window_instant(interval, origin->zone, at_ns, window);
}

/* Is there trade in the window at all? If not, *next is where to look again. */
static bool has_session(const struct fl_interval *interval,
			const struct fl_exchange *ex,
			const struct fl_window *window, int64_t *next)
{
	*next = window->to;
	if (!ex)
		return true;
	if (interval->dated)
		return fl_exchange_next_day(ex, window->from - 1) < window->to;
	return fl_exchange_trades(ex, window->from, window->to, next);
}

/* --gaps: what lies between the bar that was written last and this one. */
static int fill_gap(struct fl_bars *bars, const struct fl_interval *interval,
		    const struct track *track, const struct open *open,
		    struct fl_error *err)
{
	const struct fl_bar_origin *origin = &open->source->origin;
	struct fl_bar bar = open->bar;
	int64_t at = track->last_to;

	bar.gap = true;
	bar.v = (struct fl_ohlcv){
		.open = track->last.close,
		.high = track->last.close,
		.low = track->last.close,
		.close = track->last.close,
		.has_volume = track->last.has_volume,
		.has_turnover = track->last.has_turnover,
		.has_trades = track->last.has_trades,
	};
	while (at < open->from && !fl_stop_requested(bars->config.io)) {
		struct fl_window window;
		char date[FL_TIME_TEXT];
		int64_t next;

		find_window(interval, origin, at, at, &window);
		if (!has_session(interval, origin->ex, &window, &next)) {
			at = next;
			continue;
		}
		bar.ts_ns = window.ts_ns;
		bar.ts_end_ns = window.end_ns;
		if (interval->dated)
			bar.date = (struct fl_part){
				date, fl_date_print(window.from, date)
			};
		if (write_bar(bars, &bar, err) < 0)
			return -1;
		at = window.to;
	}
	return 0;
}

/* Write an open bar, whole or as a part. */
static int write_open(struct fl_bars *bars, struct track *track,
		      const struct fl_interval *interval, struct open *open,
		      bool part, struct fl_error *err)
{
	struct fl_bar *bar = &open->bar;

	if (open->shown)
		return 0;
	if (open->date[0]) /* the array may have moved */
		bar->date = (struct fl_part){ open->date, 10 };
	bar->partial = part;
	if (bars->config.gaps) {
		if (track->has_last && track->last_to < open->from &&
		    fill_gap(bars, interval, track, open, err) < 0)
			return -1;
		track->has_last = true;
		track->last_to = open->to;
		track->last = bar->v;
	}
	return write_bar(bars, bar, err);
}

static void drop_open(struct track *track, unsigned at)
{
	track->count--;
	memmove(&track->open[at], &track->open[at + 1],
		(track->count - at) * sizeof(*track->open));
}

/* The open bar that ends first; of equal ones that of the first interval. */
static struct track *first_due(const struct fl_bars *bars,
			       struct series *series)
{
	struct track *first = NULL;

	series->due = INT64_MAX;
	for (unsigned i = 0; i < bars->config.count; i++) {
		struct track *track = &series->tracks[i];

		if (!track->count ||
		    track->open[0].bar.ts_end_ns >= series->due)
			continue;
		series->due = track->open[0].bar.ts_end_ns;
		first = track;
	}
	return first;
}

/* Write and forget all that ends at `until` or before. */
static int close_until(struct fl_bars *bars, struct series *series,
		       int64_t until, struct fl_error *err)
{
	for (;;) {
		struct track *track = first_due(bars, series);

		if (!track || series->due > until)
			return 0;
		if (write_open(bars, track,
			       &bars->config.intervals[track - series->tracks],
			       &track->open[0], bars->config.partial, err) < 0)
			return -1;
		drop_open(track, 0);
	}
}

/* --- taking in ------------------------------------------------------------ */

/* Where the window's bar is, or belongs. Nearly always it is the last one. */
static bool find_open(const struct track *track, int64_t at, unsigned *where)
{
	for (unsigned i = track->count; i > 0; i--) {
		const struct open *open = &track->open[i - 1];

		if (at >= open->to) {
			*where = i;
			return false;
		}
		if (at >= open->from) {
			*where = i - 1;
			return true;
		}
	}
	*where = 0;
	return false;
}

static void insert_open(struct fl_bars *bars, struct fl_bar_source *source,
			unsigned interval, unsigned where,
			const struct fl_window *window,
			const struct fl_ohlcv *v)
{
	const struct fl_interval *iv = &bars->config.intervals[interval];
	const struct fl_bar_origin *origin = &source->origin;
	struct series *series = source->series;
	struct track *track = &series->tracks[interval];
	struct open *open;

	if (track->count == track->cap) {
		track->cap = track->cap ? 2 * track->cap : 2;
		track->open = fl_realloc(track->open, track->cap,
					 sizeof(*track->open));
	}
	memmove(&track->open[where + 1], &track->open[where],
		(track->count - where) * sizeof(*track->open));
	track->count++;
	open = &track->open[where];
	*open = (struct open){
		.bar = {
			.v = *v,
			.ts_ns = window->ts_ns,
			.ts_end_ns = window->end_ns,
			.provider = origin->provider,
			.symbol = origin->symbol,
			.interval = { iv->text, strlen(iv->text) },
			.adj = origin->adj,
			.tz = origin->tz,
			.session = origin->session,
			.currency = origin->currency,
			.currency_src = origin->currency_src,
			.price_scale = origin->price_scale,
			.mic = origin->mic,
			.exchange = origin->exchange,
		},
		.from = window->from,
		.to = window->to,
		.source = source,
	};
	if (iv->dated) {
		char date[FL_TIME_TEXT];

		memcpy(open->date, date, fl_date_print(window->from, date));
	}
	if (window->end_ns < series->due)
		series->due = window->end_ns;
}

/* Figures of another source than the last ones of the bar: what it says of
 * itself may differ. */
static enum fl_reason join_other(struct open *open,
				 const struct fl_bar_source *source,
				 const struct fl_ohlcv *v, struct fl_note *note)
{
	const struct fl_bar_origin *origin = &source->origin;
	struct fl_bar other = {
		.v = *v,
		.ts_end_ns = FL_TIME_NONE,
		.tz = origin->tz,
		.currency = origin->currency,
		.currency_src = origin->currency_src,
		.price_scale = origin->price_scale,
		.mic = origin->mic,
		.exchange = origin->exchange,
	};
	enum fl_reason reason = fl_bar_join(&open->bar, &other, note);

	if (reason == FL_REASON_NONE)
		open->source = source;
	return reason;
}

static enum fl_reason join(struct open *open,
			   const struct fl_bar_source *source,
			   const struct fl_ohlcv *v, struct fl_note *note)
{
	open->shown = false;
	if (open->source != source)
		return join_other(open, source, v, note);
	if (fl_ohlcv_merge(&open->bar.v, v))
		return FL_REASON_NONE;
	fl_note_set(note, "volume",
		    "the sums of the %.*s bar would need more than 38 digits",
		    (int)open->bar.interval.len,
		    (const char *)open->bar.interval.bytes);
	return FL_REASON_out_of_range;
}

static void touch(struct fl_bars *bars, struct series *series)
{
	if (series->touched)
		return;
	series->touched = true;
	if (bars->touched_count == bars->touched_cap) {
		bars->touched_cap =
			bars->touched_cap ? 2 * bars->touched_cap : 64;
		bars->touched = fl_realloc(bars->touched, bars->touched_cap,
					   sizeof(struct series *));
	}
	bars->touched[bars->touched_count++] = series;
}

static int64_t watermark(const struct fl_bars *bars,
			 const struct series *series)
{
	if (series->newest == FL_TIME_NONE ||
	    series->newest < INT64_MIN + bars->config.lateness_ns)
		return INT64_MIN;
	return series->newest - bars->config.lateness_ns;
}

static void note_late(const struct fl_bars *bars, const struct series *series,
		      const struct fl_interval *interval,
		      const struct fl_window *window, struct fl_note *note)
{
	char end[FL_TIME_TEXT], newest[FL_TIME_TEXT];

	(void)bars;
	fl_time_print(window->end_ns, end);
	fl_time_print(series->newest, newest);
	fl_note_set(note, "ts",
		    "its %s bar ended at %s and is written: the series was at "
		    "%s",
		    interval->text, end, newest);
}

/* Which bar of each interval: one that is open, or a new one. */
struct place {
	bool there;
	unsigned where;
	struct fl_window window;
};

/* A bar that no record can tell of: its beginning or end lies outside of the
 * years of time.h. */
static bool is_beyond(const struct fl_window *window)
{
	return window->ts_ns < FL_TIME_MIN || window->end_ns > FL_TIME_MAX;
}

/* LATE: for one of them. Then it goes into none, so that bars of all intervals
 * tell of the same trades. */
static enum fl_bars_taken find_places(const struct fl_bars *bars,
				      const struct fl_bar_source *source,
				      const struct fl_bar_input *in,
				      struct place *places,
				      struct fl_note *note)
{
	bool forgiving = bars->config.partial || bars->config.io->marked;

	for (unsigned i = 0; i < bars->config.count; i++) {
		const struct fl_interval *iv = &bars->config.intervals[i];
		struct place *place = &places[i];

		if (!source->nests[i])
			continue;
		place->there = find_open(&source->series->tracks[i],
					 iv->dated ? in->day : in->at_ns,
					 &place->where);
		if (place->there)
			continue;
		find_window(iv, &source->origin, in->at_ns, in->day,
			    &place->window);
		if (is_beyond(&place->window)) {
			fl_note_set(note, "ts",
				    "its %s bar would reach beyond the years "
				    "1678 to 2261",
				    iv->text);
			return FL_BARS_REFUSED;
		}
		if (!forgiving &&
		    place->window.end_ns <= watermark(bars, source->series)) {
			note_late(bars, source->series, iv, &place->window,
				  note);
			return FL_BARS_LATE;
		}
	}
	return FL_BARS_TAKEN;
}

/* All or nothing: what one interval refuses is in no other. */
static enum fl_reason put_in(struct fl_bars *bars, struct fl_bar_source *source,
			     const struct fl_ohlcv *v,
			     const struct place *places, struct fl_note *note)
{
	FL_UNINITIALIZED struct open saved[FL_BARS_INTERVALS_MAX];
	struct series *series = source->series;
	unsigned count = bars->config.count;

	for (unsigned i = 0; i < count; i++) {
		struct track *track = &series->tracks[i];
		enum fl_reason reason;

		if (!source->nests[i] || !places[i].there)
			continue;
		if (count > 1)
			saved[i] = track->open[places[i].where];
		reason = join(&track->open[places[i].where], source, v, note);
		if (reason == FL_REASON_NONE)
			continue;
		while (i-- > 0) {
			if (source->nests[i] && places[i].there)
				series->tracks[i].open[places[i].where] =
					saved[i];
		}
		return reason;
	}
	for (unsigned i = 0; i < count; i++) {
		if (source->nests[i] && !places[i].there)
			insert_open(bars, source, i, places[i].where,
				    &places[i].window, v);
	}
	return FL_REASON_NONE;
}

static bool same_interval(const struct fl_interval *a,
			  const struct fl_interval *b)
{
	return a->ns == b->ns && a->months == b->months;
}

/* The usual tick: of the interval's open bar and of its last source. */
static bool add_usual(struct fl_bars *bars, struct fl_bar_source *source,
		      const struct fl_bar_input *in)
{
	struct series *series = source->series;
	struct track *track = &series->tracks[0];
	struct open *open;
	int64_t at;

	if (bars->config.count > 1 || !track->count ||
	    series->made_of != &source->origin.interval)
		return false;
	open = &track->open[track->count - 1];
	at = bars->config.intervals[0].dated ? in->day : in->at_ns;
	if (open->source != source || at < open->from || at >= open->to ||
	    !fl_ohlcv_merge(&open->bar.v, in->v))
		return false;
	open->shown = false;
	return true;
}

/* The series has come as far as the figures tell. */
static int advance(struct fl_bars *bars, struct series *series, int64_t end_ns,
		   struct fl_error *err)
{
	if (end_ns > series->newest)
		series->newest = end_ns;
	if (end_ns > bars->newest)
		bars->newest = end_ns;
	if (bars->config.close_idle_ns)
		series->arrived_ns = fl_monotonic_ns();
	if (bars->config.io->marked) {
		touch(bars, series);
		return 0;
	}
	if (series->due <= watermark(bars, series))
		return close_until(bars, series, watermark(bars, series), err);
	return 0;
}

int fl_bars_add(struct fl_bars *bars, struct fl_bar_source *source,
		const struct fl_bar_input *in, enum fl_bars_taken *taken,
		enum fl_reason *reason, struct fl_note *note,
		struct fl_error *err)
{
	struct series *series = source->series;
	FL_UNINITIALIZED struct place places[FL_BARS_INTERVALS_MAX];

	*taken = FL_BARS_TAKEN;
	if (add_usual(bars, source, in))
		return advance(bars, series, in->end_ns, err);
	/* Daily and hourly bars of one symbol tell of the same trades: they
	 * must not be added up. */
	if (!source->nests_any ||
	    (series->made_of &&
	     !same_interval(series->made_of, &source->origin.interval))) {
		*taken = FL_BARS_OTHER;
		return 0;
	}
	*reason = FL_REASON_out_of_range;
	*taken = find_places(bars, source, in, places, note);
	if (*taken != FL_BARS_TAKEN)
		return 0;
	*reason = put_in(bars, source, in->v, places, note);
	*taken = *reason == FL_REASON_NONE ? FL_BARS_TAKEN : FL_BARS_REFUSED;
	if (*taken == FL_BARS_REFUSED)
		return 0;
	series->made_of = &source->origin.interval;
	return advance(bars, series, in->end_ns, err);
}

/* --- ends ----------------------------------------------------------------- */

int fl_bars_mark(struct fl_bars *bars, struct fl_error *err)
{
	for (size_t i = 0; i < bars->touched_count; i++) {
		struct series *series = bars->touched[i];

		series->touched = false;
		series->due = INT64_MAX;
		for (unsigned t = 0; t < bars->config.count; t++) {
			struct track *track = &series->tracks[t];

			for (unsigned j = 0; j < track->count; j++) {
				if (write_open(bars, track,
					       &bars->config.intervals[t],
					       &track->open[j], true, err) < 0)
					return -1;
			}
			track->count = 0;
		}
	}
	bars->touched_count = 0;
	return 0;
}

int fl_bars_idle(struct fl_bars *bars, struct fl_error *err)
{
	int64_t now = fl_now_ns(), mono = fl_monotonic_ns();

	if (!bars->config.close_idle_ns || bars->config.io->marked)
		return 0;
	for (size_t i = 0; i < bars->series.count; i++) {
		struct series *series = bars->series.entries[i].value;

		if (series->due > now ||
		    mono - series->arrived_ns < bars->config.close_idle_ns)
			continue;
		/* They stay open: what still comes for them is not late, and
		 * they are then written again, whole. */
		for (unsigned t = 0; t < bars->config.count; t++) {
			struct track *track = &series->tracks[t];

			for (unsigned j = 0; j < track->count; j++) {
				struct open *open = &track->open[j];

				if (open->bar.ts_end_ns > now)
					continue;
				if (write_open(bars, track,
					       &bars->config.intervals[t], open,
					       bars->config.partial, err) < 0)
					return -1;
				open->shown = true;
			}
		}
	}
	return 0;
}

int fl_bars_end(struct fl_bars *bars, struct fl_error *err)
{
	if (bars->config.io->marked)
		return fl_bars_mark(bars, err);
	for (size_t i = 0; i < bars->series.count; i++) {
		struct series *series = bars->series.entries[i].value;

		for (unsigned t = 0;
		     !bars->config.partial && t < bars->config.count; t++) {
			struct track *track = &series->tracks[t];

			for (unsigned j = 0; j < track->count; j++)
				track->open[j].bar.open_yet = fl_bar_is_open(
					&track->open[j].bar, bars->newest,
					track->open[j].source->origin.ex);
		}
		if (close_until(bars, series, INT64_MAX - 1, err) < 0)
			return -1;
	}
	return 0;
}

void fl_bars_open(struct fl_bars **out, const struct fl_bars_config *config)
{
	struct fl_bars *bars = fl_zalloc(sizeof(*bars));

	bars->config = *config;
	bars->newest = FL_TIME_NONE;
	*out = bars;
}

static void free_series(void *arg)
{
	struct series *series = arg;

	free(series);
}

void fl_bars_close(struct fl_bars **out)
{
	struct fl_bars *bars = *out;

	*out = NULL;
	if (!bars)
		return;
	for (size_t i = 0; i < bars->series.count; i++) {
		struct series *series = bars->series.entries[i].value;

		for (unsigned t = 0; t < bars->config.count; t++)
			free(series->tracks[t].open);
	}
	fl_map_release(&bars->series, free_series);
	fl_map_release(&bars->sources, free);
	free(bars->touched);
	fl_arena_release(&bars->arena);
	fl_buf_release(&bars->key);
	fl_buf_release(&bars->line);
	free(bars);
}
