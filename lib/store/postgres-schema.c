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

/* The columns by which a row is noted, and moves when they change. */
static void put_noted_columns(struct fl_buf *out, const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t all = fl_sql_columns(&fl_sql_postgres, type, cols);
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(cols, all, series);

	fl_buf_puts(out, "\"ts\"");
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(out, ", ");
		fl_sql_name(out, &fl_sql_postgres, cols[series[i]].name);
	}
}

/* On a table or, by its name as format() has it, on a partition. */
static void put_noted_trigger(struct fl_buf *out, const struct fl_type *type,
			      const char *name, const char *quote)
{
	fl_buf_puts(out, "CREATE TRIGGER fl_noted AFTER INSERT OR UPDATE OF ");
	put_noted_columns(out, type);
	fl_buf_printf(out,
		      " ON %s\n\tFOR EACH STATEMENT WHEN (current_setting("
		      "%sfl.noted%s, true) IS DISTINCT FROM %son%s)\n"
		      "\tEXECUTE FUNCTION fl_noted_%s()",
		      name, quote, quote, quote, quote, type->name);
}

/* See postgres-notes.c. A table that has rows already has none noted. */
static void put_notes(struct fl_buf *out, const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t all = fl_sql_columns(&fl_sql_postgres, type, cols);
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(cols, all, series);
	const char *name = type->name;
	struct fl_buf none = FL_BUF_INIT;

	put_note_table(out, cols, series, count, name, "series");
	put_note_table(out, cols, series, count, name, "hours");
	for (size_t i = 0; i < count; i++)
		fl_buf_puts(&none, i ? ", ''" : "''");
	fl_buf_printf(out,
		      "CREATE FUNCTION fl_noted_%s() RETURNS trigger "
		      "LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN\n"
		      "\tINSERT INTO \"%s_series\" VALUES (%s) "
		      "ON CONFLICT DO NOTHING;\n"
		      "\tRETURN NULL;\n"
		      "END$$;\n",
		      name, name, none.data);
	put_noted_trigger(out, type, name, "'");
	fl_buf_puts(out, ";\n");
	fl_buf_printf(out,
		      "INSERT INTO \"%s_series\" SELECT %s "
		      "WHERE EXISTS (SELECT FROM \"%s\");\n",
		      name, none.data, name);
	fl_buf_release(&none);
}

/* --- months --------------------------------------------------------------- */

/* Of the types that are vast: 'quote', 'log' */
static void put_vast(struct fl_buf *out)
{
	const char *before = "'";

	for (size_t i = 0; fl_types[i]; i++) {
		if (!fl_types[i]->vast)
			continue;
		fl_buf_printf(out, "%s%s'", before, fl_types[i]->name);
		before = ", '";
	}
}

/* Makes the partition that holds a day. It runs as the owner of the tables, so
 * that who loads need not be one. Attaching disturbs neither readers nor other
 * loads, as CREATE TABLE … PARTITION OF would. Where somebody has parted the
 * table otherwise, or keeps a default partition with such rows in it, nothing
 * is made: there is a place for the day, or else the rows say that there is
 * none. */
static void put_months(struct fl_buf *out)
{
	static const char head[] =
		"CREATE FUNCTION fl_add_month(vast text, day date) RETURNS void\n"
		"LANGUAGE plpgsql SECURITY DEFINER AS $$\n"
		"DECLARE\n"
		"\tmonth timestamp := date_trunc('month', day);\n"
		"\tpart text := vast || to_char(day, '_YYYY_MM');\n"
		"\tform text := 'YYYY-MM-DD\" 00:00:00+00\"';\n"
		"\tspan text := format('FROM (%L) TO (%L)', to_char(month, form),\n"
		"\t\tto_char(month + interval '1 month', form));\n"
		"BEGIN\n";
	static const char far[] =
		"\tIF day < '%d-01-01' THEN\n"
		"\t\tpart := vast || '_before_%d';\n"
		"\t\tspan := 'FROM (MINVALUE) TO (''%d-01-01 00:00:00+00'')';\n"
		"\tELSIF day >= '%d-01-01' THEN\n"
		"\t\tpart := vast || '_from_%d';\n"
		"\t\tspan := 'FROM (''%d-01-01 00:00:00+00'') TO (MAXVALUE)';\n"
		"\tEND IF;\n";
	/* "FLal". Who has waited looks once more, at the tables themselves: a
	 * name that was not there is remembered within a transaction. */
	static const char look[] =
		"\tIF EXISTS (SELECT FROM pg_inherits JOIN pg_class\n"
		"\t\t\tON pg_class.oid = inhrelid\n"
		"\t\t\tWHERE inhparent = quote_ident(vast)::regclass\n"
		"\t\t\tAND relname = part) THEN\n"
		"\t\tRETURN;\n"
		"\tEND IF;\n";
	static const char wait[] =
		"\tPERFORM pg_advisory_xact_lock(1179412844);\n";
	static const char make[] =
		"\tEXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', "
		"part, vast);\n"
		"\tEXECUTE format('COMMENT ON TABLE %I IS %L', part,\n"
		"\t\tvast || ': ' || span);\n";
	static const char attach[] =
		"\tEXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES '\n"
		"\t\t'%s', vast, part, span);\n"
		"EXCEPTION\n"
		"\tWHEN invalid_object_definition OR check_violation THEN\n"
		"\t\tRAISE NOTICE '% is not made: %', part, SQLERRM;\n"
		"\tWHEN duplicate_table THEN\n"
		"\t\tRAISE EXCEPTION 'there is a table % that is no partition of %, '\n"
		"\t\t\t'where rows of % belong: attach, rename or drop it',\n"
		"\t\t\tpart, vast, day\n"
		"\t\t\tUSING ERRCODE = 'object_not_in_prerequisite_state';\n"
		"END$$;\n"
		"REVOKE ALL ON FUNCTION fl_add_month(text, date) FROM PUBLIC;\n";

	fl_buf_puts(out, head);
	fl_buf_puts(out, "\tIF vast NOT IN (");
	put_vast(out);
	fl_buf_puts(out, ") THEN\n"
			 "\t\tRAISE EXCEPTION '% has no months', vast;\n"
			 "\tEND IF;\n");
	fl_buf_printf(out, far, FL_PG_FIRST_YEAR, FL_PG_FIRST_YEAR,
		      FL_PG_FIRST_YEAR, FL_PG_LAST_YEAR + 1,
		      FL_PG_LAST_YEAR + 1, FL_PG_LAST_YEAR + 1);
	fl_buf_puts(out, look);
	fl_buf_puts(out, wait);
	fl_buf_puts(out, look);
	fl_buf_puts(out, make);
	for (size_t i = 0; fl_types[i]; i++) {
		if (!fl_pg_has_notes(fl_types[i]))
			continue;
		fl_buf_printf(out,
			      "\tIF vast = '%s' THEN\n\t\tEXECUTE format('",
			      fl_types[i]->name);
		put_noted_trigger(out, fl_types[i], "%I", "''");
		fl_buf_puts(out, "', part);\n\tEND IF;\n");
	}
	fl_buf_puts(out, attach);
}

/* Functions that run as their owner find names where he means them. */
static void put_pins(struct fl_buf *out)
{
	fl_buf_puts(out, "DO $$BEGIN\n"
			 "\tEXECUTE format('ALTER FUNCTION fl_add_month(text, "
			 "date) SET search_path = %I, pg_temp', "
			 "current_schema());\n");
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

/* --- indexes -------------------------------------------------------------- */

/* What fl-serve looks for beside the keys, where loads can bear it. Seconds of
 * the server's for a load without and with the index: of 200,000 articles by
 * symbol 0.8 and 1.0; of 500,000 lines of logs by both addresses 2.2 and 2.2,
 * as a BRIN of Bloom filters, which autovacuum makes of what was loaded,
 * but 4.5 as a B-tree; of two million ticks by symbol 2.6 and 4.9, so they have
 * none: a symbol is looked for in the key, within a span of time. */
void fl_pg_indexes(struct fl_buf *out)
{
	fl_buf_puts(
		out,
		"CREATE INDEX IF NOT EXISTS news_symbols ON news USING gin "
		"(symbols);\n"
		"DO $$BEGIN\n"
		"\t-- Release 13 has no such filters.\n"
		"\tIF current_setting('server_version_num')::integer < 140000 "
		"THEN\n"
		"\t\tRETURN;\n"
		"\tEND IF;\n"
		"\tCREATE INDEX IF NOT EXISTS log_addresses ON log USING brin (\n"
		"\t\tsource_ip text_bloom_ops (n_distinct_per_range = 600),\n"
		"\t\tdestination_ip text_bloom_ops (n_distinct_per_range = 600)\n"
		"\t) WITH (pages_per_range = 64, autosummarize = on);\n"
		"END$$;\n");
}

/* The first version had notes and months. */
static void put_first(struct fl_buf *out)
{
	for (size_t i = 0; fl_types[i]; i++) {
		if (fl_pg_has_notes(fl_types[i]))
			put_notes(out, fl_types[i]);
	}
	put_months(out);
	put_pins(out);
	fl_buf_puts(out, "ALTER TABLE fl_schema ADD COLUMN extras integer NOT "
			 "NULL DEFAULT 0;\n");
}

/* The second has preferences. */
static void put_second(struct fl_buf *out)
{
	fl_buf_printf(out,
		      "CREATE TABLE fl_preference (\n"
		      "\tprovider %s PRIMARY KEY,\n"
		      "\tplace integer NOT NULL\n"
		      ");\n",
		      fl_sql_postgres.key_text);
}

void fl_pg_extras(struct fl_buf *out, int from)
{
	if (from < 1)
		put_first(out);
	if (from < 2)
		put_second(out);
	fl_buf_printf(out, "UPDATE fl_schema SET extras = %d;\n", FL_PG_EXTRAS);
}

#endif
