#!/usr/bin/env bash
# kill_loop.sh ROUNDS SEED FOLDER: kill -9 a pipeline again and again, then
# compare what is stored with an undisturbed run.
#
# Each round runs
#   fl-fetch sim --resume DB … | fl-clean | fl-load --pipeline p DB
# with more records than the round before it, and kills one to three of its
# processes after a random while. The data hold repeats (which fall across marks
# and kills) and damaged lines. A last run goes to the end. Then:
#   - the rows are those of one undisturbed run, no more, no fewer, none changed
#   - no row was ever written twice: a repeat that fl-clean had not found across
#     a restart would have been (a trigger counts)
#   - the rejects are the same lines for the same reasons
# Prints one line with the verdict; status 0 when all holds.
set -u -o pipefail

rounds=$1 seed=$2 dir=$3
chunk=3000 # records more in each round
db=$dir/killed.db
want=$dir/undisturbed.db
data=(sim --duplicates 0.1 --bad 0.01 --disorder 2s --rate 200)
killed=0 late=0 odd=0
RANDOM=$seed

fail() {
	echo "not ok: $*"
	exit 1
}

# start N: the pipeline over the first N records, its processes in `pids`.
start() {
	rm -f "$dir/a" "$dir/b"
	mkfifo "$dir/a" "$dir/b"
	fl-fetch "${data[@]}" -n "$1" --resume "$db" --pipeline p \
		--marks 200,50ms >"$dir/a" 2>>"$dir/fetch.err" &
	pids=($!)
	fl-clean <"$dir/a" >"$dir/b" 2>>"$dir/clean.err" &
	pids+=($!)
	fl-load --pipeline p "$db" --batch 400,50ms <"$dir/b" \
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

rows() {
	fl-fetch store "$1" --type quote | sort
}

refused() {
	fl-fetch store "$1" --type reject | jq -c '[.reason, .raw, .raw_b64]' | sort
}

total=$((rounds * chunk))
fl-fetch "${data[@]}" -n $total --resume "$want" --pipeline p |
	fl-clean -q | fl-load -q --pipeline p "$want"
[ $? -le 1 ] || fail "the undisturbed run ended with $?"

# The schema, and a witness of every row that is written a second time.
fl-fetch "${data[@]}" -n 1 --resume "$db" --pipeline p | fl-clean -q |
	fl-load -q --pipeline p "$db" || fail "the first record cannot be loaded"
sqlite3 "$db" "CREATE TABLE twice (tick_id); CREATE TRIGGER twice AFTER UPDATE
	ON quote BEGIN INSERT INTO twice VALUES (new.tick_id); END" ||
	fail "no trigger"

for ((i = 1; i <= rounds; i++)); do
	start $((i * chunk))
	sleep "$(printf '0.%03d' $((RANDOM % 120)))"
	victims=$((1 + RANDOM % 3))
	for ((k = 0; k < victims; k++)); do
		kill -9 "${pids[RANDOM % 3]}" 2>/dev/null
	done
	finish
	case " ${ends[*]} " in *' 137 '*) killed=$((killed + 1)) ;; *) late=$((late + 1)) ;; esac
	# Killed, its neighbours gone, cut off, some rejected, or done.
	for end in "${ends[@]}"; do
		case $end in 0 | 1 | 3 | 137 | 141) ;; *)
			odd=$((odd + 1))
			echo "round $i: statuses ${ends[*]}" >&2
			;;
		esac
	done
done

start $total
finish
for end in "${ends[@]}"; do
	[ "$end" -le 1 ] || fail "the last run ended with ${ends[*]}"
done

rows "$db" >"$dir/got"
rows "$want" >"$dir/want"
refused "$db" >"$dir/got.rejects"
refused "$want" >"$dir/want.rejects"
missing=$(comm -13 "$dir/got" "$dir/want" | wc -l)
extra=$(comm -23 "$dir/got" "$dir/want" | wc -l)
twice=$(sqlite3 "$db" 'SELECT count(*) FROM twice')
rejects=$(diff "$dir/got.rejects" "$dir/want.rejects" | grep -c '^[<>]')
pos=$(sqlite3 "$db" 'SELECT pos FROM fl_position')

echo "N=$(wc -l <"$dir/want") rounds=$rounds seed=$seed killed=$killed late=$late" \
	"missing=$missing extra=$extra twice=$twice rejects=$(wc -l <"$dir/want.rejects")" \
	"rejects_differ=$rejects odd=$odd"
[ "$missing$extra$twice$rejects$odd" = 00000 ] && [ "$pos" = $total ] &&
	[ "$killed" -gt 0 ] && [ -s "$dir/want" ] && [ -s "$dir/want.rejects" ]
