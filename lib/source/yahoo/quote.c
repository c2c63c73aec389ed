/* quote: a record of what Yahoo tells about a price.
 *
 * Before the opening and after the close it knows two prices, each with its
 * time. By default the regular session's is given; with --session all whichever
 * is newer, and market_state says which it is.
 *
 * source  sources.md, 1.4: quote fields; 1.3: meta
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/decimal.h"
#include "base/time.h"
#include "rec/subunit.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/ask.h"

/* The fields that are numbers, in the order of the record. */
static const struct field {
	const char *name;
	const char *key, *meta; /* in a quote, in a chart's meta; NULL: not
				 * there */
	bool price;             /* in the currency; may be a float */
	bool none_at_0;         /* 0 is no value */
} fields[] = {
	{ "bid", "bid", NULL, true, true },
	{ "ask", "ask", NULL, true, true },
	{ "bid_size", "bidSize", NULL, false, true },
	{ "ask_size", "askSize", NULL, false, true },
	{ "volume", "regularMarketVolume", "regularMarketVolume", false,
	  false },
	{ "open", "regularMarketOpen", NULL, true, true },
	{ "high", "regularMarketDayHigh", "regularMarketDayHigh", true, true },
	{ "low", "regularMarketDayLow", "regularMarketDayLow", true, true },
	{ "prev_close", "regularMarketPreviousClose", "previousClose", true,
	  true },
	{ "change", "regularMarketChange", NULL, true, false },
	{ "change_pct", "regularMarketChangePercent",
	  "regularMarketChangePercent", true, false },
};

enum session {
	REGULAR,
	PRE,
	POST,
	OVERNIGHT,
};

static const struct {
	const char *price, *time, *change, *change_pct, *state;
} sessions[] = {
	[REGULAR] = { "regularMarketPrice", "regularMarketTime", NULL, NULL,
		      "regular" },
	[PRE] = { "preMarketPrice", "preMarketTime", "preMarketChange",
		  "preMarketChangePercent", "pre" },
	[POST] = { "postMarketPrice", "postMarketTime", NULL, NULL, "post" },
	[OVERNIGHT] = { "overnightMarketPrice", "overnightMarketTime", NULL,
			NULL, "overnight" },
};

struct quote {
	const struct fl_json *json;
	uint32_t object;
	enum session session;
	struct fl_decimal price;
	int64_t time_s;
	const struct fl_subunit *sub;
	bool rounded;
};

const char *fl_yahoo_asset(const char *type)
{
	static const char *const words[][2] = {
		{ "EQUITY", "equity" },         { "ETF", "etf" },
		{ "MUTUALFUND", "fund" },       { "MONEYMARKET", "fund" },
		{ "INDEX", "index" },           { "CURRENCY", "fx" },
		{ "CRYPTOCURRENCY", "crypto" }, { "FUTURE", "future" },
		{ "OPTION", "option" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(words[i][0], type) == 0)
			return words[i][1];
	return NULL;
}

bool fl_yahoo_symbol(const char *given, char *text)
{
	size_t len = strlen(given);

	for (size_t i = 0; i <= len && len <= 64; i++) {
		char c = given[i];

		if (c && (c <= ' ' || c >= 0x7f))
			return false;
		text[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	return len && len <= 64;
}

static bool find_session(struct quote *q, enum session session)
{
	struct fl_decimal price;
	int64_t time_s;

	if (!fl_yahoo_find_number(q->json, q->object, sessions[session].price,
				  true, &price, &q->rounded) ||
	    !fl_yahoo_find_seconds(q->json, q->object, sessions[session].time,
				   &time_s) ||
	    (session != REGULAR && time_s <= q->time_s))
		return false;
	q->session = session;
	q->price = price;
	q->time_s = time_s;
	return true;
}

static struct fl_decimal in_main(const struct quote *q, struct fl_decimal value)
{
	if (q->sub)
		(void)fl_decimal_mul(value, q->sub->scale, &value);
	return value;
}

/* Of what the change is one; NULL: not said in the record. */
static const char *key_of(const struct quote *q, const struct field *field,
			  bool meta)
{
	if (meta)
		return field->meta;
	if (q->session == REGULAR)
		return field->key;
	/* Before the opening, the last close is the regular session's; later
	 * the change is against that, too, which is no trading day before. */
	if (strcmp(field->name, "prev_close") == 0)
		return q->session == PRE ? sessions[REGULAR].price : field->key;
	if (strcmp(field->name, "change") == 0)
		return sessions[q->session].change;
	if (strcmp(field->name, "change_pct") == 0)
		return sessions[q->session].change_pct;
	/* What the day has been so far has not begun yet. */
	if (q->session == PRE && strncmp(field->key, "regular", 7) == 0)
		return NULL;
	return field->key;
}

static void put_fields(struct quote *q, bool meta, struct fl_buf *out)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const struct field *field = &fields[i];
		const char *key = key_of(q, field, meta);
		bool percent = strcmp(field->name, "change_pct") == 0;
		struct fl_decimal value;

		if (!key ||
		    !fl_yahoo_find_number(q->json, q->object, key, field->price,
					  &value, &q->rounded)) {
			/* A chart of one day begins behind it. */
			if (!meta || strcmp(field->name, "prev_close") != 0 ||
			    !fl_yahoo_find_number(q->json, q->object,
						  "chartPreviousClose", true,
						  &value, &q->rounded))
				continue;
		}
		if (field->none_at_0 && !value.mant)
			continue;
		/* A size without its price, and an amount below nothing. */
		if (!field->price && value.mant < 0)
			continue;
		if (field->price && !percent)
			value = in_main(q, value);
		fl_yahoo_put_number(out, field->name, value);
	}
}

static const char *state_of(const struct quote *q)
{
	char state[16];

	if (q->session != REGULAR)
		return sessions[q->session].state;
	fl_yahoo_find_text(q->json, q->object, "marketState", state,
			   sizeof(state));
	/* PREPRE, PRE, POST, POSTPOST, CLOSED: the price is that of the last
	 * regular session, which is over. */
	return strcmp(state, "REGULAR") == 0 ? "regular"
	       : *state                      ? "closed"
					     : NULL;
}

static void put_tail(struct quote *q, bool meta, const char *currency,
		     const char *symbol, const char *own, struct fl_buf *out)
{
	char text[64], received[FL_TIME_TEXT];
	const char *state = state_of(q), *asset;
	struct fl_decimal delay;

	fl_yahoo_put_currency(out, currency);
	fl_yahoo_find_text(q->json, q->object,
			   meta ? "exchangeName" : "exchange", text,
			   sizeof(text));
	fl_yahoo_put_exchange(out, text);
	fl_yahoo_find_text(q->json, q->object,
			   meta ? "instrumentType" : "quoteType", text,
			   sizeof(text));
	asset = fl_yahoo_asset(text);
	if (asset)
		fl_yahoo_put_text(out, "asset", asset);
	if (state)
		fl_yahoo_put_text(out, "market_state", state);
	if (fl_yahoo_find_number(q->json, q->object, "exchangeDataDelayedBy",
				 false, &delay, &q->rounded) &&
	    delay.mant >= 0 &&
	    fl_decimal_mul(delay, fl_decimal_from_i64(60), &delay))
		fl_yahoo_put_number(out, "delay_s", delay);
	if (*own && strcmp(own, symbol) != 0)
		fl_yahoo_put_text(out, "symbol_src", own);
	fl_time_print(fl_now_ns() / 1000000 * 1000000, received);
	fl_yahoo_put_text(out, "ts_recv", received);
}

/* Why there is no quote; the object is what is kept of it. */
static void refuse(const struct fl_json *json, uint32_t object,
		   const char *symbol, enum fl_reason reason, const char *why,
		   unsigned status, struct fl_poll_out *out)
{
	fl_json_print(json, object, fl_poll_text(out));
	fl_yahoo_refuse(symbol, reason, why, status, out);
}

void fl_yahoo_refuse(const char *symbol, enum fl_reason reason, const char *why,
		     unsigned status, struct fl_poll_out *out)
{
	struct fl_poll_fault fault = { .reason = reason };
	struct fl_note note;

	snprintf(fault.text, sizeof(fault.text), "%s (HTTP %u, yahoo)", why,
		 status);
	fl_note_set(&note, "", "%s", fault.text);
	if (symbol)
		fl_poll_failed(out, symbol, &fault, status);
	else
		fl_poll_reject(out, reason, &note);
}

void fl_yahoo_put_quote(const struct fl_yahoo_ask *ask,
			const struct fl_json *json, uint32_t object, bool meta,
			const char *symbol, unsigned status,
			struct fl_poll_out *out)
{
	struct quote q = { .json = json, .object = object };
	struct fl_buf *text = fl_poll_text(out);
	char own[65], upper[65], type[32], currency[8], ts[FL_TIME_TEXT];

	fl_yahoo_find_text(json, object, "symbol", own, sizeof(own));
	if (!symbol && !fl_yahoo_symbol(own, upper)) {
		refuse(json, object, NULL, FL_REASON_missing_field,
		       "an entry without a symbol", status, out);
		return;
	}
	fl_yahoo_find_text(json, object, "quoteType", type, sizeof(type));
	if (strcmp(type, "NONE") == 0) {
		refuse(json, object, symbol, FL_REASON_unknown_symbol,
		       "delisted: its quoteType is NONE", status, out);
		return;
	}
	if (!find_session(&q, REGULAR)) {
		refuse(json, object, symbol, FL_REASON_missing_field,
		       "no price, or none with its time", status, out);
		return;
	}
	for (int i = PRE; ask->all_sessions && i <= OVERNIGHT; i++)
		find_session(&q, (enum session)i);
	fl_yahoo_find_text(json, object, "currency", currency,
			   sizeof(currency));
	q.sub = fl_subunit_find(currency, strlen(currency));
	fl_time_print(q.time_s * FL_SECOND, ts);
	fl_buf_printf(text, "{\"type\":\"quote\",\"ts\":\"%s\"", ts);
	fl_yahoo_put_text(text, "provider", "yahoo");
	if (!symbol)
		symbol = upper;
	fl_yahoo_put_text(text, "symbol", symbol);
	fl_yahoo_put_number(text, "price", in_main(&q, q.price));
	put_fields(&q, meta, text);
	put_tail(&q, meta, currency, symbol, own, text);
	fl_buf_putc(text, '}');
	fl_poll_record(out, q.time_s * FL_SECOND, q.rounded);
}
