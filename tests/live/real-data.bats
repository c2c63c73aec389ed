#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output
# Real prices, as they ship in packages on PyPI, through fl-fetch csv, fl-clean
# and fl-load, and back out of the store: equal to what pandas reads from the
# same files, in count and in every value.

load ../helper/common

setup_file() {
	export real=$BATS_TEST_DIRNAME/../helper/real_data.py
	export venv=$BATS_TEST_DIRNAME/../../build/real-data
	export missing=$BATS_FILE_TMPDIR/missing
	mkdir -p "$venv"
	venv=$(cd "$venv" && pwd)
	python3 "$real" install "$venv" 2>"$missing" || [ -s "$missing" ] || echo unknown >"$missing"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ ! -s "$missing" ] || skip "no packages from PyPI: $(tail -n 1 "$missing")"
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
}

teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# through NAME ROWS VALUES [OPTION...]: the file goes through the pipeline into
# x.db, twice, and comes back as pandas reads it.
through() {
	local name=$1 rows=$2 values=$3 file back=$BATS_TEST_TMPDIR/$1
	shift 3
	file=$(python3 "$real" path "$venv" "$name")
	for _ in once twice; do
		fl-fetch csv "$file" "$@" | fl-clean --rejects rejects | fl-load -q x.db
		[ ! -s rejects ] || fail "$name: $(head -n 1 rejects)"
		fl-fetch store x.db >"$back"
		run -0 "$venv/bin/python" "$real" compare "$name" "$file" <"$back"
		[ "$output" = "$rows rows, $values values" ] || fail "$output"
	done
	# What is stored is what fl-fetch gave, to the byte.
	fl-fetch csv "$file" "$@" | sort | cmp - <(sort "$back")
}

@test "bokeh_sampledata: five tickers, daily, prices of 12 decimals" {
	through bokeh 12154 72924
	[ "$(jq -r .symbol bokeh | sort -u | xargs)" = "AAPL FB GOOG IBM MSFT" ]
	[ "$(jq -r '"\(.type) \(.interval) \(.adj)"' bokeh | sort -u)" = "bar 1d none" ]
}

@test "backtesting's GOOG: daily, the symbol from the file's name" {
	through GOOG 2148 10740 --symbol-from-name
	[ "$(jq -r '"\(.type) \(.interval)"' GOOG | sort -u)" = "bar 1d" ]
}

@test "backtesting's EURUSD: hourly, the symbol told" {
	through EURUSD 5000 25000 --symbol EURUSD
	[ "$(jq -r '"\(.type) \(.interval)"' EURUSD | sort -u)" = "bar 1h" ]
}

@test "backtesting's BTCUSD: monthly, stamped with the month's last day" {
	through BTCUSD 156 780 --symbol-from-name
	[ "$(jq -r '"\(.type) \(.interval)"' BTCUSD | sort -u)" = "bar 1mo" ]
	[ "$(jq -r .date_src BTCUSD | head -n 1)" = 2012-01-31 ]
}

@test "vega_datasets' stocks: Jan 1 2000, a price alone: quotes" {
	through vega 560 560
	[ "$(jq -r .type vega | sort -u)" = quote ]
}
