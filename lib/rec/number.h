/* number: what the text of a JSON number tells without reading its value.
 *
 * Most checks need only the sign, and content is compared by canonical text,
 * which most numbers already have: so the usual number is looked at once and
 * never converted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_NUMBER_H
#define FL_REC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"
#include "io/json.h"

struct fl_look {
	bool negative;
	bool zero;
	bool plain; /* canonical already: at most 18 digits, no exponent, no
		     * trailing zeros behind a point, no -0 */
	bool whole; /* plain, and without a point */
};

static inline struct fl_look fl_number_look(const char *text, uint32_t len)
{
	struct fl_look look = { .zero = true, .plain = len <= 18 };
	bool point = false;

	for (uint32_t i = 0; i < len; i++) {
		char c = text[i];

		if (c >= '1' && c <= '9') {
			look.zero = false;
		} else if (c == '-' && i == 0) {
			look.negative = true;
		} else if (c == '.') {
			point = true;
		} else if (c != '0') { /* e, E: look closer */
			look.plain = false;
			break;
		}
	}
	if (point && text[len - 1] == '0')
		look.plain = false;
	if (look.negative && look.zero)
		look.plain = false;
	look.whole = look.plain && !point;
	return look;
}

/* Append the number in canonical text; text that is out of range for a decimal
 * (unknown fields may hold any number) is appended as it is. */
void fl_number_print(const char *text, size_t len, struct fl_buf *out);

#endif
