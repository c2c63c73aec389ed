#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# Exactly once out of Kafka, whatever is killed; all against a real broker.

load ../helper/common
load ../helper/kafka

setup_file() { begin_kafka; }
teardown_file() { kafka stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	kafka_ready
}

@test "two pipelines of one group, killed at random, leave the bars of one undisturbed run" {
	kills=8
	[ -z "${FL_LONG:-}" ] || kills=200
	# Long enough for the kills: 40,000 ticks a second.
	ticks=2000000
	[ -z "${FL_LONG:-}" ] || ticks=20000000
	run "$BATS_TEST_DIRNAME/../helper/kafka_ledger.sh" $kills 1 "$PWD" $ticks
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "a log followed into Kafka in transactions, killed at 50 random moments: each line once" {
	run "$BATS_TEST_DIRNAME/../helper/kafka_log_kill.sh" 50 1 "$PWD"
	echo "# $output" >&3
	[ "$status" = 0 ]
}
