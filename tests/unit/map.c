/* map: against a plain list, through many growths.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdint.h>

#include "tap.h"

enum {
	KEYS = 20000
};

static int freed;

static void count_free(void *value)
{
	freed += value != NULL;
}

static void key_of(int i, char text[16])
{
	sprintf(text, "K%d", i * 7919 % 1000003);
}

static void check_many(void)
{
	static int values[KEYS];
	struct fl_map map = FL_MAP_INIT;
	int wrong = 0;
	char key[16];

	for (int i = 0; i < KEYS; i++) {
		void **slot;

		key_of(i, key);
		slot = fl_map_at(&map, key, strlen(key));
		wrong += *slot != NULL;
		*slot = &values[i];
		/* Asking again, now and later, finds the same. */
		wrong += *fl_map_at(&map, key, strlen(key)) != &values[i];
		key_of(i / 2, key);
		wrong += fl_map_get(&map, key, strlen(key)) != &values[i / 2];
	}
	is_int(wrong, 0, "every key finds its value");
	is_int(map.count, KEYS, "and none is there twice");
	for (int i = 0; i < KEYS; i++) {
		key_of(i, key);
		wrong += strcmp(map.entries[i].key, key) != 0 ||
			 map.entries[i].len != strlen(key) ||
			 map.entries[i].value != &values[i];
		key[0] = 'L';
		wrong += fl_map_get(&map, key, strlen(key)) != NULL;
	}
	is_int(wrong, 0, "entries keep their order; others are absent");
	is_int(map.count, KEYS, "asking adds nothing");

	fl_map_clear(&map, count_free);
	is_int(freed, KEYS, "clearing frees each value");
	is_int(map.count, 0, "and leaves none");
	key_of(1, key);
	ok(!fl_map_get(&map, key, strlen(key)), "nothing is found after");
	*fl_map_at(&map, key, strlen(key)) = &map;
	ok(fl_map_get(&map, key, strlen(key)) == &map, "it can be filled anew");
	fl_map_release(&map, NULL);
	ok(!map.entries && !map.slots && !map.count, "release empties it");
}

int main(void)
{
	struct fl_map map = FL_MAP_INIT;

	ok(!fl_map_get(&map, "a", 1), "an empty map has nothing");
	fl_map_clear(&map, NULL);
	*fl_map_at(&map, "", 0) = &map;
	*fl_map_at(&map, "a\0b", 3) = &freed;
	ok(fl_map_get(&map, "", 0) == &map, "the empty key is a key");
	ok(fl_map_get(&map, "a\0b", 3) == &freed,
	   "a NUL is a byte like others");
	ok(!fl_map_get(&map, "a", 1), "a beginning is another key");
	ok(!fl_map_get(&map, "a\0c", 3), "so is another end");
	is_str(map.entries[0].key, "", "keys end with a NUL");
	fl_map_release(&map, NULL);
	fl_map_release(&map, NULL);
	check_many();
	return done_testing();
}
