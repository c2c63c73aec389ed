/* types: whatever is true of every field table, and the lookup by path. A new
 * type is tested unasked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "rec/record.h"
#include "rec/type.h"
#include "tap.h"

enum {
	THREADS = 8,
};

static int index_of(const struct fl_type *type, const char *path)
{
	return fl_type_field(type, path, strlen(path));
}

/* The first look builds the tables: many threads look at once. */
static void *look_all(void *barrier)
{
	long wrong = 0;

	pthread_barrier_wait(barrier);
	for (int t = 0; fl_types[t]; t++) {
		const struct fl_type *type = fl_types[t];

		wrong += fl_type_find(type->name, strlen(type->name)) != type;
		for (int i = 0; type->fields[i].path; i++)
			wrong += index_of(type, type->fields[i].path) != i;
	}
	return (void *)wrong;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_t barrier;
	long wrong = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, look_all, &barrier);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		wrong += (long)result;
	}
	pthread_barrier_destroy(&barrier);
	is_int(wrong, 0, "%d threads at once find every type and field",
	       THREADS);
}

/* What is nearly a path is none. */
static void test_near_misses(const struct fl_type *type)
{
	int wrong = 0;

	for (int i = 0; type->fields[i].path; i++) {
		const char *path = type->fields[i].path;
		size_t len = strlen(path);
		char near[80];

		for (size_t at = 0; at < len; at++) {
			memcpy(near, path, len + 1);
			near[at] = (char)(near[at] ^ 1);
			wrong += fl_type_field(type, near, len) == i;
			near[at] = '\0';
			wrong += fl_type_field(type, near, len) == i;
			wrong += fl_type_field(type, path, at) == i;
		}
		snprintf(near, sizeof(near), "%sx", path);
		wrong += fl_type_field(type, near, len + 1) == i;
		snprintf(near, sizeof(near), "x%s", path);
		wrong += fl_type_field(type, near, len + 1) == i;
	}
	wrong += fl_type_field(type, "", 0) != -1;
	is_int(wrong, 0, "%s: what is nearly a path is not found", type->name);
}

static void test_find(void)
{
	ok(!fl_type_find("", 0), "no type has an empty name");
	ok(!fl_type_find("Quote", 5), "names of types are lower case");
	ok(!fl_type_find("quot", 4) && !fl_type_find("quotes", 6),
	   "a name is found as a whole only");
	ok(!fl_type_find("mark", 4), "a mark is no record type");
}

static bool is_identifier(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 63 && (*name < '0' || *name > '9') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* Columns that stores add by themselves. */
static bool is_store_column(const char *name)
{
	static const char *const taken[] = { "extra", "doc", "tick_id",
					     "ts_ns" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		if (strcmp(name, taken[i]) == 0)
			return true;
	}
	return false;
}

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

static bool is_number(enum fl_kind kind)
{
	return kind == FL_NUMBER || kind == FL_SUM || kind == FL_INTEGER;
}

static bool is_field_sound(const struct fl_type *type, int index)
{
	const struct fl_field *field = &type->fields[index];
	bool keyed = is_in(type->key, field->path);
	bool sound = true;

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond)) {                                                 \
			sound = false;                                         \
			note("%s.%s: %s", type->name, field->path, #cond);     \
		}                                                              \
	} while (0)
	MUST(field->doc && *field->doc);
	MUST(field->doc && !strpbrk(field->doc, "\n\t"));
	MUST(field->since >= 1);
	MUST(!field->column || is_identifier(field->column));
	MUST(!field->column || !is_store_column(field->column));
	/* What is required is queried, but for the type, which is the table. */
	MUST(!field->required || field->column || type->doc ||
	     strcmp(field->path, "type") == 0);
	MUST(!keyed || field->column);
	/* A key has a value in each row. */
	MUST(!keyed || field->required || field->absent);
	MUST(!field->absent || (keyed && !field->required));
	MUST(field->kind == FL_STRING || !field->words);
	MUST(field->kind == FL_STRING || field->form == FL_FORM_NONE);
	MUST(is_number(field->kind) || field->range == FL_ANY);
	MUST(is_number(field->kind) || field->unit == FL_UNIT_NONE);
	MUST(!field->words || field->words[0]);
	MUST(type->nested || !strchr(field->path, '.'));
	for (int i = 0; i < index; i++) {
		const struct fl_field *other = &type->fields[i];

		MUST(strcmp(field->path, other->path) != 0);
		MUST(!field->column || !other->column ||
		     strcmp(field->column, other->column) != 0);
	}
#undef MUST
	return sound;
}

/* The object around a nested path is a field before it. */
static bool has_parent(const struct fl_type *type, int index)
{
	const char *path = type->fields[index].path;
	int parent = fl_type_field(type, path, strcspn(path, "."));

	return !strchr(path, '.') || (parent >= 0 && parent < index &&
				      type->fields[parent].kind == FL_OBJECT);
}

static void test_fields(const struct fl_type *type)
{
	int count = 0, wrong = 0, orphans = 0;

	for (; type->fields[count].path; count++) {
		wrong += !is_field_sound(type, count);
		orphans += !has_parent(type, count);
	}
	is_int(wrong, 0, "%s: every field is sound", type->name);
	is_int(orphans, 0, "%s: nested paths follow their object", type->name);
	is_int(fl_type_count(type), count, "%s has %d fields", type->name,
	       count);
	ok(count <= FL_FIELDS_MAX, "%s: FL_FIELDS_MAX holds them", type->name);
	ok(index_of(type, "type") == 0 && index_of(type, "ts") == 1,
	   "%s begins with type and ts", type->name);
	ok(index_of(type, "provider") > 0 && index_of(type, "ts_recv") > 0,
	   "%s has provider and ts_recv", type->name);
}

static void test_key(const struct fl_type *type)
{
	int unknown = 0, strange = 0, others = 0;
	const char *const *key = type->key;

	for (; *key; key++)
		unknown += index_of(type, *key) < 0 &&
			   strcmp(*key, "tick_id") != 0;
	ok(key > type->key && key < type->key + FL_KEY_MAX,
	   "%s has a natural key", type->name);
	is_int(unknown, 0, "%s: the natural key names fields", type->name);
	key = type->key;
	for (const char *const *path = type->series; *path; path++) {
		strange += index_of(type, *path) < 0;
		others += !*key || strcmp(*path, *key++) != 0;
	}
	is_int(strange, 0, "%s: the series names fields", type->name);
	/* Where the time comes first, nothing of the key stands before it. */
	ok(others == 0 || is_in((const char *[]){ type->key[0], NULL }, "ts"),
	   "%s: the series is what the key begins with", type->name);
}

static void test_topic_key(const struct fl_type *type)
{
	int unknown = 0;

	for (const char *from = type->topic_key; *from;) {
		size_t len = strcspn(from, ",");

		unknown += fl_type_field(type, from, len) < 0;
		from += len + (from[len] == ',');
	}
	ok(is_identifier(type->topic) && unknown == 0,
	   "%s: the topic's key names fields", type->name);
}

/* Where there is a currency, its conversion can be told. */
static void test_currency(const struct fl_type *type)
{
	ok(index_of(type, "currency") < 0 ||
		   (index_of(type, "currency_src") > 0 &&
		    index_of(type, "price_scale") > 0),
	   "%s: a subunit can be told", type->name);
}

/* A merged bar keeps its key. */
static void test_bar_merge(void)
{
	const struct fl_type *bar = &fl_type_bar;
	int wrong = 0;

	for (int i = 0; bar->fields[i].path; i++)
		wrong += (bar->fields[i].merge == FL_MERGE_KEY) !=
			 is_in(bar->key, bar->fields[i].path);
	is_int(wrong, 0,
	       "the fields of bar's key, and they alone, merge as "
	       "key");
}

static void test_manual(void)
{
	struct fl_buf page = FL_BUF_INIT;
	int missing = 0, requests = 0;
	char wanted[200];

	fl_types_manual(&page);
	for (int t = 0; fl_types[t]; t++) {
		snprintf(wanted, sizeof(wanted), ".Ss %s\n", fl_types[t]->name);
		missing += !strstr(page.data, wanted);
		for (int i = 0; fl_types[t]->fields[i].path; i++) {
			snprintf(wanted, sizeof(wanted), ".It Sy %s\n",
				 fl_types[t]->fields[i].path);
			missing += !strstr(page.data, wanted);
		}
	}
	for (int i = 1; i < FL_REASON_COUNT; i++) {
		snprintf(wanted, sizeof(wanted), ".It Sy %s\n%s\n",
			 fl_reason_name((enum fl_reason)i),
			 fl_reason_doc((enum fl_reason)i));
		missing += !strstr(page.data, wanted);
	}
	is_int(missing, 0, "the manual has all types, fields and reasons");
	for (const char *line = page.data; line && *line;
	     line = strchr(line, '\n') + 1)
		requests +=
			line[0] == '\'' || (line[0] == '.' && line[1] != 'b' &&
					    (line[1] < 'A' || line[1] > 'Z'));
	is_int(requests, 0, "no text of the manual is taken for a request");
	fl_buf_release(&page);
}

int main(void)
{
	test_threads();
	test_find();
	for (int t = 0; fl_types[t]; t++) {
		is_int(fl_types[t]->id, t, "%s: id is its place in fl_types",
		       fl_types[t]->name);
		test_fields(fl_types[t]);
		test_key(fl_types[t]);
		test_topic_key(fl_types[t]);
		test_currency(fl_types[t]);
		test_near_misses(fl_types[t]);
	}
	test_bar_merge();
	test_manual();
	return done_testing();
}
