#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034 # run sets output and status; top, for the helper
# The MySQL store, against a real MariaDB.

load ../helper/common
load ../helper/mariadb
load ../helper/examples

setup_file() { begin_mariadb --tls; }
teardown_file() { mariadb_service stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mariadb_ready
}

data=$BATS_TEST_DIRNAME/../data/rec

# quote SECOND [PRICE]: a line.
quote() {
	printf '{"type":"quote","ts":"2026-01-02T16:00:%02d.000Z","provider":"t","symbol":"ZZZT","price":%s,"seq":%d}\n' \
		"$1" "${2:-100}" "$1"
}
# marked FROM TO [LINE...]: a stream of pipeline p.
marked() {
	local from=$1 to=$2
	shift 2
	echo '{"type":"mark","pipeline":"p","at":{},"open":true,"via":["t"]}'
	[ $# = 0 ] || printf '%s\n' "$@"
	echo '{"type":"mark","pipeline":"p","at":{"o":['"$from,$to"']},"end":true}'
}

# --- what is stored -----------------------------------------------------------

@test "the conformance suite of all stores holds for MariaDB" {
	cd "$BATS_TEST_DIRNAME/../.."
	make -s "build/${FL_VARIANT:-release}/unit/store" VARIANT="${FL_VARIANT:-release}" CC="${FL_CC:-gcc}"
	"build/${FL_VARIANT:-release}/unit/store" >"$BATS_TEST_TMPDIR/out" || {
		grep -A 6 '^not ok' "$BATS_TEST_TMPDIR/out"
		return 1
	}
	run ! grep 'mysql # SKIP' "$BATS_TEST_TMPDIR/out"
}

@test "every type is read back as SQLite gives it, equal to the byte, and loading twice changes nothing" {
	for file in "$data"/*.ndjson; do
		[[ $file != *.bad.ndjson ]] || continue
		grep -v '"partial":true' "$file" >>in
	done
	fl-load -q x.db in
	fl-load -q "$place" in
	fl-fetch store x.db >want
	fl-fetch store "$place" >got
	cmp want got
	[ "$(wc -l <got)" -gt 40 ]
	run -0 fl-load --stats text "$place" in
	[[ $output == *'stored (0 new, '* ]]
	fl-fetch store "$place" | cmp - want
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
	kills=10
	[ -z "${FL_LONG:-}" ] || kills=200
	run "$BATS_TEST_DIRNAME/../helper/kill_loop.sh" $kills 7 "$PWD" 25s "$place"
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "bars made of parts by a pipeline killed 6 times at random are those of an undisturbed run" {
	kills=6
	[ -z "${FL_LONG:-}" ] || kills=100
	run "$BATS_TEST_DIRNAME/../helper/kill_bars.sh" $kills 3 "$PWD" "$place"
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "of two copies of a pipeline one wins, and the other stops with 3" {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	run -3 fl-load --pipeline p "$place" < <(marked null '"6"' "$(quote 2)")
	[[ $output == *"was taken over: the stream begins 'o' anew, where "*"holds '5' by now"* ]]
	run -3 fl-load --pipeline p "$place" < <(marked '"4"' '"6"' "$(quote 2)")
	[[ $output == *"from '4' of 'o', where "*" holds '5' by now"* ]]
	[ "$(fl-fetch store "$place" | wc -l)" = 1 ]
	run -0 fl-load --positions "$place"
	[[ $output == *'"at":{"o":["5","5"]}'* ]]
}

@test "a mark that does not move is found where it was, though nothing changes" {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	fl-load --pipeline p "$place" < <(marked '"5"' '"5"' "$(quote 2)")
	[ "$(fl-fetch store "$place" | wc -l)" = 2 ]
}

@test "copies that commit at the same time: the one behind waits, then stops with 3" {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	# Somebody holds the position, and moves it.
	msql "$place" "START TRANSACTION; UPDATE fl_position SET pos = '7'; DO SLEEP(1); COMMIT" &
	sleep 0.4
	run -3 fl-load --pipeline p "$place" < <(marked '"5"' '"6"' "$(quote 2)")
	[[ $output == *"holds '7' by now"* ]]
	wait
}

@test "a store that holds nothing of where the stream goes on refuses it with 4" {
	run -4 fl-load --pipeline p "$place" < <(marked '"5"' '"6"' "$(quote 2)")
	[[ $output == *"holds no position of 'o' in pipeline 'p'"* ]]
}

# --- what goes wrong ----------------------------------------------------------

@test "a row that the database refuses is a reject with its words, the others of the batch stay" {
	fl-load --migrate "$place"
	msql "$place" 'ALTER TABLE quote ADD CONSTRAINT cheap CHECK (price < 1000)'
	for i in {1..40}; do quote "$i" $((i == 7 || i == 31 ? 5000 : i)); done >in
	run_json 1 fl-load --rejects bad "$place" in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[40,38,2]' ]
	[ "$(fl-fetch store "$place" | wc -l)" = 38 ]
	[ "$(jq -c '[.reason, .line]' bad)" = $'["sink_refused",7]\n["sink_refused",31]' ]
	[[ $(jq -r .detail bad) == *'cheap'* ]]
	[ "$(jq -r .raw bad)" = "$(sed -n '7p; 31p' in)" ]
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
	marked null '"2"' "$(quote 1)" "$(quote 2 5)" "$(quote 3)" >in
	run_json 1 fl-load --pipeline p "$place" <in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[3,2,1]' ]
	[ "$(fl-fetch store "$place" --type quote | wc -l)" = 2 ]
	[ "$(fl-fetch store "$place" --type reject | jq -r '.reason + " " + .detail')" = 'sink_refused not on a fifth' ]
	[[ $(fl-load --positions "$place") == *'["2","2"]'* ]]
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
	run -2 fl-load "${place/lake@/lake:hunter2@}" /dev/null
	[[ $output == *'lake:***@'*FL_MYSQL_PASSWORD* ]]
	[[ $output != *hunter2* ]]
}

@test "a server that is not there is 3" {
	run -3 fl-load mysql://lake@127.0.0.1:1/lake /dev/null
	[[ $output == "fl-load: cannot connect to 'mysql://lake@127.0.0.1:1/lake': "* ]]
}

@test "tables of a newer release are 4, to who writes and to who reads" {
	fl-load --migrate "$place"
	msql "$place" 'UPDATE fl_schema SET version = 99'
	run -4 fl-load "$place" /dev/null
	[[ $output == *'has schema version 99, newer than the '*': update financelake' ]]
	run -4 fl-fetch store "$place"
	[[ $output == *'schema version 99'* ]]
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
	fl-fetch sim -n 3000 | fl-load "$place"
	fl-fetch sim -n 3000 | fl-load x.db
	fl-fetch store "$place" --last 3 | cmp - <(fl-fetch store x.db --last 3)
	fl-fetch store "$place" --symbol ZZZB --from 2026-01-02T14:31Z |
		cmp - <(fl-fetch store x.db --symbol ZZZB --from 2026-01-02T14:31Z)
	fl-fetch store "$place" --list | cmp - <(fl-fetch store x.db --list)
}
