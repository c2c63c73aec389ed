/* sql: tables and statements out of field tables; what SQLite makes of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "base/time.h"
#include "tap.h"

/* A type of its own, as its versions 1 and 2 would be, and one that came with
 * version 3. */
#define OLD_FIELDS                                                             \
	FL_FIELD_TYPE, FL_FIELD_TS, FL_FIELD_SYMBOL(true),                     \
		{ .path = "kind",                                              \
		  .column = "kind",                                            \
		  .kind = FL_STRING,                                           \
		  .absent = "usual",                                           \
		  .since = 1 },                                                \
		{ .path = "note",                                              \
		  .column = "no\"te",                                          \
		  .kind = FL_STRING,                                           \
		  .absent = "",                                                \
		  .since = 1 },                                                \
	{                                                                      \
		.path = "value", .column = "value", .kind = FL_NUMBER,         \
		.since = 1                                                     \
	}
#define KEY .key = { "symbol", "kind", "note", "ts" }

static const struct fl_field fields_1[] = { OLD_FIELDS, { .path = NULL } };
static const struct fl_field fields_2[] = {
	OLD_FIELDS,
	{ .path = "count", .column = "count", .kind = FL_INTEGER, .since = 2 },
	{ .path = NULL },
};
static const struct fl_field fields_3[] = {
	{ .path = "type", .kind = FL_STRING, .since = 3 },
	{ .path = "ts", .column = "ts", .kind = FL_TIME, .since = 3 },
	{ .path = "id", .column = "id", .kind = FL_STRING, .since = 3 },
	{ .path = "inside", .kind = FL_OBJECT, .since = 3 },
	{ .path = "inside.x", .column = "x", .kind = FL_BOOLEAN, .since = 3 },
	{ .path = NULL },
};
static const struct fl_type thing_1 = { .name = "thing",
					.fields = fields_1,
					KEY };
static const struct fl_type thing_2 = { .name = "thing",
					.fields = fields_2,
					KEY };
static const struct fl_type late = {
	.name = "late", .fields = fields_3, .key = { "ts", "id" }, .doc = true
};
static const struct fl_type *const version_1[] = { &thing_1, NULL };
static const struct fl_type *const version_2[] = { &thing_2, NULL };
static const struct fl_type *const version_3[] = { &thing_2, &late, NULL };

static bool run(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	bool good = sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK;

	if (why)
		note("%s: %s", why, sql);
	sqlite3_free(why);
	return good;
}

/* The rows of a query, columns with |, rows with a blank. */
static const char *rows(sqlite3 *db, const char *sql)
{
	static char text[4000];
	sqlite3_stmt *stmt = NULL;
	size_t len = 0;

	text[0] = '\0';
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return sqlite3_errmsg(db);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const unsigned char *value =
				sqlite3_column_text(stmt, i);

			len += (size_t)snprintf(
				text + len, sizeof(text) - len, "%s%s",
				i     ? "|"
				: len ? " "
				      : "",
				value ? (const char *)value : "NULL");
		}
	}
	sqlite3_finalize(stmt);
	return text;
}

static void test_columns(void)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(&fl_sql_sqlite, &thing_2, cols);
	struct fl_buf text = FL_BUF_INIT;

	for (size_t i = 0; i < count; i++)
		fl_buf_printf(&text, "%s:%u%s ", cols[i].name, cols[i].key,
			      cols[i].required ? "!" : "");
	is_str(text.data,
	       "ts:4! symbol:1! kind:2! kind_given:0 no\"te:3! value:0 "
	       "count:0 extra:0 ",
	       "fields, then what no field holds; keys are never NULL");
	fl_buf_release(&text);
	is_int(fl_sql_version(version_1), 1, "version 1");
	is_int(fl_sql_version(version_2), 2, "version 2");
	is_int(fl_sql_version(version_3), 3, "version 3");
}

/* What must hold of each type that there is. */
static void test_type(const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(&fl_sql_sqlite, type, cols), keys = 0,
	       twice = 0;
	size_t lost = 0;

	for (size_t i = 0; i < count; i++) {
		keys += cols[i].key != 0;
		for (size_t j = 0; j < i; j++)
			twice += strcmp(cols[i].name, cols[j].name) == 0;
	}
	is_int(twice, 0, "%s: no column twice", type->name);
	for (size_t i = 0; i < FL_KEY_MAX && type->key[i]; i++)
		keys--;
	is_int(keys, 0, "%s: a column for each part of the key", type->name);
	for (int i = 1; type->fields[i].path && !type->doc; i++)
		lost += !type->fields[i].column;
	is_int(lost, 0, "%s: without `doc` every field has a column",
	       type->name);
}

static void test_statements(void)
{
	static const size_t used[] = { 0, 1, 2, 4, 5 };
	struct fl_buf sql = FL_BUF_INIT;

	fl_sql_upsert(&sql, &fl_sql_sqlite, &thing_2, used, 5, 2);
	is_str(sql.data,
	       "INSERT OR FAIL INTO \"thing\" (\"ts\", \"symbol\", \"kind\", "
	       "\"no\"\"te\", \"value\") VALUES (?1, ?2, ?3, ?4, ?5), (?6, "
	       "?7, ?8, ?9, ?10) ON CONFLICT (\"symbol\", \"kind\", "
	       "\"no\"\"te\", \"ts\") DO UPDATE SET "
	       "\"kind_given\" = excluded.\"kind_given\", "
	       "\"value\" = excluded.\"value\", "
	       "\"count\" = excluded.\"count\", "
	       "\"extra\" = excluded.\"extra\"",
	       "identifiers are quoted; what is not written is replaced, too");
	fl_buf_release(&sql);
}

static void test_where(void)
{
	static const char *const symbols[] = { "A", "B'", NULL };
	static const char *const none[] = { NULL };
	struct fl_query query = { .symbols = symbols,
				  .from = 5,
				  .to = FL_TIME_NONE,
				  .date_from = 5,
				  .date_to = FL_TIME_NONE };
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;

	fl_sql_where(&sql, &fl_sql_sqlite, &thing_2, &query, &values);
	is_str(sql.data, " WHERE \"symbol\" IN (?1, ?2) AND \"ts\" >= ?3",
	       "values are parameters, never text");
	is_int(values.count, 3, "three of them");
	is_str(values.items[1].text, "B'", "as they are");
	is_int(values.items[2].number, 5, "or numbers");
	ok(fl_sql_matches(&thing_2, &query), "the type has what is asked for");
	query.interval = "1d";
	ok(!fl_sql_matches(&thing_2, &query),
	   "a selector on what a type lacks selects none of it");
	query.interval = NULL;
	query.symbols = none;
	query.from = query.date_from = FL_TIME_NONE;
	fl_buf_reset(&sql);
	fl_sql_where(&sql, &fl_sql_sqlite, &thing_2, &query, &values);
	is_str(fl_buf_text(&sql), "", "no selector, no condition");
	free(values.items);
	fl_buf_release(&sql);
}

static bool make(sqlite3 *db, const struct fl_type *const *types)
{
	struct fl_buf sql = FL_BUF_INIT;
	bool good;

	fl_sql_schema(&sql, &fl_sql_sqlite, types);
	good = run(db, sql.data);
	fl_buf_release(&sql);
	return good;
}

static bool migrate(sqlite3 *db, const struct fl_type *const *types, int from)
{
	struct fl_buf sql = FL_BUF_INIT;
	bool good;

	fl_sql_migrate(&sql, &fl_sql_sqlite, types, from);
	good = run(db, fl_buf_text(&sql));
	fl_buf_release(&sql);
	return good;
}

#define COLUMNS(table)                                                         \
	"SELECT name FROM pragma_table_info('" table "') ORDER BY name"

static void test_migration(void)
{
	sqlite3 *db = NULL, *new = NULL;
	char *want;

	sqlite3_open(":memory:", &db);
	sqlite3_open(":memory:", &new);
	ok(make(db, version_1), "a store of version 1");
	ok(make(new, version_3), "one that is made as version 3");
	run(db, "INSERT INTO thing (ts, symbol, kind, \"no\"\"te\", value) "
		"VALUES (-1, 'A', 'usual', '', '1.50')");

	ok(migrate(db, version_2, 1), "1 to 2");
	is_str(rows(db, "SELECT symbol, value, count FROM thing"),
	       "A|1.50|NULL", "rows stay, the new column is empty");
	is_str(rows(db, "SELECT * FROM thing_v"),
	       "1969-12-31T23:59:59.999999999Z|A|usual|NULL|1.5|NULL|NULL",
	       "the view shows it");
	ok(migrate(db, version_3, 2), "2 to 3");
	ok(run(db,
	       "INSERT INTO late (ts, id, x, doc) VALUES (1, 'a', 1, '{}')"),
	   "the new table takes rows");
	ok(migrate(db, version_3, 3), "from where it is: nothing breaks");

	want = fl_strdup(rows(new, COLUMNS("thing")));
	is_str(rows(db, COLUMNS("thing")), want, "columns as of a new store");
	free(want);
	want = fl_strdup(rows(new, COLUMNS("late_v")));
	is_str(rows(db, COLUMNS("late_v")), want, "views as of a new store");
	free(want);
	want = fl_strdup(
		rows(new, "SELECT name FROM sqlite_master ORDER BY 1"));
	is_str(rows(db, "SELECT name FROM sqlite_master ORDER BY 1"), want,
	       "tables, views and indexes as of a new store");
	free(want);
	sqlite3_close(db);
	sqlite3_close(new);

	sqlite3_open(":memory:", &db);
	make(db, version_1);
	ok(migrate(db, version_3, 1), "1 to 3 at once");
	is_str(rows(db, "SELECT count(*) FROM late_v"), "0", "is the same");
	sqlite3_close(db);
}

/* How SQLite means to find the rows of a query in the table of a real type. */
static const char *plan(sqlite3 *db, const struct fl_type *type,
			const struct fl_query *query)
{
	struct fl_sql_values values = { 0 };
	struct fl_buf sql = FL_BUF_INIT;
	const char *text;

	fl_buf_puts(&sql, "EXPLAIN QUERY PLAN SELECT * FROM ");
	fl_sql_name(&sql, &fl_sql_sqlite, type->name);
	fl_sql_where(&sql, &fl_sql_sqlite, type, query, &values);
	fl_buf_puts(&sql, " ORDER BY ");
	fl_sql_order(&sql, &fl_sql_sqlite, type, NULL, false);
	text = rows(db, sql.data);
	note("%s: %s", type->name, text);
	free(values.items);
	fl_buf_release(&sql);
	return text;
}

static void test_plans(void)
{
	static const char *const symbols[] = { "A", NULL };
	const int64_t none = FL_TIME_NONE;
	const struct fl_query all = {
		.from = none, .to = none, .date_from = none, .date_to = none
	};
	const struct fl_query span = {
		.from = 1, .to = 9, .date_from = 1, .date_to = 9
	};
	struct fl_query one = all;
	sqlite3 *db = NULL;

	one.symbols = symbols;
	sqlite3_open(":memory:", &db);
	ok(make(db, fl_types), "the tables of all types");
	for (size_t i = 0; fl_types[i]; i++) {
		const struct fl_type *type = fl_types[i];

		if (!type->doc && strcmp(type->key[0], "ts") != 0)
			continue;
		ok(!strstr(plan(db, type, &all), "TEMP B-TREE"),
		   "%s: the order of time needs no sort", type->name);
		ok(strstr(plan(db, type, &span), "(ts>? AND ts<?)"),
		   "%s: a span of time is found by an index", type->name);
	}
	ok(strstr(plan(db, &fl_type_bar, &one), "PRIMARY KEY (symbol=?)"),
	   "the bars of a symbol are found by the key");
	is_str(rows(db, "SELECT group_concat(name) FROM sqlite_master "
			"WHERE type = 'index' AND sql IS NOT NULL"),
	       "news_ts", "no table but that of the news needs an index");
	sqlite3_close(db);
}

int main(void)
{
	test_columns();
	for (size_t i = 0; fl_types[i]; i++)
		test_type(fl_types[i]);
	test_statements();
	test_where();
	test_migration();
	test_plans();
	return done_testing();
}
