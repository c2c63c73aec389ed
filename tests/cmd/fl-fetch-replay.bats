#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has its variables; serve uses data and sets url; run sets output
# fl-fetch --record and --replay: what was asked once is answered without a
# network, whenever, and tells no secret.

load ../helper/common
load ../helper/provider

setup() { begin_provider yahoo; }

teardown() { end_provider; }

@test "what was recorded is played without a network, whatever the time is now" {
	play <<-END
		ZZZT | 200 | body=good.json | gzip | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
		ZZZB | 404 | text={"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}
		ZZZC | 200 | text=<html>
	END
	run -1 --separate-stderr fetch --range 1mo --record tape --rejects r1 ZZZT ZZZB ZZZC
	printf '%s\n' "$output" >out1
	[ -s out1 ]
	end_servers
	run -1 --separate-stderr fl-fetch yahoo --range 1mo --replay tape --rejects r2 ZZZT ZZZB ZZZC
	diff -u out1 <(printf '%s\n' "$output")
	diff <(jq -c '[.reason, .detail, .http_status, .raw]' r1) <(jq -c '[.reason, .detail, .http_status, .raw]' r2)
	[ "$(jq -r .started tape/run.json)" = 2026-01-07T01:00:00.000Z ]
	[[ "$(jq -r .command tape/run.json)" == *"fl-fetch yahoo --range 1mo --record tape"* ]]
}

@test "tries, hosts and cut answers are played as they came" {
	play <<-END
		ZZZT | 503 | text=busy
		ZZZT | 200 | body=good.json | cut=300
		ZZZT | 200 | body=good.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT
	END
	fetch --from 2025-12-15 --record tape ZZZT >out1
	files=(tape/*.http)
	[ ${#files[@]} = 3 ]
	FL_RETRY_WAIT=1h run -0 --separate-stderr fl-fetch yahoo --from 2025-12-15 --replay tape ZZZT
	diff out1 <(printf '%s\n' "$output")
	[ "$(wc -l <web.log)" = 3 ]
}

@test "secrets are in no file of a recording" {
	play <<<'ZZZT | 200 | text=your key SECRET123 is known | header=Set-Cookie: A3=COOKIE456'
	run -3 --separate-stderr fetch --record tape --yahoo-url "${url/:\/\//:\/\/me:PASS789@}" ZZZT
	compgen -G 'tape/ZZZT-*.http'
	run -1 grep -rE 'COOKIE456|PASS789' tape
	grep -q '^Set-Cookie: \*\*\*' tape/*.http
}

@test "an exchange that is not there is said, and so is a folder without any" {
	play <<<'ZZZT | 200 | body=good.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT'
	fetch --record tape ZZZT >/dev/null
	run -5 --separate-stderr fl-fetch yahoo --replay tape ZZZX
	[[ ${stderr_lines[0]} == "fl-fetch: --replay: 'tape' holds no answer to 'GET /v8/finance/chart/ZZZX?period1="*"': it was recorded with other options or symbols" ]] || fail "$stderr"
	mkdir empty
	run -5 --separate-stderr fl-fetch yahoo --replay empty ZZZT
	[ "${stderr_lines[0]}" = "fl-fetch: --replay: 'empty' holds no recording (no 'run.json'); --record DIR makes one" ]
	run -2 --separate-stderr fetch --record tape ZZZT
	[ "$stderr" = "fl-fetch: --record: 'tape' holds a recording already; name another folder" ]
	run -2 --separate-stderr fetch --record new --replay tape ZZZT
	[ "$stderr" = "fl-fetch: --record and --replay exclude each other" ]
	for file in tape/*.http; do head -c 40 "$file" >short && cp short "$file"; done
	run -6 --separate-stderr fl-fetch yahoo --replay tape ZZZT
	[[ $stderr == *"is damaged: no recorded exchange"* ]]
}

@test "a replay counts for no quota" {
	play <<<'ZZZT | 200 | body=good.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT'
	FL_LIMIT=1/d fetch --record tape ZZZT >/dev/null
	FL_LIMIT=1/d run -0 fl-fetch yahoo --replay tape ZZZT
}
