#!/usr/bin/env bats
# A lake that is compacted: the same rows in fewer and smaller files, few bytes
# to read of them for few rows, and no moment at which it is anything else.
# shellcheck disable=SC2016,SC2154 # what jq and inner shells expand; run, run_json

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# parts: how many objects of quotes there are.
parts() { find lake/quote -name 'part-*' | wc -l; }
# tick SECOND PRICE: a line.
tick() {
	printf '{"type":"quote","ts":"2026-01-02T16:00:%02d.000Z","provider":"t","symbol":"ZZZT","price":%s,"seq":1}\n' "$@"
}

@test "a lake that is compacted holds the same, in one file a partition" {
	for i in 1 2 3 4; do
		fl-fetch sim -n 20000 --seed "$i" --rate 1 | fl-load -q lake/
	done
	fl-fetch sim -n 20000 --seed 5 --resume lake/ --pipeline p --marks 500,10ms |
		fl-agg bars 1m --keep | fl-load -q --pipeline p lake/ --batch 2000
	tick 1 1 | fl-load -q lake/
	tick 1 2 | fl-load -q lake/
	fl-fetch store lake/ >before
	run -0 fl-load --compact --stats text lake/
	[ "$output" = "fl-load: nothing of 'lake/' is to be compacted" ]
	run -0 fl-load --compact --older-than 0s --stats text lake/
	[[ $output =~ ^"fl-load: "[0-9]+" files of 'lake/' are "[0-9]+" now, with 100,001 records"$ ]]
	fl-fetch store lake/ | cmp - before
	[ "$(parts)" = "$(find lake/quote -mindepth 1 -type d | wc -l)" ]
	run -0 fl-load --compact --older-than 0s --stats text lake/
	[ "$output" = "fl-load: nothing of 'lake/' is to be compacted" ]
	# What comes later wins as ever, and all goes on.
	tick 1 3 | fl-load -q lake/
	[ "$(fl-fetch store lake/ --symbol ZZZT | jq .price)" = 3 ]
	fl-fetch sim -n 21000 --seed 5 --resume lake/ --pipeline p | fl-load -q --pipeline p lake/
	fl-load --compact --older-than 0s lake/
	[ "$(fl-fetch store lake/ --type quote | wc -l)" = 101001 ]
	[ "$(fl-fetch store lake/ --symbol ZZZT | jq .price)" = 3 ]
	# A foreign reader finds each once.
	[ "$(find lake/quote -name '*.zst' -print0 | xargs -0 zstdcat | wc -l)" = 101001 ]
}

@test "of news and logs that have moved to another date the last holds, compacted or not" {
	news() { # ID TIME TITLE
		printf '{"type":"news","ts":"2026-01-%s.000Z","provider":"t","id":"%s","title":"%s","url":"x:y"}\n' "$2" "$1" "$3"
	}
	news a 02T10:00:00 first | fl-load -q lake/
	news b 02T11:00:00 stays | fl-load -q lake/
	news a 03T10:00:00 moved | fl-load -q lake/
	news c 03T11:00:00 else | fl-load -q lake/
	news d 02T12:00:00 late | fl-load -q lake/
	news d 02T12:00:00 again | fl-load -q lake/
	fl-fetch store lake/ >before
	[ "$(jq -r .title before | tr '\n' ' ')" = 'stays again moved else ' ]
	fl-load --compact --older-than 0s lake/
	fl-fetch store lake/ | cmp - before
	[ "$(find lake/news -name 'part-*' | wc -l)" = 2 ]
	# Nobody else sees a row that does not hold.
	zstdcat lake/news/dt=2026-01-0[23]/*.zst | cmp - before
	news a 02T09:00:00 back | fl-load -q lake/
	[ "$(fl-fetch store lake/ | jq -r .title | tr '\n' ' ')" = 'back stays again else ' ]
}

@test "readers and writers go on while a lake is compacted, and is killed at it" {
	for i in {1..12}; do
		fl-fetch sim -n 3000 --seed "$i" | tee -a all | fl-load -q lake/
	done
	least=$(fl-fetch store lake/ | wc -l)
	fl-fetch sim -n 12000 --seed 99 >>all
	fl-load -q want.db all
	fl-fetch sim -n 12000 --seed 99 --resume lake/ --pipeline p --marks 200,10ms |
		fl-load -q --pipeline p lake/ --batch 400 &
	writer=$!
	(
		RANDOM=1
		while kill -0 "$writer" 2>/dev/null; do
			timeout -s KILL "0.0$((RANDOM % 90 + 10))" fl-load --compact --older-than 0s lake/
		done
	) >/dev/null 2>&1 &
	while kill -0 "$writer" 2>/dev/null; do
		fl-fetch store lake/ >look
		now=$(wc -l <look)
		[ "$now" -ge "$least" ]
		[ "$(sort -u look | wc -l)" = "$now" ]
		least=$now
	done
	wait "$writer"
	wait
	fl-load --compact --older-than 0s lake/
	fl-fetch store want.db | cmp - <(fl-fetch store lake/)
	[ "$(parts)" = 1 ]
	fl-fetch store want.db | sort | cmp - <(zstdcat lake/quote/*/*.zst | sort)
}

@test "killed when it had compacted and not yet removed: the same rows, and the next run goes on" {
	for i in 1 2; do
		fl-fetch sim -n 1000 --seed "$i" | fl-load -q lake/
	done
	fl-fetch store lake/ >before
	FL_CRASH_AT=lake_compacted:1 run fl-load --compact --older-than 0s lake/
	[ "$status" != 0 ] || skip 'this build has no points to crash at'
	[ "$status" = 137 ]
	[ "$(parts)" = 3 ]
	fl-fetch store lake/ | cmp - before
	fl-load --compact --older-than 0s lake/
	[ "$(parts)" = 1 ]
	fl-fetch store lake/ | cmp - before
}

@test "what is damaged is not compacted away" {
	for i in 1 2; do
		fl-fetch sim -n 20000 --seed "$i" | fl-load -q lake/
	done
	file=$(find lake/quote -name 'part-*' | sort | head -n 1)
	printf 'x' | dd of="$file" bs=1 seek=30000 conv=notrunc status=none
	run -6 fl-load --compact --older-than 0s lake/
	[[ $output == *"'$file' is damaged at byte "*"; its partition was left as it is"* ]]
	[ "$(parts)" = 2 ]
	[ -z "$(find lake/_tmp -type f -name '[0-9]*' 2>/dev/null)" ]
}

# bars N: the first N ticks of a market as bars, in parts, by pipeline p.
bars() {
	fl-fetch sim --rate 1 -n "$1" --resume lake/ --pipeline p --marks 5000,1s | fl-agg bars 1m,1d |
		fl-load -q --pipeline p lake/
}

@test "parts of bars that are closed become whole bars, those of an open date wait" {
	bars 30000
	bars 45000
	fl-fetch sim --rate 1 -n 45000 | fl-agg bars 1m,1d | fl-load -q x.db
	fl-fetch store lake/ >before
	fl-fetch store x.db | cmp - before
	[ ! -e lake/bar ]
	cp -r lake start
	run -0 fl-load --compact --older-than 0s --stats text lake/
	[[ $output =~ ^"fl-load: "[0-9]+" file"s?" of 'lake/' "(is|are)" 1 now, with 1,"[0-9]{3}" records"$ ]]
	fl-fetch store lake/ | cmp - before
	[ "$(ls lake/bar)" = dt=2026-01-02 ]
	[ "$(ls lake/bar_partial)" != "$(ls start/bar_partial)" ] || [ -z "$(ls lake/bar_partial/dt=2026-01-02)" ]
	# A foreign reader has them as they are.
	zstdcat lake/bar/*/*.zst | sort | cmp - <(grep -F '"ts":"2026-01-02' before | sort)
	run -0 fl-load --compact --older-than 0s --stats text lake/
	[ "$output" = "fl-load: nothing of 'lake/' is to be compacted" ]
	# And the pipeline goes on.
	bars 60000
	fl-fetch sim --rate 1 -n 60000 | fl-agg bars 1m,1d | fl-load -q x.db
	fl-fetch store x.db | cmp - <(fl-fetch store lake/)
	# Killed when the whole bars are there and the parts as well.
	rm -r lake
	cp -r start lake
	FL_CRASH_AT=lake_compacted:1 run fl-load --compact --older-than 0s lake/
	[ "$status" != 0 ] || skip 'this build has no points to crash at'
	[ -e lake/bar/dt=2026-01-02 ]
	[ -n "$(ls lake/bar_partial/dt=2026-01-02)" ]
	fl-fetch store lake/ | cmp - before
	fl-load --compact --older-than 0s lake/
	[ -z "$(ls lake/bar_partial/dt=2026-01-02)" ]
	fl-fetch store lake/ | cmp - before
}

# --- few rows ------------------------------------------------------------------

# read_by COMMAND…: how many bytes the command reads, on standard output; its
# own goes to ./out.
read_by() {
	bash -c 'count() { while read -r name value; do [ "$name" != rchar: ] || echo "$value"; done </proc/$$/io; }
		before=$(count)
		"$@" >out
		echo $(($(count) - before))' bash "$@"
}

# ticks DAY COUNT: of 200 symbols, a second apart or none.
ticks() {
	awk -v day="$1" -v n="$2" 'BEGIN {
		srand(day)
		for (i = 0; i < n; i++) {
			t += int(rand() * 1.2)
			printf "{\"type\":\"quote\",\"ts\":\"2026-01-%02dT%02d:%02d:%02d.%03dZ\",\"provider\":\"%s\",\"symbol\":\"S%03d\",\"price\":%.2f,\"seq\":%d}\n",
				day, 9 + t / 3600, t / 60 % 60, t % 60, i % 3, rand() < 0.9 ? "t" : "u", 200 * rand() * rand(), 10 + rand(), i
		}
	}'
}

# bars and news of some days, two versions of some of them
others() {
	awk 'BEGIN {
		srand(1)
		for (i = 0; i < 3000; i++) {
			date = sprintf("2026-01-%02d", 1 + 5 * rand())
			printf "{\"type\":\"bar\",\"ts\":\"%sT00:00:00.000Z\",\"provider\":\"t\",\"symbol\":\"S%03d\",\"interval\":\"1d\",\"open\":1,\"high\":9,\"low\":1,\"close\":%d,\"adj\":\"none\",\"date\":\"%s\"}\n",
				date, 200 * rand(), 1 + 8 * rand(), date
			printf "{\"type\":\"news\",\"ts\":\"%sT10:00:00.000Z\",\"provider\":\"t\",\"id\":\"%d\",\"title\":\"%d\",\"url\":\"x:y\",\"symbols\":[\"S%03d\"]}\n",
				date, 1000 * rand(), i, 200 * rand()
		}
	}'
}

@test "questions have the same answers when it is compacted" {
	for i in 1 2 3; do
		ticks $i 30000 | fl-load -q lake/
		ticks $i 2000 | fl-load -q lake/
		others | awk -v i=$i 'NR % 3 == i - 1' | fl-load -q lake/
	done
	cp -r lake before
	fl-load --compact --older-than 0s lake/
	# And some that came later.
	for place in lake/ before/; do
		ticks 2 500 | sed 's/"price":1/"price":2/' | fl-load -q $place
	done
	RANDOM=7
	for ((i = 0; i < 60; i++)); do
		ask=()
		((RANDOM % 4)) && ask+=(--symbol "$(printf 'S%03d' $((RANDOM % 200)))$( ((RANDOM % 3)) || printf ',S%03d,NONE' $((RANDOM % 200)))")
		((RANDOM % 2)) && ask+=(--from "2026-01-0$((RANDOM % 2 + 1))T1$((RANDOM % 9)):00Z")
		((RANDOM % 2)) && ask+=(--to "2026-01-0$((RANDOM % 2 + 2))T1$((RANDOM % 9)):30Z")
		((RANDOM % 3)) || ask+=(--last $((RANDOM % 4 + 1)))
		((RANDOM % 3)) || ask+=(--type "$(shuf -n 1 --random-source=<(yes $i) -e quote bar news)")
		fl-fetch store before/ "${ask[@]}" >want || continue # to before from
		fl-fetch store lake/ "${ask[@]}" >got
		cmp want got || fail "another answer to '${ask[*]}'"
	done
	fl-fetch store before/ --list | cmp - <(fl-fetch store lake/ --list)
	fl-fetch store before/ --unordered | sort | cmp - <(fl-fetch store lake/ --unordered | sort)
}

@test "of few rows few bytes are read" {
	ticks 1 250000 | fl-load -q lake/
	fl-fetch store lake/ --symbol S030 >want
	fl-fetch store lake/ --from 2026-01-01T12:00Z --to 2026-01-01T12:01Z >want.minute
	fl-load --compact --older-than 0s lake/
	ticks 2 10 | fl-load -q lake/
	size=$(stat -c %s lake/quote/dt=2026-01-01/part-*)
	symbol=$(read_by fl-fetch store lake/ --symbol S030)
	cmp out want
	minute=$(read_by fl-fetch store lake/ --from 2026-01-01T12:00Z --to 2026-01-01T12:01Z)
	cmp out want.minute
	none=$(read_by fl-fetch store lake/ --symbol T)
	[ ! -s out ]
	echo "of $size bytes $symbol are read for a symbol, $minute for a minute, $none for one that is not there"
	[ $((10 * symbol)) -lt "$size" ]
	[ $((10 * minute)) -lt $((7 * size)) ]
	[ "$none" -lt 150000 ]
}

@test "what is damaged of it costs a frame, and notes none" {
	ticks 1 100000 >in
	fl-load -q lake/ in
	ticks 1 10 | fl-load -q lake/
	fl-load --compact --older-than 0s lake/
	object=$(find lake/quote -name 'part-*')
	fl-fetch store lake/ >all
	cp "$object" good
	size=$(stat -c %s good)
	# The first note, in the middle of it: all is there, and is told.
	printf x | dd of="$object" bs=1 seek=300 conv=notrunc status=none
	run -6 --separate-stderr fl-fetch store lake/
	[ "$output" = "$(cat all)" ]
	[[ $stderr == *"'$object' is damaged at byte "*'(the note of a slice)'* ]]
	run -6 --separate-stderr fl-fetch store lake/ --symbol S030
	[ "$output" = "$(grep '"S030"' all)" ]
	RANDOM=3
	for i in {1..15}; do
		cp good "$object"
		printf '\377\376' | dd of="$object" bs=1 seek=$(((RANDOM * 32768 + RANDOM) % (size - 2))) conv=notrunc status=none
		run -6 --separate-stderr fl-fetch store lake/
		[[ $stderr == *"'$object' is damaged at byte "* ]]
		# In order, none that was not there, and most are.
		cmp <(comm -12 <(sort all) <(sort <<<"$output")) <(sort <<<"$output")
		[ "$output" = "$(grep -Fxf <(echo "$output") all)" ]
		[ "${#lines[@]}" -gt $((100000 - 2 * 262144 / 100)) ]
	done
	# Cut off.
	head -c $((size / 2)) good >"$object"
	run -6 --separate-stderr fl-fetch store lake/
	[[ $stderr == *'(cut off)'* ]]
	[ "${#lines[@]}" -gt 30000 ]
}
