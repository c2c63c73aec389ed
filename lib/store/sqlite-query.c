/* sqlite-query: rows back into records.
 *
 * One statement a type, each in the order of time, merged: memory does not grow
 * with what is stored. A read transaction around them makes one snapshot of all
 * tables. "The newest N" is found series by series along the key, so it costs
 * by what is asked for, not by what is there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/sqlite.h"

/* One type's rows, standing on the next one. */
struct part {
	struct fl_sqlite_table *table;
	sqlite3_stmt *stmt;
	int64_t ts;
	unsigned pick; /* temp.pick_N holds the keys of its rows; 0: none */
};

struct fl_cursor {
	struct fl_sqlite *s;
	struct part parts[FL_TYPE_COUNT];
	size_t count;
	struct part *current; /* its row was handed out: step before the next */
	struct fl_buf text;
	bool transaction; /* ours to end */
};

/* --- a row as a record --------------------------------------------------- */

static void put_text(struct fl_buf *out, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (text)
		fl_buf_append(out, text,
			      (size_t)sqlite3_column_bytes(stmt, column));
}

static void put_integer(struct fl_buf *out, int64_t value)
{
	if (value < 0)
		fl_buf_putc(out, '-');
	fl_buf_u64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void put_value(struct fl_buf *out, sqlite3_stmt *stmt, int column,
		      enum fl_kind kind)
{
	char time[FL_TIME_TEXT];

	switch (kind) {
	case FL_STRING:
	case FL_DATE:
		fl_buf_json_string(
			out, (const char *)sqlite3_column_text(stmt, column),
			(size_t)sqlite3_column_bytes(stmt, column));
		break;
	case FL_INTEGER:
		put_integer(out, sqlite3_column_int64(stmt, column));
		break;
	case FL_BOOLEAN:
		fl_buf_puts(out, sqlite3_column_int(stmt, column) ? "true"
								  : "false");
		break;
	case FL_TIME:
		fl_buf_putc(out, '"');
		fl_buf_append(out, time,
			      fl_time_print(sqlite3_column_int64(stmt, column),
					    time));
		fl_buf_putc(out, '"');
		break;
	case FL_NUMBER: /* canonical text since it was stored */
	case FL_SUM:
	case FL_STRINGS:
	case FL_OBJECTS:
	case FL_OBJECT:
		put_text(out, stmt, column);
		break;
	}
}

/* Does a key column hold what stands for an absent field? The column behind
 * tells whether the record said it. */
static bool is_absent(const struct fl_sql_column *col, sqlite3_stmt *stmt,
		      int column)
{
	size_t len;

	if (!col->absent)
		return false;
	len = strlen(col->absent);
	if ((size_t)sqlite3_column_bytes(stmt, column) != len ||
	    memcmp(sqlite3_column_text(stmt, column), col->absent, len) != 0)
		return false;
	return len == 0 || sqlite3_column_type(stmt, column + 1) == SQLITE_NULL;
}

/* The members of the object {"a":1}, as ,"a":1 */
static void put_members(struct fl_buf *out, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	int len = sqlite3_column_bytes(stmt, column);

	if (!text || len <= 2)
		return;
	fl_buf_putc(out, ',');
	fl_buf_append(out, text + 1, (size_t)len - 2);
}

static void put_record(struct fl_buf *out, const struct part *part)
{
	const struct fl_sqlite_table *table = part->table;
	int doc = (int)table->count - 1;

	fl_buf_reset(out);
	if (table->cols[doc].role == FL_SQL_DOC) {
		put_text(out, part->stmt, doc);
		return;
	}
	fl_buf_puts(out, "{\"type\":\"");
	fl_buf_puts(out, table->type->name);
	fl_buf_putc(out, '"');
	for (size_t i = 0; i < table->count; i++) {
		const struct fl_sql_column *col = &table->cols[i];
		int column = (int)i;

		if (sqlite3_column_type(part->stmt, column) == SQLITE_NULL)
			continue;
		if (col->role == FL_SQL_FIELD &&
		    !is_absent(col, part->stmt, column)) {
			fl_buf_append(out, table->leads[i].data,
				      table->leads[i].len);
			put_value(out, part->stmt, column, col->kind);
		} else if (col->role == FL_SQL_EXTRA) {
			put_members(out, part->stmt, column);
		}
	}
	fl_buf_putc(out, '}');
}

/* --- statements ---------------------------------------------------------- */

static void bind_values(sqlite3_stmt *stmt, const struct fl_sql_values *values,
			size_t before)
{
	for (size_t i = 0; i < values->count; i++) {
		int place = (int)(before + i) + 1;

		if (values->items[i].text)
			sqlite3_bind_text(stmt, place, values->items[i].text,
					  -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_int64(stmt, place,
					   values->items[i].number);
	}
}

static int prepare(struct fl_sqlite *s, sqlite3_stmt **stmt,
		   const struct fl_buf *sql, const struct fl_sql_values *values,
		   struct fl_error *err)
{
	if (fl_sqlite_prepare(s, stmt, sql->data, err) < 0)
		return -1;
	bind_values(*stmt, values, 0);
	return 0;
}

/* Providers that have some of the symbols, as the selector of a query. */
struct providers {
	const char **names; /* NULL-ended */
	size_t count;
};

static void add_provider(struct providers *providers, const char *name)
{
	for (size_t i = 0; i < providers->count; i++) {
		if (strcmp(providers->names[i], name) == 0)
			return;
	}
	providers->names = fl_realloc(providers->names, providers->count + 2,
				      sizeof(*providers->names));
	providers->names[providers->count++] = fl_strdup(name);
	providers->names[providers->count] = NULL;
}

static void free_providers(struct providers *providers)
{
	for (size_t i = 0; i < providers->count; i++)
		free((char *)providers->names[i]);
	free(providers->names);
}

/* Is the key of the table symbol, provider, ts …? */
static bool by_provider(const struct fl_sqlite_table *table)
{
	const char *const *key = table->type->key;

	return strcmp(key[0], "symbol") == 0 && key[1] &&
	       strcmp(key[1], "provider") == 0 && key[2] &&
	       strcmp(key[2], "ts") == 0;
}

/* Ticks are many, and the time stands behind the provider in their key: a span
 * of one symbol's is found at once when the providers are known. They are few,
 * and found by going from one to the next along the key. */
static int find_providers(struct fl_sqlite *s, const char *type,
			  const char *const *symbols,
			  struct providers *providers, struct fl_error *err)
{
	char *sql = fl_sprintf("SELECT provider FROM \"%s\" WHERE symbol = ?1 "
			       "AND provider > ?2 ORDER BY provider LIMIT 1",
			       type);
	sqlite3_stmt *stmt = NULL;
	int result = fl_sqlite_prepare(s, &stmt, sql, err);

	for (; result == 0 && *symbols; symbols++) {
		int got;

		sqlite3_bind_text(stmt, 1, *symbols, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, "", 0, SQLITE_STATIC);
		while ((got = sqlite3_step(stmt)) == SQLITE_ROW) {
			const char *name =
				(const char *)sqlite3_column_text(stmt, 0);
			char *copy = fl_strdup(name);

			add_provider(providers, name);
			sqlite3_reset(stmt);
			sqlite3_bind_text(stmt, 2, copy, -1, free);
		}
		if (got != SQLITE_DONE)
			result = fl_sqlite_fault(s, "read", err);
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	free(sql);
	return result;
}

/* SELECT … FROM type WHERE … ORDER BY ts, … */
static int select_all(struct fl_sqlite *s, struct part *part,
		      const struct fl_query *query, struct fl_error *err)
{
	const struct fl_type *type = part->table->type;
	struct fl_query asked = *query;
	struct fl_sql_values values = { 0 };
	struct providers providers = { NULL, 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	if (query->symbols && !query->providers && by_provider(part->table)) {
		if (find_providers(s, type->name, query->symbols, &providers,
				   err) < 0) {
			free_providers(&providers);
			return -1;
		}
		asked.providers = providers.names;
	}
	fl_buf_puts(&sql, "SELECT ");
	fl_sql_row(&sql, &fl_sql_sqlite, type, NULL);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, type->name);
	fl_sql_where(&sql, &fl_sql_sqlite, type, &asked, &values);
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	result = prepare(s, &part->stmt, &sql, &values, err);
	free_providers(&providers);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

/* --- the newest N of each series ----------------------------------------- */

/* The walk over a type's series along its key. */
struct walk {
	struct fl_sqlite *s;
	const struct fl_sqlite_table *table;
	const struct fl_query *query;
	size_t places[FL_KEY_MAX]; /* places[count]: columns */
	size_t count;
	sqlite3_stmt *next; /* the first series behind a given one */
	sqlite3_stmt *pick; /* its newest N into temp.pick_N */
	size_t selectors;   /* parameters of `pick` before the series */
	struct fl_buf at[FL_KEY_MAX]; /* the series we stand on */
};

static const char *name_of(const struct walk *walk, size_t i)
{
	return walk->table->cols[walk->places[i]].name;
}

static void put_series(struct fl_buf *out, const struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (i)
			fl_buf_puts(out, ", ");
		fl_sql_name(out, &fl_sql_sqlite, name_of(walk, i));
	}
}

static int prepare_next(struct walk *walk, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	fl_buf_puts(&sql, "SELECT ");
	put_series(&sql, walk);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, walk->table->type->name);
	fl_buf_puts(&sql, " WHERE (");
	put_series(&sql, walk);
	fl_buf_puts(&sql, ") > (");
	for (size_t i = 0; i < walk->count; i++)
		fl_buf_printf(&sql, "%s?%u", i ? ", " : "", (unsigned)i + 1);
	fl_buf_puts(&sql, ") ORDER BY ");
	put_series(&sql, walk);
	fl_buf_puts(&sql, " LIMIT 1");
	result = fl_sqlite_prepare(walk->s, &walk->next, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

static bool in_series(const struct walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (strcmp(name_of(walk, i), name) == 0)
			return true;
	}
	return false;
}

static int prepare_pick(struct walk *walk, unsigned pick, struct fl_error *err)
{
	const struct fl_type *type = walk->table->type;
	struct fl_query rest = *walk->query;
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	/* What the walk has looked at need not be looked at again. */
	if (in_series(walk, "symbol"))
		rest.symbols = NULL;
	if (in_series(walk, "provider"))
		rest.providers = NULL;
	if (in_series(walk, "interval"))
		rest.interval = NULL;
	if (in_series(walk, "adj"))
		rest.adj = NULL;
	fl_buf_printf(&sql, "INSERT OR IGNORE INTO temp.pick_%u SELECT ", pick);
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, type->name);
	fl_sql_where(&sql, &fl_sql_sqlite, type, &rest, &values);
	for (size_t i = 0; i < walk->count; i++) {
		fl_buf_puts(&sql, i || values.count ? " AND " : " WHERE ");
		fl_sql_name(&sql, &fl_sql_sqlite, name_of(walk, i));
		fl_buf_printf(&sql, " = ?%u", (unsigned)(values.count + i) + 1);
	}
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, true);
	fl_buf_printf(&sql, " LIMIT %llu", (unsigned long long)rest.last);
	walk->selectors = values.count;
	result = prepare(walk->s, &walk->pick, &sql, &values, err);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

static void bind_series(const struct walk *walk, sqlite3_stmt *stmt,
			size_t before)
{
	for (size_t i = 0; i < walk->count; i++)
		sqlite3_bind_text(stmt, (int)(before + i) + 1,
				  fl_buf_text(&walk->at[i]),
				  (int)walk->at[i].len, SQLITE_TRANSIENT);
}

/* To the next series. returns 1, 0 behind the last, -1 */
static int step_series(struct walk *walk, struct fl_error *err)
{
	int got;

	bind_series(walk, walk->next, 0);
	got = sqlite3_step(walk->next);
	for (size_t i = 0; got == SQLITE_ROW && i < walk->count; i++) {
		fl_buf_reset(&walk->at[i]);
		put_text(&walk->at[i], walk->next, (int)i);
	}
	if (got != SQLITE_ROW && got != SQLITE_DONE)
		fl_sqlite_fault(walk->s, "read", err);
	sqlite3_reset(walk->next);
	return got == SQLITE_ROW ? 1 : got == SQLITE_DONE ? 0 : -1;
}

static bool selects(const char *const *list, const char *text)
{
	if (!list || !*list)
		return true;
	for (; *list; list++) {
		if (strcmp(*list, text) == 0)
			return true;
	}
	return false;
}

static bool selects_series(const struct walk *walk)
{
	const struct fl_query *query = walk->query;

	for (size_t i = 0; i < walk->count; i++) {
		const char *name = name_of(walk, i);
		const char *text = fl_buf_text(&walk->at[i]);

		if ((strcmp(name, "symbol") == 0 &&
		     !selects(query->symbols, text)) ||
		    (strcmp(name, "provider") == 0 &&
		     !selects(query->providers, text)) ||
		    (strcmp(name, "interval") == 0 && query->interval &&
		     strcmp(query->interval, text) != 0) ||
		    (strcmp(name, "adj") == 0 && query->adj &&
		     strcmp(query->adj, text) != 0))
			return false;
	}
	return true;
}

static int pick_series(struct walk *walk, struct fl_error *err)
{
	int result = 0;

	bind_series(walk, walk->pick, walk->selectors);
	if (sqlite3_step(walk->pick) != SQLITE_DONE)
		result = fl_sqlite_fault(walk->s, "read", err);
	sqlite3_reset(walk->pick);
	return result;
}

/* All series behind walk->at; with `symbol`, those of that symbol. */
static int pick_from(struct walk *walk, const char *symbol,
		     struct fl_error *err)
{
	int got;

	while ((got = step_series(walk, err)) > 0) {
		if (symbol && strcmp(fl_buf_text(&walk->at[0]), symbol) != 0)
			return 0;
		if (selects_series(walk) && pick_series(walk, err) < 0)
			return -1;
	}
	return got;
}

static int pick_all(struct walk *walk, struct fl_error *err)
{
	const char *const *symbols = walk->query->symbols;

	if (walk->count == 0)
		return pick_series(walk, err);
	if (!symbols || !*symbols || strcmp(name_of(walk, 0), "symbol") != 0)
		return pick_from(walk, NULL, err);
	/* The key begins with the symbol: go right there. */
	for (; *symbols; symbols++) {
		for (size_t i = 0; i < walk->count; i++)
			fl_buf_reset(&walk->at[i]);
		fl_buf_puts(&walk->at[0], *symbols);
		if (pick_from(walk, *symbols, err) < 0)
			return -1;
	}
	return 0;
}

static int make_pick(struct fl_sqlite *s, const struct fl_type *type,
		     unsigned pick, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	fl_buf_printf(&sql, "CREATE TEMP TABLE pick_%u (", pick);
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	fl_buf_puts(&sql, ", PRIMARY KEY (");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	fl_buf_puts(&sql, ")) WITHOUT ROWID");
	result = fl_sqlite_run(s, sql.data, "read", err);
	fl_buf_release(&sql);
	return result;
}

/* The rows whose keys were picked, in the order of time. */
static int select_picked(struct fl_sqlite *s, struct part *part,
			 struct fl_error *err)
{
	const struct fl_sqlite_table *table = part->table;
	const struct fl_sql_values none = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	const char *before = " ON ";
	int result;

	fl_buf_puts(&sql, "SELECT ");
	fl_sql_row(&sql, &fl_sql_sqlite, table->type, "t");
	fl_buf_printf(&sql, " FROM temp.pick_%u AS p CROSS JOIN ", part->pick);
	fl_sql_name(&sql, &fl_sql_sqlite, table->type->name);
	fl_buf_puts(&sql, " AS t");
	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->cols[i].name;

		if (!table->cols[i].key)
			continue;
		fl_buf_printf(&sql, "%st.\"%s\" = p.\"%s\"", before, name,
			      name);
		before = " AND ";
	}
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, table->type, "p", false);
	result = prepare(s, &part->stmt, &sql, &none, err);
	fl_buf_release(&sql);
	return result;
}

static int select_last(struct fl_sqlite *s, struct part *part,
		       const struct fl_query *query, struct fl_error *err)
{
	struct walk walk = { .s = s, .table = part->table, .query = query };
	int result;

	walk.count = fl_sql_series(part->table->cols, part->table->count,
				   walk.places);
	part->pick = ++s->picks;
	result = make_pick(s, part->table->type, part->pick, err);
	if (result == 0)
		result = prepare_pick(&walk, part->pick, err);
	if (result == 0 && walk.count)
		result = prepare_next(&walk, err);
	if (result == 0)
		result = pick_all(&walk, err);
	sqlite3_finalize(walk.next);
	sqlite3_finalize(walk.pick);
	for (size_t i = 0; i < walk.count; i++)
		fl_buf_release(&walk.at[i]);
	return result < 0 ? -1 : select_picked(s, part, err);
}

/* --- the cursor ---------------------------------------------------------- */

/* To the next row of a part; a part without one is taken out. */
static int advance(struct fl_cursor *cursor, struct part *part,
		   struct fl_error *err)
{
	int got = sqlite3_step(part->stmt);

	if (got == SQLITE_ROW) {
		for (size_t i = 0; i < part->table->count; i++) {
			if (strcmp(part->table->cols[i].name, "ts") != 0)
				continue;
			part->ts = sqlite3_column_int64(part->stmt, (int)i);
			break;
		}
		return 0;
	}
	if (got != SQLITE_DONE)
		return fl_sqlite_fault(cursor->s, "read", err);
	sqlite3_finalize(part->stmt);
	part->stmt = NULL;
	return 0;
}

static int open_parts(struct fl_cursor *cursor, const struct fl_query *query,
		      struct fl_error *err)
{
	struct fl_sqlite *s = cursor->s;

	for (size_t i = 0; fl_types[i]; i++) {
		struct part *part = &cursor->parts[cursor->count];

		if (!fl_sql_matches(fl_types[i], query))
			continue;
		part->table = fl_sqlite_table(s, fl_types[i]);
		cursor->count++;
		if ((query->last ? select_last(s, part, query, err)
				 : select_all(s, part, query, err)) < 0)
			return -1;
	}
	for (size_t i = 0; i < cursor->count; i++) {
		if (advance(cursor, &cursor->parts[i], err) < 0)
			return -1;
	}
	return 0;
}

int fl_sqlite_query(struct fl_store *store, const struct fl_query *query,
		    struct fl_cursor **out, struct fl_error *err)
{
	struct fl_cursor *cursor = fl_zalloc(sizeof(*cursor));

	*out = cursor;
	cursor->s = store->state;
	if (cursor->s->empty)
		return 0;
	if (sqlite3_get_autocommit(cursor->s->db)) {
		if (fl_sqlite_run(cursor->s, "BEGIN", "read", err) < 0)
			goto failed;
		cursor->transaction = true;
	}
	if (open_parts(cursor, query, err) == 0)
		return 0;
failed:
	*out = NULL;
	fl_sqlite_end(cursor);
	return -1;
}

int fl_sqlite_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		   int64_t *ts_ns, struct fl_error *err)
{
	struct part *first = NULL;

	if (cursor->current && advance(cursor, cursor->current, err) < 0)
		return -1;
	cursor->current = NULL;
	for (size_t i = 0; i < cursor->count; i++) {
		struct part *part = &cursor->parts[i];

		if (part->stmt && (!first || part->ts < first->ts))
			first = part;
	}
	if (!first)
		return 0;
	put_record(&cursor->text, first);
	cursor->current = first;
	*bytes = cursor->text.data;
	*len = cursor->text.len;
	*ts_ns = first->ts;
	return 1;
}

void fl_sqlite_end(struct fl_cursor *cursor)
{
	char sql[64];

	if (!cursor)
		return;
	for (size_t i = 0; i < cursor->count; i++)
		sqlite3_finalize(cursor->parts[i].stmt);
	for (size_t i = 0; i < cursor->count; i++) {
		if (!cursor->parts[i].pick)
			continue;
		snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS temp.pick_%u",
			 cursor->parts[i].pick);
		sqlite3_exec(cursor->s->db, sql, NULL, NULL, NULL);
	}
	if (cursor->transaction)
		sqlite3_exec(cursor->s->db, "COMMIT", NULL, NULL, NULL);
	fl_buf_release(&cursor->text);
	free(cursor);
}

/* --- what there is ------------------------------------------------------- */

static int list_type(struct fl_sqlite *s, const struct fl_type *type,
		     const struct fl_query *query,
		     int (*each)(void *arg, const struct fl_summary *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	sqlite3_stmt *stmt = NULL;
	int got = SQLITE_DONE, result;

	fl_sql_list(&sql, &fl_sql_sqlite, type, query, &values);
	result = prepare(s, &stmt, &sql, &values, err);
	while (result == 0 && (got = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct fl_summary row = {
			.type = type->name,
			.provider = (const char *)sqlite3_column_text(stmt, 0),
			.symbol = (const char *)sqlite3_column_text(stmt, 1),
			.interval = (const char *)sqlite3_column_text(stmt, 2),
			.count = (uint64_t)sqlite3_column_int64(stmt, 3),
			.first = sqlite3_column_int64(stmt, 4),
			.last = sqlite3_column_int64(stmt, 5),
		};

		/* Without GROUP BY an empty table has a row of its own. */
		if (row.count)
			result = each(arg, &row, err);
	}
	if (result == 0 && got != SQLITE_DONE)
		result = fl_sqlite_fault(s, "read", err);
	sqlite3_finalize(stmt);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

int fl_sqlite_list(struct fl_store *store, const struct fl_query *query,
		   int (*each)(void *arg, const struct fl_summary *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;

	for (size_t i = 0; !s->empty && fl_types[i]; i++) {
		if (fl_sql_matches(fl_types[i], query) &&
		    list_type(s, fl_types[i], query, each, arg, err) < 0)
			return -1;
	}
	return 0;
}
