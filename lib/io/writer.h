/* writer: records out, as NDJSON, CSV or a table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_WRITER_H
#define FL_IO_WRITER_H

#include "io/io.h"

struct fl_writer;

/* path "-" is standard output, where auto means a table on a terminal. Counts
 * go to `io`, which borrows the writer as io->out when path is "-". */
int fl_writer_open(struct fl_writer **out, struct fl_io *io, const char *path,
		   struct fl_error *err);
/* Write one record (io->counts.out is counted). Buffered. */
int fl_writer_put(struct fl_writer *out, const struct fl_record *rec,
		  struct fl_error *err);
/* The same for a record in its canonical text, without newline. */
int fl_writer_text(struct fl_writer *out, const char *bytes, size_t len,
		   struct fl_error *err);
/* `count` whole lines of NDJSON, each with its LF, as they are; only when
 * fl_writer_is_plain(). Large runs are written without a copy. */
int fl_writer_lines(struct fl_writer *out, const char *bytes, size_t len,
		    uint64_t count, struct fl_error *err);
/* A control line (mark): NDJSON only, else dropped; not counted. */
int fl_writer_control(struct fl_writer *out, const char *bytes, size_t len,
		      struct fl_error *err);
/* NDJSON with all fields: lines may be passed as they are. */
bool fl_writer_is_plain(const struct fl_writer *out);
int fl_writer_flush(struct fl_writer *out, struct fl_error *err);
/* The same while nothing is written: has the reader gone away? Without this a
 * live source learns that at its next record, which may be tomorrow.
 * errors  FL_ERR_CLOSED */
int fl_writer_idle(struct fl_writer *out, struct fl_error *err);
/* Flushes; a late ENOSPC lands in err (unless that holds an error already).
 * Sets NULL, accepts NULL. */
void fl_writer_close(struct fl_writer **out, struct fl_error *err);

/* For hooks->row: the buffer of the line being made, and the last header. */
struct fl_buf *fl_writer_buf(struct fl_writer *out);
struct fl_io *fl_writer_io(struct fl_writer *out);
enum fl_as fl_writer_as(const struct fl_writer *out);
void **fl_writer_row_state(struct fl_writer *out); /* free()d at close */

#endif
