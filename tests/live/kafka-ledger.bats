#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # run sets output and status
# Exactly once out of Kafka, whatever is killed; all against a real broker.

load ../helper/common
load ../helper/kafka
load ../helper/postgres
load ../helper/mariadb
load ../helper/s3

setup_file() {
	begin_kafka
	begin_postgres
	begin_mariadb
	begin_s3
}
teardown_file() {
	kafka stop
	postgres stop
	mariadb_service stop
	s3 stop
}
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

# into_database PLACE SEED: ticks and bars go there, out of Kafka, while two
# pipelines are killed in turn.
into_database() {
	local kills=4 ticks=200000 speed=200
	# All within one session of the market, so that a repeat is never as far
	# behind as fl-clean cannot remember.
	[ -z "${FL_LONG:-}" ] || { kills=200 ticks=2000000 speed=50; }
	run "$BATS_TEST_DIRNAME/../helper/kafka_ledger.sh" $kills "$2" "$PWD" $ticks "$1" $speed
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "the same into PostgreSQL, with the ticks beside their bars: each once" {
	postgres_ready
	into_database "$place" 2
}

@test "the same into MariaDB" {
	mariadb_ready
	into_database "$place" 3
}

@test "the same into a lake on S3" {
	s3_ready
	into_database "$place" 4
}

@test "a log followed into Kafka in transactions, killed at random moments: each line once" {
	kills=12
	[ -z "${FL_LONG:-}" ] || kills=50
	run "$BATS_TEST_DIRNAME/../helper/kafka_log_kill.sh" $kills 1 "$PWD"
	echo "# $output" >&3
	[ "$status" = 0 ]
}
