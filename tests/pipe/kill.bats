#!/usr/bin/env bats
# Killed at random, a pipeline with marks stores what an undisturbed one stores.

load ../helper/common

@test "kill -9 of any process, again and again, changes no row" {
	rounds=10
	[ -z "${FL_LONG:-}" ] || rounds=200
	run "$BATS_TEST_DIRNAME/../helper/kill_loop.sh" "$rounds" "${FL_SEED:-1}" "$BATS_TEST_TMPDIR"
	echo "# $output" >&3
	[ "$status" = 0 ]
}
