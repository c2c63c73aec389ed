/* The connection to MySQL and MariaDB: how places are read, and, where
 * FL_MYSQL_TEST names an empty database, all the rest against its server
 * (tests/live/mariadb.bats starts one).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"
#include "tap.h"

#ifdef FL_WITHOUT_MYSQL
int main(void)
{
	skip_all("this build has no libmariadb");
}
#else
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"

#define BIG (1024 * 1024)

static const char *place; /* of the empty database; NULL: none */

/* A connection; says why when there is none. */
static struct fl_db *open_db(void)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_db *db = NULL;

	if (fl_db_my.open(&db, place, "mysql://test", &err) == 0)
		return db;
	ok(false, "it opens");
	note("%s", err.text);
	exit(done_testing());
}

/* Statements that have to work. */
static void run(struct fl_db *db, const char *sql)
{
	struct fl_error err = { .code = FL_OK };

	if (db->ops->run(db, sql, "test", &err) < 0) {
		ok(false, "%.60s", sql);
		note("%s", err.text);
	}
}

static struct fl_rows *ask(struct fl_db *db, const char *sql,
			   const char *const *args, size_t count)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_rows *rows = NULL;

	if (db->ops->ask(db, sql, args, count, "test", &rows, &err) < 0) {
		ok(false, "%.60s", sql);
		note("%s", err.text);
	}
	return rows;
}

/* The number in the first cell of what is asked. */
static int64_t number(struct fl_db *db, const char *sql)
{
	struct fl_rows *rows = ask(db, sql, NULL, 0);
	int64_t value = INT64_MIN;

	if (rows && db->ops->count(rows) > 0)
		value = db->ops->number(db->ops->cell(rows, 0, 0));
	db->ops->free(rows);
	return value;
}

/* --- places ----------------------------------------------------------------
 */

static void test_places(void)
{
	static const struct {
		const char *place, *why;
	} wrong[] = {
		{ "mysql://", "it is mysql://USER@HOST:PORT/DATABASE" },
		{ "mysql://me@host", "it is mysql://USER@HOST:PORT/DATABASE" },
		{ "mysql://host/", "it is mysql://USER@HOST:PORT/DATABASE" },
		{ "mysql://host/a/b", "it is mysql://USER@HOST:PORT/DATABASE" },
		{ "mysql://host:0/x", "its port '0' is none" },
		{ "mysql://host:65536/x", "its port '65536' is none" },
		{ "mysql://host:http/x", "its port 'http' is none" },
		{ "mysql://[::1]:/x", "its port '' is none" },
		{ "mysql://me:secret@host/x",
		  "a password there would show in the list of processes: "
		  "FL_MYSQL_PASSWORD, or FL_MYSQL_PASSWORD_FILE names a file "
		  "with it" },
		{ "mysql://host/x%2",
		  "its database 'x%2' is not percent-encoded rightly" },
		{ "mysql://host/x%zz",
		  "its database 'x%zz' is not percent-encoded rightly" },
		{ "mysql://host/x%00",
		  "its database 'x%00' is not percent-encoded rightly" },
		{ "mysql://host/x?charset=latin1",
		  "it knows socket, ssl-mode, ssl-ca, ssl-cert, ssl-key and "
		  "read-timeout, not 'charset'" },
		{ "mysql://host/x?ssl-mode",
		  "behind ? stand NAME=VALUE, with & between them, not "
		  "'ssl-mode'" },
		{ "mysql://host/x?ssl-ca=", "'ssl-ca' has no value" },
		{ "mysql://host/x?ssl-mode=on",
		  "ssl-mode is disabled, preferred, required or "
		  "verify-identity, not 'on'" },
		{ "mysql://host/x?ssl-mode=verify-ca",
		  "libmariadb checks a certificate with its name or not at "
		  "all: ssl-mode=verify-identity, not verify-ca" },
		{ "mysql://host/x?read-timeout=0",
		  "read-timeout is 1 to 86400 seconds, not '0'" },
		{ "mysql://host/x?read-timeout=1d",
		  "read-timeout is 1 to 86400 seconds, not '1d'" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct fl_error err = { .code = FL_OK };
		char *text =
			fl_sprintf("'p' names no database: %s", wrong[i].why);
		struct fl_db *db = NULL;

		is_int(fl_db_my.open(&db, wrong[i].place, "p", &err), -1, "%s",
		       wrong[i].place);
		is_int(err.code, FL_ERR_USAGE, "is misuse");
		is_str(err.text, text, "in words");
		free(text);
	}
}

/* --- cells -----------------------------------------------------------------
 */

/* What a column of some type gives for a literal. */
static void test_cells(struct fl_db *db)
{
	static const struct {
		const char *type, *literal;
		int64_t number; /* when `text` is NULL */
		const char *text;
	} cells[] = {
		{ "TINYINT", "-128", -128, NULL },
		{ "TINYINT UNSIGNED", "255", 255, NULL },
		{ "BOOLEAN", "TRUE", 1, NULL },
		{ "SMALLINT", "-32768", -32768, NULL },
		{ "MEDIUMINT UNSIGNED", "16777215", 16777215, NULL },
		{ "INT", "-2147483648", -2147483648LL, NULL },
		{ "INT UNSIGNED", "4294967295", 4294967295LL, NULL },
		{ "BIGINT", "9223372036854775807", INT64_MAX, NULL },
		{ "BIGINT", "-9223372036854775808", INT64_MIN, NULL },
		{ "BIGINT UNSIGNED", "18446744073709551615", -1, NULL },
		{ "YEAR", "2026", 2026, NULL },
		{ "DECIMAL(38,9)", "-12345678901234567890123456789.987654321",
		  0, "-12345678901234567890123456789.987654321" },
		{ "DECIMAL(18,0)", "0", 0, "0" },
		{ "DATE", "'1970-01-01'", 0, NULL },
		{ "DATE", "'1900-03-01'", -25508, NULL },
		{ "DATE", "'2200-12-31'", 84370, NULL },
		{ "DATETIME(6)", "'1970-01-01 00:00:00.000001'", 1, NULL },
		{ "DATETIME(6)", "'1969-12-31 23:59:59.999999'", -1, NULL },
		{ "DATETIME(6)", "'1900-01-01 00:00:00'", -2208988800000000LL,
		  NULL },
		{ "DATETIME(6)", "'2200-12-31 23:59:59.999999'",
		  7289654399999999LL, NULL },
		{ "DATETIME", "'2026-03-29 02:30:00'", 1774751400000000LL,
		  NULL },
		{ "TIMESTAMP(6) NULL", "'2026-01-02 16:00:00.123456'",
		  1767369600123456LL, NULL },
		{ "VARCHAR(200)", "''", 0, "" },
		{ "VARCHAR(200)", "'a''b\\c'", 0, "a'b\\c" },
		{ "TEXT", "'\xe2\x82\xac \xf0\x9f\x98\x80'", 0,
		  "\xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "BLOB", "x'ff00fe'", 0, NULL },
		{ "DOUBLE", "0.1", 0, "0.1" },
		{ "TIME(3)", "'-12:34:56.789'", 0, "-12:34:56.789" },
		{ "ENUM('x','y')", "'y'", 0, "y" },
		{ "JSON", "'{\"a\": 1.50}'", 0, "{\"a\": 1.50}" },
	};

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		char *make = fl_sprintf(
			"CREATE OR REPLACE TEMPORARY TABLE c (v %s, n %s); "
			"INSERT INTO c VALUES (%s, NULL)",
			cells[i].type, cells[i].type, cells[i].literal);
		struct fl_error err = { .code = FL_OK };
		struct fl_db_cursor *cursor;
		struct fl_cell pair[2], streamed[2],
			*sets[] = { pair, streamed };
		struct fl_rows *rows;

		run(db, make);
		free(make);
		rows = ask(db, "SELECT v, n FROM c", NULL, 0);
		if (!rows)
			continue;
		pair[0] = db->ops->cell(rows, 0, 0);
		pair[1] = db->ops->cell(rows, 0, 1);
		if (db->ops->declare(db, "SELECT v, n FROM c", NULL, 0, 2,
				     i % 2, &cursor, &err) < 0 ||
		    db->ops->step(cursor, streamed, &err) != 1)
			break;
		for (size_t j = 0; j < 2; j++) {
			const struct fl_cell *it = sets[j];

			ok(it[1].bytes == NULL, "%s NULL", cells[i].type);
			if (cells[i].text)
				ok(it->len == strlen(cells[i].text) &&
					   strcmp(it->bytes, cells[i].text) ==
						   0,
				   "%s %s, got '%s'", cells[i].type,
				   cells[i].literal, it->bytes);
			else if (strcmp(cells[i].type, "BLOB") == 0)
				ok(it->len == 3 && memcmp(it->bytes,
							  "\xff\0\xfe", 4) == 0,
				   "bytes");
			else
				is_int(db->ops->number(*it), cells[i].number,
				       "%s %s", cells[i].type,
				       cells[i].literal);
		}
		db->ops->end(cursor);
		db->ops->free(rows);
	}
}

static void test_args(struct fl_db *db)
{
	const char *const args[] = { "1.5", NULL, "it's \\ \xe2\x82\xac",
				     "2200-12-31 23:59:59.999999" };
	const struct fl_db_ops *ops = db->ops;
	struct fl_rows *rows;

	run(db, "CREATE TABLE a (d DECIMAL(18,9), n INT, t TEXT, "
		"w DATETIME(6)) CHARACTER SET utf8mb4");
	rows = ask(db, "INSERT INTO a VALUES (?, ?, ?, ?)", args, 4);
	is_int(ops->touched(rows), 1, "a row is written");
	is_int(ops->count(rows), 0, "and none given");
	ops->free(rows);
	rows = ask(db, "SELECT d, n, t, w FROM a WHERE w = ?", &args[3], 1);
	is_int(ops->count(rows), 1, "and found by its time");
	is_str(ops->cell(rows, 0, 0).bytes, "1.500000000", "a decimal");
	ok(!ops->cell(rows, 0, 1).bytes, "a NULL");
	is_int(ops->number(ops->cell(rows, 0, 1)), 0, "which is 0 as a number");
	is_str(ops->cell(rows, 0, 2).bytes, args[2], "a text");
	ops->free(rows);
	run(db, "DROP TABLE a");
}

static void test_large(struct fl_db *db)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_db_ops *ops = db->ops;
	char *text = fl_alloc(BIG + 1);
	const char *args[] = { text, NULL };
	struct fl_cell cells[3];

	for (size_t i = 0; i < BIG; i++)
		text[i] = (char)('a' + i * 7 % 26);
	text[BIG] = '\0';
	run(db, "CREATE TABLE l (id INT PRIMARY KEY, t LONGTEXT, u LONGTEXT)");
	ops->free(ask(db, "INSERT INTO l VALUES (2, ?, ?)", args, 2));
	run(db, "INSERT INTO l VALUES (1, 'x', ''), (3, 'y', 'z')");
	args[1] = args[0];
	ops->free(ask(db, "INSERT INTO l VALUES (4, ?, ?)", args, 2));
	for (int alone = 0; alone < 2; alone++) {
		struct fl_db_cursor *cursor;
		static const size_t sizes[4][2] = {
			{ 1, 0 }, { BIG, SIZE_MAX }, { 1, 1 }, { BIG, BIG }
		};

		if (ops->declare(db, "SELECT id, t, u FROM l ORDER BY id", NULL,
				 0, 3, alone, &cursor, &err) < 0)
			break;
		for (size_t i = 0; i < 4; i++) {
			if (!ok(ops->step(cursor, cells, &err) == 1,
				"row %zu of large ones", i + 1))
				break;
			is_int(cells[1].len, sizes[i][0], "its first text");
			is_int(cells[2].bytes ? cells[2].len : SIZE_MAX,
			       sizes[i][1], "its second");
			if (cells[1].len == BIG)
				ok(memcmp(cells[1].bytes, text, BIG + 1) == 0,
				   "is what was stored");
			if (cells[2].bytes && cells[2].len == BIG)
				ok(memcmp(cells[2].bytes, text, BIG + 1) == 0,
				   "as is the second");
		}
		is_int(ops->step(cursor, cells, &err), 0, "that is all");
		is_int(ops->step(cursor, cells, &err), 0, "and stays so");
		ops->end(cursor);
	}
	run(db, "DROP TABLE l");
	free(text);
}

int main(void)
{
	struct fl_db *db;

	place = getenv("FL_MYSQL_TEST");
	test_places();
	if (!place || !*place) {
		ok(true, "the rest # SKIP FL_MYSQL_TEST names no database");
		return done_testing();
	}
	db = open_db();
	test_cells(db);
	test_args(db);
	test_large(db);
	is_int(number(db, "SELECT 1"), 1, "it answers");
	fl_db_close(&db);
	return done_testing();
}
#endif
