/* describe: what tables and columns of a database are, for people who meet them
 * there. It is what the field tables say of records, so that manual, program
 * and database never differ.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_DESCRIBE_H
#define FL_STORE_DESCRIBE_H

#include "base/buf.h"
#include "store/sql.h"

/* One line each, appended. */
void fl_describe_type(struct fl_buf *out, const struct fl_type *type);
void fl_describe_column(struct fl_buf *out, const struct fl_type *type,
			const struct fl_sql_column *col);
void fl_describe_field(struct fl_buf *out, const struct fl_field *field);

/* Tables that are of no type. */
struct fl_description {
	const char *table, *column; /* NULL: the table itself */
	const char *text;
};

extern const struct fl_description fl_descriptions[]; /* table NULL ends it */

#endif
