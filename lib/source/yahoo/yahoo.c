/* yahoo: Yahoo Finance; here, bars with dividends and splits, and which file
 * has the rest.
 *
 * There is no official interface: what is asked and what may come is told by
 * clients that work, section 1 of sources.md. /v8/finance/chart needs neither
 * key nor cookie.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/yahoo.h"
#include "source/yahoo/ask.h"

#include <stdlib.h>

#include "base/mem.h"
#include "source/yahoo/stream.h"

/* Of this run. */
static struct fl_yahoo_plan plan;
static struct fl_yahoo_ask other; /* what is no chart */

static bool series(const void *of_plan, struct fl_holes_ask *ask)
{
	const struct fl_yahoo_plan *asked = of_plan;
	static const char *const adjs[] = { "none", "split", "all" };
	static struct fl_interval interval; /* of the plan */
	struct fl_error err = { .code = FL_OK };

	if (!asked->bars ||
	    fl_interval_parse(asked->interval_text, &interval, &err) < 0)
		return false;
	*ask = (struct fl_holes_ask){
		.provider = "yahoo",
		.adj = adjs[asked->adj],
		.interval = &interval,
		.from_ns = asked->ranged ? asked->from_ns : FL_TIME_NONE,
		.to_ns = asked->to_ns,
		.from_day = asked->ranged ? asked->from_day : FL_TIME_NONE,
		.to_day = asked->to_day,
		.now_ns = asked->now_ns,
	};
	return true;
}

static void *begin(const void *of_plan, const char *symbol,
		   const struct fl_holes *holes)
{
	struct fl_yahoo_job *job = fl_zalloc(sizeof(*job));

	job->plan = of_plan;
	job->symbol = symbol;
	job->holes = holes;
	job->chart.first_trade = FL_TIME_NONE;
	job->chart.answered_ns = job->plan->now_ns;
	return job;
}

/* Prices as traded stay what they were; dividends change those adjusted for
 * all. */
static int64_t changed(void *state)
{
	struct fl_yahoo_job *job = state;
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < job->chart.event_count; i++) {
		const struct fl_yahoo_event *event = &job->chart.events[i];
		int64_t day = fl_yahoo_day(&job->chart, event->ts);

		if (job->plan->adj != FL_YAHOO_NONE && day > last &&
		    (event->kind == FL_YAHOO_SPLITS ||
		     job->plan->adj == FL_YAHOO_ALL))
			last = day;
	}
	return last;
}

static void end(void *state)
{
	struct fl_yahoo_job *job = state;

	fl_yahoo_chart_release(&job->chart);
	fl_json_release(&job->json);
	fl_buf_release(&job->mended);
	free(job);
}

const struct fl_polled fl_polled_yahoo = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.series = series,
	.changed = changed,
	.begin = begin,
	.request = fl_yahoo_request,
	.parse = fl_yahoo_parse,
	.records = fl_yahoo_records,
	.end = end,
};

/* How it is polled, with what plan. */
static int choose(const struct fl_ask *ask, const struct fl_polled **polled,
		  const void **with, struct fl_error *err)
{
	static bool told;

	if (fl_yahoo_ask(ask, &other, err) < 0)
		return -1;
	other.told = &told;
	*polled = &fl_polled_yahoo;
	*with = &plan;
	if (other.kind == FL_YAHOO_BARS)
		return fl_yahoo_plan(ask, &plan, err);
	*polled = fl_yahoo_polled(&other);
	*with = &other;
	return 0;
}

static int yahoo_open(void **state, const struct fl_ask *ask,
		      struct fl_error *err)
{
	const struct fl_polled *polled;
	const void *with;

	*state = NULL;
	if (fl_yahoo_streams() && ask->marked)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--stream has no position to go on from: "
				    "it goes without --resume and --state");
	if (fl_yahoo_streams())
		return fl_yahoo_stream_open(state, ask, err);
	if (choose(ask, &polled, &with, err) < 0)
		return -1;
	if (polled->ready)
		fl_yahoo_session_open(&other.session, ask);
	return fl_polled_open(state, ask, polled, with, fl_yahoo_bases(), err);
}

static int yahoo_next(void *state, struct fl_item *item, struct fl_error *err)
{
	return fl_yahoo_streams() ? fl_yahoo_stream_next(state, item, err)
				  : fl_polled_next(state, item, err);
}

static void yahoo_close(void *state)
{
	if (fl_yahoo_streams()) {
		fl_yahoo_stream_close(state);
		return;
	}
	fl_polled_close(state);
	fl_yahoo_session_close(&other.session);
}

static void yahoo_tell(void *state, char *text, size_t size)
{
	if (fl_yahoo_streams())
		fl_yahoo_stream_tell(state, text, size);
	else
		fl_polled_tell(state, text, size);
}

static int yahoo_list(const struct fl_ask *ask,
		      int (*each)(void *arg, const char *bytes, size_t len,
				  struct fl_error *err),
		      void *arg, struct fl_error *err)
{
	const struct fl_polled *polled;
	const void *with;

	if (fl_yahoo_streams())
		return 0;
	if (choose(ask, &polled, &with, err) < 0)
		return -1;
	return fl_polled_dry_run(ask, polled, with, fl_yahoo_bases(), each, arg,
				 err);
}

const struct fl_source fl_source_yahoo = {
	.name = "yahoo",
	.summary = "bars, quotes, news and more of Yahoo Finance, for personal "
		   "use",
	.home = "https://finance.yahoo.com",
	.types = "bar, dividend, split, quote, instrument, news",
	.operands = "SYMBOL...",
	.examples = "fl-fetch yahoo AAPL MSFT\n"
		    "fl-fetch yahoo --interval 1h --range 60d AAPL --as csv > "
		    "aapl.csv\n"
		    "fl-fetch yahoo --from 2024-01-01 --to 2025-01-01 AAPL | "
		    "fl-clean | fl-load lake.db\n"
		    "fl-fetch yahoo --type dividend --range max KO\n"
		    "fl-fetch yahoo --stream BTC-USD AAPL | fl-agg bars 1m\n"
		    "fl-fetch yahoo --fill lake.db AAPL MSFT | fl-clean | "
		    "fl-load lake.db\n"
		    "fl-fetch yahoo --type quote --every 10s AAPL BTC-USD\n"
		    "fl-fetch yahoo --type news AAPL\n"
		    "fl-fetch yahoo --search 'deutsche bank'\n"
		    "fl-fetch yahoo --screener day_gainers --count 10",
	.options = fl_yahoo_options,
	.selects = true,
	.declines = fl_yahoo_declines,
	.open = yahoo_open,
	.next = yahoo_next,
	.close = yahoo_close,
	.tell = yahoo_tell,
	.list = yahoo_list,
	.resumes = true,
	.polled = &fl_polled_yahoo,
};
