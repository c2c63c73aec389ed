/* csv_names: what vendors call their columns; see csv_names.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/names.h"

#include <string.h>

#include "base/mem.h"

const struct fl_csv_alias fl_csv_names[] = {
	{ "symbol", "symbol ticker tickersymbol stocksymbol sym instrument "
		    "security stock tic pair" },
	{ "when", "ts timestamp datetime dateandtime datetimeutc opentime "
		  "gmttime utctime localtime unixtimestamp unixtime unix epoch "
		  "date tradedate tradingdate tradingday day asof asofdate "
		  "latestday latesttradingday time t" },
	{ NULL, NULL },
};

const struct fl_csv_alias fl_csv_bar_names[] = {
	{ "interval", "interval per timeframe" },
	{ "open", "open openprice openingprice o" },
	{ "high", "high highprice highestprice h" },
	{ "low", "low lowprice lowestprice l" },
	{ "close", "close closelast closeprice closingprice last lastprice "
		   "price settle settlement c" },
	{ "adj_close", "adjclose adjustedclose adjcloseprice closeadj "
		       "closeadjusted" },
	{ "volume", "volume vol totalvolume tradedvolume sharestraded v" },
	{ "vwap", "vwap volumeweightedaverageprice" },
	{ "trades", "trades numberoftrades tradecount numtrades count n" },
	{ "turnover", "turnover quoteassetvolume quotevolume" },
	{ "dividend", "dividends dividend dividendamount exdividend divcash" },
	{ "split", "stocksplits stocksplit splitcoefficient splitfactor "
		   "splitratio splits" },
	{ "capital_gain", "capitalgains capitalgain" },
	{ NULL, NULL },
};

const struct fl_csv_alias fl_csv_quote_names[] = {
	{ "price", "price last lastprice lasttradeprice tradeprice close "
		   "closelast closeprice closingprice" },
	{ "size", "size qty quantity lastsize tradesize" },
	{ "bid", "bid bidprice" },
	{ "ask", "ask askprice offer" },
	{ "bid_size", "bidsize bidvolume bidqty" },
	{ "ask_size", "asksize askvolume askqty" },
	{ "volume", "volume vol totalvolume" },
	{ "open", "open openprice openingprice" },
	{ "high", "high highprice dayhigh" },
	{ "low", "low lowprice daylow" },
	{ "prev_close", "prevclose previousclose" },
	{ "change", "change chg netchange" },
	{ "change_pct", "changepct changepercent change% %change pctchange "
			"percentchange" },
	{ NULL, NULL },
};

/* Vendors by their whole header in normal form, the symbol's column left out.
 * What a vendor says of adjustment is its own documentation's word. */
const struct fl_csv_vendor fl_csv_vendors[] = {
	/* Downloads since 2017 are adjusted for splits, adj_close for both. */
	{ "yahoo", "date open high low close adjclose volume", "split", NULL,
	  false },
	{ "yahoo", "date high low open close volume adjclose", "split", NULL,
	  false },
	/* Until 2017, in this order: as traded. */
	{ "yahoo, before 2017", "date open high low close volume adjclose",
	  "none", NULL, false },
	{ "alphavantage",
	  "timestamp open high low close adjustedclose volume dividendamount "
	  "splitcoefficient",
	  "none", "none", false },
	{ "alphavantage",
	  "timestamp open high low close adjustedclose volume dividendamount",
	  "none", "none", false },
	{ "stooq", "per date time open high low close vol openint", "none",
	  NULL, true },
	{ "stooq", "per date time open high low close vol", "none", NULL,
	  true },
	{ "nasdaq", "date closelast volume open high low", "none", NULL,
	  false },
	{ NULL, NULL, NULL, NULL, false },
};

/* Lower case, without <>, blanks, and the signs _ - . * / ' around and inside;
 * Alpha Vantage's "1. " or "4a. " in front is dropped. */
char *fl_csv_normalise(const char *text, size_t len)
{
	char *out = fl_alloc(len + 1);
	size_t at = 0, to = 0, digits = 0;

	while (digits < len && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (digits > 0 && digits < len) {
		at = digits;
		if (at + 1 < len && text[at] >= 'a' && text[at] <= 'z')
			at++;
		at = at + 1 < len && (text[at] == '.' || text[at] == ':') &&
				     text[at + 1] == ' '
			     ? at + 2
			     : 0;
	}
	for (; at < len; at++) {
		char c = text[at];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!c || !strchr("<> _-.*/'\t\n\r", c))
			out[to++] = c;
	}
	out[to] = '\0';
	return out;
}

/* The first word of `words` and what follows it; false at their end. */
bool fl_csv_next_word(const char **words, const char **word, size_t *len)
{
	*words += strspn(*words, " ");
	*word = *words;
	*len = strcspn(*words, " ");
	*words += *len;
	return *len > 0;
}

bool fl_csv_is_word(const char *text, const char *word, size_t len)
{
	return strncmp(text, word, len) == 0 && !text[len];
}
