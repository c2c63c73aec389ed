/* csv_plain: the record of a usual row, printed by a list of steps.
 *
 * What a column becomes, and what stands before it in the record, is the same
 * for all rows of a file, so it is worked out once. Rows whose cells are not
 * what the steps can print, and records of another kind beside the bar, are
 * left to csv_row, which alone says what is wrong. The fuzz target holds one
 * against the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_PLAIN_H
#define FL_SOURCE_CSV_PLAIN_H

#include "source/csv/work.h"

/* Make the one record of the row, whose symbol and time were found. false:
 * nothing was made, and nothing changed */
bool fl_csv_plain_make(struct fl_csv_work *w);
/* NULL is fine; sets NULL. */
void fl_csv_plain_release(struct fl_csv_plain **plain);

#endif
