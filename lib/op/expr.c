/* expr: libjq, with the digits that its doubles lose put back.
 *
 * jq 1.6 reads numbers as doubles. When the result equals the input the input's
 * bytes are passed; else a number of the result takes the text of an input
 * number with the same double, if there is one: that at the same place before
 * any other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/expr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "io/json.h"
#include "io/stream.h"

#ifdef FL_WITHOUT_JQ

int fl_expr_open(struct fl_expr **expr, const char *text, struct fl_error *err)
{
	(void)expr;
	(void)text;
	return fl_error_set(err, FL_ERR_USAGE,
			    "--jq is not in this build: libjq was missing");
}

enum fl_expr_result fl_expr_apply(struct fl_expr *expr, const char *bytes,
				  size_t len, struct fl_buf *out,
				  struct fl_note *note)
{
	(void)expr;
	(void)bytes;
	(void)len;
	(void)out;
	(void)note;
	return FL_EXPR_SAME;
}

void fl_expr_close(struct fl_expr **expr)
{
	(void)expr;
}

#else

#include <jq.h>

enum {
	PROGRAM_MAX = 1024 * 1024,
};

#define NOWHERE UINT32_MAX /* a place that the input has not */

struct number {
	double value;
	uint32_t at; /* token */
};

struct fl_expr {
	jq_state *jq;
	struct fl_json json;    /* the input, for its numbers' text */
	struct number *numbers; /* of the input, by value; when asked for */
	uint32_t count, cap;
	bool sorted;
	struct fl_buf complaint; /* what jq said last */
};

/* jq would abort. Its handler is the thread's, and jq_start sets it to what the
 * program was told. */
static void no_memory(void *arg)
{
	(void)arg;
	fl_out_of_memory();
}

static void complain(void *arg, jv message)
{
	struct fl_expr *expr = arg;
	jv text = jv_is_valid(message) && jv_get_kind(message) == JV_KIND_STRING
			  ? message
			  : jq_format_error(message);

	/* The first says it; what follows counts the errors. */
	if (expr->complaint.len == 0)
		fl_buf_append(&expr->complaint, jv_string_value(text),
			      (size_t)jv_string_length_bytes(jv_copy(text)));
	jv_free(text);
}

static int read_program(const char *path, struct fl_buf *program,
			struct fl_error *err)
{
	struct fl_stream *in = NULL;
	char part[4096];
	ssize_t got;

	program->max = PROGRAM_MAX;
	if (fl_stream_open(&in, path, err) < 0)
		return -1;
	while ((got = fl_stream_read(in, part, sizeof(part), err)) > 0)
		fl_buf_append(program, part, (size_t)got);
	fl_stream_close(&in);
	if (got == 0 && program->over)
		return fl_error_set(err, FL_ERR_DATA,
				    "'%s' is larger than a program can be",
				    path);
	return got < 0 ? -1 : 0;
}

int fl_expr_open(struct fl_expr **out, const char *text, struct fl_error *err)
{
	struct fl_expr *expr = fl_zalloc(sizeof(*expr));
	struct fl_buf program = FL_BUF_INIT;
	int result = 0;

	if (text[0] == '@')
		result = read_program(text + 1, &program, err);
	else
		fl_buf_puts(&program, text);
	jv_nomem_handler(no_memory, NULL);
	if (result == 0) {
		expr->jq = jq_init();
		if (!expr->jq)
			result = fl_error_set(err, FL_ERR_AGAIN,
					      "out of memory");
	}
	if (result == 0) {
		jq_set_nomem_handler(expr->jq, no_memory, NULL);
		jq_set_error_cb(expr->jq, complain, expr);
		if (!jq_compile(expr->jq, fl_buf_text(&program))) {
			char *said = fl_buf_take(&expr->complaint);
			const char *from = said;

			if (strncmp(from, "jq: ", 4) == 0)
				from += 4;
			result = fl_error_set(err, FL_ERR_USAGE,
					      "--jq '%s': %.*s",
					      fl_show(text, strlen(text), 80),
					      (int)strcspn(from, "\n"), from);
			free(said);
		}
	}
	fl_buf_release(&program);
	if (result < 0)
		fl_expr_close(&expr);
	*out = expr;
	return result;
}

/* What jq makes of the number at the token; false when that is no matter. */
static bool read_double(const struct fl_json_tok *tok, double *value)
{
	char digits[512];

	if (tok->kind != FL_JSON_NUMBER || tok->len >= sizeof(digits))
		return false;
	memcpy(digits, tok->text, tok->len);
	digits[tok->len] = '\0';
	*value = strtod(digits, NULL);
	return true;
}

static int by_value(const void *left, const void *right)
{
	const struct number *a = left, *b = right;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static void sort_numbers(struct fl_expr *expr)
{
	const struct fl_json *json = &expr->json;

	expr->sorted = true;
	expr->count = 0;
	if (expr->cap < json->count) {
		expr->cap = json->count;
		expr->numbers = fl_realloc(expr->numbers, expr->cap,
					   sizeof(*expr->numbers));
	}
	for (uint32_t i = 0; i < json->count; i++) {
		struct number *number = &expr->numbers[expr->count];

		number->at = i;
		expr->count += read_double(&json->toks[i], &number->value);
	}
	qsort(expr->numbers, expr->count, sizeof(*expr->numbers), by_value);
}

/* The input's text of a number with this double: that at `at`, or the first. */
static const struct fl_json_tok *find_number(struct fl_expr *expr, double value,
					     uint32_t at)
{
	const struct fl_json_tok *toks = expr->json.toks;
	uint32_t low = 0, high;
	double there;

	if (at != NOWHERE && read_double(&toks[at], &there) && there == value)
		return &toks[at];
	if (!expr->sorted)
		sort_numbers(expr);
	high = expr->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (expr->numbers[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < expr->count && expr->numbers[low].value == value
		       ? &toks[expr->numbers[low].at]
		       : NULL;
}

static void print_number(struct fl_expr *expr, double value, uint32_t at,
			 struct fl_buf *out)
{
	const struct fl_json_tok *tok = find_number(expr, value, at);
	char text[FL_DECIMAL_TEXT];
	struct fl_decimal decimal;

	if (tok)
		fl_buf_append(out, tok->text, tok->len);
	else if (fl_decimal_from_double(value, &decimal))
		fl_buf_append(out, text, fl_decimal_print(decimal, text));
	else if (value - value != 0) /* jq prints NaN as null as well */
		fl_buf_puts(out, "null");
	else
		fl_buf_printf(out, "%.17g", value);
}

static void print_string(jv text, struct fl_buf *out)
{
	fl_buf_json_string(out, jv_string_value(text),
			   (size_t)jv_string_length_bytes(jv_copy(text)));
}

/* The token of a member's value. Most members stand where the input had them,
 * so the search begins at *next, behind the one that was found last. */
static uint32_t find_member(const struct fl_json *json, uint32_t object, jv key,
			    uint32_t *next)
{
	const char *text = jv_string_value(key);
	size_t len = (size_t)jv_string_length_bytes(jv_copy(key));
	const struct fl_json_tok *toks = json->toks;
	uint32_t at;

	if (object == NOWHERE || toks[object].kind != FL_JSON_OBJECT)
		return NOWHERE;
	if (*next < toks[object].next && fl_json_is(&toks[*next], text, len))
		at = *next + 1;
	else
		at = fl_json_find(json, object, text, len);
	if (!at)
		return NOWHERE;
	*next = toks[at].next;
	return at;
}

static void print(struct fl_expr *expr, jv value, uint32_t at,
		  struct fl_buf *out);

static void print_array(struct fl_expr *expr, jv value, uint32_t at,
			struct fl_buf *out)
{
	const struct fl_json_tok *toks = expr->json.toks;
	uint32_t element = NOWHERE, end = 0;
	int length = jv_array_length(jv_copy(value));

	if (at != NOWHERE && toks[at].kind == FL_JSON_ARRAY) {
		element = at + 1;
		end = toks[at].next;
	}
	fl_buf_putc(out, '[');
	for (int i = 0; i < length; i++) {
		jv each = jv_array_get(jv_copy(value), i);

		if (i)
			fl_buf_putc(out, ',');
		print(expr, each, element < end ? element : NOWHERE, out);
		if (element < end)
			element = toks[element].next;
		jv_free(each);
	}
	fl_buf_putc(out, ']');
}

static void print_object(struct fl_expr *expr, jv value, uint32_t at,
			 struct fl_buf *out)
{
	uint32_t next = at == NOWHERE ? 0 : at + 1;
	bool first = true;

	fl_buf_putc(out, '{');
	for (int i = jv_object_iter(value); jv_object_iter_valid(value, i);
	     i = jv_object_iter_next(value, i)) {
		jv key = jv_object_iter_key(value, i);
		jv member = jv_object_iter_value(value, i);

		if (!first)
			fl_buf_putc(out, ',');
		first = false;
		print_string(key, out);
		fl_buf_putc(out, ':');
		print(expr, member, find_member(&expr->json, at, key, &next),
		      out);
		jv_free(key);
		jv_free(member);
	}
	fl_buf_putc(out, '}');
}

/* Print what stands, if it was there before, at the token `at` of the input.
 * Borrows `value`. */
static void print(struct fl_expr *expr, jv value, uint32_t at,
		  struct fl_buf *out)
{
	switch (jv_get_kind(value)) {
	case JV_KIND_NUMBER:
		print_number(expr, jv_number_value(value), at, out);
		return;
	case JV_KIND_STRING:
		print_string(value, out);
		return;
	case JV_KIND_TRUE:
		fl_buf_puts(out, "true");
		return;
	case JV_KIND_FALSE:
		fl_buf_puts(out, "false");
		return;
	case JV_KIND_ARRAY:
		print_array(expr, value, at, out);
		return;
	case JV_KIND_OBJECT:
		print_object(expr, value, at, out);
		return;
	default:
		fl_buf_puts(out, "null");
	}
}

static void note_failure(struct fl_note *note, jv failure)
{
	jv message = jv_invalid_get_msg(failure);
	const char *text = "the program stopped";

	if (jv_get_kind(message) == JV_KIND_STRING)
		text = jv_string_value(message);
	fl_note_set(note, "", "%s", text);
	jv_free(message);
}

enum fl_expr_result fl_expr_apply(struct fl_expr *expr, const char *bytes,
				  size_t len, struct fl_buf *out,
				  struct fl_note *note)
{
	enum fl_expr_result result;
	struct fl_note ignored;
	jv input, value, more;

	jv_nomem_handler(no_memory, NULL);
	expr->sorted = false;
	/* jq mends in silence what the check must refuse: NaN, a key that
	 * stands twice, half a surrogate pair. */
	if (fl_json_parse(&expr->json, bytes, len, &ignored) != FL_REASON_NONE)
		return FL_EXPR_SAME;
	input = jv_parse_sized(bytes, (int)len);
	if (!jv_is_valid(input)) {
		jv_free(input);
		return FL_EXPR_SAME;
	}
	jq_start(expr->jq, jv_copy(input), 0);
	value = jq_next(expr->jq);
	if (!jv_is_valid(value)) {
		if (jv_invalid_has_msg(jv_copy(value)) || jq_halted(expr->jq)) {
			note_failure(note, jv_copy(value));
			result = FL_EXPR_FAILED;
		} else {
			result = FL_EXPR_NOTHING;
		}
	} else if (jv_is_valid(more = jq_next(expr->jq))) {
		jv_free(more);
		fl_note_set(note, "", "more than one result for one record");
		result = FL_EXPR_FAILED;
	} else {
		bool failed = jv_invalid_has_msg(jv_copy(more));

		if (failed)
			note_failure(note, jv_copy(more));
		jv_free(more);
		if (failed) {
			result = FL_EXPR_FAILED;
		} else if (jv_equal(jv_copy(value), jv_copy(input))) {
			result = FL_EXPR_SAME;
		} else {
			print(expr, value, 0, out);
			result = FL_EXPR_CHANGED;
		}
	}
	jv_free(value);
	jv_free(input);
	return result;
}

void fl_expr_close(struct fl_expr **out)
{
	struct fl_expr *expr = *out;

	*out = NULL;
	if (!expr)
		return;
	if (expr->jq)
		jq_teardown(&expr->jq);
	fl_json_release(&expr->json);
	free(expr->numbers);
	fl_buf_release(&expr->complaint);
	free(expr);
}

#endif
