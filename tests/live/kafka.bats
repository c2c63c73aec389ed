#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output, stderr and status
# fl-produce and fl-consume against a real broker, and against kcat, which is
# not ours. Exactly once under kills is kafka-ledger.bats, several brokers and
# logging in is kafka-cluster.bats.

load ../helper/common
load ../helper/kafka

data=$BATS_TEST_DIRNAME/../data/rec

setup_file() { begin_kafka; }
teardown_file() { kafka stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	kafka_ready
	export FL_BROKERS
	started=()
}
# What a test has started does not outlive it.
teardown() {
	local pid
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || :; done
	jobs -p | xargs -r kill -KILL 2>/dev/null || :
}

# ticks FROM TO [SYMBOL]: quotes, one a second from 2026-01-02T00:00:00Z on.
ticks() {
	seq "$1" "$2" | awk -v s="${3:-A}" '{ printf "{\"type\":\"quote\",\"ts\":\"2026-01-%02dT%02d:%02d:%02d.000Z\"," \
		"\"provider\":\"t\",\"symbol\":\"%s\",\"price\":%d}\n", 2 + $1 / 86400, $1 / 3600 % 24, $1 / 60 % 60, $1 % 60, s, $1 }'
}
# spread N: the same of eight symbols, so that every partition gets some.
spread() {
	ticks 1 "$1" | awk '{ for (i = 1; i <= 8; i++) { line = $0; sub(/"A"/, "\"" substr("ABCDEFGH", i, 1) "\"", line); print line } }'
}
kc() { kcat -C -q -e -b "$FL_BROKERS" "$@"; }
kp() { kcat -P -b "$FL_BROKERS" -X message.max.bytes=8000000 "$@"; }
holds() { grep -q "$1" "$2" 2>/dev/null; }
lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }
# committed GROUP TOPIC: the positions of the group, partition by partition.
committed() { fl-consume --group "$1" --lag "$2" | jq -j '"\(.by.partition):\(.values.position) "'; }
# is_small PID: its memory was never over 128 MiB, or a sanitizer's is added.
is_small() {
	case $FL_VARIANT in asan | tsan) return ;; esac
	[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$1/status")" -lt 131072 ] ||
		fail "$(grep ^Vm "/proc/$1/status")"
}

# --- what is written ---------------------------------------------------------

@test "records of every type go to their topics and come back, byte for byte" {
	# The topic of a type, and what the keys are made of: records.md.
	cat >expect.py <<-'END'
		import calendar, json, re, sys
		topics = dict(quote="quotes", bar="bars", dividend="events", split="events",
		              calendar="events", instrument="instruments", news="news", alert="alerts",
		              log="logs", prediction="predictions", stat="stats", reject="rejects", run="runs")
		keys = dict(news=("id",), alert=("subject",), log=("host",), stat=("subject",),
		            reject=("id",), run=("id",))
		def key(r):
		    if r["type"] == "log":
		        host = r.get("host")
		        return host.get("name", "") if isinstance(host, dict) else host or ""
		    return "/".join(r.get(k) or "" for k in keys.get(r["type"], ("provider", "symbol")))
		for line in sys.stdin.buffer:
		    r = json.loads(line)
		    t = re.fullmatch(r"(\d+)-(\d+)-(\d+)[Tt ](\d+):(\d+):(\d+)(?:\.(\d+))?(?:[zZ]|([+-]\d\d):(\d\d))", r["ts"])
		    at = calendar.timegm(tuple(int(x) for x in t.groups()[:6])) - int(t[8] or 0) * 3600
		    print("fl." + topics[r["type"]], key(r), at * 1000 + int(((t[7] or "") + "000")[:3]),
		          f"type={r['type']},provider={r['provider']}")
	END
	cat "$data"/{quote,bar,dividend,split,calendar,instrument,news,alert,log,prediction,stat,reject,run}.ndjson >all
	python3 expect.py <all >expected
	run_json 0 fl-produce --create-topics=3,1 all
	[ "$(jq -c '[.in, .used, .out, .rejected]' <<<"$record")" = "[118,118,118,0]" ]
	topics=$(sed 's/ .*//' expected | sort -u)
	for topic in $topics; do
		kc -t "$topic" -f '%t %k %T %h\t%s\n' >"of.$topic" 3>&- &
	done
	wait
	cut -f 1 of.* >seen
	sorted expected seen
	cut -f 2- of.* >seen
	sorted all seen
	# shellcheck disable=SC2086 # one a word
	run_json 0 fl-consume --to end $topics
	[ "$(jq -c '[.in, .used, .out, .rejected]' <<<"$record")" = "[118,118,118,0]" ]
	sorted all out
	# Of a partition they come in the order in which they went.
	kc -t fl.events -p 1 >seen
	fl-consume --to end --partitions 1 fl.events >got
	same seen got
}

@test "--topic, --topic-prefix and --key say where records go" {
	ticks 1 3 >in
	printf '%s\n' '{"type":"log","ts":"2026-01-02T00:00:09.000Z","provider":"ufw","id":"i","event":{"action":"deny"},"source":{"ip":"192.0.2.7","port":5},"host":{"name":"h"}}' \
		'{"type":"log","ts":"2026-01-02T00:00:09.000Z","provider":"ufw","id":"j","event":{}}' >>in
	fl-produce --create-topics --topic one in
	[ "$(kc -t one -f '%k|' )" = 't/A|t/A|t/A|h||' ]
	fl-produce --create-topics --topic-prefix my- --key provider,source.ip,price in
	[ "$(kc -t my-quotes -f '%k|')" = 't//1|t//2|t//3|' ]
	[ "$(kc -t my-logs -f '%k|')" = 'ufw/192.0.2.7/|ufw//|' ]
	# None of them: no key, not an empty one.
	fl-produce --topic one --key source.ip in
	[ "$(kc -t one -o 5 -f '%K:%k|')" = '-1:|-1:|-1:|9:192.0.2.7|-1:|' ]
}

@test "--create-topics makes what is missing, with partitions and copies" {
	ticks 1 2 | fl-produce --create-topics=5,1 --topic five
	[ "$(fl-consume --list five | jq -c '[.subject, .values]')" = \
		'["five",{"partitions":5,"replicas":1,"messages":2}]' ]
	# One that is there already stays as it is.
	ticks 3 4 | fl-produce --create-topics=9 --topic five
	[ "$(fl-consume --list five | jq -c .values)" = '{"partitions":5,"replicas":1,"messages":4}' ]
	run -4 --separate-stderr fl-produce -q --create-topics=2,3 --topic copies </dev/null
	[[ $stderr == "fl-produce: cannot create topic 'copies' on $FL_BROKERS: "*'replication factor'* ]] || fail "$stderr"
	run -4 --separate-stderr fl-produce -q --create-topics --topic 'a topic' </dev/null
	[[ $stderr == "fl-produce: cannot create topic 'a topic' on $FL_BROKERS: "* ]] || fail "$stderr"
	for wrong in 0 a '3,' 3,0 3,1,1; do
		run -2 --separate-stderr fl-produce --create-topics="$wrong" </dev/null
		[[ $stderr == "fl-produce: --create-topics takes partitions and copies, such as 6 or 6,3, not '$wrong'" ]] || fail "$stderr"
	done
}

@test "an unknown topic is refused, with the name that is like it and what would help" {
	kafka topic fl2.quotes 1
	ticks 1 2 >in
	run -4 --separate-stderr fl-produce -q --topic fl2.quote in
	[ "$stderr" = "fl-produce: no topic 'fl2.quote' on $FL_BROKERS (there is 'fl2.quotes'); fl-produce --create-topics creates it" ]
	run -4 --separate-stderr fl-produce -q --topic-prefix fl22. in
	[ "$stderr" = "fl-produce: no topic 'fl22.quotes' on $FL_BROKERS (there is 'fl2.quotes'); fl-produce --create-topics creates it" ]
	run -4 --separate-stderr fl-consume -q fl2.quote
	[ "$stderr" = "fl-consume: no topic 'fl2.quote' on $FL_BROKERS (there is 'fl2.quotes')" ]
	run -4 --separate-stderr fl-consume -q '^nothing-like-it'
	[ "$stderr" = "fl-consume: no topic on $FL_BROKERS is like '^nothing-like-it'" ]
	run -4 --separate-stderr fl-consume -q --partitions 0,3 fl2.quotes
	[ "$stderr" = "fl-consume: 'fl2.quotes' has no partition 3: they are 0 to 0" ]
	# What had gone before the one that is refused is delivered, and counted.
	{ ticks 1 5; sed -n 1p "$data/news.ndjson"; } >in
	run_json 4 fl-produce --topic-prefix fl2. in
	[ "$(jq -c '[.in, .used, .out, .uncommitted]' <<<"$record")" = '[6,6,5,1]' ]
	ticks 1 5 >want
	kc -t fl2.quotes >got
	same want got
	run ! grep -F fl2.news < <(kcat -L -b "$FL_BROKERS")
}

@test "--dry-run counts, asks for topics, and writes nothing" {
	kafka topic dry 1
	ticks 1 9 >in
	echo broken >>in
	run_json 1 fl-produce --dry-run --topic dry in
	[ "$(jq -c '[.in, .used, .out, .rejected]' <<<"$record")" = '[10,9,9,1]' ]
	[ "$(fl-consume --list dry | jq .values.messages)" = 0 ]
	run -4 fl-produce -q --dry-run --create-topics --topic not-dry in
	run ! grep -F not-dry < <(kcat -L -b "$FL_BROKERS")
}

@test "marks among plain records are misuse, and what came before them is delivered" {
	kafka topic marked 1
	{ ticks 1 3; echo '{"type":"mark","pipeline":"p","at":{"o":["1","2"]}}'; ticks 4 5; } >in
	run_json 2 fl-produce --topic marked in
	[[ $(<err) == *"the stream has marks of pipeline 'p': say --transaction to write its positions with it"* ]]
	ticks 1 3 >want
	kc -t marked >got
	same want got
	run -2 --separate-stderr fl-produce -q --transaction --topic marked want
	[ "$stderr" = 'fl-produce: no marks arrive, which --transaction needs; a filter in between drops them, or the source was not told to --resume' ]
	[ "$(kc -t marked | wc -l)" = 3 ]
}

@test "what a broker refuses is a reject with its words, and the others go" {
	kafka topic small 1 1 max.message.bytes=3000
	# Each alone in its batch, so that no other is refused with it.
	noise=$(head -c 6000 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
	{ ticks 1 2; ticks 3 3 | sed "s/}/,\"x\":\"$noise\"}/"; ticks 4 5; } >in
	run_json 1 fl-produce --topic small --rejects rejects -X batch.num.messages=1 in
	[ "$(jq -c '[.in, .used, .out, .rejected, .uncommitted]' <<<"$record")" = '[5,4,4,1,0]' ]
	[ "$(jq -c '[.reason, .detail, .input]' rejects)" = \
		'["sink_refused","Kafka: Broker: Message size too large","small"]' ]
	sed -n 3p in >want
	jq -j '.raw + "\n"' rejects >got
	same want got
	kc -t small >got
	{ ticks 1 2; ticks 4 5; } >want
	same want got
	# One that the client already finds too large.
	{ ticks 1 2; ticks 3 3 | sed "s/}/,\"x\":\"$noise\"}/"; ticks 4 5; } >in
	rm rejects
	run_json 1 fl-produce --topic small --rejects rejects -X message.max.bytes=2000 -X batch.size=1000 in
	[ "$(jq -c '[.in, .used, .out, .rejected, .uncommitted]' <<<"$record")" = '[5,4,4,1,0]' ]
	[ "$(jq -r .reason rejects)" = sink_refused ]
	[ "$(kc -t small | wc -l)" = 8 ]
}

# --- what is read ------------------------------------------------------------

@test "--from and --to bound what is read, to the message" {
	spread 30 >all
	fl-produce --create-topics=3 --topic bounds all
	fl-consume --to end bounds >got
	sorted all got
	run -0 fl-consume --from end --to end bounds
	[ -z "$output" ]
	between() { # FROM TO (seconds)
		awk -F 'price":' -v from="$1" -v to="$2" '$2 + 0 >= from && $2 + 0 < to' all >want
	}
	fl-consume --from 2026-01-02T00:00:10Z --to 2026-01-02T00:00:20Z bounds >got
	between 10 20
	sorted want got
	[ "$(wc -l <got)" = 80 ]
	fl-consume --to 2026-01-02T00:00:05.001Z bounds >got
	between 0 6
	sorted want got
	fl-consume --from 2026-01-02T00:00:24.001Z --to end bounds >got
	between 25 99
	sorted want got
	# Before all there is, and after.
	run -0 fl-consume --to 2025-01-01 bounds
	[ -z "$output" ]
	run -0 fl-consume --from 2027-01-01 --to end bounds
	[ -z "$output" ]
	fl-consume --from 2025-01-01 --to 2027-01-01 bounds >got
	sorted all got
	run -2 --separate-stderr fl-consume --from 2026-01-02 --to 2026-01-02 bounds
	[ "$stderr" = 'fl-consume: --from is not before --to, so there is nothing to read' ]
	run -2 --separate-stderr fl-consume --from stored bounds
	[ "$stderr" = 'fl-consume: --from stored needs --group G, which has stored it' ]
}

@test "--from and --to bound what a group reads, and never move it back" {
	spread 30 >all
	fl-produce --create-topics=3 --topic group-bounds all
	group() { fl-consume --group "$1" --commit flushed "${@:2}" group-bounds; }
	group g1 --to end >got
	sorted all got
	whole=$(committed g1 group-bounds)
	run -0 group g1 --to end
	[ -z "$output" ]
	awk -F 'price":' '$2 + 0 >= 10 && $2 + 0 < 20' all >want
	group g2 --from 2026-01-02T00:00:10Z --to 2026-01-02T00:00:20Z >got
	sorted want got
	# It goes on there.
	awk -F 'price":' '$2 + 0 >= 20' all >want
	group g2 --to end >got
	sorted want got
	[ "$(committed g2 group-bounds)" = "$whole" ]
	# What ends before the place where it stands gives nothing, and it stays.
	run -0 group g2 --to 2026-01-02T00:00:20Z
	[ -z "$output" ]
	[ "$(committed g2 group-bounds)" = "$whole" ]
	run -0 group g3 --from end --to end
	[ -z "$output" ]
	fl-consume --group g1 --commit flushed --from beginning --to end group-bounds >got
	sorted all got
}

@test "--to end is where the topic ended when reading began" {
	ticks 1 20000 >all
	fl-produce --create-topics=1 --topic ending all
	# More than a pipe holds, so that it is still at it when more comes.
	begin got bash -c 'fl-consume --to end ending | { sleep 3; cat; }'
	sleep 2
	ticks 20001 20100 | fl-produce --topic ending
	ended 0
	same all got
}

@test "-n, --partitions and ^expressions choose what is read" {
	spread 30 >all
	fl-produce --create-topics=3 --topic chosen.one all
	fl-produce --create-topics=1 --topic chosen.two all
	kc -t chosen.one -p 0 | head -n 7 >want
	fl-consume --partitions 0 -n 7 chosen.one >got
	same want got
	[ "$(fl-consume -n 11 chosen.one | wc -l)" = 11 ]
	{ kc -t chosen.one -p 0; kc -t chosen.one -p 2; } >want
	fl-consume --partitions 2,0-0 --to end chosen.one >got
	sorted want got
	fl-consume --to end '^chosen\.(one|two)$' >got
	cat all all >want
	sorted want got
	fl-consume --to end '^chosen\.o' >got
	sorted all got
	fl-consume --to end --group chosen --commit flushed '^chosen\.' >got
	sorted want got
	fl-consume --to end chosen.one chosen.two >got
	sorted want got
	run -2 --separate-stderr fl-consume '^chosen['
	[ "$stderr" = "fl-consume: '^chosen[' is no regular expression" ]
	for wrong in '' 1- 2-1 a 1,,2 -1; do
		run -2 --separate-stderr fl-consume --partitions "$wrong" chosen.one
		[ "$stderr" = "fl-consume: --partitions takes numbers, such as 0-2,5, not '$wrong'" ]
	done
}

@test "--raw gives messages as they are, --meta says where each was" {
	kafka topic odd 1
	ticks 1 1 >in
	printf '%s\n' 'k:{"broken' 'k:x	y' k: 'k:{"type":"mark"}' "k:$(<in)" | kp -t odd -K:
	fl-consume --raw --to end odd >got
	{ printf '%s\n' '{"broken' 'x	y' '' '{"type":"mark"}'; cat in; } >want
	same want got
	printf %s "$(<in)" >payload
	printf '\377' >>key
	kp -t odd -k 'é"' payload
	# shellcheck disable=SC2016
	kp -t odd -k "$(<key)" payload
	run_json 1 fl-consume --meta --to end odd
	[ "$(jq -c 'del(.kafka)' out | sort -u)" = "$(<in)" ]
	[ "$(jq -c '.kafka | [.topic, .partition, .offset, .key, .key_b64]' out | xargs -d '\n')" = \
		'["odd",0,4,"k",null] ["odd",0,5,"é\"",null] ["odd",0,6,null,"/w=="]' ]
	jq -r '.kafka | "\(.offset) \(.time)"' out >got
	kc -t odd -o 4 -f '%o %T\n' | while read -r offset ms; do
		echo "$offset $(date -u -d "@$((ms / 1000))" +%FT%T).$(printf %03d $((ms % 1000)))Z"
	done >want
	same want got
	run -2 --separate-stderr fl-consume --raw --meta odd
	[ "$stderr" = 'fl-consume: --meta adds to records, and --raw gives messages as they are' ]
}

@test "what is poison stops no consumer, and is refused with its place" {
	kafka topic poison 1 1 max.message.bytes=8000000
	tick=$(ticks 1 1)
	n=0
	put() { # REASON: of what is in `payload`, one message
		kp -t poison payload
		echo "$1 $((n++))" >>want
	}
	text() { printf %s "$2" >payload; put "$1"; }
	text good "$tick"
	kp -t poison -K: -Z <<<'key:'
	echo "bad_json $((n++))" >>want # a tombstone
	kp -t poison -K: <<<'key:'
	echo "bad_json $((n++))" >>want # nothing
	text bad_json '   '
	head -c 3000 /dev/zero >payload
	put bad_json
	printf '\377\376{"type"\200' >payload
	put bad_utf8
	# 900,000 bytes are a record, one more is not.
	printf '%s' "${tick%\}},\"x\":\"" >top
	{ cat top; head -c $((900000 - $(wc -c <top) - 2)) /dev/zero | tr '\0' x; printf '"}'; } >payload
	cp payload large
	put good
	printf ' ' >>payload
	put too_long
	{ cat top; head -c 7000000 /dev/zero | tr '\0' x; printf '"}'; } >payload
	put too_long
	{ printf '%s' "${tick%\}},\"x\":"; head -c 400000 /dev/zero | tr '\0' '['; head -c 400000 /dev/zero | tr '\0' ']'; printf '}'; } >payload
	put bad_json
	head -c 100000 /dev/zero | tr '\0' '[' >payload
	put bad_json
	text not_object '[1]'
	text not_object '"x"'
	text bad_type "${tick/:1\}/:\"1\"\}}"
	text bad_type "${tick/\"A\"/7}"
	text bad_time "${tick/2026/026}"
	text unknown_type '{"type":"novelty","ts":"2026-01-02T00:00:01.000Z"}'
	text missing_field '{"type":"quote"}'
	text duplicate_key "${tick/\{/\{\"price\":2,}"
	text unexpected_mark '{"type":"mark","pipeline":"p","at":{"kafka:x/y/0":["1","9"]}}'
	printf '{\r\n\t"type": "quote",\n"ts":"2026-01-02T00:00:01.000Z",\n\n"provider":"t",\n"symbol":"A","price":1\n}\n\n' >payload
	put good
	text bad_json "$tick"$'\n'"$tick"
	text good "$tick"
	{ echo "$tick"; cat large; echo; echo "$tick"; echo "$tick"; } >good
	grep -v good want >refused
	for how in '--to end' '-n 4 --to end' '--group poison --commit flushed --to end' \
		"--group poison2 --each 'cat >>got' --to end" '--resume new.db --pipeline p --to end'; do
		rm -f rejects got
		eval "run_json 1 fl-consume --rejects rejects $how poison"
		grep -v '"type":"mark"' out >>got || :
		same good got
		jq -r '"\(.reason) \(.offset)"' rejects >reasons
		same refused reasons
		[ "$(jq -c '[.input, .partition, .provider]' rejects | sort -u)" = '["poison",0,"fl-consume"]' ]
		[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = "[$n,4,$((n - 4))]" ]
	done
	[ "$(committed poison poison)" = "0:$n " ]
	[ "$(committed poison2 poison)" = "0:$n " ]
	# In a marked stream they travel in it, and the last mark covers them.
	run_json 1 fl-consume --resume new.db --pipeline p --to end poison
	[ "$(jq -r 'select(.type == "reject") | "\(.reason) \(.offset)"' out | sort)" = "$(sort refused)" ]
	[ "$(jq -c 'select(.type == "mark") | .at[]' out | tail -n 1)" = "[null,\"$n\"]" ]
}

# --- groups ------------------------------------------------------------------

@test "a group needs to be told when what it has read is committed" {
	ways='--commit flushed, --resume PLACE --pipeline NAME, or --each CMD'
	run -2 --separate-stderr fl-consume --group g fl.quotes
	[ "$stderr" = "fl-consume: when is what --group g has read to be committed? $ways" ]
	run -2 --separate-stderr fl-consume --group g --commit flushed --each cat fl.quotes
	[ "$stderr" = 'fl-consume: --commit, --resume and --each exclude each other: one of them knows what was read' ]
	run -2 --separate-stderr fl-consume --group g --commit now fl.quotes
	[ "$stderr" = "fl-consume: --commit takes 'flushed', not 'now'" ]
	run -2 --separate-stderr fl-consume --commit flushed fl.quotes
	[ "$stderr" = 'fl-consume: --commit needs --group G, whose offsets are committed' ]
	run -2 --separate-stderr fl-consume --group g --partitions 0 --commit flushed fl.quotes
	[[ $stderr == 'fl-consume: --group and --partitions exclude each other'* ]]
	run -2 --separate-stderr fl-consume --group g --resume x.db fl.quotes
	[[ $stderr == "fl-consume: --resume needs --pipeline NAME, the name under which 'x.db' keeps positions" ]]
	run -2 --separate-stderr fl-consume --instance i fl.quotes
	[ "$stderr" = 'fl-consume: --instance goes with --group' ]
	run -2 --separate-stderr fl-consume
	[ "$stderr" = 'fl-consume: what from? fl-consume fl.quotes, or fl-consume --list (which names the topics)' ]
}

@test "with --commit flushed the second run goes on where the first one ended" {
	spread 40 >all
	fl-produce --create-topics=3 --topic going all
	go() { fl-consume --group going --commit flushed "$@" going; }
	go -n 5 >got
	[ "$(wc -l <got)" = 5 ]
	[ "$(committed going going | tr ' ' '\n' | awk -F : '{ n += $2 } END { print n }')" = 5 ]
	go -n 100 >>got
	[ "$(committed going going | tr ' ' '\n' | awk -F : '{ n += $2 } END { print n }')" = 105 ]
	go --to end >>got
	sorted all got
	run -0 go --to end
	[ -z "$output" ]
	# One that follows is ended by SIGTERM, and has committed what it gave.
	begin following fl-consume --group going --commit flushed going
	ticks 1 3 X | fl-produce --topic going
	until_seen 15 lines 3 following
	kill "$began"
	ended 143
	ticks 1 3 X >want
	same want following
	ticks 4 5 X >want
	fl-produce --topic going want
	go --to end >got
	same want got
}

@test "a reader that goes away early ends it, and what it read stays read" {
	ticks 1 50000 >all
	fl-produce --create-topics=1 --topic early all
	run -141 bash -c 'set -o pipefail; fl-consume --group early --commit flushed early | head -n 3 >got'
	head -n 3 all >want
	same want got
	# At least once: nothing is skipped that was not written.
	fl-consume --group early --commit flushed --to end early >rest
	at=$(sed -n '1s/.*"price":\([0-9]*\)}/\1/p' rest)
	[ "${at:-1}" -le 50000 ]
	[ "$(tail -n 1 rest)" = "$(tail -n 1 all)" ]
	tail -n +"$at" all >want
	same want rest
}

@test "--lag and --list tell the same to programs and to people" {
	ticks 1 10 | fl-produce --create-topics=1 --topic lag.one
	fl-produce --create-topics=2 --topic lag.two </dev/null
	fl-consume -q --group lag --commit flushed -n 4 lag.one >/dev/null
	run_json 0 fl-consume --group lag --lag lag.one lag.two
	[ "$(head -n 1 out | jq -c 'del(.ts)')" = '{"type":"stat","provider":"fl-consume","stat":"lag","subject":"lag/lag.one/0","by":{"group":"lag","topic":"lag.one","partition":0},"values":{"position":4,"end":10,"lag":6}}' ]
	# Of what it has never read all is to come.
	ticks 1 1 | fl-produce --topic lag.two --key none
	fl-consume --group lag --lag lag.two | jq -s -c 'map(.values) | sort' >got
	[ "$(<got)" = '[{"end":0,"lag":0},{"end":1,"lag":1}]' ]
	fl-consume --group lag --lag >got
	same <(head -n 1 out | jq -c 'del(.ts)') <(jq -c 'del(.ts)' got)
	run -0 fl-consume --group lag --lag --as table lag.one
	[ "${#lines[@]}" = 2 ]
	[ "$(xargs <<<"${lines[0]}")" = 'TOPIC PARTITION POSITION END LAG' ]
	[ "$(xargs <<<"${lines[1]}")" = 'lag.one 0 4 10 6' ]
	run_json 0 fl-consume --list lag.one lag.two
	[ "$(jq -c '[.stat, .subject, .by, .values]' out | xargs -d '\n')" = '["topic","lag.one",{"topic":"lag.one"},{"partitions":1,"replicas":1,"messages":10}] ["topic","lag.two",{"topic":"lag.two"},{"partitions":2,"replicas":1,"messages":1}]' ]
	run -0 fl-consume --list --as table lag.one lag.two
	[ "$(xargs <<<"$output")" = 'TOPIC PARTITIONS REPLICAS MESSAGES lag.one 1 1 10 lag.two 2 1 1' ]
	# Records as others are: they pass what checks records.
	fl-consume --list | fl-clean >/dev/null
	run -4 --separate-stderr fl-consume -q --list lag.on
	[ "$stderr" = "fl-consume: no topic 'lag.on' on $FL_BROKERS (there is 'lag.one')" ]
	run -2 --separate-stderr fl-consume --lag lag.one
	[ "$stderr" = 'fl-consume: whose? fl-consume --group G --lag' ]
}

# --- a command for each batch ------------------------------------------------

@test "--each runs a command a batch, and commits when it ends with 0 or 1" {
	ticks 1 25 >all
	fl-produce --create-topics=1 --topic each all
	cat >cmd <<-'END'
		echo "$FL_BATCH_RECORDS $FL_BATCH_OFFSETS" >>bounds
		tee -a got | wc -l >>counts
		exit $(($(wc -l <counts) % 2))
	END
	run_json 0 fl-consume --group each --each 'bash cmd' --batch 10,1s --to end each
	same all got
	[ "$(xargs <counts)" = '10 10 5' ]
	[ "$(<bounds)" = $'10 each/0:0-9\n10 each/0:10-19\n5 each/0:20-24' ]
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[25,25,0]' ]
	[ "$(committed each each)" = '0:25 ' ]
	# Nothing new: nothing is run.
	fl-consume --group each --each 'touch ran' --to end each
	[ ! -e ran ]
	# A time makes a batch of what there is.
	begin out fl-consume --group each2 --each 'wc -l >>slow' --batch 1000,500ms each
	until_seen 15 holds 25 slow
	kill "$began"
	ended 143
	[ "$(committed each2 each)" = '0:25 ' ]
}

@test "--each: 3 is tried again, another status stops with it and commits nothing" {
	ticks 1 12 >all
	fl-produce --create-topics=1 --topic again all
	cat >cmd <<-'END'
		date +%s%N >>at.log
		cat >"got.$(wc -l <at.log)"
		[ "$(wc -l <at.log)" -ge 3 ] || exit 3
	END
	fl-consume --group again --each 'bash cmd' -n 5 again
	[ "$(wc -l <at.log)" = 3 ]
	head -n 5 all >want
	same want got.1
	same want got.2
	same want got.3
	[ "$(awk 'NR > 1 { d = ($1 - last) / 1e9; if (d < (NR == 2 ? 1 : 2) || d > (NR == 2 ? 2 : 4)) print "bad" } { last = $1 }' at.log)" = '' ] ||
		fail "$(<at.log)"
	[ "$(committed again again)" = '0:5 ' ]
	run -4 --separate-stderr fl-consume -q --group again --each 'cat >seen; exit 4' --to end again
	[ "$stderr" = "fl-consume: 'cat >seen; exit 4' ended with 4; its batch is not committed" ]
	tail -n +6 all >want
	same want seen
	[ "$(committed again again)" = '0:5 ' ]
	for status in 2 5 6 7 42 127; do
		run -$status --separate-stderr fl-consume -q --group again --each "exit $status" --to end again
		[ "$stderr" = "fl-consume: 'exit $status' ended with $status; its batch is not committed" ]
	done
	run -137 --separate-stderr fl-consume -q --group again --each 'kill -KILL $$' --to end again
	[ "$(committed again again)" = '0:5 ' ]
	# One that reads nothing has had its batch all the same.
	fl-consume --group again --each true --to end again
	[ "$(committed again again)" = '0:12 ' ]
}

@test "SIGTERM while --each works: the batch is finished, committed, and nothing more" {
	ticks 1 30 >all
	fl-produce --create-topics=1 --topic term all
	begin out fl-consume --group term --each 'touch began; sleep 2; cat >>got' --batch 10,1s term
	until_seen 15 test -e began
	kill "$began"
	ended 143
	head -n 10 all >want
	same want got
	[ "$(committed term term)" = '0:10 ' ]
	# It has left: the next one has the partition at once.
	at=$SECONDS
	fl-consume --group term --each 'cat >>got' --to end term
	[ $((SECONDS - at)) -lt 5 ]
	same all got
}

# --- what goes wrong around it -----------------------------------------------


# on: the position that a store has come to, of all partitions.
on() { fl-load -q --positions "$1" | jq '[.at[][1] | tonumber] | add'; }
comes_to() { [ "$(on "$1")" = "$2" ]; }

@test "while the output stands still nobody is missed, memory is flat, and all comes in the end" {
	held=20
	[ -z "${FL_LONG:-}" ] || held=75
	ticks 1 300000 >all
	fl-produce --create-topics=3 --topic full --key price all
	head -n 20000 all | fl-produce --create-topics=3 --topic blocked --key price
	# Into a store that somebody else comes to hold.
	# shellcheck disable=SC2016 # the inner shell's own
	begin loaded bash -c '{ echo $BASHPID >pid.2; exec fl-consume -v --group blocked --resume rows.db --pipeline p \
			--marks 2000,100ms blocked 2>said.2; } |
		fl-load --pipeline p --batch 2000,100ms rows.db'
	loading=$began
	until_seen 15 comes_to rows.db 20000
	mkfifo orders
	exec 7<>orders
	begin locked bash -c 'exec sqlite3 rows.db <orders'
	printf '%s\n' '.timeout 10000' 'BEGIN EXCLUSIVE;' '.print locked' >&7
	until_seen 15 holds locked locked
	tail -n +20001 all | fl-produce --topic blocked --key price
	# Into a pipe that nobody reads.
	begin got bash -c "{ echo \$BASHPID >pid.1; exec fl-consume -v --group full --commit flushed --to end full 2>said.1; } |
		{ sleep $held; cat; }"
	reading=$began
	sleep $((held - 5))
	is_small "$(<pid.1)"
	is_small "$(<pid.2)"
	[ "$(on rows.db)" = 20000 ]
	echo .quit >&7
	began=$reading
	ended 0
	same <(sort all) <(sort got)
	until_seen 30 comes_to rows.db 300000
	kill "$(<pid.2)"
	began=$loading
	ended 0
	for log in said.1 said.2; do
		[ "$(grep -c 'the group gives' $log)" = 1 ] || fail "$(grep group $log)"
		run ! grep -E 'max.poll|lost|revoked' $log
	done
	[ "$(sqlite3 rows.db 'SELECT count(*), count(DISTINCT ts), sum(price) FROM quote')" = '300000|300000|45000150000' ] ||
		fail "$(sqlite3 rows.db 'SELECT count(*), count(DISTINCT ts), sum(price) FROM quote')"
}

# load_all TOPIC [OPTION...]: all there is, into rows.db.
load_all() {
	fl-consume -q --resume rows.db --pipeline p --to end "${@:2}" "$1" |
		fl-load -q --pipeline p rows.db
}
rows() { sqlite3 rows.db 'SELECT count(*), count(DISTINCT ts), sum(price) FROM quote'; }

@test "a topic that was made anew is refused, until it is said where to go on" {
	set -o pipefail
	kafka topic anew 1
	ticks 1 10 | fl-produce --topic anew
	load_all anew
	[ "$(rows) $(on rows.db)" = '10|10|55 10' ]
	ticks 11 12 | fl-produce --topic anew
	load_all anew
	[ "$(rows) $(on rows.db)" = '12|12|78 12' ]
	kafka untopic anew
	kafka topic anew 1
	ticks 21 25 | fl-produce --topic anew
	run -4 --separate-stderr fl-consume -q --resume rows.db --pipeline p --to end anew
	[ "$stderr" = "fl-consume: position 12 of 'anew' partition 0 no longer means the record it was left behind: the partition ends before it, so the topic was created anew; --from beginning|end|TIME says where to go on, or fl-load --forget P makes the store forget" ]
	# The same behind a group.
	run -4 --separate-stderr fl-consume -q --group anew --resume rows.db --pipeline p --to end anew
	[[ $stderr == *'so the topic was created anew; --from '* ]]
	# It has grown past the position meanwhile: other records are there.
	ticks 26 40 | fl-produce --topic anew
	run -4 --separate-stderr fl-consume -q --resume rows.db --pipeline p --to end anew
	[[ $stderr == "fl-consume: position 12 of 'anew' partition 0 no longer means the record it was left behind: the record before it is of 2026-01-02T00:00:32.000Z, not of 2026-01-02T00:00:12.000Z, so the topic was created anew; --from "* ]] || fail "$stderr"
	[ "$(rows) $(on rows.db)" = '12|12|78 12' ]
	# As it says.
	load_all anew --from beginning
	[ "$(rows) $(on rows.db)" = '32|32|688 20' ]
	ticks 41 41 | fl-produce --topic anew
	load_all anew
	[ "$(rows) $(on rows.db)" = '33|33|729 21' ]
	kafka untopic anew
	kafka topic anew 1
	ticks 51 52 | fl-produce --topic anew
	fl-load --forget p --yes rows.db 2>/dev/null || fl-load --forget p rows.db
	load_all anew
	[ "$(rows) $(on rows.db)" = '35|35|832 2' ]
}

@test "a group whose messages are gone is told so, not given what is left" {
	kafka topic gone 1
	ticks 1 10 | fl-produce --topic gone
	fl-consume -q --group gone --commit flushed --to end gone >/dev/null
	kafka untopic gone
	kafka topic gone 1
	ticks 21 25 | fl-produce --topic gone
	# A group's offsets go with its topic, so it is put where nothing is.
	case $(committed gone gone) in
	'0:10 ')
		run -4 --separate-stderr fl-consume -q --group gone --commit flushed gone
		[ "$stderr" = "fl-consume: 'gone' partition 0 has no message at the offset where we stand: it was deleted (retention), or the topic was created anew; --from says where to begin" ]
		;;
	esac
	ticks 21 25 >want
	fl-consume -q --group gone --commit flushed --from beginning --to end gone >got
	same want got
	[ "$(committed gone gone)" = '0:5 ' ]
}

@test "a pipeline that was paused while another took over is refused, and counts nothing twice" {
	fl-produce --create-topics=1 --topic zombie </dev/null
	pipeline() { # NAME
		begin "$1.out" bash -c "set -o pipefail
			{ echo \$BASHPID >$1.consume; exec fl-consume --group zombie --resume rows.db --pipeline p --marks 100,100ms --warm-up 0s zombie 2>$1.consume.err; } |
			{ echo \$BASHPID >$1.load; exec fl-load --pipeline p --batch 100,100ms rows.db 2>$1.load.err; }
			echo \${PIPESTATUS[*]} >$1.ends"
	}
	# Parts of bars, which a store adds up.
	parts() {
		ticks "$1" "$2" | sed -E 's/^.*"ts":"([^"]*:)([0-9.]*Z)".*"price":([0-9]*).*/{"type":"bar","ts":"\100.000Z","provider":"t","symbol":"A","interval":"1m","open":\3,"high":\3,"low":\3,"close":\3,"adj":"none","volume":1,"trades":1,"first_ts":"\1\2","last_ts":"\1\2","partial":true}/'
	}
	trades() { sqlite3 rows.db 'SELECT sum(trades), sum(volume) FROM bar'; }
	pipeline a
	parts 1 1000 | fl-produce --topic zombie
	until_seen 15 comes_to rows.db 1000
	# Records and marks are under way to a store that no longer takes them.
	kill -STOP "$(<a.load)"
	parts 1001 2000 | fl-produce --topic zombie
	sleep 2
	kill -STOP "$(<a.consume)"
	pipeline b
	parts 2001 3000 | fl-produce --topic zombie
	until_seen 30 comes_to rows.db 3000
	[ "$(trades)" = '3000|3000' ]
	kill -CONT "$(<a.consume)" "$(<a.load)"
	until_seen 20 test -s a.ends
	read -r consume load <a.ends
	[ "$load" = 3 ] || fail "$(cat a.ends a.*.err)"
	[[ $(<a.load.err) == *"pipeline 'p' was taken over: the stream goes on from '1000' of 'kafka:"*"/zombie/0', where 'rows.db' holds '3000' by now"* ]] ||
		fail "$(<a.load.err)"
	[ "$consume" = 141 ] || fail "$(<a.ends)"
	parts 3001 3500 | fl-produce --topic zombie
	until_seen 15 comes_to rows.db 3500
	kill "$(<b.consume)"
	ended 0
	[ "$(<b.ends)" = '143 0' ] || fail "$(<b.ends)"
	[ "$(trades)" = '3500|3500' ]
}
