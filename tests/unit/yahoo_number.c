/* Prices that are 32-bit floats widened to double, against strtof(). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/yahoo/number.h"
#include "tap.h"

static const char *number(const char *text)
{
	static char shown[FL_DECIMAL_TEXT];
	struct fl_decimal value;
	bool rounded = false;

	if (!fl_yahoo_number(text, strlen(text), &value, &rounded))
		return "none";
	fl_decimal_print(value, shown);
	return shown;
}

static void test_examples(void)
{
	static const char *const examples[][2] = {
		{ "1286.5699462890625", "1286.57" },
		{ "0.10000000149011612", "0.1" },
		{ "-37.630001068115234", "-37.63" },
		{ "93.75", "93.75" },
		{ "100.0", "100" },
		{ "0.0", "0" },
		{ "-0.0", "0" },
		{ "69420.703125", "69420.7" },
		{ "1.2339999557298142E-5", "0.00001234" },
		{ "1.2339999557298142e-05", "0.00001234" },
		{ "9.000000318337698E-6", "0.000009" },
		{ "16777216", "16777216" },
		{ "1.6777216E7", "16777216" },
		/* True doubles stay what they are. */
		{ "1286.5699", "1286.5699" },
		{ "1284.123456789", "1284.123456789" },
		{ "1286.56994628906", "1286.56994628906" },
		{ "123456789012", "123456789012" },
		{ "0.30000000000000004", "0.30000000000000004" },
		{ "1e400", "none" },
		{ "1.", "none" },
		{ "01", "none" },
		{ ".5", "none" },
		{ "1e", "none" },
		{ "-", "none" },
		{ "", "none" },
	};

	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		is_str(number(examples[i][0]), examples[i][1], "'%s'",
		       examples[i][0]);
}

/* The shortest by trying: %.1g, %.2g … until it reads back. */
static void shortest_of(float value, char *text)
{
	for (int digits = 1; digits <= 9; digits++) {
		snprintf(text, 40, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			return;
	}
}

static void test_all_kinds_of_floats(void)
{
	unsigned wrong = 0, state = 1;
	char first[200] = "";

	for (int i = 0; i < 400000; i++) {
		char wide[40], want[40];
		struct fl_decimal a, b;
		bool rounded = false;
		float value;

		/* Cents, tenths of cents, and any at all. */
		state = state * 1664525u + 1013904223u;
		switch (i % 4) {
		case 0:
			value = (float)(state >> 8) / 100;
			break;
		case 1:
			value = (float)((state >> 12) / 1000.0);
			break;
		case 2:
			value = (float)((state >> 8) * 1e-9);
			break;
		default: {
			unsigned bits = (state & 0x7fffff) |
					(100u + (state >> 23) % 60) << 23;

			memcpy(&value, &bits, sizeof(value));
		}
		}
		snprintf(wide, sizeof(wide), "%.17g", (double)value);
		shortest_of(value, want);
		if (fl_yahoo_number(wide, strlen(wide), &a, &rounded) &&
		    fl_decimal_parse(want, strlen(want), &b) == 0 &&
		    a.mant == b.mant && a.scale == b.scale)
			continue;
		if (!wrong++)
			snprintf(first, sizeof(first), "%s gives %s, not %s",
				 wide, number(wide), want);
	}
	ok(wrong == 0, "400,000 floats come as the shortest decimal");
	if (wrong)
		printf("# %u wrong; %s\n", wrong, first);
}

int main(void)
{
	test_examples();
	test_all_kinds_of_floats();
	return done_testing();
}
