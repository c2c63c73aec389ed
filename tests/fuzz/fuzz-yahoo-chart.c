/* fuzz-yahoo-chart: what Yahoo's chart service may answer, as any bytes.
 *
 * The first byte chooses the options, the second the HTTP status. See
 * answers.h; a short answer is read as a number, too.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "source/yahoo/number.h"
#include "source/yahoo/yahoo.h"

extern const struct fl_polled fl_polled_yahoo;

static void judge(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	enum fl_reason reason;

	count_item(arg, item, item->len, refused);
	if (refused) {
		/* What is refused would be refused again. */
		assert(refused != FL_REASON_null_bar || check_item(item));
		return;
	}
	/* What a price may be is fl-clean's to say. */
	reason = check_item(item);
	assert(!reason || reason == FL_REASON_out_of_range ||
	       reason == FL_REASON_ohlc_order);
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
		.now_ns = ANSWERS_NOW,
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

static int take(const void *how, const struct fl_http_answer *answer,
		struct outcome *outcome, struct fl_poll_fault *fault)
{
	struct fl_yahoo_plan plan;

	choose(*(const uint8_t *)how, &plan);
	if (answer->len < 40)
		read_number(answer->body, answer->len);
	return fl_polled_replay(&fl_polled_yahoo, &plan, "ZZZT", answer, judge,
				outcome, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 404, 400, 429, 500 };

	if (size >= 2)
		answer_twice(take, data, statuses[data[1] % 6], data + 2,
			     size - 2);
	return 0;
}
