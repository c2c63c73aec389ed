/* buf: see buf.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void fl_buf_release(struct fl_buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
	buf->over = false;
}

void fl_buf_reset(struct fl_buf *buf)
{
	buf->len = 0;
	buf->over = false;
	if (buf->data)
		buf->data[0] = '\0';
}

bool fl_buf_reserve(struct fl_buf *buf, size_t more)
{
	size_t need = buf->len + more + 1;
	size_t cap = buf->cap ? buf->cap : 64;

	if (buf->max && buf->len + more > buf->max) {
		buf->over = true;
		return false;
	}
	if (need <= buf->cap)
		return true;
	while (cap < need)
		cap += cap / 2 + 64;
	buf->data = fl_realloc(buf->data, cap, 1);
	buf->cap = cap;
	return true;
}

void fl_buf_append_slow(struct fl_buf *buf, const void *bytes, size_t len)
{
	if (!fl_buf_reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void fl_buf_puts(struct fl_buf *buf, const char *text)
{
	fl_buf_append(buf, text, strlen(text));
}

void fl_buf_printf(struct fl_buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || !fl_buf_reserve(buf, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void fl_buf_u64(struct fl_buf *buf, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	fl_buf_append(buf, digits + at, sizeof(digits) - at);
}

void fl_buf_json_string(struct fl_buf *buf, const char *text, size_t len)
{
	size_t from = 0;

	fl_buf_putc(buf, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
		const char *at = shorts;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		fl_buf_append(buf, text + from, i - from);
		from = i + 1;
		while (*at && (unsigned char)*at != c)
			at += 2;
		if (*at)
			fl_buf_printf(buf, "\\%c", at[1]);
		else
			fl_buf_printf(buf, "\\u%04x", c);
	}
	fl_buf_append(buf, text + from, len - from);
	fl_buf_putc(buf, '"');
}

char *fl_buf_take(struct fl_buf *buf)
{
	char *data = buf->data ? buf->data : fl_strdup("");

	buf->data = NULL;
	buf->len = buf->cap = 0;
	buf->over = false;
	return data;
}

const char *fl_buf_text(const struct fl_buf *buf)
{
	return buf->data ? buf->data : "";
}
