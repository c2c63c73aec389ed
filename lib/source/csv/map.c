/* csv_map: columns named by --map, and the little that all do with columns.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "source/csv/columns.h"
#include "source/csv/names.h"

const char *fl_csv_show_columns(const struct fl_csv_columns *m,
				struct fl_buf *buf)
{
	for (size_t i = 0; i < m->count && i < 12; i++)
		fl_buf_printf(buf, "%s'%s'", i ? ", " : "",
			      fl_show(m->header[i].text, m->header[i].len, 30));
	if (m->count > 12)
		fl_buf_puts(buf, ", …");
	return fl_buf_text(buf);
}

size_t *fl_csv_special_column(struct fl_csv_plan *plan, const char *role,
			      size_t len)
{
	const struct {
		const char *role;
		size_t *column;
	} specials[] = {
		{ "symbol", &plan->symbol },
		{ "when", &plan->when },
		{ "ts", &plan->when },
		{ "timestamp", &plan->when },
		{ "date", &plan->when },
		{ "datetime", &plan->when },
		{ "time", &plan->time },
		{ "interval", &plan->interval },
		{ "dividend", &plan->events[FL_CSV_DIVIDEND].column },
		{ "split", &plan->events[FL_CSV_SPLIT].column },
		{ "capital_gain", &plan->events[FL_CSV_GAIN].column },
	};

	for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++) {
		if (fl_csv_is_word(specials[i].role, role, len))
			return specials[i].column;
	}
	return NULL;
}

/* Fields that a column may fill; the others are made here. */
int fl_csv_fillable(const struct fl_type *type, const char *role, size_t len)
{
	int field = fl_type_field(type, role, len);

	if (field < 0 || fl_csv_is_word("type", role, len) ||
	    fl_csv_is_word("provider", role, len) ||
	    fl_csv_is_word("date", role, len) ||
	    type->fields[field].kind == FL_STRINGS ||
	    type->fields[field].kind == FL_OBJECTS ||
	    type->fields[field].kind == FL_OBJECT)
		return -1;
	return field;
}

void fl_csv_add_field(struct fl_csv_columns *m, int field, size_t column)
{
	struct fl_csv_plan *plan = m->plan;

	plan->fields = fl_realloc(plan->fields, plan->field_count + 1,
				  sizeof(*plan->fields));
	plan->fields[plan->field_count++] =
		(struct fl_csv_field){ field, column };
	m->taken[column] = true;
}

bool fl_csv_has_field(const struct fl_csv_plan *plan, int field)
{
	for (size_t i = 0; i < plan->field_count; i++) {
		if (plan->fields[i].field == field)
			return true;
	}
	return false;
}

struct mapped {
	const char *role;
	size_t len;
	const char *column;
};

static bool find_column(const struct fl_csv_columns *m, const char *column,
			size_t *at)
{
	char *normal, *end;
	unsigned long number;

	for (*at = 0; *at < m->count && !m->plan->headerless; (*at)++) {
		if (strlen(column) == m->header[*at].len &&
		    memcmp(column, m->header[*at].text, m->header[*at].len) ==
			    0)
			return true;
	}
	normal = fl_csv_normalise(column, strlen(column));
	for (*at = 0; *at < m->count && *normal; (*at)++) {
		if (strcmp(m->normal[*at], normal) == 0)
			break;
	}
	if (*normal && *at < m->count) {
		free(normal);
		return true;
	}
	free(normal);
	number = strtoul(column, &end, 10);
	*at = number - 1;
	return *column >= '1' && *column <= '9' && !*end && number <= m->count;
}

/* FIELD=COLUMN */
static bool split_entry(const char *entry, struct mapped *mapped)
{
	const char *equals = strchr(entry, '=');

	if (!equals || equals == entry || !equals[1])
		return false;
	mapped->role = entry;
	mapped->len = (size_t)(equals - entry);
	mapped->column = equals + 1;
	return true;
}

static int bad_entry(const char *entry, struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_USAGE,
			    "--map '%s': say FIELD=COLUMN, the column's name "
			    "or its number from 1",
			    fl_show(entry, strlen(entry), 80));
}

static int unknown_field(const struct mapped *mapped, struct fl_error *err)
{
	return fl_error_set(
		err, FL_ERR_USAGE,
		"--map: '%s' is no field of a bar or quote; there "
		"are symbol date time interval open high low close "
		"adj_close volume price size bid ask dividend split "
		"and those of fl-records(5)",
		fl_show(mapped->role, mapped->len, 60));
}

int fl_csv_map_type(const struct fl_list *map, struct fl_error *err)
{
	int said = 2;

	for (uint64_t i = 0; map && i < map->count; i++) {
		struct fl_csv_plan none;
		struct mapped mapped;
		bool bar, quote;

		if (!split_entry(map->items[i], &mapped))
			return bad_entry(map->items[i], err);
		bar = fl_csv_fillable(&fl_type_bar, mapped.role, mapped.len) >=
		      0;
		quote = fl_csv_fillable(&fl_type_quote, mapped.role,
					mapped.len) >= 0;
		if (fl_csv_special_column(&none, mapped.role, mapped.len))
			continue;
		if (!bar && !quote)
			return unknown_field(&mapped, err);
		if (bar != quote && said == 2)
			said = quote;
	}
	return said;
}

int fl_csv_map_take(struct fl_csv_columns *m, const struct fl_list *map)
{
	for (uint64_t i = 0; map && i < map->count; i++) {
		struct mapped mapped;
		size_t at, *special;
		int field;

		if (!split_entry(map->items[i], &mapped))
			return bad_entry(map->items[i], m->err);
		if (!find_column(m, mapped.column, &at)) {
			struct fl_buf columns = FL_BUF_INIT;

			fl_error_set(m->err, FL_ERR_USAGE,
				     "--map %s=%s: '%s' has no such column; "
				     "it has %s",
				     fl_show(mapped.role, mapped.len, 40),
				     fl_show(mapped.column,
					     strlen(mapped.column), 60),
				     fl_show(m->name, strlen(m->name), 200),
				     fl_csv_show_columns(m, &columns));
			fl_buf_release(&columns);
			return -1;
		}
		special =
			fl_csv_special_column(m->plan, mapped.role, mapped.len);
		if (special) {
			*special = at;
			m->taken[at] = true;
			continue;
		}
		field = fl_csv_fillable(m->plan->type, mapped.role, mapped.len);
		if (field < 0)
			return fl_error_set(
				m->err, FL_ERR_USAGE,
				"--map: '%.*s' is no field of a "
				"%s, which '%s' holds",
				(int)mapped.len, mapped.role,
				m->plan->type->name,
				fl_show(m->name, strlen(m->name), 200));
		if (!fl_csv_has_field(m->plan, field))
			fl_csv_add_field(m, field, at);
	}
	/* A time without a date is the whole moment. */
	if (m->plan->when == FL_CSV_NO_COLUMN &&
	    m->plan->time != FL_CSV_NO_COLUMN) {
		m->plan->when = m->plan->time;
		m->plan->time = FL_CSV_NO_COLUMN;
	}
	return 0;
}
