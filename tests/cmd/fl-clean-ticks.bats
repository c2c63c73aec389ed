#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output
#
# fl-clean on five million ticks of a day, of which scripts/bench/gen_ticks knows
# which are broken and why: exactly the good ones pass, unchanged.

fast=${FL_FAST:-} # common takes it away

load ../helper/common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	# shellcheck disable=SC2086 # a compiler may come with options
	${FL_CC:-cc} -O2 -o gen_ticks "$BATS_TEST_DIRNAME/../../scripts/bench/gen_ticks.c" -lm
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$PWD/runs
	PATH=$BATS_FILE_TMPDIR:$PATH
	total=5000000
	[ -z "$fast" ] || total=200000
	# Sanitizers take ten times as long, and their memory is none of ours.
	[[ ${FL_VARIANT:-} != [at]san ]] || total=200000
}

teardown() {
	account_closes "$FL_RUNS"
}

count() {
	tail -n 1 "$FL_RUNS" | jq -r "$1"
}

@test "of five million ticks exactly the good ones pass, each to the byte, the others with their reason" {
	gen_ticks -n "$total" -B broken quotes |
		{ fl-clean --dedup 0 --rejects bad || [ $? = 1 ]; } |
		cmp - <(gen_ticks -n "$total" -g quotes)
	jq -r '"\(.line)\t\(.reason)\t\(.raw)"' bad | cmp - broken
	# One reason each and every, as many as there are broken lines.
	[ "$(cut -f 2 broken | sort -u | paste -sd ' ')" = 'bad_json bad_number bad_type missing_field out_of_range' ]
	[ "$(count '"\(.in) \(.status)"')" = "$total 1" ]
	[ "$(count .rejected)" = "$(wc -l <broken)" ]
	if [ "$total" = 5000000 ]; then
		[ "$(count '"\(.used) \(.out) \(.rejected)"')" = '4975111 4975111 24889' ]
	fi
}

@test "the duplicates among them are found, and no other" {
	# Only copies of one of the 64 good lines before it are made on purpose,
	# but equal ticks of one millisecond happen: awk finds both.
	n=$((total / 10))
	gen_ticks -n $n -g quotes | awk '!seen[$0]++' >unique
	gen_ticks -n $n quotes | { fl-clean || [ $? = 1 ]; } | cmp - unique
	[ "$(count .duplicates)" = $(($(gen_ticks -n $n -g quotes | wc -l) - $(wc -l <unique))) ]
	[ "$(count .unchecked)" = 0 ]
}

@test "memory does not grow with the input" {
	[[ ${FL_VARIANT:-} != [at]san ]] || skip "a sanitizer's own memory counts as well"
	[ -n "${FL_LONG:-}" ] || total=$((total / 10))
	for times in 1 3; do
		for options in '' '--canonical -j 2' '--dedup 7d'; do
			# shellcheck disable=SC2086 # options are words
			gen_ticks -n $((times * total)) quotes |
				{ fl-clean $options --rejects bad >/dev/null || [ $? = 1 ]; }
			[ "$(count .in)" = $((times * total)) ]
			[ "$(count .max_rss_bytes)" -lt 67108864 ] ||
				fail "$(count .max_rss_bytes) bytes for $((times * total)) lines with '$options'"
		done
	done
}
