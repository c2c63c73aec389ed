/* fuzz-yahoo-chart: what Yahoo's chart service may answer, as any bytes.
 *
 * The first byte chooses the options, the second the HTTP status. Whatever the
 * answer, it is a fault with words, or records that parse, of the time that is
 * told for them; where its type's check finds one good it is canonical to the
 * byte, and fl-clean would have nothing to change. Given twice, it comes out
 * the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rec/record.h"
#include "source/yahoo/number.h"
#include "source/yahoo/yahoo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fl_polled fl_polled_yahoo;

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
	enum fl_reason reason = fl_record_check(&rec, &json, &note);

	outcome->count++;
	outcome->sum += fl_hash64(item->bytes, item->len) * (refused + 1u);
	if (refused) {
		/* What is refused would be refused again. */
		assert(reason != FL_REASON_NONE ||
		       refused != FL_REASON_null_bar);
	} else if (reason) {
		/* What a price may be is fl-clean's to say. */
		assert(reason == FL_REASON_out_of_range ||
		       reason == FL_REASON_ohlc_order);
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

/* Options by bits, as plan.c would make them of words. */
static void choose(uint8_t how, struct fl_yahoo_plan *plan)
{
	static const struct fl_yahoo_interval intervals[] = {
		{ FL_DAY, 0, "1d", 1, INT64_C(9000000000), 0 },
		{ 7 * FL_DAY, 0, "1wk", 1, INT64_C(9000000000), 0 },
		{ 0, 1, "1mo", 1, INT64_C(9000000000), 0 },
		{ FL_MINUTE, 0, "1m", 1, INT64_C(9000000000), 0 },
		{ 30 * FL_MINUTE, 0, "15m", 2, INT64_C(9000000000), 0 },
	};
	static const char *const texts[] = { "1d", "1wk", "1mo", "1m", "30m" };
	unsigned i = how % 5;

	*plan = (struct fl_yahoo_plan){
		.interval = &intervals[i],
		.dated = i < 3,
		.adj = (enum fl_yahoo_adj)(how / 5 % 3),
		.bars = true,
		.dividends = !(how & 64),
		.splits = true,
		.last = how & 128 ? 2 : 0,
		.all_sessions = i >= 3 && (how & 32),
		.from_ns = FL_TIME_NONE,
		.to_ns = FL_TIME_NONE,
		.from_day = FL_TIME_NONE,
		.to_day = FL_TIME_NONE,
		.from_s = -1,
		.to_s = INT64_C(4000000000),
		.now_ns = INT64_C(1767747600) * FL_SECOND,
	};
	strcpy(plan->interval_text, texts[i]);
	if (!plan->dated && plan->adj == FL_YAHOO_ALL)
		plan->adj = FL_YAHOO_SPLIT;
}

static void read_number(const char *text, size_t len)
{
	struct fl_decimal ours, exact;
	bool rounded = false;
	int read = fl_decimal_parse(text, len, &exact);

	if (!fl_yahoo_number(text, len, &ours, &rounded)) {
		assert(read < 0);
		return;
	}
	/* The same number, or at least the same float. */
	assert(read >= 0 && (fl_decimal_cmp(ours, exact) == 0 ||
			     (float)fl_decimal_to_double(ours) ==
				     (float)fl_decimal_to_double(exact)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 404, 400, 429, 500 };
	struct outcome once = { 0 }, twice = { 0 };
	struct fl_poll_fault fault = { .reason = FL_REASON_NONE };
	struct fl_yahoo_plan plan;
	struct fl_http_answer answer = { .date_ns = FL_TIME_NONE, .head = "" };
	char *body;
	int result;

	if (size < 2)
		return 0;
	choose(data[0], &plan);
	answer.status = statuses[data[1] % 6];
	answer.len = size - 2;
	/* With the NUL that an answer's body has. */
	body = malloc(answer.len + 1);
	memcpy(body, data + 2, answer.len);
	body[answer.len] = '\0';
	answer.body = body;
	if (answer.len < 40)
		read_number(body, answer.len);
	result = fl_polled_replay(&fl_polled_yahoo, &plan, "ZZZT", &answer,
				  judge, &once, &fault);
	assert(result == 0 || (fault.reason && fault.text[0] && !once.count));
	fl_polled_replay(&fl_polled_yahoo, &plan, "ZZZT", &answer, judge,
			 &twice, &fault);
	assert(once.count == twice.count && once.sum == twice.sum);
	free(body);
	return 0;
}
