#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has its variables; serve uses data and sets url; run sets output
# fl-fetch yahoo,alphavantage,csv:DIR: what one source does not have of the
# symbols the next is asked for, and who answered stands in `provider`.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider yahoo
	unset ALPHAVANTAGE_API_KEY
	export FL_CLOCK=$NIGHT_S
	mkdir prices
	printf 'Date,Open,High,Low,Close,Volume\n2026-01-0%d,10,12,9,11,100\n' 2 >prices/CSVA.csv
	printf 'Date,Open,High,Low,Close,Volume\n2026-01-02,20,22,19,21,100\n2026-01-05,21,23,20,22,100\n' |
		gzip >prices/CSVB.csv.gz
	printf 'nonsense\n' >prices/CSVC.csv
	serve <<-END
		CSV | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}
		NOPE | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}
		/v8 | 200 | body=good.json | $NIGHT
	END
	export FL_YAHOO_URL=$url
	serve av <<-'END'
		symbol=CSVA& | 200 | text={"Meta Data":{"1. Information":"Daily Prices (open, high, low, close) and Volumes","2. Symbol":"CSVA","3. Last Refreshed":"2026-01-06","4. Output Size":"Compact","5. Time Zone":"US/Eastern"},"Time Series (Daily)":{"2026-01-06":{"1. open":"1","2. high":"2","3. low":"1","4. close":"2","5. volume":"5"}}}
		DIVIDENDS | 200 | text={"symbol":"CSVA","data":[]}
		SPLITS | 200 | text={"symbol":"CSVA","data":[]}
		/query | 200 | text={"Error Message":"Invalid API call. Please retry or visit the documentation"}
	END
	export FL_ALPHAVANTAGE_URL=$url
}

teardown() { end_provider; }

fetch() { clocked fl-fetch "$@"; }

# who: which provider gave bars of which symbol.
who() { jq -r 'select(.type == "bar") | "\(.provider) \(.symbol)"' | uniq; }

@test "each symbol comes from the first source that has it" {
	fetch yahoo,csv:prices --from 2025-12-15 CSVB ZZZT CSVA >out
	[ "$(who <out)" = 'yahoo ZZZT
csv CSVB
csv CSVA' ] || fail "$(who <out)"
	[ "$(jq -r 'select(.provider == "csv") | .date' out | tr '\n' ' ')" = '2026-01-02 2026-01-05 2026-01-02 ' ]
	# The times hold for files, too.
	fetch yahoo,csv:prices --from 2026-01-03 CSVB >out
	[ "$(jq -r .date out)" = 2026-01-05 ]
	# What the first has the others are not asked for.
	[ "$(asked | grep -c ZZZT)" = 1 ]
}

@test "three sources in a row, with the options of one name for all" {
	ALPHAVANTAGE_API_KEY=demo1234 fetch yahoo,alphavantage,csv:prices --interval 1d --from 2025-12-15 ZZZT CSVA CSVB >out
	[ "$(who <out)" = 'yahoo ZZZT
alphavantage CSVA
csv CSVB' ] || fail "$(who <out)"
	run -2 --separate-stderr fetch yahoo,csv:prices --interval 1M ZZZT
	[[ $stderr == *"interval '1M' is unclear"* ]] || true
}

@test "a symbol that all refuse is one reject with the words of each" {
	got=0
	ALPHAVANTAGE_API_KEY=demo1234 fetch yahoo,alphavantage,csv:prices --rejects rejects ZZZT NOPE >out 2>err || got=$?
	[ "$got" = 1 ]
	[ "$(wc -l <rejects)" = 1 ]
	[ "$(jq -r .reason rejects)" = unknown_symbol ]
	[[ "$(jq -r .detail rejects)" == "yahoo: Not Found: No data found, symbol may be delisted (HTTP 404, yahoo); alphavantage: Invalid API call"*"; csv: no file 'prices/NOPE.csv'" ]] || fail "$(jq -r .detail rejects)"
	grep -q "^fl-fetch: 'NOPE': yahoo: Not Found" err
	run -4 --separate-stderr fetch yahoo,csv:prices NOPE
	[ "${stderr_lines[0]}" = "fl-fetch: 'NOPE': yahoo: Not Found: No data found, symbol may be delisted (HTTP 404, yahoo); csv: no file 'prices/NOPE.csv'" ] || fail "$stderr"
}

@test "a source that cannot be asked, and a file that is none, are passed over with their words" {
	got=0
	fetch yahoo,alphavantage,csv:prices --rejects rejects CSVB CSVC >out 2>err || got=$?
	[ "$got" = 1 ]
	[ "$(who <out)" = 'csv CSVB' ]
	[[ "$(jq -r .detail rejects)" == *"alphavantage needs a key"*"csv: "* ]] || fail "$(jq -r .detail rejects)"
}

@test "a quota that is used up goes on with the next source" {
	FL_LIMIT=yahoo:1/d fetch yahoo,csv:prices --parallel 1 ZZZT CSVA CSVB >out
	[ "$(who <out)" = 'yahoo ZZZT
csv CSVA
csv CSVB' ]
	[ "$(wc -l <web.log)" = 1 ]
}

@test "lists name sources that are asked by symbol" {
	run -2 --separate-stderr fl-fetch yahoo,yaho X
	[ "$stderr" = "fl-fetch: unknown source 'yaho' (did you mean 'yahoo'?); see fl-fetch --list-sources" ]
	run -2 --separate-stderr fl-fetch yahoo,sim X
	[ "$stderr" = "fl-fetch: a list of sources takes those that are asked by symbol, and csv:DIR; not 'sim'" ]
	run -2 --separate-stderr fl-fetch yahoo,csv:prices
	[[ $stderr == "fl-fetch: yahoo,csv:prices: no symbol named: "* ]]
	run -0 fl-fetch yahoo,csv:prices --help
	[[ $output == *"--date-format"* && $output == *"--adj"* ]]
	run -0 fetch yahoo,csv:prices --dry-run ZZZT
	[[ $output == "$FL_YAHOO_URL/v8/finance/chart/ZZZT"* ]]
}
