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

#include "base/short.h"

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

static const uint64_t whole_powers[MOST_DIGITS + 1] = {
	UINT64_C(1),
	UINT64_C(10),
	UINT64_C(100),
	UINT64_C(1000),
	UINT64_C(10000),
	UINT64_C(100000),
	UINT64_C(1000000),
	UINT64_C(10000000),
	UINT64_C(100000000),
	UINT64_C(1000000000),
	UINT64_C(10000000000),
	UINT64_C(100000000000),
	UINT64_C(1000000000000),
	UINT64_C(10000000000000),
	UINT64_C(100000000000000),
	UINT64_C(1000000000000000),
	UINT64_C(10000000000000000),
	UINT64_C(100000000000000000),
	UINT64_C(1000000000000000000),
};

/* mant × 10^-scale, as written. */
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

/* Are these eight bytes digits, and which number are they, read from the first
 * on? Of bytes in the order of the address, as little-endian machines have. */
static inline bool eight_digits(uint64_t v, uint64_t *value)
{
	if (((v & UINT64_C(0xf0f0f0f0f0f0f0f0)) |
	     ((v + UINT64_C(0x0606060606060606)) &
	      UINT64_C(0xf0f0f0f0f0f0f0f0)) >>
		     4) != UINT64_C(0x3333333333333333))
		return false;
	v = (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
	v = (v & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
	*value = (v & UINT64_C(0x0000ffff0000ffff)) * 42949672960001 >> 32;
	return true;
}

/* All of text[len] as the digits behind a point, len from 9 to 16, which is
 * what most prices have: two words that overlap, so that no length is a branch
 * of its own. */
static inline bool read_fraction(const char *text, size_t len, uint64_t *value)
{
	uint64_t high = fl_load64(text), low = fl_load64(text + len - 8);
	unsigned gone = 8 * (16 - (unsigned)len); /* bits, 0 to 56 */

	high = high << gone |
	       (UINT64_C(0x3030303030303030) & ~(~UINT64_C(0) << gone));
	if (!eight_digits(high, &high) || !eight_digits(low, &low))
		return false;
	*value = high * 100000000 + low;
	return true;
}

/* Digits from `text` on, appended to the mantissa; returns what follows. */
static inline const char *read_digits(const char *text, const char *end,
				      uint64_t *mant)
{
	uint64_t value = *mant;

	for (; text < end; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9)
			break;
		value = 10 * value + digit;
	}
	*mant = value;
	return text;
}

/* A number of at most MOST_DIGITS; false for what is longer, very large or very
 * small, or no number. */
static inline __attribute__((always_inline)) bool
read_usual(const char *text, size_t len, struct written *w)
{
	const char *end = text + len, *start, *point;
	int exponent = 0;

	*w = (struct written){ .negative = *text == '-' };
	start = text + w->negative;
	text = point = read_digits(start, end, &w->mant);
	if (point == start || (*start == '0' && point - start > 1))
		return false;
	w->digits = *start == '0' ? 0 : (int)(point - start);
	if (text < end && *text == '.') {
		const char *first = ++text;

		uint64_t fraction;

		if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
		    end - text > 8 && end - text <= 16 &&
		    read_fraction(text, (size_t)(end - text), &fraction)) {
			w->mant = w->mant * whole_powers[end - text] + fraction;
			text = end;
		} else {
			text = read_digits(text, end, &w->mant);
		}
		if (text == first || text - start > 40)
			return false;
		w->scale = (int)(text - first);
		/* Zeros before the first digit that counts are none. */
		while (!w->digits && first < text && *first == '0')
			first++;
		w->digits += (int)(text - first);
	}
	if (text < end) {
		if ((*text != 'e' && *text != 'E') ||
		    !read_exponent(text + 1, end, &exponent))
			return false;
		w->scale -= exponent;
	}
	return w->digits <= MOST_DIGITS && w->scale <= MOST_SCALE &&
	       w->scale >= -EXACT_POWER;
}

/* As it is written; false: it needs rounding. */
static bool take_written(const struct written *w, struct fl_decimal *out)
{
	uint64_t mant = w->mant;
	int scale = mant ? w->scale : 0;

	while (mant && mant % 10 == 0) {
		mant /= 10;
		scale--;
	}
	if (scale > 18 || scale < -18)
		return false;
	out->mant = w->negative ? -(int64_t)mant : (int64_t)mant;
	out->scale = (int8_t)scale;
	return true;
}

/* mant × 10^-scale, to 64 bits. */
static long double value_of(const struct written *w)
{
	int scale = w->scale;
	long double wide = (long double)(int64_t)w->mant; /* 18 digits fit */

	if (scale < 0)
		return wide * powers[-scale];
	if (scale <= EXACT_POWER)
		return wide / powers[scale];
	return wide /
	       ((long double)powers[EXACT_POWER] * powers[scale - EXACT_POWER]);
}

/* The same by the text, which alone can tell where a double cannot. */
static __attribute__((noinline)) bool text_reads_as(uint64_t cand, int scale,
						    float wanted)
{
	char text[48];

	snprintf(text, sizeof(text), "%llue%d", (unsigned long long)cand,
		 -scale);
	return strtof(text, NULL) == wanted;
}

/* Does cand × 10^-scale, of at most nine digits, read as the float? */
static bool reads_as(uint64_t cand, int scale, float wanted)
{
	double value = scale >= 0 ? (double)(int64_t)cand / powers[scale]
				  : (double)(int64_t)cand * powers[-scale];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	/* Right between two floats, or so near that rounding twice matters? */
	return (bits & 0x1fffffff) == 0x10000000
		       ? text_reads_as(cand, scale, wanted)
		       : (float)value == wanted;
}

/* The shortest decimal of the float, near to what is written. */
static bool shortest(const struct written *w, float wanted,
		     struct fl_decimal *out)
{
	for (int keep = SAFE_DIGITS; keep <= FLOAT_DIGITS; keep++) {
		int drop = w->digits - keep;
		uint64_t power, rest;
		struct written cand = { .negative = w->negative };

		if (drop <= 0)
			return false;
		power = whole_powers[drop];
		cand.mant = w->mant / power;
		rest = w->mant % power;
		cand.mant += rest > power / 2 ||
			     (rest == power / 2 && (cand.mant & 1));
		cand.scale = w->scale - drop;
		if (cand.scale <= EXACT_POWER && cand.scale >= -EXACT_POWER &&
		    reads_as(cand.mant, cand.scale, wanted))
			return take_written(&cand, out);
	}
	return false;
}

/* --- the usual float, without a division --- */

enum {
	FLOAT_BITS = 24,
	MOST_SHIFT = 33, /* 10^9 × 2^33 fits 64 bits */
	MOST_PLACES = 11 /* and so does 2^24 × 10^11 */
};

/* A float from 2^-10 to below 2^24, as whole × 2^-shift. */
struct binary {
	uint64_t whole;
	int shift;
};

/* The float whose double is written; false: there is none, or this is not the
 * place to find it. */
static bool find_float(const struct written *w, struct binary *b)
{
	static const double inverse[MOST_DIGITS + 1] = {
		1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,
		1e-7,  1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13,
		1e-14, 1e-15, 1e-16, 1e-17, 1e-18,
	};
	uint64_t apart;
	uint32_t bits;
	float near;

	if (w->scale < 0 || w->scale > MOST_DIGITS)
		return false;
	/* A few units of the double off, of which the float has 2^29 between
	 * itself and the next. */
	near = (float)((double)(int64_t)w->mant * inverse[w->scale]);
	memcpy(&bits, &near, sizeof(bits));
	b->whole = (bits & 0x7fffff) | 0x800000;
	b->shift = 150 - (int)(bits >> 23);
	/* Below a power of two floats lie closer than above it. */
	if (b->whole == 0x800000 || b->shift < 0 || b->shift > MOST_SHIFT)
		return false;
	/* Nearer to the float than half of the double's last place? What lies
	 * between them is less than 10^scale, so nothing is lost when both are
	 * counted modulo 2^64. */
	apart = (uint64_t)llabs((int64_t)((w->mant << b->shift) -
					  b->whole * whole_powers[w->scale]));
	return apart <= (whole_powers[w->scale] - 1) >> (1 + 53 - FLOAT_BITS);
}

/* The shortest decimal that reads as the float; false: none of nine digits
 * does, or the fast way does not reach it. */
static bool shortest_of(const struct written *w, struct binary b,
			struct fl_decimal *out)
{
	uint64_t half = (UINT64_C(1) << b.shift) >> 1;

	for (int keep = SAFE_DIGITS; keep <= FLOAT_DIGITS; keep++) {
		int places = w->scale - w->digits + keep;
		struct written cand = { .negative = w->negative,
					.scale = places };
		uint64_t exact, apart;

		if (places < 0 || places > MOST_PLACES || w->digits <= keep)
			return false;
		exact = b.whole * whole_powers[places];
		/* Half a unit and not a whole one is rounded to even. */
		cand.mant = exact >> b.shift;
		if (half)
			cand.mant =
				(exact + half - !(cand.mant & 1)) >> b.shift;
		/* A call, lest it become a branch that nobody can foresee. */
		apart = (uint64_t)llabs(
			(int64_t)((cand.mant << b.shift) - exact));
		if (2 * apart < whole_powers[places])
			return take_written(&cand, out);
	}
	return false;
}

static bool read_any(const char *text, size_t len, struct fl_decimal *out,
		     bool *rounded)
{
	enum fl_decimal_read read = fl_decimal_parse(text, len, out);

	if (read < 0)
		return false;
	*rounded |= read == FL_DECIMAL_ROUNDED;
	return true;
}

bool fl_yahoo_number(const char *text, size_t len, struct fl_decimal *out,
		     bool *rounded)
{
	struct written w;

	if (!len || !read_usual(text, len, &w))
		return read_any(text, len, out, rounded);
	if (w.digits > SAFE_DIGITS) {
		struct binary b;

		if (find_float(&w, &b) && shortest_of(&w, b, out))
			return true;
		/* 64 bits hold what is written, or all but; what rounding
		 * twice might change is no float anyway. */
		double value = (double)value_of(&w);
		float narrow = (float)value;

		if ((double)narrow == value && shortest(&w, narrow, out))
			return true;
	}
	return take_written(&w, out) || read_any(text, len, out, rounded);
}

bool fl_yahoo_exact(const char *text, size_t len, struct fl_decimal *out,
		    bool *rounded)
{
	struct written w;

	return (len && read_usual(text, len, &w) && take_written(&w, out)) ||
	       read_any(text, len, out, rounded);
}
