#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034 # run sets output and status; top, for the helper
# The MySQL store, against a real MariaDB.

load ../helper/common
load ../helper/mariadb
load ../helper/stores
load ../helper/examples

setup_file() { begin_mariadb --tls; }
teardown_file() { mariadb_service stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mariadb_ready
}

# --- what is stored -----------------------------------------------------------

@test "the conformance suites of all stores hold for MariaDB" {
	fl_stores_hold mysql
}

@test "every type is read back as SQLite gives it, equal to the byte, and loading twice changes nothing" {
	every_type_comes_back
}

@test "numbers, times and texts are what SQL and BI tools expect" {
	echo '{"type":"quote","ts":"2026-01-02T16:00:00.123456789Z","provider":"t","symbol":"ZZZT","price":101.25,"conditions":["a","b\"c"],"mine":{"x":1.5}}' |
		fl-load "$place"
	run -0 msql "$place" "SELECT ts, ts_ns, price * 2, JSON_VALUE(conditions, '\$[1]'), JSON_VALUE(extra, '\$.mine.x') FROM quote"
	[ "$output" = '2026-01-02 16:00:00.123456|789|202.500000000000000000|b"c|1.5' ]
	run -0 fl-fetch store "$place"
	[ "$output" = '{"type":"quote","ts":"2026-01-02T16:00:00.123456789Z","provider":"t","symbol":"ZZZT","price":101.25,"conditions":["a","b\"c"],"mine":{"x":1.5}}' ]
}

@test "texts are told apart by case, accent and blanks at their end, in keys, too" {
	for id in a A á 'a ' 'a  '; do
		jq -nc --arg id "$id" '{type: "news", ts: "2026-01-02T16:00:00.000Z", provider: "t", id: $id, title: "x", url: "https://example.org/"}'
	done >in
	run_json 0 fl-load "$place" in
	[ "$(fl-fetch store "$place" | jq -r .id | sort)" = "$(jq -r .id in | sort)" ]
	[ "$(fl-fetch store "$place" | wc -l)" = 5 ]
}

@test "the schema that is printed is the one that is made" {
	fl-load --print-schema "$place" >schema.sql
	msql "$place" "$(<schema.sql)"
	run -0 fl-load "$place" < <(quote 1)
	msql "$place" "SHOW CREATE TABLE bar" >by_hand
	msql "$place" "CREATE OR REPLACE DATABASE ${place##*/}"
	fl-load --migrate "$place"
	msql "$place" "SHOW CREATE TABLE bar" | cmp - by_hand
}

@test "tables whose making was cut off are made to the end" {
	fl-load --migrate "$place"
	msql "$place" "DROP TABLE run, stat, fl_schema"
	quote 1 | fl-load "$place"
	[ "$(fl-fetch store "$place" | wc -l)" = 1 ]
	msql "$place" "DELETE FROM fl_schema"
	quote 2 | fl-load "$place"
	[ "$(fl-fetch store "$place" | wc -l)" = 2 ]
}

@test "TLS with a certificate that is checked" {
	secure="${place/127.0.0.1/localhost}?ssl-ca=$FL_MYSQL_TEST_CA"
	quote 1 | fl-load "$secure"
	[ "$(fl-fetch store "$secure" | wc -l)" = 1 ]
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
		-keyout other.key -out other.pem 2>openssl.log
	run -4 fl-load "${secure/"$FL_MYSQL_TEST_CA"/$PWD/other.pem}" </dev/null
	[[ $output == *ertificate* ]]
}

@test "a server that takes no LOAD DATA LOCAL is loaded by INSERT, to the same" {
	msql "$root" "SET GLOBAL local_infile = 0"
	fl-fetch sim -n 3000 --duplicates 0.1 | tee in | fl-load -q "$place"
	msql "$root" "SET GLOBAL local_infile = 1"
	fl-load -q x.db in
	fl-fetch store "$place" | cmp - <(fl-fetch store x.db)
}

# bi STATEMENT: as user guest, who has the role.
bi() {
	local rows
	rows=$(MYSQL_PWD=pw mariadb --no-defaults --skip-ssl -BN -h 127.0.0.1 \
		-P "$(sed -E 's|.*:([0-9]+)/.*|\1|' <<<"$place")" -u guest \
		-e "SET ROLE fl_bi; USE ${place##*/}; $1") || return
	tr '\t' '|' <<<"$rows"
}

@test "people have views, a role that reads nothing else, and comments" {
	for file in "$BATS_TEST_DIRNAME"/../data/rec/*.ndjson; do
		[[ $file = *.bad.ndjson ]] || grep -v '"partial":true' "$file" | fl-load -q "$place"
	done
	msql "$place" "CREATE OR REPLACE USER guest IDENTIFIED BY 'pw'; GRANT fl_bi TO guest"
	run -0 msql "$place" "SHOW FULL TABLES WHERE Table_type = 'VIEW'"
	[ "${#lines[@]}" = 14 ]
	for view in "${lines[@]%%|*}"; do bi "SELECT COUNT(*) FROM $view" >count; done
	[ "$(bi "SELECT symbol, date, close FROM bi_adjusted_daily_bars WHERE symbol = 'ZZZT'")" = 'ZZZT|2026-01-02|101.000000000000000000' ]
	[ "$(bi "SELECT symbol, relevance FROM bi_news_by_symbol ORDER BY symbol LIMIT 2")" = $'BTC-USD|NULL\nZZZT|0.800000000' ]
	[ "$(bi "SELECT hour, source_ip, connections FROM bi_denied_connections_hourly WHERE provider = 'ufw'")" = '2026-01-02 16:00:00|192.0.2.1|1' ]
	[ "$(bi "SELECT COUNT(*) FROM bi_latest_quotes")" = "$(fl-fetch store "$place" --type quote | jq -r '.symbol + " " + .provider' | sort -u | wc -l)" ]
	run bi "SELECT COUNT(*) FROM quote"
	[[ $output == *'denied'* ]]
	[ "$(msql "$place" "SELECT column_comment FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'quote' AND column_name = 'size'")" = 'of the last trade; in shares, contracts or coins' ]
}

@test "a provider that is preferred is the one whose bar the day has" {
	for provider in a b; do
		jq -nc --arg p $provider '{type: "bar", ts: "2026-01-02T00:00:00.000Z", provider: $p, symbol: "ZZZT", interval: "1d",
			open: 1, high: 1, low: 1, close: 1, adj: "split", date: "2026-01-02", currency: "USD"}'
	done | fl-load -q "$place"
	[ "$(msql "$place" "SELECT provider FROM bi_daily_bars")" = a ]
	msql "$place" "INSERT INTO fl_preference VALUES ('b', 1)"
	[ "$(msql "$place" "SELECT provider FROM bi_daily_bars")" = b ]
}

@test "bars made of parts are shown as they are read, vwap to the last digit" {
	fl-fetch sim -n 20000 --resume "$place" --pipeline p | fl-clean | fl-agg bars 1m |
		fl-load --pipeline p "$place"
	fl-fetch store "$place" --type bar | jq -r '[.symbol, .ts[:19], .vwap, .final != false] | join("|")' | sort >want
	msql "$place" "SELECT symbol, DATE_FORMAT(ts, '%Y-%m-%dT%H:%i:%s'), TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM vwap)), IF(final, 'true', 'false') FROM bi_bars" |
		sort >got
	[ "$(wc -l <want)" -gt 50 ]
	diff want got
}

@test "the README's walk through a database ends with its rows in SQLite" {
	local block
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	blocks
	block=$(grep -l FL_MYSQL_TEST block.*)
	FL_MYSQL_TEST=$place run -0 bash -e -o pipefail "$block"
	[ "$(fl-fetch store lake.db | wc -l)" = 30000 ]
}

# --- marks --------------------------------------------------------------------

@test "a pipeline killed 10 times at random leaves the rows of an undisturbed run" {
	killed_at_random "$([ -n "${FL_LONG:-}" ] && echo 200 || echo 10)"
}

@test "bars made of parts by a pipeline killed 6 times at random are those of an undisturbed run" {
	bars_killed_at_random "$([ -n "${FL_LONG:-}" ] && echo 100 || echo 6)"
}

@test "of two copies of a pipeline one wins, and the other stops with 3" {
	one_copy_wins
}

@test "copies of a pipeline that share its origins commit side by side" {
	copies_side_by_side 30
}

@test "a mark that does not move is found where it was, though nothing changes" {
	a_mark_may_stand_still
}

@test "copies that commit at the same time: the one behind waits, then stops with 3" {
	one_behind_waits msql "$place" "START TRANSACTION; UPDATE fl_position SET pos = '7'; DO SLEEP(1); COMMIT"
}

@test "a store that holds nothing of where the stream goes on refuses it with 4" {
	nothing_is_held
}

# --- what goes wrong ----------------------------------------------------------

@test "a row that the database refuses is a reject with its words, the others of the batch stay" {
	fl-load --migrate "$place"
	msql "$place" 'ALTER TABLE quote ADD CONSTRAINT cheap CHECK (price < 1000)'
	refuses_dear_ones cheap
}

@test "what LOAD DATA would bend to fit is refused, and the others of its batch stay" {
	fl-load --migrate "$place"
	msql "$place" 'ALTER TABLE quote MODIFY exchange varchar(3)'
	for i in {1..9}; do
		quote "$i" | jq -c --argjson i "$i" '.exchange = "X" * (if $i == 5 then 4 else 3 end)'
	done >in
	run_json 1 fl-load --rejects bad "$place" in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[9,8,1]' ]
	[[ $(jq -r .detail bad) == *"Data too long for column 'exchange'"* ]]
	[ "$(fl-fetch store "$place" | jq -r .exchange | sort -u)" = XXX ]
}

@test "a row refused between marks is stored as a reject, with its mark" {
	fl-load --migrate "$place"
	msql "$place" "delimiter //
		CREATE TRIGGER no BEFORE INSERT ON quote FOR EACH ROW IF new.price = 5
		THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not on a fifth'; END IF//"
	refuses_between_marks 'not on a fifth'
}

@test "a wrong password, no such database, no such right are 4, with what mends it" {
	quote 1 >in
	FL_MYSQL_PASSWORD_FILE='' FL_MYSQL_PASSWORD=wrong run -4 fl-load "$place" in
	[[ $output == *'Access denied'*FL_MYSQL_PASSWORD* ]]
	[[ $output != *wrong* ]]
	run -4 fl-load "${place}x" in
	[[ $output == *"Unknown database"*'CREATE DATABASE '* ]]
	fl-load --migrate "$place"
	msql "$root" "CREATE OR REPLACE USER guest IDENTIFIED BY 'pw'; GRANT SELECT ON ${place##*/}.* TO guest"
	FL_MYSQL_PASSWORD_FILE='' FL_MYSQL_PASSWORD=pw run -4 fl-load "${place/lake@/guest@}" in
	[[ $output == *'denied'*'GRANT '* ]]
}

@test "a password in a place is refused, and not shown" {
	keeps_a_password FL_MYSQL_PASSWORD
}

@test "a server that is not there is 3" {
	run -3 fl-load mysql://lake@127.0.0.1:1/lake /dev/null
	[[ $output == "fl-load: cannot connect to 'mysql://lake@127.0.0.1:1/lake': "* ]]
}

@test "tables of a newer release are 4, to who writes and to who reads" {
	newer_tables msql
}

@test "a migration while a load runs ends it with 4 before the next batch" {
	newer_tables_meanwhile msql
}

@test "a read-only server is 5" {
	fl-load --migrate "$place"
	quote 1 >in
	msql "$root" "SET GLOBAL read_only = 1"
	run -5 fl-load "$place" in
	msql "$root" "SET GLOBAL read_only = 0"
	[[ $output == *'read-only'* ]]
}

@test "a reader sees one moment of the store, and --last the newest of each symbol" {
	selects_as_sqlite_does
}
