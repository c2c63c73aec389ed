/* fuzz-yahoo-quote: what Yahoo's quotes, summaries, screeners and, where no
 * crumb is to be had, charts may answer, as any bytes.
 *
 * The first byte chooses what is asked for, the second the HTTP status.
 * Whatever the answer, it is a fault with words, or records that parse, of the
 * time that is told for them; where its type's check finds one good it is
 * canonical to the byte. Given twice, it comes out the same but for the time of
 * its arrival.
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
#include "source/yahoo/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t count, sum;
};

static void judge(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	static const char received[] = ",\"ts_recv\":\"";
	struct outcome *outcome = arg;
	struct fl_record rec = {
		.bytes = item->bytes, .len = item->len, .line = 1, .input = "-"
	};
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	struct fl_buf again = FL_BUF_INIT;
	const char *at = item->len ? memmem(item->bytes, item->len, received,
					    sizeof(received) - 1)
				   : NULL;
	size_t same = at && !refused ? (size_t)(at - item->bytes) : item->len;
	enum fl_reason reason;

	outcome->count++;
	outcome->sum += fl_hash64(item->bytes, same) * (refused + 1u);
	if (refused)
		return;
	reason = fl_record_check(&rec, &json, &note);
	if (reason) {
		/* What a price may be is fl-clean's to say. */
		assert(reason == FL_REASON_out_of_range);
	} else {
		assert(rec.ts_ns == item->ts_ns);
		assert(!rec.fixes);
		fl_record_canonical(&rec, &again);
		assert(again.len == item->len &&
		       memcmp(again.data, item->bytes, again.len) == 0);
	}
	fl_buf_release(&again);
	fl_json_release(&json);
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
		.now_ns = INT64_C(1767747600) * FL_SECOND,
	};
	return fl_yahoo_polled(ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 401, 404, 429 };
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
	result = fl_polled_replay(polled, &ask,
				  polled->batch ? "ZZZT,ZZC-USD" : "ZZZT",
				  &answer, judge, &once, &fault);
	assert(result == 0 || (fault.reason && fault.text[0] && !once.count));
	fl_polled_replay(polled, &ask, polled->batch ? "ZZZT,ZZC-USD" : "ZZZT",
			 &answer, judge, &twice, &fault);
	assert(once.count == twice.count && once.sum == twice.sum);
	free(body);
	return 0;
}
