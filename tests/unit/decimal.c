/* decimal: against Python's decimal module, and one path against another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <math.h>

#include "tap.h"
#include "tsv.h"

static enum fl_decimal_read parse(const char *text, struct fl_decimal *out)
{
	return fl_decimal_parse(text, strlen(text), out);
}

static struct fl_decimal number(const char *text)
{
	struct fl_decimal out = { 0, 0 };

	if (parse(text, &out) != FL_DECIMAL_EXACT)
		note("not an exact number: '%s'", text);
	return out;
}

static const char *word(enum fl_decimal_read read)
{
	return read == FL_DECIMAL_EXACT     ? "exact "
	       : read == FL_DECIMAL_ROUNDED ? "rounded "
	       : read == FL_DECIMAL_RANGE   ? "range"
					    : "bad";
}

/* "MANT SCALE" behind `prefix`. */
static void put(char *text, const char *prefix, struct fl_decimal value)
{
	sprintf(text, "%s%lld %d", prefix, (long long)value.mant, value.scale);
}

static bool is_normal(struct fl_decimal value)
{
	if (value.mant == 0)
		return value.scale == 0;
	return value.mant % 10 && value.scale >= -18 && value.scale <= 18 &&
	       llabs(value.mant) < 1000000000000000000;
}

/* What the code under test makes of a line, in the words of the file. */
static void answer(char **field, char *text)
{
	const char *op = field[0];
	struct fl_decimal a, b, out = { 0, 0 };
	struct fl_sum sum = { 0 }, other = { 0 };
	enum fl_decimal_read read;
	double value;
	bool good;

	if (strcmp(op, "parse") == 0) {
		read = parse(field[1], &out);
		put(text, word(read), out);
		if (read < 0)
			strcpy(text, word(read));
		return;
	}
	if (strcmp(op, "sum") == 0) {
		read = fl_sum_parse(field[1], strlen(field[1]), &sum);
		strcpy(text, word(read));
		if (read >= 0)
			fl_sum_print(sum, text + strlen(text));
		return;
	}
	if (strcmp(op, "shortest") == 0) {
		value = strtod(field[1], NULL);
		if (fl_decimal_from_double(value, &out))
			put(text, "", out);
		else
			strcpy(text, "range");
		return;
	}
	a = number(field[1]);
	if (strcmp(op, "print") == 0) {
		fl_decimal_print(a, text);
		return;
	}
	if (strcmp(op, "double") == 0) {
		value = strtod(field[2], NULL);
		strcpy(text,
		       fl_decimal_to_double(a) == value ? field[2] : "other");
		return;
	}
	b = number(field[2]);
	if (strcmp(op, "cmp") == 0) {
		sprintf(text, "%d", fl_decimal_cmp(a, b));
		return;
	}
	if (strcmp(op, "product") == 0) {
		if (fl_sum_add_product(&sum, a, b))
			fl_sum_print(sum, text);
		else
			strcpy(text, "range");
		return;
	}
	if (strcmp(op, "ratio") == 0) {
		good = fl_sum_add(&sum, a) && fl_sum_add(&other, b) &&
		       fl_sum_ratio(sum, other, &out);
	} else if (strcmp(op, "add") == 0) {
		good = fl_decimal_add(a, b, &out);
	} else if (strcmp(op, "mul") == 0) {
		good = fl_decimal_mul(a, b, &out);
	} else if (strcmp(op, "div") == 0) {
		good = fl_decimal_div(a, b, &out);
	} else {
		strcpy(text, "unknown operation");
		return;
	}
	if (good)
		put(text, is_normal(out) ? "" : "not normal: ", out);
	else
		strcpy(text, "range");
}

static void check_file(const char *path)
{
	static const char *const ops[] = { "parse",   "sum",     "print",
					   "double",  "add",     "mul",
					   "div",     "cmp",     "ratio",
					   "product", "shortest" };
	enum {
		OPS = sizeof(ops) / sizeof(ops[0])
	};
	int seen[OPS] = { 0 }, wrong[OPS] = { 0 }, other = 0, shown = 0;
	struct tsv tsv;
	char text[200];

	tsv_open(&tsv, path);
	while (tsv_next(&tsv)) {
		const char *want;
		int i = 0;

		while (i < OPS && strcmp(tsv.field[0], ops[i]) != 0)
			i++;
		if (i == OPS) {
			other++;
			continue;
		}
		want = *tsv.field[3] ? tsv.field[3] : tsv.field[2];
		answer(tsv.field, text);
		seen[i]++;
		if (strcmp(text, want) == 0)
			continue;
		wrong[i]++;
		if (shown++ < 20)
			note("%s:%d: %s %s %s: got '%s', wanted '%s'", path,
			     tsv.number, tsv.field[0], tsv.field[1],
			     tsv.field[2], text, want);
	}
	for (int i = 0; i < OPS; i++)
		ok(seen[i] && !wrong[i], "%s as Python has it (%d cases)",
		   ops[i], seen[i]);
	is_int(other, 0, "all lines are understood");
}

/* RFC 8259, section 6, term by term. */
static bool is_json_number(const char *p)
{
	static const char digits[] = "0123456789";
	size_t count;

	p += *p == '-';
	count = strspn(p, digits);
	if (count == 0 || (*p == '0' && count > 1))
		return false;
	p += count;
	if (*p == '.') {
		count = strspn(++p, digits);
		if (count == 0)
			return false;
		p += count;
	}
	if (*p == 'e') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		count = strspn(p, digits);
		if (count == 0)
			return false;
		p += count;
	}
	return !*p;
}

static bool same(struct fl_decimal a, struct fl_decimal b)
{
	return a.mant == b.mant && a.scale == b.scale;
}

/* One text: the grammar, the other path (an exponent of 0 forces it), and the
 * C library's idea of the value. */
static bool check_text(const char *text)
{
	struct fl_decimal value = { 7, 7 }, slow = { 7, 7 };
	enum fl_decimal_read read = parse(text, &value);
	char longer[40];

	if ((read != FL_DECIMAL_BAD) != is_json_number(text))
		return false;
	if (read < 0)
		return value.mant == 7 && value.scale == 7;
	if (!is_normal(value))
		return false;
	if (read == FL_DECIMAL_EXACT &&
	    fl_decimal_to_double(value) != strtod(text, NULL))
		return false;
	if (strchr(text, 'e'))
		return true;
	sprintf(longer, "%se0", text);
	return parse(longer, &slow) == read && same(slow, value);
}

/* All texts of up to six characters that could be numbers. */
static void check_all_texts(void)
{
	static const char letters[] = "0159.-e+";
	const unsigned base = sizeof(letters) - 1;
	unsigned long count = 1, wrong = 0;
	char text[8];

	for (int len = 1; len <= 6; len++) {
		count *= base;
		for (unsigned long i = 0; i < count; i++) {
			unsigned long rest = i;

			for (int k = 0; k < len; k++, rest /= base)
				text[k] = letters[rest % base];
			text[len] = '\0';
			if (check_text(text))
				continue;
			if (wrong++ < 10)
				note("wrong: '%s'", text);
		}
	}
	is_int(wrong, 0, "every text of up to 6 of the characters \"%s\"",
	       letters);
}

static void check_bytes(void)
{
	int wrong = 0;

	for (int c = 0; c < 256; c++) {
		for (int at = 0; at < 5; at++) {
			char text[] = "12345";
			struct fl_decimal value;
			bool good =
				(c >= '0' && c <= '9') ||
				(c == '.' && at > 0 && at < 4) ||
				(c == '-' && at == 0) ||
				((c == 'e' || c == 'E') && at > 0 && at < 4);

			if (c == '0' && at == 0)
				good = false;
			text[at] = (char)c;
			if ((fl_decimal_parse(text, 5, &value) !=
			     FL_DECIMAL_BAD) != good)
				wrong++;
		}
	}
	is_int(wrong, 0, "every byte at every place of a number");
}

/* print and parse are inverse. */
static void check_round_trip(void)
{
	int wrong = 0;
	char text[FL_DECIMAL_TEXT];

	for (int scale = -18; scale <= 18; scale++) {
		for (int64_t mant = -1000; mant <= 1000; mant++) {
			struct fl_decimal value = { mant, (int8_t)scale };
			struct fl_decimal back;

			if (mant % 10 == 0)
				continue;
			if (fl_decimal_print(value, text) != strlen(text) ||
			    parse(text, &back) != FL_DECIMAL_EXACT ||
			    !same(value, back))
				wrong++;
		}
	}
	is_int(wrong, 0, "what is printed reads back");
	fl_decimal_print((struct fl_decimal){ -999999999999999999, -18 }, text);
	is_str(text, "-999999999999999999000000000000000000", "the longest");
	fl_decimal_print((struct fl_decimal){ -999999999999999999, 18 }, text);
	is_str(text, "-0.999999999999999999", "the finest");
}

/* Comparing, against subtraction. */
static void check_cmp(void)
{
	static const char *const texts[] = {
		"-15e18",
		"-1e18",
		"-1",
		"-0.5",
		"-1e-18",
		"0",
		"1e-18",
		"2e-18",
		"0.001",
		"0.1",
		"0.25",
		"0.3",
		"1",
		"1.5",
		"2",
		"10",
		"10.5",
		"100",
		"1e17",
		"1e18",
		"15e18",
		"99e18",
		"999999999999999999e18",
	};
	const int count = sizeof(texts) / sizeof(texts[0]);
	int wrong = 0;

	for (int i = 0; i < count; i++) {
		for (int j = 0; j < count; j++)
			if (fl_decimal_cmp(number(texts[i]),
					   number(texts[j])) !=
			    (i > j) - (i < j))
				wrong++;
	}
	is_int(wrong, 0, "numbers in their order");
	is_int(fl_decimal_sign(number("-0.1")), -1, "sign below 0");
	is_int(fl_decimal_sign(number("-0")), 0, "sign of 0");
	is_int(fl_decimal_sign(number("7")), 1, "sign above 0");
	ok(fl_decimal_is_integer(number("100")), "100 is an integer");
	ok(fl_decimal_is_integer(number("1.50e1")), "1.50e1 is an integer");
	ok(fl_decimal_is_integer(number("0.0")), "0.0 is an integer");
	ok(!fl_decimal_is_integer(number("1.5")), "1.5 is not");
	ok(same(fl_decimal_from_i64(-1200), (struct fl_decimal){ -12, -2 }),
	   "from_i64 takes the zeros off");
	ok(same(fl_decimal_from_i64(999999999999999999),
		(struct fl_decimal){ 999999999999999999, 0 }),
	   "from_i64 takes 18 digits");
}

static void check_doubles(void)
{
	struct fl_decimal value;
	int wrong = 0;

	ok(!fl_decimal_from_double(NAN, &value), "NaN is no decimal");
	ok(!fl_decimal_from_double(INFINITY, &value), "infinity is none");
	ok(!fl_decimal_from_double(-1e36, &value), "-1e36 is out of range");
	ok(fl_decimal_from_double(-0.0, &value) && value.mant == 0 &&
		   value.scale == 0,
	   "-0.0 is 0");
	for (int i = 0; i < 100000; i++) {
		double x = (double)(i * 7919LL % 100003) / 1024.0 *
			   pow(10, i % 9 - 4);

		if (!fl_decimal_from_double(x, &value) ||
		    (x > .02 && fl_decimal_to_double(value) != x))
			wrong++;
	}
	is_int(wrong, 0, "doubles come back");
}

static void check_sums(void)
{
	struct fl_sum sum = { 0 }, most, one = { 1 };
	struct fl_decimal big = number("999999999999999999e11");
	char text[FL_DECIMAL_TEXT];
	const char *digits = "99999999999999999999999999999.999999999";

	for (int i = 0; i < 1000000; i++)
		fl_sum_add_product(&sum, number("0.1"), number("0.1"));
	fl_sum_print(sum, text);
	is_str(text, "10000", "a million times 0.1 × 0.1");

	is_int(fl_sum_parse(digits, strlen(digits), &most), FL_DECIMAL_EXACT,
	       "38 digits are read");
	is_int(fl_sum_print(most, text), 39, "and printed");
	is_str(text, digits, "the same");
	sum = most;
	ok(!fl_sum_add_sum(&sum, one) && sum.nano == most.nano,
	   "one more does not fit");
	ok(!fl_sum_add(&sum, number("1e-9")) && sum.nano == most.nano,
	   "nor as a decimal");
	ok(!fl_sum_add_product(&sum, big, big) && sum.nano == most.nano,
	   "nor a product far too large");
	ok(!fl_sum_add_sum(&sum, most) && sum.nano == most.nano,
	   "nor the same again");
	ok(fl_sum_add(&sum, number("-1e-9")) && sum.nano == most.nano - 1,
	   "one less does");
	ok(fl_sum_add(&sum, number("4e-10")) && sum.nano == most.nano - 1,
	   "a term is rounded");

	sum = (struct fl_sum){ 0 };
	ok(fl_sum_add(&sum, number("5e-10")) && sum.nano == 0,
	   "a half goes to the even neighbour 0");
	ok(fl_sum_add(&sum, number("15e-10")) && sum.nano == 2,
	   "a half goes to the even neighbour 2");
	ok(fl_sum_add(&sum, number("-25e-10")) && sum.nano == 0,
	   "below 0 as well");
	ok(!fl_sum_ratio(one, sum, &big), "nothing is divided by 0");
	ok(fl_sum_ratio(most, one, &big) == false, "10^38 is no decimal");
	ok(fl_sum_ratio(one, most, &big) && big.mant == 0, "its inverse is 0");
	ok(fl_sum_ratio(most, most, &big) && same(big, number("1")),
	   "a sum over itself is 1");
	digits = "66666666666666666666666666666.666666666";
	fl_sum_parse(digits, strlen(digits), &sum);
	ok(fl_sum_ratio(sum, most, &big) && same(big, number("0.666666667")),
	   "38 digits over 38 digits");
}

int main(int argc, char **argv)
{
	check_file(argc > 1 ? argv[1] : "tests/data/base/decimal.tsv");
	check_all_texts();
	check_bytes();
	check_round_trip();
	check_cmp();
	check_doubles();
	check_sums();
	return done_testing();
}
