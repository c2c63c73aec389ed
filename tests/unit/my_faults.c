/* What goes wrong between us and MySQL or MariaDB, against a real server:
 * FL_MYSQL_TEST names an empty database of it. FL_MYSQL_TEST_CA: it has TLS, by
 * this certificate for localhost. FL_MYSQL_TEST_KILL and FL_MYSQL_TEST_REVIVE:
 * commands that end it as a crash would, and start it again
 * (tests/live/mariadb-service.bats has them all).
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
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"

static const char *place;    /* of the empty database */
static char *server;         /* HOST:PORT of it */
static const char *database; /* its name */
static char password[200];

static struct fl_db *open_as(const char *where, struct fl_error *err)
{
	struct fl_db *db = NULL;

	fl_error_clear(err);
	fl_db_my.open(&db, where, "mysql://test", err);
	return db;
}

static struct fl_db *open_db(void)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_db *db = open_as(place, &err);

	if (db)
		return db;
	ok(false, "it opens");
	note("%s", err.text);
	exit(done_testing());
}

static void run(struct fl_db *db, const char *sql)
{
	struct fl_error err = { .code = FL_OK };

	if (db->ops->run(db, sql, "test", &err) < 0) {
		ok(false, "%.60s", sql);
		note("%s", err.text);
	}
}

static int64_t number(struct fl_db *db, const char *sql)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_rows *rows = NULL;
	int64_t value = INT64_MIN;

	if (db->ops->ask(db, sql, NULL, 0, "test", &rows, &err) == 0 &&
	    db->ops->count(rows) > 0)
		value = db->ops->number(db->ops->cell(rows, 0, 0));
	db->ops->free(rows);
	return value;
}

/* What a shell is told to do; its status. */
static int shell(const char *command)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return status;
}

/* Does an error say what it should? */
static void is_error(const struct fl_error *err, enum fl_code code,
		     const char *start, const char *end)
{
	size_t len = strlen(err->text), tail = strlen(end);

	is_int(err->code, code, "the status");
	if (!ok(strncmp(err->text, start, strlen(start)) == 0 && len >= tail &&
			strcmp(err->text + len - tail, end) == 0,
		"the words"))
		note("%s", err->text);
}

/* --- connecting ------------------------------------------------------------
 */

static void refused(const char *where, enum fl_code code, const char *start,
		    const char *end)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_db *db = open_as(where, &err);

	ok(db == NULL, "%s is refused", where);
	is_error(&err, code, start, end);
	if (db)
		fl_db_close(&db);
}

#define PASSWORDS                                                              \
	"the password is read from FL_MYSQL_PASSWORD, from the file that "     \
	"FL_MYSQL_PASSWORD_FILE names, or from password=... of [client] in "   \
	"~/.my.cnf (chmod 600)"

static void test_refusals(void)
{
	char *none = fl_sprintf("mysql://lake@%s/lake_none", server);
	char *others = fl_sprintf("mysql://lake@%s/mysql", server);
	char *nobody = fl_sprintf("mysql://nobody@%s/%s", server, database);

	refused(none, FL_ERR_REFUSED,
		"cannot connect to 'mysql://test': Unknown database",
		"; CREATE DATABASE `lake_none` CHARACTER SET utf8mb4 makes it");
	refused(others, FL_ERR_REFUSED,
		"cannot connect to 'mysql://test': Access denied for user",
		"; an administrator may say: GRANT ALL ON `mysql`.* TO "
		"`lake`@`%`");
	refused(nobody, FL_ERR_REFUSED,
		"cannot connect to 'mysql://test': Access denied for user",
		PASSWORDS);
	setenv("FL_MYSQL_PASSWORD", "wrong", 1);
	refused(place, FL_ERR_REFUSED,
		"cannot connect to 'mysql://test': Access denied for user",
		PASSWORDS);
	setenv("FL_MYSQL_PASSWORD", password, 1);
	refused("mysql://lake@nowhere.invalid/lake", FL_ERR_AGAIN,
		"cannot connect to 'mysql://test': Unknown server host "
		"'nowhere.invalid'",
		")");
	refused("mysql://lake@127.0.0.1:1/lake", FL_ERR_AGAIN,
		"cannot connect to 'mysql://test': Can't connect to server",
		")");
	refused("mysql:///lake?socket=/nowhere/socket", FL_ERR_AGAIN,
		"cannot connect to 'mysql://test': Can't connect to local "
		"server through socket '/nowhere/socket'",
		")");
	free(none);
	free(others);
	free(nobody);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0 ||
	    chmod(path, mode) < 0)
		ok(false, "cannot write '%s'", path);
}

static void opens(const char *where, const char *what)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_db *db = open_as(where, &err);

	if (!ok(db != NULL, "%s", what))
		note("%s", err.text);
	if (db)
		fl_db_close(&db);
}

static void test_passwords(void)
{
	char dir[] = "/tmp/fl-my-XXXXXX";
	char *file, *own, *text;

	if (!mkdtemp(dir))
		exit(1);
	file = fl_sprintf("%s/secret", dir);
	own = fl_sprintf("%s/.my.cnf", dir);
	unsetenv("FL_MYSQL_PASSWORD");
	setenv("HOME", dir, 1);
	refused(place, FL_ERR_REFUSED,
		"cannot connect to 'mysql://test': Access denied for user",
		PASSWORDS);

	setenv("FL_MYSQL_PASSWORD_FILE", file, 1);
	text = fl_sprintf("%s\n", password);
	write_file(file, text, 0600);
	free(text);
	opens(place, "a password out of a file");
	chmod(file, 0644);
	text = fl_sprintf("others may read or write '%s', the password (mode "
			  "0644): chmod 600 %s",
			  file, file);
	refused(place, FL_ERR_USAGE, text, "");
	free(text);
	unsetenv("FL_MYSQL_PASSWORD_FILE");

	text = fl_sprintf("[mysqld]\npassword = no\n[client]\nuser=x\n"
			  "  password = \"%s\" \n[mysql]\npassword=no\n",
			  password);
	write_file(own, text, 0600);
	free(text);
	opens(place, "out of ~/.my.cnf");
	chmod(own, 0640);
	refused(place, FL_ERR_USAGE,
		"others may read or write the password in ~/.my.cnf: chmod 600 "
		"~/.my.cnf",
		"");
	write_file(own, "[client]\nuser=x\nssl=0\n", 0644);
	refused(place, FL_ERR_REFUSED,
		"cannot connect to 'mysql://test': Access denied for user",
		PASSWORDS);
	setenv("FL_MYSQL_PASSWORD", password, 1);
	opens(place, "one that is given goes before");
	unlink(own);
	unlink(file);
	rmdir(dir);
	free(own);
	free(file);
}

/* --- TLS -------------------------------------------------------------------
 */

/* Is the connection to such a place encrypted? -1: there is none. */
static int secure(const char *host, const char *query, struct fl_error *err)
{
	char *where = fl_sprintf("mysql://lake@%s%s/%s?%s", host,
				 strchr(server, ':'), database, query);
	struct fl_db *db = open_as(where, err);
	struct fl_rows *rows = NULL;
	int result = -1;

	free(where);
	if (!db)
		return -1;
	if (db->ops->ask(db, "SHOW STATUS LIKE 'Ssl_cipher'", NULL, 0, "test",
			 &rows, err) == 0)
		result = db->ops->cell(rows, 0, 1).len > 0;
	db->ops->free(rows);
	fl_db_close(&db);
	return result;
}

static void test_tls(const char *ca)
{
	struct fl_error err = { .code = FL_OK };
	char *trusting = fl_sprintf("ssl-ca=%s", ca);
	char *lax = fl_sprintf("ssl-mode=required&ssl-ca=%s", ca);

	is_int(secure("127.0.0.1", "read-timeout=9", &err), 1,
	       "TLS where the server has it");
	is_int(secure("127.0.0.1", "ssl-mode=disabled", &err), 0,
	       "none where it is not wanted");
	is_int(secure("127.0.0.1", "ssl-mode=required", &err), 1,
	       "and none else where it is");
	is_int(secure("localhost", trusting, &err), 1,
	       "a certificate that is known, for its name");
	is_int(secure("127.0.0.1", trusting, &err), 1, "and its address");
	is_int(secure("127.1", trusting, &err), -1,
	       "but not for one that it has not");
	is_error(&err, FL_ERR_REFUSED,
		 "cannot connect to 'mysql://test': TLS/SSL error", "");
	is_int(secure("127.1", lax, &err), 1, "unless nobody asks");
	is_int(secure("localhost", "ssl-mode=verify-identity", &err), -1,
	       "nor one that the system does not know");
	is_error(&err, FL_ERR_REFUSED,
		 "cannot connect to 'mysql://test': TLS/SSL error", "");
	is_int(secure("localhost", "ssl-ca=/nowhere.pem", &err), -1,
	       "nor with no file of them");
	is_error(&err, FL_ERR_REFUSED,
		 "cannot connect to 'mysql://test': TLS/SSL error", "");
	free(trusting);
	free(lax);
}

/* Of another authority. */
static void test_wrong_ca(void)
{
	char dir[] = "/tmp/fl-my-XXXXXX";
	struct fl_error err = { .code = FL_OK };
	char *ca, *make, *query;

	if (!mkdtemp(dir))
		exit(1);
	ca = fl_sprintf("%s/ca.pem", dir);
	make = fl_sprintf("openssl req -x509 -newkey ec -pkeyopt "
			  "ec_paramgen_curve:P-256 -nodes -days 2 -subj "
			  "/CN=localhost -addext "
			  "subjectAltName=DNS:localhost -keyout %s/key -out %s "
			  "2>/dev/null",
			  dir, ca);
	query = fl_sprintf("ssl-ca=%s", ca);
	if (shell(make) == 0) {
		is_int(secure("localhost", query, &err), -1,
		       "a certificate of another authority is refused");
		is_error(&err, FL_ERR_REFUSED,
			 "cannot connect to 'mysql://test': TLS/SSL error", "");
	} else {
		ok(true, "another authority # SKIP openssl is not installed");
	}
	free(make);
	make = fl_sprintf("rm -r %s", dir);
	ok(shell(make) == 0, "cleaned");
	free(make);
	free(query);
	free(ca);
}

static void test_no_tls(void)
{
	struct fl_error err = { .code = FL_OK };

	is_int(secure("127.0.0.1", "read-timeout=9", &err), 0,
	       "no TLS where the server has none");
	is_int(secure("127.0.0.1", "ssl-mode=required", &err), -1,
	       "which is an error when it is wanted");
	is_error(&err, FL_ERR_REFUSED,
		 "cannot connect to 'mysql://test': the server has no TLS", "");
	is_int(secure("127.0.0.1", "ssl-mode=verify-identity", &err), -1,
	       "of somebody known, too");
	is_error(&err, FL_ERR_REFUSED,
		 "cannot connect to 'mysql://test': ", "");
}

/* --- statements ------------------------------------------------------------
 */

static void test_faults(struct fl_db *db)
{
	static const struct {
		const char *sql;
		enum fl_fault fault;
		enum fl_code code;
		const char *words;
	} faults[] = {
		{ "INSERT INTO f VALUES (NULL, 0, NULL, '', 0)", FL_FAULT_ROW,
		  FL_ERR_REFUSED, "Column 'id' cannot be null" },
		{ "INSERT INTO f VALUES (1, 300, 0, '', 0)", FL_FAULT_ROW,
		  FL_ERR_REFUSED,
		  "Out of range value for column 'v' at row 1" },
		{ "INSERT INTO f VALUES (1, 'x', 0, '', 0)", FL_FAULT_ROW,
		  FL_ERR_REFUSED, "Incorrect integer value: 'x' for column " },
		{ "INSERT INTO f VALUES (1, 1, '1900-02-30', '', 0)",
		  FL_FAULT_ROW, FL_ERR_REFUSED, "Incorrect datetime value: " },
		{ "INSERT INTO f VALUES (1, 1, '0000-00-00', '', 0)",
		  FL_FAULT_ROW, FL_ERR_REFUSED, "Incorrect datetime value: " },
		{ "INSERT INTO f VALUES (1, 1, '2026-01-01', 'abcd', 0)",
		  FL_FAULT_ROW, FL_ERR_REFUSED,
		  "Data too long for column 't' at row 1" },
		{ "INSERT INTO f VALUES (1, 1, '2026-01-01', x'ff', 0)",
		  FL_FAULT_ROW, FL_ERR_REFUSED, "Incorrect string value: " },
		{ "INSERT INTO f VALUES (0, 1, '2026-01-01', '', 0)",
		  FL_FAULT_ROW, FL_ERR_REFUSED,
		  "Duplicate entry '0' for key " },
		{ "INSERT INTO f VALUES (1, 1, '2026-01-01', '', -1)",
		  FL_FAULT_ROW, FL_ERR_REFUSED, "CONSTRAINT `f.c` failed for" },
		{ "INSERT INTO f (id) VALUES (1)", FL_FAULT_ROW, FL_ERR_REFUSED,
		  "Field 'v' doesn't have a default value" },
		{ "INSERT INTO g VALUES (7)", FL_FAULT_ROW, FL_ERR_REFUSED,
		  "Cannot add or update a child row: a foreign key " },
		{ "INSERT INTO g VALUES (13)", FL_FAULT_ROW, FL_ERR_REFUSED,
		  "thirteen is not wanted" },
		{ "INSERT INTO p VALUES (50)", FL_FAULT_ROW, FL_ERR_REFUSED,
		  "Table has no partition for value 50" },
		{ "SELECT 9223372036854775807 + 1", FL_FAULT_ROW,
		  FL_ERR_REFUSED, "BIGINT value is out of range in " },
		{ "SELECT * FROM nowhere", FL_FAULT_MISSING, FL_ERR_REFUSED,
		  "Table '" },
		{ "SELECT nothing FROM f", FL_FAULT_OTHER, FL_ERR_REFUSED,
		  "Unknown column 'nothing' in " },
		{ "SELEC", FL_FAULT_OTHER, FL_ERR_REFUSED,
		  "You have an error in your SQL syntax" },
		{ "SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(9)",
		  FL_FAULT_OTHER, FL_ERR_AGAIN, "Query execution was " },
		{ "INSERT INTO m SELECT seq FROM seq_1_to_1000000",
		  FL_FAULT_OTHER, FL_ERR_IO, "The table 'm' is full" },
	};

	run(db, "CREATE TABLE f (id INT PRIMARY KEY, v TINYINT NOT NULL, w "
		"DATETIME, t VARCHAR(3), c INT CHECK (c >= 0)) CHARACTER SET "
		"utf8mb4; INSERT INTO f VALUES (0, 0, '2026-01-01', '', 0); "
		"CREATE TABLE g (f INT, FOREIGN KEY (f) REFERENCES f (id)); "
		"CREATE TRIGGER g_in BEFORE INSERT ON g FOR EACH ROW IF NEW.f "
		"= 13 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = "
		"'thirteen is not wanted'; END IF;"
		"CREATE TABLE p (n INT) PARTITION BY RANGE (n) (PARTITION low "
		"VALUES LESS THAN (10)); SET SESSION max_heap_table_size = "
		"16384; CREATE TABLE m (n INT) ENGINE = MEMORY");
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		struct fl_error err = { .code = FL_OK };
		struct fl_rows *rows;
		int got = i % 2 ? db->ops->run(db, faults[i].sql, "do to", &err)
				: db->ops->ask(db, faults[i].sql, NULL, 0,
					       "do to", &rows, &err);

		is_int(got, -1, "%s", faults[i].sql);
		is_int(db->fault, faults[i].fault, "what kind it is");
		is_int(err.code, faults[i].code, "its status");
		if (!ok(strncmp(db->words, faults[i].words,
				strlen(faults[i].words)) == 0,
			"its words"))
			note("%s", db->words);
		ok(strncmp(err.text, "cannot do to 'mysql://test': ", 29) == 0,
		   "in ours");
	}
	run(db, "SET SESSION TRANSACTION READ ONLY");
	{
		struct fl_error err = { .code = FL_OK };

		is_int(db->ops->run(db, "DELETE FROM f", "write to", &err), -1,
		       "what may be read only");
		is_int(err.code, FL_ERR_IO, "is status 5");
	}
	run(db, "SET SESSION TRANSACTION READ WRITE; DROP TABLE g, f, p, m");
}

static void test_privileges(struct fl_db *db)
{
	struct fl_error err = { .code = FL_OK };
	char *sql = fl_sprintf("CREATE OR REPLACE USER test_poor@'%%' "
			       "IDENTIFIED BY '%s'; CREATE TABLE q (n INT); "
			       "GRANT SELECT ON %s.* TO test_poor@'%%'",
			       password, database);
	char *where = fl_sprintf("mysql://test_poor@%s/%s", server, database);
	char *mend = fl_sprintf("; an administrator may say: GRANT ALL ON "
				"`%s`.* TO `test_poor`@`%%`",
				database);
	struct fl_db *poor;

	run(db, sql);
	poor = open_as(where, &err);
	ok(poor != NULL, "one who may only read");
	if (poor) {
		is_int(number(poor, "SELECT COUNT(*) FROM q"), 0, "may read");
		is_int(poor->ops->run(poor, "INSERT INTO q VALUES (1)",
				      "write to", &err),
		       -1, "and not write");
		is_error(&err, FL_ERR_REFUSED,
			 "cannot write to 'mysql://test': INSERT command "
			 "denied to user",
			 mend);
		fl_error_clear(&err);
		is_int(poor->ops->run(poor, "CREATE TABLE r (n INT)",
				      "make the tables of", &err),
		       -1, "nor make tables");
		is_error(&err, FL_ERR_REFUSED,
			 "cannot make the tables of 'mysql://test': CREATE "
			 "command denied to user",
			 mend);
		fl_error_clear(&err);
		is_int(poor->ops->run(poor, "FLUSH TABLES", "use", &err), -1,
		       "nor what is the administrator's");
		is_error(&err, FL_ERR_REFUSED,
			 "cannot use 'mysql://test': Access denied; you need ",
			 "; an administrator may say: GRANT RELOAD ON *.* TO "
			 "`test_poor`@`%`");
		fl_db_close(&poor);
	}
	run(db, "DROP USER test_poor@'%'; DROP TABLE q");
	free(mend);
	free(where);
	free(sql);
}

/* --- locks -----------------------------------------------------------------
 */

struct rival {
	struct fl_db *db;
	int result;
	struct fl_error err;
};

static void *take_first(void *arg)
{
	struct rival *it = arg;

	it->result = it->db->ops->run(it->db, "UPDATE k SET v = 2 WHERE id = 1",
				      "write to", &it->err);
	return NULL;
}

static void test_locks(struct fl_db *db)
{
	struct rival rival = { .db = open_db() };
	struct fl_error err = { .code = FL_OK };
	pthread_t thread;
	enum fl_fault fault;
	bool ours, theirs;

	run(db, "CREATE TABLE k (id INT PRIMARY KEY, v INT); INSERT INTO k "
		"VALUES (1, 0), (2, 0); BEGIN; UPDATE k SET v = 1 WHERE id = "
		"1");
	run(rival.db, "SET SESSION innodb_lock_wait_timeout = 1; BEGIN");
	take_first(&rival);
	is_int(rival.result, -1, "what is locked for too long");
	is_int(rival.db->fault, FL_FAULT_AGAIN, "may be had when repeated");
	is_int(rival.err.code, FL_ERR_AGAIN, "and is status 3");
	ok(rival.db->ops->in_transaction(rival.db),
	   "the transaction is still there");
	run(rival.db, "ROLLBACK; SET SESSION innodb_lock_wait_timeout = 30; "
		      "BEGIN; UPDATE k SET v = 2 WHERE id = 2");
	fl_error_clear(&rival.err);
	pthread_create(&thread, NULL, take_first, &rival);
	usleep(300000);
	ours = db->ops->run(db, "UPDATE k SET v = 1 WHERE id = 2", "write to",
			    &err) < 0;
	fault = db->fault;
	run(db, ours ? "ROLLBACK" : "COMMIT");
	pthread_join(thread, NULL);
	theirs = rival.result < 0;
	ok(ours != theirs, "of two that wait for each other one gives way");
	is_int(ours ? fault : rival.db->fault, FL_FAULT_AGAIN,
	       "and may try again");
	is_int(ours ? err.code : rival.err.code, FL_ERR_AGAIN, "with status 3");
	run(rival.db, "ROLLBACK");
	fl_db_close(&rival.db);
	run(db, "DROP TABLE k");
}

/* --- losses ----------------------------------------------------------------
 */

static void test_killed(struct fl_db *db)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_db *other = open_db();
	char *sql = fl_sprintf("KILL CONNECTION %d",
			       (int)number(other, "SELECT CONNECTION_ID()"));

	run(other, "BEGIN");
	run(db, sql);
	usleep(100000);
	is_int(other->ops->run(other, "COMMIT", "write to", &err), -1,
	       "a connection that was cut");
	is_int(other->fault, FL_FAULT_LOST, "is lost");
	is_int(err.code, FL_ERR_AGAIN, "which is status 3");
	is_int(fl_db_reopen(other, &err), 0, "it comes back");
	is_int(err.code, FL_OK, "and nothing is wrong any more");
	ok(!other->ops->in_transaction(other), "in no transaction");
	is_int(number(other, "SELECT 5"), 5, "and works");
	fl_db_close(&other);
	free(sql);
}

/* A server that says nothing for longer than it may. */
static void test_silence(void)
{
	struct fl_error err = { .code = FL_OK };
	char *where = fl_sprintf("mysql://lake@%s/%s?read-timeout=1", server,
				 database);
	struct fl_db *db = open_as(where, &err);
	int64_t began = fl_monotonic_ns();

	free(where);
	ok(db != NULL, "one who waits for a second");
	if (!db)
		return;
	is_int(db->ops->run(db, "SELECT SLEEP(20)", "read", &err), -1,
	       "has no answer");
	is_int(db->fault, FL_FAULT_LOST, "and takes it for lost");
	ok(fl_monotonic_ns() - began < 10 * FL_SECOND, "in time");
	fl_db_close(&db);
}

static void test_crash(const char *kill, const char *revive)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_db *streaming = open_db(), *kept = open_db(),
		     *idle = open_db();
	struct fl_db_cursor *cursors[2] = { 0 };
	static const char sql[] =
		"SELECT CONCAT(a.seq, REPEAT('x', 1000)) FROM "
		"seq_1_to_1000000 a JOIN seq_1_to_1000000 b";
	struct fl_cell cell;
	int got = 1;

	run(idle, "BEGIN");
	is_int(streaming->ops->declare(streaming, sql, NULL, 0, 1, true,
				       &cursors[0], &err),
	       0, "one streams");
	is_int(kept->ops->declare(kept, "SELECT seq FROM seq_1_to_100000", NULL,
				  0, 1, false, &cursors[1], &err),
	       0, "one has a cursor");
	is_int(kept->ops->step(cursors[1], &cell, &err), 1, "and reads");
	is_int(shell(kill), 0, "the server dies");
	while (got == 1)
		got = streaming->ops->step(cursors[0], &cell, &err);
	is_int(got, -1, "what streams breaks off");
	is_int(streaming->fault, FL_FAULT_LOST, "is lost");
	is_int(err.code, FL_ERR_AGAIN, "with status 3");
	is_int(streaming->ops->step(cursors[0], &cell, &err), 0,
	       "and gives nothing more");
	fl_error_clear(&err);
	for (got = 1; got == 1;)
		got = kept->ops->step(cursors[1], &cell, &err);
	is_int(got, -1, "so does the cursor");
	is_int(kept->fault, FL_FAULT_LOST, "lost");
	fl_error_clear(&err);
	is_int(idle->ops->run(idle, "COMMIT", "write to", &err), -1,
	       "and who comes next");
	is_int(idle->fault, FL_FAULT_LOST, "learns of it");
	fl_error_clear(&err);
	is_int(idle->ops->connect(idle, &err), -1, "nobody answers");
	is_int(err.code, FL_ERR_AGAIN, "for now");
	is_int(idle->ops->run(idle, "COMMIT", "write to", &err), -1,
	       "without a connection nothing runs");
	is_int(idle->fault, FL_FAULT_LOST, "it is still lost");
	ok(!idle->ops->in_transaction(idle), "as is its transaction");
	is_int(shell(revive), 0, "the server is back");
	fl_error_clear(&err);
	is_int(fl_db_reopen(idle, &err), 0, "it comes back");
	is_int(number(idle, "SELECT 5"), 5, "and works");
	/* A connection may be replaced while a cursor of it is there. */
	is_int(fl_db_reopen(kept, &err), 0, "the one with a cursor, too");
	kept->ops->end(cursors[1]);
	is_int(number(kept, "SELECT 5"), 5, "works without it");
	streaming->ops->end(cursors[0]);
	fl_db_close(&streaming);
	fl_db_close(&kept);
	fl_db_close(&idle);
}

/* mysql://lake@HOST:PORT/DATABASE, and its password out of wherever it is. */
static void take_apart(void)
{
	const char *host = strchr(place, '@') + 1;
	const char *file = getenv("FL_MYSQL_PASSWORD_FILE");
	const char *given = getenv("FL_MYSQL_PASSWORD");
	FILE *in = given || !file ? NULL : fopen(file, "re");

	database = strrchr(place, '/') + 1;
	server = fl_strndup(host, strcspn(host, "/"));
	if (given)
		snprintf(password, sizeof(password), "%s", given);
	else if (in && fgets(password, sizeof(password), in))
		password[strcspn(password, "\n")] = '\0';
	if (in)
		fclose(in);
	setenv("FL_MYSQL_PASSWORD", password, 1);
	unsetenv("FL_MYSQL_PASSWORD_FILE");
}

int main(void)
{
	const char *ca = getenv("FL_MYSQL_TEST_CA");
	const char *kill = getenv("FL_MYSQL_TEST_KILL");
	const char *revive = getenv("FL_MYSQL_TEST_REVIVE");
	struct fl_db *db;

	place = getenv("FL_MYSQL_TEST");
	if (!place || !*place)
		skip_all("FL_MYSQL_TEST names no database");
	take_apart();
	test_refusals();
	test_passwords();
	if (ca && *ca) {
		test_tls(ca);
		test_wrong_ca();
	} else {
		test_no_tls();
	}
	db = open_db();
	test_faults(db);
	test_privileges(db);
	test_locks(db);
	test_killed(db);
	test_silence();
	fl_db_close(&db);
	if (kill && revive)
		test_crash(kill, revive);
	else
		ok(true, "a crash # SKIP FL_MYSQL_TEST_KILL is not set");
	free(server);
	return done_testing();
}
#endif
