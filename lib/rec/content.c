/* content: what a record says, as a hash, whatever way it is written.
 *
 * Known fields are laid side by side, those of the series first, then in the
 * order of the table, each behind a hash of its path, with times and numbers in
 * canonical text; one hash goes over that. Unknown members, and everything in
 * types whose fields lie inside objects, are hashed each by itself and added
 * up: their order drops out. A path keeps its hash when fields are added to a
 * table, so a stored tick_id stays what it was.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "base/short.h"
#include "base/time.h"
#include "rec/number.h"
#include "rec/record.h"
#include "rec/shape.h"

enum {
	ROOM = 1024, /* of the fields laid side by side; longer ones are hashed
		      * by themselves */
	WIDE = 32,
	VALUE_MAX = 64, /* a symbol's most; more than any number's or time's */
};

struct layout {
	char bytes[ROOM];
	size_t len;
	struct fl_hash128 sum; /* of what was hashed by itself */
};

static void add(struct fl_hash128 *sum, struct fl_hash128 term)
{
	sum->lo += term.lo;
	sum->hi += term.hi;
}

/* The number's canonical text; `text` has room for one that must be printed. */
static size_t canonical_number(const struct fl_json_tok *tok, const char **from,
			       char text[FL_DECIMAL_TEXT])
{
	struct fl_decimal value;

	*from = tok->text;
	if (fl_number_look(tok->text, tok->len).plain ||
	    fl_decimal_parse(tok->text, tok->len, &value) < 0)
		return tok->len;
	*from = text;
	return fl_decimal_print(value, text);
}

static struct fl_hash128 hash_value(const struct fl_json *json, uint32_t at,
				    uint64_t seed)
{
	const struct fl_json_tok *toks = json->toks, *tok = &toks[at];
	struct fl_hash128 sum = { 0, 0 };
	uint64_t place = seed;
	char text[FL_DECIMAL_TEXT];
	const char *from;
	size_t len;

	seed += (uint64_t)tok->kind + 1;
	switch (tok->kind) {
	case FL_JSON_NUMBER:
		len = canonical_number(tok, &from, text);
		return fl_hash128(from, len, seed);
	case FL_JSON_STRING:
		return fl_hash128(tok->text, tok->len, seed);
	case FL_JSON_ARRAY:
		for (uint32_t i = at + 1; i < tok->next; i = toks[i].next) {
			place += UINT64_C(0x9e3779b97f4a7c15);
			add(&sum, hash_value(json, i, place));
		}
		return fl_hash128(&sum, sizeof(sum), seed);
	case FL_JSON_OBJECT:
		for (uint32_t i = at + 1; i < tok->next; i = toks[i + 1].next)
			add(&sum,
			    hash_value(json, i + 1,
				       fl_hash64(toks[i].text, toks[i].len)));
		return fl_hash128(&sum, sizeof(sum), seed);
	default:
		return fl_hash128("", 0, seed);
	}
}

/* Seed and length make one word: no two fields of a type share it but by a
 * collision of their paths' hashes. */
static inline __attribute__((always_inline)) void
lay(struct layout *layout, uint64_t seed, const char *value, size_t len)
{
	char *p = layout->bytes + layout->len;

	seed += len;
	__builtin_memcpy(p, &seed, sizeof(seed));
	fl_short_copy(p + sizeof(seed), value, len);
	layout->len += sizeof(seed) + len;
}

/* The same where `value` has 32 readable bytes: short values, which are nearly
 * all, are copied with more than their length, and without a branch. */
static inline __attribute__((always_inline)) void
lay_wide(struct layout *layout, uint64_t seed, const char *value, size_t len)
{
	char *p = layout->bytes + layout->len;

	seed += len;
	__builtin_memcpy(p, &seed, sizeof(seed));
	__builtin_memcpy(p + sizeof(seed), value, WIDE);
	layout->len += sizeof(seed) + len;
}

/* The text of a string that normalising would change, in `room`. */
static const char *mended(const struct fl_field *field,
			  const struct fl_json_tok *tok, char room[VALUE_MAX],
			  size_t *len)
{
	struct fl_interval interval;
	int64_t ns;

	if (field->kind == FL_TIME &&
	    fl_time_parse(tok->text, tok->len, &ns) == FL_TIME_FOREIGN) {
		*len = fl_time_print(ns, room);
		return room;
	}
	if (field->form == FL_FORM_SYMBOL && tok->len <= VALUE_MAX) {
		for (size_t i = 0; i < tok->len; i++) {
			char c = tok->text[i];

			room[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A')
						       : c;
		}
		return room;
	}
	if (field->form == FL_FORM_INTERVAL &&
	    fl_record_interval(tok, &interval)) {
		*len = strlen(interval.text);
		memcpy(room, interval.text, *len);
		return room;
	}
	return tok->text;
}

/* What is too long, or an object: hashed by itself. */
static __attribute__((noinline)) void add_field(struct layout *layout,
						const struct fl_record *rec,
						uint64_t seed, unsigned field,
						const char *from, size_t len)
{
	add(&layout->sum, from ? fl_hash128(from, len, seed)
			       : hash_value(rec->json, rec->at[field], seed));
}

/* A field of the table, in the text that normalising would give it. */
static inline __attribute__((always_inline)) void
lay_field(struct layout *layout, const struct fl_record *rec,
	  const struct fl_shape *shape, unsigned field)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];
	FL_UNINITIALIZED char room[VALUE_MAX];
	struct fl_sum sum;
	const char *from = tok->text;
	size_t len = tok->len;

	/* Where the scan has been, every text is canonical and lies in the line
	 * (literals, which have none, do not). */
	if (rec->plain && len - 1 < WIDE && layout->len <= ROOM - 8 - WIDE &&
	    (size_t)(rec->bytes + rec->len - from) >= WIDE) {
		lay_wide(layout, shape->seed[field], from, len);
		return;
	}
	if (rec->plain && len) {
		/* as it is */
	} else if (tok->kind == FL_JSON_STRING) {
		if (rec->fixes)
			from = mended(&rec->type->fields[field], tok, room,
				      &len);
	} else if (tok->kind == FL_JSON_NUMBER) {
		if (rec->type->fields[field].kind == FL_SUM &&
		    fl_sum_parse(from, len, &sum) >= 0) {
			len = fl_sum_print(sum, room);
			from = room;
		} else {
			len = canonical_number(tok, &from, room);
		}
	} else if (tok->kind > FL_JSON_STRING) {
		from = NULL;
	} else {
		from = tok->kind == FL_JSON_TRUE ? "t" : "f";
		len = 1;
	}
	if (from && len <= VALUE_MAX && layout->len <= ROOM - 8 - VALUE_MAX)
		lay(layout, shape->seed[field], from, len);
	else
		add_field(layout, rec, shape->seed[field], field, from, len);
}

/* Type and series come first: their part of the layout names the series. */
static inline void lay_series(struct layout *layout,
			      const struct fl_record *rec,
			      const struct fl_shape *shape)
{
	layout->len = 0;
	layout->sum = (struct fl_hash128){ 0, 0 };
	lay(layout, 0, rec->type->name, shape->name_len);
	for (unsigned i = 0; i < shape->series_count; i++) {
		if (rec->at[shape->series[i]])
			lay_field(layout, rec, shape, shape->series[i]);
	}
}

static inline uint64_t hash_series(const struct layout *layout)
{
	return fl_hash64(layout->bytes, layout->len) + layout->sum.lo;
}

uint64_t fl_record_series(const struct fl_record *rec)
{
	FL_UNINITIALIZED struct layout layout;

	lay_series(&layout, rec, fl_type_shape(rec->type));
	return hash_series(&layout);
}

/* Members that the table does not know. */
static void add_members(struct layout *layout, const struct fl_record *rec)
{
	const struct fl_json_tok *toks = rec->json->toks;

	for (uint32_t i = 1; i < toks[0].next; i = toks[i + 1].next) {
		if (fl_type_member(rec->type, toks[i].text, toks[i].len) >= 0)
			continue;
		add(&layout->sum,
		    hash_value(rec->json, i + 1,
			       fl_hash64(toks[i].text, toks[i].len)));
	}
}

struct fl_hash128 fl_record_content(const struct fl_record *rec, bool by_seq,
				    uint64_t *series)
{
	const struct fl_shape *shape = fl_type_shape(rec->type);
	FL_UNINITIALIZED struct layout layout;
	struct fl_hash128 hash;
	unsigned known = 0;

	lay_series(&layout, rec, shape);
	if (series)
		*series = hash_series(&layout);
	if (by_seq && shape->seq >= 0 && rec->at[shape->seq]) {
		lay_field(&layout, rec, shape, (unsigned)shape->seq);
	} else {
		for (unsigned i = 0; i < shape->other_count; i++) {
			unsigned field = shape->others[i];

			if (rec->at[field]) {
				known++;
				lay_field(&layout, rec, shape, field);
			}
		}
		for (unsigned i = 0; i < shape->series_count; i++)
			known += rec->at[shape->series[i]] != 0;
		if (shape->ts_recv >= 0)
			known += rec->at[shape->ts_recv] != 0;
		/* The type, too, is a member. */
		if (known + 1 < rec->json->toks[0].len)
			add_members(&layout, rec);
	}
	hash = fl_hash128(layout.bytes, layout.len, 0);
	add(&hash, layout.sum);
	return hash;
}

int64_t fl_record_tick_id(const struct fl_record *rec)
{
	const struct fl_shape *shape = fl_type_shape(rec->type);
	int64_t value;

	if (shape->seq >= 0 && rec->at[shape->seq]) {
		const struct fl_json_tok *tok =
			&rec->json->toks[rec->at[shape->seq]];

		if (fl_integer_parse(tok->text, tok->len, &value))
			return value;
	}
	return (int64_t)fl_record_content(rec, false, NULL).lo;
}
