/* db: a connection to a database server, whichever kind it is: pq.c has that to
 * PostgreSQL, my.c that to MySQL and MariaDB. What differs is behind an ops
 * table; errors come in our words, and sorted by what can be done about them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_DB_H
#define FL_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fl_rows;      /* what a statement gave, all of it */
struct fl_db_cursor; /* what a select gives, piece by piece */

/* What went wrong last, for who can do something about it. */
enum fl_fault {
	FL_FAULT_NONE,
	FL_FAULT_LOST,    /* the connection is gone */
	FL_FAULT_AGAIN,   /* deadlock, serialization: the transaction, repeated,
			   * may pass */
	FL_FAULT_ROW,     /* a value, or what the database demands of a row */
	FL_FAULT_MISSING, /* no such table */
	FL_FAULT_OTHER,
};

/* A value as the driver has it (see struct fl_wire); NULL: NULL. Texts that
 * `ask` gives are followed by a NUL. */
struct fl_cell {
	const char *bytes;
	size_t len;
};

struct fl_db {
	const struct fl_db_ops *ops;
	const char *shown; /* what messages call the place, borrowed */
	/* An answer is due soon: a server that says nothing for minutes counts
	 * as lost. Else it may take as long as it likes, as a search may. */
	bool hurried;
	enum fl_fault fault;
	char words[600]; /* the database's own for it */
};

/* Whatever fails sets fault and words. `doing` is for messages: "cannot <doing>
 * 'postgres:///lake': …". */
struct fl_db_ops {
	const char *name; /* "postgres", in the log */
	/* Connect. errors FL_ERR_USAGE no place of this kind, or its library is
	 * not on this machine; FL_ERR_AGAIN nobody answers; FL_ERR_REFUSED
	 * password, role, database */
	int (*open)(struct fl_db **db, const char *place, const char *shown,
		    struct fl_error *err);
	/* Once more, after a loss; what there was of the old one is freed. */
	int (*connect)(struct fl_db *db, struct fl_error *err);
	void (*close)(struct fl_db *db);
	/* Is a transaction open, be it a failed one? */
	bool (*in_transaction)(const struct fl_db *db);
	/* Statements, which give no rows or whose rows nobody reads. */
	int (*run)(struct fl_db *db, const char *sql, const char *doing,
		   struct fl_error *err);
	/* One statement with its parameters as text (NULL: NULL). *rows, unless
	 * NULL, gets what it gives. */
	int (*ask)(struct fl_db *db, const char *sql, const char *const *args,
		   size_t count, const char *doing, struct fl_rows **rows,
		   struct fl_error *err);
	void (*free)(struct fl_rows *rows);
	size_t (*count)(const struct fl_rows *rows);
	/* How many rows the statement found to write or delete. */
	uint64_t (*touched)(const struct fl_rows *rows);
	struct fl_cell (*cell)(const struct fl_rows *rows, size_t row,
			       size_t column);
	/* An integer of any width; 0 when NULL. */
	int64_t (*number)(struct fl_cell cell);
	/* A select of `columns` columns whose rows the server keeps. `alone`:
	 * no other cursor is open until this one is closed, and no statement is
	 * run. */
	int (*declare)(struct fl_db *db, const char *sql,
		       const char *const *args, size_t count, size_t columns,
		       bool alone, struct fl_db_cursor **cursor,
		       struct fl_error *err);
	/* To the next row, whose cells are valid until then.
	 * returns 1, 0 at the end, -1 */
	int (*step)(struct fl_db_cursor *cursor, struct fl_cell *cells,
		    struct fl_error *err);
	void (*end)(struct fl_db_cursor *cursor);
};

/* The same by shorter names. */
static inline int fl_db_run(struct fl_db *db, const char *sql,
			    const char *doing, struct fl_error *err)
{
	return db->ops->run(db, sql, doing, err);
}

static inline int fl_db_ask(struct fl_db *db, const char *sql,
			    const char *const *args, size_t count,
			    const char *doing, struct fl_rows **rows,
			    struct fl_error *err)
{
	return db->ops->ask(db, sql, args, count, doing, rows, err);
}

static inline void fl_db_free(const struct fl_db *db, struct fl_rows *rows)
{
	if (rows)
		db->ops->free(rows);
}

static inline size_t fl_db_count(const struct fl_db *db,
				 const struct fl_rows *rows)
{
	return db->ops->count(rows);
}

static inline struct fl_cell fl_db_cell(const struct fl_db *db,
					const struct fl_rows *rows, size_t row,
					size_t column)
{
	return db->ops->cell(rows, row, column);
}

static inline int64_t fl_db_number(const struct fl_db *db,
				   const struct fl_rows *rows, size_t row,
				   size_t column)
{
	return db->ops->number(db->ops->cell(rows, row, column));
}

/* After the connection was lost: the same once more, waiting a little longer
 * each time. `err` tells of the loss, and does so still when it cannot. */
int fl_db_reopen(struct fl_db *db, struct fl_error *err);
void fl_db_close(struct fl_db **db);
/* Keep what the database says: one line of it, at most 500 bytes. detail: NULL
 * or what is to stand behind it. */
void fl_db_keep_words(struct fl_db *db, const char *text, const char *detail);

#endif
