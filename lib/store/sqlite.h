/* sqlite: what the parts of the SQLite store share: sqlite.c (opening, schema,
 * transactions, positions), sqlite-row.c (writing), sqlite-query.c (reading)
 * and sqlite-pick.c (finding what to read).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_SQLITE_H
#define FL_STORE_SQLITE_H

#include "base/buf.h"
#include "store/sql.h"
#include "store/store.h"

struct sqlite3;
struct sqlite3_stmt;

/* Rows in one statement: what a statement costs beside its rows is shared, and
 * that is a third of all. It divides the usual transaction of 10,000. */
#define FL_SQLITE_GROUP 50

/* A value that waits to be written. */
struct fl_sqlite_cell {
	enum {
		FL_SQLITE_NULL,
		FL_SQLITE_NUMBER,
		FL_SQLITE_TEXT,
	} kind;
	uint32_t len; /* of the text … */
	union {
		size_t at; /* … in table->texts */
		int64_t number;
	};
};

/* One type's table. */
struct fl_sqlite_table {
	const struct fl_type *type;
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count;
	int ts_column;
	int partial_column, pipeline_column; /* -1: the type has none */

	/* Writing: rows wait until there are FL_SQLITE_GROUP of them. */
	size_t used[FL_SQL_COLUMNS_MAX]; /* columns that are written … */
	size_t used_count;               /* … which those are that occurred */
	struct sqlite3_stmt *one, *group; /* made when first used */
	struct fl_sqlite_cell *cells;     /* [FL_SQLITE_GROUP][count] */
	size_t waiting;                   /* rows */
	struct sqlite3_stmt *by_key; /* the row of a key; when first used */
	const char *pipeline;        /* of the parts at hand */
	struct fl_buf texts;         /* of the cells */

	struct fl_buf *leads; /* fl_sql_leads() */
};

struct fl_sqlite {
	struct sqlite3 *db; /* NULL: nothing is there (FL_STORE_PEEK) */
	const char *path;
	char *place;    /* for messages */
	unsigned picks; /* temporary tables made so far */
	bool empty;     /* no tables yet: holds nothing */
	bool has_parts; /* rows made of parts of bars are known to be there */
	struct fl_sqlite_table *tables[FL_TYPE_COUNT]; /* made when used */

	struct sqlite3_stmt *begin, *commit, *version;
	struct sqlite3_stmt *claim, *move, *held;
	struct fl_buf held_text;

	uint64_t *replaced;      /* the store's count */
	const char *pipeline;    /* whose position was moved in this
				  * transaction; NULL: nobody's */
	struct fl_record mended; /* a record whose fixes are made */
	struct fl_json json;
	struct fl_buf text;
	struct fl_record merged; /* and one put together */
	struct fl_json merged_json;
	struct fl_buf merged_text, stored_text;
};

/* The error of the last call, in our words: "cannot <doing> 'lake.db': …".
 * returns -1 */
int fl_sqlite_fault(const struct fl_sqlite *s, const char *doing,
		    struct fl_error *err);
int fl_sqlite_prepare(struct fl_sqlite *s, struct sqlite3_stmt **stmt,
		      const char *sql, struct fl_error *err);
/* Run statements that give no rows. */
int fl_sqlite_run(struct fl_sqlite *s, const char *sql, const char *doing,
		  struct fl_error *err);
struct fl_sqlite_table *fl_sqlite_table(struct fl_sqlite *s,
					const struct fl_type *type);
void fl_sqlite_table_free(struct fl_sqlite_table *table);

/* What statements count replaced rows with. */
int fl_sqlite_count_replaced(struct fl_sqlite *s, struct fl_error *err);
/* Write the rows that wait; who looks at rows of the transaction does it first.
 */
int fl_sqlite_flush(struct fl_sqlite *s, struct fl_error *err);
/* Forget them: the transaction is given up. */
void fl_sqlite_drop(struct fl_sqlite *s);
int fl_sqlite_put(struct fl_store *store, const struct fl_record *rec,
		  enum fl_put *outcome, struct fl_note *note,
		  struct fl_error *err);

/* Append a column's text; NULL has none. */
void fl_sqlite_put_text(struct fl_buf *out, struct sqlite3_stmt *stmt,
			int column);
/* A statement with its values bound. */
int fl_sqlite_select(struct fl_sqlite *s, struct sqlite3_stmt **stmt,
		     const struct fl_buf *sql,
		     const struct fl_sql_values *values, struct fl_error *err);

/* Is the table stored by series, and a span of each asked for? */
bool fl_sqlite_has_spans(const struct fl_sqlite_table *table,
			 const struct fl_query *query);
/* A statement for that, or for the newest N of each series, in the order of
 * time. It reads temp.pick_N, N going to *pick, which is dropped after it. */
int fl_sqlite_pick_spans(struct fl_sqlite *s,
			 const struct fl_sqlite_table *table,
			 const struct fl_query *query,
			 struct sqlite3_stmt **stmt, unsigned *pick,
			 struct fl_error *err);
int fl_sqlite_pick_last(struct fl_sqlite *s,
			const struct fl_sqlite_table *table,
			const struct fl_query *query,
			struct sqlite3_stmt **stmt, unsigned *pick,
			struct fl_error *err);

/* May the whole bar, or the part of one, be written? Sets *rec to what is to
 * be: of a part all of it there is so far. outcome  NEW, MERGED, or REFUSED
 * with the note filled */
int fl_sqlite_merge(struct fl_store *store, struct fl_sqlite_table *table,
		    const struct fl_record **rec, enum fl_put *outcome,
		    struct fl_note *note, struct fl_error *err);
/* Append the row that the statement stands on, as it was stored. */
void fl_sqlite_print_row(const struct fl_sqlite_table *table,
			 struct sqlite3_stmt *stmt, struct fl_buf *out);

int fl_sqlite_query(struct fl_store *store, const struct fl_query *query,
		    struct fl_cursor **cursor, struct fl_error *err);
int fl_sqlite_next(struct fl_cursor *cursor, const char **bytes, size_t *len,
		   int64_t *ts_ns, struct fl_error *err);
void fl_sqlite_end(struct fl_cursor *cursor);
int fl_sqlite_list(struct fl_store *store, const struct fl_query *query,
		   int (*each)(void *arg, const struct fl_summary *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err);

#endif
