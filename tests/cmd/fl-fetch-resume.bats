#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has its variables; serve uses data and sets url; run sets output
# fl-fetch yahoo --resume and --state: what is missing is asked for and the last
# days, all of it after a split; killed at any time it ends with the same rows.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider yahoo
	unset FL_RUNS # a killed run has no account
	data=$PWD
	at '2026-01-07 01:00:00Z'
}

teardown() { end_servers; }

# at TIME: that is it now.
at() { FL_CLOCK=$(date -d "$1" +%s) && export FL_CLOCK; }

# fetch ARG...: by that clock.
fetch() { clocked fl-fetch yahoo "$@"; }

# chart FILE LAST DIVISOR [SPLIT]: daily bars from 2025-12-08 to LAST; prices
# over DIVISOR; a split 2:1 on that day.
chart() {
	jq -cn --arg last "$2" --argjson by "$3" --arg split "${4-}" '
		[range("2025-12-08T14:30:00Z" | fromdate; ($last + "T15:00:00Z" | fromdate); 86400) |
			select(gmtime[6] | . > 0 and . < 6)] as $days |
		[range($days | length) | (100 + .) / $by] as $prices |
		{chart: {error: null, result: [{
			meta: {currency: "USD", symbol: "ZZZT", exchangeName: "NMS", instrumentType: "EQUITY",
				exchangeTimezoneName: "America/New_York", gmtoffset: -18000, dataGranularity: "1d"},
			timestamp: $days,
			events: (if $split == "" then {} else ($split + "T14:30:00Z" | fromdate) as $at |
				{splits: {"\($at)": {date: $at, numerator: 2, denominator: 1}}} end),
			indicators: {quote: [{open: $prices, high: $prices, low: $prices, close: $prices,
				volume: [$prices[] | 1000]}], adjclose: [{adjclose: $prices}]}}]}}' >"$1"
}

# play FILE...: the answers one after the other, the last one for all that follow.
play() {
	local file
	for file; do
		echo "/ | 200 | ${delay+delay=$delay |} body=$file"
	done >script
	serve <script
	export FL_YAHOO_URL=$url
}

load_p() { fl-load -q --pipeline p x.db; }
# windows: period1 of each request, as dates.
windows() { sed 's/.*period1=\([0-9]*\).*/\1/' web.log | while read -r s; do date -u -d "@$s" +%F; done | tr '\n' ' '; }
rows() { fl-fetch store "$1" --type bar,dividend,split | sort; }

@test "a second run asks for the last days alone, and gives what a whole run gives" {
	chart one.json 2026-01-06 1
	chart two.json 2026-01-09 1
	play one.json two.json
	fetch --resume x.db --pipeline p --range 1mo ZZZT | tee first | load_p
	[ "$(jq -c 'select(.type == "mark" and .at != {} and (.end | not)) | .at | keys' first)" = '["yahoo:ZZZT/1d/split"]' ]
	jq -se '.[0].open and .[-1].end' first >/dev/null
	at '2026-01-10 01:00:00Z'
	fetch --resume x.db --pipeline p --range 1mo ZZZT | tee second | load_p
	# The bar of the 6th was not over: five days before it, and a day more.
	[ "$(windows)" = '2025-12-07 2025-12-31 ' ] || fail "$(windows)"
	[ "$(jq -r 'select(.type == "bar") | .date' second | head -n 1)" = 2026-01-01 ]
	fetch --from 2025-12-07 ZZZT | fl-load -q clean.db
	diff <(rows clean.db) <(rows x.db)
	# A new symbol beside it has no position yet.
	fetch --resume x.db --pipeline p --range 1mo ZZZT ZZZU | load_p
	[ "$(fl-load --positions x.db --pipeline p | jq -c '.at | keys')" = '["yahoo:ZZZT/1d/split","yahoo:ZZZU/1d/split"]' ]
}

@test "who asks for earlier bars than are held gets them, once" {
	chart one.json 2026-01-06 1
	play one.json
	fetch --resume x.db --pipeline p --from 2026-01-02 ZZZT | load_p
	at '2026-01-07 03:00:00Z'
	fetch --resume x.db --pipeline p --from 2025-12-06 ZZZT | load_p
	[ "$(rows x.db | jq -r .date | sort | head -n 1)" = 2025-12-08 ]
	# The 6th and 7th were a week-end: they are not asked for again.
	at '2026-01-07 05:00:00Z'
	fetch --resume x.db --pipeline p --from 2025-12-06 ZZZT | load_p
	[ "$(windows)" = '2026-01-01 2025-12-05 2025-12-31 ' ] || fail "$(windows)"
}

@test "a bar that was not over is fetched again" {
	at '2026-01-06 16:00:00Z'
	chart one.json 2026-01-06 1
	chart two.json 2026-01-06 2
	play one.json two.json
	fetch --resume x.db --pipeline p --range 1mo ZZZT | load_p
	[ "$(rows x.db | jq -r 'select(.final == false) | .date')" = 2026-01-06 ]
	at '2026-01-07 16:00:00Z'
	fetch --resume x.db --pipeline p ZZZT | load_p
	rows x.db >out
	[ "$(rows x.db | jq -c 'select(.date == "2026-01-06") | [.close, .final]')" = '[60.5,null]' ]
}

@test "a new split is seen, and the whole series is fetched anew" {
	chart one.json 2026-01-06 1
	chart two.json 2026-01-09 2 2026-01-08
	play one.json two.json
	fetch --resume x.db --pipeline p --range 1mo ZZZT | load_p
	at '2026-01-10 01:00:00Z'
	fetch --resume x.db --pipeline p ZZZT | load_p
	[ "$(windows)" = '2025-12-07 2025-12-31 2025-12-07 ' ] || fail "$(windows)"
	fetch --from 2025-12-07 ZZZT | fl-load -q clean.db
	diff <(rows clean.db) <(rows x.db)
	# It is known now.
	at '2026-01-11 01:00:00Z'
	fetch --resume x.db --pipeline p ZZZT | load_p
	[ "$(wc -l <web.log)" = 5 ]
	# As traded nothing changes before it.
	: >web.log
	chart three.json 2026-01-09 2 2026-01-08
	fetch --adj none --state s.mark --from 2025-12-08 --to 2026-01-07 ZZZT >/dev/null
	fetch --adj none --state s.mark ZZZT >/dev/null
	[ "$(wc -l <web.log)" -le 3 ] || fail "$(cat web.log)"
}

@test "--state FILE does the same without a store, and is written when the lines are out" {
	chart one.json 2026-01-06 1
	chart two.json 2026-01-09 1
	play one.json two.json
	fetch --state s.mark --range 1mo ZZZT >first
	run -1 grep -q '"type":"mark"' first
	[ "$(jq -c '[.type, (.at | keys)]' s.mark)" = '["mark",["yahoo:ZZZT/1d/split"]]' ]
	at '2026-01-10 01:00:00Z'
	fetch --state s.mark ZZZT >second
	[ "$(windows)" = '2025-12-07 2025-12-31 ' ] || fail "$(windows)"
	cat first second | fl-load -q x.db
	fetch --from 2025-12-07 ZZZT | fl-load -q clean.db
	diff <(rows clean.db) <(rows x.db)
	cp s.mark before
	at '2026-01-12 01:00:00Z'
	got=0
	fetch --state s.mark ZZZT >/dev/full 2>err || got=$?
	[ "$got" = 5 ] || fail "$got: $(cat err)"
	cmp before s.mark
	echo 'no mark' >bad
	run -6 --separate-stderr fetch --state bad ZZZT
	[ "${stderr_lines[0]}" = "fl-fetch: --state: 'bad' holds no positions; without it all is fetched" ]
	run -2 --separate-stderr fetch --state s.mark --resume x.db --pipeline p ZZZT
	[ "$stderr" = "fl-fetch: --resume and --state exclude each other: positions are kept in one place" ]
}

@test "alphavantage goes on, too" {
	serve <<-'END'
		DIVIDENDS | 200 | text={"symbol":"ZZZT","data":[]}
		SPLITS | 200 | text={"symbol":"ZZZT","data":[]}
		/query | 200 | text={"Meta Data":{"2. Symbol":"ZZZT","5. Time Zone":"US/Eastern"},"Time Series (Daily)":{"2026-01-06":{"1. open":"1","2. high":"2","3. low":"1","4. close":"2","5. volume":"5"},"2026-01-05":{"1. open":"1","2. high":"2","3. low":"1","4. close":"2","5. volume":"5"},"2025-12-10":{"1. open":"1","2. high":"2","3. low":"1","4. close":"2","5. volume":"5"}}}
	END
	export FL_ALPHAVANTAGE_URL=$url ALPHAVANTAGE_API_KEY=demo1234
	av() { clocked fl-fetch alphavantage --type bar --range 1mo --resume x.db --pipeline p ZZZT; }
	av >out
	load_p <out
	[ "$(jq -r 'select(.type == "bar") | .date' out | tr '\n' ' ')" = '2025-12-10 2026-01-05 2026-01-06 ' ] || fail "$(cat out)"
	[ "$(fl-load --positions x.db --pipeline p | jq -c '.at | keys')" = '["alphavantage:ZZZT/1d/none"]' ]
	at '2026-01-07 02:30:00Z'
	av >out
	[ "$(jq -r 'select(.type == "bar") | .date' out | tr '\n' ' ')" = '2026-01-05 2026-01-06 ' ] || fail "$(cat out)"
}

@test "a symbol that failed keeps no other from its position" {
	chart one.json 2026-01-06 1
	serve <<-END
		ZZZX | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}
		/ | 200 | body=one.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
	END
	export FL_YAHOO_URL=$url
	got=0
	fetch --resume x.db --pipeline p ZZZA ZZZX ZZZB >out 2>err || got=$?
	[ "$got" = 1 ]
	[ "$(jq -c 'select(.type == "reject") | [.reason, .input]' out)" = '["unknown_symbol","ZZZX"]' ]
	[ "$(jq -r 'select(.type == "mark") | .at | keys[]' out)" = 'yahoo:ZZZA/1d/split
yahoo:ZZZB/1d/split' ]
}

@test "killed at random, a run ends with the rows of one that was not, and asks nothing twice but what a kill cut" {
	local kills=0 wanted=5 round=0 symbols pid asked
	[ -z "${FL_LONG-}" ] || wanted=20
	chart one.json 2026-01-06 1
	delay=30
	play one.json
	symbols=$(printf 'ZZ%s ' {A..P})
	# shellcheck disable=SC2086 # a list
	fetch --range 1mo $symbols | fl-load -q clean.db
	rows clean.db >want
	while [ "$kills" -lt "$wanted" ]; do
		local here=0
		round=$((round + 1))
		rm -rf x.db* "$XDG_STATE_HOME"
		: >web.log
		rm -f ended
		for _ in {1..30}; do
			# A session of its own, so that all of it dies at once.
			# shellcheck disable=SC2016
			FETCH_SYMBOLS=$symbols setsid bash -c 'set -o pipefail
				LD_PRELOAD=$FL_BUILD/helper/preload-clock.so \
					ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0 \
					fl-fetch yahoo --range 1mo --resume x.db --pipeline p $FETCH_SYMBOLS |
					fl-load -q --batch 100,200ms --pipeline p x.db && : >ended' 3>&- 2>>err &
			pid=$!
			if [ "$here" -lt 4 ] && [ "$kills" -lt "$wanted" ]; then
				sleep "0.$(printf '%03d' $((RANDOM % 350 + 30)))"
				if [ ! -e ended ]; then
					kill -9 -- "-$pid" 2>/dev/null || :
					here=$((here + 1)) kills=$((kills + 1))
				fi
			fi
			wait "$pid" || :
			[ ! -e ended ] || break
		done
		[ -e ended ] || fail "thirty runs, and none came to its end: $(tail -n 3 err)"
		diff want <(rows x.db)
		asked=$(wc -l <web.log)
		[ "$asked" -le $((16 + here)) ] || fail "round $round: $asked requests for 16 symbols and $here kills"
	done
}
