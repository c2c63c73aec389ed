/* csv_plain: see csv_plain.h.
 *
 * Texts and numbers are copied in whole lanes, whatever their length: what is
 * too much is written over by what comes next. So the program's texts and the
 * record have room for that at their end, as cells have.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/lanes.h"
#include "base/mem.h"
#include "base/reference.h"
#include "source/csv/digits.h"

enum kind {
	STEP_TEXT, /* the text alone */
	STEP_TIME,
	STEP_SYMBOL,
	STEP_DATE,
	/* Of a cell, which may be empty: then the text is left out, too. */
	STEP_NUMBER,
	STEP_LABEL,
	STEP_EXTRA, /* a number or a text */
	/* Cells of which nothing comes. */
	STEP_OURS,  /* the type's name */
	STEP_ZERO,  /* no dividend */
	STEP_SPLIT, /* none: 0 or 1 */
	STEP_EMPTY, /* what no step can print */
};

struct step {
	enum kind kind;
	bool required;
	unsigned decimals; /* that a number may have */
	const char *text;  /* that stands before it; of texts */
	size_t len, at;
	size_t column; /* of the cell */
};

enum {
	PROGRAMS_MAX = 64,       /* of one file: intervals that change */
	TEXTS_MAX = 256 * 1024,  /* bytes of names of columns */
	ROOM = 2 * FL_LANES + 2, /* behind what is written */
};

struct fl_csv_plain {
	bool usable;
	struct fl_interval interval; /* made for bars of this */
	unsigned made;               /* programs so far */
	struct step *steps;
	size_t count, cap;
	struct fl_buf texts;
	size_t pending; /* bytes at the end of texts that no step has yet */
};

/* --- the program --- */

static void pend(struct fl_csv_plain *p, const char *text, size_t len)
{
	fl_buf_append(&p->texts, text, len);
	p->pending += len;
}

static void pend_text(struct fl_csv_plain *p, const char *text)
{
	pend(p, text, strlen(text));
}

static void pend_key(struct fl_csv_plain *p, const char *path)
{
	pend_text(p, ",\"");
	pend_text(p, path);
	pend_text(p, "\":");
}

static void pend_string(struct fl_csv_plain *p, const char *path,
			const char *text)
{
	size_t before = p->texts.len;

	pend_key(p, path);
	fl_buf_json_string(&p->texts, text, strlen(text));
	p->pending += p->texts.len - before - (strlen(path) + 4);
}

/* A step that takes what is pending as the text before it. */
static struct step *add(struct fl_csv_plain *p, enum kind kind)
{
	struct step *step;

	if (p->count == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 32;
		p->steps = fl_realloc(p->steps, p->cap, sizeof(*p->steps));
	}
	step = &p->steps[p->count++];
	*step = (struct step){
		.kind = kind,
		.len = p->pending,
		.at = p->texts.len - p->pending,
	};
	p->pending = 0;
	return step;
}

static void flush(struct fl_csv_plain *p)
{
	if (p->pending)
		add(p, STEP_TEXT);
}

static enum kind kind_of(const struct fl_field *field)
{
	switch (field->kind) {
	case FL_NUMBER:
	case FL_INTEGER:
	case FL_SUM:
		return STEP_NUMBER;
	case FL_BOOLEAN:
	case FL_TIME:
	case FL_DATE:
		return STEP_EMPTY;
	default:
		return STEP_LABEL;
	}
}

static struct step *add_cell(struct fl_csv_plain *p, enum kind kind,
			     bool required, const char *key, size_t key_len,
			     size_t column)
{
	struct step *step;

	/* What stands before the key stays when the cell is empty. */
	if (!required)
		flush(p);
	pend(p, key, key_len);
	step = add(p, kind);
	step->required = required;
	step->column = column;
	step->decimals = FL_LANES;
	return step;
}

static void add_field(struct fl_csv_plain *p, const struct fl_field *field,
		      size_t column)
{
	struct fl_buf key = FL_BUF_INIT;
	struct step *step;

	fl_buf_printf(&key, ",\"%s\":", field->path);
	step = add_cell(p, kind_of(field), field->required, key.data, key.len,
			column);
	if (field->kind == FL_SUM)
		step->decimals = 9;
	if (field->kind == FL_INTEGER)
		step->decimals = 0;
	fl_buf_release(&key);
}

/* What no column fills; as fl_csv_put_given. */
static void add_given(struct fl_csv_plain *p, const struct fl_csv_work *w,
		      enum fl_csv_given given)
{
	switch (given) {
	case FL_CSV_NOTHING:
	case FL_CSV_SYMBOL_SRC: /* rows that have one are not plain */
		break;
	case FL_CSV_PROVIDER:
		pend_string(p, "provider", "csv");
		break;
	case FL_CSV_SYMBOL:
		pend_text(p, ",\"symbol\":\"");
		add(p, STEP_SYMBOL);
		pend_text(p, "\"");
		break;
	case FL_CSV_INTERVAL:
		pend_string(p, "interval", w->interval.text);
		break;
	case FL_CSV_ADJ:
		pend_string(p, "adj", w->plan->adj);
		break;
	case FL_CSV_DATE:
		if (!w->interval.dated)
			break;
		pend_text(p, ",\"date\":\"");
		add(p, STEP_DATE);
		pend_text(p, "\"");
		break;
	case FL_CSV_TZ:
		if (w->maker->zone) /* exact moments are not plain then */
			pend_string(p, "tz", fl_zone_name(w->maker->zone));
		break;
	}
}

static void add_events(struct fl_csv_plain *p, const struct fl_csv_work *w)
{
	bool of_bar = w->plan->type == &fl_type_bar;

	for (int i = 0; i < FL_CSV_EVENTS && of_bar; i++) {
		const struct fl_csv_extra *event = &w->plan->events[i];

		if (event->column == FL_CSV_NO_COLUMN)
			continue;
		add_cell(p,
			 fl_csv_longer_than_day(w) ? STEP_EXTRA
			 : i == FL_CSV_SPLIT       ? STEP_SPLIT
						   : STEP_ZERO,
			 false, event->key,
			 fl_csv_longer_than_day(w) ? event->key_len : 0,
			 event->column);
	}
}

static void compile(struct fl_csv_plain *p, const struct fl_csv_work *w)
{
	const struct fl_csv_plan *plan = w->plan;
	const struct fl_field *fields = plan->type->fields;
	size_t next = 0;

	p->interval = w->interval;
	p->count = p->pending = 0;
	fl_buf_reset(&p->texts);
	pend_text(p, "{\"type\":\"");
	pend_text(p, plan->type->name);
	pend_text(p, "\",\"ts\":\"");
	add(p, STEP_TIME);
	pend_text(p, "\"");
	for (int i = 2; fields[i].path; i++) { /* type, ts: done */
		if (next < plan->field_count && plan->fields[next].field == i)
			add_field(p, &fields[i], plan->fields[next++].column);
		else
			add_given(p, w, plan->given[i]);
	}
	add_events(p, w);
	for (size_t i = 0; i < plan->extra_count; i++) {
		const struct fl_csv_extra *extra = &plan->extras[i];

		add_cell(p, extra->drop_type ? STEP_OURS : STEP_EXTRA, false,
			 extra->key, extra->drop_type ? 0 : extra->key_len,
			 extra->column);
	}
	pend_text(p, "}\n");
	flush(p);
	fl_buf_reserve(&p->texts, ROOM);
	for (size_t i = 0; i < p->count; i++)
		p->steps[i].text = p->texts.data + p->steps[i].at;
	p->usable = ++p->made <= PROGRAMS_MAX && p->texts.len <= TEXTS_MAX &&
		    w->maker->style != FL_CSV_COMMA;
}

/* --- rows --- */

/* The bytes at `text` are a JSON string's as they stand. */
static bool is_label(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i += FL_LANES) {
		struct fl_lanes bytes = fl_lanes_load(text + i);
		unsigned mine =
			len - i >= FL_LANES ? 0xffff : (1U << (len - i)) - 1;
		unsigned odd = fl_lanes_equal(bytes, '"') |
			       fl_lanes_equal(bytes, '\\') |
			       ~fl_lanes_within(bytes, ' ', '~');

		if (odd & mine)
			return false;
	}
	return true;
}

static char *put_label(char *to, const struct fl_csv_cell *cell)
{
	if (!is_label(cell->text, cell->len))
		return NULL;
	*to++ = '"';
	fl_lanes_copy(to, cell->text, cell->len);
	to += cell->len;
	*to++ = '"';
	return to;
}

/* A number that is written out as it is, but for zeros at its end. */
static inline char *put_number(char *to, const struct fl_csv_cell *cell,
			       unsigned decimals)
{
	FL_UNINITIALIZED struct fl_csv_digits d;

	/* 007, .5 and 5. are written anew, or are texts. */
	if (!fl_csv_digits_look(cell, &d) || d.point == 0 ||
	    (cell->text[0] == '0' && d.point > 1) || d.len - d.point == 1 ||
	    d.len - d.point > decimals + 1)
		return NULL;
	fl_lanes_store(to, fl_lanes_load(cell->text));
	return to + d.keep;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* No event: nothing, or the figure that says so. */
static bool is_no_event(const struct fl_csv_cell *cell, bool split)
{
	struct fl_csv_digits d;

	return fl_csv_digits_look(cell, &d) && d.keep == 1 && d.point == 1 &&
	       (cell->text[0] == '0' || (split && cell->text[0] == '1'));
}

/* What comes of the cell, behind `to`; NULL: it is not plain. */
static char *put_cell(char *to, const struct fl_csv_work *w, enum kind kind,
		      const struct fl_csv_cell *cell)
{
	switch (kind) {
	case STEP_LABEL:
		return fl_csv_absent(cell->text, cell->len)
			       ? NULL
			       : put_label(to, cell);
	case STEP_EXTRA:
		return is_letter(*cell->text) ? put_label(to, cell)
					      : put_number(to, cell, FL_LANES);
	case STEP_OURS:
		return fl_csv_names_type(w, cell) ? to : NULL;
	case STEP_ZERO:
	case STEP_SPLIT:
		return is_no_event(cell, kind == STEP_SPLIT) ? to : NULL;
	default:
		return NULL;
	}
}

static char *run(const struct fl_csv_plain *p, const struct fl_csv_work *w,
		 char *to)
{
	const struct fl_csv_clock *clock = &w->maker->clock;
	const struct fl_csv_made *made = w->made;
	const struct fl_csv_cell *cells = w->row->cells, *cell = cells;
	const struct step *step = p->steps, *end = step + p->count;

	for (; step < end; step++) {
		if (step->kind >= STEP_NUMBER) {
			cell = &cells[step->column];
			if (cell->len == 0 && !step->required)
				continue;
		}
		fl_lanes_copy(to, step->text, step->len);
		to += step->len;
		if (step->kind == STEP_NUMBER) {
			to = put_number(to, cell, step->decimals);
			if (!to)
				return NULL;
			continue;
		}
		switch (step->kind) {
		case STEP_TEXT:
			break;
		case STEP_TIME:
			fl_lanes_copy(to, clock->ts, clock->ts_len);
			to += clock->ts_len;
			break;
		case STEP_SYMBOL:
			fl_lanes_copy(to, made->symbol, made->symbol_len);
			to += made->symbol_len;
			break;
		case STEP_DATE:
			fl_lanes_store(to, fl_lanes_load(clock->date));
			to += clock->date_len;
			break;
		default:
			to = put_cell(to, w, step->kind, cell);
			if (!to)
				return NULL;
			break;
		}
	}
	return to;
}

static bool same_interval(const struct fl_interval *a,
			  const struct fl_interval *b)
{
	return memcmp(a->text, b->text, sizeof(a->text)) == 0;
}

/* Is there nothing about the row that the steps do not know? Cells are looked
 * at later. */
static bool is_plain(const struct fl_csv_work *w)
{
	const struct fl_csv_made *made = w->made;

	return w->row->count >= w->plan->columns && !w->symbol_src &&
	       !(w->maker->zone && w->moment.exact) &&
	       !(w->plan->type == &fl_type_bar && w->interval.dated &&
		 w->day != w->moment.day) &&
	       is_label(made->symbol, made->symbol_len);
}

/* The steps for rows like this one. */
static const struct fl_csv_plain *program(struct fl_csv_work *w)
{
	struct fl_csv_plain *p = w->maker->plain;

	if (!p)
		p = w->maker->plain = fl_zalloc(sizeof(*p));
	if (p->made == 0 ||
	    (p->usable && !same_interval(&p->interval, &w->interval)))
		compile(p, w);
	return p->usable ? p : NULL;
}

bool fl_csv_plain_make(struct fl_csv_work *w)
{
	struct fl_buf *text = &w->made->text;
	const struct fl_csv_plain *p;
	const char *end;
	size_t len, most;

	if (!FL_SHORTCUTS || w->maker->long_way || !is_plain(w) ||
	    !(p = program(w)))
		return false;
	/* A cell grows by its quotes at most, and the time, the date and a
	 * symbol that stands in no cell come to what there is. */
	most = p->texts.len + w->row->raw_len + 2 * w->row->count +
	       FL_CSV_SYMBOL_MAX + 2 * (size_t)FL_TIME_TEXT + ROOM;
	if (text->cap - text->len <= most)
		fl_buf_reserve(text, most);
	if (!w->maker->clock.printed)
		fl_csv_clock_print(w);
	end = run(p, w, text->data + text->len);
	if (!end)
		return false;
	len = (size_t)(end - text->data) - text->len;
	w->made->records[0] = (struct fl_csv_record){
		.at = text->len,
		.len = len - 1, /* without the LF */
		.ts_ns = w->ts_ns,
	};
	w->made->count = 1;
	text->len += len;
	text->data[text->len] = '\0';
	return true;
}

void fl_csv_plain_release(struct fl_csv_plain **plain)
{
	struct fl_csv_plain *p = *plain;

	*plain = NULL;
	if (!p)
		return;
	free(p->steps);
	fl_buf_release(&p->texts);
	free(p);
}
