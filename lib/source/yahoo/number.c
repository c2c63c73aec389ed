/* number: see number.h.
 *
 * A chart of ten years holds ten thousand such numbers, so neither strtod() nor
 * a general shortest-float algorithm is asked: the text has the digits already,
 * rounding it to 6, 7, 8 or 9 of them gives the candidates, and the first that
 * reads as the same float is the shortest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/number.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SAFE_DIGITS = 6,  /* a decimal of so many survives float as it is */
	FLOAT_DIGITS = 9, /* that many tell all floats apart */
	MOST_DIGITS = 18,
	EXACT_POWER = 22, /* 10^22 is the last power that a double holds */
	MOST_SCALE = 27,  /* and 10^27 that 64 bits do */
};

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* digits × 10^-scale, as written. */
struct written {
	uint64_t mant;
	int digits; /* significant ones */
	int scale;
	bool negative;
};

/* The exponent behind `e`; false: there is none that is good. */
static bool read_exponent(const char *text, const char *end, int *exponent)
{
	bool negative = text < end && *text == '-';

	text += negative || (text < end && *text == '+');
	if (text == end || end - text > 3)
		return false;
	for (*exponent = 0; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*exponent = 10 * *exponent + (*text - '0');
	}
	if (negative)
		*exponent = -*exponent;
	return true;
}

/* A number of at most MOST_DIGITS; false for what is longer, very large or very
 * small, or no number. */
static bool read_usual(const char *text, size_t len, struct written *w)
{
	const char *end = text + len;
	bool point = false;
	int exponent = 0;

	*w = (struct written){ .negative = *text == '-' };
	text += w->negative;
	if (text == end || *text < '0' || *text > '9' ||
	    (*text == '0' && end - text > 1 && text[1] >= '0' &&
	     text[1] <= '9'))
		return false;
	for (; text < end; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit <= 9) {
			w->mant = 10 * w->mant + digit;
			w->digits += w->mant != 0;
			w->scale += point;
			if (w->digits > MOST_DIGITS)
				return false;
		} else if (*text == '.' && !point) {
			point = true;
		} else if (*text == 'e' || *text == 'E') {
			if (!read_exponent(text + 1, end, &exponent))
				return false;
			break;
		} else {
			return false;
		}
	}
	w->scale -= exponent;
	return w->scale <= MOST_SCALE && w->scale >= -EXACT_POWER;
}

/* mant × 10^-scale, to 64 bits. */
static long double value_of(const struct written *w)
{
	int scale = w->scale;
	long double wide = (long double)w->mant;

	if (scale < 0)
		return wide * powers[-scale];
	if (scale <= EXACT_POWER)
		return wide / powers[scale];
	return wide /
	       ((long double)powers[EXACT_POWER] * powers[scale - EXACT_POWER]);
}

/* Does cand × 10^-scale, of at most nine digits, read as the float? */
static bool reads_as(uint64_t cand, int scale, float wanted)
{
	double value = scale >= 0 ? (double)cand / powers[scale]
				  : (double)cand * powers[-scale];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	/* Right between two floats, or so near that only the text can tell. */
	if ((bits & 0x1fffffff) == 0x10000000) {
		char text[48];

		snprintf(text, sizeof(text), "%llue%d",
			 (unsigned long long)cand, -scale);
		return strtof(text, NULL) == wanted;
	}
	return (float)value == wanted;
}

/* The shortest decimal of the float, near to what is written. */
static bool shortest(const struct written *w, float wanted,
		     struct fl_decimal *out)
{
	for (int keep = SAFE_DIGITS; keep <= FLOAT_DIGITS; keep++) {
		int drop = w->digits - keep;
		uint64_t power = 1, cand, rest;
		int scale = w->scale - drop;

		if (drop <= 0)
			return false;
		for (int i = 0; i < drop; i++)
			power *= 10;
		cand = w->mant / power;
		rest = w->mant % power;
		cand += rest > power / 2 || (rest == power / 2 && (cand & 1));
		if (scale > EXACT_POWER || scale < -EXACT_POWER ||
		    !reads_as(cand, scale, wanted))
			continue;
		while (cand % 10 == 0) {
			cand /= 10;
			scale--;
		}
		if (scale > 18 || scale < -18)
			return false;
		out->mant = w->negative ? -(int64_t)cand : (int64_t)cand;
		out->scale = (int8_t)scale;
		return true;
	}
	return false;
}

bool fl_yahoo_number(const char *text, size_t len, struct fl_decimal *out,
		     bool *rounded)
{
	enum fl_decimal_read read;
	struct written w;

	if (len && read_usual(text, len, &w) && w.digits > SAFE_DIGITS) {
		/* 64 bits hold what is written, or all but; what rounding
		 * twice might change is no float anyway. */
		double value = (double)value_of(&w);
		float narrow = (float)value;

		if ((double)narrow == value && shortest(&w, narrow, out))
			return true;
	}
	read = fl_decimal_parse(text, len, out);
	if (read < 0)
		return false;
	*rounded |= read == FL_DECIMAL_ROUNDED;
	return true;
}
