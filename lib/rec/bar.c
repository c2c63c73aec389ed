/* bar: open, high, low and close of an interval.
 *
 * From 1d up a bar belongs to a date at its exchange, not to an instant: ts is
 * that date at midnight UTC for every provider, so that bars of one day meet.
 * They are stored series by series (see `key` in type.h): that is how history
 * arrives, and how it is asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "rec/bar.h"
#include "rec/type.h"

static const char *const sessions[] = { "regular", "pre", "post", "all", NULL };

static const struct fl_field fields[] = {
	[FL_BAR_TYPE] = FL_FIELD_TYPE,
	[FL_BAR_TS] = FL_FIELD_TS,
	[FL_BAR_PROVIDER] = FL_FIELD_PROVIDER,
	[FL_BAR_SYMBOL] = FL_FIELD_SYMBOL(true),
	[FL_BAR_INTERVAL] = { .path = "interval",
			      .column = "interval",
			      .kind = FL_STRING,
			      .required = true,
			      .form = FL_FORM_INTERVAL,
			      .merge = FL_MERGE_KEY,
			      .since = 1,
			      .doc = "any that divides the day, 1s to 12h, or 1d 1wk "
				     "1mo 3mo 1y; weeks start on Monday",
			      .width = 8 },
	[FL_BAR_OPEN] = { .path = "open",
			  .column = "open",
			  .kind = FL_NUMBER,
			  .required = true,
			  .unit = FL_UNIT_PRICE,
			  .merge = FL_MERGE_FIRST,
			  .since = 1,
			  .doc = "first price",
			  .width = 12 },
	[FL_BAR_HIGH] = { .path = "high",
			  .column = "high",
			  .kind = FL_NUMBER,
			  .required = true,
			  .unit = FL_UNIT_PRICE,
			  .merge = FL_MERGE_MAX,
			  .since = 1,
			  .doc = "highest price",
			  .width = 12 },
	[FL_BAR_LOW] = { .path = "low",
			 .column = "low",
			 .kind = FL_NUMBER,
			 .required = true,
			 .unit = FL_UNIT_PRICE,
			 .merge = FL_MERGE_MIN,
			 .since = 1,
			 .doc = "lowest price",
			 .width = 12 },
	[FL_BAR_CLOSE] = { .path = "close",
			   .column = "close",
			   .kind = FL_NUMBER,
			   .required = true,
			   .unit = FL_UNIT_PRICE,
			   .merge = FL_MERGE_LAST,
			   .since = 1,
			   .doc = "last price",
			   .width = 12 },
	[FL_BAR_ADJ] = { .path = "adj",
			 .column = "adj",
			 .kind = FL_STRING,
			 .required = true,
			 .merge = FL_MERGE_KEY,
			 .words = fl_words_adj,
			 .since = 1,
			 .doc = "what prices are adjusted for: none (as traded), split, "
				"all (and dividends)",
			 .width = 5 },
	[FL_BAR_DATE] = { .path = "date",
			  .column = "date",
			  .kind = FL_DATE,
			  .merge = FL_MERGE_FIRST,
			  .since = 1,
			  .doc = "trading date at the exchange, of a week its first; "
				 "required from 1d up" },
	[FL_BAR_TS_END] = { .path = "ts_end",
			    .column = "ts_end",
			    .kind = FL_TIME,
			    .merge = FL_MERGE_FIRST,
			    .since = 1,
			    .doc = "end of the interval, exclusive" },
	[FL_BAR_TZ] = { .path = "tz",
			.column = "tz",
			.kind = FL_STRING,
			.form = FL_FORM_ZONE,
			.merge = FL_MERGE_FIRST,
			.since = 1,
			.doc = "IANA zone of the exchange" },
	[FL_BAR_VOLUME] = { .path = "volume",
			    .column = "volume",
			    .kind = FL_SUM,
			    .range = FL_NON_NEGATIVE,
			    .unit = FL_UNIT_SHARES,
			    .merge = FL_MERGE_SUM,
			    .since = 1,
			    .doc = "traded in the interval; absent when unknown, never 0 for it",
			    .width = 14 },
	[FL_BAR_TURNOVER] = { .path = "turnover",
			      .column = "turnover",
			      .kind = FL_SUM,
			      .unit = FL_UNIT_MONEY,
			      .merge = FL_MERGE_SUM,
			      .since = 1,
			      .doc = "sum of price times size" },
	[FL_BAR_VWAP] = { .path = "vwap",
			  .column = "vwap",
			  .kind = FL_NUMBER,
			  .unit = FL_UNIT_PRICE,
			  .merge = FL_MERGE_DERIVE,
			  .since = 1,
			  .doc = "turnover / volume; kept only for a provider's bars without "
				 "turnover" },
	[FL_BAR_TRADES] = { .path = "trades",
			    .column = "trades",
			    .kind = FL_INTEGER,
			    .range = FL_NON_NEGATIVE,
			    .unit = FL_UNIT_COUNT,
			    .merge = FL_MERGE_SUM,
			    .since = 1,
			    .doc = "trades in the interval" },
	[FL_BAR_ADJ_CLOSE] = { .path = "adj_close",
			       .column = "adj_close",
			       .kind = FL_NUMBER,
			       .unit = FL_UNIT_PRICE,
			       .since = 1,
			       .doc = "close adjusted for splits and dividends" },
	[FL_BAR_FIRST_TS] = { .path = "first_ts",
			      .column = "first_ts",
			      .kind = FL_TIME,
			      .merge = FL_MERGE_MIN,
			      .since = 1,
			      .doc = "time of the first tick inside; required of a "
				     "partial bar" },
	[FL_BAR_LAST_TS] = { .path = "last_ts",
			     .column = "last_ts",
			     .kind = FL_TIME,
			     .merge = FL_MERGE_MAX,
			     .since = 1,
			     .doc = "time of the last tick inside; required of a "
				    "partial bar" },
	[FL_BAR_SESSION] = { .path = "session",
			     .column = "session",
			     .kind = FL_STRING,
			     .merge = FL_MERGE_KEY,
			     .words = sessions,
			     .absent = "regular",
			     .since = 1,
			     .doc = "trading hours that count" },
	[FL_BAR_FINAL] = { .path = "final",
			   .column = "final",
			   .kind = FL_BOOLEAN,
			   .merge = FL_MERGE_DERIVE,
			   .since = 1,
			   .doc = "false: the interval was still open when the provider "
				  "answered" },
	[FL_BAR_PARTIAL] = { .path = "partial",
			     .column = "partial",
			     .kind = FL_BOOLEAN,
			     .merge = FL_MERGE_MAX,
			     .since = 1,
			     .doc = "true: a part of the interval, to be merged with "
				    "the others" },
	[FL_BAR_IND] = { .path = "ind",
			 .column = "ind",
			 .kind = FL_OBJECT,
			 .since = 1,
			 .doc = "indicators by name: sma_20" },
	[FL_BAR_REPAIRED] = { .path = "repaired",
			      .column = "repaired",
			      .kind = FL_STRINGS,
			      .since = 1,
			      .doc = "what was mended in a provider's bar" },
	[FL_BAR_GAP] = { .path = "gap",
			 .column = "gap",
			 .kind = FL_BOOLEAN,
			 .since = 1,
			 .doc = "true: filled in, no trade took place" },
	[FL_BAR_CURRENCY] = FL_FIELD_CURRENCY,
	[FL_BAR_CURRENCY_SRC] = FL_FIELD_CURRENCY_SRC,
	[FL_BAR_PRICE_SCALE] = FL_FIELD_PRICE_SCALE,
	[FL_BAR_MIC] = FL_FIELD_MIC,
	[FL_BAR_EXCHANGE] = FL_FIELD_EXCHANGE,
	[FL_BAR_SYMBOL_SRC] = FL_FIELD_SYMBOL_SRC,
	[FL_BAR_TS_RECV] = FL_FIELD_TS_RECV,
	[FL_BAR_FIELDS] = { .path = NULL },
};

static enum fl_reason check_first(const struct fl_record *rec,
				  struct fl_note *note)
{
	if (rec->at[FL_BAR_OPEN] || rec->at[FL_BAR_HIGH] ||
	    rec->at[FL_BAR_LOW] || rec->at[FL_BAR_CLOSE])
		return FL_REASON_NONE;
	fl_note_set(note, "", "the bar has no prices");
	return FL_REASON_null_bar;
}

static const struct fl_json_tok *token(const struct fl_record *rec, int field)
{
	return &rec->json->toks[rec->at[field]];
}

static const char *shown(const struct fl_record *rec, int field)
{
	const struct fl_json_tok *tok = token(rec, field);

	return fl_show(tok->text, tok->len, 40);
}

/* May these prices be below zero? A bar does not say what it is of, but the
 * form of its symbol does: CL=F is a future (-37.63 on 2020-04-20), ^IRX an
 * index that is a yield. */
static bool is_signed(const struct fl_record *rec)
{
	const struct fl_json_tok *symbol = token(rec, FL_BAR_SYMBOL);

	return symbol->text[0] == '^' ||
	       (symbol->len > 2 && symbol->text[symbol->len - 2] == '=' &&
		(symbol->text[symbol->len - 1] | ' ') == 'f');
}

static enum fl_reason wrong_order(const struct fl_record *rec,
				  struct fl_note *note, int field, bool above,
				  int other)
{
	const char *path = fields[field].path;

	fl_note_set(note, path, "'%s' is %s, %s '%s', which is %s", path,
		    shown(rec, field), above ? "above" : "below",
		    fields[other].path, shown(rec, other));
	return FL_REASON_ohlc_order;
}

static enum fl_reason check_prices(const struct fl_record *rec,
				   struct fl_note *note)
{
	struct fl_decimal price[FL_BAR_CLOSE + 1];
	bool any_sign = is_signed(rec);

	for (int i = FL_BAR_OPEN; i <= FL_BAR_CLOSE; i++) {
		if (!fl_record_number(rec, i, &price[i]))
			return FL_REASON_NONE; /* the field's own check spoke */
		if (any_sign || fl_decimal_sign(price[i]) > 0)
			continue;
		fl_note_set(note, fields[i].path,
			    "'%s' is %s, not above 0, and the symbol is no "
			    "future (=F) or index (^)",
			    fields[i].path, shown(rec, i));
		return FL_REASON_out_of_range;
	}
	if (fl_decimal_cmp(price[FL_BAR_HIGH], price[FL_BAR_LOW]) < 0)
		return wrong_order(rec, note, FL_BAR_HIGH, false, FL_BAR_LOW);
	if (fl_decimal_cmp(price[FL_BAR_HIGH], price[FL_BAR_OPEN]) < 0)
		return wrong_order(rec, note, FL_BAR_HIGH, false, FL_BAR_OPEN);
	if (fl_decimal_cmp(price[FL_BAR_HIGH], price[FL_BAR_CLOSE]) < 0)
		return wrong_order(rec, note, FL_BAR_HIGH, false, FL_BAR_CLOSE);
	if (fl_decimal_cmp(price[FL_BAR_LOW], price[FL_BAR_OPEN]) > 0)
		return wrong_order(rec, note, FL_BAR_LOW, true, FL_BAR_OPEN);
	if (fl_decimal_cmp(price[FL_BAR_LOW], price[FL_BAR_CLOSE]) > 0)
		return wrong_order(rec, note, FL_BAR_LOW, true, FL_BAR_CLOSE);
	return FL_REASON_NONE;
}

/* Is the interval a day or longer? The field's own check has found it good; the
 * usual spellings are told by their last letter, "24h" and the like are read.
 */
static bool is_dated(const struct fl_record *rec)
{
	const struct fl_json_tok *tok = token(rec, FL_BAR_INTERVAL);
	struct fl_error err = { .code = FL_OK };
	struct fl_interval interval;
	char text[32];

	if (tok->len == 2 && tok->text[1] == 'd')
		return true;
	if (tok->len == 2 && strchr("smh", tok->text[1]))
		return false;
	if (tok->len >= sizeof(text))
		return false;
	memcpy(text, tok->text, tok->len);
	text[tok->len] = '\0';
	return fl_interval_parse(text, &interval, &err) == 0 && interval.dated;
}

static enum fl_reason missing(struct fl_note *note, int field, const char *why)
{
	fl_note_set(note, fields[field].path, "'%s' is missing: %s",
		    fields[field].path, why);
	return FL_REASON_missing_field;
}

static enum fl_reason check_dated(const struct fl_record *rec,
				  struct fl_note *note)
{
	const struct fl_json_tok *date = token(rec, FL_BAR_DATE);
	int64_t days;

	if (!rec->at[FL_BAR_DATE])
		return missing(note, FL_BAR_DATE, "bars from 1d up have it");
	if (fl_date_parse(date->text, date->len, &days) &&
	    rec->ts_ns % FL_DAY == 0 && rec->ts_ns / FL_DAY == days)
		return FL_REASON_NONE;
	fl_note_set(note, "ts",
		    "'ts' is %s, but a bar of date %s has "
		    "%sT00:00:00.000Z",
		    shown(rec, FL_BAR_TS), shown(rec, FL_BAR_DATE),
		    shown(rec, FL_BAR_DATE));
	return FL_REASON_bad_time;
}

static enum fl_reason check_times(const struct fl_record *rec,
				  struct fl_note *note)
{
	bool partial = rec->at[FL_BAR_PARTIAL] &&
		       token(rec, FL_BAR_PARTIAL)->kind == FL_JSON_TRUE;
	int64_t end, first, last;

	if (is_dated(rec)) {
		enum fl_reason reason = check_dated(rec, note);

		if (reason)
			return reason;
	} else if (rec->at[FL_BAR_TS_END] &&
		   fl_record_time(rec, FL_BAR_TS_END, &end) &&
		   end <= rec->ts_ns) {
		fl_note_set(note, "ts_end",
			    "'ts_end' is %s, not after 'ts', "
			    "which is %s",
			    shown(rec, FL_BAR_TS_END), shown(rec, FL_BAR_TS));
		return FL_REASON_bad_time;
	}
	if (partial && !rec->at[FL_BAR_FIRST_TS])
		return missing(note, FL_BAR_FIRST_TS,
			       "partial bars merge by it");
	if (partial && !rec->at[FL_BAR_LAST_TS])
		return missing(note, FL_BAR_LAST_TS,
			       "partial bars merge by it");
	if (rec->at[FL_BAR_FIRST_TS] && rec->at[FL_BAR_LAST_TS] &&
	    fl_record_time(rec, FL_BAR_FIRST_TS, &first) &&
	    fl_record_time(rec, FL_BAR_LAST_TS, &last) && last < first) {
		fl_note_set(note, "last_ts",
			    "'last_ts' is %s, before "
			    "'first_ts', which is %s",
			    shown(rec, FL_BAR_LAST_TS),
			    shown(rec, FL_BAR_FIRST_TS));
		return FL_REASON_bad_time;
	}
	return FL_REASON_NONE;
}

static enum fl_reason check(const struct fl_record *rec, struct fl_note *note)
{
	enum fl_reason reason = check_prices(rec, note);

	return reason ? reason : check_times(rec, note);
}

const struct fl_type fl_type_bar = {
	.id = FL_TYPE_bar,
	.name = "bar",
	.summary = "open, high, low and close of an interval",
	.fields = fields,
	.key = { "symbol", "provider", "interval", "adj", "session", "ts" },
	.series = { "symbol", "provider", "interval", "adj", "session" },
	.topic = "bars",
	.topic_key = "provider,symbol",
	.check_first = check_first,
	.check = check,
};
