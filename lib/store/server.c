/* server: opening, transactions and positions; see server.h.
 *
 * A transaction moves the positions first: the lock of their rows makes copies
 * of a pipeline wait for each other, and only one of them finds what it
 * expects. Rows and moves are kept until the commit has returned, so a
 * transaction whose connection broke, or that the server gave up for another,
 * is done once more; when it was the COMMIT whose answer was lost, the position
 * tells whether it was done.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	REPEATS = 5, /* of a transaction that the server gave up */
};

/* --- tables -------------------------------------------------------------- */

struct fl_server_table *fl_server_table(struct fl_server *s,
					const struct fl_type *type)
{
	struct fl_server_table *table = s->tables[type->id];

	if (table)
		return table;
	table = fl_zalloc(sizeof(*table));
	table->type = type;
	table->count = fl_sql_columns(s->kind->dialect, type, table->cols);
	table->leads = fl_sql_leads(type, table->cols, table->count);
	table->ts_column = fl_sql_find(table->cols, table->count, "ts");
	table->partial_column =
		fl_sql_find(table->cols, table->count, "partial");
	table->pipeline_column =
		fl_sql_find(table->cols, table->count, "pipeline");
	return s->tables[type->id] = table;
}

void fl_server_schema(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		      int version)
{
	if (version) {
		fl_sql_migrate(out, dialect, fl_types, version);
		fl_buf_printf(out, "UPDATE fl_schema SET version = %d;\n",
			      fl_sql_version(fl_types));
		return;
	}
	fl_sql_schema(out, dialect, fl_types);
	fl_buf_printf(out,
		      "CREATE TABLE %sfl_schema (version integer NOT NULL);\n"
		      "INSERT INTO fl_schema VALUES (%d);\n",
		      dialect->if_missing ? dialect->if_missing : "",
		      fl_sql_version(fl_types));
}

/* A statement whose parameters stand as ? in it. */
static int ask(struct fl_server *s, const char *sql, const char *const *args,
	       size_t count, const char *doing, struct fl_rows **rows,
	       struct fl_error *err)
{
	struct fl_buf text = FL_BUF_INIT;
	int got;

	fl_sql_text(&text, s->kind->dialect, sql);
	got = fl_server_stream_end(s, err);
	if (got == 0)
		got = fl_db_ask(s->db, text.data, args, count, doing, rows,
				err);
	fl_buf_release(&text);
	return got;
}

/* --- opening ------------------------------------------------------------- */

/* The number that a select of one gives. */
static int ask_number(struct fl_server *s, const char *sql, int *number,
		      struct fl_error *err)
{
	struct fl_rows *rows = NULL;

	if (fl_db_ask(s->db, sql, NULL, 0, "read", &rows, err) < 0)
		return -1;
	*number = (int)fl_db_number(s->db, rows, 0, 0);
	fl_db_free(s->db, rows);
	return 0;
}

int fl_server_identify(struct fl_server *s, int *version, struct fl_error *err)
{
	int empty = 0;

	*version = s->extras = 0;
	if (ask_number(s, s->kind->is_empty, &empty, err) < 0)
		return -1;
	s->empty = empty != 0;
	if (s->empty)
		return 0;
	if (ask_number(s, "SELECT max(version) FROM fl_schema", version, err) <
	    0)
		return -1;
	if (s->kind->extras &&
	    ask_number(s, s->kind->extras, &s->extras, err) < 0)
		return -1;
	return fl_sql_check_version(s->place, *version, err);
}

void fl_server_undo(struct fl_server *s)
{
	struct fl_error ignored = { .code = FL_OK };

	fl_server_stream_drop(s);
	if (s->db->ops->in_transaction(s->db))
		fl_db_run(s->db, "ROLLBACK", "write to", &ignored);
}

static int prepare_to_write(struct fl_server *s, struct fl_error *err)
{
	int version;

	if (fl_server_identify(s, &version, err) < 0)
		return -1;
	if (version == fl_sql_version(fl_types) &&
	    s->extras >= s->kind->extras_version)
		return 0;
	if (s->kind->make_tables(s, version, err) < 0)
		return -1;
	s->empty = false;
	return 0;
}

static int prepare_to_read(struct fl_server *s, enum fl_store_mode mode,
			   struct fl_error *err)
{
	int version;

	if (fl_server_identify(s, &version, err) < 0)
		return -1;
	if (mode == FL_STORE_PEEK || version == fl_sql_version(fl_types))
		return 0;
	if (s->empty)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' has no tables of financelake: "
				    "fl-load --migrate '%s' makes them",
				    s->place, s->place);
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' has schema version %d, older than %d: "
			    "fl-load --migrate '%s' brings it up to date",
			    s->place, version, fl_sql_version(fl_types),
			    s->place);
}

int fl_server_open(struct fl_store *store, const struct fl_server_kind *kind,
		   enum fl_store_mode mode, struct fl_error *err)
{
	struct fl_server *s = fl_zalloc(sizeof(*s));
	int result;

	store->state = s;
	s->kind = kind;
	s->place = fl_strdup(fl_show(store->place, strlen(store->place), 200));
	/* One that was masked had one. */
	if (strstr(store->place, "***"))
		result = fl_error_set(
			err, FL_ERR_USAGE,
			"'%s': a password does not belong into a place, where "
			"every list of processes shows it; %s",
			s->place, kind->password_help);
	else
		result = kind->db->open(&s->db, store->place, s->place, err);
	if (result == 0)
		result = mode == FL_STORE_WRITE ? prepare_to_write(s, err)
						: prepare_to_read(s, mode, err);
	if (result < 0)
		fl_server_close(store);
	else
		s->db->hurried = mode == FL_STORE_WRITE;
	return result;
}

/* The moves of a transaction. */
static void drop_moves(struct fl_server *s)
{
	for (size_t i = 0; i < s->move_count; i++) {
		free(s->moves[i].origin);
		free(s->moves[i].from);
		free(s->moves[i].to);
	}
	s->move_count = 0;
	free(s->pipeline);
	free(s->via);
	s->pipeline = s->via = NULL;
}

void fl_server_close(struct fl_store *store)
{
	struct fl_server *s = store->state;

	store->state = NULL;
	if (!s)
		return;
	fl_server_stream_drop(s);
	fl_db_close(&s->db);
	for (size_t i = 0; i < FL_TYPE_COUNT; i++)
		fl_server_table_free(s, s->tables[i]);
	drop_moves(s);
	free(s->moves);
	fl_server_drop_refused(s);
	free(s->refused);
	fl_map_release(&s->inputs, free);
	fl_buf_release(&s->copy);
	fl_buf_release(&s->piece);
	fl_buf_release(&s->held_text);
	fl_buf_release(&s->text);
	fl_buf_release(&s->merged_text);
	fl_buf_release(&s->stored_text);
	fl_json_release(&s->json);
	fl_json_release(&s->merged_json);
	fl_json_release(&s->stored_json);
	free(s->place);
	free(s);
}

/* --- transactions -------------------------------------------------------- */

static void settle(struct fl_server *s, bool committed, bool connected)
{
	s->begun = false;
	for (size_t i = 0; s->kind->settle && i < FL_TYPE_COUNT; i++) {
		if (s->tables[i])
			s->kind->settle(s->tables[i], committed, connected);
	}
}

static void rollback_server(struct fl_server *s)
{
	fl_server_undo(s);
	settle(s, false, true);
}

/* After a loss: a new connection, of which nothing is begun. */
static int reconnect(struct fl_server *s, struct fl_error *err)
{
	fl_server_stream_drop(s);
	settle(s, false, false);
	return fl_db_reopen(s->db, err);
}

static int check_version(struct fl_server *s, struct fl_error *err)
{
	struct fl_rows *rows = NULL;
	int version;

	if (fl_db_ask(s->db, "SELECT version FROM fl_schema", NULL, 0, "read",
		      &rows, err) < 0)
		return -1;
	version = fl_db_count(s->db, rows)
			  ? (int)fl_db_number(s->db, rows, 0, 0)
			  : 0;
	fl_db_free(s->db, rows);
	if (version == fl_sql_version(fl_types))
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' was brought to schema version %d by another "
			    "program, this one knows %d",
			    s->place, version, fl_sql_version(fl_types));
}

static int begin_once(struct fl_server *s, struct fl_error *err)
{
	if (fl_db_run(s->db, s->kind->begin, "write to", err) < 0 ||
	    check_version(s, err) < 0)
		return -1;
	s->begun = true;
	return 0;
}

int fl_server_begin(struct fl_server *s, struct fl_error *err)
{
	if (s->begun)
		return 0;
	while (begin_once(s, err) < 0) {
		/* A server that went away between two batches took nothing
		 * with it. */
		if (s->db->fault != FL_FAULT_LOST || ++s->repeated > REPEATS ||
		    reconnect(s, err) < 0)
			return -1;
	}
	return 0;
}

int fl_server_begin_later(struct fl_store *store, struct fl_error *err)
{
	struct fl_server *s = store->state;

	(void)err;
	store->replaced = 0;
	s->repeated = 0;
	s->careful = s->has_parts = s->parts_asked = s->merged = false;
	return 0;
}

static void forget_all(struct fl_server *s)
{
	fl_server_drop(s);
	drop_moves(s);
}

void fl_server_rollback(struct fl_store *store)
{
	struct fl_server *s = store->state;

	rollback_server(s);
	forget_all(s);
}

/* --- positions ----------------------------------------------------------- */

static int find_held(struct fl_server *s, const char *pipeline,
		     const char *origin, const char **held,
		     struct fl_error *err)
{
	const char *const args[] = { pipeline, origin };
	struct fl_rows *rows = NULL;

	*held = NULL;
	if (ask(s,
		"SELECT pos FROM fl_position WHERE pipeline = ? AND origin = ?",
		args, 2, "read", &rows, err) < 0)
		return -1;
	if (fl_db_count(s->db, rows)) {
		fl_buf_reset(&s->held_text);
		fl_buf_puts(&s->held_text, fl_db_cell(s->db, rows, 0, 0).bytes);
		*held = fl_buf_text(&s->held_text);
	}
	fl_db_free(s->db, rows);
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
 * position. wm stands behind wm_ns, for MySQL assigns from left to right. */
static int swap(struct fl_server *s, const struct fl_server_move *to,
		bool *moved, struct fl_error *err)
{
	static const char claim[] =
		"INSERT INTO fl_position (pos, via, record_time, "
		"record_time_ns, wm, wm_ns, pipeline, origin) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?) ";
	static const char update[] =
		"UPDATE fl_position SET pos = ?, via = ?, record_time = ?, "
		"record_time_ns = ?, wm_ns = COALESCE(?, wm_ns), "
		"wm = COALESCE(?, wm) "
		"WHERE pipeline = ? AND origin = ? AND pos = ?";
	struct instant rt = { FL_BUF_INIT, "" }, wm = { FL_BUF_INIT, "" };
	const char *args[9] = { to->to, s->via };
	struct fl_rows *result = NULL;
	char *sql = NULL;
	int got;

	set_instant(&rt, to->rt, &args[2]);
	set_instant(&wm, to->wm, &args[4]);
	args[6] = s->pipeline;
	args[7] = to->origin;
	args[8] = to->from;
	if (to->from) {
		const char *micros = args[4];

		args[4] = args[5];
		args[5] = micros;
	} else {
		sql = fl_sprintf("%s%s", claim, s->kind->dialect->or_nothing);
	}
	got = ask(s, to->from ? update : sql, args, to->from ? 9 : 8,
		  "write to", &result, err);
	if (got == 0)
		*moved = s->db->ops->touched(result) == 1;
	fl_db_free(s->db, result);
	fl_buf_release(&rt.micros);
	fl_buf_release(&wm.micros);
	free(sql);
	return got;
}

/* Once more the moves of the transaction. *done: the store holds where each
 * leads to, so the commit whose answer was lost had been made. */
static int move_again(struct fl_server *s, bool *done, struct fl_error *err)
{
	const char *held = NULL;
	size_t there = 0;
	bool moved = false;

	for (size_t i = 0; i < s->move_count; i++) {
		const struct fl_server_move *to = &s->moves[i];

		if (swap(s, to, &moved, err) < 0)
			return -1;
		if (moved)
			continue;
		if (find_held(s, s->pipeline, to->origin, &held, err) < 0)
			return -1;
		if (!held || strcmp(held, to->to) != 0)
			return fl_error_set(
				err, FL_ERR_AGAIN,
				"pipeline '%s' was taken over while the "
				"connection to '%s' was lost: it holds '%s' of "
				"'%s' by now",
				s->pipeline, s->place, held ? held : "nothing",
				to->origin);
		there++;
	}
	*done = there > 0;
	return 0;
}

/* May the transaction be done a second time? Parts of bars add up: then only
 * positions that move tell whether they are in already. */
static bool repeats(const struct fl_server *s)
{
	bool moves = false;

	for (size_t i = 0; i < s->move_count; i++)
		moves |= !s->moves[i].from ||
			 strcmp(s->moves[i].from, s->moves[i].to) != 0;
	return moves || !s->merged;
}

/* Some pass when they are tried once more. */
static bool may_pass(struct fl_server *s, enum fl_fault fault)
{
	return (fault == FL_FAULT_AGAIN || fault == FL_FAULT_LOST) &&
	       ++s->repeated <= REPEATS;
}

bool fl_server_take_up(struct fl_server *s, struct fl_error *err)
{
	bool done = false;

	do {
		enum fl_fault fault = s->db->fault;

		/* A commit that is under way sees to it itself. */
		if (s->committing || !repeats(s) || !may_pass(s, fault))
			return false;
		if (fault == FL_FAULT_LOST && reconnect(s, err) < 0)
			return false;
		rollback_server(s);
		fl_server_rewind(s);
		fl_error_clear(err);
	} while (fl_server_begin(s, err) < 0 || move_again(s, &done, err) < 0);
	if (!done)
		return true;
	fl_error_set(err, FL_ERR_AGAIN,
		     "pipeline '%s' was taken over while the connection to "
		     "'%s' was lost: another copy of it has done the same",
		     s->pipeline, s->place);
	return false;
}

static int swap_or_look(struct fl_server *s, const struct fl_server_move *to,
			bool *moved, const char **held, struct fl_error *err)
{
	if (fl_server_begin(s, err) < 0 || swap(s, to, moved, err) < 0)
		return -1;
	*held = to->from;
	return *moved ? 0 : find_held(s, s->pipeline, to->origin, held, err);
}

int fl_server_move(struct fl_store *store, const char *pipeline,
		   const struct fl_mark_at *at, const char *via, bool *moved,
		   const char **held, struct fl_error *err)
{
	struct fl_server *s = store->state;
	const struct fl_server_move to = {
		.origin = fl_strdup(at->origin),
		.from = at->from ? fl_strdup(at->from) : NULL,
		.to = fl_strdup(at->to),
		.wm = at->wm,
		.rt = at->rt,
	};
	int result;

	if (!s->pipeline || strcmp(s->pipeline, pipeline) != 0) {
		free(s->pipeline);
		s->pipeline = fl_strdup(pipeline);
	}
	free(s->via);
	s->via = via ? fl_strdup(via) : NULL;
	do
		result = swap_or_look(s, &to, moved, held, err);
	while (result < 0 && fl_server_take_up(s, err));
	if (s->move_count == s->move_cap) {
		s->move_cap = s->move_cap ? 2 * s->move_cap : 16;
		s->moves = fl_realloc(s->moves, s->move_cap, sizeof(*s->moves));
	}
	s->moves[s->move_count++] = to;
	return result;
}

/* Everything of the transaction but its end. *done as for move_again. */
static int write_again(struct fl_store *store, bool *done, struct fl_error *err)
{
	struct fl_server *s = store->state;

	*done = false;
	if (fl_server_begin(s, err) < 0 || move_again(s, done, err) < 0)
		return -1;
	if (*done)
		return 0;
	store->replaced = 0;
	fl_server_rewind(s);
	return fl_server_flush(store, err);
}

/* What failed may pass when all is done once more: sets things up for that. */
static bool try_again(struct fl_server *s, struct fl_error *err)
{
	enum fl_fault fault = s->db->fault;

	if (fault == FL_FAULT_ROW && !s->careful)
		s->careful = true;
	else if (!may_pass(s, fault))
		return false;
	if (!repeats(s))
		return false;
	if (fault == FL_FAULT_LOST)
		return reconnect(s, err) == 0;
	rollback_server(s);
	fl_error_clear(err);
	return true;
}

int fl_server_commit(struct fl_store *store, struct fl_error *err)
{
	struct fl_server *s = store->state;
	bool done = false;
	int result;

	s->committing = true;
	result = fl_server_begin(s, err);
	if (result == 0)
		result = fl_server_flush(store, err);
	for (;;) {
		if (result == 0 && !done && s->kind->announce)
			result = s->kind->announce(s, err);
		if (result == 0 && !done)
			result = fl_db_run(s->db, "COMMIT", "write to", err);
		if (result == 0 || !try_again(s, err))
			break;
		result = write_again(store, &done, err);
	}
	s->committing = false;
	if (result < 0) {
		fl_server_rollback(store);
		return -1;
	}
	if (done)
		fl_server_undo(s);
	settle(s, !done, true);
	forget_all(s);
	return 0;
}

static int64_t instant_at(const struct fl_server *s, const struct fl_rows *rows,
			  size_t row, size_t column)
{
	struct fl_cell cell = fl_db_cell(s->db, rows, row, column);

	if (!cell.bytes)
		return FL_TIME_NONE;
	return s->kind->wire->time(
		cell, (int)fl_db_number(s->db, rows, row, column + 1));
}

int fl_server_positions(struct fl_store *store, const char *pipeline,
			int (*each)(void *arg, const struct fl_position *row,
				    struct fl_error *err),
			void *arg, struct fl_error *err)
{
	struct fl_server *s = store->state;
	struct fl_rows *rows = NULL;
	char *sql;
	int result;

	if (s->empty)
		return 0;
	sql = fl_sprintf("SELECT pipeline, origin, pos, via, record_time, "
			 "record_time_ns, wm, wm_ns FROM fl_position%s "
			 "ORDER BY pipeline, origin",
			 pipeline ? " WHERE pipeline = ?" : "");
	result = ask(s, sql, &pipeline, pipeline ? 1 : 0, "read", &rows, err);
	free(sql);
	for (size_t i = 0; result == 0 && i < fl_db_count(s->db, rows); i++) {
		struct fl_position row = {
			.pipeline = fl_db_cell(s->db, rows, i, 0).bytes,
			.origin = fl_db_cell(s->db, rows, i, 1).bytes,
			.pos = fl_db_cell(s->db, rows, i, 2).bytes,
			.via = fl_db_cell(s->db, rows, i, 3).bytes,
			.record_time = instant_at(s, rows, i, 4),
			.wm = instant_at(s, rows, i, 6),
		};

		result = each(arg, &row, err);
	}
	fl_db_free(s->db, rows);
	return result;
}

int fl_server_forget(struct fl_store *store, const char *pipeline,
		     uint64_t *touched, struct fl_error *err)
{
	struct fl_server *s = store->state;
	struct fl_rows *rows = NULL;

	*touched = 0;
	if (ask(s, "DELETE FROM fl_position WHERE pipeline = ?", &pipeline, 1,
		"write to", &rows, err) < 0)
		return -1;
	*touched = s->db->ops->touched(rows);
	fl_db_free(s->db, rows);
	return 0;
}
