/* server-load: rows straight into their table, while the next ones are still
 * put together: what a server takes them with, COPY or LOAD DATA, is begun when
 * there are some, and ended where a statement must be made, at the latest by
 * the flush. So the server works while we read.
 *
 * It fails where a key is there already, and is undone then: the rows are all
 * here still, and go the other way. For a while it is not tried again, longer
 * each time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"

#include <string.h>

#include "base/mem.h"

enum {
	CHUNK = 256,     /* rows that wait before they are sent */
	PIECE = 1 << 16, /* bytes that are sent at once */
	MISSES_MAX = 9,  /* a pause of 512 batches */
};

static int begin_load(struct fl_server *s, struct fl_server_table *table,
		      struct fl_error *err)
{
	table->column_count = fl_server_used(table, table->columns);
	table->loaded = table->written;
	s->undo_load = false;
	fl_buf_reset(&s->piece);
	if (fl_server_begin(s, err) < 0 ||
	    fl_server_prepare(s, table, table->written, table->row_count, err) <
		    0 ||
	    fl_db_run(s->db, "SAVEPOINT fl_load", "write to", err) < 0 ||
	    s->kind->load_begin(s, table, err) < 0)
		return -1;
	s->loading = table;
	return 0;
}

static int send_piece(struct fl_server *s, struct fl_error *err)
{
	size_t len = s->piece.len;

	if (len == 0)
		return 0;
	s->piece.len = 0;
	return s->kind->load_piece(s, s->piece.data, len, err);
}

/* The rows up to `to`. */
static int load_rows(struct fl_server *s, size_t to, struct fl_error *err)
{
	struct fl_server_table *table = s->loading;

	for (; table->loaded < to; table->loaded++) {
		const struct fl_server_row *row = &table->rows[table->loaded];

		if (row->dead)
			continue;
		s->kind->load_row(&s->piece, table, row);
		if (s->piece.len >= PIECE && send_piece(s, err) < 0)
			return -1;
	}
	return 0;
}

/* Either all rows that were sent are in, or none is, and table->written says
 * so. */
static int end_load(struct fl_server *s, struct fl_error *err)
{
	struct fl_server_table *table = s->loading;
	bool stored = false;

	s->loading = NULL;
	if (send_piece(s, err) < 0 || s->kind->load_end(s, &stored, err) < 0)
		return -1;
	if (stored && !s->undo_load) {
		table->misses = 0;
		table->written = table->loaded;
		return fl_db_run(s->db, "RELEASE SAVEPOINT fl_load", "write to",
				 err);
	}
	table->loaded = table->written;
	table->quiet = true;
	if (!stored) {
		table->misses += table->misses < MISSES_MAX;
		table->pause = 1U << table->misses;
	}
	return fl_server_back_to(s, "fl_load", err);
}

/* What has failed says why, not the end of it. */
static void drop_failed(struct fl_server *s)
{
	enum fl_fault fault = s->db->fault;

	fl_server_stream_drop(s);
	s->db->fault = fault;
}

static bool may_load(const struct fl_server *s,
		     const struct fl_server_table *table)
{
	return !s->careful && !table->pause &&
	       (!s->kind->can_load || s->kind->can_load(s));
}

int fl_server_load(struct fl_server *s, struct fl_server_table *table,
		   struct fl_error *err)
{
	bool may = may_load(s, table);

	if (table->pause)
		table->pause--;
	for (size_t i = table->written; may && i < table->row_count; i++)
		may = table->rows[i].dead || !table->rows[i].known;
	if (!may)
		return 0;
	if (begin_load(s, table, err) < 0)
		return -1;
	if (load_rows(s, table->row_count, err) == 0)
		return end_load(s, err);
	drop_failed(s);
	return -1;
}

/* May all that wait be sent? Not when they have other columns than those that
 * were, must go the other way, or need something that is to be made first. */
static bool may_follow(const struct fl_server *s,
		       const struct fl_server_table *table)
{
	return !table->quiet && !s->undo_load &&
	       table->used_count == table->column_count &&
	       (!s->kind->is_ready ||
		s->kind->is_ready(s, table, table->loaded, table->row_count));
}

/* --- while rows still come ------------------------------------------------ */

/* What cannot be told now is told when the stream is ended. */
static void fail_later(struct fl_server *s, const struct fl_error *err)
{
	drop_failed(s);
	s->stream_err = *err;
	s->stream_failed = true;
}

void fl_server_stream(struct fl_server *s, struct fl_server_table *table)
{
	const struct fl_server_row *last = &table->rows[table->row_count - 1];
	size_t sent = s->loading ? table->loaded : table->written;
	struct fl_error err = { .code = FL_OK };

	/* It would be in the way of what is there. */
	table->quiet |= !last->dead && last->known;
	if (table->row_count - sent < CHUNK || s->stream_failed ||
	    (s->loading && s->loading != table))
		return;
	if (!s->loading && (table->quiet || !may_load(s, table)))
		return;
	if ((!s->loading && begin_load(s, table, &err) < 0) ||
	    (may_follow(s, table) ? load_rows(s, table->row_count, &err)
				  : end_load(s, &err)) < 0)
		fail_later(s, &err);
}

bool fl_server_stream_has(struct fl_server *s,
			  const struct fl_server_table *table, size_t at,
			  const struct fl_server_row *row)
{
	const struct fl_server_row *sent = &table->rows[at];

	if (s->loading != table || at >= table->loaded)
		return false;
	if (sent->cells_len == row->cells_len &&
	    memcmp(table->cells.data + sent->cells,
		   table->cells.data + row->cells, row->cells_len) == 0)
		return true;
	s->undo_load = true;
	return false;
}

int fl_server_stream_end(struct fl_server *s, struct fl_error *err)
{
	if (s->stream_failed) {
		s->stream_failed = false;
		*err = s->stream_err;
		return -1;
	}
	return s->loading ? end_load(s, err) : 0;
}

int fl_server_stream_finish(struct fl_server *s, struct fl_error *err)
{
	if (s->loading && may_follow(s, s->loading) &&
	    load_rows(s, s->loading->row_count, err) < 0) {
		drop_failed(s);
		return -1;
	}
	return fl_server_stream_end(s, err);
}

void fl_server_stream_drop(struct fl_server *s)
{
	struct fl_error ignored = { .code = FL_OK };
	bool stored;

	s->stream_failed = false;
	if (!s->loading)
		return;
	s->loading->loaded = s->loading->written;
	s->loading = NULL;
	s->kind->load_end(s, &stored, &ignored);
}
