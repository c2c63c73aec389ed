#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# What people and BI tools meet in PostgreSQL: the views of schema bi, the role
# fl_bi, and comments.

load ../helper/common
load ../helper/postgres

setup_file() { begin_postgres; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
}

quote() {
	printf '{"type":"quote","ts":"2026-01-02T16:00:%02d.000Z","provider":"%s","symbol":"%s","price":%s,"seq":%d}\n' "$1" "$2" "$3" "$4" "$1"
}
# day DATE PROVIDER CLOSE [MORE]: a daily bar.
day() {
	printf '{"type":"bar","ts":"%sT00:00:00.000Z","provider":"%s","symbol":"ZZZT","interval":"1d","open":%s,"high":%s,"low":%s,"close":%s,"adj":"split","date":"%s"%s}\n' \
		"$1" "$2" "$3" "$3" "$3" "$3" "$1" "${4-}"
}

@test "every table, view and column says what it is" {
	quote 1 t ZZZT 5 | fl-load "$place"
	silent=$(sql "$place" "SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		WHERE nspname IN ('public', 'bi') AND relkind IN ('r', 'p', 'v')
		AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, attnum) IS NULL)")
	[ -z "$silent" ] || { echo "$silent"; return 1; }
	[ "$(sql "$place" "SELECT count(*) FROM pg_views WHERE schemaname = 'bi'")" = 14 ]
	# What is said is what the manual says.
	[ "$(sql "$place" "SELECT col_description('quote'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'quote'::regclass AND attname = 'delay_s'")" = \
		'how late the provider says it is; in seconds' ]
}

@test "latest_quotes is what --last 1 gives, also when others wrote, in at most 2,000 buffers" {
	fl-fetch sim -n 200000 --universe 500 | fl-load -q "$place"
	sql "$place" 'VACUUM ANALYZE quote'
	latest() { psql -qAtX -F , "$place" -c 'SELECT symbol, provider, price, size FROM bi.latest_quotes ORDER BY ts, symbol'; }
	fetched() { fl-fetch store "$place" --type quote --last 1 --as csv --fields ts,symbol,provider,price,size | tail -n +2 | sort -t , -k 1,2 -s | cut -d , -f 2-; }
	[ "$(latest | wc -l)" = 500 ]
	latest | cmp - <(fetched)
	buffers=$(sql "$place" 'EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM bi.latest_quotes' |
		sed -n '/Buffers:/{s/.*hit=\([0-9]*\)\( read=\([0-9]*\)\)*.*/\1 \3/p;q}' | awk '{ print $1 + $2 }')
	echo "# $buffers buffers" >&3
	[ "$buffers" -le 2000 ]
	sql "$place" "INSERT INTO quote (ts, ts_ns, symbol, provider, tick_id, price, size) VALUES ('2026-01-20', 0, 'NEW', 'me', 1, 5, 1)"
	[ "$(latest | wc -l)" = 501 ]
	latest | cmp - <(fetched)
}

@test "bars made of parts are whole in the views, with the VWAP and finality that fl-fetch store gives" {
	fl-fetch sim -n 30000 --resume "$place" --pipeline b --marks 1000,10s | head -c 3000000 |
		fl-agg bars 1m,5m,1d | fl-load --pipeline b "$place" || [ $? = 3 ]
	# Whole ones beside them, of which one is not final, and one without volume.
	day 2026-01-02 yahoo 5 ',"volume":10,"final":false,"currency":"USD"' | fl-load "$place"
	fields=symbol,provider,interval,adj,open,high,low,close,volume,turnover,vwap,trades,currency
	fl-fetch store "$place" --type bar | jq -r "[.ts, .${fields//,/, .}, (.final != false)] | map(if . == null then \"\" else tostring end) | join(\"|\")" | sort >want
	sql "$place" "SELECT to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), ${fields/interval/\"interval\"}, CASE WHEN final THEN 'true' ELSE 'false' END FROM bi.bars" | sort >got
	diff want got
	grep -q 'false$' got
	grep -q 'true$' got
	[ "$(sql "$place" 'SELECT count(*) FROM bar WHERE partial')" -gt 50 ]
	[ "$(sql "$place" "SELECT count(*) FROM bi.intraday_bars")" = "$(grep -vc '|1d|' got)" ]
	# Of a pipeline that does not say how far it has come nothing is awaited.
	sql "$place" "UPDATE fl_position SET wm = NULL"
	[ "$(sql "$place" "SELECT count(*) FROM bi.intraday_bars WHERE NOT final")" = 0 ]
}

@test "a ratio that lies between two decimals is rounded to the even one, as everywhere" {
	for volume in 8 40 7 3; do
		echo '{"type":"bar","ts":"2026-01-02T16:0'$((volume % 10))':00.000Z","provider":"agg:t","symbol":"ZZZT","interval":"1m","open":1,"high":1,"low":1,"close":1,"adj":"none","ts_end":"2026-01-02T16:0'$((volume % 10 + 1))':00.000Z","volume":'$volume',"turnover":'1.000000012',"trades":1,"first_ts":"2026-01-02T16:00:00.000Z","last_ts":"2026-01-02T16:00:00.000Z","partial":true}'
	done | fl-load --merge "$place"
	fl-fetch store "$place" | jq -r '"\(.ts[14:16])|\(.vwap)"' | sort >want
	sql "$place" "SELECT to_char(ts, 'MI'), vwap FROM bi.bars ORDER BY ts" | diff want -
	grep -q '08|0.125000002' want # 0.1250000015
}

@test "a bar a day: of the provider that is preferred; adjusted where that is known" {
	{
		day 2026-01-02 yahoo 100 ',"adj_close":50'
		day 2026-01-02 alphavantage 101
		day 2026-01-05 yahoo 102
		day 2026-01-05 alphavantage 103 ',"adj_close":103'
		day 2026-01-06 alphavantage 104 | sed 's/"split"/"all"/'
	} | fl-load "$place"
	[ "$(sql "$place" 'SELECT date, provider, close FROM bi.daily_bars ORDER BY date')" = \
		$'2026-01-02|alphavantage|101\n2026-01-05|alphavantage|103\n2026-01-06|alphavantage|104' ]
	sql "$place" "INSERT INTO fl_preference VALUES ('yahoo', 1)"
	[ "$(sql "$place" 'SELECT date, provider, close FROM bi.daily_bars ORDER BY date')" = \
		$'2026-01-02|yahoo|100\n2026-01-05|yahoo|102\n2026-01-06|alphavantage|104' ]
	[ "$(sql "$place" 'SELECT date, open, close, factor, stored_close, stored_adj FROM bi.adjusted_daily_bars ORDER BY date')" = \
		$'2026-01-02|50|50|0.5|100|split\n2026-01-06|104|104|1|104|all' ]
}

@test "news by symbol, denied connections by the hour, runs, pipelines, rejects" {
	echo '{"type":"news","ts":"2026-01-02T16:00:00.000Z","provider":"p","id":"1","title":"t","url":"x:y","symbols":["AAA","BBB"],"sentiment":{"score":0.5},"symbol_sentiment":[{"symbol":"BBB","relevance":0.25,"score":-0.5}],"summary":"s"}' | fl-load "$place"
	[ "$(sql "$place" 'SELECT symbol, title, sentiment_score, relevance, symbol_score, summary FROM bi.news_by_symbol ORDER BY 1')" = \
		$'AAA|t|0.5|||s\nBBB|t|0.5|0.25|-0.5|s' ]
	for i in 1 2 3; do
		echo "Mar  5 09:3$i:00 gw kernel: [1.0] [UFW $([ $i = 3 ] && echo ALLOW || echo BLOCK)] IN=eth0 OUT= SRC=203.0.113.5 DST=198.51.100.7 LEN=60 PROTO=TCP SPT=4432$i DPT=22"
	done | fl-fetch log - --year 2026 | fl-load "$place"
	[ "$(sql "$place" "SELECT hour AT TIME ZONE 'UTC', host, action, source_ip, destination_port, transport, connections, bytes FROM bi.denied_connections_hourly")" = \
		'2026-03-05 09:00:00|gw|deny|203.0.113.5|22|tcp|2|120' ]
	echo '{"type":"quote","ts":"2026-01-02T16:00:00.000Z","provider":"t","symbol":"ZZZT","price":"x"}' >in
	fl-load --runs runs --rejects bad "$place" in || [ $? = 1 ]
	fl-load "$place" runs bad
	[ "$(sql "$place" 'SELECT command, status, "in", rejected FROM bi.pipeline_runs')" = 'fl-load|1|1|1' ]
	[ "$(sql "$place" 'SELECT command, reason, field, rejects FROM bi.rejects_daily')" = 'fl-load|bad_type|price|1' ]
	fl-fetch sim -n 100 --resume "$place" --pipeline s | fl-load --pipeline s "$place"
	[ "$(sql "$place" 'SELECT pipeline, origins, watermark = last_record, behind_s > 0 FROM bi.pipelines')" = 's|1|t|t' ]
	# All of them can be read.
	for view in $(sql "$place" "SELECT viewname FROM pg_views WHERE schemaname = 'bi'"); do
		sql "$place" "SELECT * FROM bi.$view" >/dev/null
	done
}

@test "fl_bi reads the views, nothing else, changes nothing, and not for ever" {
	quote 1 t ZZZT 5 | fl-load "$place"
	sql "$place" "ALTER ROLE fl_bi PASSWORD 'pw'"
	as_bi=${place/lake@/fl_bi@}
	export PGPASSWORD=pw
	[ "$(sql "$as_bi" 'SELECT symbol FROM bi.latest_quotes')" = ZZZT ]
	[ "$(sql "$as_bi" 'SHOW statement_timeout')" = 1min ]
	run ! sql "$as_bi" 'SELECT * FROM quote'
	[[ $output == *'permission denied'* ]]
	run ! sql "$as_bi" 'CREATE TEMP TABLE t (i int)'
	[[ $output == *'read-only transaction'* ]]
	run ! sql "$as_bi" "SET default_transaction_read_only = off; SELECT fl_add_month('quote', '2020-01-01')"
	[[ $output == *'permission denied'* ]]
	unset PGPASSWORD
	# What an administrator has set stays.
	sql "$place" "ALTER ROLE fl_bi SET statement_timeout = '5s'"
	fl-load --migrate "$place"
	[ "$(PGPASSWORD=pw sql "$as_bi" 'SHOW statement_timeout')" = 5s ]
}

@test "who may make no roles gets the views without, and the rest may be run later" {
	sql "$place" "DROP OWNED BY fl_bi; DROP ROLE IF EXISTS fl_bi" 2>/dev/null || true
	sql "$place" "CREATE ROLE maker LOGIN PASSWORD 'pw'; ALTER DATABASE ${place##*/} OWNER TO maker; ALTER SCHEMA public OWNER TO maker"
	for other in $(sql "$place" "SELECT datname FROM pg_database WHERE datname LIKE 'test%'"); do
		sql "${place%/*}/$other" 'DROP OWNED BY fl_bi' 2>/dev/null || true
	done
	sql "$place" 'DROP ROLE IF EXISTS fl_bi'
	quote 1 t ZZZT 5 >in
	PGPASSWORD=pw run -0 fl-load -v "${place/lake@/maker@}" in
	[[ $output == *'the role fl_bi is not made: permission denied to create role (fl-load --print-schema ends with what an administrator may run)'* ]]
	[ "$(sql "$place" 'SELECT symbol FROM bi.latest_quotes')" = ZZZT ]
	# The last two blocks, as an administrator would paste them.
	fl-load --print-schema "$place" | tac | awk '{ print } /^DO \$\$/ && ++blocks == 2 { exit }' | tac >role.sql
	psql -qX -v ON_ERROR_STOP=1 "$place" -f role.sql
	[ "$(sql "$place" "SET ROLE fl_bi; SELECT symbol FROM bi.latest_quotes")" = ZZZT ]
}

@test "who may make no schemas gets the tables without views, which --migrate makes once he may" {
	sql "$place" "CREATE ROLE tenant LOGIN PASSWORD 'pw'; GRANT CREATE, USAGE ON SCHEMA public TO tenant"
	quote 1 t ZZZT 5 >in
	PGPASSWORD=pw run -0 fl-load -v "${place/lake@/tenant@}" in
	[[ $output == *"cannot make the views of "*"permission denied for database"*"without them all else works, and fl-load --migrate tries again"* ]]
	[ "$(sql "$place" "SELECT to_regnamespace('bi') IS NULL")" = t ]
	sql "$place" "GRANT CREATE ON DATABASE ${place##*/} TO tenant"
	PGPASSWORD=pw fl-load --migrate "${place/lake@/tenant@}"
	[ "$(sql "$place" 'SELECT symbol FROM bi.latest_quotes')" = ZZZT ]
}

@test "stores in two schemas of one database have views of their own" {
	sql "$place" 'CREATE SCHEMA one; CREATE SCHEMA two'
	for name in one two; do
		quote 1 t "${name^^}" 5 | fl-load "$place?options=-csearch_path%3D$name"
		[ "$(sql "$place" "SELECT symbol FROM ${name}_bi.latest_quotes")" = "${name^^}" ]
	done
	[ "$(sql "$place" "SELECT to_regnamespace('bi') IS NULL")" = t ]
}
