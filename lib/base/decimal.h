/* decimal: exact decimal numbers, as prices and sizes are written.
 *
 * A number is mant × 10^-scale in normal form: mant is not divisible by ten,
 * |mant| < 10^18, scale -18 to 18; zero is {0, 0}. So 100 is {1, -2}, 0.50 is
 * {5, 1}, and two equal numbers have equal bytes. Every function here takes and
 * gives normal form only. Reading and printing never go through double.
 * Rounding, where it is needed, is half-even and happens once.
 *
 * source  records.md, "Numbers"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_DECIMAL_H
#define FL_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fl_decimal {
	int64_t mant;
	int8_t scale; /* digits after the point; below 0: zeros before it */
};

enum fl_decimal_read {
	FL_DECIMAL_EXACT = 0,
	FL_DECIMAL_ROUNDED = 1, /* needed more than 18 significant digits, or
				 * more than 18 after the point */
	FL_DECIMAL_RANGE = -1,  /* needs a scale below -18: 1e19, 1e40 */
	FL_DECIMAL_BAD = -2,    /* not a JSON number */
};

/* Enough for any fl_decimal_print: sign, 18 digits and 18 zeros, point, NUL. */
#define FL_DECIMAL_TEXT 48

/* Read a JSON number (RFC 8259 grammar: no leading zeros or '+', exponent
 * allowed), the whole of text[len]. -0 is 0. What is too small rounds to 0:
 * 1e-30 is 0, ROUNDED. RANGE and BAD leave `out` alone. */
enum fl_decimal_read fl_decimal_parse(const char *text, size_t len,
				      struct fl_decimal *out);
/* Print without exponent and without trailing zeros: 100, 0.5, -12.25.
 * text[FL_DECIMAL_TEXT]; returns the length, NUL added. */
size_t fl_decimal_print(struct fl_decimal value, char *text);
struct fl_decimal fl_decimal_from_i64(int64_t value); /* |value| < 10^18 */
/* -1, 0, 1; exact for any pair. */
int fl_decimal_cmp(struct fl_decimal a, struct fl_decimal b);
int fl_decimal_sign(struct fl_decimal a);
bool fl_decimal_is_integer(struct fl_decimal a);
/* a × b, a + b and a / b, rounded to 18 significant digits and at most 18 after
 * the point. false, `out` left alone: the result is out of range, or b is 0 in
 * a / b. */
bool fl_decimal_mul(struct fl_decimal a, struct fl_decimal b,
		    struct fl_decimal *out);
bool fl_decimal_add(struct fl_decimal a, struct fl_decimal b,
		    struct fl_decimal *out);
bool fl_decimal_div(struct fl_decimal a, struct fl_decimal b,
		    struct fl_decimal *out);
double fl_decimal_to_double(struct fl_decimal a); /* correctly rounded */
/* The shortest decimal that reads back as the same double; when that needs more
 * than 18 digits after the point, the double rounded to 18. false when it is
 * not finite or out of range. */
bool fl_decimal_from_double(double value, struct fl_decimal *out);

/* Pedantic compilers want to be told that we know what __int128 is. */
__extension__ typedef __int128 fl_int128;

/* Sums of volume and turnover: 128 bits at 9 decimals, up to 38 digits. */
struct fl_sum {
	fl_int128 nano; /* value × 10^9, its magnitude below 10^38 */
};
/* Each returns false on overflow of 38 digits, leaving the sum as it was.
 * The term, or the product, is rounded once, half-even, to 9 decimals. */
bool fl_sum_add(struct fl_sum *sum, struct fl_decimal term);
bool fl_sum_add_product(struct fl_sum *sum, struct fl_decimal a,
			struct fl_decimal b);
bool fl_sum_add_sum(struct fl_sum *sum, struct fl_sum other);
/* Read a JSON number of up to 38 digits, 9 of them after the point (more are
 * rounded half-even: ROUNDED). 10^29 and up is RANGE. */
enum fl_decimal_read fl_sum_parse(const char *text, size_t len,
				  struct fl_sum *out);
size_t fl_sum_print(struct fl_sum sum, char *text); /* text[FL_DECIMAL_TEXT] */
/* turnover / volume, rounded once to 9 decimals, or to 18 significant digits
 * where that is less; false when volume is 0 or the quotient is out of range.
 */
bool fl_sum_ratio(struct fl_sum over, struct fl_sum under,
		  struct fl_decimal *out);

#endif
