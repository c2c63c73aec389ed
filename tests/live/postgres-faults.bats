#!/usr/bin/env bats
# What may happen between fl-load and PostgreSQL, and to PostgreSQL itself.

load ../helper/common
load ../helper/postgres
load ../helper/faults

setup_file() { begin_postgres --durable; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
	# shellcheck disable=SC2034 # for the helper
	server=postgres
}

@test "the server killed ten times under a pipeline that is started again: nothing lost, nothing doubled" {
	killed_under_a_pipeline
}
@test "the server killed ten times under one fl-load, which outlives that: nothing lost, nothing doubled" {
	killed_under_a_load
}
@test "two copies of a pipeline at once, again and again: one wins, the other stops with 3, nothing is twice" {
	two_loaders
}
@test "the connection cut before a COMMIT, in the middle of its answer, and before it gets there late" {
	cut_at_commit 4 "$(rounds 6 100)" before after late
}
