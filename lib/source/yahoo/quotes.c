/* quotes: what prices are now.
 *
 * A hundred symbols stand in one question, which needs a cookie and a crumb.
 * Where these cannot be had, the chart of each symbol tells a little less
 * without them: that is said once, and done.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/yahoo.h"

enum {
	BATCH = 100,
	REFUSALS = 2, /* of the crumb, for one batch */
};

enum step {
	ASK, /* about all of them */
	ASKED,
	CHARTS, /* about one after the other */
	CHART_ASKED,
	DONE,
};

struct job {
	const struct fl_yahoo_ask *ask;
	char *batch, **symbols;
	size_t count, at; /* the symbol whose chart is asked for */
	enum step step;
	unsigned refusals;
	char *crumb; /* last asked with; NULL */
	struct fl_json json;
	struct fl_buf mended;
	struct fl_poll_out out;
};

static void *begin(const void *plan, const char *batch,
		   const struct fl_holes *holes)
{
	struct job *job = fl_zalloc(sizeof(*job));
	char *rest = job->batch = fl_strdup(batch);

	(void)holes;
	job->ask = plan;
	job->symbols = fl_realloc(NULL, BATCH + 1, sizeof(*job->symbols));
	while (rest && job->count < BATCH)
		job->symbols[job->count++] = strsep(&rest, ",");
	return job;
}

static void end(void *state)
{
	struct job *job = state;

	fl_poll_release(&job->out);
	fl_json_release(&job->json);
	fl_buf_release(&job->mended);
	free(job->crumb);
	free(job->symbols);
	free(job->batch);
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

static void go_to_charts(struct job *job)
{
	job->step = CHARTS;
	if (job->ask->session)
		fl_yahoo_session_tell(job->ask->session,
				      "yahoo: quotes come from charts, which "
				      "tell less, as no crumb is to be had");
}

static void ask_all(struct job *job, const char *crumb, struct fl_buf *path)
{
	fl_buf_puts(path, "/v7/finance/quote?symbols=");
	for (size_t i = 0; i < job->count; i++) {
		if (i)
			fl_buf_puts(path, "%2C");
		fl_url_escape(job->symbols[i], path);
	}
	fl_buf_printf(path, "&formatted=false&lang=en-US&region=US&crumb=%s",
		      crumb);
	free(job->crumb);
	job->crumb = fl_strdup(crumb);
	job->step = ASKED;
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	const char *crumb;

	if (job->step == ASK) {
		crumb = job->refusals < REFUSALS ? fl_yahoo_crumb(job->ask)
						 : NULL;
		if (crumb) {
			ask_all(job, crumb, path);
			return 1;
		}
		go_to_charts(job);
	}
	if (job->step != CHARTS || job->at == job->count)
		return 0;
	fl_buf_puts(path, "/v8/finance/chart/");
	fl_url_escape(job->symbols[job->at], path);
	fl_buf_puts(path, "?range=1d&interval=1d&includePrePost=false");
	job->step = CHART_ASKED;
	return 1;
}

/* The entry of the symbol in the list; 0: there is none. */
static uint32_t find_entry(const struct fl_json *json, uint32_t list,
			   const char *symbol, size_t asked)
{
	char own[65], upper[65];

	for (uint32_t at = list + 1; at < json->toks[list].next;
	     at = json->toks[at].next) {
		if (json->toks[at].kind != FL_JSON_OBJECT)
			continue;
		fl_yahoo_find_text(json, at, "symbol", own, sizeof(own));
		if ((fl_yahoo_symbol(own, upper) &&
		     strcmp(upper, symbol) == 0) ||
		    (asked == 1 && json->toks[list].len == 1))
			return at;
	}
	return 0;
}

static int take_quotes(struct job *job, const struct fl_http_answer *answer,
		       struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint32_t all =
		fl_yahoo_find_kind(json, 0, "quoteResponse", FL_JSON_OBJECT);
	uint32_t list =
		all ? fl_yahoo_find_kind(json, all, "result", FL_JSON_ARRAY)
		    : 0;

	if (!list)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      "not a list of quotes", answer);
	for (size_t i = 0; i < job->count; i++) {
		const char *symbol = job->symbols[i];
		uint32_t at = find_entry(json, list, symbol, job->count);

		if (at) {
			fl_yahoo_put_quote(job->ask, json, at, false, symbol,
					   answer->status, &job->out);
			continue;
		}
		fl_yahoo_fault(fault, FL_REASON_unknown_symbol, false,
			       "no quote: the answer leaves it out", answer);
		fl_poll_failed(&job->out, symbol, fault, answer->status);
	}
	job->step = DONE;
	return 0;
}

static int parse_all(struct job *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	const struct fl_yahoo_ask *ask = job->ask;
	uint64_t words = 0;
	int got =
		fl_yahoo_read(&job->json, &job->mended, answer, &words, fault);

	if (got == 0) {
		if (ask->session)
			fl_yahoo_session_good(ask->session);
		return take_quotes(job, answer, fault);
	}
	if (!fl_yahoo_refuses(answer))
		return got == 1
			       ? fl_yahoo_fault(fault, FL_REASON_provider_error,
						false, "no quotes", answer)
			       : -1;
	/* Another crumb; without a session there is none. */
	job->refusals += ask->session ? 1 : REFUSALS;
	if (ask->session)
		fl_yahoo_session_refused(ask->session, job->crumb);
	job->step = ASK;
	return 0;
}

static int take_meta(struct job *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint32_t chart = fl_yahoo_find_kind(json, 0, "chart", FL_JSON_OBJECT);
	uint32_t list =
		chart ? fl_yahoo_find_kind(json, chart, "result", FL_JSON_ARRAY)
		      : 0;
	uint32_t meta = list && json->toks[list].len
				? fl_yahoo_find_kind(json, list + 1, "meta",
						     FL_JSON_OBJECT)
				: 0;

	if (!meta)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      "not a chart: no meta", answer);
	fl_yahoo_put_quote(job->ask, json, meta, true, job->symbols[job->at],
			   answer->status, &job->out);
	return 0;
}

/* A fault of one symbol; where that is about all of them, the others are not
 * asked about. */
static int fail_chart(struct job *job, const struct fl_poll_fault *fault,
		      unsigned status)
{
	struct fl_poll_fault rest = *fault;

	fl_poll_failed(&job->out, job->symbols[job->at++], fault, status);
	job->step = CHARTS;
	if (fault->reason != FL_REASON_rate_limited &&
	    fault->reason != FL_REASON_network)
		return 0;
	snprintf(rest.text, sizeof(rest.text), "not asked, for '%s': %.300s",
		 job->symbols[job->at - 1], fault->text);
	while (job->at < job->count)
		fl_poll_failed(&job->out, job->symbols[job->at++], &rest, 0);
	return 0;
}

static int parse_chart(struct job *job, const struct fl_http_answer *answer,
		       struct fl_poll_fault *fault)
{
	uint64_t words = 0;
	int got =
		fl_yahoo_read(&job->json, &job->mended, answer, &words, fault);

	if (got == 1)
		got = fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				     "no chart", answer);
	if (got < 0 || take_meta(job, answer, fault) < 0)
		return fail_chart(job, fault, answer->status);
	job->at++;
	job->step = CHARTS;
	return 0;
}

static int parse(void *state, const struct fl_http_answer *answer,
		 struct fl_poll_fault *fault)
{
	struct job *job = state;

	return (job->step == CHART_ASKED ? parse_chart : parse_all)(job, answer,
								    fault);
}

static int lost(void *state, const struct fl_poll_fault *fault)
{
	struct job *job = state;

	return job->step == CHART_ASKED ? fail_chart(job, fault, 0) : -1;
}

static void records(void *state, struct fl_poll_out *out)
{
	struct job *job = state;

	fl_poll_move(out, &job->out);
}

const struct fl_polled fl_polled_yahoo_quotes = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.batch = BATCH,
	.live = true,
	.secret = fl_yahoo_secret,
	.begin = begin,
	.ready = ready,
	.request = request,
	.cookie = cookie,
	.parse = parse,
	.lost = lost,
	.records = records,
	.end = end,
};
