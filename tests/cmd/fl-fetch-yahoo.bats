#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output, lines and stderr
# fl-fetch yahoo: what Yahoo's chart answers may hold, and what the network may
# do, played by a stand-in server. Answers and what comes of them are in
# tests/data/source/yahoo, all invented; `make golden` writes the records anew.

load ../helper/common
load ../helper/serve

setup() {
	data=$(cd "$BATS_TEST_DIRNAME/../data/source/yahoo" && pwd)
	cd "$BATS_TEST_TMPDIR" || return 1
	fl-fetch --list-sources | grep -q '"subject":"yahoo"' ||
		skip 'built without libcurl'
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
	# No test waits long for what will not come.
	export FL_RETRY_WAIT=10ms FL_TIMEOUT=10s
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
}

# Whatever the test ran, its accounts must close.
teardown() {
	end_servers
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# play <SCRIPT: the stand-in server that fl-fetch yahoo asks.
play() {
	serve
	export FL_YAHOO_URL=$url
}

# Answers came in the night after 2026-01-06, unless a test says otherwise.
DATE='header=Date: Wed, 07 Jan 2026 01:00:00 GMT'

# golden NAME [OPTION...]: the answer NAME.json gives the records NAME.ndjson,
# and rejects with the reasons of NAME.rejects, where there is such a file. They
# are canonical, and fl-clean finds nothing to change.
golden() {
	local name=$1 got=0
	shift
	play <<<"ZZZT | 200 | body=$name.json | $DATE"
	fl-fetch yahoo --from 2025-12-01 --rejects rejects "$@" ZZZT >out 2>err || got=$?
	touch rejects
	[ "$got" = "$([ -s rejects ] && echo 1 || echo 0)" ] || fail "$name: status $got: $(cat err)"
	jq -r '"\(.reason) \(.detail)"' rejects >reasons
	if [ "${FL_GOLDEN-}" = write ]; then
		cp out "$data/$name.ndjson"
		[ ! -s reasons ] || cp reasons "$data/$name.rejects"
	fi
	diff -u "$data/$name.ndjson" out
	diff -u "$([ -e "$data/$name.rejects" ] && echo "$data/$name.rejects" || echo /dev/null)" reasons
	fl-clean -q --dedup 0 out | cmp - out
	fl-clean -q --dedup 0 --canonical out | cmp - out
}

@test "help and misuse" {
	fl_help_ok fl-fetch yahoo
	fl_misuse_ok fl-fetch yahoo
	run -2 fl-fetch yahoo
	[ "$output" = "fl-fetch: yahoo: no symbol named: fl-fetch yahoo SYMBOL..., or --symbols-from FILE" ]
}

@test "daily bars come as records, the date that of the exchange" {
	golden good
}
