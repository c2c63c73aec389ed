#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # words of pipelines; run sets output, lines and stderr
# scripts/deploy/flow: one pipeline under supervision; and what is installed of it.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	flow=$top/scripts/deploy/flow
	started=()
}

teardown() {
	[ ${#started[@]} = 0 ] || kill -KILL "${started[@]}" 2>/dev/null || :
}

# pipeline: p.flow is what comes on standard input. What stands in for a command
# reads to its end, so that none is cut off by accident.
pipeline() { cat - >p.flow; }
# supervised STATUS [OPTION...]: flow ends with it; pauses are short.
supervised() {
	run "-$1" --separate-stderr "$flow" --max-wait 20ms "${@:2}" p.flow
}
# count WORDS: the lines on standard error that have them.
count() { grep -cF -e "$1" <<<"$stderr" || :; }

# begin: flow in the background, as the shell of a person starts it.
begin() {
	env --default-signal=INT "$flow" --max-wait 20ms p.flow >out 2>err 3>&- &
	pid=$!
	started+=("$pid")
}
# until_there FILE: it has something in it.
until_there() {
	local at
	for ((at = 0; at < 100; at++)); do
		[ ! -s "$1" ] || return 0
		sleep 0.1
	done
	fail "no '$1': $(cat err)"
}
# ended STATUS: of what was begun.
ended() {
	local got=0
	wait "$pid" || got=$?
	[ "$got" = "$1" ] || fail "status $got instead of $1: $(cat err)"
}
# gone PID: it does not run any more, at the latest after three seconds.
gone() {
	local at
	for ((at = 0; at < 30; at++)); do
		[[ $(cat "/proc/$1/stat" 2>/dev/null) == *') '[^ZX]* ]] || return 0
		sleep 0.1
	done
	fail "process $1 still runs"
}

# --- how it is called --------------------------------------------------------

@test "--help tells the options, misuse is one line" {
	run -0 --separate-stderr "$flow" --help
	[[ ${lines[0]} == 'usage: flow '* ]]
	[ -z "$stderr" ]
	run -2 --separate-stderr "$flow" --bogus
	[ "$stderr" = "flow: unknown option '--bogus'; try 'flow --help'" ]
	run -2 --separate-stderr "$flow"
	[ "$stderr" = "flow: one file is wanted; try 'flow --help'" ]
	for wait in 5 5M '' -1s 1s1s; do
		run -2 "$flow" --max-wait "$wait" p.flow
	done
	run -2 "$flow" --tries 0 p.flow
	run -5 --separate-stderr "$flow" nowhere.flow
	[ "$stderr" = "flow: cannot read 'nowhere.flow'" ]
}

@test "--check finds a mistake of syntax and runs nothing, and no more is run with one" {
	pipeline <<<'echo ran >>ran | cat'
	run -0 "$flow" --check p.flow
	pipeline <<<$'echo ran >>ran\ntrue | | cat'
	run -2 --separate-stderr "$flow" --check p.flow
	[[ $stderr == *'p.flow: line 2: syntax error'* ]]
	supervised 2
	[ "$(count ' starts')" = 1 ]
	[ ! -e ran ]
}

# --- what the statuses decide ------------------------------------------------

@test "all 0: it has ended well, and one line each tells of start and end" {
	pipeline <<<'echo 1 | cat | cat'
	supervised 0
	[ "$output" = 1 ]
	[ "$stderr" = $'flow: \'p.flow\': starts\nflow: \'p.flow\': ended well' ]
	supervised 0 -q
	[ -z "$stderr" ]
}

@test "some records rejected is a good end with 1" {
	pipeline <<<'true | (cat; exit 1) | cat'
	supervised 1
	[[ $stderr == *'ended well, command 2 of 3 rejected some records (0 1 0)' ]]
	[ "$(count ' starts')" = 1 ]
}

@test "a 2, 4, 5 or 6 of any command stops it, also beside a 3, a 1 and a kill" {
	for status in 2 4 5 6; do
		for stages in "(exit $status) | (cat; exit 3)" "(exit 3) | (cat; exit $status)" \
			"(exit 3) | (cat; exit $status) | (cat; exit 1)" "(exit $status) | (kill -9 \$BASHPID)"; do
			pipeline <<<"$stages"
			supervised $status
			[ "$(count ' starts')" = 1 ]
			[[ $stderr =~ "command "[12]" of "[23]" ended with $status, "[a-z].*"starting it again would not help" ]]
		done
	done
	# Of several the first holds: what is behind it may come of it.
	pipeline <<<'(exit 4) | (cat; exit 2)'
	supervised 4
}

@test "a command that is not there, and a status of nobody's, stop it" {
	pipeline <<<'no-such-command | cat'
	supervised 127
	[[ $stderr == *'command 1 of 2 ended with 127, no such command'* ]]
	pipeline <<<'true | (cat; exit 42)'
	supervised 42
	[[ $stderr == *'command 2 of 2 ended with 42, which is no status of ours'* ]]
}

@test "a 3 is tried again until it ends well" {
	pipeline <<'END'
echo >>tries
if [ $(wc -l <tries) = 4 ]; then true; else (exit 3); fi | cat
END
	supervised 0
	[ "$(wc -l <tries)" = 4 ]
	[ "$(count 'command 1 of 2 ended with 3, not available now (3 0); starts again in 0.0')" = 3 ]
	[ "$(count 'starts, try 4')" = 1 ]
}

@test "a command that was killed is tried again, with those that it cut off" {
	pipeline <<'END'
yes | (cat; exit 3) | if mkdir once; then kill -9 $BASHPID; else head -n 1; fi
END
	supervised 3 --once
	[ "$(count 'command 3 of 3 was ended by SIGKILL (141 3 137); starting it again may help')" = 1 ]
	pipeline <<'END'
yes | cat | if mkdir twice; then kill -9 $BASHPID; else head -n 1; fi
END
	supervised 0
	[ "$(count 'command 3 of 3 was ended by SIGKILL (141 141 137); starts again')" = 1 ]
	[ "$output" = y ]
}

@test "a 3 with 141 before it is a 3" {
	pipeline <<<'yes | cat | (exit 3)'
	supervised 3 --tries 2
	[ "$(count 'command 3 of 3 ended with 3, not available now (141 141 3)')" = 2 ]
}

@test "a reader that has enough is a good end, and one that we lost is the end" {
	pipeline <<<'yes | cat | head -n 1'
	supervised 0
	[[ $stderr == *'ended well' ]]
	pipeline <<<'yes | cat'
	run -0 bash -c '"$1" p.flow 2>err | head -n 1; [ ${PIPESTATUS[0]} = 141 ]' - "$flow"
	[[ $(tail -n 1 err) == *"nobody reads its output"* ]]
}

@test "--once runs once, --tries N as often in a row, then the status is 3" {
	pipeline <<<'echo >>tries; (exit 3) | cat'
	supervised 3 --once
	[ "$(wc -l <tries)" = 1 ]
	supervised 3 --tries 3
	[ "$(wc -l <tries)" = 4 ]
	[[ $stderr == *'after 3 tries; starting it again may help' ]]
	pipeline <<<'(kill -9 $BASHPID) | cat'
	supervised 3 --once
}

# pauses: of the last run, in seconds.
pauses() { sed -n 's/.*again in \([0-9.]*\) s$/\1/p' <<<"$stderr"; }

@test "pauses grow twice as long, up to a limit, and differ" {
	pipeline <<<'(exit 3) | cat'
	run -3 --separate-stderr "$flow" --tries 3 p.flow
	[ "$(pauses | wc -l)" = 2 ]
	pauses | awk '$1 < 0.5 * NR || $1 > NR { exit 1 }' || fail "$(pauses)"
	run -3 --separate-stderr "$flow" --tries 8 --max-wait 100ms p.flow
	[ "$(pauses | wc -l)" = 7 ]
	pauses | awk '$1 < 0.05 || $1 > 0.1 { exit 1 }' || fail "$(pauses)"
	[ "$(pauses | sort -u | wc -l)" -ge 2 ]
}

@test "after a long run pauses and tries begin anew, but not with --once" {
	pipeline <<'END'
echo >>tries; sleep 0.3
if [ $(wc -l <tries) = 4 ]; then true; else (exit 3); fi | cat
END
	run -0 "$flow" --max-wait 10ms --steady 200ms --tries 2 p.flow
	[ "$(wc -l <tries)" = 4 ]
	rm tries
	run -3 "$flow" --steady 200ms --once p.flow
	[ "$(wc -l <tries)" = 1 ]
}

# --- the file ----------------------------------------------------------------

@test "all statuses are seen whatever stands around the pipeline" {
	seen() {
		pipeline
		supervised 4
		[[ $stderr == *'command 1 of 3 ended with 4, '*' (4 0 3);'* ]] || fail "$(cat p.flow): $stderr"
	}
	first='(exit 4) | cat | (cat; exit 3)'
	echo 'Y=1' >settings
	seen <<<"$first"
	seen <<<"$first # comment"
	seen <<<$'# head\nX=1\n\nf() { cat; }\nfalse | false\n(exit 4) |\n\tf |\n\t(cat; exit 3)\n# tail\n'
	seen <<<"true && $first"
	seen <<<"if true; then $first; fi"
	seen <<<"for x in 1 2; do $first; done"
	seen <<<"{ $first; }"
	seen <<<"$first; exit"
	seen <<<"set -euo pipefail; $first; echo never"
	seen <<<"$first; return"
	seen <<<"trap 'echo mine' EXIT; $first"
	seen <<<". ./settings; $first"
	seen <<<"shopt -s extglob"$'\n'"case x in !(y)) $first ;; esac"
}

@test "where the file ends with a status of its own, that one holds" {
	pipeline <<<'(exit 4) | cat || exit 5'
	supervised 5
	[[ $stderr == *'it ended with 5, '* ]]
	pipeline <<<'! (exit 4) | cat'
	supervised 0
	pipeline <<<$'(exit 4) | cat\nexit 0'
	supervised 0
	pipeline <<<'exec bash -c "exit 6"'
	supervised 6
	pipeline <<<'f() { (exit 4) | (cat; exit 6); }; f'
	supervised 6
	pipeline <<<'kill -9 $$'
	supervised 3 --once
	[[ $stderr == *'it was ended by SIGKILL;'* ]]
}

@test "the file is read anew at each start" {
	pipeline <<'END'
echo 'echo new | cat' >p.new; mv p.new p.flow
(exit 3) | cat
END
	supervised 0
	[ "$output" = new ]
}

@test "environment, folder and both outputs are the pipeline's, standard input is empty" {
	pipeline <<<'cat; echo "$SECRET $PWD $#" | cat; echo words >&2'
	SECRET=s3cret run -0 --separate-stderr "$flow" -q p.flow <<<'not for it'
	[ "$output" = "s3cret $PWD 0" ]
	[ "$stderr" = words ]
}

@test "no trace is written of a pipeline, which may hold secrets" {
	pipeline <<<'KEY=s3cret; echo "$KEY" | cat >/dev/null'
	run -0 --separate-stderr env SHELLOPTS=xtrace "$flow" p.flow
	[[ $stderr != *s3cret* ]]
}

@test "commands do not inherit that signals are ignored" {
	pipeline <<<'grep SigIgn /proc/self/status | cat'
	run -0 --separate-stderr env --ignore-signal=PIPE "$flow" p.flow
	[[ $output == *[02468ace]??? ]] || fail "$output" # SIGPIPE is the lowest of four
}

# --- signals -----------------------------------------------------------------

@test "SIGTERM and SIGINT end the source, and the rest reads to the end" {
	for signal in TERM INT; do
		rm -f in out.txt
		# Filters that know nothing of signals, and take longer than the source.
		pipeline <<'END'
{ seq 100; echo >in; while sleep 0.1; do echo more; done; } |
	(while read -r line; do echo "$line"; done; sleep 0.5; echo last) | cat >out.txt
END
		begin
		until_there in
		kill -s $signal "$pid"
		ended 0
		[ "$(tail -n 1 out.txt)" = last ]
		[ "$(grep -c '^[0-9]' out.txt)" = 100 ]
		grep -q "ended well, stopped by SIG$signal" err
	done
}

@test "a stop hides nothing that was wrong for other reasons" {
	for status in 1 2 5; do
		rm -f in
		pipeline <<<"(echo >in; exec sleep 30) | (cat; exit $status)"
		begin
		until_there in
		kill "$pid"
		ended $status
	done
	rm in
	pipeline <<<'(echo >in; exec sleep 30) | (cat; exit 3)'
	begin
	until_there in
	kill "$pid"
	ended 143
	[[ $(tail -n 1 err) == *'stopped by SIGTERM; command 2 of 2 ended with 3'* ]]
}

@test "a second signal kills, one that comes at once with the first does not" {
	pipeline <<<'(echo >in; exec sleep 30) | (cat; trap "" TERM; echo $BASHPID >slow; sleep 30; echo never >&2)'
	begin
	until_there in
	kill "$pid" && kill "$pid"
	until_there slow
	sleep 0.5
	kill -0 "$pid"
	kill "$pid"
	ended 143
	gone "$(<slow)"
	run ! grep -e never -e Killed err
}

@test "a stop while it waits to start again is one at once" {
	pipeline <<<'(exit 3) | cat'
	"$flow" p.flow 2>err 3>&- &
	pid=$!
	started+=("$pid")
	until [ "$(grep -c 'starts again' err)" = 2 ]; do sleep 0.05; done
	before=$EPOCHREALTIME
	kill "$pid"
	ended 143
	awk -v a="$before" -v b="$EPOCHREALTIME" 'BEGIN { exit b - a > 0.4 }'
	[[ $(tail -n 1 err) == *'stopped by SIGTERM, while it waited' ]]
}

@test "commands before the pipeline are stopped, and nothing begins after" {
	pipeline <<<$'echo >in; sleep 30\necho begun >begun | cat'
	begin
	until_there in
	kill "$pid"
	ended 0
	[ ! -e begun ]
}

@test "a source that will not hear of it loses its readers after ten seconds" {
	[ -z "${FL_FAST:-}" ] || skip 'takes ten seconds'
	pipeline <<<'(trap "" TERM; echo >in; while sleep 0.1; do echo x; done) | cat >/dev/null'
	begin
	until_there in
	kill "$pid"
	ended 0
}

@test "killed itself it leaves nothing running, and nobody begins before" {
	pipeline <<<'(echo $BASHPID >in; exec sleep 30) | (cat; sleep 1; echo end >end)'
	begin
	until_there in
	kill -KILL "$pid"
	gone "$(<in)"
	run -3 "$flow" p.flow
	until_there end
	sleep 0.5
	pipeline <<<'true | true'
	supervised 0
}

# --- one at a time -----------------------------------------------------------

@test "a file runs once at a time, and the second one is told by whom" {
	pipeline <<<'(echo >in; exec sleep 30) | cat'
	begin
	until_there in
	said="runs already: process $pid"
	run -3 "$flow" p.flow
	[ "$output" = "flow: 'p.flow' $said" ]
	ln -s p.flow link
	run -3 "$flow" link
	[ "$output" = "flow: 'link' $said" ]
	# As somebody else, with a state folder of his own.
	FL_STATE_DIR=$PWD/other run -3 "$flow" p.flow
	[ "$output" = "flow: 'p.flow' $said" ]
	# An editor puts a new file in its place.
	sed 's/30/0/' p.flow >new
	cp new q.flow
	mv new p.flow
	run -3 "$flow" p.flow
	[ "$output" = "flow: 'p.flow' $said" ]
	run -0 "$flow" q.flow
	kill "$pid"
	ended 0
	supervised 0
}

@test "what a run has left behind may end, and has ended before the next one" {
	pipeline <<<'echo text | tee >(cat >/dev/null; sleep 0.5; echo all >finished) | cat'
	supervised 0
	[ -s finished ]
	pipeline <<<'sleep 60 & echo $! >>left; (exit 3) | cat'
	supervised 3 --once
	gone "$(<left)"
}

# --- in earnest --------------------------------------------------------------

@test "a pipeline whose fl-load is killed has all records in the end, none twice" {
	# The first time it waits half way, where its end is what it gets.
	pipeline <<'END'
export FL_STATS=none
if mkdir killed 2>/dev/null; then
	wait='NR == 20000 { fflush(); system("sleep 2") }'
	load() { sh -c 'sleep 1; kill -9 $PPID' & exec fl-load "$@"; }
else
	fl-fetch store x.db | wc -l >middle
	wait=''
	load() { fl-load "$@"; }
fi
fl-fetch sim -n 50000 --resume x.db --pipeline p | awk "{ print } $wait" | fl-clean |
	load --batch 5000,1s --pipeline p x.db
END
	supervised 0
	[ "$(count 'command 4 of 4 was ended by SIGKILL')" = 1 ]
	[ "$(count 'starts, try 2')" = 1 ]
	[ "$(<middle)" -gt 0 ]
	[ "$(<middle)" -lt 50000 ]
	[ "$(fl-fetch store x.db | wc -l)" = 50000 ]
	fl-fetch store x.db | sort >got
	fl-fetch sim -n 50000 | fl-clean | sort | cmp - got
}

@test "a live pipeline that is stopped has stored all that it read, and goes on from there" {
	pipeline <<'END'
export FL_STORE=$PWD/x.db
fl-fetch sim --speed 20 --resume "$FL_STORE" --pipeline p | tee -a read |
	fl-clean | fl-load --batch 100,1s --pipeline p "$FL_STORE"
END
	begin
	until_there x.db
	sleep 1.5
	kill "$pid"
	ended 0
	read=$(grep -vc '"type":"mark"' read)
	[ "$read" -gt 10 ]
	[ "$(fl-fetch store x.db | wc -l)" = "$read" ]
	begin
	sleep 1.5
	kill "$pid"
	ended 0
	[ "$(fl-fetch store x.db | wc -l)" -gt "$read" ]
}

# --- what is installed -------------------------------------------------------

# make_it ARG...: as from a shell, and not from the make that runs the tests.
make_it() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$top" "$@" >make.log 2>&1 || fail "$(cat make.log)"
}

@test "flow and the unit are installed under PREFIX and know it" {
	[ "${FL_VARIANT:-release}" = release ] || skip 'the release build is what is installed'
	make_it install DESTDIR="$PWD/root" PREFIX=/opt/fl
	[ -x root/opt/fl/lib/financelake/flow ]
	unit=root/opt/fl/lib/systemd/system/financelake@.service
	grep -qx 'ExecStart=/opt/fl/lib/financelake/flow /etc/financelake/flows/%i.flow' "$unit"
	run ! grep @PREFIX@ "$unit"
	# The commands beside it are found where PATH does not have them.
	pipeline <<<'fl-fetch sim -n 3 | fl-clean'
	PATH=/usr/bin:/bin run -0 --separate-stderr root/opt/fl/lib/financelake/flow p.flow
	[ "${#lines[@]}" = 3 ]
	make_it uninstall DESTDIR="$PWD/root" PREFIX=/opt/fl
	[ -z "$(find root -type f)" ]
	[ ! -e root/opt/fl/lib/financelake ]
}

@test "systemd finds no fault with the unit" {
	command -v systemd-analyze >/dev/null || skip 'systemd-analyze is not installed'
	mkdir -p usr/lib/financelake
	cp "$flow" usr/lib/financelake/flow
	sed "s,@PREFIX@,$PWD/usr," "$top/scripts/deploy/financelake@.service" >financelake@etl.service
	run -0 systemd-analyze verify --man=no "$PWD/financelake@etl.service"
	[ -z "$output" ]
}
