/* logs_repeats: see repeats.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/repeats.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
	SLOTS = 4 * FL_LOGS_REPEATS,
};

struct fl_logs_seen {
	uint64_t key;
	uint32_t line;  /* where it stood last; counts on from 2^32 to 0 */
	uint32_t count; /* 0: free */
};

static struct fl_logs_seen *slot_of(struct fl_logs_seen *slots, uint64_t key)
{
	size_t at = key % SLOTS;

	while (slots[at].count && slots[at].key != key)
		at = (at + 1) % SLOTS;
	return &slots[at];
}

static int is_old(const struct fl_logs_repeats *repeats,
		  const struct fl_logs_seen *seen)
{
	return (uint32_t)(repeats->lines - seen->line) > FL_LOGS_REPEATS;
}

/* Leave out what no line can repeat any more. */
static void forget(struct fl_logs_repeats *repeats)
{
	struct fl_logs_seen *old = repeats->slots;

	repeats->slots = fl_zalloc(SLOTS * sizeof(*repeats->slots));
	for (size_t i = 0; old && i < SLOTS; i++)
		if (old[i].count && !is_old(repeats, &old[i]))
			*slot_of(repeats->slots, old[i].key) = old[i];
	free(old);
	repeats->kept = repeats->lines;
}

uint32_t fl_logs_repeats_add(struct fl_logs_repeats *repeats, uint64_t key)
{
	struct fl_logs_seen *seen;

	repeats->lines++;
	if (!repeats->slots ||
	    repeats->lines - repeats->kept >= FL_LOGS_REPEATS)
		forget(repeats);
	seen = slot_of(repeats->slots, key);
	if (is_old(repeats, seen))
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
