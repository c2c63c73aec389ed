/* sqlite-row: records into rows.
 *
 * A statement costs a third of what it does with a row, so rows wait until
 * there are enough of them for one statement of many, or the transaction ends.
 * It names the columns that have occurred so far, mostly a third of all, and
 * puts a row in the place of one with its key. How often it came to that is
 * counted by a collation of our own, in a comparison that is made just then: a
 * function would be plainer, but functions may fail, and for a statement that
 * may fail half-way SQLite keeps a journal, which costs more than the rows. For
 * the same reason it is INSERT OR FAIL: a failure ends the transaction anyway.
 *
 * Values are taken as they stand in the line where they are canonical already,
 * which most are: then the line is copied once, and nothing is printed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"
#include "base/short.h"
#include "rec/bar.h"
#include "rec/number.h"
#include "store/sqlite.h"

enum {
	TEXTS_MAX = 1 << 18, /* bytes that may wait; a longer row does alone */
};

/* --- a record as cells --------------------------------------------------- */

/* What a row is made of, while it is. */
struct row {
	struct fl_sqlite_table *table;
	const struct fl_record *rec;
	struct fl_sqlite_cell *cells; /* as table->used has the columns */
	size_t line; /* where table->texts has the line; only of a plain one */
};

static void set_text(struct row *row, struct fl_sqlite_cell *cell,
		     const char *text, size_t len)
{
	cell->kind = FL_SQLITE_TEXT;
	cell->len = (uint32_t)len;
	cell->at = row->table->texts.len;
	fl_buf_append(&row->table->texts, text, len);
}

static void set_number(struct fl_sqlite_cell *cell, int64_t number)
{
	cell->kind = FL_SQLITE_NUMBER;
	cell->number = number;
}

/* The token's text as it is; of a plain record it lies in the line. */
static inline void set_token(struct row *row, struct fl_sqlite_cell *cell,
			     const struct fl_json_tok *tok)
{
	if (!row->rec->plain) {
		set_text(row, cell, tok->text, tok->len);
		return;
	}
	cell->kind = FL_SQLITE_TEXT;
	cell->len = tok->len;
	cell->at = row->line + (size_t)(tok->text - row->rec->bytes);
}

/* A value that is not canonical as it stands, or has parts. */
static void set_printed(struct row *row, struct fl_sqlite_cell *cell, int field)
{
	struct fl_buf *texts = &row->table->texts;

	cell->kind = FL_SQLITE_TEXT;
	cell->at = texts->len;
	fl_record_print(row->rec, field, texts);
	cell->len = (uint32_t)(texts->len - cell->at);
}

static void set_integer(struct fl_sqlite_cell *cell,
			const struct fl_json_tok *tok)
{
	int64_t value = 0;

	if (!fl_integer_parse(tok->text, tok->len, &value))
		FL_BUG("a checked integer is none");
	set_number(cell, value);
}

static bool is_canonical(const struct fl_record *rec,
			 const struct fl_json_tok *tok, enum fl_kind kind)
{
	struct fl_look look;

	if (rec->plain)
		return true;
	look = fl_number_look(tok->text, tok->len);
	return kind == FL_SUM ? look.whole : look.plain;
}

static void set_time(struct fl_sqlite_cell *cell, const struct fl_record *rec,
		     int field)
{
	int64_t ns = rec->ts_ns;

	if (strcmp(rec->type->fields[field].path, "ts") != 0 &&
	    !fl_record_time(rec, field, &ns))
		FL_BUG("a checked time is none");
	set_number(cell, ns);
}

/* The value of a field that is there. */
static void set_field(struct row *row, struct fl_sqlite_cell *cell,
		      const struct fl_sql_column *col)
{
	const struct fl_record *rec = row->rec;
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[col->field]];

	switch (col->kind) {
	case FL_STRING:
	case FL_DATE:
		set_token(row, cell, tok);
		break;
	case FL_NUMBER:
	case FL_SUM:
		if (is_canonical(rec, tok, col->kind))
			set_token(row, cell, tok);
		else
			set_printed(row, cell, col->field);
		break;
	case FL_INTEGER:
		set_integer(cell, tok);
		break;
	case FL_BOOLEAN:
		set_number(cell, tok->kind == FL_JSON_TRUE);
		break;
	case FL_TIME:
		set_time(cell, rec, col->field);
		break;
	case FL_STRINGS:
	case FL_OBJECTS:
	case FL_OBJECT:
		set_printed(row, cell, col->field);
		break;
	}
}

/* Does the record say what its key would hold anyway? */
static bool is_given(const struct fl_record *rec,
		     const struct fl_sql_column *col)
{
	const char *absent = rec->type->fields[col->field].absent;
	uint32_t at = rec->at[col->field];

	return at && fl_json_is(&rec->json->toks[at], absent, strlen(absent));
}

/* One that is put together: what no field knows, or the whole record. */
static void set_rest(struct row *row, struct fl_sqlite_cell *cell,
		     enum fl_sql_role role)
{
	struct fl_buf *texts = &row->table->texts;

	cell->at = texts->len;
	if (role == FL_SQL_DOC)
		fl_record_canonical(row->rec, texts);
	else if (!row->rec->plain) /* a plain one has known fields alone */
		fl_record_extra(row->rec, texts);
	cell->len = (uint32_t)(texts->len - cell->at);
	cell->kind = cell->len ? FL_SQLITE_TEXT : FL_SQLITE_NULL;
}

static void set_cell(struct row *row, struct fl_sqlite_cell *cell,
		     const struct fl_sql_column *col)
{
	cell->kind = FL_SQLITE_NULL;
	switch (col->role) {
	case FL_SQL_FIELD:
		if (row->rec->at[col->field])
			set_field(row, cell, col);
		else if (col->absent)
			set_text(row, cell, col->absent, strlen(col->absent));
		break;
	case FL_SQL_GIVEN:
		if (is_given(row->rec, col))
			set_number(cell, 1);
		break;
	case FL_SQL_TICK_ID:
		set_number(cell, fl_record_tick_id(row->rec));
		break;
	case FL_SQL_EXTRA:
	case FL_SQL_DOC:
		set_rest(row, cell, col->role);
		break;
	case FL_SQL_NS: /* not in this dialect */
		break;
	case FL_SQL_PIPELINE:
		if (row->table->pipeline && fl_bar_is_partial(row->rec))
			set_text(row, cell, row->table->pipeline,
				 strlen(row->table->pipeline));
		break;
	}
}

/* --- statements ---------------------------------------------------------- */

static int on_replace(void *replaced, int a_len, const void *a, int b_len,
		      const void *b)
{
	(void)a_len, (void)a, (void)b_len, (void)b;
	++*(uint64_t *)replaced;
	return 1;
}

int fl_sqlite_count_replaced(struct fl_sqlite *s, struct fl_error *err)
{
	if (sqlite3_create_collation(s->db, "fl_replaced", SQLITE_UTF8,
				     s->replaced, on_replace) == SQLITE_OK)
		return 0;
	return fl_sqlite_fault(s, "use", err);
}

/* " WHERE excluded.symbol <> '' COLLATE fl_replaced": always true, as no
 * collation that compares would have it. */
static void put_count(struct fl_buf *sql, const struct fl_sqlite_table *table)
{
	size_t i = 0;

	while (!table->cols[i].key || table->cols[i].kind != FL_STRING)
		i++;
	fl_buf_puts(sql, " WHERE excluded.");
	fl_sql_name(sql, &fl_sql_sqlite, table->cols[i].name);
	fl_buf_puts(sql, " <> '' COLLATE fl_replaced");
}

static int prepare(struct fl_sqlite *s, struct fl_sqlite_table *table,
		   sqlite3_stmt **stmt, size_t rows, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	if (*stmt)
		return 0;
	fl_sql_upsert(&sql, &fl_sql_sqlite, table->type, table->used,
		      table->used_count, rows);
	put_count(&sql, table);
	result = fl_sqlite_prepare(s, stmt, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

/* Run the statement with as many rows as it has, from `cells` on. */
static int write_rows(struct fl_sqlite *s, const struct fl_sqlite_table *table,
		      sqlite3_stmt *stmt, const struct fl_sqlite_cell *cells,
		      size_t rows, struct fl_error *err)
{
	const char *texts = table->texts.data;
	int result = 0;

	for (size_t i = 0; i < rows * table->used_count; i++) {
		const struct fl_sqlite_cell *cell = &cells[i];
		int place = (int)i + 1;

		if (cell->kind == FL_SQLITE_TEXT)
			sqlite3_bind_text(stmt, place,
					  cell->len ? texts + cell->at : "",
					  (int)cell->len, SQLITE_STATIC);
		else if (cell->kind == FL_SQLITE_NUMBER)
			sqlite3_bind_int64(stmt, place, cell->number);
		else
			sqlite3_bind_null(stmt, place);
	}
	if (sqlite3_step(stmt) != SQLITE_DONE)
		result = fl_sqlite_fault(s, "write to", err);
	sqlite3_reset(stmt);
	return result;
}

static int flush(struct fl_sqlite *s, struct fl_sqlite_table *table,
		 struct fl_error *err)
{
	size_t rows = table->waiting;
	int result = 0;

	table->waiting = 0;
	if (rows == FL_SQLITE_GROUP) {
		result = prepare(s, table, &table->group, rows, err);
		if (result == 0)
			result = write_rows(s, table, table->group,
					    table->cells, rows, err);
	} else if (rows) {
		result = prepare(s, table, &table->one, 1, err);
		for (size_t i = 0; result == 0 && i < rows; i++)
			result = write_rows(
				s, table, table->one,
				table->cells + i * table->used_count, 1, err);
	}
	fl_buf_reset(&table->texts);
	return result;
}

int fl_sqlite_flush(struct fl_sqlite *s, struct fl_error *err)
{
	for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
		if (s->tables[i] && s->tables[i]->waiting &&
		    flush(s, s->tables[i], err) < 0)
			return -1;
	}
	return 0;
}

void fl_sqlite_drop(struct fl_sqlite *s)
{
	for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
		if (!s->tables[i])
			continue;
		s->tables[i]->waiting = 0;
		fl_buf_reset(&s->tables[i]->texts);
	}
}

/* --- rows ---------------------------------------------------------------- */

static bool is_used(const struct fl_sqlite_table *table, size_t column)
{
	for (size_t i = 0; i < table->used_count; i++) {
		if (table->used[i] == column)
			return true;
	}
	return false;
}

/* Does the row have a value there, or every one? */
static bool has_value(const struct fl_sql_column *col,
		      const struct fl_record *rec)
{
	switch (col->role) {
	case FL_SQL_FIELD:
		return col->required || rec->at[col->field];
	case FL_SQL_EXTRA:
		return !rec->plain; /* it may */
	case FL_SQL_PIPELINE:
		return fl_bar_is_partial(rec);
	default:
		return true;
	}
}

/* Write the columns, too, that this record is the first to have. */
static int widen(struct fl_sqlite *s, struct fl_sqlite_table *table,
		 const struct fl_record *rec, struct fl_error *err)
{
	size_t before = table->used_count;

	for (size_t i = 0; i < table->count; i++) {
		if (!has_value(&table->cols[i], rec) || is_used(table, i))
			continue;
		if (table->used_count == before && flush(s, table, err) < 0)
			return -1;
		table->used[table->used_count++] = i;
	}
	if (table->used_count == before)
		return 0;
	sqlite3_finalize(table->one);
	sqlite3_finalize(table->group);
	table->one = table->group = NULL;
	return 0;
}

/* The cells of a row. returns how many fields of the record are in them */
static uint32_t fill(struct fl_sqlite_table *table, const struct fl_record *rec)
{
	struct row row = { .table = table, .rec = rec };
	uint32_t fields = 0;

	if (!table->cells)
		table->cells = fl_alloc(FL_SQLITE_GROUP * table->count *
					sizeof(*table->cells));
	row.cells = table->cells + table->waiting * table->used_count;
	row.line = table->texts.len;
	if (rec->plain)
		fl_buf_append(&table->texts, rec->bytes, rec->len);
	for (size_t i = 0; i < table->used_count; i++) {
		const struct fl_sql_column *col = &table->cols[table->used[i]];

		set_cell(&row, &row.cells[i], col);
		fields += col->role == FL_SQL_FIELD && rec->at[col->field];
	}
	return fields;
}

static int add_row(struct fl_sqlite *s, struct fl_sqlite_table *table,
		   const struct fl_record *rec, struct fl_error *err)
{
	/* A plain record of which all fields but the type are in columns that
	 * are written has nothing else; of others one looks. */
	if (!rec->plain || table->used_count == 0 ||
	    fill(table, rec) + 1 != rec->json->toks[0].len) {
		if (widen(s, table, rec, err) < 0)
			return -1;
		fill(table, rec);
	}
	table->waiting++;
	return table->waiting == FL_SQLITE_GROUP || table->texts.len > TEXTS_MAX
		       ? flush(s, table, err)
		       : 0;
}

int fl_sqlite_put(struct fl_store *store, const struct fl_record *rec,
		  enum fl_put *outcome, struct fl_note *note,
		  struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	struct fl_sqlite_table *table = fl_sqlite_table(s, rec->type);
	uint64_t replaced = store->replaced;

	*outcome = FL_PUT_NEW;
	if (rec->fixes)
		rec = fl_record_mend(rec, &s->text, &s->json, &s->mended);
	if (table->partial_column >= 0 && fl_bar_may_meet_parts(rec)) {
		if (flush(s, table, err) < 0 ||
		    fl_sqlite_merge(store, table, &rec, outcome, note, err) < 0)
			return -1;
		if (*outcome == FL_PUT_REFUSED)
			return 0;
	}
	if (add_row(s, table, rec, err) < 0)
		return -1;
	if (*outcome == FL_PUT_MERGED) {
		if (flush(s, table, err) < 0)
			return -1;
		store->replaced = replaced;
	}
	if (rec->type->id != FL_TYPE_reject)
		return 0;
	/* Rejects are few, and those of the run's own are not in its account:
	 * they are told apart at once. */
	if (flush(s, table, err) < 0)
		return -1;
	if (store->replaced > replaced)
		*outcome = FL_PUT_REPLACED;
	store->replaced = replaced;
	return 0;
}
