/* my-load: many rows at once; see my.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"

#ifndef FL_WITHOUT_MYSQL
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <stdio.h>
#include <string.h>

#include "store/my-parts.h"

#define lib fl_my_lib

/* What is given to the server that asks for "the file". */
struct fl_my_load {
	fl_my_piece_fn next;
	void *arg;
	const char *bytes; /* what is left of the last piece */
	size_t len;
	struct fl_error err;
};

/* Called whenever a server asks for a file, be it in answer to a statement that
 * has nothing to do with one. */
static int begin(void **out, const char *name, void *arg)
{
	const struct fl_my *my = arg;

	(void)name;
	*out = my->load;
	return my->load ? 0 : 1;
}

static int give(void *arg, char *out, unsigned room)
{
	struct fl_my_load *load = arg;
	unsigned n = 0;

	while (n < room) {
		size_t some = room - n;

		if (load->len == 0) {
			int got = load->next(load->arg, &load->bytes,
					     &load->len, &load->err);

			if (got < 0)
				return -1;
			if (got == 0)
				break;
			continue;
		}
		if (some > load->len)
			some = load->len;
		memcpy(out + n, load->bytes, some);
		load->bytes += some;
		load->len -= some;
		n += (unsigned)some;
	}
	return (int)n;
}

static void end(void *arg)
{
	(void)arg;
}

static int why(void *arg, char *text, unsigned size)
{
	snprintf(text, size, "%s",
		 arg ? "the data ended early"
		     : "the server asked for a file, and is given none");
	return CR_UNKNOWN_ERROR;
}

void fl_my_load_guard(struct fl_my *my, MYSQL *conn)
{
	lib.mysql_set_local_infile_handler(conn, begin, give, end, why, my);
}

int fl_my_load(struct fl_db *db, const char *sql, fl_my_piece_fn next,
	       void *arg, uint64_t *rows, uint64_t *replaced,
	       uint64_t *warnings, struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	struct fl_my_load load = { .next = next, .arg = arg };
	int got;

	*rows = *replaced = *warnings = 0;
	if (fl_my_begin(my, "write to", err) < 0)
		return -1;
	my->load = &load;
	got = lib.mysql_real_query(my->conn, sql, strlen(sql));
	my->load = NULL;
	if (load.err.code) {
		*err = load.err;
		return -1;
	}
	if (got != 0)
		return fl_my_fail(my, "write to", err);
	*rows = fl_my_count_of(my, "Records", 0);
	*replaced = fl_my_count_of(my, "Deleted", 0);
	*warnings = my->warnings = lib.mysql_warning_count(my->conn);
	return 0;
}

/* A row that is new counts once, one that is changed twice, one that is as it
 * was before not at all. The message, which a single row does not have, says
 * how many were changed. */
int fl_my_insert(struct fl_db *db, const char *sql, size_t len, uint64_t rows,
		 uint64_t *replaced, struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	uint64_t affected, changed, inserted;

	*replaced = 0;
	if (fl_my_begin(my, "write to", err) < 0)
		return -1;
	if (lib.mysql_real_query(my->conn, sql, len) != 0)
		return fl_my_fail(my, "write to", err);
	affected = lib.mysql_affected_rows(my->conn);
	changed = fl_my_count_of(my, "Duplicates", affected == 2);
	inserted = affected - 2 * changed;
	*replaced = rows - inserted;
	my->warnings = lib.mysql_warning_count(my->conn);
	return 0;
}

#endif
