/* bar-parts: see bar-parts.h.
 *
 * Sorting all parts first would keep them all in memory. Sums, extremes and the
 * earliest and latest time do not depend on the order; which part gives open
 * and close does, so of these two the place in that order is kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/bar-parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

/* A part that gives a price, by its place in the order. */
struct giver {
	int64_t first_ts, last_ts;
	char *bytes; /* canonical */
	size_t len;
};

struct whole {
	struct fl_bar bar; /* texts in the arena */
	struct giver opens, closes;
	size_t series; /* in order of appearance */
	struct fl_interval interval;
};

struct fl_bar_parts {
	bool partial;
	struct fl_map series; /* key without the time: its number */
	struct fl_map bars;   /* the whole key: struct whole */
	struct fl_map texts;  /* each once */
	struct fl_buf key, line;
	int64_t newest;
};

static int compare(const struct giver *a, const struct giver *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order;

	if (a->first_ts != b->first_ts)
		return a->first_ts < b->first_ts ? -1 : 1;
	if (a->last_ts != b->last_ts)
		return a->last_ts < b->last_ts ? -1 : 1;
	order = memcmp(a->bytes, b->bytes, len);
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static void take_place(struct giver *giver, const struct giver *part)
{
	free(giver->bytes);
	*giver = *part;
	giver->bytes = fl_strndup(part->bytes, part->len);
}

/* Open comes from the first of the order among those with the earliest
 * first_ts, which the order has at its front. */
static bool opens_before(const struct giver *part, const struct giver *now)
{
	return compare(part, now) < 0;
}

/* Close from the last of the order among those with the latest last_ts. */
static bool closes_after(const struct giver *part, const struct giver *now)
{
	if (part->last_ts != now->last_ts)
		return part->last_ts > now->last_ts;
	return compare(part, now) > 0;
}

static void put_part(struct fl_buf *key, struct fl_part part)
{
	if (part.bytes)
		fl_buf_append(key, part.bytes, part.len);
	fl_buf_putc(key, '\0');
}

static void keep(struct fl_bar_parts *parts, struct fl_part *part)
{
	void **slot;

	if (!part->bytes)
		return;
	slot = fl_map_at(&parts->texts, part->bytes, part->len);
	if (!*slot)
		*slot = fl_strndup(part->bytes, part->len);
	part->bytes = *slot;
}

static void keep_texts(struct fl_bar_parts *parts, struct fl_bar *bar)
{
	struct fl_part *const texts[] = {
		&bar->provider, &bar->symbol,   &bar->interval,
		&bar->adj,      &bar->date,     &bar->tz,
		&bar->session,  &bar->currency, &bar->currency_src,
		&bar->mic,      &bar->exchange, &bar->price_scale,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		keep(parts, texts[i]);
}

/* The bar that the part belongs to; NULL in it while it is new. */
static void **find_bar(struct fl_bar_parts *parts, const struct fl_bar *bar,
		       size_t *series)
{
	const struct fl_part regular = { "regular", 7 };
	void **slot;

	fl_buf_reset(&parts->key);
	put_part(&parts->key, bar->provider);
	put_part(&parts->key, bar->symbol);
	put_part(&parts->key, bar->adj);
	put_part(&parts->key, bar->session.bytes ? bar->session : regular);
	slot = fl_map_at(&parts->series, parts->key.data, parts->key.len);
	if (!*slot)
		*slot = (void *)(parts->series.count);
	*series = (size_t)*slot;
	put_part(&parts->key, bar->interval);
	fl_buf_append(&parts->key, &bar->ts_ns, sizeof(bar->ts_ns));
	return fl_map_at(&parts->bars, parts->key.data, parts->key.len);
}

static void begin(struct fl_bar_parts *parts, struct whole *whole,
		  const struct fl_bar *bar, const struct giver *part,
		  size_t series, const struct fl_record *rec)
{
	whole->bar = *bar;
	whole->series = series;
	fl_record_interval(&rec->json->toks[rec->at[FL_BAR_INTERVAL]],
			   &whole->interval);
	keep_texts(parts, &whole->bar);
	take_place(&whole->opens, part);
	take_place(&whole->closes, part);
}

enum fl_reason fl_bar_parts_add(struct fl_bar_parts *parts,
				const struct fl_record *rec,
				struct fl_note *note)
{
	struct fl_decimal open, close;
	enum fl_reason reason;
	struct giver part;
	struct whole *whole;
	struct fl_bar bar;
	size_t series;
	void **slot;

	fl_bar_read(rec, &bar);
	fl_buf_reset(&parts->line);
	fl_record_canonical(rec, &parts->line);
	part = (struct giver){ bar.v.first_ts, bar.v.last_ts, parts->line.data,
			       parts->line.len };
	if (bar.v.last_ts > parts->newest)
		parts->newest = bar.v.last_ts;
	slot = find_bar(parts, &bar, &series);
	if (!*slot) {
		*slot = whole = fl_zalloc(sizeof(*whole));
		begin(parts, whole, &bar, &part, series, rec);
		return FL_REASON_NONE;
	}
	whole = *slot;
	open = whole->bar.v.open;
	close = whole->bar.v.close;
	reason = fl_bar_join(&whole->bar, &bar, note);
	if (reason != FL_REASON_NONE)
		return reason;
	keep_texts(parts, &whole->bar);
	whole->bar.v.open = open;
	whole->bar.v.close = close;
	if (opens_before(&part, &whole->opens)) {
		whole->bar.v.open = bar.v.open;
		take_place(&whole->opens, &part);
	}
	if (closes_after(&part, &whole->closes)) {
		whole->bar.v.close = bar.v.close;
		take_place(&whole->closes, &part);
	}
	return FL_REASON_NONE;
}

static int in_order(const void *left, const void *right)
{
	const struct whole *a = *(struct whole *const *)left;
	const struct whole *b = *(struct whole *const *)right;

	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	if (a->interval.months != b->interval.months)
		return a->interval.months < b->interval.months ? -1 : 1;
	if (a->interval.ns != b->interval.ns)
		return a->interval.ns < b->interval.ns ? -1 : 1;
	return (a->bar.ts_ns > b->bar.ts_ns) - (a->bar.ts_ns < b->bar.ts_ns);
}

int fl_bar_parts_end(struct fl_bar_parts *parts, struct fl_writer *out,
		     struct fl_error *err)
{
	size_t count = parts->bars.count;
	struct whole **sorted = fl_realloc(NULL, count + 1, sizeof(*sorted));
	int result = 0;

	for (size_t i = 0; i < count; i++)
		sorted[i] = parts->bars.entries[i].value;
	qsort(sorted, count, sizeof(*sorted), in_order);
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct fl_bar *bar = &sorted[i]->bar;

		bar->partial = parts->partial;
		bar->open_yet = !parts->partial &&
				bar->ts_end_ns != FL_TIME_NONE &&
				bar->ts_end_ns > parts->newest;
		fl_buf_reset(&parts->line);
		fl_bar_print(bar, &parts->line);
		result = fl_writer_text(out, parts->line.data, parts->line.len,
					err);
	}
	free(sorted);
	return result;
}

void fl_bar_parts_open(struct fl_bar_parts **out, bool partial)
{
	struct fl_bar_parts *parts = fl_zalloc(sizeof(*parts));

	parts->partial = partial;
	parts->newest = FL_TIME_NONE;
	*out = parts;
}

static void free_whole(void *arg)
{
	struct whole *whole = arg;

	free(whole->opens.bytes);
	free(whole->closes.bytes);
	free(whole);
}

void fl_bar_parts_close(struct fl_bar_parts **out)
{
	struct fl_bar_parts *parts = *out;

	*out = NULL;
	if (!parts)
		return;
	fl_map_release(&parts->bars, free_whole);
	fl_map_release(&parts->series, NULL);
	fl_map_release(&parts->texts, free);
	fl_buf_release(&parts->key);
	fl_buf_release(&parts->line);
	free(parts);
}
