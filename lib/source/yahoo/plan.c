/* plan: what to ask of Yahoo, by the options and the limits it has.
 *
 * The provider says 30, 60 and 730 days and refuses exactly those: limits are
 * counted in seconds from now, so a day less is used. Days at the exchange and
 * days of UTC differ, so a day more is asked for on both sides of what bears a
 * date, and the rest left out by the date itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/div.h"
#include "base/mem.h"
#include "source/plan.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/stream.h"
#include "source/yahoo/yahoo.h"

#define DAY_S INT64_C(86400)
#define YEARS (99 * INT64_C(365) * DAY_S)
#define BASES                                                                  \
	"https://query2.finance.yahoo.com,https://query1.finance.yahoo.com"

/* What options take; ADJS in the order of enum fl_yahoo_adj. */
#define INTERVALS "1m 2m 5m 15m 30m 1h 90m 1d 1wk 1mo 3mo"
#define ADJS      "none split all"
#define SESSIONS  "regular all"

static struct {
	const char *interval, *adj, *session, *bases;
} option;

const struct fl_option fl_yahoo_options[] = {
	FL_OPT_WORD(0, "interval", "IV", INTERVALS, &option.interval,
		    "of the bars: " INTERVALS "; weeks "
		    "and months are better made of 1d by fl-agg, as Yahoo "
		    "adjusts its own wrongly [1d]"),
	FL_OPT_WORD(
		0, "adj", "none|split|all", ADJS, &option.adj,
		"prices as traded, adjusted for splits, or for dividends as "
		"well [split]"),
	FL_OPT_WORD(
		0, "session", "regular|all", SESSIONS, &option.session,
		"trading hours that count; all: before and after the regular "
		"ones, too; of bars below 1d, and quotes [regular]"),
	FL_OPT_GROUP(fl_yahoo_ask_options),
	FL_OPT_GROUP(fl_yahoo_stream_options),
	FL_OPT_GROUP(fl_options_polled),
	FL_OPT_TEXT(0, "yahoo-url", "URL[,URL]", &option.bases,
		    "ask there instead: a host, and another one for when it is "
		    "busy [https://query2.finance.yahoo.com and query1]"),
	FL_OPT_END,
};

/* In the order of INTERVALS. */
static const struct fl_yahoo_interval intervals[] = {
	{ FL_MINUTE, 0, "1m", 1, 7 * DAY_S, 29 * DAY_S },
	{ 2 * FL_MINUTE, 0, "2m", 1, 59 * DAY_S, 59 * DAY_S },
	{ 5 * FL_MINUTE, 0, "5m", 1, 59 * DAY_S, 59 * DAY_S },
	{ 15 * FL_MINUTE, 0, "15m", 1, 59 * DAY_S, 59 * DAY_S },
	/* Bars of 30m have come back as those of an hour. */
	{ 30 * FL_MINUTE, 0, "15m", 2, 59 * DAY_S, 59 * DAY_S },
	{ FL_HOUR, 0, "1h", 1, 729 * DAY_S, 729 * DAY_S },
	{ 90 * FL_MINUTE, 0, "90m", 1, 59 * DAY_S, 59 * DAY_S },
	{ FL_DAY, 0, "1d", 1, YEARS, 0 },
	{ 7 * FL_DAY, 0, "1wk", 1, YEARS, 0 },
	{ 0, 1, "1mo", 1, YEARS, 0 },
	{ 0, 3, "3mo", 1, YEARS, 0 },
};

const char *fl_yahoo_bases(void)
{
	return option.bases ? option.bases : BASES;
}

char *fl_yahoo_site(const char *site, const char *path)
{
	const char *base = option.bases;
	size_t len = base ? strcspn(base, ",") : 0;

	while (len && base[len - 1] == '/')
		len--;
	if (base)
		return fl_sprintf("%.*s/%s%s", (int)len, base, site, path);
	return fl_sprintf("https://%s%s.yahoo.com%s", site,
			  strcmp(site, "feeds") == 0 ? ".finance" : "",
			  *path ? path : "/");
}

const char *fl_yahoo_bars_option(void)
{
	return option.interval ? "interval" : option.adj ? "adj" : NULL;
}

static int take_interval(struct fl_yahoo_plan *plan, struct fl_error *err)
{
	struct fl_interval wanted;
	int found = fl_plan_interval("yahoo", option.interval, INTERVALS,
				     &wanted, err);

	if (found < 0)
		return -1;
	plan->interval = &intervals[found];
	memcpy(plan->interval_text, wanted.text, sizeof(wanted.text));
	plan->dated = wanted.dated;
	return 0;
}

static int take_types(const struct fl_ask *ask, struct fl_yahoo_plan *plan,
		      struct fl_error *err)
{
	const struct fl_plan_type types[] = {
		{ "bar", &plan->bars },
		{ "dividend", &plan->dividends },
		{ "split", &plan->splits },
		{ NULL, NULL },
	};
	const char *other;

	plan->bars = plan->dividends = plan->splits = !ask->types;
	other = fl_plan_types(ask, types);
	return !other ? 0
		      : fl_error_set(err, FL_ERR_USAGE,
				     "yahoo gives bar, dividend, split; no %s",
				     other);
}

/* returns -1 */
static int refuse_age(const struct fl_ask *ask,
		      const struct fl_yahoo_plan *plan, const char *what,
		      int64_t ns, struct fl_error *err)
{
	char kept[60];

	snprintf(kept, sizeof(kept), "for the last %lld days",
		 (long long)(plan->interval->back_s / DAY_S));
	return fl_plan_too_old("yahoo", fl_plan_symbol(ask),
			       plan->interval_text, kept, what, ns, err);
}

/* Older than the provider keeps it? */
static int check_age(const struct fl_ask *ask, const struct fl_yahoo_plan *plan,
		     struct fl_error *err)
{
	int64_t back = plan->interval->back_s;
	int64_t oldest = ask->now_ns - back * FL_SECOND;

	if (back && !plan->oldest && plan->from_ns < oldest)
		return refuse_age(ask, plan, "from", plan->from_ns, err);
	if (back && ask->to != FL_TIME_NONE && ask->to <= oldest)
		return refuse_age(ask, plan, "up to", ask->to, err);
	return 0;
}

static int take_times(const struct fl_ask *ask, struct fl_yahoo_plan *plan,
		      struct fl_error *err)
{
	int64_t back = plan->interval->back_s;

	plan->now_ns = ask->now_ns;
	plan->from_ns = fl_plan_from(ask, plan->dated);
	plan->to_ns = ask->to;
	plan->ranged = ask->from != FL_TIME_NONE;
	plan->oldest = plan->from_ns == FL_TIME_NONE;
	if (!fl_polled_fills() && check_age(ask, plan, err) < 0)
		return -1;
	plan->from_day = fl_plan_day(ask, plan->from_ns);
	plan->to_day = fl_plan_day(ask, plan->to_ns);
	if (!plan->oldest && plan->dated)
		plan->from_s = (plan->from_day - 1) * DAY_S;
	else if (!plan->oldest)
		plan->from_s = fl_div_ceil(plan->from_ns, FL_SECOND);
	plan->to_s = plan->dated
			     ? (fl_div_floor(ask->now_ns, FL_DAY) + 2) * DAY_S
			     : ask->now_ns / FL_SECOND + 1;
	if (ask->to != FL_TIME_NONE) {
		int64_t to_s = plan->dated
				       ? (plan->to_day + 1) * DAY_S
				       : fl_div_ceil(plan->to_ns, FL_SECOND);

		plan->later_splits =
			plan->adj == FL_YAHOO_NONE && to_s < plan->to_s;
		if (to_s < plan->to_s)
			plan->to_s = to_s;
	}
	if (plan->oldest && back)
		plan->from_s = ask->now_ns / FL_SECOND - back;
	else if (plan->oldest)
		plan->from_s = plan->to_s - YEARS;
	if (plan->from_s >= plan->to_s && !fl_polled_fills())
		return fl_error_set(err, FL_ERR_USAGE,
				    "--from lies in the future");
	return 0;
}

static int take_session(bool *all, struct fl_error *err)
{
	int session = 0;

	if (fl_plan_word("session", option.session, SESSIONS, &session, err) <
	    0)
		return -1;
	*all = session;
	return 0;
}

int fl_yahoo_all_sessions(bool quotes, bool *all, struct fl_error *err)
{
	if (take_session(all, err) < 0)
		return -1;
	if (option.session && !quotes)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--session is for bars and quotes");
	return 0;
}

int fl_yahoo_plan(const struct fl_ask *ask, struct fl_yahoo_plan *plan,
		  struct fl_error *err)
{
	int adj = FL_YAHOO_SPLIT;

	*plan = (struct fl_yahoo_plan){ .last = ask->last };
	if (take_interval(plan, err) < 0 ||
	    fl_plan_word("adj", option.adj, ADJS, &adj, err) < 0 ||
	    take_session(&plan->all_sessions, err) < 0 ||
	    take_types(ask, plan, err) < 0)
		return -1;
	plan->adj = (enum fl_yahoo_adj)adj;
	if (!plan->dated && plan->adj == FL_YAHOO_ALL)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--adj all is for 1d and longer: yahoo "
				    "gives no prices adjusted for dividends "
				    "below a day");
	if (plan->dated && plan->all_sessions)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--session all is for intervals below 1d: "
				    "yahoo's longer bars are of the regular "
				    "session");
	return take_times(ask, plan, err);
}

/* --- requests --- */

/* A window from job->done_s up to an end, no longer than one request may ask.
 */
static bool cut_window(struct fl_yahoo_job *job, int64_t end_s)
{
	job->start_s = job->done_s;
	job->end_s = job->start_s + job->plan->interval->span_s;
	if (job->end_s > end_s)
		job->end_s = end_s;
	job->done_s = job->end_s;
	return true;
}

/* Bars before that are gone; INT64_MIN: all are kept. */
int64_t fl_yahoo_oldest(const struct fl_yahoo_plan *plan)
{
	int64_t back = plan->interval->back_s;

	return back ? plan->now_ns - back * FL_SECOND : INT64_MIN;
}

/* --fill: windows around the holes alone. */
static bool next_hole(struct fl_yahoo_job *job)
{
	const struct fl_yahoo_plan *plan = job->plan;

	for (; job->hole < job->holes->count;
	     job->hole++, job->started = false) {
		const struct fl_hole *hole = &job->holes->items[job->hole];
		int64_t from = plan->dated
				       ? (hole->from_day - 1) * DAY_S
				       : fl_div_floor(hole->from_ns, FL_SECOND);
		int64_t to = plan->dated ? (hole->to_day + 1) * DAY_S
					 : fl_div_ceil(hole->to_ns, FL_SECOND);

		int64_t oldest = fl_yahoo_oldest(plan);

		if (hole->to_ns <= oldest)
			continue;
		if (hole->from_ns < oldest)
			from = fl_div_ceil(oldest, FL_SECOND);
		if (!job->started) {
			job->started = true;
			job->done_s = from;
		}
		if (job->done_s < to)
			return cut_window(job, to);
	}
	return false;
}

/* The next window; false when all is asked. */
static bool next_window(struct fl_yahoo_job *job)
{
	const struct fl_yahoo_plan *plan = job->plan;
	int64_t first = job->chart.first_trade;

	if (job->holes)
		return next_hole(job);

	if (!job->started) {
		job->started = true;
		job->done_s = plan->from_s;
	}
	if (job->done_s < plan->to_s)
		return cut_window(job, plan->to_s);
	/* Older than a century: the answer told how old. */
	if (plan->oldest && plan->dated && !job->older &&
	    first != FL_TIME_NONE && first < plan->from_s &&
	    first > plan->from_s - YEARS) {
		job->older = true;
		job->start_s = first - DAY_S;
		job->end_s = plan->from_s;
		return true;
	}
	return false;
}

/* Prices as traded need the splits up to now. */
static bool next_splits(struct fl_yahoo_job *job)
{
	const struct fl_holes *holes = job->holes;

	if (holes && (job->plan->adj != FL_YAHOO_NONE || !holes->count))
		return false;
	if (!holes && !job->plan->later_splits)
		return false;
	/* A hole that reaches up to now has shown them. */
	if (holes && holes->count == 1 &&
	    holes->items[0].to_ns > job->plan->now_ns)
		return false;
	job->splits_only = true;
	job->start_s = holes ? fl_div_floor(holes->items[0].from_ns, FL_SECOND)
			     : job->plan->to_s;
	job->end_s = (fl_div_floor(job->plan->now_ns, FL_DAY) + 2) * DAY_S;
	return true;
}

int fl_yahoo_request(void *state, struct fl_buf *path)
{
	struct fl_yahoo_job *job = state;
	const struct fl_yahoo_plan *plan = job->plan;

	if (job->splits_only || (!next_window(job) && !next_splits(job)))
		return 0;
	job->windows++;
	fl_buf_puts(path, "/v8/finance/chart/");
	fl_url_escape(job->symbol, path);
	fl_buf_printf(path,
		      "?period1=%lld&period2=%lld&interval=%s"
		      "&includePrePost=%s&events=div%%2Csplits%%2CcapitalGains",
		      (long long)job->start_s, (long long)job->end_s,
		      job->splits_only ? "1d" : plan->interval->asked,
		      plan->all_sessions ? "true" : "false");
	return 1;
}
