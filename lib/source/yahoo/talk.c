/* talk: see talk.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/talk.h"

#include <stdlib.h>

#include "base/mem.h"
#include "source/yahoo/answer.h"

void fl_yahoo_talk_init(struct fl_yahoo_talk *talk, const void *ask,
			unsigned most)
{
	*talk = (struct fl_yahoo_talk){ .ask = ask, .most = most };
}

void fl_yahoo_talk_release(struct fl_yahoo_talk *talk)
{
	fl_poll_release(&talk->out);
	fl_json_release(&talk->json);
	fl_buf_release(&talk->mended);
	free(talk->crumb);
}

void fl_yahoo_talk_ready(struct fl_yahoo_talk *talk)
{
	if (talk->refusals < talk->most)
		fl_yahoo_session_ready(talk->ask->session);
}

const char *fl_yahoo_talk_crumb(struct fl_yahoo_talk *talk)
{
	const struct fl_yahoo_session *session = talk->ask->session;
	const char *crumb = NULL;

	if (talk->refusals < talk->most)
		crumb = session ? fl_yahoo_session_crumb(session) : "***";
	talk->with_crumb = crumb != NULL;
	if (crumb) {
		free(talk->crumb);
		talk->crumb = fl_strdup(crumb);
	}
	return crumb;
}

void fl_yahoo_talk_tell(struct fl_yahoo_talk *talk, const char *what)
{
	if (talk->ask->session)
		fl_yahoo_session_tell(talk->ask->session, what);
}

void fl_yahoo_talk_chart(const char *symbol, struct fl_buf *path)
{
	fl_buf_puts(path, "/v8/finance/chart/");
	fl_url_escape(symbol, path);
	fl_buf_puts(path, "?range=1d&interval=1d&includePrePost=false");
}

/* 404 and 422 are about what was asked for, 408 and 429 about when. */
static bool refuses(const struct fl_http_answer *answer)
{
	unsigned status = answer->status;

	return status >= 400 && status < 500 && status != 404 &&
	       status != 408 && status != 422 && status != 429;
}

int fl_yahoo_talk_read(struct fl_yahoo_talk *talk,
		       const struct fl_http_answer *answer, const char *nothing,
		       struct fl_poll_fault *fault)
{
	struct fl_yahoo_session *session = talk->ask->session;
	uint64_t words = 0;
	int got = fl_yahoo_read(&talk->json, &talk->mended, answer, &words,
				fault);

	if (got == 0) {
		if (session && talk->with_crumb)
			fl_yahoo_session_good(session);
		return 1;
	}
	if (!talk->with_crumb || !refuses(answer))
		return got < 0 ? -1
			       : fl_yahoo_fault(fault, FL_REASON_provider_error,
						false, nothing, answer);
	/* Another crumb; without a session there is none. */
	talk->refusals += session ? 1 : talk->most;
	if (session)
		fl_yahoo_session_refused(session, talk->crumb);
	talk->with_crumb = false;
	return 0;
}

const char *fl_yahoo_talk_cookie(void *job)
{
	const struct fl_yahoo_talk *talk = job;
	const struct fl_yahoo_session *session = talk->ask->session;

	return talk->with_crumb && session ? fl_yahoo_session_cookie(session)
					   : NULL;
}

void fl_yahoo_talk_records(void *job, struct fl_poll_out *out)
{
	struct fl_yahoo_talk *talk = job;

	fl_poll_move(out, &talk->out);
}
