#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has its variables; serve uses data and sets url; run sets output
# Quotas: what all processes together ask of a provider, by second and by day,
# counted by a stand-in server.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider yahoo
	export FL_STATE_DIR=$BATS_TEST_TMPDIR/quotas
	unset FL_RUNS FL_LIMIT
	at '2026-01-07 03:00:00Z'
}

# at TIME: that is it now, for every process started from here on.
at() {
	FL_CLOCK=$(printf '%+d' $(($(date -d "$1" +%s) - $(date +%s))))
	export FL_CLOCK
}

teardown() { end_servers; }

# play: every symbol is known.
play() {
	server_preload=$FL_BUILD/helper/preload-clock.so
	serve <<<'/ | 200 | body=good.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT'
	export FL_YAHOO_URL=$url
}

# fetch ARG...: by that clock.
fetch() { clocked fl-fetch yahoo --range 1mo "$@"; }

# least_gap: the least nanoseconds between two requests.
least_gap() { sort -n web.log.times | awk 'NR > 1 && (least == "" || $1 - last < least) { least = $1 - last } { last = $1 } END { printf "%d\n", least }'; }

# ten SYMBOL...: ten processes at once; their ends in the files end.0 to end.9.
ten() {
	local n pid pids=''
	for n in {0..9}; do
		{
			got=0
			fetch "$@" >"out.$n" 2>"err.$n" 3>&- || got=$?
			echo "$got" >"end.$n"
		} &
		pids+=" $!"
	done
	for pid in $pids; do wait "$pid"; done
}

# asked_on: requests by day of UTC, as the stand-in counted them.
asked_on() { while read -r ns; do date -u -d "@$((ns / 1000000000))" +%F; done <web.log.times | sort | uniq -c | awk '{ print $2, $1 }'; }

@test "ten processes together ask once a second" {
	play
	export FL_LIMIT=1/s
	ten ZZZT
	[ "$(wc -l <web.log)" = 10 ]
	[ "$(least_gap)" -ge 1000000000 ] || fail "two requests within $(least_gap) ns"
	for n in {0..9}; do [ -s "out.$n" ]; done
	# The state tells no secret and is nobody else's.
	[ "$(stat -c %a "$FL_STATE_DIR"/quota-yahoo)" = 600 ]
}

@test "ten processes together ask 25 times a day, and are told when to come back" {
	play
	export FL_LIMIT=25/d
	ten A B C D E F
	[ "$(asked_on)" = '2026-01-07 25' ] || fail "$(asked_on)"
	# Every symbol was either answered or refused: sixty of them.
	[ "$(cat end.* | sort -u | tr '\n' ' ')" = '0 3 ' ] || [ "$(cat end.* | sort -u)" = 3 ]
	grep -qx 'fl-fetch: yahoo: 25 of 25 requests used today; again after 2026-01-08T00:00Z, or --wait' err.*
	# A later process, and one that asks for a single symbol.
	run -3 --separate-stderr fetch ZZZT
	[ "${stderr_lines[0]}" = 'fl-fetch: yahoo: 25 of 25 requests used today; again after 2026-01-08T00:00Z, or --wait' ]
	[ -z "$output" ]
	[ "$(wc -l <web.log)" = 25 ]
	at '2026-01-08 00:00:30Z'
	run -0 fetch ZZZT
	[ "$(wc -l <web.log)" = 26 ]
}

@test "over a change of day, each day has its own 25" {
	at '2026-01-06 23:59:30Z'
	play
	export FL_LIMIT=25/d
	ten A B C D E F
	end_servers
	rm web.port
	at '2026-01-07 00:00:30Z'
	play
	ten A B C D E F
	[ "$(asked_on)" = '2026-01-06 25
2026-01-07 25' ] || fail "$(asked_on)"
}

@test "while the day changes, what is asked counts for both" {
	at '2026-01-06 23:59:58Z'
	play
	export FL_LIMIT=25/d,8/s
	ten A B C D E F
	ten A B C D E F
	while read -r day count; do
		[ "$count" -le 25 ] || fail "$day: $count"
	done < <(asked_on)
	[ "$(wc -l <web.log)" -ge 25 ]
	[ "$(asked_on | wc -l)" = 2 ] || fail "$(asked_on)"
}

@test "what was asked for before the quota ended is there, the rest is rejected for a retry" {
	play
	export FL_LIMIT=2/d
	run -3 --separate-stderr fetch --parallel 1 --rejects rejects ZZZT ZZZT2 ZZZT3 ZZZT4
	[ "${#lines[@]}" -gt 2 ]
	[ "$(jq -c '[.reason, .input, .retryable]' rejects | grep quota)" = '["quota_exceeded","ZZZT3",true]
["quota_exceeded","ZZZT4",true]' ]
	[ "${stderr_lines[0]}" = 'fl-fetch: yahoo: 2 of 2 requests used today; again after 2026-01-08T00:00Z, or --wait' ]
}

@test "--wait waits for the next day" {
	at '2026-01-06 12:00:00Z'
	play
	export FL_LIMIT=1/d
	run -0 fetch ZZZT
	at '2026-01-06 23:59:59Z'
	run -0 --separate-stderr fetch --wait ZZZT
	[[ $stderr == *"fl-fetch: yahoo: 1 of 1 requests used today; again after 2026-01-07T00:00Z, which is waited for"* ]] || fail "$stderr"
	[ -n "$output" ]
}

@test "a damaged file is set aside with a word, and counting begins anew" {
	play
	export FL_LIMIT=25/d
	mkdir -p "$FL_STATE_DIR"
	echo 'not a quota' >"$FL_STATE_DIR/quota-yahoo"
	run -0 --separate-stderr fetch ZZZT
	[[ $stderr == *"fl-fetch: what was asked of yahoo today is not known: '$FL_STATE_DIR/quota-yahoo' was damaged"* ]]
	[ "$(cat "$FL_STATE_DIR/quota-yahoo.damaged")" = 'not a quota' ]
	run -0 --separate-stderr fetch ZZZT
	[[ $stderr != *damaged* ]]
}

@test "a folder that cannot be had: a limit a day is not guessed at, a pace is kept alone" {
	play
	: >file
	FL_STATE_DIR=$PWD/file/state FL_LIMIT=25/d run -5 --separate-stderr fetch ZZZT
	[[ $stderr == "fl-fetch: cannot count what is asked of yahoo, which takes 25 requests a day: cannot make the folder '$PWD/file/state'"* ]] || fail "$stderr"
	[ ! -s web.log ]
	FL_STATE_DIR=$PWD/file/state FL_LIMIT=9/s run -0 fetch ZZZT
}

@test "--limit is said in one way" {
	for bad in 1 1/h x/s 'yahoo 1/s' 1/s+; do
		run -2 --separate-stderr fetch --limit "$bad" ZZZT
		[ "$stderr" = "fl-fetch: --limit takes N/s, N/m and N/d by comma, such as 75/m, yahoo:2/s+5 or none, not '$bad'" ] || fail "$stderr"
	done
}

@test "--quota tells what is left, as records and as a table" {
	play
	export FL_LIMIT=25/d,75/m
	fetch ZZZT >/dev/null
	quota() { clocked fl-fetch --quota "$@"; }
	quota --as ndjson >out
	[ "$(jq -c 'select(.subject == "yahoo") | [.type, .stat, .values]' out)" = '["stat","quota",{"minute_limit":75,"minute_used":1,"minute_left":74,"day_limit":25,"day_left":24,"day_used":1,"day_ends":"2026-01-08T00:00:00.000Z"}]' ] || fail "$(cat out)"
	fl-clean -q --canonical out | cmp - out
	run -0 quota --as table
	[[ ${lines[0]} == PROVIDER*KEY*LIMIT*USED*LEFT*ANEW ]]
	[[ $output == *$'\nyahoo '*' 25/d       1      24  2026-01-08 00:00Z'* ]] || fail "$output"
	# Nothing asked yet: the provider's own limits are told all the same.
	FL_STATE_DIR=$PWD/other FL_LIMIT='' run -0 quota
	[[ $output == *'"subject":"yahoo","values":{"second_limit":1,"day_used":0,'* ]] || fail "$output"
}
