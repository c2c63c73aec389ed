/* map: see map.h. Linear probing in a table that is at most half full.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
	LEAST_SLOTS = 16
};

/* The key's slot, or the free one it would take. */
static uint32_t *find(const struct fl_map *map, const char *key, size_t len)
{
	size_t at = fl_hash64(key, len) & map->mask;

	for (;; at = (at + 1) & map->mask) {
		uint32_t *slot = &map->slots[at];
		const struct fl_map_entry *entry;

		if (!*slot)
			return slot;
		entry = &map->entries[*slot - 1];
		if (entry->len == len && memcmp(entry->key, key, len) == 0)
			return slot;
	}
}

/* Room for one more entry, in both arrays. */
static void grow(struct fl_map *map)
{
	size_t slots = map->slots ? (map->mask + 1) * 2 : LEAST_SLOTS;

	if (map->count >= UINT32_MAX)
		FL_BUG("a map of more than 2^32 entries");
	free(map->slots);
	map->slots = fl_zalloc(slots * sizeof(*map->slots));
	map->mask = slots - 1;
	map->cap = slots / 2;
	map->entries =
		fl_realloc(map->entries, map->cap, sizeof(*map->entries));
	for (size_t i = 0; i < map->count; i++)
		*find(map, map->entries[i].key, map->entries[i].len) =
			(uint32_t)(i + 1);
}

void **fl_map_at(struct fl_map *map, const char *key, size_t len)
{
	struct fl_map_entry *entry;
	uint32_t *slot = map->slots ? find(map, key, len) : NULL;

	if (slot && *slot)
		return &map->entries[*slot - 1].value;
	if (!slot || map->count == map->cap) {
		grow(map);
		slot = find(map, key, len);
	}
	entry = &map->entries[map->count++];
	entry->key = fl_strndup(key, len);
	entry->len = len;
	entry->value = NULL;
	*slot = (uint32_t)map->count;
	return &entry->value;
}

void *fl_map_get(const struct fl_map *map, const char *key, size_t len)
{
	uint32_t slot = map->slots ? *find(map, key, len) : 0;

	return slot ? map->entries[slot - 1].value : NULL;
}

void fl_map_clear(struct fl_map *map, void (*free_value)(void *))
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->entries[i].key);
		if (free_value)
			free_value(map->entries[i].value);
	}
	map->count = 0;
	if (map->slots)
		memset(map->slots, 0, (map->mask + 1) * sizeof(*map->slots));
}

void fl_map_release(struct fl_map *map, void (*free_value)(void *))
{
	fl_map_clear(map, free_value);
	free(map->entries);
	free(map->slots);
	*map = (struct fl_map)FL_MAP_INIT;
}
