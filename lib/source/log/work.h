/* logs_work: one line on its way to a record; what parsers of formats use.
 *
 * A format finds texts in the line and puts each under a field; which are put,
 * and in which order, is all the same: the record is printed from them in
 * canonical order. Texts are borrowed from the line, or come of fl_logs_copy.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_WORK_H
#define FL_SOURCE_LOG_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "io/reject.h"

struct fl_logs_parser; /* source/log/parser.h */

enum fl_logs_field {
#define X(name, path) FL_LOGS_##name,
#include "source/log/fields.def"
#undef X
	FL_LOGS_FIELDS
};

struct fl_logs_text {
	const char *at;
	size_t len;
};

/* What stands before the message. */
struct fl_logs_head {
	bool found; /* a stamp, or <PRI> with what belongs to it */
	int pri;    /* -1: none */
	bool stamped;
	int64_t ts_ns;   /* when stamped */
	bool structured; /* RFC 5424 */
	struct fl_logs_text host, app, procid, msgid;
};

struct fl_logs_value {
	const char *text;
	uint32_t len;
	bool raw; /* JSON as it stands */
};

struct fl_logs_work {
	struct fl_logs_parser *parser;
	const char *line; /* whole; valid UTF-8 without U+0000 */
	size_t len;
	struct fl_logs_head head;
	const char *at, *end; /* the message behind the header */
	int64_t ts_ns;        /* FL_TIME_NONE: the header's */
	uint64_t set;
	struct fl_logs_value values[FL_LOGS_FIELDS];
	struct fl_arena arena;
	enum fl_reason reason; /* NONE, or why the line is refused */
	struct fl_note *note;
};

/* What became of a line. */
enum fl_logs_got {
	FL_LOGS_NOT_MINE, /* in another format */
	FL_LOGS_RECORD,
	FL_LOGS_NOTHING, /* names columns, or is a comment: no record */
	FL_LOGS_REFUSED, /* mine, but work->reason */
};

struct fl_logs_format {
	const char *name;     /* the records' provider */
	const char *category; /* JSON: ["network"]; NULL: none */
	const char *access;   /* event.type of what happens; NULL: none */
	/* Take the line apart. What only looks like one of this format must
	 * come out as NOT_MINE. */
	enum fl_logs_got (*parse)(struct fl_logs_work *w);
};

enum fl_logs_verdict {
	FL_LOGS_ALLOW,
	FL_LOGS_DENY,
	FL_LOGS_DROP,
	FL_LOGS_RESET,
	FL_LOGS_AUDIT,
	FL_LOGS_CHALLENGE,
	FL_LOGS_NO_VERDICT,
};

/* --- putting: an empty text and "-" are absent --- */

void fl_logs_put(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text, size_t len);
/* A constant, such as a vendor's name. */
void fl_logs_say(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text);
/* A label: left out where rec/log.c would refuse it (event.original has it). */
void fl_logs_label(struct fl_logs_work *w, enum fl_logs_field field,
		   const char *text, size_t len);
/* A label in lower case. */
void fl_logs_lower(struct fl_logs_work *w, enum fl_logs_field field,
		   const char *text, size_t len);
/* Digits: what is no number of 63 bits, or no port, refuses the line. */
void fl_logs_count(struct fl_logs_work *w, enum fl_logs_field field,
		   const char *text, size_t len);
void fl_logs_port(struct fl_logs_work *w, enum fl_logs_field field,
		  const char *text, size_t len);
void fl_logs_integer(struct fl_logs_work *w, enum fl_logs_field field,
		     int64_t value);
/* source.ip or destination.ip, and network.type with it; what is no address
 * goes to `….address`. */
void fl_logs_host(struct fl_logs_work *w, enum fl_logs_field field,
		  const char *text, size_t len);
/* A translated address: left out where it is none. */
void fl_logs_nat(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text, size_t len);
/* A protocol by name (TCP) or IANA number (6). */
void fl_logs_protocol(struct fl_logs_work *w, const char *text, size_t len);
/* Hardware addresses as 02:42:…; false: no six octets. */
void fl_logs_mac(struct fl_logs_work *w, enum fl_logs_field field,
		 const char *text, size_t len);
void fl_logs_verdict(struct fl_logs_work *w, enum fl_logs_verdict verdict,
		     bool web);
/* The same of a device's word: one that is not known is kept in lower case.
 * false: so it was */
bool fl_logs_act(struct fl_logs_work *w, const char *text, size_t len,
		 bool web);
/* The word of a vendor or user; NO_VERDICT: none that is known. */
enum fl_logs_verdict fl_logs_verdict_of(const char *text, size_t len);

static inline bool fl_logs_has(const struct fl_logs_work *w,
			       enum fl_logs_field field)
{
	return w->set >> field & 1;
}

/* A copy that lives as long as the line. */
char *fl_logs_copy(struct fl_logs_work *w, const char *text, size_t len);
/* Refuse the line. */
enum fl_logs_got fl_logs_refuse(struct fl_logs_work *w, enum fl_reason reason,
				const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Append all that was put: ,"event":{…},"source":{…} */
void fl_logs_print(const struct fl_logs_work *w, struct fl_buf *out);

/* Cells between separators, "quoted" ones without their quotes, in
 * cells[max]; how many there are, which may be more. */
size_t fl_logs_split(struct fl_logs_work *w, const char *at, const char *end,
		     char separator, struct fl_logs_text *cells, size_t max);
/* \\ \= \| \n \r as what they mean: CEF's and LEEF's. */
struct fl_logs_text fl_logs_unescape(struct fl_logs_work *w, const char *text,
				     size_t len);

/* --- looking --- */

static inline bool fl_logs_is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static inline bool fl_logs_starts(const char *at, const char *end,
				  const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - at) >= len && memcmp(at, word, len) == 0;
}

static inline bool fl_logs_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Up to `c`, or to the end. */
static inline const char *fl_logs_until(const char *at, const char *end, char c)
{
	const char *found = memchr(at, c, (size_t)(end - at));

	return found ? found : end;
}

/* Digits to a number; false: none, another byte, or beyond int64_t. */
bool fl_logs_number(const char *text, size_t len, int64_t *value);
bool fl_logs_is_v4(const char *text, size_t len);
bool fl_logs_is_ip(const char *text, size_t len, bool *v6);

#endif
