/* lake: a store of files in a folder or a bucket of S3, which any tool that
 * reads NDJSON reads as well.
 *
 * A batch is prepared (objects under temporary names, synced), committed where
 * it has marks (one file in _commit/PIPELINE/, made exclusively, which holds
 * the positions and the objects) and published (renamed). Killed before the
 * commit nothing has happened; killed after it, readers find the objects
 * through the commit and the next writer publishes them. A batch without marks
 * is published right away: killed in the middle, some of its objects are there,
 * and loading it again sets that right.
 *
 * Objects are added, never written to. Which of two rows with one natural key
 * holds is settled when they are read: the one in the later object. So writers
 * need no lock and never wait, and many may write at once. Foreign readers see
 * both rows; but the same batch loaded twice is found to be there by its
 * content, which keeps its old object, so they see no row doubled by it. Turned
 * down: rewriting the objects that a batch overlaps (two writers would undo
 * each other's, and ticks that come symbol by symbol would be read over and
 * over). Folding old rows away is compaction's work.
 *
 * source  DESIGN: "The lake as a sink"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/lake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "store/crash.h"

const char fl_lake_format[] = "financelake lake 1\n";

/* --- opening ------------------------------------------------------------- */

static bool claims(const char *place)
{
	size_t len = strlen(place);

	if (strncmp(place, "s3://", 5) == 0)
		return true;
	return len > 0 && place[len - 1] == '/' && !strstr(place, "://");
}

/* Names that are not ours. */
static int count_name(void *arg, const char *name)
{
	*(size_t *)arg += strcmp(name, FL_LAKE_COMMITS) != 0 &&
			  strcmp(name, FL_LAKE_DRAFTS) != 0;
	return 0;
}

/* Whose folder is this? Sets lake->empty when there is nothing in it. */
static int identify(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_buf text = FL_BUF_INIT;
	size_t names = 0;
	int got = fl_lake_read_whole(lake, FL_LAKE_FORMAT, &text, err);
	bool known = strcmp(fl_buf_text(&text), fl_lake_format) == 0;

	fl_buf_release(&text);
	lake->empty = got == 0;
	if (got > 0 && !known)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' is a lake of another release: update "
				    "financelake",
				    lake->objects.place);
	if (got != 0)
		return got < 0 ? -1 : 0;
	if (fl_objects_list(&lake->objects, "", count_name, &names, err) < 0)
		return -1;
	if (names)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' holds other things than a lake: name "
				    "a folder of its own",
				    lake->objects.place);
	return 0;
}

char *fl_lake_draft(struct fl_lake *lake, struct fl_error *err)
{
	char id[37];

	if (!lake->drafts) {
		fl_uuid(id);
		lake->drafts = fl_sprintf(FL_LAKE_DRAFTS "/%s", id);
		if (fl_objects_hold(&lake->objects, lake->drafts, err) < 0)
			return NULL;
	}
	return fl_sprintf("%s/%u", lake->drafts, ++lake->draft_count);
}

static int prepare_to_write(struct fl_lake *lake, struct fl_error *err)
{
	if (identify(lake, err) < 0)
		return -1;
	if (lake->empty) {
		char *draft = fl_lake_draft(lake, err);
		int got = -1;

		/* Who else makes it now writes the same. */
		if (draft)
			got = fl_objects_claim(&lake->objects, draft,
					       FL_LAKE_FORMAT, fl_lake_format,
					       strlen(fl_lake_format), err);
		free(draft);
		lake->empty = false;
		return got < 0 || got == 2 ? -1 : 0;
	}
	/* Published first: what is left is nobody's. */
	if (fl_lake_publish_left(lake, err) < 0)
		return -1;
	return fl_lake_sweep(lake, err);
}

static void close_store(struct fl_store *store);

static int open_store(struct fl_store *store, enum fl_store_mode mode,
		      struct fl_error *err)
{
	struct fl_lake *lake = fl_zalloc(sizeof(*lake));
	int got;

	store->state = lake;
	got = fl_objects_open(&lake->objects, store->place,
			      mode == FL_STORE_WRITE, err);
	lake->empty = got == 0;
	if (got == 0 && mode == FL_STORE_READ)
		got = fl_error_set(
			err,
			lake->objects.ops == &fl_objects_s3 ? FL_ERR_REFUSED
							    : FL_ERR_IO,
			"cannot open '%s': %s",
			fl_show(store->place, strlen(store->place), 200),
			lake->objects.ops == &fl_objects_s3 ? "there is nothing"
							    : strerror(ENOENT));
	if (got > 0)
		got = mode == FL_STORE_WRITE ? prepare_to_write(lake, err)
					     : identify(lake, err);
	if (got < 0)
		close_store(store);
	return got < 0 ? -1 : 0;
}

static void close_store(struct fl_store *store)
{
	struct fl_lake *lake = store->state;

	store->state = NULL;
	if (!lake)
		return;
	fl_lake_discard(lake);
	fl_lake_release_claims(lake);
	fl_lake_batch_free(lake->batch);
	if (lake->drafts && lake->objects.state)
		fl_objects_let_go(&lake->objects, lake->drafts);
	fl_objects_close(&lake->objects);
	free(lake->drafts);
	free(lake->prepared);
	free(lake);
}

/* --- transactions -------------------------------------------------------- */

static void rollback(struct fl_store *store)
{
	struct fl_lake *lake = store->state;

	fl_lake_discard(lake);
	fl_lake_release_claims(lake);
}

static int begin(struct fl_store *store, struct fl_error *err)
{
	(void)err;
	rollback(store);
	return 0;
}

static int put(struct fl_store *store, const struct fl_record *rec,
	       enum fl_put *outcome, struct fl_note *note, struct fl_error *err)
{
	int got;

	got = fl_lake_put(store->state, rec, err);
	*outcome = FL_PUT_ADDED;
	if (got > 0) {
		fl_note_set(note, "", "over 900,000 bytes in canonical form");
		*outcome = FL_PUT_REFUSED;
	}
	return got < 0 ? -1 : 0;
}

static int move(struct fl_store *store, const char *pipeline,
		const struct fl_mark_at *at, const char *via, bool *moved,
		const char **held, struct fl_error *err)
{
	return fl_lake_move(store->state, pipeline, at, via, moved, held, err);
}

/* Final names: each spill has a stamp of its own, above all that was there. */
static void name_objects(struct fl_lake *lake)
{
	const struct fl_lake_commit *claimed = fl_lake_claimed(lake);
	int64_t stamp = fl_now_ns();

	if (stamp <= lake->last_stamp)
		stamp = lake->last_stamp + 1;
	if (claimed && stamp <= claimed->stamp)
		stamp = claimed->stamp + 1;
	for (size_t i = 0; i < lake->count; i++) {
		if (stamp <= lake->prepared[i].newest)
			stamp = lake->prepared[i].newest + 1;
	}
	for (size_t i = 0; i < lake->count; i++) {
		struct fl_lake_object *object = &lake->prepared[i];
		struct fl_lake_name name = {
			.stamp = stamp + object->spill,
			.pipeline =
				claimed ? fl_lake_pipeline_id(claimed->pipeline)
					: 0,
			.content = object->content,
		};
		struct fl_buf to = FL_BUF_INIT;

		fl_lake_put_part(&to, &object->part);
		fl_buf_putc(&to, '/');
		fl_lake_put_name(&to, &name);
		free(object->to);
		object->to = fl_buf_take(&to);
	}
	lake->last_stamp = stamp + lake->spills;
}

static int write_commit(struct fl_lake *lake, struct fl_error *err)
{
	for (unsigned tries = 0;; tries++) {
		int got;

		name_objects(lake);
		got = fl_lake_commit_write(lake, err);
		if (got <= 0)
			return got;
		if (fl_lake_commit_again(lake, tries, err) < 0)
			return -1;
	}
}

static int publish(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_lake_named *named =
		fl_realloc(NULL, lake->count + 1, sizeof(*named));
	int result;

	for (size_t i = 0; i < lake->count; i++)
		named[i] = (struct fl_lake_named){ lake->prepared[i].from,
						   lake->prepared[i].to };
	result = fl_objects_publish(&lake->objects, named, lake->count, true,
				    err);
	free(named);
	return result;
}

static int commit(struct fl_store *store, struct fl_error *err)
{
	struct fl_lake *lake = store->state;
	static uint64_t commits;
	int result;

	commits++;
	result = fl_lake_prepare(lake, err);
	if (result == 0) {
		fl_crash_at("lake_prepared", commits);
		result = write_commit(lake, err);
	}
	if (result == 0) {
		fl_crash_at("lake_committed", commits);
		result = publish(lake, err);
	}
	if (result == 0 && lake->claims) {
		lake->done_number = fl_lake_claimed(lake)->number;
		lake->done_pipeline =
			fl_lake_pipeline_id(fl_lake_claimed(lake)->pipeline);
	}
	/* A commit holds, whatever came of the rest: what it names must stay
	 * for who publishes it. What is published is no draft any more. */
	for (size_t i = 0; i < lake->count; i++) {
		if (lake->committed || result == 0)
			lake->prepared[i].is_draft = false;
	}
	lake->committed = false;
	rollback(store); /* what is left of it is published */
	return result;
}

/* --- positions ----------------------------------------------------------- */

struct positions {
	const char *pipeline;
	int (*each)(void *arg, const struct fl_position *row,
		    struct fl_error *err);
	void *arg;
};

static int tell_positions(void *arg, struct fl_lake_commit *commit,
			  struct fl_error *err)
{
	const struct positions *asked = arg;

	if (asked->pipeline && strcmp(asked->pipeline, commit->pipeline) != 0)
		return 0;
	for (size_t i = 0; i < commit->position_count; i++) {
		const struct fl_lake_position *position = &commit->positions[i];
		const struct fl_position row = {
			.pipeline = commit->pipeline,
			.origin = position->origin,
			.pos = position->pos,
			.record_time = position->record_time,
			.wm = position->wm,
			.via = position->via,
		};

		if (asked->each(asked->arg, &row, err) < 0)
			return -1;
	}
	return 0;
}

static int positions(struct fl_store *store, const char *pipeline,
		     int (*each)(void *arg, const struct fl_position *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_lake *lake = store->state;
	struct positions asked = { pipeline, each, arg };

	if (lake->empty)
		return 0;
	return fl_lake_commit_each(lake, tell_positions, &asked, err);
}

static int forget(struct fl_store *store, const char *pipeline, uint64_t *rows,
		  struct fl_error *err)
{
	return fl_lake_forget(store->state, pipeline, rows, err);
}

static int query(struct fl_store *store, const struct fl_query *asked,
		 struct fl_cursor **cursor, struct fl_error *err)
{
	return fl_lake_query(store->state, asked, cursor, err);
}

static int list(struct fl_store *store, const struct fl_query *asked,
		int (*each)(void *arg, const struct fl_summary *row,
			    struct fl_error *err),
		void *arg, struct fl_error *err)
{
	return fl_lake_list(store->state, asked, each, arg, err);
}

static int compact(struct fl_store *store, int64_t before,
		   struct fl_compacted *done, struct fl_error *err)
{
	return fl_lake_compact(store->state, before, done, err);
}

static int verify(struct fl_store *store, bool repair,
		  void (*tell)(void *arg, const char *text), void *arg,
		  struct fl_verified *done, struct fl_error *err)
{
	return fl_lake_verify(store->state, repair, tell, arg, done, err);
}

static int expire(struct fl_store *store, const struct fl_expiry *rules,
		  size_t count, bool sure,
		  int (*each)(void *arg, const struct fl_expired *row,
			      struct fl_error *err),
		  void *arg, struct fl_error *err)
{
	return fl_lake_expire(store->state, rules, count, sure, each, arg, err);
}

static int keep(struct fl_store *store, const char *provider, const char *name,
		int fd, char **path, uint64_t *size, struct fl_error *err)
{
	return fl_lake_raw(store->state, provider, name, fd, path, size, err);
}

const struct fl_store_ops fl_store_lake = {
	.name = "lake",
	.summary = "a folder, or a bucket of S3, of compressed NDJSON files by "
		   "type and date, which DuckDB, Spark and their like read as "
		   "well",
	.forms = "DIR/ (with the slash), s3://BUCKET/PREFIX",
	.batch = "64M,5m",
	.waits = true,
	.claims = claims,
	.open = open_store,
	.begin = begin,
	.move = move,
	.put = put,
	.commit = commit,
	.rollback = rollback,
	.positions = positions,
	.forget = forget,
	.query = query,
	.next = fl_lake_next,
	.next_run = fl_lake_next_run,
	.end = fl_lake_end,
	.list = list,
	.compact = compact,
	.verify = verify,
	.expire = expire,
	.keep = keep,
	.close = close_store,
};
