#!/usr/bin/env bats
# Killed at random, a pipeline with marks stores what an undisturbed one stores.

load ../helper/common

@test "kill -9 of any process, again and again, changes no row" {
	rounds=10
	[ -z "${FL_LONG:-}" ] || rounds=200
	run "$BATS_TEST_DIRNAME/../helper/kill_loop.sh" $rounds 1 "$BATS_TEST_TMPDIR"
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "the loop can tell: without a warm-up, repeats across the kills are stored twice" {
	run "$BATS_TEST_DIRNAME/../helper/kill_loop.sh" 10 1 "$BATS_TEST_TMPDIR" 0s
	[ "$status" = 1 ]
	[[ $output == *' missing=0 extra=0 '* ]]
	[[ $output != *' twice=0 '* ]]
}
