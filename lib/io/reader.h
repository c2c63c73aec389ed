/* reader: a stream of records, one at a time.
 *
 * Blank lines and a byte order mark at the very start are passed over, a CR
 * before the LF is not part of the record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_READER_H
#define FL_IO_READER_H

#include "io/io.h"
#include "io/stream.h"

struct fl_reader;

/* path "-" is standard input. */
int fl_reader_open(struct fl_reader **in, struct fl_io *io, const char *path,
		   struct fl_error *err);

/* Read the next record of the stream.
 *
 * rec     out, borrowed until the next call on `in`
 * units   rec->line counts this input from 1; rec->bytes excludes the newline
 * returns 1 a record; 0 end of input or a stop was asked for; -1 with err set
 * errors  FL_ERR_IO the read failed; FL_ERR_DATA broken frame, not NDJSON at
 *         all (with the recipe), or more rejects than --max-rejects. A
 * malformed line is no error: it goes to the rejects with its reason and is
 *         counted.
 * source  one RFC 8259 text per LF-ended line, at most FL_LINE_MAX bytes
 * Marks are forwarded to io->out in order, unless fl_reader_on_mark was used.
 */
int fl_reader_next(struct fl_reader *in, struct fl_record *rec,
		   struct fl_error *err);

/* Commands with state take marks themselves: `on_mark` gets each mark's line
 * and forwards it, or not. -1 with err stops the reader. */
void fl_reader_on_mark(struct fl_reader *in,
		       int (*on_mark)(void *arg, const char *bytes, size_t len,
				      struct fl_error *err),
		       void *arg);
/* Called whenever the reader is about to wait for input. */
void fl_reader_on_idle(struct fl_reader *in,
		       int (*on_idle)(void *arg, struct fl_error *err),
		       void *arg);
/* For sinks that commit by time: `patience` is asked, before the reader waits,
 * for how many nanoseconds it may; then fl_reader_next returns 2 with no
 * record. 0 waits for ever. */
void fl_reader_on_wait(struct fl_reader *in,
		       int64_t (*patience)(const void *arg), const void *arg);

void fl_reader_close(struct fl_reader **in);

/* Is the first line of an input something else than NDJSON? Fills err
 * (FL_ERR_DATA) with the recipe that makes it so and returns -1; else 0. */
int fl_reader_sniff(const struct fl_io *io, const char *path, const char *line,
		    size_t len, struct fl_error *err);

#endif
