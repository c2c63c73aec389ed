/* mem: allocation that never fails for its caller.
 *
 * Out of memory prints a message and ends with status 3: a size taken from
 * input has met a ceiling before it gets here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_MEM_H
#define FL_BASE_MEM_H

#include <stddef.h>

void *fl_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *fl_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* `count * size` is checked for overflow. */
void *fl_realloc(void *old, size_t count, size_t size)
	__attribute__((returns_nonnull));
char *fl_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *fl_strndup(const char *text, size_t len)
	__attribute__((malloc, returns_nonnull));
char *fl_sprintf(const char *format, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* What the above do when they fail; for libraries that ask what to do. */
_Noreturn void fl_out_of_memory(void);

/* The impossible has happened: say where, then abort. */
_Noreturn void fl_bug(const char *file, int line, const char *what);
#define FL_BUG(what) fl_bug(__FILE__, __LINE__, (what))

#endif
