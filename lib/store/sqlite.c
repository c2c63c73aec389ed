/* sqlite: a store in one file, the embedded default.
 *
 * Rows and positions lie in one database and fall together, so WAL with
 * synchronous=NORMAL is safe: a power cut may lose the last transactions, but
 * never half of one, and the source then begins where the store stands.
 * Transactions are immediate: a deferred one that begins with a read and then
 * writes gets SQLITE_BUSY_SNAPSHOT, which no time-out cures.
 *
 * source  SQLite documentation: "Write-Ahead Logging", "Result Codes"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	APPLICATION = 0x464c616b, /* "FLak", in the file's header */
	BUSY_MS = 10000,
	CACHE_KIB = 16384,
	/* Pages in the log before it is copied into the file: with the default
	 * of 1000 a load copies hot pages many times over. */
	CHECKPOINT_PAGES = 4000,
};

/* --- errors -------------------------------------------------------------- */

static const char *cause(const struct fl_sqlite *s, char *text, size_t size)
{
	int error = sqlite3_system_errno(s->db);

	if (error == 0)
		return sqlite3_errmsg(s->db);
	snprintf(text, size, "%s", strerror(error));
	return text;
}

int fl_sqlite_fault(const struct fl_sqlite *s, const char *doing,
		    struct fl_error *err)
{
	char text[200];

	switch (sqlite3_extended_errcode(s->db) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fl_error_set(err, FL_ERR_AGAIN,
				    "cannot %s '%s': locked by another "
				    "process for %d s",
				    doing, s->place, BUSY_MS / 1000);
	case SQLITE_NOTADB:
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' is not an SQLite database", s->place);
	case SQLITE_FULL:
		return fl_error_set(err, FL_ERR_IO,
				    "cannot %s '%s': no space left on device",
				    doing, s->place);
	case SQLITE_READONLY:
		return fl_error_set(err, FL_ERR_IO,
				    "cannot %s '%s': the file or its folder is "
				    "read-only",
				    doing, s->place);
	case SQLITE_CANTOPEN:
		return fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
				    s->place, cause(s, text, sizeof(text)));
	case SQLITE_CORRUPT:
		return fl_error_set(err, FL_ERR_IO,
				    "'%s' is damaged (%s); "
				    "sqlite3 '%s' .recover gives what is left",
				    s->place, sqlite3_errmsg(s->db), s->path);
	case SQLITE_NOMEM:
		return fl_error_set(err, FL_ERR_AGAIN,
				    "cannot %s '%s': out of memory", doing,
				    s->place);
	case SQLITE_IOERR:
		return fl_error_set(err, FL_ERR_IO, "cannot %s '%s': %s", doing,
				    s->place, cause(s, text, sizeof(text)));
	case SQLITE_ERROR: /* a table or column is not what it was */
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot %s '%s': its tables are not as "
				    "made: %s",
				    doing, s->place, sqlite3_errmsg(s->db));
	default:
		return fl_error_set(err, FL_ERR_IO, "cannot %s '%s': %s", doing,
				    s->place, sqlite3_errmsg(s->db));
	}
}

int fl_sqlite_prepare(struct fl_sqlite *s, sqlite3_stmt **stmt, const char *sql,
		      struct fl_error *err)
{
	if (*stmt)
		return 0;
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt,
			       NULL) == SQLITE_OK)
		return 0;
	return fl_sqlite_fault(s, "use", err);
}

int fl_sqlite_run(struct fl_sqlite *s, const char *sql, const char *doing,
		  struct fl_error *err)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return fl_sqlite_fault(s, doing, err);
}

/* A prepared statement of no or one row that nobody reads. */
static int step_once(struct fl_sqlite *s, sqlite3_stmt *stmt, const char *doing,
		     struct fl_error *err)
{
	int got = sqlite3_step(stmt);
	int result = 0;

	if (got != SQLITE_DONE && got != SQLITE_ROW)
		result = fl_sqlite_fault(s, doing, err);
	sqlite3_reset(stmt);
	return result;
}

/* One number, of a statement prepared on the spot. */
static int ask_number(struct fl_sqlite *s, const char *sql, int *value,
		      struct fl_error *err)
{
	sqlite3_stmt *stmt = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		*value = sqlite3_column_int(stmt, 0);
		result = 0;
	}
	if (result < 0)
		fl_sqlite_fault(s, "open", err);
	sqlite3_finalize(stmt);
	return result;
}

/* --- tables -------------------------------------------------------------- */

struct fl_sqlite_table *fl_sqlite_table(struct fl_sqlite *s,
					const struct fl_type *type)
{
	struct fl_sqlite_table *table = s->tables[type->id];

	if (table)
		return table;
	table = fl_zalloc(sizeof(*table));
	table->type = type;
	table->count = fl_sql_columns(&fl_sql_sqlite, type, table->cols);
	table->leads = fl_sql_leads(type, table->cols, table->count);
	table->ts_column = fl_sql_find(table->cols, table->count, "ts");
	table->partial_column =
		fl_sql_find(table->cols, table->count, "partial");
	table->pipeline_column =
		fl_sql_find(table->cols, table->count, "pipeline");
	return s->tables[type->id] = table;
}

void fl_sqlite_table_free(struct fl_sqlite_table *table)
{
	if (!table)
		return;
	sqlite3_finalize(table->one);
	sqlite3_finalize(table->group);
	sqlite3_finalize(table->by_key);
	fl_buf_release(&table->texts);
	free(table->cells);
	fl_sql_leads_free(table->leads, table->count);
	free(table);
}

static void print_schema(struct fl_buf *out)
{
	fl_sql_schema(out, &fl_sql_sqlite, fl_types);
	fl_buf_printf(out, "PRAGMA application_id = %d;\n", APPLICATION);
	fl_buf_printf(out, "PRAGMA user_version = %d;\n",
		      fl_sql_version(fl_types));
}

/* --- opening ------------------------------------------------------------- */

static const char scheme[] = "sqlite:";

static bool claims(const char *place)
{
	size_t len = strlen(place);

	if (strncmp(place, scheme, sizeof(scheme) - 1) == 0)
		return len > sizeof(scheme) - 1;
	return len > 3 && strcmp(place + len - 3, ".db") == 0 &&
	       !strstr(place, "://");
}

/* Whose file is this, and how old is it? Sets s->empty. */
static int identify(struct fl_sqlite *s, int *version, struct fl_error *err)
{
	int application, objects;

	/* The count comes first: it reads the file, a pragma might not. */
	if (ask_number(s, "SELECT COUNT(*) FROM sqlite_master", &objects, err) <
		    0 ||
	    ask_number(s, "PRAGMA application_id", &application, err) < 0 ||
	    ask_number(s, "PRAGMA user_version", version, err) < 0)
		return -1;
	s->empty = objects == 0 && application == 0;
	if (s->empty) {
		*version = 0;
		return 0;
	}
	if (application != APPLICATION)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' is an SQLite database of another "
				    "program: name a file of its own",
				    s->place);
	return fl_sql_check_version(s->place, *version, err);
}

static int make_tables(struct fl_sqlite *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int version, result;

	/* Others may have been quicker: look again under the lock. */
	if (identify(s, &version, err) < 0)
		return -1;
	if (version == fl_sql_version(fl_types))
		return 0;
	if (s->empty) {
		print_schema(&sql);
	} else {
		fl_sql_migrate(&sql, &fl_sql_sqlite, fl_types, version);
		fl_buf_printf(&sql, "PRAGMA user_version = %d;\n",
			      fl_sql_version(fl_types));
	}
	result = fl_sqlite_run(s, fl_buf_text(&sql), "make the tables of", err);
	fl_buf_release(&sql);
	return result;
}

/* Where a lock is to be raised SQLite gives up at once, lest two wait for each
 * other: two that make the same store do so. Then it is ours to try again. */
static int run_patiently(struct fl_sqlite *s, const char *sql,
			 struct fl_error *err)
{
	const struct timespec pause = { .tv_nsec = 10 * FL_SECOND / 1000 };
	int64_t until = fl_monotonic_ns() + BUSY_MS * (FL_SECOND / 1000);

	while (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		if (sqlite3_errcode(s->db) != SQLITE_BUSY ||
		    fl_monotonic_ns() >= until)
			return fl_sqlite_fault(s, "write to", err);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int prepare_to_write(struct fl_sqlite *s, struct fl_error *err)
{
	char sql[160];
	int version, result = -1;

	if (identify(s, &version, err) < 0)
		return -1;
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
		 "PRAGMA wal_autocheckpoint = %d; PRAGMA cache_size = -%d;",
		 CHECKPOINT_PAGES, CACHE_KIB);
	if (run_patiently(s, sql, err) < 0)
		return -1;
	if (version != fl_sql_version(fl_types)) {
		if (fl_sqlite_run(s, "BEGIN IMMEDIATE", "write to", err) < 0)
			return -1;
		result = make_tables(s, err);
		if (result == 0)
			result = fl_sqlite_run(s, "COMMIT", "write to", err);
		if (result < 0) {
			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
			return -1;
		}
	}
	s->empty = false;
	if (fl_sqlite_count_replaced(s, err) < 0 ||
	    fl_sqlite_prepare(s, &s->begin, "BEGIN IMMEDIATE", err) < 0 ||
	    fl_sqlite_prepare(s, &s->commit, "COMMIT", err) < 0 ||
	    fl_sqlite_prepare(s, &s->version, "PRAGMA user_version", err) < 0)
		return -1;
	return 0;
}

static int prepare_to_read(struct fl_sqlite *s, enum fl_store_mode mode,
			   struct fl_error *err)
{
	int version;

	if (identify(s, &version, err) < 0)
		return -1;
	if (s->empty || mode == FL_STORE_PEEK ||
	    version == fl_sql_version(fl_types))
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' has schema version %d, older than %d: "
			    "fl-load --migrate '%s' brings it up to date",
			    s->place, version, fl_sql_version(fl_types),
			    s->place);
}

static void configure(void)
{
	/* Before the first connection; its counters cost a lock a call. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int connect_to(struct fl_sqlite *s, const char *path, int flags,
		      struct fl_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, configure);
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return fl_sqlite_fault(s, "open", err);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	/* A file may come from anyone: its views run no code but SQL's own. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

/* In a folder that we cannot write to, a reader cannot take part in the log's
 * locks. Without a log the file is whole and nobody has it open to write, so it
 * is read as it stands. */
static int connect_without_log(struct fl_sqlite *s, struct fl_error *err)
{
	struct fl_buf uri = FL_BUF_INIT;
	struct stat log;
	char *name = fl_sprintf("%s-wal", s->path);
	bool whole = access(s->path, R_OK) == 0 && stat(name, &log) < 0 &&
		     errno == ENOENT;
	int result = -1;

	free(name);
	if (!whole)
		return -1;
	fl_buf_puts(&uri, "file:");
	for (const char *p = s->path; *p; p++) {
		if (strchr("?#%", *p))
			fl_buf_printf(&uri, "%%%02X", (unsigned)*p);
		else
			fl_buf_putc(&uri, *p);
	}
	fl_buf_puts(&uri, "?immutable=1");
	sqlite3_close(s->db);
	s->db = NULL;
	fl_error_clear(err);
	result = connect_to(s, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
			    err);
	fl_buf_release(&uri);
	return result;
}

/* SQLite takes a file of a few bytes for an empty database and would write over
 * it, whatever those bytes are. An empty file is one in the making. */
static bool is_foreign(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char start[sizeof(magic)];
	FILE *file = fopen(path, "rbe");
	size_t len;

	if (!file)
		return false;
	len = fread(start, 1, sizeof(start), file);
	fclose(file);
	return len > 0 &&
	       (len < sizeof(start) || memcmp(start, magic, len) != 0);
}

static void close_store(struct fl_store *store);

static int open_store(struct fl_store *store, enum fl_store_mode mode,
		      struct fl_error *err)
{
	struct fl_sqlite *s = fl_zalloc(sizeof(*s));
	int flags = SQLITE_OPEN_READONLY, result;

	store->state = s;
	s->replaced = &store->replaced;
	s->place = fl_strdup(fl_show(store->place, strlen(store->place), 200));
	s->path = store->place;
	if (strncmp(s->path, scheme, sizeof(scheme) - 1) == 0)
		s->path += sizeof(scheme) - 1;
	if (mode == FL_STORE_WRITE)
		flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	if (mode == FL_STORE_PEEK && access(s->path, F_OK) < 0 &&
	    errno == ENOENT) {
		s->empty = true;
		return 0;
	}
	if (is_foreign(s->path))
		result = fl_error_set(err, FL_ERR_REFUSED,
				      "'%s' is not an SQLite database",
				      s->place);
	else
		result = connect_to(s, s->path, flags, err);
	if (result == 0)
		result = mode == FL_STORE_WRITE ? prepare_to_write(s, err)
						: prepare_to_read(s, mode, err);
	if (result < 0 && mode != FL_STORE_WRITE && s->db &&
	    (sqlite3_errcode(s->db) == SQLITE_CANTOPEN ||
	     sqlite3_errcode(s->db) == SQLITE_READONLY) &&
	    connect_without_log(s, err) == 0)
		result = prepare_to_read(s, mode, err);
	if (result < 0)
		close_store(store);
	return result;
}

static void close_store(struct fl_store *store)
{
	struct fl_sqlite *s = store->state;

	store->state = NULL;
	if (!s)
		return;
	for (size_t i = 0; i < FL_TYPE_COUNT; i++)
		fl_sqlite_table_free(s->tables[i]);
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->commit);
	sqlite3_finalize(s->version);
	sqlite3_finalize(s->claim);
	sqlite3_finalize(s->move);
	sqlite3_finalize(s->held);
	sqlite3_close(s->db);
	fl_buf_release(&s->held_text);
	fl_buf_release(&s->text);
	fl_buf_release(&s->merged_text);
	fl_buf_release(&s->stored_text);
	fl_json_release(&s->json);
	fl_json_release(&s->merged_json);
	free(s->place);
	free(s);
}

/* --- transactions -------------------------------------------------------- */

static void rollback(struct fl_store *store)
{
	struct fl_sqlite *s = store->state;

	fl_sqlite_drop(s);
	if (s->db && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static int begin(struct fl_store *store, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	int version = -1;

	store->replaced = 0;
	s->pipeline = NULL;
	s->has_parts = false;
	store->held = false;
	if (step_once(s, s->begin, "write to", err) < 0) {
		store->held = err->code == FL_ERR_AGAIN;
		return -1;
	}
	if (sqlite3_step(s->version) == SQLITE_ROW)
		version = sqlite3_column_int(s->version, 0);
	sqlite3_reset(s->version);
	if (version == fl_sql_version(fl_types))
		return 0;
	rollback(store);
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' was brought to schema version %d by another "
			    "program, this one knows %d",
			    s->place, version, fl_sql_version(fl_types));
}

static int commit(struct fl_store *store, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;

	if (fl_sqlite_flush(s, err) == 0 &&
	    step_once(s, s->commit, "write to", err) == 0)
		return 0;
	rollback(store);
	return -1;
}

/* --- positions ----------------------------------------------------------- */

static void bind_time(sqlite3_stmt *stmt, int place, int64_t ns)
{
	if (ns == FL_TIME_NONE)
		sqlite3_bind_null(stmt, place);
	else
		sqlite3_bind_int64(stmt, place, ns);
}

static void bind_text(sqlite3_stmt *stmt, int place, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, place, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, place);
}

static int find_held(struct fl_sqlite *s, const char *pipeline,
		     const char *origin, const char **held,
		     struct fl_error *err)
{
	int got;

	if (fl_sqlite_prepare(s, &s->held,
			      "SELECT pos FROM fl_position "
			      "WHERE pipeline = ?1 AND origin = ?2",
			      err) < 0)
		return -1;
	bind_text(s->held, 1, pipeline);
	bind_text(s->held, 2, origin);
	got = sqlite3_step(s->held);
	*held = NULL;
	if (got == SQLITE_ROW) {
		fl_buf_reset(&s->held_text);
		fl_buf_puts(&s->held_text,
			    (const char *)sqlite3_column_text(s->held, 0));
		*held = fl_buf_text(&s->held_text);
	} else if (got != SQLITE_DONE) {
		fl_sqlite_fault(s, "read", err);
	}
	sqlite3_reset(s->held);
	return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : -1;
}

static int move(struct fl_store *store, const char *pipeline,
		const struct fl_mark_at *at, const char *via, bool *moved,
		const char **held, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	sqlite3_stmt *stmt;

	/* A watermark stays until there is a newer one; the record time is of
	 * this very position. */
	if (fl_sqlite_prepare(s, &s->claim,
			      "INSERT INTO fl_position (pipeline, origin, "
			      "pos, record_time, wm, via) "
			      "VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
			      "ON CONFLICT DO NOTHING",
			      err) < 0 ||
	    fl_sqlite_prepare(s, &s->move,
			      "UPDATE fl_position SET pos = ?3, "
			      "record_time = ?4, wm = COALESCE(?5, wm), "
			      "via = ?6 WHERE pipeline = ?1 AND origin = ?2 "
			      "AND pos = ?7",
			      err) < 0)
		return -1;
	stmt = at->from ? s->move : s->claim;
	bind_text(stmt, 1, pipeline);
	bind_text(stmt, 2, at->origin);
	bind_text(stmt, 3, at->to);
	bind_time(stmt, 4, at->rt);
	bind_time(stmt, 5, at->wm);
	bind_text(stmt, 6, via);
	if (at->from)
		bind_text(stmt, 7, at->from);
	if (step_once(s, stmt, "write to", err) < 0)
		return -1;
	s->pipeline = pipeline;
	*moved = sqlite3_changes(s->db) == 1;
	*held = at->from;
	return *moved ? 0 : find_held(s, pipeline, at->origin, held, err);
}

static int64_t column_time(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? FL_TIME_NONE
		       : sqlite3_column_int64(stmt, column);
}

static int positions(struct fl_store *store, const char *pipeline,
		     int (*each)(void *arg, const struct fl_position *row,
				 struct fl_error *err),
		     void *arg, struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	sqlite3_stmt *stmt = NULL;
	int got = SQLITE_DONE, result = 0;

	if (s->empty)
		return 0;
	if (fl_sqlite_prepare(s, &stmt,
			      "SELECT pipeline, origin, pos, record_time, wm, "
			      "via FROM fl_position "
			      "WHERE ?1 IS NULL OR pipeline = ?1 "
			      "ORDER BY pipeline, origin",
			      err) < 0)
		return -1;
	bind_text(stmt, 1, pipeline);
	while (result == 0 && (got = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct fl_position row = {
			.pipeline = (const char *)sqlite3_column_text(stmt, 0),
			.origin = (const char *)sqlite3_column_text(stmt, 1),
			.pos = (const char *)sqlite3_column_text(stmt, 2),
			.record_time = column_time(stmt, 3),
			.wm = column_time(stmt, 4),
			.via = (const char *)sqlite3_column_text(stmt, 5),
		};

		result = each(arg, &row, err);
	}
	if (result == 0 && got != SQLITE_DONE)
		result = fl_sqlite_fault(s, "read", err);
	sqlite3_finalize(stmt);
	return result;
}

static int forget(struct fl_store *store, const char *pipeline, uint64_t *rows,
		  struct fl_error *err)
{
	struct fl_sqlite *s = store->state;
	sqlite3_stmt *stmt = NULL;
	int result;

	if (fl_sqlite_prepare(s, &stmt,
			      "DELETE FROM fl_position WHERE pipeline = ?1",
			      err) < 0)
		return -1;
	bind_text(stmt, 1, pipeline);
	result = step_once(s, stmt, "write to", err);
	*rows = (uint64_t)sqlite3_changes(s->db);
	sqlite3_finalize(stmt);
	return result;
}

const struct fl_store_ops fl_store_sqlite = {
	.name = "sqlite",
	.summary = "an SQLite database in one file, no server needed",
	.forms = "FILE.db, sqlite:FILE",
	.batch = "10000,1s",
	.claims = claims,
	.open = open_store,
	.begin = begin,
	.move = move,
	.put = fl_sqlite_put,
	.commit = commit,
	.rollback = rollback,
	.positions = positions,
	.forget = forget,
	.query = fl_sqlite_query,
	.next = fl_sqlite_next,
	.end = fl_sqlite_end,
	.list = fl_sqlite_list,
	.close = close_store,
	.schema = print_schema,
};
