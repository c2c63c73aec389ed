/* base64: see base64.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

void fl_base64_put(struct fl_buf *out, const void *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = (unsigned)at[i] << 16;

		if (i + 1 < len)
			v |= (unsigned)at[i + 1] << 8;
		if (i + 2 < len)
			v |= at[i + 2];
		fl_buf_putc(out, digits[v >> 18]);
		fl_buf_putc(out, digits[v >> 12 & 63]);
		fl_buf_putc(out, i + 1 < len ? digits[v >> 6 & 63] : '=');
		fl_buf_putc(out, i + 2 < len ? digits[v & 63] : '=');
	}
}

/* 0 to 63; 64: no digit. */
static unsigned value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool fl_base64_read(const char *text, size_t len, struct fl_buf *out)
{
	unsigned bits = 0, count = 0;
	size_t digits = len;

	while (digits && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	/* A lone digit holds no byte; padding fills up to four. */
	if (digits % 4 == 1 || (digits < len && len % 4))
		return false;
	for (size_t i = 0; i < digits; i++) {
		unsigned value = value_of(text[i]);

		if (value == 64)
			return false;
		bits = bits << 6 | value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			fl_buf_putc(out, (char)(bits >> count));
			bits &= (1U << count) - 1;
		}
	}
	return !bits;
}
