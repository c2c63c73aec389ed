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

#include "base/mem.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/stream.h"
#include "source/yahoo/yahoo.h"

#define DAY_S INT64_C(86400)
#define YEARS (99 * INT64_C(365) * DAY_S)
#define BASES                                                                  \
	"https://query2.finance.yahoo.com,https://query1.finance.yahoo.com"

static struct {
	const char *interval, *adj, *session, *bases;
} option;

const struct fl_option fl_yahoo_options[] = {
	{ .kind = FL_OPTION_TEXT,
	  .name = "interval",
	  .arg = "IV",
	  .target = &option.interval,
	  .words = "1m 2m 5m 15m 30m 1h 90m 1d 1wk 1mo 3mo",
	  .help = "of the bars: 1m 2m 5m 15m 30m 1h 90m 1d 1wk 1mo 3mo; weeks "
		  "and months are better made of 1d by fl-agg, as Yahoo "
		  "adjusts its own wrongly [1d]" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "adj",
	  .arg = "none|split|all",
	  .target = &option.adj,
	  .words = "none split all",
	  .help = "prices as traded, adjusted for splits, or for dividends as "
		  "well [split]" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "session",
	  .arg = "regular|all",
	  .target = &option.session,
	  .words = "regular all",
	  .help = "trading hours that count; all: before and after the regular "
		  "ones, too; of bars below 1d, and quotes [regular]" },
	FL_OPT_GROUP(fl_yahoo_ask_options),
	FL_OPT_GROUP(fl_yahoo_stream_options),
	FL_OPT_GROUP(fl_options_polled),
	FL_OPT_TEXT(0, "yahoo-url", "URL[,URL]", &option.bases,
		    "ask there instead: a host, and another one for when it is "
		    "busy [https://query2.finance.yahoo.com and query1]"),
	FL_OPT_END,
};

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

/* One of two or three words, the first at 0. */
static int take_word(const char *name, const char *value,
		     const char *const *words, int *index, struct fl_error *err)
{
	char list[60] = "";

	for (int i = 0; value && words[i]; i++) {
		if (strcmp(value, words[i]) == 0) {
			*index = i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s%s", i ? (words[i + 1] ? ", " : " or ") : "",
			 words[i]);
	}
	return !value ? 0
		      : fl_error_set(err, FL_ERR_USAGE,
				     "--%s takes %s, not '%s'", name, list,
				     fl_show(value, strlen(value), 60));
}

static int take_interval(struct fl_yahoo_plan *plan, struct fl_error *err)
{
	struct fl_interval wanted;

	if (fl_interval_parse(option.interval ? option.interval : "1d", &wanted,
			      err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(*intervals); i++) {
		if (intervals[i].ns != wanted.ns ||
		    intervals[i].months != wanted.months)
			continue;
		plan->interval = &intervals[i];
		memcpy(plan->interval_text, wanted.text, sizeof(wanted.text));
		plan->dated = wanted.dated;
		return 0;
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "yahoo gives bars of 1m 2m 5m 15m 30m 1h 90m 1d "
			    "1wk 1mo 3mo, not %s; fl-agg makes others of them",
			    wanted.text);
}

static int take_types(const struct fl_ask *ask, struct fl_yahoo_plan *plan,
		      struct fl_error *err)
{
	plan->bars = plan->dividends = plan->splits = !ask->types;
	for (const char *const *type = ask->types; type && *type; type++) {
		if (strcmp(*type, "bar") == 0)
			plan->bars = true;
		else if (strcmp(*type, "dividend") == 0)
			plan->dividends = true;
		else if (strcmp(*type, "split") == 0)
			plan->splits = true;
		else
			return fl_error_set(err, FL_ERR_USAGE,
					    "yahoo gives bar, dividend, split; "
					    "no %s",
					    *type);
	}
	return 0;
}

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int64_t ceil_div(int64_t value, int64_t by)
{
	return value / by + (value % by > 0);
}

/* returns -1 */
static int refuse_age(const struct fl_ask *ask,
		      const struct fl_yahoo_plan *plan, const char *what,
		      int64_t ns, struct fl_error *err)
{
	const char *symbol = ask->operands && *ask->operands ? *ask->operands
			     : ask->symbols                  ? *ask->symbols
							     : NULL;
	char asked[FL_TIME_TEXT];

	fl_time_print(ns, asked);
	return fl_error_set(err, FL_ERR_USAGE,
			    "%s%s%syahoo gives %s bars for the last %lld days "
			    "only; asked %s %.10s",
			    symbol ? "'" : "",
			    symbol ? fl_show(symbol, strlen(symbol), 64) : "",
			    symbol ? "': " : "", plan->interval_text,
			    (long long)(plan->interval->back_s / DAY_S), what,
			    asked);
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
	const struct fl_zone *zone = ask->io->zone;
	const struct fl_span usual = { plan->dated ? 0 : 5 * FL_DAY,
				       plan->dated ? 1 : 0 };
	int64_t back = plan->interval->back_s;

	plan->now_ns = ask->now_ns;
	plan->from_ns = ask->from;
	plan->to_ns = ask->to;
	plan->ranged = ask->from != FL_TIME_NONE;
	if (ask->from == FL_TIME_NONE && ask->to == FL_TIME_NONE && !ask->all)
		plan->from_ns = fl_time_minus_span(ask->now_ns, &usual);
	else if (ask->from == FL_TIME_NONE)
		plan->oldest = true;
	if (!fl_polled_fills() && check_age(ask, plan, err) < 0)
		return -1;
	plan->from_day = plan->to_day = FL_TIME_NONE;
	if (!plan->oldest)
		plan->from_day =
			ceil_div(fl_zone_wall(zone, plan->from_ns), FL_DAY);
	if (ask->to != FL_TIME_NONE)
		plan->to_day =
			ceil_div(fl_zone_wall(zone, plan->to_ns), FL_DAY);
	if (!plan->oldest && plan->dated)
		plan->from_s = (plan->from_day - 1) * DAY_S;
	else if (!plan->oldest)
		plan->from_s = ceil_div(plan->from_ns, FL_SECOND);
	plan->to_s = plan->dated ? (floor_div(ask->now_ns, FL_DAY) + 2) * DAY_S
				 : ask->now_ns / FL_SECOND + 1;
	if (ask->to != FL_TIME_NONE) {
		int64_t to_s = plan->dated ? (plan->to_day + 1) * DAY_S
					   : ceil_div(plan->to_ns, FL_SECOND);

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

int fl_yahoo_all_sessions(bool quotes, bool *all, struct fl_error *err)
{
	static const char *const sessions[] = { "regular", "all", NULL };
	int session = 0;

	if (take_word("session", option.session, sessions, &session, err) < 0)
		return -1;
	if (option.session && !quotes)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--session is for bars and quotes");
	*all = session;
	return 0;
}

int fl_yahoo_plan(const struct fl_ask *ask, struct fl_yahoo_plan *plan,
		  struct fl_error *err)
{
	static const char *const adjs[] = { "none", "split", "all", NULL };
	static const char *const sessions[] = { "regular", "all", NULL };
	int adj = FL_YAHOO_SPLIT, session = 0;

	*plan = (struct fl_yahoo_plan){ .last = ask->last };
	if (take_interval(plan, err) < 0 ||
	    take_word("adj", option.adj, adjs, &adj, err) < 0 ||
	    take_word("session", option.session, sessions, &session, err) < 0 ||
	    take_types(ask, plan, err) < 0)
		return -1;
	plan->adj = (enum fl_yahoo_adj)adj;
	plan->all_sessions = session;
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
				       : floor_div(hole->from_ns, FL_SECOND);
		int64_t to = plan->dated ? (hole->to_day + 1) * DAY_S
					 : ceil_div(hole->to_ns, FL_SECOND);

		int64_t oldest = fl_yahoo_oldest(plan);

		if (hole->to_ns <= oldest)
			continue;
		if (hole->from_ns < oldest)
			from = ceil_div(oldest, FL_SECOND);
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
	job->start_s = holes ? floor_div(holes->items[0].from_ns, FL_SECOND)
			     : job->plan->to_s;
	job->end_s = (floor_div(job->plan->now_ns, FL_DAY) + 2) * DAY_S;
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
