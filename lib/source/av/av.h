/* av: what the files of this folder share.
 *
 * A symbol's way: plan.c says what is wanted, request.c asks for it step by
 * step, answer.c tells answers from errors, which come with status 200 as well;
 * series.c reads rows that bars.c makes records of, the others make records at
 * once.
 *
 * source  sources.md, section 2: functions, shapes and errors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_AV_AV_H
#define FL_SOURCE_AV_AV_H

#include "base/decimal.h"
#include "base/zone.h"
#include "io/csv.h"
#include "io/json.h"
#include "rec/subunit.h"
#include "source/polled.h"

#define FL_AV "alphavantage"

enum fl_av_market {
	FL_AV_EQUITY,
	FL_AV_FX,
	FL_AV_CRYPTO,
};

/* A symbol as the provider has it. */
struct fl_av_symbol {
	enum fl_av_market market;
	char code[72];   /* TSCO.LON; of a pair the first: EUR, BTC */
	char against[4]; /* of a pair the second: USD */
	const char *mic; /* NULL: not known */
	bool home;       /* listed in the United States */
};

/* One function to ask. */
enum fl_av_step {
	FL_AV_BARS,
	FL_AV_QUOTE,
	FL_AV_NEWS,
	FL_AV_OVERVIEW,
	FL_AV_DIVIDENDS,
	FL_AV_SPLITS,
	FL_AV_EARNINGS,
	FL_AV_IPOS,
	FL_AV_SEARCH,
	FL_AV_LISTING,
	FL_AV_MARKETS,
};

enum fl_av_adj {
	FL_AV_NONE, /* as traded */
	FL_AV_SPLIT,
	FL_AV_ALL,
};

/* What the provider has let us know, for all symbols of the run. */
struct fl_av_learnt {
	bool no_adjusted; /* the adjusted daily series is for paying ones */
	bool no_full;     /* so is the whole of the daily one */
};

/* What the options said, the same for all symbols. */
struct fl_av_plan {
	/* Wanted. */
	bool bars, quotes, news, instruments, dividends, splits, calendar;
	bool along; /* dividends and splits only where they stand beside bars */
	struct fl_interval interval;
	const char *minutes; /* as the provider says it: 5min; NULL: dated */
	enum fl_av_adj adj;
	bool all_sessions, csv;
	uint64_t last;
	int64_t from_ns, to_ns, from_day, to_day; /* FL_TIME_NONE: open */
	bool ranged;                              /* not from the beginning */
	bool said_from;                           /* by the user */
	int64_t now_ns;
	const char *key; /* NULL: there is none */
	const char *entitlement, *topics, *currency, *search;
	bool delisted;
	const char *listing_date;
	/* Instead of symbols, what is asked for by each. */
	const char *subjects[4];
	enum fl_av_step subject_steps[3];
	struct fl_av_learnt *learnt;
};

/* One row of a series. */
enum {
	FL_AV_OPEN,
	FL_AV_HIGH,
	FL_AV_LOW,
	FL_AV_CLOSE,
	FL_AV_VOLUME,
	FL_AV_ADJCLOSE,
	FL_AV_DIVIDEND,
	FL_AV_RATIO, /* of a split */
	FL_AV_COLUMNS,
	FL_AV_PRICES = 15, /* bits of the first four */
};
struct fl_av_row {
	int64_t at; /* ns; of dated ones the day */
	struct fl_decimal value[FL_AV_DIVIDEND];
	unsigned has;    /* bits by column */
	uint32_t number; /* of arrival */
	bool rounded;
};

/* A dividend or a split. */
struct fl_av_event {
	int64_t day;
	struct fl_decimal over;  /* the amount, or the numerator */
	struct fl_decimal under; /* the denominator; {0, 0}: a dividend */
	bool beside;             /* a bar, so as traded */
	char dates[3][11];       /* declared, of record, paid; "" */
};

/* A record that is made, or refused. */
struct fl_av_item {
	size_t at, len;
	int64_t ts_ns;
	bool rounded;
	enum fl_reason reason;
	struct fl_note *note;
};

/* One symbol, or subject, on its way. */
struct fl_av_job {
	const struct fl_av_plan *plan;
	const char *subject;          /* as it was asked for */
	const struct fl_holes *holes; /* only these; NULL: all */
	char name[80];                /* Yahoo's form */
	struct fl_av_symbol symbol;
	/* The plan's, or those of the holes. */
	int64_t from_ns, to_ns, from_day;
	bool ranged;
	enum fl_av_step steps[8];
	unsigned step_count, step_at; /* step_at: the one asked for next */
	enum fl_av_step asked;
	bool month_is_last, month_known; /* of intraday series by months */
	int month, month_end;            /* from year 0; month_end excluded */
	bool monthly;
	bool adjusted, full, began; /* which series is asked for */
	bool nothing_there;         /* it is older than what the provider has */
	/* Answers. */
	struct fl_json json;
	int64_t answered_ns;
	const struct fl_zone *zone; /* of the series */
	struct fl_av_row *rows;
	size_t row_count, row_cap;
	struct fl_av_event *events;
	size_t event_count, event_cap;
	struct fl_buf text;
	size_t item_start;
	struct fl_av_item *items;
	size_t item_count, item_cap;
	/* News, by pages. */
	struct fl_map *seen; /* ids; NULL: none yet */
	int64_t news_to;     /* FL_TIME_NONE: the plan's */
};

/* plan.c */
extern const struct fl_option fl_av_options[];
const char *fl_av_base(void);
const char *fl_av_key(void); /* NULL: there is none */
/* errors  FL_ERR_USAGE; FL_ERR_IO the key's file */
int fl_av_plan(const struct fl_ask *ask, struct fl_av_plan *plan,
	       struct fl_error *err);
#define FL_AV_BACK_DAYS 30 /* of pairs below a day */
#define FL_AV_COMPACT   100

/* symbol.c: between Yahoo's form, which records have, and the provider's. */
void fl_av_symbol(const char *name, struct fl_av_symbol *symbol);
/* size 80 is enough; upper case */
void fl_av_yahoo(const char *code, size_t len, char *name, size_t size);

/* request.c */
void fl_av_begin(struct fl_av_job *job);
int fl_av_request(void *job, struct fl_buf *path);
/* The function asked for is for paying customers: is there another one?
 * returns 0; -1 there is none, with more about it in fault->text */
int fl_av_fall_back(struct fl_av_job *job, struct fl_poll_fault *fault);
void fl_av_add_step(struct fl_av_job *job, enum fl_av_step step);

/* answer.c */
int fl_av_parse(void *job, const struct fl_http_answer *answer,
		struct fl_poll_fault *fault);
/* An answer that is not what was asked for. returns -1 */
int fl_av_malformed(struct fl_poll_fault *fault,
		    const struct fl_http_answer *answer, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));
int fl_av_unknown(struct fl_poll_fault *fault,
		  const struct fl_http_answer *answer);

/* value.c: values as they come, mostly numbers in strings. */
struct fl_av_value {
	const char *text; /* NULL: absent, or one of the words for it */
	size_t len;
};
struct fl_av_value fl_av_value(const char *text, size_t len);
/* A member of an object: numbers before keys, case and _ are passed over. */
uint32_t fl_av_find(const struct fl_json *json, uint32_t object,
		    const char *name);
struct fl_av_value fl_av_member(const struct fl_json *json, uint32_t object,
				const char *name);
bool fl_av_is(const char *key, size_t len, const char *name);
bool fl_av_number(struct fl_av_value value, struct fl_decimal *out,
		  bool *rounded);
bool fl_av_day(struct fl_av_value value, int64_t *day);
/* 2026-01-02 16:00[:00] in the zone. */
bool fl_av_time(struct fl_av_value value, const struct fl_zone *zone,
		int64_t *ns);
/* "US/Eastern", "UTC", "GMT+8" as a zone; NULL: not known. */
const struct fl_zone *fl_av_zone(struct fl_av_value value);
/* The same by name. -1: it cannot be read, with a fatal fault */
int fl_av_take_zone(const char *name, const struct fl_zone **zone,
		    struct fl_poll_fault *fault);
void fl_av_put_decimal(struct fl_buf *out, const char *key,
		       struct fl_decimal value);
/* Only what is there. returns false: it is there, but no number */
bool fl_av_put_number(struct fl_buf *out, const char *key,
		      struct fl_av_value value, bool *rounded);
/* The same, an amount in a subunit scaled to the main one; NULL: it is in that.
 */
bool fl_av_put_scaled(struct fl_buf *out, const char *key,
		      struct fl_av_value value, const struct fl_subunit *sub,
		      bool *rounded);
void fl_av_put_text(struct fl_buf *out, const char *key,
		    struct fl_av_value value);
void fl_av_put_label(struct fl_buf *out, const char *key,
		     struct fl_av_value value);
/* The currency's fields. Returns the subunit, or NULL. */
const struct fl_subunit *fl_av_put_currency(struct fl_buf *out,
					    struct fl_av_value value);
void fl_av_put_source(struct fl_buf *out, const char *code, size_t len,
		      const char *name);

/* item.c: records that are made at once. */
/* {"type":…,"ts":…,["date":…,]"provider":"alphavantage" */
struct fl_buf *fl_av_item_begin(struct fl_av_job *job, const char *type,
				int64_t ts_ns, bool dated);
void fl_av_item_end(struct fl_av_job *job, int64_t ts_ns, bool rounded);
/* Instead of it: what came is refused. */
void fl_av_item_refuse(struct fl_av_job *job, enum fl_reason reason,
		       const char *raw, size_t len, const char *field,
		       const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* table.c: an answer in CSV. */
struct fl_av_table {
	struct fl_csv *csv;
	const char *at;
	size_t left;
	struct fl_csv_row row;
	size_t column[12]; /* of the names; SIZE_MAX: there is none */
	size_t columns;
};
/* names  NULL-ended, at most 12; the first must be there
 * returns 0; -1 with the fault */
int fl_av_table_open(struct fl_av_table *table, const char *const *names,
		     const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault);
/* returns 1, 0; -1 the rows are the letters of a message, as they have been:
 * nothing of them is data */
int fl_av_table_next(struct fl_av_table *table,
		     const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault);
struct fl_av_value fl_av_cell(const struct fl_av_table *table, size_t name);
void fl_av_table_close(struct fl_av_table *table);

/* Answers, each by its step; `csv`: the answer is no JSON. */
typedef int fl_av_take(struct fl_av_job *job,
		       const struct fl_http_answer *answer, bool csv,
		       struct fl_poll_fault *fault);
fl_av_take fl_av_take_series;    /* series.c */
fl_av_take fl_av_take_quote;     /* quote.c */
fl_av_take fl_av_take_news;      /* news.c */
fl_av_take fl_av_take_dividends; /* event.c */
fl_av_take fl_av_take_splits;
fl_av_take fl_av_take_calendar; /* calendar.c */
fl_av_take fl_av_take_markets;  /* market.c */
fl_av_take fl_av_take_overview; /* instrument.c */
fl_av_take fl_av_take_search;
fl_av_take fl_av_take_listing;

/* event.c */
void fl_av_add_dividend(struct fl_av_job *job, const struct fl_av_event *event);
/* ratio  as written, "4.0000" or "0.3333". false: it is none */
bool fl_av_add_split(struct fl_av_job *job, int64_t day,
		     struct fl_av_value ratio);
/* news.c: the next page is to be asked for? */
bool fl_av_news_more(struct fl_av_job *job);

/* bars.c */
void fl_av_records(void *job, struct fl_poll_out *out);

#endif
