#!/usr/bin/env bash
# kill_loop.sh ROUNDS SEED FOLDER [WARM-UP [PLACE [SERVER...]]]: kill -9 a
# pipeline again and again, then compare what is stored with an undisturbed run.
# PLACE is an empty database; without it both runs go into SQLite.
#
# Until ROUNDS kills have met a process that was still running, each round runs
#   fl-fetch sim --resume DB … | fl-clean | fl-load --pipeline p DB
# with more records than the round before it, and kills one to three of its
# processes after a random while. With SERVER, a command of scripts/services, it
# is the database server that is killed, under a running fl-load, and revived;
# every third time a process of the pipeline goes with it, else fl-load has to
# outlive that. The data hold repeats (which fall across marks and kills) and
# damaged lines. A last run goes to the end. Then:
#   - the rows are those of one undisturbed run, no more, no fewer, none changed
#   - no row was ever written twice: a repeat that fl-clean had not found across
#     a restart would have been (a trigger counts)
#   - the rejects are the same lines for the same reasons
#   - the account of every process that could still give one closes
# Prints one line with the verdict; status 0 when all holds. With a WARM-UP of
# 0s it must not: that shows that the loop can tell.
set -u -o pipefail
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/place.bash"

rounds=$1 seed=$2 dir=$3 warm_up=${4:-25s}
chunk=10000 # records more in each round
db=${5:-$dir/killed.db}
want=$dir/undisturbed.db
data=(sim --duplicates 0.1 --bad 0.01 --disorder 2s --rate 200)
server=("${@:6}")
killed=0 odd=0 outlived=0
RANDOM=$seed
export FL_RUNS=$dir/runs
exec 2>"$dir/shell.err" # where the shell tells of each process killed

fail() {
	echo "not ok: $*"
	exit 1
}

# start N: the pipeline over the first N records, its processes in `pids`.
start() {
	rm -f "$dir/a" "$dir/b"
	mkfifo "$dir/a" "$dir/b"
	fl-fetch "${data[@]}" -n "$1" --resume "$db" --pipeline p \
		--marks 200,50ms --warm-up "$warm_up" >"$dir/a" 2>>"$dir/fetch.err" &
	pids=($!)
	fl-clean --dedup 20s <"$dir/a" >"$dir/b" 2>>"$dir/clean.err" &
	pids+=($!)
	fl-load -v --pipeline p "$db" --batch 400,50ms <"$dir/b" \
		2>>"$dir/load.err" &
	pids+=($!)
}

# finish: wait for all three; their statuses in `ends`.
finish() {
	ends=()
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null
		ends+=($?)
	done
}

kill_some() {
	local victims=$((1 + RANDOM % 3))
	for ((k = 0; k < victims; k++)); do
		kill -9 "${pids[RANDOM % 3]}" 2>/dev/null
	done
}

losses() { grep -c 'again in 0.2 s' "$dir/load.err"; }

kill_server() {
	local ms=$((RANDOM % 300))
	"${server[@]}" kill || fail 'the server cannot be killed'
	[ $((i % 3)) != 0 ] || kill -9 "${pids[RANDOM % 3]}" 2>/dev/null
	sleep "0.$(printf %03d $ms)"
	"${server[@]}" revive || fail 'the server does not come back'
}

rows() {
	fl-fetch store "$1" --type quote | sort
}

refused() {
	fl-fetch store "$1" --type reject | jq -c '[.reason, .raw, .raw_b64]' | sort
}

# The schema, and a witness of every row that is written a second time.
fl-fetch "${data[@]}" -n 1 --resume "$db" --pipeline p | fl-clean -q |
	fl-load -q --pipeline p "$db" || fail "the first record cannot be loaded"
witness "$db" || fail "no trigger"

# How long a round takes when nobody disturbs it: kills fall anywhere in that.
began=$(date +%s%N)
start $chunk
finish
span=$((($(date +%s%N) - began) / 1000000))

for ((i = 2; killed < rounds && i <= 3 * rounds + 1; i++)); do
	start $((i * chunk))
	ms=$((RANDOM % (span + 1)))
	sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
	before=$(losses)
	if [ ${#server[@]} = 0 ]; then kill_some; else kill_server; fi
	finish
	case " ${ends[*]} " in *' 137 '*) met=1 ;; *) met=0 ;; esac
	if [ "$(losses)" -gt "$before" ]; then
		met=1
		[ "${ends[2]}" -gt 1 ] || outlived=$((outlived + 1))
	fi
	# A kill that came too late was none: how long a round takes has changed.
	if [ $met = 1 ]; then
		killed=$((killed + 1)) span=$((span + span / 8 + 1))
	else
		span=$((span - span / 4))
	fi
	# Killed, its neighbours gone, cut off, some rejected, or done.
	for end in "${ends[@]}"; do
		case $end in 0 | 1 | 3 | 137 | 141) ;; *)
			odd=$((odd + 1))
			echo "round $i: statuses ${ends[*]}"
			;;
		esac
	done
done

total=$((i * chunk))
start $total
finish
for end in "${ends[@]}"; do
	[ "$end" -le 1 ] || fail "the last run ended with ${ends[*]}"
done

fl-fetch "${data[@]}" -n $total --resume "$want" --pipeline p |
	fl-clean -q --dedup 20s | fl-load -q --pipeline p "$want"
[ $? -le 1 ] || fail "the undisturbed run ended with $?"

rows "$db" >"$dir/got"
rows "$want" >"$dir/want"
refused "$db" >"$dir/got.rejects"
refused "$want" >"$dir/want.rejects"
missing=$(comm -13 "$dir/got" "$dir/want" | wc -l)
extra=$(comm -23 "$dir/got" "$dir/want" | wc -l)
twice=$(ask "$db" 'SELECT count(*) FROM twice')
rejects=$(diff "$dir/got.rejects" "$dir/want.rejects" | grep -c '^[<>]')
open=$(jq 'select(.type == "run") | select(.in != .used + .rejected + .duplicates +
	.filtered + .late) | .id' "$dir/runs" | wc -l)
pos=$(ask "$db" 'SELECT pos FROM fl_position')

echo "N=$(wc -l <"$dir/want") seed=$seed rounds=$((i - 2)) killed=$killed" \
	"${server:+outlived=$outlived }missing=$missing extra=$extra twice=$twice rejects=$(wc -l <"$dir/want.rejects")" \
	"rejects_differ=$rejects accounts=$(wc -l <"$dir/runs") open=$open odd=$odd"
[ "$missing$extra$twice$rejects$open$odd" = 000000 ] && [ "$pos" = $total ] &&
	[ "$killed" = "$rounds" ] && [ -s "$dir/want" ] && [ -s "$dir/want.rejects" ] &&
	{ [ ${#server[@]} = 0 ] || [ $outlived -gt 0 ]; }
