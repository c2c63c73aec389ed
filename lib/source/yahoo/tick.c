/* tick: a message of the stream as a quote; see stream.h.
 *
 * What is no field of a quote keeps Yahoo's own name and stands behind: it is
 * in the stores' `extra` then, and nobody has to ask for it twice. A price of 0
 * is what proto3 makes of none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/time.h"
#include "rec/subunit.h"
#include "source/yahoo/number.h"
#include "source/yahoo/proto.h"
#include "source/yahoo/stream.h"
#include "source/yahoo/yahoo.h"

enum {
	TYPE_HEARTBEAT = 7,
	SYMBOL_MAX = 64,
	EXCHANGE_MAX = 32,
	MS = 1000000,
};

/* How a number becomes a field. */
enum put {
	PRICE,  /* scaled where the currency is a subunit; 0 is none */
	AMOUNT, /* not scaled; 0 is none */
	CHANGE, /* scaled; 0 is one, where it was sent */
	PLAIN,  /* as sent */
};

struct field {
	unsigned number;
	const char *name;
	enum put put;
};

/* In the order of quote's table. */
static const struct field before_currency[] = {
	{ FL_PRICING_LAST_SIZE, "size", AMOUNT },
	{ FL_PRICING_BID, "bid", PRICE },
	{ FL_PRICING_ASK, "ask", PRICE },
	{ FL_PRICING_BID_SIZE, "bid_size", AMOUNT },
	{ FL_PRICING_ASK_SIZE, "ask_size", AMOUNT },
	{ FL_PRICING_DAY_VOLUME, "volume", AMOUNT },
	{ FL_PRICING_OPEN_PRICE, "open", PRICE },
	{ FL_PRICING_DAY_HIGH, "high", PRICE },
	{ FL_PRICING_DAY_LOW, "low", PRICE },
	{ FL_PRICING_PREVIOUS_CLOSE, "prev_close", PRICE },
	{ FL_PRICING_CHANGE, "change", CHANGE },
	{ FL_PRICING_CHANGE_PERCENT, "change_pct", PLAIN },
	{ 0, NULL, PLAIN },
};

/* No fields of a quote: under Yahoo's names. */
static const struct field others[] = {
	{ FL_PRICING_SHORT_NAME, NULL, PLAIN },
	{ FL_PRICING_EXPIRE_DATE, NULL, AMOUNT },
	{ FL_PRICING_STRIKE_PRICE, NULL, PRICE },
	{ FL_PRICING_UNDERLYING_SYMBOL, NULL, PLAIN },
	{ FL_PRICING_OPEN_INTEREST, NULL, AMOUNT },
	{ FL_PRICING_OPTIONS_TYPE, NULL, PLAIN },
	{ FL_PRICING_MINI_OPTION, NULL, PLAIN },
	{ FL_PRICING_PRICE_HINT, NULL, AMOUNT },
	{ FL_PRICING_VOL_24HR, NULL, AMOUNT },
	{ FL_PRICING_VOL_ALL_CURRENCIES, NULL, AMOUNT },
	{ FL_PRICING_FROM_CURRENCY, NULL, PLAIN },
	{ FL_PRICING_LAST_MARKET, NULL, PLAIN },
	{ FL_PRICING_CIRCULATING_SUPPLY, NULL, AMOUNT },
	{ FL_PRICING_MARKET_CAP, NULL, AMOUNT },
	{ 0, NULL, PLAIN },
};

/* What is being made of one message. */
struct work {
	struct fl_yahoo_ticker *ticker;
	struct fl_yahoo_pricing pricing;
	const struct fl_subunit *sub; /* of the prices; NULL */
};

static bool has(const struct work *w, unsigned number)
{
	return w->pricing.has >> number & 1;
}

static void refuse(struct work *w, enum fl_reason reason, unsigned number,
		   const char *what)
{
	const char *name = fl_yahoo_pricing_name(number);

	w->ticker->reason = reason;
	fl_note_set(&w->ticker->note, name, "'%s' %s", name, what);
}

/* --- numbers --- */

/* returns false: not finite, or out of range; refused */
static bool number_of(struct work *w, unsigned number, struct fl_decimal *out)
{
	bool good = true, rounded = false;
	char text[40];
	int len;

	switch (fl_yahoo_pricing_kind(number)) {
	case FL_PRICING_FLOAT:
		/* The shortest decimal of the float, as of the chart's. */
		len = snprintf(text, sizeof(text), "%.17g",
			       (double)w->pricing.at[number].single);
		good = isfinite(w->pricing.at[number].single) &&
		       fl_yahoo_number(text, (size_t)len, out, &rounded);
		break;
	case FL_PRICING_DOUBLE:
		good = fl_decimal_from_double(w->pricing.at[number].wide, out);
		break;
	default:
		len = snprintf(text, sizeof(text), "%lld",
			       (long long)w->pricing.at[number].integer);
		good = fl_yahoo_exact(text, (size_t)len, out, &rounded);
		break;
	}
	w->ticker->rounded |= rounded;
	if (!good)
		refuse(w, FL_REASON_bad_number, number,
		       "is no number that a record can hold");
	return good;
}

static void put_number(struct fl_buf *out, const char *name,
		       struct fl_decimal value)
{
	char text[FL_DECIMAL_TEXT];

	fl_buf_puts(out, ",\"");
	fl_buf_puts(out, name);
	fl_buf_puts(out, "\":");
	fl_buf_append(out, text, fl_decimal_print(value, text));
}

static void put_text(struct fl_buf *out, const char *name, const char *text,
		     size_t len)
{
	fl_buf_puts(out, ",\"");
	fl_buf_puts(out, name);
	fl_buf_puts(out, "\":");
	fl_buf_json_string(out, text, len);
}

/* The fields of a table that came. returns false: one is refused */
static bool put_fields(struct work *w, const struct field *field)
{
	struct fl_buf *out = &w->ticker->line;

	for (; field->number; field++) {
		unsigned number = field->number;
		const char *name = field->name ? field->name
					       : fl_yahoo_pricing_name(number);
		struct fl_decimal value;

		if (!has(w, number))
			continue;
		if (fl_yahoo_pricing_kind(number) == FL_PRICING_STRING) {
			if (w->pricing.at[number].len)
				put_text(out, name, w->pricing.at[number].text,
					 w->pricing.at[number].len);
			continue;
		}
		if (!number_of(w, number, &value))
			return false;
		if (!value.mant &&
		    (field->put == PRICE || field->put == AMOUNT))
			continue;
		if (w->sub && (field->put == PRICE || field->put == CHANGE) &&
		    !fl_decimal_mul(value, w->sub->scale, &value)) {
			refuse(w, FL_REASON_bad_number, number,
			       "is out of range");
			return false;
		}
		put_number(out, name, value);
	}
	return true;
}

/* --- words --- */

static const char *asset_of(int64_t quote_type)
{
	switch (quote_type) {
	case 8:
		return "equity";
	case 9:
		return "index";
	case 11: /* mutual fund */
	case 12: /* money market */
		return "fund";
	case 13:
		return "option";
	case 14:
		return "fx";
	case 18:
		return "future";
	case 20:
		return "etf";
	case 41:
		return "crypto";
	default: /* warrants, bonds …: a quote has no word for it */
		return NULL;
	}
}

static const char *state_of(int64_t market_hours)
{
	static const char *const states[] = { "pre", "regular", "post", NULL,
					      "overnight" };

	return market_hours >= 0 && market_hours < 5 ? states[market_hours]
						     : NULL;
}

/* The currency's three fields, and with them what prices are scaled by. */
static void find_currency(struct work *w)
{
	if (has(w, FL_PRICING_CURRENCY))
		w->sub =
			fl_subunit_find(w->pricing.at[FL_PRICING_CURRENCY].text,
					w->pricing.at[FL_PRICING_CURRENCY].len);
}

static void put_currency(struct work *w)
{
	const char *code = w->pricing.at[FL_PRICING_CURRENCY].text;
	size_t len = w->pricing.at[FL_PRICING_CURRENCY].len;
	struct fl_buf *out = &w->ticker->line;
	bool good = len == 3;

	if (w->sub) {
		put_text(out, "currency", w->sub->main, strlen(w->sub->main));
		put_text(out, "currency_src", code, len);
		put_number(out, "price_scale", w->sub->scale);
		return;
	}
	for (size_t i = 0; good && i < len; i++)
		good = code[i] >= 'A' && code[i] <= 'Z';
	if (good)
		put_text(out, "currency", code, len);
}

static void put_exchange(struct work *w)
{
	const char *text = w->pricing.at[FL_PRICING_EXCHANGE].text;
	size_t len = w->pricing.at[FL_PRICING_EXCHANGE].len;
	struct fl_buf *out = &w->ticker->line;
	char code[EXCHANGE_MAX + 1];
	const char *mic = NULL;

	if (!len)
		return;
	if (len <= EXCHANGE_MAX) {
		memcpy(code, text, len);
		code[len] = '\0';
		mic = fl_yahoo_mic(code);
	}
	if (mic)
		put_text(out, "mic", mic, strlen(mic));
	put_text(out, "exchange", text, len);
}

/* --- the record --- */

/* returns false: refused */
static bool put_head(struct work *w, struct fl_item *item)
{
	struct fl_buf *out = &w->ticker->line;
	const char *id = w->pricing.at[FL_PRICING_ID].text;
	size_t len = w->pricing.at[FL_PRICING_ID].len;
	int64_t ms = w->pricing.at[FL_PRICING_TIME].integer;
	char ts[FL_TIME_TEXT], symbol[SYMBOL_MAX];
	struct fl_decimal price;

	if (!len) {
		refuse(w, FL_REASON_missing_field, FL_PRICING_ID, "is missing");
		return false;
	}
	if (len > SYMBOL_MAX) {
		refuse(w, FL_REASON_out_of_range, FL_PRICING_ID,
		       "is no symbol of at most 64 bytes");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (id[i] <= ' ' || id[i] >= 0x7f) {
			refuse(w, FL_REASON_out_of_range, FL_PRICING_ID,
			       "is no symbol of printable ASCII");
			return false;
		}
		symbol[i] =
			(char)(id[i] >= 'a' && id[i] <= 'z' ? id[i] - 'a' + 'A'
							    : id[i]);
	}
	if (!ms) {
		refuse(w, FL_REASON_missing_field, FL_PRICING_TIME,
		       "is missing");
		return false;
	}
	if (ms < FL_TIME_MIN / MS || ms > FL_TIME_MAX / MS) {
		refuse(w, FL_REASON_bad_time, FL_PRICING_TIME,
		       "is no time in milliseconds since 1970");
		return false;
	}
	if (!has(w, FL_PRICING_PRICE) ||
	    w->pricing.at[FL_PRICING_PRICE].single == 0) {
		refuse(w, FL_REASON_missing_field, FL_PRICING_PRICE,
		       "is missing");
		return false;
	}
	if (!number_of(w, FL_PRICING_PRICE, &price))
		return false;
	find_currency(w);
	if (w->sub && !fl_decimal_mul(price, w->sub->scale, &price)) {
		refuse(w, FL_REASON_bad_number, FL_PRICING_PRICE,
		       "is out of range");
		return false;
	}
	item->ts_ns = ms * MS;
	fl_buf_puts(out, "{\"type\":\"quote\",\"ts\":\"");
	fl_buf_append(out, ts, fl_time_print(item->ts_ns, ts));
	fl_buf_puts(out, "\",\"provider\":\"yahoo\"");
	put_text(out, "symbol", symbol, len);
	put_number(out, "price", price);
	return true;
}

static bool put_record(struct work *w, int64_t recv_ns, struct fl_item *item)
{
	struct fl_buf *out = &w->ticker->line;
	const char *id = w->pricing.at[FL_PRICING_ID].text;
	size_t len = w->pricing.at[FL_PRICING_ID].len;
	const char *word;
	char ts[FL_TIME_TEXT];

	fl_buf_reset(out);
	if (!put_head(w, item) || !put_fields(w, before_currency))
		return false;
	put_currency(w);
	put_exchange(w);
	word = asset_of(w->pricing.at[FL_PRICING_QUOTE_TYPE].integer);
	if (word)
		put_text(out, "asset", word, strlen(word));
	/* What did not come is 0 in proto3: before the market opens. */
	word = state_of(w->pricing.at[FL_PRICING_MARKET_HOURS].integer);
	if (word)
		put_text(out, "market_state", word, strlen(word));
	for (size_t i = 0; i < len; i++) {
		if (id[i] >= 'a' && id[i] <= 'z') {
			put_text(out, "symbol_src", id, len);
			break;
		}
	}
	fl_buf_puts(out, ",\"ts_recv\":\"");
	fl_buf_append(out, ts, fl_time_print(recv_ns, ts));
	fl_buf_putc(out, '"');
	if (!put_fields(w, others))
		return false;
	fl_buf_putc(out, '}');
	item->bytes = out->data;
	item->len = out->len;
	return true;
}

/* --- the message --- */

static enum fl_yahoo_tick bad(struct fl_yahoo_ticker *ticker,
			      enum fl_reason reason, const char *field,
			      const char *detail)
{
	ticker->reason = reason;
	fl_note_set(&ticker->note, field, "%s", detail);
	return FL_YAHOO_BAD;
}

/* The base64 inside; TICK: found, of so many characters. */
static enum fl_yahoo_tick open_envelope(struct fl_yahoo_ticker *ticker,
					const char **text, size_t *len)
{
	struct fl_json *json = &ticker->json;
	const struct fl_json_tok *tok;
	uint32_t at;

	if (!*len || **text != '{')
		return FL_YAHOO_TICK; /* from before version=2 */
	ticker->reason = fl_json_parse(json, *text, *len, &ticker->note);
	if (ticker->reason)
		return FL_YAHOO_BAD;
	at = fl_json_find(json, 0, "type", 4);
	if (!at || json->toks[at].kind != FL_JSON_STRING)
		return bad(ticker, FL_REASON_unknown_format, "type",
			   "a message without a 'type'");
	if (!fl_json_is(&json->toks[at], "pricing", 7))
		return FL_YAHOO_PASSED;
	at = fl_json_find(json, 0, "message", 7);
	tok = &json->toks[at];
	if (!at || tok->kind != FL_JSON_STRING)
		return bad(ticker, FL_REASON_missing_field, "message",
			   "a message of type pricing without 'message'");
	*text = tok->text;
	*len = tok->len;
	return FL_YAHOO_TICK;
}

enum fl_yahoo_tick fl_yahoo_tick(struct fl_yahoo_ticker *ticker,
				 const char *message, size_t len,
				 int64_t recv_ns, struct fl_item *item)
{
	struct work w = { .ticker = ticker };
	enum fl_yahoo_tick kind = open_envelope(ticker, &message, &len);

	ticker->rounded = false;
	if (kind != FL_YAHOO_TICK)
		return kind;
	fl_buf_reset(&ticker->wire);
	if (!len || !fl_base64_read(message, len, &ticker->wire))
		return bad(ticker, FL_REASON_unknown_format, "message",
			   "a message that is not base64");
	ticker->reason = fl_yahoo_pricing_read(fl_buf_text(&ticker->wire),
					       ticker->wire.len, &w.pricing,
					       &ticker->note);
	if (ticker->reason)
		return FL_YAHOO_BAD;
	if (w.pricing.at[FL_PRICING_QUOTE_TYPE].integer == TYPE_HEARTBEAT)
		return FL_YAHOO_PASSED;
	return put_record(&w, recv_ns, item) ? FL_YAHOO_TICK : FL_YAHOO_BAD;
}

void fl_yahoo_ticker_release(struct fl_yahoo_ticker *ticker)
{
	fl_json_release(&ticker->json);
	fl_buf_release(&ticker->wire);
	fl_buf_release(&ticker->line);
}
