/* postgres: a store in a PostgreSQL database.
 *
 * The tables lie in the schema that the connection finds first, `public` unless
 * the place says otherwise (?options=-csearch_path%3Dname). A transaction moves
 * the positions first: the lock of their rows makes copies of a pipeline wait
 * for each other, and only one of them finds what it expects. Rows and moves
 * are kept until the commit has returned, so a transaction whose connection
 * broke, or that the server gave up for another, is done once more; when it was
 * the COMMIT whose answer was lost, the position tells whether it was done.
 *
 * source  PostgreSQL documentation: "Transaction Isolation", "Explicit Locking"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	REPEATS = 5, /* of a transaction that the server gave up */
};

/* Taken while tables are made: "FLak". */
#define MIGRATION "SELECT pg_advisory_xact_lock(1179412843)"

/* --- tables -------------------------------------------------------------- */

struct fl_pg_table *fl_pg_table(struct fl_pg *p, const struct fl_type *type)
{
	struct fl_pg_table *table = p->tables[type->id];

	if (table)
		return table;
	table = fl_zalloc(sizeof(*table));
	table->type = type;
	table->count = fl_sql_columns(&fl_sql_postgres, type, table->cols);
	table->partial = fl_type_field(type, "partial", 7);
	table->partial_column = table->pipeline_column = table->ts_column = -1;
	table->leads = fl_zalloc(table->count * sizeof(*table->leads));
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];
		const char *path;

		if (col->role == FL_SQL_PIPELINE)
			table->pipeline_column = (int)i;
		if (col->role != FL_SQL_FIELD)
			continue;
		if (table->partial >= 0 && col->field == table->partial)
			table->partial_column = (int)i;
		path = type->fields[col->field].path;
		if (strcmp(path, "ts") == 0)
			table->ts_column = (int)i;
		if (!type->doc && strchr(path, '.'))
			FL_BUG("a path into an object needs `doc`");
		fl_buf_putc(&table->leads[i], ',');
		fl_buf_json_string(&table->leads[i], path, strlen(path));
		fl_buf_putc(&table->leads[i], ':');
	}
	return p->tables[type->id] = table;
}

static void print_schema(struct fl_buf *out)
{
	fl_sql_schema(out, &fl_sql_postgres, fl_types);
	fl_buf_printf(out,
		      "CREATE TABLE \"fl_schema\" (\"version\" integer NOT "
		      "NULL);\n"
		      "INSERT INTO \"fl_schema\" VALUES (%d);\n",
		      fl_sql_version(fl_types));
}

/* --- opening ------------------------------------------------------------- */

static bool claims(const char *place)
{
	return strncmp(place, "postgres://", 11) == 0 ||
	       strncmp(place, "postgresql://", 13) == 0;
}

/* What is there? Sets p->empty; the version is 0 then. */
static int identify(struct fl_pg *p, int *version, struct fl_error *err)
{
	struct pg_result *rows = NULL;

	*version = 0;
	if (fl_pq_ask(p->pq, "SELECT to_regclass('fl_schema') IS NULL", NULL, 0,
		      "read", &rows, err) < 0)
		return -1;
	p->empty = fl_pq_number(rows, 0, 0) != 0;
	fl_pq_free(rows);
	if (p->empty)
		return 0;
	if (fl_pq_ask(p->pq, "SELECT max(version) FROM fl_schema", NULL, 0,
		      "read", &rows, err) < 0)
		return -1;
	*version = (int)fl_pq_number(rows, 0, 0);
	fl_pq_free(rows);
	return fl_sql_check_version(p->place, *version, err);
}

/* Under the lock: others may have been quicker. */
static int make_tables(struct fl_pg *p, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int version, result;

	if (fl_pq_run(p->pq, MIGRATION, "make the tables of", err) < 0 ||
	    identify(p, &version, err) < 0)
		return -1;
	if (version == fl_sql_version(fl_types))
		return 0;
	if (p->empty) {
		print_schema(&sql);
	} else {
		fl_sql_migrate(&sql, &fl_sql_postgres, fl_types, version);
		fl_buf_printf(&sql, "UPDATE fl_schema SET version = %d;\n",
			      fl_sql_version(fl_types));
	}
	result = fl_pq_run(p->pq, sql.data, "make the tables of", err);
	fl_buf_release(&sql);
	return result;
}

static void undo(struct fl_pg *p)
{
	struct fl_error ignored = { .code = FL_OK };

	if (fl_pq_in_transaction(p->pq))
		fl_pq_run(p->pq, "ROLLBACK", "write to", &ignored);
}

static int check_encoding(const struct fl_pg *p, struct fl_error *err)
{
	const char *encoding = fl_pq_parameter(p->pq, "server_encoding");

	if (!encoding || strcmp(encoding, "UTF8") == 0)
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "the database of '%s' is in %s, which does not "
			    "hold every text: createdb -E UTF8 -T template0 "
			    "makes one that does",
			    p->place, encoding);
}

static int prepare_to_write(struct fl_pg *p, struct fl_error *err)
{
	int version;

	if (identify(p, &version, err) < 0)
		return -1;
	if (version == fl_sql_version(fl_types))
		return 0;
	if (check_encoding(p, err) < 0 ||
	    fl_pq_run(p->pq, "BEGIN", "write to", err) < 0)
		return -1;
	if (make_tables(p, err) < 0 ||
	    fl_pq_run(p->pq, "COMMIT", "write to", err) < 0) {
		undo(p);
		return -1;
	}
	p->empty = false;
	return 0;
}

static int prepare_to_read(struct fl_pg *p, enum fl_store_mode mode,
			   struct fl_error *err)
{
	int version;

	if (identify(p, &version, err) < 0)
		return -1;
	if (mode == FL_STORE_PEEK || version == fl_sql_version(fl_types))
		return 0;
	if (p->empty)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' has no tables of financelake: "
				    "fl-load --migrate '%s' makes them",
				    p->place, p->place);
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' has schema version %d, older than %d: "
			    "fl-load --migrate '%s' brings it up to date",
			    p->place, version, fl_sql_version(fl_types),
			    p->place);
}

static void close_store(struct fl_store *store);

static int open_store(struct fl_store *store, enum fl_store_mode mode,
		      struct fl_error *err)
{
	struct fl_pg *p = fl_zalloc(sizeof(*p));
	int result;

	store->state = p;
	p->place = fl_strdup(fl_show(store->place, strlen(store->place), 200));
	/* One that was masked had one. */
	if (strstr(store->place, "***"))
		result = fl_error_set(
			err, FL_ERR_USAGE,
			"'%s': a password does not belong into a place, where "
			"every list of processes shows it; PGPASSWORD or a "
			"line in ~/.pgpass holds it",
			p->place);
	else
		result = fl_pq_open(&p->pq, store->place, p->place, err);
	if (result == 0)
		result = mode == FL_STORE_WRITE ? prepare_to_write(p, err)
						: prepare_to_read(p, mode, err);
	if (result < 0)
		close_store(store);
	return result;
}

/* The moves of a transaction. */
static void drop_moves(struct fl_pg *p)
{
	for (size_t i = 0; i < p->move_count; i++) {
		free(p->moves[i].origin);
		free(p->moves[i].from);
		free(p->moves[i].to);
	}
	p->move_count = 0;
	free(p->pipeline);
	free(p->via);
	p->pipeline = p->via = NULL;
}

static void close_store(struct fl_store *store)
{
	struct fl_pg *p = store->state;

	store->state = NULL;
	if (!p)
		return;
	fl_pq_close(&p->pq);
	for (size_t i = 0; i < FL_TYPE_COUNT; i++)
		fl_pg_table_free(p->tables[i]);
	drop_moves(p);
	free(p->moves);
	fl_map_release(&p->inputs, free);
	fl_buf_release(&p->copy);
	fl_buf_release(&p->held_text);
	fl_buf_release(&p->text);
	fl_buf_release(&p->merged_text);
	fl_buf_release(&p->stored_text);
	fl_json_release(&p->json);
	fl_json_release(&p->merged_json);
	fl_json_release(&p->stored_json);
	free(p->place);
	free(p);
}

/* --- transactions -------------------------------------------------------- */

/* The transaction has ended: what became of the temporary tables. */
static void settle_stages(struct fl_pg *p, bool committed, bool connected)
{
	for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
		struct fl_pg_table *table = p->tables[i];

		if (!table)
			continue;
		if (!connected || (!committed && table->staged_now))
			table->staged = false;
		table->staged_now = table->stage_full = false;
	}
}

static void rollback_server(struct fl_pg *p)
{
	undo(p);
	p->begun = false;
	settle_stages(p, false, true);
}

/* After a loss: a new connection, of which nothing is begun. */
static int reconnect(struct fl_pg *p, struct fl_error *err)
{
	p->begun = false;
	settle_stages(p, false, false);
	return fl_pq_reopen(p->pq, err);
}

static int check_version(struct fl_pg *p, struct fl_error *err)
{
	struct pg_result *rows = NULL;
	int version;

	if (fl_pq_ask(p->pq, "SELECT version FROM fl_schema", NULL, 0, "read",
		      &rows, err) < 0)
		return -1;
	version = fl_pq_rows(rows) ? (int)fl_pq_number(rows, 0, 0) : 0;
	fl_pq_free(rows);
	if (version == fl_sql_version(fl_types))
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' was brought to schema version %d by another "
			    "program, this one knows %d",
			    p->place, version, fl_sql_version(fl_types));
}

int fl_pg_begin(struct fl_pg *p, struct fl_error *err)
{
	if (p->begun)
		return 0;
	while (fl_pq_run(p->pq, "BEGIN ISOLATION LEVEL READ COMMITTED",
			 "write to", err) < 0) {
		/* A server that went away between two batches took nothing
		 * with it. */
		if (fl_pq_fault(p->pq) != FL_PQ_LOST || reconnect(p, err) < 0)
			return -1;
	}
	p->begun = true;
	return check_version(p, err);
}

static int begin(struct fl_store *store, struct fl_error *err)
{
	struct fl_pg *p = store->state;

	(void)err;
	store->replaced = 0;
	p->careful = p->has_parts = p->parts_asked = p->merged = false;
	return 0;
}

static void forget_all(struct fl_pg *p)
{
	fl_pg_drop(p);
	drop_moves(p);
}

static void rollback(struct fl_store *store)
{
	struct fl_pg *p = store->state;

	rollback_server(p);
	forget_all(p);
}

/* --- positions ----------------------------------------------------------- */

static int find_held(struct fl_pg *p, const char *pipeline, const char *origin,
		     const char **held, struct fl_error *err)
{
	const char *const args[] = { pipeline, origin };
	struct pg_result *rows = NULL;
	size_t len;

	*held = NULL;
	if (fl_pq_ask(p->pq,
		      "SELECT pos FROM fl_position WHERE pipeline = $1 AND "
		      "origin = $2",
		      args, 2, "read", &rows, err) < 0)
		return -1;
	if (fl_pq_rows(rows)) {
		fl_buf_reset(&p->held_text);
		fl_buf_puts(&p->held_text, fl_pq_value(rows, 0, 0, &len));
		*held = fl_buf_text(&p->held_text);
	}
	fl_pq_free(rows);
	return 0;
}

/* A time and its rest as parameters; both NULL for none. */
struct instant {
	struct fl_buf micros;
	char rest[8];
};

static void set_instant(struct instant *at, int64_t ns, const char **args)
{
	args[0] = args[1] = NULL;
	if (ns == FL_TIME_NONE)
		return;
	fl_sql_micros(&at->micros, ns);
	snprintf(at->rest, sizeof(at->rest), "%d",
		 (int)((ns % 1000 + 1000) % 1000));
	args[0] = at->micros.data;
	args[1] = at->rest;
}

/* A watermark stays until there is a newer one; the record time is of this very
 * position. */
static int swap(struct fl_pg *p, const struct fl_pg_move *to, bool *moved,
		struct fl_error *err)
{
	static const char claim[] =
		"INSERT INTO fl_position (pipeline, origin, pos, via, "
		"record_time, record_time_ns, wm, wm_ns) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
		"ON CONFLICT DO NOTHING";
	static const char update[] =
		"UPDATE fl_position SET pos = $3, via = $4, record_time = $5, "
		"record_time_ns = $6, wm = COALESCE($7, wm), "
		"wm_ns = CASE WHEN $7 IS NULL THEN wm_ns ELSE $8 END "
		"WHERE pipeline = $1 AND origin = $2 AND pos = $9";
	struct instant rt = { FL_BUF_INIT, "" }, wm = { FL_BUF_INIT, "" };
	const char *args[9] = { p->pipeline, to->origin, to->to, p->via };
	struct pg_result *result = NULL;
	int got;

	set_instant(&rt, to->rt, &args[4]);
	set_instant(&wm, to->wm, &args[6]);
	args[8] = to->from;
	got = fl_pq_ask(p->pq, to->from ? update : claim, args,
			to->from ? 9 : 8, "write to", &result, err);
	if (got == 0)
		*moved = fl_pq_touched(result) == 1;
	fl_pq_free(result);
	fl_buf_release(&rt.micros);
	fl_buf_release(&wm.micros);
	return got;
}

static int move(struct fl_store *store, const char *pipeline,
		const struct fl_mark_at *at, const char *via, bool *moved,
		const char **held, struct fl_error *err)
{
	struct fl_pg *p = store->state;
	struct fl_pg_move *to;

	if (fl_pg_begin(p, err) < 0)
		return -1;
	if (!p->pipeline)
		p->pipeline = fl_strdup(pipeline);
	if (strcmp(p->pipeline, pipeline) != 0) {
		free(p->pipeline);
		p->pipeline = fl_strdup(pipeline);
	}
	free(p->via);
	p->via = via ? fl_strdup(via) : NULL;
	if (p->move_count == p->move_cap) {
		p->move_cap = p->move_cap ? 2 * p->move_cap : 16;
		p->moves = fl_realloc(p->moves, p->move_cap, sizeof(*p->moves));
	}
	to = &p->moves[p->move_count++];
	*to = (struct fl_pg_move){
		.origin = fl_strdup(at->origin),
		.from = at->from ? fl_strdup(at->from) : NULL,
		.to = fl_strdup(at->to),
		.wm = at->wm,
		.rt = at->rt,
	};
	if (swap(p, to, moved, err) < 0)
		return -1;
	*held = at->from;
	return *moved ? 0 : find_held(p, pipeline, at->origin, held, err);
}

/* Once more the moves of the transaction. *done: the store holds where each
 * leads to, so the commit whose answer was lost had been made. */
static int move_again(struct fl_pg *p, bool *done, struct fl_error *err)
{
	const char *held = NULL;
	size_t there = 0;
	bool moved = false;

	for (size_t i = 0; i < p->move_count; i++) {
		const struct fl_pg_move *to = &p->moves[i];

		if (swap(p, to, &moved, err) < 0)
			return -1;
		if (moved)
			continue;
		if (find_held(p, p->pipeline, to->origin, &held, err) < 0)
			return -1;
		if (!held || strcmp(held, to->to) != 0)
			return fl_error_set(
				err, FL_ERR_AGAIN,
				"pipeline '%s' was taken over while the "
				"connection to '%s' was lost: it holds '%s' of "
				"'%s' by now",
				p->pipeline, p->place, held ? held : "nothing",
				to->origin);
		there++;
	}
	*done = there > 0;
	return 0;
}

/* May the transaction be done a second time? Parts of bars add up: then only
 * positions that move tell whether they are in already. */
static bool repeats(const struct fl_pg *p)
{
	bool moves = false;

	for (size_t i = 0; i < p->move_count; i++)
		moves |= !p->moves[i].from ||
			 strcmp(p->moves[i].from, p->moves[i].to) != 0;
	return moves || !p->merged;
}

/* Everything of the transaction but its end. *done as for move_again. */
static int write_again(struct fl_store *store, bool *done, struct fl_error *err)
{
	struct fl_pg *p = store->state;

	*done = false;
	if (fl_pg_begin(p, err) < 0 || move_again(p, done, err) < 0)
		return -1;
	if (*done)
		return 0;
	store->replaced = 0;
	fl_pg_rewind(p);
	return fl_pg_flush(store, err);
}

/* What failed may pass when all is done once more: sets things up for that. */
static bool try_again(struct fl_pg *p, int *repeated, struct fl_error *err)
{
	enum fl_pq_fault fault = fl_pq_fault(p->pq);

	if (fault == FL_PQ_ROW && !p->careful)
		p->careful = true;
	else if ((fault != FL_PQ_AGAIN && fault != FL_PQ_LOST) ||
		 ++*repeated > REPEATS)
		return false;
	if (!repeats(p))
		return false;
	if (fault == FL_PQ_LOST)
		return reconnect(p, err) == 0;
	rollback_server(p);
	fl_error_clear(err);
	return true;
}

static int commit(struct fl_store *store, struct fl_error *err)
{
	struct fl_pg *p = store->state;
	int repeated = 0, result;
	bool done = false;

	result = fl_pg_begin(p, err);
	if (result == 0)
		result = fl_pg_flush(store, err);
	for (;;) {
		if (result == 0 && !done)
			result = fl_pq_run(p->pq, "COMMIT", "write to", err);
		if (result == 0 || !try_again(p, &repeated, err))
			break;
		result = write_again(store, &done, err);
	}
	if (result < 0) {
		rollback(store);
		return -1;
	}
	if (done)
		undo(p);
	p->begun = false;
	settle_stages(p, !done, true);
	forget_all(p);
	return 0;
}

static int64_t instant_at(const struct pg_result *rows, size_t row,
			  size_t column)
{
	size_t len;
	const char *bytes = fl_pq_value(rows, row, column, &len);

	return bytes ? fl_pg_time(bytes,
				  (int)fl_pq_number(rows, row, column + 1))
		     : FL_TIME_NONE;
}

static int positions(struct fl_store *store, const char *pipeline,
		     int (*each)(void *arg, const struct fl_position *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_pg *p = store->state;
	struct pg_result *rows = NULL;
	int result = 0;
	size_t len;

	if (p->empty)
		return 0;
	if (fl_pq_ask(p->pq,
		      "SELECT pipeline, origin, pos, via, record_time, "
		      "record_time_ns, wm, wm_ns FROM fl_position "
		      "WHERE $1::text IS NULL OR pipeline = $1 "
		      "ORDER BY pipeline, origin",
		      &pipeline, 1, "read", &rows, err) < 0)
		return -1;
	for (size_t i = 0; result == 0 && i < fl_pq_rows(rows); i++) {
		struct fl_position row = {
			.pipeline = fl_pq_value(rows, i, 0, &len),
			.origin = fl_pq_value(rows, i, 1, &len),
			.pos = fl_pq_value(rows, i, 2, &len),
			.via = fl_pq_value(rows, i, 3, &len),
			.record_time = instant_at(rows, i, 4),
			.wm = instant_at(rows, i, 6),
		};

		result = each(arg, &row, err);
	}
	fl_pq_free(rows);
	return result;
}

static int forget(struct fl_store *store, const char *pipeline, uint64_t *rows,
		  struct fl_error *err)
{
	struct fl_pg *p = store->state;
	struct pg_result *result = NULL;

	*rows = 0;
	if (fl_pq_ask(p->pq, "DELETE FROM fl_position WHERE pipeline = $1",
		      &pipeline, 1, "write to", &result, err) < 0)
		return -1;
	*rows = fl_pq_touched(result);
	fl_pq_free(result);
	return 0;
}

const struct fl_store_ops fl_store_postgres = {
	.name = "postgres",
	.summary = "a PostgreSQL database",
	.forms = "postgres://...",
	.batch = "10000,1s",
	.claims = claims,
	.open = open_store,
	.begin = begin,
	.move = move,
	.put = fl_pg_put,
	.commit = commit,
	.rollback = rollback,
	.positions = positions,
	.forget = forget,
	.query = fl_pg_query,
	.next = fl_pg_next,
	.end = fl_pg_end,
	.list = fl_pg_list,
	.close = close_store,
	.schema = print_schema,
};

#endif
