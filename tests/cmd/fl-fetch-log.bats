#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # bash -c has its own $1; run sets
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# fl-fetch log: every format by example lines, times, bad lines, files that grow,
# are rotated and cut, and going on where a pipeline stands. Example lines and
# the records that come of them are in tests/data/source/log; `make golden`
# writes the records anew.

load ../helper/common

setup() {
	data=$(cd "$BATS_TEST_DIRNAME/../data/source/log" && pwd)
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
	pids=()
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ ${#pids[@]} = 0 ] || kill -9 "${pids[@]}" 2>/dev/null || :
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# golden NAME [OPTION...]: NAME.log, last written in April 2026, gives NAME.ndjson,
# and rejects with the lines and reasons of NAME.rejects, where there is one.
golden() {
	local name=$1 got=0
	shift
	cp "$data/$name.log" .
	touch -d 2026-04-01T00:00Z "$name.log"
	rm -f rejects
	fl-fetch log "$name.log" --rejects rejects "$@" >out 2>err || got=$?
	touch rejects
	[ "$got" = "$([ -s rejects ] && echo 1 || echo 0)" ] || fail "$name: status $got: $(cat err)"
	jq -r '"\(.line) \(.reason) \(.field // "-")"' rejects >reasons
	if [ "${FL_GOLDEN-}" = write ]; then
		cp out "$data/$name.ndjson"
		[ ! -s reasons ] || cp reasons "$data/$name.rejects"
	fi
	diff -u "$data/$name.ndjson" out
	diff -u "$([ -e "$data/$name.rejects" ] && echo "$data/$name.rejects" || echo /dev/null)" reasons
	# What is refused is kept as it stood, and nothing else is lost.
	fl-clean -q --dedup 0 --canonical out | cmp - out
	fl-clean -q --dedup 0 out | cmp - out
}

# lines FROM TO: so many lines of syslog, a second each.
lines() {
	local i
	for ((i = $1; i <= $2; i++)); do
		printf 'Mar  5 %02d:%02d:%02d host app: line %d\n' $((i / 3600)) $((i / 60 % 60)) $((i % 60)) "$i"
	done
}

# wait_lines FILE COUNT: until it has so many, at most ten seconds.
wait_lines() {
	local i
	for ((i = 0; i < 200; i++)); do
		# It may not be there yet.
		! [ -e "$1" ] || [ "$(wc -l <"$1")" -lt "$2" ] || return 0
		sleep 0.05
	done
	fail "$1 has not $2 lines: $(cat "$1"): $(cat err 2>/dev/null)"
}

# follow [OPTION...] FILE: in the background, into out and err.
follow() {
	fl-fetch log --follow "$@" >out 2>err &
	pids+=($!)
}

# stop STATUS: the one that follows, by SIGTERM.
stop() {
	local got=0
	kill -TERM "${pids[-1]}"
	wait "${pids[-1]}" || got=$?
	unset 'pids[-1]'
	[ "$got" = "$1" ] || fail "status $got: $(cat err)"
}

numbers() {
	jq -r '.message // empty' "$@" | sed 's/line //'
}

@test "help and misuse" {
	fl_help_ok fl-fetch log
	fl_misuse_ok fl-fetch log
	run -0 fl-fetch log --help
	for option in --follow --format --year --prefix-action; do
		[[ $output == *"$option"* ]]
	done
	run -2 fl-fetch log
	[ "$output" = "fl-fetch: log: no file named: fl-fetch log FILE..., or - for standard input" ]
	run -2 fl-fetch log --format iptable x
	[ "$output" = "fl-fetch: --format 'iptable' is none that is known (did you mean 'iptables'?)" ]
	run -2 fl-fetch log --prefix-action DROP=maybe x
	[[ $output == *"--prefix-action takes PREFIX=ACTION"*"'DROP=maybe'"* ]]
	run -2 fl-fetch log --year 12 x
	[ "$output" = "fl-fetch: --year takes a year from 1970 to 2261" ]
	run -5 fl-fetch log none
	[ "$output" = "fl-fetch: cannot open 'none': No such file or directory" ]
	run -5 fl-fetch log 'none*'
	[ "$output" = "fl-fetch: no file matches 'none*'" ]
}

@test "iptables: verdicts come of prefixes, and what a packet quotes is not its own" {
	golden iptables --prefix-action DROP-IN=drop,ACCEPT=allow
}

@test "ufw says its verdict itself" {
	golden ufw
}

@test "Cisco: each message number by its own sentence, others by their text" {
	golden cisco_asa
}

@test "Palo Alto: traffic and threats, in quotes as well" {
	golden panos
}

@test "pfSense: IPv4 and IPv6 have their cells in another order" {
	golden pfsense
}

@test "VPC flow logs: columns as the first line names them, else those of version 2" {
	golden vpc_flow
	golden vpc_flow-default
}

@test "AWS WAF" {
	golden aws_waf
}

@test "CEF: escapes, values with blanks, times in every spelling" {
	golden cef
}

@test "LEEF: 1.0 and 2.0, with any delimiter" {
	golden leef
}

@test "common log format: equal lines of a second have ids of their own" {
	golden clf
	[ "$(jq -r .id out | sort -u | wc -l)" = "$(wc -l <out)" ]
	jq -r .id out | grep -q '#3$'
}

@test "combined log format" {
	golden combined
}

@test "W3C: IIS and Windows' firewall, whose columns change in between" {
	golden w3c
}

@test "syslog: RFC 3164, RFC 5424, and what is written in their name" {
	golden syslog
}

@test "--format takes lines of that format alone" {
	cat "$data/ufw.log" "$data/clf.log" >mixed.log
	run -1 --separate-stderr fl-fetch log --format clf mixed.log --rejects rejects
	[ "$(jq -r .provider <<<"$output" | sort -u)" = clf ]
	[ "$(jq -r 'select(.reason == "unknown_format") | .line' rejects)" = $'1\n2\n3\n4' ]
	[ "$(jq -r .raw rejects | head -n 4)" = "$(cat "$data/ufw.log")" ]
	run -0 --separate-stderr fl-fetch log --format syslog "$data/ufw.log"
	[ "$(jq -r .provider <<<"$output" | sort -u)" = syslog ]
}

@test "the year of a stamp without one is that of the file, and --year goes before it" {
	printf '%s\n' 'Dec 31 23:59:59 host app: old' 'Jan  1 00:00:01 host app: new' >x.log
	touch -d 2025-01-02T00:00Z x.log
	fl-fetch log x.log >out
	[ "$(jq -r .ts out)" = $'2024-12-31T23:59:59.000Z\n2025-01-01T00:00:01.000Z' ]
	fl-fetch log --year 2020 x.log >out
	[ "$(jq -r .ts out)" = $'2020-12-31T23:59:59.000Z\n2020-01-01T00:00:01.000Z' ]
	gzip -k x.log
	touch -d 2025-01-02T00:00Z x.log.gz
	fl-fetch log x.log.gz | jq -r .ts >stamps
	[ "$(head -n 1 stamps)" = 2024-12-31T23:59:59.000Z ]
	# A pipe has no time of its own.
	run -2 bash -c 'cat x.log | fl-fetch log -'
	[[ $output == *"'Dec 31 23:59:59 host app: old', has a stamp without a year"*"--year says it"* ]]
	[ "$(fl-fetch log - --year 2021 < <(cat x.log) | jq -r .ts | head -n 1)" = 2021-12-31T23:59:59.000Z ]
	touch -d 2025-01-02T00:00Z x.log
	[ "$(fl-fetch log - <x.log | jq -r .ts | head -n 1)" = 2024-12-31T23:59:59.000Z ]
}

@test "stamps without a zone are on the clock of --tz" {
	echo 'Jul  5 09:30:00 host app: x' >x.log
	touch -d 2026-08-01 x.log
	[ "$(fl-fetch log --tz Europe/Berlin x.log | jq -r .ts)" = 2026-07-05T07:30:00.000Z ]
}

@test "files, patterns and compressed files, one after another" {
	lines 1 3 >a.log
	lines 4 6 >b.log
	lines 7 9 | zstd -q >c.log.zst
	lines 10 12 | gzip >d.log.gz
	touch -d 2026-04-01 ./*
	fl-fetch log '[abcd].log*' >out
	[ "$(numbers out)" = "$(seq 12)" ]
	[ "$(jq -r .ts out | cut -c 1-4 | sort -u)" = 2026 ]
	fl-fetch log b.log a.log b.log >out
	[ "$(numbers out | tr '\n' ' ')" = "4 5 6 1 2 3 " ]
}

@test "with --keep-going a file that cannot be read does not stop the others" {
	lines 1 3 >a.log
	run -5 fl-fetch log --keep-going none a.log
	[[ $output == *"1 of 2 files could not be read"* ]]
	[ "$(grep -c '"type":"log"' <<<"$output")" = 3 ]
}

@test "a line that claims to be a mark is refused, behind a header too" {
	printf '%s\n' '{"type":"mark","pipeline":"p","at":{"x":["0","9"]}}' \
		'{ "at":{}, "type" : "mark" }' \
		'<13>Mar  5 09:30:00 host app: {"type":"mark","pipeline":"p","at":{}}' >x.log
	run -1 --separate-stderr fl-fetch log x.log --rejects rejects
	[ -z "$output" ]
	[ "$(jq -r .reason rejects | sort | uniq -c | tr -s ' ')" = " 3 unexpected_mark" ]
}

@test "NUL, invalid UTF-8, blank lines and CRLF" {
	printf 'Mar  5 09:30:00 h a: nul \0 in it\n\n\r\nMar  5 09:30:01 h a: \xff\xfe\nMar  5 09:30:02 h a: crlf\r\nMar  5 09:30:03 h a: \x1b[31m \xc3\xa9 no end' >x.log
	run -1 --separate-stderr fl-fetch log x.log --rejects rejects
	[ "$(jq -r .message <<<"$output")" = $'crlf\n\e[31m é no end' ]
	[ "$(jq -r '"\(.line) \(.reason)"' rejects)" = $'1 bad_utf8\n4 bad_utf8' ]
	fl-clean -q <<<"$output" | cmp - <(echo "$output")
}

@test "a line of 64 MiB is refused and takes no memory to speak of" {
	{
		lines 1 1
		head -c 67108864 /dev/zero | tr '\0' x
		echo
		lines 2 2
		printf 'Mar  5 09:30:00 h a: %0900001d\n' 1
		printf 'Mar  5 09:30:00 h a: %0450000d\n' 1
		lines 3 3
	} >x.log
	run_json 1 fl-fetch log x.log --rejects rejects
	[ "$(numbers out)" = $'1\n2\n3' ]
	[ "$(jq -r '"\(.line) \(.reason) \(.raw_bytes // 0)"' rejects)" = "2 too_long 67108864
4 too_long 900022
5 too_long 450021" ]
	[ "${FL_VARIANT-}" = asan ] || [ "$(jq .max_rss_bytes <<<"$record")" -lt 33554432 ]
}

@test "a log is followed as it grows, a line at a time" {
	lines 1 2 >x.log
	follow x.log
	wait_lines out 2
	lines 3 3 | tr -d '\n' >>x.log
	sleep 0.3
	[ "$(wc -l <out)" = 2 ]
	printf '\n' >>x.log
	wait_lines out 3
	lines 4 10 >>x.log
	wait_lines out 10
	stop 143
	[ "$(numbers out)" = "$(seq 10)" ]
}

@test "a log is followed through rotation by renaming" {
	lines 1 3 >x.log
	follow x.log
	wait_lines out 3
	mv x.log x.log.1
	lines 4 4 >>x.log.1 # its writer still has it open
	sleep 0.3
	lines 5 6 >x.log
	wait_lines out 6
	lines 7 7 >>x.log
	wait_lines out 7
	stop 143
	[ "$(numbers out)" = "$(seq 7)" ]
}

@test "a log is followed through rotation by copying and truncation" {
	lines 1 3 >x.log
	follow x.log
	wait_lines out 3
	cp x.log x.log.1
	: >x.log
	sleep 0.5
	lines 4 4 >>x.log
	wait_lines out 4
	# Cut and longer than before at once: the beginning tells.
	cp x.log x.log.1
	lines 5 20 >y
	cat y >x.log
	wait_lines out 20
	stop 143
	[ "$(numbers out)" = "$(seq 20)" ]
}

@test "what was not read before a truncation comes from the copy" {
	lines 1 3 >x.log
	fl-load --help >/dev/null
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	lines 4 6 >>x.log
	cp x.log x.log.1
	lines 7 8 >x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	[ "$(fl-fetch store db.db --type log | jq -r .message | sed 's/line //')" = "$(seq 8)" ]
}

@test "a log that was cut without a copy is read from its beginning, and that is said" {
	lines 1 3 >x.log
	follow x.log
	wait_lines out 3
	: >x.log
	sleep 0.5
	lines 4 5 >>x.log
	wait_lines out 5
	stop 143
	[[ $(cat err) == *"'x.log' was cut, and no copy of it is beside it"* ]]
	[ "$(numbers out)" = "$(seq 5)" ]
}

@test "a link is followed to the file that it names today" {
	lines 1 3 >monday.log
	ln -s monday.log x.log
	follow x.log
	wait_lines out 3
	lines 4 6 >tuesday.log
	ln -sfn tuesday.log x.log
	wait_lines out 6
	lines 7 7 >>tuesday.log
	wait_lines out 7
	stop 143
	[ "$(numbers out)" = "$(seq 7)" ]
}

@test "a pattern takes up files that come while it is followed" {
	lines 1 2 >a.log
	follow '*.log'
	wait_lines out 2
	lines 3 4 >b.log
	wait_lines out 4
	stop 143
	[ "$(numbers out)" = "$(seq 4)" ]
}

@test "a reader gets each line at once, and may go away" {
	lines 1 1 >x.log
	mkfifo pipe
	fl-fetch log --follow x.log >pipe 2>err &
	pids+=($!)
	exec 5<pipe
	read -t 5 -r line <&5
	[[ $line == *'"line 1"'* ]]
	lines 2 2 >>x.log
	read -t 5 -r line <&5
	[[ $line == *'"line 2"'* ]]
	exec 5<&-
	lines 3 4 >>x.log
	got=0
	wait "${pids[-1]}" || got=$?
	[ "$got" = 141 ]
}

@test "a pipe is read as it comes" {
	mkfifo in
	fl-fetch log - --year 2026 <in >out 2>err &
	pids+=($!)
	exec 6>in
	lines 1 2 >&6
	wait_lines out 2
	lines 3 3 >&6
	wait_lines out 3
	exec 6>&-
	wait "${pids[-1]}"
}

@test "marks come only where the second changes, and number the lines taken" {
	for i in 1 1 1 2 2 3; do
		echo "Mar  5 09:30:0$i h a: x"
		echo "bad $i"
	done >x.log
	run -1 --separate-stderr fl-fetch log x.log --resume db.db --pipeline p --marks 1,1s
	jq -r 'if .type == "mark" then "mark \(.at // {} | to_entries | map(.value[1]) | join(" "))"
		elif .type == "log" then "\(.ts[17:19]) \(.id | split("#")[1] // 1)" else "bad" end' <<<"$output" >seen
	# A record is given when the line behind it is known.
	[ "$(tr '\n' ',' <seen)" = "mark ,bad,01 1,bad,01 2,bad,01 3,mark 6,bad,02 1,bad,02 2,mark 10,bad,03 1,mark 12,mark ," ]
	# How far time has come by then goes with them.
	[ "$(jq -r 'select(.wm) | "\(.wm[][11:19]) \(.rt[][11:19])"' <<<"$output")" = "09:30:01 09:30:01
09:30:02 09:30:02
09:30:03 09:30:03" ]
	jq -r 'select(.type == "mark") | .at | keys? | .[]' <<<"$output" | sort -u >origins
	[ "$(wc -l <origins)" = 1 ]
	[[ $(cat origins) =~ ^file:$(pwd -P)/x.log#[0-9]+-[0-9a-f]{16}$ ]]
}

@test "going on, repeats are numbered as if nothing had happened" {
	for i in 1 1 2 1 3; do echo "Mar  5 09:30:0$i h a: x"; done >x.log
	touch -d 2026-04-01 x.log
	fl-fetch log x.log >whole
	head -n 3 x.log >y && mv y x.log && touch -d 2026-04-01 x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	for i in 1 3; do echo "Mar  5 09:30:0$i h a: x"; done >>x.log
	touch -d 2026-04-01 x.log
	fl-fetch log x.log --resume db.db --pipeline p --warm-up 0s | fl-load -q --pipeline p db.db
	fl-fetch store db.db --type log | sort | diff - <(sort whole)
}

@test "going on, what lies just before the position is given again as warm-up" {
	lines 1 1000 >x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	lines 1001 1005 >>x.log
	fl-fetch log x.log --resume db.db --pipeline p --warm-up 1m >out
	jq -r 'if .type == "mark" then .live // empty else (.message | sub("line "; "")) end' out >seen
	{
		seq 940 1000
		echo true
		seq 1001 1005
	} | diff - seen
	fl-load -q --pipeline p db.db <out
	[ "$(fl-fetch store db.db --type log | wc -l)" = 1005 ]
}

@test "a byte order mark is no part of the first line" {
	{
		printf '\xef\xbb\xbf'
		lines 1 2
	} >x.log
	fl-fetch log x.log >out
	[ "$(numbers out)" = "$(seq 2)" ]
}

@test "what comes before a fault is given" {
	lines 1 50000 | gzip | head -c 50000 >x.log.gz
	run_json 6 fl-fetch log x.log.gz --year 2026
	[ "$(jq .out <<<"$record")" -gt 100 ]
	[ "$(numbers out)" = "$(seq "$(jq .out <<<"$record")")" ]
	[[ $(cat err) == *"cannot read 'x.log.gz' past byte"* ]]
}

@test "going on, columns that a line before has named are known" {
	cp "$data/w3c.log" x.log
	head -n 5 "$data/w3c.log" >x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	sed -n '6,15p' "$data/w3c.log" >>x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db || [ $? = 1 ]
	fl-fetch store db.db --type log | sort | diff - <(sort "$data/w3c.ndjson")
}

@test "going on through rotations, compressed ones too" {
	pipeline() {
		fl-fetch log x.log --resume db.db --pipeline p | fl-clean -q | fl-load -q --pipeline p db.db
	}
	lines 1 3 >x.log
	pipeline
	lines 4 5 >>x.log
	mv x.log x.log.2
	gzip x.log.2
	lines 6 7 >x.log.1
	sleep 0.02
	lines 8 9 >x.log
	touch x.log.bak # no part of it
	pipeline
	[ "$(fl-fetch store db.db --type log | jq -r .message | sed 's/line //')" = "$(seq 9)" ]
	pipeline
	[ "$(fl-fetch store db.db --type log | wc -l)" = 9 ]
}

@test "a log that was replaced is refused, unless --from begins anew" {
	lines 1 3 >x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	lines 7 9 >x.log
	run -4 fl-fetch log x.log --resume db.db --pipeline p
	[[ $output == *"position 3 no longer means the same record: neither the file nor one beside it"* ]]
	fl-fetch log x.log --resume db.db --pipeline p --from 2020-01-01 | fl-load -q --pipeline p db.db
	[ "$(fl-fetch store db.db --type log | wc -l)" = 6 ]
	run -2 bash -c 'fl-fetch log - --resume db.db --pipeline p <x.log'
	[[ $output == *"standard input has no position to resume from; name the file"* ]]
}

@test "a log with fewer lines than the position is refused before anything is written" {
	lines 1 200 >x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	lines 1 150 >x.log
	run -4 --separate-stderr fl-fetch log x.log --resume db.db --pipeline p
	[ -z "$output" ]
	[[ $stderr == *"position 200 no longer means the same record: the file has fewer lines"* ]]
}

@test "a stop marks all that was given" {
	lines 1 1 >x.log
	echo 'Mar  5 00:00:01 host app: line 2' >>x.log
	mkfifo a
	fl-load -q --pipeline p db.db <a &
	load=$!
	fl-fetch log --follow x.log --resume db.db --pipeline p --marks 1000,1h 2>err >a &
	pids+=($!)
	sleep 1
	stop 143
	wait "$load"
	[ "$(fl-load --positions --pipeline p db.db | jq -r '.at[][1]')" = 2 ]
	[ "$(fl-fetch store db.db --type log | wc -l)" = 2 ]
}

@test "a log that this run writes itself is not read" {
	lines 1 3 >x.log
	run -2 bash -c 'fl-fetch log --follow x.log >>x.log'
	[[ $output == *"'x.log' is read and, as standard output, written to"* ]]
	run -2 fl-fetch log x.log --rejects x.log
	[[ $output == *"'x.log' is read and, as --rejects, written to"* ]]
	[ "$(wc -l <x.log)" = 3 ]
}

@test "half a line at the end waits for its other half when marks are wanted" {
	lines 1 2 >x.log
	printf 'Mar  5 00:00:03 host app: li' >>x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	printf 'ne 3\n' >>x.log
	fl-fetch log x.log --resume db.db --pipeline p | fl-load -q --pipeline p db.db
	[ "$(fl-fetch store db.db --type log | jq -r .message)" = $'line 1\nline 2\nline 3' ]
}

@test "killed again and again while a log grows and is rotated, no line is lost or doubled" {
	rounds=$([ -n "${FL_LONG-}" ] && echo 40 || echo 8)
	touch x.log
	(
		exec >/dev/null 2>&1
		for ((part = 0; part < rounds; part++)); do
			for ((i = 0; i < 40; i++)); do
				n=$((part * 40 + i))
				# Each twice, and every second one of a second.
				for _ in 1 2; do
					printf 'Mar  5 %02d:%02d:%02d host app: line %d\n' \
						0 $((n / 120)) $((n / 2 % 60)) $n >>x.log
				done
				sleep 0.005
			done
			if ((part % 3 == 1)); then
				mv x.log "x.log.$((1000 - part))"
				touch x.log
			fi
		done
		touch all-written
	) &
	writer=$!
	while [ ! -e all-written ]; do
		mkfifo a b
		fl-fetch log --follow x.log --resume db.db --pipeline p --marks 50,50ms >a 2>>err &
		pids=($!)
		fl-clean -q <a >b 2>>err &
		pids+=($!)
		fl-load -q --pipeline p db.db --batch 50,50ms <b 2>>err &
		pids+=($!)
		sleep "0.$((RANDOM % 5 + 3))"
		kill -9 "${pids[RANDOM % 3]}" 2>/dev/null || :
		sleep 0.1
		kill -9 "${pids[0]}" 2>/dev/null || :
		wait "${pids[@]}" 2>/dev/null || :
		pids=()
		rm -f a b
	done
	wait "$writer"
	fl-fetch log x.log --resume db.db --pipeline p | fl-clean -q | fl-load -q --pipeline p db.db
	fl-fetch store db.db --type log | jq -r '"\(.message) \(.id | split("#")[1] // 1)"' | sort >got
	for ((n = 0; n < rounds * 40; n++)); do
		printf 'line %d 1\nline %d 2\n' $n $n
	done | sort | diff - got
}

@test "an iptables line costs at most 5 us of CPU" {
	[ "${FL_VARIANT-}" = release ] || skip "only the release build is held to it"
	head -n 1 "$data/iptables.log" >one
	for _ in {1..1000}; do cat one; done >thousand
	for _ in {1..200}; do cat thousand; done >x.log
	touch -d 2026-04-01 x.log
	run_json 0 fl-fetch log x.log
	[ "$(jq .out <<<"$record")" = 200000 ]
	# The best of three: the machine may be busy.
	best=$(jq .cpu_s <<<"$record")
	for _ in 1 2; do
		run_json 0 fl-fetch log x.log
		best=$(jq --argjson b "$best" '[.cpu_s, $b] | min' <<<"$record")
	done
	echo "# $(jq -n "$best * 5") us a line" >&3
	jq -en "$best * 5 <= 5" >/dev/null
}
