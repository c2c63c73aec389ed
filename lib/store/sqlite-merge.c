/* sqlite-merge: parts of bars into the rows that are made of them.
 *
 * A part is merged with the row of its key by the one function that knows how
 * (rec/bar.h); the row then holds all there is so far, and the name of the
 * pipeline whose marks keep count of it. Parts of two pipelines are the same
 * trades told twice and do not mix, nor do parts and whole bars.
 *
 * An index over rows made of parts exists once there was one: that it exists
 * tells whether whole bars must be held against them, and costs others nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"
#include "rec/bar.h"
#include "store/sqlite.h"

/* The row of a record's key. */
static int prepare(struct fl_sqlite *s, struct fl_sqlite_table *table,
		   struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	const char *before = " WHERE ";
	int result;

	fl_buf_puts(&sql, "SELECT ");
	fl_sql_row(&sql, &fl_sql_sqlite, table->type, NULL);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, table->type->name);
	for (size_t i = 0; i < table->count; i++) {
		if (!table->cols[i].key)
			continue;
		fl_buf_puts(&sql, before);
		fl_sql_name(&sql, &fl_sql_sqlite, table->cols[i].name);
		fl_buf_printf(&sql, " = ?%u", table->cols[i].key);
		before = " AND ";
	}
	result = fl_sqlite_prepare(s, &table->by_key, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

static void bind_key(struct fl_sqlite_table *table, const struct fl_record *rec)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];
		const struct fl_json_tok *tok;

		if (!col->key)
			continue;
		tok = &rec->json->toks[rec->at[col->field]];
		if (col->kind == FL_TIME)
			sqlite3_bind_int64(table->by_key, (int)col->key,
					   rec->ts_ns);
		else if (rec->at[col->field])
			sqlite3_bind_text(table->by_key, (int)col->key,
					  tok->text, (int)tok->len,
					  SQLITE_STATIC);
		else
			sqlite3_bind_text(table->by_key, (int)col->key,
					  col->absent, -1, SQLITE_STATIC);
	}
}

static bool refuse(enum fl_put *outcome, struct fl_note *note, const char *why)
{
	fl_note_set(note, "partial", "%s", why);
	*outcome = FL_PUT_REFUSED;
	return false;
}

static bool is_of(const struct fl_sqlite_table *table, const char *pipeline)
{
	const char *own = (const char *)sqlite3_column_text(
		table->by_key, table->pipeline_column);

	if (!own || !pipeline)
		return !own && !pipeline;
	return strcmp(own, pipeline) == 0;
}

/* Put the part and the row together. */
static bool join(struct fl_sqlite *s, struct fl_sqlite_table *table,
		 const struct fl_record **rec, enum fl_put *outcome,
		 struct fl_note *note)
{
	struct fl_record stored = { .input = "" };
	enum fl_reason reason;

	fl_buf_reset(&s->stored_text);
	fl_sqlite_print_row(table, table->by_key, &s->stored_text);
	stored.bytes = s->stored_text.data;
	stored.len = s->stored_text.len;
	if (fl_record_check(&stored, &s->merged_json, note) != FL_REASON_NONE)
		return refuse(outcome, note, "the stored row is not valid");
	fl_buf_reset(&s->merged_text);
	reason = fl_bar_merge(&stored, *rec, &s->merged_text, note);
	if (reason != FL_REASON_NONE) {
		*outcome = FL_PUT_REFUSED;
		return false;
	}
	s->merged = **rec;
	s->merged.bytes = s->merged_text.data;
	s->merged.len = s->merged_text.len;
	if (fl_record_check(&s->merged, &s->merged_json, note) !=
	    FL_REASON_NONE)
		FL_BUG("a merged bar is not valid");
	*rec = &s->merged;
	*outcome = FL_PUT_MERGED;
	return true;
}

/* The row of the key is there: does it go with the record? */
static bool meet(struct fl_store *store, struct fl_sqlite_table *table,
		 const struct fl_record **rec, enum fl_put *outcome,
		 struct fl_note *note)
{
	bool stored_part =
		sqlite3_column_int(table->by_key, table->partial_column) == 1;

	if (!fl_bar_is_partial(*rec))
		return !stored_part || store->replace ||
		       refuse(outcome, note,
			      "the stored bar is made of parts: --replace puts "
			      "the whole one in its place");
	if (!stored_part)
		return refuse(outcome, note,
			      "a part of a bar meets a whole one");
	if (!is_of(table, table->pipeline))
		return refuse(outcome, note,
			      "the stored bar is made of parts that another "
			      "pipeline counts");
	return join(store->state, table, rec, outcome, note);
}

static bool has_parts(struct fl_sqlite *s)
{
	sqlite3_stmt *stmt = NULL;
	bool has;

	if (s->has_parts)
		return true;
	has = sqlite3_prepare_v2(s->db,
				 "SELECT 1 FROM sqlite_master WHERE type = "
				 "'index' AND name = 'bar_parts'",
				 -1, &stmt, NULL) == SQLITE_OK &&
	      sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_finalize(stmt);
	return s->has_parts = has;
}

int fl_sqlite_merge(struct fl_store *store, struct fl_sqlite_table *table,
		    const struct fl_record **rec, enum fl_put *outcome,
		    struct fl_note *note, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	int got;

	*outcome = FL_PUT_NEW;
	if (!has_parts(s)) {
		if (!fl_bar_is_partial(*rec))
			return 0;
		if (fl_sqlite_run(s,
				  "CREATE INDEX IF NOT EXISTS bar_parts ON bar "
				  "(symbol) WHERE partial = 1",
				  "write to", err) < 0)
			return -1;
	}
	if (!table->by_key && prepare(s, table, err) < 0)
		return -1;
	table->pipeline = s->pipeline;
	bind_key(table, *rec);
	got = sqlite3_step(table->by_key);
	if (got == SQLITE_ROW)
		meet(store, table, rec, outcome, note);
	else if (got != SQLITE_DONE)
		fl_sqlite_fault(s, "read", err);
	sqlite3_reset(table->by_key);
	return err->code == FL_OK ? 0 : -1;
}
