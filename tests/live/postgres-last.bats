#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# The newest of each series out of PostgreSQL: what is noted beside ticks, and
# that it gives what reading all of them gives, which SQLite does.

load ../helper/common
load ../helper/postgres

setup_file() { begin_postgres; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
}

# ticks SEED COUNT: of 40 series in ten days of two months, some of them seldom, some with an
# end, several in one instant.
ticks() {
	awk -v seed="$1" -v count="$2" 'BEGIN {
		srand(seed)
		for (i = 0; i < count; i++) {
			symbol = int(40 * rand() * rand())
			second = int(864000 * rand() * (symbol % 7 == 3 ? 0.2 : 1))
			if (symbol % 5 == 1) second -= second % 7200
			day = 27 + int(second / 86400)
			printf "{\"type\":\"quote\",\"ts\":\"2026-%sT%02d:%02d:%02d.%09dZ\",\"provider\":\"%s\",\"symbol\":\"S%d\",\"price\":%d,\"seq\":%d}\n",
				(day > 31 ? "02-0" day - 31 : "01-" day), second / 3600 % 24, second / 60 % 60, second % 60,
				int(3 * rand()) * 500, rand() < 0.8 ? "a" : "b", symbol, i + 1, int(4 * rand())
		}
	}'
}

# compare SEED TIMES: whatever is asked for, both give it.
compare() {
	local i asked
	RANDOM=$1
	for ((i = 0; i < $2; i++)); do
		asked=(--last $((RANDOM % 3 ? RANDOM % 4 + 1 : RANDOM % 300 + 1)))
		((RANDOM % 3)) || asked+=(--symbol "S$((RANDOM % 42)),S$((RANDOM % 42)),s$((RANDOM % 42))")
		((RANDOM % 4)) || asked+=(--provider "$([ $((RANDOM % 2)) = 0 ] && echo a || echo b,c)")
		((RANDOM % 2)) || asked+=(--from "2026-01-$((RANDOM % 5 + 27))T$((RANDOM % 10 + 10)):$((RANDOM % 50 + 10)):30.0000005Z")
		((RANDOM % 2)) || asked+=(--to "2026-02-0$((RANDOM % 5 + 1))T$((RANDOM % 10 + 10)):00:00Z")
		fl-fetch store x.db "${asked[@]}" --type quote >want || return 1
		fl-fetch store "$place" "${asked[@]}" --type quote >got || return 1
		cmp want got || { echo "asked ${asked[*]}"; return 1; }
		[ -s want ] || empty=$((${empty:-0} + 1))
	done
}

# is_trusted: are the notes used?
is_trusted() { [ "$(sql "$place" "SELECT count(*) FROM quote_series WHERE symbol = ''")" = 0 ]; }

@test "--last of ticks gives what reading all of them gives, whatever else is asked" {
	ticks 1 6000 >in
	fl-load -q x.db in
	fl-load -q --batch 500,10s "$place" in
	is_trusted
	compare 1 60
	[ "${empty:-0}" -lt 30 ]
	# What is older than the newest, and comes twice.
	ticks 2 2000 >in
	cat in in | fl-load -q x.db
	cat in in | fl-load -q --batch 300,10s "$place"
	is_trusted
	compare 2 60
}

@test "rows that are deleted by others are not given, and those before them are" {
	ticks 3 4000 >in
	fl-load -q x.db in
	fl-load -q "$place" in
	for where in "symbol IN ('S3', 'S1')" "price % 3 = 1" "symbol = 'S7' AND provider = 'a'"; do
		sql "$place" "DELETE FROM quote WHERE $where"
		sqlite3 x.db "DELETE FROM quote WHERE ${where//price/CAST(price AS INTEGER)}"
		compare 3 20
	done
	is_trusted
	sql "$place" "TRUNCATE quote"
	[ -z "$(fl-fetch store "$place" --last 1)" ]
	head -n 500 in >some
	fl-load -q "$place" some
	rm x.db
	fl-load -q x.db some
	compare 4 20
}

@test "rows that others insert or move are found, and fl-load --migrate makes it quick again" {
	ticks 4 2000 >in
	fl-load -q x.db in
	fl-load -q "$place" in
	is_trusted
	# What the newest do not hang on does no harm.
	sql "$place" "UPDATE quote SET currency = 'USD' WHERE false"
	is_trusted
	line='{"type":"quote","ts":"2026-02-06T00:00:00.000Z","provider":"a","symbol":"S1","price":5,"seq":1}'
	echo "$line" | fl-load -q x.db
	sql "$place" "INSERT INTO quote (ts, ts_ns, symbol, provider, tick_id, price, seq)
		VALUES ('2026-02-06', 0, 'S1', 'a', 1, 5, 1)"
	run ! is_trusted
	compare 5 20
	run -0 fl-fetch -v store "$place" --last 1 --symbol S1
	[[ $output == *"others have written to quote"* ]]
	[[ $output == *"$line"* ]]
	fl-load --migrate "$place"
	is_trusted
	compare 6 20
	# Somebody renames a symbol, to one that there was not.
	sql "$place" "UPDATE quote SET symbol = 'S41' WHERE symbol = 'S2'"
	sqlite3 x.db "UPDATE quote SET symbol = 'S41' WHERE symbol = 'S2'"
	run ! is_trusted
	compare 7 20
	fl-load --migrate "$place"
	is_trusted
	compare 8 20
}

@test "what a load that fails has noted does no harm" {
	ticks 5 1000 >in
	fl-load --migrate "$place"
	sql "$place" "ALTER TABLE quote ADD CONSTRAINT odd CHECK (price % 10 <> 1)"
	fl-load -q "$place" in || [ $? = 1 ]
	grep -v '"price":[0-9]*1,' in | fl-load -q x.db
	is_trusted
	compare 9 20
}

@test "--last of bars goes along the key, and gives what reading all of them gives" {
	fl-fetch sim -n 20000 | fl-agg bars 1m,1h,1d >in
	fl-load -q x.db in
	fl-load -q "$place" in
	for asked in "--last 1" "--last 3" "--last 2 --symbol ZZZB,ZZZA" "--last 5 --interval 1h" \
		"--last 1 --to 2026-01-02T15:00Z" "--last 2 --provider agg:sim --adj none --symbol ZZZC" "--last 1 --symbol NOPE"; do
		# shellcheck disable=SC2086 # words
		fl-fetch store "$place" $asked --type bar | cmp - <(fl-fetch store x.db $asked --type bar)
	done
	[ "$(fl-fetch store "$place" --last 1 | wc -l)" = 15 ]
}

# explained QUERY...: the buffers that fl-fetch store took for its select.
explained() {
	PGOPTIONS="-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_analyze=on -c auto_explain.log_buffers=on -c auto_explain.log_timing=off -c auto_explain.log_level=log" \
		fl-fetch store "$place" "$@" >got
	awk '/Query Text: .*SELECT "ts"/ { wanted = 1; next }
		wanted && /Buffers:/ {
			for (i = 1; i <= NF; i++)
				if ($i ~ /^(hit|read)=/) { split($i, a, "="); sum += a[2] }
			last = sum; sum = wanted = 0
		}
		END { print last }' "$(postgres_log)"
}

@test "the latest quote of each of 500 symbols touches at most 2,000 buffers" {
	count=400000
	[ -z "${FL_LONG:-}" ] || count=10000000
	fl-fetch sim -n $count --universe 500 | fl-load -q "$place"
	sql "$place" 'VACUUM ANALYZE quote'
	buffers=$(explained --type quote --last 1)
	echo "# of $count ticks: $buffers buffers" >&3
	[ "$(wc -l <got)" = 500 ]
	[ "$buffers" -le 2000 ]
	[ "$(explained --type quote --last 1 --symbol ZZZA)" -le 100 ]
}
