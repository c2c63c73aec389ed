/* sink: records into a store, batch by batch, mark by mark.
 *
 * Without marks a batch is written as it arrives and committed when it is full
 * or old. In a marked stream the records since the last mark wait in memory, so
 * that the store is locked for no longer than the writing takes: at a mark one
 * transaction moves the positions first, by compare-and-swap, and then writes
 * the rows. Consecutive marks may be joined: a mark is a place where one may
 * commit. A store that locks nobody out gets the lines of each mark at once.
 *
 * source  DESIGN: "Marks: a transaction that travels through pipes"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_SINK_H
#define FL_STORE_SINK_H

#include "store/store.h"

/* What may wait for a mark: more is refused, not swallowed. */
#define FL_SINK_HELD_MAX ((size_t)256 << 20)

struct fl_sink_config {
	struct fl_io *io;
	struct fl_store *store; /* dry runs: open for reading, or NULL */
	bool dry;               /* check and count, write nothing */
	bool merge;             /* take parts of bars without marks, too */
	const char *pipeline;   /* NULL: a stream without marks */
	uint64_t count;         /* commit at so many records … */
	uint64_t bytes;         /* … or so many bytes of them … */
	int64_t ns; /* … or after this time; 0: none of that kind */
};

/* Committed so far. */
struct fl_sink_tally {
	uint64_t fresh, replaced, merged, added, commits;
};

struct fl_sink;

/* Borrows the config's members. Rejects that travel inline come to the sink:
 * io->keep_reject is set until it is closed. */
int fl_sink_open(struct fl_sink **sink, const struct fl_sink_config *config,
		 struct fl_error *err);
/* A record from a reader.
 * errors  those of the store; FL_ERR_USAGE a pipeline, but no marks;
 *         FL_ERR_DATA too much since the last mark */
int fl_sink_put(struct fl_sink *sink, const struct fl_record *rec,
		struct fl_error *err);
/* A mark's line, for fl_reader_on_mark.
 * errors  FL_ERR_USAGE a mark, but no pipeline; FL_ERR_DATA another pipeline's;
 *         FL_ERR_AGAIN somebody else has moved on; FL_ERR_REFUSED the store
 *         knows nothing of where the stream goes on */
int fl_sink_mark(void *sink, const char *bytes, size_t len,
		 struct fl_error *err);
/* How long the sink may be left waiting for input, for fl_reader_on_wait. */
int64_t fl_sink_patience(const void *sink);
/* Commit what has become due, for fl_reader_on_idle and when patience ended. */
int fl_sink_idle(void *sink, struct fl_error *err);
/* The input has ended: commit the rest. What no mark covers is discarded and
 * counted as uncommitted.
 * errors  FL_ERR_AGAIN the end mark did not come */
int fl_sink_finish(struct fl_sink *sink, struct fl_error *err);
const struct fl_sink_tally *fl_sink_tally(const struct fl_sink *sink);
/* What was not committed is rolled back and counted. Sets NULL, accepts it. */
void fl_sink_close(struct fl_sink **sink);

#endif
