#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154,SC2317 # scripts in quotes; bats sets and calls
#
# What all commands have in common: help, settings, statuses, accounts, signals.
# fl-clean stands for all where one command is enough.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -p "$XDG_CONFIG_HOME/financelake"
	config=$XDG_CONFIG_HOME/financelake/config
}

# each FUNCTION: calls it with every command's name.
each() {
	local path
	for path in "${FL_BIN:?}"/fl-*; do
		echo "of ${path##*/}:" # shown when it fails
		"$1" "${path##*/}"
	done
}

# The words after "sources: " or its like, which lie over "(… --help: …)".
subcommands() {
	"$1" --help | sed -nE 's/^(sources|verbs|words): ([a-z ]*)( \(.*|$)/\2/p'
}

# quote SECOND [PRICE]
quote() {
	printf '{"type":"quote","ts":"2026-01-02T15:%02d:%02d.000Z","provider":"t","symbol":"A","price":%s}\n' \
		$(($1 / 60)) $(($1 % 60)) "${2:-1}"
}

quotes() {
	local i
	for ((i = $1; i <= $2; i++)); do quote "$i"; done
}

# --- what a command says of itself -------------------------------------------

@test "every command answers --help" {
	each fl_help_ok
}

@test "every command answers --version" {
	each fl_version_ok
}

@test "no command loads at its start what only some of its uses need" {
	[ "${FL_VARIANT:-release}" = release ] || skip 'of what is installed'
	# Those that talk to others load libcurl, libpq and libmariadb when they do.
	declare -A more=([fl-agg]='' [fl-clean]='jq' [fl-consume]='rdkafka' [fl-fetch]='csv expat sqlite3 wslay'
		[fl-load]='expat sqlite3' [fl-produce]='expat rdkafka sqlite3')
	loads() {
		local lib
		[ -n "${more[$1]+is}" ] || fail "$1 has no list here"
		for lib in $(readelf -d "$FL_BIN/$1" | sed -n 's/.*(NEEDED).*\[lib\([a-z0-9]*\)\.so.*/\1/p'); do
			[[ " c m yyjson zstd z crypto ${more[$1]} " == *" $lib "* ]] || fail "$1 loads lib$lib"
		done
	}
	each loads
}

@test "every command answers a wrong option in one line" {
	each fl_misuse_ok
}

@test "every source and verb has a help of its own" {
	sub_help() {
		local sub
		for sub in $(subcommands "$1"); do
			fl_help_ok "$1" "$sub"
			run -0 "$1" "$sub" --help
			[[ $output == *"options of $sub:"* || $output == *$'\noptions:\n'* ]]
			fl_misuse_ok "$1" "$sub"
		done
	}
	each sub_help
	[ "$(subcommands fl-fetch | wc -w)" -ge 3 ]
}

@test "an option of a source that is given elsewhere is pointed to" {
	run -2 fl-fetch --seed 3 sim
	[ "$output" = "fl-fetch: unknown option '--seed': it goes behind: fl-fetch sim --seed" ]
	run -2 fl-fetch csv --seed 3 x.csv
	[ "$output" = "fl-fetch: unknown option '--seed': fl-fetch sim has it, csv has not" ]
}

@test "every command gives its options as a part of a manual page" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	manual() {
		{
			printf '.Dd January 1, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Sh OPTIONS\n'
			"$1" --help-man
		} >page.1
		run -0 mandoc -T lint -W warning page.1
		options() { sed -nE 's/^ +(-[A-Za-z0-9], ?)?(--[a-z][a-z0-9-]*).*/\2/p' | LC_ALL=C sort -u; }
		run -0 comm -23 <("$1" --help | options) <(mandoc -T ascii page.1 | sed 's/.\x08//g' | options)
		[ -z "$output" ] || fail "not in the manual: $output"
	}
	each manual
}

# completed COMMAND WORD...: what bash offers for the last word.
completed() {
	local command=$1
	compopt() { :; }
	# shellcheck disable=SC1090
	. <("$command" --help-completion bash)
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	"_${command//-/_}"
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "every command gives a completion that bash can read" {
	bash_completion() {
		"$1" --help-completion bash >script
		run -0 bash -n script
		run -0 completed "$1" --vers
		[ "$output" = --version ]
		run -0 completed "$1" --stats = j
		[ "$output" = json ]
		run -0 completed "$1" --stats ''
		[ "$output" = $'auto\ntext\njson\nnone' ]
	}
	each bash_completion
}

@test "every command gives a completion that zsh can read" {
	command -v zsh >/dev/null || skip 'zsh is not installed'
	zsh_completion() {
		"$1" --help-completion zsh >script
		run -0 zsh -n script
	}
	each zsh_completion
}

@test "completion knows sources, their options, lists and files" {
	run -0 completed fl-fetch s
	[[ $output == *sim* && $output == *store* && $output != *csv* ]]
	run -0 completed fl-fetch sim --se
	[ "$output" = --seed= ]
	run -0 completed fl-fetch --se
	[ -z "$output" ]
	run -0 completed fl-fetch --tz UTC si
	[ "$output" = sim ]
	run -0 completed fl-clean --type bar,quo
	[ "$output" = bar,quote ]
	touch data.ndjson
	run -0 completed fl-clean da
	[ "$output" = data.ndjson ]
	run -0 completed fl-clean --rejects da
	[ "$output" = data.ndjson ]
	run -2 fl-clean --help-completion csh
}

# --- settings ----------------------------------------------------------------

@test "an option goes before FL_NAME, that before the config file" {
	echo 'max-rejects = 3' >"$config"
	run -0 fl-clean --show-config
	[[ $output == *$'\n'"max-rejects = 3 "*" # '$config' line 1"$'\n'* ]]
	FL_MAX_REJECTS=4 run -0 fl-clean --show-config
	[[ $output == *$'\n'"max-rejects = 4 "*' # FL_MAX_REJECTS'$'\n'* ]]
	FL_MAX_REJECTS=4 run -0 fl-clean --show-config --max-rejects 5
	[[ $output == *$'\n'"max-rejects = 5 "*' # option'$'\n'* ]]
	run -0 fl-clean --show-config --config /dev/null
	[[ $output == *$'\n'"# max-rejects = "*' # not set'$'\n'* ]]
}

@test "without XDG_CONFIG_HOME the config file is that of the home" {
	mkdir -p .config/financelake
	echo 'dedup = 3m' >.config/financelake/config
	run -0 env -u XDG_CONFIG_HOME HOME="$PWD" fl-clean --show-config
	[[ $output == *$'\n'"dedup = 3m "* ]]
}

@test "settings hold: a limit in the config file ends the run" {
	printf '[fl-clean]\nmax-rejects = 1\n[fl-load]\nbatch = 5,1s\n' >"$config"
	printf 'bad\n%s\nbad\n' "$(quote 1)" >in
	run -6 fl-clean in
	run -0 fl-clean in --max-rejects 2
}

@test "one config file serves all commands" {
	cat >"$config" <<-E
		batch = 100,1s
		jq = .
		map = a=b
		[fl-clean]
		dedup = 1m
		[fl-fetch sim]
		seed = 7
	E
	run -0 fl-clean --show-config
	[[ $output == *$'\n'"dedup = 1m "* ]]
	run -0 fl-fetch sim --show-config
	[[ $output == *$'\n'"seed = 7 "* ]]
	run -0 fl-load --show-config
	[[ $output == *$'\n'"batch = "* ]]
}

@test "what --show-config prints is a config file" {
	fl-clean --dedup 90s --rejects 'a "b" # c' --max-rejects 5% --show-config >shown
	run -0 fl-clean --config shown --show-config
	[[ $output == *$'\n''dedup = 90s '* ]]
	[[ $output == *$'\n''rejects = "a \"b\" # c"'* ]]
	[[ $output == *$'\n''max-rejects = 5% '* ]]
}

@test "--show-config has the defaults, and the place where one is taken" {
	run -0 fl-clean --show-config
	for line in 'dedup = 10m' 'as = auto' 'tz = UTC' 'stats = auto'; do
		[[ $output == *$'\n'"$line "*' # default'* ]]
	done
	[[ $output != *store* ]]
	run -0 fl-load --show-config
	[[ $output == *$'\n''# store = '*' # not set'* ]]
	FL_STORE=x.db run -0 fl-load --show-config
	[[ $output == *$'\n''store = x.db '*' # FL_STORE'* ]]
	echo 'store = y.db' >"$config"
	run -0 fl-fetch store --show-config
	[[ $output == *$'\n''store = y.db '*" # '$config' line 1"* && $output != *'no option'* ]]
}

@test "--fields names something" {
	run -2 fl-clean --fields '' /dev/null
	[ "$output" = 'fl-clean: --fields is empty' ]
	run -2 fl-fetch sim -n 1 --fields ts,,price
	[ "$output" = "fl-fetch: --fields: an empty item in 'ts,,price'" ]
}

@test "a table of runs, rejects and stats says whose they are" {
	echo bad >in
	fl-clean -q --runs runs --rejects bad in || [ $? = 1 ]
	run -0 fl-clean --as table runs bad
	[[ ${lines[0]} == TS*PROVIDER*STATUS*IN*REJECTED*OUT*ERROR* ]]
	[[ ${lines[1]} == *fl-clean* && ${lines[3]} == *fl-clean*bad_json* ]]
	run -0 fl-fetch --list-sources --as table
	[[ ${lines[1]} == *fl-fetch*source* ]]
}

@test "mistakes in settings say where they are" {
	echo 'dedup 5m' >"$config"
	run -2 fl-clean </dev/null
	[ "$output" = "fl-clean: '$config' line 1: a setting is KEY = VALUE, the key a long option's name" ]
	printf '\ndedup = 5x\n' >"$config"
	run -2 fl-clean </dev/null
	[[ $output == "fl-clean: '$config' line 2: dedup: '5x' is no duration; "* ]]
	printf '[fl-clean]\ndedpu = 5m\n' >"$config"
	run -2 fl-clean </dev/null
	[ "$output" = "fl-clean: '$config' line 2: fl-clean has no option 'dedpu' (did you mean 'dedup'?)" ]
	rm "$config"
	FL_DEDUP=5x run -2 fl-clean </dev/null
	[[ $output == "fl-clean: FL_DEDUP: '5x' is no duration; "* ]]
	run -2 fl-clean --config nowhere </dev/null
	[ "$output" = "fl-clean: cannot read the config file 'nowhere': No such file or directory" ]
}

@test "help and version come whatever the settings" {
	echo 'dedup = nonsense' >"$config"
	run -0 fl-clean --help
	FL_DEDUP=nonsense run -0 fl-clean --version
}

@test "secrets are masked in what is shown and kept" {
	run -0 fl-clean --show-config --runs 'x://u:hunter2@h/?token=abc'
	[[ $output == *'x://u:***@h/?token=***'* ]]
	run_json 0 fl-clean --where 'symbol=eq.postgres://u:hunter2@h' /dev/null
	[ "$(jq -r '.argv[2]' <<<"$record")" = 'symbol=eq.postgres://u:***@h' ]
	run ! grep -r hunter2 .
}

@test "times are read in the zone, wherever that is given" {
	quote 0 >in
	run -0 --separate-stderr fl-clean --from 2026-01-02T10:00 --tz America/New_York in
	[ "${#lines[@]}" = 1 ]
	run -0 --separate-stderr fl-clean --from 2026-01-02T10:01 --tz America/New_York in
	[ -z "$output" ]
	run -0 --separate-stderr fl-clean --to 2026-01-02T15:00:00Z in
	[ -z "$output" ]
}

@test "contradictions are misuse" {
	run -2 fl-clean --range 5d --from today </dev/null
	[ "$output" = 'fl-clean: --range goes without --from and --to' ]
	run -2 fl-clean --from 2026-01-02 --to 2026-01-02 </dev/null
	[[ $output == *"which is exclusive" ]]
	run -2 fl-clean --range 1M </dev/null
	[[ $output == *"1m is a minute, 1mo a month" ]]
	run -2 fl-clean --type qoute </dev/null
	[ "$output" = "fl-clean: --type: no record type 'qoute' (did you mean 'quote'?)" ]
	run -2 fl-clean --tz Amerika/New_York </dev/null
	[[ $output == *"(did you mean 'America/New_York'?)" ]]
	run -2 fl-clean --as ndjsn </dev/null
	[ "$output" = "fl-clean: --as: unknown 'ndjsn' (did you mean 'ndjson'?)" ]
	run -2 fl-clean -j 9999 </dev/null
	run -2 fl-clean --max-rejects 101% </dev/null
}

# --- statuses and accounts ---------------------------------------------------

@test "rejects give 1, 0 within the limit, 6 past it" {
	{
		quote 1
		echo bad
		quote 2 NaN
		echo '{"type":"quote"}'
		quote 3
	} >in
	run_json 1 fl-clean in
	[ "$(jq -c '[.in, .used, .out, .rejected]' <<<"$record")" = '[5,2,2,3]' ]
	run_json 0 fl-clean --max-rejects 3 in
	run_json 6 fl-clean --max-rejects 2 in
	[[ $(head -n 1 err) == 'fl-clean: more rejects than --max-rejects allows: '* ]]
	run_json 6 fl-clean --max-rejects 0 in
	run_json 0 fl-clean --max-rejects 60% in
	run_json 6 fl-clean --max-rejects 59% in
	run_json 0 fl-clean --max-rejects 0.6 in
	run_json 6 fl-clean --max-rejects 0.5 in
	[ "$(head -n 1 err)" = 'fl-clean: more rejects than --max-rejects allows: 3 of 5 records' ]
	run_json 5 fl-clean nowhere
	[ "$(jq -r .error <<<"$record")" = "cannot open 'nowhere': No such file or directory" ]
}

@test "the rejects line names the reasons, the first, and where they are kept" {
	{
		quote 1
		for i in 1 2 3; do echo bad; done
		for i in 1 2; do quote 1 NaN; done
		echo '{"type":"quote"}'
	} >in
	run -1 --separate-stderr fl-clean in
	[[ $stderr == 'fl-clean: rejected: 3 bad_json, 2 bad_number, 1 missing_field; first: '"'in' line 2 "*'; --rejects FILE keeps them'* ]]
	run -1 --separate-stderr fl-clean --rejects kept <in
	[[ $stderr == 'fl-clean: rejected: '*'; first: line 2 '*"; kept in 'kept'"* ]]
	[ "$(wc -l <kept)" = 6 ]
	{
		echo '[]'
		echo '{"type":"x"}'
	} >>in
	run -1 --separate-stderr fl-clean in
	[[ $stderr == 'fl-clean: rejected: 3 bad_json, 2 bad_number, 1 '*', 2 other; '* ]]
}

@test "the account comes when something was rejected, or when asked for" {
	quotes 1 3 >good
	run -0 --separate-stderr fl-clean good
	[ -z "$stderr" ]
	run -0 --separate-stderr fl-clean --stats text good
	[[ $stderr =~ ^'fl-clean: 3 in = 3 out + 0 rejected + 0 duplicates + 0 filtered + 0 late; '[0-9]+' B, ' ]]
	run -0 --separate-stderr fl-clean -v good
	[[ $stderr == *'fl-clean: 3 in = 3 out + '* ]]
	run -0 --separate-stderr fl-clean --stats=json good
	[ "$(jq -c '[.type, .provider, .in, .status]' <<<"$stderr")" = '["run","fl-clean",3,0]' ]
	echo bad >>good
	run -1 --separate-stderr fl-clean good
	[ "${#stderr_lines[@]}" = 2 ]
	[[ ${stderr_lines[1]} == 'fl-clean: 4 in = 3 out + 1 rejected + '* ]]
	run -1 --separate-stderr fl-clean -q good
	[ -z "$stderr" ]
	run -1 --separate-stderr fl-clean --stats none good
	[ -z "$stderr" ]
	run -5 --separate-stderr fl-clean nowhere
	[ "$stderr" = "fl-clean: cannot open 'nowhere': No such file or directory" ]
}

@test "runs are appended, one line each, and are records" {
	quotes 1 3 >in
	for i in 1 2 3; do fl-clean --runs runs in >/dev/null; done
	[ "$(wc -l <runs)" = 3 ]
	[ "$(jq -r .id runs | sort -u | wc -l)" = 3 ]
	account_closes runs
	run -0 --separate-stderr fl-clean --canonical runs
	diff runs - <<<"$output"
	[ "$(jq -c 'keys_unsorted' runs | sort -u)" = '["type","ts","provider","id","started","status","host","argv","in","used","rejected","duplicates","filtered","late","uncommitted","rounded","unchecked","out","bytes_in","bytes_out","wall_s","cpu_s","max_rss_bytes","dedup_horizon_s"]' ]
	# The one on stderr is the same record.
	fl-clean --runs again --stats=json in >/dev/null 2>said
	cmp again said
	run -5 fl-clean --runs /nowhere/runs in
	[[ $output == *"fl-clean: cannot append the run to '/nowhere/runs': No such file or directory"* ]]
	run -5 fl-clean --runs /dev/full in
}

@test "many commands may append to one file of runs" {
	quotes 1 20 >in
	for i in {1..20}; do
		fl-clean --runs runs in >/dev/null &
	done
	wait
	[ "$(jq -s length runs)" = 20 ]
	account_closes runs
}

@test "odd and endless arguments make a valid run record" {
	run_json 5 fl-clean $'a\xff\n"b' ''
	jq -e '.argv[1] == "a\ufffd\n\"b" and .argv[2] == ""' <<<"$record"
	quotes 1 1 >in
	mapfile -t many < <(yes in | head -n 20000)
	run_json 0 fl-clean --dedup 0 "${many[@]}"
	[ "${#record}" -lt 100000 ]
	[[ $(jq -r '.argv[-1]' <<<"$record") == '('*' more)' ]]
	[ "$(jq .in <<<"$record")" = 20000 ]
}

# --- the outside world -------------------------------------------------------

@test "a reader that leaves early ends the command in silence" {
	fl-fetch sim -n 200000 >in
	run -0 --separate-stderr bash -c 'fl-clean --runs runs in | head -n 1; exit $((PIPESTATUS[0] - 141))'
	[ -z "$stderr" ]
	[ "$(jq -c '[.status, .error]' runs)" = '[141,null]' ]
}

@test "a full disk is status 5, with a message" {
	quotes 1 3 >in
	run_json 5 bash -c 'fl-clean in >/dev/full'
	[[ $(head -n 1 err) == *'No space left on device' ]]
}

@test "a closed standard stream is no place for data" {
	quotes 1 3 >in
	run -5 --separate-stderr bash -c 'fl-clean in >&-'
	[ "$stderr" = 'fl-clean: standard output is closed' ]
	run -5 --separate-stderr bash -c 'fl-clean --help >&-'
	[ "$stderr" = 'fl-clean: standard output is closed' ]
	run -5 --separate-stderr bash -c 'fl-clean <&-'
	[[ $stderr == "fl-clean: cannot read 'standard input': "* ]]
	echo bad >>in
	bash -c 'fl-clean --rejects bad in 2>&- >out' || [ $? = 1 ]
	[ "$(wc -l <out)" = 3 ]
	[ "$(wc -l <bad)" = 1 ]
	bash -c 'fl-clean --rejects bad in 2>&- <&- >out' || [ $? = 1 ]
	[ "$(wc -l <out)" = 3 ]
}

# wait_for FILE LINES: until it has them, at most 10 s.
wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ] && return
		sleep 0.1
	done
	fail "'$1' has not got $2 lines"
}

@test "told to stop, a command that reads a pipe takes all that still comes" {
	mkfifo pipe
	env --default-signal=INT fl-clean --runs runs <pipe >out 2>err &
	pid=$!
	exec 9>pipe
	quotes 1 10 >&9
	wait_for out 10
	kill -INT $pid
	kill -INT $pid # so soon it is the echo that timeout(1) makes
	sleep 0.6
	quotes 11 20 >&9
	exec 9>&-
	status=0
	wait $pid || status=$?
	[ $status = 130 ]
	[ "$(wc -l <out)" = 20 ]
	[ "$(jq -c '[.status, .in, .out]' runs)" = '[130,20,20]' ]
}

@test "what does not end by itself is left after five seconds" {
	mkfifo pipe
	fl-clean <pipe >out 2>err &
	pid=$!
	exec 9>pipe
	quotes 1 10 >&9
	wait_for out 10
	at=$SECONDS
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	exec 9>&-
	[ $status = 143 ]
	[ $((SECONDS - at)) -ge 4 ] && [ $((SECONDS - at)) -le 7 ]
	[ "$(wc -l <out)" = 10 ]
}

@test "a second signal ends at once" {
	mkfifo pipe
	fl-clean <pipe >out 2>err &
	pid=$!
	exec 9>pipe
	quotes 1 10 >&9
	wait_for out 10
	at=$SECONDS
	kill -TERM $pid
	sleep 0.5
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	exec 9>&-
	[ $status = 143 ]
	[ $((SECONDS - at)) -le 2 ]
}

@test "a signal that was ignored stays so" {
	mkfifo pipe
	(
		trap '' INT
		exec fl-clean <pipe >out 2>err
	) &
	pid=$!
	exec 9>pipe
	quotes 1 10 >&9
	wait_for out 10
	kill -INT $pid
	exec 9>&-
	wait $pid
}

@test "what reads no pipe stops at once, and closes its account" {
	fl-fetch sim --speed 1 --rate 50 --runs runs --seed 4 -n 100000 >out 2>err &
	pid=$!
	wait_for out 20
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ $status = 143 ]
	[ "$(jq -c '[.status, .in == .out]' runs)" = '[143,true]' ]
	[ "$(jq .out runs)" = "$(wc -l <out)" ]
}

# on_terminal COMMAND: as typed at a terminal, then a line and Ctrl-D; what it
# showed is in $shown.
on_terminal() {
	command -v script >/dev/null || skip 'script is not installed'
	{
		quote 1
		printf '\004'
	} | TERM=xterm timeout 60 script -qec "stty -echo; $1" /dev/null >screen || :
	shown=$(tr -d '\r' <screen)
}

@test "on a terminal records are a table, with the account below" {
	quotes 1 3 >in
	on_terminal 'fl-clean in'
	[[ $shown == *SYMBOL*$'\n'*'fl-clean: 3 in = 3 out + '* ]]
}

@test "a terminal as input is told how to end it" {
	on_terminal 'fl-clean >out'
	[ "$(wc -l <out)" = 1 ]
	[[ $shown == *'fl-clean: reading records from the terminal; Ctrl-D ends (fl-clean --help shows examples)'* ]]
	on_terminal 'fl-clean -q >out'
	[[ $shown != *'reading records'* ]]
}

@test "a terminal shows progress, and it is wiped in the end" {
	on_terminal '(for i in 1 2 3 4 5 6; do fl-fetch sim -n 2000 --seed $i; sleep 0.3; done) | fl-clean --dedup 0 >out'
	[[ $shown == *$'\e[K''fl-clean: '*' rows  '*'/s  0:0'*' rejected'* ]]
	[[ ${shown##*$'\e[K'} == 'fl-clean: 12,000 in = 12,000 out + '* ]]
	on_terminal '(for i in 1 2 3 4 5 6; do fl-fetch sim -q -n 2000 --seed $i; sleep 0.3; done) | fl-clean -q --dedup 0 >out'
	[[ $shown != *rows* && $shown != *fl-* ]]
}
