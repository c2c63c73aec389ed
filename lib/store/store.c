/* store: which kind of place a word names; see store.h.
 *
 * Places that are known but not built yet are told apart from misspelt ones.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FL_STORE(name) extern const struct fl_store_ops fl_store_##name;
#include "store/stores.def"
#undef FL_STORE

const struct fl_store_ops *const fl_stores[] = {
#define FL_STORE(name) &fl_store_##name,
#include "store/stores.def"
#undef FL_STORE
	NULL
};

static const struct {
	const char *start, *what;
} planned[] = {
#ifdef FL_WITHOUT_PG
	{ "postgres://", "a PostgreSQL database" },
	{ "postgresql://", "a PostgreSQL database" },
#endif
#ifdef FL_WITHOUT_MYSQL
	{ "mysql://", "a MySQL database" },
	{ "mariadb://", "a MariaDB database" },
#endif
	{ "snowflake://", "a Snowflake schema" },
};

static const char *find_planned(const char *place)
{
	for (size_t i = 0; i < sizeof(planned) / sizeof(*planned); i++) {
		if (strncmp(place, planned[i].start,
			    strlen(planned[i].start)) == 0)
			return planned[i].what;
	}
	return NULL;
}

/* "FILE.db or sqlite:FILE": how the places that are built in are named. */
static void list_forms(struct fl_buf *out)
{
	const char *comma = NULL;

	for (size_t i = 0; fl_stores[i]; i++)
		fl_buf_printf(out, "%s%s", i ? ", " : "", fl_stores[i]->forms);
	for (const char *at = fl_buf_text(out); (at = strstr(at, ", ")); at++)
		comma = at;
	if (comma) {
		char *last = fl_strdup(comma + 2);

		out->len = (size_t)(comma - out->data);
		fl_buf_printf(out, " or %s", last);
		free(last);
	}
}

/* postgres://host/db?sslpassword=***&x=y: from `at` on. */
static void mask_query(const char *at, struct fl_buf *out)
{
	while (*at) {
		const char *value = strchr(at, '=');
		size_t len = strcspn(at + 1, "&") + 1;

		if (!value || value > at + len ||
		    !memmem(at, (size_t)(value - at), "password", 8)) {
			fl_buf_append(out, at, len);
		} else {
			fl_buf_append(out, at, (size_t)(value - at) + 1);
			fl_buf_puts(out, "***");
		}
		at += len;
	}
}

/* postgres://me:***@host/db */
char *fl_store_mask(const char *place)
{
	const char *from = strstr(place, "://");
	const char *query = from ? strchr(from, '?') : NULL;
	size_t len = query ? (size_t)(query - place) : strlen(place);
	const char *at =
		from ? memrchr(from, '@', len - (size_t)(from - place)) : NULL;
	const char *colon =
		at ? memchr(from + 3, ':', (size_t)(at - from - 3)) : NULL;
	struct fl_buf out = FL_BUF_INIT;

	if (colon) {
		fl_buf_append(&out, place, (size_t)(colon - place));
		fl_buf_puts(&out, ":***");
		fl_buf_append(&out, at, len - (size_t)(at - place));
	} else {
		fl_buf_append(&out, place, len);
	}
	if (query)
		mask_query(query, &out);
	return fl_buf_take(&out);
}

int fl_store_find(const char *place, const struct fl_store_ops **ops,
		  struct fl_error *err)
{
	struct fl_buf forms = FL_BUF_INIT;
	const char *what;
	char *masked;

	for (size_t i = 0; fl_stores[i]; i++) {
		if (fl_stores[i]->claims(place)) {
			*ops = fl_stores[i];
			return 0;
		}
	}
	/* One that is written and read by commands of its own. */
	if (strncmp(place, "kafka://", 8) == 0) {
		fl_error_set(err, FL_ERR_USAGE,
			     "'%s' is a Kafka topic: fl-produce writes to it, "
			     "fl-consume reads it",
			     fl_show(place, strlen(place), 200));
		return -1;
	}
	masked = fl_store_mask(place);
	what = find_planned(place);
	list_forms(&forms);
	if (what)
		fl_error_set(err, FL_ERR_USAGE,
			     "'%s' is %s, a place that is not built in "
			     "yet; %s is",
			     fl_show(masked, strlen(masked), 200), what,
			     fl_buf_text(&forms));
	else
		fl_error_set(err, FL_ERR_USAGE, "'%s' names no place: %s",
			     fl_show(masked, strlen(masked), 200),
			     fl_buf_text(&forms));
	fl_buf_release(&forms);
	free(masked);
	return -1;
}

int fl_store_open(struct fl_store **out, const char *place,
		  enum fl_store_mode mode, struct fl_error *err)
{
	const struct fl_store_ops *ops;
	struct fl_store *store;

	if (fl_store_find(place, &ops, err) < 0)
		return -1;
	store = fl_zalloc(sizeof(*store));
	store->ops = ops;
	store->place = fl_store_mask(place);
	if (ops->open(store, mode, err) < 0) {
		fl_store_close(&store);
		return -1;
	}
	*out = store;
	return 0;
}

void fl_store_close(struct fl_store **out)
{
	struct fl_store *store = *out;

	*out = NULL;
	if (!store)
		return;
	if (store->state)
		store->ops->close(store);
	free((char *)store->place);
	free(store);
}
