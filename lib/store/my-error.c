/* my-error: what MySQL and MariaDB say, sorted by what can be done about it;
 * see my.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"

#ifndef FL_WITHOUT_MYSQL
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <mariadb/mysqld_error.h>
#include <string.h>

#include "base/buf.h"
#include "store/my-parts.h"

#define lib fl_my_lib

/* By number, and what has none here by its SQLSTATE. Those above 4000 mean
 * something else to MySQL and to MariaDB; none of ours has another meaning that
 * a statement of ours could cause. */
static const struct {
	unsigned number;
	enum fl_fault fault;
	enum fl_code code;
} numbers[] = {
	{ ER_SERVER_SHUTDOWN, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_NORMAL_SHUTDOWN, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_SHUTDOWN_COMPLETE, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_FORCING_CLOSE, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_ABORTING_CONNECTION, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_NEW_ABORTING_CONNECTION, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_NET_READ_ERROR, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_NET_READ_INTERRUPTED, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_NET_ERROR_ON_WRITE, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ ER_NET_WRITE_INTERRUPTED, FL_FAULT_LOST, FL_ERR_AGAIN },
	{ 1927, FL_FAULT_LOST, FL_ERR_AGAIN }, /* killed (MariaDB) */
	{ 3169, FL_FAULT_LOST, FL_ERR_AGAIN }, /* the same (MySQL) */
	{ 4031, FL_FAULT_LOST, FL_ERR_AGAIN }, /* idle for too long (MySQL) */

	{ ER_LOCK_DEADLOCK, FL_FAULT_AGAIN, FL_ERR_AGAIN },
	{ ER_LOCK_WAIT_TIMEOUT, FL_FAULT_AGAIN, FL_ERR_AGAIN },
	{ ER_XA_RBDEADLOCK, FL_FAULT_AGAIN, FL_ERR_AGAIN },
	{ ER_CHECKREAD, FL_FAULT_AGAIN, FL_ERR_AGAIN }, /* a row has changed */
	{ ER_ERROR_DURING_COMMIT, FL_FAULT_AGAIN, FL_ERR_AGAIN }, /* Galera */
	{ ER_TOO_MANY_CONCURRENT_TRXS, FL_FAULT_AGAIN, FL_ERR_AGAIN },

	{ ER_DISK_FULL, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_RECORD_FILE_FULL, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_GET_ERRNO, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_CANT_CREATE_FILE, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_CANT_CREATE_TABLE, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_ERROR_ON_READ, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_ERROR_ON_WRITE, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_NOT_KEYFILE, FL_FAULT_OTHER, FL_ERR_IO }, /* damaged … */
	{ ER_CRASHED_ON_USAGE, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_CRASHED_ON_REPAIR, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_OPEN_AS_READONLY, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_OPTION_PREVENTS_STATEMENT, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, FL_FAULT_OTHER, FL_ERR_IO },
	{ ER_READ_ONLY_MODE, FL_FAULT_OTHER, FL_ERR_IO },

	{ ER_OUTOFMEMORY, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_OUT_OF_SORTMEMORY, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_OUT_OF_RESOURCES, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_CON_COUNT_ERROR, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_CANT_CREATE_THREAD, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_TOO_MANY_USER_CONNECTIONS, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_USER_LIMIT_REACHED, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_LOCK_TABLE_FULL, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ ER_QUERY_INTERRUPTED, FL_FAULT_OTHER, FL_ERR_AGAIN },
	{ 1969, FL_FAULT_OTHER, FL_ERR_AGAIN }, /* max_statement_time */
	{ 3024, FL_FAULT_OTHER, FL_ERR_AGAIN }, /* max_execution_time */
	{ 3572, FL_FAULT_OTHER, FL_ERR_AGAIN }, /* NOWAIT */

	{ ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ ER_NO_DEFAULT_FOR_FIELD, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ ER_INVALID_CHARACTER_STRING, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ ER_WRONG_VALUE, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ ER_WRONG_VALUE_FOR_TYPE, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ ER_TOO_BIG_ROWSIZE, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ ER_NO_PARTITION_FOR_GIVEN_VALUE, FL_FAULT_ROW, FL_ERR_REFUSED },
	{ 3819, FL_FAULT_ROW, FL_ERR_REFUSED }, /* CHECK (MySQL) */
	{ 4025, FL_FAULT_ROW, FL_ERR_REFUSED }, /* CHECK (MariaDB) */
};

static const struct {
	const char *state; /* the start of the SQLSTATE */
	enum fl_fault fault;
	enum fl_code code;
} states[] = {
	{ "08", FL_FAULT_LOST, FL_ERR_AGAIN },
	{ "40", FL_FAULT_AGAIN, FL_ERR_AGAIN },
	{ "42S02", FL_FAULT_MISSING, FL_ERR_REFUSED },
	{ "22", FL_FAULT_ROW, FL_ERR_REFUSED },
	{ "23", FL_FAULT_ROW, FL_ERR_REFUSED },
	{ "45", FL_FAULT_ROW, FL_ERR_REFUSED }, /* a trigger's */
	{ "", FL_FAULT_OTHER, FL_ERR_REFUSED },
};

static bool is_clients(unsigned number)
{
	return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) ||
	       (number >= CER_MIN_ERROR && number <= CER_MAX_ERROR);
}

/* What the library says by itself is, but for misuse, that it lost the server.
 */
static enum fl_code sort(struct fl_db *db, unsigned number, const char *state)
{
	size_t i;

	if (is_clients(number)) {
		bool ours = number == CR_UNKNOWN_ERROR ||
			    number == CR_COMMANDS_OUT_OF_SYNC ||
			    number == CR_NET_PACKET_TOO_LARGE;

		db->fault = ours ? FL_FAULT_OTHER : FL_FAULT_LOST;
		return ours ? FL_ERR_REFUSED : FL_ERR_AGAIN;
	}
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (numbers[i].number == number) {
			db->fault = numbers[i].fault;
			return numbers[i].code;
		}
	}
	i = 0;
	while (strncmp(state, states[i].state, strlen(states[i].state)) != 0)
		i++;
	db->fault = states[i].fault;
	return states[i].code;
}

/* "…; you need (at least one of) the RELOAD privilege(s) for …" */
static void advise_right(const char *words, struct fl_buf *out)
{
	const char *from = strstr(words, "one of) the ");
	const char *to = from ? strstr(from, " privilege") : NULL;

	if (to)
		fl_buf_printf(out, "%.*s ON *.*", (int)(to - from - 12),
			      from + 12);
	else
		fl_buf_puts(out, "ALL ON *.*");
}

/* The line that would mend it; "" when there is none. */
static void advise(const struct fl_my *my, unsigned number, struct fl_buf *out)
{
	const struct fl_my_place *place = &my->place;

	switch (number) {
	case ER_ACCESS_DENIED_ERROR:
	case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
		fl_buf_puts(out,
			    "; the password is read from FL_MYSQL_PASSWORD, "
			    "from the file that FL_MYSQL_PASSWORD_FILE names, "
			    "or from password=... of [client] in ~/.my.cnf "
			    "(chmod 600)");
		return;
	case ER_BAD_DB_ERROR:
		fl_buf_printf(out,
			      "; CREATE DATABASE `%s` CHARACTER SET utf8mb4 "
			      "makes it",
			      place->database);
		return;
	case ER_HOST_NOT_PRIVILEGED:
		fl_buf_printf(out,
			      "; CREATE USER `%s`@`%%` IDENTIFIED BY '...' "
			      "makes an account that may come from anywhere",
			      place->user);
		return;
	case ER_HOST_IS_BLOCKED:
		fl_buf_puts(out, "; FLUSH HOSTS lets it in again");
		return;
	case ER_DBACCESS_DENIED_ERROR:
	case ER_TABLEACCESS_DENIED_ERROR:
	case ER_COLUMNACCESS_DENIED_ERROR:
	case ER_SPECIFIC_ACCESS_DENIED_ERROR:
	case ER_PROCACCESS_DENIED_ERROR:
		fl_buf_puts(out, "; an administrator may say: GRANT ");
		if (number == ER_SPECIFIC_ACCESS_DENIED_ERROR)
			advise_right(my->db.words, out);
		else
			fl_buf_printf(out, "ALL ON `%s`.*", place->database);
		fl_buf_puts(out, " TO ");
		if (*my->account)
			fl_buf_puts(out, my->account);
		else
			fl_buf_printf(out, "`%s`@`%%`", place->user);
		return;
	case ER_NOT_ALLOWED_COMMAND:
	case 3948: /* MySQL */
	case 4166: /* MariaDB 11 */
		fl_buf_puts(out, "; SET GLOBAL local_infile = ON allows it");
		return;
	case ER_NET_PACKET_TOO_LARGE:
	case CR_NET_PACKET_TOO_LARGE:
		fl_buf_puts(out, "; SET GLOBAL max_allowed_packet = 67108864 "
				 "makes it 64 MiB");
		return;
	default:
		return;
	}
}

int fl_my_sort(struct fl_my *my, unsigned number, const char *state,
	       const char *text, const char *doing, struct fl_error *err)
{
	struct fl_buf advice = FL_BUF_INIT;
	enum fl_code code = sort(&my->db, number, state);

	fl_db_keep_words(&my->db, text, NULL);
	advise(my, number, &advice);
	fl_error_set(err, code, "cannot %s '%s': %s%s", doing, my->db.shown,
		     my->db.words, fl_buf_text(&advice));
	fl_buf_release(&advice);
	return -1;
}

int fl_my_fail(struct fl_my *my, const char *doing, struct fl_error *err)
{
	return fl_my_sort(my, lib.mysql_errno(my->conn),
			  lib.mysql_sqlstate(my->conn),
			  lib.mysql_error(my->conn), doing, err);
}

/* Where rows that stream break off, the statement itself knows of nothing. */
int fl_my_fail_stmt(struct fl_my *my, MYSQL_STMT *stmt, const char *doing,
		    struct fl_error *err)
{
	unsigned number = lib.mysql_stmt_errno(stmt);

	if (number == 0 && my->conn && lib.mysql_errno(my->conn))
		return fl_my_fail(my, doing, err);
	if (number == 0)
		return fl_my_sort(my, CR_SERVER_LOST, "HY000",
				  "Lost connection to server", doing, err);
	return fl_my_sort(my, number, lib.mysql_stmt_sqlstate(stmt),
			  lib.mysql_stmt_error(stmt), doing, err);
}

#endif
