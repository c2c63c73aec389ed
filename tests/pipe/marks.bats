#!/usr/bin/env bats
# Marks through a whole pipeline: fl-fetch --resume | fl-clean | fl-load.
# shellcheck disable=SC2016 # what jq and inner shells expand

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export data='sim --duplicates 0.1'
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# flow N [DB [OPTION…]]: the pipeline p over the first N lines of the data.
flow() {
	local n=$1 db=${2:-x.db}
	shift $(($# < 2 ? $# : 2))
	# shellcheck disable=SC2086
	fl-fetch $data -n "$n" --resume "$db" --pipeline p --marks 500,1s "$@" | fl-clean |
		fl-load --pipeline p "$db"
}

# stream N [OPTION…]: what the head of that pipeline writes.
stream() {
	local n=$1
	shift
	# shellcheck disable=SC2086
	fl-fetch $data -n "$n" --resume x.db --pipeline p --marks 500,1s "$@"
}

rows() {
	fl-fetch store "$1" | sort
}

@test "a stream of marks opens, joins without a gap, and ends" {
	stream 1800 >out
	run -0 jq -c 'select(.type == "mark") | del(.via, .wm, .rt)' out
	[ "$output" = '{"type":"mark","pipeline":"p","at":{},"open":true}
{"type":"mark","pipeline":"p","at":{"sim:1/5/duplicates=0.1":[null,"500"]}}
{"type":"mark","pipeline":"p","at":{"sim:1/5/duplicates=0.1":["500","1000"]}}
{"type":"mark","pipeline":"p","at":{"sim:1/5/duplicates=0.1":["1000","1500"]}}
{"type":"mark","pipeline":"p","at":{"sim:1/5/duplicates=0.1":["1500","1800"]}}
{"type":"mark","pipeline":"p","at":{},"end":true}' ]
	[ "$(jq -r .type <(sed -n '1p;502p;$p' out) | sort -u)" = mark ]
	# wm is the newest time so far, rt that of the record before the mark.
	sed -n '2,501p' out >first
	[ "$(sed -n 502p out | jq -r '.wm[]')" = "$(jq -r .ts first | sort | tail -n 1)" ]
	[ "$(sed -n 502p out | jq -r '.rt[]')" = "$(jq -r .ts first | tail -n 1)" ]
	# shellcheck disable=SC2086
	fl-fetch $data -n 1800 | cmp - <(jq -c 'select(.type == "quote")' out)
}

@test "via tells what the stream went through" {
	stream 100 | fl-clean --dedup 5m >out
	run -0 jq -c 'select(.open) | .via' out
	[[ $output == '["fl-fetch sim'*'","fl-clean --dedup 5m"]' ]]
}

@test "a second run begins where the first one ended, with a warm-up" {
	flow 3000
	stream 5000 >out
	run -0 jq -c 'select(.type == "mark") | select(.live != null) | .live' out
	[ "$output" = $'false\ntrue' ]
	jq -c 'select(.type == "mark") | .at[]' out | head -n 1 | grep -qxF '["3000","3500"]'
	# What is warm ends at the position, what is live begins there.
	fl-fetch sim --duplicates 0.1 -n 5000 >all
	sed -n '/"live":false/,/"live":true/p' out | jq -c 'select(.type == "quote")' >warm
	cmp warm <(head -n 3000 all | tail -n "$(wc -l <warm)")
	sed '1,/"live":true/d' out | jq -c 'select(.type == "quote")' | cmp - <(tail -n +3001 all)
}

@test "the warm-up is as long as asked for" {
	flow 20000
	for span in 0s 10s 2m; do
		stream 20001 --warm-up $span >out
		ms=$((${span%[sm]} * 1000))
		[[ $span == *m ]] && ms=$((ms * 60))
		run -0 jq -rn --argjson ms $ms 'def ms: .[0:19] + "Z" | fromdate * 1000;
			[inputs | select(.type == "quote") | .ts | ms + (.[20:23] | tonumber)] |
			.[-2] - .[0] <= $ms and .[-2] - .[0] > $ms - 1000' out
		[ "$output" = true ]
	done
}

@test "in pieces or in one go, the same rows" {
	for n in 700 700 701 2500 6000; do flow $n; done
	flow 6000 y.db
	cmp <(rows x.db) <(rows y.db)
	[ "$(fl-load --positions x.db | jq -c .at)" = "$(fl-load --positions y.db | jq -c .at)" ]
}

@test "repeats across a restart are found through the warm-up, and only so" {
	flow 3000
	FL_RUNS=with flow 6000
	FL_RUNS=all flow 6000 y.db
	flow 3000 z.db
	FL_RUNS=without flow 6000 z.db --warm-up 0s
	new=$(($(rows y.db | wc -l) - $(fl-fetch sim --duplicates 0.1 -n 3000 | sort -u | wc -l)))
	[ "$(jq 'select(.provider == "fl-load") | .in' with)" = $new ]
	[ "$(jq 'select(.provider == "fl-load") | .in' without)" -gt $new ]
}

@test "a run with nothing new changes nothing" {
	flow 3000
	rows x.db >before
	fl-load --positions x.db >positions
	FL_RUNS=runs flow 3000
	cmp before <(rows x.db)
	cmp positions <(fl-load --positions x.db)
	[ "$(jq -s 'map(.in) | add' runs)" = 0 ]
}

@test "marks and warm-up count in no account" {
	flow 3000
	FL_RUNS=runs flow 5000
	[ "$(jq 'select(.provider == "fl-fetch") | .in, .out' runs | sort -u)" = 2000 ]
	[ "$(jq 'select(.provider == "fl-clean") | .in' runs)" = 2000 ]
	run -0 jq 'select(.in != .used + .rejected + .duplicates + .filtered + .late)' runs
	[ -z "$output" ]
}

@test "a filter that drops marks is found out" {
	run bash -o pipefail -c 'fl-fetch $data -n 1000 --resume x.db --pipeline p |
		grep -v "\"mark\"" | fl-load --pipeline p x.db'
	[ "$status" = 2 ]
	[[ $output == *'no marks arrive; a filter in between drops them'* ]]
	[ -z "$(fl-load --positions x.db 2>/dev/null | jq -r '.at[]')" ]
	flow 1000
}

@test "without an end mark, what follows the last mark is not stored" {
	run bash -c 'fl-fetch $data -n 3000 --resume x.db --pipeline p --marks 500,1s |
		head -n 1200 | FL_RUNS=runs fl-load --pipeline p x.db'
	[ "$status" = 3 ]
	# 1 opening mark, 500 records, a mark, 500 records, a mark, and 197 more.
	[ "$(jq .uncommitted runs)" = 197 ]
	[ "$(jq '.in == .used + .rejected' runs)" = true ]
	[ "$(fl-load --positions x.db | jq -r '.at[][1]')" = 1000 ]
	flow 3000
	flow 3000 y.db
	cmp <(rows x.db) <(rows y.db)
}

@test "a torn last line is dropped without account" {
	stream 3000 | head -c 100000 >torn
	[ -n "$(tail -c 1 torn | tr -d '\n')" ]
	run -3 bash -c 'fl-clean <torn | FL_RUNS=runs fl-load --pipeline p x.db'
	[ "$(jq .rejected runs)" = 0 ]
	flow 3000
	flow 3000 y.db
	cmp <(rows x.db) <(rows y.db)
}

@test "a mark in the data is a reject" {
	mark='{"type":"mark","pipeline":"p","at":{"sim:1/5":["1","2"]}}'
	{
		fl-fetch sim -n 10
		echo "$mark"
		fl-fetch sim -n 20 | tail -n 10
	} >data
	run -1 fl-clean --rejects bad <data
	[ "$(jq -r .reason bad)" = unexpected_mark ]
	[ "$(jq -r .raw bad)" = "$mark" ]
	account_closes fl-clean data
}

@test "fl-load without --pipeline refuses marks" {
	run -2 bash -o pipefail -c 'fl-fetch $data -n 1000 --resume x.db --pipeline p | fl-clean -q | fl-load x.db'
	[[ $output == *--pipeline* ]]
	[ ! -e x.db ] || [ -z "$(fl-fetch store x.db)" ]
}

@test "fl-load refuses the marks of another pipeline" {
	stream 1000 >out
	run -6 fl-load --pipeline q x.db out
	[[ $output == *"'p'"* ]]
	[ -z "$(fl-fetch store x.db)" ]
}

@test "of two copies at once, the slower one is told that it was overtaken" {
	flow 1000
	stream 4000 >slow
	flow 3000
	rows x.db >before
	run -3 fl-load --pipeline p x.db slow
	# The message names the origin, FROM, and what the store holds.
	[[ $output == *"sim:1/5/duplicates=0.1"* ]]
	[[ $output == *1000* ]]
	[[ $output == *3000* ]]
	cmp before <(rows x.db)
	flow 4000
	flow 4000 y.db
	cmp <(rows x.db) <(rows y.db)
}

@test "two copies running at once store each record once" {
	for i in 1 2 3; do
		flow 30000 >"log.$i" 2>&1 &
	done
	wait
	flow 30000
	flow 30000 y.db
	cmp <(rows x.db) <(rows y.db)
}

@test "a second sink, which holds nothing, is the wrong store" {
	flow 1000
	run -4 bash -c 'fl-fetch $data -n 2000 --resume x.db --pipeline p | fl-clean -q | fl-load --pipeline p other.db'
	[[ $output == *"sim:1/5/duplicates=0.1"* ]]
	[ -z "$(fl-fetch store other.db)" ]
	flow 2000
}

@test "pipelines of one store do not know each other" {
	flow 1000
	# shellcheck disable=SC2086
	fl-fetch $data -n 400 --resume x.db --pipeline q | fl-clean | fl-load --pipeline q x.db
	flow 1500
	run -0 bash -c "fl-load --positions x.db | jq -r '.pipeline, .at[][1]'"
	[ "$output" = $'p\n1500\nq\n400' ]
}

@test "a position that no longer means the same record is refused, with the two ways on" {
	flow 3000
	run -4 fl-fetch sim --duplicates 0.1 -n 2000 --resume x.db --pipeline p
	[ "$output" = "fl-fetch: 'sim:1/5/duplicates=0.1': position 3000 no longer means the same record: there are 2000 records now; --from TIME begins anew, or fl-load --forget p" ]
	sqlite3 x.db "UPDATE fl_position SET pos = '2999'"
	run -4 fl-fetch sim --duplicates 0.1 -n 4000 --resume x.db --pipeline p
	[[ $output == *"position 2999 no longer means the same record: the one before it is of 2026-"* ]]
	# One way …
	flow 4000 x.db --from 2026-01-01
	[ "$(fl-load --positions x.db | jq -r '.at[][1]')" = 4000 ]
	# … and the other.
	fl-load -q --forget p x.db
	flow 4000
	flow 4000 y.db
	cmp <(rows x.db) <(rows y.db)
}

@test "when the store cannot be asked, its words and status are passed on" {
	run -2 fl-fetch sim --resume lake --pipeline p
	[[ $output == "fl-fetch: cannot resume 'p' from 'lake': 'lake' names no place"* ]]
	[ "${#lines[@]}" = 1 ]
	echo "these are notes" >notes.db
	run -4 fl-fetch sim --resume notes.db --pipeline p
	[[ $output == *"'notes.db' is not an SQLite database"* ]]
}

@test "marks come by time, too, and with them what was fetched" {
	timeout 3 fl-fetch sim --rate 100 --speed 1 -n 150 --resume x.db --pipeline p --marks 100000,200ms >out
	[ "$(grep -c '"mark"' out)" -ge 5 ]
	flow 100
}

@test "Ctrl-C on a pipeline loses nothing" {
	export FL_RUNS=$PWD/runs
	# In a process group of its own, where SIGINT is not ignored.
	env --default-signal=INT setsid bash -c 'echo $$ >group; trap : INT
		fl-fetch $data --rate 2000 --speed 1 -n 60000 --resume x.db --pipeline p |
			fl-clean | fl-load --pipeline p x.db
		echo "${PIPESTATUS[*]}" >ends' &
	sleep 1
	kill -INT -- "-$(cat group)"
	wait
	[ "$(cat ends)" = '130 130 130' ] || [ "$(cat ends)" = '130 0 0' ]
	# What was fetched is what arrived: nothing uncommitted.
	fetched=$(jq 'select(.provider == "fl-fetch") | .out' runs)
	[ "$fetched" -gt 100 ]
	[ "$(jq 'select(.provider == "fl-clean") | .in' runs)" = "$fetched" ]
	[ "$(jq 'select(.provider == "fl-load") | .uncommitted' runs)" = 0 ]
	[ "$(fl-load --positions x.db | jq -r '.at[][1]')" = "$fetched" ]
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
	# shellcheck disable=SC2086
	fl-fetch $data --rate 2000 -n $((fetched + 500)) --resume x.db --pipeline p | fl-clean | fl-load --pipeline p x.db
	# shellcheck disable=SC2086
	fl-fetch $data --rate 2000 -n $((fetched + 500)) | fl-clean | fl-load y.db
	cmp <(rows x.db) <(rows y.db)
}
