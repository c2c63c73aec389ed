#!/usr/bin/env bats
# shellcheck disable=SC2001,SC2030,SC2031,SC2154 # each test has its variables; run sets some
# fl-fetch yahoo: what Yahoo's chart answers may hold, and what the network may
# do, played by a stand-in server. Answers and what comes of them are in
# tests/data/source/yahoo, all invented; `make golden` writes the records anew.

load ../helper/common
load ../helper/provider

setup() { begin_provider yahoo; }

teardown() { end_provider; }

# golden NAME [OPTION...]: the answer NAME.json gives the records of the file
# NAME.ndjson, or $as.ndjson, and rejects with the reasons of NAME.rejects, where
# there is such a file. They are canonical; fl-clean finds nothing to change.
golden() {
	local name=$1 want=${as:-$1} got=0
	shift
	rm -f rejects
	play <<<"ZZZT | 200 | body=$name.json | ${date:-$NIGHT}"
	fetch --from 2025-12-15 --rejects rejects "$@" ZZZT >out 2>err || got=$?
	touch rejects
	[ "$got" = "$([ -s rejects ] && echo 1 || echo 0)" ] || fail "$name: status $got: $(cat err)"
	is_golden "$want"
}

@test "help and misuse" {
	fl_help_ok fl-fetch yahoo
	fl_misuse_ok fl-fetch yahoo
	run -0 fl-fetch yahoo --help
	for option in --interval --adj --session --symbols-from --parallel --dry-run; do
		[[ $output == *"      $option"* ]]
	done
	run -2 fl-fetch yahoo
	[ "$output" = "fl-fetch: yahoo: no symbol named: fl-fetch yahoo SYMBOL..., or --symbols-from FILE" ]
	run -2 fl-fetch yahoo 'A B'
	[[ $output == "fl-fetch: 'A B' is no symbol: 1 to 64 letters, digits and signs"* ]]
	run -2 fl-fetch yahoo --interval 4h X
	[[ $output == *"yahoo gives bars of 1m 2m 5m 15m 30m 1h 90m 1d 1wk 1mo 3mo, not 4h; fl-agg makes others"* ]]
	run -2 fl-fetch yahoo --interval 1M X
	[ "$output" = "fl-fetch: interval '1M' is unclear: 1m is a minute, 1mo a month" ]
	run -2 fl-fetch yahoo --adj full X
	[ "$output" = "fl-fetch: --adj takes none, split or all, not 'full'" ]
	run -2 fl-fetch yahoo --session pre X
	[ "$output" = "fl-fetch: --session takes regular or all, not 'pre'" ]
	run -2 fl-fetch yahoo --session all X
	[[ $output == *"--session all is for intervals below 1d"* ]]
	run -2 fl-fetch yahoo --adj all --interval 1h X
	[[ $output == *"--adj all is for 1d and longer"* ]]
	run -2 fl-fetch yahoo --type bar,quote X
	[[ $output == *"in runs of their own: one kind in --type" ]]
	run -2 fl-fetch yahoo --parallel 0 X
	[[ $output == *"--parallel takes 1 to 16, not 0"* ]]
	run -2 fl-fetch yahoo --yahoo-url ftp://x X
	[[ $output == *"yahoo-url 'ftp://x': one or two URLs"* ]]
	run -2 fl-fetch yahoo --type quote --resume x.db --pipeline p X
	[[ $output == *"--resume and --state go on with bars, and none are asked for"* ]]
	run -2 fl-fetch yahoo --stream --state x X
	[[ $output == *"--stream has no position to go on from"* ]]
}

# --- what is asked ------------------------------------------------------------

@test "--dry-run prints the URLs and asks nothing" {
	play <<<'X | 200 | text=none'
	FL_YAHOO_URL=https://one.example/,https://two.example run -0 fetch --dry-run '^gspc' EURUSD=X
	[ "${#lines[@]}" = 2 ]
	[ "${lines[0]}" = 'https://one.example/v8/finance/chart/%5EGSPC?period1=1765065600&period2=1767916800&interval=1d&includePrePost=false&events=div%2Csplits%2CcapitalGains' ]
	[[ ${lines[1]} == *chart/EURUSD%3DX\?* ]]
	[ ! -s web.log ]
}

@test "a month of daily bars and five days of shorter ones are the defaults" {
	run -0 fetch --dry-run X
	[[ $output == *'period1=1765065600&period2=1767916800&interval=1d'* ]] # 2025-12-07, 2026-01-09
	run -0 fetch --dry-run --interval 5m X
	[[ $output == *'period1=1767315600&period2=1767747601&interval=5m'* ]] # five days
}

@test "a window wider than one request is split into several" {
	run -0 fetch --dry-run --interval 1m --range 20d X
	[ "${#lines[@]}" = 3 ]
	from=$((1767747600 - 20 * 86400))
	for line in "${lines[@]}"; do
		[[ $line == *"period1=$from&"* ]] # where the one before ended
		to=${line#*period2=} to=${to%%&*}
		[ $((to - from)) -le $((7 * 86400)) ]
		from=$to
	done
	[ "$to" = 1767747601 ]
	run -0 fetch --dry-run --from 1900-01-01 X
	[ "${#lines[@]}" = 2 ]
}

@test "what is older than Yahoo keeps is refused, with the limit" {
	run -2 fetch --interval 1m --from 2025-01-02 AAPL
	[ "$output" = "fl-fetch: 'AAPL': yahoo gives 1m bars for the last 29 days only; asked from 2025-01-02" ]
	run -2 fetch --interval 30m --range 60d AAPL
	[ "$output" = "fl-fetch: 'AAPL': yahoo gives 30m bars for the last 59 days only; asked from 2025-11-08" ]
	run -2 fetch --interval 1h --range 730d --symbols-from /dev/null
	[[ $output == "fl-fetch: yahoo gives 1h bars for the last 729 days only"* ]]
	run -2 fetch --interval 5m --to 2025-01-02 AAPL
	[ "$output" = "fl-fetch: 'AAPL': yahoo gives 5m bars for the last 59 days only; asked up to 2025-01-02" ]
	run -0 fetch --dry-run --interval 1h --range 729d AAPL
	run -0 fetch --dry-run --interval 1m --range max AAPL
	[ "${#lines[@]}" = 5 ]
	[[ ${lines[0]} == *"period1=$((1767747600 - 29 * 86400))&"* ]]
}

@test "the windows are joined without a seam" {
	day=$((1767747600 - 20 * 86400))
	for n in 0 1 2; do # each answer ends with the row that begins the next
		from=$((day + n * 7 * 86400)) to=$((day + (n + 1) * 7 * 86400))
		at=$((from / 60 * 60 + 60)) next=$((to / 60 * 60 + 60))
		jq -c --argjson a "$at" --argjson b "$next" '.chart.result[0] |= (.meta.dataGranularity = "1m" |
			.timestamp = [$a, $b] | .indicators.adjclose = [{}] |
			.indicators.quote = [{"open":[1,1],"high":[2,2],"low":[1,1],"close":[1.5,1.5],"volume":[7,7]}])' \
			"$data/good.json" >"$BATS_TEST_TMPDIR/part$n.json"
	done
	data=$PWD
	play <<-E
		chart | 200 | body=part0.json
		chart | 200 | body=part1.json
		chart | 200 | body=part2.json
	E
	run_json 0 fetch --interval 1m --range 20d ZZZT
	[ "$(asked | wc -l)" = 3 ]
	[ "$(jq -r .ts out)" = $'2025-12-18T01:01:00.000Z\n2025-12-25T01:01:00.000Z\n2026-01-01T01:01:00.000Z' ]
}

@test "--range max goes back to the first trade, also when that is a century ago" {
	jq -c '.chart.result[0].meta.firstTradeDate = -2208988800' "$data/good.json" >good.json
	data=$PWD
	play <<<"chart | 200 | body=good.json | $NIGHT"
	fetch --range max --type split ZZZT
	[ "$(asked | wc -l)" = 2 ]
	[[ $(asked | tail -n 1) == *"period1=-2209075200&period2=-1354147200"* ]] || asked
}

@test "symbols come from operands, --symbol and files, each once, in upper case" {
	printf '# mine\nzzzb, zzzc\tZZZA\n\nzzzd # last\n' >list
	run -0 fetch --dry-run zzza --symbol zzzb --symbols-from list
	[ "$(sed 's/.*chart.\([A-Z]*\).*/\1/' <<<"$output" | tr '\n' ' ')" = 'ZZZA ZZZB ZZZC ZZZD ' ]
	run -0 bash -c 'echo zzze | fl-fetch yahoo --dry-run --symbols-from -'
	[[ $output == *chart/ZZZE\?* ]]
	run -5 fl-fetch yahoo --symbols-from nowhere
	[[ $output == "fl-fetch: cannot open 'nowhere': No such file"* ]]
}

@test "it says who asks, and --user-agent says otherwise" {
	play <<<"ZZZT | 200 | body=good.json"
	fetch ZZZT >out
	fetch --user-agent 'me/1' ZZZT >out
	[[ $(head -n 1 web.log) == *' Mozilla/5.0 (compatible; FinanceLake/'*')' ]]
	[[ $(tail -n 1 web.log) == *' me/1' ]]
}

# --- what the answers hold ----------------------------------------------------

@test "daily bars come as records, the date that of the exchange" {
	golden good
}

@test "a row without prices is refused, a volume that is null is unknown" {
	golden nulls
	[ "$(jq -c '[.input, .raw]' rejects | head -n 1)" = '["ZZZT","{\"type\":\"bar\",\"ts\":\"2025-12-31T00:00:00.000Z\",\"provider\":\"yahoo\",\"symbol\":\"ZZZT\",\"interval\":\"1d\",\"open\":null,\"high\":null,\"low\":null,\"close\":null,\"adj\":\"split\",\"date\":\"2025-12-31\",\"tz\":\"America/New_York\",\"currency\":\"USD\",\"mic\":\"XNAS\",\"exchange\":\"NMS\"}"]' ]
	# What is refused says why again when it is retried.
	fl-clean -q --retry --rejects again rejects >mended || true
	[ ! -s mended ]
	[ "$(jq -r .reason again)" = $'null_bar\nmissing_field' ]
}

@test "an empty window is an empty result" {
	golden empty
	[ ! -s out ]
}

@test "a currency that is null, and what else may be missing, is left out" {
	golden sparse
}

@test "bare NaN and Infinity are read as null, and said with -v" {
	golden words
	fetch -v --from 2025-12-15 ZZZT 2>err >out
	grep -q "'ZZZT': 3 times NaN or Infinity, which is no JSON, read as null" err
}

@test "prices widened from 32 bits get their own digits back" {
	golden floats
}

@test "prices come adjusted for splits, as traded or with dividends" {
	golden split
	as=split-none golden split --adj none
	as=split-all golden split --adj all
	# As traded: what was ten times as much, and a tenth as many, before.
	[ "$(jq -c 'select(.type == "bar") | [.date, .open, .volume]' "$data/split-none.ndjson" | head -n 1)" = '["2025-12-31",937.5,450000]' ]
}

@test "prices as traded need the splits after --to, and ask for them" {
	play <<-E
		period2=1767484800 | 200 | body=split-before.json | $NIGHT
		period1=1767484800 | 200 | body=split-later.json | $NIGHT
	E
	fetch --adj none --from 2025-12-15 --to 2026-01-03 ZZZT >out
	[ "$(asked | wc -l)" = 2 ]
	[ "$(fields type,date,open,amount)" = $'bar 2025-12-31 937.5 null\nbar 2026-01-02 947.8 null\ndividend 2026-01-02 null 0.25' ]
}

@test "the row of the day that is not over replaces that day's, and is not final" {
	date='header=Date: Tue, 06 Jan 2026 16:05:00 GMT' now=1767715500 golden live
	[ "$(fields date,close,final | tail -n 1)" = '2026-01-06 101.5 false' ]
}

@test "the row of the day that is not over is merged into its week" {
	date='header=Date: Tue, 06 Jan 2026 16:05:00 GMT' now=1767715500 golden live-week --interval 1wk
	[ "$(fields date,open,high,low,close,volume,final | tail -n 1)" = '2026-01-05 101.3 103.6 99.75 101.5 209876 false' ]
}

@test "a row at or behind the end of the window is dropped" {
	play <<<"ZZZT | 200 | body=good.json | $NIGHT"
	fetch --from 2025-12-15 --to 2026-01-06 ZZZT >out
	[ "$(jq -r .date out | tail -n 1)" = 2026-01-05 ]
	serve other <<<"ZZZT | 200 | body=half-day.json | $NIGHT"
	FL_YAHOO_URL=$url fetch --interval 5m --from 2026-01-05 --to 2026-01-05T14:35:00Z ZZZT >out
	[ "$(jq -r .ts out)" = 2026-01-05T14:30:00.000Z ]
}

@test "rows outside the regular session are left out unless they are asked for" {
	golden half-day --interval 5m
	golden periods --interval 5m
	as=periods-all golden periods --interval 5m --session all
	[[ $(asked) == *includePrePost=true* ]]
	golden no-periods --interval 5m
}

@test "bars of 30m are made of those of 15m" {
	golden quarters --interval 30m
	[[ $(asked) == *interval=15m* ]]
}

@test "bars of a length that was not asked for are refused" {
	play <<<"ZZZT | 200 | body=half-day.json"
	run -4 fetch --interval 15m ZZZT
	[ "${lines[0]}" = "fl-fetch: 'ZZZT': bars of 5m came for those of 15m (HTTP 200, yahoo)" ]
}

@test "weeks are fetched as asked, and --help names the better way" {
	run -0 fetch --dry-run --interval 1wk X
	[[ $output == *interval=1wk* ]]
	run -0 fl-fetch yahoo --help
	[[ $(tr -s ' \n' ' ' <<<"$output") == *'weeks and months are better made of 1d by fl-agg'* ]]
}

@test "days are those of the exchange, whatever the clock there was" {
	now=1793836800 golden summer-time
	[ "$(fields date | tr '\n' ' ')" = '2026-03-06 2026-03-09 2026-10-30 2026-11-02 ' ]
	golden brazil --from 2018-01-01
	[ "$(fields date | tr '\n' ' ')" = '2018-11-02 2018-11-05 2019-02-19 ' ]
	golden crypto
	[ "$(fields date,final | tail -n 1)" = '2026-01-07 false' ]
}

@test "dividends, gains and splits become records behind their day's bar" {
	golden events
	as=events-only golden events --type dividend,split
	as=events-last golden events --last 1
}

@test "pence and cents become pounds and rand, and that is recorded" {
	golden pence
	golden cents
	[ "$(jq -c 'select(.type == "bar") | [.open, .currency, .currency_src, .price_scale]' "$data/pence.ndjson" | head -n 1)" = '[12.8657,"GBP","GBp",0.01]' ]
}

@test "rows in any order come sorted, each once" {
	golden disorder
	cmp "$data/disorder.ndjson" "$data/good.ndjson"
}

@test "keys in another order and new ones make no difference" {
	golden keys
	cmp "$data/keys.ndjson" "$data/good.ndjson"
}

# --- several symbols -----------------------------------------------------------

@test "an unknown symbol is a reject, and the others go on" {
	play <<-E
		ZZZT | 200 | body=good.json | $NIGHT
		NOPE | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}
	E
	run_json 1 fetch ZZZT NOPE ZZZT2 --rejects rejects
	grep -qx "fl-fetch: 'NOPE': Not Found: No data found, symbol may be delisted (HTTP 404, yahoo)" err
	grep -q '^fl-fetch: 9 in = 8 out + 1 rejected .*; 3 symbols, 3 requests; ' err
	[ "$(wc -l <out)" = 8 ]
	[ "$(jq -c '[.reason, .detail, .input, .http_status, .provider_code, .retryable]' rejects)" = \
		'["unknown_symbol","Not Found: No data found, symbol may be delisted (HTTP 404, yahoo)","NOPE",404,"Not Found",false]' ]
	[[ $(jq -r .raw rejects) == '{"chart":'* ]]
	fl-clean -q rejects | cmp - rejects
}

@test "an unknown symbol alone is refused with status 4" {
	play <<<'NOPE | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'
	run_json 4 fetch NOPE
	[ ! -s out ]
	[ "$(head -n 1 err)" = "fl-fetch: 'NOPE': Not Found: No data found, symbol may be delisted (HTTP 404, yahoo)" ]
	[ "$(grep -c "'NOPE': Not" err)" = 1 ]
	run -4 fetch NOPE NOPE2
	[[ $output == *"yahoo gave none of 2 symbols; the first: 'NOPE': Not Found"* ]]
}

@test "records come in the order of the symbols, whoever answers first" {
	play <<-E
		ZZZA | 200 | body=good.json | delay=300
		ZZZ | 200 | body=good.json
	E
	fetch --last 1 ZZZA ZZZB ZZZC ZZZD ZZZE ZZZF >out
	[ "$(fields symbol | tr '\n' ' ')" = 'ZZZA ZZZB ZZZC ZZZD ZZZE ZZZF ' ]
	# What was asked under another name keeps the provider's.
	[ "$(jq -r .symbol_src out | sort -u)" = ZZZT ]
}

@test "four symbols are asked for at once, and connections are kept" {
	play <<<'ZZZ | 200 | body=good.json | delay=250'
	before=$(date +%s%N)
	fetch --last 1 ZZZ1 ZZZ2 ZZZ3 ZZZ4 ZZZ5 ZZZ6 ZZZ7 ZZZ8 >out
	took=$((($(date +%s%N) - before) / 1000000))
	[ "$(wc -l <out)" = 8 ]
	[ "$took" -ge 750 ] # the first goes ahead alone
	[ "$took" -lt 1500 ] || fail "$took ms" # one by one: 2000
	[ "$(cut -d ' ' -f 1 web.log | sort -u | wc -l)" -le 4 ]
	fetch --last 1 --parallel 1 ZZZ1 ZZZ2 >out
	[ "$(tail -n 2 web.log | cut -d ' ' -f 1 | sort -u | wc -l)" = 1 ]
}

# --- what Yahoo says ------------------------------------------------------------

@test "errors are told in Yahoo's own words" {
	words='1m data not available for startTime=1 and endTime=2. The requested range must be within the last 30 days.'
	play <<-E
		TOOOLD | 422 | text={"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"$words"}}}
		CRUMB | 401 | text={"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}
		LIST | 200 | text={"chart":{"result":[],"error":{"code":"Internal","description":"broken"}}}
	E
	run_json 4 fetch --rejects rejects TOOOLD
	[ "$(head -n 1 err)" = "fl-fetch: 'TOOOLD': Unprocessable Entity: $words (HTTP 422, yahoo)" ]
	run_json 4 fetch --rejects rejects CRUMB
	run_json 4 fetch --rejects rejects LIST
	[ "$(jq -c '[.reason, .http_status, .provider_code, .retryable]' rejects)" = $'["provider_error",422,"Unprocessable Entity",false]\n["auth",401,"Unauthorized",false]\n["provider_error",200,"Internal",false]' ]
}

@test "no data between two dates is an empty result" {
	play <<<"ZZZT | 400 | text={\"chart\":{\"result\":null,\"error\":{\"code\":\"Bad Request\",\"description\":\"Data doesn't exist for startDate = 1, endDate = 2\"}}}"
	run_json 0 fetch ZZZT
	[ ! -s out ]
}

@test "HTML with status 200 is no answer" {
	play <<-E
		DOWN | 200 | text=<!doctype html><html><head><title>Will be right back</title></head><body>…
		VOID | 200 | text=
		OTHER | 200 | text={"quoteResponse":{"result":[],"error":null}}
		HALF | 200 | text={"chart":{"result":[{"meta":{},"timestamp":[1,2],"indicators":{"quote":[{"open":[1]}]}}],"error":null}}
	E
	run -3 fetch DOWN
	[ "${lines[0]}" = "fl-fetch: 'DOWN': no JSON: 'Will be right back' (HTTP 200, yahoo)" ]
	run -3 fetch VOID
	[ "${lines[0]}" = "fl-fetch: 'VOID': no JSON: 'an empty answer' (HTTP 200, yahoo)" ]
	run -4 fetch OTHER
	[ "${lines[0]}" = "fl-fetch: 'OTHER': not a chart: no result (HTTP 200, yahoo)" ]
	run -4 --separate-stderr fetch HALF
	[ -z "$output" ]
	[[ $stderr == *"'HALF': not a chart: 'open' is no list of 2 numbers, one for each time"* ]]
}

# --- what the network does -------------------------------------------------------

@test "too many requests are asked again after as long as was said" {
	play <<-E
		ZZZT | 429 | text=Too Many Requests | header=Retry-After: 1
		ZZZT | 200 | body=good.json
	E
	before=$(date +%s%N)
	fetch --last 1 ZZZT >out
	[ $((($(date +%s%N) - before) / 1000000)) -ge 1000 ]
	[ "$(wc -l <out)" = 1 ]
	# A date will do as well; and what lies too far ahead is not waited for.
	later=$(date -u -d '+1 hour' '+%a, %d %b %Y %H:%M:%S GMT')
	play <<<"ZZZT | 429 | text=Edge: Too Many Requests | header=Retry-After: $later"
	run_json 3 fl-fetch yahoo ZZZT --rejects rejects
	[ "$(asked | wc -l)" = 1 ]
	[[ $(head -n 1 err) =~ "'ZZZT': Edge: Too Many Requests; again in "(1h|59m[0-9]+s)"; requests are".*"(HTTP 429, yahoo)" ]]
	[ "$(jq -c '[.reason, .http_status, .retryable]' rejects)" = '["rate_limited",429,true]' ]
}

@test "who is told to slow down does not ask for the rest" {
	play <<-E
		ZZZ1 | 200 | body=good.json
		ZZZ | 429 | text=Too Many Requests
	E
	run_json 1 fetch --parallel 1 --tries 2 --last 1 ZZZ1 ZZZ2 ZZZ3 ZZZ4 --rejects rejects
	[ "$(asked | wc -l)" = 3 ] # the second one twice
	grep -q "fl-fetch: 2 more symbols not asked, for 'ZZZ2': Too Many Requests" err
	[ "$(jq -r .reason rejects | sort | uniq -c | tr -s ' ')" = ' 3 rate_limited' ]
}

@test "a busy host is left for the other one, once, then both are given time" {
	serve first <<<'ZZZT | 503 | text=busy'
	one=$url
	serve second <<-E
		ZZZT | 502 | text=busy
		ZZZT | 200 | body=good.json
	E
	export FL_YAHOO_URL=$one,$url
	fetch --last 1 ZZZT >out
	[ "$(wc -l <out)" = 1 ]
	[ "$(asked first | wc -l)" = 1 ]
	[ "$(asked second | wc -l)" = 2 ]
}

@test "a server that fails is asked four times, at growing distances" {
	play <<<'ZZZT | 500 | text=broken'
	before=$(date +%s%N)
	run_json 3 fetch --retry-wait 100ms ZZZT --rejects rejects
	took=$((($(date +%s%N) - before) / 1000000))
	[ "$(asked | wc -l)" = 4 ]
	[ "$took" -ge 350 ] # half of 100, 200 and 400
	[ "$took" -lt 3000 ]
	[ "$(jq -c '[.reason, .detail, .http_status, .retryable]' rejects)" = '["http_status","broken (HTTP 500, yahoo)",500,true]' ]
}

@test "an answer that is cut in the middle gives nothing, then is asked for again" {
	play <<-E
		ZZZT | 200 | body=good.json | cut=600
		ZZZT | 200 | body=good.json | length=2000
		ZZZT | 200 | body=good.json | chunked | cut=600
		ZZZT | 200 | body=good.json | drop
	E
	run_json 3 fetch ZZZT --rejects rejects
	[ ! -s out ]
	[ "$(asked | wc -l)" = 4 ]
	[ "$(jq -c '[.reason, .retryable]' rejects)" = '["truncated",true]' ]
	play <<-E
		ZZZT | 200 | body=good.json | cut=600
		ZZZT | 200 | body=good.json
	E
	fetch --last 2 ZZZT >out
	[ "$(wc -l <out)" = 2 ]
}

@test "an answer that says to be shorter than it is is none" {
	play <<<'ZZZT | 200 | body=good.json | length=500'
	run -3 fetch ZZZT
	[[ ${lines[0]} == "fl-fetch: 'ZZZT': no JSON: "* ]]
}

@test "compressed and chunked answers are the same answers" {
	play <<-E
		ZZZA | 200 | body=good.json | gzip
		ZZZB | 200 | body=good.json | chunked
		ZZZC | 200 | body=good.json | gzip | chunked
	E
	fetch --last 1 ZZZA ZZZB ZZZC >out
	[ "$(fields close | tr '\n' ' ')" = '100.75 100.75 100.75 ' ]
}

@test "an answer that grows without end is given up" {
	play <<<'ZZZT | 200 | zeros=40000000 | gzip'
	run_json 4 fetch ZZZT --rejects rejects
	[ "$(asked | wc -l)" = 1 ]
	[[ $(head -n 1 err) == "fl-fetch: 'ZZZT': the answer is larger than 32 MiB (yahoo, 1 try in "* ]]
	[ "$(jq .max_rss_bytes <<<"$record")" -lt 150000000 ] || [ "$FL_VARIANT" != release ]
}

@test "a redirect is followed, a circle of them is not" {
	play <<-E
		ZZZA | 302 | header=Location: /v8/finance/chart/ZZZT
		ZZZL | 302 | header=Location: /v8/finance/chart/ZZZL
		ZZZF | 302 | header=Location: file:///etc/passwd
		ZZZT | 200 | body=good.json
	E
	fetch --last 1 ZZZA >out
	[ "$(wc -l <out)" = 1 ]
	run_json 4 fetch ZZZL --rejects rejects
	[ "$(asked | grep -c ZZZL)" = 9 ]
	[[ $(head -n 1 err) == *'aximum (8) redirects followed'* ]]
	run -4 fetch ZZZF
	[[ $output != *root:* ]]
}

@test "a body that trickles is given up after --timeout" {
	play <<<'ZZZT | 200 | body=good.json | drip=300'
	before=$SECONDS
	run -3 fetch --tries 1 --timeout 1s ZZZT
	[ $((SECONDS - before)) -le 6 ]
	[[ ${lines[0]} == "fl-fetch: 'ZZZT': operation too slow."* ]]
}

@test "nobody there: status 3, and nobody is asked a thousand times" {
	printf 'ZZZ%d\n' {1..50} >list
	before=$SECONDS
	FL_YAHOO_URL=http://127.0.0.1:1 run_json 3 fetch --tries 2 --symbols-from list --rejects rejects
	[ $((SECONDS - before)) -le 5 ]
	[ "$(wc -l <rejects)" = 50 ]
	[[ $(jq -r .detail rejects | tail -n 1) == "not asked, for 'ZZZ"?"': "*onnect* ]]
	FL_YAHOO_URL=http://no-such-host.invalid run -3 fetch --tries 1 ZZZT
	[[ ${lines[0]} == "fl-fetch: 'ZZZT': could not resolve host: no-such-host.invalid (yahoo, 1 try in "* ]]
}

@test "a stop ends it at once, in good order" {
	play <<-E
		ZZZ1 | 200 | body=good.json
		ZZZ2 | 200 | body=good.json | delay=20000
	E
	fl-fetch yahoo --from 2025-12-15 ZZZ1 ZZZ2 >out 2>err &
	pid=$!
	sleep 1
	before=$SECONDS
	kill -TERM $pid
	got=0
	wait $pid || got=$?
	[ "$got" = 143 ]
	[ $((SECONDS - before)) -le 2 ]
	[ "$(wc -l <out)" = 4 ] # of the first all, of the second nothing
}

@test "certificates are verified, by the system's authorities or --ca-file" {
	command -v openssl >/dev/null || skip 'openssl is not installed'
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority \
		-keyout ca.key -out ca.pem 2>log || fail "$(cat log)"
	openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out req.pem 2>log
	openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
		-extfile <(echo 'subjectAltName=DNS:localhost') -out cert.pem 2>log
	port=$((20000 + RANDOM % 20000))
	export FL_YAHOO_URL=https://localhost:$port
	mkdir -p v8/finance/chart
	target=$(fetch --dry-run --from 2025-12-15 ZZZT)
	cp "$data/good.json" "v8/finance/chart/${target##*/}"
	openssl s_server -quiet -accept "127.0.0.1:$port" -cert cert.pem -key key.pem -WWW >log 2>&1 3>&- &
	servers+=" $!"
	sleep 0.5
	run -4 fetch --tries 3 --from 2025-12-15 ZZZT
	[[ ${lines[0]} == "fl-fetch: 'ZZZT': SSL certificate problem: "*" (yahoo, 1 try in "* ]]
	fetch --ca-file ca.pem --from 2025-12-15 ZZZT | cmp - "$data/good.ndjson"
	FL_CA_FILE=ca.pem fetch --from 2025-12-15 ZZZT | cmp - "$data/good.ndjson"
	run -5 fetch --ca-file none.pem ZZZT
	[[ $output == "fl-fetch: cannot read 'none.pem', the certificates to trust"* ]]
	# Nor does a redirect lead away from it.
	serve <<<"ZZZT | 200 | body=good.json"
	printf 'HTTP/1.0 302 Found\r\nLocation: %s/ZZZT\r\n\r\n' "$url" >"v8/finance/chart/${target##*/}"
	openssl s_server -quiet -accept "127.0.0.1:$((port + 1))" -cert cert.pem -key key.pem -HTTP >log 2>&1 3>&- &
	servers+=" $!"
	sleep 0.5
	FL_YAHOO_URL=https://localhost:$((port + 1)) run -4 fetch --ca-file ca.pem --from 2025-12-15 ZZZT
	[ ! -s web.log ]
	# No option of ours turns that off.
	run fl-fetch yahoo --insecure ZZZT
	[ "$status" = 2 ]
}

@test "HTTP/2 is used where the server has it, all symbols on one connection" {
	command -v nghttpd >/dev/null || skip 'nghttpd is not installed (package nghttp2-server)'
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>log || fail "$(cat log)"
	mkdir -p v8/finance/chart
	for symbol in ZZZ1 ZZZ2 ZZZ3 ZZZ4 ZZZ5 ZZZ6; do cp "$data/good.json" v8/finance/chart/$symbol; done
	port=$((20000 + RANDOM % 20000))
	nghttpd -v -d . -a 127.0.0.1 $port key.pem cert.pem >log 2>&1 3>&- &
	servers+=" $!"
	sleep 0.5
	FL_YAHOO_URL=https://localhost:$port fetch --ca-file cert.pem --last 1 ZZZ{1..6} >out
	[ "$(wc -l <out)" = 6 ]
	[ "$(grep -c 'recv HEADERS' log)" = 6 ]
	[ "$(sed -n 's/^\(\[id=[0-9]*\]\).*recv HEADERS.*/\1/p' log | sort -u | wc -l)" = 1 ]
}

@test "a proxy of the environment is used" {
	serve <<<"ZZZT | 200 | body=good.json | $NIGHT"
	FL_YAHOO_URL=http://yahoo.invalid http_proxy=$url fetch --from 2025-12-15 ZZZT | cmp - "$data/good.ndjson"
	[[ $(asked) == http://yahoo.invalid/v8/* ]]
}

@test "secrets in a URL are not shown" {
	play <<<'ZZZT | 500 | text=broken'
	FL_YAHOO_URL=http://me:hidden@${url#http://} run fetch --tries 1 -v ZZZT
	[[ $output == *'http://me:***@127.0.0.1'* ]]
	[[ $output != *hidden* ]]
}

@test "whichever call of the program fails, no symbol is half given, and the status says so" {
	[ "${FL_VARIANT:-release}" = release ] || skip 'one variant is enough'
	play <<<"ZZZ | 200 | body=events.json | $NIGHT"
	whole_or_not 9 --from 2025-12-15
}

@test "what comes goes through fl-clean into a store, twice the same" {
	play <<<"ZZZT | 200 | body=events.json | $NIGHT"
	for _ in 1 2; do
		fetch --from 2025-12-15 ZZZT | fl-clean | fl-load x.db
	done
	fl-fetch store x.db --type bar | cmp - <(grep '"type":"bar"' "$data/events.ndjson")
	[ "$(fl-fetch store x.db | wc -l)" = "$(wc -l <"$data/events.ndjson")" ]
}

@test "csv and table show what came" {
	play <<<"ZZZT | 200 | body=good.json | $NIGHT"
	run -0 fetch --from 2025-12-15 --as csv --fields date,close ZZZT
	[ "${lines[1]}" = 2025-12-31,1285 ]
	run -0 fetch --from 2025-12-15 --as table ZZZT
	[[ $output == *1286.57* ]]
}
