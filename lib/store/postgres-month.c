/* postgres-month: the months of vast tables.
 *
 * Ticks and logs lie in a partition a month, so that old ones are taken away by
 * detaching one, and times are looked for in their month alone. A load makes
 * the months of its rows before it writes them, in their transaction: what
 * fails leaves none behind, and of two that want the same one the second waits
 * (fl_add_month in postgres-schema.c has a lock). There is no default
 * partition: making a month would look through it, and rows that others put
 * there by mistake would keep the month from being made.
 *
 * A table that was made before there were months stays whole.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

struct fl_pg_months {
	bool asked, parted;
	int64_t from, to;    /* of the last one */
	struct fl_map there; /* those that are known to be there */
};

static int ask_parted(struct fl_server *s, const struct fl_type *type,
		      bool *parted, struct fl_error *err)
{
	struct fl_rows *rows = NULL;
	const char *name = type->name;

	if (fl_db_ask(s->db,
		      "SELECT relkind = 'p' FROM pg_class WHERE oid = "
		      "to_regclass(quote_ident($1))",
		      &name, 1, "read", &rows, err) < 0)
		return -1;
	*parted = fl_db_count(s->db, rows) &&
		  fl_db_number(s->db, rows, 0, 0) != 0;
	fl_db_free(s->db, rows);
	return 0;
}

static int64_t begin_of(int year, int month)
{
	return fl_days_from_civil(year, month, 1) * FL_DAY;
}

/* The span of time that shares a partition with the day. */
static void find_span(const struct fl_civil *civil, int64_t *from, int64_t *to)
{
	int next = civil->month == 12;

	*from = FL_TIME_MIN;
	*to = FL_TIME_MAX;
	if (civil->year >= FL_PG_FIRST_YEAR)
		*from = civil->year > FL_PG_LAST_YEAR
				? begin_of(FL_PG_LAST_YEAR + 1, 1)
				: begin_of(civil->year, civil->month);
	if (civil->year < FL_PG_FIRST_YEAR)
		*to = begin_of(FL_PG_FIRST_YEAR, 1);
	else if (civil->year <= FL_PG_LAST_YEAR)
		*to = begin_of(civil->year + next, next ? 1 : civil->month + 1);
}

/* Is the partition that holds ns known to be there? *civil gets
 * its day else. */
static bool is_there(const struct fl_pg_months *months, int64_t ns,
		     struct fl_civil *civil)
{
	int month;

	if (ns >= months->from && ns < months->to)
		return true;
	fl_civil_from_time(ns, civil);
	month = 12 * civil->year + civil->month;
	return fl_map_get(&months->there, (const char *)&month,
			  sizeof(month)) != NULL;
}

static int64_t time_of(const struct fl_server *s,
		       const struct fl_server_table *table,
		       const struct fl_server_row *row)
{
	struct fl_cell cell = { 0 };
	size_t at = 0;

	for (size_t i = 0; i <= (size_t)table->ts_column; i++)
		fl_server_next_cell(table, row, &at, i, &cell);
	return s->kind->wire->time(cell, 0);
}

bool fl_pg_has_months(const struct fl_server *s,
		      const struct fl_server_table *table, size_t from,
		      size_t to)
{
	const struct fl_pg_months *months = table->months;
	struct fl_civil civil;

	if (!table->type->vast)
		return true;
	if (!months || !months->asked)
		return false;
	for (size_t i = from; months->parted && i < to; i++) {
		const struct fl_server_row *row = &table->rows[i];

		if (!row->dead &&
		    !is_there(months, time_of(s, table, row), &civil))
			return false;
	}
	return true;
}

static int make(struct fl_server *s, const struct fl_server_table *table,
		const struct fl_civil *civil, struct fl_error *err)
{
	int month = 12 * civil->year + civil->month;
	char day[FL_TIME_TEXT];
	const char *args[] = { table->type->name, day };
	struct fl_pg_months *months = table->months;

	snprintf(day, sizeof(day), "%04d-%02d-01", civil->year, civil->month);
	if (fl_db_ask(s->db, "SELECT fl_add_month($1, $2)", args, 2, "write to",
		      NULL, err) < 0)
		return -1;
	*fl_map_at(&months->there, (const char *)&month, sizeof(month)) =
		months;
	find_span(civil, &months->from, &months->to);
	return 0;
}

int fl_pg_make_months(struct fl_server *s, struct fl_server_table *table,
		      size_t from, size_t to, struct fl_error *err)
{
	struct fl_pg_months *months = table->months;
	struct fl_civil civil;

	if (!table->type->vast)
		return 0;
	if (!months)
		table->months = months = fl_zalloc(sizeof(*months));
	if (!months->asked &&
	    ask_parted(s, table->type, &months->parted, err) < 0)
		return -1;
	months->asked = true;
	for (size_t i = from; months->parted && i < to; i++) {
		const struct fl_server_row *row = &table->rows[i];

		if (!row->dead &&
		    !is_there(months, time_of(s, table, row), &civil) &&
		    make(s, table, &civil, err) < 0)
			return -1;
	}
	return 0;
}

/* What was made in a transaction that failed is not there; and it may have
 * failed for a month that somebody took away. */
void fl_pg_settle_months(struct fl_server_table *table, bool committed)
{
	struct fl_pg_months *months = table->months;

	if (!months || committed)
		return;
	fl_map_release(&months->there, NULL);
	months->from = months->to = 0;
}

void fl_pg_release_months(struct fl_server_table *table)
{
	if (table->months)
		fl_map_release(&table->months->there, NULL);
	free(table->months);
}

#endif
