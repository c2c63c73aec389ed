/* csv_header: what the columns of a CSV file mean; see csv_header.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "source/csv/columns.h"
#include "source/csv/date.h"
#include "source/csv/names.h"
#include "source/csv/number.h"

#define NAME_MAX_BYTES 200 /* of a key made from a column's name */

static const char *show_name(const struct fl_csv_columns *m)
{
	return fl_show(m->name, strlen(m->name), 200);
}

/* --- what the first row is --- */

bool fl_csv_is_data(const struct fl_csv_cell *row, size_t count)
{
	char number[FL_CSV_NUMBER_MAX];
	size_t numbers = 0, filled = 0;

	for (size_t i = 0; i < count; i++) {
		if (row[i].len == 0)
			continue;
		filled++;
		if (fl_csv_date_looks(row[i].text, row[i].len))
			return true;
		numbers += fl_csv_number(FL_CSV_EACH, ',', FL_CSV_SCALE,
					 row[i].text, row[i].len, number) > 0;
	}
	return filled > 0 && 2 * numbers >= filled;
}

/* --- names that are known --- */

/* The first free column of that name; *twice: there is another. */
static size_t column_named(const struct fl_csv_columns *m, const char *name,
			   size_t len, size_t *twice)
{
	size_t found = FL_CSV_NO_COLUMN;

	*twice = FL_CSV_NO_COLUMN;
	if (len == 1 && !m->letters)
		return found;
	for (size_t i = 0; i < m->count; i++) {
		if (m->taken[i] || !fl_csv_is_word(m->normal[i], name, len))
			continue;
		if (found == FL_CSV_NO_COLUMN)
			found = i;
		else if (*twice == FL_CSV_NO_COLUMN)
			*twice = i;
	}
	return found;
}

/* The column for a role, by the best of its names. -1 with err: two of them. */
static int claim(struct fl_csv_columns *m, const struct fl_csv_alias *alias,
		 size_t *column)
{
	const char *words = alias->names, *word;
	size_t len, twice = FL_CSV_NO_COLUMN;

	*column = FL_CSV_NO_COLUMN;
	while (*column == FL_CSV_NO_COLUMN &&
	       fl_csv_next_word(&words, &word, &len))
		*column = column_named(m, word, len, &twice);
	if (*column == FL_CSV_NO_COLUMN)
		return 0;
	if (twice != FL_CSV_NO_COLUMN)
		return fl_error_set(
			m->err, FL_ERR_USAGE,
			"'%s': columns %zu and %zu are both named '%s'; say "
			"--map %s=%zu or --map %s=%zu",
			show_name(m), *column + 1, twice + 1,
			fl_show(m->header[*column].text, m->header[*column].len,
				60),
			strcmp(alias->role, "when") ? alias->role : "date",
			*column + 1,
			strcmp(alias->role, "when") ? alias->role : "date",
			twice + 1);
	m->taken[*column] = true;
	return 0;
}

static int claim_common(struct fl_csv_columns *m)
{
	size_t twice;

	for (const struct fl_csv_alias *a = fl_csv_names; a->role; a++) {
		size_t *column = fl_csv_special_column(m->plan, a->role,
						       strlen(a->role));

		if (*column == FL_CSV_NO_COLUMN && claim(m, a, column) < 0)
			return -1;
	}
	/* A column `time` beside one of dates. */
	if (m->plan->when != FL_CSV_NO_COLUMN &&
	    m->plan->time == FL_CSV_NO_COLUMN &&
	    !strstr(m->normal[m->plan->when], "time") &&
	    (strstr(m->normal[m->plan->when], "date") ||
	     strstr(m->normal[m->plan->when], "day"))) {
		m->plan->time = column_named(m, "time", 4, &twice);
		if (m->plan->time != FL_CSV_NO_COLUMN)
			m->taken[m->plan->time] = true;
	}
	return 0;
}

static int claim_fields(struct fl_csv_columns *m)
{
	const struct fl_type *type = m->plan->type;
	const struct fl_csv_alias *a =
		type == &fl_type_bar ? fl_csv_bar_names : fl_csv_quote_names;

	for (; a->role; a++) {
		size_t len = strlen(a->role), column;
		size_t *special = fl_csv_special_column(m->plan, a->role, len);
		int field = special ? -1 : fl_type_field(type, a->role, len);

		if (special ? *special != FL_CSV_NO_COLUMN
			    : fl_csv_has_field(m->plan, field))
			continue;
		if (claim(m, a, &column) < 0)
			return -1;
		if (column == FL_CSV_NO_COLUMN)
			continue;
		if (special)
			*special = column;
		else
			fl_csv_add_field(m, field, column);
	}
	/* Fields by their own name: currency, mic, ts_end. */
	for (int i = 0; type->fields[i].path; i++) {
		const char *path = type->fields[i].path;
		char *normal;
		size_t column, twice;

		if (fl_csv_fillable(type, path, strlen(path)) < 0 ||
		    fl_csv_has_field(m->plan, i) ||
		    fl_csv_special_column(m->plan, path, strlen(path)))
			continue;
		normal = fl_csv_normalise(path, strlen(path));
		column = column_named(m, normal, strlen(normal), &twice);
		free(normal);
		if (column != FL_CSV_NO_COLUMN)
			fl_csv_add_field(m, i, column);
	}
	return 0;
}

/* pandas writes its index first, without a name: dates are taken as such, a
 * mere count of the rows is passed over. */
static void take_index(struct fl_csv_columns *m)
{
	const struct fl_csv_cell *cell = m->first;

	if (m->count == 0 || m->first_count == 0 || m->taken[0] ||
	    m->plan->headerless ||
	    !(m->normal[0][0] == '\0' ||
	      strcmp(m->normal[0], "unnamed:0") == 0 ||
	      strcmp(m->normal[0], "index") == 0))
		return;
	if (m->plan->when == FL_CSV_NO_COLUMN &&
	    fl_csv_date_looks(cell->text, cell->len)) {
		m->plan->when = 0;
		m->taken[0] = true;
	} else if (cell->len == 1 &&
		   (*cell->text == '0' || *cell->text == '1')) {
		m->taken[0] = true;
	}
}

/* --- which record --- */

static bool has_any(const struct fl_csv_columns *m,
		    const struct fl_csv_alias *table, const char *role)
{
	for (; table->role; table++) {
		const char *words = table->names, *word;
		size_t len, twice = FL_CSV_NO_COLUMN;

		if (strcmp(table->role, role) != 0)
			continue;
		while (fl_csv_next_word(&words, &word, &len)) {
			if (column_named(m, word, len, &twice) !=
			    FL_CSV_NO_COLUMN)
				return true;
		}
	}
	return false;
}

static bool asks_for(const char *const *types, const char *type)
{
	for (; types && *types; types++) {
		if (strcmp(*types, type) == 0)
			return true;
	}
	return false;
}

/* A bar has four prices. A day's prices beside a previous close and a change
 * are a snapshot, a quote. */
static int choose_type(struct fl_csv_columns *m, const struct fl_csv_wish *wish)
{
	bool bar = has_any(m, fl_csv_bar_names, "open") &&
		   has_any(m, fl_csv_bar_names, "high") &&
		   has_any(m, fl_csv_bar_names, "low") &&
		   has_any(m, fl_csv_bar_names, "close") &&
		   !has_any(m, fl_csv_quote_names, "prev_close");
	int by_map = fl_csv_map_type(wish->map, m->err);

	if (by_map < 0)
		return -1;
	if (by_map < 2)
		bar = !by_map;
	else if (asks_for(wish->types, "quote") &&
		 !asks_for(wish->types, "bar"))
		bar = false;
	else if (asks_for(wish->types, "bar"))
		bar = true;
	m->plan->type = bar ? &fl_type_bar : &fl_type_quote;
	return 0;
}

static int no_column(struct fl_csv_columns *m, const char *what,
		     const char *advice)
{
	struct fl_buf columns = FL_BUF_INIT;

	if (m->plan->headerless)
		fl_error_set(m->err, FL_ERR_USAGE,
			     "'%s' has no names in its first row (%s); say "
			     "which column is what, for example --map "
			     "date=1,open=2,high=3,low=4,close=5,volume=6",
			     show_name(m), fl_csv_show_columns(m, &columns));
	else
		fl_error_set(m->err, FL_ERR_USAGE,
			     "'%s': no column for the %s among %s; say %s",
			     show_name(m), what,
			     fl_csv_show_columns(m, &columns), advice);
	fl_buf_release(&columns);
	return -1;
}

static int check_needed(struct fl_csv_columns *m)
{
	const struct fl_type *type = m->plan->type;

	if (m->plan->when == FL_CSV_NO_COLUMN)
		return no_column(m, "date", "--map date=COLUMN");
	for (int i = 0; type->fields[i].path; i++) {
		const struct fl_field *field = &type->fields[i];
		char what[40], advice[80];

		if (!field->required || field->unit != FL_UNIT_PRICE ||
		    fl_csv_has_field(m->plan, i))
			continue;
		snprintf(what, sizeof(what), "%s%s", field->path,
			 strcmp(field->path, "price") == 0 ? ""
							   : " price of bars");
		snprintf(advice, sizeof(advice), "--map %s=COLUMN",
			 field->path);
		return no_column(m, what, advice);
	}
	return 0;
}

/* --- fl_csv_vendors --- */

static bool same_header(const struct fl_csv_columns *m, const char *header)
{
	const char *word;
	size_t len;

	for (size_t i = 0; i < m->count; i++) {
		if (i == m->plan->symbol || !*m->normal[i])
			continue;
		if (!fl_csv_next_word(&header, &word, &len) ||
		    !fl_csv_is_word(m->normal[i], word, len))
			return false;
	}
	return !fl_csv_next_word(&header, &word, &len);
}

static void find_vendor(struct fl_csv_columns *m)
{
	struct fl_csv_plan *plan = m->plan;
	size_t dividend, split;

	plan->adj = "none";
	for (const struct fl_csv_vendor *v = fl_csv_vendors; v->name; v++) {
		if (plan->headerless || !same_header(m, v->header))
			continue;
		plan->vendor = v->name;
		plan->adj = v->adj;
		plan->event_adj = v->event_adj;
		plan->stooq = v->stooq;
		return;
	}
	/* yfinance: Ticker.history() adjusts for dividends as well, unless it
	 * gives Adj Close apart; what it says of dividends is split-adjusted.
	 */
	dividend = plan->events[FL_CSV_DIVIDEND].column;
	split = plan->events[FL_CSV_SPLIT].column;
	if (plan->type == &fl_type_bar && dividend != FL_CSV_NO_COLUMN &&
	    split != FL_CSV_NO_COLUMN &&
	    strcmp(m->normal[dividend], "dividends") == 0 &&
	    strcmp(m->normal[split], "stocksplits") == 0) {
		int adj_close = fl_type_field(&fl_type_bar, "adj_close", 9);

		plan->vendor = "yfinance";
		plan->adj = fl_csv_has_field(plan, adj_close) ? "split" : "all";
		plan->event_adj = "split";
	}
}

/* --- the rest --- */

/* A key for the column: its name, unless that is a field's or taken: then with
 * _src behind it, as the provider's own; at last with a number. */
static char *make_key(struct fl_csv_columns *m, size_t column,
		      char *const *used, size_t used_count)
{
	const struct fl_csv_cell *cell = &m->header[column];
	const char *text = cell->text;
	size_t len = cell->len;
	struct fl_buf name = FL_BUF_INIT;

	while (len && (*text == '<' || *text == ' ')) {
		text++;
		len--;
	}
	while (len && (text[len - 1] == '>' || text[len - 1] == ' '))
		len--;
	if (m->plan->headerless || !len || len > NAME_MAX_BYTES ||
	    !fl_utf8_valid(text, len) || memchr(text, '\0', len))
		fl_buf_printf(&name, "column_%zu", column + 1);
	else
		fl_buf_append(&name, text, len);
	if (fl_type_field(m->plan->type, name.data, name.len) >= 0)
		fl_buf_puts(&name, "_src");
	len = name.len;
	for (unsigned n = 2;; n++) {
		/* date_src is ours: a week's or month's own date. */
		bool free_name =
			fl_type_field(m->plan->type, name.data, name.len) < 0 &&
			strcmp(name.data, "date_src") != 0;

		for (size_t i = 0; i < used_count && free_name; i++)
			free_name = strcmp(used[i], name.data) != 0;
		if (free_name)
			return fl_buf_take(&name);
		name.len = len;
		fl_buf_printf(&name, "_%u", n);
	}
}

static void make_extra(struct fl_csv_extra *extra, size_t column,
		       const char *name)
{
	struct fl_buf key = FL_BUF_INIT;

	fl_buf_putc(&key, ',');
	fl_buf_json_string(&key, name, strlen(name));
	fl_buf_putc(&key, ':');
	extra->column = column;
	extra->drop_type = strcmp(name, "type_src") == 0;
	extra->key_len = key.len;
	extra->key = fl_buf_take(&key);
}

static void keep_extras(struct fl_csv_columns *m)
{
	struct fl_csv_plan *plan = m->plan;
	char **used = fl_realloc(NULL, m->count + FL_CSV_EVENTS, sizeof(*used));
	size_t count = 0;

	plan->extras = fl_realloc(NULL, m->count + 1, sizeof(*plan->extras));
	for (int i = 0; i < FL_CSV_EVENTS; i++) {
		size_t column = plan->events[i].column;

		if (column == FL_CSV_NO_COLUMN)
			continue;
		used[count] = make_key(m, column, used, count);
		make_extra(&plan->events[i], column, used[count]);
		count++;
	}
	for (size_t i = 0; i < m->count; i++) {
		if (m->taken[i])
			continue;
		used[count] = make_key(m, i, used, count);
		make_extra(&plan->extras[plan->extra_count++], i, used[count]);
		count++;
	}
	while (count)
		free(used[--count]);
	free(used);
}

static void find_given(struct fl_csv_plan *plan)
{
	static const char *const paths[] = {
		[FL_CSV_PROVIDER] = "provider",
		[FL_CSV_SYMBOL] = "symbol",
		[FL_CSV_SYMBOL_SRC] = "symbol_src",
		[FL_CSV_INTERVAL] = "interval",
		[FL_CSV_ADJ] = "adj",
		[FL_CSV_DATE] = "date",
		[FL_CSV_TZ] = "tz",
	};

	for (int i = FL_CSV_PROVIDER; i <= FL_CSV_TZ; i++) {
		int field =
			fl_type_field(plan->type, paths[i], strlen(paths[i]));

		if (field >= 0)
			plan->given[field] = (enum fl_csv_given)i;
	}
}

static int by_field(const void *a, const void *b)
{
	const struct fl_csv_field *left = a, *right = b;

	return left->field - right->field;
}

/* Columns at the end that have no name and nothing in them. */
static size_t count_needed(const struct fl_csv_columns *m)
{
	size_t count = m->count;

	while (count && !m->plan->headerless && m->header[count - 1].len == 0 &&
	       !m->taken[count - 1])
		count--;
	return count;
}

static bool has_letter(const struct fl_csv_columns *m, char letter)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->normal[i][0] == letter && !m->normal[i][1])
			return true;
	}
	return false;
}

static int make(struct fl_csv_columns *m, const struct fl_csv_wish *wish)
{
	struct fl_csv_plan *plan = m->plan;

	m->letters = has_letter(m, 'o') && has_letter(m, 'h') &&
		     has_letter(m, 'l') && has_letter(m, 'c');
	if (choose_type(m, wish) < 0 || fl_csv_map_take(m, wish->map) < 0 ||
	    claim_common(m) < 0)
		return -1;
	take_index(m);
	if (claim_fields(m) < 0 || check_needed(m) < 0)
		return -1;
	find_vendor(m);
	plan->needed = count_needed(m);
	plan->columns = m->count;
	keep_extras(m);
	find_given(plan);
	qsort(plan->fields, plan->field_count, sizeof(*plan->fields), by_field);
	return 0;
}

int fl_csv_plan_make(struct fl_csv_plan *plan, const struct fl_csv_wish *wish,
		     const char *name, const struct fl_csv_cell *header,
		     size_t header_count, const struct fl_csv_cell *first,
		     size_t first_count, struct fl_error *err)
{
	struct fl_csv_columns m = {
		.plan = plan,
		.name = name,
		.header = header,
		.count = header_count,
		.first = first,
		.first_count = first_count,
		.err = err,
	};
	int result;

	memset(plan, 0, sizeof(*plan));
	plan->symbol = plan->when = plan->time = plan->interval =
		FL_CSV_NO_COLUMN;
	for (int i = 0; i < FL_CSV_EVENTS; i++)
		plan->events[i].column = FL_CSV_NO_COLUMN;
	plan->headerless = fl_csv_is_data(header, header_count);
	m.taken = fl_zalloc(header_count + 1);
	m.normal = fl_realloc(NULL, header_count + 1, sizeof(*m.normal));
	for (size_t i = 0; i < header_count; i++)
		m.normal[i] = plan->headerless
				      ? fl_strdup("")
				      : fl_csv_normalise(header[i].text,
							 header[i].len);
	result = make(&m, wish);
	for (size_t i = 0; i < header_count; i++)
		free(m.normal[i]);
	free(m.normal);
	free(m.taken);
	if (result < 0)
		fl_csv_plan_release(plan);
	return result;
}

void fl_csv_plan_release(struct fl_csv_plan *plan)
{
	for (size_t i = 0; i < plan->extra_count; i++)
		free(plan->extras[i].key);
	for (int i = 0; i < FL_CSV_EVENTS; i++)
		free(plan->events[i].key);
	free(plan->extras);
	free(plan->fields);
	memset(plan, 0, sizeof(*plan));
}
