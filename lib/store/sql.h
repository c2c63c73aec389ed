/* sql: the stores' tables and statements, made from the field tables.
 *
 * What differs between databases stands in a dialect; what a row is made of
 * stands here, once: a column for each field that names one, then what no field
 * holds (see enum fl_sql_role). Column i of every statement that reads a row is
 * column i of fl_sql_columns().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_SQL_H
#define FL_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "rec/type.h"
#include "store/store.h"

#define FL_SQL_COLUMNS_MAX (FL_FIELDS_MAX + 2 * FL_KEY_MAX + 2)

enum fl_sql_role {
	FL_SQL_FIELD,    /* the value of a field */
	FL_SQL_GIVEN,    /* 1: the record says what its key would say anyway
			  * (session "regular"); NULL: it does not */
	FL_SQL_NS,       /* what microseconds leave of the time before it */
	FL_SQL_TICK_ID,  /* fl_record_tick_id */
	FL_SQL_EXTRA,    /* fl_record_extra, NULL when there is none */
	FL_SQL_DOC,      /* the whole record, in types that keep it */
	FL_SQL_PIPELINE, /* of rows made of parts: whose marks brought them;
			  * NULL: nobody's */
};

struct fl_sql_column {
	enum fl_sql_role role;
	int field; /* index in type->fields; -1: of none */
	char name[64];
	enum fl_kind kind;
	unsigned key;       /* place in the primary key, from 1; 0: not in it */
	bool required;      /* NOT NULL */
	const char *absent; /* key columns: what stands for an absent field */
	int since;
};

struct fl_sql_dialect {
	const char *name;
	char quote;                       /* around identifiers */
	const char *types[FL_OBJECT + 1]; /* by enum fl_kind */
	const char *key_text;             /* type of texts in a primary key */
	char parameter;        /* before the n of the n-th parameter: ?3 */
	bool numbered;         /* false: just the sign */
	const char *clustered; /* behind a table that is stored by its key */
	const char *behind;    /* each table */
	const char *by_month;  /* behind a table of a type that is vast, which
				* the store parts; NULL: behind none */
	/* What is made says that it may be there already: no transaction
	 * holds it together. */
	const char *if_missing;
	/* Texts have a length: VARCHAR(%u) where there is a limit to it. */
	const char *sized_text;
	/* Comments stand behind what they are about. */
	bool comments;
	/* Indexes stand within the table, and are of all rows. */
	bool index_within;
	/* Times have microseconds: a column NAME_ns holds the rest. */
	bool micros;
	/* Behind an INSERT of a row that may be there: then nothing is done. */
	const char *or_nothing;
	const char *as_time; /* what makes a text a time: "::timestamptz" */
	/* A parameter that an integer column is compared with; NULL: it needs
	 * to be nothing special. */
	const char *integer_parameter;
	/* Rows made of parts have an index from the start. */
	bool parts_index;
	/* A list column holds one of `count` parameters from `first` on. */
	void (*any_of)(struct fl_buf *out, const char *column, unsigned first,
		       unsigned count);
	/* The expression that is a time's nanoseconds since 1970. */
	void (*instant)(struct fl_buf *out, const char *column);
	/* The expression that shows a column to people, in the view TYPE_v;
	 * NULL: the table itself is fit to be looked at. */
	void (*shown)(struct fl_buf *out, const char *column,
		      enum fl_kind kind);
};

extern const struct fl_sql_dialect fl_sql_sqlite, fl_sql_postgres, fl_sql_mysql;

/* The columns of a type's table. cols[FL_SQL_COLUMNS_MAX]; returns how many. */
size_t fl_sql_columns(const struct fl_sql_dialect *dialect,
		      const struct fl_type *type, struct fl_sql_column *cols);
/* The newest `since` of all fields: what a store made now has as its version.
 */
int fl_sql_version(const struct fl_type *const *types);
/* Can a store of that version be read and written?
 * errors  FL_ERR_REFUSED it is newer */
int fl_sql_check_version(const char *place, int version, struct fl_error *err);

/* All statements that make an empty store, each ended by ";\n". */
void fl_sql_schema(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		   const struct fl_type *const *types);
/* The statements that bring a store of version `from` to fl_sql_version():
 * only added tables and columns, so that what is running goes on. */
void fl_sql_migrate(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		    const struct fl_type *const *types, int from);

/* `rows` rows of the columns used[count]; where the key of one is there already
 * it takes the place of the old row, also in columns that are not written. A
 * " WHERE …" may follow: the condition for that. */
void fl_sql_upsert(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		   const struct fl_type *type, const size_t *used, size_t count,
		   size_t rows);

/* What a select's parameters are bound to, in their order. */
struct fl_sql_value {
	const char *text; /* NULL: it is `number` */
	int64_t number;
};
struct fl_sql_values {
	struct fl_sql_value *items; /* free() them */
	size_t count, cap;
};

/* Can rows of the type match at all? A selector on a field that a type lacks
 * selects none of its records. */
bool fl_sql_matches(const struct fl_type *type, const struct fl_query *query);
/* " WHERE …" for all selectors but `last`; empty when there is none. */
void fl_sql_where(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		  const struct fl_type *type, const struct fl_query *query,
		  struct fl_sql_values *values);
/* The columns of a row, in order, with commas: of `alias`, NULL: of none. */
void fl_sql_row(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		const struct fl_type *type, const char *alias);
/* What rows are ordered by: ts, then the rest of the key. */
void fl_sql_order(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		  const struct fl_type *type, const char *alias,
		  bool descending);
/* The key columns but for what makes records of one series differ: their places
 * among the type's columns, in the order of the key. */
size_t fl_sql_series(const struct fl_sql_column *cols, size_t count,
		     size_t *series);
/* The place of the column of that name; -1: there is none. */
int fl_sql_find(const struct fl_sql_column *cols, size_t count,
		const char *name);
/* Of each column of a field, what stands before its value in a record:
 * ,"price":
 * returns as many as there are columns, for fl_sql_leads_free() */
struct fl_buf *fl_sql_leads(const struct fl_type *type,
			    const struct fl_sql_column *cols, size_t count);
void fl_sql_leads_free(struct fl_buf *leads, size_t count);
/* The summary: provider, symbol, interval (NULL where the type has none),
 * count, first and last ts. */
void fl_sql_list(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		 const struct fl_type *type, const struct fl_query *query,
		 struct fl_sql_values *values);

/* A statement of ours in the dialect: ? is a parameter, " quotes names. */
void fl_sql_text(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		 const char *text);
/* What a column of the kind is compared with. */
void fl_sql_parameter(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		      enum fl_kind kind, size_t place);
/* Append the time in UTC, without a zone, and without what microseconds leave
 * of it. */
void fl_sql_micros(struct fl_buf *out, int64_t ns);
/* Append a quoted identifier. */
void fl_sql_name(struct fl_buf *out, const struct fl_sql_dialect *dialect,
		 const char *name);

#endif
