/* series: see series.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/series.h"

#include <string.h>

#include "rec/bar.h"
#include "rec/shape.h"

static void make_key(const struct fl_record *rec, struct fl_buf *key)
{
	const struct fl_shape *shape = fl_type_shape(rec->type);

	fl_buf_reset(key);
	fl_buf_putc(key, (char)('0' + rec->type->id));
	for (unsigned i = 0; i < shape->series_count; i++) {
		const struct fl_field *field =
			&rec->type->fields[shape->series[i]];
		uint32_t at = rec->at[shape->series[i]];
		const struct fl_json_tok *tok = &rec->json->toks[at];

		if (at)
			fl_buf_append(key, tok->text, tok->len);
		else if (field->absent)
			fl_buf_puts(key, field->absent);
		fl_buf_putc(key, '\0');
	}
}

void **fl_series_at(struct fl_series_map *series, const struct fl_record *rec)
{
	struct fl_buf *key = &series->key, *last = &series->last_key, swap;

	make_key(rec, key);
	if (series->last && key->len == last->len &&
	    memcmp(key->data, last->data, key->len) == 0)
		return series->last;
	series->last = fl_map_at(&series->map, key->data, key->len);
	swap = *key;
	*key = *last;
	*last = swap;
	return series->last;
}

void fl_series_release(struct fl_series_map *series, void (*free_value)(void *))
{
	fl_map_release(&series->map, free_value);
	fl_buf_release(&series->key);
	fl_buf_release(&series->last_key);
	series->last = NULL;
}

/* A word of the series that is not the usual one. */
static void put_word(const struct fl_record *rec, int field, const char *usual,
		     struct fl_buf *out)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];

	if (!rec->at[field] || fl_json_is(tok, usual, strlen(usual)))
		return;
	fl_buf_putc(out, '/');
	fl_buf_append(out, tok->text, tok->len);
}

void fl_series_subject(const struct fl_record *rec, struct fl_buf *out)
{
	const struct fl_json_tok *symbol = fl_record_value(rec, "symbol");

	if (symbol)
		fl_buf_append(out, symbol->text, symbol->len);
	if (rec->type != &fl_type_bar)
		return;
	put_word(rec, FL_BAR_INTERVAL, "", out);
	put_word(rec, FL_BAR_ADJ, "none", out);
	put_word(rec, FL_BAR_SESSION, "regular", out);
}
