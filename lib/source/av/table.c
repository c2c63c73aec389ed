/* table: answers in CSV.
 *
 * Columns are known by their names, which come with underscores or blanks. An
 * error has come as rows of the letters of its words, below a good header.
 *
 * source  sources.md, 2.1 and 2.3
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "source/av/av.h"

static ssize_t read_some(void *arg, void *bytes, size_t size,
			 struct fl_error *err)
{
	struct fl_av_table *table = arg;

	(void)err;
	if (size > table->left)
		size = table->left;
	memcpy(bytes, table->at, size);
	table->at += size;
	table->left -= size;
	return (ssize_t)size;
}

int fl_av_table_open(struct fl_av_table *table, const char *const *names,
		     const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	struct fl_error err = { .code = FL_OK };

	*table =
		(struct fl_av_table){ .at = answer->body, .left = answer->len };
	if (fl_csv_open(&table->csv, "answer", ',', read_some, table, &err) < 0)
		return fl_av_malformed(fault, answer, "no CSV: %s", err.text);
	if (fl_csv_next(table->csv, &table->row, &err) != 1 || table->row.fault)
		return fl_av_malformed(fault, answer, "no CSV: no header");
	table->columns = table->row.count;
	for (size_t n = 0; names[n]; n++) {
		table->column[n] = SIZE_MAX;
		for (size_t i = 0; i < table->row.count; i++) {
			const struct fl_csv_cell *cell = &table->row.cells[i];

			if (table->column[n] == SIZE_MAX &&
			    fl_av_is(cell->text, cell->len, names[n]))
				table->column[n] = i;
		}
	}
	if (table->column[0] != SIZE_MAX)
		return 0;
	return fl_av_malformed(
		fault, answer, "no column '%s' in '%s'", names[0],
		fl_show(table->row.raw, table->row.raw_len, 100));
}

/* Do the cells hold one character each, with which a message begins? */
static bool is_letters(const struct fl_csv_row *row)
{
	static const char *const words[] = { "information", "note",
					     "error message", "errormessage" };
	char text[16] = "";
	size_t count = row->count < 15 ? row->count : 15;

	if (count < 3)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (row->cells[i].len > 1)
			return false;
		text[i] = row->cells[i].len ? row->cells[i].text[0] : ' ';
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
	}
	for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
		size_t len = strlen(words[w]);

		if (memcmp(words[w], text, len < count ? len : count) == 0)
			return true;
	}
	return false;
}

int fl_av_table_next(struct fl_av_table *table,
		     const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	struct fl_error err = { .code = FL_OK };

	if (fl_csv_next(table->csv, &table->row, &err) != 1)
		return 0;
	if (!is_letters(&table->row))
		return 1;
	(void)fl_av_malformed(fault, answer,
			      "the letters of a message came for rows: '%s'",
			      fl_show(table->row.raw, table->row.raw_len, 60));
	/* Which message it was is not told; all such have been about haste. */
	fault->reason = FL_REASON_rate_limited;
	fault->retryable = true;
	fault->pause = 1;
	return -1;
}

struct fl_av_value fl_av_cell(const struct fl_av_table *table, size_t name)
{
	size_t at = table->column[name];

	if (at >= table->row.count)
		return (struct fl_av_value){ NULL, 0 };
	return fl_av_value(table->row.cells[at].text, table->row.cells[at].len);
}

void fl_av_table_close(struct fl_av_table *table)
{
	fl_csv_close(&table->csv);
}
