/* dedup: a ring of entries in order of arrival under a chained hash index.
 *
 * The ring's oldest entry leaves when its series has moved on by more than the
 * horizon, or when the ring can grow no more. It starts small and doubles, so
 * that the usual stream works in the processor's cache.
 *
 * Chains run from newer to older and hold arrival numbers, not places: one that
 * is no longer in the ring ends its chain, so nothing has to be unlinked when
 * an entry leaves. (That was a sixth of all time, in cache misses.)
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/dedup.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	FIRST_ENTRIES = 1024,
	FIRST_SERIES = 256,
	HEADS = 2, /* chains for each entry: most hold one or none */
};

#define NO_FLOOR (FL_TIME_NONE + 1) /* before any time that a record has */

struct entry {
	struct fl_hash128 content;
	int64_t ts;
	uint32_t series; /* index */
	uint32_t next;   /* entry number + 1 in the chain; 0 ends it */
};

struct series {
	uint64_t key;
	int64_t newest; /* FL_TIME_NONE: the slot is free */
	int64_t floor;  /* entries up to here were dropped for want of room */
};

struct fl_dedup {
	int64_t horizon, reached;
	struct entry *ring;
	uint32_t *heads; /* of the chains, HEADS for each entry of the ring */
	uint64_t oldest, count, cap, cap_max; /* cap: a power of two */
	struct series *series;                /* open addressing */
	uint64_t series_count, series_cap, series_max;
};

static uint64_t power_below(uint64_t value)
{
	uint64_t power = 1;

	while (power * 2 <= value)
		power *= 2;
	return power;
}

/* Heads of empty chains: the number before the oldest is never held. */
static uint32_t *new_heads(const struct fl_dedup *dedup, uint64_t cap)
{
	uint32_t *heads = fl_alloc(HEADS * cap * sizeof(*heads));

	for (uint64_t i = 0; i < HEADS * cap; i++)
		heads[i] = (uint32_t)dedup->oldest - 1;
	return heads;
}

struct fl_dedup *fl_dedup_new(int64_t horizon_ns, uint64_t memory)
{
	struct fl_dedup *dedup = fl_zalloc(sizeof(*dedup));
	const uint64_t each = sizeof(struct entry) + HEADS * sizeof(uint32_t);

	dedup->horizon = dedup->reached = horizon_ns;
	dedup->cap_max = power_below(memory / 4 * 3 / each);
	if (dedup->cap_max > UINT64_C(1) << 31)
		dedup->cap_max = UINT64_C(1) << 31;
	dedup->series_max = power_below(memory / 4 / sizeof(struct series));
	if (dedup->cap_max < FIRST_ENTRIES)
		dedup->cap_max = FIRST_ENTRIES;
	if (dedup->series_max < FIRST_SERIES)
		dedup->series_max = FIRST_SERIES;
	dedup->cap = FIRST_ENTRIES;
	dedup->ring = fl_zalloc(dedup->cap * sizeof(*dedup->ring));
	dedup->heads = new_heads(dedup, dedup->cap);
	dedup->series_cap = FIRST_SERIES;
	dedup->series = fl_alloc(dedup->series_cap * sizeof(*dedup->series));
	for (uint64_t i = 0; i < dedup->series_cap; i++)
		dedup->series[i].newest = FL_TIME_NONE;
	return dedup;
}

void fl_dedup_free(struct fl_dedup *dedup)
{
	if (!dedup)
		return;
	free(dedup->ring);
	free(dedup->heads);
	free(dedup->series);
	free(dedup);
}

static struct entry *entry_of(const struct fl_dedup *dedup, uint32_t number)
{
	return &dedup->ring[number & (dedup->cap - 1)];
}

/* Is that arrival still in the ring? Numbers come round after 2^32; one from
 * before that finds some entry, whose content then differs. */
static bool is_held(const struct fl_dedup *dedup, uint32_t number)
{
	return (uint32_t)(number - (uint32_t)dedup->oldest) < dedup->count;
}

static void link_entry(struct fl_dedup *dedup, uint32_t number)
{
	struct entry *entry = entry_of(dedup, number);
	uint32_t *head =
		&dedup->heads[entry->content.lo & (HEADS * dedup->cap - 1)];

	entry->next = *head;
	*head = number;
}

static void leave_oldest(struct fl_dedup *dedup)
{
	dedup->oldest++;
	dedup->count--;
}

static void grow_ring(struct fl_dedup *dedup)
{
	uint64_t cap = dedup->cap * 2, mask = dedup->cap - 1;
	struct entry *ring = fl_zalloc(cap * sizeof(*ring));

	for (uint64_t i = 0; i < dedup->count; i++) {
		uint64_t number = dedup->oldest + i;

		ring[number & (cap - 1)] = dedup->ring[number & mask];
	}
	free(dedup->ring);
	free(dedup->heads);
	dedup->ring = ring;
	dedup->cap = cap;
	dedup->heads = new_heads(dedup, cap);
	for (uint64_t i = 0; i < dedup->count; i++)
		link_entry(dedup, (uint32_t)(dedup->oldest + i));
}

static struct series *find_slot(struct series *table, uint64_t cap,
				uint64_t key)
{
	uint64_t at = key & (cap - 1);

	while (table[at].newest != FL_TIME_NONE && table[at].key != key)
		at = (at + 1) & (cap - 1);
	return &table[at];
}

/* Entries name their series by index, so a larger table renames them. */
static void grow_series(struct fl_dedup *dedup)
{
	uint64_t cap = dedup->series_cap * 2;
	struct series *table = fl_alloc(cap * sizeof(*table));
	uint32_t *moved = fl_alloc(dedup->series_cap * sizeof(*moved));

	for (uint64_t i = 0; i < cap; i++)
		table[i].newest = FL_TIME_NONE;
	for (uint64_t i = 0; i < dedup->series_cap; i++) {
		struct series *slot;

		if (dedup->series[i].newest == FL_TIME_NONE)
			continue;
		slot = find_slot(table, cap, dedup->series[i].key);
		*slot = dedup->series[i];
		moved[i] = (uint32_t)(slot - table);
	}
	for (uint64_t i = 0; i < dedup->count; i++) {
		struct entry *entry =
			&dedup->ring[(dedup->oldest + i) & (dedup->cap - 1)];

		entry->series = moved[entry->series];
	}
	free(moved);
	free(dedup->series);
	dedup->series = table;
	dedup->series_cap = cap;
}

/* The series' slot, made when it is new; NULL when there is no room. */
static struct series *find_series(struct fl_dedup *dedup, uint64_t key)
{
	struct series *slot = find_slot(dedup->series, dedup->series_cap, key);

	if (slot->newest != FL_TIME_NONE)
		return slot;
	if (dedup->series_count * 4 >= dedup->series_cap * 3) {
		if (dedup->series_cap * 2 > dedup->series_max)
			return NULL;
		grow_series(dedup);
		slot = find_slot(dedup->series, dedup->series_cap, key);
	}
	dedup->series_count++;
	slot->key = key;
	slot->newest = slot->floor = NO_FLOOR;
	return slot;
}

/* Is the time more than the horizon before the series' newest? */
static bool is_old(const struct fl_dedup *dedup, const struct series *series,
		   int64_t ts)
{
	return ts < series->newest && (uint64_t)series->newest - (uint64_t)ts >
					      (uint64_t)dedup->horizon;
}

static void make_room(struct fl_dedup *dedup)
{
	/* Two looks per record keep up with one insertion each. */
	for (int i = 0; i < 2 && dedup->count; i++) {
		const struct entry *entry =
			entry_of(dedup, (uint32_t)dedup->oldest);

		if (!is_old(dedup, &dedup->series[entry->series], entry->ts))
			break;
		leave_oldest(dedup);
	}
	if (dedup->count < dedup->cap)
		return;
	if (dedup->cap < dedup->cap_max) {
		grow_ring(dedup);
	} else {
		const struct entry *entry =
			entry_of(dedup, (uint32_t)dedup->oldest);
		struct series *series = &dedup->series[entry->series];

		if (entry->ts > series->floor)
			series->floor = entry->ts;
		leave_oldest(dedup);
	}
}

/* How far back memory still holds the series whole. */
static void note_reach(struct fl_dedup *dedup, const struct series *series)
{
	uint64_t held = (uint64_t)series->newest - (uint64_t)series->floor;

	if (held < (uint64_t)dedup->reached)
		dedup->reached = (int64_t)held;
}

enum fl_seen fl_dedup_see(struct fl_dedup *dedup, uint64_t key,
			  struct fl_hash128 content, int64_t ts_ns)
{
	struct series *series = find_series(dedup, key);
	struct entry *entry;
	uint32_t number;
	bool unchecked, again;

	if (!series) {
		dedup->reached = 0;
		return FL_SEEN_UNCHECKED;
	}
	if (is_old(dedup, series, ts_ns))
		return FL_SEEN_UNCHECKED;
	for (uint32_t at = dedup->heads[content.lo & (HEADS * dedup->cap - 1)];
	     is_held(dedup, at); at = entry->next) {
		entry = entry_of(dedup, at);
		if (entry->content.lo != content.lo ||
		    entry->content.hi != content.hi)
			continue;
		/* One that should have left, but stands behind others: a number
		 * that begins anew each day is no repeat. */
		again = ts_ns > entry->ts &&
			(uint64_t)ts_ns - (uint64_t)entry->ts >
				(uint64_t)dedup->horizon;
		/* Every occurrence counts: the look-back runs from the last. */
		if (ts_ns > entry->ts)
			entry->ts = ts_ns;
		if (ts_ns > series->newest)
			series->newest = ts_ns;
		return again ? FL_SEEN_NEW : FL_SEEN_BEFORE;
	}
	unchecked = ts_ns <= series->floor;
	if (ts_ns > series->newest)
		series->newest = ts_ns;
	if (series->floor != NO_FLOOR)
		note_reach(dedup, series);
	make_room(dedup);
	number = (uint32_t)(dedup->oldest + dedup->count++);
	entry = entry_of(dedup, number);
	entry->content = content;
	entry->ts = ts_ns;
	entry->series = (uint32_t)(series - dedup->series);
	link_entry(dedup, number);
	return unchecked ? FL_SEEN_UNCHECKED : FL_SEEN_NEW;
}

void fl_dedup_far(const struct fl_dedup *dedup, struct fl_hash128 content)
{
	__builtin_prefetch(&dedup->heads[content.lo & (HEADS * dedup->cap - 1)],
			   1);
}

void fl_dedup_near(const struct fl_dedup *dedup, struct fl_hash128 content)
{
	uint32_t first = dedup->heads[content.lo & (HEADS * dedup->cap - 1)];

	__builtin_prefetch(entry_of(dedup, first));
}

int64_t fl_dedup_reached(const struct fl_dedup *dedup)
{
	return dedup->reached;
}
