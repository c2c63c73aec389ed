/* my-parts: what the files of my.h share. Each that calls the library includes
 * its header before this one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_MY_PARTS_H
#define FL_STORE_MY_PARTS_H

#include "store/my.h"

enum fl_my_tls {
	FL_MY_TLS_DISABLED,
	FL_MY_TLS_PREFERRED,
	FL_MY_TLS_REQUIRED,
	FL_MY_TLS_VERIFY,
};

/* A place, taken apart. */
struct fl_my_place {
	char *user, *database;
	char *host;   /* NULL: this machine's socket */
	char *socket; /* NULL: where the library looks */
	char *ca, *cert, *key;
	unsigned port;
	unsigned read_timeout; /* seconds */
	enum fl_my_tls tls;
};

/* errors  FL_ERR_USAGE, saying what is not understood */
int fl_my_place_parse(const char *place, const char *shown,
		      struct fl_my_place *out, struct fl_error *err);
void fl_my_place_release(struct fl_my_place *place);
/* The password into secret[size]; "" when there is none to be found. */
int fl_my_place_password(char *secret, size_t size, struct fl_error *err);

struct st_mysql;
struct st_mysql_stmt;
struct fl_my_load;
struct fl_my_stream;

#define FL_MY_KEPT 8

struct fl_my {
	struct fl_db db; /* first: a struct fl_db is one of these */
	struct st_mysql *conn;
	struct fl_my_place place;
	struct fl_my_server server;
	char account[320];           /* `user`@`host` as the server knows us */
	struct fl_my_load *load;     /* under way; else no file is given away */
	struct fl_my_stream *stream; /* likewise, piece by piece */
	uint64_t warnings;           /* of the last statement */

	/* Statements with parameters come again: the server knows them. */
	struct {
		char *sql;
		struct st_mysql_stmt *stmt;
	} kept[FL_MY_KEPT];
	unsigned next_kept;
};

/* A connection like this one, for a word beside it; NULL when it cannot be. */
struct st_mysql *fl_my_connect_beside(struct fl_my *my);

/* A statement begins. returns -1 when there is no connection for it: it was
 * lost, and did not come back */
int fl_my_begin(struct fl_my *my, const char *doing, struct fl_error *err);

/* my-error.c: sort an error by its number and SQLSTATE; of the connection; of a
 * statement: fault, words and err.
 * returns -1 */
int fl_my_sort(struct fl_my *my, unsigned number, const char *state,
	       const char *text, const char *doing, struct fl_error *err);
int fl_my_fail(struct fl_my *my, const char *doing, struct fl_error *err);
int fl_my_fail_stmt(struct fl_my *my, struct st_mysql_stmt *stmt,
		    const char *doing, struct fl_error *err);

/* N of "Rows matched: 3  Changed: 2  Warnings: 0"; `none` where there is no
 * such word. */
uint64_t fl_my_count_of(const struct fl_my *my, const char *word,
			uint64_t none);

/* my-value.c: where the library puts the values of a row. */
struct st_mysql_bind;
struct fl_my_columns {
	struct fl_my_column *at;
	struct st_mysql_bind *binds;
	size_t count;
};

/* Those of a statement that was executed; none when it gives no rows. */
int fl_my_bind_columns(struct fl_my_columns *columns,
		       struct st_mysql_stmt *stmt);
void fl_my_release_columns(struct fl_my_columns *columns);
/* returns 1, 0 at the end, -1: the statement has the error */
int fl_my_fetch(struct fl_my_columns *columns, struct st_mysql_stmt *stmt);
/* Valid until the next one is fetched. */
struct fl_cell fl_my_column(const struct fl_my_columns *columns, size_t i);
/* Bytes of the row, about. */
size_t fl_my_columns_weight(const struct fl_my_columns *columns);

/* my-load.c: has the library ask us, and never open a file. */
void fl_my_load_guard(struct fl_my *my, struct st_mysql *conn);

/* my-row.c: before the connection is closed; and the rest of the ops. */
void fl_my_forget(struct fl_my *my);
int fl_my_ask(struct fl_db *db, const char *sql, const char *const *args,
	      size_t count, const char *doing, struct fl_rows **rows,
	      struct fl_error *err);
void fl_my_free(struct fl_rows *rows);
size_t fl_my_count(const struct fl_rows *rows);
uint64_t fl_my_touched(const struct fl_rows *rows);
struct fl_cell fl_my_cell(const struct fl_rows *rows, size_t row,
			  size_t column);
int64_t fl_my_number(struct fl_cell cell);
int fl_my_declare(struct fl_db *db, const char *sql, const char *const *args,
		  size_t count, size_t columns, bool alone,
		  struct fl_db_cursor **cursor, struct fl_error *err);
int fl_my_step(struct fl_db_cursor *cursor, struct fl_cell *cells,
	       struct fl_error *err);
void fl_my_end(struct fl_db_cursor *cursor);

/* --- the library's functions, under their own names ----------------------- */

#define FL_MY_FUNCTIONS(F)                                                     \
	F(mariadb_get_infov)                                                   \
	F(mysql_affected_rows)                                                 \
	F(mysql_close)                                                         \
	F(mysql_errno)                                                         \
	F(mysql_error)                                                         \
	F(mysql_free_result)                                                   \
	F(mysql_get_server_version)                                            \
	F(mysql_get_socket)                                                    \
	F(mysql_get_ssl_cipher)                                                \
	F(mysql_info)                                                          \
	F(mysql_init)                                                          \
	F(mysql_next_result)                                                   \
	F(mysql_options)                                                       \
	F(mysql_options4)                                                      \
	F(mysql_real_connect)                                                  \
	F(mysql_real_query)                                                    \
	F(mysql_set_local_infile_handler)                                      \
	F(mysql_sqlstate)                                                      \
	F(mysql_stmt_affected_rows)                                            \
	F(mysql_stmt_attr_set)                                                 \
	F(mysql_stmt_bind_param)                                               \
	F(mysql_stmt_bind_result)                                              \
	F(mysql_stmt_close)                                                    \
	F(mysql_stmt_errno)                                                    \
	F(mysql_stmt_error)                                                    \
	F(mysql_stmt_execute)                                                  \
	F(mysql_stmt_fetch)                                                    \
	F(mysql_stmt_fetch_column)                                             \
	F(mysql_stmt_field_count)                                              \
	F(mysql_stmt_free_result)                                              \
	F(mysql_stmt_init)                                                     \
	F(mysql_stmt_param_count)                                              \
	F(mysql_stmt_prepare)                                                  \
	F(mysql_stmt_result_metadata)                                          \
	F(mysql_stmt_sqlstate)                                                 \
	F(mysql_store_result)                                                  \
	F(mysql_fetch_fields)                                                  \
	F(mysql_fetch_row)                                                     \
	F(mysql_thread_id)                                                     \
	F(mysql_warning_count)

#ifdef _mysql_h
struct fl_my_lib {
#define F(name) __typeof__(name) *name;
	FL_MY_FUNCTIONS(F)
#undef F
};
extern struct fl_my_lib fl_my_lib;
#endif

#endif
