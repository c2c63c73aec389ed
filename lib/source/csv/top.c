/* csv_top: the first rows of a file: its header, and what symbol it is of.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "source/csv/file.h"

static const char *show(const char *text)
{
	return fl_show(text, strlen(text), 200);
}

static int find_symbol(struct fl_csv_file *file, struct fl_error *err)
{
	const char *const *symbols = file->job->ask->symbols;
	struct fl_csv_row none = { .count = 0 };
	char text[FL_CSV_SYMBOL_MAX + 1];
	struct fl_note note;
	size_t len;

	if (file->plan.symbol != FL_CSV_NO_COLUMN || file->symbol)
		return 0;
	if (file->job->symbol_from_name && strcmp(file->path, "-") != 0)
		file->symbol = fl_csv_symbol_from_name(file->path);
	else if (symbols && symbols[0] && !symbols[1])
		file->symbol = fl_strdup(symbols[0]);
	else
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' has no column for the symbol; say "
				    "%s, --symbol-from-name, or "
				    "--map symbol=COLUMN",
				    show(file->path),
				    symbols ? "one --symbol" : "--symbol AAPL");
	if (fl_csv_row_symbol(&file->plan, file->symbol, &none, text, &len,
			      &note) != FL_REASON_NONE)
		return fl_error_set(err, FL_ERR_USAGE, "'%s': %s; say --symbol",
				    show(file->path), note.detail);
	return 0;
}

/* Rows are kept in copies: the parser's are gone with the next row. */
struct copy {
	struct fl_csv_cell *cells;
	size_t count;
	char *text;
};

static void copy_row(struct copy *copy, const struct fl_csv_row *row)
{
	struct fl_buf text = FL_BUF_INIT;
	size_t at = 0;

	for (size_t i = 0; i < row->count; i++) {
		fl_buf_append(&text, row->cells[i].text, row->cells[i].len);
		fl_buf_putc(&text, '\0');
	}
	copy->text = fl_buf_take(&text);
	copy->count = row->count;
	copy->cells = fl_realloc(NULL, row->count + 1, sizeof(*copy->cells));
	for (size_t i = 0; i < row->count; i++) {
		copy->cells[i] = (struct fl_csv_cell){ copy->text + at,
						       row->cells[i].len };
		at += row->cells[i].len + 1;
	}
}

static void copy_release(struct copy *copy)
{
	free(copy->cells);
	free(copy->text);
	memset(copy, 0, sizeof(*copy));
}

static bool cell_is(const struct copy *row, size_t at, const char *text)
{
	return at < row->count && strcmp(row->cells[at].text, text) == 0;
}

/* Read a row into `copy`, which then holds that or nothing. */
static int read_copy(struct fl_csv_file *file, struct copy *copy,
		     struct fl_error *err)
{
	struct fl_csv_row row;
	int got = fl_csv_file_wait(file, &row, err);

	copy_release(copy);
	if (got > 0 && row.fault == FL_CSV_GOOD)
		copy_row(copy, &row);
	return got;
}

/* yfinance writes names in levels when it was asked for a list of symbols:
 * Price,Close,High … / Ticker,AAPL,AAPL … / Date,,, … One symbol can be read.
 */
static int read_levels(struct fl_csv_file *file, struct copy *header,
		       struct copy *first, struct fl_error *err)
{
	int got;

	if (!cell_is(header, 0, "Price") || !cell_is(first, 0, "Ticker") ||
	    first->count != header->count || first->count < 2)
		return 1;
	for (size_t i = 2; i < first->count; i++) {
		if (!cell_is(first, i, first->cells[1].text))
			return fl_error_set(
				err, FL_ERR_USAGE,
				"'%s' has symbols side by side (%s, %s); a row "
				"must be of one symbol: in pandas, "
				"df.stack(level='Ticker').to_csv('FILE')",
				show(file->path), show(first->cells[1].text),
				show(first->cells[i].text));
	}
	file->symbol = fl_strdup(first->cells[1].text);
	file->header_rows = 2;
	got = read_copy(file, first, err);
	if (!cell_is(first, 0, "Date") && !cell_is(first, 0, "Datetime"))
		return got;
	header->cells[0].text = "Date";
	header->cells[0].len = 4;
	file->header_rows = 3;
	return read_copy(file, first, err);
}

/* By itself yfinance adjusts for dividends too, unless it gives both closes. */
static void adjust_levels(struct fl_csv_plan *plan)
{
	int adj_close = fl_type_field(&fl_type_bar, "adj_close", 9);

	if (plan->type != &fl_type_bar)
		return;
	plan->vendor = "yfinance";
	plan->adj = "all";
	for (size_t i = 0; i < plan->field_count; i++) {
		if (plan->fields[i].field == adj_close)
			plan->adj = "split";
	}
}

/* Read the header, and stand before the first row of data. A reader that is
 * told to stop here leaves a file without rows. */
int fl_csv_file_header(struct fl_csv_file *file, struct fl_error *err)
{
	struct fl_csv_wish wish = { file->job->map, file->job->ask->types };
	struct copy header = { 0 }, first = { 0 };
	int got, result = -1;

	got = read_copy(file, &header, err);
	if (got == 0 && !fl_csv_stopped(file->job))
		fl_error_set(err, FL_ERR_DATA,
			     "'%s' is empty: not even a header",
			     show(file->path));
	else if (got > 0 && header.count == 0)
		fl_error_set(err, FL_ERR_DATA,
			     "'%s': its first row is no header: a quote is not "
			     "closed, or it is too long",
			     show(file->path));
	if (got <= 0 || header.count == 0) {
		result = got < 0 || err->code ? -1 : 0;
		goto done;
	}
	if (fl_csv_is_data(header.cells, header.count)) {
		fl_csv_unread(file->csv);
	} else {
		file->header_rows = 1;
		got = read_copy(file, &first, err);
		if (got > 0)
			got = read_levels(file, &header, &first, err);
		if (got < 0)
			goto done;
		if (got > 0)
			fl_csv_unread(file->csv);
	}
	result = fl_csv_plan_make(&file->plan, &wish, file->path, header.cells,
				  header.count, first.cells, first.count, err);
	if (result == 0 && file->header_rows > 1)
		adjust_levels(&file->plan);
	if (result == 0)
		result = find_symbol(file, err);
done:
	copy_release(&header);
	copy_release(&first);
	return result;
}
