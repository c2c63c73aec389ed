#!/usr/bin/env bats
# shellcheck disable=SC2001,SC2016,SC2030,SC2031,SC2154 # each test has its variables; run sets some
# fl-fetch yahoo: quotes, instruments, searches and screeners, with the cookie
# and the crumb that some of them need, played by a stand-in server. Answers are
# in tests/data/source/yahoo, all invented; `make golden` writes the records
# anew.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider yahoo
	export FL_STATE_DIR=$BATS_TEST_TMPDIR/state
}

# No secret is in anything that was written: every crumb and cookie of these tests
# has the word in it.
teardown() {
	local file
	end_provider
	for file in out err rejects runs.all more.*; do
		[ ! -e "$file" ] || ! grep -in 'hush' "$file" || fail "a secret is in $file"
	done
}

# What lets a visitor in: a cookie, then a crumb.
LET_IN='/fc | 404 | header=Set-Cookie: A3=d=HushCookie; Path=/; Max-Age=31557600 | text=not here
getcrumb | 200 | text=Hush.1/2'

# get STATUS ARG...: fl-fetch yahoo into out and err.
get() {
	local want=$1 got=0
	shift
	fl-fetch yahoo "$@" >out 2>err || got=$?
	[ "$got" = "$want" ] || fail "status $got instead of $want: $(cat err)"
}

# full: what was asked for, with Cookie, Accept, Content-Type and body.
full() { cut -d ' ' -f 2- web.log.full; }

# plain FILE: records without the time of their arrival.
plain() { sed 's/,"ts_recv":"[^"]*"//' "$1"; }

# golden NAME: what came is the file NAME.ndjson, canonical, and fl-clean finds
# nothing to change.
golden() {
	plain out >out.plain
	[ "${FL_GOLDEN-}" != write ] || cp out.plain "$data/$1.ndjson"
	diff -u "$data/$1.ndjson" out.plain
	fl-clean -q --dedup 0 out | cmp - out
	fl-clean -q --dedup 0 --canonical out | cmp - out
}

@test "--resume and --state are for bars" {
	run -2 fl-fetch yahoo --type quote --state x ZZZT
	[ "$output" = 'fl-fetch: --resume and --state go on with bars, and none are asked for' ]
}

@test "misuse of what is no bar" {
	run -2 fl-fetch yahoo --type quote
	[ "$output" = "fl-fetch: yahoo: no symbol named: fl-fetch yahoo SYMBOL..., or --symbols-from FILE" ]
	run -2 fl-fetch yahoo --type quote,news X
	[[ $output == *'in runs of their own: one kind in --type' ]]
	run -2 fl-fetch yahoo --type quote --interval 1m X
	[ "$output" = 'fl-fetch: --interval is for bars' ]
	run -2 fl-fetch yahoo --type news --adj all X
	[ "$output" = 'fl-fetch: --adj is for bars' ]
	run -2 fl-fetch yahoo --type quote --fill x.db X
	[ "$output" = 'fl-fetch: --fill is for bars' ]
	run -2 fl-fetch yahoo --type quote --from -1d X
	[[ $output == *'quotes and instruments are those of now' ]]
	run -2 fl-fetch yahoo --type quote --session night X
	[ "$output" = "fl-fetch: --session takes regular or all, not 'night'" ]
	run -2 fl-fetch yahoo --type news --session all X
	[ "$output" = 'fl-fetch: --session is for bars and quotes' ]
	run -2 fl-fetch yahoo --type quote --every 10ms X
	[ "$output" = 'fl-fetch: --every takes 1s and more' ]
	run -2 fl-fetch yahoo --every 10s X
	[ "$output" = 'fl-fetch: --every is for quotes: --type quote' ]
	run -2 fl-fetch yahoo --search a --screener day_gainers
	[ "$output" = 'fl-fetch: --search and --screener exclude each other' ]
	run -2 fl-fetch yahoo --search ' '
	[ "$output" = 'fl-fetch: --search takes a text to look for' ]
	run -2 fl-fetch yahoo --search a X
	[[ $output == *"without symbols"* ]]
	run -2 fl-fetch yahoo --search a --type quote
	[[ $output == *'--type instrument or --type news' ]]
	run -2 fl-fetch yahoo --screener day_gainers --type bar
	[[ $output == *'--type quote or --type instrument' ]]
	run -2 fl-fetch yahoo --screener day_gainer
	[ "$output" = "fl-fetch: unknown screener 'day_gainer' (did you mean 'day_gainers'?)" ]
	run -2 fl-fetch yahoo --screener 'a b'
	[[ $output == *"'a b' names no screener"* ]]
	run -2 fl-fetch yahoo --screener day_gainers --count 251
	[ "$output" = 'fl-fetch: --count takes 1 to 250, not 251' ]
	run -0 fl-fetch yahoo --help
	for option in --search --screener --feed --count --every --ordered; do
		[[ $output == *"      $option"* ]]
	done
}

@test "options and fundamentals are declined by name" {
	for type in option options; do
		run -2 fl-fetch yahoo --type $type X
		[ "$output" = "fl-fetch: yahoo: option chains are not fetched: no record type holds one; an option's own symbol has quotes and bars" ]
	done
	for type in fundamental fundamentals; do
		run -2 fl-fetch yahoo --type $type X
		[[ $output == 'fl-fetch: yahoo: fundamentals are not fetched: no record type holds balance sheets'* ]]
	done
	run -2 fl-fetch yahoo --type log X
	[ "$output" = 'fl-fetch: yahoo gives bar, dividend, split; quote; instrument; news; no log' ]
	run -2 fl-fetch sim --type options
	[[ $output == *"no record type 'options'"* ]]
}

# --- quotes ---------------------------------------------------------------------

@test "quotes come as records, in the order of the symbols" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote zz=f ZZZT '^ZZZ' ZZC-USD ZZZP.L
	golden quote
	[ "$(fields symbol | tr '\n' ' ')" = 'ZZ=F ZZZT ^ZZZ ZZC-USD ZZZP.L ' ]
	[ "$(asked | tail -n 1)" = '/v7/finance/quote?symbols=ZZ%3DF%2CZZZT%2C%5EZZZ%2CZZC-USD%2CZZZP.L&formatted=false&lang=en-US&region=US&crumb=Hush.1%2F2' ]
	# When they arrived stands in each.
	[ "$(jq -r .ts_recv out | cut -c 1-4 | sort -u)" = "$(date -u +%Y)" ]
}

@test "a bid of 0 is none, a volume of 0 is one, and an index may have no currency" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZC-USD ZZZP.L '^ZZZ'
	[ "$(fields symbol,bid,volume,open,currency)" = 'ZZC-USD null 25836544000 null USD
ZZZP.L null 0 null GBP
^ZZZ null null null null' ]
}

@test "pence become pounds, and that is recorded" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZZP.L
	[ "$(fields price,prev_close,change,change_pct,currency,currency_src,price_scale)" = '12.8825 12.9275 -0.045 -0.348 GBP GBp 0.01' ]
}

@test "the regular session's price is given, or with --session all the newest, named" {
	for state in pre post closed overnight; do
		play <<-E
			$LET_IN
			/v7/ | 200 | body=quote-$state.json
		E
		get 0 --type quote ZZZT
		[ "$(fields ts,price,change,market_state)" = '2026-01-02T21:00:00.000Z 101.25 1.25 closed' ]
		get 0 --type quote --session all ZZZT
		golden "quote-$state"
	done
	[ "$(fields price,market_state)" = '101.5 overnight' ]
}

@test "bare NaN and Infinity are read as null, other spellings of numbers as what they are" {
	sed 's/"regularMarketChange":[0-9.]*/"regularMarketChange":NaN/; s/"regularMarketVolume":123456/"regularMarketVolume":-Infinity/
		s/"bid":1286.5,/"bid":{"raw":1286.5,"fmt":"1,286.50"},/' "$data/quote.json" >words.json
	data=$PWD
	play <<-E
		$LET_IN
		/v7/ | 200 | body=words.json
	E
	get 0 --type quote ZZZT
	[ "$(fields price,bid,change,volume)" = '1286.57 1286.5 null null' ]
}

@test "what the answer leaves out is an unknown symbol, and what is delisted says so" {
	play <<-E
		$LET_IN
		NOPE | 200 | body=quote.json
		NONE | 200 | text={"quoteResponse":{"result":[{"symbol":"NONE","quoteType":"NONE"}],"error":null}}
		BARE | 200 | text={"quoteResponse":{"result":[{"symbol":"BARE","quoteType":"EQUITY"}],"error":null}}
		ODD | 200 | text={"quoteResponse":{"result":null,"error":null}}
	E
	run_json 1 fl-fetch yahoo --type quote --rejects rejects ZZZT NOPE
	[ "$(fields symbol)" = ZZZT ]
	grep -qx "fl-fetch: 'NOPE': no quote: the answer leaves it out (HTTP 200, yahoo)" err
	[ "$(jq -c '[.reason, .input, .http_status, .retryable]' rejects)" = '["unknown_symbol","NOPE",200,false]' ]
	grep -q '^fl-fetch: 2 in = 1 out + 1 rejected .*; 2 symbols, 1 request; ' err
	fl-clean -q rejects | cmp - rejects
	get 4 --type quote NOPE ZZZX
	[ "$(head -n 1 err)" = "fl-fetch: 'NOPE': no quote: the answer leaves it out (HTTP 200, yahoo)" ]
	get 4 --type quote NONE
	[ "$(head -n 1 err)" = "fl-fetch: 'NONE': delisted: its quoteType is NONE (HTTP 200, yahoo)" ]
	get 4 --type quote BARE
	[ "$(head -n 1 err)" = "fl-fetch: 'BARE': no price, or none with its time (HTTP 200, yahoo)" ]
	get 4 --type quote ODD
	[ "$(head -n 1 err)" = "fl-fetch: 'ODD': not a list of quotes (HTTP 200, yahoo)" ]
}

@test "three hundred symbols are three requests, and their order is kept" {
	printf 'Q%03d\n' {1..300} >list
	for n in 0 100 200; do
		seq $((n + 1)) $((n + 100)) | shuf --random-source=list | awk 'BEGIN { printf "{\"quoteResponse\":{\"result\":[" }
			{ printf "%s{\"symbol\":\"Q%03d\",\"regularMarketPrice\":%d.5,\"regularMarketTime\":1767387600}", (NR > 1 ? "," : ""), $1, $1 }
			END { print "],\"error\":null}}" }' >part$n.json
	done
	data=$PWD
	play <<-E
		$LET_IN
		symbols=Q001 | 200 | body=part0.json | delay=300
		symbols=Q101 | 200 | body=part100.json
		symbols=Q201 | 200 | body=part200.json
	E
	get 0 --type quote --symbols-from list --ordered
	[ "$(asked | grep -c v7)" = 3 ]
	fields symbol | cmp - list
	[ "$(tail -n 1 err)" = '' ] || grep -q '300 symbols, 3 requests' err
}

@test "a batch that fails is a reject for each symbol of it, and one line" {
	play <<-E
		$LET_IN
		/v7/ | 503 | text=busy
	E
	get 3 --type quote --tries 2 --rejects rejects ZZZT YYYT XXXT
	[ "$(jq -r .input rejects | tr '\n' ' ')" = 'ZZZT YYYT XXXT ' ]
	[ "$(jq -r .reason rejects | sort -u)" = http_status ]
	[ "$(head -n 1 err)" = "fl-fetch: yahoo gave none of 3 symbols; the first: 'ZZZT' and 2 more: busy (HTTP 503, yahoo)" ]
}

@test "--dry-run shows the URL without the crumb, and asks nobody" {
	play <<<'x | 200 | text=none'
	run -0 fl-fetch yahoo --type quote --dry-run ZZZT YYYT
	[ "$output" = "$url/v7/finance/quote?symbols=ZZZT%2CYYYT&formatted=false&lang=en-US&region=US&crumb=***" ]
	run -0 fl-fetch yahoo --screener day_gainers --dry-run
	[ "$output" = "$url/v1/finance/screener/predefined/saved?scrIds=day_gainers&count=100&formatted=false&crumb=***" ]
	[ ! -s web.log ]
}

@test "quotes go through fl-clean into a store, twice the same" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	for _ in 1 2; do
		fl-fetch yahoo --type quote ZZZT ZZC-USD | sed 's/"ts_recv":"[^"]*"/"ts_recv":"2026-01-07T01:00:00.000Z"/' |
			fl-clean -q | fl-load -q x.db
	done
	[ "$(fl-fetch store x.db | wc -l)" = 2 ]
}

# --- cookie and crumb -------------------------------------------------------------

@test "cookie and crumb are had once, and kept where nobody else may read them" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZZT
	[ "$(asked | cut -d '?' -f 1 | tr '\n' ' ')" = '/fc /v1/test/getcrumb /v7/finance/quote ' ]
	[ "$(stat -c %a state/yahoo-session)" = 600 ]
	[ "$(stat -c %a state)" = 700 ]
	[ "$(find state -type f | wc -l)" = 1 ]
	full | grep -q '^GET /v7.* | A3=d=HushCookie | '
	get 0 --type quote -v ZZZT
	[ "$(asked | wc -l)" = 4 ]
	full | tail -n 1 | grep -q '^GET /v7.*crumb=Hush.1%2F2 | A3=d=HushCookie | '
}

@test "visits count as requests" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote --limit 100/d ZZZT
	fl-fetch --quota >out
	[ "$(jq -c 'select(.subject == "yahoo") | .values.day_used' out)" = 3 ]
}

@test "what was recorded is played again without a network, and holds no secret" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZZT # cookies of an earlier run are no part of a recording
	get 0 --type quote --record rec ZZZT
	plain out >more.good
	run ! grep -rqi hush rec
	end_servers
	rm -r state
	get 0 --type quote --replay rec ZZZT
	plain out | cmp - more.good
	[ ! -e state/yahoo-session ]
	# So is what came without a crumb.
	play <<-E
		$NO_CRUMB
		chart/ | 200 | body=meta.json
	E
	get 0 --type quote --record rec2 ZZZT
	plain out >more.good
	end_servers
	get 0 --type quote --replay rec2 ZZZT
	plain out | cmp - more.good
}

@test "the state folder is FL_STATE_DIR, STATE_DIRECTORY, XDG_STATE_HOME or ~/.local/state" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	mkdir home
	export HOME=$PWD/home XDG_STATE_HOME=$PWD/xdg STATE_DIRECTORY=$PWD/systemd:$PWD/other
	get 0 --type quote ZZZT
	[ -s state/yahoo-session ]
	unset FL_STATE_DIR
	get 0 --type quote ZZZT
	[ -s systemd/yahoo-session ]
	unset STATE_DIRECTORY
	get 0 --type quote ZZZT
	[ -s xdg/financelake/yahoo-session ]
	unset XDG_STATE_HOME
	get 0 --type quote ZZZT
	[ -s home/.local/state/financelake/yahoo-session ]
	# Where there is none, the work is done all the same.
	FL_STATE_DIR=/dev/null/x get 0 --type quote -v ZZZT
	grep -q "yahoo's cookies are not kept: cannot make the folder '/dev/null/x': Not a directory" err
	env -u HOME fl-fetch yahoo --type quote ZZZT >out
	[ "$(fields symbol)" = ZZZT ]
}

@test "what was kept is not used once it has expired, was readable by others, or is another host's" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZZT
	kept=$(<state/yahoo-session)
	# Of a year each: one in seconds, one in milliseconds.
	past=$(($(date +%s) - 60)) later=$((($(date +%s) + 3600) * 1000))
	for change in "s/\t[0-9]*\tA3/\t$past\tA3/" "s/\t[0-9]*\tA3/\t${past}000\tA3/" 's/^http:.*/http:\/\/other.example/' \
		'3d' '1s/1/2/' '4,$d' 's/\t/ /g' '3s/.*/two words/'; do
		before=$(asked | grep -c getcrumb)
		sed "$change" <<<"$kept" >state/yahoo-session
		get 0 --type quote ZZZT
		[ "$(asked | grep -c getcrumb)" = $((before + 1)) ] || fail "used in spite of $change"
	done
	before=$(asked | grep -c getcrumb)
	chmod 644 state/yahoo-session
	get 0 --type quote -v ZZZT
	grep -q "yahoo-session' is not ours alone (mode 0600): not used" err
	[ "$(stat -c %a state/yahoo-session)" = 600 ]
	[ "$(asked | grep -c getcrumb)" = $((before + 1)) ]
	sed "s/\t[0-9]*\tA3/\t$later\tA3/" <<<"$kept" >state/yahoo-session
	get 0 --type quote ZZZT
	[ "$(asked | grep -c getcrumb)" = $((before + 1)) ]
}

@test "a crumb may hold a slash as an escape, and is encoded" {
	play <<-'E'
		/fc | 200 | header=Set-Cookie: A1=Hush; Path=/
		getcrumb | 200 | text=Hu\u002Fsh.+a=
		crumb=Hu%2Fsh.%2Ba%3D | 200 | body=quote.json
	E
	get 0 --type quote ZZZT
	[ "$(fields symbol)" = ZZZT ]
}

@test "a host that blockers block is no hindrance: a page sets cookies, too" {
	play <<-E
		/fc | 200 | drop
		/finance/quote/AAPL | 200 | header=Set-Cookie: A1=HushPage; Path=/ | text=<html>
		getcrumb | 200 | text=Hush11
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZZT
	full | grep -q '^GET /finance/quote/AAPL | - | text/html,application/xhtml+xml,application/xml | '
	full | grep -q '^GET /v7.* | A1=HushPage | '
}

@test "a getcrumb that says Too Many Requests with status 200 gives no crumb" {
	play <<-E
		/fc | 200 | header=Set-Cookie: A1=HushOne; Path=/
		getcrumb | 200 | text=Too Many Requests
		/guce/consent | 200 | header=Set-Cookie: A1=HushTwo; Path=/ | text=<html>
		chart/ZZZT | 200 | body=meta.json
	E
	get 0 --type quote ZZZT
	[ "$(asked | grep -c getcrumb)" = 2 ]
	run ! grep -q 'Too' <(asked)
	[ "$(head -n 1 err)" = 'fl-fetch: yahoo: quotes come from charts, which tell less, as no crumb is to be had: Too Many Requests (HTTP 200)' ]
}

@test "nothing else is taken for a crumb either" {
	for answer in '200 | text=' '200 | text=<html><body>HushX</body>' '200 | text={"finance":{}}' '404 | text=HushX' \
		"200 | text=$(printf 'x%.0s' {1..65})" '200 | text=Hush X'; do
		rm -rf state
		play <<-E
			/fc | 200 | header=Set-Cookie: A1=HushOne; Path=/
			getcrumb | $answer
			/guce/ | 500 | text=broken
			chart/ZZZT | 200 | body=meta.json
		E
		get 0 --type quote ZZZT
		[ "$(fields symbol)" = ZZZT ]
		run ! grep -q /v7/ <(asked)
	done
}

@test "in Europe consent is given on the page that redirects lead to" {
	play <<-E
		/fc | 302 | header=Location: /guce/consent?gcrumb=HushG
		/guce/consent | 302 | header=Location: /consent/v2/collectConsent?sessionId=3_cc-session_42
		/v2/collectConsent | 200 | body=consent.html
		/v2/collectConsent | 302 | header=Set-Cookie: CFC=HushCfc; Path=/ | header=Location: /guce/copyConsent?sessionId=3_cc-session_42
		/guce/copyConsent | 302 | header=Set-Cookie: A1=HushA1; Path=/ | header=Location: /fc/back
		getcrumb | 200 | text=HushCrumb
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote -v ZZZT
	[ "$(fields symbol)" = ZZZT ]
	full | grep -qF 'POST /consent/v2/collectConsent?sessionId=3_cc-session_42 | - | text/html,application/xhtml+xml,application/xml | application/x-www-form-urlencoded | csrfToken=csrf-1%2F2%263&sessionId=3_cc-session_42&originalDoneUrl=https%3A%2F%2Fwww.yahoo.com%2F%3Fguccounter%3D1&namespace=yahoo&agree=agree&agree=agree'
	full | grep -q '^GET /v7.*A1=HushA1'
	# Neither the session nor the token is in the log of -v.
	run ! grep -E 'session_42|csrf-' err
}

@test "where that does not help, consent is given the other way, once" {
	play <<-E
		/fc | 200 | text=
		/finance/quote/AAPL | 500 | text=
		/guce/consent | 302 | header=Location: /consent/v2/collectConsent?sessionId=3_cc-session_42
		/v2/collectConsent | 200 | body=consent.html
		/v2/collectConsent | 200 | text=thanks
		/guce/copyConsent?sessionId=3_cc-session_42 | 200 | header=Set-Cookie: A1=HushA1; Path=/
		getcrumb | 200 | text=HushCrumb
		/v7/ | 200 | body=quote.json
	E
	get 0 --type quote ZZZT
	[ "$(fields symbol)" = ZZZT ]
	full | grep -q '^POST /consent/v2.*namespace=yahoo&consentUUID=default&agree=agree&agree=agree$'
	[ "$(asked | cut -d '?' -f 1 | tr '\n' ' ')" = '/fc /finance/quote/AAPL /guce/consent /consent/v2/collectConsent /consent/v2/collectConsent /guce/copyConsent /v1/test/getcrumb /v7/finance/quote ' ]
}

@test "a circle of consent, or a page without its form, leads to charts" {
	play <<-E
		/fc | 302 | header=Location: /guce/consent
		/guce/consent | 302 | header=Location: /fc
		/finance/quote/AAPL | 302 | header=Location: /consent/v2/collectConsent?sessionId=Hush
		/v2/collectConsent | 200 | text=<html><input type="hidden" name="other" value="HushX">
		chart/ZZZT | 200 | body=meta.json
	E
	get 0 --type quote -v ZZZT
	[ "$(fields symbol)" = ZZZT ]
	[ "$(asked | grep -c -e /guce/consent -e '/fc$')" -le 18 ]
	[ "$(grep -c 'quotes come from charts' err)" = 1 ]
	grep -q 'as no crumb is to be had: no form on the page that asks for consent (HTTP 200)' err
}

@test "a crumb that is refused is had anew, by the other way, and the question asked again" {
	play <<-E
		/fc | 200 | header=Set-Cookie: A1=HushOne; Path=/
		getcrumb | 200 | text=HushOld
		getcrumb | 200 | text=HushNew
		/guce/consent | 200 | header=Set-Cookie: A1=HushTwo; Path=/ | text=<html>
		crumb=HushOld | 401 | text={"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}
		crumb=HushNew | 200 | body=quote.json
	E
	get 0 --type quote --rejects rejects ZZZT
	[ "$(fields symbol)" = ZZZT ]
	[ ! -s rejects ]
	full | grep -q '^GET /v7.*HushNew | A1=HushTwo | '
	grep -q HushNew state/yahoo-session
}

@test "several batches share a new crumb" {
	printf 'Q%03d\n' {1..300} >list
	play <<-E
		/fc | 200 | header=Set-Cookie: A1=HushOne; Path=/
		getcrumb | 200 | text=HushOld
		getcrumb | 200 | text=HushNew
		/guce/consent | 200 | header=Set-Cookie: A1=HushTwo; Path=/ | text=<html>
		crumb=HushOld | 401 | text={"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}
		crumb=HushNew | 200 | text={"quoteResponse":{"result":[{"symbol":"Q001","regularMarketPrice":1,"regularMarketTime":1}],"error":null}}
	E
	get 1 --type quote --symbols-from list
	[ "$(fields symbol)" = Q001 ]
	[ "$(asked | grep -c getcrumb)" = 2 ]
}

@test "a crumb that is refused twice is given up, and the kept one forgotten" {
	play <<-E
		/fc | 200 | header=Set-Cookie: A1=HushOne; Path=/
		getcrumb | 200 | text=HushC
		/guce/consent | 200 | header=Set-Cookie: A1=HushTwo; Path=/ | text=<html>
		/v7/ | 401 | text={"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb HushC"}}}
		chart/ZZZT | 200 | body=meta.json
	E
	get 0 --type quote -v --rejects rejects ZZZT
	[ "$(fields symbol)" = ZZZT ]
	[ "$(asked | grep -c /v7/)" = 2 ]
	[ "$(asked | grep -c getcrumb)" = 2 ]
	[ ! -e state/yahoo-session ]
	grep -q 'as no crumb is to be had: the crumb is refused' err
}

# --- without a crumb ---------------------------------------------------------------

NO_CRUMB='/fc | 200 | text=
/finance/quote/AAPL | 200 | text=
/guce/ | 200 | text='

@test "without a crumb the chart's meta tells the quote, which is said once" {
	play <<-E
		$NO_CRUMB
		chart/NOPE | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}
		chart/ | 200 | body=meta.json
	E
	get 1 --type quote --rejects rejects ZZZT NOPE YYYT
	[ "$(grep -c 'quotes come from charts, which tell less, as no crumb is to be had: no cookie is set' err)" = 1 ]
	grep -qx "fl-fetch: 'NOPE': Not Found: No data found, symbol may be delisted (HTTP 404, yahoo)" err
	[ "$(jq -c '[.reason, .input, .http_status, .provider_code]' rejects)" = '["unknown_symbol","NOPE",404,"Not Found"]' ]
	[ "$(fields symbol,symbol_src | tr '\n' ' ')" = 'ZZZT null YYYT ZZZT ' ]
	get 0 --type quote ZZZT
	golden quote-meta
	[ "$(asked | tail -n 1)" = '/v8/finance/chart/ZZZT?range=1d&interval=1d&includePrePost=false' ]
	run ! grep -q /v7/ <(asked)
}

@test "without a crumb, who is told to slow down does not ask for the rest" {
	play <<-E
		$NO_CRUMB
		chart/ZZZ1 | 200 | body=meta.json
		chart/ | 429 | text=Too Many Requests
	E
	get 1 --type quote --tries 1 --rejects rejects ZZZ1 ZZZ2 ZZZ3 ZZZ4
	[ "$(fields symbol)" = ZZZ1 ]
	[ "$(asked | grep -c chart)" = 2 ]
	[ "$(jq -r '"\(.reason) \(.input)"' rejects | tr '\n' ' ')" = 'rate_limited ZZZ2 rate_limited ZZZ3 rate_limited ZZZ4 ' ]
}

@test "without a crumb, a chart that does not come takes no other symbol with it" {
	play <<-E
		$NO_CRUMB
		chart/ZZZ2 | 200 | body=meta.json | cut=100
		chart/ZZZ3 | 200 | text=<html>
		chart/ | 200 | body=meta.json
	E
	get 1 --type quote --tries 1 --rejects rejects ZZZ1 ZZZ2 ZZZ3 ZZZ4
	[ "$(fields symbol | tr '\n' ' ')" = 'ZZZ1 ZZZ4 ' ]
	[ "$(jq -r '"\(.reason) \(.input)"' rejects | tr '\n' ' ')" = 'truncated ZZZ2 provider_error ZZZ3 ' ]
}

# --- again and again ---------------------------------------------------------------

@test "--every asks again without drift, gives at once, and ends well" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json | delay=400
	E
	fl-fetch yahoo --type quote --every 1s ZZZT >out 2>err &
	pid=$!
	sleep 0.8
	[ "$(wc -l <out)" = 1 ] # though nobody ended it
	sleep 3.4
	kill -TERM $pid
	got=0
	wait $pid || got=$?
	[ "$got" = 143 ]
	[ "$(wc -l <out)" = 4 ] || [ "$(wc -l <out)" = 5 ]
	# By the server's clock: each in its second, however long one takes.
	full_ms=$(grep /v7/ web.log.full | cut -d ' ' -f 1)
	first=$(head -n 1 <<<"$full_ms") n=0
	while read -r ms; do
		off=$((ms - first - 1000 * n++))
		[ $((off < 0 ? -off : off)) -le 250 ] || fail "drifts: $full_ms"
	done <<<"$full_ms"
	[ "$n" -ge 4 ]
}

@test "--every leaves out what it is late for" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
		/v7/ | 200 | body=quote.json | delay=1400
		/v7/ | 200 | body=quote.json
	E
	timeout -s TERM 4.5 fl-fetch yahoo --type quote --every 1s ZZZT >out || true
	times=$(grep /v7/ web.log.full | cut -d ' ' -f 1)
	first=$(head -n 1 <<<"$times")
	[ "$(while read -r ms; do echo $(((ms - first + 250) / 1000)); done <<<"$times" | tr '\n' ' ')" = '0 1 3 4 ' ] || fail "$times"
}

@test "--every outlives an outage, which is told once, and its rejects are kept" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
		/v7/ | 503 | text=busy
		/v7/ | 503 | text=busy
		/v7/ | 200 | body=quote.json
	E
	got=0
	timeout -s TERM 3.6 fl-fetch yahoo --type quote --every 1s --tries 1 --rejects rejects ZZZT >out 2>err || got=$?
	[ "$got" = 124 ]
	[ "$(wc -l <out)" = 2 ]
	[ "$(jq -r .reason rejects | uniq -c | tr -s ' ')" = ' 2 http_status' ]
	[ "$(grep -c "'ZZZT': busy" err)" = 1 ]
}

@test "--every ends where nothing will ever come" {
	play <<-E
		$LET_IN
		/v7/ | 200 | body=quote.json
	E
	get 4 --type quote --every 1s NOPE
	[ "$(head -n 1 err)" = "fl-fetch: 'NOPE': no quote: the answer leaves it out (HTTP 200, yahoo)" ]
}

# --- instruments ---------------------------------------------------------------------

@test "instruments come with name, sector, industry, currency and exchange" {
	play <<-E
		$LET_IN
		quoteSummary/ZZZT | 200 | body=summary.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
		quoteSummary/ZZC-USD | 200 | body=summary-sparse.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
	E
	get 0 --type instrument ZZZT ZZC-USD
	golden instrument
	[ "$(fields name,sector,industry,country,currency,mic | head -n 1)" = 'Example Test Inc. Technology Software - Testing US USD XNAS' ]
	[ "$(asked | tail -n 2 | head -n 1)" = '/v10/finance/quoteSummary/ZZZT?modules=price%2CquoteType%2CassetProfile&formatted=false&corsDomain=finance.yahoo.com&crumb=Hush.1%2F2' ]
}

@test "an unknown instrument is told in Yahoo's own words" {
	play <<-E
		$LET_IN
		quoteSummary/NOPE | 404 | text={"quoteSummary":{"result":null,"error":{"code":"Not Found","description":"Quote not found for symbol: NOPE"}}}
		quoteSummary/ODD | 200 | text={"quoteSummary":{"result":[],"error":null}}
	E
	get 4 --type instrument NOPE
	[ "$(head -n 1 err)" = "fl-fetch: 'NOPE': Not Found: Quote not found for symbol: NOPE (HTTP 404, yahoo)" ]
	get 4 --type instrument ODD
	[ "$(head -n 1 err)" = "fl-fetch: 'ODD': not a summary (HTTP 200, yahoo)" ]
	[ "$(asked | grep -c getcrumb)" = 1 ]
}

@test "without a crumb the chart's meta tells the instrument, which is said once" {
	play <<-E
		$NO_CRUMB
		chart/ | 200 | body=meta.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
	E
	get 0 --type instrument ZZZT YYYT
	[ "$(grep -c 'instruments come from charts, without sector and industry' err)" = 1 ]
	golden instrument-meta
}

# --- searches and screeners ------------------------------------------------------------

@test "--search finds instruments, and needs no crumb" {
	play <<-E
		/v1/finance/search | 200 | body=search.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
	E
	get 1 --search 'example & test' --rejects rejects
	golden search
	[ "$(fields symbol,symbol_src,asset | tr '\n' ' ')" = 'ZZZT null equity ZZZT.L zzzt.l equity ZZ=F null future ' ]
	[ "$(asked)" = '/v1/finance/search?q=example%20%26%20test&quotesCount=20&newsCount=0&enableFuzzyQuery=false&quotesQueryId=tss_match_phrase_query' ]
	[ "$(jq -r '"\(.reason) \(.detail)"' rejects)" = 'missing_field an entry without a symbol (HTTP 200, yahoo)' ]
	get 0 --search example --count 2
	[ "$(wc -l <out)" = 2 ]
	[ ! -e state/yahoo-session ]
}

@test "a search that finds nothing is an empty result" {
	play <<<'search | 200 | text={"count":0,"quotes":[],"news":[]}'
	get 0 --search nothing
	[ ! -s out ]
}

@test "--screener gives the quotes of a list, or what they are" {
	play <<-E
		$LET_IN
		scrIds=day_gainers | 200 | body=screener.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
		scrIds=new_one | 200 | body=screener.json
	E
	get 0 --screener day_gainers --count 25
	[ "$(fields type,symbol | tr '\n' ' ')" = 'quote ZZZT quote ZZC-USD ' ]
	grep -q '"symbol":"ZZC-USD","price":0.000012345,' out
	[ "$(asked | tail -n 1)" = '/v1/finance/screener/predefined/saved?scrIds=day_gainers&count=25&formatted=false&crumb=Hush.1%2F2' ]
	get 0 --screener day_gainers --type instrument
	golden screener
	get 0 --screener new_one,day_gainers
	[ "$(wc -l <out)" = 4 ]
}

@test "a screener that Yahoo does not know, or that needs no crumb" {
	play <<-E
		$NO_CRUMB
		scrIds=most_actives | 200 | body=screener.json
		scrIds=other | 400 | text={"finance":{"result":null,"error":{"code":"Bad Request","description":"Invalid scrId"}}}
	E
	get 0 --screener most_actives
	[ "$(wc -l <out)" = 2 ]
	[[ $(asked | tail -n 1) != *crumb* ]]
	get 4 --screener other
	[ "$(head -n 1 err)" = "fl-fetch: 'other': Bad Request: Invalid scrId (HTTP 400, yahoo)" ]
}

# --- secrets -----------------------------------------------------------------------------

@test "no secret is in a message, a log, a reject or the account" {
	# Yahoo repeats the crumb in its errors, in every way.
	play <<-E
		/fc | 200 | header=Set-Cookie: A3=HushCookie; Path=/
		getcrumb | 200 | text=Hush/Crumb
		/v7/ | 503 | text=<title>no Hush/Crumb here</title>
		quoteSummary | 200 | text={"quoteSummary":{"result":null,"error":{"code":"Internal","description":"Hush/Crumb broke"}}}
		scrIds | 500 | text=oops Hush/Crumb
	E
	for what in '--type quote ZZZT YYYT' '--type instrument ZZZT' '--screener day_gainers'; do
		for more in -v --stats=json --stats=text -q; do
			got=0
			# shellcheck disable=SC2086 # words on purpose
			fl-fetch yahoo $what $more --tries 2 --rejects rejects >more.out 2>more.err || got=$?
			[ "$got" = 3 ] || [ "$got" = 4 ]
			cat more.out more.err >>more.all
		done
	done
	run ! grep -qi hush more.all rejects runs.all
	grep -q '\*\*\*' rejects
	[ "$(jq -r .raw rejects | grep -c '\*\*\*')" -gt 3 ]
	grep -q 'crumb=\*\*\*' more.all
}
