/* types: all record types, and the lookup of a field by its path.
 *
 * Every key of every line is looked up, so each type has a hash table without
 * collisions: made once, at the first look, by trying multipliers until each
 * path has a slot of its own. A look is a multiplication and one comparison of
 * the length and two words, the first and last eight bytes; only paths longer
 * than both together, which are nested ones, are read in between as well.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "rec/type.h"

const struct fl_type *const fl_types[] = {
#define FL_TYPE(name) &fl_type_##name,
#include "rec/types.def"
#undef FL_TYPE
	NULL
};

const char *const fl_words_asset[] = { "equity", "etf",    "fund",
				       "index",  "fx",     "crypto",
				       "future", "option", NULL };
const char *const fl_words_adj[] = { "none", "split", "all", NULL };

struct slot {
	uint64_t head, tail; /* first and last eight bytes */
	uint64_t middle;     /* a hash of those between */
	uint32_t len;        /* 0: free */
	int index;
	const char *name;
};

struct index {
	uint64_t factor;
	unsigned shift;
	struct slot *slots;
	size_t count; /* of names */
};

/* One for each type, and the last for the types' own names. */
static struct index indexes[FL_TYPE_COUNT + 1];
static atomic_bool ready;

/* Eight bytes, or all there are: for a given length below eight, equal words
 * mean equal text. */
static inline uint64_t word(const char *text, size_t len)
{
	uint64_t eight;
	uint32_t low, high;

	if (len >= sizeof(eight)) {
		memcpy(&eight, text, sizeof(eight));
		return eight;
	}
	if (len >= sizeof(low)) {
		memcpy(&low, text, sizeof(low));
		memcpy(&high, text + len - sizeof(high), sizeof(high));
		return low | (uint64_t)high << 32;
	}
	return len ? (unsigned char)text[0] |
			       (uint64_t)(unsigned char)text[len / 2] << 8 |
			       (uint64_t)(unsigned char)text[len - 1] << 16
		   : 0;
}

static inline struct slot key_of(const char *name, size_t len)
{
	struct slot key = {
		.head = word(name, len),
		.tail = len > 8 ? word(name + len - 8, 8) : 0,
		.len = (uint32_t)len,
		.name = name,
	};

	for (size_t i = 8; i + 8 < len; i += 8)
		key.middle = (key.middle ^ word(name + i, 8)) *
			     UINT64_C(0xff51afd7ed558ccd);
	return key;
}

static inline size_t slot_of(const struct index *index, const struct slot *key)
{
	uint64_t mixed = key->head ^ key->tail << 1 ^ key->tail >> 31 ^
			 key->middle ^ key->len;

	return (size_t)(mixed * index->factor >> index->shift);
}

static bool fill(struct index *index, const struct slot *keys)
{
	memset(index->slots, 0,
	       ((size_t)1 << (64 - index->shift)) * sizeof(*index->slots));
	for (size_t i = 0; i < index->count; i++) {
		struct slot *slot = &index->slots[slot_of(index, &keys[i])];

		if (slot->len)
			return false;
		*slot = keys[i];
	}
	return true;
}

/* Try multipliers, then twice the room: names that differ find one soon. */
static void build(struct index *index, const struct slot *keys, size_t count)
{
	index->count = count;
	index->shift = 64;
	do
		index->shift--;
	while ((size_t)1 << (64 - index->shift) < 4 * count);
	for (;; index->shift--) {
		uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);

		index->slots = fl_realloc(index->slots,
					  (size_t)1 << (64 - index->shift),
					  sizeof(*index->slots));
		for (int tries = 0; tries < 4000; tries++) {
			index->factor = factor | 1;
			if (fill(index, keys))
				return;
			factor = factor * UINT64_C(6364136223846793005) +
				 UINT64_C(1442695040888963407);
		}
		if (index->shift < 50)
			FL_BUG("a name stands twice in a table");
	}
}

static void build_all(void)
{
	struct slot keys[FL_FIELDS_MAX] = { { 0 } };
	size_t count;

	for (size_t t = 0; fl_types[t]; t++) {
		const struct fl_field *field = fl_types[t]->fields;

		for (count = 0; field[count].path; count++) {
			if (count == FL_FIELDS_MAX)
				FL_BUG("a type has more than FL_FIELDS_MAX "
				       "fields");
			keys[count] = key_of(field[count].path,
					     strlen(field[count].path));
			keys[count].index = (int)count;
		}
		build(&indexes[t], keys, count);
	}
	for (count = 0; fl_types[count]; count++) {
		keys[count] = key_of(fl_types[count]->name,
				     strlen(fl_types[count]->name));
		keys[count].index = (int)count;
	}
	build(&indexes[FL_TYPE_COUNT], keys, count);
	atomic_store_explicit(&ready, true, memory_order_release);
}

/* Out of the way of the lookup, which comes here once. */
static __attribute__((noinline, cold)) void prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, build_all);
}

static inline const struct index *index_of(size_t which)
{
	if (__builtin_expect(
		    !atomic_load_explicit(&ready, memory_order_acquire), 0))
		prepare();
	return &indexes[which];
}

static inline int find(const struct index *index, const char *name, size_t len)
{
	struct slot key = key_of(name, len);
	const struct slot *slot = &index->slots[slot_of(index, &key)];

	if (slot->head != key.head || slot->tail != key.tail ||
	    slot->len != key.len || !len)
		return -1;
	if (len > 16 && memcmp(slot->name + 8, name + 8, len - 16) != 0)
		return -1;
	return slot->index;
}

const struct fl_type *fl_type_find(const char *name, size_t len)
{
	int i = find(index_of(FL_TYPE_COUNT), name, len);

	return i < 0 ? NULL : fl_types[i];
}

int fl_type_field(const struct fl_type *type, const char *path, size_t len)
{
	return find(index_of(type->id), path, len);
}

size_t fl_type_count(const struct fl_type *type)
{
	return index_of(type->id)->count;
}
