#!/usr/bin/env bats
# shellcheck disable=SC2094,SC2154 # names of files; run sets output
# Indicators of real prices, as they ship in packages on PyPI: equal to 1e-9, and
# absent where they are, to TA-Lib's, and to pandas' where TA-Lib has none. And
# what stats says, equal to pandas.

load ../helper/common

setup_file() {
	export real=$BATS_TEST_DIRNAME/../helper/real_data.py
	export indicators=$BATS_TEST_DIRNAME/../helper/indicators.py
	export venv=$BATS_TEST_DIRNAME/../../build/real-data
	export missing=$BATS_FILE_TMPDIR/missing
	mkdir -p "$venv"
	venv=$(cd "$venv" && pwd)
	python3 "$real" install "$venv" 2>"$missing" || [ -s "$missing" ] || echo unknown >"$missing"
	[ -s "$missing" ] || cd "$BATS_FILE_TMPDIR" || return 1
	[ -s "$missing" ] || for name in bokeh GOOG EURUSD BTCUSD; do
		local symbol=()
		[ "$name" = bokeh ] || symbol=(--symbol "$name")
		fl-fetch csv "$(python3 "$real" path "$venv" "$name")" "${symbol[@]}" | fl-clean >"$name"
	done
	export bars=$BATS_FILE_TMPDIR
}

setup() {
	[ ! -s "$missing" ] || skip "no packages from PyPI: $(tail -n 1 "$missing")"
	mapfile -t names < <(fl-agg --list-indicators | sed 's/[[:blank:]:[].*//')
	all=$(
		IFS=,
		echo "${names[*]}"
	)
}

# like_reference FIGURES FILE [OPTION...]: all indicators, and $more
like_reference() {
	local figures=$1 file=$2
	shift 2
	fl-agg indicators "$all${more:+,$more}" "$@" "$bars/$file" >"$BATS_TEST_TMPDIR/out"
	run -0 "$venv/bin/python" "$indicators" compare "${names[@]}" <"$BATS_TEST_TMPDIR/out"
	[ "$output" = "$figures figures of ${#names[@]} indicators" ] || fail "$output"
}

# Short, long and odd parameters.
others=sma:1,sma:200,ema:2,wma:3,vwma:7,rsi:2,rsi:100,macd:5:7:1,macd:3:30:20
others+=,bb:5:0.5,bb:50:2.25,stoch:5:3:4,stoch:1:1:1,atr:1,atr:50,adx:2,adx:30
others+=,roc:1,ret:5,logret:22,vol:5,vol:60:365

@test "GOOG, daily" {
	more=$others like_reference 127580 GOOG
}

@test "five tickers of bokeh, daily" {
	more=$others like_reference 722743 bokeh
}

@test "EURUSD, hourly: vwap by the day" {
	more=$others like_reference 298700 EURUSD
}

@test "BTCUSD, monthly" {
	more=$others like_reference 8103 BTCUSD
}

@test "of every price" {
	for price in adj_close hl2 hlc3 ohlc4; do
		like_reference 289791 bokeh --price "$price"
	done
}

@test "stats: pandas' return, volatility, Sharpe, drawdown and correlations" {
	fl-agg stats --corr "$bars/bokeh" >"$BATS_TEST_TMPDIR/out"
	run -0 "$venv/bin/python" "$indicators" stats "$bars/bokeh" <"$BATS_TEST_TMPDIR/out"
	[ "$output" = "5 series, 10 pairs" ] || fail "$output"
}
