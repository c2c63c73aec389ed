/* places: what the tests of all kinds of places share: a new place of a kind,
 * and records as lines, into it and out of it. One that needs a server is
 * passed over where no place of it is named: PostgreSQL by FL_PG_TEST, a
 * database in which each test has a schema of its own, MySQL by FL_MYSQL_TEST,
 * beside which each test has a database of its own, the lake on S3 by
 * FL_S3_TEST, under which each has a prefix of its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_TESTS_UNIT_PLACES_H
#define FL_TESTS_UNIT_PLACES_H

#include <ftw.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "rec/record.h"
#include "store/my.h"
#include "store/store.h"
#include "tap.h"

static char folder[] = "/tmp/fl-store-XXXXXX";

/* Records in canonical form. */
struct lines {
	char **items;
	size_t count, cap;
};

static void add(struct lines *lines, const char *bytes, size_t len)
{
	if (lines->count == lines->cap) {
		lines->cap = lines->cap ? 2 * lines->cap : 64;
		lines->items = fl_realloc(lines->items, lines->cap,
					  sizeof(*lines->items));
	}
	lines->items[lines->count++] = fl_strndup(bytes, len);
}

static void release(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
	*lines = (struct lines){ 0 };
}

static bool holds(const struct lines *lines, const char *text)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (strcmp(lines->items[i], text) == 0)
			return true;
	}
	return false;
}

static bool equal(const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		if (strcmp(a->items[i], b->items[i]) == 0)
			continue;
		note("line %zu", i + 1);
		note("   got %.300s", a->items[i]);
		note("wanted %.300s", b->items[i]);
		return false;
	}
	if (a->count != b->count)
		note("got %zu lines, wanted %zu", a->count, b->count);
	return a->count == b->count;
}

TAP_UNUSED static void read_lines(struct lines *lines, const char *path)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while (in && (len = getline(&line, &cap, in)) > 0)
		add(lines, line, (size_t)len - (line[len - 1] == '\n'));
	free(line);
	if (in)
		fclose(in);
}

/* A record out of its text; `json` holds its tokens. */
static struct fl_record parse(const char *text, struct fl_json *json)
{
	struct fl_record rec = { .bytes = text, .len = strlen(text) };
	struct fl_note why = { "", "" };

	if (fl_record_check(&rec, json, &why) == FL_REASON_NONE && rec.type)
		return rec;
	printf("Bail out! %s: %.300s\n", why.detail, text);
	exit(1);
}

TAP_UNUSED static void canonical(struct lines *out, const struct lines *in)
{
	struct fl_json json = FL_JSON_INIT;

	for (size_t i = 0; i < in->count; i++) {
		struct fl_record rec = parse(in->items[i], &json);
		struct fl_buf text = FL_BUF_INIT;

		fl_record_canonical(&rec, &text);
		add(out, fl_buf_text(&text), text.len);
		fl_buf_release(&text);
	}
	fl_json_release(&json);
}

/* --- places -------------------------------------------------------------- */

static void run_psql(char *command)
{
	static char psql[] = "psql", quiet[] = "-qX", set[] = "-v",
		    stop[] = "ON_ERROR_STOP=1", run[] = "-c";
	char *argv[] = { psql, quiet,   set, stop, getenv("FL_PG_TEST"),
			 run,  command, NULL };
	int status = 0;
	pid_t pid;

	fflush(stdout);
	if (posix_spawnp(&pid, psql, NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) < 0 || status != 0) {
		printf("Bail out! psql cannot do '%s'\n", command);
		exit(1);
	}
}

/* A new schema; those of a run before are dropped. */
static const char *place_in_postgres(char *text, size_t size, int number)
{
	const char *base = getenv("FL_PG_TEST");
	char *command;

	if (!base || !*base)
		return NULL;
	command = fl_sprintf("SET client_min_messages = error; "
			     "DROP SCHEMA IF EXISTS unit_%d CASCADE; "
			     "CREATE SCHEMA unit_%d",
			     number, number);
	run_psql(command);
	free(command);
	snprintf(text, size, "%s?options=-csearch_path%%3Dunit_%d", base,
		 number);
	return text;
}

static void bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static const char *place_in_mysql(char *text, size_t size, int number)
{
	const char *base = getenv("FL_MYSQL_TEST");
	struct fl_error err = { .code = FL_OK };
	struct fl_db *db = NULL;
	char name[32], *command;

	if (!base || !*base)
		return NULL;
	snprintf(name, sizeof(name), "test_unit_%d", number);
	command = fl_sprintf("DROP DATABASE IF EXISTS %s", name);
	if (fl_db_my.open(&db, base, base, &err) < 0 ||
	    fl_db_run(db, command, "write to", &err) < 0)
		bail_out(err.text);
	free(command);
	command = fl_sprintf("CREATE DATABASE %s", name);
	if (fl_db_run(db, command, "write to", &err) < 0)
		bail_out(err.text);
	free(command);
	fl_db_close(&db);
	snprintf(text, size, "%.*s/%s", (int)(strrchr(base, '/') - base), base,
		 name);
	return text;
}

static bool on_s3; /* the lake's place */

static const char *place_on_s3(char *text, size_t size, int number)
{
	const char *base = getenv("FL_S3_TEST");

	if (!base || !*base)
		return NULL;
	snprintf(text, size, "%s/%s/%d", base, folder + strlen("/tmp/"),
		 number);
	return text;
}

static const char *place_of(const struct fl_store_ops *ops)
{
	static char text[300];
	static int made;

	if (strcmp(ops->name, "sqlite") == 0) {
		snprintf(text, sizeof(text), "%s/%d.db", folder, ++made);
		return text;
	}
	if (strcmp(ops->name, "lake") == 0) {
		if (on_s3)
			return place_on_s3(text, sizeof(text), ++made);
		snprintf(text, sizeof(text), "%s/%d/", folder, ++made);
		return text;
	}
	if (strcmp(ops->name, "postgres") == 0)
		return place_in_postgres(text, sizeof(text), ++made);
	if (strcmp(ops->name, "mysql") == 0)
		return place_in_mysql(text, sizeof(text), ++made);
	return NULL;
}

static struct fl_store *open_place(const char *place, enum fl_store_mode mode)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_store *store = NULL;

	if (fl_store_open(&store, place, mode, &err) == 0 && store)
		return store;
	printf("Bail out! cannot open '%s': %s\n", place, err.text);
	exit(1);
}

static struct fl_query everything(void)
{
	return (struct fl_query){
		.from = FL_TIME_NONE,
		.to = FL_TIME_NONE,
		.date_from = FL_TIME_NONE,
		.date_to = FL_TIME_NONE,
	};
}

static bool ask(struct fl_store *store, const struct fl_query *query,
		struct lines *out)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_cursor *cursor = NULL;
	int64_t ts, before = INT64_MIN;
	const char *bytes;
	bool sorted = true;
	size_t len;
	int got = -1;

	if (store->ops->query(store, query, &cursor, &err) == 0) {
		while ((got = store->ops->next(cursor, &bytes, &len, &ts,
					       &err)) > 0) {
			sorted = sorted && ts >= before;
			before = ts;
			add(out, bytes, len);
		}
		store->ops->end(cursor);
	}
	if (got < 0)
		note("%s", err.text);
	if (!sorted)
		note("not in the order of time");
	return got == 0 && sorted;
}

/* added: the store leaves it to the reader whether the key was there. */
struct tally {
	int fresh, replaced, refused, added;
};

/* One transaction. */
TAP_UNUSED static bool load(struct fl_store *store, const struct lines *lines,
			    struct tally *tally)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_json json = FL_JSON_INIT;
	int result = store->ops->begin(store, &err);

	*tally = (struct tally){ 0 };
	for (size_t i = 0; i < lines->count && result == 0; i++) {
		struct fl_record rec = parse(lines->items[i], &json);
		struct fl_note why = { "", "" };
		enum fl_put outcome = FL_PUT_NEW;

		result = store->ops->put(store, &rec, &outcome, &why, &err);
		tally->fresh += outcome == FL_PUT_NEW;
		tally->replaced += outcome == FL_PUT_REPLACED;
		tally->added += outcome == FL_PUT_ADDED;
		tally->refused += outcome == FL_PUT_REFUSED && why.detail[0];
	}
	if (result == 0)
		result = store->ops->commit(store, &err);
	if (result < 0)
		note("%s", err.text);
	tally->fresh -= (int)store->replaced;
	tally->replaced += (int)store->replaced;
	fl_json_release(&json);
	return result == 0;
}

static unsigned roll(unsigned *seed, unsigned sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 16) % sides;
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

/* Each kind that is registered, the lake in its two places. */
static int test_stores(void (*test)(const struct fl_store_ops *ops))
{
	if (!mkdtemp(folder))
		return 1;
	for (size_t i = 0; fl_stores[i]; i++) {
		const struct fl_store_ops *ops = fl_stores[i];

		for (on_s3 = false;; on_s3 = true) {
			if (place_of(ops))
				test(ops);
			else
				ok(true,
				   "%s%s # SKIP no place of it: FL_PG_TEST "
				   "names a PostgreSQL database, FL_MYSQL_TEST "
				   "one of MariaDB, FL_S3_TEST a bucket",
				   ops->name, on_s3 ? " on S3" : "");
			if (on_s3 || strcmp(ops->name, "lake") != 0)
				break;
		}
	}
	on_s3 = false;
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done_testing();
}

#endif
