#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2031 # run sets output; bats the folders
# The shortcuts for the usual line and the general way behind them give the same,
# byte for byte: commands built with them and without, over generated data and
# over lines of which bytes were changed at random.

load ../helper/common

setup_file() {
	local top=$BATS_TEST_DIRNAME/../..
	export plain=$top/build/reference/bin missing=$BATS_FILE_TMPDIR/missing
	# This test may be run by make itself.
	(cd "$top" && env -u MAKEFLAGS -u MAKELEVEL make -j2 VARIANT=reference CFLAGS='-O2' all) >"$missing.log" 2>&1 ||
		{ tail -n 5 "$missing.log" >"$missing"; return; }
	${FL_CC:-cc} -O2 -o "$BATS_FILE_TMPDIR/gen_ticks" "$top/scripts/bench/gen_ticks.c" -lm 2>"$missing" ||
		return 0
	: >"$missing"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ ! -s "$missing" ] || fail "no build without shortcuts: $(cat "$missing")"
	amount=300000
	[ -z "${FL_LONG:-}" ] || amount=10000000
}

# same COMMAND ARG...: both builds give the same output, rejects, account and
# status. The input is ./in.
same() {
	local command=$1 want got
	shift
	"$plain/$command" "$@" --rejects want.rej --stats json <in >want.out 2>want.err && want=0 || want=$?
	"$command" "$@" --rejects got.rej --stats json <in >got.out 2>got.err && got=0 || got=$?
	[ "$want" = "$got" ] || fail "$command $*: status $got, without shortcuts $want"
	cmp want.out got.out || fail "$command $*: another output"
	touch want.rej got.rej
	# A reject tells when it was refused.
	cmp <(sed -E 's/"ts":"[^"]*"//' want.rej) <(sed -E 's/"ts":"[^"]*"//' got.rej) || fail "$command $*: other rejects"
	rm -f want.rej got.rej
}

@test "generated ticks, bad ones among them" {
	"$BATS_FILE_TMPDIR/gen_ticks" -n "$amount" quotes >in
	same fl-clean --dedup 0
	[ "$(wc -l <got.out)" -gt $((amount * 9 / 10)) ]
	same fl-clean
	same fl-clean --canonical -j 1
	same fl-clean --coerce --symbol AAPL,MSFT --where price=gt.100
	same fl-agg bars 1m,1h
	[ "$(wc -l <got.out)" -gt 1000 ]
	same fl-agg stats
}

@test "daily bars of a CSV file" {
	"$BATS_FILE_TMPDIR/gen_ticks" -n "$amount" daily >in
	same fl-fetch csv in
	[ "$(wc -l <got.out)" -gt $((amount / 2)) ]
}

@test "records of every type, and lines with changed bytes" {
	cat "$BATS_TEST_DIRNAME"/../data/rec/*.ndjson "$BATS_TEST_DIRNAME"/../fuzz/corpus/record/* >seeds
	python3 - seeds $((amount / 3)) >in <<-'END'
		import random, sys
		random.seed(1)
		seeds = [line for line in open(sys.argv[1], "rb").read().split(b"\n") if 1 < len(line) < 4000]
		out = sys.stdout.buffer
		odd = [b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b" ", b"\t", b"0", b"-", b".", b"e", b"null",
		       b"\xc3\xa9", b"\xff", b"\x7f", b"\\u0041", b"1e5", b"00", b"true"]
		for _ in range(int(sys.argv[2])):
		    line = bytearray(random.choice(seeds))
		    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
		        at = random.randrange(len(line) + 1)
		        what = random.randrange(4)
		        if what == 0:
		            line[at:at + 1] = random.choice(odd)
		        elif what == 1:
		            line[at:at] = random.choice(odd)
		        elif what == 2:
		            del line[at:at + random.randrange(1, 4)]
		        else:
		            other = random.choice(seeds)
		            cut = random.randrange(len(other))
		            line[at:at] = other[cut:cut + random.randrange(1, 12)]
		    out.write(bytes(line).replace(b"\n", b" ") + b"\n")
	END
	same fl-clean --dedup 0
	[ "$(wc -l <got.out)" -gt 100 ]
	same fl-clean --canonical
	same fl-clean --coerce
	same fl-clean
}

@test "a lake" {
	"$BATS_FILE_TMPDIR/gen_ticks" -n $((amount / 3)) -b 0 quotes | fl-load -q lake/
	: >in
	same fl-fetch store lake/
	fl-load -q --compact --older-than 0s lake/
	same fl-fetch store lake/
	same fl-fetch store lake/ --symbol AAPL
	[ "$(wc -l <got.out)" -gt 100 ]
}
