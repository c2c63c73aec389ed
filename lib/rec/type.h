/* type: the record types as field tables.
 *
 * A type is declared once, in lib/rec/<name>.c and types.def; checks, canonical
 * form, SQL columns, the manual page and the table columns are views of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_TYPE_H
#define FL_REC_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/record.h"

enum fl_kind {
	FL_STRING,
	FL_NUMBER,  /* exact decimal */
	FL_SUM,     /* number of up to 38 digits, 9 decimals */
	FL_INTEGER, /* int64 */
	FL_BOOLEAN,
	FL_TIME,    /* RFC 3339, UTC */
	FL_DATE,    /* YYYY-MM-DD */
	FL_STRINGS, /* array of strings */
	FL_OBJECTS, /* array of objects */
	FL_OBJECT,  /* object: kept whole */
};

/* Formats of a string beyond "not empty, no U+0000". */
enum fl_form {
	FL_FORM_NONE,
	FL_FORM_SYMBOL,   /* 1 to 64 printable ASCII, upper case, no blank */
	FL_FORM_CURRENCY, /* ISO 4217 shape: three capitals */
	FL_FORM_MIC,      /* ISO 10383: four of A-Z 0-9 */
	FL_FORM_ZONE,     /* IANA name shape */
	FL_FORM_INTERVAL, /* as fl_interval_parse, canonical */
	FL_FORM_COUNTRY,  /* ISO 3166-1 alpha-2 */
	FL_FORM_URL,      /* has a scheme */
	FL_FORM_LABEL,    /* 1 to 200 bytes, no control characters */
};

enum fl_unit {
	FL_UNIT_NONE,
	FL_UNIT_PRICE,   /* main currency units; scaled when a subunit is */
	FL_UNIT_MONEY,   /* sum of price × size */
	FL_UNIT_SHARES,  /* shares, contracts, coins */
	FL_UNIT_PERCENT, /* 1.25 means 1.25 % */
	FL_UNIT_SECONDS,
	FL_UNIT_BYTES,
	FL_UNIT_COUNT,
	FL_UNIT_RATIO,
};

/* "percent"; "" where the field's own words say it. */
const char *fl_unit_text(enum fl_unit unit);

enum fl_range {
	FL_ANY,
	FL_POSITIVE,     /* > 0 */
	FL_NON_NEGATIVE, /* >= 0 */
	FL_UNIT_SPAN,    /* -1 to 1 */
	FL_PORT,         /* 0 to 65535 */
};

/* How two partial bars make one (records.md, "Partial bars merge"). */
enum fl_merge {
	FL_MERGE_NONE, /* a merged row does not keep it */
	FL_MERGE_KEY,
	FL_MERGE_FIRST, /* of the operand with the earlier first_ts */
	FL_MERGE_LAST,  /* of the operand with the later last_ts */
	FL_MERGE_MIN,
	FL_MERGE_MAX, /* of booleans: true when one is */
	FL_MERGE_SUM,
	FL_MERGE_DERIVE, /* computed when read */
};

struct fl_field {
	const char *path; /* JSON path, dots between: "source.ip" */
	/* SQL column; NULL: only inside extra or doc. It is the JSON name even
	 * where that is a word of SQL (open, values, by): stores quote every
	 * identifier. */
	const char *column;
	enum fl_kind kind;
	bool required;
	enum fl_form form;
	enum fl_range range;
	enum fl_unit unit;
	enum fl_merge merge;
	const char *const *words; /* enum: NULL-ended; NULL: any */
	/* What a natural key holds where the field is absent: "regular", "".
	 * Set for key fields that are not required, and for these alone. */
	const char *absent;
	int since;           /* schema version that brought it; 1 is first */
	const char *doc;     /* one line for the manual */
	unsigned char width; /* columns in a table; 0: not shown */
};

#define FL_KEY_MAX 8

/* FL_TYPE_quote and so on, in the order of types.def. */
enum fl_type_id {
#define FL_TYPE(name) FL_TYPE_##name,
#include "rec/types.def"
#undef FL_TYPE
	FL_TYPE_COUNT
};

struct fl_type {
	enum fl_type_id id; /* index in fl_types */
	const char *name;
	const char *summary;
	const struct fl_field *fields; /* canonical order; ended by path NULL */
	/* Natural key: field paths in the order of the stores' primary key, by
	 * which their tables are stored. What streams in by the clock and is
	 * many (quote, log, alert, stat, reject, run) has the time first:
	 * writes append, reading in the order of time is reading on, and a
	 * symbol is found by reading a span of time. What is kept as history
	 * of something (bar, prediction, dividend …) has that first, so that
	 * one symbol is one place; a span of all is found by going from series
	 * to series. The README's Decisions have the figures.
	 * quote's ends with "tick_id", a column that no field has (see
	 * fl_record_tick_id). */
	const char *key[FL_KEY_MAX];
	/* What makes a series: the natural key before the time. Watermarks and
	 * the dedup horizon are kept per series. */
	const char *series[FL_KEY_MAX];
	const char *topic;     /* Kafka topic behind the prefix: "quotes" */
	const char *topic_key; /* "provider,symbol" */
	bool doc;              /* stores keep the whole line in column `doc` */
	bool nested; /* some paths hold dots: objects are looked into */
	bool vast;   /* so many that a store may keep each month apart */
	/* Runs when rec->at is filled and each value has its JSON kind, before
	 * required fields are looked for: for reasons that say more than
	 * missing_field (null_bar). NULL: none. */
	enum fl_reason (*check_first)(const struct fl_record *rec,
				      struct fl_note *note);
	/* Rules across fields, after every field alone was found good. NULL:
	 * none. */
	enum fl_reason (*check)(const struct fl_record *rec,
				struct fl_note *note);
};

/* Each type under its own name: fl_type_quote … */
#define FL_TYPE(name) extern const struct fl_type fl_type_##name;
#include "rec/types.def"
#undef FL_TYPE
/* All types in the order of types.def, NULL-ended. */
extern const struct fl_type *const fl_types[];
const struct fl_type *fl_type_find(const char *name, size_t len);
/* Index in type->fields of a path; -1: none. */
int fl_type_field(const struct fl_type *type, const char *path, size_t len);
size_t fl_type_count(const struct fl_type *type); /* of fields */

/* The fields that every type begins and may go on with, for the tables. */
#define FL_FIELD_TYPE                                                          \
	{                                                                      \
		.path = "type", .kind = FL_STRING, .required = true,           \
		.since = 1, .doc = "the record type"                           \
	}
#define FL_FIELD_TS                                                            \
	{                                                                      \
		.path = "ts", .column = "ts", .kind = FL_TIME,                 \
		.required = true, .merge = FL_MERGE_KEY, .since = 1,           \
		.width = 24, .doc = "event time, RFC 3339, UTC"                \
	}
#define FL_FIELD_PROVIDER FL_FIELD_PROVIDER_SHOWN(0)
/* The same with a place in tables, of so many columns. */
#define FL_FIELD_PROVIDER_SHOWN(columns)                                       \
	{                                                                      \
		.path = "provider", .column = "provider", .kind = FL_STRING,   \
		.required = true, .form = FL_FORM_LABEL,                       \
		.merge = FL_MERGE_KEY, .since = 1, .width = (columns),         \
		.doc = "where it came from: yahoo, alphavantage, csv, sim"     \
	}
#define FL_FIELD_SYMBOL(must)                                                  \
	{                                                                      \
		.path = "symbol", .column = "symbol", .kind = FL_STRING,       \
		.required = (must), .form = FL_FORM_SYMBOL,                    \
		.merge = FL_MERGE_KEY, .since = 1, .width = 10,                \
		.doc = "Yahoo form, upper case"                                \
	}
#define FL_FIELD_TS_RECV                                                       \
	{                                                                      \
		.path = "ts_recv", .column = "ts_recv", .kind = FL_TIME,       \
		.since = 1, .doc = "arrival; written by fl-fetch"              \
	}
#define FL_FIELD_SYMBOL_SRC                                                    \
	{                                                                      \
		.path = "symbol_src", .column = "symbol_src",                  \
		.kind = FL_STRING, .form = FL_FORM_LABEL, .since = 1,          \
		.doc = "the provider's own symbol, when it differs"            \
	}
#define FL_FIELD_CURRENCY                                                      \
	{                                                                      \
		.path = "currency", .column = "currency", .kind = FL_STRING,   \
		.form = FL_FORM_CURRENCY, .merge = FL_MERGE_FIRST, .since = 1, \
		.width = 8, .doc = "ISO 4217, the main unit"                   \
	}
#define FL_FIELD_CURRENCY_SRC                                                  \
	{                                                                      \
		.path = "currency_src", .column = "currency_src",              \
		.kind = FL_STRING, .form = FL_FORM_LABEL,                      \
		.merge = FL_MERGE_FIRST, .since = 1,                           \
		.doc = "the subunit that prices came in: GBp, ZAc"             \
	}
#define FL_FIELD_PRICE_SCALE                                                   \
	{                                                                      \
		.path = "price_scale", .column = "price_scale",                \
		.kind = FL_NUMBER, .range = FL_POSITIVE,                       \
		.unit = FL_UNIT_RATIO, .merge = FL_MERGE_FIRST, .since = 1,    \
		.doc = "what prices were multiplied by: 0.01 for GBp"          \
	}
#define FL_FIELD_MIC                                                           \
	{                                                                      \
		.path = "mic", .column = "mic", .kind = FL_STRING,             \
		.form = FL_FORM_MIC, .merge = FL_MERGE_FIRST, .since = 1,      \
		.doc = "ISO 10383 market code"                                 \
	}
#define FL_FIELD_EXCHANGE                                                      \
	{                                                                      \
		.path = "exchange", .column = "exchange", .kind = FL_STRING,   \
		.form = FL_FORM_LABEL, .merge = FL_MERGE_FIRST, .since = 1,    \
		.doc = "the provider's own exchange code"                      \
	}

/* Words that several types share, NULL-ended. */
extern const char *const fl_words_asset[];
extern const char *const fl_words_adj[];

#endif
