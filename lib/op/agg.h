/* agg: the verbs of fl-agg, one file each, registered in aggs.def.
 *
 * A verb gets records in order and writes what it makes of them. The driver in
 * cmd/fl-agg.c reads the inputs, passes rejects of a marked stream on and
 * counts what is read; what becomes of a record the verb counts: used, filtered
 * or late in io->counts, or fl_agg_refuse().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_AGG_H
#define FL_OP_AGG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/option.h"
#include "io/io.h"
#include "io/writer.h"
#include "rec/record.h"

struct fl_agg_ask {
	struct fl_io *io; /* counts, rejects, zone (--tz), warm, stop */
	struct fl_writer *out;
	const char *spec;  /* "1m,5m"; NULL where the verb takes none */
	int64_t *event_ns; /* newest event time, for progress */
};

struct fl_agg {
	const char *name;
	const char *summary;
	const char *spec; /* "IV,...", the operand before the files; "": none */
	const char *examples; /* lines for --help; "\n" between */
	const struct fl_option *options;
	/* In a marked stream its state cannot be stored: parts of bars are no
	 * input for it. The driver refuses them then. */
	bool whole_only;
	/* It has something to say at the end only, of all there was: a stream
	 * with marks, which comes in parts, is refused by the driver. */
	bool whole_stream;
	/* Rejects are records to it like others. */
	bool counts_rejects;
	int (*open)(void **state, const struct fl_agg_ask *ask,
		    struct fl_error *err);
	/* One input from end to end, by a verb that reads for itself (in
	 * blocks, on all cores): as fl_lines_input. NULL: the driver reads, and
	 * calls put. */
	int (*input)(void *state, const char *path, struct fl_error *err);
	/* A record of any type. Under io->warm learn from it and write nothing;
	 * nothing is counted then. */
	int (*put)(void *state, const struct fl_record *rec,
		   struct fl_error *err);
	/* The inputs have ended: write what is left. */
	int (*end)(void *state, struct fl_error *err);
	void (*close)(void *state); /* NULL is fine */
};

extern const struct fl_agg *const fl_aggs[]; /* NULL-ended */

/* Put the record where rejects go, and count it. */
int fl_agg_refuse(struct fl_io *io, const struct fl_record *rec,
		  enum fl_reason reason, const struct fl_note *note,
		  struct fl_error *err);

#endif
