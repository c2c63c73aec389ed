#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # serve uses data and sets url
# scripts/run: from a checkout to stored data, again and again.

load ../helper/common
load ../helper/serve

setup() {
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	DATA=$BATS_TEST_TMPDIR/data
	data=$TOP/tests/data/source/yahoo
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
	# It builds into build/bin; another variant's test would build anew.
	[ "${FL_VARIANT:-release}" = release ] || skip 'scripts/run uses the release build'
}

teardown() { end_servers; }

# run_it: scripts/run where nothing is to be installed before.
run_it() {
	[ -z "$("$TOP/scripts/setup" --list)" ] || skip 'packages are missing'
	"$TOP/build/bin/fl-fetch" yahoo --help >/dev/null || skip 'built without libcurl'
	run "$TOP/scripts/run" --data "$DATA"
}

rows() {
	FL_STATS=none "$TOP/build/bin/fl-fetch" store "$DATA/lake.db" "$@" | wc -l
}

@test "a first run stores simulated ticks, shows them and says what to try" {
	run "$TOP/scripts/run" --offline --data "$DATA"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'[1/4] packages'*'[2/4] build'*'[3/4] data'*'[4/4] stored'*'Try next'* ]]
	[[ $output == *'20,090 new, 0 replaced'* ]]
	[ "$(rows --type quote)" -eq 20000 ]
	[ "$(rows --type bar --interval 1m)" -eq 90 ]
}

@test "a second run takes under 3 s and doubles nothing" {
	"$TOP/scripts/run" --offline --data "$DATA" >/dev/null
	before=$SECONDS
	run "$TOP/scripts/run" --offline --data "$DATA"
	[ "$status" -eq 0 ]
	[ $((SECONDS - before)) -le 3 ]
	[[ $output == *'0 new, 20,090 replaced'* ]]
	[ "$(rows --type quote)" -eq 20000 ]
	[ "$(rows --type bar --interval 1m)" -eq 90 ]
}

@test "a CSV file without a symbol column is named after its symbol" {
	printf 'Date,Open,High,Low,Close,Volume\n2026-01-02,10,11,9,10.5,1000\n' \
		>"$BATS_TEST_TMPDIR/zzzt.csv"
	cd "$BATS_TEST_TMPDIR"
	run "$TOP/scripts/run" zzzt.csv --offline --data "$DATA"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(rows --symbol ZZZT)" -eq 1 ]
}

@test "options behind -- go to fl-fetch csv" {
	printf 'Date,Close\n2026-01-02,10.5\n' >"$BATS_TEST_TMPDIR/p.csv"
	run "$TOP/scripts/run" "$BATS_TEST_TMPDIR/p.csv" --offline --data "$DATA" -- --symbol ZZZU
	[ "$status" -eq 0 ]
	[ "$(rows --symbol ZZZU)" -eq 1 ]
}

@test "a file that is not there, an unknown option: said before anything is done" {
	run "$TOP/scripts/run" nowhere.csv
	[ "$status" -eq 5 ]
	[[ $output == "run: cannot read 'nowhere.csv'" ]]
	run "$TOP/scripts/run" --bogus
	[ "$status" -eq 2 ]
	[ ! -e "$DATA" ]
}

@test "two years of bars come from Yahoo where that answers, and twice changes nothing" {
	cd "$BATS_TEST_TMPDIR"
	serve <<-E
		BTC-USD | 200 | body=crypto.json
		EURUSD | 200 | body=nulls.json
		AAPL | 200 | body=good.json
		MSFT | 200 | body=events.json
		NVDA | 200 | body=split.json
	E
	for _ in first second; do
		FL_YAHOO_URL=$url run_it
		echo "$output"
		[ "$status" -eq 1 ] # of the nulls two were rejected
		[[ $output == *'[3/4] data      2 years of daily bars from Yahoo: AAPL MSFT NVDA BTC-USD EURUSD=X'* ]]
		[[ $output == *'$ fl-fetch yahoo --range 2y AAPL MSFT NVDA BTC-USD EURUSD=X | fl-clean | fl-agg bars 1wk,1mo --keep | fl-load '* ]]
		[[ $output == *'fl-fetch: 26 in = 24 out + 2 rejected'* ]]
		[ "$(rows --type bar --interval 1d)" -eq 17 ]
		weeks=$(rows --type bar --interval 1wk) months=$(rows --type bar --interval 1mo)
		[ "$weeks" -ge "$months" ] && [ "$months" -ge 4 ]
	done
	all=$(rows)
	[[ $output == *"$all stored (0 new, $all replaced"* ]]
	[[ $output == *'fl-fetch store '*' --symbol AAPL --interval 1d --last 10'* ]]
}

@test "where Yahoo cannot be reached there are simulated ticks, within 5 s, and a line that says so" {
	before=$SECONDS
	FL_YAHOO_URL=http://no-such-host.invalid run_it
	echo "$output"
	[ "$status" -eq 0 ]
	[ $((SECONDS - before)) -le 15 ]
	[[ $output == *'[3/4] data      Yahoo did not answer within 5 s (could not resolve host): simulated ticks of ZZZA … ZZZE instead'* ]]
	[ "$(rows --type quote)" -eq 20000 ]
	[ "$(rows --type bar --interval 1m)" -eq 90 ]
}

@test "a Yahoo that says nothing is waited for 5 s" {
	cd "$BATS_TEST_TMPDIR"
	serve <<<'AAPL | 200 | body=good.json | delay=60000'
	before=$SECONDS
	FL_YAHOO_URL=$url run_it
	echo "$output"
	[ $((SECONDS - before)) -le 15 ]
	[[ $output == *'[3/4] data      Yahoo did not answer within 5 s ('*'): simulated ticks'* ]]
}

@test "a Yahoo that refuses is not Yahoo's silence" {
	cd "$BATS_TEST_TMPDIR"
	serve <<<'AAPL | 403 | text=Forbidden'
	FL_YAHOO_URL=$url run_it
	echo "$output"
	[[ $output == *'[3/4] data      nothing from Yahoo (Forbidden): simulated ticks of ZZZA … ZZZE instead'* ]]
}
