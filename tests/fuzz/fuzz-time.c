/* fuzz-time: any bytes as a time, a date, and what a user may type.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static void check_instant(int64_t ns)
{
	char text[FL_TIME_TEXT];
	struct fl_civil civil;
	int64_t back;
	size_t len;

	CHECK(ns >= FL_TIME_MIN && ns <= FL_TIME_MAX);
	len = fl_time_print(ns, text);
	CHECK(fl_time_parse(text, len, &back) == FL_TIME_OK && back == ns);
	fl_civil_from_time(ns, &civil);
	CHECK(fl_time_from_civil(&civil) == ns);
}

/* Our own form is what printing gives, and nothing else. */
static void check_time(const char *text, size_t size)
{
	char printed[FL_TIME_TEXT];
	int64_t ns, days;
	bool own;

	switch (fl_time_parse(text, size, &ns)) {
	case FL_TIME_BAD:
		break;
	case FL_TIME_OK:
	case FL_TIME_FOREIGN:
		check_instant(ns);
		own = fl_time_print(ns, printed) == size &&
		      memcmp(printed, text, size) == 0;
		CHECK(own == (fl_time_parse(text, size, &ns) == FL_TIME_OK));
	}
	if (fl_date_parse(text, size, &days)) {
		CHECK(fl_date_print(days, printed) == size &&
		      memcmp(printed, text, size) == 0);
		check_instant(days * FL_DAY);
	}
}

static void check_user(const char *text)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_interval interval, again;
	char printed[FL_TIME_TEXT];
	struct fl_span span;
	int64_t ns, back;

	if (fl_span_parse(text, &span, &err) == 0) {
		CHECK(span.ns >= 0 && span.months >= 0);
		ns = fl_time_minus_span(FL_TIME_MAX, &span);
		if (ns != FL_TIME_NONE)
			check_instant(ns);
	}
	fl_error_clear(&err);
	if (fl_duration_parse(text, &ns, &err) == 0) {
		fl_duration_print(ns, printed);
		CHECK(fl_duration_parse(printed, &back, &err) == 0);
		CHECK(back == ns);
	}
	fl_error_clear(&err);
	if (fl_interval_parse(text, &interval, &err) == 0) {
		CHECK(fl_interval_parse(interval.text, &again, &err) == 0);
		CHECK(strcmp(interval.text, again.text) == 0);
	}
	fl_error_clear(&err);
	if (fl_time_from_user(text, NULL, INT64_C(1800000000000000000), &ns,
			      &err) == 0)
		check_instant(ns);
	else
		CHECK(err.code == FL_ERR_USAGE && !strchr(err.text, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	check_time((const char *)data, size);
	check_user(text);
	free(text);
	return 0;
}
