#!/usr/bin/env bats
# What keeps a lake in order: all of it is looked at, what is damaged is mended,
# what is old is removed; and files that lie beside records as they are.
# shellcheck disable=SC2016,SC2154 # what jq and inner shells expand; run, run_json

load ../helper/common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# fill: three objects of ticks, bars of a pipeline in parts, and some days of bars.
fill() {
	for i in 1 2 3; do
		fl-fetch sim -n 20000 --seed "$i" | fl-load -q lake/
	done
	fl-fetch sim -n 5000 --seed 4 --resume lake/ --pipeline p --marks 500,10ms |
		fl-agg bars 1m | fl-load -q --pipeline p lake/
	for day in 1 2 3; do
		printf '{"type":"bar","ts":"2026-01-0%dT00:00:00.000Z","provider":"t","symbol":"A","interval":"1d","open":1,"high":2,"low":1,"close":1,"adj":"none","date":"2026-01-0%d"}\n' "$day" "$day"
	done | fl-load -q lake/
}

objects() { find lake/quote -name 'part-*' | sort; }

# damage FILE BYTE
damage() {
	printf '\377\376' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "a lake that is good is called so, in a folder of its own and compacted" {
	fill
	run -0 --separate-stderr fl-load --verify --stats text lake/
	[ -z "$output" ]
	[[ $stderr =~ ^"fl-load: 7 files of 'lake/' are good, with 60,"[0-9]{3}" records"$ ]]
	fl-load -q --compact --older-than 0s lake/
	run -0 --separate-stderr fl-load --verify --repair --stats text lake/
	[ -z "$output" ]
	[[ $stderr == "fl-load: 5 files of 'lake/' are good, with "* ]]
	[ ! -e lake/_damaged ]
	run -2 fl-load --repair lake/
	[ "$output" = "fl-load: --repair goes with --verify; see fl-load --help" ] || [[ $output == *"--repair goes with --verify"* ]]
	: | fl-load -q x.db
	run -2 fl-load --verify x.db
	[[ $output == *"'x.db' is no lake: there is nothing to verify"* ]]
	run -5 fl-load --verify none/
	[ ! -e none ]
}

@test "whatever byte is turned is found, mended, and what was lost can be loaded again" {
	fill
	fl-fetch store lake/ >all
	# Where the last row of a key is lost, the one before it is left.
	find lake -name 'part-*' -print0 | xargs -0 zstdcat | sort - all >ever
	cp -r lake good
	RANDOM=5
	for round in {1..25}; do
		rm -rf lake
		cp -r good lake
		((round % 2)) || fl-load -q --compact --older-than 0s lake/
		mapfile -t objects < <(objects)
		object=${objects[RANDOM % ${#objects[@]}]}
		damage "$object" $(((RANDOM * 32768 + RANDOM) % ($(stat -c %s "$object") - 2)))
		cp "$object" bad
		run -6 --separate-stderr fl-load --verify --stats text lake/
		[[ $output == "'$object' is damaged at byte "* ]]
		[[ $stderr == "fl-load: 1 of "*" files of 'lake/' is damaged; --verify --repair writes what can be read of them anew"* ]]
		run -0 --separate-stderr fl-load --verify --repair --stats text lake/
		[[ $output == *"'$object' was put aside, as 'lake/_damaged/${object#lake/}'; "*" records of it are kept" ||
			$output == *"'$object' was written anew; nothing of it was lost" ]]
		[[ $stderr == *"; 1 was damaged and is mended" ]]
		[ ! -e "lake/_damaged/${object#lake/}" ] || cmp bad "lake/_damaged/${object#lake/}"
		run -0 fl-load --verify lake/
		fl-fetch store lake/ >left
		[ "$(comm -13 ever <(sort left) | wc -l)" = 0 ]
		[ "$(wc -l <left)" -gt 50000 ]
		for seed in 1 2 3; do
			fl-fetch sim -n 20000 --seed "$seed" | fl-load -q lake/
		done
		fl-fetch store lake/ | cmp - all
	done
}

@test "an object that was cut between two frames is found, also by who reads it" {
	fl-fetch sim -n 20000 >in
	fl-load -q lake/ in
	object=$(objects)
	# As long as all frames but the last.
	size=$(fl-fetch -v store lake/ 2>&1 >/dev/null | wc -c) # any reader
	last=$(python3 - "$object" <<-'END'
		import sys
		data = open(sys.argv[1], "rb").read()
		print(data.rindex(b"\x28\xb5\x2f\xfd"))
	END
	)
	[ "$size" -gt 0 ]
	truncate -s "$last" "$object"
	zstd -qt "$object"
	run -6 --separate-stderr fl-fetch store lake/
	[[ $stderr == *"'$object' is damaged at byte $last: 0 bytes passed over (its records are not those that its name stands for; some may be missing); all other records were given"* ]]
	[ "${#lines[@]}" -gt 10000 ]
	run -6 fl-load --verify lake/
	run -0 fl-load --verify --repair lake/
	run -0 fl-fetch store lake/
	fl-load -q lake/ in
	fl-fetch store lake/ | cmp - <(sort -t '"' -k 8,8 -s in) || fl-fetch store lake/ | sort | cmp - <(sort in)
}

@test "parts of bars are told and left, and what stands in the wrong place" {
	fill
	part=$(find lake/bar_partial -name 'part-*')
	cp "$part" good
	damage "$part" 40
	run -6 fl-load --verify --repair lake/
	[[ $output == *"'$part' was left: parts of bars count twice when they are written anew; remove it, and make the bars of that date from their ticks"* ]]
	[ -e "$part" ]
	cp good "$part"
	# A date that was moved by hand, and records that are none.
	mkdir lake/bar/dt=2026-02-01
	mv lake/bar/dt=2026-01-02/part-* lake/bar/dt=2026-02-01/
	run -6 fl-load --verify lake/
	[[ $output == *"(a record of another date)"* ]]
	[[ $output == *"1 of 7 files of 'lake/' is damaged"* ]]
}

@test "killed anywhere in mending, nothing more is lost" {
	fl-fetch sim -n 20000 >in
	fl-load -q lake/ in
	object=$(objects)
	damage "$object" 30000
	run -6 fl-fetch store lake/
	grep -v '^fl-' <<<"$output" >left
	cp -r lake start
	for ms in 001 002 003 004 005 006 007 008 010 012 014 017 020 025; do
		rm -rf lake
		cp -r start lake
		timeout -s KILL 0.$ms fl-load -q --verify --repair lake/ >/dev/null 2>&1 || true
		fl-fetch store lake/ 2>/dev/null >now || true
		cmp now left
		fl-load -q --verify --repair lake/ >/dev/null
		fl-fetch store lake/ | cmp - left
		run -0 fl-load --verify lake/
	done
}

@test "dates that are too old are listed, and removed when that is said" {
	for day in 01 02 03; do
		printf '{"type":"quote","ts":"2020-01-%sT10:00:00.000Z","provider":"t","symbol":"A","price":1,"seq":1}\n' $day
		printf '{"type":"news","ts":"2020-01-%sT10:00:00.000Z","provider":"t","id":"%s","title":"t","url":"x:y"}\n' $day $day
	done | fl-load -q lake/
	now=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)
	yesterday=$(date -u -d '1 day ago' +%Y-%m-%d)
	printf '{"type":"quote","ts":"%s","provider":"t","symbol":"A","price":1,"seq":1}\n' "$now" "${yesterday}T23:59:59.999Z" |
		fl-load -q lake/
	touch lake/quote/dt=2020-01-02/mine
	run -0 --separate-stderr fl-load --expire quote=1d --stats text lake/
	[ "$output" = $'quote 2020-01-01 1 file\nquote 2020-01-02 1 file\nquote 2020-01-03 1 file' ]
	[ "$stderr" = "fl-load: 3 files of 3 dates of 'lake/' too old; --yes removes them" ]
	[ "$(fl-fetch store lake/ | wc -l)" = 8 ]
	run -0 --separate-stderr fl-load --expire quote=1d,news=100y --yes --stats text lake/
	[ "$stderr" = "fl-load: 3 files of 3 dates of 'lake/' removed" ]
	[ "$(fl-fetch store lake/ | jq -r .type | sort | uniq -c | tr -s ' \n' ' ')" = ' 3 news 2 quote ' ]
	[ "$(find lake/quote -type f -name '[^p]*')" = lake/quote/dt=2020-01-02/mine ]
	[ ! -e lake/quote/dt=2020-01-01 ]
	run -0 --separate-stderr fl-load --expire quote=1d --yes --stats text lake/
	[ "$stderr" = "fl-load: nothing of 'lake/' is too old" ]
	for bad in quote quote= =1d nix=1d quote=x; do
		run -2 fl-load --expire "$bad" lake/
	done
	run -2 fl-load --yes lake/
	[[ $output == *"--yes goes with --expire"* ]]
}

@test "what cannot be removed is said" {
	for seed in 1 2; do fl-fetch sim -n 100 --seed $seed | fl-load -q lake/; done
	unshare -rm true 2>/dev/null || skip 'no user namespaces here'
	ro() {
		unshare -rm bash -c 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
			shift
			"$@"' bash lake/quote/dt=2026-01-02 "$@"
	}
	run -5 ro fl-load --expire quote=1d --yes lake/
	[[ $output == "fl-load: cannot remove 'lake/quote/dt=2026-01-02/part-"*"': Read-only file system" ]]
	[ "$(fl-fetch store lake/ --unordered | wc -l)" -gt 100 ]
	run -2 fl-load --raw '' lake/ /dev/null
	[[ $output == *"--raw wants the name of who the files are from"* ]]
}

@test "a pipeline goes on when what it stored last has expired" {
	fl-fetch sim -n 2000 --resume lake/ --pipeline p --marks 500,1s | fl-load -q --pipeline p lake/
	fl-load --expire quote=1d --yes lake/ >/dev/null
	[ -z "$(fl-fetch store lake/)" ]
	fl-fetch sim -n 3000 --resume lake/ --pipeline p --marks 500,1s | fl-load -q --pipeline p lake/
	[ "$(fl-fetch store lake/ | wc -l)" = 1000 ]
}

@test "files are kept as they are" {
	head -c 700000 /dev/urandom >'an answer.json'
	echo '{"a":1}' >b.json
	today=$(date -u +%Y-%m-%d)
	run -0 --separate-stderr fl-load --raw my/feed --stats text lake/ 'an answer.json' b.json
	[[ ${lines[0]} =~ ^"lake/raw/my%2Ffeed/dt=$today/"[0-9a-f]{16}"-an%20answer.json"$ ]]
	[[ ${lines[1]} =~ ^"lake/raw/my%2Ffeed/dt=$today/"[0-9a-f]{16}"-b.json"$ ]]
	[ "$stderr" = "fl-load: 2 files of 700,008 bytes kept in 'lake/'" ]
	cmp 'an answer.json' "${lines[0]}"
	cmp b.json "${lines[1]}"
	# The same again is the same; another of that name is another.
	kept=${lines[1]}
	[ "$(fl-load --raw my/feed lake/ b.json)" = "$kept" ]
	echo '{"a":2}' >b.json
	[ "$(fl-load --raw my/feed lake/ b.json)" != "$kept" ]
	[ "$(find lake/raw -type f | wc -l)" = 3 ]
	# From a pipe, in whatever pieces it gives.
	whole=$(fl-load --raw p lake/ <'an answer.json')
	[ "$( (head -c 1000 'an answer.json'; sleep 0.1; tail -c +1001 'an answer.json') | fl-load --raw p lake/ -)" = "$whole" ]
	cmp 'an answer.json' "$whole"
	: | fl-load --raw p lake/
	# Records do not mind.
	fl-fetch sim -n 10 | fl-load -q lake/
	[ "$(fl-fetch store lake/ | wc -l)" = 10 ]
	[ -z "$(find lake/_tmp -type f -name '[0-9]*' 2>/dev/null)" ]
	run -5 --separate-stderr fl-load --raw p lake/ b.json none
	[[ $stderr == "fl-load: cannot open 'none': No such file or directory"* ]]
	[ "${#lines[@]}" = 1 ]
	run -2 fl-load --raw p x.db b.json
	[[ $output == *"'x.db' is no lake: it keeps no files as they are"* ]]
	[ ! -e x.db ]
	run -2 fl-load --raw p --verify lake/
}
