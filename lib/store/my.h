/* my: a connection to MySQL or MariaDB, for db.h. libmariadb is loaded when it
 * is first needed, as libpq is. my.c connects, my-place.c reads places,
 * my-error.c sorts errors, my-row.c runs statements and reads rows, my-value.c
 * their values, my-load.c and my-stream.c write
 * many.
 *
 * Places: mysql://[USER@][HOST[:PORT]]/DATABASE[?NAME=VALUE&…], or mariadb://,
 * each part percent-encoded where it must be.
 *
 *	USER      whose account; default: who we are
 *	HOST      by TCP, localhost too; without one: this machine, by its
 *socket PORT      default 3306 socket    path of that socket, where it is not
 *where the library looks ssl-mode  disabled; preferred: TLS where the server
 *has it (the default); required: TLS, whoever it is with; verify-identity: its
 *	          certificate is good and names HOST (the default with ssl-ca)
 *	ssl-ca    file of certificates that are trusted, PEM; default: the
 *system's ssl-cert ssl-key   our own read-timeout   seconds that an answer may
 *take; default 300
 *
 * The password is FL_MYSQL_PASSWORD, or what the file FL_MYSQL_PASSWORD_FILE
 * has, or password=… of [client] in ~/.my.cnf. Files that others may read keep
 * none, and are refused. Who is not proven to be the right server is never
 * given it in clear: from afar, that is all but verify-identity.
 *
 * Of the option files of the mysql client nothing else is read: they hold for
 * the library whatever a program says, and could switch TLS off.
 *
 * Session: utf8mb4; UTC; strict; quotes are doubled and backslashes are bytes
 * (NO_BACKSLASH_ESCAPES); READ COMMITTED; a lock is waited for half a minute.
 * A host that has vanished is noticed within half a minute by TCP itself, and a
 * connection that is alive but swallows what is sent by read-timeout: this one
 * is long, for a server that sorts or rebuilds a table says nothing meanwhile.
 *
 * Parameters are ? in the SQL. They arrive as texts: where a number is wanted,
 * as after LIMIT, the SQL must hold it.
 *
 * Cells, of statements and cursors alike:
 *
 *	integers, BOOLEAN, YEAR   8 bytes, an int64_t (above its range: wrapped)
 *	DATETIME, TIMESTAMP       8 bytes, an int64_t: microseconds since 1970
 *	DATE                      8 bytes, an int64_t: days since 1970
 *	all else                  the text or bytes, a NUL behind them
 *
 * COUNT, MIN and MAX of integers are integers; SUM is a DECIMAL, unless CAST.
 * The 8 bytes are in the machine's own order, but not aligned. A zero date
 * ("0000-00-00") is NULL.
 *
 * Faults: FL_FAULT_AGAIN asks for ROLLBACK first, always: after a deadlock the
 * server has rolled the transaction back, after a lock time-out the statement
 * alone.
 *
 * source  MariaDB Knowledge Base: "MariaDB Connector/C", "MariaDB Error Codes";
 *         MySQL 8.0 C API Developer Guide; MySQL 8.0 Error Message Reference
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_MY_H
#define FL_STORE_MY_H

#include "store/db.h"

extern const struct fl_db_ops fl_db_my;

/* What the server is; of the last connection. */
struct fl_my_server {
	bool mariadb;
	unsigned version;  /* 101119: 10.11.19 */
	bool local_infile; /* takes LOAD DATA LOCAL */
	uint64_t packet;   /* bytes of a statement, at most */
};
const struct fl_my_server *fl_my_server(const struct fl_db *db);

/* Warnings of the last statement that was run, asked or loaded; SHOW WARNINGS
 * tells them. */
uint64_t fl_my_warnings(const struct fl_db *db);

/* The next piece of what is loaded, borrowed until the next call.
 * returns 1, 0 at the end, -1 */
typedef int (*fl_my_piece_fn)(void *arg, const char **bytes, size_t *len,
			      struct fl_error *err);

/* LOAD DATA LOCAL INFILE '…' …, whatever name stands there: its data are the
 * pieces. Else no file of ours is ever given to a server that asks for one.
 *
 * Values that do not fit are warnings, in strict mode, too. When a piece fails,
 * the server takes those before it for all: roll back.
 *
 * rows      loaded
 * replaced  of them, with REPLACE
 * errors    FL_ERR_REFUSED also when the server takes no LOAD DATA LOCAL */
int fl_my_load(struct fl_db *db, const char *sql, fl_my_piece_fn next,
	       void *arg, uint64_t *rows, uint64_t *replaced,
	       uint64_t *warnings, struct fl_error *err);

/* The same with pieces as they come: nothing else may be asked of the
 * connection before the end, which must come, and which tells what went wrong.
 */
int fl_my_load_begin(struct fl_db *db, const char *sql, struct fl_error *err);
void fl_my_load_put(struct fl_db *db, const char *bytes, size_t len);
int fl_my_load_end(struct fl_db *db, uint64_t *warnings, struct fl_error *err);

/* INSERT … VALUES … ON DUPLICATE KEY UPDATE of `rows` rows.
 * replaced  how many there were before, be they changed or not */
int fl_my_insert(struct fl_db *db, const char *sql, size_t len, uint64_t rows,
		 uint64_t *replaced, struct fl_error *err);

#endif
