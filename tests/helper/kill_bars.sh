#!/usr/bin/env bash
# kill_bars.sh ROUNDS SEED FOLDER PLACE: kill -9 a pipeline that makes bars again
# and again, then compare what the place holds with bars of an undisturbed run.
#
# Until ROUNDS kills have met a process that was still running, each round runs
#   fl-fetch sim --resume PLACE … | fl-clean | fl-agg bars | fl-load --pipeline b PLACE
# with more records than the round before it. Parts of bars are cut wherever a
# mark or a kill falls, and merged by the place.
# Prints one line with the verdict; status 0 when all holds.
set -u -o pipefail

rounds=$1 seed=$2 dir=$3 place=$4
chunk=60000
data=(sim --duplicates 0.1 --disorder 2s --rate 100)
killed=0 odd=0
RANDOM=$seed
export FL_RUNS=$dir/runs
exec 2>"$dir/shell.err"

fail() {
	echo "not ok: $*"
	exit 1
}

start() {
	rm -f "$dir/a" "$dir/b" "$dir/c"
	mkfifo "$dir/a" "$dir/b" "$dir/c"
	fl-fetch "${data[@]}" -n "$1" --resume "$place" --pipeline b \
		--marks 300,50ms --warm-up 25s >"$dir/a" 2>>"$dir/fetch.err" &
	pids=($!)
	fl-clean --dedup 20s <"$dir/a" >"$dir/b" 2>>"$dir/clean.err" &
	pids+=($!)
	fl-agg bars 1m,1h <"$dir/b" >"$dir/c" 2>>"$dir/agg.err" &
	pids+=($!)
	fl-load --pipeline b "$place" --batch 300,20ms <"$dir/c" 2>>"$dir/load.err" &
	pids+=($!)
}

finish() {
	ends=()
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null
		ends+=($?)
	done
}

began=$(date +%s%N)
start $chunk
finish
span=$((($(date +%s%N) - began) / 1000000))

for ((i = 2; killed < rounds && i <= 4 * rounds + 1; i++)); do
	start $((i * chunk))
	ms=$((RANDOM % (span + 1)))
	sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
	kill -9 "${pids[RANDOM % 4]}" 2>/dev/null
	finish
	case " ${ends[*]} " in
	*' 137 '*) killed=$((killed + 1)) span=$((span + span / 8 + 1)) ;;
	*) span=$((span - span / 4)) ;;
	esac
	for end in "${ends[@]}"; do
		case $end in 0 | 3 | 137 | 141) ;; *)
			odd=$((odd + 1))
			echo "round $i: statuses ${ends[*]}"
			;;
		esac
	done
done

total=$((i * chunk))
start $total
finish
[ "${ends[*]}" = '0 0 0 0' ] || fail "the last run ended with ${ends[*]}"

fl-fetch "${data[@]}" -n $total | fl-clean --dedup 20s |
	fl-agg bars 1m,1h --allowed-lateness 100h | sort >"$dir/want" ||
	fail "the undisturbed run ended with ${PIPESTATUS[*]}"
fl-fetch store "$place" --type bar | sort >"$dir/got"
missing=$(comm -13 "$dir/got" "$dir/want" | wc -l)
extra=$(comm -23 "$dir/got" "$dir/want" | wc -l)
open=$(jq 'select(.type == "run") | select(.in != .used + .rejected + .duplicates +
	.filtered + .late) | .id' "$dir/runs" | wc -l)

echo "bars=$(wc -l <"$dir/want") seed=$seed rounds=$((i - 2)) killed=$killed" \
	"missing=$missing extra=$extra open=$open odd=$odd"
[ "$missing$extra$open$odd" = 0000 ] && [ "$killed" = "$rounds" ] && [ -s "$dir/want" ]
