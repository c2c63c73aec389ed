/* content: what a record says, as a hash, whatever way it is written.
 *
 * Known fields are laid side by side in the order of the table, each behind a
 * hash of its path, with times and numbers in canonical text; one hash goes
 * over that. Unknown members, and everything in types whose fields lie inside
 * objects, are hashed each by itself and added up: their order drops out. A
 * path keeps its hash when fields are added to a table, so a stored tick_id
 * stays what it was.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "base/time.h"
#include "rec/number.h"
#include "rec/record.h"
#include "rec/shape.h"

enum {
	ROOM = 1024, /* of the fields laid side by side; longer ones are hashed
		      * by themselves */
	VALUE_MAX = 64,
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

static inline void lay(struct layout *layout, uint64_t seed, const char *value,
		       size_t len)
{
	char *p = layout->bytes + layout->len;

	memcpy(p, &seed, sizeof(seed));
	p[8] = (char)len;
	fl_short_copy(p + 9, value, len);
	layout->len += 9 + len;
}

/* A field of the table, in the text that normalising would give it. */
static void lay_field(struct layout *layout, const struct fl_record *rec,
		      const struct fl_shape *shape, unsigned field)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];
	char text[FL_DECIMAL_TEXT + FL_TIME_TEXT], upper[VALUE_MAX];
	struct fl_interval interval;
	const char *from = tok->text;
	size_t len = tok->len;
	int64_t ns;

	if (tok->kind > FL_JSON_STRING) {
		from = NULL;
	} else if (tok->kind == FL_JSON_NUMBER) {
		len = canonical_number(tok, &from, text);
	} else if (tok->kind != FL_JSON_STRING) {
		from = tok->kind == FL_JSON_TRUE ? "t" : "f";
		len = 1;
	} else if (rec->fixes) {
		const struct fl_field *known = &rec->type->fields[field];

		if (known->kind == FL_TIME &&
		    fl_time_parse(from, len, &ns) == FL_TIME_FOREIGN) {
			from = text;
			len = fl_time_print(ns, text);
		} else if (known->form == FL_FORM_SYMBOL && len <= VALUE_MAX) {
			for (size_t i = 0; i < len; i++) {
				char c = from[i];

				upper[i] = c >= 'a' && c <= 'z'
						   ? (char)(c - 'a' + 'A')
						   : c;
			}
			from = upper;
		} else if (known->form == FL_FORM_INTERVAL &&
			   fl_record_interval(tok, &interval)) {
			from = interval.text;
			len = strlen(from);
		}
	}
	if (from && len <= VALUE_MAX && layout->len + 9 + VALUE_MAX <= ROOM)
		lay(layout, shape->seed[field], from, len);
	else if (from)
		add(&layout->sum, fl_hash128(from, len, shape->seed[field]));
	else
		add(&layout->sum,
		    hash_value(rec->json, rec->at[field], shape->seed[field]));
}

static void lay_series(struct layout *layout, const struct fl_record *rec,
		       const struct fl_shape *shape)
{
	lay(layout, 0, rec->type->name, shape->name_len);
	for (unsigned i = 0; i < shape->series_count; i++) {
		if (rec->at[shape->series[i]])
			lay_field(layout, rec, shape, shape->series[i]);
	}
}

static struct fl_hash128 finish(const struct layout *layout)
{
	struct fl_hash128 hash = fl_hash128(layout->bytes, layout->len, 0);

	add(&hash, layout->sum);
	return hash;
}

uint64_t fl_record_series(const struct fl_record *rec)
{
	struct layout layout;

	layout.len = 0;
	layout.sum = (struct fl_hash128){ 0, 0 };
	lay_series(&layout, rec, fl_type_shape(rec->type));
	return finish(&layout).lo;
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

struct fl_hash128 fl_record_content(const struct fl_record *rec, bool by_seq)
{
	const struct fl_shape *shape = fl_type_shape(rec->type);
	uint32_t known = 0;
	struct layout layout;

	layout.len = 0;
	layout.sum = (struct fl_hash128){ 0, 0 };
	if (by_seq && shape->seq >= 0 && rec->at[shape->seq]) {
		lay_series(&layout, rec, shape);
		lay_field(&layout, rec, shape, (unsigned)shape->seq);
		return finish(&layout);
	}
	for (unsigned i = 0; i < shape->count; i++) {
		if (!rec->at[i] || shape->dotted[i])
			continue;
		known++;
		if ((int)i != shape->ts_recv)
			lay_field(&layout, rec, shape, i);
	}
	if (known < rec->json->toks[0].len)
		add_members(&layout, rec);
	return finish(&layout);
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
	return (int64_t)fl_record_content(rec, false).lo;
}
