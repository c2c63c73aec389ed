/* logs_repeats: see repeats.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/repeats.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
	SIZE_MIN = 1024,
};

struct fl_logs_seen {
	uint64_t key;
	uint32_t line;  /* where it stood last; counts on from 2^32 to 0 */
	uint32_t count; /* 0: free */
};

static struct fl_logs_seen *slot_of(const struct fl_logs_repeats *repeats,
				    uint64_t key)
{
	size_t at = key & (repeats->size - 1);

	while (repeats->slots[at].count && repeats->slots[at].key != key)
		at = (at + 1) & (repeats->size - 1);
	return &repeats->slots[at];
}

static bool is_old(const struct fl_logs_repeats *repeats,
		   const struct fl_logs_seen *seen)
{
	return (uint32_t)(repeats->lines - seen->line) > FL_LOGS_REPEATS;
}

/* Leave out what no line can repeat any more, and have room for as many lines
 * as are left: then the next time is far away. */
static void forget(struct fl_logs_repeats *repeats)
{
	struct fl_logs_repeats old = *repeats;

	repeats->used = 0;
	for (size_t i = 0; i < old.size; i++)
		repeats->used +=
			old.slots[i].count && !is_old(repeats, &old.slots[i]);
	repeats->size = SIZE_MIN;
	while (repeats->size < 4 * repeats->used)
		repeats->size *= 2;
	repeats->slots = fl_zalloc(repeats->size * sizeof(*repeats->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].count && !is_old(repeats, &old.slots[i]))
			*slot_of(repeats, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

uint32_t fl_logs_repeats_add(struct fl_logs_repeats *repeats, uint64_t key)
{
	struct fl_logs_seen *seen;

	repeats->lines++;
	if (2 * repeats->used >= repeats->size)
		forget(repeats);
	seen = slot_of(repeats, key);
	if (!seen->count)
		repeats->used++;
	else if (is_old(repeats, seen))
		seen->count = 0;
	seen->key = key;
	seen->line = repeats->lines;
	return ++seen->count;
}

void fl_logs_repeats_release(struct fl_logs_repeats *repeats)
{
	free(repeats->slots);
	*repeats = (struct fl_logs_repeats){ 0 };
}
