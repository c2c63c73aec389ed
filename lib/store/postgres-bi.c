/* postgres-bi: the schema that people and BI tools look at, and the role they
 * have for it.
 *
 * The views (views.c) lie in a schema of their own: bi where the tables are in
 * public, else NAME_bi, so that two stores in one database do not meet. They
 * read the tables with the rights of their owner; the role fl_bi has the views
 * and nothing else, changes nothing, and no statement of its takes for ever.
 *
 * All of that is a convenience: where the rights for it are missing, tables are
 * made without it, and an administrator may run the same text later.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <string.h>

#include "base/log.h"
#include "store/describe.h"
#include "store/views.h"

/* Into a block: the name of the schema of views. */
#define BI                                                                     \
	"\town text := current_schema();\n"                                    \
	"\tbi text := CASE own WHEN 'public' THEN 'bi' "                       \
	"ELSE own || '_bi' END;\n"

/* --- comments ------------------------------------------------------------- */

static void put_literal(struct fl_buf *out, const char *text)
{
	fl_buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			fl_buf_putc(out, '\'');
		fl_buf_putc(out, *text);
	}
	fl_buf_putc(out, '\'');
}

static void comment(struct fl_buf *out, const char *what, const char *name,
		    const char *column, const char *text)
{
	fl_buf_printf(out, "COMMENT ON %s ", column ? "COLUMN" : what);
	fl_sql_name(out, &fl_sql_postgres, name);
	if (column) {
		fl_buf_putc(out, '.');
		fl_sql_name(out, &fl_sql_postgres, column);
	}
	fl_buf_puts(out, " IS ");
	put_literal(out, text);
	fl_buf_puts(out, ";\n");
}

static void comment_type(struct fl_buf *out, const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(&fl_sql_postgres, type, cols);
	struct fl_buf text = FL_BUF_INIT;

	fl_describe_type(&text, type);
	comment(out, "TABLE", type->name, NULL, text.data);
	for (size_t i = 0; i < count; i++) {
		fl_buf_reset(&text);
		fl_describe_column(&text, type, &cols[i]);
		comment(out, "TABLE", type->name, cols[i].name, text.data);
	}
	fl_buf_release(&text);
}

static void comment_note(struct fl_buf *out, const struct fl_type *type,
			 const char *suffix, const char *text)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t all = fl_sql_columns(&fl_sql_postgres, type, cols);
	size_t series[FL_KEY_MAX];
	size_t count = fl_sql_series(cols, all, series);
	struct fl_buf name = FL_BUF_INIT, doc = FL_BUF_INIT;

	fl_buf_printf(&name, "%s_%s", type->name, suffix);
	comment(out, "TABLE", name.data, NULL, text);
	for (size_t i = 0; i < count; i++) {
		fl_buf_reset(&doc);
		fl_describe_column(&doc, type, &cols[series[i]]);
		comment(out, "TABLE", name.data, cols[series[i]].name,
			doc.data);
	}
	if (strcmp(suffix, "hours") == 0)
		comment(out, "TABLE", name.data, "hour",
			"start of the hour, UTC");
	fl_buf_release(&name);
	fl_buf_release(&doc);
}

void fl_pg_comments(struct fl_buf *out)
{
	static const struct fl_description own[] = {
		{ "fl_schema", "extras", "of what PostgreSQL has beside them" },
		{ "fl_preference", NULL,
		  "whose bars and instruments views show where several "
		  "providers have one: yours to fill" },
		{ "fl_preference", "provider", "name of the provider" },
		{ "fl_preference", "place",
		  "the least goes first; who is not listed comes last, by "
		  "name" },
		{ NULL, NULL, NULL },
	};
	const struct fl_description *const lists[] = { fl_descriptions, own };

	for (size_t i = 0; i < 2; i++) {
		for (const struct fl_description *at = lists[i]; at->table;
		     at++)
			comment(out, "TABLE", at->table, at->column, at->text);
	}
	for (size_t i = 0; fl_types[i]; i++) {
		comment_type(out, fl_types[i]);
		if (!fl_pg_has_notes(fl_types[i]))
			continue;
		comment_note(out, fl_types[i], "series",
			     "series that have, or had, rows; the series '' "
			     "says that others than fl-load have written, "
			     "until fl-load --migrate has counted anew");
		comment_note(out, fl_types[i], "hours",
			     "hours in which a series has, or had, rows");
	}
}

/* --- views ---------------------------------------------------------------- */

static void put_columns(struct fl_buf *out, const struct fl_view *view)
{
	for (const struct fl_view_column *col = view->columns; col->name;
	     col++) {
		if (col != view->columns)
			fl_buf_puts(out, ", ");
		fl_sql_name(out, &fl_sql_postgres, col->name);
	}
}

static void put_view(struct fl_buf *out, const struct fl_view *view)
{
	struct fl_buf text = FL_BUF_INIT;

	fl_buf_puts(out, "CREATE OR REPLACE VIEW ");
	fl_sql_name(out, &fl_sql_postgres, view->name);
	fl_buf_puts(out, " (");
	put_columns(out, view);
	fl_buf_puts(out, ") AS\n");
	if (view->postgres) {
		fl_buf_puts(out, view->postgres);
	} else {
		put_columns(&text, view);
		fl_pg_put_latest(out, &fl_type_quote, text.data);
	}
	fl_buf_puts(out, ";\n");
	comment(out, "VIEW", view->name, NULL, view->doc);
	for (const struct fl_view_column *col = view->columns; col->name;
	     col++) {
		fl_buf_reset(&text);
		fl_view_describe(&text, col);
		comment(out, "VIEW", view->name, col->name, text.data);
	}
	fl_buf_release(&text);
}

static void put_views(struct fl_buf *out)
{
	fl_buf_puts(out,
		    "DO $$\n"
		    "DECLARE\n" BI "BEGIN\n"
		    "\tIF to_regnamespace(quote_ident(bi)) IS NULL THEN\n"
		    "\t\tEXECUTE format('CREATE SCHEMA %I', bi);\n"
		    "\tEND IF;\n"
		    "\tEXECUTE format('COMMENT ON SCHEMA %I IS %L', bi, "
		    "'views of what financelake keeps in ' || own);\n"
		    "\tPERFORM set_config('search_path', format('%I, %I', bi, "
		    "own), false);\n"
		    "END$$;\n");
	for (const struct fl_view *view = fl_views; view->name; view++)
		put_view(out, view);
	fl_buf_puts(out, "RESET search_path;\n");
}

/* --- the role ------------------------------------------------------------- */

/* Settings are made with the role, and not again: they are the administrator's
 * from then on, and two that set them at once disturb each other. */
static void put_role(struct fl_buf *out)
{
	fl_buf_puts(
		out,
		"DO $$\n"
		"DECLARE\n" BI "\tsetting text;\n"
		"BEGIN\n"
		"\tIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fl_bi') "
		"THEN\n"
		"\t\tCREATE ROLE fl_bi LOGIN;\n"
		"\t\tFOREACH setting IN ARRAY ARRAY[\n"
		"\t\t\t'default_transaction_read_only = on',\n"
		"\t\t\t'statement_timeout = ''60s''',\n"
		"\t\t\t'idle_in_transaction_session_timeout = ''60s''',\n"
		"\t\t\t'jit = off'] LOOP\n"
		"\t\t\tEXECUTE 'ALTER ROLE fl_bi SET ' || setting;\n"
		"\t\tEND LOOP;\n"
		"\t\tCOMMENT ON ROLE fl_bi IS 'reads the views of "
		"financelake: for people and BI tools';\n"
		"\tEND IF;\n"
		"EXCEPTION\n"
		"\tWHEN insufficient_privilege THEN\n"
		"\t\tRAISE NOTICE 'the role fl_bi is not made: % (fl-load "
		"--print-schema ends with what an administrator may run)', "
		"SQLERRM;\n"
		"\tWHEN duplicate_object OR unique_violation THEN\n"
		"\t\tNULL;\n"
		"END$$;\n"
		"DO $$\n"
		"DECLARE\n" BI "BEGIN\n"
		"\tIF EXISTS (SELECT FROM pg_roles WHERE rolname = 'fl_bi') "
		"THEN\n"
		"\t\tEXECUTE format('GRANT USAGE ON SCHEMA %I TO fl_bi', bi);\n"
		"\t\tEXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I "
		"TO fl_bi', bi);\n"
		"\tEND IF;\n"
		"END$$;\n");
}

void fl_pg_bi(struct fl_buf *out)
{
	put_views(out);
	put_role(out);
}

/* In a transaction, which goes on whatever becomes of it. */
int fl_pg_make_bi(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf sql = FL_BUF_INIT;
	int got;

	if (fl_db_run(s->db, "SAVEPOINT fl_bi", "make the views of", err) < 0)
		return -1;
	fl_pg_bi(&sql);
	got = fl_db_run(s->db, sql.data, "make the views of", err);
	fl_buf_release(&sql);
	if (got == 0)
		return fl_db_run(s->db, "RELEASE SAVEPOINT fl_bi",
				 "make the views of", err);
	if (s->db->fault == FL_FAULT_LOST || s->db->fault == FL_FAULT_AGAIN)
		return -1;
	fl_log("%s; without them all else works, and fl-load --migrate tries "
	       "again",
	       err->text);
	fl_error_clear(err);
	return fl_server_back_to(s, "fl_bi", err);
}

#endif
