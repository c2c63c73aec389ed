#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has its variables; run sets some
# fl-fetch yahoo --stream: what the WebSocket may send and what the network may
# do, played by a stand-in server that counts what it sent (ws-script.c).

load ../helper/common
load ../helper/serve
load ../helper/stream

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
	fl-fetch --list-sources | grep -q '"subject":"yahoo"' ||
		skip 'built without libcurl'
	[[ $(FL_YAHOO_STREAM_URL=none fl-fetch yahoo --stream X 2>&1) != *'has no wslay'* ]] ||
		skip 'built without wslay'
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
	# No test waits long for what will not come.
	export FL_RETRY_WAIT=10ms
}

# Whatever the test ran, its accounts must close.
teardown() {
	end_stream
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# seen N: waits until N records are in out.
seen() {
	local at
	for ((at = 0; at < 500; at++)); do
		[ ! -e out ] || [ "$(wc -l <out)" -lt "$1" ] || return 0
		sleep 0.02
	done
	fail "$(wc -l <out) records, not $1: $(cat err server.log)"
}

@test "help and misuse" {
	run -0 fl-fetch yahoo --help
	[[ $output == *"      --stream "* ]]
	run -2 fl-fetch yahoo --stream
	[ "$output" = "fl-fetch: yahoo: no symbol named: fl-fetch yahoo SYMBOL..., or --symbols-from FILE" ]
	run -2 fl-fetch yahoo --stream --type quote,bar X
	[ "$output" = "fl-fetch: --stream gives quote; no bar" ]
	for option in '--from -1d' '--to now' '--range max' '--last 3'; do
		# shellcheck disable=SC2086 # two words
		run -2 fl-fetch yahoo --stream $option X
		[ "$output" = "fl-fetch: --stream gives what comes from now on: no --from, --to, --range or --last" ]
	done
	run -2 fl-fetch yahoo --stream --fill x.db X
	[ "$output" = "fl-fetch: --stream asks nothing: it takes no --fill" ]
	run -2 fl-fetch yahoo --stream --dry-run X
	[ "$output" = "fl-fetch: --stream asks nothing: it takes no --dry-run" ]
	for option in interval=1m adj=all search=x screener=day_gainers feed=rss; do
		run -2 fl-fetch yahoo --stream --$option X
		[ "$output" = "fl-fetch: --stream gives quotes as they come: it takes no --${option%=*}" ]
	done
	run -2 fl-fetch yahoo --stream --record d X
	[ "$output" = "fl-fetch: --stream asks nothing: it takes no --record" ]
	run -2 fl-fetch yahoo --stream --resume x.db --pipeline p X
	[ "$output" = "fl-fetch: --stream has no position to go on from: it goes without --resume and --state" ]
	[ ! -e x.db ]
	run -2 fl-fetch yahoo --stream --heartbeat 1ms X
	[ "$output" = "fl-fetch: --heartbeat takes 100ms and more" ]
	for url in http://x wss:// 'ws://a b' ws://me:pass@host/ wss:///path; do
		run -2 fl-fetch yahoo --stream --yahoo-stream-url "$url" X
		[[ $output == *"is no address of a WebSocket, such as wss://host/path" ]]
	done
	run -5 fl-fetch yahoo --stream --ca-file none.pem --yahoo-stream-url ws://127.0.0.1:1 X
	[[ $output == "fl-fetch: cannot read 'none.pem', the certificates to trust" ]]
}

@test "the two vectors become quotes, canonical ones, with the time of arrival" {
	play <<-E
		accept
		subscribed
		text $(pricing "$ZZZT")
		text $(pricing "$XTC")
	E
	begin zzzt --symbol XTC-USD
	seen 2
	finish 143 TERM
	jq -c 'del(.ts_recv)' out >plain
	diff -u - plain <<-'E'
		{"type":"quote","ts":"2026-01-02T16:00:00.000Z","provider":"yahoo","symbol":"ZZZT","price":101.25,"volume":123456,"change":1.25,"change_pct":1.25,"mic":"XNAS","exchange":"NMS","asset":"equity","market_state":"regular","price_hint":2}
		{"type":"quote","ts":"2026-01-02T16:00:00.000Z","provider":"yahoo","symbol":"XTC-USD","price":50000.5,"volume":987654321,"change_pct":-0.5,"currency":"USD","exchange":"CCC","asset":"crypto","market_state":"regular","price_hint":2,"vol_24hr":987654321,"from_currency":"XTC","market_cap":1500000000000}
	E
	jq -e '(.ts_recv[:19] + "Z" | fromdate) - now | fabs < 60' out
	fl-clean -q --dedup 0 out | cmp - out
	fl-clean -q --dedup 0 --canonical out | cmp - out
	grep -q '1 asks /?version=2 Mozilla/5.0 (compatible; FinanceLake/' server.log
	grep -qx '1 message {"subscribe":\["ZZZT","XTC-USD"\]}' server.log
	grep -qx '1 bye 1000' server.log
	counts_agree
}

@test "the subscription is said again and again, as a heartbeat" {
	play <<-E
		accept
		subscribed
		text $(pricing "$ZZZT")
	E
	printf 'BBB, ccc # three\nAAA' >list
	begin --heartbeat 200ms --symbols-from list AAA
	seen 1
	sleep 1
	finish 143 TERM
	[ "$(grep -cx '1 message {"subscribe":\["AAA","BBB","CCC"\]}' server.log)" -ge 3 ]
}

@test "fragments, with pings between them, and bare base64 are messages like any other" {
	play <<-E
		accept
		fragments 3 $(pricing "$ZZZT")
		fragments 1 $(pricing "$ZZZT")
		text $ZZZT
		fragments 7 $XTC
	E
	begin X
	seen 4
	finish 143 TERM
	[ "$(jq -r .symbol out | tr '\n' ' ')" = 'ZZZT ZZZT ZZZT XTC-USD ' ]
	[ "$(grep -c 'pong between' server.log)" = 8 ]
	counts_agree
}

@test "a ping is answered in its own words" {
	play <<-E
		accept
		ping are you there?
		pong are you there?
		text $(pricing "$ZZZT")
	E
	begin X
	seen 1
	finish 143 TERM
}

@test "unknown types and heartbeats are filtered, what cannot be read is a reject with the raw frame" {
	play <<-E
		accept
		passed {"type":"news","message":{"what":"ever"}}
		passed $(pricing CgRaWlpUMAc=)
		bad 8102c328
		connection
		accept
		text $(pricing "$ZZZT")
		spoilt {"type":"pricing","message":"CgRaWlpUFQ=="}
		spoilt {"type":"pricing","message":"?"}
		spoilt {"type":"pricing"}
		spoilt {"type":"pricing",
		spoilt {"type":"pricing","message":"CgRaWlpUFQCAykI="}
		binary 00ff
		text $(pricing "$XTC")
	E
	begin X
	seen 2
	finish 143 TERM
	counts_agree
	jq -r '"\(.reason) \(.detail) | \(.raw // .raw_b64)"' rejects >reasons
	diff -u - reasons <<-'E'
		bad_utf8 a text that is not UTF-8; 2 bytes of it came | wyg=
		truncated the message ends within four bytes | {"type":"pricing","message":"CgRaWlpUFQ=="}
		unknown_format a message that is not base64 | {"type":"pricing","message":"?"}
		missing_field a message of type pricing without 'message' | {"type":"pricing"}
		bad_json unexpected end of data at byte 19 | {"type":"pricing",
		missing_field 'time' is missing | {"type":"pricing","message":"CgRaWlpUFQCAykI="}
		unknown_format a message that is not base64 | AP8=
	E
	jq -e '.input | startswith("ws://127.0.0.1:")' rejects
	[ "$(tail -n 1 "$FL_RUNS" | jq .filtered)" = 2 ]
}

@test "a frame against the rules ends the connection, is a reject, and the next one goes on" {
	local long
	long=$(printf '61%.0s' {1..130})
	while read -r code hex; do
		end_stream
		rm -f server.log
		play <<-E
			accept
			text $(pricing "$ZZZT")
			bad $hex
			connection
			accept
			text $(pricing "$XTC")
		E
		begin X
		seen 2
		finish 143 TERM
		grep -qx "1 bye $code" server.log || fail "$hex: $(cat server.log)"
		counts_agree
		grep -q 'stream: connected again; from 2' err
	done <<-E
		1002 c10141
		1002 a10141
		1002 81850102030440404040
		1002 830141
		1002 8f00
		1002 800141
		1002 010141810142
		1002 0901
		1002 887e0082$long
		1002 817e000141
		1002 817f0000000000000001
		1002 817fffffffffffffffff
		1009 817f00000000100000006161
		1009 817f7fffffffffffffff61
		1007 8103eda080
		1007 0101c3800128
	E
}

@test "a goodbye of the other side is answered and told, with its code and words" {
	play <<-E
		accept
		text $(pricing "$ZZZT")
		close 1001 going away
		connection
		accept
		close 0
		connection
		accept
		text $(pricing "$XTC")
	E
	begin X
	seen 2
	finish 143 TERM
	grep -qx '1 bye 1001' server.log
	grep -qx '2 bye 0' server.log
	grep -qE 'quotes of that time are missing: closed by the other side \(1001, going away\)$' err
	grep -qE 'quotes of that time are missing: closed by the other side$' err
	counts_agree
}

@test "what a cut tears apart is a reject, and the gap is told with its times" {
	play <<-E
		accept
		text $(pricing "$ZZZT")
		cut 20 $(pricing "$XTC")
		connection
		accept
		subscribed
		text $(pricing "$XTC")
		cut 0 $(pricing "$XTC")
		connection
		accept
		subscribed
		text $(pricing "$ZZZT")
		reset
		connection
		accept
		text $(pricing "$ZZZT")
	E
	begin X
	seen 4
	finish 143 TERM
	counts_agree
	[ "$(jq -r '"\(.reason) \(.raw)"' rejects)" = 'truncated {"type":"pricing","m
truncated ' ]
	[ "$(grep -c '^fl-fetch: stream: connected again; from 2.*Z to 2.*Z (.* s) there was no connection, and quotes of that time are missing: ' err)" = 3 ]
	[ "$(jq .used "$FL_RUNS")" = 4 ]
	jq -e 'select(.used == 4)' "$FL_RUNS"
	[ "$(grep -c 'message {"subscribe":\["X"\]}' server.log)" -ge 3 ]
}

@test "who refuses the handshake for good is not asked again" {
	for refusal in 'refuse 403' 'refuse 404' 'refuse 302 Location: /elsewhere' 'refuse 400'; do
		end_stream
		rm -f server.log
		play <<<"$refusal"
		run -4 fl-fetch yahoo --stream X
		[[ $output == "fl-fetch: cannot connect to 'ws://127.0.0.1:"*"/?version=2': the handshake was answered with HTTP ${refusal:7:3} (1 try)" ]]
		[ "$(grep -c asks server.log)" = 1 ]
	done
	end_stream
	play <<<wrongkey
	run -4 fl-fetch yahoo --stream X
	[[ $output == *": the answer does not fit the handshake: no WebSocket server, or something in between that keeps old answers (1 try)" ]]
	end_stream
	play <<<'reply SSH-2.0-OpenSSH and so on'
	run -3 fl-fetch yahoo --stream --tries 1 X
	[[ $output == *": the connection was closed during the handshake (1 try)" ]]
}

@test "who is busy is asked again, --tries times, and Retry-After is waited for" {
	play <<<'refuse 503'
	run -3 fl-fetch yahoo --stream --tries 3 X
	[[ $output == *": the handshake was answered with HTTP 503 (3 tries)" ]]
	[ "$(grep -c asks server.log)" = 3 ]
	end_stream
	rm server.log
	play <<-E
		refuse 429 Retry-After: 2
		connection
		accept
		text $(pricing "$ZZZT")
	E
	SECONDS=0
	begin X
	seen 1
	[ $SECONDS -ge 2 ]
	finish 143 TERM
	end_stream
	play <<<'refuse 429'
	run -3 fl-fetch yahoo --stream --tries 1 X
	[[ $output == *"HTTP 429 (1 try); Yahoo counts by address, and looks at --user-agent" ]]
}

@test "no connection at all is status 3, by name, by port and by time" {
	export FL_YAHOO_STREAM_URL=ws://127.0.0.1:1/
	run -3 fl-fetch yahoo --stream --tries 2 X
	[[ $output == "fl-fetch: cannot connect to 'ws://127.0.0.1:1/': failed to connect"*"(2 tries)" ]]
	run -3 fl-fetch yahoo --stream --tries 1 --yahoo-stream-url ws://none.invalid/ X
	[[ $output == *"could not resolve host"* ]]
	play <<<'wait 10000'
	run -3 fl-fetch yahoo --stream --tries 1 --connect-timeout 300ms X
	[[ $output == *": no connection within 300 ms (1 try)" ]]
}

@test "once it was connected it outlasts refusals and says so once" {
	play <<-E
		accept
		subscribed
		text $(pricing "$ZZZT")
		drop
		connection
		refuse 503
		connection
		refuse 403
		connection
		refuse 503
		connection
		accept
		subscribed
		text $(pricing "$XTC")
	E
	FL_TRIES=10 begin X
	seen 2
	finish 143 TERM
	[ "$(grep -c 'stream: no connection since 2.*Z: the connection was cut; connecting again failed (the handshake was answered with HTTP 503), and is tried on' err)" = 1 ]
	[ "$(grep -c 'stream: connected again' err)" = 1 ]
	counts_agree
}

@test "who refuses again and again after that ends it" {
	play <<-E
		accept
		subscribed
		text $(pricing "$ZZZT")
		drop
		connection
		refuse 403
	E
	FL_TRIES=3 begin X
	finish 4
	grep -q 'cannot connect to .*: the handshake was answered with HTTP 403 (3 tries)' err
	grep -q 'stream: ended without a connection, which was lost at 2.*Z: the connection was cut' err
	counts_agree
}

@test "silence is asked for a sign of life, and without one the connection is made anew" {
	play <<-E
		accept
		mute
		text $(pricing "$ZZZT")
		wait 10000
		connection
		accept
		text $(pricing "$XTC")
	E
	FL_TIMEOUT=1s begin X
	seen 2
	finish 143 TERM
	grep -qE 'quotes of that time are missing: nothing came for 1\.[0-9] s, nor an answer to a ping' err
}

@test "who is silent but answers is kept" {
	play <<-E
		accept
		text $(pricing "$ZZZT")
		wait 2500
		text $(pricing "$XTC")
	E
	FL_TIMEOUT=1s begin X
	seen 2
	finish 143 TERM
	[ "$(grep -c asks server.log)" = 1 ]
}

@test "over TLS the same, and a certificate that cannot be verified is refused" {
	command -v openssl >/dev/null || skip 'openssl is not installed'
	certify
	play cert.pem key.pem <<-E
		accept
		subscribed
		text $(pricing "$ZZZT")
		fragments 4 $(pricing "$XTC")
		drop
		connection
		accept
		ticks 2000
	E
	run -4 fl-fetch yahoo --stream X
	[[ $output == *"cannot connect to 'wss://127.0.0.1:"*"certificate"*"(1 try)" ]]
	rm server.log
	end_stream
	again=$(<server.script)
	play cert.pem key.pem <<<"$again"
	begin --ca-file ca.pem X
	seen 2002
	finish 143 TERM
	counts_agree
	run -4 fl-fetch yahoo --stream --ca-file ca.pem --yahoo-stream-url "${FL_YAHOO_STREAM_URL/127.0.0.1/localhost}" X
	[[ $output == *"(1 try)" ]]
}

@test "a reader that goes away ends it, also while nothing comes" {
	play <<-E
		accept
		text $(pricing "$ZZZT")
	E
	SECONDS=0
	run bash -c 'set -o pipefail; fl-fetch yahoo --stream X | head -n 1'
	[ "$status" = 141 ]
	[ "${#lines[@]}" = 1 ]
	[ $SECONDS -le 3 ]
	until_seen 'bye|gone' server.log
}

@test "SIGINT and SIGTERM end it well and soon, wherever it is" {
	local before
	play <<-E
		accept
		ticks 1000000000 1000
	E
	begin X
	seen 10
	before=$(date +%s%N)
	finish 130 INT
	[ $((($(date +%s%N) - before) / 1000000)) -lt 1500 ]
	grep -qx '1 bye 1000' server.log
	until_seen '1 sent' server.log
	counts_agree
	# While it connects, and while it waits to connect again.
	end_stream
	play <<<'wait 10000'
	begin X
	until_seen asks server.log
	sleep 0.2
	before=$(date +%s%N)
	finish 143 TERM
	[ $((($(date +%s%N) - before) / 1000000)) -lt 1000 ]
	end_stream
	play <<<'refuse 503'
	FL_RETRY_WAIT=1m begin X
	until_seen 'asks.*' server.log
	sleep 0.3
	before=$(date +%s%N)
	finish 143 TERM
	[ $((($(date +%s%N) - before) / 1000000)) -lt 1000 ]
}

@test "who does not say goodbye is left within a second" {
	play <<-E
		accept
		text $(pricing "$ZZZT")
		deaf
		ticks 1000000000 1000
	E
	begin X
	seen 10
	before=$(date +%s%N)
	finish 143 TERM
	[ $((($(date +%s%N) - before) / 1000000)) -lt 2000 ]
}

@test "a slow reader loses nothing" {
	play <<-E
		accept
		ticks 30000
		passed {"type":"end"}
	E
	fl-fetch yahoo --stream X 2>err 3>&- > >(sleep 1; exec cat >out) &
	fetch=$!
	seen 30000
	finish 143 TERM
	counts_agree
}

@test "500 symbols stream in less than 24 MiB" {
	[ "$FL_VARIANT" = release ] || skip 'sanitizers need memory of their own'
	certify
	play cert.pem key.pem <<-E
		accept
		subscribed
		ticks 60000
		passed {"type":"end"}
	E
	printf 'S%03d\n' {0..499} >symbols
	begin --ca-file /etc/ssl/certs/ca-certificates.crt --symbols-from symbols --tries 1
	finish 4 # the system's authorities, which take the most memory, do not know ours
	cat ca.pem /etc/ssl/certs/ca-certificates.crt >all.pem
	rm server.log
	end_stream
	again=$(<server.script)
	play cert.pem key.pem <<<"$again"
	begin --ca-file all.pem --symbols-from symbols
	seen 60000
	finish 143 TERM
	counts_agree
	[ "$(jq -r .symbol out | sort -u | wc -l)" = 500 ]
	rss=$(tail -n 1 "$FL_RUNS" | jq .max_rss_bytes)
	echo "# resident at most: $((rss / 1024)) KiB" >&3
	[ "$rss" -lt $((24 * 1024 * 1024)) ]
}

@test "a soak with drops at random ends with every frame accounted for" {
	local seconds=60
	[ -z "${FL_LONG:-}" ] || seconds=600
	[ -z "${FL_FAST:-}" ] || seconds=5
	certify
	play cert.pem key.pem <<-E
		accept
		storm $seconds 300
	E
	begin --ca-file ca.pem --symbol S000,S001
	until_seen 'storm over' server.log $((seconds + 60))
	finish 143 TERM
	until_seen 'sent' server.log
	sleep 0.1
	counts_agree
	echo "# $(sed -n 's/^[0-9]* sent //p' server.log | tail -n 1) (good, passed, bad), $(grep -c asks server.log) connections" >&3
	[ "$(grep -c asks server.log)" -ge 5 ]
	[ "$(grep -c 'stream: connected again' err)" = $(($(grep -c asks server.log) - 1)) ]
	[ "$(tail -n 1 "$FL_RUNS" | jq .in)" -ge $((seconds * 500)) ]
	fl-clean -q --dedup 0 out | cmp - out
}
