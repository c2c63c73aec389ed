/* csv_columns: a header while its meaning is being found out; what csv_header.c
 * and csv_map.c share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_COLUMNS_H
#define FL_SOURCE_CSV_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "source/csv/header.h"

/* One call of fl_csv_plan_make. */
struct fl_csv_columns {
	struct fl_csv_plan *plan;
	const char *name;
	const struct fl_csv_cell *header, *first;
	size_t count, first_count;
	char **normal; /* of each column; "" without a header */
	bool *taken;
	bool letters; /* names of one letter count */
	struct fl_error *err;
};

/* The columns as a user may want to see them: 'Date', 'Open' and so on. */
const char *fl_csv_show_columns(const struct fl_csv_columns *m,
				struct fl_buf *buf);
/* The place of a column that fills no field but has a use of its own: symbol,
 * when, time, interval, dividend, split, capital_gain. NULL: no such role. */
size_t *fl_csv_special_column(struct fl_csv_plan *plan, const char *role,
			      size_t len);
/* A field that a column may fill; -1: none, or one that is made by us. */
int fl_csv_fillable(const struct fl_type *type, const char *role, size_t len);
void fl_csv_add_field(struct fl_csv_columns *m, int field, size_t column);
bool fl_csv_has_field(const struct fl_csv_plan *plan, int field);

/* Is the record a quote by what --map fills? 1 a quote, 0 a bar, 2 says
 * nothing, -1 with err. */
int fl_csv_map_type(const struct fl_list *map, struct fl_error *err);
/* Fill the plan as --map says; plan->type is known. */
int fl_csv_map_take(struct fl_csv_columns *m, const struct fl_list *map);

#endif
