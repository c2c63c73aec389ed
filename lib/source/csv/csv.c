/* csv: price files of any vendor, as bars and quotes.
 *
 * A file is read twice. The first pass settles what no row tells alone: the
 * order of day and month, the unit of epochs, thousands or decimals, the bars'
 * interval. The second gives the records. So nothing is guessed, and nothing is
 * given before it is certain. Where the store tells a position, a pass between
 * them finds the row again.
 *
 * Where all records are wanted as they come, they are given in runs of lines:
 * between a row and the writer lies more work than in the row itself. A row
 * that is refused ends a run, so that it is told in its turn.
 *
 * A position is the count of rows behind the header that were taken, those that
 * were refused among them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/short.h"
#include "io/csv.h"
#include "io/io.h"
#include "source/csv/file.h"
#include "source/csv/origin.h"
#include "source/source.h"

static struct {
	struct fl_list map;
	bool symbol_from_name;
	const char *interval, *date_format, *delimiter;
} option;

static const struct fl_option options[] = {
	FL_OPT_LIST(0, "map", "F=COL,...", &option.map,
		    "field F (symbol, date, time, open ... close, price) is "
		    "column COL, by its name or its number from 1"),
	FL_OPT_FLAG(0, "symbol-from-name", &option.symbol_from_name,
		    "the symbol is the file's name up to its first _ or blank, "
		    "words such as daily and 5min left out: aapl_daily.csv"),
	FL_OPT_TEXT(0, "interval", "IV", &option.interval,
		    "of the bars: 1m, 1h, 1d, 1wk [from the steps between "
		    "rows]"),
	FL_OPT_TEXT(0, "date-format", "F", &option.date_format,
		    "as in strptime(3): '%m/%d/%Y', '%d.%m.%y %H:%M'; or s, "
		    "ms, us, ns since 1970 [found out from all rows]"),
	FL_OPT_TEXT(0, "delimiter", "C", &option.delimiter,
		    "what stands between cells; also comma, semicolon, tab, "
		    "pipe [found out]"),
	FL_OPT_END,
};

enum {
	RUN_SIZE = 64 * 1024, /* bytes of records given at once */
};

/* Where a file stands, looked up before anything is given. */
struct found {
	char *origin; /* NULL: not found */
	const struct fl_start *start;
};

struct csv {
	struct fl_csv_job job;
	char **paths;
	size_t next_path;
	struct found *found;      /* of paths, under --resume; else NULL */
	struct fl_csv_file *file; /* NULL: none is open */
	unsigned next_record;     /* of file->made, to be given */
	bool warm;                /* they are before the position */
	const char *origin;       /* of the file; NULL: no marks */
	uint64_t given;           /* its position as last given */
	char **origins;           /* of all files: items borrow them */
	size_t origin_count;
	enum fl_code first_code; /* --keep-going: of a file that failed */
	size_t failed;
	bool fatal; /* not of one file */

	/* The row taken last, to be refused. */
	enum fl_reason reason;
	struct fl_note note;
	struct fl_csv_row refused;

	/* What ended the run that was given, to be told behind it. */
	bool held;
	int held_got;
	struct fl_error held_err;
};

/* --- options --- */

static int take_delimiter(struct fl_csv_job *job, struct fl_error *err)
{
	static const struct {
		const char *name;
		char delimiter;
	} names[] = {
		{ "comma", ',' }, { "semicolon", ';' }, { "tab", '\t' },
		{ "\\t", '\t' },  { "pipe", '|' },      { "space", ' ' }
	};
	const char *given = option.delimiter;

	if (!given)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcasecmp(given, names[i].name) == 0) {
			job->delimiter = names[i].delimiter;
			return 0;
		}
	}
	if (strlen(given) != 1 || strchr("\"\r\n.-", *given) ||
	    (*given >= '0' && *given <= '9') || (*given & 0x80))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--delimiter '%s': one character, such as "
				    "';', or comma, semicolon, tab, pipe",
				    fl_show(given, strlen(given), 40));
	job->delimiter = *given;
	return 0;
}

static int take_options(struct fl_csv_job *job, struct fl_error *err)
{
	job->map = &option.map;
	job->symbol_from_name = option.symbol_from_name;
	job->date_format = option.date_format;
	if (option.interval &&
	    fl_interval_parse(option.interval, &job->interval, err) < 0)
		return -1;
	if (option.date_format &&
	    fl_csv_format_check(option.date_format, err) < 0)
		return -1;
	return take_delimiter(job, err);
}

/* --- files --- */

/* The file's origin is kept, for items name it. false: the file was read before
 * under another of its names. */
static bool keep_origin(struct csv *csv, char *origin)
{
	for (size_t i = 0; i < csv->origin_count; i++) {
		if (strcmp(csv->origins[i], origin) == 0) {
			free(origin);
			return false;
		}
	}
	csv->origins = fl_realloc(csv->origins, csv->origin_count + 1,
				  sizeof(*csv->origins));
	csv->origins[csv->origin_count++] = origin;
	csv->origin = origin;
	return true;
}

static int find_origin(struct csv *csv, size_t i, struct fl_error *err)
{
	struct found *found = &csv->found[i];

	return fl_csv_origin(csv->job.ask, csv->paths[i], &found->origin,
			     &found->start, err);
}

/* Find all files' positions: one that was replaced is to be known before the
 * first record. With --keep-going it comes up again in its turn. */
static int find_origins(struct csv *csv, struct fl_error *err)
{
	size_t count = 0;

	while (csv->paths[count])
		count++;
	csv->found = fl_zalloc((count + 1) * sizeof(*csv->found));
	for (size_t i = 0; i < count; i++) {
		if (find_origin(csv, i, err) == 0)
			continue;
		if (!csv->job.ask->io->keep_going)
			return -1;
		fl_error_clear(err);
	}
	return 0;
}

/* Open the next file, unless it was read before. */
static int open_file(struct csv *csv, struct fl_error *err)
{
	size_t i = csv->next_path++;
	const char *path = csv->paths[i];
	const struct fl_start *start = NULL;

	if (csv->found) {
		char *origin;

		if (!csv->found[i].origin && find_origin(csv, i, err) < 0)
			return -1;
		origin = csv->found[i].origin;
		csv->found[i].origin = NULL;
		start = csv->found[i].start;
		if (!keep_origin(csv, origin))
			return 0;
	}
	csv->next_record = 0;
	if (fl_csv_file_open(&csv->file, &csv->job, path, start, err) < 0)
		return -1;
	assert(csv->file);
	csv->given = csv->file->start;
	return 0;
}

/* A file failed: the end, unless --keep-going. */
static int fail_file(struct csv *csv, struct fl_error *err)
{
	const struct fl_ask *ask = csv->job.ask;

	fl_csv_file_close(&csv->file);
	if (csv->fatal || !ask->io->keep_going)
		return -1;
	if (!csv->failed++)
		csv->first_code = err->code;
	if (ask->pass_over)
		ask->pass_over(ask->pass_over_arg, err);
	fl_error_clear(err);
	return 0;
}

/* At the end: the files that failed make it one that is not good. */
static int tell_failed(struct csv *csv, struct fl_error *err)
{
	size_t failed = csv->failed;

	csv->failed = 0;
	return !failed ? 0
		       : fl_error_set(err, csv->first_code,
				      "%zu of %zu files could not be read",
				      failed, csv->next_path);
}

/* --- records --- */

static int refuse(struct csv *csv, struct fl_error *err)
{
	struct fl_reject reject = {
		.reason = csv->reason,
		.note = &csv->note,
		.input = csv->file->path,
		.line = csv->refused.line,
		.raw = csv->refused.raw,
		.raw_len = csv->refused.raw_len,
		.raw_bytes = csv->refused.raw_bytes,
	};

	csv->reason = FL_REASON_NONE;
	csv->fatal = fl_reject(csv->job.ask->io, &reject, err) < 0;
	return csv->fatal ? -1 : 0;
}

/* Take the next row of the file: 1, with records made of it, or without and to
 * be refused; 0, -1, 2 as next. */
static int take_row(struct csv *csv, struct fl_error *err)
{
	struct fl_csv_file *file = csv->file;
	FL_UNINITIALIZED struct fl_csv_row row;
	enum fl_reason reason;
	int got = fl_csv_next(file->csv, &row, err);

	if (got != 1)
		return got;
	file->rows++;
	csv->warm = file->rows <= file->start;
	csv->next_record = 0;
	reason = fl_csv_file_make(file, &row, &csv->note);
	if (reason && !csv->warm) {
		csv->reason = reason;
		csv->refused = row;
	}
	if (csv->warm && !reason && !fl_csv_file_warms(file))
		file->made.count = 0;
	return 1;
}

static void give_record(struct csv *csv, struct fl_item *item)
{
	struct fl_csv_file *file = csv->file;
	const struct fl_csv_record *record =
		&file->made.records[csv->next_record++];

	*item = (struct fl_item){
		.bytes = file->made.text.data + record->at,
		.len = record->len,
		.ts_ns = record->ts_ns,
		.warm = csv->warm,
	};
	csv->job.ask->io->counts.rounded += record->rounded && !csv->warm;
	/* No mark may part the records of one row. */
	if (csv->next_record < file->made.count)
		return;
	item->origin = csv->origin;
	item->pos = file->rows;
	if (!csv->warm)
		csv->given = file->rows;
}

/* The file's end: what came after its last record was refused, and need not be
 * read again. false: nothing came. */
static bool give_end(struct csv *csv, struct fl_item *item)
{
	uint64_t rows = csv->file->rows;

	if (!csv->origin || rows <= csv->given)
		return false;
	*item = (struct fl_item){ .origin = csv->origin, .pos = rows };
	csv->given = rows;
	return true;
}

/* Take rows for a run. returns 1 there is one, or a row to be refused; 0, -1, 2
 * as take_row */
static int take_run(struct csv *csv, struct fl_item *item, struct fl_error *err)
{
	struct fl_csv_made *made = &csv->file->made;
	uint64_t lines = 0, rounded = 0;
	int got = 1;

	if (csv->held) {
		csv->held = false;
		if (csv->held_got < 0)
			*err = csv->held_err;
		return csv->held_got;
	}
	fl_buf_reset(&made->text);
	while (!csv->reason && made->text.len < RUN_SIZE &&
	       !fl_csv_stopped(&csv->job) && (got = take_row(csv, err)) == 1) {
		for (unsigned i = 0; i < made->count; i++)
			rounded += made->records[i].rounded;
		lines += made->count;
		if (made->count)
			item->ts_ns = made->records[made->count - 1].ts_ns;
		made->count = 0; /* they are given together */
	}
	csv->job.ask->io->counts.rounded += rounded;
	if (!lines)
		return got;
	csv->held = got != 1;
	csv->held_got = got;
	if (got < 0) {
		csv->held_err = *err;
		fl_error_clear(err);
	}
	item->bytes = made->text.data;
	item->len = made->text.len;
	item->lines = lines;
	return 1;
}

/* One step: 1 an item to give, 0 none yet, 3 the end, -1, 2 as next. */
static int step(struct csv *csv, struct fl_item *item, struct fl_error *err)
{
	int got;

	if (csv->file && csv->next_record < csv->file->made.count) {
		give_record(csv, item);
		return 1;
	}
	if (csv->file && csv->reason)
		return refuse(csv, err);
	if (fl_csv_stopped(&csv->job))
		return 3;
	if (!csv->file) {
		if (!csv->paths[csv->next_path])
			return 3;
		return open_file(csv, err);
	}
	got = csv->job.ask->runs ? take_run(csv, item, err)
				 : take_row(csv, err);
	if (got != 0)
		return got == 1 ? item->lines > 0 : got;
	if (fl_csv_stopped(&csv->job))
		return 3;
	if (give_end(csv, item))
		return 1;
	fl_csv_file_close(&csv->file);
	return 0;
}

static int csv_next(void *state, struct fl_item *item, struct fl_error *err)
{
	struct csv *csv = state;
	int got;

	*item = (struct fl_item){ .bytes = NULL };
	do {
		got = step(csv, item, err);
		if (got < 0)
			got = fail_file(csv, err);
	} while (got == 0);
	return got == 3 ? tell_failed(csv, err) : got;
}

static void csv_close(void *state)
{
	struct csv *csv = state;

	if (!csv)
		return;
	fl_csv_file_close(&csv->file);
	for (size_t i = 0; i < csv->origin_count; i++)
		free(csv->origins[i]);
	free(csv->origins);
	for (size_t i = 0; csv->found && csv->paths[i]; i++)
		free(csv->found[i].origin);
	free(csv->found);
	fl_csv_files_free(csv->paths);
	free(csv);
}

static int csv_open(void **state, const struct fl_ask *ask,
		    struct fl_error *err)
{
	struct csv *csv;

	*state = NULL;
	if (!ask->operands || !*ask->operands)
		return fl_error_set(err, FL_ERR_USAGE,
				    "csv: no file named: fl-fetch csv FILE..., "
				    "or - for standard input");
	*state = csv = fl_zalloc(sizeof(*csv));
	csv->job.ask = ask;
	if (take_options(&csv->job, err) < 0 ||
	    fl_csv_files(ask->operands, &csv->paths, err) < 0 ||
	    (ask->marked && find_origins(csv, err) < 0))
		return -1;
	while (!csv->file && csv->paths[csv->next_path] &&
	       !fl_csv_stopped(&csv->job)) {
		if (open_file(csv, err) < 0 && fail_file(csv, err) < 0)
			return -1;
	}
	return 0;
}

const struct fl_source fl_source_csv = {
	.name = "csv",
	.summary = "price files of any vendor: Yahoo, Alpha Vantage, Stooq, "
		   "Nasdaq, pandas and others",
	.types = "bar, quote, dividend, split",
	.operands = "FILE...",
	.examples =
		"fl-fetch csv prices/*.csv.gz --tz America/New_York\n"
		"fl-fetch csv aapl.csv --symbol AAPL\n"
		"fl-fetch csv --symbol-from-name 'daily/*.csv'\n"
		"fl-fetch csv eu.csv --delimiter ';' --date-format '%d.%m.%Y'\n"
		"fl-fetch csv ticks.csv --map date=1,price=2,size=3 --symbol X",
	.options = options,
	.resumes = true,
	.open = csv_open,
	.next = csv_next,
	.close = csv_close,
};
