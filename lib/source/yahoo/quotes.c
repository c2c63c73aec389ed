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
#include "source/yahoo/talk.h"
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
	struct fl_yahoo_talk talk;
	char *batch, **symbols;
	size_t count, at; /* the symbol whose chart is asked for */
	enum step step;
};

static void *begin(const void *plan, const char *batch,
		   const struct fl_holes *holes)
{
	struct job *job = fl_zalloc(sizeof(*job));
	char *rest = job->batch = fl_strdup(batch);

	(void)holes;
	fl_yahoo_talk_init(&job->talk, plan, REFUSALS);
	job->symbols = fl_realloc(NULL, BATCH + 1, sizeof(*job->symbols));
	while (rest && job->count < BATCH)
		job->symbols[job->count++] = strsep(&rest, ",");
	return job;
}

static void end(void *state)
{
	struct job *job = state;

	fl_yahoo_talk_release(&job->talk);
	free(job->symbols);
	free(job->batch);
	free(job);
}

static void ready(void *state)
{
	struct job *job = state;

	if (job->step == ASK)
		fl_yahoo_talk_ready(&job->talk);
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
	job->step = ASKED;
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	const char *crumb;

	if (job->step == ASK) {
		crumb = fl_yahoo_talk_crumb(&job->talk);
		if (crumb) {
			ask_all(job, crumb, path);
			return 1;
		}
		job->step = CHARTS;
		fl_yahoo_talk_tell(&job->talk,
				   "yahoo: quotes come from charts, which tell "
				   "less, as no crumb is to be had");
	}
	if (job->step != CHARTS || job->at == job->count)
		return 0;
	fl_yahoo_talk_chart(job->symbols[job->at], path);
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
	const struct fl_json *json = &job->talk.json;
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
			fl_yahoo_put_quote(job->talk.ask, json, at, false,
					   symbol, answer->status,
					   &job->talk.out);
			continue;
		}
		fl_yahoo_fault(fault, FL_REASON_unknown_symbol, false,
			       "no quote: the answer leaves it out", answer);
		fl_poll_failed(&job->talk.out, symbol, fault, answer->status);
	}
	job->step = DONE;
	return 0;
}

static int parse_all(struct job *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	int got = fl_yahoo_talk_read(&job->talk, answer, "no quotes", fault);

	if (got == 0)
		job->step = ASK;
	return got > 0 ? take_quotes(job, answer, fault) : got;
}

static int take_meta(struct job *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->talk.json;
	uint32_t chart = fl_yahoo_find_result(json, "chart");
	uint32_t meta =
		chart ? fl_yahoo_find_kind(json, chart, "meta", FL_JSON_OBJECT)
		      : 0;

	if (!meta)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      "not a chart: no meta", answer);
	fl_yahoo_put_quote(job->talk.ask, json, meta, true,
			   job->symbols[job->at], answer->status,
			   &job->talk.out);
	return 0;
}

/* A fault of one symbol; where that is about all of them, the others are not
 * asked about. */
static int fail_chart(struct job *job, const struct fl_poll_fault *fault,
		      unsigned status)
{
	struct fl_poll_fault rest = *fault;

	fl_poll_failed(&job->talk.out, job->symbols[job->at++], fault, status);
	job->step = CHARTS;
	if (fault->reason != FL_REASON_rate_limited &&
	    fault->reason != FL_REASON_network)
		return 0;
	snprintf(rest.text, sizeof(rest.text), "not asked, for '%s': %.300s",
		 job->symbols[job->at - 1], fault->text);
	while (job->at < job->count)
		fl_poll_failed(&job->talk.out, job->symbols[job->at++], &rest,
			       0);
	return 0;
}

static int parse_chart(struct job *job, const struct fl_http_answer *answer,
		       struct fl_poll_fault *fault)
{
	if (fl_yahoo_talk_read(&job->talk, answer, "no chart", fault) < 0 ||
	    take_meta(job, answer, fault) < 0)
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

const struct fl_polled fl_polled_yahoo_quotes = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.batch = BATCH,
	.live = true,
	.secret = fl_yahoo_secret,
	.begin = begin,
	.ready = ready,
	.request = request,
	.cookie = fl_yahoo_talk_cookie,
	.parse = parse,
	.lost = lost,
	.records = fl_yahoo_talk_records,
	.end = end,
};
