# shellcheck shell=bash
# toxiproxy: a proxy that makes a network bad (github.com/Shopify/toxiproxy).
#
#   setup_file() { begin_toxiproxy; }
#   teardown_file() { end_toxiproxy; }
#   toxiproxy_ready                  skips the test where it is not to be had
#   proxy_to 5432                    $proxied is the port that leads there
#   toxic latency downstream '"latency":50'
#   no_toxic

# It is built once, of its Go module, and kept as the tools of scripts/test are.
begin_toxiproxy() {
	local root=$BATS_TEST_DIRNAME/../.. tool=build/tools/toxiproxy _
	cd "$root" || return
	if [ ! -x $tool ]; then
		command -v go >/dev/null || {
			echo 'go, which builds toxiproxy, is not installed' >"$BATS_FILE_TMPDIR/toxiproxy-missing"
			return 0
		}
		GOBIN=$BATS_FILE_TMPDIR/go GOFLAGS=-mod=mod go install \
			github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0 >"$BATS_FILE_TMPDIR/toxiproxy-log" 2>&1 || {
			echo "toxiproxy's module cannot be fetched or built" >"$BATS_FILE_TMPDIR/toxiproxy-missing"
			return 0
		}
		mkdir -p build/tools
		mv "$BATS_FILE_TMPDIR/go/server" $tool
	fi
	toxiproxy_port=1
	until toxiproxy_api /version >/dev/null 2>&1; do
		toxiproxy_port=$((15000 + RANDOM % 5000))
		LOG_LEVEL=error $tool -host 127.0.0.1 -port $toxiproxy_port \
			>"$BATS_FILE_TMPDIR/toxiproxy-log" 2>&1 3>&- &
		echo $! >"$BATS_FILE_TMPDIR/toxiproxy-pid"
		for _ in {1..100}; do
			! toxiproxy_api /version >/dev/null 2>&1 || break
			kill -0 "$(<"$BATS_FILE_TMPDIR/toxiproxy-pid")" 2>/dev/null || break
			sleep 0.05
		done
	done
	export toxiproxy_port
}

end_toxiproxy() {
	[ ! -e "$BATS_FILE_TMPDIR/toxiproxy-pid" ] || kill "$(<"$BATS_FILE_TMPDIR/toxiproxy-pid")" 2>/dev/null || :
}

toxiproxy_ready() {
	[ ! -e "$BATS_FILE_TMPDIR/toxiproxy-missing" ] || skip "$(<"$BATS_FILE_TMPDIR/toxiproxy-missing")"
}

# toxiproxy_api PATH [CURL'S...]
toxiproxy_api() { curl -sf "http://127.0.0.1:$toxiproxy_port$1" "${@:2}"; }

proxy_to() {
	proxied=$(toxiproxy_api /proxies -d '{"name":"p'"$BATS_TEST_NUMBER"'","listen":"127.0.0.1:0",
		"upstream":"127.0.0.1:'"$1"'","enabled":true}' | jq -r '.listen | sub(".*:"; "")')
	[ -n "$proxied" ]
}

# toxic KIND upstream|downstream ATTRIBUTES: both have the name of their stream.
toxic() {
	toxiproxy_api "/proxies/p$BATS_TEST_NUMBER/toxics" -d '{"name":"'"$2"'","type":"'"$1"'",
		"stream":"'"$2"'","attributes":{'"$3"'}}' >/dev/null
}

no_toxic() {
	toxiproxy_api "/proxies/p$BATS_TEST_NUMBER/toxics/upstream" -X DELETE || :
	toxiproxy_api "/proxies/p$BATS_TEST_NUMBER/toxics/downstream" -X DELETE || :
}

# proxy_is true|false: lets connections through, or ends and refuses them.
proxy_is() { toxiproxy_api "/proxies/p$BATS_TEST_NUMBER" -d '{"enabled":'"$1"'}' >/dev/null; }
