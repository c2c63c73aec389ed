/* pq: see pq.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/pq.h"

#ifndef FL_WITHOUT_PG
#include <dlfcn.h>
#include <postgresql/libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	F(PQcmdTuples)                                                         \
	F(PQdb)                                                                \
	F(PQerrorMessage)                                                      \
	F(PQexec)                                                              \
	F(PQexecParams)                                                        \
	F(PQfinish)                                                            \
	F(PQfreemem)                                                           \
	F(PQgetResult)                                                         \
	F(PQgetisnull)                                                         \
	F(PQgetlength)                                                         \
	F(PQgetvalue)                                                          \
	F(PQntuples)                                                           \
	F(PQparameterStatus)                                                   \
	F(PQputCopyData)                                                       \
	F(PQputCopyEnd)                                                        \
	F(PQresultErrorField)                                                  \
	F(PQresultStatus)                                                      \
	F(PQsetNoticeProcessor)                                                \
	F(PQstatus)                                                            \
	F(PQtransactionStatus)                                                 \
	F(PQuser)

static struct {
#define F(name) __typeof__(name) *name;
	FUNCTIONS(F)
#undef F
} lib;

enum {
	TRIES = 6, /* to come back, after 0.2, 0.4 … 6.4 s */
};

struct fl_pq {
	PGconn *conn;
	char *place;
	const char *shown;
	enum fl_pq_fault fault;
	char words[600];
};

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

/* libpq's messages have several lines and end in one. */
static void keep_words(struct fl_pq *pq, const char *text, const char *detail)
{
	struct fl_buf words = FL_BUF_INIT;

	fl_buf_puts(&words, text ? text : "");
	if (detail && *detail)
		fl_buf_printf(&words, ": %s", detail);
	while (words.len && strchr("\n\t .", words.data[words.len - 1]))
		words.len--;
	for (size_t i = 0; i < words.len; i++) {
		if (words.data[i] == '\n' || words.data[i] == '\t')
			words.data[i] = ' ';
	}
	snprintf(pq->words, sizeof(pq->words), "%s",
		 fl_show(words.len ? words.data : "", words.len, 500));
	fl_buf_release(&words);
}

static const struct {
	const char *state; /* the start of the SQLSTATE */
	enum fl_pq_fault fault;
	enum fl_code code;
} states[] = {
	{ "08", FL_PQ_LOST, FL_ERR_AGAIN },
	{ "57P0", FL_PQ_LOST, FL_ERR_AGAIN }, /* it shuts down */
	{ "40", FL_PQ_AGAIN, FL_ERR_AGAIN },
	{ "25006", FL_PQ_OTHER, FL_ERR_IO },    /* read-only */
	{ "25P03", FL_PQ_LOST, FL_ERR_AGAIN },  /* idle for too long */
	{ "53100", FL_PQ_OTHER, FL_ERR_IO },    /* disk full */
	{ "53", FL_PQ_OTHER, FL_ERR_AGAIN },    /* memory, connections */
	{ "55P03", FL_PQ_OTHER, FL_ERR_AGAIN }, /* a lock held for long */
	{ "57", FL_PQ_OTHER, FL_ERR_AGAIN },    /* cancelled */
	{ "58", FL_PQ_OTHER, FL_ERR_IO },
	{ "XX00", FL_PQ_OTHER, FL_ERR_IO }, /* damaged */
	{ "42P01", FL_PQ_MISSING, FL_ERR_REFUSED },
	{ "22", FL_PQ_ROW, FL_ERR_REFUSED },
	{ "23", FL_PQ_ROW, FL_ERR_REFUSED },
	{ "44", FL_PQ_ROW, FL_ERR_REFUSED },
	{ "54", FL_PQ_ROW, FL_ERR_REFUSED },
	{ "P0", FL_PQ_ROW, FL_ERR_REFUSED }, /* a trigger's */
	{ "", FL_PQ_OTHER, FL_ERR_REFUSED },
};

static int no_privilege(const struct fl_pq *pq, const char *doing,
			struct fl_error *err)
{
	const char *user = lib.PQuser(pq->conn);

	return fl_error_set(err, FL_ERR_REFUSED,
			    "cannot %s '%s': %s; its owner may say: GRANT "
			    "CREATE, USAGE ON SCHEMA public TO \"%s\"; GRANT "
			    "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN "
			    "SCHEMA public TO \"%s\"",
			    doing, pq->shown, pq->words, user, user);
}

/* A statement failed: its result, NULL when there is none. */
static int fail(struct fl_pq *pq, const PGresult *result, const char *doing,
		struct fl_error *err)
{
	const char *state =
		result ? lib.PQresultErrorField(result, PG_DIAG_SQLSTATE)
		       : NULL;
	size_t i = 0;

	if (lib.PQstatus(pq->conn) == CONNECTION_BAD || !state) {
		keep_words(pq, lib.PQerrorMessage(pq->conn), NULL);
		pq->fault = FL_PQ_LOST;
		return fl_error_set(err, FL_ERR_AGAIN, "cannot %s '%s': %s",
				    doing, pq->shown, pq->words);
	}
	keep_words(pq, lib.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		   lib.PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	while (strncmp(state, states[i].state, strlen(states[i].state)) != 0)
		i++;
	pq->fault = states[i].fault;
	if (strcmp(state, ERRCODE_PRIVILEGE) == 0)
		return no_privilege(pq, doing, err);
	return fl_error_set(err, states[i].code, "cannot %s '%s': %s", doing,
			    pq->shown, pq->words);
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
static int refuse(struct fl_pq *pq, PGconn *conn, struct fl_error *err)
{
	const char *user = lib.PQuser(conn), *db = lib.PQdb(conn);
	const char *text = pq->words;

	if (lib.PQconnectionNeedsPassword(conn) ||
	    strstr(text, "password authentication failed"))
		return fl_error_set(
			err, FL_ERR_REFUSED,
			"cannot connect to '%s': %s; the password is read from "
			"PGPASSWORD, or from a line *:*:*:%s:PASSWORD in "
			"~/.pgpass (chmod 600)",
			pq->shown, text, user);
	if (strstr(text, "database \"") && strstr(text, "does not exist"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s; createdb -E "
				    "UTF8 -T template0 '%s' makes it",
				    pq->shown, text, db);
	if (strstr(text, "role \"") && strstr(text, "does not exist"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s; createuser "
				    "'%s' makes it",
				    pq->shown, text, user);
	if (strstr(text, "permission denied for database"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s; GRANT CONNECT "
				    "ON DATABASE \"%s\" TO \"%s\"",
				    pq->shown, text, db, user);
	if (strstr(text, "pg_hba.conf") || strstr(text, "certificate") ||
	    strstr(text, "not permitted to log in") ||
	    strstr(text, "SSL was required") || strstr(text, "authentication"))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s", pq->shown,
				    text);
	return fl_error_set(err, FL_ERR_AGAIN, "cannot connect to '%s': %s",
			    pq->shown, text);
}

static int connect_to(struct fl_pq *pq, struct fl_error *err)
{
	/* What stands behind the place holds against it. */
	const char *const names[] = { "connect_timeout",
				      "fallback_application_name", "dbname",
				      "client_encoding", NULL };
	const char *const values[] = { "10", fl_log_name, pq->place, "UTF8",
				       NULL };
	PGconn *conn = lib.PQconnectdbParams(names, values, 1);

	if (!conn)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "cannot connect to '%s': out of memory",
				    pq->shown);
	if (lib.PQstatus(conn) != CONNECTION_OK) {
		keep_words(pq, lib.PQerrorMessage(conn), NULL);
		pq->fault = FL_PQ_LOST;
		refuse(pq, conn, err);
		lib.PQfinish(conn);
		return -1;
	}
	pq->conn = conn;
	lib.PQsetNoticeProcessor(conn, ignore, NULL);
	/* Cursors are read to their end. Who waits for a lock waits for one who
	 * does the same work; half a minute says that nobody does. */
	if (fl_pq_run(pq,
		      "SET cursor_tuple_fraction = 1; "
		      "SET DateStyle = ISO; SET TimeZone = 'UTC'; "
		      "SET lock_timeout = '30s'",
		      "use", err) == 0)
		return 0;
	lib.PQfinish(conn);
	pq->conn = NULL;
	return -1;
}

int fl_pq_open(struct fl_pq **out, const char *place, const char *shown,
	       struct fl_error *err)
{
	struct fl_pq *pq;
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
	lib.PQconninfoFree(options);
	*out = pq = fl_zalloc(sizeof(*pq));
	pq->place = fl_strdup(place);
	pq->shown = shown;
	if (connect_to(pq, err) == 0)
		return 0;
	fl_pq_close(out);
	return -1;
}

int fl_pq_reopen(struct fl_pq *pq, struct fl_error *err)
{
	struct fl_error why = { .code = FL_OK };

	for (int tries = 0; tries < TRIES; tries++) {
		int64_t ns = (FL_SECOND / 5) << tries;
		const struct timespec pause = { .tv_sec = ns / FL_SECOND,
						.tv_nsec = ns % FL_SECOND };

		fl_log("postgres: %s; again in %.1f s", pq->words,
		       (double)ns / (double)FL_SECOND);
		nanosleep(&pause, NULL);
		lib.PQfinish(pq->conn);
		pq->conn = NULL;
		fl_error_clear(&why);
		if (connect_to(pq, &why) == 0) {
			fl_error_clear(err);
			return 0;
		}
		if (why.code != FL_ERR_AGAIN)
			break;
	}
	return -1;
}

void fl_pq_close(struct fl_pq **out)
{
	struct fl_pq *pq = *out;

	*out = NULL;
	if (!pq)
		return;
	if (pq->conn)
		lib.PQfinish(pq->conn);
	free(pq->place);
	free(pq);
}

enum fl_pq_fault fl_pq_fault(const struct fl_pq *pq)
{
	return pq->fault;
}

const char *fl_pq_words(const struct fl_pq *pq)
{
	return pq->words;
}

bool fl_pq_in_transaction(const struct fl_pq *pq)
{
	PGTransactionStatusType status = lib.PQtransactionStatus(pq->conn);

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR ||
	       status == PQTRANS_ACTIVE;
}

const char *fl_pq_parameter(const struct fl_pq *pq, const char *name)
{
	return lib.PQparameterStatus(pq->conn, name);
}

/* --- statements ---------------------------------------------------------- */

static bool is_good(const PGresult *result)
{
	ExecStatusType status = lib.PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

int fl_pq_run(struct fl_pq *pq, const char *sql, const char *doing,
	      struct fl_error *err)
{
	PGresult *result;
	int got = 0;

	pq->fault = FL_PQ_NONE;
	result = lib.PQexec(pq->conn, sql);
	if (!is_good(result))
		got = fail(pq, result, doing, err);
	lib.PQclear(result);
	return got;
}

int fl_pq_ask(struct fl_pq *pq, const char *sql, const char *const *args,
	      size_t count, const char *doing, struct pg_result **rows,
	      struct fl_error *err)
{
	PGresult *result;
	int got = 0;

	if (rows)
		*rows = NULL;
	pq->fault = FL_PQ_NONE;
	result = lib.PQexecParams(pq->conn, sql, (int)count, NULL, args, NULL,
				  NULL, 1);
	if (!is_good(result))
		got = fail(pq, result, doing, err);
	if (rows && got == 0)
		*rows = result;
	else
		lib.PQclear(result);
	return got;
}

void fl_pq_free(struct pg_result *rows)
{
	if (rows)
		lib.PQclear(rows);
}

size_t fl_pq_rows(const struct pg_result *rows)
{
	return (size_t)lib.PQntuples(rows);
}

uint64_t fl_pq_touched(struct pg_result *rows)
{
	return strtoull(lib.PQcmdTuples(rows), NULL, 10);
}

const char *fl_pq_value(const struct pg_result *rows, size_t row, size_t column,
			size_t *len)
{
	if (lib.PQgetisnull(rows, (int)row, (int)column))
		return NULL;
	*len = (size_t)lib.PQgetlength(rows, (int)row, (int)column);
	return lib.PQgetvalue(rows, (int)row, (int)column);
}

int64_t fl_pq_number(const struct pg_result *rows, size_t row, size_t column)
{
	size_t len;
	const char *bytes = fl_pq_value(rows, row, column, &len);
	uint64_t value = 0;

	if (!bytes)
		return 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | (unsigned char)bytes[i];
	if (len == 2)
		return (int16_t)value;
	return len == 4 ? (int32_t)value : (int64_t)value;
}

/* --- COPY ---------------------------------------------------------------- */

int fl_pq_copy_begin(struct fl_pq *pq, const char *sql, struct fl_error *err)
{
	PGresult *result;
	int got = 0;

	pq->fault = FL_PQ_NONE;
	result = lib.PQexec(pq->conn, sql);
	if (lib.PQresultStatus(result) != PGRES_COPY_IN)
		got = fail(pq, result, "write to", err);
	lib.PQclear(result);
	return got;
}

int fl_pq_copy_put(struct fl_pq *pq, const char *bytes, size_t len,
		   struct fl_error *err)
{
	if (lib.PQputCopyData(pq->conn, bytes, (int)len) == 1)
		return 0;
	return fail(pq, NULL, "write to", err);
}

int fl_pq_copy_end(struct fl_pq *pq, struct fl_error *err)
{
	PGresult *result;
	int got = 0;

	if (lib.PQputCopyEnd(pq->conn, NULL) != 1)
		return fail(pq, NULL, "write to", err);
	while ((result = lib.PQgetResult(pq->conn))) {
		if (got == 0 && !is_good(result))
			got = fail(pq, result, "write to", err);
		lib.PQclear(result);
	}
	return got;
}

#endif
