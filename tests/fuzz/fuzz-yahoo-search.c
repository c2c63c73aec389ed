/* fuzz-yahoo-search: what Yahoo's search may answer, as any bytes: news, or
 * instruments.
 *
 * The first byte chooses what is asked for and whether the same bytes are the
 * feed as well, the second the HTTP status. See answers.h; all records are ones
 * that their type's check finds good.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "io/xml.h"
#include "source/yahoo/ask.h"

static void judge(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	count_item(arg, item, item->len, refused);
	if (!refused)
		assert(check_item(item) == FL_REASON_NONE);
}

static const struct fl_polled *choose(uint8_t byte, struct fl_yahoo_ask *ask)
{
	static const char *const texts[] = { "example", NULL };

	*ask = (struct fl_yahoo_ask){
		.kind = byte & 1 ? FL_YAHOO_INSTRUMENTS : FL_YAHOO_NEWS,
		.search = byte & 1 ? texts : NULL,
		.count = 10,
		.from_search = !(byte & 2) || !fl_xml_works(),
		.from_rss = (byte & 6) && fl_xml_works(),
		.last = byte & 8 ? 2 : 0,
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

	return fl_polled_replay(polled, &ask, "ZZZT", answer, judge, outcome,
				fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 404, 429, 500 };

	if (size >= 2)
		answer_twice(take, data, statuses[data[1] % 6], data + 2,
			     size - 2);
	return 0;
}
