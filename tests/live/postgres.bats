#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# The PostgreSQL store, against a real server.

load ../helper/common
load ../helper/postgres

setup_file() { begin_postgres --tls; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
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

@test "the conformance suite of all stores holds for PostgreSQL" {
	cd "$BATS_TEST_DIRNAME/../.."
	make -s "build/${FL_VARIANT:-release}/unit/store" VARIANT="${FL_VARIANT:-release}" CC="${FL_CC:-gcc}"
	"build/${FL_VARIANT:-release}/unit/store" >"$BATS_TEST_TMPDIR/out" || {
		grep -A 6 '^not ok' "$BATS_TEST_TMPDIR/out"
		return 1
	}
	run ! grep 'postgres # SKIP' "$BATS_TEST_TMPDIR/out"
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
	run -0 sql "$place" "SELECT ts, ts_ns, price * 2, conditions[2], extra ->> 'mine' FROM quote"
	[ "$output" = '2026-01-02 16:00:00.123456+00|789|202.50|b"c|{"x":1.5}' ]
	run -0 fl-fetch store "$place"
	[ "$output" = '{"type":"quote","ts":"2026-01-02T16:00:00.123456789Z","provider":"t","symbol":"ZZZT","price":101.25,"conditions":["a","b\"c"],"mine":{"x":1.5}}' ]
}

@test "a place may name a schema, and TLS with a certificate that is checked" {
	sql "$place" 'CREATE SCHEMA mine'
	address=${place#*@}
	secure="postgresql://lake@localhost:${address#*:}?sslmode=verify-full&sslrootcert=$FL_PG_TEST_CA&options=-csearch_path%3Dmine"
	quote 1 | fl-load "$secure"
	run -0 sql "$place" 'SELECT count(*) FROM mine.quote'
	[ "$output" = 1 ]
	run -4 fl-load "${secure/"$FL_PG_TEST_CA"/$BATS_TEST_DIRNAME/none.pem}" </dev/null
	[[ $output == *certificate* ]]
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

@test "copies that commit at the same time: the one behind waits, then stops with 3" {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	# Somebody holds the position, and moves it.
	psql -qX "$place" >/dev/null <<-SQL &
		BEGIN; UPDATE fl_position SET pos = '7';
		SELECT pg_sleep(1); COMMIT;
	SQL
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
	sql "$place" 'ALTER TABLE quote ADD CONSTRAINT cheap CHECK (price < 1000)'
	for i in {1..40}; do quote "$i" $((i == 7 || i == 31 ? 5000 : i)); done >in
	run_json 1 fl-load --rejects bad "$place" in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[40,38,2]' ]
	[ "$(fl-fetch store "$place" | wc -l)" = 38 ]
	[ "$(jq -c '[.reason, .line]' bad)" = $'["sink_refused",7]\n["sink_refused",31]' ]
	[[ $(jq -r .detail bad) == *'violates check constraint "cheap"'* ]]
	[ "$(jq -r .raw bad)" = "$(sed -n '7p; 31p' in)" ]
}

@test "a row refused between marks is stored as a reject, with its mark" {
	fl-load --migrate "$place"
	sql "$place" "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN RAISE EXCEPTION \$\$not on a %\$\$, new.symbol; END'; CREATE TRIGGER no
		BEFORE INSERT ON quote FOR EACH ROW WHEN (new.price = 5) EXECUTE FUNCTION no()"
	marked null '"2"' "$(quote 1)" "$(quote 2 5)" "$(quote 3)" >in
	run_json 1 fl-load --pipeline p "$place" <in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[3,2,1]' ]
	[ "$(fl-fetch store "$place" --type quote | wc -l)" = 2 ]
	[ "$(fl-fetch store "$place" --type reject | jq -r '.reason + " " + .detail')" = 'sink_refused not on a ZZZT' ]
	[[ $(fl-load --positions "$place") == *'["2","2"]'* ]]
}

@test "a wrong password, no such database, no such role are 4, with what mends it" {
	quote 1 >in
	PGPASSFILE=/dev/null run -4 fl-load "$place" in
	[[ $output == *'~/.pgpass'* ]]
	PGPASSWORD=wrong run -4 fl-load "$place" in
	[[ $output == *'password authentication failed'*PGPASSWORD* ]]
	[[ $output != *wrong* ]]
	run -4 fl-load "${place}x" in
	[[ $output == *'does not exist; createdb '* ]]
}

@test "a password in a place is refused, and not shown" {
	run -2 fl-load "${place/lake@/lake:hunter2@}" /dev/null
	[[ $output == *'lake:***@'*PGPASSWORD* ]]
	[[ $output != *hunter2* ]]
}

@test "a server that is not there is 3" {
	run -3 fl-load postgres://lake@127.0.0.1:1/lake /dev/null
	[[ $output == "fl-load: cannot connect to 'postgres://lake@127.0.0.1:1/lake': "*'Connection refused'* ]]
}

@test "tables of a newer release are 4, to who writes and to who reads" {
	fl-load --migrate "$place"
	sql "$place" 'UPDATE fl_schema SET version = 99'
	run -4 fl-load "$place" /dev/null
	[[ $output == *'has schema version 99, newer than the '*': update financelake' ]]
	run -4 fl-fetch store "$place"
	[[ $output == *'schema version 99'* ]]
}

@test "a migration while a load runs ends it with 4 before the next batch" {
	fl-load --migrate "$place"
	{
		quote 1
		sleep 0.5
		sql "$place" 'UPDATE fl_schema SET version = 99' >&2
		quote 2
	} | {
		run -4 fl-load --batch 1,10s "$place"
		[[ $output == *'was brought to schema version 99 by another program'* ]]
	}
}

@test "who may not make tables is told what the owner has to say" {
	sql "$place" "CREATE ROLE guest LOGIN PASSWORD 'pw'"
	PGPASSWORD=pw run -4 fl-load "${place/lake@/guest@}" /dev/null
	[[ $output == *'permission denied'*'GRANT CREATE, USAGE ON SCHEMA public TO "guest"'* ]]
}

@test "a read-only database is 5" {
	fl-load --migrate "$place"
	sql "$place" "ALTER DATABASE ${place##*/} SET default_transaction_read_only = on"
	quote 1 >in
	run -5 fl-load "$place" in
	[[ $output == *'read-only transaction'* ]]
}

@test "a reader sees one moment of the store, and --last the newest of each symbol" {
	fl-fetch sim -n 3000 | fl-load "$place"
	fl-fetch sim -n 3000 | fl-load x.db
	fl-fetch store "$place" --last 3 | cmp - <(fl-fetch store x.db --last 3)
	fl-fetch store "$place" --symbol ZZZB --from 2026-01-02T14:31Z |
		cmp - <(fl-fetch store x.db --symbol ZZZB --from 2026-01-02T14:31Z)
	fl-fetch store "$place" --list | cmp - <(fl-fetch store x.db --list)
}
