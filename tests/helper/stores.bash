# shellcheck shell=bash disable=SC2154 # who loads this sets place; run, output
# stores: what holds for every place in a database, whichever kind it is: the
# tests of one kind call these with an empty one in $place.

# quote SECOND [PRICE]: a line.
quote() {
	printf '{"type":"quote","ts":"2026-01-02T16:00:%02d.000Z","provider":"t","symbol":"ZZZT","price":%s,"seq":%d}\n' \
		"$1" "${2:-100}" "$1"
}

# marked FROM TO [LINE...]: a stream of pipeline p.
marked() {
	local from=$1 to=$2
	shift 2
	echo '{"type":"mark","pipeline":"p","at":{},"open":true,"via":["t"]}'
	[ $# = 0 ] || printf '%s\n' "$@"
	echo '{"type":"mark","pipeline":"p","at":{"o":['"$from,$to"']},"end":true}'
}

every_type_comes_back() {
	local file
	for file in "$BATS_TEST_DIRNAME"/../data/rec/*.ndjson; do
		[[ $file != *.bad.ndjson ]] || continue
		grep -v '"partial":true' "$file" >>in
	done
	fl-load -q x.db in
	fl-load -q "$place" in
	fl-fetch store x.db >want
	fl-fetch store "$place" >got
	cmp want got
	[ "$(wc -l <got)" -gt 40 ]
	run -0 fl-load --stats text "$place" in
	[[ $output == *'stored (0 new, '* ]]
	fl-fetch store "$place" | cmp - want
}

# killed_at_random KILLS-OF-TICKS KILLS-OF-BARS: a pipeline of each.
killed_at_random() {
	run "$BATS_TEST_DIRNAME/../helper/kill_loop.sh" "$1" 7 "$PWD" 25s "$place"
	echo "# $output" >&3
	[ "$status" = 0 ]
}
bars_killed_at_random() {
	run "$BATS_TEST_DIRNAME/../helper/kill_bars.sh" "$1" 3 "$PWD" "$place"
	echo "# $output" >&3
	[ "$status" = 0 ]
}

one_copy_wins() {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	run -3 fl-load --pipeline p "$place" < <(marked null '"6"' "$(quote 2)")
	[[ $output == *"was taken over: the stream begins 'o' anew, where "*"holds '5' by now"* ]]
	run -3 fl-load --pipeline p "$place" < <(marked '"4"' '"6"' "$(quote 2)")
	[[ $output == *"from '4' of 'o', where "*" holds '5' by now"* ]]
	[ "$(fl-fetch store "$place" | wc -l)" = 1 ]
	run -0 fl-load --positions "$place"
	[[ $output == *'"at":{"o":["5","5"]}'* ]]
}

a_mark_may_stand_still() {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	fl-load --pipeline p "$place" < <(marked '"5"' '"5"' "$(quote 2)")
	[ "$(fl-fetch store "$place" | wc -l)" = 2 ]
}

# copies_side_by_side MARKS: three copies of a pipeline share its origins.
copies_side_by_side() {
	local marks=$1 origin from i pid pids=()
	for origin in a b c; do
		{
			echo '{"type":"mark","pipeline":"p","at":{},"open":true,"via":["t"]}'
			from=null
			for ((i = 1; i <= marks; i++)); do
				quote $((i % 60)) "$i" | sed "s/ZZZT/$origin/"
				printf '{"type":"mark","pipeline":"p","at":{"%s":[%s,"%d"]}}\n' $origin "$from" "$i"
				from="\"$i\""
			done
			echo '{"type":"mark","pipeline":"p","at":{},"end":true}'
		} >"stream.$origin"
	done
	for origin in a b c; do
		fl-load -q --pipeline p --batch 1 "$place" <"stream.$origin" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	[ "$(fl-fetch store "$place" | wc -l)" = $((3 * marks)) ]
	[ "$(fl-load --positions "$place" | jq -c '[.at[][1]]')" = "[\"$marks\",\"$marks\",\"$marks\"]" ]
}

# one_behind_waits COMMAND...: it holds the position, and moves it to 7.
one_behind_waits() {
	marked null '"5"' "$(quote 1)" | fl-load --pipeline p "$place"
	"$@" >/dev/null &
	sleep 0.4
	run -3 fl-load --pipeline p "$place" < <(marked '"5"' '"6"' "$(quote 2)")
	[[ $output == *"holds '7' by now"* ]]
	wait
}

nothing_is_held() {
	run -4 fl-load --pipeline p "$place" < <(marked '"5"' '"6"' "$(quote 2)")
	[[ $output == *"holds no position of 'o' in pipeline 'p'"* ]]
}

# refuses_dear_ones WORDS: it has been told to refuse prices from 1000 on.
refuses_dear_ones() {
	local i
	for i in {1..40}; do quote "$i" $((i == 7 || i == 31 ? 5000 : i)); done >in
	run_json 1 fl-load --rejects bad "$place" in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[40,38,2]' ]
	[ "$(fl-fetch store "$place" | wc -l)" = 38 ]
	[ "$(jq -c '[.reason, .line]' bad)" = $'["sink_refused",7]\n["sink_refused",31]' ]
	[[ $(jq -r .detail bad) == *"$1"* ]]
	[ "$(jq -r .raw bad)" = "$(sed -n '7p; 31p' in)" ]
}

# refuses_between_marks WORDS: it has been told to refuse a price of 5.
refuses_between_marks() {
	marked null '"2"' "$(quote 1)" "$(quote 2 5)" "$(quote 3)" >in
	run_json 1 fl-load --pipeline p "$place" <in
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[3,2,1]' ]
	[ "$(fl-fetch store "$place" --type quote | wc -l)" = 2 ]
	[ "$(fl-fetch store "$place" --type reject | jq -r '.reason + " " + .detail')" = "sink_refused $1" ]
	[[ $(fl-load --positions "$place") == *'["2","2"]'* ]]
}

# keeps_a_password NAME: one in the place is refused, and NAME told of.
keeps_a_password() {
	run -2 fl-load "${place/lake@/lake:hunter2@}" /dev/null
	[[ $output == *'lake:***@'*"$1"* ]]
	[[ $output != *hunter2* ]]
}

# newer_tables COMMAND...: does the SQL behind it.
newer_tables() {
	fl-load --migrate "$place"
	"$@" "$place" 'UPDATE fl_schema SET version = 99'
	run -4 fl-load "$place" /dev/null
	[[ $output == *'has schema version 99, newer than the '*': update financelake' ]]
	run -4 fl-fetch store "$place"
	[[ $output == *'schema version 99'* ]]
}

# A migration while a load runs.
newer_tables_meanwhile() {
	fl-load --migrate "$place"
	{
		quote 1
		sleep 0.5
		"$@" "$place" 'UPDATE fl_schema SET version = 99' >&2
		quote 2
	} | {
		run -4 fl-load --batch 1,10s "$place"
		[[ $output == *'was brought to schema version 99 by another program'* ]]
	}
}

selects_as_sqlite_does() {
	fl-fetch sim -n 3000 | fl-load "$place"
	fl-fetch sim -n 3000 | fl-load x.db
	fl-fetch store "$place" --last 3 | cmp - <(fl-fetch store x.db --last 3)
	fl-fetch store "$place" --symbol ZZZB --from 2026-01-02T14:31Z |
		cmp - <(fl-fetch store x.db --symbol ZZZB --from 2026-01-02T14:31Z)
	fl-fetch store "$place" --list | cmp - <(fl-fetch store x.db --list)
}
