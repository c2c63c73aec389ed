/* mysql: what the parts of the MySQL and MariaDB store share: mysql.c (opening,
 * schema, values) and mysql-write.c (LOAD DATA). All else is server.h's; my.c
 * has the connection.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_MYSQL_H
#define FL_STORE_MYSQL_H

#include "store/my.h"
#include "store/server.h"

/* See struct fl_server_kind. */
int fl_mysql_write(struct fl_store *store, struct fl_server_table *table,
		   size_t from, size_t to, size_t known, struct fl_error *err);

#endif
