#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output
# Replay equals live: bars depend on the records and their order alone, not on
# how they arrive, nor on how many work on them.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# dribble FILE SEED: the file in parts of 1 byte to 300 KB, with pauses.
dribble() {
	python3 -c '
import os, random, sys, time
file, seed = open(sys.argv[1], "rb"), int(sys.argv[2])
pick = random.Random(seed)
while part := file.read(pick.choice([1, 50, 4000, 65536, pick.randrange(1, 300000)])):
    os.write(1, part) if len(part) <= 65536 else sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
    if pick.random() < 0.05:
        time.sleep(0.002)
' "$1" "$2"
}

@test "bars of a million ticks are the same from a file, a pipe in random parts, and with any number of workers" {
	ticks=1000000
	[ "$FL_VARIANT" = release ] || ticks=50000
	fl-fetch sim -n $ticks --disorder 5s --duplicates 0.01 >in
	fl-agg bars 1m,5m,1d in >want || [ $? = 1 ] # some are late, always the same
	[ "$(wc -l <want)" -gt 50 ]
	for jobs in 1 2 3; do
		fl-agg bars 1m,5m,1d -j $jobs in | cmp - want
		dribble in $jobs | fl-agg bars 1m,5m,1d -j $jobs | cmp - want
	done
	zstd -q in
	fl-agg bars 1m,5m,1d in.zst | cmp - want
	# As a live stream, where each command passes on what it has.
	dribble in 9 | fl-clean --dedup 0 | fl-agg bars 1m,5m,1d | cmp - want
}
