/* lake-read: what the reading parts of the lake store share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_LAKE_READ_H
#define FL_STORE_LAKE_READ_H

#include "store/lake-slice.h"
#include "store/lake.h"

/* --- what there is (lake-view.c) ------------------------------------------ */

/* An object that a reader sees. */
struct fl_lake_source {
	struct fl_lake_part part;
	struct fl_lake_name name;
	char *path;   /* its place, or where it will be */
	char *from;   /* where else it may be still; NULL */
	bool listed;  /* it was seen at its place, not only named by a commit */
	size_t order; /* of a type's sources: the larger one's rows win */
};

/* One moment of the lake: what was committed when it was taken. */
struct fl_lake_view {
	struct fl_lake_source *sources; /* by type, day, partial last, order */
	size_t count, cap;
	struct fl_lake_watermark {
		uint64_t pipeline;
		int64_t ns; /* FL_TIME_NONE: unknown */
	} * watermarks;
	size_t watermark_count;
	size_t passed_over; /* objects that the query cannot want */
};

/* Take it, of the partitions that the query may want. */
int fl_lake_view_take(struct fl_lake *lake, const struct fl_query *query,
		      struct fl_lake_view *view, struct fl_error *err);
void fl_lake_view_release(struct fl_lake_view *view);
/* Does the query select the record, `last` aside? */
bool fl_lake_selects(const struct fl_query *query, const struct fl_record *rec);
/* Is ts in the span that the query may want of the type? */
bool fl_lake_spans(const struct fl_query *query, const struct fl_type *type,
		   int64_t from, int64_t to);

/* --- one object, line by line (lake-run.c) -------------------------------- */

/* What was damaged in all that was read. */
struct fl_lake_damage {
	uint64_t count;
	char first[500];
	/* Called with each of it; NULL: the first one is enough. */
	void (*tell)(void *arg, const char *text);
	void *arg;
};

struct fl_lake_run {
	const struct fl_lake_source *source;
	struct fl_object_in *in; /* NULL: a spool, or not open */
	struct fl_frames frames;
	bool open;   /* false: closed, or at its end */
	bool sliced; /* compaction has made it */
	bool noted;  /* slice.frames are those that come next */
	bool whole;  /* all frames up to here were read, and were good */
	struct fl_hash128 content, wanted; /* of these; that of the name */
	size_t at; /* in frames.out, when it is not sliced */
	struct fl_lake_slice slice;
	struct fl_buf last; /* the line before the slice */
	/* Of fl_lake_run_extend. */
	const char *block;
	size_t block_len;
	struct fl_buf put_together;
	/* The line it stands on; bytes NULL: at the end. */
	const char *bytes;
	size_t len;
	int64_t ts;
	size_t order; /* of the source it came from */
	bool keyed;   /* key and partial are those of the line */
	bool partial;
	struct fl_buf key;
	bool spooled; /* a temporary file of lines with their order before */
	/* The object was removed while it was read, and it goes on elsewhere:
	 * behind so many lines, or behind that row. */
	uint64_t lines, skip; /* that were read; that are to be passed over */
	bool behind;
	int64_t behind_ts;
	struct fl_buf behind_key;
};

struct fl_lake_reader {
	struct fl_lake *lake;
	struct fl_unpacker *unpacker;
	const struct fl_query *query; /* what is wanted, at least; NULL: all */
	const struct fl_lake_view *view;
	bool loose; /* the order in which an object has its rows will do */
	struct fl_lake_damage damage;
	struct fl_json json;
};

/* Note what is wrong with the line that it stands on. */
void fl_lake_run_blame(struct fl_lake_reader *reader,
		       const struct fl_lake_run *run, const char *why);
/* Open, and stand on the first line. */
int fl_lake_run_open(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     const struct fl_lake_source *source, struct fl_error *err);
/* The same for a temporary file, whose fd becomes the run's. */
int fl_lake_run_spool(struct fl_lake_reader *reader, struct fl_lake_run *run,
		      int fd, struct fl_error *err);
int fl_lake_run_next(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     struct fl_error *err);
void fl_lake_run_close(struct fl_lake_reader *reader, struct fl_lake_run *run);
/* From its line on give as many as there are at hand before that time, as
 * block[block_len], each with its LF; it stands on the last of them then. They
 * look like records of its type, and are not looked at any closer.
 * returns false: its line alone */
bool fl_lake_run_extend(struct fl_lake_run *run, int64_t before,
			uint64_t *lines);
/* The line as a record, in reader->json. false: it is none (told as damage) */
bool fl_lake_run_record(struct fl_lake_reader *reader,
			const struct fl_lake_run *run, struct fl_record *rec);

/* --- a partition in order (lake-merge.c) ---------------------------------- */

struct fl_lake_merge {
	struct fl_lake_reader *reader;
	const struct fl_lake_view *view;
	const struct fl_lake_source *sources; /* of one partition */
	size_t count;
	struct fl_lake_run *runs; /* open ones */
	size_t run_count, run_cap;
	/* Of many sources: when each begins; they are opened when it is time.
	 */
	struct fl_lake_start *waiting; /* waiting[waiting_count], by ts */
	size_t waiting_count, waiting_at;
	struct fl_lake_run *current; /* its line was given: step before the
				      * next */
	struct fl_buf line, key;     /* a line that is no run's any more */
	struct fl_buf merged;        /* parts of a bar made one */
	struct fl_json json;         /* of those that are one already */
	int64_t watermark;           /* up to which all parts have come */
	/* The line it stands on. */
	const char *bytes;
	size_t len;
	int64_t ts;
	size_t order;
	bool partial; /* a bar made of parts */
};

/* Begin with the sources of one partition; zeroed, or used before. */
int fl_lake_merge_begin(struct fl_lake_merge *merge,
			const struct fl_lake_source *sources, size_t count,
			struct fl_error *err);
/* The next row, in the order of (ts, key), of each key the last one.
 * returns 1, 0 at the end, -1 */
int fl_lake_merge_next(struct fl_lake_merge *merge, struct fl_error *err);
/* From the row that was given last on give all that are at hand before that
 * time, and before any other object has one: see fl_lake_run_extend. */
bool fl_lake_merge_extend(struct fl_lake_merge *merge, int64_t before,
			  const char **bytes, size_t *len, uint64_t *lines);
void fl_lake_merge_release(struct fl_lake_merge *merge);

/* --- what is damaged (lake-compact.c) --------------------------------------
 */

/* Write anew what can be read of an object, and put the old one aside, under
 * FL_LAKE_DAMAGED. Readers see the one or both, which is the same.
 * kept     how many records were
 * returns  1; 0 the new one has all that the old one had, and took its place;
 *          -1 */
int fl_lake_mend(struct fl_lake *lake, const struct fl_lake_view *view,
		 const struct fl_lake_source *source, uint64_t *kept,
		 struct fl_error *err);

/* --- types whose key does not hold the time (lake-winners.c) ---------------
 */

/* Which object has the last row of each key; sources[count] is all of a type.
 * winners  key → order + 1 of the object */
int fl_lake_winners_find(struct fl_lake_merge *merge,
			 const struct fl_lake_source *sources, size_t count,
			 struct fl_map *winners, struct fl_error *err);
/* Is the row of that object the one?  key: for its own use */
bool fl_lake_winners_has(const struct fl_map *winners,
			 const struct fl_record *rec, size_t order,
			 struct fl_buf *key);

#endif
