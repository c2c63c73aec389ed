/* store: a place that records are loaded into and queried from.
 *
 * One file or folder per kind of place, registered in stores.def. The sink of a
 * marked stream calls begin, move …, put …, commit: positions and rows are
 * durable together or not at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_STORE_H
#define FL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "io/io.h"
#include "rec/mark.h"
#include "rec/record.h"

struct fl_store;
struct fl_cursor;

enum fl_store_mode {
	FL_STORE_READ, /* must exist */
	/* As READ, but what is not there yet holds nothing: the positions of a
	 * pipeline's first start. */
	FL_STORE_PEEK,
	FL_STORE_WRITE, /* created, schema made and migrated */
};

enum fl_put {
	FL_PUT_NEW,
	FL_PUT_REPLACED, /* the key was there: the later line wins */
	FL_PUT_MERGED,   /* a part of a bar, into what was there of it */
	FL_PUT_ADDED,    /* whether the key was there is settled by reading */
	FL_PUT_REFUSED,  /* note says why: a reject, not an error */
};

/* One row of fl_position. */
struct fl_position {
	const char *pipeline, *origin, *pos;
	int64_t record_time; /* of the last record before pos; FL_TIME_NONE */
	int64_t wm;
	const char *via; /* JSON array */
};

struct fl_query {
	const char *const *types;   /* NULL-ended; NULL: all */
	const char *const *symbols; /* NULL-ended; NULL: all */
	const char *const *providers;
	int64_t from, to; /* from inclusive, to exclusive; FL_TIME_NONE: open */
	/* The same for records with a `date`, whose ts is that date's midnight
	 * as if in UTC: what the user's zone makes of from and to. */
	int64_t date_from, date_to;
	uint64_t last; /* newest N a symbol (and type); 0: all */
	const char *interval, *adj;
	bool unordered; /* in whatever order is quickest */
};

/* All there is. */
#define FL_QUERY_ALL                                                           \
	{                                                                      \
		.from = FL_TIME_NONE, .to = FL_TIME_NONE,                      \
		.date_from = FL_TIME_NONE, .date_to = FL_TIME_NONE             \
	}

/* What is stored: a row of `fl-fetch store PLACE --list`. */
struct fl_summary {
	const char *type, *provider, *symbol, *interval; /* NULL: has none */
	uint64_t count;
	int64_t first, last;
};

/* What compacting has done. */
struct fl_compacted {
	uint64_t partitions; /* each of which is one object now */
	uint64_t objects;    /* that they were before */
	uint64_t records;
};

/* What verifying has found. */
struct fl_verified {
	uint64_t objects, records; /* that are good */
	uint64_t damaged;          /* objects */
	uint64_t mended;           /* of these */
};

/* Records of a type are too old when they are of a date before this one. */
struct fl_expiry {
	const struct fl_type *type;
	int64_t before; /* ns */
};

/* A date of a type that is too old. */
struct fl_expired {
	const struct fl_type *type;
	bool partial; /* parts of bars */
	int64_t day;  /* since 1970 */
	uint64_t objects;
};

/* The operations of one kind of place. All return 0 or -1 with err. */
struct fl_store_ops {
	const char *name;    /* "sqlite" */
	const char *summary; /* for the manual */
	const char *forms;   /* "FILE.db, sqlite:FILE" */
	const char *batch;   /* the default of --batch: "10000,1s" */
	/* Writing locks nobody out: rows may be put long before the commit, and
	 * before the positions are moved, so that they need not wait in memory.
	 */
	bool waits;
	/* Is `place` ours? true claims it. */
	bool (*claims)(const char *place);
	int (*open)(struct fl_store *store, enum fl_store_mode mode,
		    struct fl_error *err);
	int (*begin)(struct fl_store *store, struct fl_error *err);
	/* Compare-and-swap one origin. *held: what the store held (NULL:
	 * nothing), borrowed; *moved: it was `from`. Not moving is no error. */
	int (*move)(struct fl_store *store, const char *pipeline,
		    const struct fl_mark_at *at, const char *via, bool *moved,
		    const char **held, struct fl_error *err);
	int (*put)(struct fl_store *store, const struct fl_record *rec,
		   enum fl_put *outcome, struct fl_note *note,
		   struct fl_error *err);
	int (*commit)(struct fl_store *store, struct fl_error *err);
	void (*rollback)(struct fl_store *store);
	/* pipeline NULL: all; ordered by pipeline, origin. */
	int (*positions)(struct fl_store *store, const char *pipeline,
			 int (*each)(void *arg, const struct fl_position *row,
				     struct fl_error *err),
			 void *arg, struct fl_error *err);
	int (*forget)(struct fl_store *store, const char *pipeline,
		      uint64_t *rows, struct fl_error *err);
	int (*query)(struct fl_store *store, const struct fl_query *query,
		     struct fl_cursor **cursor, struct fl_error *err);
	/* The next record in canonical text, borrowed; by ts across types.
	 * returns 1, 0 at the end, -1 */
	int (*next)(struct fl_cursor *cursor, const char **bytes, size_t *len,
		    int64_t *ts_ns, struct fl_error *err);
	/* The same, but several records may come at once: lines says how many,
	 * each with an LF, ts_ns is that of the last; 0: one as by next. NULL:
	 * they come one by one. */
	int (*next_run)(struct fl_cursor *cursor, const char **bytes,
			size_t *len, uint64_t *lines, int64_t *ts_ns,
			struct fl_error *err);
	void (*end)(struct fl_cursor *cursor);
	int (*list)(struct fl_store *store, const struct fl_query *query,
		    int (*each)(void *arg, const struct fl_summary *row,
				struct fl_error *err),
		    void *arg, struct fl_error *err);
	/* Make few objects of the many that were written before that time;
	 * NULL: has none. */
	int (*compact)(struct fl_store *store, int64_t before,
		       struct fl_compacted *done, struct fl_error *err);
	/* Read all there is, and tell what is not as it was written; with
	 * `repair` mend what can be. Damage that was found is no error.
	 * NULL: has none. */
	int (*verify)(struct fl_store *store, bool repair,
		      void (*tell)(void *arg, const char *text), void *arg,
		      struct fl_verified *done, struct fl_error *err);
	/* Tell each date that is too old, and when it is `sure` remove it
	 * first. NULL: has none. */
	int (*expire)(struct fl_store *store, const struct fl_expiry *rules,
		      size_t count, bool sure,
		      int (*each)(void *arg, const struct fl_expired *row,
				  struct fl_error *err),
		      void *arg, struct fl_error *err);
	/* Keep what can be read from fd as it is, under the provider's name and
	 * that of the file. path: where in the place; free() it. NULL: has
	 * none. */
	int (*keep)(struct fl_store *store, const char *provider,
		    const char *name, int fd, char **path, uint64_t *size,
		    struct fl_error *err);
	void (*close)(struct fl_store *store);
	/* The schema as SQL, for --print-schema; NULL: has none. */
	void (*schema)(struct fl_buf *out);
	/* For --migrate: put right what takes too long to be done by a load.
	 * NULL: there is nothing of the kind. */
	int (*tidy)(struct fl_store *store, struct fl_error *err);
};

struct fl_store {
	const struct fl_store_ops *ops;
	const char *place; /* as the user named it, secrets masked */
	void *state;
	bool replace; /* --replace: whole bars may take the place of ones made
		       * of parts */
	/* Of the rows of this transaction that `put` called new, how many were
	 * there already: it cannot know of what it writes later. Complete when
	 * `commit` has returned; `begin` sets it to 0. */
	uint64_t replaced;
	/* `begin` failed for somebody else holds the place. Trying again does
	 * no harm. */
	bool held;
	/* A row that `put` took and called `outcome`, but that the place itself
	 * refused as it was written, at the latest by `commit`, which then goes
	 * on without it: rec has the bytes, line, input and type; why: the
	 * place's words. NULL: it is an error. The callback may call `put`. */
	int (*refuse)(void *arg, const struct fl_record *rec,
		      enum fl_put outcome, const char *why,
		      struct fl_error *err);
	void *refuse_arg;
};

/* Open the place, by the ops that claim it.
 * errors  FL_ERR_USAGE names no place; FL_ERR_REFUSED not that kind of store,
 *         or of a newer schema; FL_ERR_AGAIN busy; FL_ERR_IO */
int fl_store_open(struct fl_store **store, const char *place,
		  enum fl_store_mode mode, struct fl_error *err);
void fl_store_close(struct fl_store **store);
/* The place as messages may show it: passwords in it are "***". free() it. */
char *fl_store_mask(const char *place);
/* The ops that claim the place.  errors FL_ERR_USAGE */
int fl_store_find(const char *place, const struct fl_store_ops **ops,
		  struct fl_error *err);
extern const struct fl_store_ops *const fl_stores[]; /* NULL-ended */

#endif
