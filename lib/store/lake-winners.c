/* lake-winners: the last row of each key, of types whose key does not hold the
 * time.
 *
 * Rows of one key may lie in different partitions then, so which one holds is
 * known only when all were looked at. It costs a few bytes a key, and no rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake-read.h"

/* The sources of one day from `at` on. */
static size_t same_day(const struct fl_lake_source *sources, size_t count,
		       size_t at)
{
	size_t end = at;

	while (end < count && sources[end].part.day == sources[at].part.day)
		end++;
	return end - at;
}

static void note_row(struct fl_lake_merge *merge,
		     const struct fl_lake_source *sources,
		     struct fl_map *winners, struct fl_buf *key)
{
	const struct fl_lake_run run = {
		.source = sources,
		.bytes = merge->bytes,
		.len = merge->len,
	};
	uintptr_t order = merge->order + 1;
	struct fl_record rec;
	void **slot;

	if (!fl_lake_run_record(merge->reader, &run, &rec))
		return;
	fl_buf_reset(key);
	fl_lake_put_key(&rec, key);
	slot = fl_map_at(winners, key->data, key->len);
	if ((uintptr_t)*slot < order)
		*slot = (void *)order;
}

int fl_lake_winners_find(struct fl_lake_merge *merge,
			 const struct fl_lake_source *sources, size_t count,
			 struct fl_map *winners, struct fl_error *err)
{
	/* What is damaged is told when it is read for good. */
	const struct fl_lake_damage damage = merge->reader->damage;
	struct fl_buf key = FL_BUF_INIT;
	size_t days;
	int got = 0;

	for (size_t at = 0; at < count && got == 0; at += days) {
		days = same_day(sources, count, at);
		got = fl_lake_merge_begin(merge, sources + at, days, err);
		while (got == 0 && (got = fl_lake_merge_next(merge, err)) > 0) {
			got = 0;
			note_row(merge, sources, winners, &key);
		}
	}
	fl_buf_release(&key);
	merge->reader->damage = damage;
	return got;
}

bool fl_lake_winners_has(const struct fl_map *winners,
			 const struct fl_record *rec, size_t order,
			 struct fl_buf *key)
{
	fl_buf_reset(key);
	fl_lake_put_key(rec, key);
	return fl_map_get(winners, key->data, key->len) ==
	       (void *)(uintptr_t)(order + 1);
}
