/* av: bars, quotes, news and more of Alpha Vantage.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/av/av.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

static struct fl_av_plan plan; /* of this run */

static const char *const *subjects(const void *of_plan)
{
	const struct fl_av_plan *asked = of_plan;

	return asked->subjects[0] ? asked->subjects : NULL;
}

static const char *secret(const void *of_plan)
{
	return ((const struct fl_av_plan *)of_plan)->key;
}

static bool series(const void *of_plan, struct fl_holes_ask *ask)
{
	const struct fl_av_plan *asked = of_plan;
	static const char *const adjs[] = { "none", "split", "all" };

	if (!asked->bars)
		return false;
	*ask = (struct fl_holes_ask){
		.provider = FL_AV,
		.adj = adjs[asked->adj],
		.interval = &asked->interval,
		.from_ns = asked->said_from ? asked->from_ns : FL_TIME_NONE,
		.to_ns = asked->to_ns,
		.from_day = asked->said_from ? asked->from_day : FL_TIME_NONE,
		.to_day = asked->to_day,
		.now_ns = asked->now_ns,
	};
	return true;
}

/* Prices as traded stay what they were; dividends change those adjusted for
 * all. */
static int64_t changed(void *state)
{
	const struct fl_av_job *job = state;
	enum fl_av_adj adj = job->plan->adj;
	int64_t last = INT64_MIN;

	for (size_t i = 0; adj != FL_AV_NONE && i < job->event_count; i++) {
		const struct fl_av_event *event = &job->events[i];

		if (event->day > last &&
		    (event->under.mant || adj == FL_AV_ALL))
			last = event->day;
	}
	return last;
}

static void *begin(const void *of_plan, const char *name,
		   const struct fl_holes *holes)
{
	struct fl_av_job *job = fl_zalloc(sizeof(*job));

	job->plan = of_plan;
	job->subject = name;
	job->holes = holes;
	fl_av_begin(job);
	return job;
}

static void end(void *state)
{
	struct fl_av_job *job = state;

	for (size_t i = 0; i < job->item_count; i++)
		free(job->items[i].note);
	free(job->items);
	free(job->rows);
	free(job->events);
	fl_buf_release(&job->text);
	fl_json_release(&job->json);
	if (job->seen)
		fl_map_release(job->seen, NULL);
	free(job->seen);
	free(job);
}

const struct fl_polled fl_polled_av = {
	.provider = FL_AV,
	/* Of free keys. */
	.limits = { .per_second = 1,
		    .per_day = 25,
		    .day_zone = "America/New_York" },
	.key = fl_av_key,
	.series = series,
	.changed = changed,
	.subjects = subjects,
	.secret = secret,
	.begin = begin,
	.request = fl_av_request,
	.parse = fl_av_parse,
	.records = fl_av_records,
	.end = end,
};

/* Quotes alone may be asked for again and again; who has paid for prices of
 * today has no day to keep to, and at least 75 requests a minute. */
static const struct fl_polled *polled_of(const struct fl_av_plan *asked)
{
	static struct fl_polled polled;

	polled = fl_polled_av;
	polled.live = asked->quotes && !asked->bars && !asked->instruments &&
		      !asked->dividends && !asked->splits && !asked->calendar;
	if (asked->entitlement)
		polled.limits =
			(struct fl_limits){ .per_minute = 75,
					    .day_zone = "America/New_York" };
	return &polled;
}

static int av_open(void **state, const struct fl_ask *ask, struct fl_error *err)
{
	*state = NULL;
	if (fl_av_plan(ask, &plan, err) < 0)
		return -1;
	if (!plan.key)
		return fl_error_set(
			err, FL_ERR_USAGE,
			FL_AV " needs a key: set ALPHAVANTAGE_API_KEY, or name "
			      "a file of mode 0600 by --alphavantage-key-file "
			      "(https://www.alphavantage.co/support/#api-key "
			      "gives one)");
	/* Which dividends lie within is told beside bars of 1d alone. */
	if (ask->marked && plan.adj == FL_AV_ALL && plan.interval.ns != FL_DAY)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--resume and --state with --adj all are "
				    "for 1d: of other bars " FL_AV
				    " does not tell when earlier prices "
				    "change");
	return fl_polled_open(state, ask, polled_of(&plan), &plan, fl_av_base(),
			      err);
}

static int av_list(const struct fl_ask *ask,
		   int (*each)(void *arg, const char *bytes, size_t len,
			       struct fl_error *err),
		   void *arg, struct fl_error *err)
{
	if (fl_av_plan(ask, &plan, err) < 0)
		return -1;
	return fl_polled_dry_run(ask, polled_of(&plan), &plan, fl_av_base(),
				 each, arg, err);
}

const struct fl_source fl_source_alphavantage = {
	.name = FL_AV,
	.summary = "bars, quotes, news and more of Alpha Vantage, with a key",
	.home = "https://www.alphavantage.co",
	.types = "bar, dividend, split, quote, news, instrument, calendar, "
		 "stat",
	.operands = "SYMBOL...",
	.examples =
		"fl-fetch alphavantage AAPL MSFT\n"
		"fl-fetch alphavantage --interval 5m --range 5d AAPL\n"
		"fl-fetch alphavantage --type quote AAPL EURUSD=X BTC-USD\n"
		"fl-fetch alphavantage --type news --last 20 AAPL --as csv > "
		"news.csv\n"
		"fl-fetch alphavantage --search 'micro chips'\n"
		"fl-fetch alphavantage --calendar earnings,ipo | fl-clean | "
		"fl-load lake.db",
	.options = fl_av_options,
	.polled = &fl_polled_av,
	.selects = true,
	.resumes = true,
	.open = av_open,
	.next = fl_polled_next,
	.close = fl_polled_close,
	.tell = fl_polled_tell,
	.list = av_list,
};
