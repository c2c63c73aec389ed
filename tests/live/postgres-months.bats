#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# Ticks and logs lie in a partition a month, which loads make.

load ../helper/common
load ../helper/postgres

setup_file() { begin_postgres; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
}

# quote DATE [SEQ]
quote() {
	printf '{"type":"quote","ts":"%sT16:00:00.000Z","provider":"t","symbol":"ZZZT","price":5,"seq":%d}\n' "$1" "${2:-1}"
}

# months: the partitions that there are, with their rows.
months() {
	local part
	for part in $(sql "$place" "SELECT inhrelid::regclass FROM pg_inherits i
			WHERE inhparent = '${1:-quote}'::regclass ORDER BY 1"); do
		echo "$part $(sql "$place" "SELECT count(*) FROM $part")"
	done
}

# a store as it was made before there were months
old_store() {
	fl-load --print-schema "$place" | sed 's/ PARTITION BY RANGE ("ts")//; /^CREATE TABLE "quote_series"/,$d' |
		psql -qX -v ON_ERROR_STOP=1 "$place"
}

@test "the months of a batch are made, and an old one can be taken away" {
	for date in 2025-12-31 2026-01-01 2026-01-31 2026-02-01; do quote "$date"; done | fl-load "$place"
	[ "$(months)" = $'quote_2025_12 1\nquote_2026_01 2\nquote_2026_02 1' ]
	# The bounds are those of UTC, wherever the tables were made.
	[ "$(sql "$place" "SET TimeZone = 'UTC'; SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'quote_2026_01'")" = \
		"FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')" ]
	sql "$place" "ALTER TABLE quote DETACH PARTITION quote_2025_12 $([ "$(sql "$place" 'SHOW server_version_num')" -lt 140000 ] || echo CONCURRENTLY)"
	sql "$place" 'DROP TABLE quote_2025_12'
	[ "$(fl-fetch store "$place" | wc -l)" = 3 ]
	[ "$(fl-fetch store "$place" --last 4 | wc -l)" = 3 ]
	quote 2025-12-30 | fl-load "$place"
	[ "$(fl-fetch store "$place" --last 4 | wc -l)" = 4 ]
	# Loading twice changes nothing, also across months.
	for date in 2025-12-30 2026-01-01 2026-03-01; do quote "$date"; done >in
	run -0 fl-load --stats text "$place" in
	[[ $output == *'stored (1 new, 2 replaced, 0 merged)'* ]]
}

@test "logs have months as well, and what is far from them two partitions" {
	for date in 1899-12-31 1989-12-31 1990-01-01 2099-12-31 2100-01-01 2200-06-30; do quote "$date"; done >in
	fl-load "$place" in
	[ "$(months | sort)" = $'quote_1990_01 1\nquote_2099_12 1\nquote_before_1990 2\nquote_from_2100 2' ]
	fl-fetch store "$place" | cmp - in
	echo 'Mar  5 09:30:00 gw kernel: [1.0] [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.5 DST=198.51.100.7 PROTO=TCP SPT=1 DPT=22' |
		fl-fetch log - --year 2026 | fl-load "$place"
	[ "$(months log)" = 'log_2026_03 1' ]
}

@test "loads that make the same months at once wait for each other, and none fails" {
	fl-load --migrate "$place"
	for year in 2022 2023 2024; do
		for i in {1..6}; do
			for month in {01..12}; do quote "$year-$month-15" "$i"; done >"in$i"
		done
		pids=()
		for i in {1..6}; do fl-load --batch 3,10s "$place" "in$i" & pids+=($!); done
		for pid in "${pids[@]}"; do wait "$pid"; done
	done
	[ "$(months | wc -l)" = 36 ]
	[ "$(months | cut -d ' ' -f 2 | sort -u)" = 6 ]
}

@test "a load that is killed while it makes a month leaves none, and readers do not wait for it" {
	quote 2026-01-01 | fl-load "$place"
	quote 2026-05-01 >in
	# Nothing can be attached for three seconds.
	psql -qX "$place" -c 'BEGIN; LOCK TABLE quote IN SHARE UPDATE EXCLUSIVE MODE; SELECT pg_sleep(3)' >/dev/null &
	sleep 0.3
	fl-load "$place" in &
	load=$!
	sleep 0.7
	[ "$(sql "$place" "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%fl_add_month%' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()")" = 1 ]
	[ "$(fl-fetch store "$place" | wc -l)" = 1 ]
	quote 2026-01-02 | fl-load "$place" # of a month that there is
	kill -KILL $load
	run wait $load
	wait
	[ "$(months)" = 'quote_2026_01 2' ]
	[ "$(sql "$place" "SELECT to_regclass('quote_2026_05') IS NULL")" = t ]
	fl-load "$place" in
	[ "$(months)" = $'quote_2026_01 2\nquote_2026_05 1' ]
}

@test "a month that was detached and kept is not made twice: 4, and what to do" {
	quote 2026-01-01 | fl-load "$place"
	sql "$place" 'ALTER TABLE quote DETACH PARTITION quote_2026_01'
	quote 2026-01-02 >in
	run -4 fl-load "$place" in
	[[ $output == *'there is a table quote_2026_01 that is no partition of quote, where rows of 2026-01-01 belong: attach, rename or drop it'* ]]
	sql "$place" 'ALTER TABLE quote_2026_01 RENAME TO kept'
	fl-load "$place" in
	[ "$(months)" = 'quote_2026_01 1' ]
}

@test "a month that is taken away while a load goes on is made again" {
	fl-load --migrate "$place"
	{
		quote 2026-01-01 1
		sleep 0.5
		sql "$place" 'ALTER TABLE quote DETACH PARTITION quote_2026_01; DROP TABLE quote_2026_01' >&2
		quote 2026-01-01 2
	} | fl-load --batch 1,10s "$place"
	[ "$(months)" = 'quote_2026_01 1' ]
}

@test "partitions that somebody made otherwise are used" {
	fl-load --migrate "$place"
	sql "$place" "CREATE TABLE quote_2020 PARTITION OF quote FOR VALUES FROM ('2020-01-01 00:00Z') TO ('2021-01-01 00:00Z')"
	sql "$place" "CREATE TABLE quote_rest PARTITION OF quote DEFAULT"
	sql "$place" "INSERT INTO quote (ts, ts_ns, symbol, provider, tick_id) VALUES ('2022-02-02', 0, 'A', 'b', 1)"
	for date in 2020-05-05 2022-02-03 2023-03-03; do quote "$date"; done | fl-load "$place"
	[ "$(months | sort)" = $'quote_2020 1\nquote_2023_03 1\nquote_rest 2' ]
}

@test "who owns no table may load a new month, when he was let to" {
	fl-load --migrate "$place"
	sql "$place" "CREATE ROLE clerk LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk"
	quote 2026-01-01 >in
	PGPASSWORD=pw run -4 fl-load "${place/lake@/clerk@}" in
	[[ $output == *'permission denied for function fl_add_month'*'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO "clerk"'* ]]
	sql "$place" "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO clerk"
	PGPASSWORD=pw fl-load "${place/lake@/clerk@}" in
	PGPASSWORD=pw fl-load "${place/lake@/clerk@}" in
	[ "$(months)" = 'quote_2026_01 1' ]
	[ "$(sql "$place" "SELECT tableowner FROM pg_tables WHERE tablename = 'quote_2026_01'")" = lake ]
}

@test "a table that was made before there were months stays whole, and works" {
	old_store
	for date in 2025-12-31 2026-01-01; do quote "$date"; done >in
	sql "$place" "INSERT INTO quote (ts, ts_ns, symbol, provider, tick_id, price, seq) VALUES ('2025-12-30 16:00Z', 0, 'ZZZT', 't', 1, 5, 1)"
	run -0 fl-load --stats text "$place" in
	run -0 fl-load --stats text "$place" in
	[[ $output == *'stored (0 new, 2 replaced, 0 merged)'* ]]
	[ "$(sql "$place" "SELECT relkind FROM pg_class WHERE relname = 'quote'")" = r ]
	# Rows that were there are not noted: all is read, until somebody counts.
	run -0 fl-fetch -v store "$place" --last 3
	[[ $output == *'others have written to quote'* ]]
	[ "$(grep -c '"type"' <<<"$output")" = 3 ]
	fl-load --migrate "$place"
	run -0 fl-fetch -v store "$place" --last 3
	[[ $output != *'others have written'* ]]
	[ "$(grep -c '"type"' <<<"$output")" = 3 ]
}
