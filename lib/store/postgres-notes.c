/* postgres-notes: what is written down beside the ticks of a table, so that the
 * newest of each series is found without an index.
 *
 * The key of ticks begins with the time, which makes a load append and is half
 * of what it costs; an index by symbol would cost as much again (README,
 * Decisions). So a load notes which series there are (TYPE_series), and in
 * which hours each of them has rows (TYPE_hours): a row for each series and
 * hour, in the transaction of the rows, of which this process remembers those
 * that it need not write again. postgres-last.c reads by them.
 *
 * They promise no more than "nowhere else": what is deleted, by whom and how
 * ever, leaves an hour in which nothing is found. What others insert is not
 * noted; the trigger fl_noted then adds the series '', which says that the
 * notes are not to be used, until fl-load --migrate has counted anew. It stays
 * silent in sessions that note what they write, which say so by fl.noted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	REMEMBERED = 100000, /* hours of series, 10 MiB */
};

struct fl_pg_notes {
	size_t series[FL_KEY_MAX], count; /* columns that tell series apart */
	size_t last;         /* the last column that is looked at */
	struct fl_map seen;  /* series: the hour of its last row */
	struct fl_map hours; /* series and hour */
	bool noted;          /* some of it in this transaction */
	struct fl_buf key;
	/* What is to be noted, a column each: PostgreSQL's text of an array. */
	struct fl_buf new_series[FL_KEY_MAX + 1], new_hours[FL_KEY_MAX + 1];
};

bool fl_pg_has_notes(const struct fl_type *type)
{
	return type->vast && strcmp(type->key[0], "ts") == 0 && type->key[1] &&
	       strcmp(type->key[1], "id") != 0;
}

static void make_notes(struct fl_server_table *table)
{
	struct fl_pg_notes *notes = fl_zalloc(sizeof(*notes));

	notes->count = fl_sql_series(table->cols, table->count, notes->series);
	notes->last = (size_t)table->ts_column;
	for (size_t i = 0; i < notes->count; i++) {
		if (notes->series[i] > notes->last)
			notes->last = notes->series[i];
	}
	table->notes = notes;
}

static void forget(struct fl_pg_notes *notes)
{
	fl_map_release(&notes->seen, free);
	fl_map_release(&notes->hours, NULL);
	for (size_t i = 0; i <= FL_KEY_MAX; i++) {
		fl_buf_release(&notes->new_series[i]);
		fl_buf_release(&notes->new_hours[i]);
	}
}

/* --- what is new ---------------------------------------------------------- */

static void add(struct fl_buf *out, const char *text, size_t len)
{
	fl_buf_puts(out, out->len ? ",\"" : "{\"");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			fl_buf_putc(out, '\\');
		fl_buf_putc(out, text[i]);
	}
	fl_buf_putc(out, '"');
}

static void add_all(struct fl_buf *lists, const struct fl_pg_notes *notes,
		    const struct fl_cell *cells)
{
	for (size_t i = 0; i < notes->count; i++) {
		const struct fl_cell *cell = &cells[notes->series[i]];

		add(&lists[i], cell->bytes, cell->len);
	}
}

static int64_t hour_of(int64_t ns)
{
	return ns / FL_HOUR - (ns % FL_HOUR < 0);
}

/* The hour of a series that is not the one of its row before. */
static void look_at_hour(struct fl_pg_notes *notes, const struct fl_cell *cells,
			 int64_t hour)
{
	size_t before = notes->hours.count;
	struct fl_buf text = FL_BUF_INIT;

	fl_buf_append(&notes->key, &hour, sizeof(hour));
	fl_map_at(&notes->hours, notes->key.data, notes->key.len);
	if (notes->hours.count == before)
		return;
	add_all(notes->new_hours, notes, cells);
	fl_sql_micros(&text, hour * FL_HOUR);
	add(&notes->new_hours[notes->count], text.data, text.len);
	fl_buf_release(&text);
}

static void look_at_row(const struct fl_server *s,
			const struct fl_server_table *table,
			const struct fl_server_row *row)
{
	struct fl_pg_notes *notes = table->notes;
	struct fl_cell cells[FL_SQL_COLUMNS_MAX];
	size_t at = 0;
	int64_t hour, **seen;

	for (size_t i = 0; i <= notes->last; i++)
		fl_server_next_cell(table, row, &at, i, &cells[i]);
	fl_buf_reset(&notes->key);
	for (size_t i = 0; i < notes->count; i++) {
		const struct fl_cell *cell = &cells[notes->series[i]];

		fl_buf_append(&notes->key, cell->bytes, cell->len);
		fl_buf_putc(&notes->key, '\0');
	}
	hour = hour_of(s->kind->wire->time(cells[table->ts_column], 0));
	seen = (int64_t **)fl_map_at(&notes->seen, notes->key.data,
				     notes->key.len);
	if (!*seen) {
		*seen = fl_alloc(sizeof(**seen));
		add_all(notes->new_series, notes, cells);
	} else if (**seen == hour) {
		return;
	}
	**seen = hour;
	look_at_hour(notes, cells, hour);
}

/* --- writing it down ------------------------------------------------------ */

/* What others note at the same time is theirs; the order keeps two that note
 * the same from waiting for each other. */
static int insert(struct fl_server *s, const struct fl_server_table *table,
		  const char *suffix, struct fl_buf *lists, bool hours,
		  struct fl_error *err)
{
	const struct fl_pg_notes *notes = table->notes;
	const char *args[FL_KEY_MAX + 1];
	size_t count = notes->count + hours;
	struct fl_buf sql = FL_BUF_INIT;
	int got;

	if (!lists[0].len)
		return 0;
	fl_buf_printf(&sql, "INSERT INTO \"%s_%s\" SELECT * FROM unnest(",
		      table->type->name, suffix);
	for (size_t i = 0; i < count; i++) {
		fl_buf_printf(&sql, "%s$%zu::%s[]", i ? ", " : "", i + 1,
			      i == notes->count ? "timestamptz" : "text");
		fl_buf_putc(&lists[i], '}');
		args[i] = lists[i].data;
	}
	fl_buf_puts(&sql, ") AS t ORDER BY");
	for (size_t i = 0; i < count; i++)
		fl_buf_printf(&sql, "%s %zu", i ? "," : "", i + 1);
	fl_buf_puts(&sql, " ON CONFLICT DO NOTHING");
	got = fl_db_ask(s->db, sql.data, args, count, "write to", NULL, err);
	for (size_t i = 0; i < count; i++)
		fl_buf_reset(&lists[i]);
	fl_buf_release(&sql);
	return got;
}

static int note_rows(struct fl_server *s, struct fl_server_table *table,
		     size_t from, size_t to, struct fl_error *err)
{
	struct fl_pg_notes *notes;

	if (!table->notes)
		make_notes(table);
	notes = table->notes;
	if (notes->hours.count > REMEMBERED)
		forget(notes);
	for (size_t i = from; i < to; i++) {
		if (!table->rows[i].dead)
			look_at_row(s, table, &table->rows[i]);
	}
	notes->noted |= notes->new_hours[0].len > 0;
	if (insert(s, table, "series", notes->new_series, false, err) < 0)
		return -1;
	return insert(s, table, "hours", notes->new_hours, true, err);
}

int fl_pg_note(struct fl_server *s, struct fl_server_table *table, size_t from,
	       size_t to, struct fl_error *err)
{
	return fl_pg_has_notes(table->type) ? note_rows(s, table, from, to, err)
					    : 0;
}

/* --- counting anew -------------------------------------------------------- */

static void put_series(struct fl_buf *out, const struct fl_server_table *table)
{
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(table->cols, table->count, series);

	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(out, i ? ", " : "");
		fl_sql_name(out, &fl_sql_postgres, table->cols[series[i]].name);
	}
}

/* Of which '' says that others have written. */
static void put_first(struct fl_buf *out, const struct fl_server_table *table)
{
	size_t series[FL_KEY_MAX];

	fl_sql_series(table->cols, table->count, series);
	fl_sql_name(out, &fl_sql_postgres, table->cols[series[0]].name);
}

/* Nobody writes meanwhile: what is not committed yet would not be counted. */
static int count_table(struct fl_server *s, const struct fl_server_table *table,
		       struct fl_error *err)
{
	const char *name = table->type->name;
	struct fl_buf sql = FL_BUF_INIT;
	int got;

	fl_buf_printf(&sql, "LOCK TABLE \"%s\" IN SHARE ROW EXCLUSIVE MODE;\n",
		      name);
	fl_buf_printf(&sql, "INSERT INTO \"%s_hours\" SELECT DISTINCT ", name);
	put_series(&sql, table);
	fl_buf_printf(&sql,
		      ", date_trunc('hour', ts, 'UTC') FROM \"%s\" ON CONFLICT "
		      "DO NOTHING;\nDELETE FROM \"%s_series\" WHERE ",
		      name, name);
	put_first(&sql, table);
	fl_buf_printf(&sql,
		      " = '';\nINSERT INTO \"%s_series\" SELECT DISTINCT ",
		      name);
	put_series(&sql, table);
	fl_buf_printf(&sql, " FROM \"%s_hours\" ON CONFLICT DO NOTHING", name);
	got = fl_db_run(s->db, sql.data, "count what is in", err);
	fl_buf_release(&sql);
	return got;
}

static int count_if_written(struct fl_server *s,
			    const struct fl_server_table *table,
			    struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	struct fl_rows *rows = NULL;
	bool written = false;
	int got;

	fl_buf_printf(&sql, "SELECT 1 FROM \"%s_series\" WHERE ",
		      table->type->name);
	put_first(&sql, table);
	fl_buf_puts(&sql, " = ''");
	got = fl_db_ask(s->db, sql.data, NULL, 0, "read", &rows, err);
	if (got == 0)
		written = fl_db_count(s->db, rows) > 0;
	fl_db_free(s->db, rows);
	fl_buf_release(&sql);
	if (got < 0 || !written)
		return got;
	if (fl_db_run(s->db, "BEGIN", "write to", err) == 0 &&
	    count_table(s, table, err) == 0 &&
	    fl_db_run(s->db, "COMMIT", "write to", err) == 0)
		return 0;
	fl_server_undo(s);
	return -1;
}

int fl_pg_count_anew(struct fl_server *s, struct fl_error *err)
{
	for (size_t i = 0; fl_types[i]; i++) {
		if (fl_pg_has_notes(fl_types[i]) &&
		    count_if_written(s, fl_server_table(s, fl_types[i]), err) <
			    0)
			return -1;
	}
	return 0;
}

/* --- the end of a transaction --------------------------------------------- */

/* What was written down in a transaction that failed is not there. */
void fl_pg_settle_notes(struct fl_server_table *table, bool committed)
{
	struct fl_pg_notes *notes = table->notes;

	if (!notes)
		return;
	if (!committed && notes->noted)
		forget(notes);
	notes->noted = false;
}

void fl_pg_release_notes(struct fl_server_table *table)
{
	struct fl_pg_notes *notes = table->notes;

	if (!notes)
		return;
	forget(notes);
	fl_buf_release(&notes->key);
	free(notes);
}

#endif
