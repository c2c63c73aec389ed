/* postgres: what the parts of the PostgreSQL store share: postgres.c (opening,
 * tables), postgres-schema.c (what there is beside the tables), postgres-bi.c
 * (views for people), postgres-write.c (COPY), postgres-month.c (partitions),
 * postgres-notes.c (what a load notes of ticks), postgres-last.c (the newest of
 * each series, by that), postgres-announce.c (who listens is told) and
 * postgres-value.c (values as the wire has them). All else is server.h's; pq.c
 * has the connection.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_POSTGRES_H
#define FL_STORE_POSTGRES_H

#include "store/pq.h"
#include "store/server.h"

extern const struct fl_wire fl_pg_wire;

void fl_pg_put16(struct fl_buf *out, uint16_t value);
void fl_pg_put32(struct fl_buf *out, uint32_t value);

/* See struct fl_server_kind. */
int fl_pg_load_begin(struct fl_server *s, const struct fl_server_table *table,
		     struct fl_error *err);
void fl_pg_load_row(struct fl_buf *out, const struct fl_server_table *table,
		    const struct fl_server_row *row);
int fl_pg_load_piece(struct fl_server *s, const char *bytes, size_t len,
		     struct fl_error *err);
int fl_pg_load_end(struct fl_server *s, bool *stored, struct fl_error *err);
int fl_pg_write(struct fl_store *store, struct fl_server_table *table,
		size_t from, size_t to, size_t known, struct fl_error *err);
int fl_pg_write_each(struct fl_server *s, struct fl_server_table *table,
		     size_t from, size_t to, uint64_t *replaced,
		     struct fl_error *err);
/* The temporary table, empty. */
int fl_pg_stage(struct fl_server *s, struct fl_server_table *table,
		struct fl_error *err);
void fl_pg_settle_stage(struct fl_server_table *table, bool committed,
			bool connected);

/* --- beside the tables (postgres-schema.c) -------------------------------- */

enum {
	FL_PG_EXTRAS = 2, /* the version of it */
};

/* Append the statements that make it, or from version `from` on mend it. */
void fl_pg_extras(struct fl_buf *out, int from);
/* The same for indexes, which take long where there are many rows: they are
 * made with the tables, or by --migrate. */
void fl_pg_indexes(struct fl_buf *out);

/* --- for people (postgres-bi.c) ------------------------------------------- */

/* Append comments on all tables and columns … */
void fl_pg_comments(struct fl_buf *out);
/* … and the schema of views and the role that reads them. */
void fl_pg_bi(struct fl_buf *out);
/* Make that, in a transaction; what is not allowed is left. */
int fl_pg_make_bi(struct fl_server *s, struct fl_error *err);

/* --- months (postgres-month.c) -------------------------------------------- */

/* Before the first and behind the last of them there is one partition each. */
enum {
	FL_PG_FIRST_YEAR = 1990,
	FL_PG_LAST_YEAR = 2099,
};

/* See struct fl_server_kind. */
bool fl_pg_has_months(const struct fl_server *s,
		      const struct fl_server_table *table, size_t from,
		      size_t to);
int fl_pg_make_months(struct fl_server *s, struct fl_server_table *table,
		      size_t from, size_t to, struct fl_error *err);
void fl_pg_settle_months(struct fl_server_table *table, bool committed);
void fl_pg_release_months(struct fl_server_table *table);

/* --- notes of ticks (postgres-notes.c) ------------------------------------ */

/* Are series and hours of the type's rows noted? */
bool fl_pg_has_notes(const struct fl_type *type);
/* See struct fl_server_kind. */
int fl_pg_note(struct fl_server *s, struct fl_server_table *table, size_t from,
	       size_t to, struct fl_error *err);
void fl_pg_settle_notes(struct fl_server_table *table, bool committed);
void fl_pg_release_notes(struct fl_server_table *table);
/* Where others have written, count what is there. */
int fl_pg_count_anew(struct fl_server *s, struct fl_error *err);
/* Append the select of the newest row of each series, of those columns. */
void fl_pg_put_latest(struct fl_buf *sql, const struct fl_type *type,
		      const char *columns);
/* See struct fl_server_kind. */
int fl_pg_put_last(struct fl_server *s, struct fl_buf *sql,
		   struct fl_server_table *table, const struct fl_query *query,
		   struct fl_sql_values *values, struct fl_error *err);

/* --- who listens (postgres-announce.c) ------------------------------------ */

/* Tell them what the transaction has brought. */
int fl_pg_announce(struct fl_server *s, struct fl_error *err);

#endif
