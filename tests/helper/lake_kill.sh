#!/usr/bin/env bash
# lake_kill.sh ROUNDS SEED FOLDER [PLACE OBJECTS]: kill -9 a pipeline into a lake
# again and again while a reader loops, then compare what is stored with an
# undisturbed run. PLACE is an empty place on S3, of which the server keeps the
# objects in the folder OBJECTS; without it the lake is a folder.
#
# In each round a pipeline of more records than the round before it runs into the
# lake, and one to three of its processes are killed after a random while. All
# the time somebody else reads the lake, who must never see a record twice, nor
# fewer than before, nor half of a commit: what he sees is always the beginning
# of the data, up to a position that a mark had. A last run goes to the end.
# Prints one line with the verdict; status 0 when all holds.
set -u -o pipefail

rounds=$1 seed=$2 dir=$3
chunk=4000 # records more in each round
lake=${4:-$dir/killed/}
objects=${5:-$dir/killed}
data=(sim --rate 200)
killed=0 odd=0 i=0
RANDOM=$seed
exec 2>"$dir/shell.err" # where the shell tells of each process killed

fail() {
	touch "$dir/stop"
	echo "not ok: $*"
	exit 1
}

# start N: the pipeline over the first N records, its processes in `pids`.
start() {
	rm -f "$dir/a" "$dir/b"
	mkfifo "$dir/a" "$dir/b"
	fl-fetch "${data[@]}" -n "$1" --resume "$lake" --pipeline p \
		--marks 200,50ms >"$dir/a" 2>>"$dir/fetch.err" &
	pids=($!)
	fl-clean <"$dir/a" >"$dir/b" 2>>"$dir/clean.err" &
	pids+=($!)
	fl-load --pipeline p "$lake" --batch 400,50ms <"$dir/b" \
		2>>"$dir/load.err" &
	pids+=($!)
}

finish() {
	ends=()
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null
		ends+=($?)
	done
}

# Reads until told to stop; a line for each look: records, and how many of them
# are not those that the data begin with.
watch() {
	local seen wrong
	while [ ! -e "$dir/stop" ]; do
		fl-fetch store "$lake" >"$dir/look" 2>>"$dir/look.err" || {
			echo "0 1 status $?"
			continue
		}
		seen=$(wc -l <"$dir/look")
		wrong=$(cmp -s <(head -n "$seen" "$dir/all" | sort) <(sort "$dir/look") || echo 1)
		echo "$seen ${wrong:-0}"
	done
}

total=$(((2 * rounds + 3) * chunk))
fl-fetch "${data[@]}" -n $total >"$dir/all" || fail 'no data'
fl-fetch "${data[@]}" -n 1 --resume "$lake" --pipeline p | fl-clean -q |
	fl-load -q --pipeline p "$lake" || fail 'the first record cannot be loaded'
watch >"$dir/looks" &
watcher=$!

# How long a round takes when nobody disturbs it: kills fall anywhere in that.
began=$(date +%s%N)
start $chunk
finish
span=$((($(date +%s%N) - began) / 1000000))

for ((i = 2; killed < rounds && i <= 2 * rounds + 2; i++)); do
	start $((i * chunk))
	ms=$((RANDOM % (span + 1)))
	sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
	victims=$((1 + RANDOM % 3))
	# The writer is whom this is about.
	kill -9 "${pids[2]}" 2>/dev/null
	for ((k = 1; k < victims; k++)); do
		kill -9 "${pids[RANDOM % 3]}" 2>/dev/null
	done
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

start $((i * chunk))
finish
[ "${ends[*]}" = '0 0 0' ] || fail "the last run ended with ${ends[*]}"
touch "$dir/stop"
wait "$watcher"

head -n $((i * chunk)) "$dir/all" | sort >"$dir/want"
fl-fetch store "$lake" | sort >"$dir/got"
find "$objects/quote" -name '*.zst' -print0 | xargs -0 zstdcat | sort >"$dir/raw"
missing=$(comm -13 "$dir/got" "$dir/want" | wc -l)
extra=$(comm -23 "$dir/got" "$dir/want" | wc -l)
doubled=$(uniq -d "$dir/raw" | wc -l)
wrong=$(awk '$2 || $1 < before { n++ } { before = $1 } END { print n + 0 }' "$dir/looks")
pos=$(fl-load --positions "$lake" | jq -r '.at[][0]')

echo "N=$(wc -l <"$dir/want") seed=$seed killed=$killed missing=$missing" \
	"extra=$extra doubled=$doubled looks=$(wc -l <"$dir/looks") wrong=$wrong odd=$odd"
[ "$missing$extra$doubled$wrong$odd" = 00000 ] && [ "$pos" = $((i * chunk)) ] &&
	[ "$killed" = "$rounds" ] && [ -s "$dir/want" ]
