/* views: what people and BI tools look at in a database, beside its tables.
 *
 * A view is told once: its name, its columns, what they mean. Its select is in
 * the words of one database, since that is where they differ.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_VIEWS_H
#define FL_STORE_VIEWS_H

#include "base/buf.h"

struct fl_view_column {
	const char *name;
	const char *doc; /* "=bar.open": what is said of that field */
};

struct fl_view {
	const char *name, *doc;
	const struct fl_view_column *columns; /* name NULL ends them */
	/* The select, its columns in that order. NULL: made otherwise, see
	 * postgres-bi.c. */
	const char *postgres;
};

/* In an order in which each needs none that follows; name NULL ends them. */
extern const struct fl_view fl_views[];

/* Append what a column holds. */
void fl_view_describe(struct fl_buf *out, const struct fl_view_column *col);

#endif
