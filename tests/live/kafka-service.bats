#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output, kafka_ready where it listens
# scripts/services/kafka, seen by a client that is not ours: kcat.

load ../helper/common
load ../helper/kafka

setup_file() {
	# What is killed and paused here is none of ours, and a cluster that comes
	# to itself once more a little later is no fault of the script.
	export BATS_TEST_RETRIES=2
	begin_kafka --brokers 3 --tls --sasl
}
teardown_file() { kafka stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	kafka_ready
	ssl=(-X security.protocol=ssl -X "ssl.ca.location=$FL_KAFKA_TEST_CA")
}

# A second one, of one broker, in a folder whose name has something in it.
other() { run "$BATS_TEST_DIRNAME/../../scripts/services/kafka" "$@" --dir "$BATS_TEST_TMPDIR/a b,c:d"; }
teardown() { other stop; }

# in_sync TOPIC N: broker N follows its first partition again, by what the others
# say: one that was paused takes itself for the leader for a while.
in_sync() {
	local at others
	others=$(tr , '\n' <<<"$FL_BROKERS" | sed "$2d" | paste -sd ,)
	for ((at = 0; at < 150; at++)); do
		kcat -L -m 5 -b "$others" -t "$1" >seen 2>err || :
		! grep -q "partition 0, .*isrs: .*$2" seen || return 0
		sleep 0.2
	done
	fail "broker $2 is not in sync: $(cat seen err)"
}
# all_seen: each broker knows all three, which each learns in its own time.
all_seen() {
	local at broker
	for broker in ${FL_BROKERS//,/ }; do
		for ((at = 0; at < 150; at++)); do
			kcat -L -m 5 -b "$broker" >seen 2>err || :
			! grep -q '^ 3 brokers:' seen || continue 2
			sleep 0.2
		done
		fail "$broker does not see all: $(cat seen err)"
	done
}
# leader TOPIC: of its first partition.
leader() {
	kcat -L -m 5 -b "$FL_BROKERS" -t "$1" 2>/dev/null | sed -n 's/.*partition 0, leader \([0-9]*\),.*/\1/p'
}
produce() { kcat -P -b "$FL_BROKERS" -X acks=all -X message.timeout.ms=20000 "$@"; }
consume() { kcat -C -q -e -b "$FL_BROKERS" -t "$@" 2>err; }

# login LISTENER PROTOCOL MECHANISM USER PASSWORD: asks for the topics.
login() {
	run timeout 20 kcat -L -m 4 -b "$1" -X security.protocol="$2" -X ssl.ca.location="$FL_KAFKA_TEST_CA" \
		-X sasl.mechanism="$3" -X sasl.username="$4" -X sasl.password="$5"
}

@test "one broker is ready, takes and gives, and leaves neither process nor folder" {
	began=$SECONDS
	other start
	[ "$status" = 0 ]
	[ $((SECONDS - began)) -le 30 ]
	[[ $output == 'kafka: 1 broker at 127.0.0.1:'* ]]
	other env
	[ "$status" = 0 ]
	[[ $output =~ ^'export FL_BROKERS=127.0.0.1:'[0-9]+$ ]]
	eval "$output"
	other topic ticks 2
	[ "$status$output" = 0 ]
	seq 1000 | produce -t ticks
	[ "$(consume ticks | sort -n | sha256sum)" = "$(seq 1000 | sha256sum)" ]
	other start
	[ "$status $output" = "0 kafka: it runs already, in '$BATS_TEST_TMPDIR/a b,c:d'" ]
	pid=$(<'a b,c:d/n1.pid')
	base=$(<'a b,c:d/base')
	[ -e "/tmp/financelake-ports-$UID/$base" ]
	[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *'kafka.Kafka n1.properties ' ]]
	other stop
	[ "$status" = 0 ]
	[ ! -e 'a b,c:d' ]
	[ ! -L "/tmp/financelake-ports-$UID/$base" ]
	# What nobody has waited for yet has no words any more.
	[ -z "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" ]
	other stop
	[ "$status" = 0 ]
	other env
	[ "$status $output" = "3 kafka: nothing runs in '$BATS_TEST_TMPDIR/a b,c:d'" ]
}

@test "what listens is on the loopback interface" {
	for pid in "$BATS_FILE_TMPDIR"/kafka/n?.pid; do
		pid=$(<"$pid")
		find "/proc/$pid/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' >sockets
		# Of the state 0A, which is listening: the address, in hex.
		awk 'NR == FNR { ours[$1]; next } $4 == "0A" && $10 in ours { print $2 }' \
			sockets "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6"
	done >listening
	[ "$(wc -l <listening)" = 15 ]
	[ "$(grep -cE '^(0{16}FFFF0000)?0100007F:' listening)" = 15 ]
}

@test "a start that was killed is done anew, with another's folder nothing is done" {
	"$BATS_TEST_DIRNAME/../../scripts/services/kafka" start --dir "$BATS_TEST_TMPDIR/a b,c:d" >/dev/null 2>&1 3>&- &
	start=$!
	until [ -e 'a b,c:d/n1.pid' ]; do sleep 0.05; done
	kill -KILL $start
	pid=$(<'a b,c:d/n1.pid')
	other env
	[ "$status" = 3 ]
	other start
	[ "$status" = 0 ]
	[ "$(<'a b,c:d/n1.pid')" != "$pid" ]
	[ -z "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" ]
	other start --sasl
	[ "$status" = 4 ]
	[[ $output == *'another one runs in '*': 1 broker; stop it first' ]]
	other stop
	mkdir 'a b,c:d'
	touch 'a b,c:d/mine'
	other start
	[ "$status $output" = "4 kafka: '$BATS_TEST_TMPDIR/a b,c:d' holds something else" ]
	other stop
	[ -e 'a b,c:d/mine' ]
}

@test "topics are made and deleted on order only" {
	kafka topic one 3
	run -4 kafka topic one 3
	[ "$output" = "kafka: topic 'one' exists" ]
	kcat -L -b "$FL_BROKERS" -t one >seen
	[ "$(grep -cE 'partition [0-2], leader [1-3], replicas: [1-3],[1-3],[1-3], isrs' seen)" = 3 ]
	kafka topic alone 1 1 max.message.bytes=1000
	run -1 produce -t alone < <(printf '%02000d\n' 0)
	[[ $output == *'Message size too large'* ]]
	run -4 kafka topic 'no name' 1
	[[ $output == "kafka: topic 'no name' is refused: Topic name is invalid"*'(error 17)' ]]
	kafka untopic one
	run -4 kafka untopic one
	[ "$output" = "kafka: no topic 'one'" ]
	run -1 produce -X message.timeout.ms=3000 -t never <<<x
	kcat -L -b "$FL_BROKERS" >seen
	run ! grep -E '"(one|never)"' seen
}

@test "TLS needs the authority, and takes a client's certificate by it alone" {
	kafka topic tls 1
	client=(-X "ssl.certificate.location=$FL_KAFKA_TEST_CERT" -X "ssl.key.location=$FL_KAFKA_TEST_KEY")
	echo without | kcat -P -b "$FL_KAFKA_TEST_SSL" "${ssl[@]}" -t tls
	echo with | kcat -P -b "$FL_KAFKA_TEST_SSL" "${ssl[@]}" "${client[@]}" -t tls
	[ "$(kcat -C -q -e -b "$FL_KAFKA_TEST_SSL" "${ssl[@]}" -t tls | xargs)" = 'without with' ]
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=nobody -keyout own.key -out own.pem 2>/dev/null
	run -1 kcat -L -m 4 -b "$FL_KAFKA_TEST_SSL" "${ssl[@]}" \
		-X ssl.certificate.location=own.pem -X ssl.key.location=own.key
	run -1 kcat -L -m 4 -b "$FL_KAFKA_TEST_SSL" -X security.protocol=ssl -X ssl.ca.location=own.pem
	[[ $output == *'certificate verify failed'* ]]
}

@test "SASL lets in who has the password, by PLAIN and SCRAM, also inside TLS" {
	for user in $FL_KAFKA_TEST_USERS; do
		[ "$(stat -c %a "$FL_KAFKA_TEST_PASSWORDS/$user")" = 600 ]
		for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
			login "$FL_KAFKA_TEST_SASL" sasl_plaintext $mechanism "$user" "$(<"$FL_KAFKA_TEST_PASSWORDS/$user")"
			[[ $status == 0 && $output == *' 3 brokers:'* ]] || fail "$user, $mechanism: $output"
			login "$FL_KAFKA_TEST_SASL_SSL" sasl_ssl $mechanism "$user" "$(<"$FL_KAFKA_TEST_PASSWORDS/$user")"
			[[ $status == 0 && $output == *' 3 brokers:'* ]] || fail "$user, $mechanism, TLS: $output"
		done
	done
	# The other's is wrong as well.
	login "$FL_KAFKA_TEST_SASL" sasl_plaintext PLAIN alice "$(<"$FL_KAFKA_TEST_PASSWORDS/bob")"
	[[ $status == 1 && $output == *'Invalid username or password'* ]]
	login "$FL_KAFKA_TEST_SASL_SSL" sasl_ssl SCRAM-SHA-512 alice wrong
	[[ $status == 1 && $output == *'invalid credentials'* ]]
}

@test "a killed broker is missed, the others go on, and it is revived" {
	kafka topic kept 1
	seq 1 100 | produce -t kept
	led=$(leader kept)
	kafka kill "$led"
	run -3 kafka kill "$led"
	[ "$output" = "kafka: broker $led does not run" ]
	run -0 kafka start --brokers 3 --tls --sasl
	[[ $output == *", but not broker $led" ]]
	seq 101 200 | produce -t kept 2>err
	now=$(leader kept)
	[[ $now == [1-3] && $now != "$led" ]]
	[ "$(consume kept | sha256sum)" = "$(seq 200 | sha256sum)" ]
	kafka topic meanwhile 1 1
	kafka revive "$led"
	all_seen
	in_sync kept "$led"
	run -4 kafka revive "$led"
	kafka env >again
	[[ $(<again) == "export FL_BROKERS=$FL_BROKERS"$'\n'* ]]
	[ "$(consume kept | sha256sum)" = "$(seq 200 | sha256sum)" ]
}

@test "a paused broker loses its partitions and comes back when it is resumed" {
	all_seen
	kafka topic still 1
	for broker in 1 2 3; do in_sync still $broker; done
	led=$(leader still)
	kafka pause "$led"
	# A client that asks the paused one waits for it: the others are asked.
	all=$FL_BROKERS
	FL_BROKERS=$(tr , '\n' <<<"$all" | sed "${led}d" | paste -sd ,)
	for ((at = 0; at < 150; at++)); do
		now=$(leader still)
		[[ $now != [1-3] || $now == "$led" ]] || break
		sleep 0.2
	done
	[ "$at" -lt 150 ]
	seq 100 | produce -t still 2>err || fail "$(<err)"
	# Where the paused one led the controllers, too, they may have to agree.
	for ((at = 0; at < 5; at++)); do
		run kafka topic "meantime$at" 1 1
		[ "$status" != 0 ] || break
		[ "$status" = 3 ]
	done
	[ "$at" -lt 5 ]
	[ "$(consume still | sha256sum)" = "$(seq 100 | sha256sum)" ]
	kafka resume "$led"
	FL_BROKERS=$all
	in_sync still "$led"
	[ "$(consume still | sha256sum)" = "$(seq 100 | sha256sum)" ]
}
