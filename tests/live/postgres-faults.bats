#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # place is a test's own; the helper has sim
# What may happen between fl-load and PostgreSQL, and to PostgreSQL itself.

load ../helper/common
load ../helper/postgres
load ../helper/faults
load ../helper/toxiproxy

setup_file() {
	begin_postgres --durable
	begin_toxiproxy
}
teardown_file() {
	end_toxiproxy
	postgres stop
}
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
	# shellcheck disable=SC2034 # for the helper
	server=postgres
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
	speed=10 cut_at_commit 4 "$(rounds 3 30)" '?tcp_user_timeout=700' silence
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
@test "connections cut after so many bytes to the server, which is in the middle of a COPY" {
	afflict cut_upstream "$(rounds 4 100)" 2
}
@test "connections cut after so many bytes from the server" {
	afflict cut_downstream "$(rounds 4 100)" 2
}
@test "connections reset by the other side" {
	afflict reset_by_peer "$(rounds 4 100)" 2
}
@test "connections over which nothing comes any more" {
	afflict half_open "$(rounds 3 50)" 3 '?tcp_user_timeout=1000'
}
@test "connections that are closed slowly, and then refused" {
	afflict slow_close "$(rounds 3 50)" 2
}
@test "a cable that is cut, of which neither end hears" {
	cable_cut "$(rounds 2 30)" '?tcp_user_timeout=1000'
}
@test "a disk that is full is 5; when there is room again the pipeline goes on, and nothing was lost" {
	full_disk
}
@test "a disk that is full of the server's log, of which it dies, is 3; with room again nothing was lost" {
	[ -n "${FL_LONG:-}" ] || skip 'takes long: with FL_LONG=1'
	[ "$(id -u)" = 0 ] || skip 'only root makes small disks'
	other=/tmp/financelake-small-$BASHPID
	mkdir $other
	mount -t tmpfs -o size=110m tmpfs $other || skip 'no disk can be mounted'
	service=("$BATS_TEST_DIRNAME/../../scripts/services/postgres" --dir "$other/server")
	"${service[@]}" start --durable
	eval "$("${service[@]}" env)"
	place=$FL_PG_TEST
	stream=(fl-fetch "${sim[@]}" -n 400000 --resume "$place" --pipeline p --marks '2000,1s')
	run -3 fl-load --pipeline p "$place" < <("${stream[@]}" 2>fetch.err)
	[[ $output == *'No space left on device'* ]]
	mount -o remount,size=500m $other
	"${service[@]}" revive
	"${stream[@]}" | fl-load -q --pipeline p "$place"
	fl-fetch store "$place" | sort >got
	fl-fetch "${sim[@]}" -n 400000 | sort | cmp - got
	"${service[@]}" stop
	umount $other
	rmdir $other
}
@test "rows that the database refuses are rejects, each; what they would have replaced stays" {
	refused_rows
}
@test "the same where the server runs no blocks, and where it cannot take rows in to look at them" {
	sql "$place" "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'pw'; GRANT ALL ON SCHEMA public TO clerk"
	as_owner=$place
	place=${place/lake@/clerk@}
	PGPASSWORD=pw fl-load --migrate "$place"
	sql "$as_owner" 'REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC'
	export PGPASSWORD=pw
	# shellcheck disable=SC2034 # for the helper
	made=1
	refused_rows 200
	sql "$place" 'ALTER TABLE quote ALTER exchange TYPE varchar(4)'
	dear_lines 5 1 40 | sed '7s/"ZZZT"/&,"exchange":"ABCDE"/; 9s/"ZZZT"/&,"exchange":"ABCDE"/' >in
	run -1 fl-load -q --rejects long "$place" in
	[ "$(jq -r 'select(.detail | test("too long")) | .line' long)" = $'7\n9' ]
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
