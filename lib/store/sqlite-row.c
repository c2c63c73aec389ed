/* sqlite-row: a record into its row.
 *
 * Values are bound as they stand in the line where they are canonical already,
 * which most are: nothing is copied, nothing is allocated. A new key costs one
 * statement, a known one two.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"
#include "rec/number.h"
#include "store/sqlite.h"

/* sqlite3_bind_text with what the binding borrows until the next row. */
static void bind(sqlite3_stmt *stmt, size_t column, const char *text,
		 size_t len)
{
	sqlite3_bind_text(stmt, (int)column + 1, text, (int)len, SQLITE_STATIC);
}

/* A value that is not canonical as it stands, or has parts. */
static void bind_printed(sqlite3_stmt *stmt, struct fl_sqlite_table *table,
			 size_t column, const struct fl_record *rec)
{
	struct fl_buf *text = &table->texts[column];

	fl_buf_reset(text);
	fl_record_print(rec, table->cols[column].field, text);
	bind(stmt, column, text->data, text->len);
}

static void bind_integer(sqlite3_stmt *stmt, size_t column,
			 const struct fl_json_tok *tok)
{
	int64_t value = 0;

	if (!fl_integer_parse(tok->text, tok->len, &value))
		FL_BUG("a checked integer is none");
	sqlite3_bind_int64(stmt, (int)column + 1, value);
}

static void bind_field(sqlite3_stmt *stmt, struct fl_sqlite_table *table,
		       size_t column, const struct fl_record *rec)
{
	const struct fl_sql_column *col = &table->cols[column];
	uint32_t at = rec->at[col->field];
	const struct fl_json_tok *tok = &rec->json->toks[at];
	int64_t ns;

	if (!at) {
		if (col->absent)
			bind(stmt, column, col->absent, strlen(col->absent));
		return;
	}
	switch (col->kind) {
	case FL_STRING:
	case FL_DATE:
		bind(stmt, column, tok->text, tok->len);
		break;
	case FL_NUMBER:
		if (fl_number_look(tok->text, tok->len).plain)
			bind(stmt, column, tok->text, tok->len);
		else
			bind_printed(stmt, table, column, rec);
		break;
	case FL_SUM:
		if (fl_number_look(tok->text, tok->len).whole)
			bind(stmt, column, tok->text, tok->len);
		else
			bind_printed(stmt, table, column, rec);
		break;
	case FL_INTEGER:
		bind_integer(stmt, column, tok);
		break;
	case FL_BOOLEAN:
		sqlite3_bind_int(stmt, (int)column + 1,
				 tok->kind == FL_JSON_TRUE);
		break;
	case FL_TIME:
		if (fl_record_time(rec, col->field, &ns))
			sqlite3_bind_int64(stmt, (int)column + 1, ns);
		break;
	case FL_STRINGS:
	case FL_OBJECTS:
	case FL_OBJECT:
		bind_printed(stmt, table, column, rec);
		break;
	}
}

/* Does the record say what its key would hold anyway? */
static void bind_given(sqlite3_stmt *stmt, size_t column,
		       const struct fl_sql_column *col,
		       const struct fl_record *rec)
{
	const char *absent = rec->type->fields[col->field].absent;
	uint32_t at = rec->at[col->field];

	if (at && fl_json_is(&rec->json->toks[at], absent, strlen(absent)))
		sqlite3_bind_int(stmt, (int)column + 1, 1);
}

static void bind_row(sqlite3_stmt *stmt, struct fl_sqlite_table *table,
		     const struct fl_record *rec)
{
	sqlite3_clear_bindings(stmt);
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];
		struct fl_buf *text = &table->texts[i];

		switch (col->role) {
		case FL_SQL_FIELD:
			bind_field(stmt, table, i, rec);
			break;
		case FL_SQL_GIVEN:
			bind_given(stmt, i, col, rec);
			break;
		case FL_SQL_TICK_ID:
			sqlite3_bind_int64(stmt, (int)i + 1,
					   fl_record_tick_id(rec));
			break;
		case FL_SQL_EXTRA:
			fl_buf_reset(text);
			fl_record_extra(rec, text);
			if (text->len)
				bind(stmt, i, text->data, text->len);
			break;
		case FL_SQL_DOC:
			fl_buf_reset(text);
			fl_record_canonical(rec, text);
			bind(stmt, i, text->data, text->len);
			break;
		}
	}
}

/* The same record with its fixes made: stores hold canonical values. */
static const struct fl_record *mend(struct fl_sqlite *s,
				    const struct fl_record *rec)
{
	struct fl_note note;

	fl_buf_reset(&s->text);
	fl_record_canonical(rec, &s->text);
	s->mended = *rec;
	s->mended.bytes = s->text.data;
	s->mended.len = s->text.len;
	if (fl_record_check(&s->mended, &s->json, &note) != FL_REASON_NONE)
		FL_BUG("a record is not valid in its canonical form");
	return &s->mended;
}

static int prepare(struct fl_sqlite *s, struct fl_sqlite_table *table,
		   struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	fl_sql_insert(&sql, &fl_sql_sqlite, table->type);
	result = fl_sqlite_prepare(s, &table->insert, sql.data, err);
	fl_buf_reset(&sql);
	fl_sql_update(&sql, &fl_sql_sqlite, table->type);
	if (result == 0)
		result = fl_sqlite_prepare(s, &table->update, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

static int write_row(struct fl_sqlite *s, struct fl_sqlite_table *table,
		     sqlite3_stmt *stmt, const struct fl_record *rec,
		     struct fl_error *err)
{
	int result = 0;

	bind_row(stmt, table, rec);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		result = fl_sqlite_fault(s, "write to", err);
	sqlite3_reset(stmt);
	return result;
}

static bool is_partial(const struct fl_sqlite_table *table,
		       const struct fl_record *rec)
{
	return table->partial >= 0 && rec->at[table->partial] &&
	       rec->json->toks[rec->at[table->partial]].kind == FL_JSON_TRUE;
}

int fl_sqlite_put(struct fl_store *store, const struct fl_record *rec,
		  enum fl_put *outcome, struct fl_note *note,
		  struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	struct fl_sqlite_table *table = fl_sqlite_table(s, rec->type);

	if (is_partial(table, rec)) {
		/* TODO(#4): merge as records.md says. Until then a part
		 * must not stand where a whole bar is looked for. */
		fl_note_set(note, "partial",
			    "'partial' is true: this store does not merge "
			    "partial bars yet");
		*outcome = FL_PUT_REFUSED;
		return 0;
	}
	if (!table->update && prepare(s, table, err) < 0)
		return -1;
	if (rec->fixes)
		rec = mend(s, rec);
	if (write_row(s, table, table->insert, rec, err) < 0)
		return -1;
	*outcome = FL_PUT_NEW;
	if (sqlite3_changes(s->db) == 1)
		return 0;
	*outcome = FL_PUT_REPLACED;
	return write_row(s, table, table->update, rec, err);
}
