/* utf8: see utf8.h.
 *
 * Nearly all text is ASCII and passes eight bytes at a time; the rest is
 * checked against the table of well-formed sequences, one sequence a step.
 *
 * source  Unicode 14.0, table 3-7
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8-tables.h"

/* Well-formed sequences by their first byte: the length, and where the second
 * byte must lie. Later bytes lie in 80 to BF. */
static const struct lead {
	unsigned char first, last, length, least, most;
} leads[] = {
	{ 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

unsigned fl_utf8_length(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	const struct lead *lead = leads;

	if (!len)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	while (p[0] > lead->last)
		lead++;
	if (len < lead->length || p[1] < lead->least || p[1] > lead->most)
		return 0;
	for (unsigned i = 2; i < lead->length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return lead->length;
}

bool fl_utf8_valid(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		uint64_t word;
		unsigned length;

		if (end - text >= 8) {
			memcpy(&word, text, sizeof(word));
			if (!(word & UINT64_C(0x8080808080808080))) {
				text += 8;
				continue;
			}
		}
		length = fl_utf8_length(text, (size_t)(end - text));
		if (!length)
			return false;
		text += length;
	}
	return true;
}

/* The code point of a valid sequence. */
static uint32_t decode(const char *text, unsigned length)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t point = p[0];

	if (length > 1)
		point &= 0x7fU >> length;
	for (unsigned i = 1; i < length; i++)
		point = point << 6 | (p[i] & 0x3f);
	return point;
}

static bool contains(const struct range *ranges, size_t count, uint32_t point)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (point > ranges[middle].last)
			low = middle + 1;
		else if (point < ranges[middle].first)
			count = middle;
		else
			return true;
	}
	return false;
}

static size_t columns_of(uint32_t point)
{
	if (point < no_column[0].first)
		return point >= 0x20 && (point < 0x7f || point >= 0xa0);
	if (contains(no_column, sizeof(no_column) / sizeof(no_column[0]),
		     point))
		return 0;
	return contains(two_columns,
			sizeof(two_columns) / sizeof(two_columns[0]), point)
		       ? 2
		       : 1;
}

size_t fl_utf8_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len;) {
		unsigned length = fl_utf8_length(text + i, len - i);

		/* A byte that is no text will show as one sign. */
		columns += length ? columns_of(decode(text + i, length)) : 1;
		i += length ? length : 1;
	}
	return columns;
}
