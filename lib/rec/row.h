/* row: records as CSV rows, table rows, or NDJSON of chosen fields.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_ROW_H
#define FL_REC_ROW_H

#include "io/writer.h"

/* hooks->row: append one record to the writer's buffer, with a header where one
 * is due. Columns: --fields, else all fields of the type (CSV), or those with a
 * width (table).
 * errors  FL_ERR_USAGE a second type in CSV, which has one header */
int fl_row_put(struct fl_writer *out, const struct fl_record *rec,
	       struct fl_error *err);

#endif
