#!/usr/bin/env bats
# fl-load: records into a store. How every kind of store keeps records is
# tests/unit/store.c; whole pipelines with marks are tests/pipe/marks.bats.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset FL_STORE
}

# quote SECOND [SYMBOL [PRICE]]
quote() {
	printf '{"type":"quote","ts":"2026-01-02T15:00:%02d.000Z","provider":"t","symbol":"%s","price":%s}\n' \
		"$1" "${2:-A}" "${3:-1}"
}

quotes() {
	for i in $(seq "$1" "$2"); do quote "$i"; done
}

opening='{"type":"mark","pipeline":"p","at":{},"open":true,"via":["source"]}'
ending='{"type":"mark","pipeline":"p","at":{},"end":true}'

# mark FROM TO [MEMBERS]: of the origin o; FROM null or a number
mark() {
	local from=\"$1\"
	[ "$1" != null ] || from=null
	echo '{"type":"mark","pipeline":"p","at":{"o":['"$from"',"'"$2"'"]}'"${3:-}"'}'
}

rows() {
	sqlite3 "$1" 'SELECT ts / 1000000000 % 60 FROM quote ORDER BY ts' | tr '\n' ' '
}

position() {
	sqlite3 "$1" 'SELECT origin, pos FROM fl_position' | tr '\n' ' '
}

@test "help, version and misuse are as everywhere" {
	fl_help_ok fl-load
	fl_version_ok fl-load
	fl_misuse_ok fl-load
}

# --- a plain stream ----------------------------------------------------------

@test "records become rows, and the account says so" {
	quotes 1 5 >in
	run -0 --separate-stderr fl-load --stats text x.db in
	[ -z "$output" ]
	[[ $stderr == 'fl-load: 5 in = 5 stored (5 new, 0 replaced, 0 merged) + 0 rejected + 0 uncommitted; 1 commit, '*"/s, into 'x.db'" ]]
	[ "$(rows x.db)" = '1 2 3 4 5 ' ]
}

@test "standard input, files and compressed files are loaded alike" {
	quotes 1 3 | fl-load x.db
	quotes 4 5 >a
	quotes 6 7 | zstd -q >b.zst
	quotes 8 9 | gzip >c.gz
	fl-load x.db a b.zst c.gz
	quotes 10 10 | fl-load x.db -
	[ "$(rows x.db)" = '1 2 3 4 5 6 7 8 9 10 ' ]
}

@test "FL_STORE is the place when none is given" {
	quote 1 | FL_STORE=x.db fl-load
	[ "$(rows x.db)" = '1 ' ]
	quote 2 | FL_STORE=x.db fl-load sqlite:y
	[ "$(rows y)" = '2 ' ]
	run -2 fl-load
	[ "$output" = "fl-load: which place? fl-load FILE.db, or set FL_STORE" ]
}

@test "loading twice leaves the same rows" {
	quotes 1 50 >in
	fl-load x.db in
	sqlite3 x.db 'SELECT * FROM quote' >before
	run -0 --separate-stderr fl-load --stats text x.db in
	[[ $stderr == *'50 in = 50 stored (0 new, 50 replaced, 0 merged)'* ]]
	sqlite3 x.db 'SELECT * FROM quote' | cmp before
}

@test "of one key the later line wins" {
	{
		echo '{"type":"instrument","ts":"2026-01-02T00:00:00.000Z","provider":"t","symbol":"A","name":"old","mine":1}'
		echo '{"type":"instrument","ts":"2026-01-03T00:00:00.000Z","provider":"t","symbol":"A","name":"new"}'
	} | fl-load x.db
	[ "$(sqlite3 x.db 'SELECT name, extra IS NULL FROM instrument')" = 'new|1' ]
}

@test "a record that is not canonical is stored in canonical form" {
	echo '{ "price":1.50, "symbol":"zzza", "type":"quote", "provider":"t", "ts":"2026-01-02T16:00:00+01:00", "currency":"GBp" }' |
		fl-load x.db
	run -0 fl-fetch store x.db
	[ "$output" = '{"type":"quote","ts":"2026-01-02T15:00:00.000Z","provider":"t","symbol":"ZZZA","price":0.015,"currency":"GBP","currency_src":"GBp","price_scale":0.01}' ]
}

@test "bad lines are rejected, the others stored" {
	{
		quote 1
		echo '{"type":"quote"'
		quote 2 A -5
		quote 3
	} >in
	run -1 --separate-stderr fl-load --rejects bad --stats text x.db in
	[[ $stderr == *'4 in = 2 stored (2 new, 0 replaced, 0 merged) + 2 rejected + 0 uncommitted'* ]]
	[ "$(jq -r .reason bad | tr '\n' ' ')" = 'bad_json out_of_range ' ]
	[ "$(rows x.db)" = '1 3 ' ]
	account_closes fl-load x.db in
}

@test "--rejects inline stores the rejects beside the records" {
	{
		quote 1
		echo 'no record'
	} >in
	run -1 fl-load --rejects inline x.db in
	[ "$(sqlite3 x.db 'SELECT reason, raw, provider FROM reject')" = 'bad_json|no record|fl-load' ]
	[ "$(rows x.db)" = '1 ' ]
}

@test "--max-rejects ends the run" {
	{
		quote 1
		echo 'no record'
		echo 'nor this'
	} >in
	run -6 fl-load --max-rejects 1 x.db in
	run -1 fl-load x.db in
}

@test "a partial bar is refused with its reason" {
	echo '{"type":"bar","ts":"2026-01-02T15:00:00.000Z","provider":"t","symbol":"A","interval":"1m","open":1,"high":1,"low":1,"close":1,"adj":"none","first_ts":"2026-01-02T15:00:01.000Z","last_ts":"2026-01-02T15:00:02.000Z","partial":true}' >in
	run -1 --separate-stderr fl-load --rejects bad x.db in
	[ "$(jq -r '.reason, .field' bad | tr '\n' ' ')" = 'merge_conflict partial ' ]
	[ "$(sqlite3 x.db 'SELECT count(*) FROM bar')" = 0 ]
	account_closes fl-load x.db in
}

@test "--type stores some types and counts the others" {
	{
		quote 1
		echo '{"type":"instrument","ts":"2026-01-02T00:00:00.000Z","provider":"t","symbol":"A"}'
	} >in
	run -0 --separate-stderr fl-load --type instrument,bar --stats text x.db in
	[[ $stderr == *'2 in = 1 stored (1 new, 0 replaced, 0 merged) + 0 rejected + 1 filtered + 0 uncommitted'* ]]
	[ "$(rows x.db)" = '' ]
	run -2 fl-load --type qoute x.db in
	[ "$output" = "fl-load: unknown type 'qoute' (did you mean 'quote'?)" ]
}

@test "--batch says when to commit" {
	quotes 1 25 >in
	for batch in 10,1s:3 10:3 100:1 1K:3 1G,5m:1; do
		rm -f x.db
		run -0 --separate-stderr fl-load --stats text --batch "${batch%:*}" x.db in
		[[ $stderr == *"; ${batch##*:} commit"* ]]
	done
	for batch in 0 ten 10,x '10s,' ',1s' 1T; do
		run -2 fl-load --batch "$batch" x.db in
	done
}

@test "what has arrived is committed after a second of waiting" {
	mkfifo pipe
	fl-load --batch 1000,100ms x.db <pipe &
	{
		quotes 1 3
		for _ in $(seq 40); do
			sleep 0.1
			[ "$(rows x.db 2>&1)" != '1 2 3 ' ] || break
		done
		rows x.db >meanwhile
	} >pipe
	wait $!
	[ "$(cat meanwhile)" = '1 2 3 ' ]
}

@test "--dry-run checks and counts, and writes nothing" {
	{
		quote 1
		echo 'no record'
	} >in
	run -1 --separate-stderr fl-load --dry-run --stats text x.db in
	[[ $stderr == *'2 in = 1 good + 1 rejected + 0 uncommitted'*"nothing written to 'x.db'" ]]
	[ ! -e x.db ]
	quote 2 | fl-load x.db
	sqlite3 x.db .dump >before
	run -1 fl-load --dry-run x.db in
	sqlite3 x.db .dump | cmp before
	account_closes fl-load --dry-run x.db in
}

# --- marks -------------------------------------------------------------------

@test "rows and positions are stored together, with the lineage" {
	{
		echo "$opening"
		quotes 1 3
		mark null 3 ',"wm":{"o":"2026-01-02T15:00:03.000Z"},"rt":{"o":"2026-01-02T15:00:02.000Z"}'
		quotes 4 5
		mark 3 5
		echo "$ending"
	} >in
	run -0 --separate-stderr fl-load --pipeline p --stats text x.db in
	[[ $stderr == *'5 in = 5 stored (5 new, 0 replaced, 0 merged) + 0 rejected + 0 uncommitted; 1 commit,'* ]]
	[ "$(rows x.db)" = '1 2 3 4 5 ' ]
	[ "$(position x.db)" = 'o|5 ' ]
	[ "$(sqlite3 x.db 'SELECT via FROM fl_position')" = '["source","fl-load --pipeline p --stats text x.db in"]' ]
}

@test "--positions prints a mark a pipeline" {
	run -0 --separate-stderr fl-load --positions x.db
	[ -z "$output$stderr" ]
	[ ! -e x.db ]
	run -0 fl-load --positions --pipeline p x.db
	[ "$output" = '{"type":"mark","pipeline":"p","at":{}}' ]
	{
		echo "$opening"
		quote 1
		mark null 1 ',"wm":{"o":"2026-01-02T15:00:01.000Z"},"rt":{"o":"2026-01-02T15:00:00.000Z"}'
		echo "$ending"
	} >in
	fl-load --pipeline p x.db in
	sed 's/"p"/"q"/' in | fl-load --pipeline q x.db
	run -0 fl-load --positions x.db
	[ "$output" = '{"type":"mark","pipeline":"p","at":{"o":["1","1"]},"wm":{"o":"2026-01-02T15:00:01.000Z"},"rt":{"o":"2026-01-02T15:00:00.000Z"}}
{"type":"mark","pipeline":"q","at":{"o":["1","1"]},"wm":{"o":"2026-01-02T15:00:01.000Z"},"rt":{"o":"2026-01-02T15:00:00.000Z"}}' ]
	run -0 --separate-stderr fl-load -v --positions x.db
	[ "$stderr" = "fl-load: 'x.db' holds 2 positions of 2 pipelines" ]
	run -0 fl-load --positions --pipeline q x.db
	[ "${#lines[@]}" = 1 ]
	[[ $output == *'"pipeline":"q"'* ]]
}

@test "--forget forgets where a pipeline stands, not what it stored" {
	{
		echo "$opening"
		quote 1
		mark null 1
		echo "$ending"
	} >in
	fl-load --pipeline p x.db in
	run -4 fl-load --forget q x.db
	[ "$output" = "fl-load: no pipeline 'q' in 'x.db' (there is 'p')" ]
	run -0 fl-load -v --forget p x.db
	[ "$output" = "fl-load: 'x.db' has forgotten 1 position of 'p'" ]
	[ -z "$(position x.db)" ]
	[ "$(rows x.db)" = '1 ' ]
	fl-load --pipeline p x.db in
	run -5 fl-load --forget p none.db
	[ ! -e none.db ]
}

@test "marks are joined up to --batch" {
	{
		echo "$opening"
		for i in $(seq 0 9); do
			quote "$i"
			if [ "$i" = 0 ]; then mark null 1; else mark "$i" $((i + 1)); fi
		done
		echo "$ending"
	} >in
	for batch in 1:10 3:4 4:3 100:1 200K:1; do
		rm -f x.db
		run -0 --separate-stderr fl-load --pipeline p --stats text --batch "${batch%:*}" x.db in
		[[ $stderr == *"; ${batch##*:} commit"* ]]
		[ "$(rows x.db)" = '0 1 2 3 4 5 6 7 8 9 ' ]
		[ "$(position x.db)" = 'o|10 ' ]
	done
}

@test "marks that were joined are committed after a second, though records keep coming" {
	mkfifo pipe
	fl-load --pipeline p --batch 1000,100ms x.db <pipe &
	{
		echo "$opening"
		quotes 1 2
		mark null 2
		for i in $(seq 3 40); do
			quote "$i"
			sleep 0.1
			[ "$(position x.db 2>&1)" != 'o|2 ' ] || break
		done
		position x.db >meanwhile
		rows x.db >>meanwhile
		mark 2 "$i"
		echo "$ending"
	} >pipe
	wait $!
	[ "$(cat meanwhile)" = 'o|2 1 2 ' ]
	[ "$(position x.db)" = "o|$(rows x.db | wc -w) " ]
}

@test "without marks, --pipeline stores nothing" {
	quotes 1 3 >in
	run -2 fl-load --pipeline p x.db in
	[[ ${lines[0]} == "fl-load: no marks arrive; a filter in between drops them"* ]]
	mark null 3 >>in
	run -2 fl-load --pipeline p x.db in
	{
		quote 1
		echo "$opening"
	} >in
	run -2 fl-load --pipeline p x.db in
	{
		mark null 3
		echo "$ending"
	} >in
	run -2 fl-load --pipeline p x.db in
	[ -z "$(rows x.db)$(position x.db)" ]
}

@test "a mark without --pipeline stops the run" {
	{
		echo "$opening"
		quote 1
	} >in
	run -2 fl-load x.db in
	[[ ${lines[0]} == "fl-load: the stream has marks of pipeline 'p': say --pipeline 'p'"* ]]
	[ -z "$(rows x.db)" ]
}

@test "the mark of another pipeline stops the run" {
	{
		echo "$opening"
		quote 1
		mark null 1 | sed 's/"p"/"q"/'
	} >in
	run -6 fl-load --pipeline p x.db in
	[[ ${lines[0]} == "fl-load: a mark of pipeline 'q' arrives, this is pipeline 'p'"* ]]
	[ -z "$(rows x.db)$(position x.db)" ]
}

@test "what came after the last mark is discarded and counted" {
	{
		echo "$opening"
		quotes 1 2
		mark null 2
		quotes 3 5
	} >in
	run -3 --separate-stderr fl-load --pipeline p --stats text x.db in
	[[ $stderr == *"cut off before its end mark: 3 records after the last mark were discarded"* ]]
	[[ $stderr == *'5 in = 2 stored (2 new, 0 replaced, 0 merged) + 0 rejected + 3 uncommitted'* ]]
	[ "$(rows x.db)" = '1 2 ' ]
	[ "$(position x.db)" = 'o|2 ' ]
	rm x.db
	FL_RUNS=runs run -3 fl-load --pipeline p x.db in
	[ "$(jq -c '[.in, .used, .rejected, .uncommitted, .status]' runs)" = '[5,5,0,3,3]' ]
}

@test "an input that ends before its opening mark may come later" {
	run -3 fl-load --pipeline p x.db /dev/null
	[[ $output == *'the input ended before its opening mark'* ]]
}

@test "records behind the end mark are discarded; another stream may follow it" {
	{
		echo "$opening"
		quote 1
		mark null 1
		echo "$ending"
		echo "$opening"
		quote 2
		mark 1 2
		echo "$ending"
	} >in
	fl-load --pipeline p x.db in
	[ "$(rows x.db)" = '1 2 ' ]
	{
		echo "$opening"
		echo "$ending"
		quote 3
	} >in
	run -3 fl-load --pipeline p x.db in
	[[ $output == *'1 record came after the end mark and was discarded'* ]]
	[ "$(rows x.db)" = '1 2 ' ]
}

@test "a stream that begins inside another one stops the run" {
	{
		echo "$opening"
		quote 1
		echo "$opening"
		quote 2
		mark null 2
		echo "$ending"
	} >in
	run -3 fl-load --pipeline p x.db in
	[ -z "$(rows x.db)" ]
}

@test "warm-up is ignored and not counted" {
	{
		echo "$opening"
		echo '{"type":"mark","pipeline":"p","at":{},"live":false}'
		quotes 1 3
		echo 'no record'
		echo '{"type":"mark","pipeline":"p","at":{},"live":true}'
		quote 4
		mark null 4
		echo "$ending"
	} >in
	run -0 --separate-stderr fl-load --pipeline p --stats text x.db in
	[[ $stderr == *'fl-load: 1 in = 1 stored '* ]]
	[ "$(rows x.db)" = '4 ' ]
}

@test "a stream cut off right behind a mark has nothing to discard" {
	{
		echo "$opening"
		quote 1
		mark null 1
	} >in
	run -3 fl-load -q --pipeline p x.db in
	[ "$output" = "fl-load: the stream was cut off before its end mark; started again, the source goes on from there" ]
}

@test "who comes second is told that the pipeline was taken over" {
	{
		echo "$opening"
		quote 1
		mark null 1
		echo "$ending"
	} >first
	{
		echo "$opening"
		quote 2
		mark 1 2
		echo "$ending"
	} >second
	fl-load --pipeline p x.db first
	sed 's/02:/01:/' first >other
	run -3 fl-load --pipeline p x.db first
	[[ $output == *"pipeline 'p' was taken over: the stream begins 'o' anew, where 'x.db' holds '1' by now; or --resume names another place than 'x.db'"* ]]
	fl-load --pipeline p x.db second
	run -3 fl-load --pipeline p x.db second
	[[ $output == *"pipeline 'p' was taken over: the stream goes on from '1' of 'o', where 'x.db' holds '2' by now"* ]]
	run -4 fl-load --pipeline p y.db second
	[[ $output == *"'y.db' holds no position of 'o' in pipeline 'p', but the stream goes on from '1'"* ]]
	[ "$(rows x.db)" = '1 2 ' ]
	[ -z "$(rows y.db)$(position y.db)" ]
}

@test "a dry run follows the positions without moving them" {
	{
		echo "$opening"
		quote 1
		mark null 1
		quote 2
		mark 1 2
		echo "$ending"
	} >in
	run -0 fl-load --dry-run --pipeline p x.db in
	[ ! -e x.db ]
	fl-load --pipeline p x.db in
	run -3 fl-load --dry-run --pipeline p x.db in
	sed 's/null/"2"/; s/"1"/"3"/; s/"1",/"3",/' in >next
	{
		echo "$opening"
		quote 3
		mark 2 3
		echo "$ending"
	} >next
	run -0 fl-load --dry-run --pipeline p --batch 1 x.db next
	[ "$(position x.db)" = 'o|2 ' ]
}

@test "marks that do not join stop the run" {
	{
		echo "$opening"
		quote 1
		mark null 1
		quote 2
		mark 5 6
		echo "$ending"
	} >in
	run -6 fl-load --pipeline p x.db in
	[[ $output == *"marks do not join: 'o' went to '1', and the next mark begins at '5'"* ]]
	[ -z "$(rows x.db)" ]
}

@test "in a marked stream the rejects are stored in the same transaction" {
	{
		echo "$opening"
		quote 1
		echo 'no record'
		echo '{"type":"reject","ts":"2026-01-02T15:00:00.000Z","provider":"fl-clean","id":"1","reason":"bad_json","raw":"x"}'
		mark null 3
		quote 2
		echo 'nor this'
	} >in
	run -3 --separate-stderr fl-load --pipeline p --stats text x.db in
	[[ $stderr == *'5 in = 2 stored (2 new, 0 replaced, 0 merged) + 2 rejected + 1 uncommitted'* ]]
	[ "$(sqlite3 x.db 'SELECT provider, raw FROM reject ORDER BY raw' | tr '\n' ' ')" = 'fl-load|no record fl-clean|x ' ]
	rm x.db
	run -3 fl-load --pipeline p --rejects bad x.db in
	[ "$(wc -l <bad)" = 2 ]
	[ "$(sqlite3 x.db 'SELECT count(*) FROM reject')" = 1 ]
}

@test "a store of the schema before parts of bars is brought up to date" {
	quote 1 | fl-load x.db
	sqlite3 x.db 'ALTER TABLE bar DROP COLUMN pipeline; PRAGMA user_version = 1' 2>/dev/null || {
		sqlite3 x.db 'DROP VIEW bar_v; ALTER TABLE bar DROP COLUMN pipeline; PRAGMA user_version = 1'
	}
	run -4 fl-fetch store x.db
	[[ $output == *"fl-load --migrate 'x.db' brings it up to date"* ]]
	run -0 fl-load --migrate x.db
	[ "$(sqlite3 x.db 'PRAGMA user_version')" = 2 ]
	[ "$(rows x.db)" = '1 ' ]
	[ "$(sqlite3 x.db 'SELECT count(pipeline) FROM bar')" = 0 ]
}

@test "a part of a bar between marks is kept as one, with the name of its pipeline" {
	{
		echo "$opening"
		quote 1
		echo '{"type":"bar","ts":"2026-01-02T15:00:00.000Z","provider":"t","symbol":"A","interval":"1m","open":1,"high":1,"low":1,"close":1,"adj":"none","first_ts":"2026-01-02T15:00:01.000Z","last_ts":"2026-01-02T15:00:02.000Z","partial":true}'
		mark null 1
		echo "$ending"
	} >in
	run -0 fl-load --pipeline p x.db in
	[ "$(sqlite3 x.db 'SELECT partial, pipeline FROM bar')" = '1|p' ]
	[ "$(fl-fetch store x.db --type bar | grep -c partial)" = 0 ]
	[ "$(position x.db)" = 'o|1 ' ]
	rm x.db
	account_closes fl-load --pipeline p x.db in
}

@test "what waits for one mark has a ceiling" {
	long=$(head -c 880000 /dev/zero | tr '\0' n)
	{
		echo "$opening"
		for i in $(seq 310); do
			echo '{"type":"instrument","ts":"2026-01-02T00:00:00.000Z","provider":"t","symbol":"S'"$i"'","name":"'"$long"'"}'
		done
		mark null 310
		echo "$ending"
	} | {
		run -6 fl-load --pipeline p x.db
		[[ $output == *'over 256 MiB came since the last mark; let the source mark more often (--marks N,DUR)'* ]]
	}
}

# --- the place ---------------------------------------------------------------

@test "words that name no place are told from places to come" {
	quote 1 >in
	run -2 fl-load lake in
	[ "$output" = "fl-load: 'lake' names no place: FILE.db, sqlite:FILE, postgres://..., mysql://..., DIR/ (with the slash) or s3://BUCKET/PREFIX" ]
	run -2 fl-load kafka://b/t </dev/null
	[ "${lines[0]}" = "fl-load: 'kafka://b/t' is a Kafka topic: fl-produce writes to it, fl-consume reads it" ]
	run -2 fl-load snowflake://a/d/s in
	[[ $output == "fl-load: 'snowflake://a/d/s' is "*', a place that is not built in yet; FILE.db, sqlite:FILE, '*' is' ]]
}

@test "rejects that cannot be kept are found out before anything is read" {
	quote 1 >in
	run -5 fl-load --rejects none/bad x.db in
	[ "$output" = "fl-load: cannot open 'none/bad' for rejects: No such file or directory" ]
	[ "$(fl-fetch store x.db | wc -l)" = 0 ]
}

@test "what is no NDJSON gets the line that makes it such" {
	echo '[{"type":"quote"}]' >in
	run -6 fl-load x.db <in
	[ "$output" = "fl-load: line 1 starts a JSON array; records come one a line: jq -c '.[]' FILE | fl-load PLACE" ]
	printf 'Date,Open,Close\n2026-01-02,1,2\n' >in.csv
	run -6 fl-load x.db in.csv
	[ "$output" = "fl-load: 'in.csv' line 1 looks like CSV: fl-fetch csv in.csv | fl-load PLACE" ]
}

@test "an option that would do nothing is none" {
	run -2 fl-load -j 2 x.db
	[ "$output" = "fl-load: unknown option '-j'; try 'fl-load --help'" ]
}

@test "a file of something else is refused and left as it was" {
	quote 1 >in
	for text in '' x 'these are notes' "$(seq 2000)"; do
		echo "$text" >notes.db
		cp notes.db before
		run -4 fl-load notes.db in
		[ "$output" = "fl-load: 'notes.db' is not an SQLite database" ]
		cmp notes.db before
	done
	sqlite3 other.db 'CREATE TABLE mine (a); PRAGMA application_id = 5'
	cp other.db before
	run -4 fl-load other.db in
	[[ $output == "fl-load: 'other.db' is an SQLite database of another program"* ]]
	cmp other.db before
}

@test "a store of a newer schema is refused" {
	quote 1 | fl-load x.db
	sqlite3 x.db 'PRAGMA user_version = 99'
	run -4 fl-load x.db <<<"$(quote 2)"
	[[ $output == "fl-load: 'x.db' has schema version 99, newer than the 2 that is known here"* ]]
	run -4 fl-fetch store x.db
	[ "$(rows x.db)" = '1 ' ]
}

@test "a store that somebody migrates meanwhile is not written to" {
	mkfifo pipe
	fl-load x.db <pipe 2>err &
	{
		for _ in $(seq 50); do
			sleep 0.1
			[ "$(sqlite3 x.db 'PRAGMA user_version' 2>&1)" != 2 ] || break
		done
		sqlite3 x.db 'PRAGMA user_version = 3'
		quote 1
	} >pipe
	status=0
	wait $! || status=$?
	[ "$status" = 4 ]
	[[ $(cat err) == *"'x.db' was brought to schema version 3 by another program"* ]]
}

@test "a place that cannot be made is told with its cause" {
	quote 1 >in
	run -5 fl-load none/x.db in
	[ "$output" = "fl-load: cannot open 'none/x.db': No such file or directory" ]
	mkdir dir.db
	run -5 fl-load dir.db in
	run -5 fl-fetch store none.db
	[[ $output == *"cannot open 'none.db': No such file or directory"* ]]
}

@test "a store that is locked may be free later" {
	quote 1 | fl-load x.db
	mkfifo hold
	sqlite3 x.db <hold &
	exec 9>hold
	echo 'BEGIN IMMEDIATE;' >&9
	sleep 0.2
	run -3 fl-load x.db <<<"$(quote 2)"
	exec 9>&-
	wait
	[ "$output" = "fl-load: cannot write to 'x.db': locked by another process for 10 s" ] ||
		[ "${lines[0]}" = "fl-load: cannot write to 'x.db': locked by another process for 10 s" ]
	quote 2 | fl-load x.db
	[ "$(rows x.db)" = '1 2 ' ]
}

@test "many may make the same store at once" {
	quotes 1 20 >in
	for round in 1 2 3; do
		pids=()
		for _ in 1 2 3 4 5 6; do
			fl-load "new.$round.db" in &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid"; done
		[ "$(rows "new.$round.db" | wc -w)" = 20 ]
	done
}

# as_nobody COMMAND…: root may write everywhere
as_nobody() {
	if [ "$(id -u)" = 0 ]; then
		XDG_CONFIG_HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
	else
		"$@"
	fi
}

@test "a read-only store is read, and not written to" {
	# The folder of the test is closed to others.
	d=$(mktemp -d)
	quotes 1 3 | fl-load "$d/x.db"
	chmod 444 "$d/x.db"
	chmod 555 "$d"
	if as_nobody test -x "$(command -v fl-load)" && as_nobody test -r "$d/x.db"; then
		run -5 as_nobody fl-load "$d/x.db" <<<"$(quote 4)"
		[ "${lines[0]}" = "fl-load: cannot open '$d/x.db': the file or its folder is read-only" ]
		run -0 as_nobody fl-fetch store "$d/x.db"
		[ "${#lines[@]}" = 3 ]
		run -0 as_nobody fl-load --positions "$d/x.db"
	fi
	chmod 755 "$d"
	rm -r "$d"
}

@test "a full disk ends the run and leaves whole transactions" {
	mkdir disk
	quotes 1 59 >few
	{
		cat few
		for i in $(seq 3000); do
			echo '{"type":"instrument","ts":"2026-01-02T00:00:00.000Z","provider":"t","symbol":"S'"$i"'","name":"a name of some length, so that pages fill"}'
		done
	} >in
	# shellcheck disable=SC2016
	unshare -rm true 2>/dev/null || skip 'no user namespaces here'
	unshare -rm bash -c 'mount -t tmpfs -o size=500k none disk || exit 99
		fl-load -q disk/x.db few || exit 98
		fl-load -q --batch 500 disk/x.db in 2>err
		echo $? >status
		cp disk/x.db* .' || skip 'no tmpfs here'
	[ "$(cat status)" = 5 ]
	[ "$(cat err)" = "fl-load: cannot write to 'disk/x.db': no space left on device" ]
	[ "$(sqlite3 x.db 'PRAGMA integrity_check')" = ok ]
	[ "$(rows x.db | wc -w)" = 59 ]
	stored=$(sqlite3 x.db 'SELECT count(*) FROM instrument')
	[ "$stored" -lt 3000 ]
	[ $(((stored + 59) % 500)) = 0 ] || [ "$stored" = 0 ]
}

@test "a statement of many rows needs no journal of its own" {
	# SQLite would copy each page that a statement changes, if it might fail
	# half-way: days outer, symbols inner, so that each row is on another page.
	awk 'BEGIN { for (day = 0; day < 120; day++) for (s = 0; s < 200; s++) {
		date = sprintf("2026-%02d-%02d", 1 + day / 28, 1 + day % 28)
		printf "{\"type\":\"bar\",\"ts\":\"%sT00:00:00.000Z\",\"provider\":\"t\",\"symbol\":\"S%d\",", date, s
		printf "\"interval\":\"1d\",\"open\":10,\"high\":12,\"low\":9,\"close\":11,\"adj\":\"split\",\"date\":\"%s\"}\n", date
	} }' >bars
	strace -o /dev/null true 2>/dev/null || skip 'no strace here'
	LSAN_OPTIONS=detect_leaks=0 strace -f -e trace=openat -o calls fl-load -q x.db bars
	[ "$(sqlite3 x.db 'SELECT count(*) FROM bar')" = 24000 ]
	grep -q 'x\.db-wal' calls
	run ! grep etilqs calls # SQLite's temporary files
}

@test "SIGKILL around a commit leaves all of it or nothing" {
	{
		echo "$opening"
		quote 1
		mark null 1
		quote 2
		mark 1 2
		echo "$ending"
	} >in
	FL_CRASH_AT=before_commit:2 run fl-load --pipeline p --batch 1 x.db in
	[ "$status" != 0 ] || skip 'points of death are in test builds only'
	[ "$status" = 137 ]
	[ "$(rows x.db)$(position x.db)" = '1 o|1 ' ]
	FL_CRASH_AT=after_commit:2 run -137 fl-load --pipeline p --batch 1 y.db in
	[ "$(rows y.db)$(position y.db)" = '1 2 o|2 ' ]
}

# --- asked alone -------------------------------------------------------------

@test "--print-schema prints what a new store has" {
	fl-load --print-schema >schema
	fl-load --migrate x.db
	sqlite3 y.db <schema
	cmp <(sqlite3 x.db .schema) <(sqlite3 y.db .schema)
	quote 1 | fl-load y.db
	[ "$(rows y.db)" = '1 ' ]
	run -0 fl-load --print-schema x.db
	[ "$output" = "$(cat schema)" ]
	run -2 fl-load --print-schema lake
}

@test "views show times and numbers to people" {
	echo '{"type":"quote","ts":"1969-12-31T23:59:59.000000001Z","provider":"t","symbol":"A","price":0.25}' |
		fl-load x.db
	[ "$(sqlite3 x.db 'SELECT ts, typeof(price), price FROM quote_v')" = '1969-12-31T23:59:59.000000001Z|real|0.25' ]
	for type in $(sqlite3 x.db "SELECT name FROM sqlite_master WHERE type = 'view'"); do
		sqlite3 x.db "SELECT * FROM \"$type\""
	done
}

@test "what is asked alone goes alone" {
	run -2 fl-load --positions --migrate x.db
	run -2 fl-load --positions x.db in
	[[ $output == "fl-load: 'in': nothing is loaded together with --positions"* ]]
}

@test "the examples of the manual work as they stand" {
	page=$BATS_TEST_DIRNAME/../../man/fl-load.1
	awk '/^\.Sh / { on = $2 == "EXAMPLES" } !on { next }
		/^\.Bd / { block = 1; next } /^\.Ed/ { block = 0 }
		block { print } sub(/^\.Dl /, "") { print }' "$page" >examples
	[ "$(wc -l <examples)" -ge 10 ]
	command -v zstd >/dev/null || skip 'zstd is not installed'
	run -0 bash -e -o pipefail examples
	[[ $output == *'0 in = 0 stored '* ]]
	# --help shows the same kind of thing.
	fl-load --help | sed -n '3,/^usage/{/^  /p}' | grep -v 'prices.csv\|postgres:\|s3:' >shown
	fl-fetch sim -n 10 | zstd -q >ticks.ndjson.zst
	run -0 bash -e -o pipefail shown
}
