#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # each test has its variables; run sets some
# fl-fetch yahoo --type news: stories of Yahoo's search and its RSS feed, played
# by a stand-in server. Answers are in tests/data/source/yahoo, all invented;
# `make golden` writes the records anew.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider yahoo
	! fl-fetch yahoo --type news --feed rss --dry-run X 2>&1 | grep -q 'made without expat' ||
		skip 'built without expat'
	export FL_STATE_DIR=$BATS_TEST_TMPDIR/state
}

teardown() { end_provider; }

# get STATUS ARG...: fl-fetch yahoo --type news into out, err and rejects.
get() {
	local want=$1 got=0
	shift
	rm -f rejects
	fl-fetch yahoo --type news --rejects rejects "$@" >out 2>err || got=$?
	[ "$got" = "$want" ] || fail "status $got instead of $want: $(cat err)"
}

# golden NAME: what came is that, and fl-clean refuses again what was refused.
golden() {
	is_golden "$1"
	fl-clean -q rejects | cmp - rejects
}

# feed ITEM: an RSS feed of one item.
feed() { printf '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><item>%s</item></channel></rss>' "$1"; }

@test "stories of search and feed come as records, by time, each once" {
	play <<-E
		/v1/finance/search | 200 | body=news.json
		/feeds/rss | 200 | body=news.xml
	E
	get 1 ZZZT
	golden news
	[ "$(asked)" = '/v1/finance/search?q=ZZZT&quotesCount=0&newsCount=20&enableFuzzyQuery=false&newsQueryId=news_cie_vespa
/feeds/rss/2.0/headline?s=ZZZT&region=US&lang=en-US' ]
	# The feed's sentence stands beside the search's publisher.
	[ "$(jq -r 'select(.id | endswith("1")) | [.publisher, .summary] | join(": ")' out)" = 'Example Wire: Made-up summary of what & how <b>much</b>.' ]
	# No cookie is needed.
	[ ! -e state ] || [ -z "$(ls state)" ]
}

@test "an id that the provider has not given is made of the address" {
	play <<-E
		search | 200 | body=news.json
	E
	get 1 --feed search ZZZT
	[ "$(jq -r 'select(.title == "No id of its own") | .id' out)" = "$(printf 'https://example.org/c' | sha256sum | cut -c 1-32)" ]
}

@test "--feed names one of both" {
	play <<-E
		search | 200 | body=news.json
		/feeds/rss | 200 | body=news.xml
	E
	get 1 --feed rss ZZZT
	golden news-rss
	[[ $(asked) == /feeds/* ]]
	get 1 --feed search ZZZT
	golden news-search
	[[ $(asked | tail -n 1) == /v1/* ]]
	run -2 fl-fetch yahoo --type news --feed wire X
	[ "$output" = "fl-fetch: --feed takes search, rss or both, not 'wire'" ]
	run -2 fl-fetch yahoo --type quote --feed rss X
	[ "$output" = 'fl-fetch: --feed is for news: --type news' ]
}

@test "--from, --to and --last select stories" {
	play <<-E
		search | 200 | body=news.json
		/feeds/rss | 200 | body=news.xml
	E
	get 1 --last 1 ZZZT
	[ "$(fields ts)" = 2026-01-02T18:00:00.000Z ]
	get 1 --from 2026-01-02T17:00Z --to 2026-01-02T17:30Z ZZZT
	[ "$(fields ts | tr '\n' ' ')" = '2026-01-02T17:00:00.000Z ' ]
}

@test "--search gives the stories about a text" {
	play <<<'search | 200 | body=news.json'
	get 1 --search 'rate cut'
	[[ $(asked) == '/v1/finance/search?q=rate%20cut&quotesCount=0&'* ]]
	[ "$(wc -l <out)" = 3 ]
	run -2 fl-fetch yahoo --type news --search x --feed rss
	[[ $output == *'--search goes with --feed search' ]]
}

@test "--dry-run shows both addresses" {
	run -0 fl-fetch yahoo --type news --dry-run ZZZT
	[ "$output" = 'https://query2.finance.yahoo.com/v1/finance/search?q=ZZZT&quotesCount=0&newsCount=20&enableFuzzyQuery=false&newsQueryId=news_cie_vespa
https://feeds.finance.yahoo.com/rss/2.0/headline?s=ZZZT&region=US&lang=en-US' ]
}

@test "when one of both fails the other one's are given, and that is said once" {
	play <<-E
		search | 200 | body=news.json
		/feeds/rss | 404 | text=gone
	E
	get 1 ZZZT YYYT
	[ "$(grep -c 'news come from the search alone' err)" = 1 ]
	grep -qE "^fl-fetch: '(ZZZT|YYYT)': news come from the search alone: gone \(HTTP 404, yahoo\)$" err
	[ "$(wc -l <out)" = 6 ]
	play <<-E
		search | 200 | text=<html><title>Will be right back</title>
		/feeds/rss | 200 | body=news.xml
	E
	get 1 ZZZT
	grep -qx "fl-fetch: 'ZZZT': news come from the feed alone: no JSON: 'Will be right back' (HTTP 200, yahoo)" err
	[ "$(wc -l <out)" = 2 ]
	play <<-E
		search | 200 | drop
		/feeds/rss | 200 | body=news.xml
	E
	get 1 --tries 1 ZZZT
	[ "$(wc -l <out)" = 2 ]
}

@test "when both fail so does the symbol, and the others go on" {
	play <<-E
		q=BAD | 404 | text=gone
		s=BAD | 404 | text=gone
		search | 200 | body=news.json
		/feeds/rss | 200 | body=news.xml
	E
	get 1 BAD ZZZT
	[ "$(jq -r 'select(.input == "BAD") | "\(.reason) \(.http_status)"' rejects)" = 'http_status 404' ]
	[ "$(wc -l <out)" = 4 ]
	get 4 BAD
}

@test "no news is an empty result" {
	play <<-E
		search | 200 | text={"quotes":[],"news":[]}
		/feeds/rss | 200 | text=<rss version="2.0"><channel><title>none</title></channel></rss>
	E
	get 0 ZZZT
	[ ! -s out ]
	[ ! -s rejects ]
}

@test "a feed that is HTML, cut or none is no feed" {
	for text in '<!DOCTYPE html><html><body>Hello</body></html>' '<html><body>' '{"news":[]}' '' \
		'<rss version="2.0"><channel><item><title>half' '<feed xmlns="http://www.w3.org/2005/Atom"></feed>'; do
		play <<<"/feeds/rss | 200 | text=$text"
		get 3 --feed rss ZZZT
		[ ! -s out ]
		[[ $(head -n 1 err) == "fl-fetch: 'ZZZT': no feed: line "*" (HTTP 200, yahoo)" ]] || fail "$(head -n 1 err)"
	done
}

@test "XML bombs are refused, not expanded" {
	{
		printf '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">'
		for n in {1..12}; do printf '<!ENTITY a%d "%s">' "$n" "$(printf "&a$((n - 1));%.0s" {1..16})"; done
		printf ']><rss version="2.0"><channel><item><title>&a12;</title></item></channel></rss>'
	} >bomb.xml
	printf '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>' >file.xml
	{
		printf '<rss>'
		printf '<a>%.0s' {1..100000}
	} >deep.xml
	{
		printf '<rss><channel><item><title>'
		head -c 100000 /dev/zero | tr '\0' a
		printf '</title></item></channel></rss>'
	} >long.xml
	data=$PWD
	play <<-E
		s=BOMB | 200 | body=bomb.xml
		s=FILE | 200 | body=file.xml
		s=DEEP | 200 | body=deep.xml
		s=LONG | 200 | body=long.xml
	E
	for symbol in BOMB FILE; do
		run_json 3 fl-fetch yahoo --type news --feed rss $symbol
		[[ $(head -n 1 err) == *'it has a document type, which no feed needs'* ]]
		[ "$(jq .max_rss_bytes <<<"$record")" -lt 60000000 ] || [ "$FL_VARIANT" != release ]
	done
	get 3 --feed rss DEEP
	[[ $(head -n 1 err) == *'it is nested too deep'* ]]
	get 3 --feed rss LONG
	[[ $(head -n 1 err) == *'an element of it is too long'* ]]
	[ ! -s out ]
}

@test "dates of feeds are read in all their forms" {
	while IFS='|' read -r date ts; do
		play <<<"/feeds/rss | 200 | text=$(feed "<title>a</title><link>https://example.org/a</link><pubDate>$date</pubDate>")"
		if [ "$ts" = none ]; then
			get 1 --feed rss ZZZT
			[ "$(jq -r .reason rejects)" = bad_time ] || fail "$date"
		else
			get 0 --feed rss ZZZT
			[ "$(fields ts)" = "$ts" ] || fail "$date: $(fields ts)"
		fi
	done <<-'E'
		Fri, 02 Jan 2026 16:00:00 GMT|2026-01-02T16:00:00.000Z
		Fri, 2 Jan 2026 16:00:00 +0100|2026-01-02T15:00:00.000Z
		2 Jan 2026 16:00 -0530|2026-01-02T21:30:00.000Z
		02 jan 26 16:00:00 edt|2026-01-02T20:00:00.000Z
		Thu, 01 Jan 70 00:00:00 Z|1970-01-01T00:00:00.000Z
		Fri, 02 Jan 2026 16:00:00|none
		Fri, 32 Jan 2026 16:00:00 GMT|none
		Fri, 02 Jan 2026 25:00:00 GMT|none
		2026-01-02T16:00:00Z|none
		Fri, 02 Foo 2026 16:00:00 GMT|none
		Fri, 02 Jan 2026 16:00:00 +9999|none
	E
}

@test "other encodings and entities come out as UTF-8" {
	printf '<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><item><title>Z\374rich &#x20AC; &lt;5</title><link>https://example.org/a</link><pubDate>2 Jan 2026 16:00 GMT</pubDate></item></channel></rss>' >latin.xml
	data=$PWD
	play <<<'/feeds/rss | 200 | body=latin.xml'
	get 0 --feed rss ZZZT
	[ "$(fields title)" = 'Zürich € <5' ]
}

@test "who is told to slow down does not ask for the rest" {
	play <<-E
		ZZZ1 | 200 | body=news.json
		ZZZ | 429 | text=Too Many Requests
	E
	get 1 --feed search --parallel 1 --tries 1 ZZZ1 ZZZ2 ZZZ3
	[ "$(asked | wc -l)" = 2 ]
	[ "$(jq -r 'select(.reason == "rate_limited") | .input' rejects | tr '\n' ' ')" = 'ZZZ2 ZZZ3 ' ]
}

@test "news go through fl-clean into a store, twice the same" {
	play <<-E
		search | 200 | body=news.json
		/feeds/rss | 200 | body=news.xml
	E
	for _ in 1 2; do
		{ fl-fetch yahoo --type news -q ZZZT || [ $? = 1 ]; } | fl-clean -q | fl-load -q x.db
	done
	fl-fetch store x.db | cmp - "$data/news.ndjson"
}
