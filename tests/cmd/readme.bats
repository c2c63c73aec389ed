#!/usr/bin/env bats
# README.md and the tour of financelake(7): what they tell people to type works.
# A block that begins with ```sh is run in a folder of its own and ends with
# status 0, or with the one that a comment in it names: # status 1.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	readme=$top/README.md
	page=$top/man/financelake.7
	# Settings of whoever runs the tests are none of the tests.
	export HOME=$PWD XDG_CONFIG_HOME=
	for name in ${!FL_@}; do
		case $name in
		FL_BIN | FL_BUILD | FL_VARIANT | FL_CC) ;;
		*) unset "$name" ;;
		esac
	done
}

# The blocks as files block.LINE, LINE being that of the fence.
blocks() {
	awk '/^```sh$/ { out = "block." NR; next }
		/^```/ { out = "" }
		out { print > out }' "$readme"
}

# What a block needs beside our commands; empty when all is there.
lacks() {
	local tool
	for tool in jq sqlite3; do
		if grep -qw "$tool" "$1" && ! command -v "$tool" >/dev/null; then
			echo "$tool"
		fi
	done
	if grep -q -e --jq "$1" && ! fl-clean -q --jq . </dev/null 2>/dev/null; then
		echo libjq
	fi
}

@test "every pipeline of the README ends as it says" {
	blocks
	count=0
	for block in block.*; do
		[ -z "$(lacks "$block")" ] || continue
		wanted=$(sed -n 's/.*# status \([0-9]*\).*/\1/p' "$block")
		mkdir "in.$block"
		status=0
		(cd "in.$block" && bash "../$block") >"out.$block" 2>&1 </dev/null || status=$?
		if [ "$status" != "${wanted:-0}" ]; then
			echo "README.md:${block#block.}: ended with $status, not ${wanted:-0}:"
			cat "out.$block"
			return 1
		fi
		count=$((count + 1))
	done
	[ "$count" -ge 3 ]
	[ "$(find . -maxdepth 1 -name 'block.*' | wc -l)" -ge 6 ]
}

@test "what the README promises of its pipelines is there" {
	blocks
	for block in block.*; do
		[ -z "$(lacks "$block")" ] || continue
		mkdir "in.$block"
		(cd "in.$block" && bash "../$block") >"out.$block" 2>"err.$block" </dev/null || true
	done
	# The prices: the last two days, as a table.
	out=$(grep -l 'prices.csv' block.*)
	[ "$(grep -c '^2026-01-0[56] .* ZZZT ' "out.$out")" = 2 ]
	# The pipeline that was killed: all records, none twice.
	out=$(grep -l 'timeout -s KILL' block.*)
	[ "$(tail -n 1 "out.$out")" = 200000 ]
	# The accounts of all three commands.
	out=$(grep -l 'FL_RUNS' block.*)
	[ "$(grep -c '^fl-[a-z]*,0,1*000' "out.$out")" = 2 ]
	grep -q '^fl-load,0,' "out.$out"
}

@test "every option that the README and financelake(7) name is one" {
	for name in fl-fetch fl-clean fl-load 'fl-fetch csv' 'fl-fetch sim' 'fl-fetch store'; do
		# shellcheck disable=SC2086
		$name --help
	done | grep -oE -e '--[a-z][a-z-]+' | sort -u >known
	# Those of the project's own scripts and of other programs.
	printf '%s\n' --fast --long >>known
	"$top/scripts/run" --help | grep -oE -e '--[a-z][a-z-]+' >>known
	{
		grep -oE -e '--[a-z][a-z-]+' "$readme"
		if command -v mandoc >/dev/null; then
			mandoc -T ascii "$page" | sed 's/.\x08//g' | grep -oE -e '--[a-z][a-z-]+'
		fi
	} | grep -vxE -e '--(unbuffered|line-buffered)' | sort -u >named
	run -0 comm -23 named <(sort -u known)
	[ -z "$output" ]
}

@test "every file that the README names is there" {
	# NAME stands for one that the reader makes.
	grep -oE '`(lib|cmd|man|scripts|tests)/[^` ]*' "$readme" | tr -d '`' |
		grep -v NAME | sort -u >named
	[ -s named ]
	while read -r path; do
		# shellcheck disable=SC2086
		compgen -G "$top/$path" >/dev/null || {
			echo "README.md names '$path', which is not there"
			return 1
		}
	done <named
}

@test "every make target that the README names is one" {
	grep -oE '`make [a-z-]+' "$readme" | sed 's/.* //' | sort -u >named
	while read -r target; do
		grep -qE "^([a-z-]+ )*$target( [a-z-]+)*:" "$top/Makefile" || {
			echo "README.md names 'make $target', which is no target"
			return 1
		}
	done <named
}

@test "the commands and sources that the README has are those that are built" {
	sed -n '/^| command | its one job/,/^$/p' "$readme" |
		sed -n 's/^| `\(fl-[a-z]*\).*/\1/p' | sort >named
	(cd "$top/cmd" && ls fl-*.c) | sed 's/\.c$//' | sort | diff named -
	fl-fetch --list-sources | sed 's/.*"subject":"\([a-z]*\)".*/\1/' >sources
	while read -r source; do
		grep -q "^| .fl-fetch SOURCE.*\`$source\`" "$readme"
	done <sources
}

@test "the tour of financelake(7) works, line by line" {
	command -v jq >/dev/null || skip 'jq is not installed'
	awk '/^\.Sh TOUR/ { on = 1; next }
		/^\.Sh/ { on = 0 }
		!on { next }
		/^\.Bd/ { text = 1; next }
		/^\.Ed/ { text = 0; next }
		text { print; next }
		sub(/^\.Dl /, "") { print }' "$page" | sed 's/\\(dq/"/g' >tour
	[ "$(wc -l <tour)" -ge 8 ]
	at=0
	while read -r line; do
		at=$((at + 1))
		status=0
		bash -c "$line" >out 2>&1 </dev/null || status=$?
		# The dirty ticks are rejected in part.
		case $line in *--rejects*) wanted=1 ;; *) wanted=0 ;; esac
		if [ $status != $wanted ]; then
			echo "financelake(7), '$line': ended with $status"
			cat out
			return 1
		fi
	done <tour
}
