#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output, stderr and status
# fl-produce, against the stand-in that librdkafka brings. What only a real
# broker shows is tests/live/kafka.bats.

load ../helper/common
load ../helper/mock

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { end_mock; }

ticks() {
	seq "$1" "$2" | awk '{ printf "{\"type\":\"quote\",\"ts\":\"2026-01-02T00:%02d:%02d.000Z\"," \
		"\"provider\":\"t\",\"symbol\":\"A\",\"price\":%d}\n", $1 / 60 % 60, $1 % 60, $1 }'
}
counts() { jq -c '[.in, .used, .out, .rejected, .uncommitted]' <<<"$record"; }
messages() { fl-consume --list "$1" | jq .values.messages; }

@test "help, version and misuse are as everywhere" {
	fl_help_ok fl-produce
	fl_version_ok fl-produce
	fl_misuse_ok fl-produce
}

@test "misuse is told in one line, before anything is connected to" {
	misused() { # TEXT OPTION...
		run -2 --separate-stderr fl-produce --brokers 127.0.0.1:1 "${@:2}" </dev/null
		[ "$stderr" = "fl-produce: $1" ] || fail "$stderr"
	}
	misused "--batch takes a number of records and a time, such as 10000,1s, not '0'" --batch 0
	misused "--batch takes a number of records and a time, such as 10000,1s, not '5x'" --batch 5x
	misused "--create-topics takes partitions and copies, such as 6 or 6,3, not 'x'" --create-topics=x
	misused '--pipeline goes with --positions; --transaction has it from the marks' --pipeline p
	misused "-X takes NAME=VALUE, a property of librdkafka, not 'linger.ms'" -X linger.ms
	misused "positions are kept in kafka://BROKERS/fl.positions, not in 'x.db'" --positions x.db
	run -2 --separate-stderr fl-produce --brokers 127.0.0.1:1 -X no.such=1 </dev/null
	[[ $stderr == 'fl-produce: -X: librdkafka: No such configuration property: "no.such"'* ]] || fail "$stderr"
	run -2 --separate-stderr fl-produce --brokers 127.0.0.1:1 -X linger.ms=soon </dev/null
	[[ $stderr == 'fl-produce: -X: librdkafka: Invalid value'* ]] || fail "$stderr"
}

@test "no broker is there: 3, when the time for it has passed" {
	run -3 --separate-stderr fl-produce -q --brokers 127.0.0.1:1 --kafka-timeout 1s </dev/null
	[[ $stderr == 'fl-produce: cannot connect: no answer from Kafka at 127.0.0.1:1: '*'Connection refused'* ]] || fail "$stderr"
}

@test "what goes in comes out, whatever errors the brokers can mend" {
	begin_mock 3
	order topic ticks 4
	ticks 1 1000 >in
	# Timed out, not the leader, not enough copies.
	order fail 0 7 6 19 7
	run_json 0 fl-produce --topic ticks in
	[ "$(counts)" = '[1000,1000,1000,0,0]' ]
	fl-consume --to end ticks | sort >got
	sort in | cmp - got
}

@test "a message that is refused for good is a reject with the broker's words" {
	begin_mock 1
	order topic ticks 1
	ticks 1 5 >in
	# Too large: what was sent first, a batch of one.
	order fail 0 10
	run_json 1 fl-produce --topic ticks --rejects rejects -X batch.num.messages=1 -X max.in.flight=1 in
	[ "$(counts)" = '[5,4,4,1,0]' ]
	[ "$(jq -c '[.reason, .detail, .input]' rejects)" = '["sink_refused","Kafka: Broker: Message size too large","ticks"]' ]
	jq -j '.raw + "\n"' rejects >got
	ticks 1 1 | cmp - got
	[ "$(messages ticks)" = 4 ]
	rm rejects
	# What the client refuses itself counts alike.
	{ ticks 1 2; ticks 3 3 | sed "s/}/,\"x\":\"$(printf %03000d 0)\"}/"; ticks 4 5; } >in
	run_json 1 fl-produce --topic ticks --rejects rejects -X message.max.bytes=2000 -X batch.size=1000 in
	[ "$(counts)" = '[5,4,4,1,0]' ]
	[ "$(jq -r .reason rejects)" = sink_refused ]
	run -6 fl-produce -q --max-rejects 0 --topic ticks -X message.max.bytes=2000 -X batch.size=1000 in
}

@test "what is no record is rejected, and the others go" {
	begin_mock 1
	order topic ticks 1
	{ ticks 1 2; echo nonsense; ticks 3 3; echo '{"type":"quote"}'; } >in
	run_json 1 fl-produce --topic ticks --rejects rejects in
	[ "$(counts)" = '[5,3,3,2,0]' ]
	[ "$(jq -r '"\(.line) \(.reason)"' rejects | xargs)" = '3 bad_json 5 missing_field' ]
	ticks 1 3 >want
	fl-consume --to end ticks | cmp - want
}

@test "the broker goes away: 3, and what was delivered is told" {
	begin_mock 1
	order topic ticks 1
	mkfifo in
	exec 8<>in
	FL_RUNS=runs fl-produce --kafka-timeout 2s --topic ticks in 2>err 3>&- 8>&- &
	ticks 1 100 >&8
	for ((at = 0; at < 500; at++)); do
		[ "$(messages ticks)" != 100 ] || break
	done
	order down 1
	ticks 101 200 >&8
	got=0
	wait $! || got=$?
	[ "$got" = 3 ]
	[[ $(<err) == "fl-produce: Kafka at $FL_BROKERS takes no more: Local: Message timed out; what was not delivered is to be sent again"* ]] || fail "$(<err)"
	[[ $(<err) == *'200 in = 100 delivered + 0 rejected + 100 undelivered; '* ]] || fail "$(<err)"
	[ "$(jq -c '[.in, .out, .uncommitted]' runs)" = '[200,100,100]' ]
	account_closes runs
}

@test "a slow broker is waited for" {
	begin_mock 1
	order topic ticks 1
	order rtt 500
	ticks 1 30 >in
	run_json 0 fl-produce --topic ticks in
	[ "$(counts)" = '[30,30,30,0,0]' ]
}
