/* json: yyjson's tree flattened into tokens.
 *
 * Numbers are kept as text (NUMBER_AS_RAW), so no digit is lost, and yyjson is
 * asked for strict JSON. Why a text is refused is worked out only after it was:
 * the usual line pays nothing for good messages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/json.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

enum {
	FIRST_TOKENS = 64,
	/* Objects with more members look for duplicates by sorting. */
	PAIRWISE_MEMBERS = 24,
};

static void reserve(struct fl_json *json, size_t count)
{
	if (count <= json->cap)
		return;
	if (json->cap == 0)
		json->cap = FIRST_TOKENS;
	while (json->cap < count)
		json->cap *= 2;
	json->toks = fl_realloc(json->toks, json->cap, sizeof(*json->toks));
}

static int by_key(const void *a, const void *b)
{
	const struct fl_json_tok *const *left = a, *const *right = b;
	uint32_t l = (*left)->len, r = (*right)->len;
	int order = memcmp((*left)->text, (*right)->text, l < r ? l : r);

	if (order)
		return order;
	return l < r ? -1 : l > r;
}

static const struct fl_json_tok *twice_in_many(const struct fl_json *json,
					       uint32_t object)
{
	uint32_t count = json->toks[object].len;
	const struct fl_json_tok **keys = fl_alloc(count * sizeof(*keys));
	const struct fl_json_tok *twice = NULL;

	for (uint32_t i = 0, at = object + 1; i < count; i++) {
		keys[i] = &json->toks[at];
		at = json->toks[at + 1].next;
	}
	qsort(keys, count, sizeof(*keys), by_key);
	for (uint32_t i = 1; i < count && !twice; i++) {
		if (by_key(&keys[i - 1], &keys[i]) == 0)
			twice = keys[i];
	}
	free(keys);
	return twice;
}

/* The key that stands twice in the object, or NULL. */
static const struct fl_json_tok *find_twice(const struct fl_json *json,
					    uint32_t object)
{
	const struct fl_json_tok *keys[PAIRWISE_MEMBERS];
	uint32_t count = json->toks[object].len;

	if (count > PAIRWISE_MEMBERS)
		return twice_in_many(json, object);
	for (uint32_t i = 0, at = object + 1; i < count; i++) {
		const struct fl_json_tok *key = &json->toks[at];

		for (uint32_t j = 0; j < i; j++) {
			if (keys[j]->len == key->len &&
			    memcmp(keys[j]->text, key->text, key->len) == 0)
				return key;
		}
		keys[i] = key;
		at = key[1].next;
	}
	return NULL;
}

struct flattener {
	struct fl_json *json;
	struct fl_note *note;
	enum fl_reason reason;
};

static void refuse(struct flattener *f, enum fl_reason reason,
		   const char *detail)
{
	if (f->reason == FL_REASON_NONE) {
		f->reason = reason;
		fl_note_set(f->note, "", "%s", detail);
	}
}

/* Append an array's elements where all of them are numbers and nulls, as in the
 * long columns that providers send. false: they are not, and nothing is. */
static bool flatten_numbers(struct flattener *f, yyjson_val *array,
			    size_t count)
{
	struct fl_json *json = f->json;
	yyjson_val *val = unsafe_yyjson_get_first(array);
	struct fl_json_tok *tok = &json->toks[json->count];

	/* Nested values would lie between them. */
	if (unsafe_yyjson_get_next(array) != val + count)
		return false;
	for (size_t i = 0; i < count; i++) {
		yyjson_type type = unsafe_yyjson_get_type(&val[i]);

		if (type != YYJSON_TYPE_RAW && type != YYJSON_TYPE_NULL)
			return false;
		tok[i].kind = FL_JSON_NULL;
		tok[i].text = NULL;
		tok[i].len = 0;
		tok[i].next = json->count + (uint32_t)i + 1;
		if (type == YYJSON_TYPE_RAW) {
			tok[i].kind = FL_JSON_NUMBER;
			tok[i].text = unsafe_yyjson_get_raw(&val[i]);
			tok[i].len = (uint32_t)unsafe_yyjson_get_len(&val[i]);
		}
	}
	json->count += (uint32_t)count;
	return true;
}

/* Append the value; recursion is bounded by FL_JSON_DEPTH. */
static void flatten(struct flattener *f, yyjson_val *val, unsigned depth)
{
	struct fl_json *json = f->json;
	uint32_t at = json->count++;
	struct fl_json_tok *tok = &json->toks[at];

	tok->text = NULL;
	tok->len = 0;
	switch (yyjson_get_type(val)) {
	case YYJSON_TYPE_RAW:
		tok->kind = FL_JSON_NUMBER;
		tok->text = yyjson_get_raw(val);
		tok->len = (uint32_t)yyjson_get_len(val);
		break;
	case YYJSON_TYPE_STR:
		tok->kind = FL_JSON_STRING;
		tok->text = yyjson_get_str(val);
		tok->len = (uint32_t)yyjson_get_len(val);
		if (memchr(tok->text, 0, tok->len))
			refuse(f, FL_REASON_bad_utf8, "a string holds U+0000");
		break;
	case YYJSON_TYPE_BOOL:
		tok->kind = yyjson_is_true(val) ? FL_JSON_TRUE : FL_JSON_FALSE;
		break;
	case YYJSON_TYPE_ARR: {
		yyjson_arr_iter iter = yyjson_arr_iter_with(val);
		yyjson_val *element;

		tok->kind = FL_JSON_ARRAY;
		tok->len = (uint32_t)yyjson_arr_size(val);
		if (depth == FL_JSON_DEPTH) {
			refuse(f, FL_REASON_bad_json,
			       "nested deeper than 64 levels");
			break;
		}
		if (tok->len && flatten_numbers(f, val, tok->len))
			break;
		while ((element = yyjson_arr_iter_next(&iter)))
			flatten(f, element, depth + 1);
		break;
	}
	case YYJSON_TYPE_OBJ: {
		yyjson_obj_iter iter = yyjson_obj_iter_with(val);
		const struct fl_json_tok *twice;
		yyjson_val *key;

		tok->kind = FL_JSON_OBJECT;
		tok->len = (uint32_t)yyjson_obj_size(val);
		if (depth == FL_JSON_DEPTH) {
			refuse(f, FL_REASON_bad_json,
			       "nested deeper than 64 levels");
			break;
		}
		while ((key = yyjson_obj_iter_next(&iter))) {
			flatten(f, key, depth + 1);
			flatten(f, yyjson_obj_iter_get_val(key), depth + 1);
		}
		if (f->reason == FL_REASON_NONE &&
		    (twice = find_twice(json, at))) {
			f->reason = FL_REASON_duplicate_key;
			fl_note_set(f->note,
				    fl_show(twice->text, twice->len, 60),
				    "key '%s' stands twice",
				    fl_show(twice->text, twice->len, 60));
		}
		break;
	}
	default:
		tok->kind = FL_JSON_NULL;
	}
	json->toks[at].next = json->count;
}

/* The name before a NaN or Infinity: "'price' is NaN". Only for the message. */
static void note_non_finite(yyjson_val *val, struct fl_note *note)
{
	yyjson_obj_iter iter;
	yyjson_val *key;

	fl_note_set(note, "", "NaN or Infinity is no JSON number");
	if (!yyjson_is_obj(val))
		return;
	iter = yyjson_obj_iter_with(val);
	while ((key = yyjson_obj_iter_next(&iter))) {
		yyjson_val *value = yyjson_obj_iter_get_val(key);
		double number = yyjson_get_real(value);

		if (!yyjson_is_real(value) || number - number == 0)
			continue;
		fl_note_set(note, yyjson_get_str(key), "'%s' is %s",
			    yyjson_get_str(key),
			    number != number ? "NaN"
			    : number > 0     ? "Infinity"
					     : "-Infinity");
		return;
	}
}

/* alloc: memory enough for any text of the length */
static enum fl_reason explain(const char *text, size_t len,
			      const yyjson_alc *alloc,
			      const yyjson_read_err *problem,
			      struct fl_note *note)
{
	yyjson_doc *lenient;

	if (!fl_utf8_valid(text, len)) {
		fl_note_set(note, "", "not UTF-8");
		return FL_REASON_bad_utf8;
	}
	lenient = yyjson_read_opts((char *)(uintptr_t)text, len,
				   YYJSON_READ_ALLOW_INF_AND_NAN, alloc, NULL);
	if (lenient) {
		note_non_finite(yyjson_doc_get_root(lenient), note);
		return FL_REASON_bad_number;
	}
	if (strstr(problem->msg, "surrogate")) {
		fl_note_set(note, "", "a lone surrogate in a string");
		return FL_REASON_bad_utf8;
	}
	fl_note_set(note, "", "%s at byte %zu", problem->msg, problem->pos + 1);
	return FL_REASON_bad_json;
}

enum fl_reason fl_json_parse(struct fl_json *json, const char *text, size_t len,
			     struct fl_note *note)
{
	const yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW;
	struct flattener f = { json, note, FL_REASON_NONE };
	size_t need = yyjson_read_max_memory_usage(len, flags);
	yyjson_read_err problem;
	yyjson_alc alloc;
	yyjson_doc *doc;

	json->count = 0;
	if (need > json->memory_size) {
		/* Twice for short lines, so that growth soon ends. */
		json->memory_size = need < 32768 ? 2 * need : need;
		free(json->memory);
		json->memory = fl_alloc(json->memory_size);
	}
	yyjson_alc_pool_init(&alloc, json->memory, json->memory_size);
	/* Not INSITU: yyjson copies the text and leaves ours as it is. */
	doc = yyjson_read_opts((char *)(uintptr_t)text, len, flags, &alloc,
			       &problem);
	if (!doc) {
		/* The memory is free again. */
		yyjson_alc_pool_init(&alloc, json->memory, json->memory_size);
		return explain(text, len, &alloc, &problem, note);
	}
	json->copy = doc->str_pool;
	reserve(json, yyjson_doc_get_val_count(doc));
	flatten(&f, yyjson_doc_get_root(doc), 0);
	/* The tokens point into json->memory; the document itself needs no
	 * freeing, its pool is used again. */
	return f.reason;
}

void fl_json_release(struct fl_json *json)
{
	free(json->toks);
	free(json->memory);
	memset(json, 0, sizeof(*json));
}

uint32_t fl_json_find(const struct fl_json *json, uint32_t object,
		      const char *key, size_t len)
{
	const struct fl_json_tok *toks = json->toks;

	if (toks[object].kind != FL_JSON_OBJECT)
		return 0;
	for (uint32_t at = object + 1; at < toks[object].next;
	     at = toks[at + 1].next) {
		if (fl_json_is(&toks[at], key, len))
			return at + 1;
	}
	return 0;
}

void fl_json_print(const struct fl_json *json, uint32_t at, struct fl_buf *out)
{
	const struct fl_json_tok *tok = &json->toks[at];

	switch (tok->kind) {
	case FL_JSON_NULL:
		fl_buf_append(out, "null", 4);
		return;
	case FL_JSON_FALSE:
		fl_buf_append(out, "false", 5);
		return;
	case FL_JSON_TRUE:
		fl_buf_append(out, "true", 4);
		return;
	case FL_JSON_NUMBER:
		fl_buf_append(out, tok->text, tok->len);
		return;
	case FL_JSON_STRING:
		fl_buf_json_string(out, tok->text, tok->len);
		return;
	case FL_JSON_ARRAY:
		fl_buf_putc(out, '[');
		for (uint32_t i = at + 1; i < tok->next;
		     i = json->toks[i].next) {
			if (i > at + 1)
				fl_buf_putc(out, ',');
			fl_json_print(json, i, out);
		}
		fl_buf_putc(out, ']');
		return;
	case FL_JSON_OBJECT:
		fl_buf_putc(out, '{');
		for (uint32_t i = at + 1; i < tok->next;
		     i = json->toks[i + 1].next) {
			if (i > at + 1)
				fl_buf_putc(out, ',');
			fl_json_print(json, i, out);
			fl_buf_putc(out, ':');
			fl_json_print(json, i + 1, out);
		}
		fl_buf_putc(out, '}');
		return;
	}
}
