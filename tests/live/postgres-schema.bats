#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# What a load makes in PostgreSQL, and what --print-schema prints of it.

load ../helper/common
load ../helper/postgres

setup_file() { begin_postgres; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
}

# dumped PLACE: all that there is but rows, and what differs from run to run.
dumped() { pg_dump --schema-only "$1" | grep -v -e '^--' -e '^[\]' -e '^SET' -e '^$'; }

@test "--print-schema loads into an empty database without a word, and is what a load makes" {
	fl-load --migrate "$place"
	dumped "$place" >made
	[ "$(grep -c 'CREATE TABLE' made)" -ge 17 ]
	sql "$place" 'CREATE DATABASE printed'
	printed=${place%/*}/printed
	fl-load --print-schema "$place" >schema
	run -0 psql -qX -v ON_ERROR_STOP=1 "$printed" -f schema
	[ -z "${output//[[:space:]]/}" ]
	dumped "$printed" | diff made -
	# And it is complete: a load finds nothing to do.
	echo '{"type":"quote","ts":"2026-01-02T16:00:00.000Z","provider":"t","symbol":"ZZZT","price":1}' | fl-load "$printed"
	[ "$(fl-fetch store "$printed" --last 1 | wc -l)" = 1 ]
}

@test "indexes of news by symbol and of logs by address are there, and used" {
	fl-load --migrate "$place"
	run -0 sql "$place" "SET enable_seqscan = off; EXPLAIN SELECT * FROM news WHERE symbols && ARRAY['ZZZT']"
	[[ $output == *news_symbols* ]]
	echo 'Mar  5 09:30:00 gw kernel: [1.0] [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.5 DST=198.51.100.7 PROTO=TCP SPT=1 DPT=22' |
		fl-fetch log - --year 2026 | fl-load "$place"
	[ "$(sql "$place" "SHOW server_version_num")" -ge 140000 ] || skip 'PostgreSQL 13 has no such index'
	run -0 sql "$place" "SET enable_seqscan = off; EXPLAIN SELECT * FROM log WHERE destination_ip = '198.51.100.7'"
	[[ $output == *'Bitmap Index Scan on log_2026_03_source_ip_destination_ip_idx'* ]]
}

@test "an older store gets them by --migrate, and not by a load, which would wait for them" {
	fl-load --migrate "$place"
	sql "$place" 'DROP INDEX news_symbols; DROP INDEX IF EXISTS log_addresses'
	fl-load "$place" /dev/null
	[ "$(sql "$place" "SELECT to_regclass('news_symbols') IS NULL")" = t ]
	fl-load --migrate "$place"
	[ "$(sql "$place" "SELECT to_regclass('news_symbols') IS NULL")" = f ]
}
