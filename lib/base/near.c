/* near: see near.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/near.h"

#include <string.h>
#include <strings.h>

enum {
	WORD_MAX_LEN = 64, /* longer words are near to none */
};

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][WORD_MAX_LEN + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= nb; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[nb];
}

const char *fl_nearest(const char *word, const char *const *words)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)len / 3 + 1; /* this far is too far */
	const char *nearest = NULL;

	if (len == 0 || len > WORD_MAX_LEN)
		return NULL;
	if (best > 4)
		best = 4;
	if (best < 2)
		best = 2;
	for (size_t i = 0; words[i]; i++) {
		size_t n = strlen(words[i]);
		unsigned far;

		if (n > WORD_MAX_LEN)
			continue;
		far = strcasecmp(word, words[i]) == 0
			      ? 0
			      : distance(word, len, words[i], n);
		/* Everything of a short word replaced is another word. */
		if (far < best && far < n && far < len) {
			best = far;
			nearest = words[i];
		}
	}
	/* Or its beginning, when that is enough to go by. */
	for (size_t i = 0; !nearest && len >= 3 && words[i]; i++) {
		if (strncasecmp(word, words[i], len) == 0)
			nearest = words[i];
	}
	return nearest;
}
