/* talk: what quotes, instruments and lists have in common.
 *
 * They are asked for with cookie and crumb where these can be had, and with
 * another crumb, or without, where one is refused. A job of them begins with a
 * talk, so that it is one for fl_polled, too.
 *
 * source  sources.md, 1.2
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_TALK_H
#define FL_SOURCE_YAHOO_TALK_H

#include "io/json.h"
#include "source/yahoo/ask.h"

struct fl_yahoo_talk {
	const struct fl_yahoo_ask *ask;
	unsigned most; /* after so many refusals it goes without a crumb */
	unsigned refusals;
	bool with_crumb; /* what was asked last */
	char *crumb;     /* of that; NULL: there was none yet */
	struct fl_json json;
	struct fl_buf mended;
	struct fl_poll_out out; /* what came of the answers */
};

/* ask  the plan, as fl_polled's begin is given it */
void fl_yahoo_talk_init(struct fl_yahoo_talk *talk, const void *ask,
			unsigned most);
void fl_yahoo_talk_release(struct fl_yahoo_talk *talk);

/* A question that wants a crumb comes next: have one, if one can be had. */
void fl_yahoo_talk_ready(struct fl_yahoo_talk *talk);
/* The crumb to ask with, "***" without a session; NULL: it goes without. What
 * is asked until the next call goes with the cookie, or without it. */
const char *fl_yahoo_talk_crumb(struct fl_yahoo_talk *talk);
/* There was none: tell the user once. */
void fl_yahoo_talk_tell(struct fl_yahoo_talk *talk, const char *what);
/* Ask for the chart, which needs none and tells less. */
void fl_yahoo_talk_chart(const char *symbol, struct fl_buf *path);

/* Read an answer into talk->json.
 *
 * nothing  the fault, where it says that there is nothing
 * returns  1; 0 the crumb was refused: the same is to be asked again; -1 with
 *          the fault */
int fl_yahoo_talk_read(struct fl_yahoo_talk *talk,
		       const struct fl_http_answer *answer, const char *nothing,
		       struct fl_poll_fault *fault);

/* Of fl_polled, where the job begins with a talk. */
const char *fl_yahoo_talk_cookie(void *job);
void fl_yahoo_talk_records(void *job, struct fl_poll_out *out);

#endif
