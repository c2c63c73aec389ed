/* origin: files are known again by how they begin.
 *
 * An origin is file:PATH#LENGTH-HASH: the absolute path, and XXH3-64 of the
 * first LENGTH bytes, 4096 at most, as they were when it was first seen. What
 * those bytes are, as they lie there or decoded, is the source's to say.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_ORIGIN_H
#define FL_SOURCE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	FL_ORIGIN_HEAD = 4096,
};

/* How a file begins. */
struct fl_origin_head {
	char bytes[FL_ORIGIN_HEAD];
	size_t len;
};

/* The origin of such a file; free() it. */
char *fl_origin_make(const char *path, const struct fl_origin_head *head);
/* Does the origin name this path? Then the place of its #, else NULL. */
const char *fl_origin_mark(const char *origin, const char *path);
/* Are these the first bytes that #LENGTH-HASH tells of?
 * len  out: LENGTH */
bool fl_origin_same(const struct fl_origin_head *head, const char *mark,
		    size_t *len);

#endif
