/* fuzz-yahoo-search: what Yahoo's search may answer, as any bytes: news, or
 * instruments.
 *
 * The first byte chooses what is asked for and whether the same bytes are the
 * feed as well, the second the HTTP status. Whatever the answer, it is a fault
 * with words, or records that their type's check finds good and that are
 * canonical to the byte. Given twice, it comes out the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "rec/record.h"
#include "source/rss.h"
#include "source/yahoo/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t count, sum;
};

static void judge(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	struct outcome *outcome = arg;
	struct fl_record rec = {
		.bytes = item->bytes, .len = item->len, .line = 1, .input = "-"
	};
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	struct fl_buf again = FL_BUF_INIT;

	outcome->count++;
	outcome->sum += fl_hash64(item->bytes, item->len) * (refused + 1u);
	if (refused)
		return;
	assert(fl_record_check(&rec, &json, &note) == FL_REASON_NONE);
	assert(rec.ts_ns == item->ts_ns);
	assert(!rec.fixes);
	fl_record_canonical(&rec, &again);
	assert(again.len == item->len &&
	       memcmp(again.data, item->bytes, again.len) == 0);
	fl_buf_release(&again);
	fl_json_release(&json);
}

static const struct fl_polled *choose(uint8_t byte, struct fl_yahoo_ask *ask)
{
	static const char *const texts[] = { "example", NULL };

	*ask = (struct fl_yahoo_ask){
		.kind = byte & 1 ? FL_YAHOO_INSTRUMENTS : FL_YAHOO_NEWS,
		.search = byte & 1 ? texts : NULL,
		.count = 10,
		.from_search = !(byte & 2) || !fl_rss_works(),
		.from_rss = (byte & 6) && fl_rss_works(),
		.last = byte & 8 ? 2 : 0,
		.from_ns = FL_TIME_NONE,
		.to_ns = FL_TIME_NONE,
		.now_ns = INT64_C(1767747600) * FL_SECOND,
	};
	return fl_yahoo_polled(ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 404, 429, 500 };
	struct outcome once = { 0 }, twice = { 0 };
	struct fl_poll_fault fault = { .reason = FL_REASON_NONE };
	struct fl_yahoo_ask ask;
	const struct fl_polled *polled;
	struct fl_http_answer answer = { .date_ns = FL_TIME_NONE, .head = "" };
	char *body;
	int result;

	if (size < 2)
		return 0;
	polled = choose(data[0], &ask);
	answer.status = statuses[data[1] % 6];
	answer.len = size - 2;
	/* With the NUL that an answer's body has. */
	body = malloc(answer.len + 1);
	memcpy(body, data + 2, answer.len);
	body[answer.len] = '\0';
	answer.body = body;
	result = fl_polled_replay(polled, &ask, "ZZZT", &answer, judge, &once,
				  &fault);
	assert(result == 0 || (fault.reason && fault.text[0] && !once.count));
	fl_polled_replay(polled, &ask, "ZZZT", &answer, judge, &twice, &fault);
	assert(once.count == twice.count && once.sum == twice.sum);
	free(body);
	return 0;
}
