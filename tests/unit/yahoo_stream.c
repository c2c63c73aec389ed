/* The stream's messages: protobuf fields one by one, the two vectors of
 * PricingData, and what of a message becomes a quote. */
#include <string.h>

#include "base/base64.h"
#include "base/time.h"
#include "source/yahoo/proto.h"
#include "source/yahoo/stream.h"
#include "tap.h"

#define ZZZT "CgRaWlpUFQCAykIYgLD/9u9mKgNOTVMwCDgBRQAAoD9IgIkPZQAAoD/YAQQ="
#define XTC                                                                    \
	"CgdYVEMtVVNEFYBQQ0cYgLD/9u9mIgNVU0QqA0NDQzApOAFFAAAAv0jiovOtB9gBBOAB" \
	"4qLzrQfyAQNYVEOJAgAAgHnv03VC"
#define TIME_MS INT64_C(1767369600000)
#define RECV_NS (TIME_MS * 1000000 + 250000)

static struct fl_yahoo_pricing pricing;
static char wire[512];
static size_t wire_len;

static void read_vector(const char *text)
{
	struct fl_buf bytes = FL_BUF_INIT;
	struct fl_note why = { "", "" };

	ok(fl_base64_read(text, strlen(text), &bytes), "the vector is base64");
	/* Texts are borrowed from the message. */
	memcpy(wire, bytes.data, bytes.len);
	wire_len = bytes.len;
	is_int(fl_yahoo_pricing_read(wire, bytes.len, &pricing, &why),
	       FL_REASON_NONE, "the vector is a message");
	fl_buf_release(&bytes);
}

static void is_text(unsigned number, const char *want)
{
	char got[100];

	snprintf(got, sizeof(got), "%.*s", (int)pricing.at[number].len,
		 pricing.at[number].text ? pricing.at[number].text : "");
	is_str(got, want, "%s", fl_yahoo_pricing_name(number));
}

static void is_integer(unsigned number, int64_t want)
{
	is_int(pricing.at[number].integer, want, "%s",
	       fl_yahoo_pricing_name(number));
}

static void is_single(unsigned number, float want)
{
	ok(pricing.at[number].single == want, "%s",
	   fl_yahoo_pricing_name(number));
}

static void test_vectors(void)
{
	uint64_t came;

	read_vector(ZZZT);
	is_text(FL_PRICING_ID, "ZZZT");
	is_single(FL_PRICING_PRICE, 101.25F);
	is_integer(FL_PRICING_TIME, TIME_MS);
	is_text(FL_PRICING_EXCHANGE, "NMS");
	is_integer(FL_PRICING_QUOTE_TYPE, 8);
	is_integer(FL_PRICING_MARKET_HOURS, 1);
	is_single(FL_PRICING_CHANGE_PERCENT, 1.25F);
	is_integer(FL_PRICING_DAY_VOLUME, 123456);
	is_single(FL_PRICING_CHANGE, 1.25F);
	is_integer(FL_PRICING_PRICE_HINT, 2);
	came = pricing.has;
	is_int(__builtin_popcountll(came), 10, "and no more than these ten");
	is_text(FL_PRICING_CURRENCY, "");

	read_vector(XTC);
	is_text(FL_PRICING_ID, "XTC-USD");
	is_single(FL_PRICING_PRICE, 50000.5F);
	is_integer(FL_PRICING_TIME, TIME_MS);
	is_text(FL_PRICING_CURRENCY, "USD");
	is_text(FL_PRICING_EXCHANGE, "CCC");
	is_integer(FL_PRICING_QUOTE_TYPE, 41);
	is_integer(FL_PRICING_MARKET_HOURS, 1);
	is_single(FL_PRICING_CHANGE_PERCENT, -0.5F);
	is_integer(FL_PRICING_DAY_VOLUME, 987654321);
	is_integer(FL_PRICING_PRICE_HINT, 2);
	is_integer(FL_PRICING_VOL_24HR, 987654321);
	is_text(FL_PRICING_FROM_CURRENCY, "XTC");
	ok(pricing.at[FL_PRICING_MARKET_CAP].wide == 1.5e12, "market_cap");
	is_int(__builtin_popcountll(pricing.has), 13, "and no more than these");
}

/* Reading bytes[len] ends so. */
static void ends(const char *bytes, size_t len, enum fl_reason want,
		 const char *what)
{
	struct fl_note why = { "", "" };
	char *copy = malloc(len ? len : 1);
	enum fl_reason got;

	memcpy(copy, bytes, len);
	got = fl_yahoo_pricing_read(copy, len, &pricing, &why);
	is_int(got, want, "%s", what);
	ok(!got || why.detail[0], "and is told why: %s", why.detail);
	free(copy);
}

/* Every beginning of a message is one too, or truncated. */
static void test_beginnings(void)
{
	unsigned cut = 0, whole = 0;

	read_vector(XTC);
	for (size_t len = 0; len <= wire_len; len++) {
		struct fl_note why;
		enum fl_reason got =
			fl_yahoo_pricing_read(wire, len, &pricing, &why);

		cut += got == FL_REASON_truncated;
		whole += got == FL_REASON_NONE;
	}
	is_int(whole, 14, "13 fields make 14 places to end at");
	is_int(cut, wire_len - 13, "all others are truncated");
}

static void test_fields(void)
{
#define ENDS(bytes, want, what)                                                \
	ends(bytes, sizeof(bytes) - 1, FL_REASON_##want, what)
	ENDS("", NONE, "an empty message has no fields");
	ENDS("\xf2\x07\x02zz\x12\x00", NONE, "field 126, and 2 as text");
	is_int(pricing.has, 0, "an unknown field and wire type are skipped");
	ENDS("\x30\x08\x30\x09", NONE, "a field twice");
	is_integer(FL_PRICING_QUOTE_TYPE, 9);
	ENDS("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", NONE, "int32 -1");
	is_integer(FL_PRICING_QUOTE_TYPE, -1);
	ENDS("\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", NONE, "the least");
	is_integer(FL_PRICING_DAY_VOLUME, INT64_MIN);
	ENDS("\x48\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", NONE, "the most");
	is_integer(FL_PRICING_DAY_VOLUME, INT64_MAX);
	ENDS("\x0a", truncated, "no length");
	ENDS("\x0a\x05zzz", truncated, "a text that is too short");
	ENDS("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01zz", truncated,
	     "a length of 2^64 - 1");
	ENDS("\x15\x01\x02\x03", truncated, "three of four bytes");
	ENDS("\x89\x02zzzzzzz", truncated, "seven of eight");
	ENDS("\x18\x80", truncated, "half a number");
	ENDS("\x88", truncated, "half a tag");
	ENDS("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", unknown_format,
	     "65 bits");
	ENDS("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", unknown_format,
	     "eleven bytes of a number");
	ENDS("\x02zz", unknown_format, "field 0");
	ENDS("\x0b\x0c", unknown_format, "a group");
	ENDS("\x0f", unknown_format, "wire type 7");
	ENDS("\xfa\xff\xff\xff\x7f\x01z", unknown_format, "too high a number");
	ENDS("\x0a\x02\xc3(", bad_utf8, "a text that is not UTF-8");
	ENDS("\x0a\x01\0", bad_utf8, "a text with U+0000");
	test_beginnings();
}

/* The record of a message, or "REASON DETAIL", or "passed". */
static const char *tick(const char *message)
{
	static struct fl_yahoo_ticker ticker;
	static char text[2000];
	struct fl_item item = { 0 };

	switch (fl_yahoo_tick(&ticker, message, strlen(message), RECV_NS,
			      &item)) {
	case FL_YAHOO_TICK:
		snprintf(text, sizeof(text), "%.*s", (int)item.len, item.bytes);
		break;
	case FL_YAHOO_PASSED:
		snprintf(text, sizeof(text), "passed");
		break;
	case FL_YAHOO_BAD:
		snprintf(text, sizeof(text), "%s %s",
			 fl_reason_name(ticker.reason), ticker.note.detail);
		break;
	}
	return text;
}

#define PRICING(text) "{\"type\":\"pricing\",\"message\":\"" text "\"}"
#define ZZZT_LINE                                                              \
	"{\"type\":\"quote\",\"ts\":\"2026-01-02T16:00:00.000Z\","             \
	"\"provider\":\"yahoo\",\"symbol\":\"ZZZT\",\"price\":101.25,"         \
	"\"volume\":123456,\"change\":1.25,\"change_pct\":1.25,"               \
	"\"mic\":\"XNAS\",\"exchange\":\"NMS\",\"asset\":\"equity\","          \
	"\"market_state\":\"regular\","                                        \
	"\"ts_recv\":\"2026-01-02T16:00:00.000250Z\",\"price_hint\":2}"

static void test_ticks(void)
{
	is_str(tick(PRICING(ZZZT)), ZZZT_LINE, "the first vector");
	is_str(tick(ZZZT), ZZZT_LINE, "bare, as before version=2");
	is_str(tick(PRICING(XTC)),
	       "{\"type\":\"quote\",\"ts\":\"2026-01-02T16:00:00.000Z\","
	       "\"provider\":\"yahoo\",\"symbol\":\"XTC-USD\","
	       "\"price\":50000.5,\"volume\":987654321,\"change_pct\":-0.5,"
	       "\"currency\":\"USD\",\"exchange\":\"CCC\",\"asset\":\"crypto\","
	       "\"market_state\":\"regular\","
	       "\"ts_recv\":\"2026-01-02T16:00:00.000250Z\",\"price_hint\":2,"
	       "\"vol_24hr\":987654321,\"from_currency\":\"XTC\","
	       "\"market_cap\":1500000000000}",
	       "the second");
	is_str(tick("{\"type\":\"news\",\"message\":7}"), "passed",
	       "an unknown type");
	is_str(tick(PRICING("CgRaWlpUMAc=")), "passed", "a heartbeat");
	is_str(tick("{\"type\":\"pricing\"}"),
	       "missing_field a message of type pricing without 'message'",
	       "no message");
	is_str(tick("{}"), "unknown_format a message without a 'type'",
	       "no type");
	is_str(tick(PRICING("CgRaWlpU*")),
	       "unknown_format a message that is not base64", "no base64");
	is_str(tick(""), "unknown_format a message that is not base64",
	       "nothing");
	is_str(tick(PRICING("CgRaWlpUFQ==")),
	       "truncated the message ends within four bytes", "cut short");
	is_str(tick(PRICING("FQCAykIYgLD/9u9m")),
	       "missing_field 'id' is "
	       "missing",
	       "no symbol");
	is_str(tick(PRICING("CgRaWlpUFQCAykI=")),
	       "missing_field 'time' is missing", "no time");
	is_str(tick(PRICING("CgRaWlpUGICw//bvZg==")),
	       "missing_field 'price' is missing", "no price");
	/* 0x7fc00000: NaN */
	is_str(tick(PRICING("CgRaWlpUFQAAwH8YgLD/9u9m")),
	       "bad_number 'price' is no number that a record can hold",
	       "a price that is no number");
	ok(strncmp(tick("{\"type\":\"pricing\",\"message\":\"x"), "bad_json",
		   8) == 0,
	   "no JSON");
}

/* zzz.l at 1286.57 GBp, a float that is no short double: in pounds. */
static void test_pence(void)
{
	static const char bytes[] = "\x0a\x05zzz.l\x15\x3d\xd2\xa0\x44\x18\x80"
				    "\xb0\xff\xf6\xef\x66\x22\x03GBp\x65\x00"
				    "\x00\x00\x00";
	struct fl_buf text = FL_BUF_INIT;

	fl_base64_put(&text, bytes, sizeof(bytes) - 1);
	is_str(tick(fl_buf_text(&text)),
	       "{\"type\":\"quote\",\"ts\":\"2026-01-02T16:00:00.000Z\","
	       "\"provider\":\"yahoo\",\"symbol\":\"ZZZ.L\",\"price\":12.8657,"
	       "\"change\":0,\"currency\":\"GBP\",\"currency_src\":\"GBp\","
	       "\"price_scale\":0.01,\"market_state\":\"pre\","
	       "\"symbol_src\":\"zzz.l\","
	       "\"ts_recv\":\"2026-01-02T16:00:00.000250Z\"}",
	       "pence become pounds, and what was sent as 0 stays");
	fl_buf_release(&text);
}

static void test_base64(void)
{
	static const char *const bad[] = { "A",     "AB=",     "A===", "=",
					   "AB==C", "A B=",    "AR==", "ABCDE",
					   "AB-_",  "AAAA====" };
	struct fl_buf out = FL_BUF_INIT, back = FL_BUF_INIT;
	char bytes[256];
	bool same = true;

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (size_t len = 0; len < 256; len++) {
		fl_buf_reset(&out);
		fl_buf_reset(&back);
		fl_base64_put(&out, bytes, len);
		same &= fl_base64_read(fl_buf_text(&out), out.len, &back) &&
			back.len == len &&
			memcmp(fl_buf_text(&back), bytes, len) == 0;
	}
	ok(same, "what is written as base64 reads back");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!fl_base64_read(bad[i], strlen(bad[i]), &back), "no: '%s'",
		   bad[i]);
	fl_buf_release(&out);
	fl_buf_release(&back);
}

int main(void)
{
	test_vectors();
	test_fields();
	test_ticks();
	test_pence();
	test_base64();
	return done_testing();
}
