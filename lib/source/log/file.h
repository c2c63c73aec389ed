/* logs_file: one log, through rotation and truncation, as records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_FILE_H
#define FL_SOURCE_LOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "source/log/history.h"
#include "source/log/lines.h"
#include "source/log/parser.h"
#include "source/source.h"

struct fl_logs_file {
	const struct fl_logs_job *job;
	const struct fl_ask *ask;
	char *path; /* as the user named it */
	char *real; /* absolute; NULL: standard input */
	bool follow;

	struct fl_logs_parts parts;
	struct fl_logs_part *part; /* at work; NULL: none */
	struct fl_logs_lines *lines;
	struct fl_logs_parser parser;
	bool parsing; /* the parser is set up */
	struct fl_logs_inode inode;
	uint64_t start;    /* lines before the position */
	uint64_t taken;    /* lines */
	uint64_t given;    /* the position as last given */
	int64_t warm_from; /* records of before it warm nobody up */

	struct fl_logs_made made; /* of the line at hand */
	struct fl_logs_made held; /* the record to be given next */
	bool holds, held_warm;
	struct fl_error failed; /* to be told when that is given */
	bool failed_fatal;

	bool idle;        /* its end was reached, for now */
	int64_t quiet_ns; /* since when a renamed log has been so; 0 */
	char **origins;   /* of all parts: items borrow them */
	size_t origin_count;
};

/* Find the file and the position in it. `path` is borrowed.
 * errors  FL_ERR_USAGE no position in what is no file; FL_ERR_REFUSED the
 *         position is gone; FL_ERR_IO */
int fl_logs_file_open(struct fl_logs_file **file, const struct fl_logs_job *job,
		      const struct fl_ask *ask, const char *path, bool follow,
		      struct fl_error *err);
/* The next record or position: 1; 0 at the end, and of a log that is followed
 * for now; 2 nothing yet, of a pipe; 3 something was done, ask again; -1.
 * fatal: out, the error is not this file's */
int fl_logs_file_next(struct fl_logs_file *file, struct fl_item *item,
		      bool *fatal, struct fl_error *err);
/* Told to stop: what is held, then the position reached. false: all is given */
bool fl_logs_file_stop(struct fl_logs_file *file, struct fl_item *item);
/* Read no further; what items borrow stays. */
void fl_logs_file_end(struct fl_logs_file *file);
/* NULL is fine; sets NULL. */
void fl_logs_file_close(struct fl_logs_file **file);

#endif
