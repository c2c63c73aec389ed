/* sql: the stores' tables and statements; see sql.h.
 *
 * A table is stored by its natural key, whose order the type decides (see
 * fl_type in rec/type.h), and has no other index: that would cost a load as
 * much again as the table does, and reading by it more than a sort. Tables with
 * whole documents in them keep the key apart, so that looking for one does not
 * read the documents, and have an index by ts, so that sorting does not either.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/describe.h"

/* --- dialects ------------------------------------------------------------ */

static void sqlite_any_of(struct fl_buf *out, const char *column,
			  unsigned first, unsigned count)
{
	fl_buf_printf(out,
		      "EXISTS (SELECT 1 FROM json_each(\"%s\") "
		      "WHERE value IN (",
		      column);
	for (unsigned i = 0; i < count; i++)
		fl_buf_printf(out, "%s?%u", i ? "," : "", first + i);
	fl_buf_puts(out, "))");
}

/* SQLite divides towards zero, so the fraction of a second is made positive
 * before it is taken off: times before 1970 read right. */
static void sqlite_time(struct fl_buf *out, const char *column)
{
	char fraction[200];

	snprintf(fraction, sizeof(fraction),
		 "((\"%s\" %% 1000000000 + 1000000000) %% 1000000000)", column);
	fl_buf_printf(out,
		      "strftime('%%Y-%%m-%%dT%%H:%%M:%%S', (\"%s\" - %s) / "
		      "1000000000, 'unixepoch') || CASE "
		      "WHEN %s %% 1000000 = 0 "
		      "THEN printf('.%%03dZ', %s / 1000000) "
		      "WHEN %s %% 1000 = 0 "
		      "THEN printf('.%%06dZ', %s / 1000) "
		      "ELSE printf('.%%09dZ', %s) END",
		      column, fraction, fraction, fraction, fraction, fraction,
		      fraction);
}

static void sqlite_shown(struct fl_buf *out, const char *column,
			 enum fl_kind kind)
{
	if (kind == FL_TIME)
		sqlite_time(out, column);
	else if (kind == FL_NUMBER || kind == FL_SUM)
		fl_buf_printf(out, "CAST(\"%s\" AS REAL)", column);
	else
		fl_buf_printf(out, "\"%s\"", column);
}

static void sqlite_instant(struct fl_buf *out, const char *column)
{
	fl_buf_printf(out, "\"%s\"", column);
}

/* Decimals are TEXT: exact, as NUMERIC would not be past 2^53. */
const struct fl_sql_dialect fl_sql_sqlite = {
	.name = "SQLite",
	.quote = '"',
	.types = {
		[FL_STRING] = "TEXT",
		[FL_NUMBER] = "TEXT",
		[FL_SUM] = "TEXT",
		[FL_INTEGER] = "INTEGER",
		[FL_BOOLEAN] = "INTEGER",
		[FL_TIME] = "INTEGER",
		[FL_DATE] = "TEXT",
		[FL_STRINGS] = "TEXT",
		[FL_OBJECTS] = "TEXT",
		[FL_OBJECT] = "TEXT",
	},
	.key_text = "TEXT",
	.parameter = '?',
	.numbered = true,
	.clustered = " WITHOUT ROWID",
	.any_of = sqlite_any_of,
	.instant = sqlite_instant,
	.shown = sqlite_shown,
};

static void postgres_any_of(struct fl_buf *out, const char *column,
			    unsigned first, unsigned count)
{
	fl_buf_printf(out, "\"%s\" && ARRAY[", column);
	for (unsigned i = 0; i < count; i++)
		fl_buf_printf(out, "%s$%u", i ? "," : "", first + i);
	fl_buf_puts(out, "]::text[]");
}

/* EXTRACT is exact from release 14 on, and before for all but far times. */
static void postgres_instant(struct fl_buf *out, const char *column)
{
	fl_buf_printf(out,
		      "((EXTRACT(EPOCH FROM \"%s\") * 1000000)::bigint * 1000 "
		      "+ COALESCE(\"%s_ns\", 0))",
		      column, column);
}

/* Texts compare by their bytes, as they do everywhere else here; json keeps
 * the text that it was given, which jsonb does not. */
#define POSTGRES_TEXT "text COLLATE \"C\""
const struct fl_sql_dialect fl_sql_postgres = {
	.name = "PostgreSQL",
	.quote = '"',
	.types = {
		[FL_STRING] = POSTGRES_TEXT,
		[FL_NUMBER] = "numeric",
		[FL_SUM] = "numeric",
		[FL_INTEGER] = "bigint",
		[FL_BOOLEAN] = "boolean",
		[FL_TIME] = "timestamptz",
		[FL_DATE] = "date",
		[FL_STRINGS] = "text[]",
		[FL_OBJECTS] = "json",
		[FL_OBJECT] = "json",
	},
	.key_text = POSTGRES_TEXT,
	.parameter = '$',
	.numbered = true,
	.clustered = "",
	.by_month = " PARTITION BY RANGE (\"ts\")",
	.micros = true,
	.parts_index = true,
	.or_nothing = "ON CONFLICT DO NOTHING",
	.as_time = "::timestamptz",
	.any_of = postgres_any_of,
	.instant = postgres_instant,
};

static void mysql_any_of(struct fl_buf *out, const char *column, unsigned first,
			 unsigned count)
{
	(void)first;
	fl_buf_printf(out, "JSON_OVERLAPS(`%s`, JSON_ARRAY(", column);
	for (unsigned i = 0; i < count; i++)
		fl_buf_puts(out, i ? ",?" : "?");
	fl_buf_puts(out, "))");
}

static void mysql_instant(struct fl_buf *out, const char *column)
{
	fl_buf_printf(out,
		      "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', `%s`) * 1000 "
		      "+ COALESCE(`%s_ns`, 0))",
		      column, column);
}

/* Numbers have up to 18 digits and any exponent from -18 to 18. Texts compare
 * by their bytes, and blanks at their end count: MySQL's name for that is
 * another, see mysql.c. Lists and objects are texts, for JSON is checked to a
 * depth of 32 only, and MySQL's own type rewrites what it is given. */
const struct fl_sql_dialect fl_sql_mysql = {
	.name = "MySQL",
	.quote = '`',
	.types = {
		[FL_STRING] = "mediumtext",
		[FL_NUMBER] = "decimal(54,18)",
		[FL_SUM] = "decimal(38,9)",
		[FL_INTEGER] = "bigint",
		[FL_BOOLEAN] = "boolean",
		[FL_TIME] = "datetime(6)",
		[FL_DATE] = "date",
		[FL_STRINGS] = "mediumtext",
		[FL_OBJECTS] = "mediumtext",
		[FL_OBJECT] = "mediumtext",
	},
	.key_text = "varchar(255)",
	.parameter = '?',
	.clustered = "",
	.behind = " ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 "
		  "COLLATE utf8mb4_nopad_bin",
	.if_missing = "IF NOT EXISTS ",
	.sized_text = "varchar(%u)",
	.comments = true,
	.index_within = true,
	.micros = true,
	.or_nothing = "ON DUPLICATE KEY UPDATE pipeline = VALUES(pipeline)",
	.as_time = "",
	.integer_parameter = "CAST(? AS SIGNED)",
	.parts_index = true,
	.any_of = mysql_any_of,
	.instant = mysql_instant,
};

/* --- columns ------------------------------------------------------------- */

enum {
	PIPELINE_SINCE = 2, /* schema version that brought the column */
};

static struct fl_sql_column *add(struct fl_sql_column *cols, size_t *count,
				 enum fl_sql_role role, enum fl_kind kind,
				 const char *name)
{
	struct fl_sql_column *col = &cols[(*count)++];

	*col = (struct fl_sql_column){
		.role = role,
		.field = -1,
		.kind = kind,
		.since = 1,
	};
	snprintf(col->name, sizeof(col->name), "%s", name);
	return col;
}

static unsigned key_place(const struct fl_type *type, const char *path)
{
	for (unsigned i = 0; i < FL_KEY_MAX && type->key[i]; i++) {
		if (strcmp(type->key[i], path) == 0)
			return i + 1;
	}
	return 0;
}

/* The schema version that brought the type itself. */
static int type_since(const struct fl_type *type)
{
	int since = type->fields[0].since;

	for (int i = 1; type->fields[i].path; i++) {
		if (type->fields[i].since < since)
			since = type->fields[i].since;
	}
	return since;
}

/* Are rows of the type made of parts? */
static bool has_parts(const struct fl_type *type)
{
	return fl_type_field(type, "partial", 7) >= 0;
}

/* Behind a time with microseconds the rest of its nanoseconds; in the key where
 * the time is. Of `ts` it is always there, of others where it is not 0. */
static void add_rest(struct fl_sql_column *cols, size_t *count)
{
	const struct fl_sql_column *time = &cols[*count - 1];
	struct fl_sql_column *col;
	char name[64];

	snprintf(name, sizeof(name), "%.60s_ns", time->name);
	col = add(cols, count, FL_SQL_NS, FL_INTEGER, name);
	col->field = time->field;
	col->since = time->since;
	col->required = time->required;
	if (!time->key)
		return;
	for (size_t i = 0; i + 1 < *count; i++)
		cols[i].key += cols[i].key > time->key;
	col->key = time->key + 1;
}

/* A field's place in the key of the table, where a time has two. */
static unsigned place_in(const struct fl_sql_column *cols, size_t count,
			 unsigned place)
{
	for (size_t i = 0; place && i < count; i++) {
		if (cols[i].role == FL_SQL_NS && cols[i].key &&
		    place >= cols[i].key)
			return place + 1;
	}
	return place;
}

size_t fl_sql_columns(const struct fl_sql_dialect *dialect,
		      const struct fl_type *type, struct fl_sql_column *cols)
{
	const struct fl_field *fields = type->fields;
	struct fl_sql_column *col;
	int born = type_since(type);
	size_t count = 0;
	char name[64];

	for (int i = 0; fields[i].path; i++) {
		if (!fields[i].column)
			continue;
		col = add(cols, &count, FL_SQL_FIELD, fields[i].kind,
			  fields[i].column);
		col->field = i;
		col->since = fields[i].since;
		col->key = place_in(cols, count - 1,
				    key_place(type, fields[i].path));
		col->required = col->key || strcmp(fields[i].path, "ts") == 0;
		col->absent = col->key ? fields[i].absent : NULL;
		if (col->kind == FL_TIME && dialect->micros)
			add_rest(cols, &count);
		/* "" is no value, so where the key holds it the field was
		 * absent; another word may have been there or not. */
		if (!col->absent || !*col->absent)
			continue;
		snprintf(name, sizeof(name), "%.56s_given", fields[i].column);
		col = add(cols, &count, FL_SQL_GIVEN, FL_BOOLEAN, name);
		col->field = i;
		col->since = fields[i].since;
	}
	if (key_place(type, "tick_id")) {
		col = add(cols, &count, FL_SQL_TICK_ID, FL_INTEGER, "tick_id");
		col->key =
			place_in(cols, count - 1, key_place(type, "tick_id"));
		col->required = true;
		col->since = born;
	}
	if (has_parts(type)) {
		col = add(cols, &count, FL_SQL_PIPELINE, FL_STRING, "pipeline");
		col->since = PIPELINE_SINCE;
	}
	if (type->doc)
		col = add(cols, &count, FL_SQL_DOC, FL_OBJECT, "doc");
	else
		col = add(cols, &count, FL_SQL_EXTRA, FL_OBJECT, "extra");
	col->since = born;
	return count;
}

int fl_sql_version(const struct fl_type *const *types)
{
	int version = 1;

	for (; *types; types++) {
		if (version < PIPELINE_SINCE && has_parts(*types))
			version = PIPELINE_SINCE;
		for (int i = 0; (*types)->fields[i].path; i++) {
			if ((*types)->fields[i].since > version)
				version = (*types)->fields[i].since;
		}
	}
	return version;
}

int fl_sql_check_version(const char *place, int version, struct fl_error *err)
{
	int known = fl_sql_version(fl_types);

	if (version <= known)
		return 0;
	return fl_error_set(err, FL_ERR_REFUSED,
			    "'%s' has schema version %d, newer than the %d "
			    "that is known here: update financelake",
			    place, version, known);
}

static const struct fl_sql_column *
column_of_key(const struct fl_sql_column *cols, size_t count, unsigned place)
{
	for (size_t i = 0; i < count; i++) {
		if (cols[i].key == place)
			return &cols[i];
	}
	return NULL;
}

/* --- names and lists ----------------------------------------------------- */

void fl_sql_name(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		 const char *name)
{
	fl_buf_putc(out, dialect->quote);
	for (; *name; name++) {
		if (*name == dialect->quote)
			fl_buf_putc(out, *name);
		fl_buf_putc(out, *name);
	}
	fl_buf_putc(out, dialect->quote);
}

static void put_column(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		       const char *alias, const char *name)
{
	if (alias) {
		fl_sql_name(out, dialect, alias);
		fl_buf_putc(out, '.');
	}
	fl_sql_name(out, dialect, name);
}

void fl_sql_text(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		 const char *text)
{
	unsigned place = 0;

	for (; *text; text++) {
		if (*text == '?' && dialect->parameter != '?')
			fl_buf_printf(out, "%c%u", dialect->parameter, ++place);
		else
			fl_buf_putc(out, *text == '"' ? dialect->quote : *text);
	}
}

static void put_parameter(struct fl_buf *out,
			  const struct fl_sql_dialect *dialect, size_t place)
{
	fl_buf_putc(out, dialect->parameter);
	if (dialect->numbered)
		fl_buf_u64(out, place);
}

void fl_sql_parameter(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		      enum fl_kind kind, size_t place)
{
	if (kind == FL_INTEGER && dialect->integer_parameter)
		fl_buf_puts(out, dialect->integer_parameter);
	else
		put_parameter(out, dialect, place);
}

static void put_key(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		    const struct fl_sql_column *cols, size_t count)
{
	const struct fl_sql_column *col;

	for (unsigned i = 1; (col = column_of_key(cols, count, i)); i++) {
		if (i > 1)
			fl_buf_puts(out, ", ");
		fl_sql_name(out, dialect, col->name);
	}
}

void fl_sql_order(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		  const struct fl_type *type, const char *alias,
		  bool descending)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(dialect, type, cols);
	const struct fl_sql_column *col;
	const char *way = descending ? " DESC" : "";

	put_column(out, dialect, alias, "ts");
	fl_buf_puts(out, way);
	if (dialect->micros) {
		fl_buf_puts(out, ", ");
		put_column(out, dialect, alias, "ts_ns");
		fl_buf_puts(out, way);
	}
	for (unsigned i = 1; (col = column_of_key(cols, count, i)); i++) {
		if (strcmp(col->name, "ts") == 0 || col->role == FL_SQL_NS)
			continue;
		fl_buf_puts(out, ", ");
		put_column(out, dialect, alias, col->name);
		fl_buf_puts(out, way);
	}
}

void fl_sql_row(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		const struct fl_type *type, const char *alias)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(dialect, type, cols);

	for (size_t i = 0; i < count; i++) {
		if (i)
			fl_buf_puts(out, ", ");
		put_column(out, dialect, alias, cols[i].name);
	}
}

static const char *if_missing(const struct fl_sql_dialect *dialect)
{
	return dialect->if_missing ? dialect->if_missing : "";
}

/* Quotes in it are doubled. */
static void put_comment(struct fl_buf *out, const char *text)
{
	fl_buf_puts(out, " COMMENT '");
	for (; *text; text++) {
		if (*text == '\'')
			fl_buf_putc(out, '\'');
		fl_buf_putc(out, *text);
	}
	fl_buf_putc(out, '\'');
}

/* type: what its rows are; NULL: of none. */
static void end_table(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		      const struct fl_type *type)
{
	struct fl_buf text = FL_BUF_INIT;

	if (dialect->behind)
		fl_buf_puts(out, dialect->behind);
	if (dialect->comments && type) {
		fl_describe_type(&text, type);
		put_comment(out, text.data);
		fl_buf_release(&text);
	}
	fl_buf_puts(out, ";\n");
}

/* --- schema -------------------------------------------------------------- */

/* How many characters a text may have; 0: as many as there are. */
static unsigned width_of(const struct fl_type *type,
			 const struct fl_sql_column *col)
{
	static const unsigned widths[] = {
		[FL_FORM_SYMBOL] = 64,  [FL_FORM_CURRENCY] = 3,
		[FL_FORM_MIC] = 4,      [FL_FORM_ZONE] = 64,
		[FL_FORM_INTERVAL] = 8, [FL_FORM_COUNTRY] = 2,
		[FL_FORM_LABEL] = 200,
	};
	const struct fl_field *field;
	unsigned width = 0;

	if (col->role == FL_SQL_PIPELINE)
		return 255;
	if (col->role != FL_SQL_FIELD || col->kind != FL_STRING)
		return 0;
	field = &type->fields[col->field];
	if (field->words) {
		for (size_t i = 0; field->words[i]; i++) {
			if (strlen(field->words[i]) > width)
				width = (unsigned)strlen(field->words[i]);
		}
		return (width + 15) / 8 * 8; /* there will be more words */
	}
	if ((size_t)field->form < sizeof(widths) / sizeof(*widths))
		width = widths[field->form];
	return width || !col->key ? width : 255;
}

static void put_text_type(struct fl_buf *out,
			  const struct fl_sql_dialect *dialect, bool key,
			  unsigned width)
{
	if (dialect->sized_text && width) {
		for (const char *at = dialect->sized_text; *at; at++) {
			if (*at != '%') {
				fl_buf_putc(out, *at);
				continue;
			}
			fl_buf_u64(out, width);
			at++;
		}
		return;
	}
	fl_buf_puts(out, key ? dialect->key_text : dialect->types[FL_STRING]);
}

static void put_definition(struct fl_buf *out,
			   const struct fl_sql_dialect *dialect,
			   const struct fl_type *type,
			   const struct fl_sql_column *col)
{
	fl_sql_name(out, dialect, col->name);
	fl_buf_putc(out, ' ');
	if (col->role == FL_SQL_NS)
		fl_buf_puts(out, "smallint");
	else if (col->kind == FL_STRING)
		put_text_type(out, dialect, col->key, width_of(type, col));
	else
		fl_buf_puts(out, dialect->types[col->kind]);
	if (col->required)
		fl_buf_puts(out, " NOT NULL");
	if (dialect->comments) {
		struct fl_buf text = FL_BUF_INIT;

		fl_describe_column(&text, type, col);
		put_comment(out, text.data);
		fl_buf_release(&text);
	}
}

/* The beginning of an index: what follows is its columns. */
static void begin_index(struct fl_buf *out,
			const struct fl_sql_dialect *dialect,
			const struct fl_type *type, const char *suffix)
{
	char name[80];

	snprintf(name, sizeof(name), "%s_%s", type->name, suffix);
	fl_buf_puts(out, dialect->index_within ? ",\n\tKEY " : "CREATE INDEX ");
	fl_sql_name(out, dialect, name);
	if (!dialect->index_within) {
		fl_buf_puts(out, " ON ");
		fl_sql_name(out, dialect, type->name);
	}
	fl_buf_puts(out, " (");
}

/* Of rows made of parts: it is empty where there are none, if it can be. */
static void put_parts_index(struct fl_buf *out,
			    const struct fl_sql_dialect *dialect,
			    const struct fl_type *type)
{
	begin_index(out, dialect, type, "parts");
	fl_sql_name(out, dialect,
		    dialect->index_within ? "partial" : type->key[0]);
	fl_buf_putc(out, ')');
	if (dialect->index_within)
		return;
	fl_buf_puts(out, " WHERE ");
	fl_sql_name(out, dialect, "partial");
	fl_buf_puts(out, ";\n");
}

static void put_indexes(struct fl_buf *out,
			const struct fl_sql_dialect *dialect,
			const struct fl_type *type)
{
	if (dialect->parts_index && has_parts(type))
		put_parts_index(out, dialect, type);
	if (!type->doc || strcmp(type->key[0], "ts") == 0)
		return;
	begin_index(out, dialect, type, "ts");
	fl_sql_order(out, dialect, type, NULL, false);
	fl_buf_puts(out, dialect->index_within ? ")" : ");\n");
}

static void create_table(struct fl_buf *out,
			 const struct fl_sql_dialect *dialect,
			 const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(dialect, type, cols);

	fl_buf_printf(out, "CREATE TABLE %s", if_missing(dialect));
	fl_sql_name(out, dialect, type->name);
	fl_buf_puts(out, " (\n");
	for (size_t i = 0; i < count; i++) {
		fl_buf_putc(out, '\t');
		put_definition(out, dialect, type, &cols[i]);
		fl_buf_puts(out, ",\n");
	}
	fl_buf_puts(out, "\tPRIMARY KEY (");
	put_key(out, dialect, cols, count);
	fl_buf_putc(out, ')');
	if (dialect->index_within)
		put_indexes(out, dialect, type);
	fl_buf_puts(out, "\n)");
	if (!type->doc)
		fl_buf_puts(out, dialect->clustered);
	if (type->vast && dialect->by_month)
		fl_buf_puts(out, dialect->by_month);
	end_table(out, dialect, type);
	if (!dialect->index_within)
		put_indexes(out, dialect, type);
}

/* A view for people: times as text, decimals as numbers. */
static void create_view(struct fl_buf *out,
			const struct fl_sql_dialect *dialect,
			const struct fl_type *type)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(dialect, type, cols);
	const char *before = "\t";
	char name[80];

	if (!dialect->shown)
		return;
	snprintf(name, sizeof(name), "%s_v", type->name);
	fl_buf_puts(out, "CREATE VIEW ");
	fl_sql_name(out, dialect, name);
	fl_buf_puts(out, " AS SELECT\n");
	for (size_t i = 0; i < count; i++) {
		if (cols[i].role == FL_SQL_GIVEN ||
		    cols[i].role == FL_SQL_TICK_ID)
			continue;
		fl_buf_puts(out, before);
		before = ",\n\t";
		if (cols[i].absent && !*cols[i].absent) {
			fl_buf_puts(out, "NULLIF(");
			fl_sql_name(out, dialect, cols[i].name);
			fl_buf_puts(out, ", '')");
		} else {
			dialect->shown(out, cols[i].name, cols[i].kind);
		}
		fl_buf_puts(out, " AS ");
		fl_sql_name(out, dialect, cols[i].name);
	}
	fl_buf_puts(out, "\nFROM ");
	fl_sql_name(out, dialect, type->name);
	fl_buf_puts(out, ";\n");
}

/* Positions lie beside the rows, so that one transaction moves both. */
static void create_positions(struct fl_buf *out,
			     const struct fl_sql_dialect *dialect)
{
	static const struct {
		const char *name;
		enum fl_kind kind;
		bool key, required;
		unsigned width; /* both of the key fit into an index */
	} cols[] = {
		{ "pipeline", FL_STRING, true, true, 255 },
		{ "origin", FL_STRING, true, true, 512 },
		{ "pos", FL_STRING, false, true, 0 },
		{ "record_time", FL_TIME, false, false, 0 },
		{ "wm", FL_TIME, false, false, 0 },
		{ "via", FL_OBJECTS, false, false, 0 },
	};

	fl_buf_printf(out, "CREATE TABLE %s", if_missing(dialect));
	fl_sql_name(out, dialect, "fl_position");
	fl_buf_puts(out, " (\n");
	for (size_t i = 0; i < sizeof(cols) / sizeof(*cols); i++) {
		fl_buf_putc(out, '\t');
		fl_sql_name(out, dialect, cols[i].name);
		fl_buf_putc(out, ' ');
		if (cols[i].kind == FL_STRING)
			put_text_type(out, dialect, cols[i].key, cols[i].width);
		else
			fl_buf_puts(out, dialect->types[cols[i].kind]);
		fl_buf_puts(out, cols[i].required ? " NOT NULL,\n" : ",\n");
		if (cols[i].kind != FL_TIME || !dialect->micros)
			continue;
		fl_buf_putc(out, '\t');
		fl_sql_name(out, dialect,
			    cols[i].name[0] == 'w' ? "wm_ns"
						   : "record_time_ns");
		fl_buf_puts(out, " smallint,\n");
	}
	fl_buf_puts(out, "\tPRIMARY KEY (");
	fl_sql_name(out, dialect, "pipeline");
	fl_buf_puts(out, ", ");
	fl_sql_name(out, dialect, "origin");
	fl_buf_puts(out, ")\n)");
	fl_buf_puts(out, dialect->clustered);
	end_table(out, dialect, NULL);
}

void fl_sql_schema(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		   const struct fl_type *const *types)
{
	create_positions(out, dialect);
	for (; *types; types++) {
		create_table(out, dialect, *types);
		create_view(out, dialect, *types);
	}
}

static void add_columns(struct fl_buf *out,
			const struct fl_sql_dialect *dialect,
			const struct fl_type *type, int from)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t count = fl_sql_columns(dialect, type, cols);

	for (size_t i = 0; i < count; i++) {
		if (cols[i].since <= from)
			continue;
		if (cols[i].key)
			FL_BUG("a primary key cannot grow");
		fl_buf_puts(out, "ALTER TABLE ");
		fl_sql_name(out, dialect, type->name);
		fl_buf_printf(out, " ADD COLUMN %s", if_missing(dialect));
		put_definition(out, dialect, type, &cols[i]);
		fl_buf_puts(out, ";\n");
	}
}

void fl_sql_migrate(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		    const struct fl_type *const *types, int from)
{
	char name[80];

	for (; *types; types++) {
		if (type_since(*types) > from) {
			create_table(out, dialect, *types);
			create_view(out, dialect, *types);
			continue;
		}
		add_columns(out, dialect, *types, from);
		if (!dialect->shown)
			continue;
		snprintf(name, sizeof(name), "%s_v", (*types)->name);
		fl_buf_puts(out, "DROP VIEW IF EXISTS ");
		fl_sql_name(out, dialect, name);
		fl_buf_puts(out, ";\n");
		create_view(out, dialect, *types);
	}
}

/* --- rows ---------------------------------------------------------------- */

/* (?1, ?2), (?3, ?4) */
static void put_rows(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		     size_t columns, size_t rows)
{
	for (size_t i = 0; i < rows * columns; i++) {
		if (i % columns == 0)
			fl_buf_puts(out, i ? "), (" : "(");
		else
			fl_buf_puts(out, ", ");
		put_parameter(out, dialect, i + 1);
	}
	fl_buf_putc(out, ')');
}

void fl_sql_upsert(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		   const struct fl_type *type, const size_t *used, size_t count,
		   size_t rows)
{
	struct fl_sql_column cols[FL_SQL_COLUMNS_MAX];
	size_t all = fl_sql_columns(dialect, type, cols);
	const char *before = ") DO UPDATE SET ";

	fl_buf_puts(out, "INSERT OR FAIL INTO ");
	fl_sql_name(out, dialect, type->name);
	for (size_t i = 0; i < count; i++) {
		fl_buf_puts(out, i ? ", " : " (");
		fl_sql_name(out, dialect, cols[used[i]].name);
	}
	fl_buf_puts(out, ") VALUES ");
	put_rows(out, dialect, count, rows);
	fl_buf_puts(out, " ON CONFLICT (");
	put_key(out, dialect, cols, all);
	for (size_t i = 0; i < all; i++) {
		if (cols[i].key)
			continue;
		fl_buf_puts(out, before);
		before = ", ";
		fl_sql_name(out, dialect, cols[i].name);
		fl_buf_puts(out, " = excluded.");
		fl_sql_name(out, dialect, cols[i].name);
	}
}

/* --- queries ------------------------------------------------------------- */

static bool listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

static bool has(const struct fl_type *type, const char *path)
{
	for (int i = 0; type->fields[i].path; i++) {
		if (strcmp(type->fields[i].path, path) == 0)
			return type->fields[i].column != NULL;
	}
	return false;
}

static bool given(const char *const *list)
{
	return list && *list;
}

bool fl_sql_matches(const struct fl_type *type, const struct fl_query *query)
{
	return !(given(query->types) && !listed(query->types, type->name)) &&
	       !(given(query->symbols) && !has(type, "symbol") &&
		 !has(type, "symbols")) &&
	       !(given(query->providers) && !has(type, "provider")) &&
	       !(query->interval && !has(type, "interval")) &&
	       !(query->adj && !has(type, "adj"));
}

static size_t add_value(struct fl_sql_values *values, const char *text,
			int64_t number)
{
	if (values->count == values->cap) {
		values->cap = values->cap ? 2 * values->cap : 16;
		values->items = fl_realloc(values->items, values->cap,
					   sizeof(*values->items));
	}
	values->items[values->count++] = (struct fl_sql_value){ text, number };
	return values->count;
}

struct where {
	struct fl_buf *out;
	const struct fl_sql_dialect *dialect;
	struct fl_sql_values *values;
	const char *before;
};

static void put_before(struct where *where)
{
	fl_buf_puts(where->out, where->before);
	where->before = " AND ";
}

static void put_in(struct where *where, const char *column,
		   const char *const *list)
{
	const char *before = " IN (";

	put_before(where);
	fl_sql_name(where->out, where->dialect, column);
	for (; *list; list++) {
		fl_buf_puts(where->out, before);
		before = ", ";
		put_parameter(where->out, where->dialect,
			      add_value(where->values, *list, 0));
	}
	fl_buf_putc(where->out, ')');
}

static void put_symbols(struct where *where, const struct fl_type *type,
			const char *const *symbols)
{
	size_t first = where->values->count + 1, count = 0;

	if (has(type, "symbol")) {
		put_in(where, "symbol", symbols);
		return;
	}
	for (; symbols[count]; count++)
		add_value(where->values, symbols[count], 0);
	put_before(where);
	where->dialect->any_of(where->out, "symbols", (unsigned)first,
			       (unsigned)count);
}

static void put_compare(struct where *where, const char *column,
			const char *operator, const char * text, int64_t number)
{
	put_before(where);
	fl_sql_name(where->out, where->dialect, column);
	fl_buf_puts(where->out, operator);
	put_parameter(where->out, where->dialect,
		      add_value(where->values, text, number));
}

void fl_sql_micros(struct fl_buf *out, int64_t ns)
{
	int64_t rest = (ns % 1000 + 1000) % 1000;
	char text[FL_TIME_TEXT];

	/* Printed with six digits or three of them, and in UTC, as are all
	 * sessions: MySQL knows no zones in texts. */
	fl_buf_append(out, text, fl_time_print(ns - rest, text) - 1);
}

static void put_instant(struct where *where, int64_t ns)
{
	fl_buf_putc(where->out, '\'');
	fl_sql_micros(where->out, ns);
	fl_buf_printf(where->out, "'%s", where->dialect->as_time);
}

/* A time's two columns. The first stands alone, too, as an index likes it. */
static void put_compare_micros(struct where *where, const char *operator,
			       int64_t ns)
{
	const struct fl_sql_dialect *dialect = where->dialect;
	int rest = (int)((ns % 1000 + 1000) % 1000);

	put_before(where);
	fl_sql_name(where->out, dialect, "ts");
	/* ts > T or ts = T and ts_ns >= R; for "<" likewise */
	if (rest && strchr(operator, '<'))
		fl_buf_puts(where->out, " <= ");
	else
		fl_buf_puts(where->out, operator);
	put_instant(where, ns);
	if (!rest)
		return;
	put_before(where);
	fl_buf_putc(where->out, '(');
	fl_sql_name(where->out, dialect, "ts");
	fl_buf_puts(where->out, " <> ");
	put_instant(where, ns);
	fl_buf_puts(where->out, " OR ");
	fl_sql_name(where->out, dialect, "ts_ns");
	fl_buf_printf(where->out, "%s%d)", operator, rest);
}

static void put_compare_time(struct where *where, const char *operator,
			     int64_t ns)
{
	if (where->dialect->micros)
		put_compare_micros(where, operator, ns);
	else
		put_compare(where, "ts", operator, NULL, ns);
}

/* From and to, where FL_TIME_NONE is open. */
static void put_between(struct where *where, int64_t from, int64_t to)
{
	if (from != FL_TIME_NONE)
		put_compare_time(where, " >= ", from);
	if (to != FL_TIME_NONE)
		put_compare_time(where, " < ", to);
}

/* Records with a date are compared by it (see struct fl_query). The wider span
 * stands first, for the index. */
static void put_span(struct where *where, const struct fl_type *type,
		     const struct fl_query *query)
{
	int64_t from = query->from, to = query->to;

	if (!has(type, "date") ||
	    (query->date_from == from && query->date_to == to)) {
		put_between(where, from, to);
		return;
	}
	put_between(where, query->date_from < from ? query->date_from : from,
		    query->date_to > to ? query->date_to : to);
	put_before(where);
	fl_buf_puts(where->out, "CASE WHEN ");
	fl_sql_name(where->out, where->dialect, "date");
	fl_buf_puts(where->out, " IS NOT NULL AND ");
	where->dialect->instant(where->out, "ts");
	fl_buf_printf(where->out, " %% %lld = 0", (long long)FL_DAY);
	where->before = " THEN ";
	put_between(where, query->date_from, query->date_to);
	where->before = " ELSE ";
	put_between(where, from, to);
	fl_buf_puts(where->out, " END");
	where->before = " AND ";
}

void fl_sql_where(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		  const struct fl_type *type, const struct fl_query *query,
		  struct fl_sql_values *values)
{
	struct where where = { out, dialect, values, " WHERE " };

	if (given(query->symbols))
		put_symbols(&where, type, query->symbols);
	if (given(query->providers))
		put_in(&where, "provider", query->providers);
	if (query->interval)
		put_compare(&where, "interval", " = ", query->interval, 0);
	if (query->adj)
		put_compare(&where, "adj", " = ", query->adj, 0);
	put_span(&where, type, query);
}

size_t fl_sql_series(const struct fl_sql_column *cols, size_t count,
		     size_t *series)
{
	static const char *const last[] = { "ts", "date", "id", "tick_id",
					    NULL };
	const struct fl_sql_column *col;
	size_t n = 0;

	for (unsigned i = 1; (col = column_of_key(cols, count, i)); i++) {
		if (!listed(last, col->name) && col->role != FL_SQL_NS)
			series[n++] = (size_t)(col - cols);
	}
	return n;
}

int fl_sql_find(const struct fl_sql_column *cols, size_t count,
		const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(cols[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

struct fl_buf *fl_sql_leads(const struct fl_type *type,
			    const struct fl_sql_column *cols, size_t count)
{
	struct fl_buf *leads = fl_zalloc(count * sizeof(*leads));

	for (size_t i = 0; i < count; i++) {
		const char *path;

		if (cols[i].role != FL_SQL_FIELD)
			continue;
		path = type->fields[cols[i].field].path;
		if (!type->doc && strchr(path, '.'))
			FL_BUG("a path into an object needs `doc`");
		fl_buf_putc(&leads[i], ',');
		fl_buf_json_string(&leads[i], path, strlen(path));
		fl_buf_putc(&leads[i], ':');
	}
	return leads;
}

void fl_sql_leads_free(struct fl_buf *leads, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fl_buf_release(&leads[i]);
	free(leads);
}

/* What a summary is by, with what of it the type has. Symbol first, as the key
 * is: the groups come without a sort. */
static void put_groups(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		       const struct fl_type *type, const char *before)
{
	static const char *const by[] = { "symbol", "provider", "interval" };

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		if (!has(type, by[i]))
			continue;
		fl_buf_puts(out, before);
		before = ", ";
		fl_sql_name(out, dialect, by[i]);
	}
}

void fl_sql_list(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		 const struct fl_type *type, const struct fl_query *query,
		 struct fl_sql_values *values)
{
	static const char *const by[] = { "provider", "symbol", "interval" };

	fl_buf_puts(out, "SELECT ");
	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		if (has(type, by[i]))
			fl_sql_name(out, dialect, by[i]);
		else
			fl_buf_puts(out, "NULL");
		fl_buf_puts(out, ", ");
	}
	fl_buf_puts(out, "COUNT(*), MIN(");
	dialect->instant(out, "ts");
	fl_buf_puts(out, "), MAX(");
	dialect->instant(out, "ts");
	fl_buf_puts(out, ") FROM ");
	fl_sql_name(out, dialect, type->name);
	fl_sql_where(out, dialect, type, query, values);
	put_groups(out, dialect, type, " GROUP BY ");
	put_groups(out, dialect, type, " ORDER BY ");
}
