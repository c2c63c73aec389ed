#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # bash -c has its own $1; run sets
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# fl-fetch syslog: datagrams, connections and TLS, framing good and bad, slow
# and broken senders, and a stop that loses nothing.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
	pid=
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || :
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# serve KINDS [OPTION...]: in the background at free ports; out, err, rejects;
# $port is that of the last kind.
serve() {
	local places='' kind i
	for kind in $1; do
		places+=,$kind:127.0.0.1:0
	done
	fl-fetch syslog --listen "${places#,}" --rejects rejects "${@:2}" >out 2>err &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ "$(grep -c 'listening at' err)" = "$(wc -w <<<"$1")" ] && break
		sleep 0.05
	done
	port=$(sed -n "s/.*listening at ${kind} .*:\([0-9]*\)\$/\1/p" err)
	[ -n "$port" ] || fail "not listening: $(cat err)"
}

# stop STATUS
stop() {
	local got=0
	kill -TERM "$pid"
	wait "$pid" || got=$?
	pid=
	[ "$got" = "$1" ] || fail "status $got: $(cat err)"
	touch rejects
}

# wait_lines FILE COUNT: until it has so many, at most ten seconds.
wait_lines() {
	local i
	for ((i = 0; i < 200; i++)); do
		# It may not be there yet.
		! [ -e "$1" ] || [ "$(wc -l <"$1")" -lt "$2" ] || return 0
		sleep 0.05
	done
	fail "$1 has not $2 lines: $(cat "$1"): $(cat err)"
}

# send: standard input to the TCP port, whole.
send() {
	cat >/dev/tcp/127.0.0.1/"$port"
}

messages() {
	jq -r .message out
}

certificate() {
	command -v openssl >/dev/null || skip "openssl, which makes certificates, is not installed"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout "$1.key" -out "$1.pem" -subj "/CN=$1" -days 2 2>/dev/null
}

@test "help and misuse" {
	fl_help_ok fl-fetch syslog
	fl_misuse_ok fl-fetch syslog
	run -0 fl-fetch syslog --help
	for option in --listen --format --framing --tls-cert --max-message --max-senders; do
		[[ $output == *"$option"* ]]
	done
	for bad in udp 5514 udp:5514x: http::80 udp::70000 udp:::; do
		run -2 fl-fetch syslog --listen $bad
		[[ $output == "fl-fetch: --listen: '$bad' is no place to listen at: udp::5514"* ]]
	done
	run -2 fl-fetch syslog --listen tls::0
	[ "$output" = "fl-fetch: --listen tls: needs --tls-cert FILE and --tls-key FILE" ]
	run -2 fl-fetch syslog --tls-cert x
	[[ $output == *"go with --listen tls:[ADDR]:PORT" ]]
	run -2 fl-fetch syslog --framing crlf
	[ "$output" = "fl-fetch: --framing takes auto, lf or octets, not 'crlf'" ]
	run -2 fl-fetch syslog x.log
	[ "$output" = "fl-fetch: syslog takes no operand; fl-fetch log 'x.log' reads a file" ]
	run -2 fl-fetch syslog --max-message 1G
	[[ $output == *"1 to 900000 bytes"* ]]
	run -2 fl-fetch syslog --resume x.db --pipeline p
	[[ $output == *"source 'syslog' cannot resume"* ]]
}

@test "a port that is in use may be free later" {
	serve tcp
	run -3 fl-fetch syslog --listen "tcp:127.0.0.1:$port"
	[ "$output" = "fl-fetch: cannot listen at 'tcp:127.0.0.1:$port': Address already in use" ]
	stop 143
}

@test "datagrams of RFC 3164 and RFC 5424" {
	serve udp
	printf '<34>Mar  5 09:30:00 gw su: old style\n' >"/dev/udp/127.0.0.1/$port"
	printf '<165>1 2026-03-05T22:14:15.003Z h.example app 12 ID47 [x@1 y="z"] new style' >"/dev/udp/127.0.0.1/$port"
	printf 'no header' >"/dev/udp/127.0.0.1/$port"
	printf '<13>tag: no host, no time' >"/dev/udp/127.0.0.1/$port"
	wait_lines out 3
	stop 143
	[ "$(messages)" = $'old style\nnew style\nno host, no time' ]
	[ "$(jq -r .host.name out)" = $'gw\nh.example\n127.0.0.1' ]
	[ "$(jq -r 'select(.message == "no host, no time") | .ts == .ts_recv' out)" = true ]
	[ "$(jq -r '"\(.reason) \(.input) \(.raw)"' rejects)" = "unknown_format udp:127.0.0.1 no header" ]
	fl-clean -q out | cmp - out
}

@test "formats are found behind the header, or told by --format" {
	serve udp
	printf '<134>Mar  5 09:30:00 filterlog[1]: 5,,,1000000103,igb0,match,block,in,4,0x0,,52,54321,0,DF,6,tcp,60,203.0.113.5,198.51.100.7,44321,22,0,S,1,,64240,,mss' >"/dev/udp/127.0.0.1/$port"
	printf '<13>Mar  5 09:30:01 h CEF:0|V|P|1|7|N|5|src=10.0.0.1 dst=10.0.0.2 act=blocked' >"/dev/udp/127.0.0.1/$port"
	wait_lines out 2
	stop 143
	[ "$(jq -r '"\(.provider) \(.event.action) \(.source.ip) \(.host.name)"' out)" = "pfsense deny 203.0.113.5 127.0.0.1
cef deny 10.0.0.1 h" ]
	serve udp --format cef
	printf '<13>Mar  5 09:30:01 h app: no CEF' >"/dev/udp/127.0.0.1/$port"
	wait_lines rejects 1
	stop 143
	[ "$(jq -r .detail rejects)" = "not a line of format cef" ]
}

@test "connections: lines, counted octets, and what is left at their end" {
	serve tcp
	printf '<13>t: one\n<13>t: two\r\n\n<13>t: no end' | send
	wait_lines out 3
	printf '10 <13>t: fou14 <13>t: fi\nve  \n11 <13>t: six ' | send
	wait_lines out 6
	stop 143
	[ "$(messages)" = $'one\ntwo\nno end\nfou\nfi\nve  \nsix ' ]
	[ ! -s rejects ]
}

@test "a message may come a byte at a time, and among others" {
	serve tcp
	text='22 <13>t: slow but whole.'
	(
		exec 7<>"/dev/tcp/127.0.0.1/$port"
		for ((i = 0; i < ${#text}; i++)); do
			printf '%s' "${text:i:1}" >&7
			sleep 0.01
		done
	) &
	slow=$!
	for i in 1 2 3; do printf '<13>t: quick %d\n' $i | send; done
	wait_lines out 3
	wait "$slow"
	wait_lines out 4
	stop 143
	[ "$(messages | tail -n 1)" = "slow but whole." ] || [ "$(messages | grep -c slow)" = 1 ]
}

@test "what is no frame is refused, and that connection alone is closed" {
	serve tcp
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	printf '9 <13>t: ok' >&7
	wait_lines out 1
	printf 'rubbish instead of a count' >&7
	wait_lines rejects 1
	[ -z "$(timeout 5 cat <&7)" ] # it was closed
	exec 7<&-
	printf '<13>t: others go on\n' | send
	wait_lines out 2
	stop 143
	[ "$(jq -r '"\(.reason) \(.raw)"' rejects)" = "unknown_format krubbish instead of a count" ] ||
		[ "$(jq -r '"\(.reason) \(.raw)"' rejects)" = "unknown_format rubbish instead of a count" ]
	[[ $(cat err) == *"tcp 127.0.0.1: no frame of RFC 6587; closed"* ]]
}

@test "a connection cut inside of a counted message leaves a reject" {
	serve tcp
	printf '100 <13>t: cut short' | send
	wait_lines rejects 1
	stop 143
	[ "$(jq -r '"\(.reason) \(.raw)"' rejects)" = "truncated <13>t: cut short" ]
}

@test "--framing says what the first bytes would not" {
	serve tcp --framing lf
	printf '12 <13>t: a line\n' | send
	wait_lines rejects 1
	stop 143
	[ "$(jq -r .raw rejects)" = "12 <13>t: a line" ]
}

@test "messages over the ceiling are refused, and take no memory" {
	serve tcp --max-message 1K
	{
		printf '<13>t: '
		head -c 67108864 /dev/zero | tr '\0' x
		printf '\n<13>t: after it\n'
	} | send
	wait_lines out 1
	{
		printf '1048576 <13>t: '
		head -c 1048569 /dev/zero | tr '\0' y
		printf '9 <13>t: ok'
	} | send
	wait_lines out 2
	stop 143
	[ "$(messages)" = $'after it\nok' ]
	[ "$(jq -r '"\(.reason) \(.raw_bytes) \(.raw | length)"' rejects)" = "too_long 67108871 65536
too_long 1048576 65536" ]
	[ "${FL_VARIANT-}" = asan ] || [ "$(jq .max_rss_bytes runs.all)" -lt 33554432 ]
}

@test "NUL, invalid UTF-8 and marks are refused" {
	serve tcp
	printf '<13>t: nul \0 in it\n<13>t: \xff\n{"type":"mark","pipeline":"p","at":{}}\n<13>t: {"type":"mark","pipeline":"p","at":{}}\n' | send
	wait_lines rejects 4
	stop 143
	[ ! -s out ]
	[ "$(jq -r .reason rejects)" = $'bad_utf8\nbad_utf8\nunexpected_mark\nunexpected_mark' ]
}

@test "many senders at once, each message once" {
	serve tcp
	for s in {1..40}; do
		(for i in {1..50}; do printf '<13>t: %d.%d\n' "$s" "$i"; done | send) &
		senders+=($!)
	done
	wait "${senders[@]}"
	wait_lines out 2000
	stop 143
	for s in {1..40}; do for i in {1..50}; do echo "$s.$i"; done; done | sort >want
	messages | sort | diff want -
}

@test "more senders than are allowed wait for their turn" {
	serve tcp --max-senders 2
	exec 7<>"/dev/tcp/127.0.0.1/$port" 8<>"/dev/tcp/127.0.0.1/$port"
	printf '<13>t: a\n' >&7
	printf '<13>t: b\n' >&8
	wait_lines out 2
	printf '<13>t: c\n' | send
	sleep 0.3
	[ "$(wc -l <out)" = 2 ]
	exec 7<&-
	wait_lines out 3
	exec 8<&-
	stop 143
}

@test "a stop gives all that had arrived" {
	serve "udp tcp"
	udp=$(sed -n 's/.*listening at udp .*:\([0-9]*\)$/\1/p' err)
	kill -STOP "$pid"
	for i in {1..200}; do printf '<13>t: u%d' "$i" >"/dev/udp/127.0.0.1/$udp"; done
	kill -CONT "$pid"
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	printf '<13>t: first\n' >&7
	wait_lines out 201
	kill -STOP "$pid"
	for i in {1..200}; do printf '<13>t: t%d\n' "$i"; done >&7
	printf '<13>t: and what was begun' >&7
	for i in {1..50}; do printf '<13>t: v%d' "$i" >"/dev/udp/127.0.0.1/$udp"; done
	kill -TERM "$pid"
	kill -CONT "$pid"
	got=0
	wait "$pid" || got=$?
	pid=
	[ "$got" = 143 ]
	exec 7<&-
	{ seq -f u%g 200; echo first; seq -f t%g 200; echo 'and what was begun'; seq -f v%g 50; } | sort >want
	messages | sort | diff want -
}

@test "datagrams that the kernel drops are counted and told" {
	serve udp
	kill -STOP "$pid"
	# More than fits in any receive buffer that we ask for.
	python3 - "$port" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		m = b"<13>t: " + b"x" * 30000
		for i in range(2000):
		    s.sendto(m, ("127.0.0.1", int(sys.argv[1])))
	P
	kill -CONT "$pid"
	sleep 0.5
	# The count comes with the next datagram that has room.
	printf '<13>t: last' >"/dev/udp/127.0.0.1/$port"
	for _ in {1..100}; do
		! grep -q '"last"' out || break
		sleep 0.05
	done
	stop 143
	dropped=$(sed -n 's/.* \([0-9]*\) in all: they came quicker.*/\1/p' err | tail -n 1)
	[ -n "$dropped" ] || fail "nothing told: $(cat err)"
	[ "$((dropped + $(wc -l <out)))" = 2001 ]
}

@test "TLS: messages of any size, and senders that speak none" {
	certificate server
	serve tls --tls-cert server.pem --tls-key server.key
	printf '9 <13>t: ok20 <13>t: over TLS, too' |
		timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" >/dev/null 2>&1 || :
	wait_lines out 2
	{ printf '50007 <13>t: '; head -c 50000 /dev/zero | tr '\0' z; } |
		timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" >/dev/null 2>&1 || :
	wait_lines out 3
	printf '<13>t: plain\n' | send
	printf '9 <13>t: on' |
		timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" >/dev/null 2>&1 || :
	wait_lines out 4
	stop 143
	[ "$(jq -r '.message | if length > 100 then length else . end' out)" = $'ok\nover TLS, too\n50000\non' ]
	[[ $(cat err) == *"fl-fetch: tls 127.0.0.1: "* ]]
}

@test "TLS: --tls-ca takes only senders that have a certificate of it" {
	certificate server
	certificate client
	serve tls --tls-cert server.pem --tls-key server.key --tls-ca client.pem
	printf '9 <13>t: no' |
		timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" >/dev/null 2>&1 || :
	printf '9 <13>t: ok' |
		timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" \
			-cert client.pem -key client.key >/dev/null 2>&1 || :
	wait_lines out 1
	stop 143
	[ "$(messages)" = ok ]
	[[ $(cat err) == *"peer did not return a certificate"* ]]
}

@test "TLS: certificates and keys that are none are refused" {
	certificate server
	certificate other
	run -4 fl-fetch syslog --listen tls:127.0.0.1:0 --tls-cert none --tls-key server.key
	[[ $output == "fl-fetch: cannot use certificate 'none': "* ]]
	run -4 fl-fetch syslog --listen tls:127.0.0.1:0 --tls-cert server.pem --tls-key other.key
	[[ $output == "fl-fetch: cannot use key 'other.key': "*"mismatch"* ]]
}

@test "-n ends after so many messages" {
	serve udp -n 2
	for i in 1 2 3; do printf '<13>t: %d' $i >"/dev/udp/127.0.0.1/$port"; done
	wait "$pid"
	pid=
	[ "$(messages)" = $'1\n2' ]
}

@test "what comes goes on at once, through fl-clean into a store" {
	mkfifo a
	fl-clean -q <a | fl-load -q lake.db &
	fl-fetch syslog --listen udp:127.0.0.1:0 >a 2>err &
	pid=$!
	for _ in {1..100}; do
		grep -q 'listening at' err && break
		sleep 0.05
	done
	port=$(sed -n 's/.*:\([0-9]*\)$/\1/p' err)
	for i in 1 2 3; do printf '<13>Mar  5 09:30:0%d h t: %d' $i $i >"/dev/udp/127.0.0.1/$port"; done
	for _ in {1..100}; do
		[ "$(fl-fetch store lake.db --type log 2>/dev/null | wc -l)" = 3 ] && break
		sleep 0.1
	done
	kill -TERM "$pid"
	pid=
	wait
	[ "$(fl-fetch store lake.db --type log | wc -l)" = 3 ]
}
