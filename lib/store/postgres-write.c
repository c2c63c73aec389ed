/* postgres-write: rows into their table.
 *
 * COPY takes them straight into it, which costs the server least, but fails
 * where a key is there already; then they go through a temporary table, from
 * where one INSERT puts them into the place of what has their keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	PIECE = 1 << 16, /* bytes of COPY data that are sent at once */
};

/* The temporary table, empty. */
int fl_pg_stage(struct fl_server *s, struct fl_server_table *table,
		struct fl_error *err)
{
	const char *name = table->type->name;
	char *sql;
	int result;

	if (table->staged && !table->stage_full)
		return 0;
	if (table->staged)
		sql = fl_sprintf("TRUNCATE pg_temp.\"fl_stage_%s\"", name);
	else
		sql = fl_sprintf("CREATE TEMP TABLE \"fl_stage_%s\" (LIKE "
				 "\"%s\") ON COMMIT DELETE ROWS",
				 name, name);
	result = fl_db_run(s->db, sql, "write to", err);
	free(sql);
	if (result < 0)
		return -1;
	table->staged_now |= !table->staged;
	table->staged = true;
	table->stage_full = false;
	return 0;
}

/* A row's cells as COPY has them, -1 for each that it lacks. */
static void put_row(struct fl_buf *out, const struct fl_server_table *table,
		    const struct fl_server_row *row, const size_t *columns,
		    size_t count)
{
	struct fl_cell cell;
	size_t at = 0;

	fl_pg_put16(out, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		if (!fl_server_next_cell(table, row, &at, columns[i], &cell)) {
			fl_pg_put32(out, UINT32_MAX);
			continue;
		}
		fl_pg_put32(out, (uint32_t)cell.len);
		fl_buf_append(out, cell.bytes, cell.len);
	}
}

/* The live rows into the table whose name begins with `target`. */
static int copy_rows(struct fl_server *s, struct fl_server_table *table,
		     const char *target, size_t from, size_t to,
		     struct fl_error *err)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	struct fl_buf *out = &s->copy;
	size_t columns[FL_SQL_COLUMNS_MAX], count = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (table->used[i])
			columns[count++] = i;
	}
	fl_buf_reset(out);
	fl_buf_printf(out, "COPY %s%s\" (", target, table->type->name);
	fl_server_put_columns(out, s, table);
	fl_buf_puts(out, ") FROM STDIN (FORMAT binary)");
	if (fl_pq_copy_begin(s->db, out->data, err) < 0)
		return -1;
	fl_buf_reset(out);
	fl_buf_append(out, head, sizeof(head));
	for (size_t i = from; i < to; i++) {
		if (table->rows[i].dead)
			continue;
		put_row(out, table, &table->rows[i], columns, count);
		if (out->len < PIECE)
			continue;
		if (fl_pq_copy_put(s->db, out->data, out->len, err) < 0)
			return -1;
		fl_buf_reset(out);
	}
	fl_pg_put16(out, UINT16_MAX);
	if (fl_pq_copy_put(s->db, out->data, out->len, err) < 0)
		return -1;
	return fl_pq_copy_end(s->db, err);
}

/* From the temporary table into the real one; all columns of a row that was
 * there are replaced, those that were not written by NULL. xmax tells a row
 * that took the place of one. */
static void put_insert(struct fl_buf *sql, const struct fl_server *s,
		       const struct fl_server_table *table)
{
	const char *before = "";

	fl_buf_puts(sql, "WITH w AS (INSERT INTO ");
	fl_sql_name(sql, &fl_sql_postgres, table->type->name);
	fl_buf_puts(sql, " (");
	fl_server_put_columns(sql, s, table);
	fl_buf_puts(sql, ") SELECT ");
	fl_server_put_columns(sql, s, table);
	fl_buf_printf(sql, " FROM pg_temp.\"fl_stage_%s\" ON CONFLICT (",
		      table->type->name);
	for (size_t i = 0; i < table->count; i++) {
		if (!table->cols[i].key)
			continue;
		fl_buf_puts(sql, before);
		fl_sql_name(sql, &fl_sql_postgres, table->cols[i].name);
		before = ", ";
	}
	before = ") DO UPDATE SET ";
	for (size_t i = 0; i < table->count; i++) {
		if (table->cols[i].key)
			continue;
		fl_buf_puts(sql, before);
		fl_sql_name(sql, &fl_sql_postgres, table->cols[i].name);
		fl_buf_puts(sql, " = excluded.");
		fl_sql_name(sql, &fl_sql_postgres, table->cols[i].name);
		before = ", ";
	}
	fl_buf_puts(sql, " RETURNING xmax = 0 AS fresh) "
			 "SELECT count(*) FILTER (WHERE NOT fresh) FROM w");
}

/* Straight into the table: *stored, or a row was in the way. */
static int copy_straight(struct fl_server *s, struct fl_server_table *table,
			 size_t from, size_t to, bool *stored,
			 struct fl_error *err)
{
	if (!fl_server_tries(table))
		return 0;
	if (fl_db_run(s->db, "SAVEPOINT fl_copy", "write to", err) < 0)
		return -1;
	if (copy_rows(s, table, "\"", from, to, err) == 0) {
		table->misses = 0;
		*stored = true;
		return fl_db_run(s->db, "RELEASE SAVEPOINT fl_copy", "write to",
				 err);
	}
	if (s->db->fault != FL_FAULT_ROW)
		return -1;
	fl_error_clear(err);
	fl_server_missed(table);
	return fl_server_back_to(s, "fl_copy", err);
}

int fl_pg_write(struct fl_store *store, struct fl_server_table *table,
		size_t from, size_t to, size_t known, struct fl_error *err)
{
	struct fl_server *s = store->state;
	struct fl_rows *result = NULL;
	bool stored = false;

	if (!known && !s->careful &&
	    copy_straight(s, table, from, to, &stored, err) < 0)
		return -1;
	if (stored)
		return 0;
	if (fl_pg_stage(s, table, err) < 0)
		return -1;
	table->stage_full = true;
	if (copy_rows(s, table, "pg_temp.\"fl_stage_", from, to, err) < 0)
		return -1;
	fl_buf_reset(&s->copy);
	put_insert(&s->copy, s, table);
	if (fl_db_ask(s->db, s->copy.data, NULL, 0, "write to", &result, err) <
	    0)
		return -1;
	store->replaced +=
		(uint64_t)fl_db_number(s->db, result, 0, 0) - (uint64_t)known;
	fl_db_free(s->db, result);
	return 0;
}

/* What became of the temporary table. */
void fl_pg_settle(struct fl_server_table *table, bool committed, bool connected)
{
	if (!connected || (!committed && table->staged_now))
		table->staged = false;
	table->staged_now = table->stage_full = false;
}

#endif
