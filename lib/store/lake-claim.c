/* lake-claim: moving pipelines on, by compare-and-swap.
 *
 * What a batch moves is worked out on a copy of the newest commit and written
 * as the next one, which only one writer can make. Old commits are removed in
 * time. A writer that slept meanwhile could then make a number that was there
 * before; so whoever has made one looks at the highest, and takes it back when
 * that is further on than numbers are kept. (One that is a little further on
 * was made by somebody who has read ours.) Forgetting a pipeline is a commit
 * too, of no positions: its numbers go on.
 *
 * Copies of a pipeline that share its origins among them want the same number
 * without being in each other's way. So who loses a number looks what the
 * winner has moved, and when it was nothing of his own takes the next one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/lake.h"

enum {
	KEPT = 16,   /* commits of a pipeline that are kept, for people */
	TRIES = 200, /* for a number, while others move on */
};

/* One origin's move. */
struct move {
	char *origin, *from, *to, *via; /* from, via NULL: nothing */
	int64_t record_time, wm;
};

/* A pipeline that is being moved. */
struct fl_lake_claim {
	struct fl_lake_claim *next;
	struct fl_lake_commit commit; /* as it will be; number: as it is */
	struct fl_buf at;   /* the joined mark: "origin":[from,to] … */
	struct move *moves; /* moves[count] */
	size_t count, cap;
};

/* --- moving -------------------------------------------------------------- */

void fl_lake_release_claims(struct fl_lake *lake)
{
	while (lake->claims) {
		struct fl_lake_claim *claim = lake->claims;

		lake->claims = claim->next;
		for (size_t i = 0; i < claim->count; i++) {
			free(claim->moves[i].origin);
			free(claim->moves[i].from);
			free(claim->moves[i].to);
			free(claim->moves[i].via);
		}
		free(claim->moves);
		fl_lake_commit_release(&claim->commit);
		fl_buf_release(&claim->at);
		free(claim);
	}
}

const struct fl_lake_commit *fl_lake_claimed(const struct fl_lake *lake)
{
	return lake->claims ? &lake->claims->commit : NULL;
}

/* The pipeline as it stands; what it names is published then. */
static int read_claim(struct fl_lake *lake, struct fl_lake_claim *claim,
		      const char *pipeline, struct fl_error *err)
{
	if (fl_lake_commit_read(lake, pipeline, &claim->commit, err) < 0)
		return -1;
	if (!claim->commit.pipeline)
		claim->commit.pipeline =
			fl_lake_commit_keep(&claim->commit, pipeline);
	/* Whoever made the newest commit may have died before it was done. */
	if ((lake->done_number != claim->commit.number ||
	     lake->done_pipeline != fl_lake_pipeline_id(pipeline)) &&
	    fl_objects_publish(&lake->objects, claim->commit.objects,
			       claim->commit.object_count, false, err) < 0)
		return -1;
	claim->commit.object_count = 0;
	return 0;
}

/* The pipeline with what this batch moves. NULL with err */
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
	return read_claim(lake, claim, pipeline, err) < 0 ? NULL : claim;
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

static char *copy(const char *text)
{
	return text ? fl_strdup(text) : NULL;
}

static void keep_move(struct fl_lake_claim *claim, const struct fl_mark_at *at,
		      const char *via)
{
	if (claim->count == claim->cap) {
		claim->cap = claim->cap ? 2 * claim->cap : 8;
		claim->moves = fl_realloc(claim->moves, claim->cap,
					  sizeof(*claim->moves));
	}
	claim->moves[claim->count++] = (struct move){
		.origin = fl_strdup(at->origin),
		.from = copy(at->from),
		.to = fl_strdup(at->to),
		.via = copy(via),
		.record_time = at->rt,
		.wm = at->wm,
	};
}

/* Does the origin stand where the move begins? *held: where it stands. */
static bool is_at(struct fl_lake_claim *claim, const char *origin,
		  const char *from, const char **held)
{
	const struct fl_lake_position *position =
		fl_lake_commit_find(&claim->commit, origin);

	*held = position ? position->pos : NULL;
	return from ? *held && strcmp(*held, from) == 0 : !*held;
}

static void apply(struct fl_lake_claim *claim, const struct move *move)
{
	struct fl_lake_commit *commit = &claim->commit;
	struct fl_lake_position *position =
		fl_lake_commit_find(commit, move->origin);

	if (!position)
		position = fl_lake_commit_insert(
			commit, fl_lake_commit_keep(commit, move->origin));
	position->pos = fl_lake_commit_keep(commit, move->to);
	position->via = fl_lake_commit_keep(commit, move->via);
	position->record_time = move->record_time;
	/* A watermark stays until there is a newer one. */
	if (move->wm != FL_TIME_NONE)
		position->wm = move->wm;
}

int fl_lake_move(struct fl_lake *lake, const char *pipeline,
		 const struct fl_mark_at *at, const char *via, bool *moved,
		 const char **held, struct fl_error *err)
{
	struct fl_lake_claim *claim = claim_of(lake, pipeline, err);

	if (!claim) {
		fl_lake_release_claims(lake);
		return -1;
	}
	*moved = is_at(claim, at->origin, at->from, held);
	if (!*moved)
		return 0;
	keep_move(claim, at, via);
	apply(claim, &claim->moves[claim->count - 1]);
	note_move(claim, at);
	return 0;
}

/* --- writing ------------------------------------------------------------- */

static int overtaken(const struct fl_lake *lake, const char *pipeline,
		     struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_AGAIN,
			    "pipeline '%s' was taken over: somebody else has "
			    "committed to '%s' meanwhile",
			    fl_show(pipeline, strlen(pipeline), 100),
			    lake->objects.place);
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
	fl_objects_remove(&pruning->lake->objects, path);
	free(path);
	return 0;
}

/* Write commit N+1 after commit->number = N.
 * returns 0; 1 somebody else has written it; -1 */
static int write_next(struct fl_lake *lake, struct fl_lake_commit *commit,
		      const char *at, struct fl_error *err)
{
	char *dir = fl_lake_commit_folder(commit->pipeline);
	uint64_t number = commit->number + 1, highest;
	char *path = fl_sprintf("%s/%llu", dir, (unsigned long long)number);
	char *draft = fl_lake_draft(lake, err);
	struct pruning pruning = { lake, dir, 0 };
	struct fl_buf text = FL_BUF_INIT;
	int result = -1;

	if (draft)
		fl_lake_commit_print(commit, at, draft, &text);
	if (draft)
		result = fl_objects_claim(&lake->objects, draft, path,
					  text.data, text.len, err);
	lake->committed = lake->committed || result > 0;
	if (result == 2 ||
	    (result > 0 &&
	     fl_lake_commit_highest(lake, dir, &highest, err) < 0))
		result = -1;
	if (result > 0 && highest > number + KEPT) {
		fl_objects_remove(&lake->objects, path);
		lake->committed = false;
		result = 0;
	}
	if (result > 0) {
		commit->number = number;
		pruning.below = number > KEPT ? number - KEPT : 0;
		if (number % KEPT == 0 &&
		    fl_objects_list(&lake->objects, dir, prune_one, &pruning,
				    err) < 0)
			result = -1;
	}
	fl_buf_release(&text);
	free(draft);
	free(path);
	free(dir);
	return result > 0 ? 0 : result == 0 ? 1 : -1;
}

int fl_lake_commit_write(struct fl_lake *lake, struct fl_error *err)
{
	struct fl_lake_claim *claim = lake->claims;

	if (claim && !lake->proved &&
	    fl_objects_prove(&lake->objects, FL_LAKE_FORMAT, fl_lake_format,
			     strlen(fl_lake_format), err) < 0)
		return -1;
	lake->proved = lake->proved || claim;
	for (size_t i = 0; claim && i < lake->count; i++) {
		if (lake->prepared[i].to)
			fl_lake_commit_add(
				&claim->commit,
				fl_lake_commit_keep(&claim->commit,
						    lake->prepared[i].from),
				fl_lake_commit_keep(&claim->commit,
						    lake->prepared[i].to));
	}
	for (; claim; claim = claim->next) {
		if (claim->commit.stamp < lake->last_stamp)
			claim->commit.stamp = lake->last_stamp;
		int got = write_next(lake, &claim->commit,
				     fl_buf_text(&claim->at), err);

		if (got == 0)
			continue;
		/* The first has the objects: there it is all or nothing. */
		if (got < 0 || claim != lake->claims || claim->next)
			return got < 0 ? -1
				       : overtaken(lake, claim->commit.pipeline,
						   err);
		return 1;
	}
	return 0;
}

int fl_lake_commit_again(struct fl_lake *lake, unsigned tries,
			 struct fl_error *err)
{
	struct fl_lake_claim *claim = lake->claims;
	char *pipeline = fl_strdup(claim->commit.pipeline);
	struct timespec pause = { .tv_nsec = 0 };
	uint16_t dice;
	int result;

	/* So that two do not go on in step. */
	fl_random(&dice, sizeof(dice));
	pause.tv_nsec =
		(long)(dice % 1000) * (tries < 20 ? tries + 1 : 20) * 1000;
	nanosleep(&pause, NULL);
	fl_lake_commit_release(&claim->commit);
	result = read_claim(lake, claim, pipeline, err);
	for (size_t i = 0; i < claim->count && result == 0; i++) {
		const struct move *move = &claim->moves[i];
		const char *held;

		if (is_at(claim, move->origin, move->from, &held))
			apply(claim, move);
		else
			result = overtaken(lake, pipeline, err);
	}
	if (result == 0 && tries >= TRIES)
		result = overtaken(lake, pipeline, err);
	free(pipeline);
	return result;
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
		if (result > 0)
			result = overtaken(lake, pipeline, err);
	}
	fl_lake_release_claims(lake);
	return result;
}
