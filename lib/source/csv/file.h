/* csv_file: one CSV file, from its first byte to the records of its rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_FILE_H
#define FL_SOURCE_CSV_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/option.h"
#include "base/time.h"
#include "io/csv.h"
#include "io/io.h"
#include "source/csv/date.h"
#include "source/csv/header.h"
#include "source/csv/input.h"
#include "source/csv/row.h"
#include "source/source.h"

/* What the user said, the same for all files. */
struct fl_csv_job {
	const struct fl_ask *ask;
	const struct fl_list *map;
	bool symbol_from_name;
	const char *date_format;     /* NULL: find out */
	char delimiter;              /* 0: find out */
	struct fl_interval interval; /* text "": find out */
};

struct fl_csv_file {
	const struct fl_csv_job *job;
	const char *path;
	struct fl_csv_input *input;
	struct fl_csv *csv;
	struct fl_csv_plan plan;
	struct fl_csv_dates dates;
	struct fl_csv_maker maker;
	char *symbol; /* of all rows; NULL: from a column */
	unsigned header_rows;
	uint64_t rows;           /* behind the header, taken so far */
	uint64_t start;          /* the position to go on from */
	struct fl_map symbols;   /* how far each had come by then */
	struct fl_csv_made made; /* of the row taken last */
};

static inline bool fl_csv_stopped(const struct fl_csv_job *job)
{
	return job->ask->io->stop && *job->ask->io->stop;
}

/* Settle what there is to settle, and stand before the first row. `job` and
 * `path` are borrowed.
 *
 * file    out, also on error: close it
 * start   the position to go on from; NULL: none
 * errors  FL_ERR_USAGE what the file does not tell and an option does;
 *         FL_ERR_REFUSED the position means another record now; FL_ERR_DATA no
 *         CSV; FL_ERR_IO */
int fl_csv_file_open(struct fl_csv_file **file, const struct fl_csv_job *job,
		     const char *path, const struct fl_start *start,
		     struct fl_error *err);
/* Make the records of a row, in file->made. */
enum fl_reason fl_csv_file_make(struct fl_csv_file *file,
				const struct fl_csv_row *row,
				struct fl_note *note);
/* Are the records made, of a row before the position, near enough to it for
 * whoever learns from them? */
bool fl_csv_file_warms(const struct fl_csv_file *file);
/* NULL is fine; sets NULL. */
void fl_csv_file_close(struct fl_csv_file **file);

/* --- parts, in order --- */

/* The next row: 1, 0 at the end or when told to stop, -1. Waits. */
int fl_csv_file_wait(struct fl_csv_file *file, struct fl_csv_row *row,
		     struct fl_error *err);
/* Go back to the first byte; decoded bytes are added to *bytes. */
int fl_csv_file_start(struct fl_csv_file *file, uint64_t *bytes,
		      struct fl_error *err);
/* The same, to the first row behind the header. */
int fl_csv_file_rewind(struct fl_csv_file *file, uint64_t *bytes,
		       struct fl_error *err);
/* Count a row: progress, once in a while. */
void fl_csv_file_tick(const struct fl_csv_file *file);
/* csv_top.c: the header, plan and symbol; stands before the first row of data.
 * A stop leaves a file without a plan. */
int fl_csv_file_header(struct fl_csv_file *file, struct fl_error *err);
/* csv_learn.c: the first pass. */
int fl_csv_file_learn(struct fl_csv_file *file, struct fl_error *err);
/* Find the position again, and how far each symbol had come by then. */
int fl_csv_file_seek(struct fl_csv_file *file, const struct fl_start *start,
		     struct fl_error *err);
/* csv_symbol.c: AAPL of data/aapl_daily.csv.gz: the first part of the name, cut
 * at _ or blank, that names no period; free() it. */
char *fl_csv_symbol_from_name(const char *path);

#endif
