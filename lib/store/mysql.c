/* mysql: a store in a MySQL or MariaDB database.
 *
 * Tables are made one by one, for each ends a transaction, and say that they
 * may be there already: who was stopped half-way goes on. The version is
 * written last.
 *
 * Texts compare by their bytes with blanks at their end, as they do everywhere
 * else here. MariaDB calls that utf8mb4_nopad_bin and MySQL, from release 8 on,
 * utf8mb4_0900_bin. MySQL itself is not among the servers that the tests run.
 *
 * source  MariaDB Knowledge Base: "SQL statements that cause an implicit
 *         commit", "Supported Character Sets and Collations"; MySQL 8.0
 *         Reference Manual, "Unicode Character Sets"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/mysql.h"

#ifndef FL_WITHOUT_MYSQL
#include <string.h>

#include "base/log.h"
#include "base/time.h"

enum {
	EXTRAS = 1, /* version of the views and of what they need */
};

#define NOPAD       "utf8mb4_nopad_bin"
#define NOPAD_MYSQL "utf8mb4_0900_bin"

/* --- values: texts on the way there; see my.h for the way back ------------ */

static void put_text(struct fl_buf *out, const char *text, size_t len)
{
	fl_buf_append(out, text, len);
}

static void put_integer(struct fl_buf *out, int64_t value)
{
	fl_buf_printf(out, "%lld", (long long)value);
}

static void put_boolean(struct fl_buf *out, bool value)
{
	fl_buf_putc(out, value ? '1' : '0');
}

static void put_rest(struct fl_buf *out, int rest)
{
	put_integer(out, rest);
}

static void put_texts(struct fl_buf *out, const struct fl_json *json,
		      uint32_t at)
{
	const char *before = "[";

	if (json->toks[at].len == 0)
		fl_buf_putc(out, '[');
	for (uint32_t i = at + 1; i < json->toks[at].next; i++) {
		fl_buf_puts(out, before);
		fl_buf_json_string(out, json->toks[i].text, json->toks[i].len);
		before = ",";
	}
	fl_buf_putc(out, ']');
}

static int64_t integer_of(struct fl_cell cell)
{
	int64_t value;

	memcpy(&value, cell.bytes, sizeof(value));
	return value;
}

static int64_t time_of(struct fl_cell cell, int rest)
{
	int64_t micros = integer_of(cell), ns;

	/* What others put there may lie outside of what we can say. */
	if (__builtin_mul_overflow(micros, 1000, &ns) || ns > FL_TIME_MAX ||
	    ns < FL_TIME_MIN)
		return micros < 0 ? FL_TIME_MIN : FL_TIME_MAX;
	return ns + rest;
}

/* A column has all its decimals, always. */
static bool print_number(struct fl_buf *out, struct fl_cell cell)
{
	size_t len = cell.len;

	if (memchr(cell.bytes, '.', len)) {
		while (cell.bytes[len - 1] == '0')
			len--;
		len -= cell.bytes[len - 1] == '.';
	}
	fl_buf_append(out, cell.bytes, len);
	return true;
}

static void print_texts(struct fl_buf *out, struct fl_cell cell)
{
	fl_buf_append(out, cell.bytes, cell.len);
}

static const struct fl_wire wire = {
	.put_number = put_text,
	.put_date = put_text,
	.put_integer = put_integer,
	.put_boolean = put_boolean,
	.put_time = fl_sql_micros,
	.put_rest = put_rest,
	.put_texts = put_texts,
	.time = time_of,
	.date = integer_of,
	.print_number = print_number,
	.print_texts = print_texts,
};

/* --- tables --------------------------------------------------------------- */

/* Whose bars and instruments views show where several providers have one. */
static void put_preference(struct fl_buf *out)
{
	fl_buf_printf(out,
		      "CREATE TABLE IF NOT EXISTS fl_preference (\n"
		      "\tprovider varchar(200) NOT NULL PRIMARY KEY,\n"
		      "\tplace integer NOT NULL COMMENT 'the least goes first; "
		      "who is not listed comes last, by name'\n"
		      ")%s COMMENT 'whose bars and instruments views show "
		      "where several providers have one: yours to fill';\n",
		      fl_sql_mysql.behind);
}

/* The comment of fl_schema is the version of what is beside the tables. */
static void put_extras_version(struct fl_buf *out)
{
	fl_buf_printf(out, "ALTER TABLE fl_schema COMMENT = '%d';\n", EXTRAS);
}

static void print_schema(struct fl_buf *out)
{
	fl_server_schema(out, &fl_sql_mysql, 0);
	put_preference(out);
	fl_mysql_put_views(out);
	put_extras_version(out);
	fl_mysql_put_role(out);
}

/* One statement after the other; each ends in ";\n". */
static int run_each(struct fl_server *s, char *sql, struct fl_error *err)
{
	bool mariadb = fl_my_server(s->db)->mariadb;
	char *end;

	for (; (end = strstr(sql, ";\n")); sql = end + 2) {
		char *collation = strstr(sql, NOPAD);

		*end = '\0';
		if (!mariadb && collation && collation < end) {
			/* The shorter name, and blanks behind it. */
			memset(collation, ' ', strlen(NOPAD));
			memcpy(collation, NOPAD_MYSQL, strlen(NOPAD_MYSQL));
		}
		if (fl_db_run(s->db, sql, "make the tables of", err) < 0)
			return -1;
	}
	return 0;
}

/* What is a convenience may fail for a lack of rights. */
static int make_for_people(struct fl_server *s, void (*put)(struct fl_buf *out),
			   const char *what, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	put(&sql);
	result = run_each(s, sql.data, err);
	fl_buf_release(&sql);
	if (result == 0 || s->db->fault == FL_FAULT_LOST)
		return result;
	fl_log("%s are not made: %s; without them all else works, and the end "
	       "of fl-load --print-schema makes them",
	       what, s->db->words);
	fl_error_clear(err);
	return 0;
}

static int make_extras(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int result;

	put_preference(&sql);
	result = run_each(s, sql.data, err);
	fl_buf_reset(&sql);
	put_extras_version(&sql);
	if (result == 0)
		result = make_for_people(s, fl_mysql_put_views, "views", err);
	if (result == 0)
		result = make_for_people(s, fl_mysql_put_role,
					 "role fl_bi and its rights", err);
	if (result == 0)
		result = run_each(s, sql.data, err);
	fl_buf_release(&sql);
	return result;
}

static int make_under_lock(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int version, result = 0;

	/* Others may have been quicker. */
	if (fl_server_identify(s, &version, err) < 0)
		return -1;
	if (version != fl_sql_version(fl_types)) {
		fl_server_schema(&sql, &fl_sql_mysql, version);
		result = run_each(s, sql.data, err);
		fl_buf_release(&sql);
	}
	if (result == 0 && s->extras < EXTRAS)
		result = make_extras(s, err);
	return result;
}

static int make_tables(struct fl_server *s, int version, struct fl_error *err)
{
	struct fl_error ignored = { .code = FL_OK };
	struct fl_rows *rows = NULL;
	int result;
	bool got;

	(void)version;
	if (fl_db_ask(s->db,
		      "SELECT GET_LOCK(CONCAT('financelake.', DATABASE()), 60)",
		      NULL, 0, "make the tables of", &rows, err) < 0)
		return -1;
	got = fl_db_number(s->db, rows, 0, 0) == 1;
	fl_db_free(s->db, rows);
	if (!got)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "cannot make the tables of '%s': another "
				    "program has been at it for a minute",
				    s->place);
	result = make_under_lock(s, err);
	fl_db_run(s->db, "DO RELEASE_LOCK(CONCAT('financelake.', DATABASE()))",
		  "make the tables of", &ignored);
	return result;
}

/* --- the store ------------------------------------------------------------ */

static bool claims(const char *place)
{
	return strncmp(place, "mysql://", 8) == 0 ||
	       strncmp(place, "mariadb://", 10) == 0;
}

static const struct fl_server_kind kind = {
	.db = &fl_db_my,
	.dialect = &fl_sql_mysql,
	.wire = &wire,
	.begin = "START TRANSACTION",
	.begin_to_read =
		"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; "
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	.is_empty = "SELECT COUNT(*) = 0 FROM information_schema.tables "
		    "WHERE table_schema = DATABASE() "
		    "AND table_name = 'fl_schema'",
	.extras = "SELECT COALESCE(MAX(CAST(NULLIF(table_comment, '') AS "
		  "SIGNED)), 0) FROM information_schema.tables "
		  "WHERE table_schema = DATABASE() "
		  "AND table_name = 'fl_schema'",
	.extras_version = EXTRAS,
	.password_help =
		"FL_MYSQL_PASSWORD, a file that FL_MYSQL_PASSWORD_FILE names, "
		"or ~/.my.cnf holds it",
	.make_tables = make_tables,
	.can_load = fl_mysql_can_load,
	.load_begin = fl_mysql_load_begin,
	.load_row = fl_mysql_load_row,
	.load_piece = fl_mysql_load_piece,
	.load_end = fl_mysql_load_end,
	.write = fl_mysql_write,
	.write_each = fl_mysql_write_each,
};

static int open_store(struct fl_store *store, enum fl_store_mode mode,
		      struct fl_error *err)
{
	return fl_server_open(store, &kind, mode, err);
}

const struct fl_store_ops fl_store_mysql = {
	.name = "mysql",
	.summary = "a MySQL or MariaDB database",
	.forms = "mysql://...",
	.batch = "4M,1s",
	.claims = claims,
	.open = open_store,
	.schema = print_schema,
	FL_SERVER_OPS,
};

#endif
