#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # run sets output, serve uses data
# The same answers of the stand-in server, read by fl-fetch yahoo and by yfinance
# from PyPI: the same daily bars, dividends and splits.

load ../helper/common
load ../helper/serve

setup_file() {
	export reader=$BATS_TEST_DIRNAME/../helper/yfinance_bars.py
	export venv=$BATS_TEST_DIRNAME/../../build/yfinance
	export missing=$BATS_FILE_TMPDIR/missing
	mkdir -p "$venv"
	venv=$(cd "$venv" && pwd)
	python3 "$reader" install "$venv" 2>"$missing" || [ -s "$missing" ] || echo unknown >"$missing"
}

setup() {
	data=$(cd "$BATS_TEST_DIRNAME/../data/source/yahoo" && pwd)
	cd "$BATS_TEST_TMPDIR" || return 1
	[ ! -s "$missing" ] || skip "no yfinance from PyPI: $(tail -n 1 "$missing")"
	fl-fetch --list-sources | grep -q '"subject":"yahoo"' || skip 'built without libcurl'
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
}

teardown() { end_servers; }

# alike NAME WANTED [FROM TO]: both read the answer NAME.json alike.
alike() {
	local from=${3:-2025-12-15} to=${4:-2026-01-08}
	serve <<<"ZZZT | 200 | body=$1.json | header=Date: Wed, 07 Jan 2026 01:00:00 GMT"
	FL_YAHOO_URL=$url fl-fetch yahoo --from "$from" --to "$to" ZZZT >ours || [ $? = 1 ]
	run "$venv/bin/python" -W ignore "$reader" compare "$url" "$from" "$to" <ours
	echo "$output"
	[ "${lines[-1]}" = "$2" ]
}

@test "a split and a dividend before it" { alike split '4 bars, 24 values, 2 events'; }

@test "dividends, splits and capital gains" { alike events '4 bars, 24 values, 4 events'; }

@test "nulls" { alike nulls '2 bars, 11 values, 0 events'; }

@test "a pence listing" { alike pence '3 bars, 18 values, 2 events'; }

@test "floats, as large and small as prices come" { alike floats '4 bars, 24 values, 0 events'; }

@test "rows in disorder" { alike disorder '4 bars, 24 values, 0 events'; }

@test "days around clock changes" {
	alike summer-time '4 bars, 24 values, 0 events' 2026-03-01 2026-11-05
}

@test "days that begin an hour or two before midnight" {
	alike brazil '3 bars, 18 values, 0 events' 2018-10-01 2019-03-01
}
