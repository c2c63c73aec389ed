/* lake-read: queries over a lake.
 *
 * Each type that is asked for goes partition by partition, which are disjoint
 * in time, and the types are merged by time. Two things need a look ahead,
 * through the same objects: "the newest N" counts the rows of each series from
 * the newest partition back, and types whose key does not hold the time (news,
 * instruments, events) look which of their rows are the last of their key. Both
 * keep a few bytes a series or key, and no rows.
 *
 * A damaged frame costs the rows in it: all others are given, then the query
 * ends with an error that names the object and the place.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/lake-read.h"
#include "store/sql.h"

enum {
	EARLY = 4, /* objects of partitions to come that are asked for */
};

/* "The newest N" of one series: its rows before `day` are too old, and so are
 * the first `skip` since. */
struct quota {
	uint64_t count, skip;
	int64_t day;
	bool full;
};

/* One type's rows, standing on the next one. */
struct stage {
	const struct fl_type *type;
	const struct fl_lake_source *sources; /* sources[count], by day */
	size_t count, at;                     /* the first that is not begun */
	int64_t day;
	struct fl_lake_merge merge;
	bool parsed;          /* rows must be looked at */
	bool loose;           /* and may come in any order */
	bool any;             /* stands on a row */
	struct fl_map quotas; /* series → struct quota, under `last` */
	bool limited;
	struct fl_map winners; /* key → order + 1 of the object that has the
				* last row, of floating types */
};

struct fl_cursor {
	struct fl_lake_reader reader;
	struct fl_lake_view view;
	struct fl_query query; /* borrows what the asker's does */
	struct stage stages[FL_TYPE_COUNT];
	size_t count;
	struct stage *current; /* its row was handed out */
	struct fl_buf key;
};

/* --- partitions ----------------------------------------------------------- */

/* The sources of one day from `at` on. */
static size_t same_day(const struct stage *stage, size_t at)
{
	size_t end = at;

	while (end < stage->count &&
	       stage->sources[end].part.day == stage->sources[at].part.day)
		end++;
	return end - at;
}

static int begin_partition(struct stage *stage, size_t at, struct fl_error *err)
{
	size_t count = same_day(stage, at);
	struct fl_lake_reader *reader = stage->merge.reader;

	/* Nothing to be merged with; and where an object can go away while it
	 * is read, what was given is known by the order. */
	reader->loose = stage->loose && count == 1 &&
			!reader->lake->objects.ops->is_gone;
	stage->day = stage->sources[at].part.day;
	if (fl_lake_merge_begin(&stage->merge, stage->sources + at, count,
				err) < 0)
		return -1;
	for (size_t i = at + count; i < stage->count && i < at + count + EARLY;
	     i++)
		fl_objects_expect(&stage->merge.reader->lake->objects,
				  stage->sources[i].path);
	return 0;
}

/* The row as a record. false: it is damaged, and told */
static bool parse(struct fl_cursor *cursor, const struct stage *stage,
		  struct fl_record *rec)
{
	const struct fl_lake_run run = {
		.source = stage->sources,
		.bytes = stage->merge.bytes,
		.len = stage->merge.len,
	};

	return fl_lake_run_record(&cursor->reader, &run, rec);
}

/* Is it the last row of its key? */
static bool wins(struct fl_cursor *cursor, const struct stage *stage,
		 const struct fl_record *rec)
{
	return !fl_lake_shape(stage->type)->floating ||
	       fl_lake_winners_has(&stage->winners, rec, stage->merge.order,
				   &cursor->key);
}

/* --- looking ahead -------------------------------------------------------- */

static struct quota *quota_of(struct fl_cursor *cursor, struct stage *stage,
			      const struct fl_record *rec)
{
	void **slot;

	fl_buf_reset(&cursor->key);
	fl_lake_put_series(rec, &cursor->key);
	slot = fl_map_at(&stage->quotas, fl_buf_text(&cursor->key),
			 cursor->key.len);
	if (!*slot)
		*slot = fl_zalloc(sizeof(struct quota));
	return *slot;
}

/* Count one partition's rows by series. */
static int count_partition(struct fl_cursor *cursor, struct stage *stage,
			   size_t at, bool *counted, struct fl_error *err)
{
	struct fl_record rec;
	int got = begin_partition(stage, at, err);

	while (got == 0 && (got = fl_lake_merge_next(&stage->merge, err)) > 0) {
		struct quota *quota;

		got = 0;
		if (!parse(cursor, stage, &rec) ||
		    !fl_lake_selects(&cursor->query, &rec) ||
		    !wins(cursor, stage, &rec))
			continue;
		quota = quota_of(cursor, stage, &rec);
		if (quota->full)
			continue;
		quota->count++;
		*counted = true;
	}
	return got;
}

/* From the newest partition back, until each series has its N; those without
 * may have older rows, so all partitions are looked at. */
static int find_quotas(struct fl_cursor *cursor, struct stage *stage,
		       struct fl_error *err)
{
	const struct fl_lake_damage damage = cursor->reader.damage;
	size_t at = stage->count, oldest = stage->count;
	int result = 0;

	while (at > 0 && result == 0) {
		int64_t day = stage->sources[at - 1].part.day;
		bool counted = false;

		while (at > 0 && stage->sources[at - 1].part.day == day)
			at--;
		result = count_partition(cursor, stage, at, &counted, err);
		if (counted)
			oldest = at;
		for (size_t i = 0; counted && i < stage->quotas.count; i++) {
			struct quota *quota = stage->quotas.entries[i].value;

			if (quota->full || quota->count < cursor->query.last)
				continue;
			quota->full = true;
			quota->day = day;
			quota->skip = quota->count - cursor->query.last;
		}
	}
	stage->at = oldest;
	stage->limited = true;
	cursor->reader.damage = damage;
	return result;
}

static bool within_quota(struct fl_cursor *cursor, struct stage *stage,
			 const struct fl_record *rec)
{
	struct quota *quota;

	if (!stage->limited)
		return true;
	quota = quota_of(cursor, stage, rec);
	if (!quota->full)
		return true;
	if (stage->day < quota->day)
		return false;
	if (stage->day > quota->day || quota->skip == 0)
		return true;
	quota->skip--;
	return false;
}

/* --- the cursor ----------------------------------------------------------- */

/* Rows that need no look but at their time. */
static bool selects_by_time(const struct fl_query *query,
			    const struct stage *stage)
{
	int64_t ts = stage->merge.ts;

	return (query->from == FL_TIME_NONE || ts >= query->from) &&
	       (query->to == FL_TIME_NONE || ts < query->to);
}

/* To the next row that the query selects. */
static int advance(struct fl_cursor *cursor, struct stage *stage,
		   struct fl_error *err)
{
	struct fl_record rec;
	int got;

	stage->any = false;
	for (;;) {
		got = fl_lake_merge_next(&stage->merge, err);
		if (got < 0)
			return -1;
		if (got == 0) {
			if (stage->at == stage->count)
				return 0;
			got = begin_partition(stage, stage->at, err);
			stage->at += same_day(stage, stage->at);
			if (got < 0)
				return -1;
			continue;
		}
		if (stage->parsed
			    ? parse(cursor, stage, &rec) &&
				      fl_lake_selects(&cursor->query, &rec) &&
				      wins(cursor, stage, &rec) &&
				      within_quota(cursor, stage, &rec)
			    : selects_by_time(&cursor->query, stage))
			break;
	}
	stage->any = true;
	return 0;
}

static bool must_parse(const struct fl_query *query, const struct fl_type *type)
{
	const struct fl_lake_shape *shape = fl_lake_shape(type);

	return (query->symbols && *query->symbols) ||
	       (query->providers && *query->providers) || query->interval ||
	       query->adj || query->last || shape->floating ||
	       (shape->date >= 0 && (query->date_from != query->from ||
				     query->date_to != query->to));
}

static int begin_stage(struct fl_cursor *cursor, struct stage *stage,
		       struct fl_error *err)
{
	stage->type = stage->sources->part.type;
	stage->merge.reader = &cursor->reader;
	stage->merge.view = &cursor->view;
	stage->parsed = must_parse(&cursor->query, stage->type);
	stage->loose = cursor->query.unordered && !stage->parsed &&
		       !cursor->reader.query;
	if (fl_lake_shape(stage->type)->floating &&
	    fl_lake_winners_find(&stage->merge, stage->sources, stage->count,
				 &stage->winners, err) < 0)
		return -1;
	if (cursor->query.last && find_quotas(cursor, stage, err) < 0)
		return -1;
	return fl_lake_merge_begin(&stage->merge, NULL, 0, err) < 0
		       ? -1
		       : advance(cursor, stage, err);
}

static int begin_stages(struct fl_cursor *cursor, struct fl_error *err)
{
	const struct fl_lake_view *view = &cursor->view;

	for (size_t i = 0, end; i < view->count; i = end) {
		struct stage *stage = &cursor->stages[cursor->count++];

		for (end = i;
		     end < view->count &&
		     view->sources[end].part.type == view->sources[i].part.type;
		     end++)
			;
		stage->sources = view->sources + i;
		stage->count = end - i;
		if (begin_stage(cursor, stage, err) < 0)
			return -1;
	}
	return 0;
}

/* May it want few of an object's rows, as far as the notes of slices tell? */
static bool is_selective(const struct fl_query *query)
{
	return (query->symbols && *query->symbols) ||
	       query->from != FL_TIME_NONE || query->to != FL_TIME_NONE;
}

int fl_lake_query(struct fl_lake *lake, const struct fl_query *query,
		  struct fl_cursor **out, struct fl_error *err)
{
	struct fl_cursor *cursor = fl_zalloc(sizeof(*cursor));

	cursor->query = *query;
	if (is_selective(query))
		cursor->reader.query = &cursor->query;
	cursor->reader.lake = lake;
	cursor->reader.view = &cursor->view;
	cursor->reader.unpacker = fl_unpacker_new();
	*out = cursor;
	if (lake->empty)
		return 0;
	if (fl_lake_view_take(lake, query, &cursor->view, err) == 0 &&
	    begin_stages(cursor, err) == 0)
		return 0;
	*out = NULL;
	fl_lake_end(cursor);
	return -1;
}

/* All was given that could be read. */
static int finish(const struct fl_cursor *cursor, struct fl_error *err)
{
	const struct fl_lake_damage *damage = &cursor->reader.damage;

	if (damage->count == 0)
		return 0;
	if (damage->count == 1)
		return fl_error_set(err, FL_ERR_DATA,
				    "%s; all other records were given",
				    damage->first);
	return fl_error_set(err, FL_ERR_DATA,
			    "%s, and %llu places more (-v names them); all "
			    "other records were given",
			    damage->first,
			    (unsigned long long)damage->count - 1);
}

int fl_lake_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		 int64_t *ts_ns, struct fl_error *err)
{
	struct stage *first = NULL;

	if (cursor->current && advance(cursor, cursor->current, err) < 0)
		return -1;
	cursor->current = NULL;
	for (size_t i = 0; i < cursor->count; i++) {
		struct stage *stage = &cursor->stages[i];

		if (!stage->any)
			continue;
		if (!first || stage->merge.ts < first->merge.ts)
			first = stage;
		if (cursor->query.unordered)
			break;
	}
	if (!first)
		return finish(cursor, err);
	cursor->current = first;
	*bytes = first->merge.bytes;
	*len = first->merge.len;
	*ts_ns = first->merge.ts;
	return 1;
}

int fl_lake_next_run(struct fl_cursor *cursor, const char **bytes, size_t *len,
		     uint64_t *lines, int64_t *ts_ns, struct fl_error *err)
{
	int got = fl_lake_next(cursor, bytes, len, ts_ns, err);
	const struct fl_query *query = &cursor->query;
	struct stage *stage = cursor->current;
	int64_t before = INT64_MAX;

	*lines = 0;
	if (got <= 0 || stage->parsed || stage->limited ||
	    query->from != FL_TIME_NONE || query->to != FL_TIME_NONE)
		return got;
	for (size_t i = 0; i < cursor->count && !query->unordered; i++) {
		const struct stage *other = &cursor->stages[i];

		if (other != stage && other->any && other->merge.ts < before)
			before = other->merge.ts;
	}
	if (fl_lake_merge_extend(&stage->merge, before, bytes, len, lines))
		*ts_ns = stage->merge.ts;
	return got;
}

void fl_lake_end(struct fl_cursor *cursor)
{
	if (!cursor)
		return;
	for (size_t i = 0; i < cursor->count; i++) {
		fl_lake_merge_release(&cursor->stages[i].merge);
		fl_map_release(&cursor->stages[i].quotas, free);
		fl_map_release(&cursor->stages[i].winners, NULL);
	}
	fl_lake_view_release(&cursor->view);
	fl_unpacker_free(cursor->reader.unpacker);
	fl_json_release(&cursor->reader.json);
	fl_buf_release(&cursor->key);
	free(cursor);
}

/* --- what there is -------------------------------------------------------- */

struct group {
	uint64_t count;
	int64_t first, last;
	const char *symbol, *provider, *interval; /* NULL: has none */
	struct fl_arena arena;
};

static const char *text_of(const struct fl_record *rec, int field,
			   struct fl_arena *arena)
{
	const struct fl_json_tok *tok;

	if (field < 0 || !rec->at[field])
		return NULL;
	tok = &rec->json->toks[rec->at[field]];
	return fl_arena_strndup(arena, tok->text, tok->len);
}

static void put_part(struct fl_buf *key, const struct fl_record *rec, int field)
{
	const struct fl_json_tok *tok;

	if (field >= 0 && rec->at[field]) {
		tok = &rec->json->toks[rec->at[field]];
		fl_buf_putc(key, 1); /* nothing goes before something */
		fl_buf_append(key, tok->text, tok->len);
	}
	fl_buf_putc(key, '\0');
}

static void count_row(struct fl_cursor *cursor, struct fl_map *groups,
		      const struct fl_record *rec)
{
	const struct fl_lake_shape *shape = fl_lake_shape(rec->type);
	struct group *group;
	void **slot;

	fl_buf_reset(&cursor->key);
	put_part(&cursor->key, rec, shape->symbol);
	put_part(&cursor->key, rec, shape->provider);
	put_part(&cursor->key, rec, shape->interval);
	slot = fl_map_at(groups, cursor->key.data, cursor->key.len);
	group = *slot;
	if (!group) {
		group = *slot = fl_zalloc(sizeof(*group));
		group->symbol = text_of(rec, shape->symbol, &group->arena);
		group->provider = text_of(rec, shape->provider, &group->arena);
		group->interval = text_of(rec, shape->interval, &group->arena);
		group->first = group->last = rec->ts_ns;
	}
	group->count++;
	if (rec->ts_ns < group->first)
		group->first = rec->ts_ns;
	if (rec->ts_ns > group->last)
		group->last = rec->ts_ns;
}

static void free_group(void *arg)
{
	struct group *group = arg;

	fl_arena_release(&group->arena);
	free(group);
}

static int by_key(const void *a, const void *b)
{
	const struct fl_map_entry *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->key, right->key, len);

	return order ? order : left->len < right->len ? -1 : 1;
}

static int tell_groups(struct fl_map *groups, const struct fl_type *type,
		       int (*each)(void *arg, const struct fl_summary *row,
				   struct fl_error *err),
		       void *arg, struct fl_error *err)
{
	if (groups->count)
		qsort(groups->entries, groups->count, sizeof(*groups->entries),
		      by_key);
	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = groups->entries[i].value;
		const struct fl_summary row = {
			.type = type->name,
			.provider = group->provider,
			.symbol = group->symbol,
			.interval = group->interval,
			.count = group->count,
			.first = group->first,
			.last = group->last,
		};

		if (each(arg, &row, err) < 0)
			return -1;
	}
	return 0;
}

static int list_stage(struct fl_cursor *cursor, struct stage *stage,
		      int (*each)(void *arg, const struct fl_summary *row,
				  struct fl_error *err),
		      void *arg, struct fl_error *err)
{
	struct fl_map groups = FL_MAP_INIT;
	struct fl_record rec;
	int result = 0;

	while (stage->any && result == 0) {
		if (parse(cursor, stage, &rec))
			count_row(cursor, &groups, &rec);
		result = advance(cursor, stage, err);
	}
	if (result == 0)
		result = tell_groups(&groups, stage->type, each, arg, err);
	fl_map_release(&groups, free_group);
	return result;
}

int fl_lake_list(struct fl_lake *lake, const struct fl_query *query,
		 int (*each)(void *arg, const struct fl_summary *row,
			     struct fl_error *err),
		 void *arg, struct fl_error *err)
{
	struct fl_query all = *query;
	struct fl_cursor *cursor;
	int result = 0;

	all.last = 0;
	if (fl_lake_query(lake, &all, &cursor, err) < 0)
		return -1;
	for (size_t i = 0; i < cursor->count && result == 0; i++)
		result = list_stage(cursor, &cursor->stages[i], each, arg, err);
	if (result == 0)
		result = finish(cursor, err);
	fl_lake_end(cursor);
	return result;
}
