/* logs_parser: lines of one input to records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_PARSER_H
#define FL_SOURCE_LOG_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/option.h"
#include "io/io.h"
#include "io/json.h"
#include "source/log/repeats.h"
#include "source/log/stamp.h"
#include "source/log/work.h"

#define FL_LOGS_COLUMNS 64

/* What the user said, the same for all inputs. */
struct fl_logs_job {
	struct fl_io *io;
	const struct fl_logs_format *format; /* NULL: by detection */
	int year;                            /* 0: by the file's time */
	const struct fl_list *prefixes;      /* --prefix-action, checked */
	bool received; /* lines come as they are made: ts_recv is written,
			* and is the time of what has none */
};

/* Columns that a line of the input names for those after it. */
struct fl_logs_columns {
	const struct fl_logs_format *of; /* whose they are; NULL: none yet */
	struct fl_buf names;             /* each ended by a NUL */
	uint16_t at[FL_LOGS_COLUMNS];
	size_t count;
	int64_t day; /* #Date: of W3C, since 1970; FL_TIME_NONE */
	bool local;  /* W3C: times are on the clock of --tz */
};

struct fl_logs_parser {
	const struct fl_logs_job *job;
	struct fl_logs_times times;
	const struct fl_logs_format *last; /* of the line before */
	struct fl_logs_columns columns;    /* of w3c and vpc_flow */
	struct fl_logs_repeats repeats;
	struct fl_json json;
	struct fl_logs_work work;
	const char *peer; /* who sent the line, for one that names no host;
			   * NULL */
	bool lacks_year;  /* a line was refused for want of one */
};

struct fl_logs_made {
	struct fl_buf text; /* the record */
	int64_t ts_ns;
	enum fl_reason reason; /* of REFUSED */
	struct fl_note note;
};

/* Each format under its own name. */
#define FORMAT(name) extern const struct fl_logs_format fl_logs_format_##name;
#include "source/log/formats.def"
#undef FORMAT
extern const struct fl_logs_format *const fl_logs_formats[]; /* NULL-ended */
/* NULL and err: no such format; `auto` is NULL without one. */
int fl_logs_format_find(const char *name, const struct fl_logs_format **format,
			struct fl_error *err);
/* Are all of --prefix-action TEXT=ACTION?  errors  FL_ERR_USAGE */
int fl_logs_prefixes_check(const struct fl_list *prefixes,
			   struct fl_error *err);

/* file_ns: when the input was written last; FL_TIME_NONE: unknown */
void fl_logs_parser_init(struct fl_logs_parser *parser,
			 const struct fl_logs_job *job, int64_t file_ns);
/* One line without its end. `recv_ns` is written as ts_recv under
 * job->received. Never NOT_MINE. */
enum fl_logs_got fl_logs_parse(struct fl_logs_parser *parser, const char *line,
			       size_t len, int64_t recv_ns,
			       struct fl_logs_made *made);
void fl_logs_parser_release(struct fl_logs_parser *parser);

/* --- for formats whose lines name columns --- */
void fl_logs_columns_set(struct fl_logs_columns *columns,
			 const struct fl_logs_format *of, const char *at,
			 const char *end);
const char *fl_logs_column(const struct fl_logs_columns *columns, size_t i);

#endif
