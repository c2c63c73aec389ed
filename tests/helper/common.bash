# shellcheck shell=bash
# common: what every bats file of ours loads. Commands are found through PATH,
# FL_BIN is their folder. Settings of whoever runs the tests do not reach them.

bats_require_minimum_version 1.5.0

for name in ${!FL_@}; do
	case $name in
	FL_BIN | FL_BUILD | FL_VARIANT | FL_CC | FL_LONG | FL_FAST | FL_GOLDEN) ;;
	*) unset "$name" ;;
	esac
done
unset name
export XDG_CONFIG_HOME=${BATS_TEST_TMPDIR:-/nonexistent}/config
export XDG_STATE_HOME=${BATS_TEST_TMPDIR:-/nonexistent}/state
export TZ=UTC LC_ALL=C.UTF-8

# fail TEXT...: end the test, saying why.
fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# shellcheck disable=SC2154 # run fills output, lines and stderr

# fl_help_ok CMD [SUB]: --help is complete, on standard output, status 0.
fl_help_ok() {
	local command=$*
	run -0 --separate-stderr "$@" --help
	[ -z "$stderr" ] || fail "stderr: $stderr"
	[[ ${lines[0]} == "$command: "?* ]] || fail "first line: ${lines[0]}"
	[[ ${lines[0]} != *. ]] || fail "a summary ends without a full stop"
	[[ $output == *$'\n\n  '"$1 "* || $output == *$'\n\n  '*"| $1"* ]] ||
		fail "no example right after the summary"
	[[ $output == *$'\n'"usage: $command"* ]] || fail "no usage line"
	[[ $output == *$'\n'"options"*$'\n'"      --version "* ]] ||
		fail "no list of options that ends with --version"
	! grep -nE '[[:blank:]]$|	' <<<"$output" || fail "blanks at an end, or tabs"
	# Its output may be closed early, and may not fit.
	run -0 bash -c '"$@" --help | head -n 1' - "$@"
	run -5 --separate-stderr bash -c '"$@" --help >/dev/full' - "$@"
	[ "$stderr" = "$1: cannot write 'standard output': No space left on device" ] ||
		fail "on a full disk: $stderr"
}

# fl_version_ok CMD: --version is one line that names the command.
fl_version_ok() {
	run -0 --separate-stderr "$1" --version
	[ -z "$stderr" ] || fail "stderr: $stderr"
	[[ $output =~ ^"$1 (FinanceLake) "[^[:space:]]+$ ]] || fail "version: $output"
}

# fl_misuse_ok CMD [SUB]: an unknown option is one line on stderr, status 2.
fl_misuse_ok() {
	run -2 --separate-stderr "$@" --no-such-option
	[ -z "$output" ] || fail "stdout: $output"
	[ "$stderr" = "$1: unknown option '--no-such-option'; try '$1 --help'" ] ||
		fail "stderr: $stderr"
	run -2 --separate-stderr "$@" --verison
	[ "$stderr" = "$1: unknown option '--verison' (did you mean '--version'?)" ] ||
		fail "stderr: $stderr"
	run -2 --separate-stderr "$@" --stats
	[ "$stderr" = "$1: option '--stats' needs a value: --stats auto|text|json|none" ] ||
		fail "stderr: $stderr"
}

# run_json STATUS CMD [ARG...]: runs it with that status wanted; leaves standard
# output in $BATS_TEST_TMPDIR/out, standard error in …/err, and the run record in
# $record, whose account must close.
run_json() {
	local want=$1 got=0 runs=$BATS_TEST_TMPDIR/run.json
	shift
	rm -f "$runs"
	FL_RUNS=$runs "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || got=$?
	[ "$got" = "$want" ] ||
		fail "'$*': status $got instead of $want: $(cat "$BATS_TEST_TMPDIR/err")"
	[ -e "$runs" ] || fail "'$*' left no run record"
	record=$(tail -n 1 "$runs")
	[ "$(jq .status <<<"$record")" = "$want" ] ||
		fail "the record has another status than $want: $record"
	account_closes "$runs"
}

# account_closes FILE: in every run record of the file
# in = used + rejected + duplicates + filtered + late.
# account_closes CMD ARG...: the same for a run of the command (status 0 or 1).
account_closes() {
	local file=$1 open got=0
	if [ $# -gt 1 ]; then
		file=$BATS_TEST_TMPDIR/account.json
		rm -f "$file"
		FL_RUNS=$file "$@" >/dev/null 2>"$BATS_TEST_TMPDIR/account.err" || got=$?
		[ "$got" -le 1 ] ||
			fail "'$*': status $got: $(cat "$BATS_TEST_TMPDIR/account.err")"
	fi
	[ -s "$file" ] || fail "no run record in '$file'"
	open=$(jq -c 'select(.type == "run") |
		select(.in != .used + .rejected + .duplicates + .filtered + .late)' "$file") ||
		fail "'$file' holds no JSON"
	[ -z "$open" ] || fail "an account does not close: $open"
}

# unit_suite NAME: a unit program holds with the servers that there are; what it
# said is in a file of that name.
unit_suite() {
	local variant=${FL_VARIANT:-release}
	(
		cd "$BATS_TEST_DIRNAME/../.." || exit
		make -s "build/$variant/unit/$1" VARIANT="$variant" CC="${FL_CC:-gcc}" >&2 &&
			"build/$variant/unit/$1"
	) >"$BATS_TEST_TMPDIR/$1" || {
		grep -A 6 '^not ok\|^Bail out' "$BATS_TEST_TMPDIR/$1"
		return 1
	}
}

# fl_stores_hold KIND: the suites of all stores hold, and do not pass over KIND.
fl_stores_hold() {
	local suite
	for suite in store store-parts; do
		unit_suite $suite
		run ! grep "$1 # SKIP" "$BATS_TEST_TMPDIR/$suite"
	done
}
