/* postgres-write: rows into their table.
 *
 * COPY takes them straight into it, which costs the server least, but fails
 * where a key is there already; then they go through a temporary table, from
 * where one INSERT puts them into the place of what has their keys. Where the
 * database refuses some of them, an INSERT for each does, in a block that the
 * server runs by itself: a way there and back for each would take far longer.
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

/* How many rows the sequence has counted, behind SELECT. */
#define COUNTED(type)                                                          \
	"last_value - 1 + is_called::integer FROM pg_temp.\"fl_count_" type "\""

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
				 "\"%s\", fl_row integer) ON COMMIT DELETE "
				 "ROWS; CREATE TEMP SEQUENCE \"fl_count_%s\"",
				 name, name, name);
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
		    size_t count, bool numbered)
{
	struct fl_cell cell;
	size_t at = 0;

	fl_pg_put16(out, (uint16_t)(count + numbered));
	for (size_t i = 0; i < count; i++) {
		if (!fl_server_next_cell(table, row, &at, columns[i], &cell)) {
			fl_pg_put32(out, UINT32_MAX);
			continue;
		}
		fl_pg_put32(out, (uint32_t)cell.len);
		fl_buf_append(out, cell.bytes, cell.len);
	}
	if (numbered) {
		fl_pg_put32(out, 4);
		fl_pg_put32(out, (uint32_t)(row - table->rows));
	}
}

/* Into the table whose name begins with `target`; `more`: the other columns. */
static int begin_copy(struct fl_server *s, const struct fl_server_table *table,
		      const char *target, const size_t *columns, size_t count,
		      const char *more, struct fl_error *err)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	struct fl_buf sql = FL_BUF_INIT;
	int got;

	fl_buf_printf(&sql, "COPY %s%s\" (", target, table->type->name);
	fl_server_put_columns(&sql, s, table, columns, count);
	fl_buf_printf(&sql, "%s) FROM STDIN (FORMAT binary)", more);
	got = fl_pq_copy_begin(s->db, sql.data, err);
	fl_buf_release(&sql);
	return got < 0 ? -1 : fl_pq_copy_put(s->db, head, sizeof(head), err);
}

static int end_copy(struct fl_server *s, struct fl_error *err)
{
	if (fl_pq_copy_put(s->db, "\377\377", 2, err) < 0)
		return -1;
	return fl_pq_copy_end(s->db, err);
}

int fl_pg_load_begin(struct fl_server *s, const struct fl_server_table *table,
		     struct fl_error *err)
{
	return begin_copy(s, table, "\"", table->columns, table->column_count,
			  "", err);
}

void fl_pg_load_row(struct fl_buf *out, const struct fl_server_table *table,
		    const struct fl_server_row *row)
{
	put_row(out, table, row, table->columns, table->column_count, false);
}

int fl_pg_load_piece(struct fl_server *s, const char *bytes, size_t len,
		     struct fl_error *err)
{
	return fl_pq_copy_put(s->db, bytes, len, err);
}

int fl_pg_load_end(struct fl_server *s, bool *stored, struct fl_error *err)
{
	*stored = end_copy(s, err) == 0;
	if (*stored)
		return 0;
	if (s->db->fault != FL_FAULT_ROW)
		return -1;
	fl_error_clear(err);
	return 0;
}

/* The live rows into the temporary table; numbered: with their numbers. */
static int copy_to_stage(struct fl_server *s, struct fl_server_table *table,
			 size_t from, size_t to, bool numbered,
			 struct fl_error *err)
{
	size_t columns[FL_SQL_COLUMNS_MAX];
	size_t count = fl_server_used(table, columns);
	struct fl_buf *out = &s->copy;

	if (fl_pg_stage(s, table, err) < 0)
		return -1;
	table->stage_full = true;
	if (begin_copy(s, table, "pg_temp.\"fl_stage_", columns, count,
		       numbered ? ", fl_row" : "", err) < 0)
		return -1;
	fl_buf_reset(out);
	for (size_t i = from; i < to; i++) {
		if (table->rows[i].dead)
			continue;
		put_row(out, table, &table->rows[i], columns, count, numbered);
		if (out->len < PIECE)
			continue;
		if (fl_pq_copy_put(s->db, out->data, out->len, err) < 0)
			return -1;
		fl_buf_reset(out);
	}
	if (out->len && fl_pq_copy_put(s->db, out->data, out->len, err) < 0)
		return -1;
	return end_copy(s, err);
}

/* All columns of a row that was there are replaced, those that were not written
 * by NULL. A sequence counts them: xmax, which would tell them from new ones,
 * is not to be had of a table with partitions. */
static void put_replacing(struct fl_buf *sql,
			  const struct fl_server_table *table)
{
	const char *before = "";

	fl_buf_puts(sql, " ON CONFLICT (");
	for (size_t i = 0; i < table->count; i++) {
		if (!table->cols[i].key)
			continue;
		fl_buf_puts(sql, before);
		fl_sql_name(sql, &fl_sql_postgres, table->cols[i].name);
		before = ", ";
	}
	fl_buf_puts(sql, ") DO UPDATE SET ");
	before = NULL;
	for (size_t i = 0; i < table->count; i++) {
		if (table->cols[i].key)
			continue;
		fl_buf_puts(sql, before ? before : "");
		fl_sql_name(sql, &fl_sql_postgres, table->cols[i].name);
		fl_buf_puts(sql, " = ");
		if (!before)
			fl_buf_printf(sql,
				      "CASE WHEN nextval('pg_temp."
				      "\"fl_count_%s\"') > 0 THEN ",
				      table->type->name);
		fl_buf_puts(sql, "excluded.");
		fl_sql_name(sql, &fl_sql_postgres, table->cols[i].name);
		fl_buf_puts(sql, before ? "" : " END");
		before = ", ";
	}
}

/* The count begins anew. */
static void put_restart(struct fl_buf *sql, const char *verb,
			const struct fl_server_table *table)
{
	fl_buf_printf(sql, "%s setval('pg_temp.\"fl_count_%s\"', 1, false);\n",
		      verb, table->type->name);
}

/* From the temporary table into the real one. */
static void put_insert(struct fl_buf *sql, const struct fl_server *s,
		       const struct fl_server_table *table)
{
	size_t columns[FL_SQL_COLUMNS_MAX];
	size_t count = fl_server_used(table, columns);

	put_restart(sql, "SELECT", table);
	fl_buf_puts(sql, "INSERT INTO ");
	fl_sql_name(sql, &fl_sql_postgres, table->type->name);
	fl_buf_puts(sql, " (");
	fl_server_put_columns(sql, s, table, columns, count);
	fl_buf_puts(sql, ") SELECT ");
	fl_server_put_columns(sql, s, table, columns, count);
	fl_buf_printf(sql, " FROM pg_temp.\"fl_stage_%s\"", table->type->name);
	put_replacing(sql, table);
}

/* How many rows the statement replaced. */
static int count_replaced(struct fl_server *s,
			  const struct fl_server_table *table, uint64_t *count,
			  struct fl_error *err)
{
	char *sql = fl_sprintf("SELECT " COUNTED("%s"), table->type->name);
	struct fl_rows *rows = NULL;
	int got = fl_db_ask(s->db, sql, NULL, 0, "write to", &rows, err);

	if (got == 0)
		*count = (uint64_t)fl_db_number(s->db, rows, 0, 0);
	fl_db_free(s->db, rows);
	free(sql);
	return got;
}

int fl_pg_write(struct fl_store *store, struct fl_server_table *table,
		size_t from, size_t to, size_t known, struct fl_error *err)
{
	struct fl_server *s = store->state;
	uint64_t replaced = 0;

	if (copy_to_stage(s, table, from, to, false, err) < 0)
		return -1;
	fl_buf_reset(&s->copy);
	put_insert(&s->copy, s, table);
	if (fl_db_run(s->db, s->copy.data, "write to", err) < 0 ||
	    count_replaced(s, table, &replaced, err) < 0)
		return -1;
	store->replaced += replaced - known;
	return 0;
}

/* --- row by row ---------------------------------------------------------- */

/* The block that the server runs: the refusals go into a table, and behind
 * them, as of row -1, how many were there. Which of its errors are about a row:
 * the same classes as in pq.c. */
static void put_block(struct fl_buf *sql, const struct fl_server *s,
		      const struct fl_server_table *table)
{
	size_t columns[FL_SQL_COLUMNS_MAX];
	size_t count = fl_server_used(table, columns);

	fl_buf_puts(sql, "DO $fl$\n"
			 "#variable_conflict use_column\n"
			 "DECLARE r record; there bigint := 0; "
			 "state text; why text; more text;\n"
			 "BEGIN\n");
	put_restart(sql, "PERFORM", table);
	fl_buf_printf(sql,
		      "FOR r IN SELECT * FROM pg_temp.\"fl_stage_%s\" "
		      "ORDER BY fl_row LOOP BEGIN\nINSERT INTO ",
		      table->type->name);
	fl_sql_name(sql, &fl_sql_postgres, table->type->name);
	fl_buf_puts(sql, " (");
	fl_server_put_columns(sql, s, table, columns, count);
	fl_buf_puts(sql, ") VALUES (");
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(sql, i ? ", r." : "r.");
		fl_sql_name(sql, &fl_sql_postgres,
			    table->cols[columns[i]].name);
	}
	fl_buf_putc(sql, ')');
	put_replacing(sql, table);
	/* What counted a row that was refused is undone. */
	fl_buf_printf(sql, ";\nSELECT " COUNTED("%s"), table->type->name);
	fl_buf_puts(sql, " INTO there;\nEXCEPTION WHEN OTHERS THEN\n");
	fl_buf_printf(sql,
		      "PERFORM setval('pg_temp.\"fl_count_%s\"', there + 1, "
		      "false);\n",
		      table->type->name);
	fl_buf_puts(
		sql,
		"GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, "
		"why = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;\n"
		"IF left(state, 2) NOT IN ('22', '23', '44', '54', 'P0') THEN "
		"RAISE; END IF;\n"
		"INSERT INTO pg_temp.fl_refused VALUES (r.fl_row, "
		"why || CASE WHEN more = '' THEN '' ELSE ': ' || more END);\n"
		"END; END LOOP;\n"
		"INSERT INTO pg_temp.fl_refused VALUES (-1, there::text);\n"
		"END $fl$");
}

int fl_pg_write_each(struct fl_server *s, struct fl_server_table *table,
		     size_t from, size_t to, uint64_t *replaced,
		     struct fl_error *err)
{
	struct fl_rows *rows = NULL;

	/* What would be checked at the end is checked at each row. */
	if (copy_to_stage(s, table, from, to, true, err) < 0 ||
	    fl_db_run(s->db,
		      "SET CONSTRAINTS ALL IMMEDIATE; "
		      "CREATE TEMP TABLE IF NOT EXISTS fl_refused (at integer, "
		      "why text) ON COMMIT DELETE ROWS; "
		      "TRUNCATE pg_temp.fl_refused",
		      "write to", err) < 0)
		return -1;
	fl_buf_reset(&s->copy);
	put_block(&s->copy, s, table);
	if (fl_db_run(s->db, s->copy.data, "write to", err) < 0 ||
	    fl_db_ask(s->db,
		      "SELECT at, why FROM pg_temp.fl_refused ORDER BY at",
		      NULL, 0, "read", &rows, err) < 0)
		return -1;
	*replaced = strtoull(fl_db_cell(s->db, rows, 0, 1).bytes, NULL, 10);
	for (size_t i = 1; i < fl_db_count(s->db, rows); i++) {
		fl_db_keep_words(s->db, fl_db_cell(s->db, rows, i, 1).bytes,
				 NULL);
		fl_server_refused(s, (size_t)fl_db_number(s->db, rows, i, 0),
				  s->db->words);
	}
	fl_db_free(s->db, rows);
	return 0;
}

/* What became of the temporary table. */
void fl_pg_settle_stage(struct fl_server_table *table, bool committed,
			bool connected)
{
	if (!connected || (!committed && table->staged_now))
		table->staged = false;
	table->staged_now = table->stage_full = false;
}

#endif
