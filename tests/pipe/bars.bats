#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # run sets output
# Bars through a pipeline with marks: parts, wherever they are cut, make the bars
# of an undisturbed run, in every kind of place.

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

places() { echo store.db lake/; }

@test "parts cut at any marks and merged by a store are the bars of one run" {
	fl-fetch sim -n 100000 --disorder 2s | fl-agg bars 1m,1h,1d --allowed-lateness 1h | sort >want
	for place in $(places); do
		for marks in 1 7 777 20011; do
			n=100000
			[ $marks -gt 7 ] || n=3000
			fl-fetch sim -n $n --disorder 2s --resume "$marks$place" --pipeline p --marks $marks,1h |
				fl-clean | fl-agg bars 1m,1h,1d | fl-load -q --pipeline p "$marks$place"
			fl-fetch sim -n $n --disorder 2s | fl-agg bars 1m,1h,1d --allowed-lateness 1h | sort >want
			fl-fetch store "$marks$place" | sort | cmp - want
		done
	done
}

@test "the last bars are not final until their time is over" {
	for place in $(places); do
		fl-fetch sim -n 1000 --resume "$place" --pipeline p | fl-agg bars 1h | fl-load -q --pipeline p "$place"
		[ "$(fl-fetch store "$place" | jq -c 'select(.final == false)' | wc -l)" = 5 ]
		fl-fetch sim -n 60000 --resume "$place" --pipeline p | fl-agg bars 1h | fl-load -q --pipeline p "$place"
		[ "$(fl-fetch store "$place" | jq -c 'select(.final == false) | .ts' | sort -u | wc -l)" = 1 ]
		[ "$(fl-fetch store "$place" | grep -c '"partial"')" = 0 ]
	done
}

@test "parts come in by a mark, or by --merge, and no other way" {
	fl-fetch sim -n 1000 | fl-agg bars 1h --partial >parts
	fl-fetch sim -n 1000 | fl-agg bars 1h | sort >want
	for place in $(places); do
		run_json 1 fl-load --rejects bad "$place" parts
		[ "$(jq -r .reason bad | sort | uniq -c | xargs)" = '5 merge_conflict' ]
		[[ $(jq -r .detail bad | head -n 1) == *--merge* ]]
		rm bad
		run_json 0 fl-load --merge "$place" parts
		[ "$(fl-fetch store "$place" | wc -l)" = 5 ]
		[ "$(fl-fetch store "$place" | jq -c .trades | sort)" = "$(jq -c .trades parts | sort)" ]
	done
}

@test "parts in any groups and any order, some merged before and some by the store, are the bars of one run" {
	ticks=200000
	[ "$FL_VARIANT" = release ] || ticks=20000
	fl-fetch sim -n $ticks >in
	fl-agg bars 1m,1h --allowed-lateness 1h in | sort >want
	# Cut at random, with a fixed seed.
	awk 'BEGIN { srand(7) } { if (NR > next_cut) { part++; next_cut = NR + int(rand() * 9000) } print > sprintf("part.%05d", part) }' in
	for part in part.*; do
		fl-agg bars 1m,1h --partial "$part"
	done | shuf --random-source=<(yes 7) >parts
	awk 'BEGIN { srand(11) } { print > sprintf("group.%02d", int(rand() * 12)) }' parts
	for place in $(places); do
		for group in group.*; do
			case $group in
			*[02468]) fl-agg bars 1m,1h --merge --partial "$group" ;;
			*) cat "$group" ;;
			esac
		done | fl-load -q --merge --batch 500,1s "$place"
		fl-fetch store "$place" | jq -c 'del(.final)' | sort >got
		jq -c 'del(.final)' want | sort | cmp got -
	done
}

@test "a whole bar does not replace one made of parts, unless told to, nor do parts a whole one" {
	fl-fetch sim -n 1000 | fl-agg bars 1h --partial >parts
	fl-fetch sim -n 2000 | fl-agg bars 1h >whole
	place=store.db # a lake finds out when it is read
	fl-load -q --merge "$place" parts
	run_json 1 fl-load --rejects bad "$place" whole
	[ "$(jq -r .reason bad | sort | uniq -c | xargs)" = '5 merge_conflict' ]
	run_json 0 fl-load --replace "$place" whole
	fl-fetch store "$place" | sort | cmp - <(sort whole)
	run_json 1 fl-load --merge "$place" parts
	fl-fetch store "$place" | sort | cmp - <(sort whole)
}

@test "kill -9 of any process of a pipeline that makes bars, again and again, changes none" {
	rounds=6
	[ -z "${FL_LONG:-}" ] || rounds=60
	for place in $(places); do
		mkdir "k$place"
		run "$BATS_TEST_DIRNAME/../helper/kill_bars.sh" $rounds 1 "$PWD/k$place" "$PWD/$place"
		echo "# $place $output" >&3
		[ "$status" = 0 ]
	done
}
