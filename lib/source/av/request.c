/* request: which functions are asked, and with what.
 *
 * What is free and what is for paying customers has changed over the years, so
 * nothing is assumed: what is wanted is asked for, and where the answer says
 * that it is to be paid for, the next best is asked for instead.
 *
 * source  sources.md, 2.2 and 2.3
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "source/av/av.h"

enum {
	/* A hundred trading days are more than so many days. */
	COMPACT_DAYS = 139,
	RECENT_DAYS = 29, /* of intraday bars, without a month named */
	NEWS_MOST = 1000,
};

void fl_av_add_step(struct fl_av_job *job, enum fl_av_step step)
{
	for (unsigned i = 0; i < job->step_count; i++)
		if (job->steps[i] == step)
			return;
	job->steps[job->step_count++] = step;
}

/* Is the series with adjusted prices and events wanted? */
static bool wants_adjusted(const struct fl_av_job *job)
{
	const struct fl_av_plan *plan = job->plan;

	if (job->symbol.market != FL_AV_EQUITY || plan->minutes)
		return false;
	if (plan->adj == FL_AV_ALL)
		return true;
	if (plan->interval.ns != FL_DAY || plan->learnt->no_adjusted)
		return false;
	return plan->adj == FL_AV_SPLIT || plan->dividends || plan->splits;
}

/* What the plain series lacks. */
static void add_events(struct fl_av_job *job)
{
	const struct fl_av_plan *plan = job->plan;

	if (job->symbol.market != FL_AV_EQUITY)
		return;
	if (plan->dividends && !plan->along)
		fl_av_add_step(job, FL_AV_DIVIDENDS);
	if ((plan->splits && !plan->along) || plan->adj == FL_AV_SPLIT)
		fl_av_add_step(job, FL_AV_SPLITS);
}

static int month_of(int64_t ns)
{
	struct fl_civil civil;

	fl_civil_from_time(ns, &civil);
	return civil.year * 12 + civil.month - 1;
}

/* By months, or the newest at once? */
static void begin_minutes(struct fl_av_job *job)
{
	const struct fl_av_plan *plan = job->plan;
	int64_t to = job->to_ns != FL_TIME_NONE && job->to_ns < plan->now_ns
			     ? job->to_ns
			     : plan->now_ns;

	job->full = true;
	if (job->symbol.market != FL_AV_EQUITY) {
		job->nothing_there =
			job->from_ns != FL_TIME_NONE &&
			job->from_ns < plan->now_ns - FL_AV_BACK_DAYS * FL_DAY;
		return;
	}
	if (job->from_ns >= plan->now_ns - RECENT_DAYS * FL_DAY)
		return;
	job->monthly = true;
	/* The months are New York's, which is five hours behind, or four. */
	job->month = job->from_ns == FL_TIME_NONE
			     ? 2000 * 12
			     : month_of(job->from_ns - 5 * FL_HOUR);
	if (job->month < 2000 * 12)
		job->month = 2000 * 12;
	job->month_end = month_of(to - 4 * FL_HOUR - 1) + 1;
}

static void begin_bars(struct fl_av_job *job)
{
	const struct fl_av_plan *plan = job->plan;

	fl_av_add_step(job, FL_AV_BARS);
	job->adjusted = wants_adjusted(job);
	if (plan->minutes)
		begin_minutes(job);
	else if (plan->interval.ns == FL_DAY)
		job->full = (job->from_day == FL_TIME_NONE ||
			     job->from_day <
				     plan->now_ns / FL_DAY - COMPACT_DAYS) &&
			    !(plan->learnt->no_full && !job->ranged);
	if (!job->adjusted)
		add_events(job);
	else if (plan->interval.ns != FL_DAY)
		add_events(job); /* which day it was is not told beside weeks */
}

/* From when to when: the holes, where these alone are wanted. */
static void take_span(struct fl_av_job *job)
{
	const struct fl_av_plan *plan = job->plan;
	const struct fl_holes *holes = job->holes;

	job->from_ns = plan->from_ns;
	job->from_day = plan->from_day;
	job->to_ns = plan->to_ns;
	job->ranged = plan->ranged;
	if (!holes || !holes->count)
		return;
	job->from_ns = holes->items[0].from_ns;
	job->from_day = holes->items[0].from_day;
	job->to_ns = holes->items[holes->count - 1].to_ns;
	job->ranged = true;
}

void fl_av_begin(struct fl_av_job *job)
{
	const struct fl_av_plan *plan = job->plan;

	job->answered_ns = plan->now_ns;
	job->news_to = FL_TIME_NONE;
	take_span(job);
	if (plan->subjects[0]) {
		for (unsigned i = 0; plan->subjects[i]; i++)
			if (strcmp(plan->subjects[i], job->subject) == 0)
				fl_av_add_step(job, plan->subject_steps[i]);
		return;
	}
	fl_av_yahoo(job->subject, strlen(job->subject), job->name,
		    sizeof(job->name));
	fl_av_symbol(job->name, &job->symbol);
	if (job->holes && !job->holes->count)
		return;
	if (plan->bars)
		begin_bars(job);
	else
		add_events(job);
	if (plan->quotes)
		fl_av_add_step(job, FL_AV_QUOTE);
	if (plan->news)
		fl_av_add_step(job, FL_AV_NEWS);
	if (plan->instruments && job->symbol.market == FL_AV_EQUITY)
		fl_av_add_step(job, FL_AV_OVERVIEW);
	if (plan->calendar && job->symbol.market == FL_AV_EQUITY)
		fl_av_add_step(job, FL_AV_EARNINGS);
}

int fl_av_fall_back(struct fl_av_job *job, struct fl_poll_fault *fault)
{
	const struct fl_av_plan *plan = job->plan;
	size_t len = strlen(fault->text);

	if (job->asked != FL_AV_BARS || plan->interval.ns != FL_DAY)
		return -1;
	if (job->adjusted && plan->adj != FL_AV_ALL) {
		plan->learnt->no_adjusted = true;
		job->adjusted = false;
		add_events(job);
		job->step_at--;
		return 0;
	}
	if (job->adjusted) {
		snprintf(fault->text + len, sizeof(fault->text) - len,
			 "; --adj none is free");
		return -1;
	}
	if (!job->full)
		return -1;
	plan->learnt->no_full = true;
	if (!job->ranged) { /* all there is: for us, that is less */
		job->full = false;
		job->step_at--;
		return 0;
	}
	snprintf(fault->text + len, sizeof(fault->text) - len,
		 "; free are the newest %d: --range %dd", FL_AV_COMPACT,
		 COMPACT_DAYS);
	return -1;
}

/* --- paths --- */

static void put(struct fl_buf *path, const char *name, const char *value)
{
	fl_buf_printf(path, "&%s=", name);
	fl_url_escape(value, path);
}

static void put_pair(struct fl_av_job *job, struct fl_buf *path,
		     const char *first, const char *second)
{
	put(path, first, job->symbol.code);
	put(path, second, job->symbol.against);
}

static const char *span_of(const struct fl_av_plan *plan)
{
	return plan->minutes                     ? "INTRADAY"
	       : plan->interval.ns == FL_DAY     ? "DAILY"
	       : plan->interval.ns == 7 * FL_DAY ? "WEEKLY"
						 : "MONTHLY";
}

static void put_bars(struct fl_av_job *job, struct fl_buf *path)
{
	const struct fl_av_plan *plan = job->plan;
	enum fl_av_market market = job->symbol.market;
	const char *span = span_of(plan);
	bool sized = plan->minutes || plan->interval.ns == FL_DAY;

	if (market == FL_AV_FX) {
		fl_buf_printf(path, "FX_%s", span);
		put_pair(job, path, "from_symbol", "to_symbol");
	} else if (market == FL_AV_CRYPTO) {
		fl_buf_printf(path, "%s_%s",
			      plan->minutes ? "CRYPTO" : "DIGITAL_CURRENCY",
			      span);
		put_pair(job, path, "symbol", "market");
		sized = plan->minutes;
	} else {
		fl_buf_printf(path, "TIME_SERIES_%s%s", span,
			      job->adjusted ? "_ADJUSTED" : "");
		put(path, "symbol", job->symbol.code);
	}
	if (plan->minutes)
		put(path, "interval", plan->minutes);
	if (plan->minutes && market == FL_AV_EQUITY) {
		put(path, "adjusted",
		    plan->adj == FL_AV_NONE ? "false" : "true");
		put(path, "extended_hours",
		    plan->all_sessions ? "true" : "false");
	}
	if (job->monthly) {
		fl_buf_printf(path, "&month=%04d-%02d", job->month / 12,
			      job->month % 12 + 1);
		job->month++;
		job->month_is_last = job->month >= job->month_end;
	}
	if (sized)
		put(path, "outputsize", job->full ? "full" : "compact");
	if (plan->csv)
		put(path, "datatype", "csv");
	if (plan->entitlement && market == FL_AV_EQUITY)
		put(path, "entitlement", plan->entitlement);
}

static void put_news_time(struct fl_buf *path, const char *name, int64_t ns)
{
	struct fl_civil civil;

	fl_civil_from_time(ns, &civil);
	fl_buf_printf(path, "&%s=%04d%02d%02dT%02d%02d", name, civil.year,
		      civil.month, civil.day, civil.hour, civil.minute);
}

static void put_news(struct fl_av_job *job, struct fl_buf *path)
{
	const struct fl_av_plan *plan = job->plan;
	const struct fl_av_symbol *symbol = &job->symbol;
	char tickers[160] = "";
	uint64_t limit = plan->last;

	fl_buf_puts(path, "NEWS_SENTIMENT");
	if (symbol->market == FL_AV_FX)
		snprintf(tickers, sizeof(tickers), "FOREX:%s,FOREX:%s",
			 symbol->code, symbol->against);
	else if (*symbol->code)
		snprintf(tickers, sizeof(tickers), "%s%s",
			 symbol->market == FL_AV_CRYPTO ? "CRYPTO:" : "",
			 symbol->code);
	if (*tickers)
		put(path, "tickers", tickers);
	if (plan->topics)
		put(path, "topics", plan->topics);
	if (plan->ranged)
		put_news_time(path, "time_from", plan->from_ns);
	if (job->news_to != FL_TIME_NONE)
		put_news_time(path, "time_to", job->news_to);
	else if (plan->to_ns != FL_TIME_NONE)
		/* A minute more: seconds are not said, and left out later. */
		put_news_time(path, "time_to", plan->to_ns + FL_MINUTE);
	if (!limit)
		limit = plan->ranged ? NEWS_MOST : 50;
	fl_buf_printf(
		path, "&sort=LATEST&limit=%llu",
		(unsigned long long)(limit < NEWS_MOST ? limit : NEWS_MOST));
}

/* Three, six or twelve months: what --to takes. */
static const char *horizon(const struct fl_av_plan *plan)
{
	int64_t days;

	if (plan->to_day == FL_TIME_NONE)
		return "3month";
	days = plan->to_day - plan->now_ns / FL_DAY;
	return days <= 89 ? "3month" : days <= 180 ? "6month" : "12month";
}

static void put_step(struct fl_av_job *job, struct fl_buf *path)
{
	const struct fl_av_plan *plan = job->plan;

	switch (job->asked) {
	case FL_AV_BARS:
		put_bars(job, path);
		break;
	case FL_AV_QUOTE:
		if (job->symbol.market == FL_AV_EQUITY) {
			fl_buf_puts(path, "GLOBAL_QUOTE");
			put(path, "symbol", job->symbol.code);
			if (plan->entitlement)
				put(path, "entitlement", plan->entitlement);
		} else {
			fl_buf_puts(path, "CURRENCY_EXCHANGE_RATE");
			put_pair(job, path, "from_currency", "to_currency");
		}
		break;
	case FL_AV_NEWS:
		put_news(job, path);
		break;
	case FL_AV_OVERVIEW:
		fl_buf_puts(path, "OVERVIEW");
		put(path, "symbol", job->symbol.code);
		break;
	case FL_AV_DIVIDENDS:
		fl_buf_puts(path, "DIVIDENDS");
		put(path, "symbol", job->symbol.code);
		break;
	case FL_AV_SPLITS:
		fl_buf_puts(path, "SPLITS");
		put(path, "symbol", job->symbol.code);
		break;
	case FL_AV_EARNINGS:
		fl_buf_puts(path, "EARNINGS_CALENDAR");
		if (*job->symbol.code)
			put(path, "symbol", job->symbol.code);
		put(path, "horizon", horizon(plan));
		break;
	case FL_AV_IPOS:
		fl_buf_puts(path, "IPO_CALENDAR");
		break;
	case FL_AV_SEARCH:
		fl_buf_puts(path, "SYMBOL_SEARCH");
		put(path, "keywords", plan->search);
		break;
	case FL_AV_LISTING:
		fl_buf_puts(path, "LISTING_STATUS");
		put(path, "state", plan->delisted ? "delisted" : "active");
		if (plan->listing_date)
			put(path, "date", plan->listing_date);
		break;
	case FL_AV_MARKETS:
		fl_buf_puts(path, "MARKET_STATUS");
		break;
	}
}

/* Bars by months and news by pages take more than one request. */
static bool next_step(struct fl_av_job *job)
{
	if (job->began && job->asked == FL_AV_BARS && job->monthly &&
	    !job->month_is_last)
		return true;
	if (job->began && job->asked == FL_AV_NEWS && fl_av_news_more(job))
		return true;
	if (job->step_at >= job->step_count)
		return false;
	job->asked = job->steps[job->step_at++];
	job->began = true;
	if (job->asked == FL_AV_BARS && job->nothing_there)
		return next_step(job);
	return true;
}

int fl_av_request(void *state, struct fl_buf *path)
{
	struct fl_av_job *job = state;

	if (!next_step(job))
		return 0;
	fl_buf_puts(path, "/query?function=");
	put_step(job, path);
	put(path, "apikey", job->plan->key ? job->plan->key : "");
	return 1;
}
