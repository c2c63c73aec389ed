#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # run sets output; exports are a test's own
# Copies between any two places, fl-fetch store A | fl-load B, are equal to the
# byte, for records of every type with every value there may be.

load ../helper/common
load ../helper/postgres
load ../helper/mariadb
load ../helper/s3

setup_file() {
	begin_postgres
	begin_mariadb
	begin_s3
	cd "$BATS_FILE_TMPDIR" || return 1
	data=$BATS_TEST_DIRNAME/../data
	{
		cat "$data"/store/edges.ndjson
		for file in "$data"/rec/*.ndjson; do
			[[ $file == *.bad.ndjson ]] || grep -v '"partial":true' "$file"
		done
		fl-fetch sim -n 3000 | tee ticks
		fl-agg bars 1m,1h,1d ticks | fl-agg indicators sma:3,vwap
		fl-agg stats ticks
	} >all
	fl-load -q ref.db all
	fl-fetch store ref.db >ref
}
teardown_file() {
	postgres stop
	mariadb_service stop
	s3 stop
}
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	ref=$BATS_FILE_TMPDIR/ref
}

# there KIND: does this machine have it?
there() {
	case $1 in
	SQLite | lake) return ;;
	PostgreSQL) [ ! -e "$BATS_FILE_TMPDIR/postgres-missing" ] ;;
	MariaDB) [ ! -e "$BATS_FILE_TMPDIR/mariadb-missing" ] ;;
	S3) [ ! -e "$BATS_FILE_TMPDIR/s3-missing" ] ;;
	esac
}

# place_of KIND: $place is a new one. Those of a test have names of their own.
place_of() {
	case $1 in
	SQLite) place=$PWD/copy.db ;;
	lake) place=$PWD/copy/ ;;
	PostgreSQL) postgres_ready ;;
	MariaDB) mariadb_ready ;;
	S3) s3_ready ;;
	esac
}

# copies_from KIND: to all others.
copies_from() {
	local kind from
	there "$1" || skip "there is no $1 here"
	place_of "$1"
	from=$place
	fl-load -q "$from" "$BATS_FILE_TMPDIR/all"
	fl-fetch store "$from" | cmp - "$ref"
	for kind in SQLite lake PostgreSQL MariaDB S3; do
		[ "$kind" != "$1" ] || continue
		there "$kind" || { echo "# not tried: $kind" >&3; continue; }
		place_of "$kind"
		fl-fetch store "$from" | fl-load -q "$place"
		fl-fetch store "$place" >got
		[ "$(sha256sum <got)" = "$(sha256sum <"$ref")" ] || fail "$1 to $kind: $(diff got "$ref" | cut -c -300 | head -n 5)"
		run -0 fl-load --stats text "$place" < <(fl-fetch store --unordered "$from")
		[[ $output == *' stored + 0 '* || $output == *'stored (0 new, '* ]] || fail "$1 to $kind again: $output"
		fl-fetch store "$place" | cmp - "$ref"
	done
}

@test "what is copied holds every type, and is what was loaded" {
	[ "$(jq -r .type "$ref" | sort -u | wc -l)" = 13 ]
	[ "$(wc -l <"$ref")" -gt 3000 ]
	fl-clean -q --dedup 0 --canonical "$BATS_FILE_TMPDIR/all" | sort -u >in
	sort -u "$ref" | comm -23 - in >strange
	[ ! -s strange ] || fail "$(head -n 3 strange)"
}
@test "copies from SQLite are equal to the byte" { copies_from SQLite; }
@test "copies from a lake are equal to the byte" { copies_from lake; }
@test "copies from PostgreSQL are equal to the byte" { copies_from PostgreSQL; }
@test "copies from MariaDB are equal to the byte" { copies_from MariaDB; }
@test "copies from a lake on S3 are equal to the byte" { copies_from S3; }
