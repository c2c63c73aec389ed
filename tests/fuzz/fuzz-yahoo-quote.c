/* fuzz-yahoo-quote: what Yahoo's quotes, summaries, screeners and, where no
 * crumb is to be had, charts may answer, as any bytes.
 *
 * The first byte chooses what is asked for, the second the HTTP status. What
 * comes of an answer twice is the same (answers.h) but for the time of its
 * arrival.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "source/yahoo/ask.h"

static void judge(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	static const char received[] = ",\"ts_recv\":\"";
	const char *at = item->len ? memmem(item->bytes, item->len, received,
					    sizeof(received) - 1)
				   : NULL;
	enum fl_reason reason;

	count_item(arg, item,
		   at && !refused ? (size_t)(at - item->bytes) : item->len,
		   refused);
	if (refused)
		return;
	/* What a price may be is fl-clean's to say. */
	reason = check_item(item);
	assert(!reason || reason == FL_REASON_out_of_range);
}

static const struct fl_polled *choose(uint8_t byte, struct fl_yahoo_ask *ask)
{
	static const char *const screeners[] = { "day_gainers", NULL };

	*ask = (struct fl_yahoo_ask){
		.kind = byte & 1 ? FL_YAHOO_INSTRUMENTS : FL_YAHOO_QUOTES,
		.screeners = byte & 2 ? screeners : NULL,
		.all_sessions = byte & 4,
		.count = 10,
		.from_ns = FL_TIME_NONE,
		.to_ns = FL_TIME_NONE,
		.now_ns = ANSWERS_NOW,
	};
	return fl_yahoo_polled(ask);
}

static int take(const void *how, const struct fl_http_answer *answer,
		struct outcome *outcome, struct fl_poll_fault *fault)
{
	struct fl_yahoo_ask ask;
	const struct fl_polled *polled = choose(*(const uint8_t *)how, &ask);

	return fl_polled_replay(polled, &ask,
				polled->batch ? "ZZZT,ZZC-USD" : "ZZZT", answer,
				judge, outcome, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 401, 404, 429 };

	if (size >= 2)
		answer_twice(take, data, statuses[data[1] % 6], data + 2,
			     size - 2);
	return 0;
}
