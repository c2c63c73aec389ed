/* mysql-write: rows into their table.
 *
 * LOAD DATA LOCAL takes them at once. But it makes warnings of errors, in
 * strict mode, too, passes over a row whose key is there, and stores what it
 * thinks was meant: a load that warned is undone, and its rows go in by INSERT,
 * which puts a row into the place of what has its key and refuses what does not
 * fit. (With REPLACE a load would put them there, too, but not tell how many
 * were.) Where the server takes no LOAD DATA LOCAL, as MySQL does not unless it
 * is told to, INSERT does it all.
 *
 * source  MariaDB Knowledge Base, "LOAD DATA INFILE"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/mysql.h"

#ifndef FL_WITHOUT_MYSQL
#include <string.h>

enum {
	GROUP = 64,          /* rows that are tried together */
	STATEMENT = 1 << 20, /* bytes of one INSERT, about */
};

/* Behind a backslash stands what would end a value or a row. */
static void put_escaped(struct fl_buf *out, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		size_t plain = 0;

		while (text + plain < end && text[plain] != '\t' &&
		       text[plain] != '\n' && text[plain] != '\\')
			plain++;
		fl_buf_append(out, text, plain);
		text += plain;
		if (text == end)
			break;
		fl_buf_putc(out, '\\');
		fl_buf_putc(out, *text++);
	}
}

void fl_mysql_load_row(struct fl_buf *out, const struct fl_server_table *table,
		       const struct fl_server_row *row)
{
	struct fl_cell cell;
	size_t at = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		if (i)
			fl_buf_putc(out, '\t');
		if (fl_server_next_cell(table, row, &at, table->columns[i],
					&cell))
			put_escaped(out, cell.bytes, cell.len);
		else
			fl_buf_puts(out, "\\N");
	}
	fl_buf_putc(out, '\n');
}

bool fl_mysql_can_load(const struct fl_server *s)
{
	return fl_my_server(s->db)->local_infile;
}

int fl_mysql_load_begin(struct fl_server *s,
			const struct fl_server_table *table,
			struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int got;

	fl_buf_puts(&sql, "LOAD DATA LOCAL INFILE 'rows' INTO TABLE ");
	fl_sql_name(&sql, &fl_sql_mysql, table->type->name);
	fl_buf_puts(&sql, " CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\t' "
			  "ESCAPED BY '\\' LINES TERMINATED BY '\n' (");
	fl_server_put_columns(&sql, s, table, table->columns,
			      table->column_count);
	fl_buf_putc(&sql, ')');
	got = fl_my_load_begin(s->db, sql.data, err);
	fl_buf_release(&sql);
	return got;
}

int fl_mysql_load_piece(struct fl_server *s, const char *bytes, size_t len,
			struct fl_error *err)
{
	(void)err; /* the end tells */
	fl_my_load_put(s->db, bytes, len);
	return 0;
}

int fl_mysql_load_end(struct fl_server *s, bool *stored, struct fl_error *err)
{
	uint64_t warnings = 0;
	int got = fl_my_load_end(s->db, &warnings, err);

	*stored = got == 0 && warnings == 0;
	if (got < 0 && s->db->fault != FL_FAULT_ROW)
		return -1;
	fl_error_clear(err);
	return 0;
}

/* --- INSERT -------------------------------------------------------------- */

static void put_quoted(struct fl_buf *out, struct fl_cell cell)
{
	fl_buf_putc(out, '\'');
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.bytes[i] == '\'')
			fl_buf_putc(out, '\'');
		fl_buf_putc(out, cell.bytes[i]);
	}
	fl_buf_putc(out, '\'');
}

static void put_values(struct fl_buf *out, const struct fl_server_table *table,
		       const struct fl_server_row *row)
{
	const char *before = "(";
	struct fl_cell cell;
	size_t at = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (!table->used[i])
			continue;
		fl_buf_puts(out, before);
		before = ",";
		if (fl_server_next_cell(table, row, &at, i, &cell))
			put_quoted(out, cell);
		else
			fl_buf_puts(out, "NULL");
	}
	fl_buf_putc(out, ')');
}

/* All columns of a row that was there are replaced, those that are not written
 * by NULL. */
static void put_replacing(struct fl_buf *out,
			  const struct fl_server_table *table)
{
	const char *before = " ON DUPLICATE KEY UPDATE ";

	for (size_t i = 0; i < table->count; i++) {
		if (table->cols[i].key)
			continue;
		fl_buf_puts(out, before);
		before = ", ";
		fl_sql_name(out, &fl_sql_mysql, table->cols[i].name);
		fl_buf_puts(out, " = ");
		if (!table->used[i]) {
			fl_buf_puts(out, "NULL");
			continue;
		}
		fl_buf_puts(out, "VALUES(");
		fl_sql_name(out, &fl_sql_mysql, table->cols[i].name);
		fl_buf_putc(out, ')');
	}
}

static int insert(struct fl_server *s, struct fl_server_table *table,
		  size_t from, size_t to, uint64_t *replaced,
		  struct fl_error *err)
{
	size_t most = (size_t)fl_my_server(s->db)->packet / 4;
	struct fl_buf *sql = &s->copy;
	size_t columns[FL_SQL_COLUMNS_MAX];
	size_t count = fl_server_used(table, columns);
	uint64_t rows = 0, there = 0;

	*replaced = 0;
	for (size_t i = from; i <= to; i++) {
		if (i < to && table->rows[i].dead)
			continue;
		if (rows &&
		    (i == to || sql->len > STATEMENT || sql->len > most)) {
			put_replacing(sql, table);
			if (fl_my_insert(s->db, sql->data, sql->len, rows,
					 &there, err) < 0)
				return -1;
			*replaced += there;
			rows = 0;
		}
		if (i == to)
			break;
		if (rows == 0) {
			fl_buf_reset(sql);
			fl_buf_puts(sql, "INSERT INTO ");
			fl_sql_name(sql, &fl_sql_mysql, table->type->name);
			fl_buf_puts(sql, " (");
			fl_server_put_columns(sql, s, table, columns, count);
			fl_buf_puts(sql, ") VALUES ");
		} else {
			fl_buf_putc(sql, ',');
		}
		put_values(sql, table, &table->rows[i]);
		rows++;
	}
	return 0;
}

int fl_mysql_write(struct fl_store *store, struct fl_server_table *table,
		   size_t from, size_t to, size_t known, struct fl_error *err)
{
	struct fl_server *s = store->state;
	uint64_t replaced = 0;

	if (insert(s, table, from, to, &replaced, err) < 0)
		return -1;
	store->replaced += replaced - (uint64_t)known;
	return 0;
}

/* --- row by row ---------------------------------------------------------- */

/* Behind as many rows as one statement takes to try first. */
static size_t group_end(const struct fl_server *s,
			const struct fl_server_table *table, size_t from,
			size_t to)
{
	size_t most = (size_t)fl_my_server(s->db)->packet / 16, bytes = 0;
	size_t at = from;

	for (size_t rows = 0; at < to && rows < GROUP && bytes < most; at++) {
		if (table->rows[at].dead)
			continue;
		rows++;
		bytes += table->rows[at].cells_len;
	}
	return at;
}

static int insert_singly(struct fl_server *s, struct fl_server_table *table,
			 size_t from, size_t to, uint64_t *replaced,
			 struct fl_error *err)
{
	uint64_t there = 0;

	for (size_t i = from; i < to; i++) {
		if (insert(s, table, i, i + 1, &there, err) == 0) {
			*replaced += there;
			continue;
		}
		if (s->db->fault != FL_FAULT_ROW)
			return -1;
		fl_server_refused(s, i, s->db->words);
		fl_error_clear(err);
	}
	return 0;
}

/* A statement that fails leaves nothing behind, and the transaction as it was,
 * so that no savepoints are needed. */
int fl_mysql_write_each(struct fl_server *s, struct fl_server_table *table,
			size_t from, size_t to, uint64_t *replaced,
			struct fl_error *err)
{
	uint64_t there = 0;
	size_t end;

	for (*replaced = 0; from < to; from = end) {
		end = group_end(s, table, from, to);
		if (insert(s, table, from, end, &there, err) == 0) {
			*replaced += there;
			continue;
		}
		if (s->db->fault != FL_FAULT_ROW)
			return -1;
		fl_error_clear(err);
		if (insert_singly(s, table, from, end, replaced, err) < 0)
			return -1;
	}
	return 0;
}

#endif
