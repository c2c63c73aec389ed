/* reject: what was refused, why, and where it is kept.
 *
 * A reject is a record like any other (records.md): the whole original line
 * with the reason, so that a repaired rule can take it up again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_REJECT_H
#define FL_IO_REJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fl_io;

#define FL_REASONS(X)                                                          \
	X(bad_json, "not JSON")                                                \
	X(bad_utf8, "not UTF-8, or holds U+0000 or a lone surrogate")          \
	X(too_long, "longer than 900,000 bytes")                               \
	X(not_object, "JSON, but not an object")                               \
	X(duplicate_key, "a key twice in one object")                          \
	X(unknown_type, "`type` names no record type")                         \
	X(missing_field, "a required field is absent")                         \
	X(bad_type, "a known field has the wrong JSON type")                   \
	X(bad_time, "no RFC 3339 time, date or zone")                          \
	X(ambiguous_date, "a date that reads as two days")                     \
	X(bad_number, "not a number, or not a whole one")                      \
	X(out_of_range, "outside what the field allows")                       \
	X(ohlc_order, "low above, or high below, another price of the bar")    \
	X(null_bar, "a bar without prices")                                    \
	X(late, "older than the lateness allows")                              \
	X(mixed_currency, "two currencies in one bar")                         \
	X(expr_error, "the user's expression failed")                          \
	X(unknown_symbol, "the provider knows no such symbol")                 \
	X(unknown_format, "a line of no known log format")                     \
	X(unit_mismatch, "a unit that contradicts the field")                  \
	X(unexpected_mark, "a mark in data that may hold none")                \
	X(merge_conflict, "a partial bar meets a whole one, or the reverse")   \
	X(provider_error, "the provider answered with an error")               \
	X(rate_limited, "the provider's rate limit")                           \
	X(quota_exceeded, "the provider's quota")                              \
	X(premium_only, "for paying customers of the provider")                \
	X(auth, "credentials refused")                                         \
	X(http_status, "an HTTP status that is no success")                    \
	X(network, "the network failed")                                       \
	X(truncated, "cut short")                                              \
	X(sink_refused, "the store or broker refused it")

enum fl_reason {
	FL_REASON_NONE = 0,
#define X(name, doc) FL_REASON_##name,
	FL_REASONS(X)
#undef X
	FL_REASON_COUNT
};

const char *fl_reason_name(enum fl_reason reason); /* "bad_json" */
const char *fl_reason_doc(enum fl_reason reason);

/* Why a line was refused, in words: filled by whoever finds the fault. */
struct fl_note {
	char field[64];   /* JSON path of the field at fault; "" when none is */
	char detail[300]; /* "'price' is \"12\", a string" */
};
void fl_note_set(struct fl_note *note, const char *field, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

/* May the same request work later? */
enum fl_again {
	FL_AGAIN_UNSAID,
	FL_AGAIN_NO,
	FL_AGAIN_YES,
};

/* What one reject is about; unset members are left out of the record. */
struct fl_reject {
	enum fl_reason reason;
	const struct fl_note *note;
	const char *input; /* path, "-" for standard input, or a topic */
	uint64_t line;     /* from 1; 0: none */
	/* Of a topic, in place of a line. */
	bool in_topic;
	int32_t partition;
	int64_t offset;
	const char *raw;
	size_t raw_len;
	uint64_t raw_bytes; /* when the line was longer than `raw` holds; else 0
			     */
	/* Of a provider's answer. */
	unsigned http_status;
	const char *provider_code; /* its own word; NULL */
	enum fl_again retryable;
};

/* Open the file or descriptor that --rejects names, if any; once. Writers and
 * sinks do so before anything is read: that it cannot be is no news for later.
 * errors  FL_ERR_USAGE no such descriptor; FL_ERR_IO */
int fl_rejects_open(struct fl_io *io, struct fl_error *err);
/* Do they go where the records go? */
bool fl_rejects_inline(const struct fl_io *io);
/* Count the reject and put it where --rejects says.
 * returns 0; -1 with err: FL_ERR_DATA more than --max-rejects, FL_ERR_IO the
 *         file cannot be written */
int fl_reject(struct fl_io *io, const struct fl_reject *reject,
	      struct fl_error *err);
/* The same for a good record that came too late: kept, but counted as late, and
 * no matter for --max-rejects. */
int fl_reject_late(struct fl_io *io, const struct fl_reject *reject,
		   struct fl_error *err);

#endif
