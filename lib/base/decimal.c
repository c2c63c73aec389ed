/* decimal: see decimal.h.
 *
 * Nearly all numbers of market data have few digits and no exponent: one loop
 * reads those (words of eight characters at a time were tried, and were no
 * faster at such lengths). A scan that only notes where the digits stand takes
 * all others. Every result that may need rounding passes through settle(), so
 * that rounding is written, and happens, once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum {
	MANT_DIGITS = 18,
	STEP = 20, /* bytes copied at once: more than MANT_DIGITS */
	MOST_SCALE = 18,
	SUM_SCALE = 9,
	SUM_DIGITS = 38,
};

#define TEN18 UINT64_C(1000000000000000000)

static const uint64_t powers[] = {
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
	TEN18,
	UINT64_C(10000000000000000000),
};

/* 10^n, n 0 to 38: the largest power of ten that 128 bits hold. */
static wide power(int n)
{
	assert(n >= 0 && n <= 38);
	return n < 20 ? powers[n] : (wide)powers[19] * powers[n - 19];
}

static int count_digits(wide value)
{
	uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value | 1;
	int bits =
		high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
	int n = bits * 1233 >> 12; /* bits × log10(2), or one too few */

	return n + (value >= power(n));
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* mant <= 10^18. A number is divisible by ten when its product with the inverse
 * of five, turned right by one bit, is no larger than the largest quotient; the
 * product is then the quotient. */
static bool finish(bool neg, uint64_t mant, int scale, struct fl_decimal *out)
{
	if (!mant) {
		*out = (struct fl_decimal){ 0, 0 };
		return true;
	}
	for (;;) {
		uint64_t q = mant * UINT64_C(0xcccccccccccccccd);

		q = q >> 1 | q << 63;
		if (q > UINT64_MAX / 10)
			break;
		mant = q;
		scale--;
	}
	if (scale < -MOST_SCALE)
		return false;
	out->mant = neg ? -(int64_t)mant : (int64_t)mant;
	out->scale = (int8_t)scale;
	return true;
}

/* value / 10^drop, half-even; `rest`: something lies below value. */
static wide round_off(wide value, int drop, bool rest)
{
	wide unit, kept, below;

	if (drop <= 0)
		return value;
	if (drop > 38)
		return 0; /* below 10^38 / 10^39 */
	unit = power(drop);
	kept = value / unit;
	below = value % unit;
	if (below > unit / 2 || (below == unit / 2 && (rest || (kept & 1))))
		kept++;
	return kept;
}

/* The exact value lies in [value, value + 1) × 10^-scale, above the lower end
 * when `rest` is set; then value has digits to drop. */
static bool settle(bool neg, wide value, int scale, bool rest, int most_scale,
		   struct fl_decimal *out)
{
	int drop = count_digits(value) - MANT_DIGITS;

	if (drop < scale - most_scale)
		drop = scale - most_scale;
	if (drop < 0)
		drop = 0;
	value = round_off(value, drop, rest);
	scale -= drop;
	return finish(neg, (uint64_t)value, scale, out);
}

/* The usual number: at most 18 digits, no exponent. false: not that. */
static inline bool parse_plain(bool neg, const char *p, const char *end,
			       struct fl_decimal *out)
{
	const char *first = p;
	uint64_t mant = 0;
	unsigned digit = 10;
	int scale = 0;

	for (; p < end; p++) {
		digit = (unsigned)*p - (unsigned)'0';
		if (digit > 9)
			break;
		mant = mant * 10 + digit;
	}
	if (p == first || (*first == '0' && p - first > 1))
		return false;
	if (p < end) {
		const char *point = p++;

		if (*point != '.' || p == end)
			return false;
		for (; p < end; p++) {
			digit = (unsigned)*p - (unsigned)'0';
			if (digit > 9)
				return false;
			mant = mant * 10 + digit;
		}
		scale = (int)(end - point - 1);
	}
	if (digit && mant < TEN18) { /* nothing to strip */
		out->mant = neg ? -(int64_t)mant : (int64_t)mant;
		out->scale = (int8_t)scale;
		return true;
	}
	return mant < TEN18 && finish(neg, mant, scale, out);
}

/* Where the significant digits of a number stand. */
struct scan {
	bool neg;
	const char *digits; /* the first that is not 0 */
	int64_t count;      /* to the last that is not 0; 0: the value is 0 */
	int64_t scale;      /* of the last */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* The exponent's digits; what passes 10^15 stays there, since no text is that
 * long. NULL when there are none or something follows. */
static const char *scan_exponent(const char *p, const char *end, int64_t *value)
{
	const int64_t most = INT64_C(1000000000000000);
	const char *start;
	bool neg = false;

	if (p < end && (*p == '+' || *p == '-'))
		neg = *p++ == '-';
	*value = 0;
	for (start = p; p < end && is_digit(*p); p++) {
		*value = *value * 10 + (*p - '0');
		if (*value > most)
			*value = most;
	}
	if (neg)
		*value = -*value;
	return p > start && p == end ? p : NULL;
}

/* Trim the zeros at both ends of the digits [first, end), in which a point may
 * stand. */
static void trim(struct scan *scan, const char *first, const char *end)
{
	const char *point = memchr(first, '.', (size_t)(end - first));

	scan->scale = point ? end - point - 1 : 0;
	while (end > first && (end[-1] == '0' || end[-1] == '.')) {
		scan->scale -= end[-1] == '0';
		end--;
	}
	while (first < end && (*first == '0' || *first == '.'))
		first++;
	scan->digits = first;
	scan->count = end - first - (point && point >= first && point < end);
}

static bool scan_number(const char *text, size_t len, struct scan *scan)
{
	const char *p = text, *end = text + len, *first, *digits_end;
	int64_t exponent = 0;

	scan->neg = p < end && *p == '-';
	p += scan->neg;
	first = p;
	p = skip_digits(p, end);
	if (p == first || (*first == '0' && p - first > 1))
		return false;
	if (p < end && *p == '.') {
		const char *fraction = ++p;

		p = skip_digits(p, end);
		if (p == fraction)
			return false;
	}
	digits_end = p;
	if (p < end && (*p == 'e' || *p == 'E'))
		p = scan_exponent(p + 1, end, &exponent);
	if (p != end)
		return false;
	trim(scan, first, digits_end);
	scan->scale -= exponent;
	return true;
}

/* The first `keep` of the scanned digits (at most 38), rounded by the rest. */
static wide take_digits(const struct scan *scan, int64_t keep)
{
	const char *p = scan->digits;
	wide value = 0;
	int next;

	for (int64_t i = 0; i < keep; p++) {
		if (*p == '.')
			continue;
		value = value * 10 + (unsigned)(*p - '0');
		i++;
	}
	if (keep == scan->count)
		return value;
	p += *p == '.';
	next = *p - '0';
	/* The last digit is never 0: what follows the next one is more than
	 * nothing exactly if anything follows. */
	if (next > 5 ||
	    (next == 5 && (keep + 1 < scan->count || (value & 1) != 0)))
		value++;
	return value;
}

__attribute__((noinline)) static enum fl_decimal_read
parse_any(const char *text, size_t len, struct fl_decimal *out)
{
	struct scan scan;
	int64_t keep, over;
	wide value;

	if (!scan_number(text, len, &scan))
		return FL_DECIMAL_BAD;
	keep = scan.count < MANT_DIGITS ? scan.count : MANT_DIGITS;
	over = scan.scale - MOST_SCALE; /* digits too far down */
	if (keep > scan.count - over)
		keep = scan.count - over;
	if (keep < 0 || !scan.count) {
		*out = (struct fl_decimal){ 0, 0 };
		return scan.count ? FL_DECIMAL_ROUNDED : FL_DECIMAL_EXACT;
	}
	value = take_digits(&scan, keep);
	scan.scale -= scan.count - keep;
	if (scan.scale < -2 * MOST_SCALE) /* before it is cut to an int */
		return FL_DECIMAL_RANGE;
	if (!settle(scan.neg, value, (int)scan.scale, false, MOST_SCALE, out))
		return FL_DECIMAL_RANGE;
	return keep < scan.count ? FL_DECIMAL_ROUNDED : FL_DECIMAL_EXACT;
}

enum fl_decimal_read fl_decimal_parse(const char *text, size_t len,
				      struct fl_decimal *out)
{
	bool neg = len > 0 && text[0] == '-';

	/* Nineteen characters: the mantissa cannot pass 64 bits, nor the scale
	 * 18. */
	if (len - neg <= MANT_DIGITS + 1 &&
	    parse_plain(neg, text + neg, text + len, out))
		return FL_DECIMAL_EXACT;
	return parse_any(text, len, out);
}

/* Two digits at a time, backwards from `end`; returns where they start. */
static inline __attribute__((always_inline)) char *put_digits(uint64_t value,
							      char *end)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";

	uint32_t small;

	/* Byte by byte: memcpy() of two is a call where bounds are checked. */
	for (; value > UINT32_MAX; value /= 100) {
		const char *pair = pairs + value % 100 * 2;

		*--end = pair[1];
		*--end = pair[0];
	}
	for (small = (uint32_t)value; small >= 100; small /= 100) {
		const char *pair = pairs + small % 100 * 2;

		*--end = pair[1];
		*--end = pair[0];
	}
	if (small >= 10) {
		*--end = pairs[small * 2 + 1];
		*--end = pairs[small * 2];
	} else {
		*--end = (char)('0' + small);
	}
	return end;
}

/* Eight digits of a value below 10^8, one a byte, the first in the lowest:
 * halves, then quarters, then digits, all of one kind at once. */
static inline uint64_t eight_digits(uint32_t value)
{
	uint64_t all = value / 10000 | (uint64_t)(value % 10000) << 32, tens;

	tens = (all * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
	all = tens | (all - 100 * tens) << 16;
	tens = (all * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return tens | (all - 10 * tens) << 8;
}

/* What most prices and volumes are: at most eight digits, nothing to be put
 * before or behind them. They stay in a register, and how many there are is
 * counted, not tried: as a loop it would be a branch for each length, which
 * changes from one number to the next. Returns what follows; NULL: it is none
 * of those. */
static inline __attribute__((always_inline)) char *put_usual(uint64_t value,
							     int scale, char *p)
{
	uint64_t digits, rest;
	unsigned skip;
	int whole;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || value >= 100000000)
		return NULL;
	digits = eight_digits((uint32_t)value);
	/* The last is one even of 0. */
	skip = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;
	digits = (digits + UINT64_C(0x3030303030303030)) >> (8 * skip);
	whole = 8 - (int)skip - scale; /* digits before the point */
	if (scale < 0 || whole <= 0)
		return NULL;
	memcpy(p, &digits, 8);
	p += whole;
	if (!scale)
		return p;
	rest = digits >> (8 * whole);
	*p++ = '.';
	memcpy(p, &rest, 8);
	return p + scale;
}

size_t fl_decimal_print(struct fl_decimal value, char *text)
{
	/* The usual number is copied in steps of a fixed size, for which there
	 * is room behind the digits and, by contract, in `text`. */
	char room[2 * STEP], *end = room + STEP, *digits;
	char *p = text, *usual;
	int count, whole;

	if (value.mant < 0)
		*p++ = '-';
	usual = put_usual(magnitude(value.mant), value.scale, p);
	if (usual) {
		*usual = '\0';
		return (size_t)(usual - text);
	}
	digits = put_digits(magnitude(value.mant), end);
	count = (int)(end - digits);
	whole = count - value.scale; /* digits before the point */
	if (value.scale <= 0) {
		memcpy(p, digits, STEP);
		if (whole > count)
			memset(p + count, '0', (size_t)(whole - count));
		p += whole;
	} else if (whole > 0) {
		memcpy(p, digits, STEP);
		p[whole] = '.';
		memcpy(p + whole + 1, digits + whole, STEP);
		p += count + 1;
	} else {
		memcpy(p, "0.", 2);
		memset(p + 2, '0', (size_t)-whole);
		memcpy(p + 2 - whole, digits, (size_t)count);
		p += 2 - whole + count;
	}
	*p = '\0';
	return (size_t)(p - text);
}

struct fl_decimal fl_decimal_from_i64(int64_t value)
{
	struct fl_decimal out = { 0, 0 };

	assert(magnitude(value) < TEN18);
	finish(value < 0, magnitude(value), 0, &out);
	return out;
}

int fl_decimal_sign(struct fl_decimal a)
{
	return (a.mant > 0) - (a.mant < 0);
}

bool fl_decimal_is_integer(struct fl_decimal a)
{
	return a.scale <= 0;
}

/* |a| against |b| for a.scale <= b.scale. */
static int compare_magnitudes(struct fl_decimal a, struct fl_decimal b)
{
	int shift = b.scale - a.scale;
	wide x = magnitude(a.mant), y = magnitude(b.mant);

	if (shift > MANT_DIGITS) /* a, not 0, is 10^19 units of b at least */
		return x ? 1 : -(y != 0);
	x *= powers[shift];
	return (x > y) - (x < y);
}

int fl_decimal_cmp(struct fl_decimal a, struct fl_decimal b)
{
	int sign = fl_decimal_sign(a);

	if (a.scale == b.scale)
		return (a.mant > b.mant) - (a.mant < b.mant);
	if (sign != fl_decimal_sign(b))
		return sign < fl_decimal_sign(b) ? -1 : 1;
	return a.scale < b.scale ? sign * compare_magnitudes(a, b)
				 : -sign * compare_magnitudes(b, a);
}

bool fl_decimal_mul(struct fl_decimal a, struct fl_decimal b,
		    struct fl_decimal *out)
{
	wide product = (wide)magnitude(a.mant) * magnitude(b.mant);

	return settle((a.mant < 0) != (b.mant < 0), product, a.scale + b.scale,
		      false, MOST_SCALE, out);
}

bool fl_decimal_add(struct fl_decimal a, struct fl_decimal b,
		    struct fl_decimal *out)
{
	/* With 20 zeros after it, the coarser term has so many digits that
	 * what the finer one has below them only counts as "something". */
	enum {
		GUARD = 20
	};
	wide x, y;
	int shift;
	bool rest = false;

	if (a.scale > b.scale) {
		struct fl_decimal other = a;

		a = b;
		b = other;
	}
	if (!a.mant) {
		*out = b;
		return true;
	}
	shift = b.scale - a.scale;
	x = magnitude(a.mant);
	y = magnitude(b.mant);
	if (shift > GUARD) {
		wide unit = power(shift - GUARD);

		rest = y % unit != 0;
		y /= unit;
		shift = GUARD;
	}
	x *= power(shift);
	if ((a.mant < 0) == (b.mant < 0))
		return settle(a.mant < 0, x + y, a.scale + shift, rest,
			      MOST_SCALE, out);
	if (x >= y) /* rest implies it: x has 21 digits, y 17 */
		return settle(a.mant < 0, x - y - rest, a.scale + shift, rest,
			      MOST_SCALE, out);
	return settle(b.mant < 0, y - x, a.scale + shift, false, MOST_SCALE,
		      out);
}

bool fl_decimal_div(struct fl_decimal a, struct fl_decimal b,
		    struct fl_decimal *out)
{
	wide over = magnitude(a.mant), under = magnitude(b.mant);
	int shift = SUM_DIGITS - count_digits(over);

	if (!b.mant)
		return false;
	if (!a.mant) {
		*out = a;
		return true;
	}
	/* 38 digits over at most 18 leave 20: two more than are kept. */
	over *= power(shift);
	return settle((a.mant < 0) != (b.mant < 0), over / under,
		      a.scale + shift - b.scale, over % under != 0, MOST_SCALE,
		      out);
}

static const double double_powers[] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
};

double fl_decimal_to_double(struct fl_decimal a)
{
	char text[32];

	/* Both operands are exact, so the one operation rounds correctly. */
	if (magnitude(a.mant) <= UINT64_C(1) << 53)
		return a.scale < 0 ? (double)a.mant * double_powers[-a.scale]
				   : (double)a.mant / double_powers[a.scale];
	/* Without a point, so that no locale matters. */
	snprintf(text, sizeof(text), "%llde%d", (long long)a.mant, -a.scale);
	return strtod(text, NULL);
}

/* A positive double as num / den, in units of the place that is looked at, and
 * the distance to the next double in units of 1 / den. */
struct fraction {
	wide num, den, gap;
	bool even;     /* what lies half way reads back as this double */
	bool lopsided; /* a power of two: below it the gap is half as wide */
};

/* Does the whole number `near` read back? */
static bool reads_back(const struct fraction *f, wide near)
{
	wide at = near * f->den;
	wide off = at > f->num ? at - f->num : f->num - at;

	if (at < f->num && f->lopsided)
		off *= 2;
	return off * 2 < f->gap || (off * 2 == f->gap && f->even);
}

/* The nearest whole number; true when it, or else the one on the other side,
 * reads back. */
static bool shorten(const struct fraction *f, wide *near)
{
	wide below = f->num / f->den, rest = f->num % f->den;
	bool up = rest * 2 > f->den || (rest * 2 == f->den && (below & 1));

	*near = below + up;
	if (reads_back(f, *near))
		return true;
	if (!reads_back(f, below + !up))
		return false;
	*near = below + !up;
	return true;
}

/* mant × 2^exponent, mant of 53 bits. Doubles from 2^53 up are whole: find how
 * many of their digits, 15 to 17, are needed. Below, find how many decimals,
 * `scale` at least; what needs more than 18 is rounded to 18. All of it fits
 * into 128 bits: 10^37 into 123, and 2^53 × 10^18 into 113. */
static bool shortest(bool neg, uint64_t mant, int exponent, int scale,
		     struct fl_decimal *out)
{
	struct fraction f = {
		.even = !(mant & 1),
		.lopsided = mant == UINT64_C(1) << 52,
	};
	wide near = 0;

	if (exponent >= 0) {
		f.num = (wide)mant << exponent;
		f.gap = (wide)1 << exponent;
		for (scale = 15 - count_digits(f.num); scale < 0; scale++) {
			f.den = power(-scale);
			if (shorten(&f, &near))
				return settle(neg, near, scale, false,
					      MOST_SCALE, out);
		}
		return settle(neg, f.num, 0, false, MOST_SCALE, out);
	}
	f.den = (wide)1 << -exponent;
	for (; scale <= MOST_SCALE; scale++) {
		f.gap = power(scale);
		f.num = mant * f.gap;
		if (shorten(&f, &near))
			break;
	}
	if (scale > MOST_SCALE)
		scale = MOST_SCALE;
	return settle(neg, near, scale, false, MOST_SCALE, out);
}

bool fl_decimal_from_double(double value, struct fl_decimal *out)
{
	bool neg = signbit(value);
	int exponent, scale;
	double mant;

	if (!isfinite(value) || fabs(value) >= 1e37)
		return false;
	value = fabs(value);
	if (value < 1e-19)
		return finish(neg, 0, 0, out);
	/* Below 2^50 the product is off by less than a half, so that a number
	 * with so few decimals is found if there is one, fewest first. */
	for (scale = 0; scale < MOST_SCALE; scale++) {
		double whole = rint(value * double_powers[scale]);

		if (whole >= 0x1p50)
			break;
		if (whole / double_powers[scale] == value)
			return finish(neg, (uint64_t)whole, scale, out);
	}
	mant = ldexp(frexp(value, &exponent), 53);
	return shortest(neg, (uint64_t)mant, exponent - 53, scale, out);
}

/* Sums. */

static bool sum_nano(struct fl_sum *sum, fl_int128 nano)
{
	const fl_int128 limit = (fl_int128)power(SUM_DIGITS);
	fl_int128 total;

	if (__builtin_add_overflow(sum->nano, nano, &total) ||
	    total <= -limit || total >= limit)
		return false;
	sum->nano = total;
	return true;
}

/* sum += value × 10^-scale, at nine decimals. */
static bool sum_put(struct fl_sum *sum, bool neg, wide value, int scale)
{
	int shift = SUM_SCALE - scale;

	if (shift < 0) {
		value = round_off(value, -shift, false);
	} else if (value) {
		if (shift >= SUM_DIGITS || value >= power(SUM_DIGITS - shift))
			return false;
		value *= power(shift);
	}
	return sum_nano(sum, neg ? -(fl_int128)value : (fl_int128)value);
}

bool fl_sum_add(struct fl_sum *sum, struct fl_decimal term)
{
	return sum_put(sum, term.mant < 0, magnitude(term.mant), term.scale);
}

bool fl_sum_add_product(struct fl_sum *sum, struct fl_decimal a,
			struct fl_decimal b)
{
	wide product = (wide)magnitude(a.mant) * magnitude(b.mant);

	return sum_put(sum, (a.mant < 0) != (b.mant < 0), product,
		       a.scale + b.scale);
}

bool fl_sum_add_sum(struct fl_sum *sum, struct fl_sum other)
{
	return sum_nano(sum, other.nano);
}

enum fl_decimal_read fl_sum_parse(const char *text, size_t len,
				  struct fl_sum *out)
{
	struct fl_sum sum = { 0 };
	struct scan scan;
	int64_t keep;

	if (!scan_number(text, len, &scan))
		return FL_DECIMAL_BAD;
	keep = scan.count;
	if (scan.scale > SUM_SCALE)
		keep -= scan.scale - SUM_SCALE;
	if (keep < 0 || !scan.count) {
		*out = sum;
		return scan.count ? FL_DECIMAL_ROUNDED : FL_DECIMAL_EXACT;
	}
	if (keep > SUM_DIGITS || scan.scale < -SUM_DIGITS)
		return FL_DECIMAL_RANGE;
	if (!sum_put(&sum, scan.neg, take_digits(&scan, keep),
		     (int)(scan.scale - (scan.count - keep))))
		return FL_DECIMAL_RANGE;
	*out = sum;
	return keep < scan.count ? FL_DECIMAL_ROUNDED : FL_DECIMAL_EXACT;
}

size_t fl_sum_print(struct fl_sum sum, char *text)
{
	wide value = sum.nano < 0 ? -(wide)sum.nano : (wide)sum.nano;
	wide whole = value / powers[SUM_SCALE];
	uint64_t below = (uint64_t)(value % powers[SUM_SCALE]);
	char room[40], *end = room + sizeof(room), *digits, *p = text;
	size_t count;

	if (sum.nano < 0)
		*p++ = '-';
	if (whole >= TEN18) {
		char *low = put_digits((uint64_t)(whole % TEN18), end);

		end -= MANT_DIGITS;
		memset(end, '0', (size_t)(low - end));
		digits = put_digits((uint64_t)(whole / TEN18), end);
		end += MANT_DIGITS;
	} else {
		digits = put_digits((uint64_t)whole, end);
	}
	count = (size_t)(end - digits);
	memcpy(p, digits, count);
	p += count;
	if (below) {
		/* The 1 in front keeps the zeros after the point. */
		put_digits(below + powers[SUM_SCALE], end);
		*p = '.';
		memcpy(p + 1, end - SUM_SCALE, SUM_SCALE);
		for (p += SUM_SCALE; *p == '0';)
			p--;
		p++;
	}
	*p = '\0';
	return (size_t)(p - text);
}

/* rest = (rest + more) % under; returns whether under went out. */
static unsigned rest_add(wide *rest, wide more, wide under)
{
	*rest += more;
	if (*rest < under)
		return 0;
	*rest -= under;
	return 1;
}

/* The next decimal of rest / under: 10 × rest may pass 128 bits, so it is made
 * as ((rest × 2) × 2 + rest) × 2, with remainders only. */
static unsigned next_decimal(wide *rest, wide under)
{
	wide start = *rest;
	unsigned digit = rest_add(rest, *rest, under);

	digit = digit * 2 + rest_add(rest, *rest, under);
	digit += rest_add(rest, start, under);
	return digit * 2 + rest_add(rest, *rest, under);
}

bool fl_sum_ratio(struct fl_sum over, struct fl_sum under,
		  struct fl_decimal *out)
{
	wide a = over.nano < 0 ? -(wide)over.nano : (wide)over.nano;
	wide b = under.nano < 0 ? -(wide)under.nano : (wide)under.nano;
	wide value, rest;
	int scale;

	if (!b)
		return false;
	value = a / b;
	rest = a % b;
	/* Two decimals, or two digits, more than are kept. */
	for (scale = 0; scale < SUM_SCALE + 2 && value < power(20); scale++)
		value = value * 10 + next_decimal(&rest, b);
	return settle((over.nano < 0) != (under.nano < 0), value, scale,
		      rest != 0, SUM_SCALE, out);
}
