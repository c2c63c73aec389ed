/* instruments: what symbols stand for.
 *
 * The summary of a symbol needs a cookie and a crumb. Where these cannot be
 * had, its chart tells name, currency and exchange, but neither sector nor
 * industry: that is said once, and done.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/yahoo.h"

enum {
	REFUSALS = 2,
};

enum step {
	ASK,
	ASKED,
	CHART_ASKED,
	DONE,
};

struct job {
	const struct fl_yahoo_ask *ask;
	const char *symbol;
	enum step step;
	unsigned refusals;
	char *crumb;
	struct fl_json json;
	struct fl_buf mended;
	struct fl_poll_out out;
};

static void *begin(const void *plan, const char *symbol,
		   const struct fl_holes *holes)
{
	struct job *job = fl_zalloc(sizeof(*job));

	(void)holes;
	job->ask = plan;
	job->symbol = symbol;
	return job;
}

static void end(void *state)
{
	struct job *job = state;

	fl_poll_release(&job->out);
	fl_json_release(&job->json);
	fl_buf_release(&job->mended);
	free(job->crumb);
	free(job);
}

static void ready(void *state)
{
	struct job *job = state;

	if (job->step == ASK && job->refusals < REFUSALS)
		fl_yahoo_session_ready(job->ask->session);
}

static const char *cookie(void *state)
{
	struct job *job = state;

	return job->step == ASKED ? fl_yahoo_cookie(job->ask) : NULL;
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	const char *crumb =
		job->refusals < REFUSALS ? fl_yahoo_crumb(job->ask) : NULL;

	if (job->step != ASK)
		return 0;
	fl_buf_puts(path, crumb ? "/v10/finance/quoteSummary/"
				: "/v8/finance/chart/");
	fl_url_escape(job->symbol, path);
	if (!crumb) {
		fl_buf_puts(path, "?range=1d&interval=1d&includePrePost=false");
		if (job->ask->session)
			fl_yahoo_session_tell(
				job->ask->session,
				"yahoo: instruments come from charts, without "
				"sector and industry, as no crumb is to be "
				"had");
		job->step = CHART_ASKED;
		return 1;
	}
	fl_buf_printf(path,
		      "?modules=price%%2CquoteType%%2CassetProfile"
		      "&formatted=false&corsDomain=finance.yahoo.com&crumb=%s",
		      crumb);
	free(job->crumb);
	job->crumb = fl_strdup(crumb);
	job->step = ASKED;
	return 1;
}

/* The first object of NAME.result; 0: there is none. */
static uint32_t first_result(const struct fl_json *json, const char *name)
{
	uint32_t all = fl_yahoo_find_kind(json, 0, name, FL_JSON_OBJECT);
	uint32_t list =
		all ? fl_yahoo_find_kind(json, all, "result", FL_JSON_ARRAY)
		    : 0;

	return list && json->toks[list].len &&
			       json->toks[list + 1].kind == FL_JSON_OBJECT
		       ? list + 1
		       : 0;
}

static int take(struct job *job, const struct fl_http_answer *answer,
		struct fl_poll_fault *fault)
{
	static const char *const modules[] = { "price", "quoteType",
					       "assetProfile", "summaryProfile",
					       "meta" };
	const struct fl_json *json = &job->json;
	uint32_t result = first_result(json, job->step == ASKED ? "quoteSummary"
								: "chart");
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
				      job->step == ASKED
					      ? "not a summary"
					      : "not a chart: no meta",
				      answer);
	fl_yahoo_put_instrument(
		json, objects, sizeof(modules) / sizeof(*modules), job->symbol,
		fl_yahoo_answered(job->ask, answer), answer->status, &job->out);
	job->step = DONE;
	return 0;
}

static int parse(void *state, const struct fl_http_answer *answer,
		 struct fl_poll_fault *fault)
{
	struct job *job = state;
	struct fl_yahoo_session *session = job->ask->session;
	uint64_t words = 0;
	int got =
		fl_yahoo_read(&job->json, &job->mended, answer, &words, fault);

	if (got == 0) {
		if (session && job->step == ASKED)
			fl_yahoo_session_good(session);
		return take(job, answer, fault);
	}
	if (job->step == ASKED && fl_yahoo_refuses(answer)) {
		job->refusals += session ? 1 : REFUSALS;
		if (session)
			fl_yahoo_session_refused(session, job->crumb);
		job->step = ASK;
		return 0;
	}
	return got == 1 ? fl_yahoo_fault(fault, FL_REASON_provider_error, false,
					 "no instrument", answer)
			: -1;
}

static void records(void *state, struct fl_poll_out *out)
{
	struct job *job = state;

	fl_poll_move(out, &job->out);
}

const struct fl_polled fl_polled_yahoo_instruments = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.secret = fl_yahoo_secret,
	.begin = begin,
	.ready = ready,
	.request = request,
	.cookie = cookie,
	.parse = parse,
	.records = records,
	.end = end,
};
