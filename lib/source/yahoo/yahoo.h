/* yahoo: what the files of this folder share.
 *
 * A symbol's way: plan.c says which windows of time are asked for, chart.c
 * reads the answers into rows and events, rows.c makes bars of the rows,
 * print.c adjusts them and makes records of them.
 *
 * source  sources.md, 1.3: /v8/finance/chart and its traps
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_YAHOO_H
#define FL_SOURCE_YAHOO_YAHOO_H

#include "base/decimal.h"
#include "base/zone.h"
#include "rec/subunit.h"
#include "source/polled.h"

/* Unpublished; clients that were not blocked kept to this. */
#define FL_YAHOO_LIMITS                                                        \
	{                                                                      \
		.per_second = 1, .burst = 5                                    \
	}

enum fl_yahoo_adj {
	FL_YAHOO_NONE, /* as traded */
	FL_YAHOO_SPLIT,
	FL_YAHOO_ALL, /* dividends, too */
};

struct fl_yahoo_interval {
	int64_t ns;        /* of 1d and below */
	int months;        /* of 1mo and 3mo */
	const char *asked; /* as Yahoo is asked; 15m for 30m */
	unsigned join;     /* that many rows make a bar */
	int64_t span_s;    /* asked for in one request, at most */
	int64_t back_s;    /* how old it may be; 0: any age */
};

/* What the options said, the same for all symbols. */
struct fl_yahoo_plan {
	const struct fl_yahoo_interval *interval;
	char interval_text[12]; /* as records have it */
	bool dated;             /* 1d and longer */
	enum fl_yahoo_adj adj;
	bool all_sessions;
	bool bars, dividends, splits; /* wanted */
	uint64_t last;
	/* Which bars: by start, or by date. FL_TIME_NONE: open. */
	int64_t from_ns, to_ns;
	int64_t from_day, to_day; /* of dated ones and events */
	int64_t from_s, to_s;     /* asked for, all windows together */
	bool ranged;              /* the user said from when */
	bool oldest;              /* from the beginning of the series */
	bool later_splits;        /* those behind to_s are needed as well */
	int64_t now_ns;
};

/* One row of the table, or one bar made of several. */
enum {
	FL_YAHOO_OPEN = 1,
	FL_YAHOO_HIGH = 2,
	FL_YAHOO_LOW = 4,
	FL_YAHOO_CLOSE = 8,
	FL_YAHOO_PRICES = 15,
	FL_YAHOO_ADJCLOSE = 16,
	FL_YAHOO_VOLUME = 32,
	FL_YAHOO_ROUNDED = 64,
};
struct fl_yahoo_row {
	int64_t ts;  /* seconds, as sent */
	int64_t day; /* at the exchange; of dated bars the first one */
	struct fl_decimal price[4], adjclose, volume;
	unsigned has;
	uint32_t number; /* of arrival */
	bool open_ended; /* the interval was not over */
};

enum fl_yahoo_event_kind {
	FL_YAHOO_DIVIDEND,
	FL_YAHOO_GAIN,
	FL_YAHOO_SPLITS,
};
struct fl_yahoo_event {
	enum fl_yahoo_event_kind kind;
	int64_t ts, day;
	struct fl_decimal amount;     /* of a split the numerator */
	struct fl_decimal under;      /* its denominator */
	const struct fl_subunit *sub; /* of the amount's currency; NULL */
	char currency[8];             /* its own; "" */
};

struct fl_yahoo_period {
	int64_t start, end;
};

/* All answers about one symbol. */
struct fl_yahoo_chart {
	struct fl_yahoo_row *rows;
	size_t row_count, row_cap;
	struct fl_yahoo_event *events;
	size_t event_count, event_cap;
	struct fl_yahoo_period *periods; /* regular sessions, as sent */
	size_t period_count, period_cap;
	struct fl_yahoo_period now_regular; /* currentTradingPeriod */
	const struct fl_zone *zone;         /* NULL: offset_s alone */
	int64_t offset_s;
	struct fl_yahoo_period offset_holds; /* of the zone, as last asked */
	int32_t zone_offset;
	char currency[8], exchange[32], symbol[65];
	bool has_adjclose;
	int64_t first_trade; /* seconds; FL_TIME_NONE */
	int64_t answered_ns; /* when, by the server's clock */
	uint64_t bare_words; /* NaN, Infinity: read as null */
};

/* One symbol on its way. */
struct fl_yahoo_job {
	const struct fl_yahoo_plan *plan;
	const char *symbol;
	const struct fl_holes *holes; /* only these; NULL: all */
	size_t hole;                  /* asked for next */
	struct fl_yahoo_chart chart;
	unsigned windows;       /* asked for so far */
	int64_t start_s, end_s; /* the one that is asked for */
	int64_t done_s;         /* up to there all is asked */
	bool started;
	bool older;       /* what lies before from_s was asked for */
	bool splits_only; /* the request is for later splits */
	struct fl_json json;
	struct fl_buf mended;
};

/* plan.c */
extern const struct fl_option fl_yahoo_options[];
const char *fl_yahoo_bases(void);
/* The URL of a site, to be freed: fc, finance, guce or feeds. Where --yahoo-url
 * names a host, it plays them all, below /fc, /finance and so on. */
char *fl_yahoo_site(const char *site, const char *path);
/* --session, of what is no bar; only quotes have any.
 * errors  FL_ERR_USAGE */
int fl_yahoo_all_sessions(bool quotes, bool *all, struct fl_error *err);
/* The name of an option given that is about bars alone; NULL. */
const char *fl_yahoo_bars_option(void);
/* The same of --search and its kind; ask.c. */
const char *fl_yahoo_list_option(void);
/* errors  FL_ERR_USAGE */
int fl_yahoo_plan(const struct fl_ask *ask, struct fl_yahoo_plan *plan,
		  struct fl_error *err);
int fl_yahoo_request(void *job, struct fl_buf *path);
/* Bars before that the provider does not have any more; INT64_MIN: it has all.
 */
int64_t fl_yahoo_oldest(const struct fl_yahoo_plan *plan);

/* chart.c: take an answer. */
int fl_yahoo_parse(void *job, const struct fl_http_answer *answer,
		   struct fl_poll_fault *fault);
void fl_yahoo_chart_release(struct fl_yahoo_chart *chart);

/* rows.c: rows as they were sent become bars, in order of time; events get
 * their days. */
void fl_yahoo_bars(struct fl_yahoo_job *job);
/* The day at the exchange, counted from 1970. */
int64_t fl_yahoo_day(struct fl_yahoo_chart *chart, int64_t ts);

/* print.c */
void fl_yahoo_records(void *job, struct fl_poll_out *out);
/* market.c: ISO 10383, or NULL. */
const char *fl_yahoo_mic(const char *exchange);

#endif
