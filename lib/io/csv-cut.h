/* csv_cut: rows that are one line, cut into cells without a parser.
 *
 * What most rows are: no quotes, or quotes around whole cells. In any doubt
 * nothing is said, and libcsv, which alone decides, gets the line; what is cut
 * here it would cut the same. The fuzz target holds one against the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_CSV_CUT_H
#define FL_IO_CSV_CUT_H

#include <stdbool.h>
#include <stddef.h>

#include "io/csv.h"

enum {
	FL_CSV_CUT_CELLS = 1024, /* a line of more is not cut here */
};

struct fl_csv_cut {
	size_t count, len; /* of cells; of the line without its end */
	size_t whole;      /* with its end */
	struct fl_csv_cell cells[FL_CSV_CUT_CELLS + FL_CSV_PAST];
};

/* Cut the line that begins at `line`: the cells point into it. FL_CSV_PAST
 * bytes behind `end` can be read. false: not whole before `end`, blank, too
 * long or not plain */
bool fl_csv_cut(struct fl_csv_cut *cut, char delimiter, const char *line,
		const char *end);

#endif
