/* scan: see scan.h.
 *
 * Lines of a stream are alike: the n-th member most likely has the key that it
 * had in the line before, so that key is compared at once instead of being
 * looked for, and the value is read as its field wants it. Nothing is refused
 * here: at the first doubt the line goes to yyjson and the full check, which
 * alone say what is wrong. The fuzz target holds one against the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/scan.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/mem.h"
#include "base/reference.h"
#include "base/short.h"
#include "base/time.h"
#include "rec/forms.h"
#include "rec/shape.h"

enum {
	TOKENS = 2 * FL_FIELDS_MAX + 1,
};

/* The end of a plain string: its quote. NULL when it is not plain (escape,
 * control character, DEL, not ASCII) or does not end. */
static inline const char *string_end(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i slash = _mm_set1_epi8('\\');
	const __m128i blank = _mm_set1_epi8(' ');
	const __m128i del = _mm_set1_epi8(0x7f);

	while (end - p >= 16) {
		__m128i bytes =
			_mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed: bytes above 0x7f are below the blank, too. */
		__m128i odd =
			_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, slash),
						  _mm_cmpeq_epi8(bytes, del)),
				     _mm_cmplt_epi8(bytes, blank));
		unsigned quotes = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(bytes, quote));
		unsigned odds = (unsigned)_mm_movemask_epi8(odd);

		if (quotes | odds) {
			unsigned at = (unsigned)__builtin_ctz(quotes | odds);

			return quotes >> at & 1 ? p + at : NULL;
		}
		p += 16;
	}
#endif
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"')
			return p;
		if (c < ' ' || c > 0x7e || c == '\\')
			return NULL;
	}
	return NULL;
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* Past a number in canonical spelling of at most 18 bytes: no exponent, no
 * leading zeros, none behind the point, no -0. NULL when it is none. A byte
 * that is no part of it follows every number of a whole object. */
static inline const char *number_end(const char *p, const char *end,
				     const struct fl_field *field)
{
	const char *start = p, *digits;
	bool negative = *p == '-', zero;

	p += negative;
	digits = p;
	while (p < end && is_digit(*p))
		p++;
	if (p == digits || (*digits == '0' && p > digits + 1))
		return NULL;
	zero = *digits == '0';
	if (p < end && *p == '.') {
		if (field->kind == FL_INTEGER)
			return NULL;
		digits = ++p;
		while (p < end && is_digit(*p)) {
			zero &= *p == '0';
			p++;
		}
		if (p == digits || p[-1] == '0' ||
		    (field->kind == FL_SUM && p - digits > 9))
			return NULL;
	}
	if (p >= end || *p == 'e' || *p == 'E' || p - start > 18 ||
	    (negative && zero))
		return NULL;
	switch (field->range) {
	case FL_ANY:
		return p;
	case FL_POSITIVE:
		return negative || zero ? NULL : p;
	case FL_NON_NEGATIVE:
		return negative ? NULL : p;
	default:
		return NULL;
	}
}

/* Two digits as a number; over 99 when they are none. */
static inline unsigned two(const char *p)
{
	unsigned tens = (unsigned char)(p[0] - '0');
	unsigned ones = (unsigned char)(p[1] - '0');

	return tens < 10 && ones < 10 ? tens * 10 + ones : 100;
}

/* YYYY-MM-DDThh:mm:ss.mmmZ, of which the date is mostly that of the last line;
 * other spellings by the general way. false unless canonical. */
static inline bool read_time(struct fl_json *json, const char *text, size_t len,
			     int64_t *ns)
{
	unsigned hour, minute, second, centi;

	if (len != 24 || !json->hint_dated ||
	    !fl_short_equal(text, json->hint_date, 11))
		goto general;
	hour = two(text + 11);
	minute = two(text + 14);
	second = two(text + 17);
	centi = two(text + 20);
	if (hour > 23 || minute > 59 || second > 59 || centi > 99 ||
	    text[13] != ':' || text[16] != ':' || text[19] != '.' ||
	    !is_digit(text[22]) || text[23] != 'Z')
		return false;
	*ns = json->hint_day +
	      (int64_t)((hour * 60 + minute) * 60 + second) * FL_SECOND +
	      (int64_t)(centi * 10 + (unsigned)(text[22] - '0')) * 1000000;
	return true;
general:
	if (fl_time_parse(text, len, ns) != FL_TIME_OK)
		return false;
	if (len == 24) {
		int64_t day = *ns % FL_DAY;

		memcpy(json->hint_date, text, 11);
		json->hint_day = *ns - (day < 0 ? day + FL_DAY : day);
		json->hint_dated = true;
	}
	return true;
}

static inline bool string_is_good(struct fl_record *rec, struct fl_json *json,
				  const struct fl_field *field,
				  const struct fl_json_tok *tok, bool is_ts)
{
	int64_t ns;

	switch (field->kind) {
	case FL_TIME:
		if (!read_time(json, tok->text, tok->len, &ns))
			return false;
		if (is_ts)
			rec->ts_ns = ns;
		return true;
	case FL_DATE:
		return fl_date_parse(tok->text, tok->len, &ns);
	case FL_STRING:
		if (field->words && !fl_form_in_words(field->words, tok))
			return false;
		return field->form == FL_FORM_NONE ||
		       fl_form_is_plain(field->form, tok);
	default:
		return false;
	}
}

/* The value at p, good for its field, into tok. NULL in doubt. */
static inline const char *read_value(struct fl_record *rec,
				     struct fl_json *json, const char *p,
				     const char *end,
				     const struct fl_field *field,
				     struct fl_json_tok *tok, bool is_ts)
{
	if (*p == '"') {
		const char *quote = string_end(p + 1, end);

		if (!quote)
			return NULL;
		tok->kind = FL_JSON_STRING;
		tok->text = p + 1;
		tok->len = (uint32_t)(quote - (p + 1));
		return string_is_good(rec, json, field, tok, is_ts) ? quote + 1
								    : NULL;
	}
	tok->text = p;
	if (field->kind == FL_NUMBER || field->kind == FL_INTEGER ||
	    field->kind == FL_SUM) {
		const char *after = number_end(p, end, field);

		tok->kind = FL_JSON_NUMBER;
		tok->len = after ? (uint32_t)(after - p) : 0;
		return after;
	}
	if (field->kind != FL_BOOLEAN)
		return NULL;
	tok->len = 0;
	if (end - p > 4 && fl_short_equal(p, "true", 4)) {
		tok->kind = FL_JSON_TRUE;
		return p + 4;
	}
	if (end - p > 5 && fl_short_equal(p, "false", 5)) {
		tok->kind = FL_JSON_FALSE;
		return p + 5;
	}
	return NULL;
}

/* The field whose key stands at p, behind its quote, and the end of the key;
 * -1 when it is not known or not plain. */
static inline int read_key(const struct fl_record *rec, struct fl_json *json,
			   const struct fl_shape *shape, unsigned n,
			   const char *p, const char *end, const char **after)
{
	unsigned guess = n < FL_JSON_HINTS ? json->hints[n] : UINT8_MAX;
	int field;

	if (guess < shape->count) {
		size_t len = shape->path_len[guess];

		if ((size_t)(end - p) > len && p[len] == '"' &&
		    fl_short_equal(p, rec->type->fields[guess].path, len)) {
			*after = p + len;
			return (int)guess;
		}
	}
	*after = string_end(p, end);
	if (!*after)
		return -1;
	field = fl_type_member(rec->type, p, (size_t)(*after - p));
	if (field >= 0 && n < FL_JSON_HINTS)
		json->hints[n] = (uint8_t)field;
	return field;
}

/* Behind {"type": stands the type's name; most lines have that of the last. */
static const char *read_type(struct fl_record *rec, struct fl_json *json,
			     const struct fl_shape **shape, const char *p,
			     const char *end)
{
	const char *after;

	rec->type = json->hint;
	if (rec->type) {
		*shape = fl_type_shape(rec->type);
		after = p + (*shape)->name_len;
		if (after < end && *after == '"' &&
		    fl_short_equal(p, rec->type->name, (*shape)->name_len))
			return after;
	}
	after = string_end(p, end);
	if (!after)
		return NULL;
	rec->type = fl_type_find(p, (size_t)(after - p));
	if (!rec->type)
		return NULL;
	json->hint = rec->type;
	*shape = fl_type_shape(rec->type);
	return after;
}

bool fl_record_scan(struct fl_record *rec, struct fl_json *json)
{
	static const char start[] = "{\"type\":";
	const char *text = rec->bytes, *end = text + rec->len;
	const char *p, *after;
	const struct fl_shape *shape;
	struct fl_json_tok *tok;
	unsigned n = 0;

	if (!FL_SHORTCUTS || rec->len < 16 || memcmp(text, start, 8) != 0)
		return false;
	if (json->cap < TOKENS) {
		json->cap = TOKENS;
		json->toks =
			fl_realloc(json->toks, json->cap, sizeof(*json->toks));
	}
	p = text + 8;
	p += *p == ' ';
	if (*p != '"' || !(after = read_type(rec, json, &shape, p + 1, end)))
		return false;
	memset(rec->at, 0, shape->count * sizeof(rec->at[0]));
	tok = json->toks + 1;
	tok[0] = (struct fl_json_tok){ text + 2, 4, 2, FL_JSON_STRING };
	tok[1] = (struct fl_json_tok){ p + 1, (uint32_t)(after - p - 1), 3,
				       FL_JSON_STRING };
	rec->at[0] = 2; /* every table begins with the type */
	tok += 2;
	p = after + 1;
	for (;;) {
		uint32_t at = (uint32_t)(tok - json->toks);
		int field;

		if (p >= end)
			return false;
		if (*p == '}')
			break;
		if (*p++ != ',' || at + 2 > TOKENS)
			return false;
		if (p < end && *p == ' ')
			p++;
		if (p >= end || *p != '"')
			return false;
		field = read_key(rec, json, shape, n++, p + 1, end, &after);
		if (field < 0 || rec->at[field])
			return false;
		tok[0] = (struct fl_json_tok){ p + 1, (uint32_t)(after - p - 1),
					       at + 1, FL_JSON_STRING };
		p = after + 1;
		if (p >= end || *p++ != ':')
			return false;
		if (p < end && *p == ' ')
			p++;
		if (p >= end)
			return false;
		tok[1].next = at + 2;
		p = read_value(rec, json, p, end, &rec->type->fields[field],
			       &tok[1], field == shape->ts);
		if (!p)
			return false;
		rec->at[field] = at + 1;
		tok += 2;
	}
	if (p + 1 != end)
		return false;
	json->copy = text;
	json->count = (uint32_t)(tok - json->toks);
	json->toks[0] = (struct fl_json_tok){ NULL, (json->count - 1) / 2,
					      json->count, FL_JSON_OBJECT };
	return true;
}
