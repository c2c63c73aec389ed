/* lists: what Yahoo finds for a text, and the lists that it keeps.
 *
 * A search needs nothing. A screener is asked with cookie and crumb where they
 * can be had, and without them where not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/yahoo.h"

struct job {
	const struct fl_yahoo_ask *ask;
	const char *subject; /* the text, or the screener's name */
	bool asked, with_crumb;
	unsigned refusals;
	char *crumb;
	struct fl_json json;
	struct fl_buf mended;
	struct fl_poll_out out;
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
	job->ask = plan;
	job->subject = subject;
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

	if (!job->ask->search && !job->asked && !job->refusals)
		fl_yahoo_session_ready(job->ask->session);
}

static const char *cookie(void *state)
{
	struct job *job = state;

	return job->with_crumb ? fl_yahoo_cookie(job->ask) : NULL;
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	const char *crumb = job->refusals ? NULL : fl_yahoo_crumb(job->ask);

	if (job->asked)
		return 0;
	job->asked = true;
	if (job->ask->search) {
		fl_buf_puts(path, "/v1/finance/search?q=");
		fl_url_escape(job->subject, path);
		fl_buf_printf(path,
			      "&quotesCount=%llu&newsCount=0"
			      "&enableFuzzyQuery=false"
			      "&quotesQueryId=tss_match_phrase_query",
			      (unsigned long long)job->ask->count);
		return 1;
	}
	fl_buf_puts(path, "/v1/finance/screener/predefined/saved?scrIds=");
	fl_url_escape(job->subject, path);
	fl_buf_printf(path, "&count=%llu&formatted=false",
		      (unsigned long long)job->ask->count);
	job->with_crumb = crumb != NULL;
	if (crumb) {
		fl_buf_printf(path, "&crumb=%s", crumb);
		free(job->crumb);
		job->crumb = fl_strdup(crumb);
	}
	return 1;
}

/* The array with the entries; 0: there is none. */
static uint32_t find_entries(const struct job *job)
{
	const struct fl_json *json = &job->json;
	uint32_t at = 0;

	if (!job->ask->search) {
		at = fl_yahoo_find_kind(json, 0, "finance", FL_JSON_OBJECT);
		at = at ? fl_yahoo_find_kind(json, at, "result", FL_JSON_ARRAY)
			: 0;
		if (!at || !json->toks[at].len ||
		    json->toks[at + 1].kind != FL_JSON_OBJECT)
			return 0;
		at++;
	} else if (json->toks[0].kind != FL_JSON_OBJECT) {
		return 0;
	}
	return fl_yahoo_find_kind(json, at, "quotes", FL_JSON_ARRAY);
}

/* A search finds private companies and its own pages as well, which have no
 * symbol and say so. */
static bool is_none(const struct job *job, uint32_t at)
{
	uint32_t is = job->ask->search
			      ? fl_yahoo_find(&job->json, at, "isYahooFinance")
			      : 0;

	return is && job->json.toks[is].kind == FL_JSON_FALSE;
}

static int take(struct job *job, const struct fl_http_answer *answer,
		struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint32_t list = find_entries(job);
	uint64_t count = 0;

	if (!list)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      job->ask->search ? "not a search"
						       : "not a screener",
				      answer);
	for (uint32_t at = list + 1;
	     at < json->toks[list].next && count < job->ask->count;
	     at = json->toks[at].next) {
		if (json->toks[at].kind != FL_JSON_OBJECT || is_none(job, at))
			continue;
		count++;
		if (job->ask->kind == FL_YAHOO_QUOTES)
			fl_yahoo_put_quote(job->ask, json, at, false, NULL,
					   answer->status, &job->out);
		else
			fl_yahoo_put_instrument(
				json, &at, 1, NULL,
				fl_yahoo_answered(job->ask, answer),
				answer->status, &job->out);
	}
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
		if (session && job->with_crumb)
			fl_yahoo_session_good(session);
		return take(job, answer, fault);
	}
	if (job->with_crumb && fl_yahoo_refuses(answer) &&
	    answer->status != 400) {
		if (session)
			fl_yahoo_session_refused(session, job->crumb);
		job->refusals++;
		job->with_crumb = job->asked = false;
		return 0;
	}
	return got == 1 ? fl_yahoo_fault(fault, FL_REASON_provider_error, false,
					 "no list", answer)
			: -1;
}

static void records(void *state, struct fl_poll_out *out)
{
	struct job *job = state;

	fl_poll_move(out, &job->out);
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
	.cookie = cookie,
	.parse = parse,
	.records = records,
	.end = end,
};
