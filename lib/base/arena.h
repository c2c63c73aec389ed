/* arena: many small allocations, one release.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_ARENA_H
#define FL_BASE_ARENA_H

#include <stddef.h>

struct fl_arena {
	struct fl_arena_chunk *chunk;
	size_t used; /* bytes of the newest chunk handed out */
};

#define FL_ARENA_INIT                                                          \
	{                                                                      \
		0                                                              \
	}

/* Aligned for any type; valid until reset or release. */
void *fl_arena_alloc(struct fl_arena *arena, size_t size)
	__attribute__((returns_nonnull));
char *fl_arena_strndup(struct fl_arena *arena, const char *text, size_t len);
/* Keeps the largest chunk, so a steady load stops allocating. */
void fl_arena_reset(struct fl_arena *arena);
void fl_arena_release(struct fl_arena *arena);

#endif
