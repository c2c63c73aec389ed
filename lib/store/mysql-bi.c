/* mysql-bi: what people and BI tools look at in a database of MySQL: the views
 * of views.c, in its words. It knows no schemas within a database, so their
 * names begin with bi_; a role of that name, where it can be made, may read
 * them and nothing else. Views have no comments there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/mysql.h"

#ifndef FL_WITHOUT_MYSQL
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/views.h"

#define NUMBERED(by, order)                                                    \
	"row_number() OVER (PARTITION BY " by " ORDER BY " order ") AS choice\n"
/* Who is not in the table comes last. */
#define PREFERRED "p.place IS NULL, p.place, "
#define BY_PREFERENCE(alias)                                                   \
	"LEFT JOIN fl_preference AS p ON p.provider = " alias ".provider"

/* The select of each view; " quotes names. */
static const struct {
	const char *name, *select;
} selects[] = {
	{ "latest_quotes",
	  "SELECT symbol, provider, ts, price, size, bid, ask, bid_size,\n"
	  "ask_size, volume, \"open\", high, low, prev_close, \"change\",\n"
	  "change_pct, currency, mic, exchange, asset, market_state, delay_s\n"
	  "FROM (SELECT q.*, " NUMBERED(
		  "symbol, provider",
		  "ts DESC, ts_ns DESC, tick_id DESC") "FROM quote AS q) AS q WHERE choice = 1" },
	/* As fl_bar_finish() has it: see views.c. */
	{ "bars",
	  "SELECT b.symbol, b.provider, b.\"interval\", b.adj, b.session,\n"
	  "b.ts, b.ts_end, b.\"date\", b.tz, b.\"open\", b.high, b.low,\n"
	  "b.\"close\", b.volume, b.turnover,\n"
	  "CASE WHEN NOT COALESCE(b.partial, false) THEN b.vwap\n"
	  "WHEN 2 * ABS(b.turnover - b.q * b.volume) > b.volume "
	  "* 0.000000001\n"
	  "OR (2 * ABS(b.turnover - b.q * b.volume) = b.volume * 0.000000001\n"
	  "AND MOD(b.q * 1000000000, 2) <> 0)\n"
	  "THEN b.q + SIGN(b.turnover) * 0.000000001 ELSE b.q END,\n"
	  "b.trades, b.adj_close,\n"
	  "CASE WHEN b.partial THEN COALESCE(b.ts_end <= p.wm, true)\n"
	  "ELSE COALESCE(b.final, true) END,\n"
	  "COALESCE(b.gap, false), b.currency, b.mic, b.exchange, b.ind\n"
	  "FROM (SELECT bar.*, CASE WHEN volume > 0\n"
	  "THEN TRUNCATE(turnover / volume, 9) END AS q FROM bar) AS b\n"
	  "LEFT JOIN (SELECT pipeline, CASE WHEN COUNT(*) = COUNT(wm)\n"
	  "THEN MIN(wm) END AS wm FROM fl_position GROUP BY pipeline) AS p\n"
	  "ON p.pipeline = b.pipeline" },
	{ "intraday_bars",
	  "SELECT symbol, provider, \"interval\", adj, session, ts, ts_end,\n"
	  "tz, \"open\", high, low, \"close\", volume, turnover, vwap, trades,\n"
	  "final, gap, currency, mic, exchange, ind FROM bi_bars\n"
	  "WHERE \"interval\" NOT IN ('1d', '1wk', '1mo', '3mo', '1y')" },
	{ "daily_bars",
	  "SELECT symbol, \"date\", adj, session, provider, \"open\", high,\n"
	  "low, \"close\", volume, turnover, vwap, trades, adj_close, final,\n"
	  "gap, currency, mic, exchange, tz, ind\n"
	  "FROM (SELECT b.*, " NUMBERED(
		  "b.symbol, b.\"date\", b.adj, b.session", PREFERRED
		  "b.provider") "FROM bi_bars AS b " BY_PREFERENCE("b") " WHERE b.\"interval\" = '1d') AS b WHERE choice = 1" },
	{ "adjusted_daily_bars",
	  "SELECT symbol, \"date\", provider,\n"
	  "CASE adj WHEN 'all' THEN \"open\"\n"
	  "ELSE ROUND(\"open\" * factor, 6) END,\n"
	  "CASE adj WHEN 'all' THEN high ELSE ROUND(high * factor, 6) END,\n"
	  "CASE adj WHEN 'all' THEN low ELSE ROUND(low * factor, 6) END,\n"
	  "CASE adj WHEN 'all' THEN \"close\" ELSE adj_close END,\n"
	  "volume, ROUND(factor, 12), \"close\", adj, final, currency\n"
	  "FROM (SELECT d.*, CASE WHEN adj = 'all' THEN 1\n"
	  "ELSE adj_close / NULLIF(\"close\", 0) END AS factor,\n" NUMBERED(
		  "symbol, \"date\"",
		  "CASE adj WHEN 'all' THEN 0 WHEN 'split' THEN 1 ELSE 2 END") "FROM bi_daily_bars AS d WHERE session = 'regular'\n"
									       "AND (adj = 'all' OR adj_close IS NOT NULL)) AS d WHERE choice = 1" },
	{ "corporate_actions",
	  "SELECT symbol, \"date\", provider, COALESCE(kind, 'cash'), amount,\n"
	  "NULL, currency FROM dividend\n"
	  "UNION ALL\n"
	  "SELECT symbol, \"date\", provider, 'split', NULL,\n"
	  "ROUND(numerator / NULLIF(denominator, 0), 12), NULL FROM split" },
	{ "instruments",
	  "SELECT symbol, name, asset, currency, mic, exchange, tz, sector,\n"
	  "industry, country, isin, figi, active, provider, ts\n"
	  "FROM (SELECT i.*, " NUMBERED(
		  "i.symbol", PREFERRED
		  "i.provider") "FROM instrument AS i " BY_PREFERENCE("i") ") AS i WHERE choice = 1" },
	{ "news_by_symbol",
	  "SELECT s.symbol, n.ts, n.title, n.publisher, n.url, n.kind,\n"
	  "n.lang, n.sentiment_score, MAX(x.relevance), MAX(x.score),\n"
	  "JSON_VALUE(n.doc, '$.summary'), n.provider, n.id\n"
	  "FROM news AS n JOIN JSON_TABLE(n.symbols, '$[*]'\n"
	  "COLUMNS(symbol varchar(64) PATH '$')) AS s\n"
	  "LEFT JOIN JSON_TABLE(n.doc, '$.symbol_sentiment[*]'\n"
	  "COLUMNS(symbol varchar(64) PATH '$.symbol',\n"
	  "relevance decimal(20,9) PATH '$.relevance',\n"
	  "score decimal(20,9) PATH '$.score')) AS x ON x.symbol = s.symbol\n"
	  "GROUP BY n.provider, n.id, s.symbol" },
	{ "denied_connections_hourly",
	  "SELECT TIMESTAMP(DATE(ts), MAKETIME(HOUR(ts), 0, 0)), provider,\n"
	  "host, action, rule, source_ip, destination_port, transport,\n"
	  "COUNT(*), SUM(bytes) FROM log\n"
	  "WHERE action IN ('deny', 'drop', 'reset')\n"
	  "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8" },
	{ "alerts",
	  "SELECT ts, rule, kind, severity, subject, symbol, state, message,\n"
	  "value, op, threshold, \"window\", count, first_ts, provider\n"
	  "FROM alert" },
	{ "prediction_errors",
	  "SELECT ts, symbol, model, model_version, horizon, target,\n"
	  "target_ts, value, baseline, actual, value - actual,\n"
	  "baseline - actual, actual BETWEEN \"lower\" AND \"upper\",\n"
	  "\"lower\", \"upper\", level\n"
	  "FROM prediction WHERE actual IS NOT NULL" },
	{ "pipeline_runs",
	  "SELECT started, ts, pipeline, provider, status, \"in\", used,\n"
	  "rejected, duplicates, filtered, late, uncommitted, \"out\",\n"
	  "bytes_in, bytes_out, wall_s, cpu_s,\n"
	  "ROUND(\"in\" / NULLIF(wall_s, 0)), max_rss_bytes, error, host, id\n"
	  "FROM run" },
	{ "pipelines",
	  "SELECT pipeline, COUNT(*),\n"
	  "CASE WHEN COUNT(*) = COUNT(wm) THEN MIN(wm) END,\n"
	  "CASE WHEN COUNT(*) = COUNT(wm) THEN TIMESTAMPDIFF(MICROSECOND,\n"
	  "MIN(wm), UTC_TIMESTAMP(6)) / 1000000 END, MAX(record_time)\n"
	  "FROM fl_position GROUP BY pipeline" },
	{ "rejects_daily",
	  "SELECT DATE(ts), provider, reason, field, COUNT(*), MAX(ts)\n"
	  "FROM reject GROUP BY 1, 2, 3, 4" },
};

static const char *select_of(const char *name)
{
	for (size_t i = 0; i < sizeof(selects) / sizeof(*selects); i++) {
		if (strcmp(selects[i].name, name) == 0)
			return selects[i].select;
	}
	FL_BUG("a view has no select for MySQL");
}

void fl_mysql_put_views(struct fl_buf *out)
{
	for (const struct fl_view *view = fl_views; view->name; view++) {
		const char *before = " (";

		fl_buf_printf(out, "CREATE OR REPLACE VIEW bi_%s", view->name);
		for (const struct fl_view_column *col = view->columns;
		     col->name; col++) {
			fl_buf_puts(out, before);
			fl_sql_name(out, &fl_sql_mysql, col->name);
			before = ", ";
		}
		fl_buf_puts(out, ") AS\n");
		fl_sql_text(out, &fl_sql_mysql, select_of(view->name));
		fl_buf_puts(out, ";\n");
	}
}

void fl_mysql_put_role(struct fl_buf *out)
{
	fl_buf_puts(out, "CREATE ROLE IF NOT EXISTS fl_bi;\n");
	for (const struct fl_view *view = fl_views; view->name; view++)
		fl_buf_printf(out, "GRANT SELECT ON bi_%s TO fl_bi;\n",
			      view->name);
}

#endif
