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
# shares N: the same of as many symbols, so that every partition gets some.
spread() { for s in A B C D E F G H; do ticks 1 "$1" "$s"; done; }
same() { cmp "$1" "$2" || fail "$(diff "$1" "$2" | head -n 5)"; }
sorted() { sort "$1" >"$1.sorted" && sort "$2" >"$2.sorted" && same "$1.sorted" "$2.sorted"; }
kc() { kcat -C -q -e -b "$FL_BROKERS" "$@"; }
kp() { kcat -P -b "$FL_BROKERS" -X message.max.bytes=8000000 "$@"; }
# until_seen SECONDS COMMAND...: it comes true.
until_seen() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[ $SECONDS -lt $end ] || fail "not after $1 s: ${*:2}"
		sleep 0.1
	done
}
holds() { grep -q "$1" "$2" 2>/dev/null; }
lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }
# committed GROUP TOPIC: the positions of the group, partition by partition.
committed() { fl-consume --group "$1" --lag "$2" | jq -j '"\(.by.partition):\(.values.position) "'; }
rss_kib() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }

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
		kc -t "$topic" -f '%t %k %T %h\t%s\n' >"of.$topic" &
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
	for wrong in 0 a 3, 3,0 3,1,1; do
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
