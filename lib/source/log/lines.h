/* logs_lines: an input cut into lines, of any length, that may go on growing.
 *
 * A line over FL_LINE_MAX costs its first 64 KiB of memory: the rest is counted
 * and dropped.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_LINES_H
#define FL_SOURCE_LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/io.h"

struct fl_logs_lines;

struct fl_logs_line {
	const char *text; /* without its end (LF, CRLF); borrowed until the
			   * next call */
	size_t len;
	uint64_t whole;  /* of a line over FL_LINE_MAX: its bytes; else 0 */
	uint64_t number; /* from 1 */
};

/* What a file is on its disk, and when it was written last. */
struct fl_logs_inode {
	dev_t dev;
	ino_t ino;
	int64_t changed_ns;
	uint64_t size;
	bool regular;
};

/* errors  FL_ERR_IO */
int fl_logs_lines_open(struct fl_logs_lines **lines, const char *path,
		       struct fl_io *io, struct fl_error *err);
/* The next line. A last one that has no end is given only if nothing can
 * follow: `final`.
 * returns 1; 0 at the end (of a file that grows: for now); 2 nothing yet, of
 *         what is no file: waits at most 100 ms; -1
 * errors  FL_ERR_IO, FL_ERR_DATA */
int fl_logs_lines_next(struct fl_logs_lines *lines, struct fl_logs_line *line,
		       bool final, struct fl_error *err);
/* What is read is counted in bytes_in, or not: what is read again is not. */
void fl_logs_lines_count(struct fl_logs_lines *lines, bool count);
/* Where the next line begins, in decoded bytes, and how many came before. */
uint64_t fl_logs_lines_offset(const struct fl_logs_lines *lines);
/* Go back there. */
int fl_logs_lines_seek(struct fl_logs_lines *lines, uint64_t offset,
		       uint64_t number, struct fl_error *err);
/* Of the open file; how much of it was read, not decoded, for a plain one. */
int fl_logs_lines_stat(struct fl_logs_lines *lines, struct fl_logs_inode *inode,
		       struct fl_error *err);
uint64_t fl_logs_lines_read(const struct fl_logs_lines *lines);
/* Can it grow? Plain regular files can. */
bool fl_logs_lines_grows(const struct fl_logs_lines *lines);
/* NULL is fine; sets NULL. */
void fl_logs_lines_close(struct fl_logs_lines **lines);

#endif
