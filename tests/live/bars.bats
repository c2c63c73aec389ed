#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # run sets output
# Bars beside those that DuckDB and pandas make of the same data.

load ../helper/common

setup_file() {
	export real=$BATS_TEST_DIRNAME/../helper/real_data.py
	export bars=$BATS_TEST_DIRNAME/../helper/bars.py
	export venv=$BATS_TEST_DIRNAME/../../build/real-data
	export missing=$BATS_FILE_TMPDIR/missing
	mkdir -p "$venv"
	venv=$(cd "$venv" && pwd)
	python3 "$real" install "$venv" 2>"$missing" || [ -s "$missing" ] || echo unknown >"$missing"
	make -s -C "$BATS_TEST_DIRNAME/../.." build/bench/gen_ticks >&2
	export gen=$BATS_TEST_DIRNAME/../../build/bench/gen_ticks
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ ! -s "$missing" ] || skip "no packages from PyPI: $(tail -n 1 "$missing")"
}

@test "1-minute bars of ticks are DuckDB's" {
	rows=300000
	[ -z "${FL_LONG-}" ] || rows=5000000
	"$gen" -n $rows quotes | fl-clean --dedup 0 --rejects /dev/null >ticks || true
	fl-agg bars 1m --session all ticks >out
	run -0 "$venv/bin/python" "$bars" duckdb ticks <out
	[[ $output == *" bars" ]]
	[ "${output% bars}" -gt 10000 ]
}

# as_pandas NAME IV ZONE [OPTION...]: the bars of a file's bars.
as_pandas() {
	local name=$1 interval=$2 zone=$3 file
	shift 3
	file=$(python3 "$real" path "$venv" "$name")
	fl-fetch csv "$file" "$@" >in
	fl-agg bars "$interval" --tz "$zone" in >out
	run -0 "$venv/bin/python" "$bars" pandas in "$interval" "$zone" <out
	[ "${output% bars}" -gt 10 ] || fail "$output"
}

@test "weekly, monthly, quarterly and yearly bars of five tickers are pandas'" {
	for interval in 1wk 1mo 3mo 1y; do
		as_pandas bokeh $interval America/New_York
	done
}

@test "weekly and monthly bars of GOOG are pandas'" {
	as_pandas GOOG 1wk America/New_York --symbol-from-name
	as_pandas GOOG 1mo America/New_York --symbol-from-name
}

@test "daily, weekly and monthly bars of hourly ones are pandas', on wall clocks with changes" {
	for zone in UTC America/New_York Europe/Berlin Asia/Tokyo; do
		for interval in 1d 1wk 1mo; do
			as_pandas EURUSD $interval $zone --symbol EURUSD
		done
	done
}

@test "four-hour bars of hourly ones are pandas' in UTC" {
	as_pandas EURUSD 4h UTC --symbol EURUSD
}

@test "monthly bars of prices without a bar, symbol by symbol" {
	file=$(python3 "$real" path "$venv" vega)
	fl-fetch csv "$file" >in
	run -0 fl-agg bars 1y in
	[ "$(jq -s 'map(.trades) | add' <<<"$output")" = 560 ]
	jq -c '{type: "bar", ts, symbol, open: .price, high: .price, low: .price, close: .price, volume: 0, date: .ts[:10]}' in >as_bars
	jq -c '. + {volume: 0}' <<<"$output" | "$venv/bin/python" "$bars" pandas as_bars 1y UTC
}
