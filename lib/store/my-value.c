/* my-value: the values of a row, as the library puts them where it was told to;
 * see my.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"

#ifndef FL_WITHOUT_MYSQL
#include <mariadb/mysql.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/my-parts.h"

#define lib fl_my_lib

#define BYTES_FIRST 255 /* of a text column; grows to what comes */

enum kind {
	NUMBER,
	TIME,
	DATE,
	BYTES,
};

struct fl_my_column {
	enum kind kind;
	int64_t number; /* of all but BYTES */
	MYSQL_TIME time;
	char *bytes;
	size_t cap; /* and one more for NUL */
	unsigned long len;
	my_bool null, error;
};

static enum kind kind_of(enum enum_field_types type)
{
	switch (type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		return NUMBER;
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP:
		return TIME;
	case MYSQL_TYPE_DATE:
	case MYSQL_TYPE_NEWDATE:
		return DATE;
	default:
		return BYTES;
	}
}

static void bind_column(struct fl_my_column *column, MYSQL_BIND *bind)
{
	bind->is_null = &column->null;
	bind->length = &column->len;
	bind->error = &column->error;
	switch (column->kind) {
	case NUMBER:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &column->number;
		return;
	case TIME:
	case DATE:
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = &column->time;
		bind->buffer_length = sizeof(column->time);
		return;
	case BYTES:
		bind->buffer_type = MYSQL_TYPE_STRING;
		bind->buffer = column->bytes;
		bind->buffer_length = column->cap;
		return;
	}
}

int fl_my_bind_columns(struct fl_my_columns *columns, MYSQL_STMT *stmt)
{
	MYSQL_RES *meta = lib.mysql_stmt_result_metadata(stmt);
	const MYSQL_FIELD *fields;

	columns->count = lib.mysql_stmt_field_count(stmt);
	if (!meta) {
		columns->count = 0;
		return 0;
	}
	fields = lib.mysql_fetch_fields(meta);
	columns->at = fl_zalloc(columns->count * sizeof(*columns->at));
	columns->binds = fl_zalloc(columns->count * sizeof(*columns->binds));
	for (size_t i = 0; i < columns->count; i++) {
		struct fl_my_column *column = &columns->at[i];

		column->kind = kind_of(fields[i].type);
		if (column->kind == BYTES) {
			column->cap = BYTES_FIRST;
			column->bytes = fl_alloc(column->cap + 1);
		}
		bind_column(column, &columns->binds[i]);
		columns->binds[i].is_unsigned =
			(fields[i].flags & UNSIGNED_FLAG) != 0;
	}
	lib.mysql_free_result(meta);
	return lib.mysql_stmt_bind_result(stmt, columns->binds) ? -1 : 0;
}

void fl_my_release_columns(struct fl_my_columns *columns)
{
	for (size_t i = 0; columns->at && i < columns->count; i++)
		free(columns->at[i].bytes);
	free(columns->at);
	free(columns->binds);
	*columns = (struct fl_my_columns){ 0 };
}

/* Texts that were longer than the room for them, once more. */
static int fetch_long(struct fl_my_columns *columns, MYSQL_STMT *stmt)
{
	bool grown = false;

	for (size_t i = 0; i < columns->count; i++) {
		struct fl_my_column *column = &columns->at[i];
		MYSQL_BIND *bind = &columns->binds[i];

		if (column->kind != BYTES || column->null ||
		    column->len <= column->cap)
			continue;
		column->cap = column->len + column->len / 4;
		free(column->bytes);
		column->bytes = fl_alloc(column->cap + 1);
		bind_column(column, bind);
		if (lib.mysql_stmt_fetch_column(stmt, bind, (unsigned)i, 0))
			return -1;
		grown = true;
	}
	/* For the rows to come. */
	return grown && lib.mysql_stmt_bind_result(stmt, columns->binds) ? -1
									 : 0;
}

static void finish(struct fl_my_column *column)
{
	const MYSQL_TIME *t = &column->time;
	int64_t days;

	if (column->null || column->kind == NUMBER)
		return;
	if (column->kind == BYTES) {
		column->bytes[column->len] = '\0';
		return;
	}
	if (t->month == 0 || t->day == 0) {
		column->null = 1;
		return;
	}
	days = fl_days_from_civil((int)t->year, (int)t->month, (int)t->day);
	column->number = days;
	if (column->kind == TIME)
		column->number = (days * 86400 + t->hour * 3600 +
				  t->minute * 60 + t->second) *
					 1000000 +
				 (int64_t)t->second_part;
}

int fl_my_fetch(struct fl_my_columns *columns, MYSQL_STMT *stmt)
{
	int got = lib.mysql_stmt_fetch(stmt);

	if (got == MYSQL_NO_DATA)
		return 0;
	if (got != 0 && got != MYSQL_DATA_TRUNCATED)
		return -1;
	if (got == MYSQL_DATA_TRUNCATED && fetch_long(columns, stmt) < 0)
		return -1;
	for (size_t i = 0; i < columns->count; i++)
		finish(&columns->at[i]);
	return 1;
}

struct fl_cell fl_my_column(const struct fl_my_columns *columns, size_t i)
{
	const struct fl_my_column *column = &columns->at[i];

	if (column->null)
		return (struct fl_cell){ 0 };
	if (column->kind == BYTES)
		return (struct fl_cell){ column->bytes, column->len };
	return (struct fl_cell){ (const char *)&column->number,
				 sizeof(column->number) };
}

size_t fl_my_columns_weight(const struct fl_my_columns *columns)
{
	size_t bytes = 0;

	for (size_t i = 0; i < columns->count; i++)
		bytes += columns->at[i].len;
	return bytes;
}

#endif
