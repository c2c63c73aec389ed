/* lake-expire: dates of a lake whose records are too old.
 *
 * A date goes as a whole, its objects first and then the folder, in which what
 * is not ours stays. A pipeline's last commit may name what is removed; readers
 * know that partitions may be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/lake.h"

struct names {
	char **list;
	size_t count, cap;
};

static int add_name(void *arg, const char *name)
{
	struct names *names = arg;

	if (names->count == names->cap) {
		names->cap = names->cap ? 2 * names->cap : 64;
		names->list = fl_realloc(names->list, names->cap,
					 sizeof(*names->list));
	}
	names->list[names->count++] = fl_strdup(name);
	return 0;
}

static void release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	memset(names, 0, sizeof(*names));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(struct fl_lake *lake, const char *path, struct names *names,
		struct fl_error *err)
{
	int result =
		fl_objects_list(&lake->objects, path, add_name, names, err);

	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), by_name);
	return result;
}

/* One date: how many objects it has, and when it is `sure` none any more. */
static int expire_day(struct fl_lake *lake, const struct fl_lake_part *part,
		      bool sure, uint64_t *objects, struct fl_error *err)
{
	struct fl_buf dir = FL_BUF_INIT;
	struct names names = { NULL, 0, 0 };
	struct fl_lake_name name;
	int result;

	fl_objects_forgive(&lake->objects);
	fl_lake_put_part(&dir, part);
	result = list(lake, dir.data, &names, err);
	*objects = 0;
	for (size_t i = 0; i < names.count && result == 0; i++) {
		char *path;

		if (!fl_lake_read_name(names.list[i], &name))
			continue;
		++*objects;
		path = fl_sprintf("%s/%s", dir.data, names.list[i]);
		if (sure)
			fl_objects_remove(&lake->objects, path);
		free(path);
	}
	if (sure && result == 0)
		result = fl_objects_removed(&lake->objects, err);
	if (sure && result == 0)
		fl_objects_remove(&lake->objects, dir.data);
	fl_buf_release(&dir);
	release(&names);
	return result;
}

/* The dates of one folder: a type's, or that of parts of bars. */
static int expire_type(struct fl_lake *lake, const struct fl_expiry *rule,
		       bool partial, bool sure,
		       int (*each)(void *arg, const struct fl_expired *row,
				   struct fl_error *err),
		       void *arg, struct fl_error *err)
{
	struct fl_lake_part part = { .type = rule->type, .partial = partial };
	struct names names = { NULL, 0, 0 };
	int result = list(lake, partial ? "bar_partial" : rule->type->name,
			  &names, err);

	for (size_t i = 0; i < names.count && result == 0; i++) {
		struct fl_expired row = { .type = rule->type,
					  .partial = partial };

		if (!fl_lake_read_day(names.list[i], &part.day) ||
		    (part.day + 1) * FL_DAY > rule->before)
			continue;
		row.day = part.day;
		result = expire_day(lake, &part, sure, &row.objects, err);
		if (result == 0 && row.objects)
			result = each(arg, &row, err);
	}
	release(&names);
	return result;
}

int fl_lake_expire(struct fl_lake *lake, const struct fl_expiry *rules,
		   size_t count, bool sure,
		   int (*each)(void *arg, const struct fl_expired *row,
			       struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0 && !lake->empty; i++) {
		bool bars = strcmp(rules[i].type->name, "bar") == 0;

		result = expire_type(lake, &rules[i], false, sure, each, arg,
				     err);
		if (result == 0 && bars)
			result = expire_type(lake, &rules[i], true, sure, each,
					     arg, err);
	}
	return result;
}
