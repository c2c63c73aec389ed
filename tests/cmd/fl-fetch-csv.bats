#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # bash -c has its own $1; run sets
# fl-fetch csv: price files of every vendor, dates in every form, bad rows, and
# going on where a pipeline stands. Files and what comes of them, record by
# record, are in tests/data/source/csv; `make golden` writes them anew.

load ../helper/common

setup() {
	data=$(cd "$BATS_TEST_DIRNAME/../data/source/csv" && pwd)
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# golden NAME [OPTION...]: NAME.csv gives NAME.ndjson, and rejects with the lines
# and reasons of NAME.rejects, where there is such a file.
golden() {
	local name=$1 got=0
	shift
	(cd "$data" && fl-fetch csv "$name.csv" --rejects "$BATS_TEST_TMPDIR/rejects" "$@") \
		>out 2>err || got=$?
	touch rejects
	[ "$got" = "$([ -s rejects ] && echo 1 || echo 0)" ] || fail "$name: status $got: $(cat err)"
	jq -r '"\(.line) \(.reason) \(.field // "-")"' rejects >reasons
	if [ "${FL_GOLDEN-}" = write ]; then
		cp out "$data/$name.ndjson"
		[ ! -s reasons ] || cp reasons "$data/$name.rejects"
	fi
	diff -u "$data/$name.ndjson" out
	diff -u "$([ -e "$data/$name.rejects" ] && echo "$data/$name.rejects" || echo /dev/null)" reasons
	rm rejects
	# As canonical as it can be: fl-clean --canonical has nothing to do.
	fl-clean -q --dedup 0 --canonical out | cmp - "$data/$name.ndjson"
}

# bars DATE...: a file of daily bars with these dates.
bars() {
	echo Date,Open,High,Low,Close,Volume
	[ $# = 0 ] || printf '%s,1,2,0.5,1.5,100\n' "$@"
}

@test "help and misuse" {
	fl_help_ok fl-fetch csv
	fl_misuse_ok fl-fetch csv
	run -0 fl-fetch csv --help
	for option in --map --symbol-from-name --interval --date-format --delimiter; do
		[[ $output == *"      $option"* ]]
	done
	run -2 fl-fetch csv
	[ "$output" = "fl-fetch: csv: no file named: fl-fetch csv FILE..., or - for standard input" ]
}

@test "Yahoo's files: adjusted for splits, empty days refused" {
	golden yahoo --symbol ZZZT
	golden yahoo-2016 --symbol ZZZT
}

@test "yfinance's files: dividends and splits become records of their own" {
	golden yfinance --symbol ZZZT
	golden yfinance-levels
}

@test "Alpha Vantage's files: underscores, blanks, CRLF, newest first, weeks, a quote" {
	golden alphavantage --symbol ZZZT
	golden alphavantage-intraday --symbol ZZZT --tz America/New_York
	golden alphavantage-adjusted --symbol ZZZT
	golden alphavantage-weekly --symbol ZZZT
	golden alphavantage-quote
}

@test "Stooq's files: periods, compact dates, markets as Yahoo has them" {
	golden stooq
	golden stooq-site --symbol ZZZT
}

@test "Nasdaq's and Investing's files: dollars, thousands, M for millions" {
	golden nasdaq --symbol ZZZT
	golden investing --symbol ZZZT
}

@test "a pandas index without a name is dates" {
	golden pandas-index --symbol ZZZT
}

@test "months stamped with their last day get the first, and keep theirs" {
	golden month-end --symbol ZZZT
}

@test "a price alone makes quotes; so do ticks with epochs" {
	golden quotes
	golden ticks --symbol ZZZT
}

@test "semicolons, decimal commas and D.M.Y" {
	golden european --symbol ZZZT
}

@test "columns of one's own are kept under their names" {
	golden extras
}

@test "a file without names is read by numbers, and said to be one" {
	golden headerless --symbol ZZZT --map date=1,time=2,open=3,high=4,low=5,close=6,volume=7
	run -2 fl-fetch csv "$data/headerless.csv" --symbol ZZZT
	[[ $output == "fl-fetch: '$data/headerless.csv' has no names in its first row ('2026.01.02', '09:30', "* ]]
	[[ $output == *"; say which column is what, for example --map date=1,open=2,high=3,low=4,close=5,volume=6" ]]
}

@test "bad rows are rejects with file, line, reason and their own text" {
	golden dirty
	run fl-fetch csv "$data/dirty.csv" --rejects bad
	run -0 jq -r 'select(.line == 3) | [.input, .reason, .detail, .raw] | join("|")' bad
	[ "$output" = "$data/dirty.csv|truncated|5 cells where the header has 7|ZZZT,2026-01-05,101,103,100.5" ]
	run_json 1 fl-fetch csv "$data/dirty.csv"
	[ "$(jq -c '[.in, .used, .rejected, .rounded]' <<<"$record")" = "[14,3,11,1]" ]
}

@test "the hour that a clock shows twice is told by the order of rows" {
	golden dst --tz America/New_York
	# Newest first: the same instants, in the other order.
	{ head -n 1 "$data/dst.csv"; grep '2026-11.*ZZZT' "$data/dst.csv" | tac; } >tac.csv
	fl-fetch csv tac.csv --tz America/New_York | tac >tac.ndjson
	grep '2026-11.*ZZZT' "$data/dst.ndjson" | diff - tac.ndjson
}

@test "M/D/Y and D/M/Y: the whole file decides, else it is asked" {
	bars 1/12/2026 1/13/2026 >us.csv
	bars 12/1/2026 13/1/2026 >eu.csv
	fl-fetch csv us.csv --symbol X >us
	fl-fetch csv eu.csv --symbol X >eu
	[ "$(jq -r .date us | xargs)" = "2026-01-12 2026-01-13" ]
	cmp us eu
	bars 1/12/2026 2/12/2026 >open.csv
	run -2 fl-fetch csv open.csv --symbol X
	[ "$output" = "fl-fetch: 'open.csv': dates read as M/D/Y and as D/M/Y (all days <= 12); say --date-format '%m/%d/%Y'" ]
	fl-fetch csv open.csv --symbol X --date-format %d/%m/%Y >open
	[ "$(jq -r .date open | xargs)" = "2026-12-01 2026-12-02" ]
	bars 5/5/2026 6/6/2026 >same.csv
	fl-fetch csv same.csv --symbol X --interval 1d >same
	[ "$(jq -r .date same | xargs)" = "2026-05-05 2026-06-06" ]
}

@test "both orders in one file are an error that names the lines" {
	bars 1/13/2026 14/1/2026 >both.csv
	run -2 fl-fetch csv both.csv --symbol X
	[ "$output" = "fl-fetch: 'both.csv': '1/13/2026' in line 2 is month first, '14/1/2026' in line 3 is day first; --date-format says which is right, and the others are rejects" ]
	run -1 --separate-stderr fl-fetch csv both.csv --symbol X --date-format %m/%d/%Y --interval 1d
	[ "$(jq -r .date <<<"$output")" = 2026-01-13 ]
}

@test "the symbol: a column, --symbol, the file's name, or an error that tells these" {
	bars 2026-01-02 2026-01-05 >zzzt_daily.csv
	run -2 fl-fetch csv zzzt_daily.csv
	[ "$output" = "fl-fetch: 'zzzt_daily.csv' has no column for the symbol; say --symbol AAPL, --symbol-from-name, or --map symbol=COLUMN" ]
	run -0 bash -c 'fl-fetch csv zzzt_daily.csv --symbol-from-name | jq -r .symbol | sort -u'
	[ "$output" = ZZZT ]
	run -0 bash -c 'fl-fetch csv zzzt_daily.csv --symbol zzzu | jq -r .symbol | sort -u'
	[ "$output" = ZZZU ]
	run -0 bash -c 'fl-fetch csv "$1"/quotes.csv --symbol ZZZT 2>/dev/null | jq -r .symbol | sort | uniq -c' - "$data"
	[[ $output == *"2 ZZZT" ]]
	run -0 bash -c 'fl-fetch csv zzzt_daily.csv --map symbol=Volume | jq -r .symbol | sort -u'
	[ "$output" = 100 ]
}

@test "--map by name and by number; what fits nothing is said" {
	printf 'when,what,one,two\n2026-01-02,ZZZT,5,7\n2026-01-05,ZZZT,6,8\n' >m.csv
	run -2 fl-fetch csv m.csv
	[ "$output" = "fl-fetch: 'm.csv': no column for the date among 'when', 'what', 'one', 'two'; say --map date=COLUMN" ]
	run -2 fl-fetch csv m.csv --map date=when
	[[ $output == "fl-fetch: 'm.csv': no column for the price among "*"; say --map price=COLUMN" ]]
	fl-fetch csv m.csv --map date=when,symbol=2 --map price=TWO >out
	[ "$(jq -c '[.type, .symbol, .price, .one]' out | head -n 1)" = '["quote","ZZZT",7,5]' ]
	run -2 fl-fetch csv m.csv --map date=when,price=three
	[ "$output" = "fl-fetch: --map price=three: 'm.csv' has no such column; it has 'when', 'what', 'one', 'two'" ]
	run -2 fl-fetch csv m.csv --map date=5
	[[ $output == *"--map date=5: 'm.csv' has no such column"* ]]
	run -2 fl-fetch csv m.csv --map nonsense=one
	[[ $output == "fl-fetch: --map: 'nonsense' is no field of a bar or quote; "* ]]
	run -2 fl-fetch csv m.csv --map date
	[[ $output == "fl-fetch: --map 'date': say FIELD=COLUMN"* ]]
}

@test "two columns of one name are asked about when they matter" {
	printf 'Date,Open,High,Low,Close,Close\n2026-01-02,1,2,0.5,1.5,1.6\n' >two.csv
	run -2 fl-fetch csv two.csv --symbol X
	[ "$output" = "fl-fetch: 'two.csv': columns 5 and 6 are both named 'Close'; say --map close=5 or --map close=6" ]
	run -0 bash -c 'fl-fetch csv two.csv --symbol X --map close=6 | jq -c "[.close, .Close]"'
	[ "$output" = '[1.6,1.5]' ]
}

@test "the interval: from the steps, or asked for" {
	printf 'Date,Open,High,Low,Close\n2026-01-02 09:30,1,2,0.5,1.5\n' >one.csv
	run -2 fl-fetch csv one.csv --symbol X
	[ "$output" = "fl-fetch: 'one.csv': cannot tell the bars' interval: its rows have times, but no symbol has two of them; say --interval 1m (or 1h, 1d)" ]
	run -0 bash -c 'fl-fetch csv one.csv --symbol X --interval 60m | jq -r .interval'
	[ "$output" = 1h ]
	run -0 bash -c 'fl-fetch csv one.csv --symbol X --interval 1d | jq -c "[.interval, .date, .ts]"'
	[ "$output" = '["1d","2026-01-02","2026-01-02T00:00:00.000Z"]' ]
	run -2 fl-fetch csv one.csv --symbol X --interval 1M
	[ "$output" = "fl-fetch: interval '1M' is unclear: 1m is a minute, 1mo a month" ]
}

@test "local times are of --tz, and the record says so" {
	printf 'Date,Price\n2026-01-02 09:30,5\n2026-07-02 09:30,6\n2026-07-02 09:30Z,7\n' >t.csv
	run -0 bash -c 'fl-fetch csv t.csv --symbol X --tz America/New_York | jq -r .ts | xargs'
	[ "$output" = "2026-01-02T14:30:00.000Z 2026-07-02T13:30:00.000Z 2026-07-02T09:30:00.000Z" ]
	bars 2026-01-02 2026-01-05 >d.csv
	run -0 bash -c 'fl-fetch csv d.csv --symbol X --tz America/New_York | jq -c "[.ts, .date, .tz]" | head -n 1'
	[ "$output" = '["2026-01-02T00:00:00.000Z","2026-01-02","America/New_York"]' ]
}

@test "numbers are exact: digits as written, more than 18 rounded and counted" {
	printf 'Date,Price\n2026-01-02,4.186662803811\n2026-01-05,0.12345678901234567850\n2026-01-06,1e-3\n' >n.csv
	fl-fetch csv n.csv --symbol X >out
	[ "$(grep -o '"price":[^}]*' out | xargs)" = "price:4.186662803811 price:0.123456789012345678 price:0.001" ]
	run_json 0 fl-fetch csv n.csv --symbol X
	[ "$(jq .rounded <<<"$record")" = 1 ]
}

@test "a comma that may be thousands or decimals is asked about" {
	printf 'Date;Price\n2026-01-02;101,250\n' >c.csv
	run -2 fl-fetch csv c.csv --symbol X
	[ "$output" = "fl-fetch: 'c.csv': '101,250' in line 2 may have thousands or decimals behind its comma, and no number of the file tells which; write it without the comma" ]
	printf '2026-01-05;101,5\n' >>c.csv
	run -0 bash -c 'fl-fetch csv c.csv --symbol X | jq -c .price | xargs'
	[ "$output" = "101.25 101.5" ]
}

@test "compressed files, standard input and pipes give the same" {
	cp "$data/yfinance.csv" x.csv
	fl-fetch csv x.csv --symbol X >want
	gzip -k x.csv
	zstd -q x.csv
	fl-fetch csv x.csv.gz --symbol X | cmp - want
	fl-fetch csv x.csv.zst --symbol X | cmp - want
	fl-fetch csv - --symbol X <x.csv | cmp - want
	# shellcheck disable=SC2002 # a pipe is what is tested
	cat x.csv.gz | fl-fetch csv - --symbol X | cmp - want
	fl-fetch csv <(cat x.csv) --symbol X | cmp - want
	mkdir full
	chmod 0 full
	[ -w full ] || TMPDIR=full run -5 fl-fetch csv - --symbol X <x.csv
	TMPDIR=$PWD/nowhere run -5 fl-fetch csv - --symbol X <x.csv
	[ "$output" = "fl-fetch: cannot copy '-' to a temporary file in '$PWD/nowhere': No such file or directory; TMPDIR names another folder" ]
}

@test "a pipe whose form is told is passed on as it comes" {
	mkfifo ticks
	exec 5<>ticks
	fl-fetch csv ticks --symbol X --type quote --date-format %Y-%m-%d >out 3>&- 5>&- &
	printf 'date,price\n2026-01-02,5\n2026-01-0' >&5
	for _ in {1..50}; do
		[ ! -s out ] || break
		sleep 0.1
	done
	[ "$(jq -c .price out)" = 5 ]
	printf '5,6\n' >&5
	exec 5>&-
	wait
	[ "$(jq -c .price out | xargs)" = "5 6" ]
}

@test "cells are what Python's csv module wrote" {
	command -v python3 || skip "no python3"
	python3 - >want <<-'END'
		import csv, json, random
		random.seed(3)
		parts = ['a', ' b', ',', ';', '"', '""', "'", '\n', '\r\n', '\r', '\t', '|', 'é', '7x', '\\']
		with open('w.csv', 'w', newline='') as f:
		    w = csv.writer(f)
		    w.writerow(['symbol', 'date', 'price', 'x', 'y'])
		    for i in range(3000):
		        x, y = (''.join(random.choices(parts, k=random.randrange(6))) for _ in 'xy')
		        w.writerow(['S', f'2026-01-{i % 28 + 1:02}', i + 1, x, y])
		        quoted = lambda c: any(q in c for q in ',"\r\n')
		        print(json.dumps([i + 1] + [c if quoted(c) else c.strip(' \t') for c in (x, y)]))
	END
	fl-fetch csv w.csv --delimiter , >out
	jq -c '[.price, .x // "", .y // ""]' out >got
	[ "$(wc -l <got)" = 3000 ]
	jq -c . want | diff - got
}

@test "usual rows, by day and by symbol, quoted or not, are what Python makes of them" {
	command -v python3 || skip "no python3"
	python3 - <<-'END'
		import datetime, random
		random.seed(5)
		columns = ['open', 'high', 'low', 'close', 'volume', 'adj_close']
		rows, day = [], datetime.date(2026, 11, 19)
		while len(rows) < 20000:
		    day -= datetime.timedelta(days=1 if day.weekday() else 3)
		    for i in range(250):
		        base = random.randrange(1000, 9000000)
		        prices = [f'{(base + random.randrange(900)) / 10000:.4f}' for _ in range(4)]
		        rows.append([f'{day}', f'S{i}', *prices, f'{base / 9999:.6f}', f'{random.randrange(10**8)}'])
		def number(text):
		    return text.rstrip('0').rstrip('.') if '.' in text else text
		def record(row):
		    o, h, l, c, a, v = map(number, row[2:])
		    return (f'{{"type":"bar","ts":"{row[0]}T00:00:00.000Z","provider":"csv","symbol":"{row[1]}",'
		            f'"interval":"1d","open":{o},"high":{h},"low":{l},"close":{c},"adj":"split",'
		            f'"date":"{row[0]}","volume":{v},"adj_close":{a}}}\n')
		for name, order in (('day', None), ('symbol', lambda row: row[1])):
		    ordered = sorted(rows, key=order) if order else rows
		    with open(f'{name}.ndjson', 'w', newline='') as out:
		        out.writelines(map(record, ordered))
		    for kind, end in (('lf', '\n'), ('crlf', '\r\n'), ('quoted', '\n'), ('mixed', '\n')):
		        with open(f'{name}-{kind}.csv', 'w', newline='') as out:
		            out.write('Date,Symbol,Open,High,Low,Close,Adj Close,Volume' + end)
		            for i, row in enumerate(ordered):
		                quote = kind == 'quoted' or kind == 'mixed' and i % 500 == 7
		                row = [f'"{cell}"' if quote else cell for cell in row]
		                out.write(','.join(row) + end)
	END
	for order in day symbol; do
		for kind in lf crlf quoted mixed; do
			fl-fetch csv "$order-$kind.csv" | cmp - "$order.ndjson"
			# One by one, as a selection wants them.
			fl-fetch csv "$order-$kind.csv" --type bar | cmp - "$order.ndjson"
		done
	done
	tr , '\t' <day-lf.csv >day.tsv
	fl-fetch csv day.tsv | cmp - day.ndjson
}

@test "a row that is refused is told in its turn, between runs of others" {
	{
		bars 2026-01-02 2026-01-05
		echo 2026-01-06,1,2,1,x,1
		bars 2026-01-07 2026-01-08 | tail -n +2
		echo 2026-01-09,1,2
	} >p.csv
	run -1 --separate-stderr fl-fetch csv p.csv --symbol X --rejects inline
	[ "$(jq -r '.date // .line' <<<"$output" | xargs)" = "2026-01-02 2026-01-05 4 2026-01-07 2026-01-08 7" ]
	run -6 --separate-stderr fl-fetch csv p.csv --symbol X --max-rejects 0
	[ "$(jq -r .date <<<"$output" | xargs)" = "2026-01-02 2026-01-05" ]
	run -1 --separate-stderr fl-fetch csv p.csv p.csv --symbol-from-name --stats json
	[ "${#lines[@]}" = 8 ]
	[ "$(jq -r '"\(.in) \(.out) \(.rejected)"' <<<"${stderr_lines[-1]}")" = "12 8 4" ]
}

@test "patterns that the shell left alone are expanded" {
	mkdir d
	bars 2026-01-02 2026-01-05 | tee d/zzza.csv >d/zzzb.csv
	run -0 bash -c "fl-fetch csv 'd/*.csv' --symbol-from-name | jq -r .symbol | sort | uniq -c | xargs"
	[ "$output" = "2 ZZZA 2 ZZZB" ]
	cp d/zzza.csv 'd/z[1].csv'
	run -0 bash -c "fl-fetch csv 'd/z[1].csv' --symbol X | wc -l"
	[ "$output" = 2 ]
	run -5 fl-fetch csv 'd/*.txt' --symbol X
	[ "$output" = "fl-fetch: no file matches 'd/*.txt'" ]
}

@test "what cannot resume is known before the opening mark" {
	bars 2026-01-02 2026-01-05 2026-01-06 >p.csv
	fl-fetch csv p.csv --symbol X --resume p.db --pipeline p | fl-load -q --pipeline p p.db
	bars 2026-01-02 >a.csv
	bars 2027-01-04 2027-01-05 2027-01-06 >p.csv
	for files in p.csv 'a.csv p.csv' 'a.csv none.csv' none.csv -; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr fl-fetch csv $files --symbol X --resume p.db --pipeline p <a.csv
		[ "$status" -ge 2 ]
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
	done
	run -4 --separate-stderr fl-fetch csv a.csv p.csv --symbol X --resume p.db --pipeline p --keep-going
	[ "$(jq -r 'select(.type == "bar") | .date' <<<"$output")" = 2026-01-02 ]
	[[ ${stderr_lines[0]} == *'the file was replaced, '*'; going on with the next' ]]
}

@test "what the source never gives is no empty result" {
	bars 2026-01-02 >p.csv
	run -2 fl-fetch csv p.csv --symbol X --type news
	[ "$output" = "fl-fetch: csv gives bar, quote, dividend, split; no news" ]
	run -2 fl-fetch csv p.csv --symbol A,B
	[ "$output" = "fl-fetch: 'p.csv' has no column for the symbol; say one --symbol, --symbol-from-name, or --map symbol=COLUMN" ]
}

@test "a date that --date-format does not fit is told so" {
	bars 02.01.2026 2026-01-05 >p.csv
	run -1 fl-fetch csv p.csv --symbol X --interval 1d --date-format %d.%m.%Y --rejects bad
	[ "$(jq -r .detail bad)" = "'2026-01-05' does not fit --date-format '%d.%m.%Y'" ]
}

@test "the first file that fails stops the run; --keep-going goes on" {
	bars 2026-01-02 2026-01-05 >a.csv
	bars 1/2/2026 2/3/2026 >b.csv
	bars 2026-01-06 2026-01-07 >c.csv
	run -2 --separate-stderr fl-fetch csv a.csv b.csv c.csv --symbol X
	[ "${#lines[@]}" = 2 ]
	run -2 --separate-stderr fl-fetch csv a.csv b.csv c.csv --symbol X --keep-going
	[ "${#lines[@]}" = 4 ]
	[ "${#stderr_lines[@]}" = 2 ]
	[[ ${stderr_lines[0]} == "fl-fetch: 'b.csv': dates read as M/D/Y"*"; going on with the next" ]]
	[ "${stderr_lines[1]}" = 'fl-fetch: 1 of 3 files could not be read' ]
	run -2 --separate-stderr fl-fetch csv b.csv a.csv --symbol X --keep-going
	[ "${#lines[@]}" = 2 ]
}

@test "what is no CSV is said to be what it is" {
	printf '{"Information": "25 requests a day"}' >quota.csv
	run -6 fl-fetch csv quota.csv --symbol X
	[ "$output" = "fl-fetch: 'quota.csv' is JSON, not CSV: {\"Information\": \"25 requests a day\"}" ]
	printf '{\n "Information": "x"\n}\n' >quota.csv
	run -6 fl-fetch csv quota.csv --symbol X
	[ "$output" = "fl-fetch: 'quota.csv' is JSON, not CSV: { \"Information\": \"x\" }" ]
	echo '{"type":"bar"}' >bars.json
	run -6 fl-fetch csv bars.json
	[ "$output" = "fl-fetch: 'bars.json' is JSON, not CSV: {\"type\":\"bar\"}; fl-clean FILE reads it" ]
	printf 'Date,Price\n' | iconv -t UTF-16 >utf16.csv
	run -6 fl-fetch csv utf16.csv --symbol X
	[ "$output" = "fl-fetch: 'utf16.csv' is UTF-16: iconv -f UTF-16 -t UTF-8 FILE | fl-fetch csv -" ]
	: >empty.csv
	run -6 fl-fetch csv empty.csv --symbol X
	[ "$output" = "fl-fetch: 'empty.csv' is empty: not even a header" ]
	run -5 fl-fetch csv nowhere.csv --symbol X
	[ "$output" = "fl-fetch: cannot open 'nowhere.csv': No such file or directory" ]
	run -5 fl-fetch csv . --symbol X
	[ "$output" = "fl-fetch: cannot read '.': is a folder" ]
	bars >none.csv
	run -0 fl-fetch csv none.csv --symbol X
}

@test "delimiters: found out, or told" {
	for sign in ',' ';' '	' '|'; do
		printf 'Date%sPrice\n2026-01-02%s5\n' "$sign" "$sign" >d.csv
		run -0 bash -c 'fl-fetch csv d.csv --symbol X | jq .price'
		[ "$output" = 5 ]
	done
	printf 'Date:Price\n2026-01-02:5\n' >d.csv
	run -0 bash -c 'fl-fetch csv d.csv --symbol X --delimiter : | jq .price'
	[ "$output" = 5 ]
	run -2 fl-fetch csv d.csv --symbol X --delimiter '::'
	[ "$output" = "fl-fetch: --delimiter '::': one character, such as ';', or comma, semicolon, tab, pipe" ]
}

@test "an early reader ends it quietly, and a full disk is told" {
	{
		bars
		for h in {10..23}; do for m in {10..59}; do
			echo "2026-01-02 $h:$m,1,2,0.5,1.5,100"
		done; done
	} >long.csv
	run -0 bash -c 'fl-fetch csv long.csv long.csv long.csv --symbol X 2>err | head -n 1'
	[ ! -s err ]
	run -5 bash -c 'fl-fetch csv long.csv --symbol X >/dev/full'
}

@test "a pipeline goes on where it stands, over files that grow" {
	bars 2026-01-02 2026-01-05 x 2026-01-06 bad >p.csv
	go() { fl-fetch csv p.csv --symbol X --resume p.db --pipeline p | fl-load -q --pipeline p p.db; }
	go
	[ "$(fl-fetch store p.db --type bar | wc -l)" = 3 ]
	[ "$(fl-fetch store p.db --type reject | wc -l)" = 2 ]
	fl-load p.db --positions >marks
	[[ $(jq -r '.at | keys[0]' marks) == "file:$PWD/p.csv#"*-* ]]
	[ "$(jq -r '.at[][1]' marks)" = 5 ]
	# Nothing new: nothing is given, and nothing refused once more.
	run_json 0 fl-fetch csv p.csv --symbol X --resume p.db --pipeline p
	[ "$(jq -c '[.in, .rejected]' <<<"$record")" = "[0,0]" ]
	[ "$(jq -r 'select(.end) | .pipeline' "$BATS_TEST_TMPDIR/out")" = p ]
	bars 2026-01-07 2026-01-08 | tail -n 2 >>p.csv
	go
	[ "$(fl-fetch store p.db --type bar | wc -l)" = 5 ]
	fl-fetch csv p.csv --symbol X 2>/dev/null | cmp - <(fl-fetch store p.db --type bar)
	# Warm-up is given, and not counted.
	bars 2026-01-09 | tail -n 1 >>p.csv
	run_json 0 fl-fetch csv p.csv --symbol X --resume p.db --pipeline p --warm-up 24h
	[ "$(jq .in <<<"$record")" = 1 ]
	[ "$(jq -r 'select(.type == "bar") | .date' "$BATS_TEST_TMPDIR/out" | xargs)" = "2026-01-07 2026-01-08 2026-01-09" ]
}

@test "a file that was replaced or cut is refused; --from begins anew" {
	bars 2026-01-02 2026-01-05 2026-01-06 >p.csv
	fl-fetch csv p.csv --symbol X --resume p.db --pipeline p | fl-load -q --pipeline p p.db
	cp p.csv whole
	head -n 2 whole >p.csv
	run -4 fl-fetch csv p.csv --symbol X --resume p.db --pipeline p
	[[ $output == *"the file was cut to "*" bytes"*"fl-load --forget p"* ]]
	bars 2027-01-04 2027-01-05 2027-01-06 >p.csv
	run -4 fl-fetch csv p.csv --symbol X --resume p.db --pipeline p
	[[ $output == *"the file was replaced, its first "*" bytes differ"*"fl-load --forget p"* ]]
	fl-fetch csv p.csv --symbol X --resume p.db --pipeline p --from 2000-01-01 | fl-load -q --pipeline p p.db
	[ "$(fl-fetch store p.db | wc -l)" = 6 ]
	run -2 fl-fetch csv - --symbol X --resume p.db --pipeline p <p.csv
	[ "$output" = "fl-fetch: standard input has no position to resume from; name the file" ]
}
