/* json: one JSON text as a flat list of tokens.
 *
 * It is parsed by yyjson, whose tree is flattened at once: everything above
 * walks an array, and who made it stays a detail of json.c (the usual record is
 * not even parsed, but scanned by its field table: rec/scan.h). Numbers stay
 * text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_JSON_H
#define FL_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/short.h"
#include "io/reject.h"

#define FL_JSON_DEPTH 64 /* deeper nesting is bad_json */
#define FL_JSON_HINTS 32

enum fl_json_kind {
	FL_JSON_NULL,
	FL_JSON_FALSE,
	FL_JSON_TRUE,
	FL_JSON_NUMBER,
	FL_JSON_STRING,
	FL_JSON_ARRAY,
	FL_JSON_OBJECT,
};

/* An object is followed by key, value, key, value …; an array by its elements.
 * The token after a value and all inside it is toks[tok->next]. */
struct fl_json_tok {
	const char *
		text; /* string: decoded, may hold no NUL; number: as written */
	uint32_t len; /* bytes of text; array, object: elements, members */
	uint32_t next; /* index of the token after this value */
	enum fl_json_kind kind;
};

struct fl_json {
	struct fl_json_tok *toks; /* toks[0] is the whole text */
	uint32_t count;
	uint32_t cap;
	/* The text itself or the parser's copy of it: a number's or string's
	 * place in the text is tok->text - copy (behind a string's quote). */
	const char *copy;
	/* The reader's, kept between texts, zero at first: lines of one stream
	 * are alike, so where the last one had what is a good guess. */
	const void *hint;
	int64_t hint_day;
	char hint_date[15];
	bool hint_dated;
	uint8_t hints[FL_JSON_HINTS];
	void *memory; /* the parser's, kept for the next text */
	size_t memory_size;
};

#define FL_JSON_INIT                                                           \
	{                                                                      \
		0                                                              \
	}

/* Parse text[len], one RFC 8259 text; the tokens are borrowed until the next
 * parse into `json`; some may point into `text`, which must live as long.
 * returns FL_REASON_NONE, or why not: bad_json (also too deep), bad_utf8 (also
 *         lone surrogates and U+0000), bad_number (NaN, Infinity),
 * duplicate_key (at any depth); note says where and what */
enum fl_reason fl_json_parse(struct fl_json *json, const char *text, size_t len,
			     struct fl_note *note);
void fl_json_release(struct fl_json *json);

/* The value of a top-level member of the object at `object`; 0 when absent. */
uint32_t fl_json_find(const struct fl_json *json, uint32_t object,
		      const char *key, size_t len);
/* Print the value at `at` without blanks: strings in canonical form, numbers as
 * they were written. */
void fl_json_print(const struct fl_json *json, uint32_t at, struct fl_buf *out);

static inline bool fl_json_is(const struct fl_json_tok *tok, const char *text,
			      size_t len)
{
	return tok->len == len && fl_short_equal(tok->text, text, len);
}

#endif
