/* postgres-value: values as PostgreSQL has them in binary, and back.
 *
 * Binary costs the server a third less than text does, and a number is the same
 * digits either way: numeric is digits of base 10,000, which are four of ours.
 *
 * source  PostgreSQL: numeric_recv and array_recv in src/backend/utils/adt,
 *         "COPY", "Binary Format"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	EPOCH_DAYS = 10957, /* 2000-01-01 */
	TEXT_OID = 25,
	NUMERIC_NEGATIVE = 0x4000,
	DIGITS_MAX = 64,
};

#define EPOCH_MICROS (INT64_C(86400000000) * EPOCH_DAYS)

/* --- to the wire ---------------------------------------------------------- */

void fl_pg_put16(struct fl_buf *out, uint16_t value)
{
	const char bytes[] = { (char)(value >> 8), (char)value };

	fl_buf_append(out, bytes, sizeof(bytes));
}

void fl_pg_put32(struct fl_buf *out, uint32_t value)
{
	const char bytes[] = { (char)(value >> 24), (char)(value >> 16),
			       (char)(value >> 8), (char)value };

	fl_buf_append(out, bytes, sizeof(bytes));
}

static void put64(struct fl_buf *out, uint64_t value)
{
	fl_pg_put32(out, (uint32_t)(value >> 32));
	fl_pg_put32(out, (uint32_t)value);
}

static void put_number(struct fl_buf *out, const char *text, size_t len)
{
	bool negative = len && *text == '-';
	const char *point = memchr(text, '.', len);
	const char *end = text + len;
	uint16_t digits[DIGITS_MAX];
	size_t count = 0, skip = 0, whole, fraction;
	int weight;

	text += negative;
	whole = (size_t)((point ? point : end) - text);
	fraction = point ? (size_t)(end - point - 1) : 0;
	if ((whole + 3) / 4 + (fraction + 3) / 4 > DIGITS_MAX)
		FL_BUG("a number is longer than a record's can be");
	weight = (int)((whole + 3) / 4) - 1;
	for (size_t i = 0; i < whole;) {
		size_t width = (whole - i - 1) % 4 + 1;
		unsigned digit = 0;

		for (size_t j = 0; j < width; j++)
			digit = digit * 10 + (unsigned)(text[i + j] - '0');
		digits[count++] = (uint16_t)digit;
		i += width;
	}
	for (size_t i = 0; i < fraction; i += 4) {
		unsigned digit = 0;

		for (size_t j = i; j < i + 4; j++)
			digit = digit * 10 +
				(j < fraction ? (unsigned)(point[1 + j] - '0')
					      : 0);
		digits[count++] = (uint16_t)digit;
	}
	while (skip < count && digits[skip] == 0)
		skip++, weight--;
	while (count > skip && digits[count - 1] == 0)
		count--;
	fl_pg_put16(out, (uint16_t)(count - skip));
	fl_pg_put16(out, (uint16_t)(count > skip ? weight : 0));
	fl_pg_put16(out, negative && count > skip ? NUMERIC_NEGATIVE : 0);
	fl_pg_put16(out, (uint16_t)fraction);
	for (size_t i = skip; i < count; i++)
		fl_pg_put16(out, digits[i]);
}

static void put_time(struct fl_buf *out, int64_t ns)
{
	int64_t rest = (ns % 1000 + 1000) % 1000;

	put64(out, (uint64_t)((ns - rest) / 1000 - EPOCH_MICROS));
}

static void put_rest(struct fl_buf *out, int rest)
{
	fl_pg_put16(out, (uint16_t)rest);
}

static void put_integer(struct fl_buf *out, int64_t value)
{
	put64(out, (uint64_t)value);
}

static void put_boolean(struct fl_buf *out, bool value)
{
	fl_buf_putc(out, value);
}

static void put_date(struct fl_buf *out, const char *text, size_t len)
{
	int64_t days = 0;

	if (!fl_date_parse(text, len, &days))
		FL_BUG("a checked date is none");
	fl_pg_put32(out, (uint32_t)(int32_t)(days - EPOCH_DAYS));
}

static void put_texts(struct fl_buf *out, const struct fl_json *json,
		      uint32_t at)
{
	uint32_t count = json->toks[at].len;

	fl_pg_put32(out, count ? 1 : 0); /* dimensions */
	fl_pg_put32(out, 0);             /* no NULL in it */
	fl_pg_put32(out, TEXT_OID);
	if (count) {
		fl_pg_put32(out, count);
		fl_pg_put32(out, 1); /* the first index */
	}
	for (uint32_t i = at + 1; i < json->toks[at].next; i++) {
		fl_pg_put32(out, json->toks[i].len);
		fl_buf_append(out, json->toks[i].text, json->toks[i].len);
	}
}

/* --- from the wire -------------------------------------------------------- */

static unsigned get16(const char *bytes)
{
	return (unsigned)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static uint32_t get32(const char *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static uint64_t get64(const char *bytes)
{
	return (uint64_t)get32(bytes) << 32 | get32(bytes + 4);
}

static int64_t time_of(struct fl_cell cell, int rest)
{
	int64_t micros = (int64_t)get64(cell.bytes), ns;

	/* What others put there may lie outside of what we can say. */
	if (__builtin_add_overflow(micros, EPOCH_MICROS, &micros) ||
	    __builtin_mul_overflow(micros, 1000, &ns) || ns > FL_TIME_MAX ||
	    ns < FL_TIME_MIN)
		return micros < 0 ? FL_TIME_MIN : FL_TIME_MAX;
	return ns + rest;
}

/* Four digits of ours, or of the first the ones that there are. */
static void print_digit(struct fl_buf *out, unsigned digit, bool first)
{
	char text[4] = { (char)('0' + digit / 1000),
			 (char)('0' + digit / 100 % 10),
			 (char)('0' + digit / 10 % 10),
			 (char)('0' + digit % 10) };
	size_t skip = 0;

	while (first && skip < 3 && text[skip] == '0')
		skip++;
	fl_buf_append(out, text + skip, sizeof(text) - skip);
}

static bool print_number(struct fl_buf *out, struct fl_cell cell)
{
	const char *bytes = cell.bytes;
	unsigned count = get16(bytes), sign = get16(bytes + 4);
	unsigned scale = get16(bytes + 6);
	int weight = (int16_t)get16(bytes + 2);
	size_t start;

	if (sign != 0 && sign != NUMERIC_NEGATIVE)
		return false;
	if (sign && count)
		fl_buf_putc(out, '-');
	if (weight < 0 || count == 0)
		fl_buf_putc(out, '0');
	for (int i = 0; count && i <= weight; i++) {
		unsigned digit = i < (int)count ? get16(bytes + 8 + 2 * i) : 0;

		print_digit(out, digit, i == 0);
	}
	if (scale == 0 || count == 0)
		return true;
	fl_buf_putc(out, '.');
	start = out->len;
	for (int i = weight + 1; out->len - start < scale; i++) {
		bool there = i >= 0 && i < (int)count;

		print_digit(out, there ? get16(bytes + 8 + 2 * i) : 0, false);
	}
	while (out->data[out->len - 1] == '0')
		out->len--;
	out->len -= out->data[out->len - 1] == '.';
	out->data[out->len] = '\0';
	return true;
}

static void print_texts(struct fl_buf *out, struct fl_cell cell)
{
	const char *bytes = cell.bytes;
	const char *end = bytes + cell.len;
	const char *at = bytes + 12 + 8 * (size_t)get32(bytes);

	fl_buf_putc(out, '[');
	for (bool first = true; at + 4 <= end; first = false) {
		uint32_t size = get32(at);

		at += 4;
		if (size == UINT32_MAX) /* somebody's NULL */
			continue;
		if (!first)
			fl_buf_putc(out, ',');
		fl_buf_json_string(out, at, size);
		at += size;
	}
	fl_buf_putc(out, ']');
}

static int64_t date_of(struct fl_cell cell)
{
	return (int64_t)(int32_t)get32(cell.bytes) + EPOCH_DAYS;
}

const struct fl_wire fl_pg_wire = {
	.put_number = put_number,
	.put_date = put_date,
	.put_integer = put_integer,
	.put_boolean = put_boolean,
	.put_time = put_time,
	.put_rest = put_rest,
	.put_texts = put_texts,
	.time = time_of,
	.date = date_of,
	.print_number = print_number,
	.print_texts = print_texts,
};

#endif
