/* sqlite-pick: what a query is about, where that takes more than a condition.
 *
 * A table that is stored series by series is asked for a span of time, and any
 * table for the newest N of each series, by finding the series first, going
 * from one to the next along the key: that costs by how many there are, not by
 * how many rows they have. What was found is picked into a temporary table,
 * which a join then reads. Where no index begins with the series, as in tables
 * that are stored by time, the newest N are found in one pass from the end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "store/sqlite.h"

/* --- series by series ---------------------------------------------------- */

/* The walk over a type's series along an index. */
struct walk {
	struct fl_sqlite *s;
	const struct fl_sqlite_table *table;
	const struct fl_query *query;
	size_t places[FL_KEY_MAX]; /* places[count]: columns */
	size_t count;
	sqlite3_stmt *next; /* the first series behind a given one */
	sqlite3_stmt *pick; /* what is done with a series */
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

/* What the walk has looked at need not be looked at again. */
static struct fl_query rest_of(const struct walk *walk)
{
	struct fl_query rest = *walk->query;

	if (in_series(walk, "symbol"))
		rest.symbols = NULL;
	if (in_series(walk, "provider"))
		rest.providers = NULL;
	if (in_series(walk, "interval"))
		rest.interval = NULL;
	if (in_series(walk, "adj"))
		rest.adj = NULL;
	return rest;
}

/* The newest N of a series into temp.pick_N. */
static int prepare_last(struct walk *walk, unsigned pick, struct fl_error *err)
{
	const struct fl_type *type = walk->table->type;
	const struct fl_query rest = rest_of(walk);
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int result;

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
	result = fl_sqlite_select(walk->s, &walk->pick, &sql, &values, err);
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
		fl_sqlite_put_text(&walk->at[i], walk->next, (int)i);
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

/* Does an index begin with the series? The primary key is one; who asks ticks
 * by symbol all the time may have made another. */
static int find_index(const struct walk *walk, bool *found,
		      struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	sqlite3_stmt *stmt = NULL;
	int got, result;

	fl_buf_printf(&sql,
		      "SELECT 1 FROM pragma_index_list('%s') AS list "
		      "WHERE NOT list.partial",
		      walk->table->type->name);
	for (size_t i = 0; i < walk->count; i++)
		fl_buf_printf(&sql,
			      " AND EXISTS (SELECT 1 FROM "
			      "pragma_index_info(list.name) WHERE seqno = %u "
			      "AND name = '%s')",
			      (unsigned)i, name_of(walk, i));
	result = fl_sqlite_prepare(walk->s, &stmt, sql.data, err);
	if (result == 0) {
		got = sqlite3_step(stmt);
		*found = got == SQLITE_ROW;
		if (got != SQLITE_ROW && got != SQLITE_DONE)
			result = fl_sqlite_fault(walk->s, "read", err);
	}
	sqlite3_finalize(stmt);
	fl_buf_release(&sql);
	return result;
}

static void end_walk(struct walk *walk)
{
	sqlite3_finalize(walk->next);
	sqlite3_finalize(walk->pick);
	for (size_t i = 0; i < walk->count; i++)
		fl_buf_release(&walk->at[i]);
}

/* temp.pick_N with these columns, all of them its key. */
static int make_pick(struct fl_sqlite *s, unsigned pick, const char *columns,
		     struct fl_error *err)
{
	char *sql = fl_sprintf("CREATE TEMP TABLE pick_%u (%s, "
			       "PRIMARY KEY (%s)) WITHOUT ROWID",
			       pick, columns, columns);
	int result = fl_sqlite_run(s, sql, "read", err);

	free(sql);
	return result;
}

/* SELECT the row FROM temp.pick_N AS p CROSS JOIN the table AS t ON … */
static void put_join(struct fl_buf *sql, const struct fl_sqlite_table *table,
		     unsigned pick)
{
	fl_buf_puts(sql, "SELECT ");
	fl_sql_row(sql, &fl_sql_sqlite, table->type, "t");
	fl_buf_printf(sql, " FROM temp.pick_%u AS p CROSS JOIN ", pick);
	fl_sql_name(sql, &fl_sql_sqlite, table->type->name);
	fl_buf_puts(sql, " AS t");
}

static void put_same(struct fl_buf *sql, const char *before, const char *name)
{
	fl_buf_printf(sql, "%st.\"%s\" = p.\"%s\"", before, name, name);
}

/* --- a span of time ------------------------------------------------------ */

bool fl_sqlite_has_spans(const struct fl_sqlite_table *table,
			 const struct fl_query *query)
{
	size_t places[FL_KEY_MAX];
	size_t count = fl_sql_series(table->cols, table->count, places);
	const char *const *key = table->type->key;

	return (query->from != FL_TIME_NONE || query->to != FL_TIME_NONE) &&
	       strcmp(key[0], "ts") != 0 && count < FL_KEY_MAX && key[count] &&
	       strcmp(key[count], "ts") == 0;
}

static int prepare_series(struct walk *walk, unsigned pick,
			  struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	fl_buf_printf(&sql, "INSERT OR IGNORE INTO temp.pick_%u VALUES (",
		      pick);
	for (size_t i = 0; i < walk->count; i++)
		fl_buf_printf(&sql, "%s?%u", i ? ", " : "", (unsigned)i + 1);
	fl_buf_putc(&sql, ')');
	result = fl_sqlite_prepare(walk->s, &walk->pick, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

static int select_spans(const struct walk *walk, unsigned pick,
			sqlite3_stmt **stmt, struct fl_error *err)
{
	const struct fl_type *type = walk->table->type;
	const struct fl_query rest = rest_of(walk);
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	put_join(&sql, walk->table, pick);
	fl_sql_where(&sql, &fl_sql_sqlite, type, &rest, &values);
	for (size_t i = 0; i < walk->count; i++)
		put_same(&sql, i || values.count ? " AND " : " WHERE ",
			 name_of(walk, i));
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, "t", false);
	result = fl_sqlite_select(walk->s, stmt, &sql, &values, err);
	free(values.items);
	fl_buf_release(&sql);
	return result;
}

int fl_sqlite_pick_spans(struct fl_sqlite *s,
			 const struct fl_sqlite_table *table,
			 const struct fl_query *query, sqlite3_stmt **stmt,
			 unsigned *pick, struct fl_error *err)
{
	struct walk walk = { .s = s, .table = table, .query = query };
	struct fl_buf columns = FL_BUF_INIT;
	int result;

	walk.count = fl_sql_series(table->cols, table->count, walk.places);
	*pick = ++s->picks;
	put_series(&columns, &walk);
	result = make_pick(s, *pick, columns.data, err);
	if (result == 0)
		result = prepare_series(&walk, *pick, err);
	if (result == 0)
		result = prepare_next(&walk, err);
	if (result == 0)
		result = pick_all(&walk, err);
	if (result == 0)
		result = select_spans(&walk, *pick, stmt, err);
	end_walk(&walk);
	fl_buf_release(&columns);
	return result;
}

/* --- the newest N of each series ----------------------------------------- */

/* From the newest row back: each series' first N. */
struct pass {
	const struct walk *walk;
	sqlite3_stmt *rows;          /* the columns of fl_sql_order */
	bool series[FL_KEY_MAX + 1]; /* which of them name the series */
	struct fl_map seen;          /* of each series, how many were picked */
	struct fl_buf name;
	size_t wanted; /* series there can be; SIZE_MAX: not known */
	size_t full;   /* series that have their N */
};

static size_t distinct(const char *const *list)
{
	size_t count = 0;

	for (size_t i = 0; list[i]; i++) {
		size_t j = 0;

		while (strcmp(list[j], list[i]) != 0)
			j++;
		count += j == i;
	}
	return count;
}

/* With symbols and providers named, one knows when all have been seen. */
static size_t count_wanted(const struct walk *walk)
{
	const struct fl_query *query = walk->query;

	if (walk->count != 2 || !in_series(walk, "symbol") ||
	    !in_series(walk, "provider") || !query->symbols ||
	    !*query->symbols || !query->providers || !*query->providers)
		return SIZE_MAX;
	return distinct(query->symbols) * distinct(query->providers);
}

static int prepare_pass(struct pass *pass, unsigned pick, struct fl_error *err)
{
	struct walk *walk = (struct walk *)pass->walk;
	const struct fl_type *type = walk->table->type;
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	int columns, result;

	fl_buf_puts(&sql, "SELECT ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	fl_buf_puts(&sql, " FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, type->name);
	fl_sql_where(&sql, &fl_sql_sqlite, type, walk->query, &values);
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, true);
	result = fl_sqlite_select(walk->s, &pass->rows, &sql, &values, err);
	free(values.items);
	if (result < 0) {
		fl_buf_release(&sql);
		return -1;
	}
	columns = sqlite3_column_count(pass->rows);
	fl_buf_reset(&sql);
	fl_buf_printf(&sql, "INSERT OR IGNORE INTO temp.pick_%u VALUES (",
		      pick);
	for (int i = 0; i < columns; i++) {
		pass->series[i] =
			in_series(walk, sqlite3_column_name(pass->rows, i));
		fl_buf_printf(&sql, "%s?%d", i ? ", " : "", i + 1);
	}
	fl_buf_putc(&sql, ')');
	result = fl_sqlite_prepare(walk->s, &walk->pick, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

/* Take the row if its series has less than N so far. */
static int take_row(struct pass *pass, int columns, struct fl_error *err)
{
	sqlite3_stmt *pick = pass->walk->pick;
	void **slot;
	uintptr_t count;
	int result = 0;

	fl_buf_reset(&pass->name);
	for (int i = 0; i < columns; i++) {
		if (!pass->series[i])
			continue;
		fl_sqlite_put_text(&pass->name, pass->rows, i);
		fl_buf_putc(&pass->name, '\0');
	}
	slot = fl_map_at(&pass->seen, pass->name.data, pass->name.len);
	count = (uintptr_t)*slot;
	if (count >= pass->walk->query->last)
		return 0;
	*slot = (void *)(count + 1);
	pass->full += count + 1 == pass->walk->query->last;
	for (int i = 0; i < columns; i++)
		sqlite3_bind_value(pick, i + 1,
				   sqlite3_column_value(pass->rows, i));
	if (sqlite3_step(pick) != SQLITE_DONE)
		result = fl_sqlite_fault(pass->walk->s, "read", err);
	sqlite3_reset(pick);
	return result;
}

static int pass_over(struct walk *walk, unsigned pick, struct fl_error *err)
{
	struct pass pass = { .walk = walk, .wanted = count_wanted(walk) };
	int result = prepare_pass(&pass, pick, err);
	int got = SQLITE_DONE;

	while (result == 0 && pass.full < pass.wanted &&
	       (got = sqlite3_step(pass.rows)) == SQLITE_ROW)
		result = take_row(&pass, sqlite3_column_count(pass.rows), err);
	if (result == 0 && got != SQLITE_DONE && got != SQLITE_ROW)
		result = fl_sqlite_fault(walk->s, "read", err);
	sqlite3_finalize(pass.rows);
	fl_map_release(&pass.seen, NULL);
	fl_buf_release(&pass.name);
	return result;
}

/* The rows whose keys were picked, in the order of time. */
static int select_picked(struct fl_sqlite *s,
			 const struct fl_sqlite_table *table, unsigned pick,
			 sqlite3_stmt **stmt, struct fl_error *err)
{
	const struct fl_sql_values none = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	const char *before = " ON ";
	int result;

	put_join(&sql, table, pick);
	for (size_t i = 0; i < table->count; i++) {
		if (!table->cols[i].key)
			continue;
		put_same(&sql, before, table->cols[i].name);
		before = " AND ";
	}
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, table->type, "p", false);
	result = fl_sqlite_select(s, stmt, &sql, &none, err);
	fl_buf_release(&sql);
	return result;
}

int fl_sqlite_pick_last(struct fl_sqlite *s,
			const struct fl_sqlite_table *table,
			const struct fl_query *query, sqlite3_stmt **stmt,
			unsigned *pick, struct fl_error *err)
{
	struct walk walk = { .s = s, .table = table, .query = query };
	struct fl_buf columns = FL_BUF_INIT;
	bool indexed = true;
	int result;

	walk.count = fl_sql_series(table->cols, table->count, walk.places);
	*pick = ++s->picks;
	fl_sql_order(&columns, &fl_sql_sqlite, table->type, NULL, false);
	result = make_pick(s, *pick, columns.data, err);
	if (result == 0 && walk.count)
		result = find_index(&walk, &indexed, err);
	if (result == 0 && !indexed)
		result = pass_over(&walk, *pick, err);
	if (result == 0 && indexed)
		result = prepare_last(&walk, *pick, err);
	if (result == 0 && indexed && walk.count)
		result = prepare_next(&walk, err);
	if (result == 0 && indexed)
		result = pick_all(&walk, err);
	if (result == 0)
		result = select_picked(s, table, *pick, stmt, err);
	end_walk(&walk);
	fl_buf_release(&columns);
	return result;
}
