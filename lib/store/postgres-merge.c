/* postgres-merge: parts of bars into the rows that are made of them.
 *
 * A part is merged with the row of its key, which is locked as it is read, by
 * the one function that knows how (rec/bar.h); the row then holds all there is
 * so far, and the name of the pipeline whose marks keep count of it. Parts of
 * two pipelines are the same trades told twice and do not mix, nor do parts and
 * whole bars. Of a key that has a row in this transaction already only that one
 * is looked at.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <string.h>

#include "base/mem.h"
#include "rec/bar.h"

static void refuse(enum fl_put *outcome, struct fl_note *note, const char *why)
{
	fl_note_set(note, "partial", "%s", why);
	*outcome = FL_PUT_REFUSED;
}

/* The part and what there is of its bar, as text in p->stored_text. */
static void join(struct fl_pg *p, const struct fl_record **rec,
		 enum fl_put *outcome, struct fl_note *note)
{
	struct fl_record stored = { .input = "",
				    .bytes = p->stored_text.data,
				    .len = p->stored_text.len };

	if (fl_record_check(&stored, &p->stored_json, note) != FL_REASON_NONE) {
		refuse(outcome, note, "the stored row is not valid");
		return;
	}
	fl_buf_reset(&p->merged_text);
	if (fl_bar_merge(&stored, *rec, &p->merged_text, note) !=
	    FL_REASON_NONE) {
		*outcome = FL_PUT_REFUSED;
		return;
	}
	p->merged_rec = **rec;
	p->merged_rec.bytes = p->merged_text.data;
	p->merged_rec.len = p->merged_text.len;
	if (fl_record_check(&p->merged_rec, &p->merged_json, note) !=
	    FL_REASON_NONE)
		FL_BUG("a merged bar is not valid");
	*rec = &p->merged_rec;
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

static void meet_waiting(struct fl_store *store, struct fl_pg_table *table,
			 const struct fl_pg_row *waiting,
			 const struct fl_record **rec, enum fl_put *outcome,
			 struct fl_note *note)
{
	struct fl_pg *p = store->state;
	struct fl_record other = { .input = "" };

	fl_buf_reset(&p->stored_text);
	fl_buf_append(&p->stored_text, table->lines.data + waiting->line,
		      waiting->line_len);
	other.bytes = p->stored_text.data;
	other.len = p->stored_text.len;
	if (fl_record_check(&other, &p->stored_json, note) != FL_REASON_NONE)
		FL_BUG("a record that was good is no longer");
	if (goes_with(store, *rec, fl_bar_is_partial(&other), outcome, note))
		join(p, rec, outcome, note);
}

static bool is_of(const struct fl_pg *p, const struct fl_pg_table *table,
		  const struct pg_result *rows)
{
	size_t len = 0;
	const char *own =
		fl_pq_value(rows, 0, (size_t)table->pipeline_column, &len);

	if (!own || !p->pipeline)
		return !own && !p->pipeline;
	return strlen(p->pipeline) == len && memcmp(own, p->pipeline, len) == 0;
}

static void meet_stored(struct fl_store *store, struct fl_pg_table *table,
			const struct pg_result *rows,
			const struct fl_record **rec, enum fl_put *outcome,
			struct fl_note *note)
{
	struct fl_pg *p = store->state;
	size_t len;
	const char *partial =
		fl_pq_value(rows, 0, (size_t)table->partial_column, &len);

	if (!goes_with(store, *rec, partial && *partial, outcome, note))
		return;
	if (!is_of(p, table, rows)) {
		refuse(outcome, note,
		       "the stored bar is made of parts that another pipeline "
		       "counts");
		return;
	}
	fl_buf_reset(&p->stored_text);
	fl_pg_print_row(table, rows, 0, &p->stored_text);
	join(p, rec, outcome, note);
}

/* Is any bar made of parts? Asked once in a transaction. */
static int look_for_parts(struct fl_pg *p, struct fl_error *err)
{
	struct pg_result *rows = NULL;

	if (p->parts_asked)
		return 0;
	if (fl_pg_begin(p, err) < 0 ||
	    fl_pq_ask(p->pq, "SELECT 1 FROM \"bar\" WHERE \"partial\" LIMIT 1",
		      NULL, 0, "read", &rows, err) < 0)
		return -1;
	p->parts_asked = true;
	p->has_parts = fl_pq_rows(rows) > 0;
	fl_pq_free(rows);
	return 0;
}

int fl_pg_merge(struct fl_store *store, struct fl_pg_table *table,
		const struct fl_record **rec, const struct fl_pg_row *waiting,
		enum fl_put *outcome, bool *known, struct fl_note *note,
		struct fl_error *err)
{
	struct fl_pg *p = store->state;
	struct pg_result *rows = NULL;

	*outcome = FL_PUT_NEW;
	if (waiting) {
		meet_waiting(store, table, waiting, rec, outcome, note);
		return 0;
	}
	/* A whole bar is held against parts only if there are any. */
	if (!fl_bar_is_partial(*rec)) {
		if (look_for_parts(p, err) < 0)
			return -1;
		if (!p->has_parts)
			return 0;
	}
	if (fl_pg_stored(p, table, *rec, &rows, err) < 0)
		return -1;
	if (fl_pq_rows(rows) > 0) {
		meet_stored(store, table, rows, rec, outcome, note);
		*known = *outcome == FL_PUT_MERGED;
		p->merged |= *known;
	}
	fl_pq_free(rows);
	return 0;
}

#endif
