/* instruments: what symbols stand for.
 *
 * The summary of a symbol needs a cookie and a crumb. Where these cannot be
 * had, its chart tells name, currency and exchange, but neither sector nor
 * industry: that is said once, and done.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/talk.h"
#include "source/yahoo/yahoo.h"

enum {
	REFUSALS = 2,
};

struct job {
	struct fl_yahoo_talk talk;
	const char *symbol;
	bool asked;
};

static void *begin(const void *plan, const char *symbol,
		   const struct fl_holes *holes)
{
	struct job *job = fl_zalloc(sizeof(*job));

	(void)holes;
	fl_yahoo_talk_init(&job->talk, plan, REFUSALS);
	job->symbol = symbol;
	return job;
}

static void end(void *state)
{
	struct job *job = state;

	fl_yahoo_talk_release(&job->talk);
	free(job);
}

static void ready(void *state)
{
	struct job *job = state;

	if (!job->asked)
		fl_yahoo_talk_ready(&job->talk);
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	const char *crumb;

	if (job->asked)
		return 0;
	job->asked = true;
	crumb = fl_yahoo_talk_crumb(&job->talk);
	if (!crumb) {
		fl_yahoo_talk_chart(job->symbol, path);
		fl_yahoo_talk_tell(&job->talk,
				   "yahoo: instruments come from charts, "
				   "without sector and industry, as no crumb "
				   "is to be had");
		return 1;
	}
	fl_buf_puts(path, "/v10/finance/quoteSummary/");
	fl_url_escape(job->symbol, path);
	fl_buf_printf(path,
		      "?modules=price%%2CquoteType%%2CassetProfile"
		      "&formatted=false&corsDomain=finance.yahoo.com&crumb=%s",
		      crumb);
	return 1;
}

static int take(struct job *job, const struct fl_http_answer *answer,
		struct fl_poll_fault *fault)
{
	static const char *const modules[] = { "price", "quoteType",
					       "assetProfile", "summaryProfile",
					       "meta" };
	const struct fl_json *json = &job->talk.json;
	bool summary = job->talk.with_crumb;
	uint32_t result =
		fl_yahoo_find_result(json, summary ? "quoteSummary" : "chart");
	uint32_t objects[sizeof(modules) / sizeof(*modules)];
	size_t found = 0;

	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		objects[i] =
			result ? fl_yahoo_find_kind(json, result, modules[i],
						    FL_JSON_OBJECT)
			       : 0;
		found += objects[i] != 0;
	}
	if (!found)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      summary ? "not a summary"
					      : "not a chart: no meta",
				      answer);
	fl_yahoo_put_instrument(json, objects,
				sizeof(modules) / sizeof(*modules), job->symbol,
				fl_yahoo_answered(job->talk.ask, answer),
				answer->status, &job->talk.out);
	return 0;
}

static int parse(void *state, const struct fl_http_answer *answer,
		 struct fl_poll_fault *fault)
{
	struct job *job = state;
	int got =
		fl_yahoo_talk_read(&job->talk, answer, "no instrument", fault);

	job->asked = got != 0;
	return got > 0 ? take(job, answer, fault) : got;
}

const struct fl_polled fl_polled_yahoo_instruments = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.secret = fl_yahoo_secret,
	.begin = begin,
	.ready = ready,
	.request = request,
	.cookie = fl_yahoo_talk_cookie,
	.parse = parse,
	.records = fl_yahoo_talk_records,
	.end = end,
};
