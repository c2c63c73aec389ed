/* map: a hash table from byte strings to pointers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_MAP_H
#define FL_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct fl_map_entry {
	char *key; /* owned; NUL added */
	size_t len;
	void *value; /* the caller's */
};

/* Entries stand in the order in which they were added; none is ever removed
 * alone. */
struct fl_map {
	struct fl_map_entry *entries;
	size_t count, cap;
	uint32_t *slots; /* entry index + 1, 0 free */
	size_t mask;
};

#define FL_MAP_INIT                                                            \
	{                                                                      \
		0                                                              \
	}

/* The entry's value slot, added as NULL when the key is new; borrowed until the
 * next call that adds. */
void **fl_map_at(struct fl_map *map, const char *key, size_t len);
/* NULL when absent. */
void *fl_map_get(const struct fl_map *map, const char *key, size_t len);
void fl_map_clear(struct fl_map *map, void (*free_value)(void *));
void fl_map_release(struct fl_map *map, void (*free_value)(void *));

#endif
