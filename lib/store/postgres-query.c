/* postgres-query: rows back into records.
 *
 * One cursor a type, each in the order of time, merged: the server keeps the
 * rows, and memory here does not grow with what is stored, for a fetch asks for
 * about as many rows as fit into FETCH_BYTES. A transaction around the cursors
 * makes one snapshot of all tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "rec/bar.h"

enum {
	FETCH_FIRST = 100, /* rows, until their size is known */
	FETCH_MOST = 5000,
	FETCH_BYTES = 1 << 20,
};

/* One type's rows, standing on the next one. */
struct part {
	struct fl_pg_table *table;
	unsigned number;        /* of its cursor */
	struct pg_result *rows; /* NULL: there are no more */
	size_t at, count;       /* row, rows */
	size_t ask;             /* rows to fetch next */
	int64_t ts;
};

struct fl_cursor {
	struct fl_pg *p;
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

/* Does a key column hold what stands for an absent field? The column behind
 * tells whether the record said it. */
static bool is_absent(const struct fl_sql_column *col,
		      const struct pg_result *rows, size_t row, size_t column,
		      const char *bytes, size_t len)
{
	size_t ignored;

	if (!col->absent || len != strlen(col->absent) ||
	    memcmp(bytes, col->absent, len) != 0)
		return false;
	return len == 0 || !fl_pq_value(rows, row, column + 1, &ignored);
}

/* A column as a member: ,"price":1 */
static void print_field(const struct fl_pg_table *table,
			const struct pg_result *rows, size_t row, size_t i,
			const char *bytes, size_t len, struct fl_buf *out)
{
	const struct fl_sql_column *col = &table->cols[i];
	size_t start = out->len;
	int rest = 0;

	if (is_absent(col, rows, row, i, bytes, len))
		return;
	if (col->kind == FL_TIME)
		rest = (int)fl_pq_number(rows, row, i + 1);
	fl_buf_append(out, table->leads[i].data, table->leads[i].len);
	if (!fl_pg_print(out, col->kind, bytes, len, rest))
		out->len = start;
}

void fl_pg_print_row(const struct fl_pg_table *table,
		     const struct pg_result *rows, size_t row,
		     struct fl_buf *out)
{
	size_t doc = table->count - 1, len;
	const char *bytes;

	if (table->cols[doc].role == FL_SQL_DOC) {
		bytes = fl_pq_value(rows, row, doc, &len);
		if (bytes)
			fl_buf_append(out, bytes, len);
		return;
	}
	fl_buf_printf(out, "{\"type\":\"%s\"", table->type->name);
	for (size_t i = 0; i < table->count; i++) {
		bytes = fl_pq_value(rows, row, i, &len);
		if (!bytes)
			continue;
		if (table->cols[i].role == FL_SQL_FIELD) {
			print_field(table, rows, row, i, bytes, len, out);
		} else if (table->cols[i].role == FL_SQL_EXTRA && len > 2) {
			fl_buf_putc(out, ',');
			fl_buf_append(out, bytes + 1, len - 2);
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
	struct fl_buf sql = FL_BUF_INIT;
	struct pg_result *rows = NULL;
	int result;

	*newest = FL_TIME_NONE;
	fl_buf_puts(&sql, "SELECT MIN(");
	fl_sql_postgres.instant(&sql, "wm");
	fl_buf_puts(&sql, "), COUNT(wm), COUNT(*) FROM fl_position "
			  "WHERE pipeline = $1");
	result = fl_pq_ask(cursor->p->pq, sql.data, &pipeline, 1, "read", &rows,
			   err);
	fl_buf_release(&sql);
	if (result < 0)
		return -1;
	if (fl_pq_number(rows, 0, 2) > 0 &&
	    fl_pq_number(rows, 0, 1) == fl_pq_number(rows, 0, 2))
		*newest = fl_pq_number(rows, 0, 0);
	fl_pq_free(rows);
	return 0;
}

/* In place of a row made of parts: the bar that they make. */
static int finish_bar(struct fl_cursor *cursor, const struct part *part,
		      struct fl_error *err)
{
	size_t len = 0;
	const char *pipeline =
		fl_pq_value(part->rows, part->at,
			    (size_t)part->table->pipeline_column, &len);
	struct fl_record rec = { .bytes = cursor->text.data,
				 .len = cursor->text.len };
	int64_t newest = FL_TIME_NONE;
	struct fl_note note;

	if (pipeline) {
		/* Within this snapshot it stays what it is. */
		int64_t **slot =
			(int64_t **)fl_map_at(&cursor->newest, pipeline, len);

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
				    cursor->p->place, note.detail);
	fl_buf_reset(&cursor->whole);
	fl_bar_finish(&rec, newest, &cursor->whole);
	return 0;
}

/* --- statements ---------------------------------------------------------- */

static int ask(struct fl_pg *p, const struct fl_buf *sql,
	       const struct fl_sql_values *values, struct pg_result **rows,
	       struct fl_error *err)
{
	const char **args = fl_alloc((values->count + 1) * sizeof(*args));
	int result;

	for (size_t i = 0; i < values->count; i++)
		args[i] = values->items[i].text;
	result = fl_pq_ask(p->pq, sql->data, args, values->count, "read", rows,
			   err);
	free(args);
	return result;
}

/* The newest N of each series have the numbers 1 to N. */
static void put_last(struct fl_buf *sql, const struct fl_pg_table *table,
		     const struct fl_query *query, struct fl_sql_values *values)
{
	const struct fl_type *type = table->type;
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(table->cols, table->count, series);

	fl_buf_puts(sql, "(SELECT *, row_number() OVER (");
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(sql, i ? ", " : "PARTITION BY ");
		fl_sql_name(sql, &fl_sql_postgres, table->cols[series[i]].name);
	}
	fl_buf_puts(sql, " ORDER BY ");
	fl_sql_order(sql, &fl_sql_postgres, type, NULL, true);
	fl_buf_puts(sql, ") AS fl_n FROM ");
	fl_sql_name(sql, &fl_sql_postgres, type->name);
	fl_sql_where(sql, &fl_sql_postgres, type, query, values);
	fl_buf_printf(sql, ") AS t WHERE fl_n <= %llu",
		      (unsigned long long)query->last);
}

static int declare(struct fl_pg *p, const struct part *part,
		   const struct fl_query *query, struct fl_error *err)
{
	const struct fl_type *type = part->table->type;
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	fl_buf_printf(&sql, "DECLARE fl_%u NO SCROLL CURSOR FOR SELECT ",
		      part->number);
	fl_sql_row(&sql, &fl_sql_postgres, type, NULL);
	fl_buf_puts(&sql, " FROM ");
	if (query->last) {
		put_last(&sql, part->table, query, &values);
	} else {
		fl_sql_name(&sql, &fl_sql_postgres, type->name);
		fl_sql_where(&sql, &fl_sql_postgres, type, query, &values);
	}
	if (!query->unordered) {
		fl_buf_puts(&sql, " ORDER BY ");
		fl_sql_order(&sql, &fl_sql_postgres, type, NULL, false);
	}
	result = ask(p, &sql, &values, NULL, err);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

/* --- the cursor ---------------------------------------------------------- */

static size_t size_of(const struct part *part)
{
	size_t bytes = 0, len;

	for (size_t i = 0; i < part->count; i++) {
		for (size_t j = 0; j < part->table->count; j++) {
			if (fl_pq_value(part->rows, i, j, &len))
				bytes += len;
			bytes += 16; /* what libpq keeps of each */
		}
	}
	return bytes;
}

static int fetch(struct fl_cursor *cursor, struct part *part,
		 struct fl_error *err)
{
	char sql[64];

	fl_pq_free(part->rows);
	part->rows = NULL;
	snprintf(sql, sizeof(sql), "FETCH %zu FROM fl_%u", part->ask,
		 part->number);
	if (fl_pq_ask(cursor->p->pq, sql, NULL, 0, "read", &part->rows, err) <
	    0)
		return -1;
	part->at = 0;
	part->count = fl_pq_rows(part->rows);
	if (part->count == 0) {
		fl_pq_free(part->rows);
		part->rows = NULL;
		return 0;
	}
	part->ask = FETCH_BYTES / (size_of(part) / part->count + 1) + 1;
	if (part->ask > FETCH_MOST)
		part->ask = FETCH_MOST;
	return 0;
}

/* To the next row of a part. */
static int advance(struct fl_cursor *cursor, struct part *part,
		   struct fl_error *err)
{
	size_t column = (size_t)part->table->ts_column, len;

	part->at++;
	if (part->at >= part->count && fetch(cursor, part, err) < 0)
		return -1;
	if (part->rows)
		part->ts = fl_pg_time(
			fl_pq_value(part->rows, part->at, column, &len),
			(int)fl_pq_number(part->rows, part->at, column + 1));
	return 0;
}

static int open_parts(struct fl_cursor *cursor, const struct fl_query *query,
		      struct fl_error *err)
{
	struct fl_pg *p = cursor->p;

	for (size_t i = 0; fl_types[i]; i++) {
		struct part *part = &cursor->parts[cursor->count];

		if (!fl_sql_matches(fl_types[i], query))
			continue;
		part->table = fl_pg_table(p, fl_types[i]);
		part->number = ++p->cursors;
		part->ask = FETCH_FIRST;
		cursor->count++;
		if (declare(p, part, query, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < cursor->count; i++) {
		if (advance(cursor, &cursor->parts[i], err) < 0)
			return -1;
	}
	return 0;
}

int fl_pg_query(struct fl_store *store, const struct fl_query *query,
		struct fl_cursor **out, struct fl_error *err)
{
	struct fl_cursor *cursor = fl_zalloc(sizeof(*cursor));
	struct fl_pg *p = store->state;

	*out = cursor;
	cursor->p = p;
	if (p->empty)
		return 0;
	if (!fl_pq_in_transaction(p->pq)) {
		if (fl_pq_run(p->pq,
			      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
			      "read", err) < 0)
			goto failed;
		cursor->transaction = true;
	} else if (fl_pg_flush(store, err) < 0) {
		goto failed;
	}
	if (open_parts(cursor, query, err) == 0)
		return 0;
failed:
	*out = NULL;
	fl_pg_end(cursor);
	return -1;
}

int fl_pg_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
	       int64_t *ts_ns, struct fl_error *err)
{
	struct part *first = NULL;
	const char *partial;
	size_t ignored;

	if (cursor->current && advance(cursor, cursor->current, err) < 0)
		return -1;
	cursor->current = NULL;
	for (size_t i = 0; i < cursor->count; i++) {
		struct part *part = &cursor->parts[i];

		if (part->rows && (!first || part->ts < first->ts))
			first = part;
	}
	if (!first)
		return 0;
	fl_buf_reset(&cursor->text);
	fl_pg_print_row(first->table, first->rows, first->at, &cursor->text);
	cursor->current = first;
	*bytes = fl_buf_text(&cursor->text);
	*len = cursor->text.len;
	*ts_ns = first->ts;
	if (first->table->partial_column < 0)
		return 1;
	partial = fl_pq_value(first->rows, first->at,
			      (size_t)first->table->partial_column, &ignored);
	if (!partial || !*partial)
		return 1;
	if (finish_bar(cursor, first, err) < 0)
		return -1;
	*bytes = cursor->whole.data;
	*len = cursor->whole.len;
	return 1;
}

void fl_pg_end(struct fl_cursor *cursor)
{
	struct fl_error err = { .code = FL_OK };
	char sql[64];

	if (!cursor)
		return;
	for (size_t i = 0; i < cursor->count; i++) {
		struct part *part = &cursor->parts[i];

		fl_pq_free(part->rows);
		if (cursor->transaction)
			continue;
		snprintf(sql, sizeof(sql), "CLOSE fl_%u", part->number);
		fl_pq_run(cursor->p->pq, sql, "read", &err);
	}
	if (cursor->transaction)
		fl_pq_run(cursor->p->pq, "ROLLBACK", "read", &err);
	fl_buf_release(&cursor->text);
	fl_buf_release(&cursor->whole);
	fl_json_release(&cursor->json);
	fl_map_release(&cursor->newest, free);
	free(cursor);
}

/* --- what there is ------------------------------------------------------- */

static const char *text_of(const struct pg_result *rows, size_t row,
			   size_t column)
{
	size_t len;

	return fl_pq_value(rows, row, column, &len); /* libpq adds a NUL */
}

static int list_type(struct fl_pg *p, const struct fl_type *type,
		     const struct fl_query *query,
		     int (*each)(void *arg, const struct fl_summary *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	struct pg_result *rows = NULL;
	int result;

	fl_sql_list(&sql, &fl_sql_postgres, type, query, &values);
	result = ask(p, &sql, &values, &rows, err);
	for (size_t i = 0; result == 0 && i < fl_pq_rows(rows); i++) {
		struct fl_summary row = {
			.type = type->name,
			.provider = text_of(rows, i, 0),
			.symbol = text_of(rows, i, 1),
			.interval = text_of(rows, i, 2),
			.count = (uint64_t)fl_pq_number(rows, i, 3),
			.first = fl_pq_number(rows, i, 4),
			.last = fl_pq_number(rows, i, 5),
		};

		/* Without GROUP BY an empty table has a row of its own. */
		if (row.count)
			result = each(arg, &row, err);
	}
	fl_pq_free(rows);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

int fl_pg_list(struct fl_store *store, const struct fl_query *query,
	       int (*each)(void *arg, const struct fl_summary *row,
			   struct fl_error *err),
	       void *arg, struct fl_error *err)
{
	struct fl_pg *p = store->state;

	for (size_t i = 0; !p->empty && fl_types[i]; i++) {
		if (fl_sql_matches(fl_types[i], query) &&
		    list_type(p, fl_types[i], query, each, arg, err) < 0)
			return -1;
	}
	return 0;
}

#endif
