#!/usr/bin/env bats
# A lake in a folder: what goes in comes out, whoever is killed, however often it
# is loaded, and as from any other store.
# shellcheck disable=SC2016,SC2154 # what jq and inner shells expand; run, run_json

load ../helper/common
load ../helper/stores

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

# flow N [OPTION…]: the pipeline p over the first N lines of the simulation.
flow() {
	local n=$1
	shift
	fl-fetch sim -n "$n" --resume lake/ --pipeline p --marks 500,1s "$@" | fl-clean |
		fl-load --pipeline p lake/
}

objects() {
	find lake -name '*.ndjson.zst' | sort
}

# raw: all lines that lie in objects, as a foreign reader finds them.
raw() {
	objects | xargs zstdcat
}

# bar DATE SYMBOL CLOSE: a daily bar.
bar() {
	printf '{"type":"bar","ts":"%sT00:00:00.000Z","provider":"t","symbol":"%s","interval":"1d",' "$1" "$2"
	printf '"open":1,"high":9,"low":1,"close":%s,"adj":"none","date":"%s"}\n' "$3" "$1"
}

# same [OPTION…]: the lake answers as x.db does, in every byte.
same() {
	fl-fetch store x.db "$@" >want
	fl-fetch store lake/ "$@" >got
	cmp want got || fail "another answer to '$*'"
}

# --- in and out --------------------------------------------------------------

@test "records come back equal to the byte, by type and date" {
	fl-fetch sim -n 20000 | fl-clean >in
	run -0 fl-load --stats text lake/ in
	[[ $output == 'fl-load: 20,000 in = 20,000 stored + 0 rejected + 0 uncommitted; 1 commit, '*", into 'lake/'" ]]
	fl-fetch store lake/ | sort | cmp - <(sort in)
	# The layout: one object of the one day, in frames with checksums.
	[ "$(objects | wc -l)" = 1 ]
	[[ $(objects) =~ ^lake/quote/dt=2026-01-02/part-[0-9a-f]{16}-0{16}-[0-9a-f]{32}\.ndjson\.zst$ ]]
	objects | xargs zstd -qt
	zstd -lv "$(objects)" | grep -q 'Check: XXH64'
	[ "$(zstd -l "$(objects)" | awk 'END { print $1 }')" -ge 3 ]
	raw | cmp - <(fl-fetch store lake/)
	# Nothing temporary is left.
	[ -z "$(ls -A lake/_tmp)" ]
	[ "$(ls lake)" = $'_commit\n_tmp\nquote' ]
}

@test "what is not canonical becomes so" {
	echo '{ "symbol": "zzzt", "type": "quote", "provider": "t", "ts": "2026-01-02T16:00:00+01:00", "price": 1.50, "x": 1 }' >in
	fl-load lake/ in
	[ "$(fl-fetch store lake/)" = '{"type":"quote","ts":"2026-01-02T15:00:00.000Z","provider":"t","symbol":"ZZZT","price":1.5,"x":1}' ]
}

@test "a lake answers every query as SQLite does" {
	{
		for d in 2025-12-30 2025-12-31 2026-01-01 2026-01-05; do
			for s in A B C; do bar $d $s $((RANDOM % 8 + 1)); done
		done
		fl-fetch sim -n 3000
		echo '{"type":"news","ts":"2026-01-01T10:00:00.000Z","provider":"t","id":"1","title":"a","url":"x:y","symbols":["A","B"]}'
		echo '{"type":"dividend","ts":"2025-12-31T00:00:00.000Z","date":"2025-12-31","provider":"t","symbol":"A","amount":1}'
		echo '{"type":"instrument","ts":"2026-01-01T00:00:00.000Z","provider":"t","symbol":"A","name":"old"}'
		echo '{"type":"instrument","ts":"2026-01-03T00:00:00.000Z","provider":"t","symbol":"A","name":"new"}'
	} >in
	# In pieces, so that objects of one partition overlap.
	fl-load --batch 500 lake/ in
	fl-load --batch 500 x.db in
	same
	same --symbol A
	same --symbol A,ZZZB --type bar,quote
	same --type news,dividend,instrument
	same --provider sim
	same --interval 1d
	same --adj none
	same --from 2025-12-31 --to 2026-01-02
	same --from 2026-01-02T14:31Z --to 2026-01-02T14:32Z
	same --from 2025-12-31 --tz America/New_York
	same --last 2
	same --last 1 --symbol C,ZZZA
	same --last 3 --to 2026-01-01
	same --list
	same --list --symbol B --as csv --fields subject,values
	same --symbol NOPE
	fl-fetch store lake/ --unordered | sort | cmp - <(fl-fetch store x.db | sort)
}

@test "a query opens the partitions that it wants and no others" {
	for d in 01 02 03 04 05 06 07 08 09; do
		bar 2026-01-$d A 2
		echo '{"type":"quote","ts":"2026-01-'$d'T15:00:00.000Z","provider":"t","symbol":"A","price":1}'
	done >in
	fl-load lake/ in
	run -0 --separate-stderr fl-fetch -v store lake/ --type bar --from 2026-01-03 --to 2026-01-05
	[ "${#lines[@]}" = 2 ]
	[[ $stderr == *"2 objects of 'lake/' to read, 7 partitions passed over"* ]]
	run -0 --separate-stderr fl-fetch -v store lake/ --from 2026-01-09T12:00Z
	[ "${#lines[@]}" = 1 ]
	[[ $stderr == *"2 objects of 'lake/' to read, 16 partitions passed over"* ]]
	# Where a partition that is not wanted cannot be read, nobody notices.
	for f in lake/quote/dt=2026-01-01/* lake/bar/dt=2026-01-01/*; do echo garbage >"$f"; done
	run -0 fl-fetch store lake/ --from 2026-01-02
	run -6 fl-fetch store lake/
}

@test "a reader that goes away leaves quietly" {
	fl-fetch sim -n 20000 | fl-load lake/
	run -141 bash -c 'set -o pipefail; fl-fetch store lake/ | head -n 1'
	[ "${#lines[@]}" = 1 ]
}

# --- loading again -----------------------------------------------------------

@test "loading twice changes nothing, for foreign readers either" {
	fl-fetch sim -n 20000 >in
	for d in 01 02 03; do bar 2026-01-$d A 2; done >>in
	fl-load lake/ in
	fl-fetch store lake/ >once
	raw | sort >raw_once
	fl-load lake/ in
	fl-fetch store lake/ | cmp once -
	raw | sort | cmp raw_once -
	# So it is through a pipe, and with one more record.
	bar 2026-01-09 A 2 | cat in - | fl-load lake/
	[ "$(raw | wc -l)" = 20004 ]
}

@test "a reader misses nothing while the same is loaded again" {
	fl-fetch sim -n 2000 >in
	fl-load --batch 10 lake/ in
	(
		while [ ! -e stop ]; do fl-load -q --batch 10 lake/ in; done
	) &
	looks=10
	[ -z "${FL_LONG:-}" ] || looks=300
	for ((i = 0; i < looks; i++)); do
		[ "$(fl-fetch store lake/ | wc -l)" = 2000 ] || break
	done
	: >stop
	wait
	[ $i = $looks ]
	[ "$(objects | wc -l)" = 200 ]
}

@test "the later line wins: in a batch, across batches, and when it is the old one again" {
	{ bar 2026-01-01 A 2; bar 2026-01-01 A 3; } | fl-load lake/
	[ "$(fl-fetch store lake/ | jq -c .close)" = 3 ]
	[ "$(raw | wc -l)" = 1 ]
	bar 2026-01-01 A 4 | fl-load lake/
	[ "$(fl-fetch store lake/ | jq -c .close)" = 4 ]
	bar 2026-01-01 A 2 | fl-load lake/
	bar 2026-01-01 A 4 | fl-load lake/
	[ "$(fl-fetch store lake/ | jq -c .close)" = 4 ]
	bar 2026-01-01 A 2 | fl-load lake/
	[ "$(fl-fetch store lake/ | jq -c .close)" = 2 ]
	# A foreign reader tells them apart by the name of the object.
	[ "$(objects | tail -n 1 | xargs zstdcat | jq .close)" = 2 ]
}

@test "a record whose time moved stands in its new place alone" {
	echo '{"type":"news","ts":"2026-01-01T10:00:00.000Z","provider":"t","id":"1","title":"old","url":"x:y"}' | fl-load lake/
	echo '{"type":"news","ts":"2026-01-03T10:00:00.000Z","provider":"t","id":"1","title":"new","url":"x:y"}' | fl-load lake/
	[ "$(fl-fetch store lake/ | jq -r .title)" = new ]
	[ -z "$(fl-fetch store lake/ --to 2026-01-02)" ]
	[ "$(fl-fetch store lake/ --list | jq .values.count)" = 1 ]
}

# --- many --------------------------------------------------------------------

@test "a history of many days is loaded within 64 MiB" {
	perl -e 'use POSIX; for my $s (1 .. 40) { for my $d (0 .. 1299) {
		my $t = strftime("%Y-%m-%d", gmtime(1577836800 + 86400 * $d));
		print qq({"type":"bar","ts":"${t}T00:00:00.000Z","provider":"t","symbol":"S$s","interval":"1d",) .
			qq("open":1,"high":9,"low":1,"close":2.$s,"adj":"none","date":"$t"}\n) } }' >in
	run_json 0 fl-load lake/ in
	[ "$(jq .out <<<"$record")" = 52000 ]
	rss=$(jq .max_rss_bytes <<<"$record")
	[ "${FL_VARIANT:-}" = asan ] || [ "${FL_VARIANT:-}" = tsan ] || [ "$rss" -le $((64 << 20)) ] || fail "$rss bytes"
	[ "$(find lake/bar -name 'dt=*' | wc -l)" = 1300 ]
	[ "$(objects | wc -l)" = 1300 ]
	fl-fetch store lake/ --symbol S7 >got
	cmp got <(grep '"S7"' in)
	run_json 0 fl-fetch store lake/ --last 1
	[ "$(wc -l <out)" = 40 ]
	rss=$(jq .max_rss_bytes <<<"$record")
	[ "${FL_VARIANT:-}" = asan ] || [ "${FL_VARIANT:-}" = tsan ] || [ "$rss" -le $((64 << 20)) ] || fail "$rss bytes"
}

@test "more objects than can be open overlap, and are merged all the same" {
	fl-fetch sim -n 12000 --universe 40 >all
	# Symbol by symbol: each object spans the whole time.
	sort -t '"' -k 16,16 -s all >in
	fl-load --batch 100 lake/ in
	[ "$(objects | wc -l)" = 120 ]
	run_json 0 fl-fetch -v store lake/
	grep -q 'objects that overlap are merged into a temporary file' err
	mv out got
	fl-load x.db all
	fl-fetch store x.db | cmp - got
	# And rows are replaced across them.
	jq -c '.price += 1' all | head -n 3000 >changed
	fl-load --batch 50 lake/ changed
	fl-load x.db changed
	same
	same --last 2 --symbol ZZZA,ZZZC
}

# --- marks -------------------------------------------------------------------

@test "in pieces or in one go, the same rows and positions" {
	for n in 700 700 701 2500 6000; do flow $n; done
	[ "$(fl-load --positions lake/ | jq -c .at)" = '{"sim:1/5":["6000","6000"]}' ]
	fl-fetch store lake/ | sort | cmp - <(fl-fetch sim -n 6000 | sort)
	raw | sort | cmp - <(fl-fetch sim -n 6000 | sort)
	# A commit says what a person may want to know.
	jq -se '.[0].pipeline == "p" and .[0].mark.at == {"sim:1/5": ["2500", "6000"]} and
		.[0].positions[0].via[-1] == "fl-load --pipeline p lake/"' <"$(find lake/_commit/p -type f | sort -V | tail -n 1)"
}

@test "a pipeline that is forgotten begins anew, and its records are there once" {
	flow 3000
	run -0 fl-load --forget p --stats text lake/
	[ "$output" = "fl-load: 'lake/' has forgotten 1 position of 'p'" ]
	[ -z "$(fl-load --positions lake/)" ]
	[ "$(fl-fetch store lake/ | wc -l)" = 3000 ]
	flow 4000
	fl-fetch store lake/ | sort | cmp - <(fl-fetch sim -n 4000 | sort)
	run -4 fl-load --forget q lake/
	[ "$output" = "fl-load: no pipeline 'q' in 'lake/' (there is 'p')" ]
}

@test "of two copies one is told that it was overtaken" {
	fl-fetch sim -n 2000 --resume lake/ --pipeline p >stream
	fl-load --pipeline p lake/ stream
	run -3 fl-load --pipeline p lake/ stream
	[[ $output == *"pipeline 'p' was taken over"* ]]
	[ "$(fl-fetch store lake/ | wc -l)" = 2000 ]
	# Both begin at once: the commit decides.
	rm -r lake
	mkfifo one
	fl-load --pipeline p lake/ <one 2>err &
	{
		head -n 1001 stream
		fl-load --pipeline p lake/ stream
		tail -n +1002 stream
	} >one
	got=0
	wait $! || got=$?
	[ $got = 3 ]
	fl-fetch store lake/ | sort | cmp - <(fl-fetch sim -n 2000 | sort)
	[ -z "$(ls -A lake/_tmp)" ]
}

@test "pipelines of any name stand side by side" {
	for name in a/b ../up . 'ä ö' _x format; do
		fl-fetch sim -n 100 --resume lake/ --pipeline "$name" | fl-load --pipeline "$name" lake/
	done
	[ "$(fl-load --positions lake/ | jq -r .pipeline)" = "$(printf '%s\n' . ../up _x a/b format 'ä ö')" ]
	[ "$(find lake/_commit -mindepth 1 -maxdepth 1 -type d | wc -l)" = 6 ]
	[ ! -e up ]
}

@test "parts of bars are bars to us, and nothing to a foreign reader of bars" {
	fl-fetch sim -n 6000 --resume lake/ --pipeline p --marks 500,1s | fl-clean |
		fl-agg bars 1m | fl-load --pipeline p lake/
	fl-fetch sim -n 6000 | fl-clean | fl-agg bars 1m >whole
	[ ! -e lake/bar ]
	[ "$(find lake/bar_partial -type f -exec zstdcat {} + | wc -l)" -gt "$(wc -l <whole)" ]
	fl-fetch store lake/ >got
	cmp <(jq -c 'del(.final)' got | sort) <(jq -c 'del(.final)' whole | sort)
	# Without marks a part could come twice.
	find lake/bar_partial -type f -exec zstdcat {} + >parts
	run -1 fl-load other/ parts
	[[ $output == *'merge_conflict'* ]]
}

# --- what goes wrong ----------------------------------------------------------

@test "kill -9 at any moment loses nothing and doubles nothing, and readers see whole commits" {
	rounds=10
	[ -z "${FL_LONG:-}" ] || rounds=50
	run "$BATS_TEST_DIRNAME/../helper/lake_kill.sh" $rounds 1 "$BATS_TEST_TMPDIR"
	echo "# $output" >&3
	[ "$status" = 0 ]
}

@test "killed around prepare, commit and publish: all of it or nothing" {
	[[ ${FL_VARIANT:-} == @(asan|tsan|check) ]] || skip 'this build has no points to crash at'
	for d in 01 02 03; do bar 2026-01-$d A 2; done >in
	{
		echo '{"type":"mark","pipeline":"p","at":{},"open":true}'
		cat in
		echo '{"type":"mark","pipeline":"p","at":{"o":[null,"3"]}}'
		echo '{"type":"mark","pipeline":"p","at":{},"end":true}'
	} >stream
	for point in before_commit lake_prepared lake_committed lake_published after_commit; do
		rm -rf lake
		FL_CRASH_AT=$point:1 run -137 fl-load --pipeline p lake/ stream
		case $point in
		before_commit | lake_prepared)
			[ -z "$(fl-fetch store lake/)" ]
			fl-load --pipeline p lake/ stream
			;;
		*)
			# Not all is in its place yet, and yet all is seen.
			[ $point = after_commit ] || [ "$(find lake/bar -name '*.zst' 2>/dev/null | wc -l)" -lt 3 ]
			fl-fetch store lake/ | cmp - in
			run -3 fl-load --pipeline p lake/ stream
			[ "$(find lake/bar -name '*.zst' | wc -l)" = 3 ]
			;;
		esac
		fl-fetch store lake/ | cmp - in
		[ "$(fl-load --positions lake/ | jq -c .at)" = '{"o":["3","3"]}' ]
		# Without marks: again, and it is right.
		rm -rf plain
		FL_CRASH_AT=$point:1 run -137 fl-load plain/ in
		fl-load plain/ in
		fl-fetch store plain/ | cmp - in
		[ "$(find plain/bar -name '*.zst' | wc -l)" = 3 ]
	done
}

@test "what a writer that died has left is removed, what one that lives has is not" {
	bar 2026-01-01 A 2 | fl-load lake/
	for name in dead young locked unlocked; do
		mkdir lake/_tmp/$name
		echo x >lake/_tmp/$name/1
		[ $name = unlocked ] || : >lake/_tmp/$name/lock
		[ $name = young ] || touch -d '2 hours ago' lake/_tmp/$name
	done
	exec 5>lake/_tmp/locked/lock
	flock 5
	touch -d '2 hours ago' lake/_tmp/locked
	bar 2026-01-02 A 2 | fl-load lake/
	exec 5>&-
	[ "$(ls lake/_tmp)" = $'locked\nyoung' ]
}

@test "copies of a pipeline that share its origins commit side by side" {
	place=lake/ copies_side_by_side 50
}

@test "a damaged frame costs what is in it, and is named" {
	fl-fetch sim -n 20000 >in
	fl-load lake/ in
	object=$(objects)
	frames=$(zstd -l "$object" | awk 'END { print $1 }')
	[ "$frames" -ge 3 ]
	cp "$object" good
	size=$(stat -c %s good)
	for at in 5 $((size / 2)) $((size - 3)); do
		cp good "$object"
		printf '\377\377\377\377' | dd of="$object" bs=1 seek=$at conv=notrunc status=none
		run -6 --separate-stderr fl-fetch store lake/
		[[ $stderr =~ "fl-fetch: 'lake/quote/dt=2026-01-02/part-"[-0-9a-f]+".ndjson.zst' is damaged at byte "[0-9]+": "[0-9]+" bytes passed over ("[^\)]+"); all other records were given" ]]
		# All lines are good ones, and most are there.
		[ "$(comm -13 <(sort in) <(sort <<<"$output") | wc -l)" = 0 ]
		[ "${#lines[@]}" -ge $((20000 * (frames - 2) / frames)) ]
		[ "${#lines[@]}" -lt 20000 ]
	done
	# Cut off, and one of two objects is something else.
	head -c $((size - 100)) good >"$object"
	run -6 --separate-stderr fl-fetch store lake/
	[[ $stderr == *'(cut off)'* ]]
	echo garbage >"$object"
	bar 2026-01-01 A 2 | fl-load lake/
	run -6 --separate-stderr fl-fetch store lake/
	[ "${#lines[@]}" = 1 ]
}

@test "a full disk ends the run and leaves whole batches" {
	mkdir disk
	fl-fetch sim -n 100 >few
	perl -e 'for (1 .. 20000) { printf qq({"type":"instrument","ts":"2026-01-02T00:00:00.000Z","provider":"t","symbol":"S%d","name":"%s"}\n),
		$_, join "", map { chr(97 + int rand 26) } 1 .. 60 }' >in
	unshare -rm true 2>/dev/null || skip 'no user namespaces here'
	unshare -rm bash -c 'mount -t tmpfs -o size=500k none disk || exit 99
		fl-load -q disk/lake/ few || exit 98
		fl-load -q --batch 2000 disk/lake/ in 2>err
		echo $? >status
		cp -r disk/lake .' || skip 'no tmpfs here'
	[ "$(cat status)" = 5 ]
	[[ $(cat err) == "fl-load: cannot write 'disk/lake/"*': No space left on device' ]]
	fl-fetch store lake/ --type quote | sort | cmp - <(sort few)
	stored=$(fl-fetch store lake/ --type instrument | wc -l)
	[ "$stored" -lt 20000 ]
	[ $((stored % 2000)) = 0 ]
	[ -z "$(ls -A lake/_tmp)" ]
}

@test "a folder that is no lake is left alone" {
	bar 2026-01-01 A 2 >in
	mkdir mine
	echo x >mine/notes
	run -4 fl-load mine/ in
	[ "$output" = "fl-load: 'mine/' holds other things than a lake: name a folder of its own" ]
	run -4 fl-fetch store mine/
	[ "$(ls mine)" = notes ]
	run -5 fl-fetch store none/
	[ "$output" = "fl-fetch: cannot open 'none/': No such file or directory" ]
	[ ! -e none ]
	[ -z "$(fl-load --positions none/)" ]
	run -5 fl-load none/deeper/ in
	[ "$output" = "fl-load: cannot make 'none/deeper/': No such file or directory" ]
	run -4 fl-load in/ in
	[ "$output" = "fl-load: 'in/' is no folder" ]
	fl-load lake/ in
	echo 'financelake lake 2' >lake/_commit/_format
	run -4 fl-load lake/ in
	[ "$output" = "fl-load: 'lake/' is a lake of another release: update financelake" ]
	run -2 fl-load --print-schema lake/
}

@test "a commit that is damaged, or leads out of the folder, is refused" {
	flow 500
	echo mine >mine
	for text in '{' '[]' '{"pipeline":"p","stamp":"1","positions":[],"objects":[{"from":"../mine","to":"quote/x"}]}' \
		'{"pipeline":"p","stamp":"1","positions":[{"pos":"1"}],"objects":[]}' \
		'{"pipeline":"p","stamp":"1","positions":[],"objects":[{"from":"_commit/p/1","to":"/mine"}]}'; do
		echo "$text" >lake/_commit/p/99
		run -4 fl-load --positions lake/
		[[ $output == *"'lake/_commit/p/99' is damaged, or of a newer release: it is no commit that can be read" ]]
		run -4 fl-load lake/ /dev/null
		run -4 fl-fetch store lake/
	done
	[ "$(cat mine)" = mine ]
	rm lake/_commit/p/99
	[ "$(fl-fetch store lake/ | wc -l)" = 500 ]
}

@test "what a user puts into or takes out of the folder breaks nothing" {
	for d in 01 02 03; do bar 2026-01-$d A 2; done | fl-load lake/
	echo hello >lake/bar/dt=2026-01-01/README
	mkdir lake/bar/tmp lake/other
	rm -r lake/bar/dt=2026-01-02
	[ "$(fl-fetch store lake/ | jq -r .date | tr '\n' ' ')" = '2026-01-01 2026-01-03 ' ]
	# Also right after a commit that names what is gone.
	flow 500
	rm -r lake/quote
	[ -z "$(fl-fetch store lake/ --type quote)" ]
	flow 700
	[ "$(fl-fetch store lake/ --type quote | wc -l)" = 200 ]
}
