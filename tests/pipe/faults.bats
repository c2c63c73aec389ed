#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2317 # variables and functions that sweep uses
#
# Every call that can fail is failed in turn, the first, the second, … (see
# tests/helper/preload-fault.c). However it fails, a run ends with the status
# that says so and a message, crashes nowhere, leaves nothing half done, and
# never says that all is well when it is not.

load ../helper/common

# Each of the first calls, and of those after them a sample.
all_of=150
sample=40
if [ -n "${FL_LONG:-}" ]; then all_of=2000 sample=1000; fi
if [ "${FL_VARIANT:-}" = asan ]; then all_of=60 sample=20; fi

setup() {
	[ "${FL_VARIANT:-}" != tsan ] || skip "ThreadSanitizer wants to be the first to allocate"
	# Hundreds of databases are made: in memory, where that is a folder.
	place=$(mktemp -d -p /dev/shm fl-faults.XXXXXX 2>/dev/null) || place=$BATS_TEST_TMPDIR
	cd "$place" || return 1
	shim=${FL_BUILD:?}/helper/preload-fault.so
	[ -e "$shim" ] || fail "'$shim' is missing: make test-cmd builds it"
	export FL_FAULT_COUNT=$PWD/counts
	# Leaks are no fault of a run that has no memory left to end in order.
	export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0:detect_leaks=0:allocator_may_return_null=1
	fl-fetch sim -n 50 >ticks
	zstd -qk ticks
	gzip -k ticks
	{ head -n 20 ticks; echo '{"type":"quote"'; echo '{"price":NaN}'; tail -n 30 ticks; } >dirty
	{
		echo 'Date,Open,High,Low,Close,Volume'
		for d in 05 06 07 08 09; do echo "2026-01-$d,10,12,9.5,11,1000"; done
	} >a.csv
	# What is done before each run and looked at after it; see sweep.
	prepare() { :; }
	examine() { :; }
}

teardown() {
	[[ ${place:-} != /dev/shm/* ]] || rm -rf "$place"
}

# faulty FAULT COMMAND...: one run of it; its status in `got`.
faulty() {
	local fault=$1
	shift
	prepare
	got=0
	FL_FAULT=$fault LD_PRELOAD=$shim "$@" >out 2>err </dev/null || got=$?
}

wrong() {
	printf '%s\n' "$fault of '${command[*]}': status $got: $1" "standard error:" "$(<err)" >&2
	return 1
}

# sweep KIND HOW STATUS COMMAND...: fail each call of the kind in turn. A run in
# which one failed ends with STATUS (several: 3|5) and a message, or as the
# undisturbed one does, with the same output. from: the first call, else 1.
sweep() {
	# shellcheck disable=SC2094 # want is a variable as well
	local kind=$1 how=$2 status=$3 total k step fault want usual got here first
	shift 3
	local command=("$@")
	faulty none "${command[@]}"
	usual=$got
	mv out want
	IFS= read -rd '' want <./want || :
	faulty "$kind:0" "${command[@]}"
	read -r total _ < <(od -An -t u8 counts)
	first=${from:-1}
	step=$((total - first > all_of ? (total - first - all_of) / sample + 1 : 1))
	for ((k = first; k <= total; k += k - first < all_of ? 1 : step)); do
		fault=$kind:$k:$how
		faulty "$fault" "${command[@]}"
		IFS= read -rd '' here <out || :
		if [ "$got" = "$usual" ]; then
			[ "$here" = "$want" ] || wrong 'another output, and nobody is told' || return
		elif [[ $got != @($status) ]]; then
			wrong "not $status" || return
		elif [ ! -s err ] && [ "$got" != 139 ]; then
			wrong 'and no message' || return
		fi
		examine || wrong 'and something is left half done' || return
	done
	printf '%-8s %5d calls: %s\n' "$kind" "$total" "${command[*]}"
	[ "$total" -gt 0 ] || [ "$kind" = fsync ] || [ "$kind" = mmap ] || [ "$kind" = ftruncate ]
}

# same KIND HOW COMMAND...: all calls of the kind go wrong in a way that is no
# fault, and the output is as ever.
same() {
	local fault=$1:each:$2 command total failed got
	shift 2
	command=("$@")
	faulty none "${command[@]}"
	mv out want
	local usual=$got
	faulty "$fault" "${command[@]}"
	[ "$got" = "$usual" ] || wrong "instead of $usual" || return
	cmp want out || wrong 'another output' || return
	examine || wrong 'and something is left half done' || return
	read -r total failed < <(od -An -t u8 counts)
	[ "$failed" -gt 0 ] || wrong 'nothing happened' || return
}

# Each command as it is swept.
cleans=('fl-clean -j 1 dirty' 'fl-clean -j 2 dirty' 'fl-clean -j 1 ticks.zst' 'fl-clean ticks.gz')

# The rejects and the run record of a run are output as well.
with_rejects() {
	prepare() { rm -f bad; }
	examine() {
		# Whole lines, the first so many of them, and none missing where
		# all is said to be well.
		local lines=0
		[ ! -e bad ] || {
			lines=$(wc -l <bad)
			sed 's/"ts":"[^"]*"//' bad | cmp -s - <(head -n "$lines" all_bad) || return 1
		}
		[ "$got" -gt 1 ] || [ "$lines" = 2 ]
	}
	fl-clean -q --rejects bad dirty >out || [ $? = 1 ]
	sed 's/"ts":"[^"]*"//' bad >all_bad
	[ "$(wc -l <all_bad)" = 2 ]
}

# --- fl-clean ----------------------------------------------------------------

@test "fl-clean survives every failing read, write, open and close" {
	for command in "${cleans[@]}"; do
		# shellcheck disable=SC2086 # words
		{
			sweep read EIO 5 $command
			sweep write ENOSPC 5 $command
			sweep write EIO 5 $command
			sweep open EMFILE 5 $command
			sweep close EIO 5 $command
		}
	done
	sweep open EMFILE '2|5' fl-clean --where price=gt.1 --tz Europe/Berlin --as csv ticks
	sweep open EACCES '2|5' fl-clean ticks
}

@test "fl-clean survives every failing allocation" {
	for command in "${cleans[@]}"; do
		# AddressSanitizer itself dies where a thread begins.
		[ "${FL_VARIANT:-}" != asan ] || command+=' -j 1'
		# shellcheck disable=SC2086 # words
		sweep malloc ENOMEM 3 $command
	done
	sweep malloc ENOMEM 3 fl-clean -j 1 --canonical --as csv --tz Europe/Berlin dirty
	sweep malloc ENOMEM 3 fl-clean -j 1 --where 'price=gt.100' --symbol ZZZA,ZZZB --retry dirty
}

@test "fl-clean --jq survives every failing allocation" {
	! fl-clean --jq . </dev/null 2>&1 | grep -q 'not in this build' || skip "built without libjq"
	all_of=$((all_of / 5)) sample=$((sample / 2)) # each run compiles for long
	head -n 3 ticks >few
	program='.price += 1 | .x = {a: [.size]}'
	# While it compiles, libjq 1.6 takes what strdup() gives unseen, and dies
	# of it in places: loudly, at least, and before anything was read.
	sweep malloc ENOMEM '3|134|139' fl-clean -j 1 --jq "$program" few
	sweep malloc ENOMEM '2|3|134|139' fl-clean -j 1 --jq '.price +' few
	# Past that it must end in order.
	faulty malloc:0 fl-clean -j 1 --jq "$program"
	read -r from _ < <(od -An -t u8 counts)
	sweep malloc ENOMEM 3 fl-clean -j 1 --jq "$program" few
}

@test "fl-clean without threads says what to do" {
	sweep thread EAGAIN 3 fl-clean -j 2 dirty
	faulty thread:1:EAGAIN fl-clean -j 2 dirty
	[ "$got" = 3 ]
	[[ $(<err) == *'cannot start a thread; -j 1 needs none'* ]]
	# With fewer than asked for it goes on.
	faulty thread:2:EAGAIN fl-clean -j 3 dirty
	[ "$got" = 1 ]
}

@test "rejects and accounts are whole or told to be missing" {
	with_rejects
	sweep write ENOSPC 5 fl-clean -j 1 --rejects bad --runs runs dirty
	sweep open EMFILE 5 fl-clean -j 1 --rejects bad --runs runs dirty
	sweep close EIO 5 fl-clean -j 1 --rejects bad --runs runs dirty
	all_of=$((all_of / 3)) sample=$((sample / 2)) # most of them OpenSSL's
	sweep malloc ENOMEM 3 fl-clean -j 1 --rejects bad --runs runs dirty
	account_closes runs
	[ "$(jq -s 'map(.status) | unique | @text' -r runs)" = '[1,5]' ]
}

@test "short reads and writes and interrupted calls change nothing" {
	for command in "${cleans[@]}" 'fl-fetch sim -n 50' 'fl-fetch csv --symbol A a.csv'; do
		for kind in read write; do
			[ "$command $kind" != 'fl-fetch sim -n 50 read' ] || continue
			# shellcheck disable=SC2086 # words
			{
				same $kind short $command
				same $kind EINTR $command
			}
		done
	done
	same write short fl-clean -j 1 --rejects bad --runs runs dirty
	prepare() { rm -f x.db*; }
	examine() { [ "$(fl-fetch store x.db | sort)" = "$(sort ticks)" ]; }
	for kind in read write; do
		same $kind short fl-load x.db ticks
		same $kind EINTR fl-load x.db ticks
	done
}

# --- fl-fetch ----------------------------------------------------------------

@test "fl-fetch sim survives every fault" {
	sweep write ENOSPC 5 fl-fetch sim -n 50
	sweep open EMFILE 5 fl-fetch sim -n 50
	sweep close EIO 5 fl-fetch sim -n 50
	sweep malloc ENOMEM 3 fl-fetch sim -n 50
	sweep malloc ENOMEM 3 fl-fetch sim -n 50 --duplicates 0.1 --bad 0.1 --disorder 2s --as csv
}

@test "fl-fetch csv survives every fault" {
	sweep read EIO 5 fl-fetch csv --symbol A a.csv
	sweep write ENOSPC 5 fl-fetch csv --symbol A a.csv
	sweep open EMFILE 5 fl-fetch csv --symbol A a.csv
	sweep close EIO 5 fl-fetch csv --symbol A a.csv
	sweep malloc ENOMEM 3 fl-fetch csv --symbol A --tz America/New_York a.csv
}

@test "fl-fetch store survives every fault" {
	fl-load x.db ticks
	sweep read EIO 5 fl-fetch store x.db
	sweep write ENOSPC 5 fl-fetch store x.db
	sweep open EMFILE '4|5' fl-fetch store x.db
	sweep close EIO 5 fl-fetch store x.db
	sweep mmap ENOMEM '3|5' fl-fetch store x.db
	sweep malloc ENOMEM 3 fl-fetch store x.db
}

# --- fl-load -----------------------------------------------------------------

# whole_batches: the database opens, is sound, and holds batches of 10 records;
# all of them where the run was good.
whole_batches() {
	local sound rows
	[ -e x.db ] || return "$((got == 0))"
	{
		read -r sound
		read -r rows
	} < <(sqlite3 x.db 'PRAGMA integrity_check' 'SELECT count(*) FROM quote' 2>sqlite.err)
	[ "$sound" = ok ] || return 1
	# No table yet, or the rows of whole batches.
	[[ ${rows:=0} == @(0|10|20|30|40|50) ]] || return 1
	[ "$got" != 0 ] || [ "$rows" = 50 ]
}

loads() {
	prepare() { rm -f x.db*; }
	examine() { whole_batches; }
}

@test "fl-load survives every failing read, write and fsync" {
	loads
	sweep read EIO 5 fl-load --batch 10 x.db ticks
	sweep write ENOSPC 5 fl-load --batch 10 x.db ticks
	sweep fsync EIO 5 fl-load --batch 10 x.db ticks
	sweep ftruncate EIO 5 fl-load --batch 10 x.db ticks
	sweep mmap ENOMEM '3|5' fl-load --batch 10 x.db ticks
	sweep open EMFILE '4|5' fl-load --batch 10 x.db ticks
	sweep close EIO 5 fl-load --batch 10 x.db ticks
	all_of=$((all_of / 5))
	sweep write EIO 5 fl-load --batch 10 x.db ticks
}

@test "fl-load survives every failing allocation" {
	loads
	sweep malloc ENOMEM 3 fl-load --batch 10 x.db ticks
}

# whole_lake: what can be read of it is batches of 10 records, all of them where
# the run was good; where it was not, the same again makes it whole.
whole_lake() {
	local rows=0
	[ ! -e lake/_commit/_format ] || rows=$(fl-fetch store lake/ | wc -l) || return 1
	[[ $rows == @(0|10|20|30|40|50) ]] || return 1
	[ "$got" = 0 ] || fl-load -q --batch 10 lake/ ticks || return 1
	fl-fetch store lake/ | cmp -s - <(sort ticks)
}

@test "fl-load into a lake survives every fault" {
	prepare() { rm -rf lake; }
	examine() { whole_lake; }
	all_of=$((all_of / 2))
	sweep read EIO 5 fl-load --batch 10 lake/ ticks
	sweep write ENOSPC 5 fl-load --batch 10 lake/ ticks
	sweep fsync EIO 5 fl-load --batch 10 lake/ ticks
	sweep rename EIO 5 fl-load --batch 10 lake/ ticks
	sweep open EMFILE 5 fl-load --batch 10 lake/ ticks
	sweep close EIO 5 fl-load --batch 10 lake/ ticks
	sweep malloc ENOMEM 3 fl-load --batch 10 lake/ ticks
}

# as_positioned: the lake holds the records up to its position, and the stream,
# where it was cut short, goes on from there.
as_positioned() {
	local rows=0 pos
	[ ! -e lake/_commit/_format ] || rows=$(fl-fetch store lake/ | wc -l) || return 1
	pos=$(fl-load --positions lake/ | jq -r '.at[][0]')
	[ "${pos:-0}" = "$rows" ] || return 1
	[ "$got" != 0 ] || [ "$rows" = 50 ]
}

@test "rows and position of a lake never disagree, whatever fails" {
	prepare() { rm -rf lake; }
	examine() { as_positioned; }
	all_of=$((all_of / 2))
	fl-fetch sim -n 50 --resume lake/ --pipeline p --marks 10,1s >stream
	sweep write ENOSPC 5 fl-load --batch 10 --pipeline p lake/ stream
	sweep fsync EIO 5 fl-load --batch 10 --pipeline p lake/ stream
	sweep rename EIO 5 fl-load --batch 10 --pipeline p lake/ stream
	sweep open EMFILE 5 fl-load --batch 10 --pipeline p lake/ stream
	sweep close EIO 5 fl-load --batch 10 --pipeline p lake/ stream
	sweep malloc ENOMEM 3 fl-load --batch 10 --pipeline p lake/ stream
}

@test "fl-fetch from a lake survives every fault" {
	fl-load --batch 10 lake/ ticks
	sweep read EIO 5 fl-fetch store lake/
	sweep write ENOSPC 5 fl-fetch store lake/
	sweep open EMFILE 5 fl-fetch store lake/
	sweep close EIO 5 fl-fetch store lake/
	sweep malloc ENOMEM 3 fl-fetch store lake/
}

@test "what a fault has cut short, the next run completes" {
	loads
	local kind part fault total command=(fl-load --batch 10 x.db ticks)
	for kind in read write fsync malloc; do
		faulty $kind:0 "${command[@]}"
		read -r total _ < <(od -An -t u8 counts)
		fault=$kind:$((total / 2)):EIO
		[ $kind != malloc ] || fault=${fault%:*}:ENOMEM
		faulty "$fault" "${command[@]}"
		fl-load -q x.db ticks
		fl-fetch store x.db | sort | cmp - <(sort ticks) || wrong 'and rows are missing'
	done
}
