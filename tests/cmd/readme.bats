#!/usr/bin/env bats
# shellcheck disable=SC2016 # backticks of the README in quotes
#
# README.md and the manual: what they tell people to type works. A block of the
# README that begins with ```sh is run in a folder of its own, where each line
# ends with status 0; the last may end with the one that a comment in it names:
# # status 1.

load ../helper/common
load ../helper/examples

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	readme=$top/README.md
	export HOME=$PWD
}

@test "every pipeline of the README ends as it says" {
	local block wanted status count=0
	blocks
	for block in block.*; do
		[ -z "$(lacks "$block")" ] || continue
		wanted=$(sed -n 's/.*# status \([0-9]*\).*/\1/p' "$block")
		mkdir "in.$block"
		status=0
		(cd "in.$block" && bash -e -o pipefail "../$block") >out 2>&1 </dev/null || status=$?
		[ "$status" = "${wanted:-0}" ] ||
			fail "README.md:${block#block.}: ended with $status, not ${wanted:-0}: $(cat out)"
		count=$((count + 1))
	done
	[ $count -ge 3 ]
	[ "$(find . -maxdepth 1 -name 'block.*' | wc -l)" -ge 6 ]
}

# A block of the README by a text in it; its output in out, its folder is here.
run_block() {
	local block
	blocks
	block=$(grep -l -e "$1" block.*)
	[ -z "$(lacks "$block")" ] || skip "not installed: $(lacks "$block")"
	bash "$block" >out 2>err </dev/null || true
}

@test "prices of a CSV file come back out of the store" {
	run_block prices.csv
	[ "$(grep -c '^2026-01-0[56] .* ZZZT ' out)" = 2 ]
}

@test "dirty data are repaired as far as can be" {
	run_block --retry
	grep -q '^bad_type: .*"101.5"' out
	[ "$(jq -c .price good.ndjson repaired.ndjson)" = $'101.25\n101.5' ]
	[ "$(jq -r .reason still-bad.ndjson)" = bad_type ]
}

@test "the pipeline that is killed has all records in the end" {
	run_block 'timeout -s KILL'
	[ "$(tail -n 1 out)" = 200000 ]
}

@test "a filter of one's own keeps the marks" {
	run_block 'then \. else'
	[ "$(fl-fetch store lake.db | jq -s 'length > 100 and all(.size >= 500 and .symbol != "ZZZC")')" = true ]
}

@test "the accounts of all commands are collected" {
	run_block FL_RUNS
	[ "$(sed '1d; s/,.*//' out | sort)" = $'fl-clean\nfl-fetch\nfl-load' ]
	grep -q '^fl-clean,0,1000,' out
}

@test "the tour of financelake(7) works, step by step" {
	local file
	examples financelake.7 TOUR
	[ -e example.06 ]
	for file in example.*; do
		[ -n "$(lacks "$file")" ] || try "$file"
	done
}

@test "the examples of the commands' pages work" {
	local page file
	for page in fl-fetch.1 fl-clean.1 fl-agg.1 fl-load.1 fl-produce.1 fl-consume.1; do
		mkdir "$page"
		cd "$page" || return
		fl-fetch sim -n 2000 --bad 0.02 >ticks.ndjson
		cp "$top/tests/data/rec/log.ndjson" .
		examples "$page" EXAMPLES
		[ -e example.03 ]
		for file in example.*; do
			[ -n "$(lacks "$file")" ] || try "$file"
		done
		cd .. || return
	done
}

@test "every option that the README and financelake(7) name is one" {
	local name
	for name in fl-fetch fl-clean fl-agg fl-load fl-produce fl-consume 'fl-fetch csv' 'fl-fetch sim' 'fl-fetch store' 'fl-fetch yahoo' 'fl-fetch alphavantage' 'fl-fetch log' 'fl-fetch syslog' 'fl-agg bars' 'fl-agg indicators' 'fl-agg stats' 'fl-agg count' 'fl-agg movers'; do
		# shellcheck disable=SC2086
		$name --help
	done | grep -oE -e '--[a-z][a-z-]+' >known
	for name in run test deploy/flow services/kafka; do
		"$top/scripts/$name" --help | grep -oE -e '--[a-z][a-z-]+' >>known
	done
	printf '%s\n' --unbuffered --line-buffered >>known # of other programs
	{
		grep -oE -e '--[a-z][a-z-]+' "$readme"
		sed -nE 's/^\.(It|Ql)? ?.*Fl -([a-z][a-z-]+).*/--\2/p' "$top/man/financelake.7"
		grep -oE -e ' --[a-z][a-z-]+' "$top/man/financelake.7" | tr -d ' '
	} | sort -u >named
	run -0 comm -23 named <(sort -u known)
	[ -z "$output" ]
}

@test "every file that the README names is there" {
	local path
	# NAME stands for one that the reader makes.
	grep -oE '`(lib|cmd|man|scripts|tests)/[^` ]*' "$readme" | tr -d '`' |
		grep -v NAME | sort -u >named
	[ -s named ]
	while read -r path; do
		compgen -G "$top/$path" >/dev/null || fail "no '$path'"
	done <named
}

@test "every make target that the README names is one" {
	local target
	grep -oE '`make [a-z-]+' "$readme" | sed 's/.* //' | sort -u >named
	[ -s named ]
	while read -r target; do
		grep -qE "^([a-z-]+ )*$target( [a-z-]+)*:" "$top/Makefile" || fail "no target '$target'"
	done <named
}

@test "the commands and sources that the README has are those that are built" {
	local source
	sed -n '/^| command | its one job/,/^$/p' "$readme" |
		sed -n 's/^| `\(fl-[a-z]*\).*/\1/p' | sort >named
	(cd "$top/cmd" && ls fl-*.c) | sed 's/\.c$//' | sort | diff named -
	fl-fetch --list-sources >list
	sed 's/.*"subject":"\([a-z]*\)".*/\1/' list >sources
	[ -s sources ]
	while read -r source; do
		grep -q "^| .fl-fetch SOURCE.*\`$source\`" "$readme" || fail "'$source' is missing"
	done <sources
}
