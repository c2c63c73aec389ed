/* my-row: statements with parameters, and rows; see my.h.
 *
 * Both kinds of select are prepared by the server, so that their values come
 * typed. One that is alone is sent row by row as the socket has room. With
 * others beside it the server keeps the rows in a table of its own, and is
 * asked for so many at a time: few when they are large.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"

#ifndef FL_WITHOUT_MYSQL
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <mariadb/mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/my-parts.h"

#define lib fl_my_lib

enum {
	BATCH_FIRST = 64, /* rows that a cursor asks for at a time … */
	BATCH_MOST = 2000,
	BATCH_BYTES = 256 * 1024, /* … so that they are about that large */
	DRAIN = 1000, /* rows that are read to the end rather than stopped */
};

/* --- statements ----------------------------------------------------------- */

static int bind_args(MYSQL_STMT *stmt, const char *const *args, size_t count)
{
	MYSQL_BIND *binds;
	int got;

	if (count == 0)
		return 0;
	binds = fl_zalloc(count * sizeof(*binds));
	for (size_t i = 0; i < count; i++) {
		binds[i].buffer_type =
			args[i] ? MYSQL_TYPE_STRING : MYSQL_TYPE_NULL;
		binds[i].buffer = (void *)args[i]; /* is only read */
		binds[i].buffer_length = args[i] ? strlen(args[i]) : 0;
	}
	got = lib.mysql_stmt_bind_param(stmt, binds) ? -1 : 0;
	free(binds); /* the library has a copy */
	return got;
}

/* A statement that is ready to be executed; NULL with err. */
static MYSQL_STMT *prepare(struct fl_my *my, const char *sql,
			   const char *const *args, size_t count,
			   const char *doing, struct fl_error *err)
{
	MYSQL_STMT *stmt = lib.mysql_stmt_init(my->conn);

	if (!stmt)
		fl_out_of_memory();
	if (lib.mysql_stmt_prepare(stmt, sql, strlen(sql)) == 0) {
		if (lib.mysql_stmt_param_count(stmt) != count)
			FL_BUG("parameters that the statement has not");
		if (bind_args(stmt, args, count) == 0)
			return stmt;
	}
	fl_my_fail_stmt(my, stmt, doing, err);
	lib.mysql_stmt_close(stmt);
	return NULL;
}

static void drop(struct fl_my *my, size_t i)
{
	if (my->kept[i].stmt)
		lib.mysql_stmt_close(my->kept[i].stmt);
	free(my->kept[i].sql);
	my->kept[i].stmt = NULL;
	my->kept[i].sql = NULL;
}

void fl_my_forget(struct fl_my *my)
{
	for (size_t i = 0; i < FL_MY_KEPT; i++)
		drop(my, i);
}

/* Columns have changed, or the server has forgotten the statement. */
static bool is_outdated(unsigned number)
{
	return number == CR_NEW_STMT_METADATA || number == ER_NEED_REPREPARE ||
	       number == ER_UNKNOWN_STMT_HANDLER;
}

/* One that was prepared before, which makes it *old, or is kept for the next
 * time. *at: where, or FL_MY_KEPT: nowhere, and it is the caller's. */
static MYSQL_STMT *recall(struct fl_my *my, const char *sql,
			  const char *const *args, size_t count,
			  const char *doing, size_t *at, bool *old,
			  struct fl_error *err)
{
	MYSQL_STMT *stmt;

	*at = FL_MY_KEPT;
	*old = false;
	for (size_t i = 0; count > 0 && i < FL_MY_KEPT; i++) {
		stmt = my->kept[i].stmt;
		if (!stmt || strcmp(my->kept[i].sql, sql) != 0)
			continue;
		if (lib.mysql_stmt_param_count(stmt) == count &&
		    bind_args(stmt, args, count) == 0) {
			*at = i;
			*old = true;
			return stmt;
		}
		drop(my, i);
	}
	stmt = prepare(my, sql, args, count, doing, err);
	if (stmt && count > 0) {
		*at = my->next_kept++ % FL_MY_KEPT;
		drop(my, *at);
		my->kept[*at].stmt = stmt;
		my->kept[*at].sql = fl_strdup(sql);
	}
	return stmt;
}

struct fl_rows {
	size_t columns, count;
	uint64_t touched;
	struct fl_buf bytes;
	struct place {
		size_t at, len; /* at SIZE_MAX: NULL */
	} * cells;
	size_t cell_cap;
};

static void keep_row(struct fl_rows *rows, const struct fl_my_columns *columns)
{
	struct place *cell;

	if ((rows->count + 1) * rows->columns > rows->cell_cap) {
		rows->cell_cap = rows->cell_cap * 2 + rows->columns * 4;
		rows->cells = fl_realloc(rows->cells, rows->cell_cap,
					 sizeof(*rows->cells));
	}
	cell = &rows->cells[rows->count++ * rows->columns];
	for (size_t i = 0; i < columns->count; i++, cell++) {
		struct fl_cell value = fl_my_column(columns, i);

		*cell = (struct place){ SIZE_MAX, 0 };
		if (!value.bytes)
			continue;
		*cell = (struct place){ rows->bytes.len, value.len };
		fl_buf_append(&rows->bytes, value.bytes, value.len);
		fl_buf_putc(&rows->bytes, '\0');
	}
}

/* An UPDATE counts what it changed; its message says what it found. */
static uint64_t count_touched(const struct fl_my *my, MYSQL_STMT *stmt)
{
	unsigned long long n = lib.mysql_stmt_affected_rows(stmt);

	return fl_my_count_of(my, "Rows matched", n == ~0ULL ? 0 : (uint64_t)n);
}

static int keep_rows(struct fl_rows *rows, MYSQL_STMT *stmt)
{
	struct fl_my_columns columns = { 0 };
	int got = fl_my_bind_columns(&columns, stmt);

	rows->columns = columns.count;
	if (got == 0 && columns.count > 0) {
		while ((got = fl_my_fetch(&columns, stmt)) > 0)
			keep_row(rows, &columns);
	}
	fl_my_release_columns(&columns);
	return got;
}

/* returns 1 when a statement that was kept is of no use any more: the tables
 * are others by now */
static int execute(struct fl_my *my, const char *sql, const char *const *args,
		   size_t count, const char *doing, struct fl_rows *rows,
		   struct fl_error *err)
{
	size_t at;
	bool old;
	MYSQL_STMT *stmt = recall(my, sql, args, count, doing, &at, &old, err);
	int got = -1;

	if (!stmt)
		return -1;
	if (lib.mysql_stmt_execute(stmt) == 0) {
		rows->touched = count_touched(my, stmt);
		my->warnings = lib.mysql_warning_count(my->conn);
		got = keep_rows(rows, stmt);
	} else if (old && is_outdated(lib.mysql_stmt_errno(stmt))) {
		got = 1;
	}
	if (got < 0)
		fl_my_fail_stmt(my, stmt, doing, err);
	if (at == FL_MY_KEPT)
		lib.mysql_stmt_close(stmt);
	else if (got != 0)
		drop(my, at);
	else
		lib.mysql_stmt_free_result(stmt);
	return got;
}

int fl_my_ask(struct fl_db *db, const char *sql, const char *const *args,
	      size_t count, const char *doing, struct fl_rows **out,
	      struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	struct fl_rows *rows;
	int got = 1;

	if (out)
		*out = NULL;
	if (fl_my_begin(my, doing, err) < 0)
		return -1;
	rows = fl_zalloc(sizeof(*rows));
	while (got > 0)
		got = execute(my, sql, args, count, doing, rows, err);
	if (got == 0 && out)
		*out = rows;
	else
		fl_my_free(rows);
	return got;
}

void fl_my_free(struct fl_rows *rows)
{
	if (!rows)
		return;
	fl_buf_release(&rows->bytes);
	free(rows->cells);
	free(rows);
}

size_t fl_my_count(const struct fl_rows *rows)
{
	return rows->count;
}

uint64_t fl_my_touched(const struct fl_rows *rows)
{
	return rows->touched;
}

struct fl_cell fl_my_cell(const struct fl_rows *rows, size_t row, size_t column)
{
	const struct place *cell = &rows->cells[row * rows->columns + column];

	if (cell->at == SIZE_MAX)
		return (struct fl_cell){ 0 };
	return (struct fl_cell){ rows->bytes.data + cell->at, cell->len };
}

int64_t fl_my_number(struct fl_cell cell)
{
	int64_t value = 0;

	if (cell.bytes && cell.len == sizeof(value))
		memcpy(&value, cell.bytes, sizeof(value));
	return value;
}

/* --- cursors -------------------------------------------------------------- */

struct fl_db_cursor {
	struct fl_my *my;
	MYSQL_STMT *stmt;
	struct fl_my_columns columns;
	bool alone, ended;
	unsigned long batch;       /* rows asked for at a time */
	unsigned long rows, bytes; /* of what was asked for last */
};

static void ask_for(struct fl_db_cursor *cursor, unsigned long rows)
{
	cursor->batch = rows;
	lib.mysql_stmt_attr_set(cursor->stmt, STMT_ATTR_PREFETCH_ROWS,
				&cursor->batch);
}

int fl_my_declare(struct fl_db *db, const char *sql, const char *const *args,
		  size_t count, size_t columns, bool alone,
		  struct fl_db_cursor **out, struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	const unsigned long kept = CURSOR_TYPE_READ_ONLY;
	MYSQL_STMT *stmt = NULL;
	struct fl_db_cursor *cursor;

	*out = NULL;
	if (fl_my_begin(my, "read", err) == 0)
		stmt = prepare(my, sql, args, count, "read", err);
	if (!stmt)
		return -1;
	cursor = fl_zalloc(sizeof(*cursor));
	cursor->my = my;
	cursor->stmt = stmt;
	cursor->alone = alone;
	if (!alone) {
		lib.mysql_stmt_attr_set(stmt, STMT_ATTR_CURSOR_TYPE, &kept);
		ask_for(cursor, BATCH_FIRST);
	}
	if (lib.mysql_stmt_execute(stmt) != 0 ||
	    fl_my_bind_columns(&cursor->columns, stmt) < 0) {
		fl_my_fail_stmt(my, stmt, "read", err);
		cursor->ended = true;
		fl_my_end(cursor);
		return -1;
	}
	if (cursor->columns.count != columns)
		FL_BUG("columns that the select has not");
	*out = cursor;
	return 0;
}

/* So many the next time as those of this time would have been right. */
static void weigh(struct fl_db_cursor *cursor)
{
	unsigned long most;

	cursor->bytes += fl_my_columns_weight(&cursor->columns);
	if (++cursor->rows < cursor->batch)
		return;
	most = BATCH_BYTES / (cursor->bytes / cursor->rows + 1);
	if (most > cursor->batch * 4)
		most = cursor->batch * 4;
	if (most > BATCH_MOST)
		most = BATCH_MOST;
	ask_for(cursor, most ? most : 1);
	cursor->rows = cursor->bytes = 0;
}

int fl_my_step(struct fl_db_cursor *cursor, struct fl_cell *cells,
	       struct fl_error *err)
{
	struct fl_my *my = cursor->my;
	int got =
		cursor->ended ? 0 : fl_my_fetch(&cursor->columns, cursor->stmt);

	if (got <= 0)
		cursor->ended = true;
	if (got < 0)
		return fl_my_fail_stmt(my, cursor->stmt, "read", err);
	if (got == 0)
		return 0;
	for (size_t i = 0; i < cursor->columns.count; i++)
		cells[i] = fl_my_column(&cursor->columns, i);
	if (!cursor->alone)
		weigh(cursor);
	return 1;
}

/* The rest of a select that streams would have to be read: the server is told
 * to stop instead, unless there is little left. */
static void stop(struct fl_db_cursor *cursor)
{
	struct fl_my *my = cursor->my;
	MYSQL *beside;
	char sql[60];
	int got = 0;

	for (int i = 0; i < DRAIN && got != MYSQL_NO_DATA && got != 1; i++)
		got = lib.mysql_stmt_fetch(cursor->stmt);
	if (got == MYSQL_NO_DATA || got == 1)
		return;
	beside = fl_my_connect_beside(my);
	if (!beside)
		return; /* then the rest is read, when the statement is closed
			 */
	snprintf(sql, sizeof(sql), "KILL QUERY %lu",
		 lib.mysql_thread_id(my->conn));
	lib.mysql_real_query(beside, sql, strlen(sql));
	lib.mysql_close(beside);
	lib.mysql_stmt_free_result(cursor->stmt);
	/* Had it ended by itself by then, this is what is stopped. */
	lib.mysql_real_query(my->conn, "DO 0", 4);
}

void fl_my_end(struct fl_db_cursor *cursor)
{
	if (!cursor)
		return;
	if (cursor->alone && !cursor->ended)
		stop(cursor);
	lib.mysql_stmt_close(cursor->stmt);
	fl_my_release_columns(&cursor->columns);
	free(cursor);
}

#endif
