# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # some are the tests' to use; serve sets url
# provider: what tests of fl-fetch that ask a provider have in common. It is
# played by a stand-in server; answers and what comes of them are in $data, which
# is tests/data/source/NAME, all invented.

load ../helper/serve

# The answers were made then: what they show of the last days is not over
# otherwise.
NIGHT_S=1767747600
NIGHT='header=Date: Wed, 07 Jan 2026 01:00:00 GMT'

# begin_provider NAME: the setup of a test; the source NAME is what it asks.
begin_provider() {
	provider=$1
	data=$(cd "$BATS_TEST_DIRNAME/../data/source/$provider" && pwd)
	cd "$BATS_TEST_TMPDIR" || return 1
	fl-fetch --list-sources | grep -q "\"subject\":\"$provider\"" ||
		skip 'built without libcurl'
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
	# No test waits long for what will not come.
	export FL_RETRY_WAIT=10ms FL_TIMEOUT=10s
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
}

# end_provider: the teardown. Whatever the test ran, its accounts must close.
end_provider() {
	end_servers
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# play <SCRIPT: the stand-in server that the source asks from now on.
play() {
	end_servers
	rm -f web.*
	serve
	export "FL_${provider^^}_URL=$url"
}

# clocked COMMAND...: it is $FL_CLOCK for the command.
clocked() {
	LD_PRELOAD=$FL_BUILD/helper/preload-clock.so \
		ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0 "$@"
}

# fetch ARG...: fl-fetch of the source, in that night or at $now.
fetch() { FL_CLOCK=${now:-$NIGHT_S} clocked fl-fetch "$provider" "$@"; }

# is_golden NAME: what came in `out` is the file NAME.ndjson, canonical, and
# fl-clean finds nothing to change; the file `rejects` has the reasons of
# NAME.rejects, where there is such a file. `make golden` writes both anew.
is_golden() {
	jq -r '"\(.reason) \(.detail)"' rejects >reasons
	if [ "${FL_GOLDEN-}" = write ]; then
		cp out "$data/$1.ndjson"
		[ ! -s reasons ] || cp reasons "$data/$1.rejects"
	fi
	diff -u "$data/$1.ndjson" out
	diff -u "$([ -e "$data/$1.rejects" ] && echo "$data/$1.rejects" || echo /dev/null)" reasons
	fl-clean -q --dedup 0 out | cmp - out
	fl-clean -q --dedup 0 --canonical out | cmp - out
}

# fields F,F…: of the records that came, one a line.
fields() { jq -r "[.${1//,/, .}] | map(tostring) | join(\" \")" out; }

# whole_or_not COUNT ARG...: two symbols of COUNT records each, while one call
# after the other of the program fails: none is half given, and the status says
# so.
whole_or_not() {
	local count=$1 fault kind how step k got
	shift
	export FL_TRIES=2 FL_FAULT_COUNT=$PWD/counts
	fl-fetch "$provider" "$@" ZZZ1 ZZZ2 >good
	for fault in read:EIO:1 read:short:1 write:EIO:1 write:short:1 open:EMFILE:1 malloc:ENOMEM:7; do
		IFS=: read -r kind how step <<<"$fault"
		for ((k = 1; k < 300; k += step)); do
			got=0
			FL_FAULT=$kind:$k:$how LD_PRELOAD=$FL_BUILD/helper/preload-fault.so timeout 20 \
				fl-fetch "$provider" "$@" ZZZ1 ZZZ2 >out 2>err || got=$?
			[ "$(od -An -t d8 counts | awk '{ print $2 }')" != 0 ] || break # fewer calls than that
			case $got in
			0) cmp out good ;;
			3 | 5)
				[ -s err ]
				[[ $(wc -l <out) =~ ^(0|$count|$((2 * count)))$ ]] ||
					fail "$kind $k: $(wc -l <out) records"
				head -n "$(wc -l <out)" good | cmp - out
				;;
			*) fail "$kind $k: status $got: $(cat err)" ;;
			esac
		done
		[ "$k" -gt "$step" ] || fail "no call of $kind was failed"
	done
}
