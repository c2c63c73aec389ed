/* lists: what Yahoo finds for a text, and the lists that it keeps.
 *
 * A search needs nothing. A screener is asked with cookie and crumb where they
 * can be had, and without them where not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/talk.h"
#include "source/yahoo/yahoo.h"

struct job {
	struct fl_yahoo_talk talk;
	const char *subject; /* the text, or the screener's name */
	bool asked;
};

static const char *const *subjects(const void *plan)
{
	const struct fl_yahoo_ask *ask = plan;

	return ask->search ? ask->search : ask->screeners;
}

static void *begin(const void *plan, const char *subject,
		   const struct fl_holes *holes)
{
	struct job *job = fl_zalloc(sizeof(*job));

	(void)holes;
	fl_yahoo_talk_init(&job->talk, plan, 1);
	job->subject = subject;
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

	if (!job->talk.ask->search && !job->asked)
		fl_yahoo_talk_ready(&job->talk);
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	const struct fl_yahoo_ask *ask = job->talk.ask;
	const char *crumb;

	if (job->asked)
		return 0;
	job->asked = true;
	if (ask->search) {
		fl_buf_puts(path, "/v1/finance/search?q=");
		fl_url_escape(job->subject, path);
		fl_buf_printf(path,
			      "&quotesCount=%llu&newsCount=0"
			      "&enableFuzzyQuery=false"
			      "&quotesQueryId=tss_match_phrase_query",
			      (unsigned long long)ask->count);
		return 1;
	}
	fl_buf_puts(path, "/v1/finance/screener/predefined/saved?scrIds=");
	fl_url_escape(job->subject, path);
	fl_buf_printf(path, "&count=%llu&formatted=false",
		      (unsigned long long)ask->count);
	crumb = fl_yahoo_talk_crumb(&job->talk);
	if (crumb)
		fl_buf_printf(path, "&crumb=%s", crumb);
	return 1;
}

/* The array with the entries; 0: there is none. */
static uint32_t find_entries(const struct job *job)
{
	const struct fl_json *json = &job->talk.json;
	uint32_t at = 0;

	if (!job->talk.ask->search) {
		at = fl_yahoo_find_result(json, "finance");
		if (!at)
			return 0;
	}
	return fl_yahoo_find_kind(json, at, "quotes", FL_JSON_ARRAY);
}

/* A search finds private companies and its own pages as well, which have no
 * symbol and say so. */
static bool is_none(const struct job *job, uint32_t at)
{
	const struct fl_json *json = &job->talk.json;
	uint32_t is = job->talk.ask->search
			      ? fl_yahoo_find(json, at, "isYahooFinance")
			      : 0;

	return is && json->toks[is].kind == FL_JSON_FALSE;
}

static int take(struct job *job, const struct fl_http_answer *answer,
		struct fl_poll_fault *fault)
{
	const struct fl_yahoo_ask *ask = job->talk.ask;
	const struct fl_json *json = &job->talk.json;
	struct fl_poll_out *out = &job->talk.out;
	uint32_t list = find_entries(job);
	uint64_t count = 0;

	if (!list)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      ask->search ? "not a search"
						  : "not a screener",
				      answer);
	for (uint32_t at = list + 1;
	     at < json->toks[list].next && count < ask->count;
	     at = json->toks[at].next) {
		if (json->toks[at].kind != FL_JSON_OBJECT || is_none(job, at))
			continue;
		count++;
		if (ask->kind == FL_YAHOO_QUOTES)
			fl_yahoo_put_quote(ask, json, at, false, NULL,
					   answer->status, out);
		else
			fl_yahoo_put_instrument(json, &at, 1, NULL,
						fl_yahoo_answered(ask, answer),
						answer->status, out);
	}
	return 0;
}

static int parse(void *state, const struct fl_http_answer *answer,
		 struct fl_poll_fault *fault)
{
	struct job *job = state;
	int got;

	/* That is about the screener's name, not about the crumb. */
	if (answer->status == 400)
		job->talk.with_crumb = false;
	got = fl_yahoo_talk_read(&job->talk, answer, "no list", fault);
	job->asked = got != 0;
	return got > 0 ? take(job, answer, fault) : got;
}

const struct fl_polled fl_polled_yahoo_lists = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.live = true,
	.subjects = subjects,
	.secret = fl_yahoo_secret,
	.begin = begin,
	.ready = ready,
	.request = request,
	.cookie = fl_yahoo_talk_cookie,
	.parse = parse,
	.records = fl_yahoo_talk_records,
	.end = end,
};
