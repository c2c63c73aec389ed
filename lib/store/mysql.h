/* mysql: what the parts of the MySQL and MariaDB store share: mysql.c (opening,
 * schema, values), mysql-write.c (LOAD DATA) and mysql-bi.c (views for people).
 * All else is server.h's; my.c has the connection.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_MYSQL_H
#define FL_STORE_MYSQL_H

#include "store/my.h"
#include "store/server.h"

/* --- for people (mysql-bi.c) ---------------------------------------------- */

/* Append the views, and the role that may read them. */
void fl_mysql_put_views(struct fl_buf *out);
void fl_mysql_put_role(struct fl_buf *out);

/* --- writing ---------------------------------------------------------------
 */

/* See struct fl_server_kind. */
bool fl_mysql_can_load(const struct fl_server *s);
int fl_mysql_load_begin(struct fl_server *s,
			const struct fl_server_table *table,
			struct fl_error *err);
void fl_mysql_load_row(struct fl_buf *out, const struct fl_server_table *table,
		       const struct fl_server_row *row);
int fl_mysql_load_piece(struct fl_server *s, const char *bytes, size_t len,
			struct fl_error *err);
int fl_mysql_load_end(struct fl_server *s, bool *stored, struct fl_error *err);
int fl_mysql_write(struct fl_store *store, struct fl_server_table *table,
		   size_t from, size_t to, size_t known, struct fl_error *err);
int fl_mysql_write_each(struct fl_server *s, struct fl_server_table *table,
			size_t from, size_t to, uint64_t *replaced,
			struct fl_error *err);

#endif
