/* canonical: records printed anew, whole or only where they must change.
 *
 * Normalising edits the line in place of rewriting it: what a command does not
 * have to change stays as its maker wrote it, byte for byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/short.h"
#include "base/time.h"
#include "rec/number.h"
#include "rec/record.h"
#include "rec/shape.h"
#include "rec/subunit.h"

void fl_number_print(const char *text, size_t len, struct fl_buf *out)
{
	char digits[FL_DECIMAL_TEXT];
	struct fl_decimal value;

	if (fl_number_look(text, (uint32_t)len).plain ||
	    fl_decimal_parse(text, len, &value) != FL_DECIMAL_EXACT) {
		fl_buf_append(out, text, len);
		return;
	}
	len = fl_decimal_print(value, digits);
	fl_buf_append(out, digits, len);
}

/* Any value without blanks and with canonical numbers. */
static void print_any(const struct fl_json *json, uint32_t at,
		      struct fl_buf *out)
{
	const struct fl_json_tok *toks = json->toks, *tok = &toks[at];
	uint32_t i = at + 1;

	if (tok->kind == FL_JSON_NUMBER) {
		fl_number_print(tok->text, tok->len, out);
	} else if (tok->kind == FL_JSON_ARRAY) {
		fl_buf_putc(out, '[');
		for (; i < tok->next; i = toks[i].next) {
			if (i > at + 1)
				fl_buf_putc(out, ',');
			print_any(json, i, out);
		}
		fl_buf_putc(out, ']');
	} else if (tok->kind == FL_JSON_OBJECT) {
		fl_buf_putc(out, '{');
		for (; i < tok->next; i = toks[i + 1].next) {
			if (i > at + 1)
				fl_buf_putc(out, ',');
			fl_json_print(json, i, out);
			fl_buf_putc(out, ':');
			print_any(json, i + 1, out);
		}
		fl_buf_putc(out, '}');
	} else {
		fl_json_print(json, at, out);
	}
}

static const struct fl_subunit *subunit_of(const struct fl_record *rec)
{
	const struct fl_json_tok *tok;

	if (!(rec->fixes & FL_FIX_SUBUNIT))
		return NULL;
	tok = fl_record_value(rec, "currency");
	return tok ? fl_subunit_find(tok->text, tok->len) : NULL;
}

static bool is_money(const struct fl_field *field)
{
	return field->unit == FL_UNIT_PRICE || field->unit == FL_UNIT_MONEY;
}

/* A known field's value, mended and in canonical form. */
static void print_field(const struct fl_record *rec, int index,
			const struct fl_subunit *subunit, struct fl_buf *out)
{
	const struct fl_field *field = &rec->type->fields[index];
	uint32_t at = rec->at[index];
	const struct fl_json_tok *tok = &rec->json->toks[at];
	char text[FL_TIME_TEXT + FL_DECIMAL_TEXT];
	struct fl_interval interval;
	struct fl_decimal value;
	struct fl_sum sum;
	int64_t ns;

	switch (field->kind) {
	case FL_NUMBER:
		if (!(subunit && is_money(field)) &&
		    fl_number_look(tok->text, tok->len).plain)
			break;
		if (fl_decimal_parse(tok->text, tok->len, &value) < 0)
			break;
		if (subunit && is_money(field))
			fl_decimal_mul(value, subunit->scale, &value);
		fl_buf_append(out, text, fl_decimal_print(value, text));
		return;
	case FL_SUM:
		if (fl_sum_parse(tok->text, tok->len, &sum) < 0)
			break;
		if (subunit && is_money(field) &&
		    fl_decimal_parse(tok->text, tok->len, &value) >= 0) {
			sum.nano = 0;
			fl_sum_add_product(&sum, value, subunit->scale);
		}
		fl_buf_append(out, text, fl_sum_print(sum, text));
		return;
	case FL_INTEGER:
		if (!fl_number_look(tok->text, tok->len).whole &&
		    fl_integer_parse(tok->text, tok->len, &ns)) {
			fl_buf_printf(out, "%lld", (long long)ns);
			return;
		}
		break;
	case FL_TIME:
		if (fl_time_parse(tok->text, tok->len, &ns) == FL_TIME_BAD)
			break;
		fl_buf_putc(out, '"');
		fl_buf_append(out, text, fl_time_print(ns, text));
		fl_buf_putc(out, '"');
		return;
	case FL_STRING:
		if (field->form == FL_FORM_CURRENCY && subunit) {
			fl_buf_json_string(out, subunit->main, 3);
			return;
		}
		if (field->form == FL_FORM_SYMBOL &&
		    (rec->fixes & FL_FIX_SYMBOL)) {
			char *upper = fl_strndup(tok->text, tok->len);

			for (char *p = upper; *p; p++) {
				if (*p >= 'a' && *p <= 'z')
					*p = (char)(*p - 'a' + 'A');
			}
			fl_buf_json_string(out, upper, tok->len);
			free(upper);
			return;
		}
		if (field->form == FL_FORM_INTERVAL &&
		    fl_record_interval(tok, &interval)) {
			fl_buf_json_string(out, interval.text,
					   strlen(interval.text));
			return;
		}
		break;
	default:
		break;
	}
	print_any(rec->json, at, out);
}

/* Where the value stands in the line: rec->bytes[*from, *to). */
static void find_span(const struct fl_record *rec, uint32_t at, size_t *from,
		      size_t *to)
{
	const struct fl_json_tok *tok = &rec->json->toks[at];
	size_t start = (size_t)(tok->text - rec->json->copy), end;

	if (rec->bytes[start > 0 ? start - 1 : 0] != '"') {
		*from = start;
		*to = start + tok->len;
		return;
	}
	for (end = start; rec->bytes[end] != '"'; end++) {
		if (rec->bytes[end] == '\\')
			end++;
	}
	*from = start - 1;
	*to = end + 1;
}

/* Must this field be written anew? Only what normalising is for: spelling that
 * is merely not canonical (1.50) stays. */
static bool needs_fix(const struct fl_record *rec, int index,
		      const struct fl_subunit *subunit)
{
	const struct fl_field *field = &rec->type->fields[index];
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[index]];
	struct fl_decimal value;
	struct fl_sum sum;
	int64_t ns;

	switch (field->kind) {
	case FL_TIME:
		return (rec->fixes & FL_FIX_TIME) &&
		       fl_time_parse(tok->text, tok->len, &ns) ==
			       FL_TIME_FOREIGN;
	case FL_NUMBER:
	case FL_SUM:
		if (subunit && is_money(field))
			return true;
		if ((rec->fixes & FL_FIX_COERCE) &&
		    rec->bytes[tok->text - rec->json->copy - 1] == '"')
			return true;
		if (!(rec->fixes & FL_FIX_ROUND))
			return false;
		return (field->kind == FL_SUM
				? fl_sum_parse(tok->text, tok->len, &sum)
				: fl_decimal_parse(tok->text, tok->len,
						   &value)) ==
		       FL_DECIMAL_ROUNDED;
	case FL_INTEGER:
		return (rec->fixes & FL_FIX_COERCE) &&
		       rec->bytes[tok->text - rec->json->copy - 1] == '"';
	case FL_STRING:
		return (field->form == FL_FORM_SYMBOL &&
			(rec->fixes & FL_FIX_SYMBOL)) ||
		       (field->form == FL_FORM_CURRENCY && subunit) ||
		       (field->form == FL_FORM_INTERVAL &&
			(rec->fixes & FL_FIX_INTERVAL));
	default:
		return false;
	}
}

struct edit {
	size_t from, to;
	int index;
};

static int by_place(const void *a, const void *b)
{
	const struct edit *left = a, *right = b;

	return left->from < right->from ? -1 : left->from > right->from;
}

void fl_record_normalise(const struct fl_record *rec, struct fl_buf *out)
{
	const struct fl_field *fields = rec->type->fields;
	const struct fl_subunit *subunit = subunit_of(rec);
	struct edit edits[FL_FIELDS_MAX];
	size_t count = 0, from = 0, end = rec->len;

	for (int i = 0; fields[i].path; i++) {
		if (!rec->at[i] || !needs_fix(rec, i, subunit))
			continue;
		edits[count].index = i;
		find_span(rec, rec->at[i], &edits[count].from,
			  &edits[count].to);
		count++;
	}
	qsort(edits, count, sizeof(*edits), by_place);
	for (size_t i = 0; i < count; i++) {
		fl_buf_append(out, rec->bytes + from, edits[i].from - from);
		print_field(rec, edits[i].index, subunit, out);
		from = edits[i].to;
	}
	if (subunit && !fl_record_value(rec, "currency_src")) {
		char scale[FL_DECIMAL_TEXT];

		while (rec->bytes[end - 1] != '}')
			end--;
		fl_buf_append(out, rec->bytes + from, end - 1 - from);
		fl_buf_printf(out, ",\"currency_src\":\"%s\"", subunit->code);
		if (!fl_record_value(rec, "price_scale")) {
			fl_decimal_print(subunit->scale, scale);
			fl_buf_printf(out, ",\"price_scale\":%s", scale);
		}
		from = end - 1;
	}
	fl_buf_append(out, rec->bytes + from, rec->len - from);
}

/* Unknown members, each with a comma before it. */
static void print_unknown(const struct fl_record *rec, struct fl_buf *out)
{
	const struct fl_json_tok *toks = rec->json->toks;

	for (uint32_t i = 1; i < toks[0].next; i = toks[i + 1].next) {
		if (fl_type_member(rec->type, toks[i].text, toks[i].len) >= 0)
			continue;
		fl_buf_putc(out, ',');
		fl_json_print(rec->json, i, out);
		fl_buf_putc(out, ':');
		print_any(rec->json, i + 1, out);
	}
}

/* How a plain value is written: its bytes in the line. */
static const char *plain_value(const struct fl_json_tok *tok, size_t *len)
{
	if (tok->kind == FL_JSON_STRING) {
		*len = (size_t)tok->len + 2;
		return tok->text - 1;
	}
	*len = tok->kind == FL_JSON_TRUE    ? 4
	       : tok->kind == FL_JSON_FALSE ? 5
					    : tok->len;
	return tok->text;
}

bool fl_record_is_canonical(const struct fl_record *rec)
{
	const struct fl_shape *shape = fl_type_shape(rec->type);
	size_t len = 1, value;
	uint32_t last = 0;

	if (!rec->plain || rec->fixes)
		return false;
	/* In the order of the table, and as long as it is without blanks. */
	for (uint32_t i = 0; i < shape->count; i++) {
		uint32_t at = rec->at[i];

		if (!at)
			continue;
		if (at < last)
			return false;
		last = at;
		plain_value(&rec->json->toks[at], &value);
		len += shape->path_len[i] + value + sizeof(",\"\":") - 1;
	}
	return len == rec->len;
}

/* Of a plain record the members only change places. */
static void reorder(const struct fl_record *rec, const struct fl_shape *shape,
		    struct fl_buf *out)
{
	char *p;

	if (!fl_buf_reserve(out, rec->len))
		return;
	p = out->data + out->len;
	for (uint32_t i = 0; i < shape->count; i++) {
		const struct fl_json_tok *tok = &rec->json->toks[rec->at[i]];
		const char *value;
		size_t len;

		if (!rec->at[i])
			continue;
		value = plain_value(tok, &len);
		*p++ = ',';
		fl_short_copy(p, tok[-1].text - 1, tok[-1].len + 2);
		p += tok[-1].len + 2;
		*p++ = ':';
		fl_short_copy(p, value, len);
		p += len;
	}
	out->data[out->len] = '{';
	*p++ = '}';
	*p = '\0';
	out->len = (size_t)(p - out->data);
}

void fl_record_canonical(const struct fl_record *rec, struct fl_buf *out)
{
	const struct fl_shape *shape = fl_type_shape(rec->type);
	const struct fl_subunit *subunit = subunit_of(rec);
	const struct fl_field *fields = rec->type->fields;
	char before = '{';

	if (rec->plain && !rec->fixes) {
		reorder(rec, shape, out);
		return;
	}
	for (int i = 0; fields[i].path; i++) {
		const char *path = fields[i].path;
		uint32_t at = rec->at[i];

		if (shape->dotted[i]) /* goes with its object */
			continue;
		/* A conversion that is said by the record itself. */
		if (!at && subunit && strcmp(path, "currency_src") == 0) {
			fl_buf_printf(out, "%c\"currency_src\":\"%s\"", before,
				      subunit->code);
			continue;
		}
		if (!at && subunit && strcmp(path, "price_scale") == 0) {
			char scale[FL_DECIMAL_TEXT];

			fl_decimal_print(subunit->scale, scale);
			fl_buf_printf(out, "%c\"price_scale\":%s", before,
				      scale);
			continue;
		}
		if (!at)
			continue;
		fl_buf_putc(out, before);
		before = ',';
		fl_buf_json_string(out, path, shape->path_len[i]);
		fl_buf_putc(out, ':');
		print_field(rec, i, subunit, out);
	}
	print_unknown(rec, out);
	fl_buf_putc(out, '}');
}

void fl_record_print(const struct fl_record *rec, int field, struct fl_buf *out)
{
	print_field(rec, field, NULL, out);
}

void fl_record_extra(const struct fl_record *rec, struct fl_buf *out)
{
	size_t start = out->len;

	print_unknown(rec, out);
	if (out->len == start)
		return;
	out->data[start] = '{';
	fl_buf_putc(out, '}');
}

const struct fl_record *fl_record_mend(const struct fl_record *rec,
				       struct fl_buf *text,
				       struct fl_json *json,
				       struct fl_record *out)
{
	struct fl_note note;

	fl_buf_reset(text);
	fl_record_canonical(rec, text);
	*out = *rec;
	out->bytes = text->data;
	out->len = text->len;
	if (fl_record_check(out, json, &note) != FL_REASON_NONE)
		FL_BUG("a record is not valid in its canonical form");
	return out;
}
