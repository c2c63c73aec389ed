/* clean: the work of fl-clean: expression, check, normalising, selection,
 * deduplication, in order and over all cores.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_CLEAN_H
#define FL_OP_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "io/io.h"
#include "io/stream.h"
#include "io/writer.h"
#include "op/select.h"

struct fl_clean_config {
	struct fl_io *io;
	struct fl_writer *out;
	const char *jq; /* program or @FILE; NULL: none */
	bool coerce;    /* read numbers out of strings */
	bool canonical; /* rewrite every record in canonical form */
	bool retry;     /* take rejects' `raw` up again */
	struct fl_select select;
	int64_t dedup_ns; /* 0: no deduplication */
	uint64_t dedup_memory;
	int64_t *event_ns; /* newest event time, for progress; NULL: none */
};

struct fl_clean;

/* errors  FL_ERR_USAGE the jq program does not compile */
int fl_clean_open(struct fl_clean **clean, const struct fl_clean_config *config,
		  struct fl_error *err);
/* Clean one input from end to end; what deduplication has learnt goes on to the
 * next one.
 * returns 0; -1 with err; 1 with err where the fault is this input's alone and
 *         the next one may be tried (--keep-going)
 * errors  those of fl_stream_read, fl_writer_lines and fl_reject; FL_ERR_DATA
 *         not NDJSON at all, with the recipe */
int fl_clean_input(struct fl_clean *clean, const char *path,
		   struct fl_error *err);
void fl_clean_close(struct fl_clean **clean);

#endif
