/* utf8: all code points, all pairs of bytes, and the width of what people
 * write.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdint.h>

#include "tap.h"

static unsigned encode(uint32_t point, char *text)
{
	unsigned char *p = (unsigned char *)text;

	if (point < 0x80) {
		p[0] = (unsigned char)point;
		return 1;
	}
	if (point < 0x800) {
		p[0] = (unsigned char)(0xc0 | point >> 6);
		p[1] = (unsigned char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		p[0] = (unsigned char)(0xe0 | point >> 12);
		p[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
		p[2] = (unsigned char)(0x80 | (point & 0x3f));
		return 3;
	}
	p[0] = (unsigned char)(0xf0 | point >> 18);
	p[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
	p[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
	p[3] = (unsigned char)(0x80 | (point & 0x3f));
	return 4;
}

/* Exactly the encodings of code points are valid: all 2^32 words of four bytes
 * would take minutes, so the first two bytes are run through, with a few that
 * matter behind them. */
static void check_all(void)
{
	static const unsigned char tails[] = { 0x00, 0x41, 0x7f, 0x80,
					       0xbf, 0xc0, 0xff };
	int points = 0, wrong = 0;
	char text[8];

	for (uint32_t point = 0; point < 0x200000; point++) {
		unsigned len = encode(point, text);
		bool good =
			point < 0x110000 && (point < 0xd800 || point > 0xdfff);

		points += good;
		if (fl_utf8_length(text, len) != (good ? len : 0) ||
		    fl_utf8_valid(text, len) != good)
			wrong++;
		for (unsigned cut = 0; cut < len; cut++)
			wrong += fl_utf8_length(text, cut) != 0;
	}
	is_int(points, 0x110000 - 0x800, "the number of code points");
	is_int(wrong, 0, "code points, all of them, whole and cut");

	wrong = 0;
	for (int i = 0; i < 65536 * 49; i++) {
		unsigned len;
		uint32_t point;
		char again[4];

		text[0] = (char)(i & 0xff);
		text[1] = (char)(i >> 8 & 0xff);
		text[2] = (char)tails[(i >> 16) % 7];
		text[3] = (char)tails[(i >> 16) / 7];
		len = fl_utf8_length(text, 4);
		if (len < 2)
			continue;
		/* What is valid must be what encoding gives. */
		point = (uint32_t)text[0] & (0x7fU >> len);
		for (unsigned k = 1; k < len; k++)
			point = point << 6 | ((uint32_t)text[k] & 0x3f);
		if (encode(point, again) != len ||
		    memcmp(again, text, len) != 0)
			wrong++;
	}
	is_int(wrong, 0, "nothing else is valid");
}

/* A bad byte at every place of a text, which is read in steps of eight. */
static void check_places(void)
{
	int wrong = 0;

	for (size_t len = 0; len < 40; len++) {
		char *text = malloc(len ? len : 1);

		memset(text, 'a', len);
		wrong += !fl_utf8_valid(text, len);
		for (size_t at = 0; at < len; at++) {
			text[at] = (char)0xff;
			wrong += fl_utf8_valid(text, len);
			text[at] = (char)0xc3; /* wants one more */
			wrong += fl_utf8_valid(text, len);
			if (at + 1 < len) {
				text[at + 1] = (char)0xa9;
				wrong += !fl_utf8_valid(text, len);
				text[at + 1] = 'a';
			}
			text[at] = 'a';
		}
		free(text);
	}
	is_int(wrong, 0, "at every place of texts up to 40 bytes");
}

static void columns(const char *text, int want, const char *what)
{
	is_int(fl_utf8_columns(text, strlen(text)), want, "columns of %s",
	       what);
}

int main(void)
{
	check_all();
	check_places();
	columns("", 0, "nothing");
	columns("AAPL", 4, "ASCII");
	columns("Zürich", 6, "an umlaut");
	columns("Zu\xcc\x88rich", 6, "a combining mark");
	columns("東京", 4, "Han");
	columns("ﾄﾖﾀ", 3, "half-width Katakana");
	columns("ＡＢ", 4, "full-width Latin");
	columns("삼성", 4, "Hangul");
	columns("\xe1\x84\x89\xe1\x85\xa1\xe1\x86\xb7", 2, "Hangul by letters");
	columns("€10", 3, "a currency sign");
	columns("📈", 2, "an emoji");
	columns("a\xe2\x80\x8b\xef\xbb\xbf"
		"b",
		2, "zero-width signs");
	columns("ไทย ที่", 5, "Thai with marks");
	columns("\t\x7f\xc2\x85", 0, "control characters");
	columns("\xf0\xa0\x80\x80", 2, "Han of plane 2");
	columns("a\xff"
		"b",
		3, "a byte that is no text");
	columns("\xc2\xad", 1, "a soft hyphen");
	return done_testing();
}
