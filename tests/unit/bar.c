/* bar: parts of a bar make the same bar, however they were cut and grouped; and
 * the field table says of each field what the merge does with it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/bar.h"

#include "base/mem.h"
#include "base/time.h"
#include "tap.h"

enum {
	TICKS = 60,
	ROUNDS = 400,
};

static uint64_t state = 7;

static unsigned below(unsigned n)
{
	state = state * UINT64_C(6364136223846793005) + 1;
	return (unsigned)(state >> 33) % n;
}

/* A part as one tick makes it; some ticks have no size. */
static struct fl_ohlcv tick_at(int64_t ts)
{
	struct fl_ohlcv v = { .trades = 1, .has_trades = true };
	struct fl_decimal size = fl_decimal_from_i64(1 + below(900));

	v.open = fl_decimal_from_i64(9000 + below(2000));
	if (below(2) && v.open.mant % 2)
		v.open.scale = (int8_t)(v.open.scale + 2);
	v.high = v.low = v.close = v.open;
	v.first_ts = v.last_ts = ts;
	if (below(5)) {
		v.has_volume = v.has_turnover = true;
		fl_sum_add(&v.volume, size);
		fl_sum_add_product(&v.turnover, v.open, size);
	}
	return v;
}

static struct fl_bar part(const struct fl_ohlcv *v)
{
	return (struct fl_bar){
		.v = *v,
		.ts_ns = 0,
		.ts_end_ns = FL_MINUTE,
		.provider = { "agg:t", 5 },
		.symbol = { "ZZZT", 4 },
		.interval = { "1m", 2 },
		.adj = { "none", 4 },
		.partial = true,
	};
}

static char *printed(const struct fl_bar *bar)
{
	struct fl_buf out = FL_BUF_INIT;

	fl_bar_print(bar, &out);
	return fl_buf_take(&out);
}

/* Join neighbours at random until one is left: mark order is kept, grouping is
 * not. */
static void join_all(struct fl_bar *bars, unsigned count)
{
	struct fl_note note;

	while (count > 1) {
		unsigned i = below(count - 1);

		if (fl_bar_join(&bars[i], &bars[i + 1], &note))
			abort();
		count--;
		memmove(&bars[i + 1], &bars[i + 2],
			(count - i - 1) * sizeof(*bars));
	}
}

static void test_grouping(void)
{
	int wrong = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct fl_ohlcv ticks[TICKS];
		struct fl_bar bars[TICKS], whole;
		struct fl_note note;
		char *want, *got;

		/* Times repeat and go back. */
		for (unsigned i = 0; i < TICKS; i++)
			ticks[i] = tick_at((int64_t)below(20) * 1000000);
		whole = part(&ticks[0]);
		bars[0] = whole;
		for (unsigned i = 1; i < TICKS; i++) {
			bars[i] = part(&ticks[i]);
			fl_bar_join(&whole, &bars[i], &note);
		}
		join_all(bars, TICKS);
		want = printed(&whole);
		got = printed(&bars[0]);
		wrong += strcmp(want, got) != 0;
		free(want);
		free(got);
	}
	is_int(wrong, 0, "ticks grouped in any way make the same bar");
}

struct parsed {
	struct fl_record rec;
	struct fl_json json;
};

static const struct fl_record *parse(struct parsed *p, const char *line)
{
	struct fl_note note;

	p->rec = (struct fl_record){ .bytes = line, .len = strlen(line) };
	if (fl_record_check(&p->rec, &p->json, &note))
		abort();
	return &p->rec;
}

#define HEAD                                                                   \
	"{\"type\":\"bar\",\"ts\":\"2026-01-02T14:30:00.000Z\","               \
	"\"provider\":\"agg:t\",\"symbol\":\"ZZZT\",\"interval\":\"1m\","
#define EARLY                                                                  \
	HEAD "\"open\":10,\"high\":12,\"low\":9.5,\"close\":11,"               \
	     "\"adj\":\"none\",\"ts_end\":\"2026-01-02T14:31:00.000Z\","       \
	     "\"volume\":100,\"turnover\":1050,\"trades\":2,"                  \
	     "\"first_ts\":\"2026-01-02T14:30:01.000Z\","                      \
	     "\"last_ts\":\"2026-01-02T14:30:20.000Z\",\"partial\":true"
#define LATE                                                                   \
	HEAD "\"open\":11.5,\"high\":11.75,\"low\":9.25,\"close\":9.5,"        \
	     "\"adj\":\"none\",\"ts_end\":\"2026-01-02T14:31:00.000Z\","       \
	     "\"volume\":50,\"turnover\":520.5,\"trades\":1,"                  \
	     "\"first_ts\":\"2026-01-02T14:30:20.000Z\","                      \
	     "\"last_ts\":\"2026-01-02T14:30:40.000Z\",\"partial\":true"

static void test_records(void)
{
	struct parsed a = { .json = FL_JSON_INIT },
		      b = { .json = FL_JSON_INIT };
	struct parsed c = { .json = FL_JSON_INIT };
	struct fl_buf out = FL_BUF_INIT, end = FL_BUF_INIT;
	struct fl_note note = { "", "" };

	is_int(fl_bar_merge(parse(&a, EARLY "}"), parse(&b, LATE "}"), &out,
			    &note),
	       FL_REASON_NONE, "two parts merge");
	is_str(fl_buf_text(&out),
	       HEAD "\"open\":10,\"high\":12,\"low\":9.25,\"close\":9.5,"
		    "\"adj\":\"none\",\"ts_end\":\"2026-01-02T14:31:00.000Z\","
		    "\"volume\":150,\"turnover\":1570.5,\"trades\":3,"
		    "\"first_ts\":\"2026-01-02T14:30:01.000Z\","
		    "\"last_ts\":\"2026-01-02T14:30:40.000Z\","
		    "\"partial\":true}",
	       "into one that is canonical and still partial");
	fl_bar_finish(parse(&c, out.data), FL_TIME_NONE, &end);
	ok(strstr(end.data,
		  "\"turnover\":1570.5,\"vwap\":10.47,\"trades\":3") &&
		   !strstr(end.data, "partial") && !strstr(end.data, "final"),
	   "whole, it has its vwap");
	fl_buf_reset(&end);
	fl_bar_finish(&c.rec, c.rec.ts_ns + FL_MINUTE - 1, &end);
	ok(strstr(end.data, ",\"final\":false") != NULL,
	   "one nanosecond before its end it is not final");
	fl_buf_reset(&end);
	fl_bar_finish(&c.rec, c.rec.ts_ns + FL_MINUTE, &end);
	ok(!strstr(end.data, "final"), "at its end it is");

	is_int(fl_bar_merge(parse(&a, EARLY ",\"currency\":\"USD\"}"),
			    parse(&b, LATE ",\"currency\":\"EUR\"}"), &out,
			    &note),
	       FL_REASON_mixed_currency, "two currencies do not merge");
	is_str(note.detail, "'currency' is EUR in a bar in USD", "and why");
	fl_buf_reset(&out);
	is_int(fl_bar_merge(&a.rec, parse(&b, LATE "}"), &out, &note),
	       FL_REASON_NONE, "one that says none merges with one that does");
	ok(strstr(out.data, ",\"currency\":\"USD\"}") != NULL, "and has it");
	parse(&b, HEAD "\"open\":1,\"high\":1,\"low\":1,\"close\":1,"
		       "\"adj\":\"none\"}");
	is_int(fl_bar_merge(&a.rec, &b.rec, &out, &note),
	       FL_REASON_merge_conflict, "a part and a whole bar do not merge");
	is_int(fl_bar_merge(&b.rec, &a.rec, &out, &note),
	       FL_REASON_merge_conflict, "nor a whole one and a part");
	fl_json_release(&a.json);
	fl_json_release(&b.json);
	fl_json_release(&c.json);
	fl_buf_release(&out);
	fl_buf_release(&end);
}

static void test_overflow(void)
{
	struct fl_ohlcv a = tick_at(5), b = tick_at(6), before;

	fl_sum_parse("99999999999999999999999999999", 29, &a.volume);
	b.volume = a.volume;
	before = a;
	ok(!fl_ohlcv_merge(&a, &b), "38 digits are all there is");
	ok(a.last_ts == before.last_ts && a.trades == before.trades,
	   "and nothing of it was taken");
}

/* What bar-merge.c writes by hand, the stores write by the table's word. */
static void test_table(void)
{
	static const enum fl_merge want[FL_BAR_FIELDS] = {
		[FL_BAR_TS] = FL_MERGE_KEY,
		[FL_BAR_PROVIDER] = FL_MERGE_KEY,
		[FL_BAR_SYMBOL] = FL_MERGE_KEY,
		[FL_BAR_INTERVAL] = FL_MERGE_KEY,
		[FL_BAR_ADJ] = FL_MERGE_KEY,
		[FL_BAR_SESSION] = FL_MERGE_KEY,
		[FL_BAR_OPEN] = FL_MERGE_FIRST,
		[FL_BAR_HIGH] = FL_MERGE_MAX,
		[FL_BAR_LOW] = FL_MERGE_MIN,
		[FL_BAR_CLOSE] = FL_MERGE_LAST,
		[FL_BAR_DATE] = FL_MERGE_FIRST,
		[FL_BAR_TS_END] = FL_MERGE_FIRST,
		[FL_BAR_TZ] = FL_MERGE_FIRST,
		[FL_BAR_VOLUME] = FL_MERGE_SUM,
		[FL_BAR_TURNOVER] = FL_MERGE_SUM,
		[FL_BAR_VWAP] = FL_MERGE_DERIVE,
		[FL_BAR_TRADES] = FL_MERGE_SUM,
		[FL_BAR_FIRST_TS] = FL_MERGE_MIN,
		[FL_BAR_LAST_TS] = FL_MERGE_MAX,
		[FL_BAR_FINAL] = FL_MERGE_DERIVE,
		[FL_BAR_PARTIAL] = FL_MERGE_MAX,
		[FL_BAR_CURRENCY] = FL_MERGE_FIRST,
		[FL_BAR_CURRENCY_SRC] = FL_MERGE_FIRST,
		[FL_BAR_PRICE_SCALE] = FL_MERGE_FIRST,
		[FL_BAR_MIC] = FL_MERGE_FIRST,
		[FL_BAR_EXCHANGE] = FL_MERGE_FIRST,
	};
	int wrong = 0;

	for (int i = 0; i < FL_BAR_FIELDS; i++) {
		if (fl_type_bar.fields[i].merge != want[i]) {
			note("field %s", fl_type_bar.fields[i].path);
			wrong++;
		}
	}
	is_int(wrong, 0, "the table says of each field how it merges");
	is_int(fl_type_field(&fl_type_bar, "exchange", 8), FL_BAR_EXCHANGE,
	       "the places of bar.h are the table's");
}

int main(void)
{
	test_grouping();
	test_records();
	test_overflow();
	test_table();
	return done_testing();
}
