/* server-query: rows back into records.
 *
 * One cursor a type, each in the order of time, merged: the server keeps the
 * rows, and memory here does not grow with what is stored. A transaction around
 * the cursors makes one snapshot of all tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "rec/bar.h"

/* One type's rows, standing on the next one. */
struct part {
	struct fl_server_table *table;
	struct fl_db_cursor *rows; /* NULL: there are no more */
	struct fl_cell cells[FL_SQL_COLUMNS_MAX];
	int64_t ts;
};

struct fl_cursor {
	struct fl_server *s;
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
		      const struct fl_cell *cell)
{
	if (!col->absent || cell->len != strlen(col->absent) ||
	    memcmp(cell->bytes, col->absent, cell->len) != 0)
		return false;
	return cell->len == 0 || !cell[1].bytes;
}

static void print_integer(struct fl_buf *out, int64_t value)
{
	if (value < 0)
		fl_buf_putc(out, '-');
	fl_buf_u64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void print_time(struct fl_buf *out, int64_t ns)
{
	char text[FL_TIME_TEXT];

	fl_buf_putc(out, '"');
	fl_buf_append(out, text, fl_time_print(ns, text));
	fl_buf_putc(out, '"');
}

static void print_date(struct fl_buf *out, int64_t days)
{
	char text[FL_TIME_TEXT];

	fl_buf_putc(out, '"');
	fl_buf_append(out, text, fl_date_print(days, text));
	fl_buf_putc(out, '"');
}

/* As JSON; false when JSON cannot say it. The cell behind a time has its rest.
 */
static bool print_value(const struct fl_server *s, enum fl_kind kind,
			const struct fl_cell *cell, struct fl_buf *out)
{
	const struct fl_wire *wire = s->kind->wire;
	int64_t (*number)(struct fl_cell) = s->db->ops->number;

	switch (kind) {
	case FL_STRING:
		fl_buf_json_string(out, cell->bytes, cell->len);
		break;
	case FL_NUMBER:
	case FL_SUM:
		return wire->print_number(out, *cell);
	case FL_INTEGER:
		print_integer(out, number(*cell));
		break;
	case FL_BOOLEAN:
		fl_buf_puts(out, number(*cell) ? "true" : "false");
		break;
	case FL_TIME:
		print_time(out, wire->time(*cell, (int)number(cell[1])));
		break;
	case FL_DATE:
		print_date(out, wire->date(*cell));
		break;
	case FL_STRINGS:
		wire->print_texts(out, *cell);
		break;
	case FL_OBJECTS:
	case FL_OBJECT: /* canonical text since it was stored */
		fl_buf_append(out, cell->bytes, cell->len);
		break;
	}
	return true;
}

/* A column as a member: ,"price":1 */
static void print_field(const struct fl_server *s,
			const struct fl_server_table *table, size_t i,
			const struct fl_cell *cell, struct fl_buf *out)
{
	const struct fl_sql_column *col = &table->cols[i];
	size_t start = out->len;

	if (is_absent(col, cell))
		return;
	fl_buf_append(out, table->leads[i].data, table->leads[i].len);
	if (!print_value(s, col->kind, cell, out))
		out->len = start;
}

void fl_server_print_row(const struct fl_server *s,
			 const struct fl_server_table *table,
			 const struct fl_cell *cells, struct fl_buf *out)
{
	size_t doc = table->count - 1;

	if (table->cols[doc].role == FL_SQL_DOC) {
		if (cells[doc].bytes)
			fl_buf_append(out, cells[doc].bytes, cells[doc].len);
		return;
	}
	fl_buf_puts(out, "{\"type\":\"");
	fl_buf_puts(out, table->type->name);
	fl_buf_putc(out, '"');
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_cell *cell = &cells[i];

		if (!cell->bytes)
			continue;
		if (table->cols[i].role == FL_SQL_FIELD) {
			print_field(s, table, i, cell, out);
		} else if (table->cols[i].role == FL_SQL_EXTRA &&
			   cell->len > 2) {
			fl_buf_putc(out, ',');
			fl_buf_append(out, cell->bytes + 1, cell->len - 2);
		}
	}
	fl_buf_putc(out, '}');
}

/* --- bars made of parts -------------------------------------------------- */

/* Up to which time the data of each pipeline have come: the least of its
 * origins' watermarks, FL_TIME_NONE where one of them does not say. */
static int find_newest(struct fl_cursor *cursor, struct fl_error *err)
{
	struct fl_db *db = cursor->s->db;
	struct fl_buf sql = FL_BUF_INIT;
	struct fl_rows *rows = NULL;
	int result;

	fl_buf_puts(&sql, "SELECT pipeline, MIN(");
	cursor->s->kind->dialect->instant(&sql, "wm");
	fl_buf_puts(&sql, "), COUNT(wm), COUNT(*) FROM fl_position "
			  "GROUP BY pipeline");
	result = fl_db_ask(db, sql.data, NULL, 0, "read", &rows, err);
	fl_buf_release(&sql);
	if (result < 0)
		return -1;
	for (size_t i = 0; i < fl_db_count(db, rows); i++) {
		struct fl_cell name = fl_db_cell(db, rows, i, 0);
		int64_t *newest = fl_alloc(sizeof(*newest));

		*newest = FL_TIME_NONE;
		if (fl_db_number(db, rows, i, 2) ==
		    fl_db_number(db, rows, i, 3))
			*newest = fl_db_number(db, rows, i, 1);
		*fl_map_at(&cursor->newest, name.bytes, name.len) = newest;
	}
	fl_db_free(db, rows);
	return 0;
}

/* In place of a row made of parts: the bar that they make. */
static int finish_bar(struct fl_cursor *cursor, const struct part *part,
		      struct fl_error *err)
{
	struct fl_cell pipeline = part->cells[part->table->pipeline_column];
	struct fl_record rec = { .bytes = cursor->text.data,
				 .len = cursor->text.len };
	int64_t newest = FL_TIME_NONE;
	struct fl_note note;

	if (pipeline.bytes) {
		void **slot = fl_map_at(&cursor->newest, pipeline.bytes,
					pipeline.len);

		if (*slot)
			newest = *(int64_t *)*slot;
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

/* Its parameters as text. free() them. */
static const char **texts_of(const struct fl_sql_values *values)
{
	const char **args = fl_alloc((values->count + 1) * sizeof(*args));

	for (size_t i = 0; i < values->count; i++)
		args[i] = values->items[i].text;
	return args;
}

/* The newest N of each series have the numbers 1 to N. */
static void put_last(struct fl_buf *sql, const struct fl_sql_dialect *dialect,
		     const struct fl_server_table *table,
		     const struct fl_query *query, struct fl_sql_values *values)
{
	const struct fl_type *type = table->type;
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(table->cols, table->count, series);

	fl_buf_puts(sql, "(SELECT *, row_number() OVER (");
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(sql, i ? ", " : "PARTITION BY ");
		fl_sql_name(sql, dialect, table->cols[series[i]].name);
	}
	fl_buf_puts(sql, " ORDER BY ");
	fl_sql_order(sql, dialect, type, NULL, true);
	fl_buf_puts(sql, ") AS fl_n FROM ");
	fl_sql_name(sql, dialect, type->name);
	fl_sql_where(sql, dialect, type, query, values);
	fl_buf_printf(sql, ") AS t WHERE fl_n <= %llu",
		      (unsigned long long)query->last);
}

/* What the rows are selected from. */
static int put_from(struct fl_buf *sql, struct fl_server *s,
		    struct fl_server_table *table, const struct fl_query *query,
		    struct fl_sql_values *values, struct fl_error *err)
{
	const struct fl_sql_dialect *dialect = s->kind->dialect;
	size_t before = sql->len;

	if (!query->last) {
		fl_sql_name(sql, dialect, table->type->name);
		fl_sql_where(sql, dialect, table->type, query, values);
		return 0;
	}
	if (s->kind->put_last &&
	    s->kind->put_last(s, sql, table, query, values, err) < 0)
		return -1;
	if (sql->len == before)
		put_last(sql, dialect, table, query, values);
	return 0;
}

static int put_select(struct fl_buf *sql, struct fl_server *s,
		      const struct part *part, const struct fl_query *query,
		      struct fl_sql_values *values, struct fl_error *err)
{
	const struct fl_type *type = part->table->type;

	fl_buf_puts(sql, "SELECT ");
	fl_sql_row(sql, s->kind->dialect, type, NULL);
	fl_buf_puts(sql, " FROM ");
	if (put_from(sql, s, part->table, query, values, err) < 0)
		return -1;
	if (query->unordered)
		return 0;
	fl_buf_puts(sql, " ORDER BY ");
	fl_sql_order(sql, s->kind->dialect, type, NULL, false);
	return 0;
}

/* Has the table any row? Which of them match is not asked: it might be none,
 * and finding that out takes as long as reading does. */
static int look(struct fl_server *s, const struct fl_type *type, bool *any,
		struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	struct fl_rows *rows = NULL;
	int got;

	fl_buf_puts(&sql, "SELECT 1 FROM ");
	fl_sql_name(&sql, s->kind->dialect, type->name);
	fl_buf_puts(&sql, " LIMIT 1");
	got = fl_db_ask(s->db, sql.data, NULL, 0, "read", &rows, err);
	if (got == 0)
		*any = fl_db_count(s->db, rows) > 0;
	fl_db_free(s->db, rows);
	fl_buf_release(&sql);
	return got;
}

/* --- the cursor ---------------------------------------------------------- */

/* To the next row of a part. */
static int advance(struct fl_cursor *cursor, struct part *part,
		   struct fl_error *err)
{
	const struct fl_server *s = cursor->s;
	const struct fl_cell *ts = &part->cells[part->table->ts_column];
	int got = s->db->ops->step(part->rows, part->cells, err);

	if (got < 0)
		return -1;
	if (got) {
		part->ts = s->kind->wire->time(ts[0],
					       (int)s->db->ops->number(ts[1]));
		return 0;
	}
	s->db->ops->end(part->rows);
	part->rows = NULL;
	return 0;
}

static int open_part(struct fl_cursor *cursor, struct part *part,
		     const struct fl_query *query, struct fl_error *err)
{
	struct fl_server *s = cursor->s;
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	const char **args;
	int result = put_select(&sql, s, part, query, &values, err);

	args = texts_of(&values);
	if (result == 0)
		result = s->db->ops->declare(
			s->db, sql.data, args, values.count, part->table->count,
			cursor->count == 1 && cursor->transaction, &part->rows,
			err);
	free(args);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

static int open_parts(struct fl_cursor *cursor, const struct fl_query *query,
		      struct fl_error *err)
{
	struct fl_server *s = cursor->s;
	bool any = true, parts = false;

	for (size_t i = 0; fl_types[i]; i++) {
		if (!fl_sql_matches(fl_types[i], query))
			continue;
		/* Of one type alone they can stream. */
		if (look(s, fl_types[i], &any, err) < 0)
			return -1;
		if (!any)
			continue;
		cursor->parts[cursor->count].table =
			fl_server_table(s, fl_types[i]);
		parts |= cursor->parts[cursor->count++].table->partial_column >=
			 0;
	}
	if (parts && find_newest(cursor, err) < 0)
		return -1;
	for (size_t i = 0; i < cursor->count; i++) {
		if (open_part(cursor, &cursor->parts[i], query, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < cursor->count; i++) {
		if (advance(cursor, &cursor->parts[i], err) < 0)
			return -1;
	}
	return 0;
}

int fl_server_query(struct fl_store *store, const struct fl_query *query,
		    struct fl_cursor **out, struct fl_error *err)
{
	struct fl_cursor *cursor = fl_zalloc(sizeof(*cursor));
	struct fl_server *s = store->state;

	*out = cursor;
	cursor->s = s;
	if (s->empty)
		return 0;
	if (!s->db->ops->in_transaction(s->db)) {
		if (fl_db_run(s->db, s->kind->begin_to_read, "read", err) < 0)
			goto failed;
		cursor->transaction = true;
	} else if (fl_server_flush(store, err) < 0) {
		goto failed;
	}
	if (open_parts(cursor, query, err) == 0)
		return 0;
failed:
	*out = NULL;
	fl_server_end(cursor);
	return -1;
}

int fl_server_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		   int64_t *ts_ns, struct fl_error *err)
{
	const struct fl_server *s = cursor->s;
	struct part *first = NULL;
	int partial;

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
	fl_server_print_row(s, first->table, first->cells, &cursor->text);
	cursor->current = first;
	*bytes = fl_buf_text(&cursor->text);
	*len = cursor->text.len;
	*ts_ns = first->ts;
	partial = first->table->partial_column;
	if (partial < 0 || !s->db->ops->number(first->cells[partial]))
		return 1;
	if (finish_bar(cursor, first, err) < 0)
		return -1;
	*bytes = cursor->whole.data;
	*len = cursor->whole.len;
	return 1;
}

void fl_server_end(struct fl_cursor *cursor)
{
	if (!cursor)
		return;
	for (size_t i = 0; i < cursor->count; i++) {
		if (cursor->parts[i].rows)
			cursor->s->db->ops->end(cursor->parts[i].rows);
	}
	if (cursor->transaction)
		fl_server_undo(cursor->s);
	fl_buf_release(&cursor->text);
	fl_buf_release(&cursor->whole);
	fl_json_release(&cursor->json);
	fl_map_release(&cursor->newest, free);
	free(cursor);
}

/* --- what there is ------------------------------------------------------- */

static int list_type(struct fl_server *s, const struct fl_type *type,
		     const struct fl_query *query,
		     int (*each)(void *arg, const struct fl_summary *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	struct fl_rows *rows = NULL;
	const char **args;
	int result;

	fl_sql_list(&sql, s->kind->dialect, type, query, &values);
	args = texts_of(&values);
	result = fl_db_ask(s->db, sql.data, args, values.count, "read", &rows,
			   err);
	for (size_t i = 0; result == 0 && i < fl_db_count(s->db, rows); i++) {
		struct fl_summary row = {
			.type = type->name,
			.provider = fl_db_cell(s->db, rows, i, 0).bytes,
			.symbol = fl_db_cell(s->db, rows, i, 1).bytes,
			.interval = fl_db_cell(s->db, rows, i, 2).bytes,
			.count = (uint64_t)fl_db_number(s->db, rows, i, 3),
			.first = fl_db_number(s->db, rows, i, 4),
			.last = fl_db_number(s->db, rows, i, 5),
		};

		/* Without GROUP BY an empty table has a row of its own. */
		if (row.count)
			result = each(arg, &row, err);
	}
	fl_db_free(s->db, rows);
	free(args);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

int fl_server_list(struct fl_store *store, const struct fl_query *query,
		   int (*each)(void *arg, const struct fl_summary *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	struct fl_server *s = store->state;

	for (size_t i = 0; !s->empty && fl_types[i]; i++) {
		if (fl_sql_matches(fl_types[i], query) &&
		    list_type(s, fl_types[i], query, each, arg, err) < 0)
			return -1;
	}
	return 0;
}
