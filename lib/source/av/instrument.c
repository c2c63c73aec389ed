/* instrument: what symbols stand for, from three functions.
 *
 * An overview has some fifty figures; those that have no field of their own
 * are kept under their names, written as ours are.
 *
 * source  sources.md, 2.3
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rec/type.h"
#include "source/av/av.h"

static bool same(struct fl_av_value value, const char *word)
{
	return value.text && strlen(word) == value.len &&
	       strncasecmp(value.text, word, value.len) == 0;
}

static void put_asset(struct fl_buf *out, struct fl_av_value type)
{
	static const char *const assets[][2] = {
		{ "Equity", "equity" },
		{ "Stock", "equity" },
		{ "Common Stock", "equity" },
		{ "ETF", "etf" },
		{ "Mutual Fund", "fund" },
		{ "Fund", "fund" },
		{ "Index", "index" },
		{ "Cryptocurrency", "crypto" },
		{ "Digital Currency", "crypto" },
	};

	for (size_t i = 0; i < sizeof(assets) / sizeof(*assets); i++)
		if (same(type, assets[i][0])) {
			fl_buf_printf(out, ",\"asset\":\"%s\"", assets[i][1]);
			return;
		}
}

static const char *mic_of(struct fl_av_value exchange)
{
	static const char *const mics[][2] = {
		{ "NYSE", "XNYS" },      { "NASDAQ", "XNAS" },
		{ "NYSE ARCA", "ARCX" }, { "NYSE MKT", "XASE" },
		{ "BATS", "BATS" },
	};

	for (size_t i = 0; i < sizeof(mics) / sizeof(*mics); i++)
		if (same(exchange, mics[i][0]))
			return mics[i][1];
	return NULL;
}

static void put_exchange(struct fl_buf *out, struct fl_av_value exchange,
			 const char *mic)
{
	if (!mic)
		mic = mic_of(exchange);
	if (mic)
		fl_av_put_text(out, "mic", fl_av_value(mic, strlen(mic)));
	fl_av_put_label(out, "exchange", exchange);
}

/* {…"symbol":… of a code. returns false: it is none */
static bool begin(struct fl_av_job *job, struct fl_av_value code, char *symbol,
		  size_t size)
{
	struct fl_buf *out =
		fl_av_item_begin(job, "instrument", job->answered_ns, false);

	for (size_t i = 0; i < code.len; i++)
		if (code.text[i] <= ' ' || code.text[i] >= 0x7f)
			return false;
	if (!code.text || code.len > 64)
		return false;
	fl_av_yahoo(code.text, code.len, symbol, size);
	fl_av_put_text(out, "symbol", fl_av_value(symbol, strlen(symbol)));
	return strlen(symbol) <= 64;
}

/* --- overview --- */

/* MarketCapitalization, 52WeekHigh, PERatio, EVToEBITDA: market_capitalization,
 * 52_week_high, pe_ratio, ev_to_ebitda. */
static size_t snake(const char *key, size_t len, char *out, size_t size)
{
	size_t to = 0;

	for (size_t i = 0; i < len && to + 2 < size; i++) {
		char c = key[i];
		bool upper = c >= 'A' && c <= 'Z';
		bool after = i && !(key[i - 1] >= 'A' && key[i - 1] <= 'Z');
		bool before =
			i + 1 < len && key[i + 1] >= 'a' && key[i + 1] <= 'z';

		if (!upper && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9'))
			c = '_';
		if (upper && i && (after || before) && out[to - 1] != '_')
			out[to++] = '_';
		out[to++] = upper ? (char)(c - 'A' + 'a') : c;
	}
	out[to] = '\0';
	return to;
}

/* A member that has no field: under its own name, once. */
static void put_figure(struct fl_buf *out, size_t start, const char *key,
		       size_t len, struct fl_av_value value)
{
	struct fl_decimal number;
	bool rounded = false;
	char name[80], quoted[90];
	size_t size = snake(key, len, name, sizeof(name));

	snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	if (!size || !value.text ||
	    fl_type_field(&fl_type_instrument, name, size) >= 0 ||
	    memmem(out->data + start, out->len - start, quoted, strlen(quoted)))
		return;
	if (fl_av_number(value, &number, &rounded) && !rounded)
		fl_av_put_decimal(out, name, number);
	else
		fl_av_put_text(out, name, value);
}

static void put_country(struct fl_buf *out, struct fl_av_value country)
{
	static const char *const codes[][2] = {
		{ "USA", "US" },
		{ "United States", "US" },
		{ "China", "CN" },
		{ "Canada", "CA" },
		{ "United Kingdom", "GB" },
		{ "Germany", "DE" },
		{ "Japan", "JP" },
		{ "Switzerland", "CH" },
		{ "France", "FR" },
		{ "India", "IN" },
		{ "Brazil", "BR" },
		{ "Ireland", "IE" },
		{ "Netherlands", "NL" },
		{ "Israel", "IL" },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (same(country, codes[i][0])) {
			fl_buf_printf(out, ",\"country\":\"%s\"", codes[i][1]);
			return;
		}
}

int fl_av_take_overview(struct fl_av_job *job,
			const struct fl_http_answer *answer, bool csv,
			struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	struct fl_av_value code = csv ? (struct fl_av_value){ NULL, 0 }
				      : fl_av_member(json, 0, "symbol");
	struct fl_buf *out;
	char symbol[80];
	size_t start;

	if (!code.text)
		return fl_av_malformed(fault, answer, "no overview");
	start = job->text.len;
	if (!begin(job, code, symbol, sizeof(symbol)))
		return fl_av_malformed(fault, answer, "the symbol '%s'",
				       fl_show(code.text, code.len, 60));
	out = &job->text;
	fl_av_put_text(out, "name", fl_av_member(json, 0, "name"));
	put_asset(out, fl_av_member(json, 0, "assettype"));
	(void)fl_av_put_currency(out, fl_av_member(json, 0, "currency"));
	put_exchange(out, fl_av_member(json, 0, "exchange"), job->symbol.mic);
	fl_av_put_text(out, "sector", fl_av_member(json, 0, "sector"));
	fl_av_put_text(out, "industry", fl_av_member(json, 0, "industry"));
	put_country(out, fl_av_member(json, 0, "country"));
	fl_av_put_source(out, code.text, code.len, symbol);
	for (uint32_t at = 1; at < json->toks[0].next;
	     at = json->toks[at + 1].next) {
		const struct fl_json_tok *key = &json->toks[at];
		const struct fl_json_tok *tok = &json->toks[at + 1];

		if (tok->kind == FL_JSON_STRING || tok->kind == FL_JSON_NUMBER)
			put_figure(out, start, key->text, key->len,
				   fl_av_value(tok->text, tok->len));
	}
	fl_av_item_end(job, job->answered_ns, false);
	return 0;
}

/* --- search --- */

static void put_match(struct fl_av_job *job, uint32_t at)
{
	const struct fl_json *json = &job->json;
	struct fl_av_value code = fl_av_member(json, at, "symbol");
	char symbol[80];
	bool rounded = false;
	struct fl_av_symbol known;

	if (!begin(job, code, symbol, sizeof(symbol))) {
		struct fl_buf raw = FL_BUF_INIT;

		fl_json_print(json, at, &raw);
		fl_av_item_refuse(job, FL_REASON_missing_field, raw.data,
				  raw.len, "symbol", "a match without symbol");
		fl_buf_release(&raw);
		return;
	}
	fl_av_symbol(symbol, &known);
	fl_av_put_text(&job->text, "name", fl_av_member(json, at, "name"));
	put_asset(&job->text, fl_av_member(json, at, "type"));
	(void)fl_av_put_currency(&job->text,
				 fl_av_member(json, at, "currency"));
	put_exchange(&job->text, (struct fl_av_value){ NULL, 0 }, known.mic);
	fl_av_put_source(&job->text, code.text, code.len, symbol);
	fl_av_put_text(&job->text, "region", fl_av_member(json, at, "region"));
	(void)fl_av_put_number(&job->text, "match_score",
			       fl_av_member(json, at, "matchscore"), &rounded);
	fl_av_item_end(job, job->answered_ns, rounded);
}

int fl_av_take_search(struct fl_av_job *job,
		      const struct fl_http_answer *answer, bool csv,
		      struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint32_t list = csv ? 0 : fl_av_find(json, 0, "bestmatches");

	if (!list || json->toks[list].kind != FL_JSON_ARRAY)
		return fl_av_malformed(fault, answer, "no list of matches");
	if (!json->toks[list].len)
		return fl_av_unknown(fault, answer);
	for (uint32_t at = list + 1; at < json->toks[list].next;
	     at = json->toks[at].next)
		put_match(job, at);
	return 0;
}

/* --- listing --- */

enum {
	SYMBOL,
	NAME,
	EXCHANGE,
	ASSET,
	LISTED,
	DELISTED,
	STATUS,
};

static const char *const listing[] = { "symbol",    "name",    "exchange",
				       "assettype", "ipodate", "delistingdate",
				       "status",    NULL };

/* returns the column that is not as it should be; NULL */
static const char *put_listed(struct fl_av_job *job,
			      const struct fl_av_table *table)
{
	struct fl_av_value code = fl_av_cell(table, SYMBOL);
	struct fl_av_value status = fl_av_cell(table, STATUS);
	struct fl_av_value dates[2] = { fl_av_cell(table, LISTED),
					fl_av_cell(table, DELISTED) };
	struct fl_buf *out = &job->text;
	char symbol[80];
	int64_t day;

	if (!begin(job, code, symbol, sizeof(symbol)))
		return "symbol";
	if (!same(status, "active") && !same(status, "delisted"))
		return "status";
	for (int i = 0; i < 2; i++)
		if (dates[i].text && !fl_av_day(dates[i], &day))
			return i ? "delisted" : "listed";
	fl_av_put_text(out, "name", fl_av_cell(table, NAME));
	put_asset(out, fl_av_cell(table, ASSET));
	put_exchange(out, fl_av_cell(table, EXCHANGE), NULL);
	fl_buf_puts(out, same(status, "active") ? ",\"active\":true"
						: ",\"active\":false");
	fl_av_put_source(out, code.text, code.len, symbol);
	fl_av_put_text(out, "listed", dates[0]);
	fl_av_put_text(out, "delisted", dates[1]);
	fl_av_item_end(job, job->answered_ns, false);
	return NULL;
}

int fl_av_take_listing(struct fl_av_job *job,
		       const struct fl_http_answer *answer, bool csv,
		       struct fl_poll_fault *fault)
{
	struct fl_av_table table;
	int got;

	if (!csv)
		return fl_av_malformed(fault, answer, "no listing");
	got = fl_av_table_open(&table, listing, answer, fault);
	while (got >= 0 &&
	       (got = fl_av_table_next(&table, answer, fault)) == 1) {
		const char *bad = put_listed(job, &table);

		if (bad)
			fl_av_item_refuse(job, FL_REASON_bad_type,
					  table.row.raw, table.row.raw_len, bad,
					  "the row has no good '%s'", bad);
	}
	fl_av_table_close(&table);
	return got < 0 && fault->pause ? 1 : got;
}
