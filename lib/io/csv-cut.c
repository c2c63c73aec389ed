/* csv_cut: see csv-cut.h.
 *
 * The delimiters are found among 64 bytes at a time. The first byte that
 * could mean more, a blank, a quote or the line's end, ends that: most often it
 * is the line's end. Nothing is copied: a copy that is read in lanes right
 * after it was written by bytes costs more than all else here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/csv-cut.h"

#include <stdint.h>
#include <string.h>

#include "base/lanes.h"
#include "base/reference.h"

/* Blanks, line ends, control characters and the quote lie at or below it. */
#define ODD_MOST '"'

enum {
	LINE_MAX_BYTES = 16 * 1024, /* what need not be looked at twice */
};

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

/* One cell of the line. Returns where it was left: at the delimiter or the
 * line's end behind it, NULL in doubt. */
static const char *cut_cell(struct fl_csv_cell *cell, const char *at,
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
	cell->text = from;
	cell->len = (size_t)(upto - from);
	return at;
}

/* With blanks and quotes. */
static bool cut_closely(struct fl_csv_cut *cut, char delimiter,
			const char *line, const char *end)
{
	const char *at = line;
	size_t count = 0, ending;

	for (;;) {
		if (count == FL_CSV_CUT_CELLS)
			return false;
		at = cut_cell(&cut->cells[count++], at, end, delimiter);
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

/* Of FL_CSV_PAST bytes: which are the delimiter, and which odd? */
static inline void look(const char *at, char delimiter, uint64_t *marks,
			uint64_t *odd)
{
	*marks = *odd = 0;
	for (unsigned i = 0; i < FL_CSV_PAST; i += FL_LANES) {
		struct fl_lanes bytes = fl_lanes_load(at + i);

		*marks |= (uint64_t)fl_lanes_equal(bytes, delimiter) << i;
		*odd |= (uint64_t)fl_lanes_within(bytes, 0, ODD_MOST) << i;
	}
}

bool fl_csv_cut(struct fl_csv_cut *cut, char delimiter, const char *line,
		const char *end)
{
	struct fl_csv_cell *cell = cut->cells;
	const struct fl_csv_cell *last = cell + FL_CSV_CUT_CELLS;
	const uint64_t low =
		(unsigned char)delimiter <= ODD_MOST ? ~UINT64_C(0) : 0;
	const char *from = line, *at = line;
	uint64_t marks, odd;
	size_t ending;

	if (!FL_SHORTCUTS)
		return false;
	if (end - line > LINE_MAX_BYTES)
		end = line + LINE_MAX_BYTES;
	for (;; at += FL_CSV_PAST) {
		if (at >= end || cell >= last)
			return false;
		look(at, delimiter, &marks, &odd);
		odd &= ~(marks & low);
		if (odd)
			marks &= (odd & -odd) - 1; /* those before it */
		for (; marks; marks &= marks - 1) {
			const char *to = at + __builtin_ctzll(marks);

			cell->text = from;
			cell->len = (size_t)(to - from);
			cell++;
			from = to + 1;
		}
		if (odd)
			break;
	}
	at += __builtin_ctzll(odd);
	ending = line_end(at, end);
	if (!ending)
		return at < end && cut_closely(cut, delimiter, line, end);
	if (at == line)
		return false;
	cell->text = from;
	cell->len = (size_t)(at - from);
	cut->count = (size_t)(cell - cut->cells) + 1;
	cut->len = (size_t)(at - line);
	cut->whole = cut->len + ending;
	return true;
}
