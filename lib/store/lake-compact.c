/* lake-compact: one object of the many that a partition has.
 *
 * The objects up to some stamp are merged, of rows with one natural key the
 * last is kept, and the result gets the last of their stamps: so it wins over
 * what they won over, and loses to what came after. Only when it is there for
 * good they are removed. Killed in between both are there, which is the same
 * rows twice, of which a reader takes one, and the next run merges them again.
 * Whoever has seen the old ones listed and finds one gone reads what covers it
 * (lake-run.c).
 *
 * Of types whose key does not hold the time only the last row of each key goes
 * on, of all partitions: an old one would get a later stamp than what replaced
 * it in another.
 *
 * Parts of bars become whole bars when all those of a date are closed; a whole
 * bar holds against parts, so none counts twice while both are there. Parts of
 * bars that are open are left alone.
 *
 * What is damaged is mended the same way: one object of one, with what can be
 * read of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/crash.h"
#include "store/lake-read.h"

struct compaction {
	struct fl_lake *lake;
	struct fl_lake_view view;
	struct fl_lake_reader reader;
	struct fl_lake_merge merge;
	struct fl_lake_slicer *slicer;
	struct fl_buf out; /* slices that wait */
	struct fl_hash128 content;
	const struct fl_type *type; /* of the winners; NULL: of none yet */
	struct fl_map winners;      /* of a type whose key holds no time */
	struct fl_buf key;
	uint64_t records; /* of the object */
	bool mends;       /* damage is known, and the old object is kept: */
	bool aside;       /* it was put there */
	struct fl_compacted *done;
};

/* --- the new object --------------------------------------------------------
 */

static int write_out(struct compaction *c, struct fl_object_out *to,
		     struct fl_error *err)
{
	int result = fl_objects_write(&c->lake->objects, to, c->out.data,
				      c->out.len, err);

	fl_buf_reset(&c->out);
	return result;
}

/* A slice is full. */
static int end_slice(struct compaction *c, struct fl_object_out *to,
		     struct fl_error *err)
{
	if (fl_lake_slicer_pack(c->slicer, &c->out, &c->content, err) < 0)
		return -1;
	return c->out.len ? write_out(c, to, err) : 0;
}

/* The row the merge stands on. false: it is none, and told as damage */
static bool row_of(struct compaction *c, const struct fl_lake_source *sources,
		   struct fl_record *rec)
{
	const struct fl_lake_run run = {
		.source = sources,
		.bytes = c->merge.bytes,
		.len = c->merge.len,
	};

	return fl_lake_run_record(&c->reader, &run, rec);
}

/* Is it the last row of its key? */
static bool wins(struct compaction *c, const struct fl_record *rec)
{
	return !c->type ||
	       fl_lake_winners_has(&c->winners, rec, c->merge.order, &c->key);
}

static int write_rows(struct compaction *c,
		      const struct fl_lake_source *sources,
		      struct fl_object_out *to, struct fl_error *err)
{
	struct fl_record rec;
	int got;

	c->content = (struct fl_hash128){ 0, 0 };
	c->records = 0;
	while ((got = fl_lake_merge_next(&c->merge, err)) > 0) {
		if (!row_of(c, sources, &rec) || !wins(c, &rec))
			continue;
		if (!fl_lake_slicer_fits(c->slicer, rec.len) &&
		    end_slice(c, to, err) < 0)
			return -1;
		fl_lake_slicer_add(c->slicer, &rec);
		c->records++;
	}
	if (got == 0)
		got = end_slice(c, to, err);
	/* Nobody removes what could not be read whole. */
	if (got == 0 && c->reader.damage.count && !c->mends)
		got = fl_error_set(err, FL_ERR_DATA,
				   "%s; its partition was left as it is",
				   c->reader.damage.first);
	return got;
}

static char *name_of(const struct compaction *c,
		     const struct fl_lake_source *newest)
{
	const struct fl_lake_name name = {
		.stamp = newest->name.stamp,
		.pipeline = FL_LAKE_COMPACTED,
		.content = c->content,
	};
	const struct fl_lake_part part = { .type = newest->part.type,
					   .day = newest->part.day };
	struct fl_buf to = FL_BUF_INIT;

	fl_lake_put_part(&to, &part);
	fl_buf_putc(&to, '/');
	fl_lake_put_name(&to, &name);
	return fl_buf_take(&to);
}

/* --- a partition -----------------------------------------------------------
 */

/* The object is not needed any more; replaced: its rows are in another one. */
static int take_away(struct compaction *c, const struct fl_lake_source *source,
		     bool replaced, struct fl_error *err)
{
	struct fl_objects *objects = &c->lake->objects;
	struct fl_lake_named named;
	char *aside;
	int result;

	if (!c->mends) {
		if (replaced)
			fl_objects_remove(objects, source->path);
		return 0;
	}
	aside = fl_sprintf(FL_LAKE_DAMAGED "/%s", source->path);
	named = (struct fl_lake_named){ source->path, aside };
	result = fl_objects_publish(objects, &named, 1, true, err);
	free(aside);
	c->aside = true;
	return result;
}

/* sources[count], by stamp. */
static int compact(struct compaction *c, const struct fl_lake_source *sources,
		   size_t count, struct fl_error *err)
{
	struct fl_objects *objects = &c->lake->objects;
	char *draft = fl_lake_draft(c->lake, err), *to = NULL;
	struct fl_object_out *out = NULL;
	struct fl_lake_named named;
	static uint64_t passages;
	int result = -1;

	fl_buf_reset(&c->out);
	if (draft && fl_lake_merge_begin(&c->merge, sources, count, err) == 0)
		result = fl_objects_create(objects, draft, &out, err);
	if (result == 0)
		result = write_rows(c, sources, out, err);
	if (fl_objects_seal(objects, &out, result == 0, true, err) < 0)
		result = -1;
	if (result == 0)
		result = fl_objects_settle(objects, c->lake->drafts, err);
	/* All of it was replaced by rows of other dates: rare, and no file for
	 * who reads with other tools. */
	if (result == 0 && c->records) {
		to = name_of(c, &sources[count - 1]);
		named = (struct fl_lake_named){ draft, to };
		result = fl_objects_publish(objects, &named, 1, true, err);
	} else if (draft) {
		fl_objects_remove(objects, draft);
	}
	if (result == 0 && to)
		fl_crash_at("lake_compacted", ++passages);
	fl_objects_forgive(objects);
	for (size_t i = 0; i < count && result == 0; i++) {
		if (!to || strcmp(sources[i].path, to) != 0)
			result = take_away(c, &sources[i], to != NULL, err);
	}
	if (result == 0)
		result = fl_objects_removed(objects, err);
	if (result == 0 && to) {
		c->done->partitions++;
		c->done->records += c->records;
		c->done->objects += count;
		fl_log("%zu objects are now '%s%s'", count, objects->place, to);
	}
	free(draft);
	free(to);
	return result;
}

/* One partition's sources from `at` on, that are there and old enough: in
 * old[count], and with `parts` those of parts of bars as well.
 * waits    there are parts that are not
 * returns  where the next partition begins */
static size_t gather(const struct compaction *c, size_t at, int64_t before,
		     bool parts, struct fl_lake_source *old, size_t *count,
		     bool *waits)
{
	const struct fl_lake_source *first = &c->view.sources[at];

	*count = 0;
	*waits = false;
	for (; at < c->view.count; at++) {
		const struct fl_lake_source *source = &c->view.sources[at];
		bool is_old = source->listed && source->name.stamp < before;

		if (source->part.type != first->part.type ||
		    source->part.day != first->part.day)
			break;
		if (source->part.partial && !(parts && is_old))
			*waits = true;
		else if (is_old)
			old[(*count)++] = *source;
	}
	return at;
}

/* Are all bars that parts of these make closed? Then none will come, and they
 * may stand as whole ones. */
static int are_closed(struct compaction *c,
		      const struct fl_lake_source *sources, size_t count,
		      bool *closed, struct fl_error *err)
{
	int final = fl_type_field(sources->part.type, "final", 5);
	struct fl_record rec;
	int got = fl_lake_merge_begin(&c->merge, sources, count, err);

	*closed = true;
	while (got == 0 && *closed &&
	       (got = fl_lake_merge_next(&c->merge, err)) > 0) {
		got = 0;
		if (c->merge.partial && row_of(c, sources, &rec) &&
		    rec.at[final])
			*closed = rec.json->toks[rec.at[final]].kind !=
				  FL_JSON_FALSE;
	}
	return got;
}

/* What of a partition is to become one object: old[count], and fewer than two
 * when it is one.
 * at  where it begins, then where the next one does */
static int choose(struct compaction *c, size_t *at, int64_t before,
		  struct fl_lake_source *old, size_t *count,
		  struct fl_error *err)
{
	size_t first = *at;
	bool waits, closed = false;
	uint64_t damage = c->reader.damage.count;

	*at = gather(c, first, before, true, old, count, &waits);
	for (size_t i = 0; i < *count && !waits; i++) {
		if (!old[i].part.partial)
			continue;
		/* Parts that are folded are shadowed by the bars that they
		 * made, until they are removed: so all or none. */
		if (are_closed(c, old, *count, &closed, err) < 0)
			return -1;
		if (closed && c->reader.damage.count == damage)
			return 0;
		waits = true;
	}
	if (waits)
		gather(c, first, before, false, old, count, &waits);
	if (*count == 1)
		*count = 0;
	return 0;
}

/* Which rows hold, of the type of the source at `at`. */
static int find_winners(struct compaction *c, size_t at, struct fl_error *err)
{
	const struct fl_type *type = c->view.sources[at].part.type;
	size_t first = at, end = at;

	if (!fl_lake_shape(type)->floating)
		type = NULL;
	if (type == c->type)
		return 0;
	fl_map_clear(&c->winners, NULL);
	c->type = type;
	if (!type)
		return 0;
	while (first && c->view.sources[first - 1].part.type == type)
		first--;
	while (end < c->view.count && c->view.sources[end].part.type == type)
		end++;
	return fl_lake_winners_find(&c->merge, c->view.sources + first,
				    end - first, &c->winners, err);
}

static int compact_all(struct compaction *c, int64_t before,
		       struct fl_error *err)
{
	struct fl_lake_source *old =
		fl_realloc(NULL, c->view.count + 1, sizeof(*old));
	int result = 0;

	for (size_t at = 0; at < c->view.count && result == 0;) {
		size_t count, first = at;

		result = choose(c, &at, before, old, &count, err);
		if (count && result == 0)
			result = find_winners(c, first, err);
		if (count && result == 0)
			result = compact(c, old, count, err);
	}
	free(old);
	return result;
}

static void begin(struct compaction *c, struct fl_lake *lake)
{
	c->lake = lake;
	c->slicer = fl_lake_slicer_new();
	c->reader.lake = lake;
	c->reader.view = &c->view;
	c->reader.unpacker = fl_unpacker_new();
	c->merge.reader = &c->reader;
	c->merge.view = &c->view;
}

/* All but the view. */
static void end(struct compaction *c)
{
	fl_lake_merge_release(&c->merge);
	fl_unpacker_free(c->reader.unpacker);
	fl_json_release(&c->reader.json);
	fl_lake_slicer_free(c->slicer);
	fl_map_release(&c->winners, NULL);
	fl_buf_release(&c->key);
	fl_buf_release(&c->out);
}

int fl_lake_compact(struct fl_lake *lake, int64_t before,
		    struct fl_compacted *done, struct fl_error *err)
{
	const struct fl_query all = FL_QUERY_ALL;
	struct compaction c = { .done = done };
	int result;

	begin(&c, lake);
	result = fl_lake_view_take(lake, &all, &c.view, err);
	if (result == 0)
		result = compact_all(&c, before, err);
	end(&c);
	fl_lake_view_release(&c.view);
	return result;
}

int fl_lake_mend(struct fl_lake *lake, const struct fl_lake_view *view,
		 const struct fl_lake_source *source, uint64_t *kept,
		 struct fl_error *err)
{
	struct fl_compacted done = { 0 };
	struct compaction c = { .done = &done, .view = *view, .mends = true };
	int result;

	begin(&c, lake);
	result = find_winners(&c, (size_t)(source - view->sources), err);
	if (result == 0)
		result = compact(&c, source, 1, err);
	end(&c);
	*kept = done.records;
	return result < 0 ? -1 : c.aside;
}
