# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the tests' to use
# stream: a WebSocket server of a test, which plays a script (ws-script.c), and
# fl-fetch yahoo --stream at its other end.

ZZZT=CgRaWlpUFQCAykIYgLD/9u9mKgNOTVMwCDgBRQAAoD9IgIkPZQAAoD/YAQQ=
XTC=CgdYVEMtVVNEFYBQQ0cYgLD/9u9mIgNVU0QqA0NDQzApOAFFAAAAv0jiovOtB9gBBOAB4qLzrQfyAQNYVEOJAgAAgHnv03VC

# pricing BASE64: the frame of it.
pricing() { printf '{"type":"pricing","message":"%s"}' "$1"; }

# play [CERT KEY] <SCRIPT: starts the server; its happenings are in server.log.
play() {
	local at
	cat >server.script
	rm -f server.port
	"$FL_BUILD/helper/ws-script" server.script server.log server.port "$@" \
		>server.out 2>&1 3>&- &
	servers+=" $!"
	for ((at = 0; at < 200; at++)); do
		[ ! -s server.port ] || break
		sleep 0.02
	done
	[ -s server.port ] || { cat server.out >&2; return 1; }
	FL_YAHOO_STREAM_URL="ws${1:+s}://127.0.0.1:$(<server.port)/?version=2"
	export FL_YAHOO_STREAM_URL
}

# certify: a certificate authority, ca.pem, and one for 127.0.0.1 by it,
# cert.pem and key.pem.
certify() {
	local new=(openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
	"${new[@]}" -x509 -days 2 -keyout ca.key -out ca.pem -subj '/CN=test authority' 2>/dev/null
	"${new[@]}" -keyout key.pem -out asked.pem -subj /CN=127.0.0.1 2>/dev/null
	openssl x509 -req -days 2 -in asked.pem -CA ca.pem -CAkey ca.key -CAcreateserial \
		-out cert.pem -extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
}

# begin ARG...: fl-fetch yahoo --stream in the background: records in out,
# rejects in rejects, messages in err, the account in $FL_RUNS.
begin() {
	rm -f rejects
	: >out # what stood there is not to be taken for new
	: >err
	# A shell has what it runs in the background ignore SIGINT.
	env --default-signal=INT fl-fetch yahoo --stream --rejects rejects "$@" >out 2>err 3>&- &
	fetch=$!
}

# until_seen PATTERN FILE [SECONDS]: waits until the file has such a line.
until_seen() {
	local at most=$((${3:-10} * 50))
	for ((at = 0; at < most; at++)); do
		! grep -qE -- "$1" "$2" 2>/dev/null || return 0
		sleep 0.02
	done
	fail "no '$1' in $2: $(tail -n 5 "$2"); err: $(cat err)"
}

# finish STATUS [SIGNAL]: ends fl-fetch by it, or waits for its end.
finish() {
	local got=0
	[ -z "${2-}" ] || kill -s "$2" "$fetch"
	wait "$fetch" || got=$?
	fetch=''
	touch rejects
	[ "$got" = "$1" ] || fail "status $got instead of $1: $(cat err)"
}

# end_stream: whatever still runs.
end_stream() {
	[ -z "${fetch-}" ] || { kill "$fetch" && wait "$fetch"; } 2>/dev/null || :
	fetch=''
	end_servers
}

# counts_agree: what the server says that it sent is what the run counted.
counts_agree() {
	local said run
	said=$(sed -n 's/^[0-9]* sent //p' server.log | tail -n 1)
	run=$(tail -n 1 "$FL_RUNS" | jq -r '"\(.used) \(.filtered) \(.rejected)"')
	[ "$said" = "$run" ] || fail "sent (good, passed, bad) $said; counted $run; $(tail -n 3 err)"
}
