/* postgres-last: the newest rows of each series, without reading the table.
 *
 * Where the key begins with the series (bar, prediction) one goes along the key
 * from series to series and reads the newest few of each. Where it begins with
 * the time, and there are no series to it (log, reject, run), the newest few
 * are its end. Ticks have the time first and many series:
 *
 *   1. The newest 20 rows a series that is asked for, of all series together,
 *      are one stretch of the index. Most series have their newest there.
 *   2. Those that have not are looked for one by one, from the newest hour
 *      backwards in which they are known to have rows (postgres-notes.c).
 *
 * Measured with ten million ticks of 500 symbols: 1,600 buffers for the newest
 * of each, where looking for each on its own takes four, the height of the
 * index and the table, and more where others traded since; all rows, which
 * the windows of server-query.c read, are 110,000.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

enum {
	STRETCH = 20,   /* rows a series */
	LATEST = 10000, /* rows, where the series are not counted */
};

#define MOST (UINT64_C(1) << 32) /* that are asked for: all there are */

/* What the statements are made of. */
struct last {
	struct fl_buf *sql;
	const struct fl_type *type;
	const struct fl_sql_column *cols;
	size_t series[FL_KEY_MAX], count;
	struct fl_sql_values *values;
	struct fl_query who;  /* the selectors of series … */
	struct fl_query when; /* … and of rows */
	uint64_t n;
};

static const char *name_of(const struct last *last, size_t i)
{
	return last->cols[last->series[i]].name;
}

static bool is_series(const struct last *last, const char *name)
{
	for (size_t i = 0; i < last->count; i++) {
		if (strcmp(name_of(last, i), name) == 0)
			return true;
	}
	return false;
}

static void begin(struct last *last, struct fl_buf *sql,
		  const struct fl_type *type, const struct fl_sql_column *cols,
		  size_t count, const struct fl_query *query,
		  struct fl_sql_values *values)
{
	*last = (struct last){
		.sql = sql,
		.type = type,
		.cols = cols,
		.values = values,
		.who = *query,
		.when = *query,
		.n = query->last < MOST ? query->last : MOST,
	};
	last->count = fl_sql_series(cols, count, last->series);
	last->who.from = last->who.to = FL_TIME_NONE;
	last->who.date_from = last->who.date_to = FL_TIME_NONE;
	/* Of whom is a question of rows where it tells no series apart. */
	if (is_series(last, "symbol"))
		last->when.symbols = NULL;
	else
		last->who.symbols = NULL;
	if (is_series(last, "provider"))
		last->when.providers = NULL;
	else
		last->who.providers = NULL;
	if (is_series(last, "interval"))
		last->when.interval = last->when.adj = NULL;
	else
		last->who.interval = last->who.adj = NULL;
}

static void put(struct last *last, const char *text)
{
	fl_buf_puts(last->sql, text);
}

/* s."symbol", s."provider" */
static void put_series(struct last *last, const char *alias)
{
	for (size_t i = 0; i < last->count; i++) {
		put(last, i ? ", " : "");
		if (alias)
			fl_buf_printf(last->sql, "%s.", alias);
		fl_sql_name(last->sql, &fl_sql_postgres, name_of(last, i));
	}
}

/* "symbol" = s."symbol" AND "provider" = s."provider" */
static void put_same(struct last *last, const char *alias, const char *other)
{
	for (size_t i = 0; i < last->count; i++) {
		put(last, i ? " AND " : "");
		if (alias)
			fl_buf_printf(last->sql, "%s.", alias);
		fl_sql_name(last->sql, &fl_sql_postgres, name_of(last, i));
		fl_buf_printf(last->sql, " = %s.", other);
		fl_sql_name(last->sql, &fl_sql_postgres, name_of(last, i));
	}
}

static void put_table(struct last *last, const char *suffix)
{
	fl_buf_printf(last->sql, "\"%s%s\"", last->type->name, suffix);
}

/* The WHERE of a query, or of none, with a condition behind it. */
static void put_where(struct last *last, const struct fl_query *query)
{
	size_t before = last->sql->len;

	fl_sql_where(last->sql, &fl_sql_postgres, last->type, query,
		     last->values);
	put(last, last->sql->len == before ? " WHERE " : " AND ");
}

static void put_newest_first(struct last *last)
{
	put(last, " ORDER BY ");
	fl_sql_order(last->sql, &fl_sql_postgres, last->type, NULL, true);
}

static void put_limit(struct last *last, uint64_t n)
{
	fl_buf_printf(last->sql, " LIMIT %llu", (unsigned long long)n);
}

/* --- no series ------------------------------------------------------------ */

static void put_end(struct last *last, const struct fl_query *query)
{
	put(last, "(SELECT * FROM ");
	put_table(last, "");
	fl_sql_where(last->sql, &fl_sql_postgres, last->type, query,
		     last->values);
	put_newest_first(last);
	put_limit(last, last->n);
	put(last, ") AS t");
}

/* --- series first --------------------------------------------------------- */

/* The first series behind the one that `behind` names. */
static void put_step(struct last *last, const struct fl_query *symbols,
		     const char *behind)
{
	put(last, "SELECT ");
	put_series(last, NULL);
	put(last, " FROM ");
	put_table(last, "");
	if (behind) {
		put_where(last, symbols);
		put(last, "(");
		put_series(last, NULL);
		put(last, ") > (");
		put_series(last, behind);
		put(last, ")");
	} else {
		fl_sql_where(last->sql, &fl_sql_postgres, last->type, symbols,
			     last->values);
	}
	put(last, " ORDER BY ");
	put_series(last, NULL);
	put_limit(last, 1);
}

/* A selector of symbols keeps the steps short where they come first; by all
 * others series are chosen when they are known, since what lies between two
 * that match would be read. */
static void put_walk(struct last *last)
{
	struct fl_query symbols = last->who, rest = last->who;

	symbols.providers = NULL;
	symbols.interval = symbols.adj = NULL;
	if (strcmp(name_of(last, 0), "symbol") == 0)
		rest.symbols = NULL;
	else
		symbols.symbols = NULL;
	put(last, "(WITH RECURSIVE fl_s AS ((");
	put_step(last, &symbols, NULL);
	put(last, ") UNION ALL SELECT n.* FROM fl_s AS s, LATERAL (");
	put_step(last, &symbols, "s");
	put(last, ") AS n) SELECT t.* FROM (SELECT * FROM fl_s");
	fl_sql_where(last->sql, &fl_sql_postgres, last->type, &rest,
		     last->values);
	put(last, ") AS s, LATERAL (SELECT * FROM ");
	put_table(last, "");
	put_where(last, &last->when);
	put_same(last, NULL, "s");
	put_newest_first(last);
	put_limit(last, last->n);
	put(last, ") AS t) AS t");
}

/* Does the key begin with the series, and has it nothing else but the time? */
static bool is_walked(const struct last *last)
{
	const char *const *key = last->type->key;

	return last->count && key[last->count] && !key[last->count + 1] &&
	       strcmp(key[last->count], "ts") == 0;
}

/* --- time first, with notes ----------------------------------------------- */

/* The rows of one series in one hour, which w names. */
static void put_hour(struct last *last, const char *what)
{
	fl_buf_printf(last->sql, "SELECT %s FROM ", what);
	put_table(last, "");
	put_where(last, &last->when);
	put_same(last, NULL, "w");
	put(last,
	    " AND \"ts\" >= w.hour AND \"ts\" < w.hour + interval '1 hour'");
	put_newest_first(last);
	put_limit(last, last->n);
}

/* The newest hour of a series: of those before w's, or of all that matter. */
static void put_newest_hour(struct last *last, const char *of)
{
	struct fl_buf time = FL_BUF_INIT;

	put(last, "(SELECT max(h.hour) FROM ");
	put_table(last, "_hours");
	put(last, " AS h WHERE ");
	put_same(last, "h", of);
	if (strcmp(of, "w") == 0) {
		put(last, " AND h.hour < w.hour");
	} else if (last->when.to != FL_TIME_NONE) {
		fl_sql_micros(&time, last->when.to);
		fl_buf_printf(last->sql, " AND h.hour <= '%s'::timestamptz",
			      time.data);
	}
	if (last->when.from != FL_TIME_NONE) {
		fl_buf_reset(&time);
		fl_sql_micros(&time, last->when.from);
		fl_buf_printf(last->sql,
			      " AND h.hour > '%s'::timestamptz - interval "
			      "'1 hour'",
			      time.data);
	}
	put(last, ")");
	fl_buf_release(&time);
}

/* fl_w: hour by hour for those that are left, newest first, until there are
 * enough rows. */
static void put_hours(struct last *last)
{
	put(last, "fl_w AS (SELECT ");
	put_series(last, "o");
	put(last, ", ");
	put_newest_hour(last, "o");
	put(last, " AS hour, 0::bigint AS found FROM fl_o AS o UNION ALL "
		  "SELECT ");
	put_series(last, "w");
	put(last, ", ");
	put_newest_hour(last, "w");
	put(last, ", w.found + (SELECT count(*) FROM (");
	put_hour(last, "1");
	fl_buf_printf(last->sql,
		      ") AS c) FROM fl_w AS w WHERE w.hour IS NOT NULL AND "
		      "w.found < %llu)",
		      (unsigned long long)last->n);
}

static void put_numbered(struct last *last, const char *alias)
{
	fl_buf_printf(last->sql,
		      "SELECT %s.*, row_number() OVER (PARTITION BY ", alias);
	put_series(last, alias);
	put(last, " ORDER BY ");
	fl_sql_order(last->sql, &fl_sql_postgres, last->type, alias, true);
	put(last, ") AS fl_n FROM ");
}

/* fl_s: the series. fl_t: the stretch, in numbers from the newest on. fl_o:
 * those of which it does not have enough. */
static void put_noted(struct last *last, uint64_t rows)
{
	unsigned long long n = last->n;

	put(last, "(WITH RECURSIVE fl_s AS MATERIALIZED (SELECT ");
	put_series(last, NULL);
	put(last, " FROM ");
	put_table(last, "_series");
	fl_sql_where(last->sql, &fl_sql_postgres, last->type, &last->who,
		     last->values);
	put(last, "), fl_t AS MATERIALIZED (");
	put_numbered(last, "r");
	put(last, "(SELECT * FROM ");
	put_table(last, "");
	fl_sql_where(last->sql, &fl_sql_postgres, last->type, &last->when,
		     last->values);
	put_newest_first(last);
	put_limit(last, rows);
	put(last, ") AS r");
	fl_sql_where(last->sql, &fl_sql_postgres, last->type, &last->who,
		     last->values);
	put(last, "), fl_o AS MATERIALIZED (SELECT * FROM fl_s EXCEPT SELECT ");
	put_series(last, NULL);
	fl_buf_printf(last->sql, " FROM fl_t WHERE fl_n = %llu), ", n);
	put_hours(last);
	fl_buf_printf(last->sql, " SELECT * FROM fl_t WHERE fl_n <= %llu AND (",
		      n);
	put_series(last, NULL);
	put(last, ") NOT IN (SELECT * FROM fl_o) UNION ALL SELECT * FROM (");
	put_numbered(last, "q");
	put(last, "fl_w AS w, LATERAL (");
	put_hour(last, "*");
	fl_buf_printf(last->sql,
		      ") AS q WHERE w.hour IS NOT NULL AND w.found < %llu) "
		      "AS q WHERE fl_n <= %llu) AS t",
		      n, n);
}

/* How many rows the first look takes. */
static uint64_t stretch(uint64_t series, uint64_t n)
{
	if (series > MOST / STRETCH / n)
		return MOST;
	return STRETCH * series * n;
}

/* Can the notes be trusted, and how many series are asked for? */
static int count_series(struct fl_server *s, struct last *last, bool *trusted,
			uint64_t *count, struct fl_error *err)
{
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	struct fl_rows *rows = NULL;
	const char **args;
	int got;

	fl_buf_printf(&sql,
		      "SELECT count(*), (SELECT count(*) FROM \"%s_series\" "
		      "WHERE \"%s\" = '') FROM \"%s_series\"",
		      last->type->name, name_of(last, 0), last->type->name);
	fl_sql_where(&sql, &fl_sql_postgres, last->type, &last->who, &values);
	args = fl_alloc((values.count + 1) * sizeof(*args));
	for (size_t i = 0; i < values.count; i++)
		args[i] = values.items[i].text;
	got = fl_db_ask(s->db, sql.data, args, values.count, "read", &rows,
			err);
	if (got == 0) {
		*count = (uint64_t)fl_db_number(s->db, rows, 0, 0);
		*trusted = fl_db_number(s->db, rows, 0, 1) == 0;
	}
	fl_db_free(s->db, rows);
	fl_buf_release(&sql);
	free(values.items);
	free(args);
	return got;
}

/* For the view of the newest of each: a stretch of a set length, as an estimate
 * would be far off, and all rows where the notes cannot be trusted. */
void fl_pg_put_latest(struct fl_buf *sql, const struct fl_type *type,
		      const char *columns)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(&fl_sql_postgres, type, cols);
	const struct fl_query query = {
		.from = FL_TIME_NONE,
		.to = FL_TIME_NONE,
		.date_from = FL_TIME_NONE,
		.date_to = FL_TIME_NONE,
		.last = 1,
	};
	struct fl_sql_values values = { 0 };
	struct last last;

	begin(&last, sql, type, cols, count, &query, &values);
	fl_buf_printf(sql, "SELECT %s FROM ", columns);
	put_noted(&last, LATEST);
	fl_buf_printf(sql,
		      "\nWHERE NOT EXISTS (SELECT FROM \"%s_series\" WHERE "
		      "\"%s\" = '')\nUNION ALL\nSELECT %s FROM (SELECT "
		      "DISTINCT ON (",
		      type->name, name_of(&last, 0), columns);
	put_series(&last, NULL);
	put(&last, ") * FROM ");
	put_table(&last, "");
	put(&last, " ORDER BY ");
	put_series(&last, NULL);
	put(&last, ", ");
	fl_sql_order(sql, &fl_sql_postgres, type, NULL, true);
	fl_buf_printf(sql,
		      ") AS t\nWHERE EXISTS (SELECT FROM \"%s_series\" WHERE "
		      "\"%s\" = '')",
		      type->name, name_of(&last, 0));
	free(values.items);
}

int fl_pg_put_last(struct fl_server *s, struct fl_buf *sql,
		   struct fl_server_table *table, const struct fl_query *query,
		   struct fl_sql_values *values, struct fl_error *err)
{
	struct last last;
	bool trusted = false;
	uint64_t count = 0;

	begin(&last, sql, table->type, table->cols, table->count, query,
	      values);
	if (!last.count) {
		put_end(&last, query);
	} else if (is_walked(&last)) {
		put_walk(&last);
	} else if (fl_pg_has_notes(table->type) && s->extras) {
		if (count_series(s, &last, &trusted, &count, err) < 0)
			return -1;
		if (trusted)
			put_noted(&last, stretch(count, last.n));
		else
			fl_log("'%s': others have written to %s: the newest "
			       "are looked for in all of it, until fl-load "
			       "--migrate has counted what is there",
			       s->place, table->type->name);
	}
	return 0;
}

#endif
