#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output, stderr and status
# fl-consume, against the stand-in that librdkafka brings. What only a real
# broker shows is tests/live/kafka.bats.

load ../helper/common
load ../helper/mock

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { end_mock; }

ticks() {
	seq "$1" "$2" | awk '{ printf "{\"type\":\"quote\",\"ts\":\"2026-01-02T00:%02d:%02d.000Z\"," \
		"\"provider\":\"t\",\"symbol\":\"S%d\",\"price\":%d}\n", $1 / 60 % 60, $1 % 60, $1 % 5, $1 }'
}

@test "help, version and misuse are as everywhere" {
	fl_help_ok fl-consume
	fl_version_ok fl-consume
	fl_misuse_ok fl-consume
}

@test "misuse is told in one line, before anything is connected to" {
	misused() { # TEXT OPTION...
		run -2 --separate-stderr fl-consume --brokers 127.0.0.1:1 "${@:2}"
		[ "$stderr" = "fl-consume: $1" ] || fail "$stderr"
	}
	misused 'what from? fl-consume fl.quotes, or fl-consume --list (which names the topics)'
	misused 'when is what --group g has read to be committed? --commit flushed, --resume PLACE --pipeline NAME, or --each CMD' --group g t
	misused '--commit, --resume and --each exclude each other: one of them knows what was read' --group g --each cat --commit flushed t
	misused "--commit takes 'flushed', not 'x'" --group g --commit x t
	misused '--commit needs --group G, whose offsets are committed' --commit flushed t
	misused '--group and --partitions exclude each other: a group gives partitions out itself' --group g --commit flushed --partitions 1 t
	misused "--partitions takes numbers, such as 0-2,5, not '2-1'" --partitions 2-1 t
	misused "--batch takes a number of records and a time, such as 10000,5s, not 'x'" --batch x t
	misused '--instance goes with --group' --instance i t
	misused "--resume needs --pipeline NAME, the name under which 'x.db' keeps positions" --resume x.db t
	misused '--pipeline goes with --resume PLACE, the store that keeps its positions' --pipeline p t
	misused '--raw and --resume exclude each other: what is no record belongs in no store' --raw --resume x.db --pipeline p t
	misused '--from stored needs --group G, which has stored it' --from stored t
	misused '--from is not before --to, so there is nothing to read' --from 2026-01-02 --to 2026-01-01 t
	misused 'whose? fl-consume --group G --lag' --lag t
	misused '--resume writes marks, which only NDJSON carries: send it to fl-load --pipeline p x.db' --resume x.db --pipeline p --as csv t
	run -2 fl-consume --brokers 127.0.0.1:1 --to never t
	[[ $output == 'fl-consume: --to: '* ]]
}

@test "no broker is there: 3, when the time for it has passed" {
	run -3 --separate-stderr fl-consume -q --brokers 127.0.0.1:1 --kafka-timeout 1s t
	[[ $stderr == 'fl-consume: cannot connect: no answer from Kafka at 127.0.0.1:1: '*'Connection refused'* ]] || fail "$stderr"
}

@test "records come out as they went in, and errors that pass are waited for" {
	begin_mock 3
	order topic ticks 4
	ticks 1 500 >in
	fl-produce --topic ticks in
	# Not the leader, twice.
	order fail 1 6 6
	run_json 0 fl-consume --to end ticks
	sort out >got
	sort in | cmp - got
	[ "$(jq -c '[.in, .used, .out, .rejected]' <<<"$record")" = '[500,500,500,0]' ]
	for s in 0 1 2 3 4; do
		cmp <(grep "\"S$s\"" in) <(grep "\"S$s\"" out)
	done
	fl-consume -n 7 ticks >got
	[ "$(wc -l <got)" = 7 ]
	run -4 --separate-stderr fl-consume -q tick
	[ "$stderr" = "fl-consume: no topic 'tick' on $FL_BROKERS (there is 'ticks')" ]
}

@test "a group goes on where it stood" {
	begin_mock 1
	order topic ticks 2
	ticks 1 60 >in
	fl-produce --topic ticks in
	fl-consume --group g --commit flushed -n 20 ticks >one
	[ "$(wc -l <one)" = 20 ]
	[ "$(fl-consume --group g --lag ticks | jq -s 'map(.values.position) | add')" = 20 ]
	fl-consume --group g --each 'cat >>two' --batch 15 --to end ticks
	sort one two >got
	sort in | cmp - got
	[ "$(fl-consume --group g --lag ticks | jq -s 'map(.values.lag) | add')" = 0 ]
}

@test "the broker goes away and comes back: nothing is missed" {
	begin_mock 1
	order topic ticks 1
	ticks 1 10 | fl-produce --topic ticks
	fl-consume ticks >got 2>err 3>&- &
	pid=$!
	for ((at = 0; at < 100; at++)); do
		[ "$(wc -l <got)" != 10 ] || break
		sleep 0.1
	done
	order down 1
	sleep 0.5
	order up 1
	ticks 11 20 | fl-produce --topic ticks
	for ((at = 0; at < 200; at++)); do
		[ "$(wc -l <got)" != 20 ] || break
		sleep 0.1
	done
	kill $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 143 ] || fail "$(<err)"
	ticks 1 20 | cmp - got
}
