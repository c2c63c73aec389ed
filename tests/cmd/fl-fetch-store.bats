#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets stderr
# Reading a place back with fl-fetch store.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset FL_STORE
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# bar SYMBOL DATE INTERVAL ADJ PROVIDER
bar() {
	printf '{"type":"bar","ts":"%sT00:00:00.000Z","provider":"%s","symbol":"%s","interval":"%s","open":1.5,"high":2,"low":1,"close":1.75,"adj":"%s","date":"%s"}\n' \
		"$2" "${5:-csv}" "$1" "${3:-1d}" "${4:-split}" "$2"
}

@test "what was loaded comes back equal to the byte" {
	fl-fetch sim -n 20000 >ticks
	fl-load -q x.db ticks
	fl-fetch store x.db >back
	cmp <(sort ticks) <(sort back)
	jq -r .ts back | sort -c
	account_closes fl-fetch store x.db
}

@test "selections give what the same selection of the stream gives" {
	fl-fetch sim -n 20000 >ticks
	fl-load -q x.db ticks
	for select in '--symbol ZZZA' '--symbol ZZZB,ZZZC --from 2026-01-02T14:31:00Z' \
		'--to 2026-01-02T14:31:00Z' '--type bar' '--last 5' \
		'--last 3 --to 2026-01-02T14:35:00Z --symbol ZZZA,ZZZE'; do
		# shellcheck disable=SC2086
		cmp <(fl-fetch sim -n 20000 $select | sort) <(fl-fetch store x.db $select | sort)
	done
}

# The tables as version 0.1.0 made them: ticks by symbol, an index by time.
old_store() { # FILE
	fl-load --print-schema |
		sed -e 's/("ts", "symbol", "provider", "tick_id")/("symbol", "provider", "ts", "tick_id")/' |
		sqlite3 "$1" >/dev/null
	sqlite3 "$1" 'CREATE INDEX quote_ts ON quote (ts, symbol, provider, tick_id);
		CREATE INDEX bar_ts ON bar (ts, symbol, provider, interval, adj, session)'
}

@test "a store in the key order of 0.1.0, or with an index more, takes and gives the same" {
	fl-fetch sim -n 20000 --duplicates 0.02 >ticks
	{
		for day in 05 06 07 08 09; do
			for symbol in AAA BBB CCC; do bar $symbol 2026-01-$day; done
		done
	} >bars
	old_store old.db
	fl-load -q more.db /dev/null
	sqlite3 more.db 'CREATE INDEX mine ON quote (symbol, provider, ts)'
	for db in new old more; do
		run --separate-stderr -0 fl-load -v $db.db ticks bars
		counts=$(sed -n 's/;.*//; s/^fl-load: //p' <<<"$stderr")
		[ "${want:=$counts}" = "$counts" ]
		fl-load -q $db.db ticks # again: replaced
	done
	[[ $(sqlite3 old.db "SELECT name FROM pragma_index_info('sqlite_autoindex_quote_1')" | head -1) = symbol ]]
	for select in '' '--symbol ZZZA' '--symbol ZZZB,NOPE --from 2026-01-02T14:31:00Z' \
		'--type bar --from 2026-01-06 --to 2026-01-08' '--type quote --to 2026-01-02T14:31:00Z' \
		'--last 5' '--last 3 --to 2026-01-02T14:35:00Z --symbol ZZZA,ZZZE' \
		'--last 2 --provider sim --symbol ZZZB,ZZZC,ZZZB' '--symbol BBB --from 2026-01-07' --list; do
		for db in new old more; do
			# shellcheck disable=SC2086
			fl-fetch store $db.db $select >$db
		done
		cmp new old
		cmp new more
		[ -s new ]
	done
}

@test "interval, adjustment and provider select bars" {
	{
		bar AAA 2026-01-05
		bar AAA 2026-01-05 1wk
		bar AAA 2026-01-05 1d none
		bar AAA 2026-01-05 1d split other
	} >bars
	fl-load -q x.db bars
	[ "$(fl-fetch store x.db | wc -l)" = 4 ]
	[ "$(fl-fetch store x.db --interval 1wk)" = "$(sed -n 2p bars)" ]
	[ "$(fl-fetch store x.db --adj none)" = "$(sed -n 3p bars)" ]
	[ "$(fl-fetch store x.db --provider other)" = "$(sed -n 4p bars)" ]
	run -2 fl-fetch store x.db --adj some
	run -2 fl-fetch store x.db --interval 1M
	[[ $output == *'1mo a month'* ]]
}

@test "a date without a time is that date of a daily bar, in any zone" {
	for day in 2025-12-31 2026-01-02 2026-01-05; do bar AAA $day; done >bars
	fl-load -q x.db bars
	for zone in UTC America/New_York Asia/Tokyo Pacific/Kiritimati; do
		run -0 fl-fetch store x.db --tz $zone --from 2026-01-02 --to 2026-01-05
		[ "$output" = "$(sed -n 2p bars)" ]
		run -0 fl-fetch store x.db --tz $zone --to 2026-01-01
		[ "$output" = "$(sed -n 1p bars)" ]
		run -0 fl-fetch store x.db --tz $zone --to 2026-01-05 --last 1
		[ "$output" = "$(sed -n 2p bars)" ]
	done
}

@test "--list tells what is stored" {
	{
		bar AAA 2025-12-31
		bar AAA 2026-01-02
		bar BBB 2026-01-02 1wk
		fl-fetch sim -n 1234 --universe 1
	} >all
	fl-load -q x.db all
	fl-fetch store x.db --list >list
	run -0 jq -r '[.stat, .subject, .values.count, .values.first, .values.last, .ts == .values.last] | join(" ")' list
	[[ ${lines[0]} == "store quote/sim/ZZZA 1234 2026-01-02T14:30:"* ]]
	[ "${lines[1]}" = "store bar/csv/AAA/1d 2 2025-12-31T00:00:00.000Z 2026-01-02T00:00:00.000Z true" ]
	[ "${lines[2]}" = "store bar/csv/BBB/1wk 1 2026-01-02T00:00:00.000Z 2026-01-02T00:00:00.000Z true" ]
	fl-clean <list >clean
	cmp clean list
}

@test "--list as a table lines up" {
	{
		bar AAA 2025-12-31
		bar AAA 2026-01-02
		fl-fetch sim -n 1234 --universe 1
	} >all
	fl-load -q x.db all
	run -0 fl-fetch store x.db --list --as table
	[ "${lines[0]}" = 'TYPE   SYMBOL  INTERVAL  COUNT  FIRST                LAST' ]
	[ "${lines[2]}" = 'bar    AAA     1d            2  2025-12-31           2026-01-02' ]
	[[ ${lines[1]} == 'quote  ZZZA              1,234  2026-01-02 14:30:00  2026-01-02 14:'* ]]
}

@test "an empty answer is an answer" {
	bar AAA 2026-01-02 >bars
	fl-load -q x.db bars
	run -0 fl-fetch store x.db --symbol NONE
	[ -z "$output" ]
}

@test "FL_STORE names the place when none is given" {
	bar AAA 2026-01-02 >bars
	fl-load -q x.db bars
	run -2 fl-fetch store
	[[ $output == *'which place?'* ]]
	FL_STORE=x.db run -0 fl-fetch store
	[ "$output" = "$(cat bars)" ]
}

@test "a place that is none, or not there, or no store" {
	run -2 fl-fetch store lake
	[[ $output == *"'lake' names no place"* ]]
	run fl-fetch store missing.db
	[ "$status" = 4 ] || [ "$status" = 5 ]
	[[ $output == *missing.db* ]]
	[ ! -e missing.db ]
	echo "these are notes" >notes.db
	run -4 fl-fetch store notes.db
	[[ $output == *"'notes.db' is not an SQLite database"* ]]
	run -2 fl-fetch store a.db b.db
	[[ $output == *'one place at a time'* ]]
}

@test "memory does not grow with the answer" {
	fl-fetch sim -n 200000 >ticks
	fl-load -q x.db ticks
	run -0 fl-fetch store x.db --runs runs --stats none
	[ "$(jq .max_rss_bytes runs)" -lt $((64 << 20)) ]
}

@test "a reader that goes away ends it quietly" {
	fl-fetch sim -n 20000 >ticks
	fl-load -q x.db ticks
	run bash -c 'fl-fetch store x.db | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"'
	[ "$output" = 141 ]
}
