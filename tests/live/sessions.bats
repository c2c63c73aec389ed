#!/usr/bin/env bats
# The calendars that are built in, every day from 2000 to 2030, beside those of
# the package exchange_calendars on PyPI. Where that package is wrong,
# tests/helper/calendars.py says what is right, and why.

load ../helper/common

setup_file() {
	export calendars=$BATS_TEST_DIRNAME/../helper/calendars.py
	export venv=$BATS_TEST_DIRNAME/../../build/calendars
	export missing=$BATS_FILE_TMPDIR/missing
	mkdir -p "$venv"
	venv=$(cd "$venv" && pwd)
	python3 "$calendars" install "$venv" 2>"$missing" || [ -s "$missing" ] || echo unknown >"$missing"
}

setup() {
	[ ! -s "$missing" ] || skip "no packages from PyPI: $(tail -n 1 "$missing")"
}

@test "every trading date, open, close and break from 2000 to 2030" {
	"$FL_BUILD/helper/sessions" 2000-01-01 2031-01-01 >"$BATS_TEST_TMPDIR/ours"
	run -0 "$venv/bin/python" "$calendars" compare 2000-01-01 2031-01-01 <"$BATS_TEST_TMPDIR/ours"
	diff - <(echo "$output") <<-END
		XNYS 7794 sessions, 1 put right
		XLON 7833 sessions, 0 put right
		XETR 7876 sessions, 869 put right
		XPAR 7930 sessions, 0 put right
		XTKS 7592 sessions, 2919 put right
		XHKG 7641 sessions, 2992 put right
		CRYPTO 11323 sessions, 0 put right
		FX 8087 sessions, 8087 put right
	END
}

@test "a day that is wrong is found" {
	file=$BATS_TEST_TMPDIR/calendars.txt
	sed 's/^closed 2026-12-25 Christmas$/closed 2026-12-28 Christmas/' \
		"$BATS_TEST_DIRNAME/../../lib/rec/calendars.txt" >"$file"
	"$FL_BUILD/helper/sessions" 2026-12-01 2027-01-01 "$file" >"$BATS_TEST_TMPDIR/ours"
	run -1 "$venv/bin/python" "$calendars" compare 2026-12-01 2027-01-01 <"$BATS_TEST_TMPDIR/ours"
	[[ $output == *"XNYS 2026-12-25: ours {'open': "*", theirs None"* ]] || fail "$output"
	[[ $output == *"XNYS 2026-12-28: ours None, theirs {"* ]] || fail "$output"
	[[ $output == *"2 differences"* ]] || fail "$output"
}
