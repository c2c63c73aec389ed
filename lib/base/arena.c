/* arena: a list of chunks, the newest first; see arena.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct fl_arena_chunk {
	struct fl_arena_chunk *older;
	size_t size;
	alignas(max_align_t) char bytes[];
};

enum {
	FIRST_CHUNK = 4096
};

void *fl_arena_alloc(struct fl_arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t need = (size + align - 1) & ~(align - 1);
	void *p;

	if (!arena->chunk || arena->chunk->size - arena->used < need) {
		size_t cap = arena->chunk ? arena->chunk->size * 2
					  : (size_t)FIRST_CHUNK;
		struct fl_arena_chunk *chunk;

		if (cap < need)
			cap = need;
		chunk = fl_alloc(sizeof(*chunk) + cap);
		chunk->older = arena->chunk;
		chunk->size = cap;
		arena->chunk = chunk;
		arena->used = 0;
	}
	p = arena->chunk->bytes + arena->used;
	arena->used += need;
	return p;
}

char *fl_arena_strndup(struct fl_arena *arena, const char *text, size_t len)
{
	char *copy = fl_arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

static void free_older(struct fl_arena_chunk *chunk)
{
	while (chunk) {
		struct fl_arena_chunk *older = chunk->older;

		free(chunk);
		chunk = older;
	}
}

void fl_arena_reset(struct fl_arena *arena)
{
	arena->used = 0;
	if (!arena->chunk)
		return;
	free_older(arena->chunk->older);
	arena->chunk->older = NULL;
}

void fl_arena_release(struct fl_arena *arena)
{
	free_older(arena->chunk);
	arena->chunk = NULL;
	arena->used = 0;
}
