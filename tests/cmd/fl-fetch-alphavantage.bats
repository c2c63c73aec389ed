#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # each test has its variables; run sets some
# fl-fetch alphavantage: each of the provider's functions and each of its ways
# to say no, played by a stand-in server. Answers and what comes of them are in
# tests/data/source/alphavantage, all invented; `make golden` writes the records
# anew.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider alphavantage
	export ALPHAVANTAGE_API_KEY=HIDDEN0KEY0OF0TEST
}

# None of what was written tells the key.
teardown() {
	end_provider
	! grep -rl HIDDEN0KEY "$BATS_TEST_TMPDIR" --exclude='web*' --exclude='key*' ||
		fail 'the key is told'
}

# golden NAME.EXT [ARG...]: the answer gives the records of NAME.ndjson, or
# $as.ndjson, and rejects with the reasons of NAME.rejects, where there is such a
# file. They are canonical; fl-clean finds nothing to change.
golden() {
	local file=$1 want=${as:-${1%.*}} got=0
	shift
	rm -f rejects
	play <<<"${part:-function} | 200 | body=$file | ${date:-$NIGHT}"
	fetch --rejects rejects "$@" >out 2>err || got=$?
	touch rejects
	[ "$got" = "$([ -s rejects ] && echo 1 || echo 0)" ] || fail "$file: status $got: $(cat err)"
	is_golden "$want"
}

# refused STATUS REASON RETRYABLE ARG...: the symbol is refused so.
refused() {
	local status=$1 reason=$2 again=$3
	shift 3
	run_json "$status" fetch --rejects rejects "$@"
	[ ! -s out ]
	[ "$(jq -r '"\(.reason) \(.retryable)"' rejects)" = "$reason $again" ] || fail "$(cat rejects)"
	detail=$(jq -r .detail rejects)
	fl-clean -q rejects | cmp - rejects
}

functions() { asked | sed 's/.*function=\([A-Z_]*\).*/\1/'; }

@test "help and misuse" {
	fl_help_ok fl-fetch alphavantage
	fl_misuse_ok fl-fetch alphavantage
	run -2 fl-fetch alphavantage
	[ "$output" = "fl-fetch: alphavantage: no symbol named: fl-fetch alphavantage SYMBOL..., or --symbols-from FILE" ]
	run -2 fl-fetch alphavantage --interval 2m X
	[[ $output == *"alphavantage gives bars of 1m 5m 15m 30m 1h 1d 1wk 1mo, not 2m; fl-agg makes others"* ]]
	run -2 fl-fetch alphavantage --interval 1M X
	[ "$output" = "fl-fetch: interval '1M' is unclear: 1m is a minute, 1mo a month" ]
	run -2 fl-fetch alphavantage --adj full X
	[ "$output" = "fl-fetch: --adj takes none, split or all, not 'full'" ]
	run -2 fl-fetch alphavantage --adj split --interval 1wk X
	[[ $output == *"--adj split is for 1d: a split may lie within a week"* ]]
	run -2 fl-fetch alphavantage --adj split --interval 5m X
	[[ $output == *"--adj split is for 1d: below a day"* ]]
	run -2 fl-fetch alphavantage --session all X
	[[ $output == *"--session all is for intervals below 1d"* ]]
	run -2 fl-fetch alphavantage --type log X
	[[ $output == *"of a symbol; no log" ]]
	run -2 fl-fetch alphavantage --search x --market-status
	[[ $output == *"are asked for one at a time" ]]
	run -2 fl-fetch alphavantage --search x AAPL
	[ "$output" = "fl-fetch: alphavantage is asked for 'x' without symbols and --fill" ]
	run -2 fl-fetch alphavantage --search x --type bar
	[[ $output == *"--type is for symbols, and 'x' is asked for" ]]
	run -2 fl-fetch alphavantage --calendar dividends
	[[ $output == *"--calendar takes earnings and ipo, not 'dividends'" ]]
	run -2 fl-fetch alphavantage --topics ipo --type bar X
	[[ $output == *"--topics is for --type news" ]]
	run -2 fl-fetch alphavantage --alphavantage-url ftp://x X
	[[ $output == *"alphavantage-url 'ftp://x': one or two URLs"* ]]
	run -2 fl-fetch alphavantage --state s --adj all --interval 1wk X
	[[ $output == *"--resume and --state with --adj all are for 1d: of other bars"* ]]
	run -2 fl-fetch alphavantage --fill x.db --type quote X
	[[ $output == *"--fill looks for bars, and none are asked for" ]]
}

# --- the key ------------------------------------------------------------------

@test "without a key it says where one is taken from, and asks nothing" {
	unset ALPHAVANTAGE_API_KEY
	play <<<'function | 200 | text={}'
	run -2 fetch ZZZT
	[[ $output == "fl-fetch: alphavantage needs a key: set ALPHAVANTAGE_API_KEY, or name a file of mode 0600 by --alphavantage-key-file"* ]]
	[ ! -s web.log ]
	run -0 fetch --dry-run ZZZT
	[[ $output == *'&apikey=***' ]]
}

@test "the key may be in a file that nobody else can read" {
	unset ALPHAVANTAGE_API_KEY
	play <<<"function | 200 | body=daily.json | $NIGHT"
	printf 'HIDDEN0KEY0OF0FILE\n' >key
	chmod 640 key
	run -2 fetch --alphavantage-key-file key ZZZT
	[ "$output" = "fl-fetch: others may read or write 'key', the key (mode 0640): chmod 600 key" ]
	chmod 600 key
	FL_ALPHAVANTAGE_KEY_FILE=key fetch --type bar ZZZT >out
	[ -s out ]
	[[ $(asked) == *'&apikey=HIDDEN0KEY0OF0FILE' ]]
	# What is named goes before what the environment has.
	ALPHAVANTAGE_API_KEY=other fetch --type bar --alphavantage-key-file key ZZZT >out
	[[ $(asked | tail -n 1) == *'&apikey=HIDDEN0KEY0OF0FILE' ]]
	run -5 fetch --alphavantage-key-file nowhere ZZZT
	[[ $output == "fl-fetch: cannot open 'nowhere', the key: No such file"* ]]
	printf 'two words\n' >key
	run -2 fetch --alphavantage-key-file key ZZZT
	[[ $output == "fl-fetch: 'key' holds no key: one line of"* ]]
	: >key
	run -2 fetch --alphavantage-key-file key ZZZT
	[[ $output == "fl-fetch: 'key' holds no key"* ]]
	run -2 fetch --alphavantage-key-file . ZZZT
	[ "$status" = 2 ]
}

@test "the key is shown nowhere, not even when the provider repeats it" {
	play <<-E
		symbol=ZZZA | 200 | text={"Information":"We have detected your API key as $ALPHAVANTAGE_API_KEY and our standard API rate limit is 25 requests per day."}
		symbol=ZZZB | 500 | text=broken for $ALPHAVANTAGE_API_KEY
		symbol=ZZZC | 302 | header=Location: /query?apikey=$ALPHAVANTAGE_API_KEY&symbol=ZZZC
		symbol=ZZZD | 200 | text=$ALPHAVANTAGE_API_KEY
	E
	for symbol in ZZZA ZZZB ZZZC ZZZD; do
		run fetch -v --tries 1 --type bar --rejects rejects "$symbol"
		[ "$status" -ge 3 ]
		[[ $output != *HIDDEN* ]] || fail "$output"
		[[ $output == *'apikey=***'* ]]
	done
	[ "$(wc -l <rejects)" = 4 ]
	grep -q 'API key as \*\*\* and' rejects
	run -1 grep HIDDEN rejects runs.all
	[ "$(asked | grep -c HIDDEN0KEY)" -ge 4 ]
}

# --- what is asked ------------------------------------------------------------

@test "--dry-run prints the URLs, the key masked, and asks nothing" {
	play <<<'X | 200 | text=none'
	FL_ALPHAVANTAGE_URL=https://one.example/ run -0 fetch --dry-run --type bar zzzt tsco.l EURUSD=X btc-usd BRK-B
	[ "${lines[0]}" = 'https://one.example/query?function=TIME_SERIES_DAILY&symbol=ZZZT&outputsize=compact&apikey=***' ]
	[[ ${lines[1]} == *'&symbol=TSCO.LON&'* ]]
	[[ ${lines[2]} == *'function=FX_DAILY&from_symbol=EUR&to_symbol=USD&'* ]]
	[[ ${lines[3]} == *'function=DIGITAL_CURRENCY_DAILY&symbol=BTC&market=USD&'* ]]
	[[ ${lines[4]} == *'&symbol=BRK-B&'* ]]
	[ ! -s web.log ]
}

@test "the whole history is asked for only where the newest hundred are not enough" {
	run -0 fetch --dry-run --type bar --range 139d X
	[[ $output == *outputsize=compact* ]]
	run -0 fetch --dry-run --type bar --range 150d X
	[[ $output == *outputsize=full* ]]
	run -0 fetch --dry-run --interval 1wk X
	[[ $output == *'function=TIME_SERIES_WEEKLY&symbol=X&apikey='* ]]
	run -0 fetch --dry-run --type bar --interval 1wk EURUSD=X ETH-EUR
	[[ ${lines[0]} == *'function=FX_WEEKLY&from_symbol=EUR&to_symbol=USD&apikey='* ]]
	[[ ${lines[1]} == *'function=DIGITAL_CURRENCY_WEEKLY&symbol=ETH&market=EUR&apikey='* ]]
	run -0 fetch --dry-run --type bar --interval 1mo EURUSD=X ETH-EUR X
	[[ ${lines[0]} == *'function=FX_MONTHLY&'* ]]
	[[ ${lines[1]} == *'function=DIGITAL_CURRENCY_MONTHLY&'* ]]
	[[ ${lines[2]} == *'function=TIME_SERIES_MONTHLY&symbol=X&apikey='* ]]
	run -0 fetch --dry-run --interval 1mo --adj all X
	[[ ${lines[0]} == *'function=TIME_SERIES_MONTHLY_ADJUSTED&symbol=X&apikey='* ]]
}

@test "bars below a day are asked for at once when they are new, else by months" {
	run -0 fetch --dry-run --interval 5m X
	[[ $output == *'function=TIME_SERIES_INTRADAY&symbol=X&interval=5min&adjusted=false&extended_hours=false&outputsize=full&'* ]]
	run -0 fetch --dry-run --interval 1h --session all --adj all --from 2025-09-10 --to 2025-11-01 X
	[ "$(grep -o 'month=[0-9-]*' <<<"$output" | cut -d = -f 2 | tr '\n' ' ')" = '2025-09 2025-10 ' ]
	run -0 fetch --dry-run --interval 1h --session all --adj all --from 2025-10-01T05:00Z --to 2025-11-01T04:30Z X
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[1]} == *'month=2025-11'* ]]
	[[ ${lines[0]} == *'&interval=60min&adjusted=true&extended_hours=true&month=2025-10&'* ]]
}

@test "what is older than Alpha Vantage keeps is refused, with the limit" {
	run -2 fetch --interval 5m --from 1999-05-01 ZZZT
	[ "$output" = "fl-fetch: 'ZZZT': alphavantage gives 5m bars since 2000-01 only; asked from 1999-05-01" ]
	run -2 fetch --interval 5m --from 2025-11-01 ZZZT eurusd=x
	[ "$output" = "fl-fetch: 'eurusd=x': alphavantage gives 5m bars of pairs for the last 30 days only; asked from 2025-11-01" ]
	run -2 fetch --listing active --listing-date 2009-12-31
	[ "$output" = "fl-fetch: alphavantage gives listings since 2010-01-01 only; asked as of 2009-12-31" ]
	run -2 fetch --calendar earnings --to 2028-01-01
	[ "$output" = "fl-fetch: alphavantage gives the reports of the coming 12 months only" ]
}

# --- series -------------------------------------------------------------------

@test "daily bars come as traded, to the digit, the oldest first" {
	golden daily.json --type bar --from 2025-12-15 ZZZT
	[ "$(functions)" = TIME_SERIES_DAILY ]
	as=daily-last golden daily.json --type bar --from 2025-12-15 --last 2 ZZZT
	as=daily-window golden daily.json --type bar --from 2026-01-02 --to 2026-01-06 ZZZT
}

@test "CSV gives the same records as JSON" {
	as=daily golden daily.csv --type bar --datatype csv --from 2025-12-15 ZZZT
	[[ $(asked) == *'&datatype=csv&'* ]]
	as=daily-adjusted golden daily-adjusted.csv --from 2025-12-15 ZZZT
	as=intraday golden intraday.csv --interval 5m ZZZT
	as=weekly-adjusted golden weekly-adjusted.csv --interval 1wk --adj all --type bar --from 2025-12-15 ZZZT
}

@test "the adjusted series brings the dividends and splits of its days" {
	golden daily-adjusted.json --from 2025-12-15 ZZZT
	[ "$(functions)" = TIME_SERIES_DAILY_ADJUSTED ]
	[ "$(jq -r .type out | sort | uniq -c | tr -s ' ' | tr '\n' ,)" = ' 4 bar, 1 dividend, 1 split,' ]
	as=daily-split golden daily-adjusted.json --from 2025-12-15 --adj split ZZZT
	# 399.96 before one became four
	[ "$(jq -c 'select(.date == "2025-12-31") | [.close, .volume, .adj]' out)" = '[99.99,87652,"split"]' ]
	as=daily-all golden daily-adjusted.json --from 2025-12-15 --adj all --type bar ZZZT
}

@test "weeks and months bear their first day, and are not final before they are over" {
	golden weekly.json --interval 1wk --type bar --from 2025-12-15 ZZZT
	[ "$(jq -r '"\(.date) \(.final)"' out)" = $'2025-12-22 null\n2025-12-29 null\n2026-01-05 false' ]
	golden weekly-adjusted.json --interval 1wk --adj all --type bar --from 2025-12-15 ZZZT
	golden monthly.json --interval 1mo --type bar --from 2025-12-01 ZZZT
	golden monthly-adjusted.json --interval 1mo --adj all --type bar --from 2025-12-01 ZZZT
}

@test "the day's bar is not final before the close" {
	date='header=Date: Tue, 06 Jan 2026 20:59:00 GMT' now=1767733140 \
		golden live.json --type bar --from 2025-12-15 ZZZT
	[ "$(jq -r '"\(.date) \(.final)"' out | tail -n 2)" = $'2026-01-05 null\n2026-01-06 false' ]
}

@test "intraday bars begin at the stamp, which is New York's wall clock" {
	golden intraday.json --interval 5m ZZZT
	[ "$(jq -r .ts out | head -n 2)" = $'2026-01-05T20:55:00.000Z\n2026-01-06T14:30:00.000Z' ]
	golden summer-time.json --interval 1h --from 2025-03-07 --to 2025-11-04 ZZZT
	[ "$(jq -r '.ts[11:13]' out | tr '\n' ' ')" = '14 13 13 14 ' ]
}

@test "the hour that comes twice in November is told by the order of rows" {
	golden autumn.csv --interval 30m --from 2025-11-01 --to 2025-11-03 ZZZT
	[ "$(jq -r '"\(.volume) \(.ts[11:16])"' out | tr '\n' ,)" = '0 04:30,1 05:00,2 05:30,3 06:00,4 06:30,5 07:00,' ]
}

@test "months are joined, and one before the first is no error" {
	play <<-E
		month=2025-10 | 200 | text={"Error Message":"Invalid API call. Please retry or visit the documentation"}
		month=2025-11 | 200 | body=summer-time.json | $NIGHT
		month=2025-12 | 200 | text={"Meta Data":{"6. Time Zone":"US/Eastern"},"Time Series (60min)":{}} | $NIGHT
	E
	fetch --interval 1h --from 2025-10-05 --to 2025-12-15 ZZZT >out
	[ "$(jq -r .ts out | tr '\n' ' ')" = '2025-10-31T13:30:00.000Z 2025-11-03T14:30:00.000Z ' ]
	[ "$(asked | wc -l)" = 3 ]
	play <<<'month | 200 | text={"Error Message":"Invalid API call. Please retry or visit the documentation"}'
	refused 4 unknown_symbol false --interval 1h --from 2025-10-05 --to 2025-12-15 ZZZT
}

@test "rows without prices are refused, other words for nothing are left out" {
	golden nulls.json --type bar --from 2025-12-15 ZZZT
}

@test "a London price is in what --currency says" {
	as=pence golden daily.json --type bar --from 2026-01-06 --currency GBX ZZZT.L
	[ "$(jq -c '[.symbol, .symbol_src, .close, .currency, .currency_src, .price_scale, .mic]' out)" = \
		'["ZZZT.L","ZZZT.LON",1.0075,"GBP","GBX",0.01,"XLON"]' ]
	# What it is in is not known otherwise, and the provider's own form is taken.
	as=london golden daily.json --type bar --from 2026-01-06 ZZZT.LON
	[ "$(jq -c '[.symbol, .symbol_src, .close, .currency]' out)" = '["ZZZT.L","ZZZT.LON",100.75,null]' ]
	as=quote-pence golden quote.json --type quote --currency GBX ZZZT.L
	[ "$(jq -c '[.price, .change, .change_pct, .currency]' out)" = '[1.0075,-0.0175,-1.7073,"GBP"]' ]
}

@test "pairs of currencies have no volume, and their zone is UTC" {
	golden fx-daily.json EURUSD=X
	[ "$(functions)" = FX_DAILY ]
	golden fx-weekly.json --interval 1wk EURUSD=X
	[ "$(jq -r '"\(.date) \(.close) \(.final)"' out)" = '2026-01-05 1.1725 false' ]
	golden fx-intraday.json --interval 5m EURUSD=X
	[ "$(functions)" = FX_INTRADAY ]
}

@test "coins come in the new form and in the old one" {
	golden coin-daily.json BTC-USD
	[ "$(functions)" = DIGITAL_CURRENCY_DAILY ]
	golden coin-daily-old.json BTC-EUR
	[ "$(jq -c '[.close, .currency]' out | tail -n 1)" = '[45617.28,"EUR"]' ]
	golden coin-intraday.json --interval 5m BTC-USD
	[ "$(jq -r .ts out)" = 2026-01-07T00:55:00.000Z ]
}

# --- the rest of the functions -------------------------------------------------

@test "quotes come of shares, pairs and coins" {
	golden quote.json --type quote ZZZT
	[ "$(functions)" = GLOBAL_QUOTE ]
	golden rate.json --type quote EURUSD=X
	[ "$(functions)" = CURRENCY_EXCHANGE_RATE ]
	golden rate-coin.json --type quote BTC-USD
}

@test "--every asks for quotes again and again" {
	play <<<"function | 200 | body=quote.json | $NIGHT"
	run -2 fetch --every 1s ZZZT
	[ "$output" = "fl-fetch: --every is for quotes: --type quote" ]
	got=0
	timeout -s INT 3 fl-fetch alphavantage --type quote --every 1s ZZZT >out || got=$?
	[[ $got == 130 || $got == 124 ]]
	[ "$(wc -l <out)" -ge 2 ]
	[ "$(sort -u out | wc -l)" = 1 ]
}

@test "a key of data that says more than its name is the same key" {
	golden quote-delayed.json --type quote --entitlement delayed ZZZT
	[[ $(asked) == *'&entitlement=delayed&'* ]]
	[ "$(jq .delay_s out)" = 900 ]
}

@test "--search gives instruments" {
	golden search.json --search 'example test'
	[[ $(asked) == */query\?function=SYMBOL_SEARCH\&keywords=example%20test\&* ]]
}

@test "an overview is an instrument with all its figures" {
	golden overview.json --type instrument ZZZT
	[ "$(functions)" = OVERVIEW ]
	[ "$(jq -c '[.pe_ratio, .ev_to_ebitda, .market_capitalization, .cik, .dividend_per_share]' out)" = \
		'[25.5,11.2,123456789012,"0000123",null]' ]
}

@test "news come with their sentiment, the oldest first" {
	golden news.json --type news --range 30d ZZZT
	[[ $(asked) == *'function=NEWS_SENTIMENT&tickers=ZZZT&time_from=20251208T0100&sort=LATEST&limit=1000&'* ]]
	golden news-empty.json --type news ZZZT
	[ ! -s out ]
	run -0 fetch --dry-run --type news BTC-USD EURUSD=X
	[[ ${lines[0]} == *'&tickers=CRYPTO%3ABTC&'* ]]
	[[ ${lines[1]} == *'&tickers=FOREX%3AEUR%2CFOREX%3AUSD&'* ]]
	run -0 fetch --dry-run --topics earnings,ipo --last 7
	[[ $output == *'function=NEWS_SENTIMENT&topics=earnings%2Cipo&sort=LATEST&limit=7&'* ]]
}

@test "a page of news that is full is followed by the one before it" {
	page() {
		jq -nc --argjson from "$1" --argjson count "$2" '{items:"1", feed: [range($from; $from + $count) |
			{title: "t\(.)", url: "https://e.org/\(.)", time_published: ((1767700000 - . * 60) | strftime("%Y%m%dT%H%M%S"))}]}'
	}
	page 0 1000 >one.json
	page 995 20 >two.json
	data=$PWD
	play <<-E
		function | 200 | body=one.json | $NIGHT
		function | 200 | body=two.json | $NIGHT
	E
	fetch --type news --range 7d ZZZT >out
	[ "$(wc -l <out)" = 1015 ]
	[ "$(jq -r .url out | sort -u | wc -l)" = 1015 ]
	[ "$(asked | wc -l)" = 2 ]
	[[ $(asked | tail -n 1) == *'&time_to='* ]]
}

@test "dividends and splits come by themselves" {
	golden dividends.json --type dividend ZZZT
	[ "$(functions)" = DIVIDENDS ]
	golden splits.json --type split ZZZT
	[ "$(functions)" = SPLITS ]
	[ "$(jq -c '[.numerator, .denominator]' out | tr '\n' ' ')" = '[3,2] [1,3] [4,1] ' ]
}

@test "--market-status tells which markets are open" {
	golden markets.json --market-status
	[ "$(functions)" = MARKET_STATUS ]
	[ "$(jq -r '"\(.subject) \(.values.open)"' out)" = $'United States Equity 0\nGlobal Forex 1' ]
}

@test "--listing gives the instruments that are listed, or were" {
	golden listing.csv --listing active
	golden listing-delisted.csv --listing delisted --listing-date 2024-06-01
	[[ $(asked) == *'&state=delisted&date=2024-06-01&'* ]]
}

@test "calendars come whole, or of a symbol" {
	golden earnings.csv --calendar earnings
	[[ $(asked) == *'function=EARNINGS_CALENDAR&horizon=3month&'* ]]
	golden earnings-old.csv --type calendar --to 2026-12-01 ZZZT.L
	[[ $(asked) == *'function=EARNINGS_CALENDAR&symbol=ZZZT.LON&horizon=12month&'* ]]
	golden ipo.csv --calendar ipo
	[ "$(functions)" = IPO_CALENDAR ]
	as=earnings-window golden earnings.csv --calendar earnings --from 2026-02-01
}

# --- errors with status 200 ----------------------------------------------------

@test "an Error Message about the call is an unknown symbol, and the others go on" {
	play <<-E
		symbol=NOPE | 200 | text={"Error Message":"Invalid API call. Please retry or visit the documentation (https://www.alphavantage.co/documentation/) for TIME_SERIES_DAILY."}
		symbol=ZZZT | 200 | body=daily.json | $NIGHT
	E
	run_json 1 fetch --type bar NOPE ZZZT --rejects rejects
	[ -s out ]
	[ "$(jq -c '[.reason, .input, .http_status, .provider_code, .retryable]' rejects)" = \
		'["unknown_symbol","NOPE",200,"Error Message",false]' ]
	[[ $(jq -r .detail rejects) == 'Invalid API call. Please retry'*'(HTTP 200, alphavantage)' ]]
	rm rejects
	refused 4 unknown_symbol false --type bar NOPE
}

@test "an Error Message about the key ends it with status 4, and nobody else is asked" {
	play <<<'function | 200 | text={"Error Message":"the parameter apikey is invalid or missing. Please claim your free API key on (https://www.alphavantage.co/support/#api-key)."}'
	run_json 4 fetch --parallel 1 --type bar ZZZT ZZZU ZZZV --rejects rejects
	[ "$(jq -r .reason rejects | sort | uniq -c | tr -s ' ')" = ' 3 auth' ]
	[ "$(asked | wc -l)" = 1 ]
}

@test "a Note is waited for, then asked again" {
	play <<-E
		function | 200 | text={"Note":"Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 calls per day."}
		function | 200 | body=daily.json | $NIGHT
	E
	FL_RETRY_WAIT=1ms fetch --type bar ZZZT >out
	[ -s out ]
	[ "$(asked | wc -l)" = 2 ]
}

@test "Information about haste is waited for, as often as --tries says" {
	local haste='{"Information":"Thank you for using Alpha Vantage! Please consider spreading out your free API requests more sparingly (1 request per second). You may subscribe to any of the premium plans to lift the free key rate limit (25 requests per day)"}'
	play <<-E
		function | 200 | text=$haste
		function | 200 | body=daily.json | $NIGHT
	E
	before=$(date +%s%N)
	fetch --retry-wait 300ms --type bar ZZZT >out
	[ $((($(date +%s%N) - before) / 1000000)) -ge 300 ]
	[ -s out ]
	play <<<"function | 200 | text=$haste"
	refused 3 rate_limited true --tries 3 --type bar ZZZT
	[ "$(asked | wc -l)" = 3 ]
}

@test "Information about the day's quota ends it with status 3 and the time to come back" {
	play <<<"function | 200 | text={\"Information\":\"We have detected your API key as $ALPHAVANTAGE_API_KEY and our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans to instantly remove all daily rate limits.\"} | $NIGHT"
	refused 3 quota_exceeded true --type bar ZZZT
	[[ $detail == 'We have detected your API key as *** and'*'; again after 2026-01-07T05:00Z (HTTP 200, alphavantage)' ]]
	[ "$(asked | wc -l)" = 1 ]
	run_json 3 fetch --parallel 1 --type bar ZZZT ZZZU
	[ "$(asked | wc -l)" = 2 ]
}

@test "a free key is asked 25 times a day and once a second, and --quota knows" {
	unset FL_LIMIT
	play <<<"function | 200 | text={\"Information\":\"our standard API rate limit is 25 requests per day\"} | $NIGHT"
	run -0 fetch --quota
	run_json 3 fetch --type bar ZZZT
	# Who was told so asks no more that day.
	run_json 3 fetch --type bar ZZZU
	[ "$(asked | wc -l)" = 1 ]
	[ "$(head -n 1 err)" = "fl-fetch: alphavantage: 25 of 25 requests used today; again after 2026-01-07T05:00Z, or --wait" ]
	fetch --quota --as ndjson >quota
	[ "$(jq -c 'select(.subject == "alphavantage") | .values | [.second_limit, .day_limit, .day_left]' quota)" = '[1,25,0]' ]
	# What is paid for.
	FL_LIMIT=alphavantage:75/m run_json 3 fetch --type bar ZZZV
	run_json 3 fetch --type bar --entitlement delayed ZZZW
	[ "$(asked | wc -l)" = 3 ]
}

@test "Information about premium falls back to what is free" {
	local premium='{"Information":"Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the premium plans to instantly unlock all premium endpoints"}'
	play <<-E
		DAILY_ADJUSTED | 200 | text=$premium
		SERIES_DAILY | 200 | body=splits-daily.json | $NIGHT
		SPLITS | 200 | body=splits.json | $NIGHT
		DIVIDENDS | 200 | body=dividends.json | $NIGHT
	E
	fetch --from 2025-12-15 ZZZT ZZZU --parallel 1 >out
	[ "$(functions | tr '\n' ' ')" = 'TIME_SERIES_DAILY_ADJUSTED TIME_SERIES_DAILY TIME_SERIES_DAILY ' ]
	[ "$(wc -l <out)" = 8 ]
	: >web.log
	fetch --from 2025-12-30 --adj split --type bar ZZZT >out
	[ "$(functions | tr '\n' ' ')" = 'TIME_SERIES_DAILY_ADJUSTED TIME_SERIES_DAILY SPLITS ' ]
	[ "$(jq -r .close out | tr '\n' ' ')" = '99.99 101.25 102.5 100.75 ' ]
	fetch --type bar,dividend,split --from 2025-12-15 ZZZT >out
	[ "$(functions | tail -n 2 | tr '\n' ' ')" = 'DIVIDENDS SPLITS ' ]
	[ "$(jq -r .type out | sort | uniq -c | tr -s ' ' | tr '\n' ,)" = ' 4 bar, 2 dividend, 3 split,' ]
	refused 4 premium_only false --adj all ZZZT
	[[ $detail == *'--adj none is free' ]]
}

@test "the whole history may be for paying customers: the newest hundred are free" {
	play <<-E
		outputsize=full | 200 | text={"Information":"Thank you for using Alpha Vantage! The outputsize=full parameter value is a premium feature for the TIME_SERIES_DAILY endpoint."}
		outputsize=compact | 200 | body=daily.json | $NIGHT
	E
	fetch --type bar --range max ZZZT >out
	[ "$(wc -l <out)" = 4 ]
	refused 4 premium_only false --type bar --from 2020-01-01 ZZZT
	[[ $detail == *'; free are the newest 100: --range 139d' ]]
}

@test "a function for paying customers alone is refused with status 4" {
	play <<<'function | 200 | text={"Information":"Thank you for using Alpha Vantage! This is a premium endpoint."}'
	refused 4 premium_only false --interval 5m ZZZT
	refused 4 premium_only false --type quote ZZZT 2>err || :
}

@test "Information about the demo key or an invalid one is no credential" {
	play <<-E
		symbol=ZZZA | 200 | text={"Information":"The **demo** API key is for demo purposes only. Please claim your free API key to explore our full API offerings."}
		symbol=ZZZB | 200 | text={"Information":"The apikey is invalid"}
	E
	refused 4 auth false --type bar ZZZA
	rm rejects
	refused 4 auth false --type bar ZZZB
	[[ $detail == *'see ALPHAVANTAGE_API_KEY in fl-fetch(1)'* ]]
}

@test "a message under a key that nobody has seen is an error as well" {
	play <<-E
		symbol=ZZZA | 200 | text={"Hint":"something new about requests per day"}
		symbol=ZZZB | 200 | text={"information":"this is premium"}
		symbol=ZZZC | 200 | text={"Meta Data":{},"Surprise":{}}
		symbol=ZZZD | 200 | text={"Hint":"no words we know"}
	E
	refused 3 quota_exceeded true --type bar ZZZA
	rm rejects
	refused 4 premium_only false --interval 5m ZZZB
	rm rejects
	refused 4 provider_error false --type bar ZZZC
	rm rejects
	refused 4 provider_error false --type bar ZZZD
}

@test "an empty object, an empty quote and no match are a symbol that is not found" {
	play <<-E
		OVERVIEW | 200 | text={}
		QUOTE | 200 | text={"Global Quote":{}}
		SEARCH | 200 | text={"bestMatches":[]}
		SERIES | 200 | text={}
	E
	for what in '--type instrument NOPE' '--type quote NOPE' '--search nothing' '--type bar NOPE'; do
		rm -f rejects
		# shellcheck disable=SC2086 # several words
		refused 4 unknown_symbol false $what
		[[ $detail == 'symbol not found: '* ]]
	done
}

@test "an error in answer to a question for CSV is told from rows" {
	play <<-E
		SERIES | 200 | text={"Error Message":"Invalid API call. Please retry"}
		LISTING | 200 | text={"Information":"our standard API rate limit is 25 requests per day"}
		EARNINGS | 200 | text={}
	E
	refused 4 unknown_symbol false --datatype csv --type bar ZZZT
	rm rejects
	refused 3 quota_exceeded true --listing active
	rm rejects
	refused 4 unknown_symbol false --calendar earnings
}

@test "rows made of the letters of a message are no rows" {
	play <<-E
		function | 200 | body=letters.csv
		function | 200 | body=earnings.csv | $NIGHT
	E
	fetch --calendar earnings >out
	[ "$(wc -l <out)" = 2 ]
	play <<<'function | 200 | body=letters.csv'
	refused 3 rate_limited true --calendar earnings
	[[ $detail == "the letters of a message came for rows: 'I,n,f,o,r,m,a'"* ]]
}

@test "pages, cut answers and bad statuses are told apart" {
	play <<-E
		symbol=ZZZA | 200 | text=<html><title>Just a moment</title></html>
		symbol=ZZZB | 429 | text=slow down
		symbol=ZZZC | 503 | text=busy
		symbol=ZZZD | 200 | text={"Time Series (Daily)":{"2026-01-
		symbol=ZZZE | 200 | text={"Time Series (Daily)":{"2026-01-02":{"1. open":"x"}}}
		symbol=ZZZF | 200 | text={"Time Series (Daily)":{"2026-13-02":{"1. open":"1"}}}
		symbol=ZZZG | 200 | text=[1]
		symbol=ZZZH | 200 | text=Thank you, and good bye
		symbol=ZZZI | 403 | text=no
	E
	local want='ZZZA 3 provider_error true ZZZB 3 rate_limited true ZZZC 3 http_status true ZZZD 3 provider_error true
		ZZZE 4 provider_error false ZZZF 4 provider_error false ZZZG 4 provider_error false ZZZH 4 provider_error false
		ZZZI 4 auth false'
	# shellcheck disable=SC2086 # words
	set -- $want
	while [ $# -gt 0 ]; do
		rm -f rejects
		refused "$2" "$3" "$4" --tries 1 --type bar "$1"
		shift 4
	done
}

@test "--fill asks for what a store lacks, and gives that alone" {
	play <<<"SERIES | 200 | body=daily.json | $NIGHT"
	fetch --type bar --from 2025-12-15 ZZZT | grep -v 2026-01-05 | fl-load x.db
	fetch --type bar --fill x.db ZZZT >out
	[ "$(jq -r .date out)" = 2026-01-05 ]
	fl-load x.db <out
	[ "$(fl-fetch store x.db | wc -l)" = 4 ]
}

@test "--resume asks for the end alone, as traded, and for all after a split" {
	play <<-E
		SERIES | 200 | body=daily.json | $NIGHT
		SERIES | 200 | body=splits-daily.json | $NIGHT
		SPLITS | 200 | text={"symbol":"ZZZT","data":[]}
		SPLITS | 200 | body=splits.json
	E
	fetch --type bar --from 2025-12-15 --resume x.db --pipeline p ZZZT | fl-load --pipeline p x.db
	fetch --type bar --resume x.db --pipeline p ZZZT | fl-load --pipeline p x.db
	[ "$(fl-fetch store x.db | wc -l)" = 4 ]
	[ "$(fl-load --positions x.db --pipeline p | jq -c '.at | keys')" = '["alphavantage:ZZZT/1d/none"]' ]
	play <<-E
		ADJUSTED | 200 | text={"Information":"This is a premium endpoint."}
		SERIES_DAILY | 200 | body=splits-daily.json | $NIGHT
		SPLITS | 200 | text={"symbol":"ZZZT","data":[]}
		SPLITS | 200 | body=splits.json
	E
	fetch --type bar --adj split --from 2025-12-29 --state s ZZZT >first
	now=1767751200 fetch --type bar --adj split --state s ZZZT >second # answers of a minute ago are kept
	[ "$(jq -r 'select(.type == "bar") | .close' first | head -n 1)" = 399.96 ]
	[ "$(jq -r 'select(.type == "bar") | .close' second | head -n 1)" = 99.99 ]
	# It is known now.
	now=1767754800 fetch --type bar --adj split --state s ZZZT >third
	[ "$(jq -r 'select(.type == "bar") | .date' third | head -n 1)" = 2026-01-02 ]
}

@test "what comes goes through fl-clean into a store, twice the same" {
	play <<-E
		SERIES | 200 | body=daily-adjusted.json | $NIGHT
		NEWS | 200 | body=news.json | $NIGHT
	E
	for _ in 1 2; do
		fetch --from 2025-12-15 ZZZT | fl-clean | fl-load x.db
		{ fetch --type news --range 30d ZZZT || :; } | fl-clean | fl-load x.db
	done
	fl-fetch store x.db --type bar | cmp - <(grep '"type":"bar"' "$data/daily-adjusted.ndjson")
	fl-fetch store x.db --type news | cmp - "$data/news.ndjson"
}

@test "whichever call of the program fails, no symbol is half given, and the status says so" {
	[ "${FL_VARIANT:-release}" = release ] || skip 'one variant is enough'
	play <<<"ZZZ | 200 | body=daily-adjusted.json | $NIGHT"
	whole_or_not 6 --from 2025-12-15
}
