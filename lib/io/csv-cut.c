/* csv_cut: see csv-cut.h.
 *
 * Sixteen bytes at a time are copied to where the cells will stand, and the
 * delimiters among them found; a cell's NUL takes the place of the delimiter
 * behind it. The first byte that could mean more, a blank, a quote or the
 * line's end, ends that: most often it is the line's end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/csv-cut.h"

#include <string.h>

/* Blanks, line ends, control characters and the quote lie at or below it. */
#define ODD_MOST '"'

static inline bool is_blank(char c, char delimiter)
{
	return (c == ' ' || c == '\t') && c != delimiter;
}

/* Is a line's end at `at`? The bytes it takes; 0: none. A CR alone is one, too,
 * but of files so old that they need not be quick. */
static inline size_t line_end(const char *at, const char *end)
{
	if (at < end && *at == '\n')
		return 1;
	return end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

/* The end of the quoted cell whose content begins at `at`: its second quote;
 * NULL when it does not end in this line. A quote inside is seen behind it. */
static const char *quoted_end(const char *at, const char *end)
{
	const char *quote = memchr(at, '"', (size_t)(end - at));

	if (!quote || memchr(at, '\n', (size_t)(quote - at)) ||
	    memchr(at, '\r', (size_t)(quote - at)))
		return NULL;
	return quote;
}

static const char *plain_end(const char *at, const char *end, char delimiter)
{
	while (at < end && *at != delimiter && *at != '\n' && *at != '\r' &&
	       *at != '"')
		at++;
	return at;
}

/* One cell of the line, copied to *to; returns where it was left: at the
 * delimiter or the line's end behind it, NULL in doubt. */
static const char *cut_cell(struct fl_csv_cell *cell, char **to, const char *at,
			    const char *end, char delimiter)
{
	const char *from, *upto;

	while (at < end && is_blank(*at, delimiter))
		at++;
	from = at;
	if (at < end && *at == '"') {
		from = at + 1;
		upto = quoted_end(from, end);
		if (!upto)
			return NULL;
		at = upto + 1;
		while (at < end && is_blank(*at, delimiter))
			at++;
	} else {
		at = upto = plain_end(at, end, delimiter);
		while (upto > from && is_blank(upto[-1], delimiter))
			upto--;
	}
	if (at < end && *at != delimiter && !line_end(at, end))
		return NULL;
	cell->text = *to;
	cell->len = (size_t)(upto - from);
	memcpy(*to, from, cell->len);
	(*to)[cell->len] = '\0';
	*to += cell->len + 1;
	return at;
}

/* With blanks and quotes. */
static bool cut_closely(struct fl_csv_cut *cut, char delimiter,
			const char *line, const char *end)
{
	char *to = cut->text;
	const char *at = line;
	size_t count = 0, ending;

	for (;;) {
		if (count == FL_CSV_CUT_CELLS)
			return false;
		at = cut_cell(&cut->cells[count++], &to, at, end, delimiter);
		if (!at || at == end)
			return false;
		ending = line_end(at, end);
		if (ending)
			break;
		at++;
	}
	if (count == 1 && !memchr(line, '"', (size_t)(at - line)) &&
	    cut->cells[0].len == 0)
		return false; /* a blank line is no row */
	cut->count = count;
	cut->len = (size_t)(at - line);
	cut->whole = cut->len + ending;
	return true;
}

bool fl_csv_cut(struct fl_csv_cut *cut, char delimiter, const char *line,
		const char *end)
{
	struct fl_csv_cell *cell = cut->cells;
	const bool low = (unsigned char)delimiter <= ODD_MOST;
	size_t from = 0, at = 0, ending;
	unsigned marks, odd;

	if (end - line > FL_CSV_CUT_LINE)
		end = line + FL_CSV_CUT_LINE;
	for (;; at += FL_LANES) {
		struct fl_lanes bytes;

		if (line + at >= end ||
		    cell >= cut->cells + FL_CSV_CUT_CELLS - 1)
			return false;
		bytes = fl_lanes_load(line + at);
		fl_lanes_store(cut->text + at, bytes);
		marks = fl_lanes_equal(bytes, delimiter);
		odd = fl_lanes_within(bytes, 0, ODD_MOST);
		if (low)
			odd &= ~marks;
		if (odd)
			marks &= (odd & -odd) - 1; /* those before it */
		for (; marks; marks &= marks - 1) {
			size_t to = at + (unsigned)__builtin_ctz(marks);

			cell->text = cut->text + from;
			cell->len = to - from;
			cell++;
			cut->text[to] = '\0';
			from = to + 1;
		}
		if (odd)
			break;
	}
	at += (unsigned)__builtin_ctz(odd);
	ending = line_end(line + at, end);
	if (!ending)
		return line + at < end &&
		       cut_closely(cut, delimiter, line, end);
	if (at == 0)
		return false;
	cell->text = cut->text + from;
	cell->len = at - from;
	cut->text[at] = '\0';
	cut->count = (size_t)(cell - cut->cells) + 1;
	cut->len = at;
	cut->whole = at + ending;
	return true;
}
