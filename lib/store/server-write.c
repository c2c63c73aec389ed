/* server-write: the rows that wait, into the database.
 *
 * They go straight into their table where they can (server-load.c), and else
 * the way that puts them into the place of what is there. A row that the
 * database refuses fails its whole statement. Then, and only then, the
 * transaction is done again, with savepoints, and of the rows of that statement
 * each is written by itself; or, where the kind cannot do that, halves and
 * halves of halves are tried until the row stands alone. It becomes a reject,
 * with the database's words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The live rows from `from` to `to`. */
static int write_rows(struct fl_store *store, struct fl_server_table *table,
		      size_t from, size_t to, struct fl_error *err)
{
	struct fl_server *s = store->state;
	size_t live = 0, known = 0;

	for (size_t i = from; i < to; i++) {
		live += !table->rows[i].dead;
		known += !table->rows[i].dead && table->rows[i].known;
	}
	return live ? s->kind->write(store, table, from, to, known, err) : 0;
}

int fl_server_back_to(struct fl_server *s, const char *savepoint,
		      struct fl_error *err)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT %s", savepoint);
	if (fl_db_run(s->db, sql, "write to", err) < 0)
		return -1;
	snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT %s", savepoint);
	return fl_db_run(s->db, sql, "write to", err);
}

static int write_carefully(struct fl_store *store,
			   struct fl_server_table *table, size_t from,
			   size_t to, struct fl_error *err);

/* The row cannot be stored: what it had replaced can, perhaps; of a bar made of
 * parts that is the bar without the last one. */
static int refuse_row(struct fl_store *store, struct fl_server_table *table,
		      size_t at, const char *why, struct fl_error *err)
{
	struct fl_server_row *row = &table->rows[at];
	uint32_t before = row->before;
	size_t line_at = row->part_len ? row->part : row->line;
	struct fl_record rec = {
		.len = row->part_len ? row->part_len : row->line_len,
		.line = row->number,
		.input = row->input,
		.type = table->type,
	};
	enum fl_put outcome = row->outcome;
	char *line;
	int result;

	if (!store->refuse)
		return fl_error_set(
			err, FL_ERR_REFUSED, "cannot write to '%s': %s",
			((struct fl_server *)store->state)->place, why);
	row->dead = true;
	line = fl_strndup(table->lines.data + line_at, rec.len);
	rec.bytes = line;
	if (before != FL_SERVER_NONE)
		table->rows[before].dead = false;
	result = store->refuse(store->refuse_arg, &rec, outcome, why, err);
	free(line);
	if (result < 0 || before == FL_SERVER_NONE)
		return result;
	return write_carefully(store, table, before, before + 1, err);
}

/* A place between `from` and `to` with half of the live rows before it; `from`
 * when there is one alone. */
static size_t middle(const struct fl_server_table *table, size_t from,
		     size_t to, size_t *first)
{
	size_t live = 0, at = from;

	for (size_t i = to; i-- > from;) {
		if (!table->rows[i].dead) {
			live++;
			*first = i;
		}
	}
	if (live < 2)
		return from;
	for (live /= 2; live; at++)
		live -= !table->rows[at].dead;
	return at;
}

void fl_server_refused(struct fl_server *s, size_t at, const char *why)
{
	if (s->refused_count == s->refused_cap) {
		s->refused_cap = s->refused_cap ? 2 * s->refused_cap : 64;
		s->refused = fl_realloc(s->refused, s->refused_cap,
					sizeof(*s->refused));
	}
	s->refused[s->refused_count++] =
		(struct fl_server_refused){ at, fl_strdup(why) };
}

void fl_server_drop_refused(struct fl_server *s)
{
	for (size_t i = 0; i < s->refused_count; i++)
		free(s->refused[i].why);
	s->refused_count = 0;
}

/* Rejects of those that were passed over. They may bring new rows, and in the
 * end another list. */
static int refuse_all(struct fl_store *store, struct fl_server_table *table,
		      struct fl_error *err)
{
	struct fl_server *s = store->state;
	struct fl_server_refused *refused = s->refused;
	size_t count = s->refused_count;
	int result = 0;

	s->refused = NULL;
	s->refused_count = s->refused_cap = 0;
	for (size_t i = 0; i < count; i++) {
		if (result == 0)
			result = refuse_row(store, table, refused[i].at,
					    refused[i].why, err);
		free(refused[i].why);
	}
	free(refused);
	return result;
}

/* Row by row. returns 1 when it cannot be done so, and nothing was */
static int write_each(struct fl_store *store, struct fl_server_table *table,
		      size_t from, size_t to, struct fl_error *err)
{
	struct fl_server *s = store->state;
	uint64_t replaced = 0, known = 0;

	if (!s->kind->write_each || s->by_halves)
		return 1;
	fl_server_drop_refused(s);
	if ((s->kind->ready && s->kind->ready(s, table, err) < 0) ||
	    fl_db_run(s->db, "SAVEPOINT fl_each", "write to", err) < 0)
		return -1;
	if (s->kind->write_each(s, table, from, to, &replaced, err) < 0) {
		if (s->db->fault != FL_FAULT_ROW &&
		    s->db->fault != FL_FAULT_OTHER)
			return -1;
		s->by_halves = s->db->fault == FL_FAULT_OTHER;
		fl_error_clear(err);
		return fl_server_back_to(s, "fl_each", err) < 0 ? -1 : 1;
	}
	if (fl_db_run(s->db, "RELEASE SAVEPOINT fl_each", "write to", err) < 0)
		return -1;
	for (size_t i = from; i < to; i++)
		known += !table->rows[i].dead && table->rows[i].known;
	for (size_t i = 0; i < s->refused_count; i++)
		known -= table->rows[s->refused[i].at].known;
	store->replaced += replaced - known;
	return refuse_all(store, table, err);
}

static int write_carefully(struct fl_store *store,
			   struct fl_server_table *table, size_t from,
			   size_t to, struct fl_error *err)
{
	struct fl_server *s = store->state;
	size_t first = to, half;
	char *why;
	int result;

	if ((s->kind->ready && s->kind->ready(s, table, err) < 0) ||
	    fl_db_run(s->db, "SAVEPOINT fl_row", "write to", err) < 0)
		return -1;
	if (write_rows(store, table, from, to, err) == 0)
		return fl_db_run(s->db, "RELEASE SAVEPOINT fl_row", "write to",
				 err);
	if (s->db->fault != FL_FAULT_ROW)
		return -1;
	why = fl_strdup(s->db->words);
	fl_error_clear(err);
	half = middle(table, from, to, &first);
	result = fl_server_back_to(s, "fl_row", err);
	if (result == 0 && half == from) {
		result = refuse_row(store, table, first, why, err);
	} else if (result == 0) {
		result = write_each(store, table, from, to, err);
		if (result > 0)
			result = write_carefully(store, table, from, half,
						 err) < 0
					 ? -1
					 : write_carefully(store, table, half,
							   to, err);
	}
	free(why);
	return result;
}

int fl_server_prepare(struct fl_server *s, struct fl_server_table *table,
		      size_t from, size_t to, struct fl_error *err)
{
	if (!s->kind->prepare)
		return 0;
	return s->kind->prepare(s, table, from, to, err);
}

static int write_table(struct fl_store *store, struct fl_server_table *table,
		       struct fl_error *err)
{
	struct fl_server *s = store->state;
	size_t from, to = table->row_count;

	if (!s->careful && fl_server_load(s, table, err) < 0)
		return -1;
	from = table->written;
	if (from < to && fl_server_prepare(s, table, from, to, err) < 0)
		return -1;
	table->written = to;
	return (s->careful ? write_carefully : write_rows)(store, table, from,
							   to, err);
}

static int note_tables(struct fl_server *s, struct fl_error *err)
{
	for (size_t i = 0; s->kind->note && i < FL_TYPE_COUNT; i++) {
		struct fl_server_table *table = s->tables[i];

		if (!table || table->noted == table->row_count)
			continue;
		if (s->kind->note(s, table, table->noted, table->row_count,
				  err) < 0)
			return -1;
		table->noted = table->row_count;
	}
	return 0;
}

int fl_server_flush(struct fl_store *store, struct fl_error *err)
{
	struct fl_server *s = store->state;
	bool any = true;

	if (fl_server_stream_finish(s, err) < 0)
		return -1;
	/* Rows that are refused become rejects, which are rows again. */
	while (any) {
		any = false;
		for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
			struct fl_server_table *table = s->tables[i];

			if (!table || table->written == table->row_count)
				continue;
			any = true;
			if (write_table(store, table, err) < 0)
				return -1;
		}
	}
	return note_tables(s, err);
}
