/* option: the table from which parsing, --help, the manual's OPTIONS and the
 * shell completions are made. lib/cli/option.c does the work.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_OPTION_H
#define FL_BASE_OPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum fl_option_kind {
	FL_OPTION_END,
	FL_OPTION_FLAG,     /* bool */
	FL_OPTION_U64,      /* uint64_t */
	FL_OPTION_REAL,     /* double */
	FL_OPTION_TEXT,     /* const char * */
	FL_OPTION_LIST,     /* struct fl_list: commas; repeats add up */
	FL_OPTION_DURATION, /* int64_t nanoseconds */
	FL_OPTION_SIZE,     /* uint64_t bytes: 64K 32M 1G */
	FL_OPTION_CALL,     /* take(target, value, err) */
	FL_OPTION_GROUP,    /* another table follows in its place */
};

struct fl_list {
	const char **items; /* items[count], then NULL */
	uint64_t count;
};

struct fl_option {
	enum fl_option_kind kind;
	char letter;      /* 0: none */
	const char *name; /* long name */
	const char *arg;  /* placeholder: "N"; NULL for flags; "[=N]" for a
			   * value that may be left out (CALL only) */
	void *target;
	const char *help; /* one line; defaults in brackets or parentheses;
			   * NULL: a hidden option */
	/* CALL only; value is NULL when there is none. */
	int (*take)(void *target, const char *value, struct fl_error *err);
	const struct fl_option *group; /* GROUP only */
	const char
		*words; /* completion: "ndjson csv table", "@file", "@place" */
};

#define FL_OPT_END                                                             \
	{                                                                      \
		.kind = FL_OPTION_END                                          \
	}
#define FL_OPT_FLAG(c, n, t, h)                                                \
	{                                                                      \
		.kind = FL_OPTION_FLAG, .letter = (c), .name = (n),            \
		.target = (t), .help = (h)                                     \
	}
#define FL_OPT_OF(k, c, n, a, t, h)                                            \
	{                                                                      \
		.kind = (k), .letter = (c), .name = (n), .arg = (a),           \
		.target = (t), .help = (h)                                     \
	}
#define FL_OPT_U64(c, n, a, t, h)  FL_OPT_OF(FL_OPTION_U64, c, n, a, t, h)
#define FL_OPT_REAL(c, n, a, t, h) FL_OPT_OF(FL_OPTION_REAL, c, n, a, t, h)
#define FL_OPT_TEXT(c, n, a, t, h) FL_OPT_OF(FL_OPTION_TEXT, c, n, a, t, h)
#define FL_OPT_LIST(c, n, a, t, h) FL_OPT_OF(FL_OPTION_LIST, c, n, a, t, h)
#define FL_OPT_DURATION(c, n, a, t, h)                                         \
	FL_OPT_OF(FL_OPTION_DURATION, c, n, a, t, h)
#define FL_OPT_SIZE(c, n, a, t, h) FL_OPT_OF(FL_OPTION_SIZE, c, n, a, t, h)
/* TEXT, LIST: with words for completion. */
#define FL_OPT_WORD(c, n, a, w, t, h)                                          \
	FL_OPT_WORDS_OF(FL_OPTION_TEXT, c, n, a, w, t, h)
#define FL_OPT_WORDS(c, n, a, w, t, h)                                         \
	FL_OPT_WORDS_OF(FL_OPTION_LIST, c, n, a, w, t, h)
#define FL_OPT_WORDS_OF(k, c, n, a, w, t, h)                                   \
	{                                                                      \
		.kind = (k), .letter = (c), .name = (n), .arg = (a),           \
		.words = (w), .target = (t), .help = (h)                       \
	}
#define FL_OPT_CALL(c, n, a, f, t, h)                                          \
	{                                                                      \
		.kind = FL_OPTION_CALL, .letter = (c), .name = (n),            \
		.arg = (a), .target = (t), .help = (h), .take = (f)            \
	}
#define FL_OPT_GROUP(table)                                                    \
	{                                                                      \
		.kind = FL_OPTION_GROUP, .group = (table)                      \
	}

#endif
