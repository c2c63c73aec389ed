/* pq: see pq.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/pq.h"

#ifndef FL_WITHOUT_PG
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <postgresql/libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

#define ERRCODE_PRIVILEGE "42501"
#define SONAME            "libpq.so.5" /* since 2006 */

/* The functions, under their own names. */
#define FUNCTIONS(F)                                                           \
	F(PQconnectdbParams)                                                   \
	F(PQconnectionNeedsPassword)                                           \
	F(PQconninfoFree)                                                      \
	F(PQconninfoParse)                                                     \
	F(PQclear)                                                             \
	F(PQcancel)                                                            \
	F(PQcmdTuples)                                                         \
	F(PQconsumeInput)                                                      \
	F(PQdb)                                                                \
	F(PQerrorMessage)                                                      \
	F(PQescapeLiteral)                                                     \
	F(PQfinish)                                                            \
	F(PQfreeCancel)                                                        \
	F(PQfreemem)                                                           \
	F(PQgetCancel)                                                         \
	F(PQgetCopyData)                                                       \
	F(PQgetResult)                                                         \
	F(PQgetisnull)                                                         \
	F(PQgetlength)                                                         \
	F(PQgetvalue)                                                          \
	F(PQisBusy)                                                            \
	F(PQntuples)                                                           \
	F(PQparameterStatus)                                                   \
	F(PQputCopyData)                                                       \
	F(PQputCopyEnd)                                                        \
	F(PQresultErrorField)                                                  \
	F(PQresultStatus)                                                      \
	F(PQsendQuery)                                                         \
	F(PQsendQueryParams)                                                   \
	F(PQsetNoticeProcessor)                                                \
	F(PQsocket)                                                            \
	F(PQstatus)                                                            \
	F(PQtransactionStatus)                                                 \
	F(PQuser)

static struct {
#define F(name) __typeof__(name) *name;
	FUNCTIONS(F)
#undef F
} lib;

enum {
	PATIENCE_MS = 300000,
	FETCH_FIRST = 100, /* rows, until their size is known */
	FETCH_MOST = 5000,
	FETCH_BYTES = 1 << 20,
};

struct pq {
	struct fl_db db;
	PGconn *conn;
	char *place;
	int patience_ms;  /* for an answer, where that is hurried */
	unsigned cursors; /* made so far */
};

/* A select that the server keeps the rows of. */
struct fl_db_cursor {
	struct pq *pq;
	unsigned number;
	size_t columns;
	PGresult *rows; /* the last ones fetched */
	size_t at, count;
	size_t ask; /* rows to fetch next */

	/* Or they stream, one after the other. */
	bool streams, begun, ended;
	char *row;
};

static struct pq *pq_of(struct fl_db *db)
{
	return (struct pq *)db;
}

static int load(struct fl_error *err)
{
	static const char *const names[] = {
#define F(name) #name,
		FUNCTIONS(F)
#undef F
	};
	void **out = (void **)&lib;
	void *so;

	if (lib.PQuser)
		return 0;
	so = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return fl_error_set(err, FL_ERR_USAGE,
				    "cannot load %s, which speaks with "
				    "PostgreSQL (package libpq5): %s",
				    SONAME, dlerror());
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		out[i] = dlsym(so, names[i]);
		if (!out[i])
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s is too old: it has no %s",
					    SONAME, names[i]);
	}
	return 0;
}

/* --- errors -------------------------------------------------------------- */

static const struct {
	const char *state; /* the start of the SQLSTATE */
	enum fl_fault fault;
	enum fl_code code;
} states[] = {
	{ "08", FL_FAULT_LOST, FL_ERR_AGAIN },
	{ "57P0", FL_FAULT_LOST, FL_ERR_AGAIN }, /* it shuts down */
	{ "40", FL_FAULT_AGAIN, FL_ERR_AGAIN },
	{ "25006", FL_FAULT_OTHER, FL_ERR_IO },    /* read-only */
	{ "25P03", FL_FAULT_LOST, FL_ERR_AGAIN },  /* idle for too long */
	{ "53100", FL_FAULT_OTHER, FL_ERR_IO },    /* disk full */
	{ "53", FL_FAULT_OTHER, FL_ERR_AGAIN },    /* memory, connections */
	{ "55P03", FL_FAULT_OTHER, FL_ERR_AGAIN }, /* a lock held for long */
	{ "57", FL_FAULT_OTHER, FL_ERR_AGAIN },    /* cancelled */
	{ "58", FL_FAULT_OTHER, FL_ERR_IO },
	{ "XX00", FL_FAULT_OTHER, FL_ERR_IO }, /* damaged */
	{ "42P01", FL_FAULT_MISSING, FL_ERR_REFUSED },
	{ "22", FL_FAULT_ROW, FL_ERR_REFUSED },
	{ "23", FL_FAULT_ROW, FL_ERR_REFUSED },
	{ "44", FL_FAULT_ROW, FL_ERR_REFUSED },
	{ "54", FL_FAULT_ROW, FL_ERR_REFUSED },
	{ "P0", FL_FAULT_ROW, FL_ERR_REFUSED }, /* a trigger's */
	{ "", FL_FAULT_OTHER, FL_ERR_REFUSED },
};

static int no_privilege(const struct pq *pq, const char *doing,
			struct fl_error *err)
{
	const char *user = lib.PQuser(pq->conn);

	return fl_error_set(err, FL_ERR_REFUSED,
			    "cannot %s '%s': %s; its owner may say: GRANT "
			    "CREATE, USAGE ON SCHEMA public TO \"%s\"; GRANT "
			    "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN "
			    "SCHEMA public TO \"%s\"; GRANT EXECUTE ON ALL "
			    "FUNCTIONS IN SCHEMA public TO \"%s\"",
			    doing, pq->db.shown, pq->db.words, user, user,
			    user);
}

/* A statement failed: its result, NULL when there is none. */
static int fail(struct pq *pq, const PGresult *result, const char *doing,
		struct fl_error *err)
{
	const char *state =
		result ? lib.PQresultErrorField(result, PG_DIAG_SQLSTATE)
		       : NULL;
	size_t i = 0;

	if (lib.PQstatus(pq->conn) == CONNECTION_BAD || !state) {
		fl_db_keep_words(&pq->db, lib.PQerrorMessage(pq->conn), NULL);
		pq->db.fault = FL_FAULT_LOST;
		return fl_error_set(err, FL_ERR_AGAIN, "cannot %s '%s': %s",
				    doing, pq->db.shown, pq->db.words);
	}
	fl_db_keep_words(
		&pq->db,
		lib.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		lib.PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	while (strncmp(state, states[i].state, strlen(states[i].state)) != 0)
		i++;
	pq->db.fault = states[i].fault;
	if (strcmp(state, ERRCODE_PRIVILEGE) == 0)
		return no_privilege(pq, doing, err);
	return fl_error_set(err, states[i].code, "cannot %s '%s': %s", doing,
			    pq->db.shown, pq->db.words);
	return -1;
}

/* --- connecting ---------------------------------------------------------- */

static void ignore(void *arg, const char *message)
{
	(void)arg;
	fl_log("postgres: %.*s", (int)strcspn(message, "\n"), message);
}

/* What libpq says when it could not connect comes as text alone, in the
 * server's language: these are those of all its messages that call for somebody
 * to do something. Whatever else is said, it may pass. */
static int refuse(struct pq *pq, PGconn *conn, struct fl_error *err)
{
	const char *user = lib.PQuser(conn), *db = lib.PQdb(conn);
	const char *text = pq->db.words;

	if (lib.PQconnectionNeedsPassword(conn) ||
	    strstr(text, "password authentication failed"))
		return fl_error_set(
			err, FL_ERR_REFUSED,
			"cannot connect to '%s': %s; the password is read from "
			"PGPASSWORD, or from a line *:*:*:%s:PASSWORD in "
			"~/.pgpass (chmod 600)",
			pq->db.shown, text, user);
	if (strstr(text, "database \"") && strstr(text, "does not exist"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s; createdb -E "
				    "UTF8 -T template0 '%s' makes it",
				    pq->db.shown, text, db);
	if (strstr(text, "role \"") && strstr(text, "does not exist"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s; createuser "
				    "'%s' makes it",
				    pq->db.shown, text, user);
	if (strstr(text, "permission denied for database"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s; GRANT CONNECT "
				    "ON DATABASE \"%s\" TO \"%s\"",
				    pq->db.shown, text, db, user);
	if (strstr(text, "pg_hba.conf") || strstr(text, "certificate") ||
	    strstr(text, "not permitted to log in") ||
	    strstr(text, "SSL was required") || strstr(text, "authentication"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s", pq->db.shown,
				    text);
	return fl_error_set(err,
			    strstr(text, "No space left on device")
				    ? FL_ERR_IO
				    : FL_ERR_AGAIN,
			    "cannot connect to '%s': %s", pq->db.shown, text);
}

static int run(struct fl_db *db, const char *sql, const char *doing,
	       struct fl_error *err);

/* A machine that is gone without a word is noticed after a minute in which it
 * acknowledges nothing; so is ours by the server, which then lets go of our
 * locks. Cursors are read to their end, and no statement is long enough to be
 * compiled first. fl.noted is for postgres-notes.c. Who waits for a lock waits
 * for one who does the same work; half a minute says that nobody does. */
static const char settings[] = "SET cursor_tuple_fraction = 1; "
			       "SET jit = off; SET fl.noted = on; "
			       "SET DateStyle = ISO; SET TimeZone = 'UTC'; "
			       "SET lock_timeout = '30s'; "
			       "SET tcp_keepalives_idle = 30; "
			       "SET tcp_keepalives_interval = 10; "
			       "SET tcp_keepalives_count = 3";

static int connect_to(struct fl_db *db, struct fl_error *err)
{
	struct pq *pq = pq_of(db);
	/* What stands behind the place holds against it. */
	const char *const params[][2] = {
		{ "connect_timeout", "10" },
		{ "keepalives_idle", "30" },
		{ "keepalives_interval", "10" },
		{ "keepalives_count", "3" },
		{ "tcp_user_timeout", "60000" },
		{ "fallback_application_name", fl_log_name },
		{ "dbname", pq->place },
		{ "client_encoding", "UTF8" },
		{ NULL, NULL },
	};
	const char *names[sizeof(params) / sizeof(*params)];
	const char *values[sizeof(params) / sizeof(*params)];
	PGconn *conn;

	for (size_t i = 0; i < sizeof(params) / sizeof(*params); i++) {
		names[i] = params[i][0];
		values[i] = params[i][1];
	}

	if (pq->conn)
		lib.PQfinish(pq->conn);
	pq->conn = NULL;
	conn = lib.PQconnectdbParams(names, values, 1);
	if (!conn)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "cannot connect to '%s': out of memory",
				    db->shown);
	if (lib.PQstatus(conn) != CONNECTION_OK) {
		fl_db_keep_words(db, lib.PQerrorMessage(conn), NULL);
		db->fault = FL_FAULT_LOST;
		refuse(pq, conn, err);
		lib.PQfinish(conn);
		return -1;
	}
	pq->conn = conn;
	lib.PQsetNoticeProcessor(conn, ignore, NULL);
	if (run(db, settings, "use", err) == 0)
		return 0;
	lib.PQfinish(conn);
	pq->conn = NULL;
	return -1;
}

static void close_it(struct fl_db *db)
{
	struct pq *pq = pq_of(db);

	if (pq->conn)
		lib.PQfinish(pq->conn);
	free(pq->place);
	free(pq);
}

/* The place's own word for how long nothing may come. */
static int find_patience(const PQconninfoOption *options)
{
	int ms = 0;

	for (; options->keyword; options++) {
		if (strcmp(options->keyword, "tcp_user_timeout") == 0 &&
		    options->val)
			ms = (int)strtol(options->val, NULL, 10);
	}
	return ms > 0 ? ms : PATIENCE_MS;
}

static int open_it(struct fl_db **out, const char *place, const char *shown,
		   struct fl_error *err)
{
	struct pq *pq;
	PQconninfoOption *options;
	char *why = NULL;

	if (load(err) < 0)
		return -1;
	options = lib.PQconninfoParse(place, &why);
	if (!options) {
		why = why ? why : (char *)"";
		fl_error_set(err, FL_ERR_USAGE, "'%s' names no database: %s",
			     shown, fl_show(why, strcspn(why, "\n"), 200));
		if (*why)
			lib.PQfreemem(why);
		return -1;
	}
	pq = fl_zalloc(sizeof(*pq));
	pq->patience_ms = find_patience(options);
	lib.PQconninfoFree(options);
	pq->db.ops = &fl_db_pq;
	pq->db.shown = shown;
	pq->place = fl_strdup(place);
	*out = &pq->db;
	if (connect_to(*out, err) == 0)
		return 0;
	fl_db_close(out);
	return -1;
}

static bool in_transaction(const struct fl_db *db)
{
	const struct pq *pq = (const struct pq *)db;
	PGTransactionStatusType status = lib.PQtransactionStatus(pq->conn);

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR ||
	       status == PQTRANS_ACTIVE;
}

const char *fl_pq_parameter(const struct fl_db *db, const char *name)
{
	return lib.PQparameterStatus(((const struct pq *)db)->conn, name);
}

/* --- statements ---------------------------------------------------------- */

/* May PQgetResult be asked, which waits for as long as it takes? */
static bool is_answered(struct pq *pq)
{
	struct pollfd socket = { .fd = lib.PQsocket(pq->conn),
				 .events = POLLIN };
	int got;

	while (lib.PQisBusy(pq->conn)) {
		got = poll(&socket, 1, pq->db.hurried ? pq->patience_ms : -1);
		if (got == 0)
			return false;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || !lib.PQconsumeInput(pq->conn))
			break; /* as it will say */
	}
	return true;
}

static bool is_copy(const PGresult *result)
{
	ExecStatusType status = lib.PQresultStatus(result);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
}

static bool is_good(const PGresult *result)
{
	ExecStatusType status = lib.PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* What a statement that was sent gives; of several the last, which is the first
 * that failed. NULL: nothing came. */
static PGresult *take_answer(struct pq *pq)
{
	PGresult *last = NULL, *next;

	while (is_answered(pq)) {
		next = lib.PQgetResult(pq->conn);
		if (!next)
			return last;
		lib.PQclear(last);
		last = next;
		if (is_copy(last) || lib.PQstatus(pq->conn) == CONNECTION_BAD)
			return last;
	}
	lib.PQclear(last);
	return NULL;
}

static int fail_silent(struct pq *pq, const char *doing, struct fl_error *err)
{
	pq->db.fault = FL_FAULT_LOST;
	snprintf(pq->db.words, sizeof(pq->db.words), "no answer came for %g s",
		 pq->patience_ms / 1e3);
	return fl_error_set(err, FL_ERR_AGAIN, "cannot %s '%s': %s", doing,
			    pq->db.shown, pq->db.words);
}

/* The answer to what was `sent`, if it could be. */
static int finish(struct pq *pq, int sent, const char *doing, PGresult **out,
		  struct fl_error *err)
{
	PGresult *result = sent == 1 ? take_answer(pq) : NULL;
	int got;

	*out = NULL;
	if (sent == 1 && !result && lib.PQstatus(pq->conn) == CONNECTION_OK)
		return fail_silent(pq, doing, err);
	if (is_good(result) || is_copy(result)) {
		*out = result;
		return 0;
	}
	got = fail(pq, result, doing, err);
	lib.PQclear(result);
	return got;
}

static int run(struct fl_db *db, const char *sql, const char *doing,
	       struct fl_error *err)
{
	struct pq *pq = pq_of(db);
	PGresult *result;
	int got;

	db->fault = FL_FAULT_NONE;
	got = finish(pq, lib.PQsendQuery(pq->conn, sql), doing, &result, err);
	lib.PQclear(result);
	return got;
}

static int ask(struct fl_db *db, const char *sql, const char *const *args,
	       size_t count, const char *doing, struct fl_rows **rows,
	       struct fl_error *err)
{
	struct pq *pq = pq_of(db);
	PGresult *result;
	int got;

	db->fault = FL_FAULT_NONE;
	got = finish(pq,
		     lib.PQsendQueryParams(pq->conn, sql, (int)count, NULL,
					   args, NULL, NULL, 1),
		     doing, &result, err);
	if (rows)
		*rows = (struct fl_rows *)result;
	else
		lib.PQclear(result);
	return got;
}

static const PGresult *result_of(const struct fl_rows *rows)
{
	return (const PGresult *)rows;
}

static void free_rows(struct fl_rows *rows)
{
	lib.PQclear((PGresult *)rows);
}

static size_t count(const struct fl_rows *rows)
{
	return (size_t)lib.PQntuples(result_of(rows));
}

static uint64_t touched(const struct fl_rows *rows)
{
	return strtoull(lib.PQcmdTuples((PGresult *)rows), NULL, 10);
}

static struct fl_cell value(const PGresult *result, size_t row, size_t column)
{
	struct fl_cell cell = { NULL, 0 };

	if (lib.PQgetisnull(result, (int)row, (int)column))
		return cell;
	cell.bytes = lib.PQgetvalue(result, (int)row, (int)column);
	cell.len = (size_t)lib.PQgetlength(result, (int)row, (int)column);
	return cell;
}

static struct fl_cell cell(const struct fl_rows *rows, size_t row,
			   size_t column)
{
	return value(result_of(rows), row, column);
}

static int64_t number(struct fl_cell cell)
{
	uint64_t value = 0;

	if (!cell.bytes)
		return 0;
	for (size_t i = 0; i < cell.len; i++)
		value = value << 8 | (unsigned char)cell.bytes[i];
	if (cell.len == 2)
		return (int16_t)value;
	return cell.len == 4 ? (int32_t)value : (int64_t)value;
}

/* --- rows that stream ----------------------------------------------------- */

/* COPY takes no parameters. */
static int put_literals(struct pq *pq, const char *sql, const char *const *args,
			struct fl_buf *out)
{
	while (*sql) {
		char *end, *literal;
		unsigned long place;

		if (*sql != '$') {
			fl_buf_putc(out, *sql++);
			continue;
		}
		place = strtoul(sql + 1, &end, 10);
		literal = lib.PQescapeLiteral(pq->conn, args[place - 1],
					      strlen(args[place - 1]));
		if (!literal)
			return -1;
		fl_buf_puts(out, literal);
		lib.PQfreemem(literal);
		sql = end;
	}
	return 0;
}

/* The server does not wait for us to ask for the next ones. */
static int begin_stream(struct fl_db *db, const char *sql,
			const char *const *args, size_t columns,
			struct fl_db_cursor **out, struct fl_error *err)
{
	struct pq *pq = pq_of(db);
	struct fl_buf copy = FL_BUF_INIT;
	int got;

	fl_buf_puts(&copy, "COPY (");
	got = put_literals(pq, sql, args, &copy);
	fl_buf_puts(&copy, ") TO STDOUT (FORMAT binary)");
	if (got == 0)
		got = run(db, copy.data, "read", err);
	else
		fail(pq, NULL, "read", err);
	fl_buf_release(&copy);
	if (got < 0)
		return -1;
	*out = fl_zalloc(sizeof(**out));
	(*out)->pq = pq;
	(*out)->columns = columns;
	(*out)->streams = true;
	return 0;
}

static uint32_t take32(const char **at)
{
	const unsigned char *b = (const unsigned char *)*at;

	*at += 4;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

/* A row as it came: how many columns, -1 for the end, and each one's length, -1
 * for NULL, before it. */
static bool take_row(const struct fl_db_cursor *cursor, const char *at,
		     const char *end, struct fl_cell *cells)
{
	if (end - at < 2 || ((unsigned char)at[0] << 8 |
			     (unsigned char)at[1]) != (int)cursor->columns)
		return false;
	at += 2;
	for (size_t i = 0; i < cursor->columns; i++) {
		uint32_t len;

		cells[i] = (struct fl_cell){ NULL, 0 };
		if (end - at < 4)
			return false;
		len = take32(&at);
		if (len == UINT32_MAX)
			continue;
		if ((size_t)(end - at) < len)
			return false;
		cells[i] = (struct fl_cell){ at, len };
		at += len;
	}
	return true;
}

/* All rows have come, or something went wrong. */
static int finish_stream(struct fl_db_cursor *cursor, struct fl_error *err)
{
	struct pq *pq = cursor->pq;
	PGresult *result;
	int got = 0;

	cursor->ended = true;
	while ((result = lib.PQgetResult(pq->conn))) {
		if (got == 0 && !is_good(result))
			got = fail(pq, result, "read", err);
		lib.PQclear(result);
	}
	return got;
}

static int step_stream(struct fl_db_cursor *cursor, struct fl_cell *cells,
		       struct fl_error *err)
{
	struct pq *pq = cursor->pq;
	const char *at;
	int len;

	if (cursor->ended)
		return 0;
	if (cursor->row)
		lib.PQfreemem(cursor->row);
	cursor->row = NULL;
	len = lib.PQgetCopyData(pq->conn, &cursor->row, 0);
	if (len < 0)
		return finish_stream(cursor, err);
	at = cursor->row;
	if (!cursor->begun) {
		/* a signature, flags and the length of an extension before it
		 */
		uint32_t extension;

		at += 11 + 4;
		extension = take32(&at);
		at += extension;
		cursor->begun = true;
	}
	if (take_row(cursor, at, cursor->row + len, cells))
		return 1;
	if (cursor->row + len - at == 2) /* the end */
		return step_stream(cursor, cells, err);
	pq->db.fault = FL_FAULT_OTHER;
	return fl_error_set(err, FL_ERR_IO,
			    "cannot read '%s': a row is not as it should be",
			    pq->db.shown);
}

static void end_stream(struct fl_db_cursor *cursor)
{
	struct pq *pq = cursor->pq;
	struct fl_error ignored = { .code = FL_OK };
	PGcancel *cancel;
	char why[256], *row = NULL;

	if (cursor->row)
		lib.PQfreemem(cursor->row);
	if (cursor->ended)
		return;
	cancel = lib.PQgetCancel(pq->conn);
	lib.PQcancel(cancel, why, sizeof(why));
	lib.PQfreeCancel(cancel);
	while (lib.PQgetCopyData(pq->conn, &row, 0) > 0)
		lib.PQfreemem(row);
	finish_stream(cursor, &ignored);
}

/* --- cursors ------------------------------------------------------------- */

static int declare(struct fl_db *db, const char *sql, const char *const *args,
		   size_t arg_count, size_t columns, bool alone,
		   struct fl_db_cursor **out, struct fl_error *err)
{
	struct fl_db_cursor *cursor;
	struct pq *pq = pq_of(db);
	char *declaration;
	int got;

	if (alone)
		return begin_stream(db, sql, args, columns, out, err);
	declaration = fl_sprintf("DECLARE fl_%u NO SCROLL CURSOR FOR %s",
				 ++pq->cursors, sql);
	got = ask(db, declaration, args, arg_count, "read", NULL, err);
	free(declaration);
	if (got < 0)
		return -1;
	*out = cursor = fl_zalloc(sizeof(*cursor));
	cursor->pq = pq;
	cursor->number = pq->cursors;
	cursor->columns = columns;
	cursor->ask = FETCH_FIRST;
	return 0;
}

static size_t size_of(const struct fl_db_cursor *cursor)
{
	size_t bytes = 0;

	for (size_t i = 0; i < cursor->count; i++) {
		for (size_t j = 0; j < cursor->columns; j++) {
			/* with what libpq keeps of each */
			bytes += 16 + (size_t)lib.PQgetlength(cursor->rows,
							      (int)i, (int)j);
		}
	}
	return bytes;
}

/* The next rows, about as many as fit into FETCH_BYTES: memory here does not
 * grow with what is stored. */
static int fetch(struct fl_db_cursor *cursor, struct fl_error *err)
{
	struct fl_db *db = &cursor->pq->db;
	struct fl_rows *rows = NULL;
	char sql[64];

	lib.PQclear(cursor->rows);
	cursor->rows = NULL;
	cursor->at = cursor->count = 0;
	snprintf(sql, sizeof(sql), "FETCH %zu FROM fl_%u", cursor->ask,
		 cursor->number);
	if (ask(db, sql, NULL, 0, "read", &rows, err) < 0)
		return -1;
	cursor->rows = (PGresult *)rows;
	cursor->count = count(rows);
	if (cursor->count == 0)
		return 0;
	cursor->ask = FETCH_BYTES / (size_of(cursor) / cursor->count + 1) + 1;
	if (cursor->ask > FETCH_MOST)
		cursor->ask = FETCH_MOST;
	return 0;
}

static int step(struct fl_db_cursor *cursor, struct fl_cell *cells,
		struct fl_error *err)
{
	if (cursor->streams)
		return step_stream(cursor, cells, err);
	if (cursor->at == cursor->count && fetch(cursor, err) < 0)
		return -1;
	if (cursor->count == 0)
		return 0;
	for (size_t i = 0; i < cursor->columns; i++)
		cells[i] = value(cursor->rows, cursor->at, i);
	cursor->at++;
	return 1;
}

static void end(struct fl_db_cursor *cursor)
{
	struct fl_db *db = &cursor->pq->db;
	struct fl_error ignored = { .code = FL_OK };
	char sql[64];

	lib.PQclear(cursor->rows);
	snprintf(sql, sizeof(sql), "CLOSE fl_%u", cursor->number);
	if (cursor->streams)
		end_stream(cursor);
	else if (lib.PQtransactionStatus(cursor->pq->conn) == PQTRANS_INTRANS)
		run(db, sql, "read", &ignored);
	free(cursor);
}

/* --- COPY ---------------------------------------------------------------- */

int fl_pq_copy_begin(struct fl_db *db, const char *sql, struct fl_error *err)
{
	return run(db, sql, "write to", err);
}

int fl_pq_copy_put(struct fl_db *db, const char *bytes, size_t len,
		   struct fl_error *err)
{
	struct pq *pq = pq_of(db);

	if (lib.PQputCopyData(pq->conn, bytes, (int)len) == 1)
		return 0;
	return fail(pq, NULL, "write to", err);
}

int fl_pq_copy_end(struct fl_db *db, struct fl_error *err)
{
	struct pq *pq = pq_of(db);
	PGresult *result;
	int got = finish(pq, lib.PQputCopyEnd(pq->conn, NULL), "write to",
			 &result, err);

	lib.PQclear(result);
	return got;
}

const struct fl_db_ops fl_db_pq = {
	.name = "postgres",
	.open = open_it,
	.connect = connect_to,
	.close = close_it,
	.in_transaction = in_transaction,
	.run = run,
	.ask = ask,
	.free = free_rows,
	.count = count,
	.touched = touched,
	.cell = cell,
	.number = number,
	.declare = declare,
	.step = step,
	.end = end,
};

#endif
