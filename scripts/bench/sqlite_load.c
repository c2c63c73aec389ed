/* sqlite_load: the least that SQLite takes for a load, as a yardstick.
 *
 *   sqlite_load [-b rows] DB FILE
 *
 * DB has the tables of a store (fl-load --migrate DB makes them), FILE holds
 * records of one type. All are parsed first; only then the clock starts: one
 * prepared statement, bound and stepped for each row, with a transaction for
 * each 10,000 rows, in WAL mode with synchronous=NORMAL, and the close, which
 * copies the log into the file. What is bound are the values that fl-load
 * stores, in the columns that occur; all others are NULL. The settings are
 * those of lib/store/sqlite.c.
 *
 * It prints one line of JSON: rows, cpu_s, wall_s.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "io/blocks.h"
#include "io/stream.h"
#include "rec/record.h"
#include "store/sql.h"

struct value {
	const char *text; /* NULL: the number; or none, when len is -1 */
	int64_t number;
	int len;
};

static struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
static size_t col_count;
static size_t used[FL_SQL_COLUMNS_MAX], used_count; /* columns that occur */
static struct value *rows; /* rows[count][col_count], later [used_count] */
static size_t count, cap;
static struct fl_arena texts;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "sqlite_load: %s: %s\n", what, why);
	exit(1);
}

static struct value text_value(const char *text, size_t len)
{
	return (struct value){ fl_arena_strndup(&texts, text, len), 0,
			       (int)len };
}

static struct value field_value(const struct fl_record *rec,
				const struct fl_sql_column *col)
{
	static struct fl_buf text;
	uint32_t at = rec->at[col->field];
	const struct fl_json_tok *tok = &rec->json->toks[at];
	struct value value = { NULL, 0, 0 };

	if (!at && !col->absent)
		return (struct value){ NULL, 0, -1 };
	if (!at)
		return text_value(col->absent, strlen(col->absent));
	switch (col->kind) {
	case FL_STRING:
	case FL_DATE:
		return text_value(tok->text, tok->len);
	case FL_INTEGER:
		fl_integer_parse(tok->text, tok->len, &value.number);
		return value;
	case FL_BOOLEAN:
		value.number = tok->kind == FL_JSON_TRUE;
		return value;
	case FL_TIME:
		fl_record_time(rec, col->field, &value.number);
		return value;
	default:
		fl_buf_reset(&text);
		fl_record_print(rec, col->field, &text);
		return text_value(text.data, text.len);
	}
}

static void add_row(const struct fl_record *rec)
{
	struct value *row;

	if (count == 0)
		col_count = fl_sql_columns(&fl_sql_sqlite, rec->type, cols);
	if (count == cap) {
		cap = cap ? 2 * cap : 1 << 16;
		rows = fl_realloc(rows, cap, col_count * sizeof(*rows));
	}
	row = rows + count++ * col_count;
	for (size_t i = 0; i < col_count; i++) {
		row[i] = (struct value){ NULL, 0, -1 };
		if (cols[i].role == FL_SQL_FIELD)
			row[i] = field_value(rec, &cols[i]);
		else if (cols[i].role == FL_SQL_TICK_ID)
			row[i] = (struct value){ NULL, fl_record_tick_id(rec),
						 0 };
	}
}

static void no_work(void *arg, unsigned worker, struct fl_block *block)
{
	(void)arg;
	(void)worker;
	(void)block;
}

static const struct fl_type *read_rows(const char *path)
{
	const struct fl_blocks_work work = { .work = no_work };
	struct fl_error err = { .code = FL_OK };
	struct fl_stream *stream = NULL;
	struct fl_blocks *blocks = NULL;
	struct fl_json json = FL_JSON_INIT;
	const struct fl_type *type = NULL;
	struct fl_block *block;
	int got = -1;

	if (fl_stream_open(&stream, path, &err) < 0 ||
	    fl_blocks_open(&blocks, stream, 1, &work, &err) < 0)
		die(path, err.text);
	while ((got = fl_blocks_next(blocks, &block, &err)) > 0) {
		struct fl_record rec = { 0 };
		struct fl_note note;
		uint64_t line;
		size_t at = 0;

		while (fl_block_line(block, &at, &rec.bytes, &rec.len, &line)) {
			if (fl_record_check(&rec, &json, &note) !=
			    FL_REASON_NONE)
				die(path, note.detail);
			if (type && rec.type != type)
				die(path, "records of more than one type");
			type = rec.type;
			add_row(&rec);
		}
	}
	if (got < 0)
		die(path, err.text);
	if (!type)
		die(path, "no records");
	fl_blocks_close(&blocks);
	fl_stream_close(&stream);
	fl_json_release(&json);
	return type;
}

/* Leave the columns out that hold nothing. */
static void squeeze(void)
{
	struct value *to = rows;

	for (size_t i = 0; i < col_count; i++) {
		for (size_t row = 0; row < count; row++) {
			if (rows[row * col_count + i].len < 0)
				continue;
			used[used_count++] = i;
			break;
		}
	}
	for (size_t row = 0; row < count; row++) {
		for (size_t i = 0; i < used_count; i++)
			*to++ = rows[row * col_count + used[i]];
	}
}

static void insert_text(struct fl_buf *sql, const struct fl_type *type)
{
	fl_buf_printf(sql, "INSERT OR REPLACE INTO \"%s\" (", type->name);
	for (size_t i = 0; i < used_count; i++)
		fl_buf_printf(sql, "%s\"%s\"", i ? ", " : "",
			      cols[used[i]].name);
	fl_buf_puts(sql, ") VALUES (");
	for (size_t i = 0; i < used_count; i++)
		fl_buf_puts(sql, i ? ", ?" : "?");
	fl_buf_putc(sql, ')');
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double wall_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void bind_row(sqlite3_stmt *stmt, const struct value *row)
{
	for (size_t i = 0; i < used_count; i++) {
		int place = (int)i + 1;

		if (row[i].text)
			sqlite3_bind_text(stmt, place, row[i].text, row[i].len,
					  SQLITE_STATIC);
		else if (row[i].len == 0)
			sqlite3_bind_int64(stmt, place, row[i].number);
		else
			sqlite3_bind_null(stmt, place);
	}
}

static void load(sqlite3 *db, const char *sql, size_t batch)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		die("cannot prepare", sqlite3_errmsg(db));
	for (size_t row = 0; row < count; row++) {
		if (row % batch == 0)
			sqlite3_exec(db, row ? "COMMIT; BEGIN" : "BEGIN", NULL,
				     NULL, NULL);
		bind_row(stmt, rows + row * used_count);
		if (sqlite3_step(stmt) != SQLITE_DONE)
			die("cannot insert", sqlite3_errmsg(db));
		sqlite3_reset(stmt);
	}
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		die("cannot commit", sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
}

int main(int argc, char **argv)
{
	struct fl_buf sql = FL_BUF_INIT;
	const struct fl_type *type;
	double cpu, wall;
	size_t batch = 10000;
	sqlite3 *db = NULL;
	int option;

	while ((option = getopt(argc, argv, "b:")) == 'b')
		batch = strtoul(optarg, NULL, 10);
	if (option > 0 || argc - optind != 2 || batch == 0)
		die("usage", "sqlite_load [-b rows] DB FILE");
	type = read_rows(argv[optind + 1]);
	squeeze();
	insert_text(&sql, type);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	cpu = cpu_s();
	wall = wall_s();
	if (sqlite3_open_v2(argv[optind], &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		die(argv[optind], sqlite3_errmsg(db));
	if (sqlite3_exec(db,
			 "PRAGMA journal_mode = WAL;"
			 "PRAGMA synchronous = NORMAL;"
			 "PRAGMA cache_size = -16384;"
			 "PRAGMA wal_autocheckpoint = 4000",
			 NULL, NULL, NULL) != SQLITE_OK)
		die(argv[optind], sqlite3_errmsg(db));
	load(db, sql.data, batch);
	sqlite3_close(db);
	printf("{\"rows\":%zu,\"cpu_s\":%.3f,\"wall_s\":%.3f}\n", count,
	       cpu_s() - cpu, wall_s() - wall);
	fl_buf_release(&sql);
	return 0;
}
