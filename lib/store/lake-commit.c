/* lake-commit: the commit log of a lake.
 *
 * _commit/PIPELINE/N is one JSON object: where the pipeline stands after it
 * (all its origins, so that the newest file alone tells), the mark that brought
 * it there, and the objects that became part of the lake. N is made exclusively
 * by who read N-1: losing that race is the compare-and-swap. Nobody makes N
 * before all of N-1 is published and synced, so only the newest commit can name
 * objects that are not in their place yet.
 *
 * source  DESIGN: "The lake as a sink"
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/lake.h"

enum {
	SIZE_MAX_MIB = 64,
};

/* --- reading ------------------------------------------------------------- */

void fl_lake_commit_release(struct fl_lake_commit *commit)
{
	fl_arena_release(&commit->arena);
	free(commit->positions);
	free(commit->objects);
	memset(commit, 0, sizeof(*commit));
}

const char *fl_lake_commit_keep(struct fl_lake_commit *commit, const char *text)
{
	return text ? fl_arena_strndup(&commit->arena, text, strlen(text))
		    : NULL;
}

static const char *keep_tok(struct fl_lake_commit *commit,
			    const struct fl_json_tok *tok)
{
	return fl_arena_strndup(&commit->arena, tok->text, tok->len);
}

struct fl_lake_position *fl_lake_commit_find(struct fl_lake_commit *commit,
					     const char *origin)
{
	for (size_t i = 0; i < commit->position_count; i++) {
		if (strcmp(commit->positions[i].origin, origin) == 0)
			return &commit->positions[i];
	}
	return NULL;
}

/* A new position, in the order of origins. */
struct fl_lake_position *fl_lake_commit_insert(struct fl_lake_commit *commit,
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

void fl_lake_commit_add(struct fl_lake_commit *commit, const char *from,
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
	position = fl_lake_commit_insert(commit, keep_tok(commit, origin));
	position->pos = keep_tok(commit, pos);
	position->record_time = time_at(json, at, "record_time");
	position->wm = time_at(json, at, "wm");
	if (via)
		fl_json_print(json, via, &text);
	position->via =
		via ? fl_lake_commit_keep(commit, fl_buf_text(&text)) : "[]";
	fl_buf_release(&text);
	return true;
}

/* A commit may come from anyone: it names nothing outside of the lake. */
static bool is_inside(const struct fl_json_tok *path)
{
	return path->len && path->text[0] != '/' &&
	       !memmem(path->text, path->len, "..", 2);
}

static bool read_object(const struct fl_json *json, uint32_t at,
			struct fl_lake_commit *commit)
{
	const struct fl_json_tok *from = text_at(json, at, "from");
	const struct fl_json_tok *to = text_at(json, at, "to");

	if (!from || !to || !is_inside(from) || !is_inside(to))
		return false;
	fl_lake_commit_add(commit, keep_tok(commit, from),
			   keep_tok(commit, to));
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

int fl_lake_commit_highest(struct fl_lake *lake, const char *dir,
			   uint64_t *number, struct fl_error *err)
{
	*number = 0;
	return fl_objects_list(&lake->objects, dir, read_highest, number, err);
}

int fl_lake_read_whole(struct fl_lake *lake, const char *path,
		       struct fl_buf *text, struct fl_error *err)
{
	struct fl_object_in *in;
	int found = fl_objects_get(&lake->objects, path, &in, err);
	ssize_t got;

	if (found <= 0)
		return found;
	do {
		fl_buf_reserve(text, 65536);
		got = fl_objects_pull(&lake->objects, in,
				      text->data + text->len, 65536, err);
		if (got > 0)
			text->len += (size_t)got;
	} while (got > 0 && text->len < (size_t)SIZE_MAX_MIB << 20);
	fl_objects_end(&lake->objects, &in);
	text->data[text->len] = '\0';
	return got < 0 ? -1 : 1;
}

static int damaged(struct fl_lake *lake, const char *path, struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s%s' is damaged, or of a newer release: it is "
			    "no commit that can be read",
			    lake->objects.place, path);
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

		result = fl_lake_commit_highest(lake, dir, &number, err);
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

char *fl_lake_commit_folder(const char *pipeline)
{
	struct fl_buf dir = FL_BUF_INIT;

	fl_buf_puts(&dir, FL_LAKE_COMMITS "/");
	fl_lake_put_pipeline(&dir, pipeline);
	return fl_buf_take(&dir);
}

int fl_lake_commit_read(struct fl_lake *lake, const char *pipeline,
			struct fl_lake_commit *commit, struct fl_error *err)
{
	char *dir = fl_lake_commit_folder(pipeline);
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
	int result = fl_objects_list(&lake->objects, FL_LAKE_COMMITS, add_name,
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

/* --- printing ------------------------------------------------------------- */

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

void fl_lake_commit_print(const struct fl_lake_commit *commit, const char *at,
			  const char *by, struct fl_buf *out)
{
	put_text(out, "{\"pipeline\":", commit->pipeline);
	put_text(out, ",\"by\":", by);
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
