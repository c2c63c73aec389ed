/* postgres: what the parts of the PostgreSQL store share: postgres.c (opening,
 * schema, transactions, positions), postgres-row.c (writing), postgres-merge.c
 * (parts of bars), postgres-query.c (reading) and postgres-value.c (values as
 * the wire has them). pq.c has the connection.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_POSTGRES_H
#define FL_STORE_POSTGRES_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "store/pq.h"
#include "store/sql.h"
#include "store/store.h"

#define FL_PG_NONE UINT32_MAX

/* A row that waits for the commit. */
struct fl_pg_row {
	struct fl_hash128 key;
	size_t cells, cells_len; /* in table->cells */
	size_t line, line_len;   /* in table->lines: the record as it came, or
				  * what its parts make */
	const char *input;       /* of the record */
	uint64_t number;
	uint32_t before; /* the row of the same key that this one replaces, or
			  * FL_PG_NONE */
	enum fl_put outcome;
	bool dead;  /* replaced by a later one, or refused */
	bool known; /* was there before, and has been counted */
};

/* One type's table. */
struct fl_pg_table {
	const struct fl_type *type;
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count;
	int ts_column;                       /* its rest is the next one */
	int partial;                         /* field `partial`; -1: none */
	int partial_column, pipeline_column; /* likewise */

	/* Of each column, what stands before its value in a record: ,"price":
	 */
	struct fl_buf *leads;
	char *by_key; /* the statement for the row of a key; when first used */

	/* Rows of the transaction, found by their key. */
	struct fl_pg_row *rows;
	size_t row_count, row_cap;
	uint32_t *slots; /* row + 1, 0 free */
	size_t mask;
	size_t written;                /* rows[written] are in the database */
	bool used[FL_SQL_COLUMNS_MAX]; /* columns with a value in some row */
	struct fl_buf cells;           /* column (1 byte), length (4), value */
	struct fl_buf lines;

	/* Rows go straight into the table until one of them is there already;
	 * then not for so many batches, longer each time. */
	unsigned pause, misses;

	/* The temporary table that rows come through else. */
	bool staged;     /* it is there */
	bool staged_now; /* made in this transaction, and gone if it fails */
	bool stage_full; /* it has rows */
};

/* A position that was moved in this transaction. */
struct fl_pg_move {
	char *origin, *from, *to;
	int64_t wm, rt;
};

struct fl_pg {
	struct fl_pq *pq;
	char *place;      /* for messages */
	bool empty;       /* no tables yet: holds nothing */
	bool begun;       /* the server knows of the transaction */
	bool careful;     /* it refused a row of this transaction: find which */
	bool has_parts;   /* rows made of parts are known to be there … */
	bool parts_asked; /* … or not, when this was asked */
	bool merged;      /* rows hang on what was read in this transaction */
	struct fl_pg_table *tables[FL_TYPE_COUNT]; /* made when used */
	struct fl_map inputs;                      /* names of inputs */
	unsigned cursors;                          /* made so far */
	struct fl_buf copy;

	/* What is needed to do the transaction again. */
	char *pipeline, *via;
	struct fl_pg_move *moves;
	size_t move_count, move_cap;
	struct fl_buf held_text;

	struct fl_record mended; /* a record whose fixes are made */
	struct fl_json json;
	struct fl_buf text;
	struct fl_record merged_rec; /* and one put together */
	struct fl_json merged_json, stored_json;
	struct fl_buf merged_text, stored_text;
};

struct fl_pg_table *fl_pg_table(struct fl_pg *p, const struct fl_type *type);
/* Begin on the server, too, if that is not done. */
int fl_pg_begin(struct fl_pg *p, struct fl_error *err);

/* --- values (postgres-value.c): as COPY and results have them in binary --- */

void fl_pg_put16(struct fl_buf *out, uint16_t value);
void fl_pg_put32(struct fl_buf *out, uint32_t value);
void fl_pg_put64(struct fl_buf *out, uint64_t value);
/* A numeric out of canonical text. */
void fl_pg_put_numeric(struct fl_buf *out, const char *text, size_t len);
/* Microseconds since 2000; *rest gets the nanoseconds that they leave. */
void fl_pg_put_time(struct fl_buf *out, int64_t ns, int *rest);
/* Days since 2000, out of YYYY-MM-DD. */
void fl_pg_put_date(struct fl_buf *out, const char *text, size_t len);
/* text[] out of the array token at `at`. */
void fl_pg_put_texts(struct fl_buf *out, const struct fl_json *json,
		     uint32_t at);
int64_t fl_pg_time(const char *bytes, int rest);
/* Append a value as JSON; false when JSON cannot say it (NaN). A time comes
 * with its rest. */
bool fl_pg_print(struct fl_buf *out, enum fl_kind kind, const char *bytes,
		 size_t len, int rest);

/* --- writing -------------------------------------------------------------- */

int fl_pg_put(struct fl_store *store, const struct fl_record *rec,
	      enum fl_put *outcome, struct fl_note *note, struct fl_error *err);
/* Write the rows that wait. store->replaced is complete then. */
int fl_pg_flush(struct fl_store *store, struct fl_error *err);
/* Forget them. */
void fl_pg_drop(struct fl_pg *p);
/* They wait again: the transaction is done once more. */
void fl_pg_rewind(struct fl_pg *p);
void fl_pg_table_free(struct fl_pg_table *table);
/* The row of a key among those that wait. NULL: none. */
struct fl_pg_row *fl_pg_find(struct fl_pg_table *table, struct fl_hash128 key);
/* The values of a record's key, as text: args[FL_KEY_MAX + 1] into `text`;
 * returns how many. */
size_t fl_pg_key(const struct fl_pg_table *table, const struct fl_record *rec,
		 struct fl_buf *text, const char **args);
/* The row of the record's key as it is stored, locked until the end of the
 * transaction; *rows to be freed. */
int fl_pg_stored(struct fl_pg *p, struct fl_pg_table *table,
		 const struct fl_record *rec, struct pg_result **rows,
		 struct fl_error *err);

/* May the whole bar, or the part of one, be written? Sets *rec to what is to
 * be: of a part all of it there is so far; `waiting` is the row of its key in
 * this transaction, NULL: none. outcome  NEW, MERGED, or REFUSED with the note
 * filled; known  the row is stored already */
int fl_pg_merge(struct fl_store *store, struct fl_pg_table *table,
		const struct fl_record **rec, const struct fl_pg_row *waiting,
		enum fl_put *outcome, bool *known, struct fl_note *note,
		struct fl_error *err);

/* --- reading -------------------------------------------------------------- */

/* Append a row as the record it was. */
void fl_pg_print_row(const struct fl_pg_table *table,
		     const struct pg_result *rows, size_t row,
		     struct fl_buf *out);
int fl_pg_query(struct fl_store *store, const struct fl_query *query,
		struct fl_cursor **cursor, struct fl_error *err);
int fl_pg_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
	       int64_t *ts_ns, struct fl_error *err);
void fl_pg_end(struct fl_cursor *cursor);
int fl_pg_list(struct fl_store *store, const struct fl_query *query,
	       int (*each)(void *arg, const struct fl_summary *row,
			   struct fl_error *err),
	       void *arg, struct fl_error *err);

#endif
