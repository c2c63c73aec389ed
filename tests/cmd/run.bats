#!/usr/bin/env bats
# scripts/run: from a checkout to stored data, again and again.

load ../helper/common

setup() {
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	DATA=$BATS_TEST_TMPDIR/data
	# It builds into build/bin; another variant's test would build anew.
	[ "${FL_VARIANT:-release}" = release ] || skip 'scripts/run uses the release build'
}

rows() {
	FL_STATS=none "$TOP/build/bin/fl-fetch" store "$DATA/lake.db" "$@" | wc -l
}

@test "a first run stores simulated ticks, shows them and says what to try" {
	run "$TOP/scripts/run" --offline --data "$DATA"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'[1/4] packages'*'[2/4] build'*'[3/4] data'*'[4/4] stored'*'Try next'* ]]
	[[ $output == *'20,000 new, 0 replaced'* ]]
	[ "$(rows)" -eq 20000 ]
}

@test "a second run takes under 3 s and doubles nothing" {
	"$TOP/scripts/run" --offline --data "$DATA" >/dev/null
	before=$SECONDS
	run "$TOP/scripts/run" --offline --data "$DATA"
	[ "$status" -eq 0 ]
	[ $((SECONDS - before)) -le 3 ]
	[[ $output == *'0 new, 20,000 replaced'* ]]
	[ "$(rows)" -eq 20000 ]
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
