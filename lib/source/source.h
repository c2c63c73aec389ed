/* source: where fl-fetch gets records from.
 *
 * One file or folder per source, registered in sources.def. This is the opened
 * kind: open, next …, close; the driver in cmd/fl-fetch.c does selection,
 * marks, warm-up, counting and writing for all of them. What a provider is
 * asked by symbol is of the polled kind (source/polled.h), which is built on
 * this.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_SOURCE_H
#define FL_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/option.h"
#include "io/io.h"

/* Where a pipeline stands, as the store tells it. */
struct fl_start {
	const char *origin, *pos;
	int64_t record_time; /* FL_TIME_NONE: unknown */
};

/* What the user asked for, the same for every source. Strings are borrowed. */
struct fl_ask {
	struct fl_io *io;           /* counts, rejects, zone, stop */
	char **operands;            /* symbols, files or places; NULL-ended */
	const char *const *types;   /* --type, NULL-ended; NULL: the default */
	const char *store;          /* the setting `store`; NULL: not set */
	const char *const *symbols; /* --symbol, NULL-ended; NULL: all */
	int64_t from, to;           /* FL_TIME_NONE: open */
	bool all;                   /* open because --range max was said */
	uint64_t last;              /* newest N a symbol; 0: all */
	int64_t now_ns;
	/* --resume: positions to start from; NULL: no marks are wanted. */
	const struct fl_start *starts;
	size_t start_count;
	bool marked;          /* positions are wanted, for marks or --state */
	const char *pipeline; /* of the marks, for messages; NULL: not marked */
	int64_t warm_up_ns;   /* how far back before a position to go */
	/* io->keep_going: tell what is wrong with one of several inputs, and
	 * forget the error; the source fails in the end. */
	void (*pass_over)(void *arg, struct fl_error *err);
	void *pass_over_arg;
	/* One line for the user, about one of several symbols. */
	void (*tell)(void *arg, const char *text);
	void *tell_arg;
	/* One of several sources in a row: what it cannot give is told there,
	 * for the next one, and is neither a reject nor an error. NULL: it is
	 * the only one. */
	void (*missed)(void *arg, const char *symbol, enum fl_reason reason,
		       bool retryable, const char *words);
	void *missed_arg;
	const char *version; /* ours, for those who want to know who asks */
	bool runs;     /* records are wanted as they come, all of them and with
			* nothing between: an item may be a run of lines */
	bool long_way; /* take no short cut for what is usual: tests hold the
			* one against the other */
};

/* One record from a source. */
struct fl_item {
	const char *bytes; /* canonical record, no newline; borrowed until the
			    * next call. NULL: no record, but the position moved
			    * (over rows refused at the end of an origin) */
	size_t len;
	uint64_t lines; /* under ask->runs: the bytes are so many records, each
			 * with an LF; 0: one record */
	int64_t ts_ns;  /* of the last */
	/* Of resumable sources under ask->marked; origin NULL: none. */
	const char *origin; /* stays valid until close */
	uint64_t pos;       /* records of the origin up to and with this one */
	bool warm;          /* before the position: warm-up */
	bool whole;         /* a batch ends here: a mark is to follow */
};

struct fl_polled; /* source/polled.h */

struct fl_source {
	const char *name;
	const char *summary;
	const char *home;     /* the provider's page; NULL */
	const char *types;    /* "quote, bar" */
	const char *operands; /* "FILE...", for the synopsis */
	const char *examples; /* lines for --help; "\n" between */
	const struct fl_option *options;
	bool selects; /* does --type/--symbol/--from/--to/--last itself (a
		       * store); else the driver filters what next gives */
	bool resumes; /* knows origins and positions */
	/* The opening mark is written after this: a position that cannot be
	 * resumed from must be found out here. */
	int (*open)(void **state, const struct fl_ask *ask,
		    struct fl_error *err);
	/* returns 1; 0 at the end or when a stop was asked for; -1; 2 nothing
	 * yet: the driver flushes, marks when it is time, and asks again. A
	 * live source returns 2 before it waits, then waits at most 100 ms a
	 * call. What it must refuse goes through fl_reject, which counts it;
	 * `in` is the driver's to count, bytes_in the source's. */
	int (*next)(void *state, struct fl_item *item, struct fl_error *err);
	void (*close)(void *state); /* NULL is fine */
	/* Why there is no such type, although one may look for it here: -1 with
	 * err; 0 it is just no type. NULL. */
	int (*declines)(const char *type, struct fl_error *err);
	/* What the account is to tell besides: "5 symbols, 7 requests". NULL:
	 * nothing. state may be NULL. */
	void (*tell)(void *state, char *text, size_t size);
	/* Of a polled source, else NULL. */
	const struct fl_polled *polled;
	/* `--list`, for sources that can tell what they hold: 1 handled. NULL.
	 */
	int (*list)(const struct fl_ask *ask,
		    int (*each)(void *arg, const char *bytes, size_t len,
				struct fl_error *err),
		    void *arg, struct fl_error *err);
};

extern const struct fl_source *const fl_sources[]; /* NULL-ended */
const struct fl_source *fl_source_find(const char *name);

/* The start of an origin, or NULL when the store held nothing of it. */
const struct fl_start *fl_ask_start(const struct fl_ask *ask,
				    const char *origin);
/* A position no longer means the record it was left behind; `why` says how one
 * can tell. Refused (-1, FL_ERR_REFUSED) with the two ways on, one of which is
 * --from: when that was given, 0, and the origin is read from its beginning. */
int fl_ask_moved(const struct fl_ask *ask, const struct fl_start *start,
		 const char *why, struct fl_error *err);

#endif
