/* sqlite-query: rows back into records.
 *
 * One statement a type, each in the order of time, merged: memory does not grow
 * with what is stored. A read transaction around them makes one snapshot of all
 * tables. Where a condition does not say which rows are meant, sqlite-pick.c
 * finds them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "rec/bar.h"
#include "store/sqlite.h"

/* One type's rows, standing on the next one. */
struct part {
	struct fl_sqlite_table *table;
	sqlite3_stmt *stmt;
	int64_t ts;
	unsigned pick; /* temp.pick_N, which the statement reads; 0: none */
};

struct fl_cursor {
	struct fl_sqlite *s;
	struct part parts[FL_TYPE_COUNT];
	size_t count;
	struct part *current; /* its row was handed out: step before the next */
	struct fl_buf text;
	struct fl_buf whole;  /* a bar made of parts */
	struct fl_json json;  /* for it */
	struct fl_map newest; /* pipeline: how far its data have come */
	bool transaction;     /* ours to end */
};

/* --- a row as a record --------------------------------------------------- */

void fl_sqlite_put_text(struct fl_buf *out, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (text)
		fl_buf_append(out, text,
			      (size_t)sqlite3_column_bytes(stmt, column));
}

static void put_integer(struct fl_buf *out, int64_t value)
{
	if (value < 0)
		fl_buf_putc(out, '-');
	fl_buf_u64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void put_value(struct fl_buf *out, sqlite3_stmt *stmt, int column,
		      enum fl_kind kind)
{
	char time[FL_TIME_TEXT];

	switch (kind) {
	case FL_STRING:
	case FL_DATE:
		fl_buf_json_string(
			out, (const char *)sqlite3_column_text(stmt, column),
			(size_t)sqlite3_column_bytes(stmt, column));
		break;
	case FL_INTEGER:
		put_integer(out, sqlite3_column_int64(stmt, column));
		break;
	case FL_BOOLEAN:
		fl_buf_puts(out, sqlite3_column_int(stmt, column) ? "true"
								  : "false");
		break;
	case FL_TIME:
		fl_buf_putc(out, '"');
		fl_buf_append(out, time,
			      fl_time_print(sqlite3_column_int64(stmt, column),
					    time));
		fl_buf_putc(out, '"');
		break;
	case FL_NUMBER: /* canonical text since it was stored */
	case FL_SUM:
	case FL_STRINGS:
	case FL_OBJECTS:
	case FL_OBJECT:
		fl_sqlite_put_text(out, stmt, column);
		break;
	}
}

/* Does a key column hold what stands for an absent field? The column behind
 * tells whether the record said it. */
static bool is_absent(const struct fl_sql_column *col, sqlite3_stmt *stmt,
		      int column)
{
	size_t len;

	if (!col->absent)
		return false;
	len = strlen(col->absent);
	if ((size_t)sqlite3_column_bytes(stmt, column) != len ||
	    memcmp(sqlite3_column_text(stmt, column), col->absent, len) != 0)
		return false;
	return len == 0 || sqlite3_column_type(stmt, column + 1) == SQLITE_NULL;
}

/* The members of the object {"a":1}, as ,"a":1 */
static void put_members(struct fl_buf *out, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	int len = sqlite3_column_bytes(stmt, column);

	if (!text || len <= 2)
		return;
	fl_buf_putc(out, ',');
	fl_buf_append(out, text + 1, (size_t)len - 2);
}

void fl_sqlite_print_row(const struct fl_sqlite_table *table,
			 sqlite3_stmt *stmt, struct fl_buf *out)
{
	int doc = (int)table->count - 1;

	if (table->cols[doc].role == FL_SQL_DOC) {
		fl_sqlite_put_text(out, stmt, doc);
		return;
	}
	fl_buf_puts(out, "{\"type\":\"");
	fl_buf_puts(out, table->type->name);
	fl_buf_putc(out, '"');
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];
		int column = (int)i;

		if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
			continue;
		if (col->role == FL_SQL_FIELD &&
		    !is_absent(col, stmt, column)) {
			fl_buf_append(out, table->leads[i].data,
				      table->leads[i].len);
			put_value(out, stmt, column, col->kind);
		} else if (col->role == FL_SQL_EXTRA) {
			put_members(out, stmt, column);
		}
	}
	fl_buf_putc(out, '}');
}

/* --- bars made of parts -------------------------------------------------- */

/* Up to which time the data of a pipeline have come: the least of its origins'
 * watermarks; FL_TIME_NONE: one of them does not say. */
static int find_newest(struct fl_cursor *cursor, const char *pipeline,
		       int64_t *newest, struct fl_error *err)
{
	struct fl_sqlite *s = cursor->s;
	sqlite3_stmt *stmt = NULL;
	int result = 0;

	*newest = FL_TIME_NONE;
	if (fl_sqlite_prepare(s, &stmt,
			      "SELECT MIN(wm), COUNT(wm), COUNT(*) "
			      "FROM fl_position WHERE pipeline = ?1",
			      err) < 0)
		return -1;
	sqlite3_bind_text(stmt, 1, pipeline, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		result = fl_sqlite_fault(s, "read", err);
	else if (sqlite3_column_int64(stmt, 2) > 0 &&
		 sqlite3_column_int64(stmt, 1) == sqlite3_column_int64(stmt, 2))
		*newest = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return result;
}

/* In place of a row made of parts: the bar that they make. */
static int finish_bar(struct fl_cursor *cursor, const struct part *part,
		      struct fl_error *err)
{
	const char *pipeline = (const char *)sqlite3_column_text(
		part->stmt, part->table->pipeline_column);
	struct fl_record rec = { .bytes = cursor->text.data,
				 .len = cursor->text.len };
	int64_t newest = FL_TIME_NONE;
	struct fl_note note;

	if (pipeline) {
		/* Within this snapshot it stays what it is. */
		int64_t **slot = (int64_t **)fl_map_at(
			&cursor->newest, pipeline, strlen(pipeline));

		if (!*slot) {
			*slot = fl_alloc(sizeof(**slot));
			if (find_newest(cursor, pipeline, *slot, err) < 0)
				return -1;
		}
		newest = **slot;
	}
	if (fl_record_check(&rec, &cursor->json, &note) != FL_REASON_NONE)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "a bar of '%s' is not as it was stored: %s",
				    cursor->s->place, note.detail);
	fl_buf_reset(&cursor->whole);
	fl_bar_finish(&rec, newest, &cursor->whole);
	return 0;
}

/* --- statements ---------------------------------------------------------- */

static void bind_values(sqlite3_stmt *stmt, const struct fl_sql_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		int place = (int)i + 1;

		if (values->items[i].text)
			sqlite3_bind_text(stmt, place, values->items[i].text,
					  -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_int64(stmt, place,
					   values->items[i].number);
	}
}

int fl_sqlite_select(struct fl_sqlite *s, sqlite3_stmt **stmt,
		     const struct fl_buf *sql,
		     const struct fl_sql_values *values, struct fl_error *err)
{
	if (fl_sqlite_prepare(s, stmt, sql->data, err) < 0)
		return -1;
	bind_values(*stmt, values);
	return 0;
}

/* SELECT … FROM type WHERE … ORDER BY ts, … */
static int select_all(struct fl_sqlite *s, struct part *part,
		      const struct fl_query *query, struct fl_error *err)
{
	const struct fl_type *type = part->table->type;
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	fl_buf_puts(&sql, "SELECT ");
	fl_sql_row(&sql, &fl_sql_sqlite, type, NULL);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, type->name);
	fl_sql_where(&sql, &fl_sql_sqlite, type, query, &values);
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	result = fl_sqlite_select(s, &part->stmt, &sql, &values, err);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

/* --- the cursor ---------------------------------------------------------- */

/* To the next row of a part; a part without one is taken out. */
static int advance(struct fl_cursor *cursor, struct part *part,
		   struct fl_error *err)
{
	int got = sqlite3_step(part->stmt);

	if (got == SQLITE_ROW) {
		part->ts = sqlite3_column_int64(part->stmt,
						part->table->ts_column);
		return 0;
	}
	if (got != SQLITE_DONE)
		return fl_sqlite_fault(cursor->s, "read", err);
	sqlite3_finalize(part->stmt);
	part->stmt = NULL;
	return 0;
}

static int open_part(struct fl_sqlite *s, struct part *part,
		     const struct fl_query *query, struct fl_error *err)
{
	if (query->last)
		return fl_sqlite_pick_last(s, part->table, query, &part->stmt,
					   &part->pick, err);
	if (fl_sqlite_has_spans(part->table, query))
		return fl_sqlite_pick_spans(s, part->table, query, &part->stmt,
					    &part->pick, err);
	return select_all(s, part, query, err);
}

static int open_parts(struct fl_cursor *cursor, const struct fl_query *query,
		      struct fl_error *err)
{
	struct fl_sqlite *s = cursor->s;

	for (size_t i = 0; fl_types[i]; i++) {
		struct part *part = &cursor->parts[cursor->count];

		if (!fl_sql_matches(fl_types[i], query))
			continue;
		part->table = fl_sqlite_table(s, fl_types[i]);
		cursor->count++;
		if (open_part(s, part, query, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < cursor->count; i++) {
		if (advance(cursor, &cursor->parts[i], err) < 0)
			return -1;
	}
	return 0;
}

int fl_sqlite_query(struct fl_store *store, const struct fl_query *query,
		    struct fl_cursor **out, struct fl_error *err)
{
	struct fl_cursor *cursor = fl_zalloc(sizeof(*cursor));

	*out = cursor;
	cursor->s = store->state;
	if (cursor->s->empty)
		return 0;
	if (fl_sqlite_flush(cursor->s, err) < 0)
		goto failed;
	if (sqlite3_get_autocommit(cursor->s->db)) {
		if (fl_sqlite_run(cursor->s, "BEGIN", "read", err) < 0)
			goto failed;
		cursor->transaction = true;
	}
	if (open_parts(cursor, query, err) == 0)
		return 0;
failed:
	*out = NULL;
	fl_sqlite_end(cursor);
	return -1;
}

int fl_sqlite_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		   int64_t *ts_ns, struct fl_error *err)
{
	struct part *first = NULL;

	if (cursor->current && advance(cursor, cursor->current, err) < 0)
		return -1;
	cursor->current = NULL;
	for (size_t i = 0; i < cursor->count; i++) {
		struct part *part = &cursor->parts[i];

		if (part->stmt && (!first || part->ts < first->ts))
			first = part;
	}
	if (!first)
		return 0;
	fl_buf_reset(&cursor->text);
	fl_sqlite_print_row(first->table, first->stmt, &cursor->text);
	cursor->current = first;
	*bytes = cursor->text.data;
	*len = cursor->text.len;
	*ts_ns = first->ts;
	if (first->table->partial_column < 0 ||
	    !sqlite3_column_int(first->stmt, first->table->partial_column))
		return 1;
	if (finish_bar(cursor, first, err) < 0)
		return -1;
	*bytes = cursor->whole.data;
	*len = cursor->whole.len;
	return 1;
}

void fl_sqlite_end(struct fl_cursor *cursor)
{
	char sql[64];

	if (!cursor)
		return;
	for (size_t i = 0; i < cursor->count; i++)
		sqlite3_finalize(cursor->parts[i].stmt);
	for (size_t i = 0; i < cursor->count; i++) {
		if (!cursor->parts[i].pick)
			continue;
		snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS temp.pick_%u",
			 cursor->parts[i].pick);
		sqlite3_exec(cursor->s->db, sql, NULL, NULL, NULL);
	}
	if (cursor->transaction)
		sqlite3_exec(cursor->s->db, "COMMIT", NULL, NULL, NULL);
	fl_buf_release(&cursor->text);
	fl_buf_release(&cursor->whole);
	fl_json_release(&cursor->json);
	fl_map_release(&cursor->newest, free);
	free(cursor);
}

/* --- what there is ------------------------------------------------------- */

static int list_type(struct fl_sqlite *s, const struct fl_type *type,
		     const struct fl_query *query,
		     int (*each)(void *arg, const struct fl_summary *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	sqlite3_stmt *stmt = NULL;
	int got = SQLITE_DONE, result;

	fl_sql_list(&sql, &fl_sql_sqlite, type, query, &values);
	result = fl_sqlite_select(s, &stmt, &sql, &values, err);
	while (result == 0 && (got = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct fl_summary row = {
			.type = type->name,
			.provider = (const char *)sqlite3_column_text(stmt, 0),
			.symbol = (const char *)sqlite3_column_text(stmt, 1),
			.interval = (const char *)sqlite3_column_text(stmt, 2),
			.count = (uint64_t)sqlite3_column_int64(stmt, 3),
			.first = sqlite3_column_int64(stmt, 4),
			.last = sqlite3_column_int64(stmt, 5),
		};

		/* Without GROUP BY an empty table has a row of its own. */
		if (row.count)
			result = each(arg, &row, err);
	}
	if (result == 0 && got != SQLITE_DONE)
		result = fl_sqlite_fault(s, "read", err);
	sqlite3_finalize(stmt);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

int fl_sqlite_list(struct fl_store *store, const struct fl_query *query,
		   int (*each)(void *arg, const struct fl_summary *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;

	if (fl_sqlite_flush(s, err) < 0)
		return -1;
	for (size_t i = 0; !s->empty && fl_types[i]; i++) {
		if (fl_sql_matches(fl_types[i], query) &&
		    list_type(s, fl_types[i], query, each, arg, err) < 0)
			return -1;
	}
	return 0;
}
