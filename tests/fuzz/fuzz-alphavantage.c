/* fuzz-alphavantage: what Alpha Vantage may answer, JSON, CSV or any bytes.
 *
 * The first byte chooses what was asked for, the second the options, the third
 * the HTTP status. Whatever the answer, it is a fault with words, or records
 * that parse, of the time that is told for them; where its type's check finds
 * one good it is canonical to the byte, and fl-clean would have nothing to
 * change. Given twice, it comes out the same. The key, which answers may
 * repeat, is in no words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rec/record.h"
#include "source/av/av.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fl_polled fl_polled_av;

#define KEY "KEY0OF0THE0FUZZER"

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
	enum fl_reason reason;

	outcome->count++;
	outcome->sum += fl_hash64(item->bytes, item->len) * (refused + 1u);
	if (refused)
		return;
	reason = fl_record_check(&rec, &json, &note);
	if (reason) {
		/* What a price may be is fl-clean's to say. */
		assert(reason == FL_REASON_out_of_range ||
		       reason == FL_REASON_ohlc_order ||
		       reason == FL_REASON_too_long);
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

static const char *const symbols[] = { "ZZZT", "ZZZT.L", "EURUSD=X",
				       "BTC-EUR" };

/* What was asked for and how, as plan.c would make it of words. */
static void choose(uint8_t what, uint8_t how, struct fl_av_plan *plan)
{
	static const struct {
		const char *interval, *minutes;
	} series[] = {
		{ "1d", NULL },   { "1wk", NULL },   { "1mo", NULL },
		{ "5m", "5min" }, { "1h", "60min" },
	};
	static const struct {
		const char *subject;
		enum fl_av_step step;
	} lists[] = {
		{ "a b", FL_AV_SEARCH },      { "listing", FL_AV_LISTING },
		{ "markets", FL_AV_MARKETS }, { "earnings", FL_AV_EARNINGS },
		{ "ipos", FL_AV_IPOS },       { "news", FL_AV_NEWS },
	};
	struct fl_error err = { .code = FL_OK };
	unsigned kind = what % 16, i = kind < 5 ? kind : 0;

	plan->minutes = series[i].minutes;
	assert(fl_interval_parse(series[i].interval, &plan->interval, &err) ==
	       0);
	plan->from_ns = plan->to_ns = FL_TIME_NONE;
	plan->from_day = plan->to_day = FL_TIME_NONE;
	plan->now_ns = INT64_C(1767747600) * FL_SECOND;
	plan->key = KEY;
	plan->search = "a b";
	plan->adj = (enum fl_av_adj)(how % 3);
	if (plan->adj == FL_AV_SPLIT && i)
		plan->adj = FL_AV_ALL;
	plan->last = how & 8 ? 2 : 0;
	plan->csv = how & 16;
	plan->currency = how & 32 ? "GBX" : NULL;
	plan->along = how & 64;
	if (plan->minutes) /* else three hundred months are asked for */
		plan->from_ns = plan->now_ns - 5 * FL_DAY;
	plan->ranged = plan->minutes != NULL;
	if (kind < 5) {
		plan->bars = true;
		plan->dividends = plan->splits = !(how & 128);
	} else if (kind < 10) {
		plan->quotes = kind == 5;
		plan->news = kind == 6;
		plan->instruments = kind == 7;
		plan->dividends = plan->splits = kind == 8;
		plan->calendar = kind == 9;
	} else {
		plan->subjects[0] = lists[kind - 10].subject;
		plan->subject_steps[0] = lists[kind - 10].step;
		plan->news = lists[kind - 10].step == FL_AV_NEWS;
	}
}

static int run(const uint8_t *data, const struct fl_http_answer *answer,
	       struct outcome *outcome, struct fl_poll_fault *fault)
{
	struct fl_av_learnt learnt = { 0 };
	struct fl_av_plan plan = { .learnt = &learnt };

	choose(data[0], data[1], &plan);
	return fl_polled_replay(&fl_polled_av, &plan,
				plan.subjects[0] ? plan.subjects[0]
						 : symbols[data[0] / 16 % 4],
				answer, judge, outcome, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 404, 429, 503 };
	struct outcome once = { 0 }, twice = { 0 };
	struct fl_poll_fault fault = { .reason = FL_REASON_NONE };
	struct fl_http_answer answer = { .date_ns = FL_TIME_NONE, .head = "" };
	char *body;
	int result;

	if (size < 3)
		return 0;
	answer.status = statuses[data[2] % 6];
	answer.len = size - 3;
	/* With the NUL that an answer's body has. */
	body = malloc(answer.len + 1);
	memcpy(body, data + 3, answer.len);
	body[answer.len] = '\0';
	answer.body = body;
	result = run(data, &answer, &once, &fault);
	assert(result == 0 || (fault.reason && fault.text[0] && !once.count));
	if (fault.code[0]) /* a message of the provider's */
		assert(!strstr(fault.text, KEY));
	run(data, &answer, &twice, &fault);
	assert(once.count == twice.count && once.sum == twice.sum);
	free(body);
	return 0;
}
