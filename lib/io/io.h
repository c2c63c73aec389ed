/* io: what all readers and writers of one run share: settings, counts, the
 * places of rejects, and the functions through which rec teaches io about
 * types.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_IO_H
#define FL_IO_IO_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/record.h"
#include "io/reject.h"

struct fl_stream;
struct fl_writer;
struct fl_zone;

#define FL_LINE_MAX 900000 /* bytes of one record; records.md */

/* The account: in = used + rejected + duplicates + filtered + late. Marks and
 * warm-up records are not counted. */
struct fl_counts {
	uint64_t in, used, rejected, duplicates, filtered, late;
	uint64_t out;         /* records written to standard output or stored */
	uint64_t uncommitted; /* read, but after the last mark */
	uint64_t rounded;     /* records with a number cut to 18 digits */
	uint64_t unchecked;   /* passed without a duplicate check: too old, or
			       * the memory for it was full */
	uint64_t bytes_in, bytes_out;
	uint64_t by_reason[FL_REASON_COUNT];
	int64_t dedup_horizon_ns; /* reached; FL_TIME_NONE: no dedup ran */
};

enum fl_as {
	FL_AS_AUTO,
	FL_AS_NDJSON,
	FL_AS_CSV,
	FL_AS_TABLE,
};

/* How rec reads lines for io, which knows no types. */
struct fl_hooks {
	/* Parse and check rec->bytes into rec; fl_record_check of rec/record.h.
	 */
	enum fl_reason (*check)(struct fl_record *rec, struct fl_json *json,
				struct fl_note *note);
	/* Is this line a mark? Cheap; no full parse. */
	bool (*is_mark)(const char *bytes, size_t len);
	/* Forward a mark: parse, note what it says in `io`, write it to `out`
	 * (NULL: none). -1 with err: not a mark one can follow. */
	int (*mark)(struct fl_io *io, const char *bytes, size_t len,
		    struct fl_writer *out, struct fl_error *err);
	/* Write one record as a table row or CSV row; io/writer.h. */
	int (*row)(struct fl_writer *out, const struct fl_record *rec,
		   struct fl_error *err);
};

struct fl_io {
	const char *command; /* "fl-clean" */
	const char *typed;   /* how one types it behind a pipe, "fl-load PLACE";
			      * NULL: as command */
	const struct fl_hooks *hooks;
	struct fl_counts counts;

	/* What the options said (cli/run.h fills these). */
	enum fl_as as;
	const char *fields;         /* --fields, NULL: all */
	const struct fl_zone *zone; /* --tz, NULL: UTC */
	const char *rejects;        /* FILE, "fd:N", "inline"; NULL: counted */
	uint64_t max_rejects;       /* UINT64_MAX: no limit */
	double max_reject_share;    /* 0 to 1; < 0: none */
	bool keep_going;
	unsigned workers; /* -j; at least 1 */

	/* The stream (lib/rec/mark.c). */
	bool marked; /* an opening mark came first: no record is late, rejects
		      * travel inline unless told otherwise */
	bool warm;   /* between a mark with live:false and one with live:true:
		      * filters learn and emit nothing, nothing is counted */
	const char *via; /* this command's masked argv, to add to the opening
			  * mark; NULL: leave `via` alone */
	struct fl_writer *out; /* the run's writer: marks and inline rejects */
	/* A sink has no writer: its inline rejects, as canonical records, go
	 * here (fl-load stores them). NULL: to `out`. */
	int (*keep_reject)(void *arg, const char *bytes, size_t len,
			   struct fl_error *err);
	void *keep_reject_arg;

	/* The first reject, for the message at the end. */
	struct fl_note first_note;
	enum fl_reason first_reason;
	uint64_t first_line;
	char first_input[256];
	int reject_fd; /* -1: not open */
	bool reject_fd_owned;

	/* The signal that asked for an end (SIGINT, SIGTERM), 0 before; from
	 * FL_STOP_NOW up the time to drain a pipe is over as well. What reads
	 * asks fl_stop_requested(), what makes records looks here. */
	volatile sig_atomic_t *stop;
	bool drains; /* the input is a pipe on standard input: what is upstream
		      * ends first, so it is read to its end, at most 5 s */
	/* Called while a reader waits or every few thousand records; NULL: none
	 */
	void (*tick)(void *run);
	void *tick_arg;
};

#define FL_STOP_NOW 256
/* Must reading end here? False while nothing was asked, and while a pipe still
 * drains. Cheap, and safe in any thread. */
bool fl_stop_requested(const struct fl_io *io);

/* Refuse to read what this run writes: it would never end.
 * errors  FL_ERR_USAGE the stream is the file of --rejects or standard output
 */
int fl_io_check_input(struct fl_io *io, const struct fl_stream *in,
		      struct fl_error *err);

#endif
