#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # run sets output; each test has its own
# The lake on S3, against a server that checks signatures.

load ../helper/common
load ../helper/s3
load ../helper/stores

setup_file() { begin_s3; }
teardown_file() { s3 stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	s3_ready
}
# Of a test that has stopped it.
teardown() { s3 revive >/dev/null 2>&1 || :; }

data=$BATS_TEST_DIRNAME/../data/rec

# --- what is stored -----------------------------------------------------------

@test "requests of every kind are taken by a server that checks signatures" {
	unit_suite s3
	run ! grep '# SKIP' s3
}

@test "the conformance suites of all stores hold for the lake on S3" {
	fl_stores_hold 'lake on S3'
}

@test "every type is read back as a folder gives it, and loading twice changes nothing" {
	for file in "$data"/*.ndjson; do
		[[ $file != *.bad.ndjson ]] || continue
		grep -v '"partial":true' "$file" >>in
	done
	fl-load -q lake/ in
	fl-load -q "$place" in
	fl-fetch store lake/ >want
	fl-fetch store "$place" >got
	cmp want got
	[ "$(wc -l <got)" -gt 40 ]
	(cd "$objects" && find . -name 'part-*' | sed 's/part-[^-]*-/part-/' | sort) >before
	fl-load -q "$place/" in
	fl-fetch store "$place" | cmp - want
	(cd "$objects" && find . -name 'part-*' | sed 's/part-[^-]*-/part-/' | sort) | cmp - before
	# The objects are those of the folder, to the byte.
	(cd lake && find . -name 'part-*' | sed 's/part-[^-]*-/part-/' | sort) | cmp - before
	[ ! -e "$objects/_tmp" ] || [ -z "$(find "$objects/_tmp" -type f)" ]
}

@test "a history of many days goes in and out, in little memory" {
	fl-fetch sim -n 1000000 --rate 1 >in
	fl-load -q lake/ in
	fl-load -q "$place" in &
	load=$!
	most=0
	while now=$(awk '/VmHWM/ { print $2 }' "/proc/$load/status" 2>/dev/null) && [ -n "$now" ]; do
		most=$now
		sleep 0.05
	done
	wait "$load"
	echo "# $((most / 1024)) MiB" >&3
	[ "$most" -lt 131072 ]
	fl-fetch store lake/ | cmp - <(fl-fetch store "$place")
	[ "$(find "$objects/quote" -mindepth 1 -type d | wc -l)" -gt 10 ]
	for options in '--symbol ZZZA --last 5' '--from 2026-01-05 --to 2026-01-06' '--list'; do
		# shellcheck disable=SC2086
		cmp <(fl-fetch store lake/ $options) <(fl-fetch store "$place" $options)
	done
}

@test "a place is a bucket alone, too, and what is no place is misuse" {
	quote 1 | fl-load "$place/a b/ü=+~"
	[ -n "$(find "$objects/a b/ü=+~/quote" -type f)" ]
	[ "$(fl-fetch store "$place/a b/ü=+~/" | wc -l)" = 1 ]
	run -2 fl-load 's3://x' </dev/null
	[[ $output == "fl-load: 'x' is no name of a bucket"* ]]
	run -2 fl-load "$place//x" </dev/null
	[[ $output == *'in the prefix no empty part, none of dots'* ]]
	run -2 fl-load "$place/../x" </dev/null
	run -4 fl-fetch store "$place/none"
	[[ $output == *"cannot open '$place/none': there is nothing"* ]]
	run -4 fl-load s3://lake </dev/null # the tests' places are in it
	[[ $output == *"'s3://lake/' holds other things than a lake"* ]]
}

# --- marks --------------------------------------------------------------------

@test "kill -9 at any moment loses nothing and doubles nothing, and readers see whole commits" {
	kills=8
	[ -z "${FL_LONG:-}" ] || kills=50
	run "$BATS_TEST_DIRNAME/../helper/lake_kill.sh" $kills 1 "$PWD" "$place" "$objects"
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "of two copies of a pipeline one wins, and the other stops with 3" {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	run -3 fl-load --pipeline p "$place" < <(marked null '"6"' "$(quote 2)")
	[[ $output == *"was taken over: the stream begins 'o' anew, where "*"holds '5' by now"* ]]
	run -4 fl-load --pipeline q "$place" < <(marked '"5"' '"6"' | sed 's/"p"/"q"/')
	[[ $output == *"holds no position of 'o' in pipeline 'q'"* ]]
	[ "$(fl-fetch store "$place" | wc -l)" = 1 ]
	[[ $(fl-load --positions "$place") == *'"at":{"o":["5","5"]}'* ]]
}

@test "of many copies that commit at the same moment one wins, time and again" {
	marked null '"0"' | fl-load --pipeline p "$place"
	for round in {1..10}; do
		pids=()
		for copy in {1..6}; do
			marked "\"$((round - 1))\"" "\"$round\"" "$(quote "$round" "$copy")" \
				>"in$copy"
			fl-load -q --pipeline p "$place" <"in$copy" 2>"err$copy" &
			pids+=($!)
		done
		ends=
		for pid in "${pids[@]}"; do
			end=0
			wait "$pid" || end=$?
			ends+=" $end"
		done
		[ "$(tr ' ' '\n' <<<"$ends" | grep -c '^0$')" = 1 ]
		[ "$(tr ' ' '\n' <<<"$ends" | grep -c '^3$')" = 5 ]
	done
	[ "$(fl-fetch store "$place" | wc -l)" = 10 ]
	[[ $(fl-load --positions "$place") == *'"at":{"o":["10","10"]}'* ]]
}

# lossy PATTERN COUNT: from now on the server is reached by a way on which answers
# get lost.
lossy() {
	python3 "$BATS_TEST_DIRNAME/../helper/lossy_proxy.py" port \
		"${AWS_ENDPOINT_URL_S3##*:}" "$1" "$2" 3>&- &
	proxy=$!
	while [ ! -s port ]; do sleep 0.05; done
	AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(<port)
}

@test "a commit whose answer was lost is known for one's own" {
	direct=$AWS_ENDPOINT_URL_S3
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	lossy 'PUT .*/_commit/p/' 1
	marked '"5"' '"6"' "$(quote 2)" | fl-load -v --pipeline p "$place" 2>log
	grep -q '_commit/p/2: HTTP 412' log # the second try met the first one
	kill "$proxy"
	AWS_ENDPOINT_URL_S3=$direct
	[ "$(fl-fetch store "$place" | wc -l)" = 2 ]
	[[ $(fl-load --positions "$place") == *'["6","6"]'* ]]
}

@test "answers that are lost anywhere leave a pipeline right" {
	direct=$AWS_ENDPOINT_URL_S3
	fl-fetch sim -n 5000 | sort >want
	for what in 'PUT .*_tmp' 'PUT .*quote' 'DELETE ' 'GET .*_commit' 'list-type' 'PUT .*_commit'; do
		rm -f port
		lossy "$what" 3
		fl-fetch sim -n 5000 --resume "$place/x" --pipeline p --marks 100,10ms |
			fl-load -q --pipeline p "$place/x" --batch 1000 || :
		kill "$proxy"
		AWS_ENDPOINT_URL_S3=$direct
		fl-fetch sim -n 5000 --resume "$place/x" --pipeline p | fl-load -q --pipeline p "$place/x"
		fl-fetch store "$place/x" | sort | cmp - want
		fl-load -q --forget p "$place/x"
	done
}

@test "copies of a pipeline that share its origins commit side by side" {
	copies_side_by_side 20
}

# --- compaction ---------------------------------------------------------------

@test "readers and writers go on while a lake is compacted, and is killed at it" {
	for i in {1..10}; do
		fl-fetch sim -n 3000 --seed "$i" | tee -a all | fl-load -q "$place"
	done
	least=$(fl-fetch store "$place" | wc -l)
	fl-fetch sim -n 40000 --seed 99 >>all
	fl-load -q want.db all
	fl-fetch sim -n 40000 --seed 99 --resume "$place" --pipeline p --marks 200,10ms |
		fl-load -q --pipeline p "$place" --batch 400 &
	writer=$!
	(
		RANDOM=1
		while kill -0 "$writer" 2>/dev/null; do
			timeout -s KILL "0.$((RANDOM % 40 + 10))" fl-load --compact --older-than 0s "$place"
		done
	) >/dev/null 2>&1 &
	looks=0
	while kill -0 "$writer" 2>/dev/null; do
		fl-fetch store "$place" >look
		now=$(wc -l <look)
		[ "$now" -ge "$least" ]
		[ "$(sort -u look | wc -l)" = "$now" ]
		least=$now looks=$((looks + 1))
	done
	wait "$writer"
	wait
	[ "$looks" -gt 3 ]
	fl-load --compact --older-than 0s "$place"
	fl-fetch store want.db | cmp - <(fl-fetch store "$place")
	[ "$(find "$objects/quote" -name 'part-*' | wc -l)" = 1 ]
	fl-fetch store want.db | sort | cmp - <(zstdcat "$objects"/quote/*/*.zst | sort)
}

@test "a reader in the middle of objects that are removed goes on in what holds their rows" {
	fl-fetch sim -n 400000 --seed 1 >a
	fl-fetch sim -n 300000 --seed 2 >b
	fl-load -q "$place" a
	fl-load -q "$place" b
	fl-fetch store "$place" >want
	# The pipe is full long before the end: the reader stands still.
	fl-fetch store -v "$place" 2>log | { read -r first; echo "$first"; until [ -e done1 ]; do sleep 0.05; done; cat; } >got1 &
	first=$!
	sleep 0.5
	fl-load -q "$place" a # the same again: it gets a later name
	touch done1
	wait "$first"
	cmp want got1
	grep -q 'was removed while it was read; going on elsewhere' log
	fl-fetch store "$place" >want
	fl-fetch store -v "$place" 2>log | { read -r first; echo "$first"; until [ -e done2 ]; do sleep 0.05; done; cat; } >got2 &
	first=$!
	sleep 0.5
	fl-load -q --compact --older-than 0s "$place"
	touch done2
	wait "$first"
	cmp want got2
	grep -q 'was removed while it was read; going on elsewhere' log
	fl-fetch store "$place" | cmp want
}

# A TLS server of its own.
tls() { "$BATS_TEST_DIRNAME/../../scripts/services/s3" "$@" --dir "$PWD/tls"; }

@test "of a compacted lake one symbol is asked for in ranges" {
	fl-fetch sim --universe 300 -n 250000 | fl-load -q "$place"
	fl-fetch store "$place" --symbol ZZZBC --from 2026-01-02T14:31Z >want
	[ "$(wc -l <want)" -gt 100 ]
	fl-load -q --compact --older-than 0s "$place"
	fl-fetch store "$place" --symbol ZZZBC --from 2026-01-02T14:31Z | cmp - want
	read_by() {
		strace -f -qq -o trace -e trace=recvfrom,recvmsg,read "$@" >out
		awk '/= [0-9]+$/ && /recv/ { sum += $NF } END { print sum + 0 }' trace
	}
	size=$(cat "$objects"/quote/*/part-* | wc -c)
	some=$(read_by fl-fetch store "$place" --symbol ZZZBC --from 2026-01-02T14:31Z)
	cmp out want
	all=$(read_by fl-fetch store "$place")
	echo "# of $size bytes $some are read for a symbol, $all for all" >&3
	[ "$all" -gt "$size" ]
	[ $((2 * some)) -lt "$size" ]
}

@test "damage is found and mended, what is old is removed, files are kept as they are" {
	for seed in 1 2 3; do fl-fetch sim -n 20000 --seed $seed | fl-load -q "$place"; done
	fl-fetch store "$place" >all
	run -0 --separate-stderr fl-load --verify --stats text "$place"
	[[ $stderr == "fl-load: 3 files of '$place' are good, with 60,000 records" ]]
	object=$(find "$objects/quote" -name 'part-*' | sort | head -n 1)
	name=${object#"$objects/"}
	printf '\377\376' | dd of="$object" bs=1 seek=40000 conv=notrunc status=none
	run -6 --separate-stderr fl-load --verify "$place"
	[[ $output == "'$place/$name' is damaged at byte "* ]]
	run -0 fl-load --verify --repair --stats text "$place"
	[[ $output == *"'$place/$name' was put aside, as '$place/_damaged/$name'; "*" records of it are kept"* ]]
	[ -e "$objects/_damaged/$name" ]
	run -0 fl-load --verify "$place"
	for seed in 1 2 3; do fl-fetch sim -n 20000 --seed $seed | fl-load -q "$place"; done
	fl-fetch store "$place" | cmp - all
	run -0 --separate-stderr fl-load --expire quote=1d "$place"
	[[ $output == 'quote 2026-01-02 '[1-9]' files' ]]
	fl-load --expire quote=1d --yes "$place" >/dev/null
	[ -z "$(fl-fetch store "$place")" ]
	head -c 20000000 /dev/urandom >large
	at=$(fl-load --raw p "$place" large)
	cmp large "$objects/${at#"$place/"}"
	[ "$(fl-load --raw p "$place" - <large)" = "${at%-*}-standard-input" ]
	cmp large "$objects/${at#"$place/"}"
}

@test "inside TLS, where the certificate is checked" {
	tls start --tls
	where=$(tls env)
	eval "$where"
	quote 1 | fl-load s3://lake/x || got=$?
	[ "$(fl-fetch store s3://lake/x | wc -l)" = 1 ] || got=1
	AWS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt run -4 fl-fetch store s3://lake/x
	tls stop
	[ -z "${got-}" ]
	[[ $output == *"(AWS_CA_BUNDLE names a file of authorities)"* ]]
}

# --- what goes wrong ----------------------------------------------------------

@test "a wrong key, a bucket that is not there and another region are refused with 4" {
	quote 1 >in
	AWS_SECRET_ACCESS_KEY=wr0ng run -4 fl-load "$place" in
	[[ $output == *"SignatureDoesNotMatch: "*"(HTTP 403); the key is of AWS_ACCESS_KEY_ID"* ]]
	[[ $output != *wr0ng* ]]
	AWS_ACCESS_KEY_ID=nobody run -4 fl-load "$place" in
	[[ $output == *"No user exists with the provided access key ID"* ]]
	run -4 fl-load s3://nothere/x in
	[[ $output == *"there is no bucket 'nothere' at 127.0.0.1:"* ]]
	AWS_REGION=eu-west-1 run -4 fl-load "$place" in
	[[ $output == *"the bucket is in region us-east-1 (AWS_REGION)"* ]]
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	HOME=$PWD AWS_EC2_METADATA_DISABLED=true run -4 fl-load "$place" in
	[[ $output == *'there is no key for S3: AWS_ACCESS_KEY_ID and '* ]]
}

@test "a secret is in no message, not even with -v" {
	quote 1 | fl-load -v "$place" 2>log
	[ -s log ]
	run ! grep -F "$AWS_SECRET_ACCESS_KEY" log
	run ! grep -i signature log
}

@test "a clock that is off is refused with 4, and the message says by how much" {
	quote 1 >in
	LD_PRELOAD=$FL_BUILD/helper/preload-clock.so FL_CLOCK=+3600 run -4 fl-load "$place" in
	[[ $output == *"the clock of this machine is 1h"*" ahead of that of the server, and S3 bears 15 minutes: set it"* ]]
}

@test "a server that is stopped is 3, and when it is back all goes on" {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	s3 kill
	run -3 fl-load --pipeline p "$place" < <(marked '"5"' '"6"' "$(quote 2)")
	[[ $output == *"cannot read '$place/"*"onnect"* ]]
	run -3 fl-fetch store "$place"
	s3 revive
	marked '"5"' '"6"' "$(quote 2)" | fl-load --pipeline p "$place"
	[ "$(fl-fetch store "$place" | wc -l)" = 2 ]
}

@test "a server that is killed while it is written to loses nothing of a pipeline" {
	fl-fetch sim -n 30000 | sort >want
	for _ in {1..3}; do
		fl-fetch sim -n 30000 --resume "$place" --pipeline p --marks 500,20ms 2>/dev/null |
			fl-load -q --pipeline p "$place" --batch 500,20ms 2>>err &
		sleep 0.3
		s3 kill
		wait || :
		s3 revive
	done
	fl-fetch sim -n 30000 --resume "$place" --pipeline p | fl-load -q --pipeline p "$place"
	fl-fetch store "$place" | sort | cmp - want
}

@test "leftovers of writers that died a day ago are removed, those of today stay" {
	quote 1 | fl-load "$place"
	mkdir -p "$objects"/_tmp/{old,new}
	echo x >"$objects/_tmp/old/1"
	echo x >"$objects/_tmp/new/1"
	touch -d '25 hours ago' "$objects/_tmp/old/1"
	quote 2 | fl-load "$place"
	[ ! -e "$objects/_tmp/old/1" ]
	[ -e "$objects/_tmp/new/1" ]
	[ "$(fl-fetch store "$place" | wc -l)" = 2 ]
}
