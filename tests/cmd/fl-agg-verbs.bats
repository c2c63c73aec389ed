#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # programs in quotes; run sets output
#
# fl-agg indicators, stats, count and movers: by example, and that every account
# closes: teardown looks at the runs of each test.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$PWD/runs
	golden=$BATS_TEST_DIRNAME/../data/op/indicators.ndjson
	page=$BATS_TEST_DIRNAME/../../build/share/man/man1/fl-agg.1
}

teardown() {
	[ ! -e "$FL_RUNS" ] || account_closes "$FL_RUNS"
}

# bar DAY CLOSE [MEMBERS [SYMBOL [HIGH [LOW]]]]: a bar of that day of January 2026
bar() {
	printf '{"type":"bar","ts":"2026-01-%02dT00:00:00.000Z","provider":"t","symbol":"%s",' "$1" "${4:-A}"
	printf '"interval":"1d","open":%s,"high":%s,"low":%s,"close":%s,"adj":"none","date":"2026-01-%02d"%s}\n' \
		"$2" "${5:-$2}" "${6:-$2}" "$2" "$1" "${3:+,$3}"
}

# quote TIME PRICE [MEMBERS [SYMBOL]]
quote() {
	printf '{"type":"quote","ts":"2026-01-02T%s.000Z","provider":"t","symbol":"%s","price":%s%s}\n' \
		"$1" "${4:-A}" "$2" "${3:+,$3}"
}

# misuse TEXT ARG...: status 2, and that is all it says
misuse() {
	local want=$1
	shift
	run -2 --separate-stderr fl-agg "$@" </dev/null
	[ -z "$output" ] || fail "stdout: $output"
	[ "$stderr" = "fl-agg: $want" ] || fail "stderr: $stderr"
}

names() {
	fl-agg --list-indicators | sed 's/[[:blank:]:[].*//'
}

# --- the command -------------------------------------------------------------

@test "every verb helps, and knows a misuse" {
	for verb in bars indicators stats count movers; do
		fl_help_ok fl-agg "$verb"
		fl_misuse_ok fl-agg "$verb"
	done
}

@test "alone it names the two likeliest next commands, in one line" {
	misuse "which verb? fl-agg bars 1m FILE, or fl-agg indicators sma:20,rsi:14 FILE (fl-agg --help shows all)"
	misuse "indicators of what? fl-agg indicators --help shows examples" indicators
	misuse "unknown verb 'indicator' (did you mean 'indicators'?); fl-agg --help shows them" indicator x
}

# --- indicators --------------------------------------------------------------

@test "figures stand in ind, and are absent before there are enough bars" {
	{ bar 1 100; bar 2 125; bar 3 150; } >in
	run_json 0 fl-agg indicators sma:2,ret in
	[ "$(head -n 1 out)" = "$(head -n 1 in)" ]
	[ "$(jq -c .ind out | xargs)" = 'null {sma_2:112.5,ret_1:0.25} {sma_2:137.5,ret_1:0.2}' ] ||
		fail "$(jq -c .ind out)"
	[ "$(jq -c '[.in, .used, .out]' <<<"$record")" = '[3,3,3]' ]
}

@test "each indicator equals its reference, and none is without one" {
	jq -c 'del(.ind)' "$golden" >in
	fl-agg indicators "$(names | paste -sd,)" in >out
	jq -n --slurpfile got out --slurpfile want "$golden" -r '
		[$got, $want] | transpose[] | . as [$g, $w]
		| (($g.ind // {}) + ($w.ind // {}) | keys[]) as $name
		| ($g.ind[$name] // "absent") as $a | ($w.ind[$name] // "absent") as $b
		| if ($a | type) == "number" and ($b | type) == "number"
			and (($a - $b) | fabs) <= 1e-9 * ([1, ($b | fabs)] | max) then empty
		  else "\($g.symbol) \($g.ts) \($name): \($a), not \($b)" end' >bad
	[ ! -s bad ] || fail "$(head -n 5 bad)"
	names | while read -r name; do
		jq -e --arg n "$name" 'select(.ind) | .ind | keys[] | select(. == $n or startswith($n + "_"))' \
			"$golden" >/dev/null || fail "no reference for $name: indicators.py golden makes them"
	done
}

@test "a name says all parameters, and a price that is not the close" {
	for day in 1 2 3; do bar "$day" "10$day" '"adj_close":50' A 110 90; done >in
	fl-agg indicators sma:2,bb:2:0.5,macd:1:2:1,atr:1,obv,vol:2:1.5 --price hl2 in | tail -n 1 |
		jq -c '.ind | keys_unsorted' >out
	[ "$(<out)" = '["sma_2_hl2","bb_upper_2_0p5_hl2","bb_middle_2_0p5_hl2","bb_lower_2_0p5_hl2","macd_1_2_1_hl2","macd_signal_1_2_1_hl2","macd_hist_1_2_1_hl2","atr_1","vol_2_1p5_hl2"]' ] ||
		fail "$(<out)"
	fl-agg indicators sma:2 --price adj_close in | tail -n 1 | jq -e '.ind == {"sma_2_adj_close": 50}'
	# None of the bars has a volume: obv is absent.
	fl-agg indicators obv,vwap,vwma:1 in | cmp - in
}

@test "the line keeps its bytes, and a canonical one stays canonical" {
	bar 1 100 '"volume":5,"repaired":["x"],"currency":"USD","mine":1' >in
	fl-agg indicators sma:1,obv in >out
	[ "$(<out)" = "$(sed 's/"repaired"/"ind":{"sma_1":100,"obv":5},&/' in)" ] || fail "$(<out)"
	fl-clean --canonical out | cmp - out
	# Twice is once, and what others put there stays.
	fl-agg indicators sma:1,obv out | cmp - out
	fl-agg indicators roc:1,sma:1 <<<"$(sed 's/"repaired"/"ind":{"mine":1.50,"sma_1":7,"roc_1":3},&/' in)" >out
	[ "$(<out)" = "$(sed 's/"repaired"/"ind":{"mine":1.50,"sma_1":100},&/' in)" ] || fail "$(<out)"
	# Nothing to say is no reason to touch it.
	sed 's/"repaired"/"ind" : { "mine" : 1.50 },&/' in >spaced
	fl-agg indicators roc:1 spaced | cmp - spaced
	# A line that is not canonical: blanks, another order, ind first or null.
	line='{ "ind" : {"roc_1":3} , "close" : 1.0, "type":"bar","ts":"2026-01-01T00:00:00.000Z","provider":"t","symbol":"A","interval":"1h","open":1,"high":1,"low":1,"adj":"none" }'
	fl-agg indicators roc:1 <<<"$line" >out
	[ "$(<out)" = "{  ${line#*\} , }" ] || fail "$(<out)"
	old='"ind" : {"roc_1":3}' new='"ind":{"sma_1":1}'
	fl-agg indicators sma:1,roc:1 <<<"$line" >out
	[ "$(<out)" = "${line/"$old"/"$new"}" ] || fail "$(<out)"
	fl-agg indicators sma:1 <<<"${line/'{"roc_1":3}'/null}" >out
	[ "$(<out)" = "${line/"$old"/"$new"}" ] || fail "$(<out)"
	fl-agg indicators sma:1 <<<"${line/"$old , "/}" >out
	[ "$(<out)" = "$(sed 's/}$/,"ind":{"sma_1":1}}/; s/"ind" : {"roc_1":3} , //' <<<"$line")" ] ||
		fail "$(<out)"
	jq -e '.ind == {"sma_1": 1}' out
}

@test "a table shows the figures, and not more digits than one reads" {
	{ bar 1 100; bar 2 103; bar 3 101; } >in
	run -0 fl-agg indicators sma:2,roc:1 --as table in
	[ "${lines[0]}" = "TS                        SYMBOL      INTERVAL         CLOSE  IND.SMA_2   IND.ROC_1" ] || fail "$output"
	[ "${lines[3]}" = "2026-01-03 00:00:00.000Z  A           1d                 101  102         -1.941748" ] || fail "$output"
	run -0 fl-agg indicators sma:2 --as table --fields close,ind.sma_2 in
	[ "${lines[0]}" = "       CLOSE  IND.SMA_2" ] || fail "$output"
}

@test "a record that is not in normal form is mended on the way" {
	bar 1 100 >in
	sed 's/"A"/"a"/; s/T00:00:00.000Z/T01:00:00+01:00/' in | fl-agg indicators sma:1 >out
	[ "$(<out)" = "$(sed 's/}$/,"ind":{"sma_1":100}}/' in)" ] || fail "$(<out)"
}

@test "series apart, however they come" {
	for day in 1 2; do bar "$day" "10$day"; bar "$day" "20$day" '' B; done >mixed
	sort -t '"' -k 16,16 -s mixed >apart
	fl-agg indicators sma:2 mixed | jq -c '[.symbol, .ind]' | sort >a
	fl-agg indicators sma:2 apart | jq -c '[.symbol, .ind]' | sort >b
	cmp a b
	grep -qF '["B",{"sma_2":201.5}]' a
}

@test "records of other types pass through" {
	{
		quote 14:30:00 1
		echo '{"type":"dividend","ts":"2026-01-02T00:00:00.000Z","date":"2026-01-02","provider":"t","symbol":"A","amount":0.5}'
		bar 1 100
	} >in
	run_json 0 fl-agg indicators sma:9 in
	cmp in out
	[ "$(jq -c '[.in, .used, .filtered, .out]' <<<"$record")" = '[3,3,0,3]' ]
}

@test "bars come in order of time: what does not is late, and kept" {
	{ bar 2 100; bar 1 100; bar 2 101; bar 3 102; } >in
	run_json 1 fl-agg indicators sma:2 --rejects bad in
	[ "$(jq -c '[.in, .used, .late]' <<<"$record")" = '[4,2,2]' ]
	[ "$(jq -r .detail bad)" = 'a bar from before 2026-01-02T00:00:00.000Z, the newest of its series: indicators go by the order of time
a second bar of 2026-01-02T00:00:00.000Z, after a final one' ] || fail "$(<bad)"
	[ "$(jq -r .reason bad | uniq)" = late ]
	[ "$(jq -c 'select(.ind).ind' out)" = '{"sma_2":101}' ]
}

@test "a bar that was not final may come again" {
	jq -c 'del(.ind) | select(.symbol == "ZZZA")' "$golden" >in
	spec=$(names | paste -sd,)
	fl-agg indicators "$spec" in >want
	# Each bar first as it stood in the middle, then whole.
	jq -c '(.close *= 0.99 | .low *= 0.98 | .volume = 1 | .final = false), .' in >twice
	run_json 0 fl-agg indicators "$spec" twice
	grep -v '"final":false' out | cmp - want
}

@test "parts of bars are refused, and warm-up is learned from" {
	bar 1 100 '"first_ts":"2026-01-01T00:00:00.000Z","last_ts":"2026-01-01T00:00:00.000Z","partial":true' >part
	run_json 2 fl-agg indicators sma:2 part
	[ "$(head -n 1 err)" = "fl-agg: line 1 is a part of a bar, of which indicators cannot be made: load them first, and read the store" ] ||
		fail "$(<err)"
	{
		echo '{"type":"mark","pipeline":"p","at":{},"open":true}'
		echo '{"type":"mark","pipeline":"p","at":{},"live":false}'
		bar 1 100
		echo '{"type":"mark","pipeline":"p","at":{},"live":true}'
		bar 2 101
		echo '{"type":"mark","pipeline":"p","at":{"x":["0","1"]}}'
		echo '{"type":"mark","pipeline":"p","at":{},"live":false}'
		bar 2 101
		echo '{"type":"mark","pipeline":"p","at":{},"live":true}'
		bar 3 102
		echo '{"type":"mark","pipeline":"p","at":{},"end":true}'
	} >in
	run_json 0 fl-agg indicators sma:2 in
	[ "$(jq -r 'if .type == "mark" then (.end // .live // .open // "at") else .ind.sma_2 end' out | xargs)" = \
		"true at true 100.5 at at true 101.5 true" ] || fail "$(cat out)"
	[ "$(jq -c '[.in, .used, .out]' <<<"$record")" = '[2,2,2]' ]
}

@test "a specification that is none says what to type" {
	misuse "no indicator 'smaa' (did you mean 'sma'?); fl-agg --list-indicators shows them" indicators smaa:20
	misuse "no indicator 'bollinger'; fl-agg --list-indicators shows them" indicators bollinger
	misuse "no indicator ''; fl-agg --list-indicators shows them" indicators sma,
	misuse "sma:N: N is a whole number from 1 to 10000, not '0'" indicators sma:0
	misuse "sma:N: N is a whole number from 1 to 10000, not '10001'" indicators sma:10001
	misuse "sma:N: N is a whole number from 1 to 10000, not '99999999999999999999'" indicators sma:99999999999999999999
	misuse "rsi:N: N is a whole number from 2 to 10000, not '14.5'" indicators rsi:14.5
	misuse "rsi:N: N is a whole number from 2 to 10000, not 'x'" indicators rsi:x
	misuse "bb:N:K: K is a number from 0.0001 to 100, of at most 4 decimals, not '2.00001'" indicators bb:20:2.00001
	misuse "sma has 1 parameter at most, not 2: sma:N" indicators sma:20:30
	misuse "obv has no parameters" indicators obv:3
	misuse "'macd:26:12': FAST is to be below SLOW" indicators macd:26:12
	misuse "'sma_20' stands twice" indicators sma,rsi,sma:20
	misuse "--price is close, adj_close, hl2, hlc3 or ohlc4, not 'open'" indicators sma --price open
	misuse "at most 64 indicators at once" indicators "$(seq -s, -f sma:%g 65)"
}

@test "the longest window takes its time, not more memory than its bars" {
	seq 0 10999 | awk '{ t = strftime("%Y-%m-%dT%H:%M:00.000Z", 1767225600 + 60 * $1, 1)
		printf "{\"type\":\"bar\",\"ts\":\"%s\",\"provider\":\"t\",\"symbol\":\"A\",\"interval\":\"1m\",", t
		printf "\"open\":%d,\"high\":%d,\"low\":%d,\"close\":%d,\"adj\":\"none\"}\n", $1+1, $1+1, $1+1, $1+1 }' >in
	fl-agg indicators sma:10000,wma:10000 in | jq -c 'select(.ind).ind.sma_10000' | sed -n '1p;$p' | xargs >out
	[ "$(<out)" = "5000.5 6000.5" ] || fail "$(<out)"
}

@test "the list and the manual hold every indicator, with its outputs" {
	run -0 fl-agg --list-indicators
	[ "${lines[0]}" = "sma:20         simple moving average of N bars: sma_20" ]
	[ "${#lines[@]}" = "$(grep -c '^FL_INDICATOR(' "$BATS_TEST_DIRNAME/../../lib/op/indicators.def")" ]
	run -5 --separate-stderr bash -c 'fl-agg --list-indicators >/dev/full'
	[ "$stderr" = "fl-agg: cannot write 'standard output': No space left on device" ] || fail "$stderr"
	[ -e "$page" ] || skip "no manual: make docs builds it"
	for name in $(names); do
		grep -qE "^\.It Cm $name(:|\[|\$)" "$page" || fail "$name is not in the manual"
	done
}

# --- stats -------------------------------------------------------------------

@test "stats: a series in figures" {
	{ bar 1 100; bar 2 110; bar 5 99; bar 6 120; quote 14:30:00 5; } >in
	run_json 0 fl-agg stats in
	[ "$(head -n 1 out | jq -c .values=null)" = '{"type":"stat","ts":"2026-01-06T00:00:00.000Z","provider":"agg:t","stat":"stats","subject":"A/1d","by":{"symbol":"A","interval":"1d","adj":"none"},"values":null}' ] ||
		fail "$(head -n 1 out)"
	[ "$(head -n 1 out | jq -c '.values | map_values(. * 1e9 | round)')" = '{"count":4000000000,"first":100000000000,"last":120000000000,"min":99000000000,"max":120000000000,"return":200000000,"volatility":2410402503,"sharpe":7099150861,"max_drawdown":-100000000}' ] ||
		fail "$(head -n 1 out)"
	[ "$(tail -n 1 out)" = '{"type":"stat","ts":"2026-01-02T14:30:00.000Z","provider":"agg:t","stat":"stats","subject":"A","by":{"symbol":"A"},"values":{"count":1,"first":5,"last":5,"min":5,"max":5,"return":0,"max_drawdown":0}}' ] ||
		fail "$(tail -n 1 out)"
	fl-clean --canonical out | cmp - out
}

@test "stats: a table has figures of six decimals" {
	{ bar 1 100; bar 2 110; bar 5 99; bar 6 120; } >in
	run -0 fl-agg stats in --as table
	[[ "${lines[1]}" == *'{"count":4,"first":100,"last":120,"min":99,"max":120,"return":0.2,"volatility":2.410403,"sharpe":7.099151,"max_drawdown":-0.1}' ]] ||
		fail "$output"
}

@test "stats: by the year as it is told" {
	{ bar 1 100; bar 2 110; bar 5 99; } >in
	a=$(fl-agg stats in | jq .values.volatility)
	b=$(fl-agg stats --per-year 1 in | jq .values.volatility)
	jq -en "($a / $b - (252 | sqrt)) | fabs < 1e-12"
	for iv in 1wk=52 1mo=12 3mo=4 1y=1 1h=1638 30m=3276; do
		a=$(sed "s/\"1d\"/\"${iv%=*}\"/" in | fl-agg stats | jq .values.volatility)
		jq -en "($a / $b - (${iv#*=} | sqrt)) | fabs < 1e-12" || fail "$iv: $a"
	done
	misuse "--per-year is above 0" stats --per-year -1
}

@test "stats: what a series is called, and what has no order" {
	{ bar 1 100; bar 1 100 '"session":"pre"'; bar 1 100 | sed s/none/split/; } >in
	[ "$(fl-agg stats in | jq -r .subject | xargs)" = "A/1d A/1d/pre A/1d/split" ]
	{ bar 2 100 '"final":false'; bar 2 101; bar 2 102; bar 1 100; } >in
	run_json 1 fl-agg stats in
	[ "$(jq -c '[.in, .used, .late]' <<<"$record")" = '[4,2,2]' ]
	[ "$(jq -c '.values | [.count, .last]' out)" = '[1,101]' ]
	{ quote 14:30:00 1; quote 14:30:00 2; quote 14:29:59 3; } >in
	run_json 1 fl-agg stats in
	[ "$(jq -c '[.used, .late]' <<<"$record")" = '[2,1]' ]
}

@test "stats --corr: each pair, over the times that both have" {
	{
		for day in 1 2 3 4 5; do bar "$day" $((100 + day * day)); done
		for day in 1 2 4 5; do bar "$day" $((200 + 2 * day * day)) '' B; done
		for day in 1 3 5; do bar "$day" $((100 - day * day)) '' C; done
		bar 1 7 '' D
	} >in
	run_json 0 fl-agg stats --corr in
	[ "$(jq -c 'select(.stat == "correlation") | [.subject, .values.count, (.values.correlation // 0 | . * 1e6 | round)]' out)" = \
		'["A/1d~B/1d",3,1000000]
["A/1d~C/1d",2,-1000000]
["B/1d~C/1d",1,0]' ] || fail "$(<out)"
	[ "$(jq -c 'select(.subject == "A/1d~B/1d") | [.ts, .by]' out)" = '["2026-01-05T00:00:00.000Z",{"a":"A/1d","b":"B/1d"}]' ]
	run_json 6 fl-agg stats --corr --memory 1K in
	[ "$(head -n 1 err)" = "fl-agg: --corr has no room for more prices: give it a larger --memory, a shorter time or bars of a longer interval" ]
}

# --- count -------------------------------------------------------------------

@test "count: by type, when nothing else is said" {
	{ quote 14:30:00 1; quote 14:31:00 1; bar 1 100; } >in
	run_json 0 fl-agg count in
	[ "$(<out)" = '{"type":"stat","ts":"2026-01-02T14:31:00.000Z","provider":"agg:t","stat":"count","subject":"type=quote","by":{"type":"quote"},"values":{"count":2}}
{"type":"stat","ts":"2026-01-02T14:31:00.000Z","provider":"agg:t","stat":"count","subject":"type=bar","by":{"type":"bar"},"values":{"count":1}}' ] ||
		fail "$(<out)"
	fl-clean --canonical out | cmp - out
	[ "$(fl-agg count </dev/null)" = "" ]
}

# log TIME IP ACTION
log() {
	printf '{"type":"log","ts":"2026-01-02T%s.000Z","provider":"ufw","id":"%s","event":{"action":"%s"},"source":{"ip":"%s"},"x":{"y":[1.50,"a\\n"]}}\n' \
		"$1" "$RANDOM$RANDOM" "$3" "$2"
}

@test "count: by dotted paths, in windows, the most frequent first" {
	{
		for s in 10 20 30; do log "14:30:$s" 10.0.0.1 deny; done
		log 14:34:59 10.0.0.2 deny
		for s in 10 20; do log "14:31:$s" 10.0.0.1 allow; done
		log 14:35:00 10.0.0.2 deny
	} >in
	run_json 0 fl-agg count --by source.ip,event.action --every 5m --top 2 in
	[ "$(jq -c '[.ts[11:16], .window, .subject, .by, .values.count]' out)" = \
		'["14:30","5m","source.ip=10.0.0.1,event.action=deny/5m",{"source.ip":"10.0.0.1","event.action":"deny"},3]
["14:30","5m","source.ip=10.0.0.1,event.action=allow/5m",{"source.ip":"10.0.0.1","event.action":"allow"},2]
["14:35","5m","source.ip=10.0.0.2,event.action=deny/5m",{"source.ip":"10.0.0.2","event.action":"deny"},1]' ] ||
		fail "$(<out)"
	# The order of the input does not matter.
	tac in | fl-agg count --by source.ip,event.action --every 5m --top 2 | cmp - out
	fl-clean --canonical out | cmp - out
	# Unknown fields of any kind, and none.
	fl-agg count --by x.y,no.such in | jq -c '[.subject, .by]' >got
	[ "$(<got)" = '["x.y=[1.50,\"a\\n\"],no.such=",{"x.y":[1.5,"a\n"]}]' ] || fail "$(<got)"
}

@test "count: days and months of bars go by their date, of others by --tz" {
	{ bar 1 100; bar 31 100; quote 02:30:00 1; } >in
	fl-agg count --every 1mo --tz America/New_York in | jq -c '[.ts[:10], .by.type, .values.count]' | sort >out
	[ "$(<out)" = '["2026-01-01","bar",2]
["2026-01-01","quote",1]' ] || fail "$(<out)"
	fl-agg count --every 1d --tz America/New_York in | jq -c '[.ts[:10], .by.type]' >out
	[ "$(<out)" = '["2026-01-01","bar"]
["2026-01-01","quote"]
["2026-01-31","bar"]' ] || fail "$(<out)"
}

@test "count: --allowed-lateness writes windows as time goes, and what comes later is late" {
	{ quote 14:30:00 1; quote 14:31:05 1; quote 14:30:59 1; quote 14:31:10 1; quote 14:30:01 1; quote 14:31:00 1; } >in
	run_json 1 fl-agg count --every 1m --allowed-lateness 10s --rejects bad in
	[ "$(jq -c '[.ts[11:16], .values.count]' out)" = '["14:30",2]
["14:31",3]' ] || fail "$(<out)"
	[ "$(jq -c '[.in, .used, .late, .out]' <<<"$record")" = '[6,5,1,2]' ]
	[ "$(jq -r .detail bad)" = "its window of 1m was written before" ]
	# It does not wait for the end.
	mkfifo pipe
	FL_RUNS='' fl-agg count --every 1m --allowed-lateness 10s <pipe >first 2>/dev/null 3>&- &
	pid=$!
	exec 9>pipe
	cat in >&9
	for _ in $(seq 100); do
		[ ! -s first ] || break
		sleep 0.1
	done
	cmp first <(head -n 1 out)
	exec 9>&-
	wait "$pid" || [ $? = 1 ]
	cmp first out
}

@test "count: rejects are records like others" {
	{ quote 14:30:00 1; echo '{"type":"quote"}'; echo nonsense; echo more; } >in
	fl-clean --rejects bad in >/dev/null 2>&1 || :
	run_json 0 fl-agg count --by reason bad
	[ "$(jq -c '[.provider, .by, .values.count]' out)" = '["agg:fl-clean",{"reason":"bad_json"},2]
["agg:fl-clean",{"reason":"missing_field"},1]' ] || fail "$(<out)"
}

@test "count: memory has a ceiling, and a label its length" {
	seq 1 100 | while read -r n; do quote 14:30:00 "$n"; done >in
	run_json 6 fl-agg count --by price --memory 1K in
	[[ "$(head -n 1 err)" == "fl-agg: "*" groups and more have no room: give a larger --memory, count by fewer fields" ]] || fail "$(<err)"
	run_json 6 fl-agg count --by price --every 1m --memory 1K in
	[[ "$(head -n 1 err)" == *", or let windows be written by --allowed-lateness" ]] || fail "$(<err)"
	long=$(printf 'ü%.0s' $(seq 150))
	{ quote 14:30:00 1 "\"x\":\"${long}1\""; quote 14:30:00 1 "\"x\":\"${long}2\""; } >in
	fl-agg count --by x in >out
	fl-clean --canonical out | cmp - out
	[ "$(jq -r .subject out | sort -u | wc -l)" = 2 ]
	quote 14:30:00 1 "\"x\":\"$(printf 'ü%.0s' $(seq 3000))\"" >in
	run_json 1 fl-agg count --by x --rejects bad in
	[ "$(jq -r .reason bad | tail -n 1)" = out_of_range ]
}

@test "count: misuse" {
	misuse "--every: interval '1M' is unclear: 1m is a minute, 1mo a month" count --every 1M
	misuse "--by: 'a' stands twice" count --by a,b,a
	misuse "--allowed-lateness is for windows: say --every as well" count --allowed-lateness 1s
	misuse "--by takes 16 fields at most" count --by "$(seq -s, 17)"
}

# --- movers ------------------------------------------------------------------

@test "movers: daily bars against the day before, whatever the order" {
	{
		bar 5 100; bar 6 110 '"volume":7'
		bar 5 100 '' B; bar 6 95 '' B
		bar 5 100 '' C; bar 6 120 '"volume":9' C
		bar 5 100 '' D; bar 6 100 '' D
		bar 6 100 '' E
		bar 1 100 '' OLD; bar 2 200 '' OLD
	} >in
	run_json 0 fl-agg movers --max-age 3d in
	[ "$(jq -c '[.ts[:10], .subject, .by, .values]' out)" = \
		'["2026-01-06","C/1d/gainers",{"list":"gainers","symbol":"C"},{"rank":1,"price":120,"change":20,"change_pct":20,"volume":9}]
["2026-01-06","A/1d/gainers",{"list":"gainers","symbol":"A"},{"rank":2,"price":110,"change":10,"change_pct":10,"volume":7}]
["2026-01-06","B/1d/losers",{"list":"losers","symbol":"B"},{"rank":1,"price":95,"change":-5,"change_pct":-5}]' ] ||
		fail "$(jq -c '[.ts[:10], .subject, .by, .values]' out)"
	fl-clean --canonical out | cmp - out
	tac in | fl-agg movers --max-age 3d | cmp - out
	[ "$(fl-agg movers --top 1 in | jq -r .subject | xargs)" = "OLD/1d/gainers B/1d/losers" ]
	[ "$(fl-agg movers --by volume in | jq -c '[.subject, .values.rank]')" = '["C/1d/active",1]
["A/1d/active",2]' ]
}

@test "movers: quotes by what they say, else against the oldest" {
	{
		quote 14:30:00 100 '"change_pct":1.5'
		quote 14:30:00 100 '"prev_close":80' B
		quote 14:30:00 100 '' C; quote 14:31:00 90 '' C
		quote 14:30:00 100 '' D
		bar 2 100 | sed s/1d/1wk/
	} >in
	run_json 0 fl-agg movers in
	[ "$(jq -c '[.subject, .values]' out)" = '["B/gainers",{"rank":1,"price":100,"change":20,"change_pct":25}]
["A/gainers",{"rank":2,"price":100,"change_pct":1.5}]
["C/losers",{"rank":1,"price":90,"change":-10,"change_pct":-10}]' ] || fail "$(jq -c '[.subject, .values]' out)"
	[ "$(jq -c '[.in, .used, .filtered]' <<<"$record")" = '[6,5,1]' ]
	misuse "--by is change_pct or volume, not 'price'" movers --by price
	misuse "--top is 1 or more" movers --top 0
}

@test "stats, count and movers refuse a stream with marks" {
	echo '{"type":"mark","pipeline":"p","at":{},"open":true}' >in
	for verb in stats count movers; do
		run_json 2 fl-agg "$verb" in
		[ "$(head -n 1 err)" = "fl-agg: $verb needs the whole input, and a stream with marks comes in parts: load it first, and read the store" ] ||
			fail "$(<err)"
	done
}
