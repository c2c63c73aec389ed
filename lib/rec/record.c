/* record: one line parsed, typed and checked against its field table.
 *
 * The first fault found is the reason: JSON first, then the type, then known
 * fields in the order of the line, then what is missing, then the type's own
 * rules across fields.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/record.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "rec/forms.h"
#include "rec/mark.h"
#include "rec/number.h"
#include "rec/row.h"
#include "rec/scan.h"
#include "rec/shape.h"

enum {
	PATH_MAX_BYTES = 64, /* of a dotted path; longer ones are unknown */
};

struct checker {
	struct fl_record *rec;
	struct fl_json *json;
	struct fl_note *note;
	const struct fl_shape *shape; /* of the record's type */
	bool coerce;
};

/* "\"12\", a string": the value at fault and its kind, for the note. */
static const char *show_value(const struct fl_json_tok *tok, char text[160])
{
	switch (tok->kind) {
	case FL_JSON_NULL:
		return "null";
	case FL_JSON_FALSE:
		return "false";
	case FL_JSON_TRUE:
		return "true";
	case FL_JSON_NUMBER:
		return fl_show(tok->text, tok->len, 60);
	case FL_JSON_STRING:
		snprintf(text, 160, "\"%s\"", fl_show(tok->text, tok->len, 60));
		return text;
	case FL_JSON_ARRAY:
		return "an array";
	case FL_JSON_OBJECT:
		return "an object";
	}
	return "";
}

static enum fl_reason fault(struct checker *c, enum fl_reason reason,
			    const struct fl_field *field,
			    const struct fl_json_tok *tok, const char *wanted)
{
	char text[160];

	fl_note_set(c->note, field->path, "'%s' is %s, not %s", field->path,
		    show_value(tok, text), wanted);
	return reason;
}

static enum fl_reason check_range(struct checker *c,
				  const struct fl_field *field,
				  const struct fl_json_tok *tok,
				  const struct fl_look *look)
{
	struct fl_decimal value, limit;

	switch (field->range) {
	case FL_ANY:
		return FL_REASON_NONE;
	case FL_POSITIVE:
		if (!look->negative && !look->zero)
			return FL_REASON_NONE;
		return fault(c, FL_REASON_out_of_range, field, tok, "above 0");
	case FL_NON_NEGATIVE:
		if (!look->negative || look->zero)
			return FL_REASON_NONE;
		return fault(c, FL_REASON_out_of_range, field, tok,
			     "0 or above");
	case FL_UNIT_SPAN:
	case FL_PORT:
		limit = fl_decimal_from_i64(field->range == FL_PORT ? 65535
								    : 1);
		if (fl_decimal_parse(tok->text, tok->len, &value) >= 0 &&
		    fl_decimal_cmp(value, limit) <= 0) {
			limit = fl_decimal_from_i64(
				field->range == FL_PORT ? 0 : -1);
			if (fl_decimal_cmp(value, limit) >= 0)
				return FL_REASON_NONE;
		}
		return fault(c, FL_REASON_out_of_range, field, tok,
			     field->range == FL_PORT ? "0 to 65535"
						     : "-1 to 1");
	}
	return FL_REASON_NONE;
}

/* Is the string a JSON number from end to end? Then let it pass as one. */
static bool coerce(struct checker *c, struct fl_json_tok *tok)
{
	struct fl_decimal value;

	if (!c->coerce || tok->kind != FL_JSON_STRING ||
	    fl_decimal_parse(tok->text, tok->len, &value) == FL_DECIMAL_BAD)
		return false;
	tok->kind = FL_JSON_NUMBER;
	c->rec->fixes |= FL_FIX_COERCE;
	return true;
}

/* Something else where a number belongs; a string may hold one all the same. */
static enum fl_reason no_number(struct checker *c, const struct fl_field *field,
				const struct fl_json_tok *tok)
{
	struct fl_decimal value;
	char text[160];

	if (tok->kind != FL_JSON_STRING ||
	    fl_decimal_parse(tok->text, tok->len, &value) == FL_DECIMAL_BAD)
		return fault(c, FL_REASON_bad_type, field, tok, "a number");
	fl_note_set(c->note, field->path,
		    "'%s' is %s, a string (--coerce reads it)", field->path,
		    show_value(tok, text));
	return FL_REASON_bad_type;
}

static enum fl_reason check_number(struct checker *c,
				   const struct fl_field *field,
				   struct fl_json_tok *tok)
{
	struct fl_look look;

	if (tok->kind != FL_JSON_NUMBER && !coerce(c, tok))
		return no_number(c, field, tok);
	look = fl_number_look(tok->text, tok->len);
	if (!look.plain || field->kind == FL_SUM) {
		struct fl_decimal value;
		struct fl_sum sum;
		enum fl_decimal_read got =
			field->kind == FL_SUM
				? fl_sum_parse(tok->text, tok->len, &sum)
				: fl_decimal_parse(tok->text, tok->len, &value);

		if (got < 0)
			return fault(c, FL_REASON_out_of_range, field, tok,
				     "within 18 digits and 18 decimals");
		if (got == FL_DECIMAL_ROUNDED)
			c->rec->fixes |= FL_FIX_ROUND;
		/* 1e-30 looks positive and is kept as 0. */
		if (field->kind == FL_NUMBER && value.mant == 0)
			look.zero = true;
	}
	return check_range(c, field, tok, &look);
}

static enum fl_reason check_integer(struct checker *c,
				    const struct fl_field *field,
				    struct fl_json_tok *tok)
{
	struct fl_look look;

	if (tok->kind != FL_JSON_NUMBER && !coerce(c, tok))
		return no_number(c, field, tok);
	look = fl_number_look(tok->text, tok->len);
	if (!look.whole) {
		int64_t value;

		if (!fl_integer_parse(tok->text, tok->len, &value))
			return fault(c, FL_REASON_bad_number, field, tok,
				     "a whole number of 64 bits");
	}
	return check_range(c, field, tok, &look);
}

static enum fl_reason check_string(struct checker *c,
				   const struct fl_field *field,
				   const struct fl_json_tok *tok)
{
	const char *wanted;

	if (tok->kind != FL_JSON_STRING)
		return fault(c, FL_REASON_bad_type, field, tok, "a string");
	if (field->words && !fl_form_in_words(field->words, tok)) {
		fault(c, FL_REASON_out_of_range, field, tok,
		      "a word the field knows");
		return FL_REASON_out_of_range;
	}
	if (field->form == FL_FORM_NONE)
		return FL_REASON_NONE;
	wanted = fl_form_check(field->form, tok, &c->rec->fixes);
	return wanted ? fault(c, FL_REASON_out_of_range, field, tok, wanted)
		      : FL_REASON_NONE;
}

static enum fl_reason check_time(struct checker *c,
				 const struct fl_field *field,
				 const struct fl_json_tok *tok)
{
	enum fl_time_read got;
	int64_t ns;

	if (tok->kind != FL_JSON_STRING)
		return fault(c, FL_REASON_bad_type, field, tok, "a string");
	got = fl_time_parse(tok->text, tok->len, &ns);
	if (got == FL_TIME_BAD)
		return fault(c, FL_REASON_bad_time, field, tok,
			     "an RFC 3339 time");
	if (got == FL_TIME_FOREIGN)
		c->rec->fixes |= FL_FIX_TIME;
	if (field == &c->rec->type->fields[c->shape->ts])
		c->rec->ts_ns = ns;
	return FL_REASON_NONE;
}

static enum fl_reason check_date(struct checker *c,
				 const struct fl_field *field,
				 const struct fl_json_tok *tok)
{
	int64_t days;

	if (tok->kind != FL_JSON_STRING)
		return fault(c, FL_REASON_bad_type, field, tok, "a string");
	if (!fl_date_parse(tok->text, tok->len, &days))
		return fault(c, FL_REASON_bad_time, field, tok,
			     "a date, YYYY-MM-DD");
	return FL_REASON_NONE;
}

static enum fl_reason check_array(struct checker *c,
				  const struct fl_field *field, uint32_t at,
				  enum fl_json_kind kind)
{
	const struct fl_json_tok *toks = c->json->toks;

	if (toks[at].kind != FL_JSON_ARRAY)
		return fault(c, FL_REASON_bad_type, field, &toks[at],
			     "an array");
	for (uint32_t i = at + 1; i < toks[at].next; i = toks[i].next) {
		if (toks[i].kind != kind)
			return fault(c, FL_REASON_bad_type, field, &toks[i],
				     kind == FL_JSON_STRING ? "a string"
							    : "an object");
	}
	return FL_REASON_NONE;
}

static enum fl_reason check_value(struct checker *c,
				  const struct fl_field *field, uint32_t at)
{
	struct fl_json_tok *tok = &c->json->toks[at];

	switch (field->kind) {
	case FL_STRING:
		return check_string(c, field, tok);
	case FL_NUMBER:
	case FL_SUM:
		return check_number(c, field, tok);
	case FL_INTEGER:
		return check_integer(c, field, tok);
	case FL_BOOLEAN:
		if (tok->kind == FL_JSON_TRUE || tok->kind == FL_JSON_FALSE)
			return FL_REASON_NONE;
		return fault(c, FL_REASON_bad_type, field, tok,
			     "true or false");
	case FL_TIME:
		return check_time(c, field, tok);
	case FL_DATE:
		return check_date(c, field, tok);
	case FL_STRINGS:
		return check_array(c, field, at, FL_JSON_STRING);
	case FL_OBJECTS:
		return check_array(c, field, at, FL_JSON_OBJECT);
	case FL_OBJECT:
		if (tok->kind == FL_JSON_OBJECT)
			return FL_REASON_NONE;
		return fault(c, FL_REASON_bad_type, field, tok, "an object");
	}
	return FL_REASON_NONE;
}

/* Check the members of the object at `at`, whose path is path[len] ("" for the
 * record itself), and those of objects in it that the table reaches into. */
static enum fl_reason check_members(struct checker *c, uint32_t at, char *path,
				    size_t len)
{
	struct fl_record *rec = c->rec;
	const struct fl_json_tok *toks = c->json->toks;
	uint32_t end = toks[at].next;

	for (uint32_t i = at + 1; i < end; i = toks[i + 1].next) {
		const struct fl_json_tok *key = &toks[i];
		const char *name = key->text;
		size_t name_len = key->len;
		enum fl_reason reason;
		int field;

		if (len + 1 + name_len >= PATH_MAX_BYTES)
			continue;
		if (len || toks[i + 1].kind == FL_JSON_OBJECT) {
			if (len)
				path[len] = '.';
			memcpy(path + len + (len > 0), name, name_len);
			name = path;
			name_len += len + (len > 0);
		}
		field = memchr(key->text, '.', key->len)
				? -1
				: fl_type_field(rec->type, name, name_len);
		if (field >= 0 && toks[i + 1].kind != FL_JSON_NULL) {
			rec->at[field] = i + 1;
			reason = check_value(c, &rec->type->fields[field],
					     i + 1);
			if (reason != FL_REASON_NONE)
				return reason;
		}
		if (toks[i + 1].kind == FL_JSON_OBJECT && rec->type->nested) {
			reason = check_members(c, i + 1, path, name_len);
			if (reason != FL_REASON_NONE)
				return reason;
		}
	}
	return FL_REASON_NONE;
}

static enum fl_reason find_type(struct checker *c)
{
	const struct fl_json_tok *toks = c->json->toks, *type;
	uint32_t at;

	if (toks[0].kind != FL_JSON_OBJECT) {
		fl_note_set(c->note, "", "not an object");
		return FL_REASON_not_object;
	}
	at = fl_json_find(c->json, 0, "type", 4);
	type = &toks[at];
	if (at == 0 || type->kind == FL_JSON_NULL) {
		fl_note_set(c->note, "type", "'type' is missing");
		return FL_REASON_missing_field;
	}
	if (type->kind != FL_JSON_STRING) {
		fl_note_set(c->note, "type", "'type' is not a string");
		return FL_REASON_bad_type;
	}
	c->rec->type = fl_type_find(type->text, type->len);
	if (c->rec->type) {
		c->shape = fl_type_shape(c->rec->type);
		return FL_REASON_NONE;
	}
	if (fl_json_is(type, "mark", 4)) {
		fl_note_set(c->note, "type",
			    "a mark stands in data that may hold none");
		return FL_REASON_unexpected_mark;
	}
	fl_note_set(c->note, "type", "no record type '%s'",
		    fl_show(type->text, type->len, 60));
	return FL_REASON_unknown_type;
}

/* What no field says alone: the type's own rules, and what is missing. */
static enum fl_reason check_whole(const struct fl_record *rec,
				  const struct fl_shape *shape,
				  struct fl_note *note)
{
	const struct fl_type *type = rec->type;

	if (type->check_first) {
		enum fl_reason reason = type->check_first(rec, note);

		if (reason != FL_REASON_NONE)
			return reason;
	}
	for (unsigned i = 0; i < shape->required_count; i++) {
		const char *name;

		if (rec->at[shape->required[i]])
			continue;
		name = type->fields[shape->required[i]].path;
		fl_note_set(note, name, "'%s' is missing", name);
		return FL_REASON_missing_field;
	}
	return type->check ? type->check(rec, note) : FL_REASON_NONE;
}

static enum fl_reason check(struct checker *c)
{
	struct fl_record *rec = c->rec;
	char path[PATH_MAX_BYTES];
	enum fl_reason reason;

	rec->fixes = 0;
	rec->ts_ns = FL_TIME_NONE;
	rec->json = c->json;
	rec->plain = fl_record_scan(rec, c->json);
	if (rec->plain)
		return check_whole(rec, fl_type_shape(rec->type), c->note);
	rec->type = NULL;
	rec->ts_ns = FL_TIME_NONE;
	reason = fl_json_parse(c->json, rec->bytes, rec->len, c->note);
	if (reason == FL_REASON_NONE)
		reason = find_type(c);
	if (reason != FL_REASON_NONE)
		return reason;
	memset(rec->at, 0, c->shape->count * sizeof(rec->at[0]));
	reason = check_members(c, 0, path, 0);
	if (reason != FL_REASON_NONE)
		return reason;
	return check_whole(rec, c->shape, c->note);
}

enum fl_reason fl_record_check(struct fl_record *rec, struct fl_json *json,
			       struct fl_note *note)
{
	struct checker c = { rec, json, note, NULL, false };

	return check(&c);
}

enum fl_reason fl_record_check_coerce(struct fl_record *rec,
				      struct fl_json *json,
				      struct fl_note *note)
{
	struct checker c = { rec, json, note, NULL, true };

	return check(&c);
}

const struct fl_hooks fl_record_hooks = {
	.check = fl_record_check,
	.is_mark = fl_mark_is,
	.mark = fl_mark_forward,
	.row = fl_row_put,
};

bool fl_integer_parse(const char *text, size_t len, int64_t *value)
{
	bool negative = len && text[0] == '-';
	struct fl_decimal decimal;
	uint64_t sum = 0;
	size_t i = negative;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (i == len && i > negative) {
		if (sum > (uint64_t)INT64_MAX)
			return false;
		*value = negative ? -(int64_t)sum : (int64_t)sum;
		return true;
	}
	if (fl_decimal_parse(text, len, &decimal) != FL_DECIMAL_EXACT ||
	    decimal.scale > 0)
		return false;
	for (int n = decimal.scale; n < 0; n++) {
		if (__builtin_mul_overflow(decimal.mant, 10, &decimal.mant))
			return false;
	}
	*value = decimal.mant;
	return true;
}

bool fl_record_string(const struct fl_record *rec, int field, const char **text,
		      size_t *len)
{
	const struct fl_json_tok *tok;

	if (field < 0 || !rec->at[field])
		return false;
	tok = &rec->json->toks[rec->at[field]];
	if (tok->kind != FL_JSON_STRING)
		return false;
	*text = tok->text;
	*len = tok->len;
	return true;
}

bool fl_record_number(const struct fl_record *rec, int field,
		      struct fl_decimal *value)
{
	const struct fl_json_tok *tok;

	if (field < 0 || !rec->at[field])
		return false;
	tok = &rec->json->toks[rec->at[field]];
	return tok->kind == FL_JSON_NUMBER &&
	       fl_decimal_parse(tok->text, tok->len, value) >= 0;
}

bool fl_record_time(const struct fl_record *rec, int field, int64_t *ns)
{
	const char *text;
	size_t len;

	return fl_record_string(rec, field, &text, &len) &&
	       fl_time_parse(text, len, ns) != FL_TIME_BAD;
}

const struct fl_json_tok *fl_record_value(const struct fl_record *rec,
					  const char *path)
{
	int field = fl_type_field(rec->type, path, strlen(path));
	uint32_t at = 0;

	if (field >= 0) {
		return rec->at[field] ? &rec->json->toks[rec->at[field]] : NULL;
	}
	/* A field of the user's own, perhaps inside objects. */
	for (const char *from = path;; from = strchr(from, '.') + 1) {
		const char *dot = strchr(from, '.');

		at = fl_json_find(rec->json, at, from,
				  dot ? (size_t)(dot - from) : strlen(from));
		if (!at)
			return NULL;
		if (!dot)
			return &rec->json->toks[at];
	}
}
