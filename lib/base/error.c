/* error: setting, wrapping and quoting; see error.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int fl_error_set(struct fl_error *err, enum fl_code code, const char *format,
		 ...)
{
	va_list args;

	if (err->code != FL_OK)
		return -1;
	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int fl_error_wrap(struct fl_error *err, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	size_t len;

	if (err->code == FL_OK)
		return -1;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", err->text);
	memcpy(err->text, text, sizeof(text));
	return -1;
}

void fl_error_clear(struct fl_error *err)
{
	err->code = FL_OK;
	err->text[0] = '\0';
}

const char *fl_show(const char *bytes, unsigned long len, unsigned most)
{
	enum {
		RING = 8,
		ROOM = 512
	};
	static _Thread_local char ring[RING][ROOM];
	static _Thread_local unsigned turn;
	char *text = ring[turn++ % RING];
	size_t used = 0, i = 0;

	while (i < len && i < most && used < ROOM - 16) {
		unsigned n = fl_utf8_length(bytes + i, len - i);
		unsigned char c = (unsigned char)bytes[i];

		/* C1 controls, too, drive terminals: U+0080 to U+009F. */
		if (n == 0 || c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0)) {
			used += (size_t)snprintf(text + used, ROOM - used,
						 "\\x%02x", c);
			i++;
			continue;
		}
		memcpy(text + used, bytes + i, n);
		used += n;
		i += n;
	}
	if (i < len) {
		memcpy(text + used, "…", 3);
		used += 3;
	}
	text[used] = '\0';
	return text;
}
