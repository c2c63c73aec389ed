#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output
# A foreign reader of the lake: DuckDB finds each record once, in its partition,
# with every digit.

load ../helper/common

setup_file() {
	export real=$BATS_TEST_DIRNAME/../helper/real_data.py
	export duckdb=$BATS_TEST_DIRNAME/../helper/duckdb_lake.py
	export venv=$BATS_TEST_DIRNAME/../../build/real-data
	export missing=$BATS_FILE_TMPDIR/missing
	mkdir -p "$venv"
	venv=$(cd "$venv" && pwd)
	python3 "$real" install "$venv" 2>"$missing" || [ -s "$missing" ] || echo unknown >"$missing"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ ! -s "$missing" ] || skip "no packages from PyPI: $(tail -n 1 "$missing")"
}

# seen TYPE COLUMN...: what DuckDB finds is what we find.
seen() {
	fl-fetch store lake/ --type "$1" >records
	run -0 "$venv/bin/python" "$duckdb" lake/ "$@" <records
}

@test "DuckDB gets the same counts and sums of ticks" {
	fl-fetch sim -n 200000 --rate 2 | fl-clean | fl-load lake/
	seen quote price size
	[[ $output == '200000 records in '[2-9]' partitions' ]]
}

@test "DuckDB gets the same counts and sums of real daily bars" {
	fl-fetch csv "$(python3 "$real" path "$venv" bokeh)" | fl-clean | fl-load lake/
	seen bar open high low close volume
	[ "${output##* in }" != '1 partitions' ]
	[ "${output%% *}" -gt 10000 ]
	# Loaded again, each is there once all the same.
	fl-fetch csv "$(python3 "$real" path "$venv" bokeh)" | fl-clean | fl-load lake/
	before=$output
	seen bar open high low close volume
	[ "$output" = "$before" ]
}

@test "DuckDB sees neither parts of bars nor what is not committed" {
	fl-fetch sim -n 3000 --resume lake/ --pipeline p --marks 500,1s | fl-clean |
		fl-agg bars 1m --keep | fl-load --pipeline p lake/
	mkdir -p lake/_tmp/x
	cp "$(find lake/quote -name '*.zst' | head -n 1)" lake/_tmp/x/1
	seen quote price size
	[ "$output" = '3000 records in 1 partitions' ]
	run "$venv/bin/python" -c "import duckdb; duckdb.sql(\"FROM read_ndjson('lake/bar/*/*.ndjson.zst')\")"
	[ "$status" != 0 ]
	[[ $output == *'No files found'* ]]
}

@test "of rows that replaced each other DuckDB tells the last by the name of the object" {
	for close in 2 3 4; do
		printf '{"type":"bar","ts":"2026-01-02T00:00:00.000Z","provider":"t","symbol":"A","interval":"1d",'
		printf '"open":1,"high":9,"low":1,"close":%s,"adj":"none","date":"2026-01-02"}\n' $close
	done >in
	split -l 1 in part.
	for file in part.*; do fl-load lake/ "$file"; done
	# As the manual has it.
	run -0 "$venv/bin/python" -c "import duckdb; print(duckdb.sql(\"\"\"
		SELECT close FROM read_ndjson('lake/bar/*/*.ndjson.zst', filename = true)
		QUALIFY row_number() OVER (PARTITION BY provider, symbol, \"interval\", adj, ts
			ORDER BY filename DESC) = 1\"\"\").fetchall())"
	[ "$output" = '[(4,)]' ]
}
