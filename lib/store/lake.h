/* lake: what the parts of the lake store share.
 *
 *   lake.c         the operations, and the order of prepare, commit, publish
 *   lake-name.c    how objects, partitions and pipelines are called
 *   lake-write.c   records into objects under temporary names
 *   lake-commit.c  the commit log: positions, and objects not yet published
 *   lake-claim.c   moving a pipeline on
 *   lake-publish.c final names, and what others have left behind
 *   lake-view.c    which objects a reader sees
 *   lake-run.c     one object, line by line
 *   lake-slice.c   how compacted objects stand in their files
 *   lake-merge.c   the runs of a partition as one, in the order of time
 *   lake-read.c    queries
 *   lake-winners.c the last row of each key, where keys hold no time
 *   lake-compact.c few objects of many
 *   lake-verify.c  is all as it was written?
 *   lake-expire.c  what is too old
 *   lake-raw.c     files as they are
 *   lake-objects.h the place itself: lake-folder.c, lake-s3.c, lake-s3-read.c
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_LAKE_H
#define FL_STORE_LAKE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "io/frames.h"
#include "store/lake-objects.h"
#include "store/store.h"

#define FL_LAKE_COMMITS "_commit"
#define FL_LAKE_DRAFTS  "_tmp"
#define FL_LAKE_DAMAGED "_damaged"
#define FL_LAKE_FORMAT  FL_LAKE_COMMITS "/_format"

extern const char fl_lake_format[]; /* what stands in it */

/* --- names --------------------------------------------------------------- */

/* One partition: TYPE/dt=YYYY-MM-DD, or bar_partial/dt=… */
struct fl_lake_part {
	const struct fl_type *type;
	bool partial;
	int64_t day; /* since 1970 */
};

/* Of an object that compaction has made: anybody's, and always to be seen. */
#define FL_LAKE_COMPACTED UINT64_MAX

/* What an object's name says. */
struct fl_lake_name {
	int64_t stamp;     /* orders objects: the later one's rows win */
	uint64_t pipeline; /* fl_lake_pipeline_id; 0: a stream without marks;
			    * FL_LAKE_COMPACTED */
	struct fl_hash128 content;
};

/* "quote/dt=2026-11-20"; type NULL: none that we know. */
void fl_lake_put_part(struct fl_buf *out, const struct fl_lake_part *part);
/* "quote" or "bar_partial" into type and partial. */
bool fl_lake_read_type(const char *text, struct fl_lake_part *part);
bool fl_lake_read_day(const char *text, int64_t *day);
void fl_lake_put_name(struct fl_buf *out, const struct fl_lake_name *name);
bool fl_lake_read_name(const char *text, struct fl_lake_name *name);
uint64_t fl_lake_pipeline_id(const char *pipeline);
/* The pipeline's folder among the commits, and back. */
void fl_lake_put_pipeline(struct fl_buf *out, const char *pipeline);

/* --- types --------------------------------------------------------------- */

#define FL_LAKE_TICK_ID (-2) /* among key fields: not a field of the record */

/* Where things stand in a type's records; -1: has none. */
struct fl_lake_shape {
	int key[FL_KEY_MAX]; /* the natural key but for ts */
	size_t key_count;
	size_t series_count; /* of these, what makes the series */
	/* The key does not hold the time: records that replace each other may
	 * lie in different partitions. */
	bool floating;
	int symbol, symbols, provider, interval, adj, date;
};
const struct fl_lake_shape *fl_lake_shape(const struct fl_type *type);
/* Append the key but for ts, so that memcmp() orders it as stores do. */
void fl_lake_put_key(const struct fl_record *rec, struct fl_buf *out);
/* The same of the series only. */
void fl_lake_put_series(const struct fl_record *rec, struct fl_buf *out);

/* The content of a frame: what a damaged one costs. */
#define FL_LAKE_FRAME ((size_t)512 << 10)

/* --- writing ------------------------------------------------------------- */

/* An object that is prepared. */
struct fl_lake_object {
	struct fl_lake_part part;
	struct fl_hash128 content;
	unsigned spill; /* of the batch: later ones' rows win */
	int64_t newest; /* stamp of what was there before; 0: nothing */
	char *from;     /* its name until it is published */
	char *to;       /* set by the commit */
	bool is_draft;  /* `from` is ours; else an object of old that has the
			 * same content */
};

struct fl_lake_batch;
struct fl_lake_batch *fl_lake_batch_new(void);
void fl_lake_batch_free(struct fl_lake_batch *batch);

/* --- the store ----------------------------------------------------------- */

struct fl_lake_claim;

struct fl_lake {
	struct fl_objects objects;
	bool empty;   /* nothing is there (FL_STORE_PEEK) */
	char *drafts; /* _tmp/UUID; NULL: not made yet */
	unsigned draft_count;

	struct fl_lake_batch *batch;
	struct fl_lake_object *prepared; /* prepared[count] */
	size_t count, cap;
	unsigned spills;
	struct fl_lake_claim *claims; /* pipelines moved in this batch */
	/* The commit that we have published last, and whose it was. */
	uint64_t done_pipeline, done_number;
	bool committed; /* a commit may name what is prepared: it must stay */
	bool proved;    /* a claim keeps what is there */
	int64_t last_stamp;
};

/* A name for a temporary object; the folder is made when first asked.
 * NULL with err */
char *fl_lake_draft(struct fl_lake *lake, struct fl_error *err);

/* returns 0; 1 its canonical form is longer than a record may be; -1 */
int fl_lake_put(struct fl_lake *lake, const struct fl_record *rec,
		struct fl_error *err);
/* All that was put is prepared: objects under temporary names. */
int fl_lake_prepare(struct fl_lake *lake, struct fl_error *err);
/* Forget the batch; what was prepared and not published is removed. */
void fl_lake_discard(struct fl_lake *lake);

/* Append a small object. returns 1, 0 it is not there, -1 */
int fl_lake_read_whole(struct fl_lake *lake, const char *path,
		       struct fl_buf *text, struct fl_error *err);

/* --- the commit log ------------------------------------------------------ */

struct fl_lake_position {
	const char *origin, *pos, *via;
	int64_t record_time, wm;
};

/* The newest commit of a pipeline. */
struct fl_lake_commit {
	const char *pipeline;
	uint64_t number; /* 0: there is none */
	int64_t stamp;   /* of its newest object; rises from one to the next */
	struct fl_lake_position *positions; /* all there are, by origin */
	size_t position_count, position_cap;
	struct fl_lake_named *objects; /* that became part of the lake */
	size_t object_count, object_cap;
	struct fl_arena arena; /* holds all of it */
};

void fl_lake_commit_release(struct fl_lake_commit *commit);
/* returns 1, 0 there is none, -1; in any case release it */
int fl_lake_commit_read(struct fl_lake *lake, const char *pipeline,
			struct fl_lake_commit *commit, struct fl_error *err);
/* The newest commit of each pipeline, by name. -1 from each ends it. */
int fl_lake_commit_each(struct fl_lake *lake,
			int (*each)(void *arg, struct fl_lake_commit *commit,
				    struct fl_error *err),
			void *arg, struct fl_error *err);
/* min(wm) of a pipeline; FL_TIME_NONE when an origin has none. */
int64_t fl_lake_commit_watermark(const struct fl_lake_commit *commit);

/* Its parts, for who makes the next one. Texts are kept by the commit. */
const char *fl_lake_commit_keep(struct fl_lake_commit *commit,
				const char *text);
struct fl_lake_position *fl_lake_commit_find(struct fl_lake_commit *commit,
					     const char *origin);
struct fl_lake_position *fl_lake_commit_insert(struct fl_lake_commit *commit,
					       const char *origin);
void fl_lake_commit_add(struct fl_lake_commit *commit, const char *from,
			const char *to);
/* As it stands in its file; `at` is the mark's, without the braces; `by` tells
 * it from one of another writer that says the same. */
void fl_lake_commit_print(const struct fl_lake_commit *commit, const char *at,
			  const char *by, struct fl_buf *out);
/* _commit/PIPELINE; free() it. */
char *fl_lake_commit_folder(const char *pipeline);
/* The highest number in such a folder; 0: none. */
int fl_lake_commit_highest(struct fl_lake *lake, const char *dir,
			   uint64_t *number, struct fl_error *err);

/* --- moving (lake-claim.c) ------------------------------------------------ */

int fl_lake_move(struct fl_lake *lake, const char *pipeline,
		 const struct fl_mark_at *at, const char *via, bool *moved,
		 const char **held, struct fl_error *err);
/* Write a commit for each pipeline that was moved; the prepared objects, which
 * have their names, are part of the first.
 * returns 0; 1 somebody else has written that commit, see below; -1
 * errors  FL_ERR_AGAIN the same, of several pipelines */
int fl_lake_commit_write(struct fl_lake *lake, struct fl_error *err);
/* Make ready for the commit after that one: objects need new names, and then it
 * may be written.
 * tries   so many were before
 * errors  FL_ERR_AGAIN what we move was moved by it */
int fl_lake_commit_again(struct fl_lake *lake, unsigned tries,
			 struct fl_error *err);
/* The first pipeline that was moved in this batch; NULL: none. */
const struct fl_lake_commit *fl_lake_claimed(const struct fl_lake *lake);
void fl_lake_release_claims(struct fl_lake *lake);
int fl_lake_forget(struct fl_lake *lake, const char *pipeline, uint64_t *rows,
		   struct fl_error *err);

/* --- publishing (lake-publish.c) ------------------------------------------ */

/* Give final names to what commits of others have left unpublished. */
int fl_lake_publish_left(struct fl_lake *lake, struct fl_error *err);
/* Remove what writers that died have left under temporary names. */
int fl_lake_sweep(struct fl_lake *lake, struct fl_error *err);

/* Make one object of those of each partition that are older. */
int fl_lake_compact(struct fl_lake *lake, int64_t before,
		    struct fl_compacted *done, struct fl_error *err);

/* See `verify` and `expire` of the store's operations. */
int fl_lake_verify(struct fl_lake *lake, bool repair,
		   void (*tell)(void *arg, const char *text), void *arg,
		   struct fl_verified *done, struct fl_error *err);
int fl_lake_expire(struct fl_lake *lake, const struct fl_expiry *rules,
		   size_t count, bool sure,
		   int (*each)(void *arg, const struct fl_expired *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err);

/* See `keep` of the store's operations. */
int fl_lake_raw(struct fl_lake *lake, const char *provider, const char *name,
		int fd, char **path, uint64_t *size, struct fl_error *err);

/* --- reading ------------------------------------------------------------- */

int fl_lake_query(struct fl_lake *lake, const struct fl_query *query,
		  struct fl_cursor **cursor, struct fl_error *err);
int fl_lake_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		 int64_t *ts_ns, struct fl_error *err);
int fl_lake_next_run(struct fl_cursor *cursor, const char **bytes, size_t *len,
		     uint64_t *lines, int64_t *ts_ns, struct fl_error *err);
void fl_lake_end(struct fl_cursor *cursor);
int fl_lake_list(struct fl_lake *lake, const struct fl_query *query,
		 int (*each)(void *arg, const struct fl_summary *row,
			     struct fl_error *err),
		 void *arg, struct fl_error *err);

#endif
