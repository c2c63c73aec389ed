/* mem: see mem.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No allocation here: there is no memory for it. Exit without the atexit
 * handlers: what was written is written, the rest must not look complete. */
void fl_out_of_memory(void)
{
	static const char text[] = "financelake: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(3);
}

void *fl_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		fl_out_of_memory();
	return p;
}

void *fl_zalloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		fl_out_of_memory();
	return p;
}

void *fl_realloc(void *old, size_t count, size_t size)
{
	size_t bytes = count * size;
	void *p;

	if (size && count > SIZE_MAX / size)
		fl_out_of_memory();
	p = realloc(old, bytes ? bytes : 1);
	if (!p)
		fl_out_of_memory();
	return p;
}

char *fl_strdup(const char *text)
{
	return fl_strndup(text, strlen(text));
}

char *fl_strndup(const char *text, size_t len)
{
	char *copy = fl_alloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *fl_sprintf(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		fl_out_of_memory();
	va_end(args);
	return text;
}

void fl_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "financelake: bug at %s:%d: %s\n", file, line, what);
	abort();
}
