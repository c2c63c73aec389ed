/* fuzz-decimal: any bytes as a number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static void check_normal(struct fl_decimal value)
{
	CHECK(value.scale >= -18 && value.scale <= 18);
	CHECK(llabs(value.mant) < 1000000000000000000);
	CHECK(value.mant ? value.mant % 10 != 0 : value.scale == 0);
}

/* What was read is printed, and reads as itself. */
static void check_print(struct fl_decimal value)
{
	char text[FL_DECIMAL_TEXT];
	size_t len = fl_decimal_print(value, text);
	struct fl_decimal back;

	CHECK(len < sizeof(text) && strlen(text) == len);
	CHECK(fl_decimal_parse(text, len, &back) == FL_DECIMAL_EXACT);
	CHECK(back.mant == value.mant && back.scale == value.scale);
	CHECK(fl_decimal_cmp(back, value) == 0);
	CHECK(strtod(text, NULL) == fl_decimal_to_double(value));
}

/* The laws that survive rounding. */
static void check_arithmetic(struct fl_decimal a, struct fl_decimal b)
{
	struct fl_decimal minus = { -b.mant, b.scale }, sum, other;
	struct fl_decimal zero = { 0, 0 };

	CHECK(fl_decimal_cmp(a, b) == -fl_decimal_cmp(b, a));
	if (fl_decimal_add(a, b, &sum)) {
		check_normal(sum);
		CHECK(fl_decimal_add(b, a, &other));
		CHECK(fl_decimal_cmp(sum, other) == 0);
	}
	if (fl_decimal_add(a, minus, &sum))
		CHECK(fl_decimal_sign(sum) == fl_decimal_cmp(a, b));
	CHECK(fl_decimal_add(a, zero, &sum) && fl_decimal_cmp(sum, a) == 0);
	if (fl_decimal_mul(a, b, &sum))
		check_normal(sum);
	if (fl_decimal_div(a, b, &sum))
		check_normal(sum);
	if (a.mant) {
		CHECK(fl_decimal_div(a, a, &sum));
		CHECK(sum.mant == 1 && sum.scale == 0);
	}
}

static void check_sum(const char *text, size_t size)
{
	char printed[FL_DECIMAL_TEXT];
	struct fl_sum sum = { 0 }, back = { 0 };
	size_t len;

	if (fl_sum_parse(text, size, &sum) < 0)
		return;
	len = fl_sum_print(sum, printed);
	CHECK(len < sizeof(printed));
	CHECK(fl_sum_parse(printed, len, &back) == FL_DECIMAL_EXACT);
	CHECK(back.nano == sum.nano);
}

/* Two numbers with a blank between, or one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *blank = size ? memchr(text, ' ', size) : NULL;
	size_t len = blank ? (size_t)(blank - text) : size;
	struct fl_decimal a = { 0, 0 }, b = { 0, 0 };
	enum fl_decimal_read read = fl_decimal_parse(text, len, &a);

	check_sum(text, len);
	CHECK((read == FL_DECIMAL_BAD) ==
	      (fl_sum_parse(text, len, &(struct fl_sum){ 0 }) ==
	       FL_DECIMAL_BAD));
	if (read < 0)
		return 0;
	check_normal(a);
	check_print(a);
	if (blank && fl_decimal_parse(blank + 1, size - len - 1, &b) >= 0)
		check_arithmetic(a, b);
	if (fl_decimal_from_double(fl_decimal_to_double(a), &b))
		check_normal(b);
	return 0;
}
