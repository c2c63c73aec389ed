/* utf8: is this valid UTF-8?
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_UTF8_H
#define FL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 3629: no overlong forms, no surrogates, at most U+10FFFF. */
bool fl_utf8_valid(const char *text, size_t len);
/* Bytes of the valid sequence at text (1 to 4), 0 when it is none. */
unsigned fl_utf8_length(const char *text, size_t len);
/* Columns a terminal gives it (East Asian wide = 2, combining = 0). */
size_t fl_utf8_columns(const char *text, size_t len);

#endif
