/* tape-text: an exchange as the text of a file: lines of words, an empty one,
 * head and body as they came.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/tape.h"

#define FIRST     "financelake-exchange 1\n"
#define SIZE_MAX_ ((uint64_t)1 << 32)

void fl_exchange_release(struct fl_exchange *exchange)
{
	fl_buf_release(&exchange->head);
	fl_buf_release(&exchange->body);
}

static void put_time(struct fl_buf *out, const char *name, int64_t ns)
{
	char text[FL_TIME_TEXT];

	if (ns == FL_TIME_NONE)
		return;
	fl_time_print(ns, text);
	fl_buf_printf(out, "%s %s\n", name, text);
}

void fl_exchange_print(const struct fl_exchange *x, const char *question,
		       const char *url, struct fl_buf *out)
{
	fl_buf_printf(out, FIRST "question %s\nurl %s\n", question, url);
	put_time(out, "asked", x->asked_ns);
	fl_buf_printf(out, "status %u\n", x->status);
	if (x->fault)
		fl_buf_printf(out, "fault %u %s\n", x->fault, x->why);
	put_time(out, "date", x->date_ns);
	if (x->retry_after_ns)
		fl_buf_printf(out, "retry-after %" PRId64 "\n",
			      x->retry_after_ns);
	fl_buf_printf(out, "head %zu\nbody %zu\n\n", x->head.len, x->body.len);
	fl_buf_append(out, fl_buf_text(&x->head), x->head.len);
	fl_buf_append(out, fl_buf_text(&x->body), x->body.len);
}

/* A whole number, and nothing behind it but `end`. */
static bool take_number(const char *text, char end, uint64_t *value)
{
	char *rest;

	if (*text < '0' || *text > '9')
		return false;
	*value = strtoull(text, &rest, 10);
	return *rest == end && *value <= INT64_MAX;
}

/* One line, NUL-ended. returns false: it cannot be */
static bool take_line(const char *line, struct fl_exchange *x, uint64_t *head,
		      uint64_t *body)
{
	const char *value = line + strcspn(line, " ");
	size_t word = (size_t)(value - line), len;
	uint64_t number;

#define IS(name) (word == strlen(name) && memcmp(line, name, word) == 0)
	value += *value == ' ';
	len = strlen(value);
	if (IS("asked"))
		return fl_time_parse(value, len, &x->asked_ns) != FL_TIME_BAD;
	if (IS("date"))
		return fl_time_parse(value, len, &x->date_ns) != FL_TIME_BAD;
	if (IS("head"))
		return take_number(value, '\0', head);
	if (IS("body"))
		return take_number(value, '\0', body);
	if (IS("status")) {
		if (!take_number(value, '\0', &number) || number > 999)
			return false;
		x->status = (unsigned)number;
	} else if (IS("retry-after")) {
		if (!take_number(value, '\0', &number))
			return false;
		x->retry_after_ns = (int64_t)number;
	} else if (IS("fault")) {
		if (!take_number(value, ' ', &number) || number < 1 ||
		    number > 99)
			return false;
		x->fault = (unsigned)number;
		snprintf(x->why, sizeof(x->why), "%s", strchr(value, ' ') + 1);
	}
#undef IS
	return true; /* what is not known here is passed over */
}

bool fl_exchange_parse(const char *bytes, size_t len, struct fl_exchange *x)
{
	uint64_t head = SIZE_MAX_, body = SIZE_MAX_;
	const char *at = bytes, *end = bytes + len;
	char line[2048];

	x->date_ns = x->asked_ns = FL_TIME_NONE;
	if (len < sizeof(FIRST) - 1 ||
	    memcmp(bytes, FIRST, sizeof(FIRST) - 1) != 0)
		return false;
	at += sizeof(FIRST) - 1;
	for (;;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t size;

		if (!lf)
			return false;
		if (lf == at)
			break;
		size = (size_t)(lf - at);
		if (size >= sizeof(line))
			size = sizeof(line) - 1;
		memcpy(line, at, size);
		line[size] = '\0';
		if (!take_line(line, x, &head, &body))
			return false;
		at = lf + 1;
	}
	at++;
	/* Neither more nor less than was said. */
	if (head >= SIZE_MAX_ || body >= SIZE_MAX_ ||
	    head + body != (uint64_t)(end - at))
		return false;
	fl_buf_append(&x->head, at, head);
	fl_buf_append(&x->body, at + head, body);
	return true;
}
