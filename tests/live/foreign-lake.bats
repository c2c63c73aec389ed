#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output
# Foreign readers of the lake: DuckDB and Spark find each record once, in its
# partition, with every digit.

load ../helper/common

setup_file() {
	export real=$BATS_TEST_DIRNAME/../helper/real_data.py
	export foreign=$BATS_TEST_DIRNAME/../helper/foreign_lake.py
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
	run -0 "$venv/bin/python" "$foreign" duckdb lake/ "$@" <records
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

@test "DuckDB makes Parquet of a compacted lake, as the manual has it" {
	for seed in 1 2; do
		fl-fetch sim -n 50000 --seed $seed --rate 2 | fl-clean | fl-load -q lake/
	done
	fl-load -q --compact --older-than 0s lake/
	run -0 "$venv/bin/python" -c "import duckdb
duckdb.sql(\"\"\"COPY (SELECT * FROM read_ndjson('lake/quote/*/*.ndjson.zst', hive_partitioning = true))
	TO 'quote.parquet' (FORMAT parquet, PARTITION_BY (dt), COMPRESSION zstd)\"\"\")
print(duckdb.sql(\"\"\"SELECT count(*), sum(size)::BIGINT, count(DISTINCT dt)
	FROM read_parquet('quote.parquet/*/*.parquet', hive_partitioning = true)\"\"\").fetchall())"
	want=$(fl-fetch store lake/ --type quote | jq -s '[length, (map(.size) | add), (map(.ts[:10]) | unique | length)] | "[(\(.[0]), \(.[1]), \(.[2]))]"' -r)
	[ "$output" = "$want" ]
}

# Spark is large, and in a folder of its own.
spark_ready() {
	local spark=$BATS_TEST_DIRNAME/../../build/spark
	command -v java >/dev/null || skip 'no java'
	if [ ! -e "$spark/done" ]; then
		python3 -m venv --clear "$spark" || skip 'no venv'
		"$spark/bin/python" -m pip install -q --disable-pip-version-check --timeout 20 --retries 1 \
			'pyspark>=4.1,<5' || skip 'no pyspark from PyPI'
		touch "$spark/done"
	fi
	python=$spark/bin/python
}

@test "Spark gets the same counts, sums and dates" {
	spark_ready
	for seed in 1 2 3; do
		fl-fetch sim -n 30000 --rate 1 --seed $seed | fl-load -q lake/
	done
	fl-fetch sim -n 30000 --rate 1 --seed 4 --resume lake/ --pipeline p --marks 5000,1s |
		fl-agg bars 1m | fl-load -q --pipeline p lake/
	fl-load -q --compact --older-than 0s lake/
	for ask in 'quote price size' 'bar open high low close volume'; do
		read -ra ask <<<"$ask"
		fl-fetch store lake/ --type "${ask[0]}" >records
		# Bars of the date that is open yet are not for others to see.
		if [ "${ask[0]}" = bar ]; then
			open=$(find lake/bar_partial -name 'part-*' -printf '%h\n' | sort -u | sed 's/.*dt=//')
			grep -v "\"ts\":\"$open" records >closed
			mv closed records
		fi
		run -0 --separate-stderr "$python" "$foreign" spark lake/ "${ask[@]}" <records
		[[ $output == "$(wc -l <records) records in "[1-9]*" partitions" ]]
	done
}
