/* fuzz-alphavantage: what Alpha Vantage may answer, JSON, CSV or any bytes.
 *
 * The first byte chooses what was asked for, the second the options, the third
 * the HTTP status. See answers.h; the key, which answers may repeat, is in no
 * words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "source/av/av.h"

extern const struct fl_polled fl_polled_av;

#define KEY "KEY0OF0THE0FUZZER"

static void judge(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	enum fl_reason reason;

	count_item(arg, item, item->len, refused);
	if (refused)
		return;
	/* What a price may be is fl-clean's to say. */
	reason = check_item(item);
	assert(!reason || reason == FL_REASON_out_of_range ||
	       reason == FL_REASON_ohlc_order || reason == FL_REASON_too_long);
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
	plan->now_ns = ANSWERS_NOW;
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

static int take(const void *how, const struct fl_http_answer *answer,
		struct outcome *outcome, struct fl_poll_fault *fault)
{
	const uint8_t *data = how;
	struct fl_av_learnt learnt = { 0 };
	struct fl_av_plan plan = { .learnt = &learnt };
	int result;

	choose(data[0], data[1], &plan);
	result = fl_polled_replay(&fl_polled_av, &plan,
				  plan.subjects[0] ? plan.subjects[0]
						   : symbols[data[0] / 16 % 4],
				  answer, judge, outcome, fault);
	if (fault->code[0]) /* a message of the provider's */
		assert(!strstr(fault->text, KEY));
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 404, 429, 503 };

	if (size >= 3)
		answer_twice(take, data, statuses[data[2] % 6], data + 3,
			     size - 3);
	return 0;
}
