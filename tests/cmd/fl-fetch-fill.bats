#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # serve uses data and sets url; run sets output
# fl-fetch yahoo --fill: what a store lacks is found by the calendar, asked for,
# and nothing else.

load ../helper/common
load ../helper/provider

setup() {
	begin_provider yahoo
	play <<<"ZZZT | 200 | body=good.json | $NIGHT"
}

teardown() { end_provider; }

# The whole series, but for the dates named.
store_without() {
	local dates=$1 place
	cp "$data/good.ndjson" all
	grep -vE "\"date\":\"($dates)\"" all >some
	for place in store.db lake/; do
		fl-load -q "$place" some
	done
}

@test "holes are told with --dry-run, as records and as a table" {
	mapfile -t dates < <(jq -r 'select(.type == "bar") | .date' "$data/good.ndjson")
	[ ${#dates[@]} -ge 4 ]
	gone=${dates[1]}
	store_without "$gone"
	run -0 fetch --fill store.db --dry-run ZZZT
	[ "$(jq -c '[.type, .stat, .subject, .by.symbol, .values.count, .values.first[:10], .values.last[:10]]' <<<"$output")" = \
		"[\"stat\",\"holes\",\"bar/yahoo/ZZZT/1d\",\"ZZZT\",1,\"$gone\",\"$gone\"]" ]
	[ ! -s web.log ]
	fl-clean --canonical <<<"$output" | cmp - <(echo "$output")
	run -0 fetch --fill store.db --dry-run ZZZT --as table
	[[ ${lines[0]} == TYPE*SYMBOL*INTERVAL*COUNT*FIRST*LAST ]]
	[[ ${lines[1]} == bar*ZZZT*1d*1*"$gone"*"$gone" ]]
}

@test "a hole is asked for and filled, in every kind of store, and then there is none" {
	mapfile -t dates < <(jq -r 'select(.type == "bar") | .date' "$data/good.ndjson")
	gone="${dates[1]}|${dates[2]}"
	store_without "$gone"
	for place in store.db lake/; do
		: >web.log
		run -0 fetch --fill $place ZZZT
		[ "$(jq -r 'select(.type == "bar") | .date' <<<"$output" | xargs)" = "${gone/|/ }" ]
		[ "$(asked | wc -l)" = 1 ]
		# The window is that of the hole, a day on each side.
		from=$(sed -E 's/.*period1=([0-9]+).*/\1/' <(asked)) to=$(sed -E 's/.*period2=([0-9]+).*/\1/' <(asked))
		[ "$from" -ge $(($(date -ud "${dates[1]}" +%s) - 2 * 86400)) ]
		[ "$to" -le $(($(date -ud "${dates[2]}" +%s) + 3 * 86400)) ]
		echo "$output" | fl-clean | fl-load -q $place
		fl-fetch store $place --type bar | cmp - <(grep '"type":"bar"' all)
		: >web.log
		run -0 fetch --fill $place ZZZT
		[ -z "$output" ]
		[ ! -s web.log ]
	done
}

@test "of a series that is not stored all is fetched, as without --fill" {
	fl-fetch sim -n 10 | fl-load -q other.db
	: >web.log
	run -0 fetch --fill other.db --from 2025-12-15 ZZZT
	[ "$(asked | wc -l)" = 1 ]
	diff <(echo "$output") "$data/good.ndjson"
}

@test "a hole that the provider cannot fill any more is a reject that says so" {
	bar() {
		printf '{"type":"bar","ts":"%s","provider":"yahoo","symbol":"ZZZT","interval":"1m","open":1,"high":1,"low":1,"close":1,"adj":"split","exchange":"NMS"}\n' "$1"
	}
	{
		bar 2025-11-03T14:30:00.000Z
		bar 2025-11-03T14:32:00.000Z
	} | fl-load -q old.db
	run -1 fetch --fill old.db --interval 1m --to 2025-11-03T14:33Z --rejects bad ZZZT
	[ "$(jq -r '"\(.reason) \(.detail)"' bad)" = "provider_error bars from 2025-11-03T14:31:00.000Z on are missing, and yahoo gives 1m bars for the last 29 days only" ]
	[ ! -s web.log ]
}

@test "misuse and places that are not there" {
	run -2 fetch --fill store.db --type dividend ZZZT
	[ "$output" = "fl-fetch: --fill looks for bars, and none are asked for" ]
	run -5 fetch --fill none.db ZZZT
	[[ $output == *"'none.db'"* ]]
	run -2 fetch --fill none ZZZT
	[[ $output == *"names no place"* ]]
}
