/* csv_file: one CSV file, from its first byte to the records of its rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

enum {
	TICK_ROWS = 4096, /* between two looks at the progress */
};

struct symbol {
	int64_t newest_ns; /* of its rows before the position */
};

int fl_csv_file_wait(struct fl_csv_file *file, struct fl_csv_row *row,
		     struct fl_error *err)
{
	int got;

	do {
		got = fl_csv_next(file->csv, row, err);
	} while (got == 2 && !fl_csv_stopped(file->job));
	return got == 2 ? 0 : got;
}

int fl_csv_file_start(struct fl_csv_file *file, uint64_t *bytes,
		      struct fl_error *err)
{
	fl_csv_close(&file->csv);
	if (fl_csv_input_rewind(file->input, bytes, err) < 0 ||
	    fl_csv_open(&file->csv, file->path, file->job->delimiter,
			fl_csv_input_read, file->input, err) < 0)
		return -1;
	if (file->job->ask->long_way)
		fl_csv_long_way(file->csv);
	return 0;
}

int fl_csv_file_rewind(struct fl_csv_file *file, uint64_t *bytes,
		       struct fl_error *err)
{
	struct fl_csv_row row;

	fl_csv_maker_rewind(&file->maker);
	file->rows = 0;
	if (fl_csv_file_start(file, bytes, err) < 0)
		return -1;
	for (unsigned i = 0; i < file->header_rows; i++) {
		if (fl_csv_file_wait(file, &row, err) < 0)
			return -1;
	}
	return 0;
}

void fl_csv_file_tick(const struct fl_csv_file *file)
{
	struct fl_io *io = file->job->ask->io;

	if (io->tick && file->rows % TICK_ROWS == 0)
		io->tick(io->tick_arg);
}

/* --- positions --- */

enum fl_reason fl_csv_file_make(struct fl_csv_file *file,
				const struct fl_csv_row *row,
				struct fl_note *note)
{
	enum fl_reason reason = fl_csv_row_shape(&file->plan, row, note);

	file->made.count = 0;
	return reason ? reason
		      : fl_csv_row_make(&file->maker, row, &file->made, note);
}

static void note_newest(struct fl_csv_file *file)
{
	void **slot = fl_map_at(&file->symbols, file->made.symbol,
				file->made.symbol_len);
	struct symbol *symbol = *slot;

	if (!symbol) {
		symbol = *slot = fl_alloc(sizeof(*symbol));
		symbol->newest_ns = INT64_MIN;
	}
	for (unsigned i = 0; i < file->made.count; i++) {
		if (file->made.records[i].ts_ns > symbol->newest_ns)
			symbol->newest_ns = file->made.records[i].ts_ns;
	}
}

int fl_csv_file_seek(struct fl_csv_file *file, const struct fl_start *start,
		     struct fl_error *err)
{
	int64_t last = FL_TIME_NONE;
	char *end, text[FL_TIME_TEXT], why[120] = "";
	struct fl_csv_row row;
	struct fl_note note;
	int got = 1;

	file->start = strtoull(start->pos, &end, 10);
	if (*start->pos < '0' || *start->pos > '9' || *end) {
		file->start = 0;
		return fl_ask_moved(file->job->ask, start,
				    "it is no row number", err);
	}
	if (fl_csv_file_rewind(file, NULL, err) < 0)
		return -1;
	while (file->rows < file->start && !fl_csv_stopped(file->job)) {
		got = fl_csv_file_wait(file, &row, err);
		if (got <= 0)
			break;
		file->rows++;
		fl_csv_file_tick(file);
		if (fl_csv_file_make(file, &row, &note) != FL_REASON_NONE)
			continue;
		last = file->made.records[file->made.count - 1].ts_ns;
		if (file->job->ask->warm_up_ns > 0)
			note_newest(file);
	}
	file->made.count = 0;
	if (got < 0 || fl_csv_stopped(file->job))
		return got < 0 ? -1 : 0;
	if (file->rows < file->start)
		snprintf(why, sizeof(why), "the file has %llu rows now",
			 (unsigned long long)file->rows);
	else if (last != FL_TIME_NONE && start->record_time != FL_TIME_NONE &&
		 last != start->record_time) {
		fl_time_print(last, text);
		snprintf(why, sizeof(why), "the row before it is of %s", text);
	}
	if (!why[0])
		return 0;
	file->start = 0;
	return fl_ask_moved(file->job->ask, start, why, err);
}

bool fl_csv_file_warms(const struct fl_csv_file *file)
{
	const struct symbol *symbol =
		file->job->ask->warm_up_ns > 0
			? fl_map_get(&file->symbols, file->made.symbol,
				     file->made.symbol_len)
			: NULL;
	int64_t from;

	if (!symbol)
		return false;
	if (__builtin_sub_overflow(symbol->newest_ns,
				   file->job->ask->warm_up_ns, &from))
		from = INT64_MIN;
	return file->made.records[file->made.count - 1].ts_ns >= from;
}

static void free_symbol(void *symbol)
{
	free(symbol);
}

/* What is read once only must need no whole file to be understood. */
static bool can_stream(const struct fl_csv_job *job)
{
	const char *const *types = job->ask->types;

	return job->date_format &&
	       (job->interval.text[0] || (types && types[0] && !types[1] &&
					  strcmp(types[0], "quote") == 0));
}

static int prepare(struct fl_csv_file *file, const struct fl_start *start,
		   struct fl_error *err)
{
	uint64_t *bytes = &file->job->ask->io->counts.bytes_in;
	bool rereads = fl_csv_input_rereads(file->input);

	if (fl_csv_file_start(file, rereads ? NULL : bytes, err) < 0 ||
	    fl_csv_file_header(file, err) < 0)
		return -1;
	if (fl_csv_stopped(file->job))
		return 0;
	file->maker.plan = &file->plan;
	file->maker.dates = &file->dates;
	file->maker.zone = file->job->ask->io->zone;
	file->maker.delimiter = fl_csv_delimiter(file->csv);
	file->maker.symbol = file->symbol;
	file->maker.long_way = file->job->ask->long_way;
	file->made.run = file->job->ask->runs;
	if (!rereads) {
		file->maker.style = FL_CSV_EACH;
		file->maker.interval = file->job->interval;
		if (fl_csv_dates_settle(&file->dates, file->path, err) < 0)
			return -1;
		file->dates.utc_days = false; /* nobody has looked */
		return 0;
	}
	if (fl_csv_file_learn(file, err) < 0 ||
	    (start && fl_csv_file_seek(file, start, err) < 0))
		return -1;
	return fl_csv_stopped(file->job) ? 0
					 : fl_csv_file_rewind(file, bytes, err);
}

int fl_csv_file_open(struct fl_csv_file **out, const struct fl_csv_job *job,
		     const char *path, const struct fl_start *start,
		     struct fl_error *err)
{
	struct fl_csv_file *file = *out = fl_zalloc(sizeof(*file));

	file->job = job;
	file->path = path;
	file->dates.format = job->date_format;
	if (fl_csv_input_open(&file->input, path, can_stream(job), job->ask->io,
			      err) < 0)
		return -1;
	return prepare(file, start, err);
}

void fl_csv_file_close(struct fl_csv_file **out)
{
	struct fl_csv_file *file = *out;

	if (!file)
		return;
	*out = NULL;
	fl_csv_close(&file->csv);
	fl_csv_input_close(&file->input);
	fl_csv_plan_release(&file->plan);
	fl_csv_maker_release(&file->maker);
	fl_csv_made_release(&file->made);
	fl_map_release(&file->symbols, free_symbol);
	free(file->symbol);
	free(file);
}
