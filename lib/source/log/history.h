/* logs_history: which files a position leads through.
 *
 * Origins are those of source/origin.h: the path is that under which the log is
 * written, the bytes are decoded. A log that was rotated is known again by
 * them, whatever it is called now (app.log.1, app.log-20260305.gz): whoever
 * goes on reads the rest of it first, then what came after it, and the log as
 * it is now last.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_HISTORY_H
#define FL_SOURCE_LOG_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/source.h"

/* One file to read. */
struct fl_logs_part {
	char *path;
	char *origin;        /* NULL: not read before */
	uint64_t start;      /* lines taken already */
	int64_t record_time; /* of the last of them; FL_TIME_NONE */
	int64_t changed_ns;
	bool rotated; /* nothing follows in it */
};

struct fl_logs_parts {
	struct fl_logs_part *items;
	size_t count, next;
};

/* The parts of the log at `path` from where one of `starts` left it; the log
 * alone when none is of this path.
 *
 * found   out: one of them was found; NULL: not asked
 * why     out, size 120: how one can tell that none of those of this path means
 *         anything now; "" otherwise
 * errors  FL_ERR_IO */
int fl_logs_history(const char *path, const struct fl_start *starts,
		    size_t count, struct fl_logs_parts *parts,
		    const struct fl_start **lost, char *why,
		    struct fl_error *err);
void fl_logs_parts_release(struct fl_logs_parts *parts);

/* The origin of the file `path`, as a part of the log `real`; free() it.
 * errors  FL_ERR_IO */
int fl_logs_origin(const char *real, const char *path, char **origin,
		   struct fl_error *err);
/* Does the file still begin as the origin says? */
bool fl_logs_same(const char *path, const char *origin);

#endif
