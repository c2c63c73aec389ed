/* server-merge: parts of bars into the rows that are made of them.
 *
 * A part is merged with the row of its key, which is locked as it is read, by
 * the one function that knows how (rec/bar.h); the row then holds all there is
 * so far, and the name of the pipeline whose marks keep count of it. Parts of
 * two pipelines are the same trades told twice and do not mix, nor do parts and
 * whole bars. Of a key that has a row in this transaction already only that one
 * is looked at.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"

#include <string.h>

#include "base/mem.h"
#include "rec/bar.h"

static void refuse(enum fl_put *outcome, struct fl_note *note, const char *why)
{
	fl_note_set(note, "partial", "%s", why);
	*outcome = FL_PUT_REFUSED;
}

/* The part and what there is of its bar, as text in s->stored_text. */
static void join(struct fl_server *s, const struct fl_record **rec,
		 enum fl_put *outcome, struct fl_note *note)
{
	struct fl_record stored = { .input = "",
				    .bytes = s->stored_text.data,
				    .len = s->stored_text.len };

	if (fl_record_check(&stored, &s->stored_json, note) != FL_REASON_NONE) {
		refuse(outcome, note, "the stored row is not valid");
		return;
	}
	fl_buf_reset(&s->merged_text);
	if (fl_bar_merge(&stored, *rec, &s->merged_text, note) !=
	    FL_REASON_NONE) {
		*outcome = FL_PUT_REFUSED;
		return;
	}
	s->merged_rec = **rec;
	s->merged_rec.bytes = s->merged_text.data;
	s->merged_rec.len = s->merged_text.len;
	if (fl_record_check(&s->merged_rec, &s->merged_json, note) !=
	    FL_REASON_NONE)
		FL_BUG("a merged bar is not valid");
	*rec = &s->merged_rec;
	*outcome = FL_PUT_MERGED;
}

/* What has the key is made of parts, or not: does it go with the record? */
static bool goes_with(const struct fl_store *store, const struct fl_record *rec,
		      bool parts, enum fl_put *outcome, struct fl_note *note)
{
	if (!fl_bar_is_partial(rec)) {
		if (parts && !store->replace)
			refuse(outcome, note,
			       "the stored bar is made of parts: --replace "
			       "puts the whole one in its place");
		return false;
	}
	if (!parts)
		refuse(outcome, note, "a part of a bar meets a whole one");
	return parts;
}

static void meet_waiting(struct fl_store *store, struct fl_server_table *table,
			 const struct fl_server_row *waiting,
			 const struct fl_record **rec, enum fl_put *outcome,
			 struct fl_note *note)
{
	struct fl_server *s = store->state;
	struct fl_record other = { .input = "" };

	fl_buf_reset(&s->stored_text);
	fl_buf_append(&s->stored_text, table->lines.data + waiting->line,
		      waiting->line_len);
	other.bytes = s->stored_text.data;
	other.len = s->stored_text.len;
	if (fl_record_check(&other, &s->stored_json, note) != FL_REASON_NONE)
		FL_BUG("a record that was good is no longer");
	if (goes_with(store, *rec, fl_bar_is_partial(&other), outcome, note))
		join(s, rec, outcome, note);
}

static bool is_of(const struct fl_server *s, struct fl_cell own)
{
	if (!own.bytes || !s->pipeline)
		return !own.bytes && !s->pipeline;
	return strlen(s->pipeline) == own.len &&
	       memcmp(own.bytes, s->pipeline, own.len) == 0;
}

static void meet_stored(struct fl_store *store, struct fl_server_table *table,
			const struct fl_cell *stored,
			const struct fl_record **rec, enum fl_put *outcome,
			struct fl_note *note)
{
	struct fl_server *s = store->state;
	bool parts = s->db->ops->number(stored[table->partial_column]) != 0;

	if (!goes_with(store, *rec, parts, outcome, note))
		return;
	if (!is_of(s, stored[table->pipeline_column])) {
		refuse(outcome, note,
		       "the stored bar is made of parts that another pipeline "
		       "counts");
		return;
	}
	fl_buf_reset(&s->stored_text);
	fl_server_print_row(s, table, stored, &s->stored_text);
	join(s, rec, outcome, note);
}

/* Is any bar made of parts? Asked once in a transaction. */
static int look_for_parts(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	struct fl_rows *rows = NULL;
	int got;

	if (s->parts_asked)
		return 0;
	fl_sql_text(&sql, s->kind->dialect,
		    "SELECT 1 FROM \"bar\" WHERE \"partial\" LIMIT 1");
	do {
		got = fl_server_begin(s, err);
		if (got == 0)
			got = fl_server_stream_end(s, err);
		if (got == 0)
			got = fl_db_ask(s->db, sql.data, NULL, 0, "read", &rows,
					err);
	} while (got < 0 && fl_server_take_up(s, err));
	fl_buf_release(&sql);
	if (got < 0)
		return -1;
	s->parts_asked = true;
	s->has_parts = fl_db_count(s->db, rows) > 0;
	fl_db_free(s->db, rows);
	return 0;
}

int fl_server_merge(struct fl_store *store, struct fl_server_table *table,
		    const struct fl_record **rec,
		    const struct fl_server_row *waiting, enum fl_put *outcome,
		    bool *known, struct fl_note *note, struct fl_error *err)
{
	struct fl_server *s = store->state;
	struct fl_rows *rows = NULL;

	*outcome = FL_PUT_NEW;
	if (waiting) {
		meet_waiting(store, table, waiting, rec, outcome, note);
		return 0;
	}
	/* A whole bar is held against parts only if there are any. */
	if (!fl_bar_is_partial(*rec)) {
		if (look_for_parts(s, err) < 0)
			return -1;
		if (!s->has_parts)
			return 0;
	}
	if (fl_server_stored(s, table, *rec, &rows, err) < 0)
		return -1;
	if (fl_db_count(s->db, rows) > 0) {
		struct fl_cell stored[FL_SQL_COLUMNS_MAX];

		for (size_t i = 0; i < table->count; i++)
			stored[i] = fl_db_cell(s->db, rows, 0, i);
		meet_stored(store, table, stored, rec, outcome, note);
		*known = *outcome == FL_PUT_MERGED;
		s->merged |= *known;
	}
	fl_db_free(s->db, rows);
	return 0;
}
