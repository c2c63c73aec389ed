/* pick: selecting records by type, symbol and time; see pick.h.
 *
 * --last keeps, for each type and symbol, a heap of its N newest records with
 * the oldest on top: what a source gives in any order passes through memory
 * of N records a symbol, and no more than LAST_BYTES in all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/zone.h"
#include "rec/record.h"
#include "rec/type.h"

#define LAST_BYTES ((size_t)512 << 20)

struct kept {
	int64_t ts_ns;
	uint64_t number; /* order of arrival: of equal times the later wins */
	char *bytes;
	size_t len;
};

struct newest {
	struct kept *heap; /* oldest first */
	size_t count, cap;
};

struct fl_pick {
	const struct fl_ask *ask;
	int64_t date_from, date_to;
	struct fl_json json;
	struct fl_map series; /* type and symbol: struct newest */
	uint64_t number;
	size_t bytes;
};

int fl_pick_open(struct fl_pick **pick, const struct fl_ask *ask,
		 struct fl_error *err)
{
	struct fl_pick *made;

	*pick = NULL;
	for (const char *const *type = ask->types; type && *type; type++)
		if (!fl_type_find(*type, strlen(*type)))
			return fl_error_set(
				err, FL_ERR_USAGE,
				"--type: no record type '%s'; see fl-records(5)",
				fl_show(*type, strlen(*type), 60));
	if (!ask->types && !ask->symbols && ask->from == FL_TIME_NONE &&
	    ask->to == FL_TIME_NONE && !ask->last)
		return 0;
	*pick = made = fl_zalloc(sizeof(*made));
	made->ask = ask;
	made->date_from = fl_zone_wall(ask->io->zone, ask->from);
	made->date_to = fl_zone_wall(ask->io->zone, ask->to);
	return 0;
}

static bool among(const char *const *words, const char *text, size_t len)
{
	for (; *words; words++)
		if (strlen(*words) == len && memcmp(*words, text, len) == 0)
			return true;
	return false;
}

static bool between(int64_t ns, int64_t from, int64_t to)
{
	return (from == FL_TIME_NONE || ns >= from) &&
	       (to == FL_TIME_NONE || ns < to);
}

/* Does the record have a date, with ts at that day's midnight? */
static bool is_dated(const struct fl_record *rec)
{
	int field = fl_type_field(rec->type, "date", 4);

	return field >= 0 && rec->at[field] && rec->ts_ns % FL_DAY == 0;
}

static bool wanted(const struct fl_pick *pick, const struct fl_record *rec)
{
	const struct fl_ask *ask = pick->ask;
	const struct fl_json_tok *symbol = fl_record_value(rec, "symbol");

	if (ask->types &&
	    !among(ask->types, rec->type->name, strlen(rec->type->name)))
		return false;
	if (ask->symbols &&
	    (!symbol || !among(ask->symbols, symbol->text, symbol->len)))
		return false;
	return is_dated(rec)
		       ? between(rec->ts_ns, pick->date_from, pick->date_to)
		       : between(rec->ts_ns, ask->from, ask->to);
}

static bool older(const struct kept *a, const struct kept *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns
				    : a->number < b->number;
}

static void sift_up(struct newest *newest, struct kept kept)
{
	size_t at = newest->count++;

	for (; at && older(&kept, &newest->heap[(at - 1) / 2]);
	     at = (at - 1) / 2)
		newest->heap[at] = newest->heap[(at - 1) / 2];
	newest->heap[at] = kept;
}

static void sift_down(struct newest *newest, struct kept kept)
{
	size_t at = 0, child;

	while ((child = 2 * at + 1) < newest->count) {
		if (child + 1 < newest->count &&
		    older(&newest->heap[child + 1], &newest->heap[child]))
			child++;
		if (!older(&newest->heap[child], &kept))
			break;
		newest->heap[at] = newest->heap[child];
		at = child;
	}
	newest->heap[at] = kept;
}

static struct newest *series_of(struct fl_pick *pick,
				const struct fl_record *rec)
{
	const struct fl_json_tok *symbol = fl_record_value(rec, "symbol");
	size_t type_len = strlen(rec->type->name) + 1;
	size_t symbol_len = symbol ? symbol->len : 0;
	char *key = fl_alloc(type_len + symbol_len + 1);
	void **slot;

	memcpy(key, rec->type->name, type_len);
	if (symbol)
		memcpy(key + type_len, symbol->text, symbol_len);
	slot = fl_map_at(&pick->series, key, type_len + symbol_len);
	if (!*slot)
		*slot = fl_zalloc(sizeof(struct newest));
	free(key);
	return *slot;
}

static int keep(struct fl_pick *pick, const struct fl_record *rec,
		enum fl_picked *picked, uint64_t *dropped, struct fl_error *err)
{
	struct newest *newest = series_of(pick, rec);
	struct kept kept = { rec->ts_ns, pick->number++, NULL, rec->len };
	bool full = newest->count == pick->ask->last;

	*picked = FL_PICK_NO;
	if (full && older(&kept, &newest->heap[0]))
		return 0;
	*picked = FL_PICK_KEPT;
	if (full) {
		pick->bytes -= newest->heap[0].len + sizeof(kept);
		free(newest->heap[0].bytes);
		(*dropped)++;
	}
	pick->bytes += rec->len + sizeof(kept);
	if (pick->bytes > LAST_BYTES)
		return fl_error_set(err, FL_ERR_DATA,
				    "--last %llu of so many symbols needs more "
				    "than %zu MiB; select fewer with --symbol "
				    "or --from",
				    (unsigned long long)pick->ask->last,
				    LAST_BYTES >> 20);
	kept.bytes = fl_strndup(rec->bytes, rec->len);
	if (full) {
		sift_down(newest, kept);
		return 0;
	}
	if (newest->count == newest->cap) {
		newest->cap = newest->cap ? 2 * newest->cap : 16;
		newest->heap = fl_realloc(newest->heap, newest->cap,
					  sizeof(*newest->heap));
	}
	sift_up(newest, kept);
	return 0;
}

int fl_pick_item(struct fl_pick *pick, const struct fl_item *item,
		 enum fl_picked *picked, uint64_t *dropped,
		 struct fl_error *err)
{
	struct fl_record rec = { .bytes = item->bytes, .len = item->len };
	struct fl_note note;

	*picked = FL_PICK_YES;
	if (fl_record_check(&rec, &pick->json, &note) != FL_REASON_NONE)
		return 0;
	if (!wanted(pick, &rec)) {
		*picked = FL_PICK_NO;
		return 0;
	}
	return pick->ask->last ? keep(pick, &rec, picked, dropped, err) : 0;
}

static int by_time(const void *a, const void *b)
{
	return older(a, b) ? -1 : 1;
}

int fl_pick_each(struct fl_pick *pick,
		 int (*each)(void *arg, const char *bytes, size_t len,
			     struct fl_error *err),
		 void *arg, struct fl_error *err)
{
	struct kept *all;
	size_t count = 0, at = 0;
	int result = 0;

	for (size_t i = 0; i < pick->series.count; i++)
		count +=
			((struct newest *)pick->series.entries[i].value)->count;
	all = fl_realloc(NULL, count + 1, sizeof(*all));
	for (size_t i = 0; i < pick->series.count; i++) {
		const struct newest *newest = pick->series.entries[i].value;

		for (size_t j = 0; j < newest->count; j++)
			all[at++] = newest->heap[j];
	}
	qsort(all, count, sizeof(*all), by_time);
	for (size_t i = 0; i < count && result == 0; i++)
		result = each(arg, all[i].bytes, all[i].len, err);
	free(all);
	return result;
}

static void free_newest(void *value)
{
	struct newest *newest = value;

	for (size_t i = 0; i < newest->count; i++)
		free(newest->heap[i].bytes);
	free(newest->heap);
	free(newest);
}

void fl_pick_close(struct fl_pick **pick)
{
	struct fl_pick *old = *pick;

	*pick = NULL;
	if (!old)
		return;
	fl_map_release(&old->series, free_newest);
	fl_json_release(&old->json);
	free(old);
}
