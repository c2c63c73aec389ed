/* csv: rows of delimited text; see csv.h.
 *
 * libcsv is handed one line at a time: when no row comes of a line that is not
 * blank, a quote is open and the next line belongs to the row. When the input
 * ends, or the row's ceiling is met, before the quote is closed, the row's
 * first line is given as a fault and reading begins again at its second. What
 * was searched in vain is remembered (`alone`): up to there a row is one line,
 * so that the search stays linear however many quotes are left open.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/csv.h"

#include <csv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/csv-cut.h"

enum {
	READ_SIZE = 128 * 1024,
	LOOK_LINES = 20, /* to find the delimiter by */
	ENTRY_STEP = 64 * 1024,
	FOREIGN_SHOWN = 120, /* bytes of what is no CSV */
};

struct fl_csv {
	struct csv_parser parser;
	const char *name;
	fl_csv_read *read;
	void *arg;
	bool ended;  /* nothing more to read */
	bool again;  /* nothing more yet */
	bool waits;  /* asks until there is */
	bool failed; /* reading failed; `error` is told after the rows */
	struct fl_error error;

	char *data; /* data[start, end): read, not given yet */
	size_t start, end, cap;
	uint64_t gone;  /* bytes of the input before data[0] */
	uint64_t alone; /* before this place of the input a row is one line */
	uint64_t line;  /* number of the line that begins at `start` */
	bool after_cr;  /* the byte before `start` was a CR */
	struct fl_csv_row last;
	bool unread; /* give it again: `last`, or what was cut */
	bool was_cut;

	struct fl_buf text; /* of the row's cells, a NUL after each */
	struct fl_csv_cell *cells;
	size_t *offsets;
	size_t count, cells_cap;
	bool wide;
	bool row_done;
	bool long_way; /* csv_cut is not asked */
	struct fl_csv_cut cut;
};

/* --- the input ------------------------------------------------------------ */

static void *grow(void *old, size_t size)
{
	return fl_realloc(old, size, 1);
}

/* Read more behind data[start, end); false when there is no more. */
static bool read_more(struct fl_csv *csv)
{
	ssize_t got;

	csv->again = false;
	if (csv->ended)
		return false;
	if (csv->start > 0 && csv->cap - csv->end < READ_SIZE) {
		memmove(csv->data, csv->data + csv->start,
			csv->end - csv->start);
		csv->gone += csv->start;
		csv->end -= csv->start;
		csv->start = 0;
	}
	if (csv->cap - csv->end < READ_SIZE) {
		csv->cap = csv->cap ? 2 * csv->cap : 2 * (size_t)READ_SIZE;
		csv->data = fl_realloc(csv->data, csv->cap + FL_CSV_PAST, 1);
	}
	do {
		got = csv->read(csv->arg, csv->data + csv->end, READ_SIZE,
				&csv->error);
	} while (got == FL_CSV_AGAIN && csv->waits);
	csv->again = got == FL_CSV_AGAIN;
	if (csv->again)
		return false;
	if (got > 0) {
		csv->end += (size_t)got;
		memset(csv->data + csv->end, 0, FL_CSV_PAST);
		return true;
	}
	csv->ended = true;
	csv->failed = got < 0;
	return false;
}

/* The end of the line that begins at `from`: the place of its CR or LF, or
 * csv->end when it has none yet. */
static size_t line_end(const struct fl_csv *csv, size_t from)
{
	const char *at = csv->data + from;
	const char *lf = memchr(at, '\n', csv->end - from);
	size_t len = lf ? (size_t)(lf - at) : csv->end - from;
	const char *cr = memchr(at, '\r', len);

	return from + (cr ? (size_t)(cr - at) : len);
}

/* --- what kind of file ------------------------------------------------------
 */

static bool begins(const struct fl_csv *csv, const char *with, size_t len)
{
	return csv->end - csv->start >= len &&
	       memcmp(csv->data + csv->start, with, len) == 0;
}

static int refuse(const struct fl_csv *csv, const char *what,
		  struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_DATA, "'%s' is %s",
			    fl_show(csv->name, strlen(csv->name), 200), what);
}

/* Providers answer with a message in JSON or HTML where a file was asked for:
 * its beginning says more than we can. */
static int refuse_shown(const struct fl_csv *csv, const char *what,
			const char *hint, struct fl_error *err)
{
	const char *at = csv->data + csv->start, *to = csv->data + csv->end;
	char text[FOREIGN_SHOWN + 2];
	size_t len = 0;

	/* Its lines as one. */
	for (; at < to && len <= FOREIGN_SHOWN; at++) {
		if (!strchr(" \t\r\n", *at) || !*at)
			text[len++] = *at;
		else if (len && text[len - 1] != ' ')
			text[len++] = ' ';
	}
	while (len && text[len - 1] == ' ')
		len--;
	return fl_error_set(err, FL_ERR_DATA, "'%s' is %s, not CSV: %s%s",
			    fl_show(csv->name, strlen(csv->name), 200), what,
			    fl_show(text, len, FOREIGN_SHOWN), hint);
}

/* Is this JSON a record of ours, as far as one can see? A provider's message
 * has no type. */
static bool is_record(const struct fl_csv *csv)
{
	return memmem(csv->data + csv->start, csv->end - csv->start, "\"type\"",
		      6) != NULL;
}

static int check_kind(const struct fl_csv *csv, struct fl_error *err)
{
	const char *at = csv->data + csv->start, *to = csv->data + csv->end;

	if (begins(csv, "\xff\xfe", 2) || begins(csv, "\xfe\xff", 2))
		return refuse(csv,
			      "UTF-16: iconv -f UTF-16 -t UTF-8 FILE | "
			      "fl-fetch csv -",
			      err);
	if (begins(csv, "PK\3\4", 4))
		return refuse(csv,
			      "a zip archive or a spreadsheet (xlsx), not CSV: "
			      "unzip it, or save the sheet as CSV",
			      err);
	while (at < to &&
	       (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	if ((to - at >= 5 && (strncasecmp(at, "<html", 5) == 0 ||
			      strncasecmp(at, "<?xml", 5) == 0)) ||
	    (to - at >= 9 && strncasecmp(at, "<!doctype", 9) == 0))
		return refuse_shown(csv, "HTML or XML", "", err);
	if (at < to && (*at == '{' || *at == '[')) {
		while (++at < to && (*at == ' ' || *at == '\n' || *at == '\r'))
			;
		if (at < to && (*at == '"' || *at == '{' || *at == '['))
			return refuse_shown(csv, "JSON",
					    is_record(csv)
						    ? "; fl-clean FILE reads it"
						    : "",
					    err);
	}
	return 0;
}

/* A line `sep=;`, as Excel writes and reads it. */
static char take_sep_line(struct fl_csv *csv)
{
	size_t end;
	char sep;

	if (!begins(csv, "sep=", 4))
		return 0;
	end = line_end(csv, csv->start);
	if (end != csv->start + 5)
		return 0;
	sep = csv->data[csv->start + 4];
	if (end < csv->end && csv->data[end] == '\r') {
		csv->after_cr = true;
		csv->line++;
		end++;
	} else if (end < csv->end) {
		csv->line++;
		end++;
	}
	csv->start = end;
	return sep;
}

/* How often does `delimiter` stand in the line outside of quotes? */
static unsigned count_in_line(const char *at, size_t len, char delimiter)
{
	unsigned count = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '"')
			quoted = !quoted;
		else if (at[i] == delimiter && !quoted)
			count++;
	}
	return count;
}

/* The one that cuts the most of the first lines into as many cells as the first
 * of all; of equals, the one that cuts it into most; else the comma. */
static char find_delimiter(const struct fl_csv *csv)
{
	static const char candidates[] = { ',', ';', '\t', '|' };
	unsigned best_lines = 0, best_count = 0;
	char best = ',';

	for (size_t i = 0; i < sizeof(candidates); i++) {
		unsigned first = 0, lines = 0;
		size_t at = csv->start;

		for (int n = 0; n < LOOK_LINES && at < csv->end;) {
			size_t end = line_end(csv, at);
			unsigned count = count_in_line(csv->data + at, end - at,
						       candidates[i]);

			if (end == csv->end && !csv->ended && n > 0)
				break; /* not the whole line */
			if (end > at && n++ == 0)
				first = count;
			if (end > at && count == first && count > 0)
				lines++;
			at = end + 1;
		}
		if (first > 0 && (lines > best_lines || (lines == best_lines &&
							 first > best_count))) {
			best_lines = lines;
			best_count = first;
			best = candidates[i];
		}
	}
	return best;
}

int fl_csv_open(struct fl_csv **out, const char *name, char delimiter,
		fl_csv_read *read, void *arg, struct fl_error *err)
{
	struct fl_csv *csv = fl_zalloc(sizeof(*csv));
	char sep;

	csv->name = name;
	csv->read = read;
	csv->arg = arg;
	csv->line = 1;
	csv->waits = true;
	/* A whole line at least, to tell what it is and what cuts it. */
	while (csv->end < FL_CSV_ROW_MAX && read_more(csv)) {
		if (memchr(csv->data, '\n', csv->end) ||
		    memchr(csv->data, '\r', csv->end))
			break;
	}
	if (csv->failed && csv->end == 0) {
		*err = csv->error;
		goto fail;
	}
	if (begins(csv, "\xef\xbb\xbf", 3))
		csv->start = 3;
	if (check_kind(csv, err) < 0)
		goto fail;
	sep = take_sep_line(csv);
	if (!delimiter)
		delimiter = sep ? sep : find_delimiter(csv);

	csv_init(&csv->parser, CSV_APPEND_NULL);
	csv_set_realloc_func(&csv->parser, grow);
	csv_set_blk_size(&csv->parser, ENTRY_STEP);
	csv_set_delim(&csv->parser, (unsigned char)delimiter);
	csv->waits = false;
	*out = csv;
	return 0;
fail:
	free(csv->data);
	free(csv);
	return -1;
}

char fl_csv_delimiter(const struct fl_csv *csv)
{
	return (char)csv->parser.delim_char;
}

void fl_csv_long_way(struct fl_csv *csv)
{
	csv->long_way = true;
}

void fl_csv_close(struct fl_csv **out)
{
	struct fl_csv *csv = *out;

	if (!csv)
		return;
	csv_free(&csv->parser);
	fl_buf_release(&csv->text);
	free(csv->cells);
	free(csv->offsets);
	free(csv->data);
	free(csv);
	*out = NULL;
}

/* --- rows -------------------------------------------------------------------
 */

static void on_cell(void *text, size_t len, void *arg)
{
	struct fl_csv *csv = arg;

	if (csv->count == FL_CSV_CELLS_MAX) {
		csv->wide = true;
		return;
	}
	if (csv->count == csv->cells_cap) {
		csv->cells_cap = csv->cells_cap ? 2 * csv->cells_cap : 32;
		csv->cells = fl_realloc(csv->cells, csv->cells_cap,
					sizeof(*csv->cells));
		csv->offsets = fl_realloc(csv->offsets, csv->cells_cap,
					  sizeof(*csv->offsets));
	}
	csv->offsets[csv->count] = csv->text.len;
	csv->cells[csv->count++].len = len;
	fl_buf_append(&csv->text, text, len);
	fl_buf_putc(&csv->text, '\0');
}

static void on_row(int end, void *arg)
{
	struct fl_csv *csv = arg;

	(void)end;
	csv->row_done = true;
}

static void parse(struct fl_csv *csv, const char *text, size_t len)
{
	csv_parse(&csv->parser, text, len, on_cell, on_row, csv);
}

/* Forget a row that was begun. */
static void parse_reset(struct fl_csv *csv)
{
	csv_fini(&csv->parser, NULL, NULL, NULL);
	fl_buf_reset(&csv->text);
	csv->count = 0;
	csv->wide = false;
	csv->row_done = false;
}

static bool is_blank(const struct fl_csv *csv, size_t from, size_t to)
{
	char delimiter = fl_csv_delimiter(csv);

	for (; from < to; from++) {
		char c = csv->data[from];

		if ((c != ' ' && c != '\t') || c == delimiter)
			return false;
	}
	return true;
}

/* A line's end, or csv->end at the end of the input; more is read until one of
 * the two is there, or `most` bytes after csv->start. */
static size_t whole_line(struct fl_csv *csv, size_t from, size_t most)
{
	size_t offset = from - csv->start;

	for (;;) {
		size_t end = line_end(csv, csv->start + offset);

		if (end < csv->end || end - csv->start > most ||
		    !read_more(csv))
			return end;
	}
}

/* Go past the line whose end is `end`. */
static void pass_line(struct fl_csv *csv, size_t end)
{
	csv->after_cr = false;
	if (end < csv->end) {
		csv->after_cr = csv->data[end] == '\r';
		csv->line++;
		end++;
	}
	csv->start = end;
}

/* Stand at the first byte of the next line that is not blank: false when the
 * input has none. */
static bool find_row(struct fl_csv *csv)
{
	for (;;) {
		size_t end;

		if (csv->start == csv->end && !read_more(csv))
			return false;
		if (csv->after_cr && csv->data[csv->start] == '\n') {
			csv->start++; /* the second half of CRLF */
			csv->after_cr = false;
			continue;
		}
		csv->after_cr = false;
		end = whole_line(csv, csv->start, FL_CSV_ROW_MAX);
		if (csv->again)
			return false;
		if (!is_blank(csv, csv->start, end))
			return true;
		pass_line(csv, end);
	}
}

/* The line at `start` is a fault: give it and go on behind it. Its end may lie
 * far away; what is not kept is counted and let go. */
static int give_fault(struct fl_csv *csv, struct fl_csv_row *row,
		      enum fl_csv_fault fault)
{
	uint64_t skipped = 0;
	size_t end;

	csv->waits = true; /* half of a fault is no use to anyone */
	end = whole_line(csv, csv->start, FL_CSV_ROW_MAX);

	row->fault = fault;
	row->count = 0;
	row->line = csv->line;
	if (end - csv->start <= FL_CSV_ROW_MAX) {
		row->raw = csv->data + csv->start;
		row->raw_len = end - csv->start;
		row->raw_bytes = 0;
		csv->waits = false;
		pass_line(csv, end);
		return 1;
	}
	fl_buf_reset(&csv->text);
	fl_buf_append(&csv->text, csv->data + csv->start, FL_CSV_RAW_MAX);
	do {
		skipped += end - csv->start;
		csv->start = end;
		end = whole_line(csv, csv->start, FL_CSV_ROW_MAX);
	} while (end == csv->end && end > csv->start);
	skipped += end - csv->start;
	row->raw = csv->text.data;
	row->raw_len = FL_CSV_RAW_MAX;
	row->raw_bytes = skipped;
	csv->waits = false;
	pass_line(csv, end);
	return 1;
}

/* The quote opened in the first line was not closed before `to`. */
static int give_open_quote(struct fl_csv *csv, struct fl_csv_row *row,
			   size_t to)
{
	if (csv->gone + to > csv->alone)
		csv->alone = csv->gone + to;
	parse_reset(csv);
	return give_fault(csv, row, FL_CSV_QUOTE);
}

static int give_row(struct fl_csv *csv, struct fl_csv_row *row, size_t end,
		    uint64_t lines)
{
	row->line = csv->line;
	row->raw = csv->data + csv->start;
	row->raw_len = end - csv->start;
	row->raw_bytes = 0;
	csv->line += lines;
	pass_line(csv, end);
	if (csv->wide) {
		row->fault = FL_CSV_WIDE;
		row->count = 0;
		return 1;
	}
	fl_buf_reserve(&csv->text, FL_CSV_PAST);
	for (size_t i = 0; i < csv->count; i++)
		csv->cells[i].text = csv->text.data + csv->offsets[i];
	row->fault = FL_CSV_GOOD;
	row->cells = csv->cells;
	row->count = csv->count;
	return 1;
}

/* Inside a row: is the line that begins `from` behind csv->start an LF, the
 * second half of CRLF? */
static bool lf_follows(struct fl_csv *csv, size_t from)
{
	if (csv->start + from == csv->end && !read_more(csv))
		return false;
	return csv->data[csv->start + from] == '\n';
}

/* The row that was cut last. */
static void show_cut(const struct fl_csv *csv, struct fl_csv_row *row)
{
	row->cells = csv->cut.cells;
	row->count = csv->cut.count;
	row->fault = FL_CSV_GOOD;
	row->line = csv->line - 1;
	row->raw = csv->data + csv->start - csv->cut.whole;
	row->raw_len = csv->cut.len;
	row->raw_bytes = 0;
}

/* Most rows are one plain line that was read whole. */
static bool cut_row(struct fl_csv *csv)
{
	const char *line = csv->data + csv->start;

	if (csv->long_way || csv->start == csv->end ||
	    (csv->after_cr && *line == '\n') ||
	    !fl_csv_cut(&csv->cut, fl_csv_delimiter(csv), line,
			csv->data + csv->end))
		return false;
	csv->line++;
	csv->start += csv->cut.whole;
	csv->after_cr = false;
	return true;
}

static int next_row(struct fl_csv *csv, struct fl_csv_row *row,
		    struct fl_error *err)
{
	size_t from = 0; /* of the line, behind csv->start */
	uint64_t lines = 0;

	csv->again = false;
	if (!find_row(csv)) {
		if (csv->again)
			return 2;
		if (!csv->failed)
			return 0;
		*err = csv->error;
		return -1;
	}
	parse_reset(csv);
	for (;;) {
		size_t end = whole_line(csv, csv->start + from, FL_CSV_ROW_MAX);
		size_t at = csv->start + from;
		char last = '\n';

		if (csv->again)
			return 2;
		if (end - csv->start > FL_CSV_ROW_MAX)
			return lines ? give_open_quote(csv, row, end)
				     : give_fault(csv, row, FL_CSV_LONG);
		parse(csv, csv->data + at, end - at);
		if (end < csv->end)
			last = csv->data[end];
		parse(csv, &last, 1);
		if (csv->row_done)
			return give_row(csv, row, end, lines);
		/* The quote stays open over the line's end. */
		if (end == csv->end || csv->gone + csv->start < csv->alone)
			return give_open_quote(csv, row, end);
		from = end + 1 - csv->start;
		if (last == '\r' && lf_follows(csv, from)) {
			parse(csv, "\n", 1);
			from++;
		}
		if (csv->again)
			return 2;
		lines++;
	}
}

int fl_csv_next(struct fl_csv *csv, struct fl_csv_row *row,
		struct fl_error *err)
{
	int got = 1;

	if (!csv->unread) {
		csv->was_cut = cut_row(csv);
		if (!csv->was_cut)
			got = next_row(csv, &csv->last, err);
	}
	csv->unread = false;
	if (csv->was_cut)
		show_cut(csv, row);
	else if (got == 1)
		*row = csv->last;
	return got;
}

/* What the row points to is untouched until the next is read. */
void fl_csv_unread(struct fl_csv *csv)
{
	csv->unread = true;
}
