/* record: check, canonical form, keys and content of one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_RECORD_H
#define FL_REC_RECORD_H

#include "base/buf.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "base/time.h"
#include "io/io.h"
#include "rec/type.h"

/* What fl_record_normalise would change. */
enum fl_fix {
	FL_FIX_TIME = 1,    /* a time in RFC 3339, but not in our form */
	FL_FIX_SYMBOL = 2,  /* lower case letters */
	FL_FIX_ROUND = 4,   /* a number of more than 18 digits */
	FL_FIX_SUBUNIT = 8, /* GBp, GBX, ZAc, ILA, KWF: prices to main units */
	FL_FIX_INTERVAL = 16, /* 60m for 1h */
	FL_FIX_COERCE = 32,   /* number in a string, under --coerce */
};

/* Parse rec->bytes into `json` and check it against its type: fills json, type,
 * at, ts_ns and fixes of rec. A mark is FL_REASON_unexpected_mark here: streams
 * that may hold marks look with fl_mark_is first.
 * returns FL_REASON_NONE, or the reason, with the note filled */
enum fl_reason fl_record_check(struct fl_record *rec, struct fl_json *json,
			       struct fl_note *note);
/* The same, but strings that hold numbers pass as numbers (--coerce). */
enum fl_reason fl_record_check_coerce(struct fl_record *rec,
				      struct fl_json *json,
				      struct fl_note *note);
extern const struct fl_hooks fl_record_hooks;

/* Append the record with rec->fixes mended and all else byte for byte. */
void fl_record_normalise(const struct fl_record *rec, struct fl_buf *out);
/* Append the canonical form: known fields in table order, unknown after, no
 * blanks, numbers without exponent and trailing zeros; mends fixes as well. */
void fl_record_canonical(const struct fl_record *rec, struct fl_buf *out);
/* The same record in that form, as if it had been read so: `text` gets its
 * line, `json` its tokens, both as long as *out is used. Returns out. */
const struct fl_record *fl_record_mend(const struct fl_record *rec,
				       struct fl_buf *text,
				       struct fl_json *json,
				       struct fl_record *out);
/* Is the line known to be canonical as it stands? Cheap; false when a closer
 * look would be needed. */
bool fl_record_is_canonical(const struct fl_record *rec);
/* Append the value of the i-th field, which must be there, as canonical JSON
 * (of a record without fixes). */
void fl_record_print(const struct fl_record *rec, int field,
		     struct fl_buf *out);
/* Append an object of the fields that the table does not know ("" when there
 * are none): what stores keep in `extra`. */
void fl_record_extra(const struct fl_record *rec, struct fl_buf *out);

/* Equal for equal content, whatever the order of keys and the spelling of
 * numbers; `ts_recv` aside. With by_seq, `seq` and the series alone where the
 * record has a seq. series, unless NULL, gets what fl_record_series gives. */
struct fl_hash128 fl_record_content(const struct fl_record *rec, bool by_seq,
				    uint64_t *series);
uint64_t fl_record_series(const struct fl_record *rec);
/* quote's tie-breaker in the stores: seq, else the content's XXH3-64. */
int64_t fl_record_tick_id(const struct fl_record *rec);

/* The i-th field's values; false when absent. Strings are borrowed. */
bool fl_record_string(const struct fl_record *rec, int field, const char **text,
		      size_t *len);
bool fl_record_number(const struct fl_record *rec, int field,
		      struct fl_decimal *value);
bool fl_record_time(const struct fl_record *rec, int field, int64_t *ns);
/* The interval that a string names; false when it is none. */
bool fl_record_interval(const struct fl_json_tok *tok,
			struct fl_interval *interval);
/* A JSON number that is whole and fits 64 bits: 5, 5.0, 5e2. */
bool fl_integer_parse(const char *text, size_t len, int64_t *value);
/* By path, for commands: index through fl_type_field. */
const struct fl_json_tok *fl_record_value(const struct fl_record *rec,
					  const char *path);

/* fl-records.5, as mdoc, made from the tables. */
void fl_types_manual(struct fl_buf *out);

#endif
