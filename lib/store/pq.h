/* pq: a connection to PostgreSQL (see db.h). Values are as PostgreSQL has them
 * in binary (postgres-value.c). libpq is loaded when it is first needed: a
 * program linked with it starts later for the libraries behind it, whatever
 * place it is given. All of it that the store uses is here, and its errors come
 * in our words.
 *
 * source  PostgreSQL documentation: "libpq", "PostgreSQL Error Codes"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_PQ_H
#define FL_STORE_PQ_H

#include "store/db.h"

extern const struct fl_db_ops fl_db_pq;

/* A setting that the server reports: "server_encoding". NULL: it does not. */
const char *fl_pq_parameter(const struct fl_db *db, const char *name);

/* COPY … FROM STDIN: begin, as many pieces as there are, end. */
int fl_pq_copy_begin(struct fl_db *db, const char *sql, struct fl_error *err);
int fl_pq_copy_put(struct fl_db *db, const char *bytes, size_t len,
		   struct fl_error *err);
int fl_pq_copy_end(struct fl_db *db, struct fl_error *err);

#endif
