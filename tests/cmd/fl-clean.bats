#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2094,SC2154 # programs in quotes; cmp; run sets
#
# fl-clean: what passes, how it is mended, what is refused and kept, and that
# every account closes: teardown looks at the runs of each test.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$PWD/runs
	rec=$BATS_TEST_DIRNAME/../data/rec
}

teardown() {
	[ ! -e "$FL_RUNS" ] || account_closes "$FL_RUNS"
}

# quote TIME [MEMBERS [SYMBOL [PRICE]]]: a quote of 2026-01-02
quote() {
	printf '{"type":"quote","ts":"2026-01-02T%s.000Z","provider":"t","symbol":"%s","price":%s%s}\n' \
		"$1" "${3:-A}" "${4:-1}" "${2:+,$2}"
}

# quotes N: so many, each a second after the other
quotes() {
	seq 0 $(($1 - 1)) | awk '{ printf "{\"type\":\"quote\",\"ts\":\"2026-01-02T%02d:%02d:%02d.000Z\"," \
		"\"provider\":\"t\",\"symbol\":\"A\",\"price\":%d}\n", $1 / 3600, $1 / 60 % 60, $1 % 60, $1 + 1 }'
}

# count EXPRESSION: of the newest run
count() {
	tail -n 1 "$FL_RUNS" | jq -r "$1"
}

# becomes LINE WANTED [OPTION...]: status 0, and that is all of the output
becomes() {
	local line=$1 want=$2
	shift 2
	run -0 --separate-stderr fl-clean "$@" <<<"$line"
	[ "$output" = "$want" ] || fail "got     $output" $'\n'"instead of $want"
}

# refused LINE REASON [OPTION...]: status 1, no output, that reason
refused() {
	local line=$1 want=$2
	shift 2
	rm -f bad
	run -1 --separate-stderr fl-clean --rejects bad "$@" <<<"$line"
	[ -z "$output" ] || fail "passed: $output"
	[ "$(jq -r .reason bad)" = "$want" ] || fail "instead of $want: $(cat bad)"
}

@test "help, version and misuse are as everywhere" {
	fl_help_ok fl-clean
	fl_version_ok fl-clean
	fl_misuse_ok fl-clean
}

# --- what passes -------------------------------------------------------------

@test "a good line passes byte for byte, however it is spelled" {
	{
		quote 15:00:00
		echo '{"price":1,"symbol":"A","provider":"t","ts":"2026-01-02T15:00:01.000Z","type":"quote"}'
		echo ' { "type" : "quote" , "ts":"2026-01-02T15:00:02.000Z","provider":"t","symbol":"A","price":1 }	'
		quote 15:00:03 '"size":1e2,"volume":1.50E+3,"bid":0.10,"change":-0'
		quote 15:00:04 '"my_field":{"b":[1,null,true],"a":1e400},"exchange":"\u004e\/S"'
		quote 15:00:05 '"näme":"é \ud83d\ude00 😀","exchange":null'
		echo '{"\u0074ype":"quote","ts":"2026-01-02T15:00:06.000Z","provider":"t","symbol":"A","price":1}'
	} >in
	run -0 --separate-stderr fl-clean <in
	[ -z "$stderr" ]
	fl-clean <in | cmp - in
	fl-clean -j 1 in | cmp - in
	[ "$(count '"\(.in) \(.used) \(.out) \(.status)"')" = '7 7 7 0' ]
	[ "$(count .bytes_in)" = "$(stat -c %s in)" ]
	[ "$(count .bytes_out)" = "$(stat -c %s in)" ]
}

@test "the good records of every type pass" {
	for f in "$rec"/*.ndjson; do
		[[ $f != *.bad.ndjson ]] || continue
		fl-clean --dedup 0 "$f" >out || fail "${f##*/}"
		[ "$(wc -l <out)" = "$(wc -l <"$f")" ] || fail "of ${f##*/} $(wc -l <out) pass"
		# What has passed once is not changed again.
		fl-clean --dedup 0 out | cmp - out
		fl-clean --dedup 0 --canonical "$f" >canonical
		fl-clean --dedup 0 --canonical canonical | cmp - canonical
		fl-clean --dedup 0 canonical | cmp - canonical
	done
}

@test "files, standard input and their mixture are read in turn" {
	quotes 9 >all
	sed -n 1,3p all >a
	sed -n 4,6p all | zstd -q >b
	sed -n 7,9p all | fl-clean a b - | cmp - all
	sed -n 7,9p all | gzip >c.gz
	fl-clean a b c.gz | cmp - all
	fl-clean <b | cmp - <(sed -n 4,6p all)
	run -0 jq -s 'map(.in)' -c runs
	[ "$output" = '[9,9,3]' ]
}

@test "a byte order mark, CRLF, blank lines and a missing last newline do no harm" {
	quotes 4 >all
	{
		printf '\xef\xbb\xbf\n\r\n \t\n'
		sed 's/$/\r/' all | sed -n 1,2p
		printf '\n\n'
		sed -n 3p all
		sed -n 4p all | tr -d '\n'
	} >in
	for j in 1 2; do
		fl-clean -j $j in | cmp - all
		[ "$(count .in)" = 4 ]
	done
	# Lines are counted as an editor does.
	run -1 --separate-stderr fl-clean <(cat in; printf '\n\r\n{oops')
	[[ $stderr == *"line 11 "* ]]
	# In the middle it is no mark, but a fault.
	refused $'\n\xef\xbb\xbf'"$(quote 15:00:00)" bad_json
}

@test "nothing in is nothing out" {
	: >empty
	for in in empty <(printf '\n\n\r\n') <(printf '\xef\xbb\xbf') <(printf '' | gzip) <(printf '' | zstd -q); do
		run -0 fl-clean "$in"
		[ -z "$output" ]
		[ "$(count .in)" = 0 ]
	done
}

@test "any number of threads gives the same bytes" {
	fl-fetch sim -n 40000 --duplicates 0.05 --bad 0.02 --disorder 20s >in
	for j in 1 2 7; do
		run -1 fl-clean -j $j --rejects "bad.$j" --canonical --where 'price=gt.100' in
		printf '%s\n' "${lines[@]}" | grep -v '^fl-clean: ' >"out.$j"
		jq -c 'del(.ts)' "bad.$j" >"rejects.$j"
		tail -n 1 runs | jq -c '[.in, .used, .rejected, .duplicates, .filtered, .unchecked]' >"counts.$j"
	done
	[ "$(wc -c <out.1)" -gt 1000000 ]
	[ "$(wc -l <rejects.1)" -gt 500 ]
	for j in 2 7; do
		cmp out.1 out.$j
		cmp rejects.1 rejects.$j
		cmp counts.1 counts.$j
	done
}

# --- what is mended ----------------------------------------------------------

@test "times become UTC with as many digits as they need" {
	moment() {
		becomes "{\"ts\":\"$1\",\"type\":\"quote\",\"provider\":\"t\", \"symbol\":\"A\",\"price\":1.0}" \
			"{\"ts\":\"$2\",\"type\":\"quote\",\"provider\":\"t\", \"symbol\":\"A\",\"price\":1.0}"
	}
	moment 2026-01-02T16:00:00+01:00 2026-01-02T15:00:00.000Z
	moment 2026-01-02T16:00:00.1-05:30 2026-01-02T21:30:00.100Z
	moment 2026-01-01T00:00:00.1234567+01:00 2025-12-31T23:00:00.123456700Z
	moment 2026-01-02t16:00:00.000000z 2026-01-02T16:00:00.000Z
	moment 2024-02-29T23:59:59.999999999-00:01 2024-03-01T00:00:59.999999999Z
}

@test "symbols become upper case" {
	becomes "$(quote 15:00:00 '' brk-b)" "$(quote 15:00:00 '' BRK-B)"
}

@test "intervals become canonical" {
	bar() {
		echo '{"type":"bar","ts":"2026-01-02T16:00:00.000Z","provider":"t","symbol":"A","interval":"'"$1"'","open":1,"high":1,"low":1,"close":1,"adj":"none"}'
	}
	becomes "$(bar 60m)" "$(bar 1h)"
	becomes "$(bar 120s)" "$(bar 2m)"
	becomes "$(bar 1h)" "$(bar 1h)"
	refused "$(bar 7m)" out_of_range
	refused "$(bar 1M)" out_of_range
}

@test "a number of more than 18 digits is rounded half-even and counted" {
	round() {
		becomes "$(quote 15:00:00 '' A "$1")" "$(quote 15:00:00 '' A "$2")"
		[ "$(count .rounded)" = "$3" ]
	}
	round 1234567890.1234567891 1234567890.12345679 1
	round 0.1234567890123456785 0.123456789012345678 1
	round 0.1234567890123456775 0.123456789012345678 1
	round 0.12345678901234567750000001 0.123456789012345678 1
	round 0.123456789012345678 0.123456789012345678 0
	round 1234567890123456.780000000000 1234567890123456.780000000000 0
	# What nobody knows is nobody's to round.
	becomes "$(quote 15:00:00 '"mine":0.1234567890123456785')" "$(quote 15:00:00 '"mine":0.1234567890123456785')"
	[ "$(count .rounded)" = 0 ]
	{
		quote 15:00:00 '"size":1234567890.1234567891,"bid":0.1234567890123456785'
		quote 15:00:01
		quote 15:00:02 '"size":1234567890.1234567891'
	} | fl-clean >out
	[ "$(count .rounded)" = 2 ]
}

@test "prices in a subunit go to the main unit, and say so" {
	becomes "$(quote 15:00:00 '"size":100,"bid":101.5,"currency":"GBp"' VOD.L 101.75)" \
		"$(quote 15:00:00 '"size":100,"bid":1.015,"currency":"GBP","currency_src":"GBp","price_scale":0.01' VOD.L 1.0175)"
	becomes "$(quote 15:00:00 '"currency":"GBP"')" "$(quote 15:00:00 '"currency":"GBP"')"
	for unit in 'GBX GBP 0.01' 'ZAc ZAR 0.01' 'ILA ILS 0.01' 'KWF KWD 0.001'; do
		read -r sub main scale <<<"$unit"
		becomes "$(quote 15:00:00 "\"currency\":\"$sub\"" A 200)" \
			"$(quote 15:00:00 "\"currency\":\"$main\",\"currency_src\":\"$sub\",\"price_scale\":$scale" A "0.${scale#0.0}" | sed 's/0\.1,/2,/; s/0\.01,/0.2,/')"
	done
	# Once is enough.
	fl-clean <<<"$output" | cmp - <(echo "$output")
}

@test "--canonical rewrites all" {
	becomes '{ "x":{"b":1.0, "a":[ 1e2 ]}, "price":1.50, "size":1e2, "symbol":"\u0041", "exchange":null, "type":"quote", "provider":"t", "ts":"2026-01-02T16:00:00+01:00"}' \
		'{"type":"quote","ts":"2026-01-02T15:00:00.000Z","provider":"t","symbol":"A","price":1.5,"size":100,"x":{"b":1,"a":[100]}}' --canonical
}

@test "--coerce reads numbers out of strings, and only whole ones" {
	becomes "$(quote 15:00:00 '"size":"7","seq":"12","delay_s":"1.5e1"' A '"12.50"')" \
		"$(quote 15:00:00 '"size":7,"seq":12,"delay_s":15' A 12.5)" --coerce --canonical
	refused "$(quote 15:00:00 '' A '"12.50"')" bad_type
	for text in '12.50x' ' 12' '' '0x10' 'NaN' '1,000' '.5' '+1'; do
		refused "$(quote 15:00:00 '' A "\"$text\"")" bad_type --coerce
	done
	refused "$(quote 15:00:00 '' A '"-1"')" out_of_range --coerce
	refused "$(quote 15:00:00 '"seq":"1.5"')" bad_number --coerce
}

# --- what is refused ---------------------------------------------------------

@test "every bad line of every type is refused for its reason" {
	for f in "$rec"/*.bad.ndjson; do
		rm -f bad
		jq -r .line "$f" >in
		run -1 --separate-stderr fl-clean --rejects bad in
		[ -z "$output" ] || fail "of ${f##*/} passes: $output"
		jq -r .reason bad | diff - <(jq -r .reason "$f") || fail "${f##*/}"
		# Kept whole, with its place.
		jq -r .raw bad | cmp - in
		jq .line bad | cmp - <(seq "$(wc -l <in)")
		# And each is a good record itself.
		fl-clean --dedup 0 bad | cmp - bad
	done
	jq -r '.reason' "$rec"/*.bad.ndjson | sort -u >seen
	# shellcheck disable=SC2043
	for reason in bad_json bad_utf8 not_object duplicate_key unknown_type missing_field bad_type bad_time \
		bad_number out_of_range ohlc_order null_bar unexpected_mark; do
		grep -qx $reason seen || fail "no line for $reason"
	done
}

@test "bytes that are no JSON of ours are refused, whatever they are" {
	refused '{"type":"quote"' bad_json
	refused 'Date;Open;High' bad_json
	refused '<html>' bad_json
	refused '{"type":"quote"}}' bad_json
	refused "{'type':'quote'}" bad_json
	refused "$(quote 15:00:00 '"x":tru')" bad_json
	refused "$(quote 15:00:00 '"x":[1,]')" bad_json
	refused "$(quote 15:00:00 '"x":"a	b"')" bad_json
	refused "$(quote 15:00:00 '"x":1 // no')" bad_json
	refused 'null' not_object
	refused '"quote"' not_object
	refused '17' not_object
	refused "$(quote 15:00:00 '"price":2')" duplicate_key
	refused "$(quote 15:00:00 '"\u0070rice":2')" duplicate_key
	refused "$(quote 15:00:00 '"x":[{"a":1,"a":1}]')" duplicate_key
	refused "$(quote 15:00:00 '' A NaN)" bad_number
	refused "$(quote 15:00:00 '' A -Infinity)" bad_number
	refused "$(quote 15:00:00 '' A 1e400)" out_of_range
	refused "$(quote 15:00:00 '' A "$(printf '9%.0s' {1..400})")" out_of_range
	refused "$(quote 15:00:00 '' A "0.$(printf '0%.0s' {1..400})1")" out_of_range
	refused "$(quote 15:00:00 '' A -1)" out_of_range
	refused "$(quote 15:00:00 '"x":"\ud800"')" bad_utf8
	refused "$(quote 15:00:00 '"x":"\udc00\ud800"')" bad_utf8
	refused "$(quote 15:00:00 '"x":"\u0000"')" bad_utf8
	refused "$(quote 15:00:00 $'"x":"\xc3\x28"')" bad_utf8
	refused "$(quote 15:00:00 $'"x":"\xed\xa0\x80"')" bad_utf8
	refused "$(quote 15:00:00 $'"x":"\xc0\xaf"')" bad_utf8
	refused "$(quote 15:00:00 $'"x":"\xf5\x80\x80\x80"')" bad_utf8
	refused $'\xff\xfe{' bad_utf8
	refused "{\"x\":$(printf '[%.0s' {1..10000})" bad_json
	refused "$(quote 15:00:00 "\"x\":$(printf '[%.0s' {1..10000})$(printf ']%.0s' {1..10000})")" bad_json
	refused "$(quote 15:00:00 "\"x\":$(printf '{"a":%.0s' {1..10000})1$(printf '}%.0s' {1..10000})")" bad_json
}

@test "a NUL is refused, and the lines around it are good" {
	{
		quote 15:00:00
		quote 15:00:01 | tr 1 '\0'
		printf '\0\n'
		quote 15:00:02 | sed 's/A/A\x00/'
		quote 15:00:03
	} >in
	for j in 1 2; do
		rm -f bad
		run -1 --separate-stderr fl-clean -j $j --rejects bad in
		[ "$output" = "$(quote 15:00:00; quote 15:00:03)" ]
		[ "$(jq -r '.line, .reason' bad | paste -sd ' ')" = '2 bad_json 3 bad_json 4 bad_json' ]
		jq -r .raw_b64 bad | while read -r raw; do base64 -d <<<"$raw"; echo; done | cmp - <(sed -n 2,4p in)
	done
}

@test "the reason, the place and the first fault are told" {
	{
		quotes 3
		quote 15:00:00 '' A '"12"'
		quotes 3
		echo '{'
	} >in
	run -1 --separate-stderr fl-clean in
	[[ $stderr == "fl-clean: rejected: 1 bad_json, 1 bad_type; first: 'in' line 4 'price' is \"12\", "* ]]
	[[ $stderr == *$'; --rejects FILE keeps them\nfl-clean: 8 in = 3 out + 2 rejected + 3 duplicates + 0 filtered + 0 late; '* ]]
	rm -f bad
	run -1 --separate-stderr fl-clean --rejects bad - <in
	[[ $stderr == *"first: line 4 'price'"*"; kept in 'bad'"* ]]
	run -0 jq -c '[.type, .provider, .reason, .detail, .input, .line, .field]' bad
	[[ ${lines[0]} == '["reject","fl-clean","bad_type","'"'price' is \\\"12\\\", "*'","-",4,"price"]' ]]
	[[ ${lines[1]} == '["reject","fl-clean","bad_json","'*' at byte 2","-",8,null]' ]]
	[ "$(jq -r 'select(.id | test("^[0-9a-f]{32}$")) | .id' bad | sort -u | wc -l)" = 2 ]
}

# --- where rejects go --------------------------------------------------------

@test "a line of 900,000 bytes passes, one more is too long and kept in part" {
	pad() {
		local line
		line=$(quote 15:00:00 '"x":""')
		printf '%s' "${line%\"\}}"
		head -c $(($1 - ${#line})) /dev/zero | tr '\0' x
		printf '"}\n'
	}
	pad 900000 >whole
	fl-clean whole | cmp - whole
	for size in 900001 1048575 1048576 1048577 2097152; do
		{
			quote 15:00:00
			pad $size
			quote 15:00:01
		} >in
		for j in 1 2; do
			rm -f bad
			run -1 --separate-stderr fl-clean -j $j --rejects bad in
			[ "$output" = "$(quote 15:00:00; quote 15:00:01)" ]
			run -0 jq -c '[.reason, .line, .truncated, .raw_bytes, (.raw | length)]' bad
			[ "$output" = "[\"too_long\",2,true,$size,65536]" ]
			jq -j .raw bad | cmp - <(pad $size | head -c 65536)
			[ "$(count .bytes_in)" = "$(stat -c %s in)" ]
		done
	done
}

@test "what is kept of a long line ends with a whole character" {
	for from in '' x xx xxx; do
		for size in 230000 300000; do
			rm -f bad
			run -1 fl-clean --rejects bad < <(printf '%s' "$from"; yes 😀 | head -n $size | tr -d '\n')
			[ "$(jq -r '.raw | length' bad)" = $(((65536 - ${#from}) / 4 + ${#from})) ]
			[ "$(jq -r .raw_bytes bad)" = $((size * 4 + ${#from})) ]
			[ "$(jq -r .truncated bad)" = true ]
		done
	done
}

@test "a line of 64 MiB is skipped in constant memory" {
	{
		quote 15:00:00
		head -c 67108864 /dev/zero | tr '\0' '{'
		echo
		quote 15:00:01
	} | fl-clean --rejects bad >out || [ $? = 1 ]
	cmp out <(quote 15:00:00; quote 15:00:01)
	[ "$(jq -c '[.reason, .raw_bytes, .line]' bad)" = '["too_long",67108864,2]' ]
	[ "$(count .bytes_in)" -gt 67108864 ]
	# A sanitizer's own memory is none of ours.
	[[ ${FL_VARIANT:-} == [at]san ]] || [ "$(count .max_rss_bytes)" -lt 67108864 ]
}

@test "the worst lines there are take no more memory" {
	[[ ${FL_VARIANT:-} != [at]san ]] || skip "a sanitizer's own memory counts as well"
	many() {
		yes "$1" | head -n "$2" | tr -d '\n'
	}
	# As many values, members and objects as 900,000 bytes hold, and a fault
	# at the very end.
	{
		quote 15:00:00 "\"x\":[$(many 1, 449900)1]"
		quote 15:00:01 "$(seq 100000 165000 | sed 's/.*/"&":1,/' | tr -d '\n')\"z\":1"
		quote 15:00:02 "\"x\":[$(many '{},' 299900)1]"
		quote 15:00:03 "\"x\":[$(many '[],' 299900)NaN]"
	} >in
	for _ in {1..10}; do cat in; done >all
	for j in 2 8; do
		fl-clean -j $j --dedup 0 -q all >/dev/null || [ $? = 1 ]
		[ "$(count '"\(.out) \(.rejected)"')" = '30 10' ]
		[ "$(count .max_rss_bytes)" -lt 67108864 ]
	done
}

@test "--rejects FILE appends whole lines" {
	echo 'what was there' >bad
	run -1 fl-clean --rejects bad <<<'{oops'
	for i in {1..8}; do
		yes '{"type":"nothing"}' | head -n 500 | fl-clean -q --rejects bad &
	done
	wait # of which the status is 0
	[ "$(head -n 1 bad)" = 'what was there' ]
	[ "$(tail -n +2 bad | jq -r .reason | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd ' ')" = '1 bad_json 4000 unknown_type' ]
}

@test "--rejects fd:N writes to that descriptor, and it must be open" {
	run -1 fl-clean --rejects fd:7 7>bad <<<'{oops'
	[ "$(jq -r .reason bad)" = bad_json ]
	# Beside the records, for who reads both.
	{ quote 15:00:00; echo '{'; } >in
	run -1 --separate-stderr fl-clean --rejects fd:1 in
	[ "${#lines[@]}" = 2 ]
	run -2 --separate-stderr fl-clean --rejects fd:9 <<<'{oops'
	[[ $stderr == "fl-clean: --rejects 'fd:9': no open descriptor of that number"* ]]
	run -2 fl-clean --rejects fd:x <<<'{oops'
}

@test "--rejects inline puts them where they were" {
	{
		quote 15:00:00
		echo '{'
		quote 15:00:01
		quote 15:00:02 '' A '"2"'
	} >in
	run -1 --separate-stderr fl-clean --rejects inline in
	[ "$(jq -r '.reason // .ts' <<<"$output" | paste -sd ' ')" = '2026-01-02T15:00:00.000Z bad_json 2026-01-02T15:00:01.000Z bad_type' ]
	[ "$(count '"\(.out) \(.rejected)"')" = '2 2' ]
	# They are records, which pass like any other.
	fl-clean <<<"$output" | cmp - <(echo "$output")
}

@test "rejects that cannot be kept end the run" {
	run -5 --separate-stderr fl-clean --rejects /dev/full <<<'{oops'
	[[ $stderr == *"fl-clean: cannot write '/dev/full': No space left on device"* ]]
	run -5 --separate-stderr fl-clean --rejects no/such/folder <<<'{oops'
	[ "$stderr" = "fl-clean: cannot open 'no/such/folder' for rejects: No such file or directory" ]
	# Before the first is found.
	run -5 fl-clean --rejects no/such/folder /dev/null
	# A reader of rejects that went away is a fault, not a quiet end.
	run -5 bash -c 'yes "{oops" | head -n 100000 | fl-clean --rejects fd:3 3> >(head -n 1 >first)'
	[[ $output == *"the reader of 'fd:3' went away"* ]]
}

@test "--max-rejects says how many are too many" {
	{ quotes 96; yes '{oops' | head -n 4; } >in
	run -1 fl-clean -q in
	run -0 fl-clean -q --max-rejects 4 in
	run -0 fl-clean -q --max-rejects 4% in
	run -0 fl-clean -q --max-rejects 0.04 in
	run -6 --separate-stderr fl-clean --max-rejects 3 in
	[[ $stderr == 'fl-clean: more rejects than --max-rejects allows: 4, at most 3'* ]]
	[ "${#lines[@]}" = 96 ]
	run -6 --separate-stderr fl-clean --max-rejects 3.9% in
	[[ $stderr == 'fl-clean: more rejects than --max-rejects allows: 4 of 100 records'* ]]
	[ "${#lines[@]}" = 96 ]
	run -6 fl-clean -q --max-rejects 0.0399 in
	run -6 fl-clean -q --max-rejects 0 <<<'{oops'
	run -0 fl-clean -q --max-rejects 0 <(quotes 3)
	run -2 fl-clean --max-rejects 101% in
	run -2 fl-clean --max-rejects -1 in
	# A number stops at once, with the one that was too much kept; a share
	# waits for 10,000 records.
	{ echo '{oops'; quotes 20000; } >early
	run -6 fl-clean -q --max-rejects 0 --rejects bad early
	[ "$(count '"\(.in) \(.rejected)"')" = '1 1' ]
	[ "$(wc -l <bad)" = 1 ]
	yes '{oops' | run -6 timeout 20 fl-clean -q --max-rejects 1%
	[ "$(count .in)" -ge 10000 ]
	[ "$(count .in)" -le 20000 ]
}

@test "--retry takes rejects up again" {
	{
		quote 15:00:00 '' A '"12.5"'
		echo 'no record'
		quote 15:00:01 '' A -1
		quote 15:00:02 '"x":"\u00e9"' A '"7"'
		printf '\xff\n'
	} >in
	run -1 fl-clean --rejects bad in
	[ "$(wc -l <bad)" = 5 ]
	run -1 --separate-stderr fl-clean --retry --coerce --rejects again bad
	[ "$output" = "$(quote 15:00:00 '' A 12.5; quote 15:00:02 '"x":"\u00e9"' A 7)" ]
	[ "$(count '"\(.in) \(.used) \(.rejected)"')" = '5 2 3' ]
	# What is refused again is kept as it was, not as a reject of a reject.
	[ "$(jq -r '.reason' again | paste -sd ' ')" = 'bad_json out_of_range bad_utf8' ]
	[ "$(jq -r 'select(.raw) | .raw' again)" = "$(sed -n '2,3p' in)" ]
	[ "$(jq -r 'select(.raw_b64) | .raw_b64' again)" = "$(printf '\xff' | base64)" ]
	# Without it a reject is a record like any other.
	fl-clean bad | cmp - bad
	# And records between rejects pass.
	{ quote 15:00:03; cat bad; } >mixed
	run -1 fl-clean -q --retry mixed
	[ "$output" = "$(quote 15:00:03)" ]
}

@test "--retry reads raw_b64, and knows what was cut" {
	reject() {
		echo '{"type":"reject","ts":"2026-01-02T15:00:00.000Z","provider":"t","id":"1","reason":"bad_json",'"$1"'}'
	}
	for x in '' '"y":1' '"y":12' '"y":123'; do
		becomes "$(reject '"raw_b64":"'"$(quote 15:00:00 "$x" | tr -d '\n' | base64 -w 0)"'"')" "$(quote 15:00:00 "$x")" --retry
	done
	refused "$(reject '"raw":"{\"type\"","truncated":true,"raw_bytes":70000')" truncated --retry
	# Several lines that make one record become one line.
	becomes "$(reject '"raw":"{\r\n\t\"type\":\"quote\",\n\"ts\":\"2026-01-02T15:00:00.000Z\",\"provider\":\"t\",\"symbol\":\"A\",\"price\":1\n}"')" \
		$'{  \t"type":"quote", "ts":"2026-01-02T15:00:00.000Z","provider":"t","symbol":"A","price":1 }' --retry
	# A newline inside of a string is none of JSON's.
	refused "$(reject '"raw":"{\"type\":\"quote\",\"ts\":\"2026-01-02T15:00:00.000Z\",\"provider\":\"t\",\"symbol\":\"A\",\"price\":1,\"x\":\"\n\"}"')" bad_json --retry
	[ "$(jq -r .raw bad | wc -l)" = 2 ]
	# A mark that was kept is still none.
	refused "$(reject '"raw":"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{},\"open\":true}"')" unexpected_mark --retry
}

# --- duplicates --------------------------------------------------------------

@test "equal content is a duplicate, however it is written" {
	{
		quote 15:00:00 '"size":100,"x":{"a":1}' A 1.5
		quote 15:00:00 '"size":100,"x":{"a":1}' A 1.5
		echo '{"price":1.50,"size":1e2,"symbol":"a","x":{"a":1},"type":"quote","provider":"t","ts":"2026-01-02T16:00:00+01:00"}'
		quote 15:00:00 '"size":100.0,"x":{"a":1},"ts_recv":"2026-01-02T15:00:07.000Z","exchange":null' '\u0041' 1.5
		quote 15:00:00 '"size":100' A 1.5
		quote 15:00:00 '"size":100,"x":{"a":2}' A 1.5
	} >in
	run -0 --separate-stderr fl-clean in
	[ "$output" = "$(sed -n '1p;5p;6p' in)" ]
	[ "$(count '"\(.in) \(.used) \(.duplicates) \(.unchecked)"')" = '6 3 3 0' ]
	[ "$(count .dedup_horizon_s)" = 600 ]
	fl-clean --dedup 0 in | cmp - <(sed '3s/.*/{"price":1.50,"size":1e2,"symbol":"A","x":{"a":1},"type":"quote","provider":"t","ts":"2026-01-02T15:00:00.000Z"}/' in)
	[ "$(count '"\(.duplicates) \(.dedup_horizon_s)"')" = '0 null' ]
}

@test "a quote with a seq is that of its series" {
	{
		quote 15:00:00 '"seq":1' A 1
		quote 15:00:01 '"seq":1' A 2
		quote 15:00:01 '"seq":1' B 2
		quote 15:00:01 '"seq":2' A 2
		quote 15:00:01 '"seq":1.0' A 3
		quote 15:00:01 '' A 1
	} >in
	run -0 fl-clean -q in
	[ "$output" = "$(sed -n '1p;3p;4p;6p' in)" ]
}

@test "the horizon is per series, and every occurrence counts" {
	{
		quote 15:00:00 '"seq":1' A
		quote 15:09:59 '"seq":1' A # within
		quote 15:19:59 '"seq":1' A # of the one before
		quote 15:30:00 '"seq":1' A # too late
		quote 15:00:00 '"seq":1' B # history comes symbol by symbol
		quote 15:00:00 '"seq":1' B
		quote 15:00:00 '"seq":9' A # older than A's horizon: who can tell?
		quote 15:20:00 '"seq":1' A # just inside
	} >in
	run -0 fl-clean -q in
	[ "$output" = "$(sed -n '1p;4p;5p;7p' in)" ]
	[ "$(count '"\(.duplicates) \(.unchecked)"')" = '4 1' ]
	run -0 fl-clean -q --dedup 1h in
	[ "$output" = "$(sed -n '1p;5p;7p' in)" ]
	[ "$(count .dedup_horizon_s)" = 3600 ]
	run -2 fl-clean --dedup 10 in
	run -2 fl-clean --dedup -5m in
}

@test "a number that begins anew each day is no repeat, also of who rarely speaks" {
	{
		quote 09:00:00 '' IDLE
		for day in 2 5 6; do
			for i in 1 2 3; do quote 09:00:0$i "\"seq\":$i" | sed "s/01-02/01-0$day/"; done
		done
	} >in
	fl-clean in | cmp - in
}

@test "what deduplication has learnt goes on to the next input" {
	quotes 5 >a
	fl-clean a a <(head -n 2 a) | cmp - a
	[ "$(count .duplicates)" = 7 ]
}

@test "when memory for it is full, the account says how far it looked" {
	quotes 20000 >in
	{ cat in; head -n 10 in; tail -n 10 in; } >twice
	run -0 --separate-stderr fl-clean --dedup 7d --dedup-memory 64K --stats text twice
	[ "${#lines[@]}" = 20010 ]
	[ "$(count '"\(.duplicates) \(.unchecked)"')" = '10 10' ]
	horizon=$(count .dedup_horizon_s)
	[ "${horizon%.*}" -gt 60 ]
	[ "${horizon%.*}" -lt 19990 ]
	[[ $stderr == *'; 10 not checked for duplicates (looked '*' back)' ]]
	fl-clean --dedup 7d twice | cmp - in
	[ "$(count '"\(.duplicates) \(.unchecked) \(.dedup_horizon_s)"')" = '20 0 604800' ]
}

# --- marks -------------------------------------------------------------------

# mark MEMBERS
mark() {
	echo '{"type":"mark","pipeline":"p","at":{},'"$1"'}'
}

@test "marks pass in order and uncounted, with the rejects between them" {
	{
		mark '"open":true,"via":["source"]'
		quote 15:00:00
		echo '{oops'
		quote 15:00:00
		mark '"note":1'
		quote 15:00:01
		mark '"end":true'
	} >in
	for j in 1 2; do
		run -1 --separate-stderr fl-clean -j $j in
		tail -n +2 <<<"$output" | sed 's/^{"type":"reject".*"reason":"\([a-z_]*\)".*/\1/' |
			cmp - <(quote 15:00:00; echo bad_json; sed -n '5,7p' in)
		[ "$(jq -c .via <<<"${lines[0]}")" = "[\"source\",\"fl-clean -j $j in\"]" ]
		[ "$(count '"\(.in) \(.out) \(.rejected) \(.duplicates)"')" = '4 2 1 1' ]
	done
	# Elsewhere when told so.
	run -1 fl-clean -q --rejects bad in
	[ "${#lines[@]}" = 5 ]
	[ "$(jq -r .reason bad)" = bad_json ]
}

@test "from warm-up it learns, and emits and counts nothing" {
	{
		mark '"open":true'
		mark '"live":false'
		quote 15:00:00
		echo '{oops'
		mark '"live":true'
		quote 15:00:00
		quote 15:00:01
		mark '"end":true'
	} >in
	run -0 --separate-stderr fl-clean in
	[ "$(grep -v '"mark"' <<<"$output")" = "$(quote 15:00:01)" ]
	[ "$(count '"\(.in) \(.out) \(.rejected) \(.duplicates)"')" = '2 1 0 1' ]
}

@test "the torn last line of a marked stream is dropped, of any other refused" {
	{ mark '"open":true'; quote 15:00:00; quote 15:00:01 | head -c 40; } >torn
	run -0 fl-clean -q torn
	[ "${#lines[@]}" = 2 ]
	[ "$(count '"\(.in) \(.rejected)"')" = '1 0' ]
	# Even if it looks whole: the mark after it never came.
	{ mark '"open":true'; quote 15:00:00; quote 15:00:01 | tr -d '\n'; } >torn
	run -0 fl-clean -q torn
	[ "${#lines[@]}" = 2 ]
	run -1 fl-clean -q <(tail -n +2 torn | head -c -5)
	[ "$(count '"\(.in) \(.rejected)"')" = '2 1' ]
}

@test "a mark that opens no stream is somebody's data, and refused" {
	refused "$(mark '"end":true')" unexpected_mark
	refused '{"type":"mark"}' unexpected_mark
	{ quote 15:00:00; mark '"open":true'; mark '"end":true'; } >in
	run -1 --separate-stderr fl-clean in
	[ "$output" = "$(quote 15:00:00)" ]
	[ "$(count .rejected)" = 2 ]
	refused '{"type":"mark","open":true}' unexpected_mark
	# In a stream that has marks each must be one.
	{ mark '"open":true'; echo '{"type":"mark","at":{}}'; } >in
	run -6 --separate-stderr fl-clean in
	[[ $stderr == *"a mark that cannot be followed: 'pipeline' is missing"* ]]
}

# --- the user's program ------------------------------------------------------

has_jq() {
	! fl-clean --jq . </dev/null 2>&1 | grep -q 'not in this build' || skip "built without libjq"
}

@test "--jq drops what gives nothing, and passes the rest byte for byte" {
	has_jq
	{
		quote 15:00:00 '"size":123456789012345678' A 0.1234567890123456785
		quote 15:00:01 '"size":5, "x":1e400' A 1.50
		quote 15:00:02 '' B
	} >in
	run -0 --separate-stderr fl-clean --jq 'select(.symbol == "A")' in
	[ "$output" = "$(fl-clean in | head -n 2)" ]
	tail -n 1 runs >/dev/null
	run -0 fl-clean -q --jq 'empty' in
	[ "$(count '"\(.in) \(.used) \(.filtered)"')" = '3 0 3' ]
	echo 'select(.size > 5)' >program
	run -0 fl-clean -q --jq @program in
	[ "${#lines[@]}" = 1 ]
}

@test "--jq keeps the digits of what it does not compute" {
	has_jq
	becomes "$(quote 15:00:00 '"size":123456789012345678,"bid":0.100,"x":[1e400,1E2,123456789012345679,-0]' A 1.50)" \
		"$(quote 15:00:00 '"size":123456789012345678,"bid":0.100,"x":[1e400,1E2,123456789012345679,-0],"mic":"XLON"' A 2)" \
		--jq '.price = 2 | .mic = "XLON"'
	# Two that jq takes for one, moved and not.
	becomes "$(quote 15:00:00 '"size":123456789012345678,"volume":123456789012345679')" \
		"$(quote 15:00:00 '"size":123456789012345678,"volume":123456789012345679,"mine":[0.3]')" --jq '.mine = [0.1 + 0.2 | . * 10 | round / 10]'
	becomes "$(quote 15:00:00 '"y":12345678901234567890')" "$(quote 15:00:00 '"z":12345678901234567890')" --jq '.z = .y | del(.y)'
	becomes "$(quote 15:00:00 '"seq":1')" "$(quote 15:00:00 '"seq":3')" --jq '.seq += 2'
}

@test "what a program may not give is refused" {
	has_jq
	refused "$(quote 15:00:00)" expr_error --jq '., .'
	[[ $(jq -r .detail bad) == *'more than one'* ]]
	refused "$(quote 15:00:00)" expr_error --jq '.price + "x"'
	[[ $(jq -r .detail bad) == *'cannot be added'* ]]
	[ "$(jq -r .raw bad)" = "$(quote 15:00:00)" ]
	refused "$(quote 15:00:00)" expr_error --jq 'error("I do not like it")'
	[ "$(jq -r .detail bad)" = 'I do not like it' ]
	refused "$(quote 15:00:00)" expr_error --jq '(., error)'
	refused "$(quote 15:00:00)" not_object --jq .price
	refused "$(quote 15:00:00)" not_object --jq '[.]'
	refused "$(quote 15:00:00)" missing_field --jq 'del(.ts)'
	refused "$(quote 15:00:00)" unexpected_mark --jq '.type = "mark"'
	# After an error the next record is judged afresh.
	{ quote 15:00:00 '' A; quote 15:00:01 '' B; } >in
	run -1 fl-clean -q -j 1 --jq 'if .symbol == "A" then error else . end' in
	[ "$output" = "$(quote 15:00:01 '' B)" ]
}

@test "a program hides no fault of a line" {
	has_jq
	refused "$(quote 15:00:00 '' A NaN)" bad_number --jq '.price = 1'
	refused "$(quote 15:00:00 '"x":1,"x":2')" duplicate_key --jq '.price = 2'
	refused "$(quote 15:00:00 '"x":"\ud800"')" bad_utf8 --jq '.price = 2'
	refused "$(quote 15:00:00 $'"x":"\xff"')" bad_utf8 --jq '.price = 2'
	refused '{"type":' bad_json --jq '{}'
	# But what is strict JSON it may mend.
	becomes "$(quote 15:00:00 '' A '"7"')" "$(quote 15:00:00 '' A 7)" --jq '.price |= tonumber'
}

@test "a program that does not compile is misuse, said in one line" {
	has_jq
	run -2 --separate-stderr fl-clean --jq '.price +' <<<'{oops'
	[ "${stderr%%:*}" = fl-clean ]
	[[ $stderr == "fl-clean: --jq '.price +': "*'syntax error'* ]]
	[ "$(wc -l <<<"$stderr")" = 1 ]
	run -2 fl-clean --jq 'nothing_of_that_name' <<<'{oops'
	run -5 fl-clean --jq @missing <<<'{oops'
	[[ $output == "fl-clean: cannot open 'missing'"* ]]
}

# --- selectors ---------------------------------------------------------------

@test "--type, --symbol, --from and --to select" {
	{
		quote 15:00:00 '' A
		quote 15:00:01 '' B
		quote 15:00:02 '' C
		echo '{"type":"instrument","ts":"2026-01-02T15:00:03.000Z","provider":"t","symbol":"A"}'
		echo '{"type":"bar","ts":"2026-01-02T00:00:00.000Z","date":"2026-01-02","provider":"t","symbol":"A","interval":"1d","open":1,"high":1,"low":1,"close":1,"adj":"none"}'
		echo '{"type":"bar","ts":"2026-01-05T00:00:00.000Z","date":"2026-01-05","provider":"t","symbol":"A","interval":"1d","open":1,"high":1,"low":1,"close":1,"adj":"none"}'
	} >in
	chosen() {
		local want=$1
		shift
		run -0 fl-clean "$@" in
		[ "$output" = "$(sed -n "$want" in)" ] || fail "$*: $output"
		[ "$(count '.in - .used - .filtered')" = 0 ]
	}
	chosen '1,3p' --type quote
	chosen '1,4p' --type quote,instrument
	chosen '1p;4,6p' --symbol A
	chosen '1,2p;4,6p' --symbol a,B
	chosen '2p' --symbol B --type quote
	chosen '2,4p;6p' --from 2026-01-02T15:00:01Z
	chosen '1,2p;5p' --to 2026-01-02T15:00:02Z
	chosen '2p' --from 2026-01-02T15:00:01Z --to 2026-01-02T15:00:02Z
	chosen '1,5p' --to 2026-01-05
	chosen '6p' --from 2026-01-03
	# A bar of a day is compared by its date, wherever one is.
	chosen '5p' --type bar --from 2026-01-02 --to 2026-01-03
	run -2 fl-clean --type qoute in
	[[ $output == *"did you mean 'quote'"* ]]
	run -2 fl-clean --last 3 in # it needs the end of the data
	run -2 fl-clean --from -1000y in
	[ "$output" = "fl-clean: --from: '-1000y' reaches too far back" ]
	run -2 fl-clean --from 2026-01-03 --to 2026-01-03 in
}

@test "CSV is not taken for lines that are refused" {
	for header in 'Date,Open,Close' '"Date","Open","Close"' '2026-01-02,1.5,2'; do
		printf '%s\n1,2,3\n' "$header" >in.csv
		run -6 --separate-stderr fl-clean in.csv
		[ "$stderr" = "fl-clean: 'in.csv' line 1 looks like CSV: fl-fetch csv in.csv | fl-clean" ]
	done
	# These are rejects: JSON, the rest of a record, a text with a comma.
	for line in '"a,b,c,d"' ',"size":1,"x":2,"y":3}' 'well, no'; do
		run -1 --separate-stderr fl-clean <<<"$line"
		[[ ${stderr_lines[0]} == 'fl-clean: rejected: 1 '* ]]
	done
}

@test "a number in a string is told how to be read" {
	quote 15:00:00 '' A '"101.5"' >in
	run -1 --separate-stderr fl-clean in
	[[ $stderr == *"'price' is \"101.5\", a string (--coerce reads it)"* ]]
	quote 15:00:00 '' A '"n/a"' >in
	run -1 --separate-stderr fl-clean in
	[[ $stderr == *"'price' is \"n/a\", not a number"* ]]
}

@test "--where takes what is nearly an operator for a slip" {
	quote 15:00:00 '"size":100,"x":"brk.b"' A 9.5 >in
	for slip in ge=gte ne=neq gtt=gt qe=eq le=lte int=in lke=like; do
		run -2 fl-clean --where "size=${slip%=*}.1000" in
		[ "$output" = "fl-clean: --where: no operator '${slip%=*}' (did you mean '${slip#*=}'?)" ]
	done
	run -2 fl-clean --where price=gt.abc in
	[ "$output" = "fl-clean: --where: 'price' is a number, 'abc' is none" ]
	# Other words, fields of one's own, and what is said to be a value.
	for good in x=brk.b x=gt.abc x=eq.brk.b x=neq.ge.1 price=9.5 price=neq.abc; do
		run -0 fl-clean --where "$good" in
		[ "${#lines[@]}" = 1 ]
	done
}

@test "--where compares with every operator" {
	{
		quote 15:00:00 '"size":100,"currency":"USD","mine":"x,y"' A 9.5
		quote 15:00:01 '"size":20,"currency":"EUR","x":{"y":true}' BRK-B 10
		quote 15:00:02 '"conditions":["@","F"],"x":{"y":false}' C 10.50
	} >in
	chosen() {
		local want=$1 options=()
		shift
		for where in "$@"; do options+=(--where "$where"); done
		run -0 fl-clean "${options[@]}" in
		[ "$output" = "$(sed -n "$want" in)" ] || fail "$*: $output"
	}
	chosen 2p price=eq.10
	chosen 2p price=10.00
	chosen '1p;3p' price=neq.10
	chosen 3p price=gt.10
	chosen '2,3p' price=gte.10.0
	chosen 1p price=lt.10
	chosen '1,2p' price=lte.10
	chosen '1,2p' size=in.20,100
	chosen '1,2p' size=20,100
	chosen '1p;3p' symbol=in.A,C
	chosen 2p 'symbol=like.BRK*'
	chosen '2p' 'symbol=like.*-*'
	chosen 1p symbol=A
	chosen '1p' symbol=lt.B
	chosen 3p size=is.null
	chosen '1,2p' size=is.notnull
	chosen 1p size=gt.20
	chosen '2,3p' currency=neq.USD
	chosen 3p conditions=F
	chosen '' conditions=G
	chosen 2p x.y=true
	chosen 3p x.y=eq.false
	chosen 1p 'mine=eq.x,y'
	chosen 2p price=gte.10 currency=EUR
	chosen '' price=gte.10 currency=USD
	run -2 fl-clean --where price in
	[[ $output == *"--where 'price': FIELD=OP.VALUE"* ]]
	run -2 fl-clean --where size=is.nothing in
}

@test "numbers are compared exactly" {
	{
		quote 15:00:00 '"size":123456789012345678'
		quote 15:00:01 '"size":123456789012345679'
	} >in
	run -0 fl-clean --where size=gt.123456789012345678 in
	[ "$output" = "$(tail -n 1 in)" ]
}

# --- as rows -----------------------------------------------------------------

@test "--as csv, --fields and --tz" {
	{
		quote 15:00:00 '"exchange":"a \"b\", c","size":100' A 1.50
		quote 15:00:01 '"x":{"y":7}' B
	} >in
	run -0 fl-clean --as csv --fields ts,symbol,price,exchange,x.y in
	[ "$output" = 'ts,symbol,price,exchange,x.y
2026-01-02T15:00:00.000Z,A,1.5,"a ""b"", c",
2026-01-02T15:00:01.000Z,B,1,,7' ]
	run -0 fl-clean --as csv --tz America/New_York in
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} == ts,provider,symbol,price,size,* ]]
	[[ ${lines[1]} == 2026-01-02T10:00:00.000-05:00,t,A,1.5,100,* ]]
	run -0 fl-clean --fields symbol,price,x.y in
	[ "$output" = '{"symbol":"A","price":1.50}
{"symbol":"B","price":1,"x.y":7}' ]
	[ "$(count '"\(.in) \(.out)"')" = '2 2' ]
	run -2 fl-clean --as cvs in
	run -2 fl-clean --tz America/New_Yrok in
}

@test "--as table stands in columns" {
	{
		quote 15:00:00 '"size":100' A 1.50
		quote 15:00:01 '"size":5' ZZZZ 100
		echo '{"type":"instrument","ts":"2026-01-02T15:00:03.000Z","provider":"t","symbol":"A","name":"Aa\u001bAa"}'
	} >in
	for zone in UTC Asia/Kolkata; do
		run -0 fl-clean --as table --tz $zone in
		[ "${#lines[@]}" = 5 ]
		# The end of a number stands under the end of its name.
		head=${lines[0]} end=${lines[0]%%PRICE*}
		end=$((${#end} + 5))
		[[ $head == TS* ]]
		[ "${lines[1]:end-3:3}" = 1.5 ]
		[ "${lines[2]:end-3:3}" = 100 ]
		[[ ${lines[3]} == TS*NAME* ]]
		[[ ${lines[4]} == *'Aa?Aa'* ]]
	done
	[[ ${lines[1]} == '2026-01-02 20:30:00.000+05:30 '* ]]
	run -0 fl-clean --as table --fields symbol,price in
	[ "${#lines[@]}" = 4 ]
}

# --- input that is something else --------------------------------------------

@test "a JSON array gets its recipe" {
	quotes 3 >in
	jq -s . in >pretty.json
	jq -sc . in >array.json
	run -6 --separate-stderr fl-clean <array.json
	[ "$stderr" = "fl-clean: line 1 starts a JSON array; records come one a line: jq -c '.[]' FILE | fl-clean" ]
	run -6 --separate-stderr fl-clean <pretty.json
	[ "$stderr" = "fl-clean: line 1 starts a JSON array; records come one a line: jq -c '.[]' FILE | fl-clean" ]
	run -6 --separate-stderr fl-clean array.json
	[ "$stderr" = "fl-clean: 'array.json' line 1 starts a JSON array; records come one a line: jq -c '.[]' array.json | fl-clean" ]
	# What it says works.
	jq -c '.[]' array.json | fl-clean | cmp - in
	# Also when it is all one long line.
	yes "$(quote 15:00:00)," | head -n 20000 | tr -d '\n' | sed 's/^/[/' >long.json
	[ "$(wc -c <long.json)" -gt 1048576 ]
	run -6 --separate-stderr fl-clean long.json
	[[ $stderr == *"starts a JSON array"* ]]
}

@test "pretty-printed records get their recipe" {
	quotes 3 | jq . >in
	run -6 --separate-stderr fl-clean <in
	[ "$stderr" = "fl-clean: line 1 starts a JSON object over several lines; records come one a line: jq -c . FILE | fl-clean" ]
	run -6 --separate-stderr fl-clean in
	[ "$stderr" = "fl-clean: 'in' line 1 starts a JSON object over several lines; records come one a line: jq -c . in | fl-clean" ]
	jq -c . in | fl-clean | cmp - <(quotes 3)
}

@test "CSV gets its recipe" {
	printf 'Date,Open,High\n2026-01-02,1,2\n' >in
	run -6 --separate-stderr fl-clean in
	[[ $stderr == "fl-clean: 'in' line 1 looks like CSV: fl-fetch csv in | fl-clean"* ]]
}

@test "a file that is missing, a folder or not ours to read ends with 5" {
	run -5 --separate-stderr fl-clean missing
	[ "$stderr" = "fl-clean: cannot open 'missing': No such file or directory" ]
	run -5 --separate-stderr fl-clean .
	[ "$stderr" = "fl-clean: cannot read '.': is a folder" ]
	# The ones before it have passed, those after it have not.
	quotes 3 >a
	quote 16:00:00 >b
	run -5 --separate-stderr fl-clean a missing b
	[ "$output" = "$(cat a)" ]
	[ "$(count '"\(.in) \(.status)"')" = '3 5' ]
}

@test "--keep-going goes on with the next file" {
	quotes 3 >a
	quote 16:00:00 >b
	echo '[' >array
	head -c 60 <(zstd -qc <(quotes 100)) >cut.zst
	run -5 --separate-stderr fl-clean --keep-going a missing array cut.zst b
	[ "$output" = "$(cat a b)" ]
	[ "${stderr_lines[0]}" = "fl-clean: cannot open 'missing': No such file or directory; going on with the next" ]
	[[ ${stderr_lines[1]} == "fl-clean: 'array' line 1 starts a JSON array;"* ]]
	[[ ${stderr_lines[2]} == "fl-clean: cannot read 'cut.zst' past byte "* ]]
	[ "${stderr_lines[3]}" = "fl-clean: 3 of 5 inputs could not be read" ]
	[ "$(count '"\(.in) \(.status)"')" = '4 5' ]
	# The status is that of the first fault.
	run -6 fl-clean -q --keep-going array missing b
	run -0 fl-clean -q --keep-going a b
	# What is no input's fault ends the run all the same.
	run -5 --separate-stderr bash -c 'fl-clean --keep-going a b >/dev/full'
	[ "$(wc -l <<<"$stderr")" -le 2 ]
	run -6 --separate-stderr fl-clean --keep-going --max-rejects 0 <(echo '{oops') b
	[ -z "$output" ]
}

@test "of a cut-off or damaged archive the good lines pass, status 6" {
	fl-fetch sim -n 20000 >all
	zstd -qc --check all >all.zst
	gzip -c all >all.gz
	for kind in zst gz; do
		size=$(stat -c %s all.$kind)
		head -c $((size * 2 / 3)) all.$kind >cut.$kind
		for j in 1 2; do
			run -6 --separate-stderr fl-clean -j $j --dedup 0 cut.$kind
			[[ $stderr == *"fl-clean: cannot read 'cut.$kind' past byte "*" of its content: cut off"* ]]
			[ "${#lines[@]}" -gt 5000 ]
			[ "$output" = "$(head -n ${#lines[@]} all)" ]
			[ "$(count .used)" = ${#lines[@]} ]
		done
		cp all.$kind bad.$kind
		printf '\x55\xaa\x55\xaa' | dd of=bad.$kind bs=1 seek=$((size * 2 / 3)) conv=notrunc status=none
		run -6 --separate-stderr fl-clean --dedup 0 bad.$kind
		[[ $stderr == *"fl-clean: cannot read 'bad.$kind' past byte "* ]]
		# From a pipe likewise.
		run -6 --separate-stderr bash -c "cat cut.$kind | fl-clean --dedup 0"
		[ "$output" = "$(head -n ${#lines[@]} all)" ]
	done
	# Frames and members follow each other; what is no archive is none.
	cat all.zst all.zst | fl-clean --dedup 0 | cmp - <(cat all all)
	cat all.gz all.gz | fl-clean --dedup 0 | cmp - <(cat all all)
}

# --- output and its reader ---------------------------------------------------

@test "a reader that goes away ends it quietly" {
	fl-fetch sim -n 40000 >all
	for j in 1 2; do
		run -0 --separate-stderr bash -c "fl-clean -j $j all | head -n 1; echo \${PIPESTATUS[0]} >end"
		[ -z "$stderr" ]
		[ "$output" = "$(head -n 1 all)" ]
		[ "$(cat end)" = 141 ]
	done
	# Also one that goes while it waits for more.
	run -0 --separate-stderr bash -c '{ head -n 1 all; sleep 0.3; tail -n 3 all; sleep 0.3; tail -n 2 all; } |
		fl-clean | head -n 1; echo "${PIPESTATUS[1]}" >end'
	[ -z "$stderr" ]
	[ "$(cat end)" = 141 ]
	[ "$(jq -s 'map(.status) | unique | @text' -r runs)" = '[0,141]' ]
}

@test "a full disk and a closed output are told, status 5" {
	fl-fetch sim -n 40000 >all
	for n in 1 40000; do
		for j in 1 2; do
			run -5 --separate-stderr bash -c "head -n $n all | fl-clean -j $j >/dev/full"
			[[ $stderr == *"fl-clean: cannot write "*": No space left on device"* ]]
			run -5 --separate-stderr bash -c "fl-clean -j $j >/dev/full <all"
			[[ $stderr == *": No space left on device"* ]]
		done
	done
	[ "$(count .status)" = 5 ]
	run -5 --separate-stderr bash -c 'fl-clean <all >&-'
	[[ $stderr == *'standard output is closed'* ]]
	run -5 --separate-stderr bash -c 'fl-clean <&-'
	[[ $stderr == "fl-clean: cannot read '"*"': Bad file descriptor"* ]]
}

@test "lines pass as they come" {
	mkfifo pipe
	fl-clean <pipe >out &
	exec 8>pipe
	for n in 1 2 3; do
		quote 15:00:0$n >&8
		for _ in {1..100}; do
			[ "$(wc -l <out)" != $n ] || break
			sleep 0.02
		done
		[ "$(wc -l <out)" = $n ]
	done
	# Half a line waits for its other half.
	quote 15:00:09 | head -c 30 >&8
	sleep 0.3
	[ "$(wc -l <out)" = 3 ]
	quote 15:00:09 | tail -c +31 >&8
	exec 8>&-
	wait
	[ "$(tail -n 1 out)" = "$(quote 15:00:09)" ]
}

# --- signals -----------------------------------------------------------------

# A background job ignores SIGINT unless it is told otherwise. No function: $!
# must be the program's.
interruptible=(env --default-signal=INT --default-signal=TERM)

@test "Ctrl-C drains the pipe: what was read is written, and it ends by the signal" {
	for signal in INT TERM; do
		for j in 1 2; do
			rm -f runs
			mkfifo pipe
			"${interruptible[@]}" fl-clean -j $j <pipe >out 2>err &
			pid=$!
			exec 8>pipe
			quotes 3 >&8
			sleep 0.2
			kill -$signal $pid
			sleep 0.2
			# Upstream ends a little later.
			quotes 6 | tail -n 3 >&8
			exec 8>&-
			status=0
			wait $pid || status=$?
			[ $status = $((128 + $(kill -l $signal))) ]
			cmp out <(quotes 6)
			[ "$(count '"\(.in) \(.out) \(.status)"')" = "6 6 $status" ]
			rm pipe
		done
	done
}

@test "Ctrl-C ends within 5 seconds when upstream does not" {
	rm -f runs
	# One that has fallen silent in the middle of a line, and one that never does.
	mkfifo silent busy
	"${interruptible[@]}" fl-clean <silent >silent.out 2>silent.err &
	silent=$!
	"${interruptible[@]}" fl-clean --dedup 0 <busy >busy.out 2>busy.err &
	busy=$!
	exec 8>silent
	quotes 4 | head -c 300 >&8
	(exec 8>&-; yes "$(quote 15:00:00)" | head -n 100000000 >busy) 2>/dev/null &
	writer=$!
	sleep 0.3
	started=$SECONDS
	kill -INT $silent $busy
	status=0
	wait $silent || status=$?
	[ $status = 130 ]
	wait $busy || status=$?
	[ $status = 130 ]
	[ $((SECONDS - started)) -le 6 ]
	exec 8>&-
	wait $writer || :
	# The lines that came whole, and no half of one.
	cmp silent.out <(quotes 4 | head -c 300 | head -n 3)
	[ "$(tail -n 1 busy.out)" = "$(quote 15:00:00)" ]
	[ "$(jq -s 'map(.rejected) | add' runs)" = 0 ]
	[ "$(jq -s 'map(.status) | unique | .[]' runs)" = 130 ]
}

@test "Ctrl-C ends the reading of a file at once" {
	fl-fetch sim -n 20000 >one
	for _ in {1..200}; do cat one; done >all
	for j in 1 2; do
		rm -f runs
		"${interruptible[@]}" fl-clean -j $j --canonical --where price=gt.0 all >out 2>err &
		pid=$!
		sleep 0.15
		kill -INT $pid
		status=0
		wait $pid || status=$?
		[ $status = 130 ]
		[ "$(count .in)" -lt 4000000 ]
		[ "$(count .rejected)" = 0 ]
		[ "$(count .bytes_out)" = "$(stat -c %s out)" ]
	done
}
