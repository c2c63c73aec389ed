/* ask: Yahoo asked for what is no chart: quotes, instruments, news, searches
 * and screeners.
 *
 * ask.c reads the options; quotes.c, instruments.c, lists.c and news.c ask and
 * take answers, one job each, with a crumb by talk.c; quote.c and instrument.c
 * make records of what stands in an answer, which several kinds of answers
 * share.
 *
 * source  sources.md, 1.2 and 1.4
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_ASK_H
#define FL_SOURCE_YAHOO_ASK_H

#include "source/polled.h"
#include "source/yahoo/session.h"

enum fl_yahoo_kind {
	FL_YAHOO_BARS, /* with dividends and splits: plan.c */
	FL_YAHOO_QUOTES,
	FL_YAHOO_INSTRUMENTS,
	FL_YAHOO_NEWS,
};

/* What the options said, the same for all symbols. */
struct fl_yahoo_ask {
	enum fl_yahoo_kind kind;
	const char *const *screeners; /* NULL: none named */
	const char *const *search;    /* one text, NULL; NULL: none */
	uint64_t count;               /* of a list or of stories, at most */
	bool all_sessions;
	bool from_search, from_rss; /* where news come from */
	int64_t from_ns, to_ns;     /* of news; FL_TIME_NONE: open */
	uint64_t last;              /* the newest so many news; 0: all */
	int64_t now_ns;
	struct fl_yahoo_session *session; /* NULL: nobody is asked */
	void (*tell)(void *arg, const char *text);
	void *tell_arg;
	bool *told; /* of the run: that one of two feeds has failed */
};

extern const struct fl_option fl_yahoo_ask_options[];
/* Which kind is it? Nothing else is filled for bars.
 * errors  FL_ERR_USAGE a type that is not given, or several that do not go
 *         together */
int fl_yahoo_ask(const struct fl_ask *ask, struct fl_yahoo_ask *out,
		 struct fl_error *err);
/* Options and fundamentals: there is no record type for them. */
int fl_yahoo_declines(const char *type, struct fl_error *err);

/* How each kind is polled. */
extern const struct fl_polled fl_polled_yahoo_quotes, fl_polled_yahoo_lists,
	fl_polled_yahoo_instruments, fl_polled_yahoo_news;
const struct fl_polled *fl_yahoo_polled(const struct fl_yahoo_ask *ask);

/* --- what jobs share --- */

const char *fl_yahoo_secret(const void *ask); /* of fl_polled */
/* When the answer was made, by the server's clock. */
int64_t fl_yahoo_answered(const struct fl_yahoo_ask *ask,
			  const struct fl_http_answer *answer);

/* quote.c: append the record of a quote, or why there is none.
 *
 * meta    of a chart: some keys have other names there, others are missing
 * symbol  asked for; NULL: its own
 * status  of the answer, for what is refused */
void fl_yahoo_put_quote(const struct fl_yahoo_ask *ask,
			const struct fl_json *json, uint32_t object, bool meta,
			const char *symbol, unsigned status,
			struct fl_poll_out *out);
/* What was appended is refused: of a symbol that was asked for, which has
 * failed then; NULL: of an entry of a list. */
void fl_yahoo_refuse(const char *symbol, enum fl_reason reason, const char *why,
		     unsigned status, struct fl_poll_out *out);
/* "EQUITY" is "equity"; NULL: we have no word for it */
const char *fl_yahoo_asset(const char *type);
/* A symbol as records have it, into text[65]; false: it is none. */
bool fl_yahoo_symbol(const char *given, char *text);

/* instrument.c: the same of an instrument. A value is that of the first of the
 * objects that has it; `count` of them, 0 among them count for nothing. */
void fl_yahoo_put_instrument(const struct fl_json *json,
			     const uint32_t *objects, size_t count,
			     const char *symbol, int64_t ts_ns, unsigned status,
			     struct fl_poll_out *out);
/* country.c: ISO 3166-1 alpha-2 of an English name, or NULL. */
const char *fl_yahoo_country(const char *name);

#endif
