#!/usr/bin/env bats
# The simulated market of fl-fetch.
# shellcheck disable=SC2016 # what jq and inner shells expand

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export FL_RUNS=$BATS_TEST_TMPDIR/runs.all
}

# Whatever the test ran, its accounts must close.
teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/runs.all" ] || account_closes "$BATS_TEST_TMPDIR/runs.all"
}

@test "the same seed gives the same bytes, on every machine" {
	run -0 bash -c 'fl-fetch sim -n 100000 --duplicates 0.05 --disorder 10s --bad 0.01 | sha256sum'
	[ "${output%% *}" = 320443b9b0758c6de71d172365b4b3c58b30b12e577e2940a5cce4f606e385fd ]
	run -0 bash -c 'fl-fetch sim --seed 2 --universe 30 --rate 1 -n 100000 | sha256sum'
	[ "${output%% *}" = 88b87d332e65761a9de1fffcfbe2c8a9da1f2518a228a0078766bbedab538bd0 ]
}

@test "another seed gives another market" {
	fl-fetch sim -n 100 >one
	fl-fetch sim -n 100 --seed 2 >two
	run ! cmp -s one two
}

@test "a smaller count is the beginning of a larger one, dirt and all" {
	fl-fetch sim -n 5000 --duplicates 0.1 --disorder 5s --bad 0.02 >long
	fl-fetch sim -n 3000 --duplicates 0.1 --disorder 5s --bad 0.02 >short
	head -n 3000 long | cmp - short
}

@test "without a count there is one session, with most trades at its ends" {
	fl-fetch sim --rate 1 >day
	run -0 jq -rn 'reduce inputs as $r ({};
		.min = ([.min // $r.ts, $r.ts] | min) | .max = ([.max // $r.ts, $r.ts] | max) |
		.n += 1 | .hours[$r.ts[11:13]] += 1) |
		.min[0:16], .max[0:16], (.n > 22500 and .n < 24300),
		(.hours["20"] > 2 * .hours["17"]), (.hours["15"] > 1.5 * .hours["17"])' day
	[ "$output" = $'2026-01-02T14:30\n2026-01-02T20:59\ntrue\ntrue\ntrue' ]
}

@test "the market is closed at night and at week-ends" {
	fl-fetch sim --rate 1 -n 200000 >days
	cut -d '"' -f 8 days >stamps
	[ "$(cut -c 1-10 stamps | uniq | xargs)" = "2026-01-02 2026-01-05 2026-01-06 2026-01-07 2026-01-08 2026-01-09 2026-01-12 2026-01-13 2026-01-14" ]
	[ "$(cut -c 12-16 stamps | sort -u | sed -n '1p;$p' | xargs)" = "14:30 20:59" ]
}

@test "symbols are invented and go on behind ZZZZ" {
	fl-fetch sim --universe 30 -n 20000 >ticks
	run -0 jq -rn '[inputs.symbol] | unique | sort_by([length, .]) | join(" ")' ticks
	[ "$output" = "$(printf 'ZZZ%s ' {A..Z} AA AB AC | xargs) ZZZAD" ]
}

@test "prices move as a market: correlated, in cents, by a few percent a day" {
	fl-fetch sim --seed 3 --rate 1 >day
	run -0 jq -n 'reduce inputs as $r ({}; .[$r.symbol] |= (. // {o: $r.price, h: $r.price, l: $r.price} |
			.h = ([.h, $r.price] | max) | .l = ([.l, $r.price] | min))) |
		[.[] | (.h - .l) / .o] | (length == 5) and (min > 0.002) and (max < 0.2)' day
	[ "$output" = true ]
	run -0 grep -cvE '"price":[0-9]+(\.[0-9][1-9]?|\.[1-9])?,' day || true
	[ "$output" = 0 ]
}

@test "records are canonical: fl-clean changes none and refuses none" {
	fl-fetch sim -n 50000 >ticks
	fl-clean --canonical <ticks >clean 2>err
	cmp ticks clean
	account_closes fl-fetch sim -n 1000
}

@test "records hold nothing that depends on the clock" {
	run -0 fl-fetch sim -n 1
	[[ $output != *ts_recv* ]]
	[ "$output" = '{"type":"quote","ts":"2026-01-02T14:30:00.064Z","provider":"sim","symbol":"ZZZE","price":420.81,"size":200,"seq":1,"currency":"USD"}' ]
}

@test "repeats are exact, as many as asked for, and fl-clean finds each" {
	fl-fetch sim -n 40000 --duplicates 0.1 >ticks
	repeats=$(($(wc -l <ticks) - $(sort -u ticks | wc -l)))
	[ "$repeats" -gt 3700 ] && [ "$repeats" -lt 4300 ]
	fl-clean --stats json <ticks >clean 2>account
	[ "$(jq .duplicates account)" = "$repeats" ]
	fl-fetch sim -n 40000 >plain
	head -n "$(wc -l <clean)" plain | cmp - clean
}

@test "disorder changes the order only, and by no more than was said" {
	fl-fetch sim >plain
	fl-fetch sim --disorder 10s >late
	run ! cmp -s plain late
	cmp <(sort plain) <(sort late)
	run -0 jq -rn 'reduce inputs as $r ({max: 0, behind: 0, late: 0};
		($r.ts | .[0:19] + "Z" | fromdate * 1000 + ($r.ts[20:23] | tonumber)) as $t |
		if $t > .max then .max = $t else .late += 1 | .behind = ([.behind, .max - $t] | max) end) |
		.behind > 9000 and .behind <= 10000, .late > 4000' <(fl-fetch sim --disorder 10s -n 20000)
	[ "$output" = $'true\ntrue' ]
}

@test "each damaged line is refused, for as many reasons as there are kinds" {
	fl-fetch sim -n 40000 --bad 0.02 >ticks
	status=0
	fl-clean --stats json --rejects bad ticks >clean 2>account || status=$?
	[ "$status" = 1 ]
	account_closes fl-clean ticks
	n=$(jq .rejected account)
	[ "$n" -gt 700 ] && [ "$n" -lt 900 ]
	[ "$(wc -l <bad)" = "$n" ]
	run -0 jq -rn '[inputs.reason] | unique | join(" ")' bad
	[ "$output" = "bad_json bad_number bad_time bad_type bad_utf8 duplicate_key missing_field out_of_range unknown_type" ]
	fl-fetch sim -n 45000 >plain
	[ "$(grep -cvxFf plain clean)" = 0 ]
}

@test "speed is a multiple of market time, and does not change the bytes" {
	fl-fetch sim --rate 1 -n 20 >fast
	start=$(date +%s%N)
	fl-fetch sim --rate 1 -n 20 --speed 10 >slow
	took=$((($(date +%s%N) - start) / 1000000))
	cmp fast slow
	span=$(jq -n '[inputs.ts | .[17:23] | tonumber] | (last - first) * 100 | floor' fast)
	[ "$took" -ge "$span" ]
	[ "$took" -lt $((span + 2000)) ]
}

@test "at a speed records come when they are due, not when a buffer is full" {
	run -0 timeout 5 bash -c 'fl-fetch sim --speed 1 --rate 20 | head -n 3 | wc -l'
	[ "$output" = 3 ]
}

@test "a stop ends the source in good order" {
	fl-fetch sim --speed 1 >out &
	sleep 0.4
	kill -TERM $!
	status=0
	wait $! || status=$?
	[ "$status" = 143 ]
	[ -z "$(tail -c 1 out | tr -d '\n')" ]
	jq -e . out >/dev/null
}

@test "selections apply to what was counted" {
	fl-fetch sim -n 20000 >all
	fl-fetch sim -n 20000 --symbol ZZZB,ZZZC >some
	jq -c 'select(.symbol == "ZZZB" or .symbol == "ZZZC")' all | cmp - some
	fl-fetch sim -n 20000 --from 2026-01-02T14:31:00Z --to 2026-01-02T14:32:00Z >some
	jq -c 'select(.ts >= "2026-01-02T14:31" and .ts < "2026-01-02T14:32")' all | cmp - some
	run -0 fl-fetch sim -n 10 --type quote
	[ "${#lines[@]}" = 10 ]
	run -2 fl-fetch sim -n 100 --type bar
	[ "$output" = "fl-fetch: sim gives quote; no bar" ]
	account_closes fl-fetch sim -n 20000 --symbol ZZZB --from 2026-01-02T14:31:00Z
}

@test "--last gives the newest of each symbol, by time" {
	fl-fetch sim -n 20000 --disorder 1m >all
	fl-fetch sim -n 20000 --disorder 1m --last 7 >some
	jq -sc 'group_by(.symbol) | map(sort_by(.ts, .seq)[-7:]) | add | sort_by(.ts, .seq)[]' all |
		jq -c . | sort >want
	sort some | cmp - want
	jq -r .ts some | sort -c
	account_closes fl-fetch sim -n 20000 --last 7
}

@test "an option out of range says what it takes" {
	for bad in '--universe 0' '--rate 0' '--rate 2000000' '--duplicates 0.9' '--bad 2' \
		'--disorder 13h' '--disorder 1h --rate 100000' '--speed -1' '--count x' 'AAPL'; do
		# shellcheck disable=SC2086
		run -2 fl-fetch sim $bad
		[ "${#lines[@]}" = 1 ]
		[[ $output == 'fl-fetch: '* ]]
	done
}
