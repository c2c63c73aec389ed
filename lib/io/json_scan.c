/* json_scan: see json_scan.h.
 *
 * What it accepts, yyjson accepts with the same tokens; the fuzz target holds
 * one against the other. Measured on ticks of 144 bytes: a third of the
 * instructions of the parser and its copy.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/json_scan.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/mem.h"

enum {
	MEMBERS_MAX = 64, /* more go to the parser */
	TOKENS = 2 * MEMBERS_MAX + 1,
};

/* The end of a plain string: its quote. NULL when it is not plain (escape,
 * control character, not ASCII) or does not end. */
static inline const char *string_end(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i slash = _mm_set1_epi8('\\');
	const __m128i blank = _mm_set1_epi8(' ');

	while (end - p >= 16) {
		__m128i bytes =
			_mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed: bytes above 0x7f are below the blank, too. */
		__m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, slash),
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
		if (c < ' ' || c > 0x7f || c == '\\')
			return NULL;
	}
	return NULL;
}

static inline bool is_digit(const char *p, const char *end)
{
	return p < end && (unsigned char)(*p - '0') < 10;
}

/* Past the number at p, by the grammar of RFC 8259; NULL when it is none. */
static inline const char *number_end(const char *p, const char *end)
{
	if (*p == '-')
		p++;
	if (!is_digit(p, end))
		return NULL;
	if (*p == '0') {
		p++;
	} else {
		while (is_digit(p, end))
			p++;
	}
	if (p < end && *p == '.') {
		p++;
		if (!is_digit(p, end))
			return NULL;
		while (is_digit(p, end))
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!is_digit(p, end))
			return NULL;
		while (is_digit(p, end))
			p++;
	}
	return p;
}

static inline const char *literal(const char *p, const char *end,
				  const char *word, size_t len)
{
	return (size_t)(end - p) >= len && memcmp(p, word, len) == 0 ? p + len
								     : NULL;
}

/* The value at p into tok. */
static inline const char *value_end(const char *p, const char *end,
				    struct fl_json_tok *tok)
{
	tok->text = p;
	switch (*p) {
	case '"':
		tok->kind = FL_JSON_STRING;
		tok->text = p + 1;
		p = string_end(p + 1, end);
		if (!p)
			return NULL;
		tok->len = (uint32_t)(p - tok->text);
		return p + 1;
	case 't':
		tok->kind = FL_JSON_TRUE;
		tok->len = 0;
		return literal(p, end, "true", 4);
	case 'f':
		tok->kind = FL_JSON_FALSE;
		tok->len = 0;
		return literal(p, end, "false", 5);
	case 'n':
		tok->kind = FL_JSON_NULL;
		tok->len = 0;
		return literal(p, end, "null", 4);
	default:
		tok->kind = FL_JSON_NUMBER;
		p = number_end(p, end);
		tok->len = p ? (uint32_t)(p - tok->text) : 0;
		return p;
	}
}

/* Keys with the same fingerprint are looked at; others cannot be equal. */
static inline uint64_t fingerprint(const struct fl_json_tok *key)
{
	unsigned bits = key->len;

	if (key->len)
		bits += (unsigned char)key->text[0] * 7u +
			(unsigned char)key->text[key->len - 1] * 3u;
	return UINT64_C(1) << (bits & 63);
}

static bool stands_before(const struct fl_json_tok *toks,
			  const struct fl_json_tok *key)
{
	for (const struct fl_json_tok *k = toks + 1; k < key; k += 2) {
		if (k->len == key->len &&
		    memcmp(k->text, key->text, key->len) == 0)
			return true;
	}
	return false;
}

bool fl_json_scan(struct fl_json *json, const char *text, size_t len)
{
	const char *p = text + 1, *end = text + len;
	struct fl_json_tok *tok;
	uint64_t seen = 0;

	if (len < 2 || *text != '{')
		return false;
	if (json->cap < TOKENS) {
		json->cap = TOKENS;
		json->toks =
			fl_realloc(json->toks, json->cap, sizeof(*json->toks));
	}
	tok = json->toks + 1;
	while (tok < json->toks + TOKENS) {
		uint32_t at = (uint32_t)(tok - json->toks);
		uint64_t print;

		if (p >= end || *p != '"')
			return false;
		tok[0].kind = FL_JSON_STRING;
		tok[0].text = p + 1;
		tok[0].next = at + 1;
		p = string_end(p + 1, end);
		if (!p)
			return false;
		tok[0].len = (uint32_t)(p - tok[0].text);
		p++;
		print = fingerprint(tok);
		if ((seen & print) && stands_before(json->toks, tok))
			return false;
		seen |= print;
		if (p >= end || *p++ != ':')
			return false;
		if (p < end && *p == ' ')
			p++;
		if (p >= end)
			return false;
		p = value_end(p, end, &tok[1]);
		if (!p || p >= end)
			return false;
		tok[1].next = at + 2;
		tok += 2;
		if (*p == ',') {
			p++;
			if (p < end && *p == ' ')
				p++;
			continue;
		}
		if (*p != '}' || p + 1 != end)
			return false;
		json->count = (uint32_t)(tok - json->toks);
		json->toks[0].kind = FL_JSON_OBJECT;
		json->toks[0].text = NULL;
		json->toks[0].len = (json->count - 1) / 2;
		json->toks[0].next = json->count;
		json->copy = text;
		return true;
	}
	return false;
}
