#!/usr/bin/env bats
# What may happen between fl-load and MariaDB, and to MariaDB itself.

load ../helper/common
load ../helper/mariadb
load ../helper/faults
load ../helper/toxiproxy

setup_file() {
	begin_mariadb --durable
	begin_toxiproxy
}
teardown_file() {
	end_toxiproxy
	mariadb_service stop
}
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mariadb_ready
	# shellcheck disable=SC2034 # for the helper
	server=mariadb_service
}
teardown() { end_faults; }

@test "the server killed ten times under a pipeline that is started again: nothing lost, nothing doubled" {
	killed_under_a_pipeline
}
@test "the server killed again and again under one fl-load, which outlives that: nothing lost, nothing doubled" {
	killed_under_a_load
}
@test "two copies of a pipeline at once, again and again: one wins, the other stops with 3, nothing is twice" {
	two_loaders
}
@test "the connection cut before a COMMIT, in the middle of its answer, and before it gets there late" {
	speed=20 cut_at_commit 4 "$(rounds 4 100)" '' before after late
}
@test "a server that says nothing any more where the answer to a COMMIT is due counts as lost" {
	speed=10 cut_at_commit 4 "$(rounds 3 30)" '?read-timeout=1' silence
}
@test "the same without marks: rows are written again, which changes nothing" {
	cut_without_marks
}
@test "a slow network" {
	afflict slow_network "$(rounds 2 20)" 2
}
@test "a thin network" {
	afflict thin_network "$(rounds 2 20)" 2
}
@test "connections cut after so many bytes to the server, which is in the middle of a LOAD DATA" {
	afflict cut_upstream "$(rounds 4 100)" 2
}
@test "connections cut after so many bytes from the server" {
	afflict cut_downstream "$(rounds 4 100)" 2
}
@test "connections reset by the other side" {
	afflict reset_by_peer "$(rounds 4 100)" 2
}
@test "connections over which nothing comes any more" {
	afflict half_open "$(rounds 3 50)" 3 '?read-timeout=1'
}
@test "connections that are closed slowly, and then refused" {
	afflict slow_close "$(rounds 3 50)" 2
}
@test "a cable that is cut, of which neither end hears" {
	cable_cut "$(rounds 2 30)" '?read-timeout=1'
}
@test "a disk that is full is 5; when there is room again the pipeline goes on, and nothing was lost" {
	full_disk
}
@test "rows that the database refuses are rejects, each; what they would have replaced stays" {
	refused_rows
}
@test "refused rows between marks are rejects in the transaction of their mark" {
	refused_between_marks
}
@test "many refused rows take no longer than other rows" {
	refused_rows_are_quick
}
@test "a part with which a bar is refused is a reject, and the bar stays without it" {
	refused_parts
}
@test "a refused reject ends the load, unless rejects are kept elsewhere" {
	refused_rejects
}
