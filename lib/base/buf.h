/* buf: a growing byte buffer with a ceiling.
 *
 * Appending past `max` drops the append and sets `over`, which stays set:
 * build first, look once. A NUL always follows the bytes (outside `len`).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_BUF_H
#define FL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/short.h"

struct fl_buf {
	char *data; /* NULL while nothing was appended */
	size_t len;
	size_t cap;
	size_t max; /* ceiling in bytes; 0: none */
	bool over;
};

#define FL_BUF_INIT                                                            \
	{                                                                      \
		0                                                              \
	}

void fl_buf_release(struct fl_buf *buf);
void fl_buf_reset(struct fl_buf *buf);
/* Make room for `more` bytes; false when that passes the ceiling. */
bool fl_buf_reserve(struct fl_buf *buf, size_t more);
/* fl_buf_append where there is no room, or too much to copy in place. */
void fl_buf_append_slow(struct fl_buf *buf, const void *bytes, size_t len);

/* What is appended is mostly a few bytes, into a buffer that has grown. */
static inline void fl_buf_append(struct fl_buf *buf, const void *bytes,
				 size_t len)
{
	if (len > 32 || buf->cap - buf->len <= len || buf->max) {
		fl_buf_append_slow(buf, bytes, len);
		return;
	}
	fl_short_copy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

static inline void fl_buf_putc(struct fl_buf *buf, char c)
{
	fl_buf_append(buf, &c, 1);
}

void fl_buf_puts(struct fl_buf *buf, const char *text);
void fl_buf_printf(struct fl_buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void fl_buf_u64(struct fl_buf *buf, uint64_t value);
/* Append `text` as a JSON string with its quotes: only what must be escaped
 * is (", \, U+0000 to U+001F; \b \f \n \r \t in short form). */
void fl_buf_json_string(struct fl_buf *buf, const char *text, size_t len);
/* Give the bytes away (free() them); the buffer is empty after. Never NULL. */
char *fl_buf_take(struct fl_buf *buf);
/* The bytes as a string, "" when empty. */
const char *fl_buf_text(const struct fl_buf *buf);

#endif
