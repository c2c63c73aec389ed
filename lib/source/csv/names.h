/* csv_names: what vendors call their columns.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_NAMES_H
#define FL_SOURCE_CSV_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Names of columns in normal form, blanks between, the best first. Names of one
 * letter count where o, h, l and c are all there. A field's own name need not
 * stand here. */
struct fl_csv_alias {
	const char
		*role; /* a field's path, or a word of fl_csv_special_column */
	const char *names;
};

/* Each ended by role NULL. */
extern const struct fl_csv_alias fl_csv_names[]; /* of any record */
extern const struct fl_csv_alias fl_csv_bar_names[];
extern const struct fl_csv_alias fl_csv_quote_names[];

/* Vendors by their whole header in normal form, the symbol's column left out.
 * What a vendor says of adjustment is its own documentation's word. */
struct fl_csv_vendor {
	const char *name, *header;
	const char *adj;       /* of bars */
	const char *event_adj; /* of dividends; NULL: not known */
	bool stooq;            /* symbols as Stooq has them */
};

extern const struct fl_csv_vendor fl_csv_vendors[]; /* ended by name NULL */

/* A name in normal form: lower case, without <>, blanks, and the signs _ - . *
 * / ' around and inside; Alpha Vantage's "1. " or "4a. " in front is dropped.
 * free() it. */
char *fl_csv_normalise(const char *text, size_t len);
/* The first word of `words` and what follows it; false at their end. */
bool fl_csv_next_word(const char **words, const char **word, size_t *len);
/* Is `text` the word[len]? */
bool fl_csv_is_word(const char *text, const char *word, size_t len);

#endif
