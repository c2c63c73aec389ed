/* views: see views.h.
 *
 * They show whole bars only: one made of parts as its parts make it, final when
 * its pipeline's watermark has passed its end. Of several providers' bars of a
 * day the one that the table fl_preference puts first is shown.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/views.h"

#include <string.h>

#include "base/mem.h"
#include "rec/type.h"
#include "store/describe.h"

/* --- prices --------------------------------------------------------------- */

static const struct fl_view_column latest_quotes[] = {
	{ "symbol", "=quote.symbol" },
	{ "provider", "=quote.provider" },
	{ "ts", "=quote.ts" },
	{ "price", "=quote.price" },
	{ "size", "=quote.size" },
	{ "bid", "=quote.bid" },
	{ "ask", "=quote.ask" },
	{ "bid_size", "=quote.bid_size" },
	{ "ask_size", "=quote.ask_size" },
	{ "volume", "=quote.volume" },
	{ "open", "=quote.open" },
	{ "high", "=quote.high" },
	{ "low", "=quote.low" },
	{ "prev_close", "=quote.prev_close" },
	{ "change", "=quote.change" },
	{ "change_pct", "=quote.change_pct" },
	{ "currency", "=quote.currency" },
	{ "mic", "=quote.mic" },
	{ "exchange", "=quote.exchange" },
	{ "asset", "=quote.asset" },
	{ "market_state", "=quote.market_state" },
	{ "delay_s", "=quote.delay_s" },
	{ NULL, NULL },
};

#define BAR_FINAL "false: trades of the interval may still come"
#define BAR_GAP   "true: filled in, no trade took place"
#define BAR_VWAP  "volume-weighted average price; in main currency units"

static const struct fl_view_column bars[] = {
	{ "symbol", "=bar.symbol" },
	{ "provider", "=bar.provider" },
	{ "interval", "=bar.interval" },
	{ "adj", "=bar.adj" },
	{ "session", "=bar.session" },
	{ "ts", "start of the interval, UTC; from 1d up midnight of date" },
	{ "ts_end", "=bar.ts_end" },
	{ "date", "=bar.date" },
	{ "tz", "=bar.tz" },
	{ "open", "=bar.open" },
	{ "high", "=bar.high" },
	{ "low", "=bar.low" },
	{ "close", "=bar.close" },
	{ "volume", "=bar.volume" },
	{ "turnover", "=bar.turnover" },
	{ "vwap", BAR_VWAP },
	{ "trades", "=bar.trades" },
	{ "adj_close", "=bar.adj_close" },
	{ "final", BAR_FINAL },
	{ "gap", BAR_GAP },
	{ "currency", "=bar.currency" },
	{ "mic", "=bar.mic" },
	{ "exchange", "=bar.exchange" },
	{ "ind", "=bar.ind" },
	{ NULL, NULL },
};

/* As fl_bar_finish() has it: the ratio is rounded once, half to even, and a
 * pipeline of which an origin has no watermark says nothing of what may come.
 */
static const char bars_postgres[] =
	"SELECT b.symbol, b.provider, b.interval, b.adj, b.session, b.ts,\n"
	"\tb.ts_end, b.date, b.tz, b.open, b.high, b.low, b.close,\n"
	"\tb.volume, b.turnover,\n"
	"\tCASE WHEN NOT COALESCE(b.partial, false) THEN b.vwap\n"
	"\t\tWHEN 2 * abs(n - q * b.volume) > b.volume\n"
	"\t\tOR 2 * abs(n - q * b.volume) = b.volume AND mod(q, 2) <> 0\n"
	"\t\tTHEN trim_scale((q + sign(n)) * 0.000000001)\n"
	"\t\tELSE trim_scale(q * 0.000000001) END,\n"
	"\tb.trades, b.adj_close,\n"
	"\tCASE WHEN b.partial THEN COALESCE(b.ts_end <= p.wm, true)\n"
	"\t\tELSE COALESCE(b.final, true) END,\n"
	"\tCOALESCE(b.gap, false), b.currency, b.mic, b.exchange, b.ind\n"
	"FROM bar AS b\n"
	"CROSS JOIN LATERAL (SELECT b.turnover * 1000000000) AS w(n)\n"
	"CROSS JOIN LATERAL (SELECT CASE WHEN b.partial AND b.volume > 0\n"
	"\tTHEN div(n, b.volume) END) AS v(q)\n"
	"LEFT JOIN (SELECT pipeline,\n"
	"\tCASE WHEN count(*) = count(wm) THEN min(wm) END AS wm\n"
	"\tFROM fl_position GROUP BY pipeline) AS p ON p.pipeline = b.pipeline";

static const struct fl_view_column intraday_bars[] = {
	{ "symbol", "=bar.symbol" },
	{ "provider", "=bar.provider" },
	{ "interval", "=bar.interval" },
	{ "adj", "=bar.adj" },
	{ "session", "=bar.session" },
	{ "ts", "start of the interval, UTC" },
	{ "ts_end", "=bar.ts_end" },
	{ "tz", "=bar.tz" },
	{ "open", "=bar.open" },
	{ "high", "=bar.high" },
	{ "low", "=bar.low" },
	{ "close", "=bar.close" },
	{ "volume", "=bar.volume" },
	{ "turnover", "=bar.turnover" },
	{ "vwap", BAR_VWAP },
	{ "trades", "=bar.trades" },
	{ "final", BAR_FINAL },
	{ "gap", BAR_GAP },
	{ "currency", "=bar.currency" },
	{ "mic", "=bar.mic" },
	{ "exchange", "=bar.exchange" },
	{ "ind", "=bar.ind" },
	{ NULL, NULL },
};

static const char intraday_bars_postgres[] =
	"SELECT symbol, provider, \"interval\", adj, session, ts, ts_end, tz,\n"
	"\topen, high, low, close, volume, turnover, vwap, trades, final,\n"
	"\tgap, currency, mic, exchange, ind\n"
	"FROM bars WHERE \"interval\" NOT IN ('1d', '1wk', '1mo', '3mo', '1y')";

static const struct fl_view_column daily_bars[] = {
	{ "symbol", "=bar.symbol" },
	{ "date", "trading date at the exchange" },
	{ "adj", "=bar.adj" },
	{ "session", "=bar.session" },
	{ "provider", "whose bar it is, of several the preferred one's" },
	{ "open", "=bar.open" },
	{ "high", "=bar.high" },
	{ "low", "=bar.low" },
	{ "close", "=bar.close" },
	{ "volume", "=bar.volume" },
	{ "turnover", "=bar.turnover" },
	{ "vwap", BAR_VWAP },
	{ "trades", "=bar.trades" },
	{ "adj_close", "=bar.adj_close" },
	{ "final", BAR_FINAL },
	{ "gap", BAR_GAP },
	{ "currency", "=bar.currency" },
	{ "mic", "=bar.mic" },
	{ "exchange", "=bar.exchange" },
	{ "tz", "=bar.tz" },
	{ "ind", "=bar.ind" },
	{ NULL, NULL },
};

/* All by which one selects stands in PARTITION BY, so that it is selected by
 * before the numbers are given. */
static const char daily_bars_postgres[] =
	"SELECT symbol, date, adj, session, provider, open, high, low, close,\n"
	"\tvolume, turnover, vwap, trades, adj_close, final, gap, currency,\n"
	"\tmic, exchange, tz, ind\n"
	"FROM (SELECT b.*, row_number() OVER (\n"
	"\tPARTITION BY b.symbol, b.date, b.adj, b.session\n"
	"\tORDER BY p.place NULLS LAST, b.provider) AS choice\n"
	"\tFROM bars AS b LEFT JOIN fl_preference AS p\n"
	"\tON p.provider = b.provider WHERE b.interval = '1d') AS b\n"
	"WHERE choice = 1";

static const struct fl_view_column adjusted_daily_bars[] = {
	{ "symbol", "=bar.symbol" },
	{ "date", "trading date at the exchange" },
	{ "provider", "whose bar it is, of several the preferred one's" },
	{ "open", "first price, adjusted; in main currency units" },
	{ "high", "highest price, adjusted; in main currency units" },
	{ "low", "lowest price, adjusted; in main currency units" },
	{ "close", "last price, adjusted; in main currency units" },
	{ "volume", "=bar.volume" },
	{ "factor", "what stored prices were multiplied by" },
	{ "stored_close",
	  "last price as it is stored; in main currency units" },
	{ "stored_adj", "what that is adjusted for: none (as traded), split, "
			"all (and dividends)" },
	{ "final", BAR_FINAL },
	{ "currency", "=bar.currency" },
	{ NULL, NULL },
};

static const char adjusted_daily_bars_postgres[] =
	"SELECT symbol, date, provider,\n"
	"\tCASE adj WHEN 'all' THEN open\n"
	"\t\tELSE trim_scale(round(open * factor, 6)) END,\n"
	"\tCASE adj WHEN 'all' THEN high\n"
	"\t\tELSE trim_scale(round(high * factor, 6)) END,\n"
	"\tCASE adj WHEN 'all' THEN low\n"
	"\t\tELSE trim_scale(round(low * factor, 6)) END,\n"
	"\tCASE adj WHEN 'all' THEN close ELSE adj_close END,\n"
	"\tvolume, trim_scale(round(factor, 12)), close, adj, final, currency\n"
	"FROM (SELECT d.*,\n"
	"\tCASE WHEN adj = 'all' THEN 1 ELSE adj_close / NULLIF(close, 0) END\n"
	"\t\tAS factor,\n"
	"\trow_number() OVER (PARTITION BY symbol, date ORDER BY\n"
	"\t\tCASE adj WHEN 'all' THEN 0 WHEN 'split' THEN 1 ELSE 2 END)\n"
	"\t\tAS choice\n"
	"\tFROM daily_bars AS d WHERE session = 'regular'\n"
	"\tAND (adj = 'all' OR adj_close IS NOT NULL)) AS d\n"
	"WHERE choice = 1";

static const struct fl_view_column corporate_actions[] = {
	{ "symbol", "=dividend.symbol" },
	{ "date", "the day from which on prices are without it" },
	{ "provider", "=dividend.provider" },
	{ "kind", "cash, special, capital_gain, or split" },
	{ "amount", "paid per share; of dividends" },
	{ "ratio", "shares that one became; of splits" },
	{ "currency", "=dividend.currency" },
	{ NULL, NULL },
};

static const char corporate_actions_postgres[] =
	"SELECT symbol, date, provider, COALESCE(kind, 'cash'), amount,\n"
	"\tNULL::numeric, currency FROM dividend\n"
	"UNION ALL\n"
	"SELECT symbol, date, provider, 'split', NULL,\n"
	"\ttrim_scale(round(numerator / NULLIF(denominator, 0), 12)), NULL\n"
	"FROM split";

static const struct fl_view_column instruments[] = {
	{ "symbol", "=instrument.symbol" },
	{ "name", "=instrument.name" },
	{ "asset", "=instrument.asset" },
	{ "currency", "=instrument.currency" },
	{ "mic", "=instrument.mic" },
	{ "exchange", "=instrument.exchange" },
	{ "tz", "=instrument.tz" },
	{ "sector", "=instrument.sector" },
	{ "industry", "=instrument.industry" },
	{ "country", "=instrument.country" },
	{ "isin", "=instrument.isin" },
	{ "figi", "=instrument.figi" },
	{ "active", "=instrument.active" },
	{ "provider", "who says so, of several the preferred one" },
	{ "ts", "when it was said" },
	{ NULL, NULL },
};

static const char instruments_postgres[] =
	"SELECT symbol, name, asset, currency, mic, exchange, tz, sector,\n"
	"\tindustry, country, isin, figi, active, provider, ts\n"
	"FROM (SELECT i.*, row_number() OVER (PARTITION BY i.symbol\n"
	"\tORDER BY p.place NULLS LAST, i.provider) AS choice\n"
	"\tFROM instrument AS i LEFT JOIN fl_preference AS p\n"
	"\tON p.provider = i.provider) AS i\n"
	"WHERE choice = 1";

/* --- news and logs -------------------------------------------------------- */

static const struct fl_view_column news_by_symbol[] = {
	{ "symbol", "one of those that the article is about" },
	{ "ts", "=news.ts" },
	{ "title", "=news.title" },
	{ "publisher", "=news.publisher" },
	{ "url", "=news.url" },
	{ "kind", "=news.kind" },
	{ "lang", "=news.lang" },
	{ "sentiment_score", "=news.sentiment.score" },
	{ "relevance", "how much it is about the symbol, up to 1" },
	{ "symbol_score",
	  "from -1, bad news, to 1, good news, for the symbol" },
	{ "summary", "=news.summary" },
	{ "provider", "=news.provider" },
	{ "id", "=news.id" },
	{ NULL, NULL },
};

static const char news_by_symbol_postgres[] =
	"SELECT s.symbol, n.ts, n.title, n.publisher, n.url, n.kind, n.lang,\n"
	"\tn.sentiment_score, x.relevance, x.score, n.doc ->> 'summary',\n"
	"\tn.provider, n.id\n"
	"FROM news AS n CROSS JOIN LATERAL unnest(n.symbols) AS s(symbol)\n"
	"LEFT JOIN LATERAL (SELECT (e ->> 'relevance')::numeric AS relevance,\n"
	"\t(e ->> 'score')::numeric AS score\n"
	"\tFROM json_array_elements(n.doc -> 'symbol_sentiment') AS e\n"
	"\tWHERE e ->> 'symbol' = s.symbol LIMIT 1) AS x ON true";

static const struct fl_view_column denied_connections_hourly[] = {
	{ "hour", "start of the hour, UTC" },
	{ "provider", "format of the log: ufw, cisco_asa, pfsense" },
	{ "host", "=log.host.name" },
	{ "action", "deny, drop or reset" },
	{ "rule", "=log.rule.name" },
	{ "source_ip", "=log.source.ip" },
	{ "destination_port", "=log.destination.port" },
	{ "transport", "=log.network.transport" },
	{ "connections", "how many were denied" },
	{ "bytes", "of those of which it is known" },
	{ NULL, NULL },
};

static const char denied_connections_hourly_postgres[] =
	"SELECT date_trunc('hour', ts, 'UTC'), provider, host, action, rule,\n"
	"\tsource_ip, destination_port, transport, count(*), sum(bytes)\n"
	"FROM log WHERE action IN ('deny', 'drop', 'reset')\n"
	"GROUP BY 1, 2, 3, 4, 5, 6, 7, 8";

static const struct fl_view_column alerts[] = {
	{ "ts", "=alert.ts" },
	{ "rule", "=alert.rule" },
	{ "kind", "=alert.kind" },
	{ "severity", "=alert.severity" },
	{ "subject", "=alert.subject" },
	{ "symbol", "=alert.symbol" },
	{ "state", "=alert.state" },
	{ "message", "=alert.message" },
	{ "value", "=alert.value" },
	{ "op", "=alert.op" },
	{ "threshold", "=alert.threshold" },
	{ "window", "=alert.window" },
	{ "count", "=alert.count" },
	{ "first_ts", "=alert.first_ts" },
	{ "provider", "=alert.provider" },
	{ NULL, NULL },
};

static const char alerts_postgres[] =
	"SELECT ts, rule, kind, severity, subject, symbol, state, message,\n"
	"\tvalue, op, threshold, \"window\", count, first_ts, provider\n"
	"FROM alert";

/* --- forecasts ------------------------------------------------------------ */

static const struct fl_view_column prediction_errors[] = {
	{ "ts", "=prediction.ts" },
	{ "symbol", "=prediction.symbol" },
	{ "model", "=prediction.model" },
	{ "model_version", "=prediction.model_version" },
	{ "horizon", "=prediction.horizon" },
	{ "target", "=prediction.target" },
	{ "target_ts", "=prediction.target_ts" },
	{ "value", "=prediction.value" },
	{ "baseline", "=prediction.baseline" },
	{ "actual", "=prediction.actual" },
	{ "error", "value minus actual" },
	{ "baseline_error", "baseline minus actual" },
	{ "inside", "true: actual lies between lower and upper" },
	{ "lower", "=prediction.lower" },
	{ "upper", "=prediction.upper" },
	{ "level", "=prediction.level" },
	{ NULL, NULL },
};

static const char prediction_errors_postgres[] =
	"SELECT ts, symbol, model, model_version, horizon, target, target_ts,\n"
	"\tvalue, baseline, actual, value - actual, baseline - actual,\n"
	"\tactual BETWEEN lower AND upper, lower, upper, level\n"
	"FROM prediction WHERE actual IS NOT NULL";

/* --- the tools themselves ------------------------------------------------- */

static const struct fl_view_column pipeline_runs[] = {
	{ "started", "=run.started" },
	{ "ended", "when the command ended" },
	{ "pipeline", "=run.pipeline" },
	{ "command", "which it was: fl-fetch, fl-clean, fl-load" },
	{ "status", "=run.status" },
	{ "in", "=run.in" },
	{ "used", "=run.used" },
	{ "rejected", "=run.rejected" },
	{ "duplicates", "=run.duplicates" },
	{ "filtered", "=run.filtered" },
	{ "late", "=run.late" },
	{ "uncommitted", "=run.uncommitted" },
	{ "out", "=run.out" },
	{ "bytes_in", "=run.bytes_in" },
	{ "bytes_out", "=run.bytes_out" },
	{ "wall_s", "=run.wall_s" },
	{ "cpu_s", "=run.cpu_s" },
	{ "records_per_s", "in by wall_s" },
	{ "max_rss_bytes", "=run.max_rss_bytes" },
	{ "error", "=run.error" },
	{ "host", "=run.host" },
	{ "id", "=run.id" },
	{ NULL, NULL },
};

static const char pipeline_runs_postgres[] =
	"SELECT started, ts, pipeline, provider, status, \"in\", used,\n"
	"\trejected, duplicates, filtered, late, uncommitted, \"out\",\n"
	"\tbytes_in, bytes_out, wall_s, cpu_s,\n"
	"\tround(\"in\" / NULLIF(wall_s, 0)), max_rss_bytes, error, host, id\n"
	"FROM run";

static const struct fl_view_column pipelines[] = {
	{ "pipeline", "name of the pipeline" },
	{ "origins", "how many it reads from" },
	{ "watermark", "all records up to this time have come; empty when one "
		       "of the origins does not say" },
	{ "behind_s", "seconds that the watermark is behind now" },
	{ "last_record", "time of the newest record that was stored" },
	{ NULL, NULL },
};

static const char pipelines_postgres[] =
	"SELECT pipeline, count(*),\n"
	"\tCASE WHEN count(*) = count(wm) THEN min(wm) END,\n"
	"\tCASE WHEN count(*) = count(wm)\n"
	"\t\tTHEN round(extract(epoch FROM now() - min(wm))::numeric, 3) END,\n"
	"\tmax(record_time)\n"
	"FROM fl_position GROUP BY pipeline";

static const struct fl_view_column rejects_daily[] = {
	{ "date", "day of the rejection, UTC" },
	{ "command", "which refused it: fl-clean, fl-load" },
	{ "reason", "=reject.reason" },
	{ "field", "=reject.field" },
	{ "rejects", "how many there were" },
	{ "last_ts", "when the last one was refused" },
	{ NULL, NULL },
};

static const char rejects_daily_postgres[] =
	"SELECT (ts AT TIME ZONE 'UTC')::date, provider, reason, field,\n"
	"\tcount(*), max(ts)\n"
	"FROM reject GROUP BY 1, 2, 3, 4";

/* --- all of them ---------------------------------------------------------- */

#define VIEW(view, text)                                                       \
	{                                                                      \
		.name = #view, .doc = (text), .columns = view,                 \
		.postgres = view##_postgres                                    \
	}

const struct fl_view fl_views[] = {
	{ .name = "latest_quotes",
	  .doc = "the newest quote of each symbol and provider",
	  .columns = latest_quotes },
	VIEW(bars, "bars of all intervals and providers, whole: one made of "
		   "parts as they make it, final when the watermark of its "
		   "pipeline has passed its end"),
	VIEW(intraday_bars, "bars of less than a day, of all providers"),
	VIEW(daily_bars, "a bar a day: of the provider that fl_preference puts "
			 "first, else of the first by name"),
	VIEW(adjusted_daily_bars,
	     "daily bars adjusted for splits and dividends, regular session, "
	     "where the provider says how: by its bars, or by adj_close"),
	VIEW(corporate_actions, "dividends and splits"),
	VIEW(instruments, "what symbols stand for, one row each"),
	VIEW(news_by_symbol,
	     "articles, once for each symbol; of few symbols the table news "
	     "tells quicker: symbols && ARRAY['AAPL'] has an index"),
	VIEW(denied_connections_hourly,
	     "connections that firewalls refused, by hour"),
	VIEW(alerts, "rules that began or ceased to hold"),
	VIEW(prediction_errors, "forecasts of which the outcome is known"),
	VIEW(pipeline_runs, "accounts of commands, one row a run"),
	VIEW(pipelines, "where each pipeline stands"),
	VIEW(rejects_daily, "what was refused, by day and reason"),
	{ .name = NULL },
};

void fl_view_describe(struct fl_buf *out, const struct fl_view_column *col)
{
	const char *dot = strchr(col->doc, '.');
	const struct fl_type *type;
	int field;

	if (*col->doc != '=') {
		fl_buf_puts(out, col->doc);
		return;
	}
	type = dot ? fl_type_find(col->doc + 1, (size_t)(dot - col->doc - 1))
		   : NULL;
	field = type ? fl_type_field(type, dot + 1, strlen(dot + 1)) : -1;
	if (field < 0)
		FL_BUG("a view tells of a field that there is not");
	fl_describe_field(out, &type->fields[field]);
}
