#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# Who listens to PostgreSQL is told of each commit.

load ../helper/common
load ../helper/postgres

setup_file() { begin_postgres; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
	fl-load --migrate "$place"
	mkfifo asks
	psql -qAtX "$place" <asks >heard 3>&- &
	exec 4>asks
	echo 'LISTEN fl; SELECT 1;' >&4
	until grep -q 1 heard; do sleep 0.02; done
}
teardown() { exec 4>&-; }

# heard: the payloads that have come, each on a line.
heard() {
	echo "SELECT 'end$((++ends))';" >&4
	until grep -qx "end$ends" heard; do sleep 0.02; done
	sed -n 's/^Asynchronous notification "fl" with payload "\(.*\)" received.*/\1/p' heard
}

quote() {
	printf '{"type":"quote","ts":"2026-01-02T16:00:%02d.000Z","provider":"t","symbol":"ZZZT","price":%s,"seq":%d}\n' "$1" "${2:-5}" "$1"
}
marked() {
	local from=$1 to=$2
	shift 2
	echo '{"type":"mark","pipeline":"p","at":{},"open":true,"via":["t"]}'
	[ $# = 0 ] || printf '%s\n' "$@"
	echo '{"type":"mark","pipeline":"p","at":{"o":['"$from,$to"']},"end":true}'
}

@test "each commit says of which types it has brought how many rows" {
	{ quote 1; quote 2; quote 2 6; } | fl-load "$place"
	[ "$(heard)" = '{"types":{"quote":2}}' ]
	marked null '"5"' "$(quote 3)" '{"type":"quote","ts":"2026-01-02","price":1}' | fl-load --pipeline p "$place" || [ $? = 1 ]
	[ "$(heard | tail -n 1)" = '{"pipeline":"p","types":{"quote":1,"reject":1}}' ]
	for i in 4 5 6 7; do quote $i; done | fl-load --batch 2,10s "$place"
	[ "$(heard | tail -n 2)" = $'{"types":{"quote":2}}\n{"types":{"quote":2}}' ]
}

@test "what brings no rows, or fails, says nothing" {
	fl-load "$place" /dev/null
	marked null '"5"' | fl-load --pipeline p "$place"
	[[ $(fl-load --positions "$place") == *'"5"'* ]]
	run -3 fl-load --pipeline p "$place" < <(marked '"4"' '"6"' "$(quote 2)")
	fl-fetch store "$place"
	[ -z "$(heard)" ]
}

@test "a payload that would be too long is *" {
	# A name of 1,200 bytes, each of which takes six in JSON.
	pipeline=$(head -c 1200 /dev/zero | tr '\0' '\1')
	marked null '"5"' "$(quote 1)" | sed "s/\"p\"/\"${pipeline//?/\\\\u0001}\"/" |
		fl-load --pipeline "$pipeline" "$place"
	[ "$(heard)" = '*' ]
}

@test "fl.notify=off in the place says nothing" {
	quote 1 | fl-load "$place?options=-cfl.notify%3Doff"
	[ -z "$(heard)" ]
}
