/* quote: a tick or a snapshot of a price.
 *
 * Ticks are stored by time (see `key` in type.h): they arrive so, and are many.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "rec/record.h"
#include "rec/type.h"

static const char *const states[] = { "pre",       "regular", "post",
				      "overnight", "closed",  NULL };

/* Fields that check() looks at. */
enum {
	PRICE = 4,
	BID = 7,
	ASK = 8,
	OPEN = 12,
	HIGH = 13,
	LOW = 14,
	PREV_CLOSE = 15,
	ASSET = 23,
};

static const struct fl_field fields[] = {
	FL_FIELD_TYPE,
	FL_FIELD_TS,
	FL_FIELD_PROVIDER,
	FL_FIELD_SYMBOL(true),
	[PRICE] = { .path = "price",
		    .column = "price",
		    .kind = FL_NUMBER,
		    .required = true,
		    .unit = FL_UNIT_PRICE,
		    .since = 1,
		    .doc = "of the last trade; above 0 unless asset is future "
			   "or index",
		    .width = 12 },
	{ .path = "size",
	  .column = "size",
	  .kind = FL_NUMBER,
	  .range = FL_NON_NEGATIVE,
	  .unit = FL_UNIT_SHARES,
	  .since = 1,
	  .doc = "of the last trade",
	  .width = 8 },
	{ .path = "seq",
	  .column = "seq",
	  .kind = FL_INTEGER,
	  .since = 1,
	  .doc = "the source's own count: tells equal ticks apart" },
	[BID] = { .path = "bid",
		  .column = "bid",
		  .kind = FL_NUMBER,
		  .unit = FL_UNIT_PRICE,
		  .since = 1,
		  .doc = "best bid",
		  .width = 12 },
	[ASK] = { .path = "ask",
		  .column = "ask",
		  .kind = FL_NUMBER,
		  .unit = FL_UNIT_PRICE,
		  .since = 1,
		  .doc = "best ask",
		  .width = 12 },
	{ .path = "bid_size",
	  .column = "bid_size",
	  .kind = FL_NUMBER,
	  .range = FL_NON_NEGATIVE,
	  .unit = FL_UNIT_SHARES,
	  .since = 1,
	  .doc = "at the best bid" },
	{ .path = "ask_size",
	  .column = "ask_size",
	  .kind = FL_NUMBER,
	  .range = FL_NON_NEGATIVE,
	  .unit = FL_UNIT_SHARES,
	  .since = 1,
	  .doc = "at the best ask" },
	{ .path = "volume",
	  .column = "volume",
	  .kind = FL_NUMBER,
	  .range = FL_NON_NEGATIVE,
	  .unit = FL_UNIT_SHARES,
	  .since = 1,
	  .doc = "of the day so far",
	  .width = 14 },
	[OPEN] = { .path = "open",
		   .column = "open",
		   .kind = FL_NUMBER,
		   .unit = FL_UNIT_PRICE,
		   .since = 1,
		   .doc = "first price of the day" },
	[HIGH] = { .path = "high",
		   .column = "high",
		   .kind = FL_NUMBER,
		   .unit = FL_UNIT_PRICE,
		   .since = 1,
		   .doc = "highest price of the day so far" },
	[LOW] = { .path = "low",
		  .column = "low",
		  .kind = FL_NUMBER,
		  .unit = FL_UNIT_PRICE,
		  .since = 1,
		  .doc = "lowest price of the day so far" },
	[PREV_CLOSE] = { .path = "prev_close",
			 .column = "prev_close",
			 .kind = FL_NUMBER,
			 .unit = FL_UNIT_PRICE,
			 .since = 1,
			 .doc = "close of the trading day before" },
	{ .path = "change",
	  .column = "change",
	  .kind = FL_NUMBER,
	  .unit = FL_UNIT_PRICE,
	  .since = 1,
	  .doc = "price minus prev_close" },
	{ .path = "change_pct",
	  .column = "change_pct",
	  .kind = FL_NUMBER,
	  .unit = FL_UNIT_PERCENT,
	  .since = 1,
	  .doc = "the same in percent: 1.25 means 1.25 %",
	  .width = 8 },
	FL_FIELD_CURRENCY,
	FL_FIELD_CURRENCY_SRC,
	FL_FIELD_PRICE_SCALE,
	FL_FIELD_MIC,
	FL_FIELD_EXCHANGE,
	[ASSET] = { .path = "asset",
		    .column = "asset",
		    .kind = FL_STRING,
		    .words = fl_words_asset,
		    .since = 1,
		    .doc = "what kind of thing is priced" },
	{ .path = "market_state",
	  .column = "market_state",
	  .kind = FL_STRING,
	  .words = states,
	  .since = 1,
	  .doc = "the session that the price is from" },
	{ .path = "delay_s",
	  .column = "delay_s",
	  .kind = FL_NUMBER,
	  .range = FL_NON_NEGATIVE,
	  .unit = FL_UNIT_SECONDS,
	  .since = 1,
	  .doc = "how late the provider says it is" },
	{ .path = "conditions",
	  .column = "conditions",
	  .kind = FL_STRINGS,
	  .since = 1,
	  .doc = "trade conditions, in the provider's codes" },
	FL_FIELD_SYMBOL_SRC,
	FL_FIELD_TS_RECV,
	{ .path = NULL },
};

/* May this price be below zero? Oil futures traded at -37.63 in April 2020, and
 * an index may be a yield. */
static bool is_signed(const struct fl_record *rec)
{
	const struct fl_json_tok *asset = &rec->json->toks[rec->at[ASSET]];

	return rec->at[ASSET] && (fl_json_is(asset, "future", 6) ||
				  fl_json_is(asset, "index", 5));
}

/* The usual price begins with a digit that is not 0 and is neither long nor
 * written with an exponent, so it cannot round to zero: above zero unread. */
static bool is_plainly_positive(const struct fl_json_tok *tok)
{
	if (tok->len > 18 || tok->text[0] < '1' || tok->text[0] > '9')
		return false;
	for (uint32_t i = 1; i < tok->len; i++)
		if ((tok->text[i] < '0' || tok->text[i] > '9') &&
		    tok->text[i] != '.')
			return false;
	return true;
}

/* -1, 0, 1; 1 when absent. */
static int sign(const struct fl_record *rec, int field)
{
	struct fl_decimal value;

	if (!rec->at[field] ||
	    is_plainly_positive(&rec->json->toks[rec->at[field]]) ||
	    !fl_record_number(rec, field, &value))
		return 1;
	return fl_decimal_sign(value);
}

static enum fl_reason refuse(const struct fl_record *rec, struct fl_note *note,
			     int field, const char *rule)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];
	const char *path = fields[field].path;

	fl_note_set(note, path, "'%s' is %s, %s", path,
		    fl_show(tok->text, tok->len, 40), rule);
	return FL_REASON_out_of_range;
}

/* Most prices: canonical, and the first digit is not 0. */
static bool begins_positive(const struct fl_record *rec)
{
	char first = rec->json->toks[rec->at[PRICE]].text[0];

	return rec->plain && first >= '1' && first <= '9';
}

static enum fl_reason check(const struct fl_record *rec, struct fl_note *note)
{
	/* A bid of 0 is none at all, and snapshots before the open have been
	 * seen with an open of 0: these may be 0, but not below. */
	static const int others[] = { BID, ASK, OPEN, HIGH, LOW, PREV_CLOSE };

	if (!begins_positive(rec) && sign(rec, PRICE) <= 0 && !is_signed(rec))
		return refuse(rec, note, PRICE,
			      "not above 0, and asset is neither future nor "
			      "index");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (rec->at[others[i]] && sign(rec, others[i]) < 0 &&
		    !is_signed(rec))
			return refuse(rec, note, others[i],
				      "below 0, and asset is neither future "
				      "nor index");
	return FL_REASON_NONE;
}

const struct fl_type fl_type_quote = {
	.id = FL_TYPE_quote,
	.name = "quote",
	.summary = "a tick or a snapshot of a price",
	.fields = fields,
	.key = { "ts", "symbol", "provider", "tick_id" },
	.series = { "symbol", "provider" },
	.topic = "quotes",
	.topic_key = "provider,symbol",
	.vast = true,
	.check = check,
};
