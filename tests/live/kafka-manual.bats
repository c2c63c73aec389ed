#!/usr/bin/env bats
# shellcheck disable=SC2034 # top, for the helper
#
# What README.md and the pages of fl-produce(1) and fl-consume(1) tell people to
# type works, with a broker to type it to.

load ../helper/common
load ../helper/kafka
load ../helper/examples

setup_file() { begin_kafka; }
teardown_file() { kafka stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	kafka_ready
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export HOME=$PWD
}

@test "the examples of fl-produce(1) and fl-consume(1) work" {
	local page file
	for page in fl-produce.1 fl-consume.1; do
		mkdir "$page"
		cd "$page" || return
		fl-fetch sim -n 2000 --bad 0.02 >ticks.ndjson
		examples "$page" EXAMPLES
		[ -e example.05 ]
		for file in example.*; do
			[ -n "$(lacks "$file")" ] || try "$file"
		done
		cd .. || return
	done
	grep -q '"sim:1/5":\["5000","5000"\]' <(fl-produce --positions --pipeline sim)
}

@test "the README's walk through Kafka ends with bars" {
	local block
	blocks
	block=$(grep -l 'fl-consume' block.*)
	run -0 bash -e -o pipefail "$block"
	[ "$(tail -n 1 <<<"$output")" -gt 10 ]
}
