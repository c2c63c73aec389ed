/* postgres-schema: what a PostgreSQL database has beside the tables that all
 * kinds of stores have.
 *
 * One text makes it, whether a load runs it or somebody who was given it by
 * --print-schema: names of schemas are found when it runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <string.h>

/* --- notes of ticks ------------------------------------------------------- */

static void put_note_table(struct fl_buf *out, const struct fl_sql_column *cols,
			   const size_t *series, size_t count, const char *name,
			   const char *suffix)
{
	bool hours = strcmp(suffix, "hours") == 0;

	fl_buf_printf(out, "CREATE TABLE \"%s_%s\" (\n", name, suffix);
	for (size_t i = 0; i < count; i++) {
		fl_buf_putc(out, '\t');
		fl_sql_name(out, &fl_sql_postgres, cols[series[i]].name);
		fl_buf_printf(out, " %s NOT NULL,\n", fl_sql_postgres.key_text);
	}
	if (hours)
		fl_buf_puts(out, "\t\"hour\" timestamptz NOT NULL,\n");
	fl_buf_puts(out, "\tPRIMARY KEY (");
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(out, i ? ", " : "");
		fl_sql_name(out, &fl_sql_postgres, cols[series[i]].name);
	}
	fl_buf_puts(out, hours ? ", \"hour\")\n);\n" : ")\n);\n");
}

/* See postgres-notes.c. A table that has rows already has none noted. */
static void put_notes(struct fl_buf *out, const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t all = fl_sql_columns(&fl_sql_postgres, type, cols);
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(cols, all, series);
	const char *name = type->name;
	struct fl_buf none = FL_BUF_INIT, moved = FL_BUF_INIT;

	put_note_table(out, cols, series, count, name, "series");
	put_note_table(out, cols, series, count, name, "hours");
	fl_buf_puts(&moved, "\"ts\"");
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(&none, i ? ", ''" : "''");
		fl_buf_puts(&moved, ", ");
		fl_sql_name(&moved, &fl_sql_postgres, cols[series[i]].name);
	}
	fl_buf_printf(out,
		      "CREATE FUNCTION fl_noted_%s() RETURNS trigger "
		      "LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN\n"
		      "\tINSERT INTO \"%s_series\" VALUES (%s) "
		      "ON CONFLICT DO NOTHING;\n"
		      "\tRETURN NULL;\n"
		      "END$$;\n",
		      name, name, none.data);
	fl_buf_printf(out,
		      "CREATE TRIGGER fl_noted AFTER INSERT OR UPDATE OF %s "
		      "ON \"%s\" FOR EACH STATEMENT\n"
		      "\tWHEN (current_setting('fl.noted', true) IS DISTINCT "
		      "FROM 'on') EXECUTE FUNCTION fl_noted_%s();\n",
		      moved.data, name, name);
	fl_buf_printf(out,
		      "INSERT INTO \"%s_series\" SELECT %s "
		      "WHERE EXISTS (SELECT FROM \"%s\");\n",
		      name, none.data, name);
	fl_buf_release(&none);
	fl_buf_release(&moved);
}

/* Functions that run as their owner find names where he means them. */
static void put_pins(struct fl_buf *out)
{
	fl_buf_puts(out, "DO $$BEGIN\n");
	for (size_t i = 0; fl_types[i]; i++) {
		if (fl_pg_has_notes(fl_types[i]))
			fl_buf_printf(out,
				      "\tEXECUTE format('ALTER FUNCTION "
				      "fl_noted_%s() SET search_path = %%I, "
				      "pg_temp', current_schema());\n",
				      fl_types[i]->name);
	}
	fl_buf_puts(out, "END$$;\n");
}

/* --- all of it ------------------------------------------------------------ */

void fl_pg_extras(struct fl_buf *out, int from)
{
	if (from >= 1)
		return;
	for (size_t i = 0; fl_types[i]; i++) {
		if (fl_pg_has_notes(fl_types[i]))
			put_notes(out, fl_types[i]);
	}
	put_pins(out);
	fl_buf_printf(out,
		      "ALTER TABLE fl_schema ADD COLUMN extras integer NOT "
		      "NULL DEFAULT 0;\n"
		      "UPDATE fl_schema SET extras = %d;\n",
		      FL_PG_EXTRAS);
}

#endif
