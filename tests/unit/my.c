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
		{ "mysql://host/x?=1",
		  "behind ? stand NAME=VALUE, with & between them, not '=1'" },
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

/* --- cursors ---------------------------------------------------------------
 */

static void test_two_cursors(struct fl_db *db)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_db_ops *ops = db->ops;
	struct fl_db_cursor *up = NULL, *down = NULL;
	const char *least = "10";
	struct fl_cell a, b;
	int64_t wrong = 0, rows = 0;

	run(db, "CREATE TABLE n (id INT PRIMARY KEY); INSERT INTO n "
		"SELECT seq FROM seq_1_to_10000");
	ok(ops->declare(db, "SELECT id FROM n WHERE id >= ? ORDER BY id",
			&least, 1, 1, false, &up, &err) == 0 &&
		   ops->declare(db, "SELECT id FROM n ORDER BY id DESC", NULL,
				0, 1, false, &down, &err) == 0,
	   "two cursors are open at once");
	while (up && down && ops->step(up, &a, &err) == 1 &&
	       ops->step(down, &b, &err) == 1) {
		wrong += ops->number(a) != rows + 10;
		wrong += ops->number(b) != 10000 - rows;
		rows++;
		if (rows == 5000)
			is_int(number(db, "SELECT COUNT(*) FROM n"), 10000,
			       "and a statement runs beside them");
	}
	is_int(rows, 9991, "each gives its rows");
	is_int(wrong, 0, "in its order");
	ops->end(up);
	is_int(ops->step(down, &b, &err), 1, "one goes on without the other");
	ops->end(down);
	run(db, "DROP TABLE n");
}

static long resident_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Peaks only grow: what is read last may not have raised them. */
static void test_memory(struct fl_db *db)
{
	static const char sql[] =
		"SELECT seq, REPEAT('x', 100), CAST(seq AS DECIMAL(18, 6)), "
		"'2026-01-02 16:00:00.5' FROM seq_1_to_1000000";
	const struct fl_db_ops *ops = db->ops;
	struct fl_error err = { .code = FL_OK };
	long before = resident_kib();

	for (int alone = 1; alone >= 0; alone--) {
		struct fl_db_cursor *cursor = NULL, *other = NULL;
		struct fl_cell cells[4];
		int64_t rows = 0, sum = 0;

		if (!alone)
			ops->declare(db, sql, NULL, 0, 4, false, &other, &err);
		ops->declare(db, sql, NULL, 0, 4, alone, &cursor, &err);
		while (cursor && ops->step(cursor, cells, &err) == 1) {
			rows++;
			sum += ops->number(cells[0]);
			if (other && rows % 3 == 0)
				ops->step(other, cells, &err);
		}
		is_int(rows, 1000000, "a million rows, %s",
		       alone ? "alone" : "with another cursor");
		is_int(sum, 500000500000, "are those that were asked for");
		ops->end(cursor);
		ops->end(other);
	}
#ifndef __SANITIZE_ADDRESS__
	ok(resident_kib() - before < 8 * 1024,
	   "which takes constant memory: %ld KiB", resident_kib() - before);
#else
	(void)before;
#endif
}

/* To end in the middle of what would take long does not take long. */
static void test_end_early(struct fl_db *db)
{
	const struct fl_db_ops *ops = db->ops;
	struct fl_error err = { .code = FL_OK };
	struct fl_db_cursor *cursor = NULL;
	struct fl_cell cell;
	int64_t began = fl_monotonic_ns();

	run(db, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
	for (int i = 0; i < 20; i++) {
		ok(ops->declare(db,
				"SELECT CONCAT(a.seq, REPEAT('x', 1000)) "
				"FROM seq_1_to_1000000 a JOIN "
				"seq_1_to_1000000 b",
				NULL, 0, 1, true, &cursor, &err) == 0 &&
			   ops->step(cursor, &cell, &err) == 1,
		   "10^12 rows begin");
		ops->end(cursor);
		is_int(number(db, "SELECT 7"), 7, "and end when told to");
	}
	ok(fl_monotonic_ns() - began < 10 * FL_SECOND, "at once");
	ok(ops->in_transaction(db), "which does not end a transaction");
	run(db, "ROLLBACK");
	ok(!ops->in_transaction(db), "as ROLLBACK does");
	for (uint64_t n = 995; n < 1006; n++) {
		char *sql = fl_sprintf("SELECT seq FROM seq_1_to_%d", (int)n);

		ops->declare(db, sql, NULL, 0, 1, true, &cursor, &err);
		free(sql);
		ops->step(cursor, &cell, &err);
		ops->end(cursor);
		is_int(number(db, "SELECT 7"), 7, "nor does one with %d rows",
		       (int)n);
	}
}

/* Statements with parameters are kept: they must be right when tables change,
 * and with more of them than are kept. */
static void test_kept(struct fl_db *db)
{
	static const char *const alters[] = {
		"SELECT 1",
		"ALTER TABLE s ADD COLUMN more TEXT DEFAULT 'more'",
		"ALTER TABLE s MODIFY v TEXT",
		"ALTER TABLE s DROP COLUMN more",
		"CREATE OR REPLACE TABLE s SELECT DATE'1970-01-03' v, 1 id",
		"ANALYZE TABLE s",
	};
	const char *const args[] = { "1", "2" };
	const struct fl_db_ops *ops = db->ops;
	struct fl_error err = { .code = FL_OK };
	struct fl_rows *rows = NULL;
	int wrong = 0;

	run(db, "CREATE TABLE s (id INT, v INT); INSERT INTO s VALUES (1, 5)");
	for (size_t i = 0; i < sizeof(alters) / sizeof(*alters); i++) {
		run(db, alters[i]);
		rows = ask(db, "SELECT * FROM s WHERE id = ?", args, 1);
		if (!rows)
			continue;
		is_int(ops->count(rows), 1, "%s", alters[i]);
		if (i < 2)
			is_int(ops->number(ops->cell(rows, 0, 1)), 5, "v");
		else if (i < 4)
			is_str(ops->cell(rows, 0, 1).bytes, "5", "v, a text");
		else
			is_int(ops->number(ops->cell(rows, 0, 0)), 2,
			       "v, a date");
		ops->free(rows);
	}
	for (int i = 0; i < 100; i++) {
		char *sql = fl_sprintf("SELECT ? * 1 + %d", i * 7 % 20);

		rows = ask(db, sql, &args[i % 2], 1);
		wrong += strtol(ops->cell(rows, 0, 0).bytes, NULL, 10) !=
			 i % 2 + 1 + i * 7 % 20;
		ops->free(rows);
		free(sql);
	}
	is_int(wrong, 0, "twenty statements in turn");
	for (int i = 0; i < 3; i++) {
		rows = ask(db, "INSERT INTO s VALUES ('2026-01-02', ?)",
			   &args[1], 1);
		is_int(ops->touched(rows), 1, "a kept INSERT writes");
		ops->free(rows);
	}
	is_int(ops->ask(db, "INSERT INTO s VALUES (?, 9)", args, 1, "test",
			NULL, &err),
	       -1, "one that fails");
	is_int(db->fault, FL_FAULT_ROW, "is sorted");
	ops->free(ask(db, "INSERT INTO s VALUES (?, 9)",
		      (const char *const[]){ "2026-01-01" }, 1));
	is_int(number(db, "SELECT COUNT(*) FROM s"), 5, "and may then work");
	fl_error_clear(&err);
	is_int(ops->connect(db, &err), 0, "a new connection");
	rows = ask(db, "SELECT * FROM s WHERE id = ?", args, 1);
	is_int(ops->count(rows), 1, "knows what it has not seen");
	ops->free(rows);
	run(db, "DROP TABLE s");
}

/* --- writing ---------------------------------------------------------------
 */

static void test_touched(struct fl_db *db)
{
	static const struct {
		const char *sql;
		uint64_t touched;
	} steps[] = {
		{ "INSERT INTO t VALUES (1, 1), (2, 1), (3, 1)", 3 },
		{ "UPDATE t SET v = 2 WHERE id < 3", 2 },
		{ "UPDATE t SET v = 2 WHERE id < 4", 3 }, /* 1 changes */
		{ "UPDATE t SET v = 2", 3 },              /* none does */
		{ "UPDATE t SET v = 9 WHERE id = 7", 0 },
		{ "INSERT IGNORE INTO t VALUES (3, 5), (4, 5)", 1 },
		{ "INSERT IGNORE INTO t VALUES (3, 5)", 0 },
		{ "DELETE FROM t WHERE id > 2", 2 },
		{ "DELETE FROM t WHERE id > 2", 0 },
		{ "SELECT * FROM t", 2 },
	};

	run(db, "CREATE TABLE t (id INT PRIMARY KEY, v INT)");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct fl_rows *rows = ask(db, steps[i].sql, NULL, 0);

		if (rows && i < sizeof(steps) / sizeof(*steps) - 1)
			is_int(db->ops->touched(rows), steps[i].touched, "%s",
			       steps[i].sql);
		db->ops->free(rows);
	}
	run(db, "DROP TABLE t");
}

static void test_insert(struct fl_db *db)
{
	static const struct {
		const char *values;
		uint64_t rows, replaced;
	} steps[] = {
		{ "(1, 1)", 1, 0 },
		{ "(1, 1)", 1, 1 }, /* the same */
		{ "(1, 2)", 1, 1 }, /* another */
		{ "(1, 2), (2, 2)", 2, 1 },
		{ "(3, 1), (4, 1), (5, 1)", 3, 0 },
		{ "(1, 2), (2, 3), (3, 1), (6, 1), (7, 1)", 5, 3 },
		{ "(1, 2), (2, 3), (3, 1)", 3, 3 },
		{ "(1, 9), (2, 9), (3, 9)", 3, 3 },
	};
	uint64_t replaced = 0;

	run(db, "CREATE TABLE i (id INT PRIMARY KEY, v INT)");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct fl_error err = { .code = FL_OK };
		char *sql = fl_sprintf("INSERT INTO i VALUES %s ON DUPLICATE "
				       "KEY UPDATE v = VALUES(v)",
				       steps[i].values);

		is_int(fl_my_insert(db, sql, strlen(sql), steps[i].rows,
				    &replaced, &err),
		       0, "%s", steps[i].values);
		is_int(replaced, steps[i].replaced, "replaces");
		free(sql);
	}
	is_int(number(db, "SELECT CAST(SUM(id * 100 + v) AS SIGNED) FROM i"),
	       2831, "all are there");
	run(db, "DROP TABLE i");
}

/* Data in pieces of so many bytes, and so many of them. */
struct pieces {
	const char *data;
	size_t len, at, size;
	size_t fail_at; /* 0: never */
};

static int next_piece(void *arg, const char **bytes, size_t *len,
		      struct fl_error *err)
{
	struct pieces *it = arg;

	if (it->fail_at && it->at >= it->fail_at)
		return fl_error_set(err, FL_ERR_IO, "the piece is broken");
	if (it->at == it->len)
		return 0;
	*bytes = it->data + it->at;
	*len = it->len - it->at < it->size ? it->len - it->at : it->size;
	it->at += *len;
	return 1;
}

#define LOAD_AND(word)                                                         \
	"LOAD DATA LOCAL INFILE 'x' " word " INTO TABLE d CHARACTER SET "      \
	"utf8mb4 FIELDS TERMINATED BY '\t' ESCAPED BY '' LINES TERMINATED BY " \
	"'\n'"
#define LOAD LOAD_AND("")

static void test_load(struct fl_db *db)
{
	static const size_t sizes[] = { 1, 7, 4096, 65536, SIZE_MAX };
	uint64_t rows, replaced, warnings;
	struct fl_buf data = FL_BUF_INIT;
	size_t bytes = 0; /* of the texts */
	struct pieces it;

	ok(fl_my_server(db)->local_infile, "the server takes LOAD DATA LOCAL");
	run(db, "CREATE TABLE d (id INT PRIMARY KEY, v TINYINT, t TEXT) "
		"CHARACTER SET utf8mb4");
	for (int i = 0; i < 5000; i++) {
		fl_buf_printf(&data, "%d\t%d\t", i, i % 100);
		bytes -= data.len;
		fl_buf_printf(&data, "line '%d' \\ \xe2\x82\xac", i);
		bytes += data.len;
		fl_buf_putc(&data, '\n');
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct fl_error err = { .code = FL_OK };

		it = (struct pieces){ data.data, data.len, 0, sizes[i], 0 };
		run(db, "DELETE FROM d");
		is_int(fl_my_load(db, LOAD, next_piece, &it, &rows, &replaced,
				  &warnings, &err),
		       0, "loaded in pieces of %zu", sizes[i]);
		ok(rows == 5000 && replaced == 0 && warnings == 0, "all of it");
		is_int(number(db, "SELECT CAST(SUM(LENGTH(t) + v + id) AS "
				  "SIGNED) FROM d"),
		       (int64_t)bytes + 247500 + 12497500, "to the byte");
	}
	fl_buf_release(&data);
}

/* Values that do not fit, rows that are there, data that end early. */
static void test_load_faults(struct fl_db *db)
{
	static const char bad[] = "6000\t300\tx\n6001\tx\ty\n6002\t1\tz\n";
	static const char again[] = "6000\t1\tx\n6001\t1\ty\n6005\t1\tz\n";
	struct pieces it = { bad, sizeof(bad) - 1, 0, 4, 0 };
	struct fl_error err = { .code = FL_OK };
	uint64_t rows, replaced, warnings;
	struct fl_rows *told;

	is_int(fl_my_load(db, LOAD, next_piece, &it, &rows, &replaced,
			  &warnings, &err),
	       0, "values that do not fit are loaded");
	ok(rows == 3 && warnings == 2, "with warnings");
	is_int(fl_my_warnings(db), 2, "which are counted");
	told = ask(db, "SHOW WARNINGS LIMIT 1", NULL, 0);
	is_str(db->ops->cell(told, 0, 2).bytes,
	       "Out of range value for column 'v' at row 1", "and told");
	db->ops->free(told);
	it = (struct pieces){ again, sizeof(again) - 1, 0, 9, 0 };
	is_int(fl_my_load(db, LOAD_AND("REPLACE"), next_piece, &it, &rows,
			  &replaced, &warnings, &err),
	       0, "with REPLACE");
	ok(rows == 3 && replaced == 2, "those are counted that were there");

	run(db, "DELETE FROM d; BEGIN");
	it = (struct pieces){ bad, sizeof(bad) - 1, 0, 4, 12 };
	is_int(fl_my_load(db, LOAD, next_piece, &it, &rows, &replaced,
			  &warnings, &err),
	       -1, "data that break off are an error");
	ok(err.code == FL_ERR_IO &&
		   strcmp(err.text, "the piece is broken") == 0,
	   "their own");
	ok(db->ops->in_transaction(db), "and the connection is good");
	run(db, "ROLLBACK");
	is_int(number(db, "SELECT COUNT(*) FROM d"), 0, "nothing is left");

	fl_error_clear(&err);
	is_int(db->ops->run(db,
			    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE d",
			    "write to", &err),
	       -1, "a server that asks for a file of ours");
	ok(strstr(err.text, "asked for a file") != NULL, "gets none: %s",
	   err.text);
	is_int(number(db, "SELECT COUNT(*) FROM d"), 0, "nothing of it");
	run(db, "DROP TABLE d");
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
	test_two_cursors(db);
	test_memory(db);
	test_end_early(db);
	test_kept(db);
	test_touched(db);
	test_insert(db);
	test_load(db);
	test_load_faults(db);
	is_int(number(db, "SELECT 1"), 1, "it answers");
	fl_db_close(&db);
	return done_testing();
}
#endif
