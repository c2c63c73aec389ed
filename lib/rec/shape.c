/* shape: see shape.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/shape.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"

static struct fl_shape shapes[FL_TYPE_COUNT];
static atomic_bool ready;

static void fill(struct fl_shape *shape, const struct fl_type *type)
{
	const struct fl_field *fields = type->fields;

	for (uint32_t i = 0; fields[i].path; i++) {
		size_t len = strlen(fields[i].path);

		shape->count = i + 1;
		shape->path_len[i] = (uint8_t)len;
		shape->seed[i] = fl_hash64(fields[i].path, len);
		shape->dotted[i] = memchr(fields[i].path, '.', len) != NULL;
		if (fields[i].required)
			shape->required[shape->required_count++] = (uint8_t)i;
	}
	for (const char *const *path = type->series; *path; path++)
		shape->series[shape->series_count++] =
			(uint8_t)fl_type_field(type, *path, strlen(*path));
	shape->ts = fl_type_field(type, "ts", 2);
	shape->ts_recv = fl_type_field(type, "ts_recv", 7);
	shape->seq = fl_type_field(type, "seq", 3);
	shape->name_len = strlen(type->name);
	for (uint32_t i = 1; i < shape->count; i++) {
		bool series = memchr(shape->series, (int)i,
				     shape->series_count) != NULL;

		if (!series && !shape->dotted[i] && (int)i != shape->ts_recv)
			shape->others[shape->other_count++] = (uint8_t)i;
	}
}

static void fill_all(void)
{
	for (int i = 0; fl_types[i]; i++)
		fill(&shapes[fl_types[i]->id], fl_types[i]);
	atomic_store_explicit(&ready, true, memory_order_release);
}

const struct fl_shape *fl_type_shape(const struct fl_type *type)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!atomic_load_explicit(&ready, memory_order_acquire))
		pthread_once(&once, fill_all);
	return &shapes[type->id];
}

int fl_type_member(const struct fl_type *type, const char *key, size_t len)
{
	if (type->nested && memchr(key, '.', len))
		return -1;
	return fl_type_field(type, key, len);
}
