/* postgres: a store in a PostgreSQL database.
 *
 * The tables lie in the schema that the connection finds first, `public` unless
 * the place says otherwise (?options=-csearch_path%3Dname).
 *
 * source  PostgreSQL documentation: "Transaction Isolation", "Explicit Locking"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <string.h>

/* Taken while tables are made: "FLak". */
#define MIGRATION "SELECT pg_advisory_xact_lock(1179412843)"

static void print_schema(struct fl_buf *out)
{
	fl_server_schema(out, &fl_sql_postgres, 0);
	fl_pg_extras(out, 0);
	fl_pg_comments(out);
	fl_pg_indexes(out);
	fl_pg_bi(out);
}

static bool claims(const char *place)
{
	return strncmp(place, "postgres://", 11) == 0 ||
	       strncmp(place, "postgresql://", 13) == 0;
}

/* Under the lock: others may have been quicker. */
static int make_under_lock(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int version, result;

	if (fl_db_run(s->db, MIGRATION, "make the tables of", err) < 0 ||
	    fl_server_identify(s, &version, err) < 0)
		return -1;
	if (version != fl_sql_version(fl_types))
		fl_server_schema(&sql, &fl_sql_postgres, version);
	if (s->extras < FL_PG_EXTRAS)
		fl_pg_extras(&sql, s->extras);
	if (!sql.len)
		return 0;
	fl_pg_comments(&sql);
	if (version == 0)
		fl_pg_indexes(&sql);
	result = fl_db_run(s->db, sql.data, "make the tables of", err);
	fl_buf_release(&sql);
	return result < 0 ? -1 : fl_pg_make_bi(s, err);
}

static int check_encoding(const struct fl_server *s, struct fl_error *err)
{
	const char *encoding = fl_pq_parameter(s->db, "server_encoding");

	if (!encoding || strcmp(encoding, "UTF8") == 0)
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "the database of '%s' is in %s, which does not "
			    "hold every text: createdb -E UTF8 -T template0 "
			    "makes one that does",
			    s->place, encoding);
}

static int make_tables(struct fl_server *s, int version, struct fl_error *err)
{
	(void)version;
	if (check_encoding(s, err) < 0 ||
	    fl_db_run(s->db, "BEGIN", "write to", err) < 0)
		return -1;
	if (make_under_lock(s, err) == 0 &&
	    fl_db_run(s->db, "COMMIT", "write to", err) == 0)
		return 0;
	fl_server_undo(s);
	return -1;
}

static void settle(struct fl_server_table *table, bool committed,
		   bool connected)
{
	fl_pg_settle_stage(table, committed, connected);
	fl_pg_settle_months(table, committed);
	fl_pg_settle_notes(table, committed);
}

static void release(struct fl_server_table *table)
{
	fl_pg_release_months(table);
	fl_pg_release_notes(table);
}

static const struct fl_server_kind kind = {
	.db = &fl_db_pq,
	.dialect = &fl_sql_postgres,
	.wire = &fl_pg_wire,
	.begin = "BEGIN ISOLATION LEVEL READ COMMITTED",
	.begin_to_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.is_empty = "SELECT to_regclass('fl_schema') IS NULL",
	.password_help = "PGPASSWORD or a line in ~/.pgpass holds it",
	/* A store of before has no such column. */
	.extras = "SELECT max((to_jsonb(f) ->> 'extras')::integer) "
		  "FROM fl_schema AS f",
	.extras_version = FL_PG_EXTRAS,
	.make_tables = make_tables,
	.is_ready = fl_pg_has_months,
	.prepare = fl_pg_make_months,
	.load_begin = fl_pg_load_begin,
	.load_row = fl_pg_load_row,
	.load_piece = fl_pg_load_piece,
	.load_end = fl_pg_load_end,
	.note = fl_pg_note,
	.announce = fl_pg_announce,
	.put_last = fl_pg_put_last,
	.write = fl_pg_write,
	.write_each = fl_pg_write_each,
	.ready = fl_pg_stage,
	.settle = settle,
	.release = release,
};

static int open_store(struct fl_store *store, enum fl_store_mode mode,
		      struct fl_error *err)
{
	return fl_server_open(store, &kind, mode, err);
}

/* What was not done when the tables were made. */
static int make_rest(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int got;

	fl_pg_indexes(&sql);
	if (fl_db_run(s->db, "BEGIN; " MIGRATION, "make the tables of", err) <
	    0)
		return -1;
	got = fl_db_run(s->db, sql.data, "make the indexes of", err);
	fl_buf_release(&sql);
	if (got < 0 || fl_pg_make_bi(s, err) < 0)
		return -1;
	return fl_db_run(s->db, "COMMIT", "write to", err);
}

static int tidy(struct fl_store *store, struct fl_error *err)
{
	struct fl_server *s = store->state;

	if (fl_pg_count_anew(s, err) == 0 && make_rest(s, err) == 0)
		return 0;
	fl_server_undo(s);
	return -1;
}

const struct fl_store_ops fl_store_postgres = {
	.name = "postgres",
	.summary = "a PostgreSQL database",
	.forms = "postgres://...",
	.batch = "4M,1s",
	.claims = claims,
	.open = open_store,
	.schema = print_schema,
	.tidy = tidy,
	FL_SERVER_OPS,
};

#endif
