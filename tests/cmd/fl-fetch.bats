#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets stderr
# fl-fetch as a command; its sources have files of their own.

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

@test "help, version and misuse" {
	fl_help_ok fl-fetch
	fl_version_ok fl-fetch
	fl_misuse_ok fl-fetch
}

@test "--help names the sources, and that --to is exclusive" {
	run -0 fl-fetch --help
	for word in csv store sim --resume --pipeline --last '2025-01-01 is all'; do
		[[ $output == *"$word"* ]]
	done
}

@test "a source's own --help shows its options" {
	run -0 fl-fetch sim --help
	[[ $output == *--universe* ]]
	run -0 fl-fetch store --help
	[[ $output == *--interval* ]]
}

@test "alone it says what to type, in one line" {
	run -2 fl-fetch
	[ "$output" = "fl-fetch: what from? fl-fetch csv FILE.csv, or fl-fetch sim -n 10 (fl-fetch --list-sources names them all)" ]
}

@test "an unknown source is answered with the near one" {
	run -2 fl-fetch yaho
	[ "$output" = "fl-fetch: unknown source 'yaho' (did you mean 'yahoo'?); see fl-fetch --list-sources" ]
	run -2 fl-fetch simm -n 3
	[[ $output == *"(did you mean 'sim'?)"* ]]
	run -2 fl-fetch sy
	[ "$output" = "fl-fetch: unknown source 'sy'; see fl-fetch --list-sources" ]
	run -2 fl-fetch qqqqqqq
	[ "$output" = "fl-fetch: unknown source 'qqqqqqq'; see fl-fetch --list-sources" ]
}

@test "--list-sources gives a stat record for each" {
	fl-fetch --list-sources >list
	run -0 jq -r '[.type, .stat, .subject] | join(" ")' list
	output=${output#$'stat source yahoo\nstat source alphavantage\n'} # a build may lack them
	[ "$output" = $'stat source csv\nstat source log\nstat source syslog\nstat source store\nstat source sim' ]
	fl-clean <list >clean
	cmp list clean
}

@test "output is NDJSON in a pipe, CSV and a table on demand" {
	run -0 fl-fetch sim -n 2 --as csv --fields ts,symbol,price
	[ "${lines[0]}" = ts,symbol,price ]
	[ "${#lines[@]}" = 3 ]
	run -0 fl-fetch sim -n 2 --as table
	[[ ${lines[0]} == *SYMBOL* || ${lines[0]} == *symbol* ]]
}

@test "a reader that goes away ends it quietly" {
	run bash -c 'fl-fetch sim | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"'
	[ "$output" = 141 ]
}

@test "a full disk is an output error" {
	run -5 bash -c 'fl-fetch sim -n 10 >/dev/full'
	[[ $output == *'No space left'* ]]
	run -5 bash -c 'fl-fetch sim >/dev/full'
}

@test "--resume wants a pipeline, a source that can, and NDJSON" {
	run -2 fl-fetch sim --resume x.db
	[[ $output == *"--resume needs --pipeline NAME"* ]]
	run -2 fl-fetch sim --pipeline p
	[[ $output == *"--pipeline goes with --resume PLACE"* ]]
	run -2 fl-fetch store x.db --resume x.db --pipeline p
	[[ $output == *"source 'store' cannot resume (these can: yahoo, alphavantage, csv, log, sim)"* ]]
	run -2 fl-fetch sim --resume x.db --pipeline p --as csv
	[[ $output == *"only NDJSON carries"* ]]
	run -2 fl-fetch sim --resume x.db --pipeline p --last 3
	[[ $output == *"exclude each other"* ]]
	[ ! -e x.db ]
}

@test "--marks takes a number and a time" {
	for bad in 0 x 10,0s 10,x 10x; do
		run -2 fl-fetch sim --resume x.db --pipeline p --marks $bad
		[[ $output == *--marks* ]]
	done
}

@test "a reject file that cannot be opened is found out at once" {
	run -5 --separate-stderr fl-fetch sim -n 3 --rejects none/x
	[ -z "$output" ]
	[ "$stderr" = "fl-fetch: cannot open 'none/x' for rejects: No such file or directory" ]
}

@test "a type that does not exist is misuse" {
	run -2 fl-fetch sim -n 1 --type quotes
	[[ $output == *"no record type 'quotes'"* ]]
}

@test "what the manual shows as examples runs" {
	man=$BATS_TEST_DIRNAME/../../man/fl-fetch.1
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$man" | sed -n 's/^\.Dl //p; /^fl-/p' >examples
	[ "$(wc -l <examples)" -ge 6 ]
	# What goes to the network is tried with stand-ins elsewhere.
	sed -i -E '/fl-fetch (yahoo|alphavantage|syslog)/d' examples
	while read -r example; do
		echo "# $example" >&2
		status=0
		bash -o pipefail -c "$example" >out </dev/null || status=$?
		[ "$status" -le 1 ]
	done <examples
	[ -s bad.ndjson ]
}
