/* lake-commit: the commit log of a lake.
 *
 * _commit/PIPELINE/N is one JSON object: where the pipeline stands after it
 * (all its origins, so that the newest file alone tells), the mark that brought
 * it there, and the objects that became part of the lake. N is made exclusively
 * by who read N-1: losing that race is the compare-and-swap. Nobody makes N
 * before all of N-1 is published and synced, so only the newest commit can name
 * objects that are not in their place yet.
 *
 * Old files are removed in time. A writer that slept meanwhile could then make
 * a number that was there before; so whoever has made one looks whether it is
 * the highest, and was too late when it is not. Forgetting a pipeline is a
 * commit too, of no positions: its numbers go on.
 *
 * source  DESIGN: "The lake as a sink"
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/crash.h"
#include "store/lake.h"

enum {
	KEPT = 16, /* commits of a pipeline that are kept, for people */
	SIZE_MAX_MIB = 64,
	/* More folders than these are synced with all that is. */
	FEW_FOLDERS = 16,
};

/* A pipeline that is being moved. */
struct fl_lake_claim {
	struct fl_lake_claim *next;
	struct fl_lake_commit commit; /* as it will be; number: as it is */
	struct fl_buf at; /* the joined mark: "origin":[from,to] … */
};

/* --- reading ------------------------------------------------------------- */

void fl_lake_commit_release(struct fl_lake_commit *commit)
{
	fl_arena_release(&commit->arena);
	free(commit->positions);
	free(commit->objects);
	memset(commit, 0, sizeof(*commit));
}

static const char *keep(struct fl_lake_commit *commit, const char *text)
{
	return text ? fl_arena_strndup(&commit->arena, text, strlen(text))
		    : NULL;
}

static const char *keep_tok(struct fl_lake_commit *commit,
			    const struct fl_json_tok *tok)
{
	return fl_arena_strndup(&commit->arena, tok->text, tok->len);
}

static struct fl_lake_position *find(struct fl_lake_commit *commit,
				     const char *origin)
{
	for (size_t i = 0; i < commit->position_count; i++) {
		if (strcmp(commit->positions[i].origin, origin) == 0)
			return &commit->positions[i];
	}
	return NULL;
}

/* A new position, in the order of origins. */
static struct fl_lake_position *insert(struct fl_lake_commit *commit,
				       const char *origin)
{
	size_t at = commit->position_count;

	if (at == commit->position_cap) {
		commit->position_cap = at ? 2 * at : 8;
		commit->positions =
			fl_realloc(commit->positions, commit->position_cap,
				   sizeof(*commit->positions));
	}
	while (at && strcmp(commit->positions[at - 1].origin, origin) > 0)
		at--;
	memmove(commit->positions + at + 1, commit->positions + at,
		(commit->position_count - at) * sizeof(*commit->positions));
	commit->position_count++;
	commit->positions[at] = (struct fl_lake_position){
		.origin = origin,
		.record_time = FL_TIME_NONE,
		.wm = FL_TIME_NONE,
	};
	return &commit->positions[at];
}

static void add_object(struct fl_lake_commit *commit, const char *from,
		       const char *to)
{
	if (commit->object_count == commit->object_cap) {
		commit->object_cap =
			commit->object_cap ? 2 * commit->object_cap : 8;
		commit->objects =
			fl_realloc(commit->objects, commit->object_cap,
				   sizeof(*commit->objects));
	}
	commit->objects[commit->object_count++] =
		(struct fl_lake_named){ from, to };
}

/* A string member; NULL when it is none. */
static const struct fl_json_tok *text_at(const struct fl_json *json,
					 uint32_t object, const char *key)
{
	uint32_t at = fl_json_find(json, object, key, strlen(key));

	return at && json->toks[at].kind == FL_JSON_STRING ? &json->toks[at]
							   : NULL;
}

static int64_t time_at(const struct fl_json *json, uint32_t object,
		       const char *key)
{
	const struct fl_json_tok *tok = text_at(json, object, key);
	int64_t ns;

	return tok && fl_time_parse(tok->text, tok->len, &ns) != FL_TIME_BAD
		       ? ns
		       : FL_TIME_NONE;
}

static bool read_position(const struct fl_json *json, uint32_t at,
			  struct fl_lake_commit *commit)
{
	const struct fl_json_tok *origin = text_at(json, at, "origin");
	const struct fl_json_tok *pos = text_at(json, at, "pos");
	uint32_t via = fl_json_find(json, at, "via", 3);
	struct fl_lake_position *position;
	struct fl_buf text = FL_BUF_INIT;

	if (!origin || !pos)
		return false;
	position = insert(commit, keep_tok(commit, origin));
	position->pos = keep_tok(commit, pos);
	position->record_time = time_at(json, at, "record_time");
	position->wm = time_at(json, at, "wm");
	if (via)
		fl_json_print(json, via, &text);
	position->via = via ? keep(commit, fl_buf_text(&text)) : "[]";
	fl_buf_release(&text);
	return true;
}

static bool read_object(const struct fl_json *json, uint32_t at,
			struct fl_lake_commit *commit)
{
	const struct fl_json_tok *from = text_at(json, at, "from");
	const struct fl_json_tok *to = text_at(json, at, "to");

	if (!from || !to)
		return false;
	add_object(commit, keep_tok(commit, from), keep_tok(commit, to));
	return true;
}

static bool read_list(const struct fl_json *json, const char *key,
		      struct fl_lake_commit *commit,
		      bool (*each)(const struct fl_json *json, uint32_t at,
				   struct fl_lake_commit *commit))
{
	uint32_t list = fl_json_find(json, 0, key, strlen(key));

	if (!list || json->toks[list].kind != FL_JSON_ARRAY)
		return false;
	for (uint32_t i = list + 1; i < json->toks[list].next;
	     i = json->toks[i].next) {
		if (json->toks[i].kind != FL_JSON_OBJECT ||
		    !each(json, i, commit))
			return false;
	}
	return true;
}

static bool read_commit(const struct fl_json *json,
			struct fl_lake_commit *commit)
{
	const struct fl_json_tok *pipeline, *stamp;
	char digits[32];

	if (json->toks[0].kind != FL_JSON_OBJECT)
		return false;
	pipeline = text_at(json, 0, "pipeline");
	stamp = text_at(json, 0, "stamp");
	if (!pipeline || !stamp || stamp->len >= sizeof(digits))
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)stamp->len, stamp->text);
	commit->pipeline = keep_tok(commit, pipeline);
	commit->stamp = (int64_t)strtoull(digits, NULL, 16);
	return read_list(json, "positions", commit, read_position) &&
	       read_list(json, "objects", commit, read_object);
}

static int read_highest(void *arg, const char *name)
{
	uint64_t *highest = arg, number;
	char *end;

	number = strtoull(name, &end, 10);
	if (*name >= '1' && *name <= '9' && !*end && number > *highest)
		*highest = number;
	return 0;
}

static int find_highest(struct fl_lake *lake, const char *dir, uint64_t *number,
			struct fl_error *err)
{
	*number = 0;
	return fl_folder_list(&lake->folder, dir, read_highest, number, err);
}

int fl_lake_read_whole(struct fl_lake *lake, const char *path,
		       struct fl_buf *text, struct fl_error *err)
{
	int fd = fl_folder_read(&lake->folder, path, err);
	int result = 1;
	ssize_t got;

	if (fd < 0)
		return err->code == FL_OK ? 0 : -1;
	do {
		fl_buf_reserve(text, 65536);
		got = read(fd, text->data + text->len, 65536);
		if (got > 0)
			text->len += (size_t)got;
		else if (got < 0 && errno != EINTR)
			result = fl_folder_fault(&lake->folder, "read", path,
						 err);
	} while (result > 0 && got != 0 &&
		 text->len < (size_t)SIZE_MAX_MIB << 20);
	close(fd);
	text->data[text->len] = '\0';
	return result;
}

static int damaged(struct fl_lake *lake, const char *path, struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s%s' is damaged, or of a newer release: it is "
			    "no commit that can be read",
			    lake->folder.place, path);
}

/* The newest commit in a folder of commits. */
static int read_newest(struct fl_lake *lake, const char *dir,
		       struct fl_lake_commit *commit, struct fl_error *err)
{
	struct fl_json json = FL_JSON_INIT;
	struct fl_buf text = FL_BUF_INIT;
	struct fl_note note;
	int result = 0;

	/* What is the newest may be removed as an old one before it is read,
	 * by somebody who is quick: then there is a newer one. */
	while (result == 0) {
		char *path;
		uint64_t number;

		result = find_highest(lake, dir, &number, err);
		commit->number = number;
		if (result < 0 || number == 0)
			break;
		path = fl_sprintf("%s/%llu", dir, (unsigned long long)number);
		result = fl_lake_read_whole(lake, path, &text, err);
		if (result > 0 &&
		    (fl_json_parse(&json, fl_buf_text(&text), text.len,
				   &note) != FL_REASON_NONE ||
		     !read_commit(&json, commit)))
			result = damaged(lake, path, err);
		free(path);
	}
	fl_json_release(&json);
	fl_buf_release(&text);
	return result;
}

static char *folder_of(const char *pipeline)
{
	struct fl_buf dir = FL_BUF_INIT;

	fl_buf_puts(&dir, FL_LAKE_COMMITS "/");
	fl_lake_put_pipeline(&dir, pipeline);
	return fl_buf_take(&dir);
}

int fl_lake_commit_read(struct fl_lake *lake, const char *pipeline,
			struct fl_lake_commit *commit, struct fl_error *err)
{
	char *dir = folder_of(pipeline);
	int result;

	memset(commit, 0, sizeof(*commit));
	result = read_newest(lake, dir, commit, err);
	free(dir);
	return result;
}

static int add_name(void *arg, const char *name)
{
	struct fl_map *names = arg;

	if (strcmp(name, "_format") != 0)
		*fl_map_at(names, name, strlen(name)) = names;
	return 0;
}

static int by_pipeline(const void *a, const void *b)
{
	const struct fl_lake_commit *left = a, *right = b;

	return strcmp(left->pipeline, right->pipeline);
}

int fl_lake_commit_each(struct fl_lake *lake,
			int (*each)(void *arg, struct fl_lake_commit *commit,
				    struct fl_error *err),
			void *arg, struct fl_error *err)
{
	struct fl_map names = FL_MAP_INIT;
	struct fl_lake_commit *commits;
	size_t count = 0;
	int result = fl_folder_list(&lake->folder, FL_LAKE_COMMITS, add_name,
				    &names, err);

	commits = fl_zalloc((names.count + 1) * sizeof(*commits));
	for (size_t i = 0; i < names.count && result >= 0; i++) {
		char *dir =
			fl_sprintf(FL_LAKE_COMMITS "/%s", names.entries[i].key);

		result = read_newest(lake, dir, &commits[count], err);
		free(dir);
		if (result > 0)
			count++;
		else
			fl_lake_commit_release(&commits[count]);
	}
	qsort(commits, count, sizeof(*commits), by_pipeline);
	result = result < 0 ? -1 : 0;
	for (size_t i = 0; i < count; i++) {
		if (result == 0)
			result = each(arg, &commits[i], err);
		fl_lake_commit_release(&commits[i]);
	}
	free(commits);
	fl_map_release(&names, NULL);
	return result;
}

int64_t fl_lake_commit_watermark(const struct fl_lake_commit *commit)
{
	int64_t low = FL_TIME_NONE;

	for (size_t i = 0; i < commit->position_count; i++) {
		int64_t wm = commit->positions[i].wm;

		if (wm == FL_TIME_NONE)
			return FL_TIME_NONE;
		if (low == FL_TIME_NONE || wm < low)
			low = wm;
	}
	return low;
}

/* --- moving -------------------------------------------------------------- */

void fl_lake_release_claims(struct fl_lake *lake)
{
	while (lake->claims) {
		struct fl_lake_claim *claim = lake->claims;

		lake->claims = claim->next;
		fl_lake_commit_release(&claim->commit);
		fl_buf_release(&claim->at);
		free(claim);
	}
}

const struct fl_lake_commit *fl_lake_claimed(const struct fl_lake *lake)
{
	return lake->claims ? &lake->claims->commit : NULL;
}

/* The pipeline as it stands, with what this batch moves. NULL with err */
static struct fl_lake_claim *
claim_of(struct fl_lake *lake, const char *pipeline, struct fl_error *err)
{
	struct fl_lake_claim **last = &lake->claims, *claim;

	for (; *last; last = &(*last)->next) {
		if (strcmp((*last)->commit.pipeline, pipeline) == 0)
			return *last;
	}
	claim = fl_zalloc(sizeof(*claim));
	*last = claim;
	if (fl_lake_commit_read(lake, pipeline, &claim->commit, err) < 0)
		return NULL;
	if (!claim->commit.pipeline)
		claim->commit.pipeline = keep(&claim->commit, pipeline);
	/* Whoever made the newest commit may have died before it was done. */
	if (fl_lake_publish(lake, claim->commit.objects,
			    claim->commit.object_count, err) < 0)
		return NULL;
	claim->commit.object_count = 0;
	return claim;
}

static void note_move(struct fl_lake_claim *claim, const struct fl_mark_at *at)
{
	struct fl_buf *out = &claim->at;

	if (out->len)
		fl_buf_putc(out, ',');
	fl_buf_json_string(out, at->origin, strlen(at->origin));
	fl_buf_puts(out, ":[");
	if (at->from)
		fl_buf_json_string(out, at->from, strlen(at->from));
	else
		fl_buf_puts(out, "null");
	fl_buf_putc(out, ',');
	fl_buf_json_string(out, at->to, strlen(at->to));
	fl_buf_putc(out, ']');
}

int fl_lake_move(struct fl_lake *lake, const char *pipeline,
		 const struct fl_mark_at *at, const char *via, bool *moved,
		 const char **held, struct fl_error *err)
{
	struct fl_lake_claim *claim = claim_of(lake, pipeline, err);
	struct fl_lake_position *position;

	if (!claim) {
		fl_lake_release_claims(lake);
		return -1;
	}
	position = find(&claim->commit, at->origin);
	*held = position ? position->pos : NULL;
	*moved = at->from ? *held && strcmp(*held, at->from) == 0 : !*held;
	if (!*moved)
		return 0;
	if (!position)
		position = insert(&claim->commit,
				  keep(&claim->commit, at->origin));
	position->pos = keep(&claim->commit, at->to);
	position->via = keep(&claim->commit, via);
	position->record_time = at->rt;
	/* A watermark stays until there is a newer one. */
	if (at->wm != FL_TIME_NONE)
		position->wm = at->wm;
	note_move(claim, at);
	return 0;
}

/* --- writing ------------------------------------------------------------- */

static void put_text(struct fl_buf *out, const char *before, const char *text)
{
	fl_buf_puts(out, before);
	fl_buf_json_string(out, text, strlen(text));
}

static void put_time(struct fl_buf *out, const char *key, int64_t ns)
{
	char text[FL_TIME_TEXT];

	if (ns == FL_TIME_NONE)
		return;
	fl_time_print(ns, text);
	fl_buf_printf(out, ",\"%s\":\"%s\"", key, text);
}

static void put_position(struct fl_buf *out,
			 const struct fl_lake_position *position)
{
	put_text(out, "{\"origin\":", position->origin);
	put_text(out, ",\"pos\":", position->pos);
	put_time(out, "record_time", position->record_time);
	put_time(out, "wm", position->wm);
	fl_buf_puts(out, ",\"via\":");
	fl_buf_puts(out, position->via ? position->via : "[]");
	fl_buf_putc(out, '}');
}

static void put_commit(struct fl_buf *out, const struct fl_lake_commit *commit,
		       const char *at)
{
	put_text(out, "{\"pipeline\":", commit->pipeline);
	fl_buf_printf(out, ",\"stamp\":\"%016llx\"",
		      (unsigned long long)commit->stamp);
	put_text(out, ",\"mark\":{\"type\":\"mark\",\"pipeline\":",
		 commit->pipeline);
	fl_buf_printf(out, ",\"at\":{%s}},\n\"positions\":[", at);
	for (size_t i = 0; i < commit->position_count; i++) {
		fl_buf_puts(out, i ? ",\n" : "\n");
		put_position(out, &commit->positions[i]);
	}
	fl_buf_puts(out, "],\n\"objects\":[");
	for (size_t i = 0; i < commit->object_count; i++) {
		fl_buf_puts(out, i ? ",\n" : "\n");
		put_text(out, "{\"from\":", commit->objects[i].from);
		put_text(out, ",\"to\":", commit->objects[i].to);
		fl_buf_putc(out, '}');
	}
	fl_buf_puts(out, "]}\n");
}

static int overtaken(const struct fl_lake *lake, const char *pipeline,
		     struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_AGAIN,
			    "pipeline '%s' was taken over: somebody else has "
			    "committed to '%s' meanwhile",
			    fl_show(pipeline, strlen(pipeline), 100),
			    lake->folder.place);
}

struct pruning {
	struct fl_lake *lake;
	const char *dir;
	uint64_t below;
};

static int prune_one(void *arg, const char *name)
{
	struct pruning *pruning = arg;
	uint64_t number = strtoull(name, NULL, 10);
	char *path;

	if (!number || number >= pruning->below)
		return 0;
	path = fl_sprintf("%s/%s", pruning->dir, name);
	fl_folder_remove(&pruning->lake->folder, path);
	free(path);
	return 0;
}

/* Write commit N+1 after commit->number = N. */
static int write_next(struct fl_lake *lake, struct fl_lake_commit *commit,
		      const char *at, struct fl_error *err)
{
	char *dir = folder_of(commit->pipeline);
	uint64_t number = commit->number + 1, highest;
	char *path = fl_sprintf("%s/%llu", dir, (unsigned long long)number);
	char *draft = fl_lake_draft(lake, err);
	struct pruning pruning = { lake, dir, 0 };
	struct fl_buf text = FL_BUF_INIT;
	int result = -1;

	put_commit(&text, commit, at);
	if (draft)
		result = fl_folder_claim(&lake->folder, draft, path, text.data,
					 text.len, err);
	lake->committed = lake->committed || result > 0;
	if (result == 2 ||
	    (result > 0 && find_highest(lake, dir, &highest, err) < 0))
		result = -1;
	if (result > 0 && highest != number) {
		fl_folder_remove(&lake->folder, path);
		lake->committed = false;
		result = 0;
	}
	if (result == 0)
		overtaken(lake, commit->pipeline, err);
	if (result > 0) {
		commit->number = number;
		pruning.below = number > KEPT ? number - KEPT : 0;
		if (number % KEPT == 0 &&
		    fl_folder_list(&lake->folder, dir, prune_one, &pruning,
				   err) < 0)
			result = -1;
	}
	fl_buf_release(&text);
	free(draft);
	free(path);
	free(dir);
	return result > 0 ? 0 : -1;
}

int fl_lake_commit_write(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_lake_claim *claim = lake->claims;

	for (size_t i = 0; claim && i < lake->count; i++) {
		if (lake->objects[i].to)
			add_object(&claim->commit,
				   keep(&claim->commit, lake->objects[i].from),
				   keep(&claim->commit, lake->objects[i].to));
	}
	for (; claim; claim = claim->next) {
		if (claim->commit.stamp < lake->last_stamp)
			claim->commit.stamp = lake->last_stamp;
		if (write_next(lake, &claim->commit, fl_buf_text(&claim->at),
			       err) < 0)
			return -1;
	}
	return 0;
}

int fl_lake_forget(struct fl_lake *lake, const char *pipeline, uint64_t *rows,
		   struct fl_error *err)
{
	struct fl_lake_claim *claim = claim_of(lake, pipeline, err);
	int result = claim ? 0 : -1;

	*rows = claim ? claim->commit.position_count : 0;
	if (*rows) {
		claim->commit.position_count = 0;
		result = write_next(lake, &claim->commit, "", err);
	}
	fl_lake_release_claims(lake);
	return result;
}

/* --- publishing ---------------------------------------------------------- */

int fl_lake_publish(struct fl_lake *lake, const struct fl_lake_named *objects,
		    size_t count, struct fl_error *err)
{
	struct fl_map dirs = FL_MAP_INIT;
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		const char *to = objects[i].to, *slash = strrchr(to, '/');

		if (fl_folder_publish(&lake->folder, objects[i].from, to, err) <
		    0)
			result = -1;
		if (slash)
			*fl_map_at(&dirs, to, (size_t)(slash - to)) = lake;
		fl_crash_at("lake_published", i + 1);
	}
	/* Also what was in its place already: who put it there may have died
	 * before this. */
	if (result == 0 && dirs.count > FEW_FOLDERS)
		result = fl_folder_sync_all(&lake->folder, err);
	for (size_t i = 0;
	     i < dirs.count && dirs.count <= FEW_FOLDERS && result == 0; i++)
		result =
			fl_folder_sync(&lake->folder, dirs.entries[i].key, err);
	fl_map_release(&dirs, NULL);
	return result;
}

static int publish_one(void *arg, struct fl_lake_commit *commit,
		       struct fl_error *err)
{
	return fl_lake_publish(arg, commit->objects, commit->object_count, err);
}

int fl_lake_publish_left(struct fl_lake *lake, struct fl_error *err)
{
	return fl_lake_commit_each(lake, publish_one, lake, err);
}
