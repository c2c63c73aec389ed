/* lake-view: which objects a reader sees.
 *
 * The newest commits are read first, then the folders. Of a pipeline that is
 * known from its commit, an object with a later stamp was committed after that
 * look and is not there for us; one that the commit names and the folders do
 * not show is not published yet, and found under the name it has until then. So
 * all of a commit is seen or nothing, and nobody waits for anybody.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/lake-read.h"
#include "store/sql.h"

enum {
	LOOKS = 4,    /* at a folder that does not rest */
	FEW_DAYS = 4, /* more partitions are listed all at once */
};

/* What a pipeline's newest commit says. */
struct known {
	uint64_t pipeline;
	int64_t stamp, watermark;
};

struct walk {
	struct fl_lake *lake;
	const struct fl_query *query;
	struct fl_lake_view *view;
	struct known *known;
	size_t known_count;
	struct fl_map seen; /* path → index in sources, + 1 */
	bool again;         /* a pipeline was met that was not known */
	size_t days;        /* partitions of a type that are wanted */
	size_t days_passed; /* and those that are not */
	struct fl_lake_part part;
	struct fl_buf dir; /* of the partition, or of the type */
	struct fl_error *err;
};

/* --- what the query selects ----------------------------------------------- */

static bool listed(const char *const *list, const struct fl_record *rec,
		   uint32_t at)
{
	const struct fl_json_tok *tok = &rec->json->toks[at];

	if (!at || tok->kind != FL_JSON_STRING)
		return false;
	for (; *list; list++) {
		if (fl_json_is(tok, *list, strlen(*list)))
			return true;
	}
	return false;
}

static bool any_listed(const char *const *list, const struct fl_record *rec,
		       uint32_t at)
{
	if (!at)
		return false;
	for (uint32_t i = at + 1; i < rec->json->toks[at].next;
	     i = rec->json->toks[i].next) {
		if (listed(list, rec, i))
			return true;
	}
	return false;
}

static uint32_t place_of(const struct fl_record *rec, int field)
{
	return field < 0 ? 0 : rec->at[field];
}

static bool is(const struct fl_record *rec, int field, const char *text)
{
	const char *const list[] = { text, NULL };

	return !text || listed(list, rec, place_of(rec, field));
}

static bool between(int64_t ns, int64_t from, int64_t to)
{
	return (from == FL_TIME_NONE || ns >= from) &&
	       (to == FL_TIME_NONE || ns < to);
}

bool fl_lake_selects(const struct fl_query *query, const struct fl_record *rec)
{
	const struct fl_lake_shape *shape = fl_lake_shape(rec->type);
	bool dated = place_of(rec, shape->date) && rec->ts_ns % FL_DAY == 0;

	if (dated ? !between(rec->ts_ns, query->date_from, query->date_to)
		  : !between(rec->ts_ns, query->from, query->to))
		return false;
	if (query->symbols && *query->symbols &&
	    (shape->symbol >= 0 ? !listed(query->symbols, rec,
					  place_of(rec, shape->symbol))
				: !any_listed(query->symbols, rec,
					      place_of(rec, shape->symbols))))
		return false;
	if (query->providers && *query->providers &&
	    !listed(query->providers, rec, place_of(rec, shape->provider)))
		return false;
	return is(rec, shape->interval, query->interval) &&
	       is(rec, shape->adj, query->adj);
}

bool fl_lake_spans(const struct fl_query *query, const struct fl_type *type,
		   int64_t from, int64_t to)
{
	int64_t low = query->from, high = query->to;

	/* FL_TIME_NONE is the least, and an open beginning is just that. */
	if (fl_lake_shape(type)->date >= 0) {
		if (query->date_from < low)
			low = query->date_from;
		if (high != FL_TIME_NONE &&
		    (query->date_to == FL_TIME_NONE || query->date_to > high))
			high = query->date_to;
	}
	return (low == FL_TIME_NONE || to > low) &&
	       (high == FL_TIME_NONE || from < high);
}

/* Of types whose key does not hold the time a later row may lie anywhere. */
static bool wants_day(const struct walk *walk, int64_t day)
{
	return fl_lake_shape(walk->part.type)->floating ||
	       fl_lake_spans(walk->query, walk->part.type, day * FL_DAY,
			     (day + 1) * FL_DAY);
}

/* --- objects -------------------------------------------------------------- */

static const struct known *find_known(const struct walk *walk,
				      uint64_t pipeline)
{
	for (size_t i = 0; i < walk->known_count; i++) {
		if (walk->known[i].pipeline == pipeline)
			return &walk->known[i];
	}
	return NULL;
}

static void add_source(struct walk *walk, const struct fl_lake_name *name,
		       const char *path, const char *from)
{
	struct fl_lake_view *view = walk->view;
	void **seen = fl_map_at(&walk->seen, path, strlen(path));

	if (*seen) {
		view->sources[(uintptr_t)*seen - 1].listed |= !from;
		return;
	}
	*seen = (void *)(uintptr_t)(view->count + 1);
	if (view->count == view->cap) {
		view->cap = view->cap ? 2 * view->cap : 64;
		view->sources = fl_realloc(view->sources, view->cap,
					   sizeof(*view->sources));
	}
	view->sources[view->count++] = (struct fl_lake_source){
		.part = walk->part,
		.name = *name,
		.path = fl_strdup(path),
		.from = from ? fl_strdup(from) : NULL,
		.listed = !from,
	};
}

static int look_at_object(void *arg, const char *text)
{
	struct walk *walk = arg;
	const struct known *known;
	struct fl_lake_name name;
	char *path;

	if (!fl_lake_read_name(text, &name)) {
		fl_log("'%s%s/%s' is not an object of this lake: passed over",
		       walk->lake->objects.place, walk->dir.data, text);
		return 0;
	}
	if (name.pipeline && name.pipeline != FL_LAKE_COMPACTED) {
		known = find_known(walk, name.pipeline);
		walk->again = walk->again || !known;
		if (known && name.stamp > known->stamp)
			return 0;
	}
	path = fl_sprintf("%s/%s", walk->dir.data, text);
	add_source(walk, &name, path, NULL);
	free(path);
	return 0;
}

/* Objects get another name when the same records are loaded again, and a folder
 * that is listed meanwhile may show neither name. Then it is looked at again,
 * and what any look shows counts: one that is shown under both names gives the
 * same rows twice, of which the merge takes one. */
static int look_at_objects(struct walk *walk)
{
	const struct timespec pause = { .tv_nsec = FL_SECOND / 100 };
	struct fl_objects *objects = &walk->lake->objects;

	for (int looks = 0; looks < LOOKS; looks++) {
		int64_t before;

		if (looks)
			nanosleep(&pause, NULL);
		before = fl_objects_changed(objects, walk->dir.data);
		if (fl_objects_list(objects, walk->dir.data, look_at_object,
				    walk, walk->err) < 0)
			return -1;
		if (!fl_objects_is_restless(objects, walk->dir.data, before))
			break;
	}
	return 0;
}

/* Of all that is under a type: "dt=2026-01-02/part-…" */
static int look_at_deep(void *arg, const char *text)
{
	struct walk *walk = arg;
	const char *slash = strchr(text, '/');
	size_t len = walk->dir.len;
	char day[20] = "";
	int result;

	if (slash && (size_t)(slash - text) < sizeof(day))
		memcpy(day, text, (size_t)(slash - text));
	if (!fl_lake_read_day(day, &walk->part.day) ||
	    !wants_day(walk, walk->part.day))
		return 0;
	fl_buf_putc(&walk->dir, '/');
	fl_buf_puts(&walk->dir, day);
	result = look_at_object(walk, slash + 1);
	walk->dir.len = len;
	walk->dir.data[len] = '\0';
	return result;
}

static int count_day(void *arg, const char *text)
{
	struct walk *walk = arg;

	if (!fl_lake_read_day(text, &walk->part.day))
		return 0;
	if (wants_day(walk, walk->part.day))
		walk->days++;
	else
		walk->days_passed++;
	return 0;
}

static int look_at_day(void *arg, const char *text)
{
	struct walk *walk = arg;
	size_t len = walk->dir.len;
	int result;

	if (!fl_lake_read_day(text, &walk->part.day))
		return 0;
	if (!wants_day(walk, walk->part.day)) {
		walk->view->passed_over++;
		return 0;
	}
	fl_buf_putc(&walk->dir, '/');
	fl_buf_puts(&walk->dir, text);
	result = look_at_objects(walk);
	walk->dir.len = len;
	walk->dir.data[len] = '\0';
	return result;
}

static int look_at_type(struct walk *walk, const struct fl_type *type,
			bool partial)
{
	walk->part = (struct fl_lake_part){ .type = type, .partial = partial };
	fl_buf_reset(&walk->dir);
	fl_buf_puts(&walk->dir, partial ? "bar_partial" : type->name);
	if (fl_objects_lists_all(&walk->lake->objects)) {
		walk->days = walk->days_passed = 0;
		if (fl_objects_list(&walk->lake->objects, walk->dir.data,
				    count_day, walk, walk->err) < 0)
			return -1;
		if (walk->days == 0 || walk->days > FEW_DAYS)
			walk->view->passed_over += walk->days_passed;
		if (walk->days == 0)
			return 0;
		if (walk->days > FEW_DAYS)
			return fl_objects_list_all(&walk->lake->objects,
						   walk->dir.data, look_at_deep,
						   walk, walk->err);
	}
	return fl_objects_list(&walk->lake->objects, walk->dir.data,
			       look_at_day, walk, walk->err);
}

/* "quote/dt=2026-11-20/part-…" into its parts. */
static bool read_path(const char *path, struct fl_lake_part *part,
		      struct fl_lake_name *name)
{
	char text[200], *day, *object;

	if (strlen(path) >= sizeof(text))
		return false;
	memcpy(text, path, strlen(path) + 1);
	day = strchr(text, '/');
	object = day ? strchr(day + 1, '/') : NULL;
	if (!object)
		return false;
	*day++ = *object++ = '\0';
	return fl_lake_read_type(text, part) &&
	       fl_lake_read_day(day, &part->day) &&
	       fl_lake_read_name(object, name);
}

static int note_commit(void *arg, struct fl_lake_commit *commit,
		       struct fl_error *err)
{
	struct walk *walk = arg;

	(void)err;
	walk->known = fl_realloc(walk->known, walk->known_count + 1,
				 sizeof(*walk->known));
	walk->known[walk->known_count++] = (struct known){
		.pipeline = fl_lake_pipeline_id(commit->pipeline),
		.stamp = commit->stamp,
		.watermark = fl_lake_commit_watermark(commit),
	};
	for (size_t i = 0; i < commit->object_count; i++) {
		const struct fl_lake_named *named = &commit->objects[i];
		struct fl_lake_name name;

		if (read_path(named->to, &walk->part, &name) &&
		    fl_sql_matches(walk->part.type, walk->query) &&
		    wants_day(walk, walk->part.day))
			add_source(walk, &name, named->to, named->from);
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct fl_lake_source *left = a, *right = b;

	if (left->part.type != right->part.type)
		return left->part.type->id < right->part.type->id ? -1 : 1;
	if (left->part.day != right->part.day)
		return left->part.day < right->part.day ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static int by_stamp(const void *a, const void *b)
{
	const struct fl_lake_source *left = a, *right = b;

	if (left->name.stamp != right->name.stamp)
		return left->name.stamp < right->name.stamp ? -1 : 1;
	return strcmp(left->path, right->path);
}

static void forget_all(struct walk *walk)
{
	fl_lake_view_release(walk->view);
	fl_map_clear(&walk->seen, NULL);
	walk->known_count = 0;
	walk->again = false;
}

static int look(struct walk *walk)
{
	int result =
		fl_lake_commit_each(walk->lake, note_commit, walk, walk->err);

	for (size_t i = 0; fl_types[i] && result == 0; i++) {
		if (!fl_sql_matches(fl_types[i], walk->query))
			continue;
		result = look_at_type(walk, fl_types[i], false);
		if (result == 0 && fl_types[i] == &fl_type_bar)
			result = look_at_type(walk, fl_types[i], true);
	}
	return result;
}

int fl_lake_view_take(struct fl_lake *lake, const struct fl_query *query,
		      struct fl_lake_view *view, struct fl_error *err)
{
	struct walk walk = {
		.lake = lake, .query = query, .view = view, .err = err
	};
	int result = look(&walk);

	/* The first commit of a pipeline came after we had looked for it: look
	 * again, once. Of one that stays unknown the log was removed. */
	if (result == 0 && walk.again) {
		forget_all(&walk);
		result = look(&walk);
	}
	if (view->count)
		qsort(view->sources, view->count, sizeof(*view->sources),
		      by_stamp);
	for (size_t i = 0; i < view->count; i++)
		view->sources[i].order = i;
	if (view->count)
		qsort(view->sources, view->count, sizeof(*view->sources),
		      by_place);
	view->watermarks = fl_realloc(NULL, walk.known_count + 1,
				      sizeof(*view->watermarks));
	view->watermark_count = walk.known_count;
	for (size_t i = 0; i < walk.known_count; i++) {
		view->watermarks[i].pipeline = walk.known[i].pipeline;
		view->watermarks[i].ns = walk.known[i].watermark;
	}
	if (result == 0)
		fl_log("%zu objects of '%s' to read, %zu partitions passed "
		       "over",
		       view->count, lake->objects.place, view->passed_over);
	fl_map_release(&walk.seen, NULL);
	fl_buf_release(&walk.dir);
	free(walk.known);
	return result;
}

void fl_lake_view_release(struct fl_lake_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		free(view->sources[i].path);
		free(view->sources[i].from);
	}
	free(view->sources);
	free(view->watermarks);
	memset(view, 0, sizeof(*view));
}
