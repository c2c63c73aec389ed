/* pq: a connection to PostgreSQL. libpq is loaded when it is first needed: a
 * program linked with it starts later for the libraries behind it, whatever
 * place it is given. All of it that the store uses is here, and its errors come
 * in our words.
 *
 * source  PostgreSQL documentation: "libpq", "PostgreSQL Error Codes"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_PQ_H
#define FL_STORE_PQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fl_pq;
struct pg_result; /* libpq's own */

/* What went wrong last, for who can do something about it. */
enum fl_pq_fault {
	FL_PQ_NONE,
	FL_PQ_LOST,    /* the connection is gone */
	FL_PQ_AGAIN,   /* deadlock, serialization: the transaction, repeated,
			* may pass */
	FL_PQ_ROW,     /* a value, or what the database demands of a row */
	FL_PQ_MISSING, /* no such table */
	FL_PQ_OTHER,
};

/* Connect. `place` is a URI and goes to libpq as it is; `shown` is what
 * messages call it, borrowed.
 * errors  FL_ERR_USAGE no URI, or no libpq on this machine; FL_ERR_AGAIN nobody
 *         answers; FL_ERR_REFUSED password, role, database */
int fl_pq_open(struct fl_pq **pq, const char *place, const char *shown,
	       struct fl_error *err);
/* The same once more, after the connection was lost; waits a little longer
 * each time. `err` tells of the loss, and does so still when it cannot. */
int fl_pq_reopen(struct fl_pq *pq, struct fl_error *err);
void fl_pq_close(struct fl_pq **pq);
/* Of the last error. */
enum fl_pq_fault fl_pq_fault(const struct fl_pq *pq);
/* The database's own words for it. */
const char *fl_pq_words(const struct fl_pq *pq);
/* Is a transaction open, be it a failed one? */
bool fl_pq_in_transaction(const struct fl_pq *pq);
/* A setting that the server reports: "server_encoding". NULL: it does not. */
const char *fl_pq_parameter(const struct fl_pq *pq, const char *name);

/* Run statements, which give no rows or whose rows nobody reads. `doing` is for
 * messages: "cannot <doing> 'postgres:///lake': …". */
int fl_pq_run(struct fl_pq *pq, const char *sql, const char *doing,
	      struct fl_error *err);
/* Run one statement with its parameters as text (NULL: NULL). *rows, unless
 * NULL, gets what it gives, values in binary; fl_pq_free() it. */
int fl_pq_ask(struct fl_pq *pq, const char *sql, const char *const *args,
	      size_t count, const char *doing, struct pg_result **rows,
	      struct fl_error *err);
void fl_pq_free(struct pg_result *rows);
size_t fl_pq_rows(const struct pg_result *rows);
/* How many rows the statement wrote or deleted. */
uint64_t fl_pq_touched(struct pg_result *rows);
/* NULL when it is. */
const char *fl_pq_value(const struct pg_result *rows, size_t row, size_t column,
			size_t *len);
/* A bigint; 0 when NULL. */
int64_t fl_pq_number(const struct pg_result *rows, size_t row, size_t column);

/* COPY … FROM STDIN: begin, as many pieces as there are, end. */
int fl_pq_copy_begin(struct fl_pq *pq, const char *sql, struct fl_error *err);
int fl_pq_copy_put(struct fl_pq *pq, const char *bytes, size_t len,
		   struct fl_error *err);
int fl_pq_copy_end(struct fl_pq *pq, struct fl_error *err);

#endif
