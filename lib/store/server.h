/* server: the store in a database that a server keeps, whichever kind it is:
 * server.c (transactions, positions), server-row.c (rows that wait for the
 * commit), server-load.c and server-write.c (rows into their tables),
 * server-merge.c (parts of bars), server-query.c (reading). A kind brings its
 * connection (db.h), its dialect (sql.h), its values (struct fl_wire) and what
 * it does best to write many rows; postgres.c and mysql.c are those there are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_SERVER_H
#define FL_STORE_SERVER_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "store/db.h"
#include "store/sql.h"
#include "store/store.h"

#define FL_SERVER_NONE UINT32_MAX

struct fl_server;
struct fl_server_table;
struct fl_server_row;
struct fl_pg_months;
struct fl_pg_notes;

/* Values as a kind's connection has them. */
struct fl_wire {
	/* Append one, out of canonical text … */
	void (*put_number)(struct fl_buf *out, const char *text, size_t len);
	void (*put_date)(struct fl_buf *out, const char *text, size_t len);
	void (*put_integer)(struct fl_buf *out, int64_t value);
	void (*put_boolean)(struct fl_buf *out, bool value);
	/* … a time's microseconds, and the nanoseconds that they leave … */
	void (*put_time)(struct fl_buf *out, int64_t ns);
	void (*put_rest)(struct fl_buf *out, int rest);
	/* … and the array token at `at`. */
	void (*put_texts)(struct fl_buf *out, const struct fl_json *json,
			  uint32_t at);
	int64_t (*time)(struct fl_cell cell, int rest);
	int64_t (*date)(struct fl_cell cell); /* days since 1970 */
	/* Append one as JSON; false when JSON cannot say it (NaN). */
	bool (*print_number)(struct fl_buf *out, struct fl_cell cell);
	void (*print_texts)(struct fl_buf *out, struct fl_cell cell);
};

/* A kind of server. */
struct fl_server_kind {
	const struct fl_db_ops *db;
	const struct fl_sql_dialect *dialect;
	const struct fl_wire *wire;
	const char *begin, *begin_to_read;
	/* 1 row with 0 or 1: is there no table fl_schema? */
	const char *is_empty;
	/* What a place with a password in it is answered. */
	const char *password_help;
	/* What a kind has beside those tables: a select of its version, 0: not
	 * there, and the version that is made now. NULL: nothing. */
	const char *extras;
	int extras_version;
	/* Make or mend the tables, which are of `version`, 0: not there, and
	 * what there is beside them. */
	int (*make_tables)(struct fl_server *s, int version,
			   struct fl_error *err);
	/* Do the rows from `from` to `to` find in the database what they need,
	 * and see to it that they do: in their transaction, outside of loads
	 * and savepoints. NULL: they need nothing but the tables. */
	bool (*is_ready)(const struct fl_server *s,
			 const struct fl_server_table *table, size_t from,
			 size_t to);
	int (*prepare)(struct fl_server *s, struct fl_server_table *table,
		       size_t from, size_t to, struct fl_error *err);
	/* Straight into the table, as long as no key is there already: begin,
	 * pieces of rows, end. *stored: all of them are in, as they were; else
	 * the transaction is as it was, or goes back to a savepoint.
	 * can_load NULL: always. */
	bool (*can_load)(const struct fl_server *s);
	int (*load_begin)(struct fl_server *s,
			  const struct fl_server_table *table,
			  struct fl_error *err);
	void (*load_row)(struct fl_buf *out,
			 const struct fl_server_table *table,
			 const struct fl_server_row *row);
	int (*load_piece)(struct fl_server *s, const char *bytes, size_t len,
			  struct fl_error *err);
	int (*load_end)(struct fl_server *s, bool *stored,
			struct fl_error *err);
	/* Into the place of what is there: the live rows from `from` to `to`;
	 * store->replaced grows by what was. `known`: how many are known to be
	 * there already. */
	int (*write)(struct fl_store *store, struct fl_server_table *table,
		     size_t from, size_t to, size_t known,
		     struct fl_error *err);
	/* The same one by one, passing over those that the database refuses:
	 * they are told by fl_server_refused. *replaced: how many were there,
	 * known or not. It may fail as `write` does, with FL_FAULT_ROW where it
	 * cannot tell which row is to blame. NULL: never can. */
	int (*write_each)(struct fl_server *s, struct fl_server_table *table,
			  size_t from, size_t to, uint64_t *replaced,
			  struct fl_error *err);
	/* Behind the rows from `from` to `to`, in their transaction. NULL:
	 * needs nothing. */
	int (*note)(struct fl_server *s, struct fl_server_table *table,
		    size_t from, size_t to, struct fl_error *err);
	/* Before the commit, when all rows are written. NULL: nothing. */
	int (*announce)(struct fl_server *s, struct fl_error *err);
	/* Append what gives the newest query->last rows of each series, as a
	 * relation: "(SELECT …) AS t"; nothing, where it knows of no better
	 * way than the usual one. NULL: never does. */
	int (*put_last)(struct fl_server *s, struct fl_buf *sql,
			struct fl_server_table *table,
			const struct fl_query *query,
			struct fl_sql_values *values, struct fl_error *err);
	/* Before a savepoint; NULL: needs nothing. */
	int (*ready)(struct fl_server *s, struct fl_server_table *table,
		     struct fl_error *err);
	/* The transaction has ended. NULL: is nothing to it. */
	void (*settle)(struct fl_server_table *table, bool committed,
		       bool connected);
	/* What it keeps of a table; NULL: nothing. */
	void (*release)(struct fl_server_table *table);
};

/* A row that waits for the commit. */
struct fl_server_row {
	struct fl_hash128 key;
	size_t cells, cells_len; /* in table->cells */
	size_t line, line_len;   /* in table->lines: the record as it came, or
				  * what its parts make */
	size_t part, part_len;   /* of what parts make, the last one as it came;
				  * 0: is the line */
	const char *input;       /* of the record */
	uint64_t number;
	uint32_t before; /* the row of the same key that this one replaces, or
			  * FL_SERVER_NONE */
	enum fl_put outcome;
	bool dead;  /* replaced by a later one, or refused */
	bool known; /* was there before, and has been counted */
};

/* One type's table. */
struct fl_server_table {
	const struct fl_type *type;
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count;
	int ts_column;                       /* its rest is the next one */
	int partial_column, pipeline_column; /* -1: the type has none */

	struct fl_buf *leads; /* fl_sql_leads() */
	char *by_key; /* the statement for the row of a key; when first used */

	/* Rows of the transaction, found by their key. */
	struct fl_server_row *rows;
	size_t row_count, row_cap;
	uint32_t *slots; /* row + 1, 0 free */
	size_t mask;
	size_t written;                /* rows[written] are in the database */
	size_t noted;                  /* likewise, for kind->note */
	bool used[FL_SQL_COLUMNS_MAX]; /* columns with a value in some row */
	size_t used_count;
	struct fl_buf cells; /* column (1 byte), length (4), value */
	struct fl_buf lines;

	/* See server-load.c. */
	size_t columns[FL_SQL_COLUMNS_MAX], column_count; /* of a load */
	size_t loaded;          /* rows[loaded] were handed to it */
	bool quiet;             /* what comes waits for the flush */
	unsigned pause, misses; /* batches without a load */
	/* Of PostgreSQL: the temporary table that rows come through else. */
	bool staged;     /* it is there */
	bool staged_now; /* made in this transaction, and gone if it fails */
	bool stage_full; /* it has rows */
	/* And what is known of its months, and written down beside its rows:
	 * see postgres-month.c and postgres-notes.c. */
	struct fl_pg_months *months;
	struct fl_pg_notes *notes;
};

/* A position that was moved in this transaction. */
struct fl_server_move {
	char *origin, *from, *to;
	int64_t wm, rt;
};

struct fl_server {
	const struct fl_server_kind *kind;
	struct fl_db *db;
	char *place; /* for messages */
	bool empty;  /* no tables yet: holds nothing */
	int extras;  /* version of what the kind has beside them */
	bool begun;  /* the server knows of the transaction */
	bool committing;
	bool careful;     /* it refused a row of this transaction: find which */
	bool has_parts;   /* rows made of parts are known to be there … */
	bool parts_asked; /* … or not, when this was asked */
	int repeated;     /* how often it was tried again */
	bool merged;      /* rows hang on what was read in this transaction */
	struct fl_server_table *tables[FL_TYPE_COUNT]; /* made when used */
	struct fl_map inputs;                          /* names of inputs */
	struct fl_buf copy;

	/* Rows that `write_each` passed over. */
	struct fl_server_refused {
		size_t at;
		char *why;
	} * refused;
	size_t refused_count, refused_cap;
	bool by_halves; /* the server cannot tell them, as it turned out */

	struct fl_server_table *loading; /* rows go there; NULL: nowhere */
	bool undo_load;                  /* one that went was replaced */
	bool stream_failed;              /* and stream_err says why */
	struct fl_error stream_err;
	struct fl_buf piece;

	/* What is needed to do the transaction again. */
	char *pipeline, *via;
	struct fl_server_move *moves;
	size_t move_count, move_cap;
	struct fl_buf held_text;

	struct fl_record mended; /* a record whose fixes are made */
	struct fl_json json;
	struct fl_buf text;
	struct fl_record merged_rec; /* and one put together */
	struct fl_json merged_json, stored_json;
	struct fl_buf merged_text, stored_text;
};

struct fl_server_table *fl_server_table(struct fl_server *s,
					const struct fl_type *type);

/* --- what a kind's fl_store_ops are made of ------------------------------- */

/* The place is one of the kind. */
int fl_server_open(struct fl_store *store, const struct fl_server_kind *kind,
		   enum fl_store_mode mode, struct fl_error *err);
int fl_server_begin_later(struct fl_store *store, struct fl_error *err);
int fl_server_move(struct fl_store *store, const char *pipeline,
		   const struct fl_mark_at *at, const char *via, bool *moved,
		   const char **held, struct fl_error *err);
int fl_server_put(struct fl_store *store, const struct fl_record *rec,
		  enum fl_put *outcome, struct fl_note *note,
		  struct fl_error *err);
int fl_server_commit(struct fl_store *store, struct fl_error *err);
void fl_server_rollback(struct fl_store *store);
int fl_server_positions(struct fl_store *store, const char *pipeline,
			int (*each)(void *arg, const struct fl_position *row,
				    struct fl_error *err),
			void *arg, struct fl_error *err);
int fl_server_forget(struct fl_store *store, const char *pipeline,
		     uint64_t *rows, struct fl_error *err);
int fl_server_query(struct fl_store *store, const struct fl_query *query,
		    struct fl_cursor **cursor, struct fl_error *err);
int fl_server_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		   int64_t *ts_ns, struct fl_error *err);
void fl_server_end(struct fl_cursor *cursor);
int fl_server_list(struct fl_store *store, const struct fl_query *query,
		   int (*each)(void *arg, const struct fl_summary *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err);
void fl_server_close(struct fl_store *store);

#define FL_SERVER_OPS                                                          \
	.begin = fl_server_begin_later, .move = fl_server_move,                \
	.put = fl_server_put, .commit = fl_server_commit,                      \
	.rollback = fl_server_rollback, .positions = fl_server_positions,      \
	.forget = fl_server_forget, .query = fl_server_query,                  \
	.next = fl_server_next, .end = fl_server_end, .list = fl_server_list,  \
	.close = fl_server_close

/* --- for a kind ----------------------------------------------------------- */

/* What is there? Sets s->empty; the version is 0 then. */
int fl_server_identify(struct fl_server *s, int *version, struct fl_error *err);
/* Append the statements that make, or from `version` on mend, the tables, the
 * version among them. */
void fl_server_schema(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		      int version);
void fl_server_undo(struct fl_server *s);
/* Of table->rows[at]; `why`, the database's words, is copied. */
void fl_server_refused(struct fl_server *s, size_t at, const char *why);
int fl_server_back_to(struct fl_server *s, const char *savepoint,
		      struct fl_error *err);
/* Append the names of columns, with commas. */
void fl_server_put_columns(struct fl_buf *sql, const struct fl_server *s,
			   const struct fl_server_table *table,
			   const size_t *columns, size_t count);
/* Those with a value in some row, columns[FL_SQL_COLUMNS_MAX]. */
size_t fl_server_used(const struct fl_server_table *table, size_t *columns);
/* The next cell of a row, where *at stands at its first or behind one; column i
 * of the table. false: the row has none for it, which is NULL. */
bool fl_server_next_cell(const struct fl_server_table *table,
			 const struct fl_server_row *row, size_t *at, size_t i,
			 struct fl_cell *cell);

/* --- among themselves ----------------------------------------------------- */

/* Begin on the server, too, if that is not done. */
int fl_server_begin(struct fl_server *s, struct fl_error *err);
/* A statement before the commit failed: may it be tried again? Then the
 * transaction is as far as it had come, on a new connection where the old one
 * was lost: its positions are moved again, its rows wait with us. Else `err`
 * stays.
 */
bool fl_server_take_up(struct fl_server *s, struct fl_error *err);
/* See struct fl_server_kind. */
int fl_server_prepare(struct fl_server *s, struct fl_server_table *table,
		      size_t from, size_t to, struct fl_error *err);
/* Write the rows that wait. store->replaced is complete then. */
int fl_server_flush(struct fl_store *store, struct fl_error *err);
/* Those of one table straight into it, if that can be: table->written tells. */
int fl_server_load(struct fl_server *s, struct fl_server_table *table,
		   struct fl_error *err);
/* A row was added: those that wait may be on their way already. */
void fl_server_stream(struct fl_server *s, struct fl_server_table *table);
/* Are they, and does rows[at], which is among them, say what `row` of the same
 * key does? */
bool fl_server_stream_has(struct fl_server *s,
			  const struct fl_server_table *table, size_t at,
			  const struct fl_server_row *row);
/* Before a statement: end what is on its way, and tell what went wrong. */
int fl_server_stream_end(struct fl_server *s, struct fl_error *err);
/* The same after all that waits of its table. */
int fl_server_stream_finish(struct fl_server *s, struct fl_error *err);
/* Before a rollback, or after a loss. */
void fl_server_stream_drop(struct fl_server *s);
/* Forget them. */
void fl_server_drop(struct fl_server *s);
/* They wait again: the transaction is done once more. */
void fl_server_rewind(struct fl_server *s);
void fl_server_table_free(const struct fl_server *s,
			  struct fl_server_table *table);
void fl_server_drop_refused(struct fl_server *s);
/* The row of the record's key as it is stored, locked until the end of the
 * transaction; *rows to be freed. */
int fl_server_stored(struct fl_server *s, struct fl_server_table *table,
		     const struct fl_record *rec, struct fl_rows **rows,
		     struct fl_error *err);
/* May the whole bar, or the part of one, be written? Sets *rec to what is to
 * be: of a part all of it there is so far; `waiting` is the row of its key in
 * this transaction, NULL: none. outcome  NEW, MERGED, or REFUSED with the note
 * filled; known  the row is stored already */
int fl_server_merge(struct fl_store *store, struct fl_server_table *table,
		    const struct fl_record **rec,
		    const struct fl_server_row *waiting, enum fl_put *outcome,
		    bool *known, struct fl_note *note, struct fl_error *err);
/* Append a row as the record it was. */
void fl_server_print_row(const struct fl_server *s,
			 const struct fl_server_table *table,
			 const struct fl_cell *cells, struct fl_buf *out);

#endif
