#!/usr/bin/env bash
# kafka_log_kill.sh KILLS SEED FOLDER: a log that grows is followed into Kafka
# in transactions; either process is killed with -9 at random moments, KILLS
# times, and started again. Whoever reads what was committed sees each line
# once. Prints one line with the verdict.
set -u -o pipefail

kills=$1 seed=$2 dir=$3
log=$dir/fw.log
export FL_RUNS=$dir/runs
RANDOM=$seed
exec 2>"$dir/shell.err"

fail() {
	echo "not ok: $*"
	exit 1
}

# About 2,000 lines a second, each of its own.
grow() {
	local n=0
	while [ ! -e "$dir/full" ]; do
		for ((i = 0; i < 100; i++, n++)); do
			printf '2026-03-05T%02d:%02d:%02d.%03dZ gw kernel: IN=eth0 OUT= SRC=203.0.113.%d DST=198.51.100.7 LEN=60 PROTO=TCP SPT=%d DPT=22\n' \
				$((n / 3600000 % 24)) $((n / 60000 % 60)) $((n / 1000 % 60)) $((n % 1000)) \
				$((n % 250)) $((n % 60000 + 1000))
		done >>"$log"
		sleep 0.04
	done
}

pids=()
start() {
	rm -f "$dir/pipe"
	mkfifo "$dir/pipe"
	fl-fetch log --follow --resume "kafka://$FL_BROKERS/fl.positions" --pipeline "log$seed" \
		--marks 200,50ms "$log" >"$dir/pipe" 2>>"$dir/fetch.err" &
	pids=($!)
	fl-produce --transaction --batch 400,100ms --create-topics --topic "log$seed" \
		<"$dir/pipe" 2>>"$dir/produce.err" &
	pids+=($!)
}

finish() {
	ends=()
	for pid in "${pids[@]}"; do
		wait "$pid"
		ends+=($?)
	done
	for end in "${ends[@]}"; do
		case $end in 0 | 3 | 137 | 141 | 143) ;; *)
			odd=$((odd + 1))
			echo "round $round: statuses ${ends[*]}"
			;;
		esac
	done
}

: >"$log"
grow &
writer=$!
odd=0 killed=0
for ((round = 1; killed < kills && round < 4 * kills; round++)); do
	start
	sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
	! kill -9 "${pids[RANDOM % 2]}" || killed=$((killed + 1))
	finish
done
touch "$dir/full"
wait $writer
lines=$(wc -l <"$log")

# To the end, then stopped as a person would.
start
for ((i = 0; i < 600; i++)); do
	at=$(fl-produce -q --positions --pipeline "log$seed" |
		jq -r '[.at[][1] | tonumber] | max // 0')
	[ "$at" != "$lines" ] || break
	sleep 0.1
done
kill "${pids[0]}"
finish

fl-consume --to end "log$seed" | jq -r '[.["@timestamp"] // .ts, .source.ip, .source.port] | @tsv' |
	sort >"$dir/got"
sed -E 's/^(\S+) .*SRC=(\S+) .*SPT=(\S+) .*/\1\t\2\t\3/' "$log" | sort >"$dir/want"
missing=$(comm -13 "$dir/got" "$dir/want" | wc -l)
extra=$(comm -23 "$dir/got" "$dir/want" | wc -l)
open=$(jq 'select(.type == "run") | select(.in != .used + .rejected + .duplicates +
	.filtered + .late) | .id' "$dir/runs" | wc -l)
# What was begun and not committed is there all the same, for whoever asks for it.
aborted=$(($(fl-consume --to end --raw -X isolation.level=read_uncommitted "log$seed" | wc -l) - lines))
echo "lines=$lines seed=$seed killed=$killed missing=$missing extra=$extra open=$open odd=$odd aborted=$aborted"
[ "$missing$extra$open$odd" = 0000 ] && [ "$killed" = "$kills" ] && [ "$lines" -gt 1000 ]
