#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # run sets output, stderr and status; exports are a test's own
# fl-produce and fl-consume with three brokers: logging in, and brokers that go
# and come.

load ../helper/common
load ../helper/kafka

setup_file() { begin_kafka --brokers 3 --tls --sasl; }
teardown_file() { kafka stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	kafka_ready
	export FL_BROKERS
	started=()
	password=$(<"$FL_KAFKA_TEST_PASSWORDS/alice")
}
teardown() {
	local pid
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || :; done
}

ticks() {
	seq "$1" "$2" | awk '{ printf "{\"type\":\"quote\",\"ts\":\"2026-01-%02dT%02d:%02d:%02d.000Z\"," \
		"\"provider\":\"t\",\"symbol\":\"S%d\",\"price\":%d}\n", 2 + $1 / 86400, $1 / 3600 % 24, $1 / 60 % 60, $1 % 60, $1 % 12, $1 }'
}

# through LISTENER [OPTION...]: three records go in by it, and out again.
through() {
	ticks 1 3 >in
	fl-produce --brokers "$1" --create-topics=1 --topic "t$BATS_TEST_NUMBER-${n:=0}" "${@:2}" in
	fl-consume --brokers "$1" --to end "${@:2}" "t$BATS_TEST_NUMBER-$n" >got
	same in got
	n=$((n + 1))
}
# refused STATUS TEXT LISTENER [OPTION...]: it is told quickly and clearly.
refused() {
	local at=$SECONDS
	run "-$1" --separate-stderr fl-produce -q --brokers "$3" --topic none "${@:4}" </dev/null
	# shellcheck disable=SC2053 # a pattern
	[[ $stderr == $2 ]] || fail "$stderr"
	[ $((SECONDS - at)) -lt 10 ] || fail "after $((SECONDS - at)) s"
	run "-$1" --separate-stderr fl-consume -q --brokers "$3" "${@:4}" none
	# shellcheck disable=SC2053
	[[ ${stderr/fl-consume:/fl-produce:} == $2 ]] || fail "$stderr"
	[ $((SECONDS - at)) -lt 20 ] || fail "after $((SECONDS - at)) s"
}

@test "TLS: by the authority that was named, and with a certificate of our own" {
	through "$FL_KAFKA_TEST_SSL" --kafka-ca "$FL_KAFKA_TEST_CA"
	through "$FL_KAFKA_TEST_SSL" --kafka-ca "$FL_KAFKA_TEST_CA" \
		--kafka-cert "$FL_KAFKA_TEST_CERT" --kafka-key "$FL_KAFKA_TEST_KEY"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=nobody -keyout own.key -out own.pem 2>/dev/null
	refused 4 "fl-produce: *certificate verify failed*" "$FL_KAFKA_TEST_SSL" --kafka-ca own.pem
	refused 4 "fl-produce: *certificate verify failed*" "$FL_KAFKA_TEST_SSL" --kafka-tls
	refused 4 "fl-produce: Kafka at $FL_KAFKA_TEST_SSL: *alert*certificate*" "$FL_KAFKA_TEST_SSL" --kafka-ca "$FL_KAFKA_TEST_CA" --kafka-cert own.pem --kafka-key own.key
	refused 2 'fl-produce: --kafka-cert and --kafka-key go together' "$FL_KAFKA_TEST_SSL" --kafka-cert own.pem
	# A key with a password.
	openssl ec -aes128 -in "$FL_KAFKA_TEST_KEY" -out locked.key -passout pass:sesame 2>/dev/null
	FL_KAFKA_KEY_PASSWORD=sesame through "$FL_KAFKA_TEST_SSL" --kafka-ca "$FL_KAFKA_TEST_CA" \
		--kafka-cert "$FL_KAFKA_TEST_CERT" --kafka-key locked.key
}

@test "SASL: PLAIN and SCRAM, with and without TLS, the password from the environment or a file" {
	umask 077
	printf '%s\n' "$password" >secret
	for how in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
		FL_KAFKA_PASSWORD=$password through "$FL_KAFKA_TEST_SASL" --kafka-user alice --kafka-sasl $how
		FL_KAFKA_PASSWORD_FILE=secret through "$FL_KAFKA_TEST_SASL_SSL" --kafka-user alice --kafka-sasl $how \
			--kafka-ca "$FL_KAFKA_TEST_CA"
	done
	# SCRAM-SHA-512 is what one gets; all of it may be settings.
	printf '%s\n' 'kafka-user = alice' "kafka-ca = $FL_KAFKA_TEST_CA" "brokers = $FL_KAFKA_TEST_SASL_SSL" \
		'kafka-password-file = secret' >config
	env -u FL_BROKERS fl-consume --config config --list >list
	grep -q '"subject":"t2-0"' list
	chmod 644 secret
	FL_KAFKA_PASSWORD_FILE=secret refused 2 "fl-produce: *'secret'*" "$FL_KAFKA_TEST_SASL" --kafka-user alice
	refused 2 "fl-produce: no password for 'alice': FL_KAFKA_PASSWORD, or FL_KAFKA_PASSWORD_FILE names a file with it" \
		"$FL_KAFKA_TEST_SASL" --kafka-user alice
	refused 2 'fl-produce: to log in, say who: --kafka-user NAME or FL_KAFKA_USER' \
		"$FL_KAFKA_TEST_SASL" --kafka-sasl PLAIN
}

@test "a wrong password is refused at once" {
	export FL_KAFKA_PASSWORD=wrong
	refused 4 "fl-produce: Kafka at $FL_KAFKA_TEST_SASL: *Authentication failed*" \
		"$FL_KAFKA_TEST_SASL" --kafka-user alice
	refused 4 "fl-produce: Kafka at $FL_KAFKA_TEST_SASL: *Invalid username or password*" \
		"$FL_KAFKA_TEST_SASL" --kafka-user alice --kafka-sasl PLAIN
	refused 4 "fl-produce: Kafka at $FL_KAFKA_TEST_SASL_SSL: *Authentication failed*" \
		"$FL_KAFKA_TEST_SASL_SSL" --kafka-user nobody --kafka-ca "$FL_KAFKA_TEST_CA"
}

@test "a secret is in no list of processes and in nothing that is printed" {
	kafka topic secret 1
	for name in sasl.password ssl.key.password sasl.oauthbearer.client.secret ssl.key.pem; do
		run -2 --separate-stderr fl-produce -X "$name=hunter2" </dev/null
		[[ $stderr == "fl-produce: -X $name would show a secret to whoever lists processes: FL_KAFKA_PASSWORD and FL_KAFKA_KEY_PASSWORD, or the same with _FILE, hold them" ]] ||
			fail "$stderr"
	done
	export FL_KAFKA_PASSWORD=$password FL_KAFKA_USER=alice
	ticks 1 2 >in
	fl-produce -v --brokers "$FL_KAFKA_TEST_SASL" --topic secret -X debug=security,broker in >out 2>err
	begin got fl-consume -v --brokers "$FL_KAFKA_TEST_SASL" -X debug=security,broker --stats json secret
	until_seen 15 cmp -s in got
	tr '\0' ' ' <"/proc/$began/cmdline" >argv
	fl-produce --show-config --brokers "$FL_KAFKA_TEST_SASL" >config
	FL_RUNS=runs fl-consume --brokers "$FL_KAFKA_TEST_SASL" --to end secret >/dev/null
	kill "$began"
	ended 143
	[ -s err ]
	[ -s got.err ]
	[ -s runs ]
	run ! grep -F -e "$password" argv out err got.err config runs
	FL_KAFKA_PASSWORD=hunter2 run -4 fl-consume -v --brokers "$FL_KAFKA_TEST_SASL" secret
	[[ $output != *hunter2* ]]
}

@test "one of three brokers is killed and comes back while records go in: none is lost, doubled or out of order" {
	count=300000
	[ -z "${FL_LONG:-}" ] || count=1000000
	kafka topic survives 6
	ticks 1 "$count" >all
	# Slowly enough that it happens in the middle.
	begin out bash -c "split -l $((count / 30)) --filter 'cat; sleep 0.3' all | FL_RUNS=runs fl-produce --topic survives"
	sleep 2
	led=$(kcat -L -b "$FL_BROKERS" -t survives | sed -n 's/.*partition 0, leader \([0-9]*\),.*/\1/p')
	kafka kill "$led"
	sleep 3
	kafka revive "$led"
	ended 0
	[ "$(jq -c '[.in, .used, .out, .uncommitted]' runs)" = "[$count,$count,$count,0]" ]
	fl-consume --to end survives >got
	sorted all got
	# Of a key they are in the order in which they went.
	for s in 0 5 11; do
		same <(grep "\"S$s\"" all) <(grep "\"S$s\"" got)
	done
	account_closes runs
}

@test "no broker left: back-pressure, then 3 with what was delivered, which is there" {
	kafka topic away 3
	count=300000
	ticks 1 $count >all
	# Some is taken, then the pipe is full.
	mkfifo all.pipe
	begin out bash -c 'FL_RUNS=runs fl-produce --kafka-timeout 6s --topic away <all.pipe'
	exec 7>all.pipe
	head -n 50000 all >&7
	for n in 1 2 3; do kafka kill $n; done
	at=$SECONDS
	tail -n +50001 all | timeout 60 cat >&7 2>/dev/null 7>&- || :
	exec 7>&-
	ended 3
	[ $((SECONDS - at)) -ge 4 ]
	[ $((SECONDS - at)) -le 25 ]
	[[ $(<out.err) == *"fl-produce: Kafka at $FL_BROKERS takes no more: Local: Message timed out; what was not delivered is to be sent again"* ]] ||
		fail "$(<out.err)"
	account_closes runs
	read -r in out uncommitted < <(jq -r '"\(.in) \(.out) \(.uncommitted)"' runs)
	[ "$in" -lt $count ]
	[ "$in" = $((out + uncommitted)) ]
	[ "$uncommitted" -gt 0 ]
	kafka revive 1 2 3
	until_seen 30 kcat -C -q -e -b "$FL_BROKERS" -t away >/dev/null
	fl-consume --to end away >got
	[ "$(wc -l <got)" -ge "$out" ]
	# Only what was read of the input, each once.
	[ -z "$(sort got | uniq -d | head -n 1)" ]
	head -n "$in" all | sort >want
	[ -z "$(sort got | comm -13 want - | head -n 1)" ]
}
