#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # jq programs; run sets output, run_json record
# fl-agg bars: what a bar is made of, when it is written, and what is refused.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# tick TIME [PRICE [SIZE [MORE]]]: TIME on 2 January 2026 unless it has a date.
tick() {
	local ts=$1
	[[ $ts == *T* ]] || ts=2026-01-02T$ts
	printf '{"type":"quote","ts":"%s","provider":"t","symbol":"A","price":%s%s%s}\n' \
		"${ts}Z" "${2:-1}" "${3:+,\"size\":$3}" "${4:+,$4}"
}

# day DATE OPEN HIGH LOW CLOSE [VOLUME [MORE]]: a daily bar.
day() {
	printf '{"type":"bar","ts":"%sT00:00:00.000Z","provider":"t","symbol":"A","interval":"1d","open":%s,"high":%s,"low":%s,"close":%s,"adj":"split","date":"%s"%s%s}\n' \
		"$1" "$2" "$3" "$4" "$5" "$1" "${6:+,\"volume\":$6}" "${7:+,$7}"
}

# of FIELDS: these of each record of `out`, a line each.
of() {
	jq -r "[$1] | map(. // \"-\" | tostring) | join(\" \")" out
}

# --- what is in a bar --------------------------------------------------------

@test "a bar of ticks has exact prices, sums and the times of its ticks" {
	{
		tick 15:00:01.000 10.1 3
		tick 15:00:02.000 10.30 5
		tick 15:00:03.000 9.95 2
		tick 15:00:59.999 10.2 10
		tick 15:01:00.000 11 1
	} >in
	run_json 0 fl-agg bars 1m in
	diff out - <<-'END'
		{"type":"bar","ts":"2026-01-02T15:00:00.000Z","provider":"agg:t","symbol":"A","interval":"1m","open":10.1,"high":10.3,"low":9.95,"close":10.2,"adj":"none","ts_end":"2026-01-02T15:01:00.000Z","volume":20,"turnover":203.7,"vwap":10.185,"trades":4,"first_ts":"2026-01-02T15:00:01.000Z","last_ts":"2026-01-02T15:00:59.999Z"}
		{"type":"bar","ts":"2026-01-02T15:01:00.000Z","provider":"agg:t","symbol":"A","interval":"1m","open":11,"high":11,"low":11,"close":11,"adj":"none","ts_end":"2026-01-02T15:02:00.000Z","volume":1,"turnover":11,"vwap":11,"trades":1,"first_ts":"2026-01-02T15:01:00.000Z","last_ts":"2026-01-02T15:01:00.000Z","final":false}
	END
	[ "$(jq -c '[.in,.used,.out]' <<<"$record")" = '[5,5,2]' ]
	# What is written is in canonical form.
	fl-clean --canonical out | cmp - out
}

@test "prices of many digits stay exact, VWAP is rounded once" {
	{
		tick 15:00:01.000 0.123456789012345678 3
		tick 15:00:02.000 0.2 7
	} >in
	run_json 0 fl-agg bars 1m in
	[ "$(grep -o '"open":[^,]*' out)" = '"open":0.123456789012345678' ]
	# 0.370370367 (rounded to 9 decimals) + 1.4, over 10
	[ "$(grep -o '"turnover":[^,]*,"vwap":[^,]*' out)" = '"turnover":1.770370367,"vwap":0.177037037' ]
}

@test "ticks without a size count as trades and say nothing of volume" {
	{
		tick 15:00:01.000 10
		tick 15:00:02.000 11
	} >in
	run_json 0 fl-agg bars 1m in
	[ "$(of '.trades,.volume,.turnover,.vwap')" = '2 - - -' ]
	tick 15:00:03.000 12 4 >>in
	run_json 0 fl-agg bars 1m in
	[ "$(of '.trades,.volume,.turnover,.vwap')" = '3 4 48 12' ]
}

@test "ticks out of order are put where they belong" {
	{
		tick 15:00:30.000 3 1
		tick 15:00:10.000 1 1
		tick 15:00:50.000 5 1
		tick 15:00:20.000 9 1
	} >in
	run_json 0 fl-agg bars 1m in
	[ "$(of '.open,.high,.low,.close,.first_ts')" = '1 9 1 5 2026-01-02T15:00:10.000Z' ]
}

@test "of ticks in one instant the first opens and the last closes" {
	{
		tick 15:00:10.000 1 1
		tick 15:00:10.000 2 1
		tick 15:00:10.000 3 1
	} >in
	run_json 0 fl-agg bars 1m in
	[ "$(of '.open,.close')" = '1 3' ]
}

@test "several intervals at once tell of the same trades" {
	fl-fetch sim -n 20000 >in
	run_json 0 fl-agg bars 1m,5m,1h in
	for interval in 1m 5m 1h; do
		run -0 jq -s --arg i $interval 'map(select(.interval == $i)) | [map(.trades), map(.volume)] | map(add)' out
		echo "$interval ${output//[$'\n ']/}"
	done >sums
	want=$(jq -s '[length, (map(.size) | add)]' in)
	[ "$(cut -d ' ' -f 2 sums | sort -u)" = "${want//[$'\n ']/}" ]
	# And alone they give what they give together.
	for interval in 1m 5m 1h; do
		fl-agg bars $interval in | sort | cmp - <(grep "\"interval\":\"$interval\"" out | sort)
	done
}

@test "each provider, symbol and adjustment has bars of its own" {
	{
		tick 15:00:01.000 1 1
		tick 15:00:02.000 2 1 | sed 's/"symbol":"A"/"symbol":"B"/'
		tick 15:00:03.000 3 1 | sed 's/"provider":"t"/"provider":"u"/'
	} >in
	run_json 0 fl-agg bars 1m in
	[ "$(of '.provider,.symbol,.close' | xargs)" = 'agg:t A 1 agg:t B 2 agg:u A 3' ]
}

@test "the currency of a bar is that of its ticks, and one alone" {
	{
		tick 15:00:01.000 1 1 '"currency":"USD"'
		tick 15:00:02.000 2 1 '"currency":"EUR"'
		tick 15:00:03.000 3 1
		tick 15:01:02.000 4 1 '"currency":"EUR"'
	} >in
	run_json 1 fl-agg bars 1m --rejects bad in
	[ "$(of '.currency,.close' | xargs)" = 'USD 3 EUR 4' ]
	[ "$(jq -r '"\(.reason) \(.line) \(.detail)"' bad)" = "mixed_currency 2 'currency' is EUR in a bar in USD" ]
	[ "$(jq -r .raw bad)" = "$(sed -n 2p in)" ]
	# Refused for one interval it is in none.
	run_json 1 fl-agg bars 1m,1h in
	[ "$(jq -s 'map(select(.interval == "1h"))[0].trades' out)" = 2 ]
}

@test "sums beyond 38 digits are refused, not wrong" {
	{
		tick 15:00:01.000 1 900000000000000000
		tick 15:00:02.000 900000000000 900000000000000000
		tick 15:00:03.000 2 1
	} >in
	run_json 1 fl-agg bars 1m --rejects bad in
	[ "$(jq -r '.reason' bad)" = out_of_range ]
	grep -q '"close":2,.*"volume":900000000000000001,.*"trades":2,' out
}

# --- when a bar is written ---------------------------------------------------

@test "a bar is written when its series has passed its end by the lateness" {
	{
		tick 15:00:01.000 1
		tick 15:01:09.999 2
	} >in
	# The input goes on: what is written now is what is over.
	run timeout -s KILL 1 bash -c '(cat in; sleep 5) | fl-agg bars 1m'
	[ -z "$output" ]
	tick 15:01:10.000 3 >>in
	run timeout -s KILL 1 bash -c '(cat in; sleep 5) | fl-agg bars 1m'
	[[ $output == *'"ts":"2026-01-02T15:00:00.000Z"'* ]]
	[ "$(wc -l <<<"$output")" = 1 ]
	run timeout -s KILL 1 bash -c '(tail -n +2 in; sleep 5) | fl-agg bars 1m --allowed-lateness 0s'
	[ -z "$output" ]
}

@test "what comes for a bar that is written is late, kept and counted" {
	{
		tick 15:00:01.000 1 1
		tick 15:01:10.000 2 1
		tick 15:00:59.000 3 1
		tick 15:01:11.000 4 1
	} >in
	run_json 1 fl-agg bars 1m,1h --rejects late in
	[ "$(jq -c '[.in,.used,.rejected,.late,.out]' <<<"$record")" = '[4,3,0,1,3]' ]
	[ "$(jq -r '"\(.reason) \(.line) \(.field)"' late)" = 'late 3 ts' ]
	[[ $(jq -r .detail late) == "its 1m bar ended at 2026-01-02T15:01:00.000Z and is written: the series was at 2026-01-02T15:01:10.000Z" ]]
	# Bars of all intervals tell of the same trades.
	[ "$(jq -s 'map(select(.interval == "1h"))[0].trades' out)" = 3 ]
	[[ $(<err) == *'1 late; first:'* ]]
	run_json 0 fl-agg bars 1m --allowed-lateness 1m in
	[ "$(jq -s '.[0].trades' out)" = 2 ]
}

@test "no series makes another one late: history comes symbol by symbol" {
	for symbol in A B C; do
		for i in 0 1 2 3 4; do
			tick 15:0$i:30.000 $((i + 1)) 1 | sed "s/\"A\"/\"$symbol\"/"
		done
	done >in
	run_json 0 fl-agg bars 1m in
	[ "$(jq -c '[.in,.used,.late,.out]' <<<"$record")" = '[15,15,0,15]' ]
}

@test "--close-idle writes a bar that is over though nothing more comes" {
	now=$(date +%s)
	at() { date -u -d "@$1" +%FT%T.000; }
	{
		tick "$(at $((now - 120)))" 1 1
		tick "$(at $((now - 119)))" 2 1
	} >in
	run timeout -s KILL 3 bash -c '(cat in; sleep 5) | fl-agg bars 1s --close-idle 300ms'
	[ "$(wc -l <<<"$output")" = 2 ]
	# A tick that still comes is not late: the bar is written anew, whole.
	late=$(tick "$(at $((now - 119)))" 3 1)
	run -0 bash -c "(cat in; sleep 1; echo '$late') | fl-agg bars 1s --close-idle 300ms"
	[ "$(wc -l <<<"$output")" = 3 ]
	[ "$(tail -n 1 <<<"$output" | jq -c '[.close,.trades]')" = '[3,2]' ]
}

# --- days, weeks, zones ------------------------------------------------------

@test "weeks begin on Monday, months on their first" {
	{
		day 2026-01-02 10 12 9 11 100
		day 2026-01-05 11 13 10 12 200
		day 2026-01-30 12 14 8 13 300
		day 2026-02-02 13 15 12 14 400
	} >in
	run_json 0 fl-agg bars 1wk,1mo,3mo,1y in
	of '.interval,.date,.open,.high,.low,.close,.volume,.adj' | sort >got
	diff got - <<-'END'
		1mo 2026-01-01 10 14 8 13 600 split
		1mo 2026-02-01 13 15 12 14 400 split
		1wk 2025-12-29 10 12 9 11 100 split
		1wk 2026-01-05 11 13 10 12 200 split
		1wk 2026-01-26 12 14 8 13 300 split
		1wk 2026-02-02 13 15 12 14 400 split
		1y 2026-01-01 10 15 8 14 1000 split
		3mo 2026-01-01 10 15 8 14 1000 split
	END
	fl-clean --canonical out | cmp - out
}

@test "a day is that of --tz, else of the record's zone, else of its exchange, else UTC" {
	tick 2026-01-03T02:30:00.000 5 1 >in
	run_json 0 fl-agg bars 1d in
	[ "$(of '.date,.tz,.ts_end')" = '2026-01-03 - 2026-01-04T00:00:00.000Z' ]
	run_json 0 fl-agg bars 1d --tz America/New_York in
	[ "$(of '.date,.tz,.ts,.ts_end')" = '2026-01-02 America/New_York 2026-01-02T00:00:00.000Z 2026-01-03T05:00:00.000Z' ]
	tick 2026-01-03T00:30:00.000 5 1 '"mic":"XNYS"' >in
	run_json 0 fl-agg bars 1d --session post in
	[ "$(of '.date,.tz,.session')" = '2026-01-02 America/New_York post' ]
	day 2026-01-02 1 1 1 1 1 '"tz":"Asia/Tokyo"' >in
	run_json 0 fl-agg bars 1mo in
	[ "$(of '.date,.tz,.ts_end')" = '2026-01-01 Asia/Tokyo 2026-01-31T15:00:00.000Z' ]
}

@test "hours of four begin at midnight on the wall clock, also when it is changed" {
	{
		tick 2026-11-01T05:30:00.000 1 1
		tick 2026-11-01T06:30:00.000 2 1
		tick 2026-11-01T08:59:00.000 3 1
		tick 2026-11-01T09:00:00.000 4 1
	} >in
	run_json 0 fl-agg bars 4h --tz America/New_York in
	[ "$(of '.ts,.ts_end,.trades' | head -n 1)" = '2026-11-01T04:00:00.000Z 2026-11-01T09:00:00.000Z 3' ]
	run_json 0 fl-agg bars 1h --tz America/New_York in
	[ "$(of '.ts,.trades' | wc -l)" = 4 ]
}

@test "a zone that is not there is a reject with its name" {
	day 2026-01-02 1 1 1 1 1 '"tz":"Mars/Olympus"' >in
	run_json 1 fl-agg bars 1wk --rejects bad in
	[ "$(jq -r '.reason + " " + .detail' bad)" = "bad_time no time zone 'Mars/Olympus' is installed" ]
}

@test "where the exchange is known, only the hours of --session count" {
	ny() { tick "$1" "$2" 1 '"exchange":"NMS"'; }
	{
		ny 14:29:59.999 1 # 09:29:59.999, before the open
		ny 14:30:00.000 2
		ny 20:59:59.000 3
		ny 21:00:00.000 4 # the print of the close
		ny 21:00:01.000 5
	} >in
	run_json 0 fl-agg bars 1d in
	[ "$(of '.open,.close,.trades,.session')" = '2 4 3 -' ]
	[ "$(jq .filtered <<<"$record")" = 2 ]
	# It is in the bar that ends with the session.
	run_json 0 fl-agg bars 1h in
	[ "$(of '.ts,.close' | tail -n 1)" = '2026-01-02T20:00:00.000Z 4' ]
	run_json 0 fl-agg bars 1d --session pre in
	[ "$(of '.trades,.session')" = '1 pre' ]
	run_json 0 fl-agg bars 1d --session all in
	[ "$(of '.trades,.session')" = '5 all' ]
	[ "$(jq .filtered <<<"$record")" = 0 ]
}

@test "a trading date of a currency begins on the evening before" {
	{
		tick 2026-01-04T22:30:00.000 1 1 '"exchange":"CCY"' # Sunday, 17:30 in New York
		tick 2026-01-05T21:59:00.000 2 1 '"exchange":"CCY"'
		tick 2026-01-05T22:30:00.000 3 1 '"exchange":"CCY"'
	} >in
	run_json 0 fl-agg bars 1d in
	[ "$(of '.date,.trades' | xargs)" = '2026-01-05 2 2026-01-06 1' ]
}

@test "a week is final on the close of its last day, where the exchange is known" {
	day 2026-01-09 1 1 1 1 1 '"tz":"America/New_York","exchange":"NYQ"' >in
	run_json 0 fl-agg bars 1wk in
	[ "$(of '.date,.final')" = '2026-01-05 -' ]
	day 2026-01-08 1 1 1 1 1 '"tz":"America/New_York","exchange":"NYQ"' >in
	run_json 0 fl-agg bars 1wk in
	[ "$(jq .final out)" = false ]
}

@test "--calendar takes other hours, and says where they are wrong" {
	printf 'exchange TEST of this test\nzone UTC\nweekend none\nhours 15:00-16:00\nknown 2026-01-01 to 2026-12-31\n' >hours.txt
	{
		tick 14:59:00.000 1 1 '"mic":"TEST"'
		tick 15:30:00.000 2 1 '"mic":"TEST"'
	} >in
	run_json 0 fl-agg bars 1d --calendar hours.txt in
	[ "$(of .trades)" = 1 ]
	echo 'hours never' >>hours.txt
	run -6 fl-agg bars 1d --calendar hours.txt in
	[[ $output == "fl-agg: 'hours.txt' line 6: "* ]] || fail "$output"
	run -5 fl-agg bars 1d --calendar none in
}

# --- bars of bars ------------------------------------------------------------

@test "bars of bars are those of the ticks" {
	fl-fetch sim -n 30000 >in
	fl-agg bars 1m in >minutes
	fl-agg bars 1h in | sort >want
	fl-agg bars 1h minutes | sort | cmp - want
	fl-agg bars 5m minutes | fl-agg bars 1h | sort | cmp - want
}

@test "a series is made of one interval: bars of the same trades are not added up" {
	{
		day 2026-01-05 10 12 9 11 100
		day 2026-01-05 10 12 9 11 100 | sed 's/"1d"/"1wk"/'
		day 2026-01-06 11 12 9 11 100
	} >in
	run_json 0 fl-agg bars 1y in
	[ "$(of .volume)" = 200 ]
	[ "$(jq .filtered <<<"$record")" = 1 ]
}

@test "an interval that does not nest is filtered, not bent" {
	day 2026-01-05 10 12 9 11 100 >in
	run_json 0 fl-agg bars 1h in
	[ ! -s out ]
	[ "$(jq -c '[.in,.used,.filtered]' <<<"$record")" = '[1,0,1]' ]
	sed -i 's/"1d"/"1wk"/' in
	run_json 0 fl-agg bars 1mo in
	[ ! -s out ]
}

@test "other types are filtered; --keep passes all on" {
	{
		tick 15:00:01.000 1 1
		echo '{"type":"split","ts":"2026-01-02T00:00:00.000Z","date":"2026-01-02","provider":"t","symbol":"A","numerator":4,"denominator":1}'
		tick 15:01:30.000 2 1
	} >in
	run_json 0 fl-agg bars 1m in
	[ "$(jq -c '[.in,.used,.filtered,.out]' <<<"$record")" = '[3,2,1,2]' ]
	run_json 0 fl-agg bars 1m --keep in
	[ "$(jq -c '[.in,.used,.filtered,.out]' <<<"$record")" = '[3,3,0,5]' ]
	[ "$(jq -r .type out | xargs)" = 'quote split quote bar bar' ]
	head -n 3 out | cmp - in
}

@test "records that need mending are mended first" {
	tick 15:00:01.000 1 1 | sed 's/"symbol":"A"/"symbol":"a"/; s/:01.000Z/:01Z/' >in
	run_json 0 fl-agg bars 1m in
	[ "$(of '.symbol,.first_ts')" = 'A 2026-01-02T15:00:01.000Z' ]
}

# --- gaps --------------------------------------------------------------------

@test "--gaps fills what had no trade with the last close" {
	{
		tick 15:00:01.000 1 1
		tick 15:03:01.000 2 1
	} >in
	run_json 0 fl-agg bars 1m --gaps in
	of '.ts,.open,.high,.low,.close,.volume,.trades,.gap,.first_ts' >got
	diff got - <<-'END'
		2026-01-02T15:00:00.000Z 1 1 1 1 1 1 - 2026-01-02T15:00:01.000Z
		2026-01-02T15:01:00.000Z 1 1 1 1 0 0 true -
		2026-01-02T15:02:00.000Z 1 1 1 1 0 0 true -
		2026-01-02T15:03:00.000Z 2 2 2 2 1 1 - 2026-01-02T15:03:01.000Z
	END
	fl-clean --canonical out | cmp - out
	# A filled bar says nothing that its neighbours do not.
	fl-agg bars 1h out | jq -c '[.open,.close,.trades]' >got
	[ "$(<got)" = '[1,2,2]' ]
}

@test "--gaps leaves nights, weekends and holidays alone" {
	ny() { tick "$1" 1 1 '"mic":"XNYS"'; }
	{
		ny 2026-01-02T20:58:30.000 # Friday, two minutes before the close
		ny 2026-01-05T14:31:30.000 # Monday, one after the open
	} >in
	run_json 0 fl-agg bars 1m --gaps in
	[ "$(jq -r .ts out | xargs)" = '2026-01-02T20:58:00.000Z 2026-01-02T20:59:00.000Z 2026-01-05T14:30:00.000Z 2026-01-05T14:31:00.000Z' ]
	{
		day 2025-12-23 1 1 1 1 1 '"tz":"America/New_York","mic":"XNYS"'
		day 2025-12-29 1 1 1 1 1 '"tz":"America/New_York","mic":"XNYS"'
	} >in
	run_json 0 fl-agg bars 1d --gaps in
	[ "$(jq -r 'select(.gap) | .date' out | xargs)" = '2025-12-24 2025-12-26' ]
}

# --- parts -------------------------------------------------------------------

@test "--partial writes parts, of which nothing is late, and --merge puts them together" {
	fl-fetch sim -n 20000 --disorder 3s >in
	fl-agg bars 1m,1h in --allowed-lateness 1h | sort >want
	split -l 700 in part.
	for part in part.*; do
		fl-agg bars 1m,1h --partial "$part"
	done >parts
	[ "$(jq -r .partial parts | sort -u)" = true ]
	[ "$(grep -c vwap parts)" = 0 ]
	run_json 0 fl-agg bars 1m,1h --merge parts
	sort out | cmp - want
	shuf --random-source=<(yes) parts >shuffled
	run_json 0 fl-agg bars 1m,1h --merge shuffled
	sort out | cmp - want
	# In two steps, too.
	split -l 50 parts some.
	for some in some.*; do
		fl-agg bars 1m,1h --merge --partial "$some"
	done | fl-agg bars 1m,1h --merge | sort | cmp - want
	# And coarser ones out of the finer.
	jq -c 'select(.interval == "1m")' parts | fl-agg bars 1h --allowed-lateness 1h | sort |
		cmp - <(grep '"1h"' want)
}

@test "--merge refuses a whole bar and filters what was not asked for" {
	tick 15:00:01.000 1 1 | fl-agg bars 1m,1h >whole
	run_json 1 fl-agg bars 1m --merge --rejects bad whole
	[ ! -s out ]
	[ "$(jq -r .reason bad)" = merge_conflict ]
	[ "$(jq -c '[.in,.rejected,.filtered]' <<<"$record")" = '[2,1,1]' ]
}

# --- what is wrong -----------------------------------------------------------

@test "bad lines are rejects with their reason, and the others are used" {
	{
		tick 15:00:01.000 1 1
		echo nonsense
		tick 15:00:02.000 '"2"' 1
		tick 15:00:03.000 3 1
	} >in
	run_json 1 fl-agg bars 1m --rejects bad in
	[ "$(jq -r '"\(.reason) \(.line)"' bad | xargs)" = 'bad_json 2 bad_type 3' ]
	[ "$(of .trades)" = 2 ]
}

@test "what is no NDJSON is answered with the recipe" {
	echo '[{"a":1}]' >in
	run -6 fl-agg bars 1m in
	[[ $output == *"jq -c '.[]'"* ]]
}

@test "misuse says what to type" {
	run -2 fl-agg
	[[ $output == "fl-agg: which verb? fl-agg bars 1m FILE, or fl-agg indicators "* ]]
	run -2 fl-agg bar
	[ "$output" = "fl-agg: unknown verb 'bar' (did you mean 'bars'?); fl-agg --help shows them" ]
	run -2 fl-agg bars
	[ "$output" = "fl-agg: bars of what? fl-agg bars --help shows examples" ]
	run -2 fl-agg bars 1M
	[ "$output" = "fl-agg: interval '1M' is unclear: 1m is a minute, 1mo a month" ]
	run -2 fl-agg bars 7m
	run -2 fl-agg bars 1m,60s
	[ "$output" = "fl-agg: interval '1m' stands twice" ]
	run -2 fl-agg bars 1m --session lunch
	[ "$output" = "fl-agg: --session is regular, pre, post or all, not 'lunch'" ]
	run -2 fl-agg bars 1m --gaps --partial
}

@test "a reader that goes away ends it quietly" {
	run -0 bash -c 'fl-fetch sim -n 200000 | fl-agg bars 1s | head -n 1'
	[ "$(wc -l <<<"$output")" = 1 ]
	run -141 bash -o pipefail -c 'fl-agg bars 1s <(fl-fetch sim -n 300000) | head -n 1'
}

@test "what could not be written for want of a reader is not in the account" {
	for how in '1m --keep' 1s '1s --allowed-lateness 0s'; do
		rm -f runs
		# shellcheck disable=SC2086 # words
		fl-fetch sim -n 200000 | FL_RUNS=$PWD/runs fl-agg bars $how | head -n 2 >out
		account_closes runs
	done
}

@test "a full disk is an error of status 5" {
	fl-fetch sim -n 1000 >in
	run -5 bash -c 'fl-agg bars 1m in >/dev/full'
	[[ $output == *"No space left on device"* ]]
}

@test "bars as a table and as CSV" {
	fl-fetch sim -n 2000 >in
	run -0 fl-agg bars 1m --as csv --fields ts,symbol,close in
	[ "${lines[0]}" = ts,symbol,close ]
	run -0 fl-agg bars 1m --as table in
	[[ ${lines[0]} == TS*SYMBOL*INTERVAL* ]]
}
