#!/usr/bin/env bash
# kafka_ledger.sh KILLS SEED FOLDER TICKS [PLACE SPEED]: two pipelines of one
# group, killed again and again, must leave the bars of one undisturbed run.
#
# TICKS simulated ticks, repeats among them, go into a topic of six partitions.
# Two copies of
#   fl-consume --group --resume | fl-clean | fl-agg bars | fl-load --pipeline
# share them and a store, each started again whenever it ends. One process at
# random of either is killed with -9, KILLS times, which moves partitions from
# one to the other and back. With PLACE, an empty database, the ticks are stored
# beside their bars, and none may be written twice; ticks come SPEED times as
# quickly as they happened, 100 a second. Prints one line with the verdict.
set -u -o pipefail
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/place.bash"

kills=$1 seed=$2 dir=$3 ticks=$4 place=${5:-$3/bars.db} speed=${6:-400}
data=(sim --duplicates 0.1 --disorder 2s --rate 100 -n "$ticks")
bars=(bars '1m,1h' ${5+--keep})
topic=ledger$seed
export FL_RUNS=$dir/runs
RANDOM=$seed
exec 2>"$dir/shell.err"

fail() {
	echo "not ok: $*"
	exit 1
}

# One run of copy $1; its pids in $dir/pids.$1.
run() {
	local c=$dir/$1 pids=() ends=()
	rm -f "$c".?
	mkfifo "$c".a "$c".b "$c".c
	fl-consume --group "$topic" --resume "$place" --pipeline ledger --marks 5000,100ms \
		--warm-up 25s "$topic" >"$c".a 2>>"$c".consume.err &
	pids=($!)
	fl-clean --dedup 20s <"$c".a >"$c".b 2>>"$c".clean.err &
	pids+=($!)
	fl-agg "${bars[@]}" <"$c".b >"$c".c 2>>"$c".agg.err &
	pids+=($!)
	fl-load --pipeline ledger --batch 5000,100ms "$place" <"$c".c 2>>"$c".load.err &
	pids+=($!)
	echo "${pids[@]}" >"$dir/pids.$1"
	for pid in "${pids[@]}"; do
		wait "$pid"
		ends+=($?)
	done
	: >"$dir/pids.$1"
	echo "${ends[@]}" >>"$c".ends
}

supervise() {
	while [ ! -e "$dir/stop" ]; do
		run "$1"
		sleep 0.2
	done
}

if [ $# -gt 4 ]; then
	fl-load --migrate "$place" || fail 'no tables'
	witness "$place" || fail 'no witness'
fi
# They come as long as the kills go on, unless the machine is slower than that.
fl-produce --topic "$topic" --create-topics=6 </dev/null || fail 'no topic can be made'
(
	fl-fetch "${data[@]}" --speed "$speed" | fl-produce --topic "$topic"
	echo "${PIPESTATUS[@]}" >"$dir/produced"
) &
producer=$!

at() { # how many messages the store has come to
	fl-load -q --positions "$place" --pipeline ledger 2>/dev/null |
		jq '[.at[][1] | tonumber] | add // 0' 2>/dev/null || echo 0
}

supervise 1 &
one=$!
supervise 2 &
two=$!

killed=0
for ((i = 0; killed < kills && i < 50 * kills; i++)); do
	[ ! -e "$dir/produced" ] || break
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	read -ra pids <"$dir/pids.$((RANDOM % 2 + 1))" || continue
	[ ${#pids[@]} = 4 ] || continue
	# A killed consumer's partitions move once the group misses it.
	! kill -9 "${pids[RANDOM % 4]}" || killed=$((killed + 1))
done
wait $producer
[ "$(<"$dir/produced")" = '0 0' ] || fail "producing ended with $(<"$dir/produced")"
messages=$(fl-consume --list "$topic" | jq .values.messages)
for ((i = 0; i < 1200; i++)); do
	[ "$(at)" != "$messages" ] || break
	sleep 0.1
done
reached=$(at)
touch "$dir/stop"
for c in 1 2; do
	read -ra pids <"$dir/pids.$c" || continue
	[ ${#pids[@]} != 4 ] || kill "${pids[0]}"
done
wait $one $two

fl-fetch "${data[@]}" | fl-clean --dedup 20s |
	fl-agg "${bars[@]}" --allowed-lateness 100h | sort >"$dir/want" ||
	fail "the undisturbed run ended with ${PIPESTATUS[*]}"
fl-fetch store "$place" --type bar,quote | sort >"$dir/got"
missing=$(comm -13 "$dir/got" "$dir/want" | wc -l)
extra=$(comm -23 "$dir/got" "$dir/want" | wc -l)
twice=0
[ $# -le 4 ] || twice=$(ask "$place" 'SELECT count(*) FROM twice')
odd=$(cat "$dir"/[12].ends | tr ' ' '\n' | grep -cvE '^(0|3|137|141|143)$')
open=$(jq 'select(.type == "run") | select(.in != .used + .rejected + .duplicates +
	.filtered + .late) | .id' "$dir/runs" | wc -l)

echo "rows=$(wc -l <"$dir/want") bars=$(grep -c '"type":"bar"' "$dir/want") ticks=$messages seed=$seed killed=$killed" \
	"runs=$(cat "$dir"/[12].ends | wc -l) reached=$reached missing=$missing extra=$extra twice=$twice open=$open odd=$odd"
[ "$missing$extra$twice$open$odd" = 00000 ] && [ "$reached" = "$messages" ] && [ -s "$dir/want" ] &&
	[ "$killed" -ge $((kills / 2)) ]
