/* select: see select.h. The operators are those of the REST interface, so that
 * one word means one thing on the command line and in a URL.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "base/time.h"
#include "rec/record.h"

enum op {
	OP_EQ,
	OP_NEQ,
	OP_GT,
	OP_GTE,
	OP_LT,
	OP_LTE,
	OP_IN,
	OP_LIKE,
	OP_IS,
};

static const char *const ops[] = { "eq",  "neq", "gt",   "gte", "lt",
				   "lte", "in",  "like", "is",  NULL };

struct operand {
	char *text;
	size_t len;
	bool is_number;
	struct fl_decimal number;
};

struct fl_where {
	struct fl_where *next;
	char *path;
	enum op op;
	struct operand *values;
	size_t count;
};

static void add_value(struct fl_where *where, const char *text, size_t len)
{
	struct operand *value;

	where->values = fl_realloc(where->values, where->count + 1,
				   sizeof(*where->values));
	value = &where->values[where->count++];
	value->text = fl_strndup(text, len);
	value->len = len;
	value->is_number = fl_decimal_parse(text, len, &value->number) >= 0;
}

/* Does one letter too few, too many, wrong or swapped make `word` of `op`? */
static bool is_slip(const char *word, size_t len, const char *op)
{
	size_t n = strlen(op), same = 0;
	const char *w, *o;

	while (same < len && same < n && word[same] == op[same])
		same++;
	w = word + same;
	o = op + same;
	len -= same;
	n -= same;
	if (len + 1 == n)
		return memcmp(w, o + 1, len) == 0;
	if (len == n + 1)
		return memcmp(w + 1, o, n) == 0;
	if (len != n || len == 0)
		return false;
	return memcmp(w + 1, o + 1, len - 1) == 0 ||
	       (len >= 2 && w[0] == o[1] && w[1] == o[0] &&
		memcmp(w + 2, o + 2, len - 2) == 0);
}

/* The value has no operator. Was one meant? Words that lack a letter are
 * slips more often than others: ge is gte, ne is neq. */
static const char *meant_op(const char *value, size_t *len)
{
	const char *near = NULL;

	*len = strspn(value, "abcdefghijklmnopqrstuvwxyz");
	if (*len == 0 || value[*len] != '.')
		return NULL;
	for (int i = 0; ops[i]; i++) {
		if (!is_slip(value, *len, ops[i]))
			continue;
		if (strlen(ops[i]) > *len)
			return ops[i];
		if (!near)
			near = ops[i];
	}
	return near;
}

/* Is the field a number to each type that knows it, and does one? */
static bool is_number(const char *path)
{
	bool known = false;

	for (size_t i = 0; fl_types[i]; i++) {
		int at = fl_type_field(fl_types[i], path, strlen(path));
		enum fl_kind kind;

		if (at < 0)
			continue;
		kind = fl_types[i]->fields[at].kind;
		if (kind != FL_NUMBER && kind != FL_SUM && kind != FL_INTEGER)
			return false;
		known = true;
	}
	return known;
}

static bool orders(enum op op)
{
	return op == OP_GT || op == OP_GTE || op == OP_LT || op == OP_LTE;
}

int fl_select_where(struct fl_select *select, const char *text,
		    struct fl_error *err)
{
	const char *equals = strchr(text, '='), *value;
	struct fl_where *where;
	const char *meant = NULL;
	bool given = false;
	size_t word = 0;

	if (!equals || equals == text)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--where '%s': FIELD=OP.VALUE, such as "
				    "price=gt.100 or currency=eq.USD",
				    fl_show(text, strlen(text), 80));
	where = fl_zalloc(sizeof(*where));
	where->next = select->where;
	select->where = where;
	where->path = fl_strndup(text, (size_t)(equals - text));
	value = equals + 1;
	where->op = strchr(value, ',') ? OP_IN : OP_EQ;
	for (int i = 0; ops[i]; i++) {
		size_t len = strlen(ops[i]);

		if (strncmp(value, ops[i], len) == 0 && value[len] == '.') {
			where->op = (enum op)i;
			value += len + 1;
			given = true;
			break;
		}
	}
	if (!given)
		meant = meant_op(value, &word);
	if (meant)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--where: no operator '%.*s' (did you mean "
				    "'%s'?)",
				    (int)word, value, meant);
	if (where->op == OP_IS && strcmp(value, "null") != 0 &&
	    strcmp(value, "notnull") != 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--where '%s': is.null or is.notnull",
				    fl_show(text, strlen(text), 80));
	if (where->op != OP_IN) {
		add_value(where, value, strlen(value));
		if (orders(where->op) && !where->values[0].is_number &&
		    is_number(where->path))
			return fl_error_set(
				err, FL_ERR_USAGE,
				"--where: '%s' is a number, '%s' is none",
				fl_show(where->path, strlen(where->path), 60),
				fl_show(value, strlen(value), 60));
		return 0;
	}
	for (;;) {
		size_t len = strcspn(value, ",");

		add_value(where, value, len);
		if (!value[len])
			return 0;
		value += len + 1;
	}
}

/* `*` stands for any bytes. */
static bool is_like(const char *text, size_t len, const char *pattern)
{
	const char *star = NULL;
	size_t at = 0, back = 0;

	while (at < len) {
		if (*pattern == '*') {
			star = pattern++;
			back = at;
		} else if (*pattern && *pattern == text[at]) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star + 1;
			at = ++back;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static int compare(const struct fl_json_tok *tok, const struct operand *value)
{
	struct fl_decimal number;
	const char *text = tok->text;
	size_t len = tok->len, shorter;
	int order;

	if (tok->kind == FL_JSON_NUMBER && value->is_number &&
	    fl_decimal_parse(text, len, &number) >= 0)
		return fl_decimal_cmp(number, value->number);
	if (tok->kind == FL_JSON_TRUE || tok->kind == FL_JSON_FALSE) {
		text = tok->kind == FL_JSON_TRUE ? "true" : "false";
		len = strlen(text);
	}
	shorter = len < value->len ? len : value->len;
	order = shorter ? memcmp(text, value->text, shorter) : 0;
	if (order)
		return order;
	return len < value->len ? -1 : len > value->len;
}

/* What is an array holds when one of its elements does (symbols of news). */
static bool value_holds(const struct fl_where *where,
			const struct fl_json_tok *tok)
{
	int order;

	if (tok->kind == FL_JSON_OBJECT)
		return false;
	if (tok->kind == FL_JSON_ARRAY) {
		const struct fl_json_tok *element = tok + 1;

		for (uint32_t i = 0; i < tok->len; i++) {
			if (element->kind < FL_JSON_ARRAY &&
			    value_holds(where, element))
				return true;
			if (element->kind >= FL_JSON_ARRAY)
				return false; /* deeper is nobody's list */
			element++;
		}
		return false;
	}
	if (where->op == OP_IN) {
		for (size_t i = 0; i < where->count; i++) {
			if (compare(tok, &where->values[i]) == 0)
				return true;
		}
		return false;
	}
	if (where->op == OP_LIKE)
		return tok->kind == FL_JSON_STRING &&
		       is_like(tok->text, tok->len, where->values[0].text);
	order = compare(tok, &where->values[0]);
	switch (where->op) {
	case OP_EQ:
		return order == 0;
	case OP_GT:
		return order > 0;
	case OP_GTE:
		return order >= 0;
	case OP_LT:
		return order < 0;
	case OP_LTE:
		return order <= 0;
	default:
		return order != 0;
	}
}

static bool holds(const struct fl_where *where, const struct fl_record *rec)
{
	const struct fl_json_tok *tok = fl_record_value(rec, where->path);

	if (where->op == OP_IS)
		return (tok && tok->kind != FL_JSON_NULL) ==
		       (where->values[0].text[0] == 'n' &&
			where->values[0].text[1] == 'o');
	if (!tok || tok->kind == FL_JSON_NULL)
		return where->op == OP_NEQ;
	return value_holds(where, tok);
}

static bool in_list(const char *const *list, const char *text, size_t len)
{
	for (; *list; list++) {
		if (strlen(*list) == len && memcmp(*list, text, len) == 0)
			return true;
	}
	return false;
}

/* Bars of a day and longer are compared by their date, which stands at midnight
 * UTC in `ts` for every provider: so no zone matters to them. */
static bool in_time(const struct fl_select *select, const struct fl_record *rec)
{
	int64_t from = select->from, to = select->to;

	if ((from != select->date_from || to != select->date_to) &&
	    fl_record_value(rec, "date")) {
		from = select->date_from;
		to = select->date_to;
	}
	return (from == FL_TIME_NONE || rec->ts_ns >= from) &&
	       (to == FL_TIME_NONE || rec->ts_ns < to);
}

bool fl_select_wants(const struct fl_select *select,
		     const struct fl_record *rec)
{
	if (select->types &&
	    !in_list(select->types, rec->type->name, strlen(rec->type->name)))
		return false;
	if (select->symbols) {
		const struct fl_json_tok *tok = fl_record_value(rec, "symbol");

		if (!tok || tok->kind != FL_JSON_STRING ||
		    !in_list(select->symbols, tok->text, tok->len))
			return false;
	}
	if (!in_time(select, rec))
		return false;
	for (const struct fl_where *where = select->where; where;
	     where = where->next) {
		if (!holds(where, rec))
			return false;
	}
	return true;
}

void fl_select_release(struct fl_select *select)
{
	while (select->where) {
		struct fl_where *where = select->where;

		select->where = where->next;
		for (size_t i = 0; i < where->count; i++)
			free(where->values[i].text);
		free(where->values);
		free(where->path);
		free(where);
	}
}
