# shellcheck shell=bash
# faults: what a database server may do to a load, and what must come of it. Each
# test is a function, run for each kind of server by a file of its own:
#
#   load ../helper/common
#   load ../helper/postgres
#   load ../helper/faults
#   setup_file() { begin_postgres --durable; }
#   setup() { postgres_ready; server=postgres; }
#   teardown() { end_faults; }
#   @test "..." { killed_under_a_pipeline; }
#
# $place is an empty database, "$server" COMMAND is its scripts/services.

# shellcheck disable=SC2154 # run sets output and status, the files place and server

load ../helper/place

# end_faults: of a test that failed nothing is left running.
end_faults() {
	local pid
	touch stop
	for pid in fetch.pid helper.pid; do
		[ ! -e $pid ] || kill "$(<$pid)" 2>/dev/null || :
	done
	[ ! -e networks ] || ip netns del "$(<networks)-a" || :
	[ ! -e networks ] || ip netns del "$(<networks)-b" || :
	[ ! -e disk ] || small_disk_ends
}

# rounds SHORT LONG: how many, in everyday runs and with FL_LONG.
rounds() { [ -z "${FL_LONG:-}" ] && echo "$1" || echo "$2"; }

# told COMMAND...: it ends well, and its last line is shown.
told() {
	run "$@"
	echo "# ${output##*$'\n'}" >&3
	[ "$status" = 0 ] || fail "$output"
}

sim=(sim --rate 100)
inside=()
bars=(fl-agg bars 1m --keep)
# holds N [WORDS]: the place holds the first N records of ${sim[@]} and the bars of
# them, and nothing else. Shows the verdict, with WORDS.
holds() {
	local missing extra
	fl-fetch store "$place" --type quote,bar | sort >got
	fl-fetch "${sim[@]}" -n "$1" | "${bars[@]}" --allowed-lateness 100h | sort >want
	missing=$(comm -13 got want | wc -l)
	extra=$(comm -23 got want | wc -l)
	echo "# N=$1 missing=$missing extra=$extra${2:+ $2}" >&3
	[ "$missing$extra" = 00 ] && [ -s want ]
}

# at: where pipeline p stands; of sim that is how many records were stored.
at() { fl-load -q --positions "$place" --pipeline p | jq -r '.at[][1]'; }
# moves_on: it comes further than it is now, within half a minute.
moves_on() {
	local from end=$((SECONDS + 30))
	from=$(at)
	while [ "$(at)" = "$from" ]; do
		[ $SECONDS -lt $end ] || fail "nothing moves: $(cat load.err)"
		sleep 0.05
	done
}

# --- the server is killed ------------------------------------------------------

killed_under_a_pipeline() {
	export BATS_TEST_DIRNAME BATS_FILE_TMPDIR
	# shellcheck disable=SC2163 # the function of that name
	export -f "$server"
	told "$BATS_TEST_DIRNAME/../helper/kill_loop.sh" "$(rounds 10 100)" 5 "$PWD" 25s \
		"$place" "$server"
}

# One fl-load through the crashes of the server.
killed_under_a_load() {
	local fetch load kills killed losses
	kills=$(rounds 5 100)
	mkfifo pipe pipe2
	fl-fetch "${sim[@]}" --speed 100 --resume "$place" --pipeline p --marks 500,50ms >pipe 2>fetch.err 3>&- &
	fetch=$!
	echo $fetch >fetch.pid
	"${bars[@]}" <pipe >pipe2 2>agg.err 3>&- &
	fl-load -v --pipeline p --batch 2000,50ms "$place" <pipe2 2>load.err 3>&- &
	load=$!
	RANDOM=3
	for ((killed = 0; killed < kills; killed++)); do
		moves_on
		sleep 0.$((RANDOM % 3))$((RANDOM % 10))
		"$server" kill
		sleep 0.$((RANDOM % 5))$((RANDOM % 10))
		"$server" revive
	done
	moves_on
	kill $fetch
	wait $fetch || [ $? = 143 ] || fail "fl-fetch: $(cat fetch.err)"
	wait $load || fail "fl-load: $? $(cat load.err)"
	losses=$(grep -c 'again in 0.2 s' load.err)
	[ "$losses" -ge "$kills" ] || fail "the kills were not met: $(cat load.err)"
	holds "$(at)" "killed=$killed losses=$losses"
}

# --- two loaders ---------------------------------------------------------------

# stream MARKS: what pipeline p goes on with, the next ${total} of sim, with three
# origins in each mark, in any order, so that who moves one waits for who moves
# another. The pipeline itself stands in ref.db.
stream() {
	fl-fetch "${sim[@]}" -n "$total" --resume ref.db --pipeline p --marks "$1,1s" --warm-up 0s |
		"${bars[@]}" | awk -v seed="$RANDOM" 'BEGIN { srand(seed); split("abc acb bac bca cab cba", orders, " ") }
			match($0, /"at":\{"[^"]*":\[[^]]*\]/) {
				at = substr($0, RSTART, RLENGTH); sub(/.*:\[/, "[", at)
				head = substr($0, 1, RSTART - 1)
				match($0, /"wm":\{"[^"]*":"[^"]*"/)
				wm = substr($0, RSTART, RLENGTH); sub(/.*":"/, "\"", wm)
				order = orders[1 + int(6 * rand())]; ats = wms = ""
				for (i = 1; i <= 3; i++) {
					name = (i > 1 ? "," : "") "\"" substr(order, i, 1) "\":"
					ats = ats name at; wms = wms name wm
				}
				$0 = head "\"at\":{" ats "},\"wm\":{" wms "}}"
			}
			{ print }'
}

# Two copies of a pipeline, which stand at the same place, load at once: one comes
# to its end, the other is told that it was taken over, and nothing is twice. They
# wait for each other, but never crosswise.
two_loaders() {
	local rounds round total=0 one two a b first=0
	rounds=$(rounds 50 1000)
	RANDOM=11
	fl-load --migrate "$place"
	witness "$place"
	for ((round = 1; round <= rounds; round++)); do
		total=$((total + 200 + RANDOM % 2000))
		stream $((20 + RANDOM % 500)) >one
		stream $((20 + RANDOM % 500)) >two
		one=0 two=0
		fl-load --pipeline p --batch $((20 + RANDOM % 1000)),1s "$place" <one 2>one.err 3>&- &
		a=$!
		fl-load --pipeline p --batch $((20 + RANDOM % 1000)),1s "$place" <two 2>two.err 3>&- &
		b=$!
		wait $a || one=$?
		wait $b || two=$?
		case $one$two in
		03) grep -q 'was taken over' two.err; first=$((first + 1)) ;;
		30) grep -q 'was taken over' one.err ;;
		*) fail "round $round: $one and $two: $(cat one.err two.err)" ;;
		esac || fail "round $round: $(cat one.err two.err)"
		fl-load -q --pipeline p ref.db < <(fl-fetch "${sim[@]}" -n $total --resume ref.db --pipeline p)
	done
	holds $total "rounds=$rounds first_won=$first deadlocks=$(deadlocks "$place")"
	[ $first -gt 0 ] && [ $first -lt "$rounds" ]
	[ "$(ask "$place" 'SELECT count(*) FROM twice')" = 0 ]
	[ "$(deadlocks "$place")" = 0 ]
}

# --- a proxy in between ----------------------------------------------------------

# port_of PLACE; through PORT: the place again, by way of a proxy.
port_of() { sed -E 's|.*@[^/:]*:([0-9]+)/.*|\1|' <<<"$1"; }
through() { sed -E "s|(@[^/:]*):[0-9]+/|\1:$1/|" <<<"$place"; }

# within COMMAND...: where the client is. It is this process that becomes it.
within() { exec "${inside[@]}" "$@"; }

# supervise PLACE: pipeline p, live, at $speed times a hundred ticks a second,
# started again as often as it ends with 3; ends with the file `stop`. Statuses of
# fl-load are in `ends`.
speed=100
supervise() {
	local there=$1 got fetch load
	while [ ! -e stop ]; do
		rm -f pipe pipe2
		mkfifo pipe pipe2
		within fl-fetch "${sim[@]}" --speed "$speed" --resume "$there" --pipeline p \
			--marks 300,30ms --warm-up 0s >pipe 2>>fetch.err &
		fetch=$!
		"${bars[@]}" <pipe >pipe2 2>>agg.err &
		within fl-load -v --pipeline p --batch 1000,50ms "$there" <pipe2 2>>load.err &
		load=$!
		echo $fetch >fetch.pid
		got=0
		wait $load || got=$?
		echo $got >>ends
		wait $fetch || :
		sleep 0.05
	done
} 3>&-
# begins PLACE: the same in the background.
begins() {
	rm -f stop
	supervise "$@" &
	supervisor=$!
}
# comes_to_rest: its source is told to end, and it ends.
comes_to_rest() {
	touch stop
	kill "$(<fetch.pid)" 2>/dev/null || :
	wait "$supervisor" || :
}
# settles [WORD...]: without faults it goes on; then all is there, each record
# once. WORDS go with the verdict.
settles() {
	local odd
	begins "$place"
	moves_on
	comes_to_rest
	odd=$(grep -cvx '[03]' ends) || :
	holds "$(at)" "$* losses=$(grep -c 'again in 0.2 s' load.err) runs=$(wc -l <ends) odd=$odd"
	[ "$odd" = 0 ] || fail "$(cat ends load.err)"
	[ "$(ask "$place" 'SELECT count(*) FROM twice')" = 0 ]
}

# cut_at_commit ONE-IN COUNT PARAMETERS FAULT...: connections break where a
# transaction is committed, until each kind of fault has come COUNT times. The
# place has PARAMETERS.
cut_at_commit() {
	local one_in=$1 count=$2 parameters=$3 fault at
	shift 3
	fl-load --migrate "$place"
	witness "$place"
	proxy_cuts "$one_in" 7 "$@"
	begins "$(through "$(<port)")$parameters"
	for ((at = 0; at < 600 + 40 * count; at++)); do
		for fault; do
			[ "$(grep -cx "$fault" faults)" -ge "$count" ] || break
			[ "$fault" != "${!#}" ] || break 2
		done
		sleep 0.1
	done
	[ $at -lt $((600 + 40 * count)) ] || fail "too few faults: $(sort faults | uniq -c)"
	comes_to_rest
	kill "$(<helper.pid)"
	settles "$(sort faults | uniq -c | awk '{ printf "%s=%d ", $2, $1 }')"
}

# proxy_cuts ONE-IN SEED FAULT...: a proxy that does so; its port is in `port`.
proxy_cuts() {
	rm -f port
	"$FL_BUILD/helper/cut-proxy" "$(port_of "$place")" port faults "$2" "$1" "${@:3}" 3>&- &
	echo $! >helper.pid
	until [ -s port ]; do sleep 0.02; done
}

# Without marks rows are written again, which changes nothing; the account closes.
cut_without_marks() {
	fl-load --migrate "$place"
	fl-fetch "${sim[@]}" -n 20000 | fl-agg bars 1m --keep >in
	proxy_cuts 3 5 before after late
	run_json 0 fl-load --batch 1000,1m "$(through "$(<port)")" in
	kill "$(<helper.pid)"
	[ "$(wc -l <faults)" -gt 3 ]
	[ "$(jq -c '[.in, .used]' <<<"$record")" = "[$(wc -l <in),$(wc -l <in)]" ]
	fl-load -q x.db in
	fl-fetch store "$place" | cmp - <(fl-fetch store x.db)
	echo "# N=$(wc -l <in) cut=$(wc -l <faults)" >&3
}

# afflict KIND TIMES SECONDS [PARAMETERS]: KIND N is done, with N random, and
# undone by `no_toxic` after SECONDS at most, TIMES times, while the pipeline is
# run by way of the proxy.
afflict() {
	local kind=$1 times=$2 seconds=$3 turn
	toxiproxy_ready
	fl-load --migrate "$place"
	witness "$place"
	proxy_to "$(port_of "$place")"
	begins "$(through "$proxied")${4-}"
	RANDOM=5
	for ((turn = 0; turn < times; turn++)); do
		moves_on
		"$kind" $RANDOM
		sleep "$((RANDOM % seconds)).$((RANDOM % 10))"
		no_toxic
		proxy_is true
	done
	moves_on
	comes_to_rest
	settles "$kind=$turn"
}

slow_network() {
	toxic latency upstream "\"latency\":$(($1 % 40)),\"jitter\":$(($1 % 20))"
	toxic bandwidth downstream "\"rate\":$((1 + $1 % 20))"
}
thin_network() { toxic bandwidth upstream "\"rate\":$((20 + $1 % 200))"; }
# Each connection ends when so many bytes have gone to the server: in a COPY.
cut_upstream() { toxic limit_data upstream "\"bytes\":$((3 * $1))"; }
# … or have come from it: in any of its answers.
cut_downstream() { toxic limit_data downstream "\"bytes\":$((1 + $1 % 4000))"; }
reset_by_peer() { toxic reset_peer "$([ $(($1 % 2)) = 0 ] && echo up || echo down)stream" "\"timeout\":$(($1 % 50))"; }
# Nothing comes any more, of what is due or what is sent, and nobody says so.
half_open() { toxic timeout "$([ $(($1 % 2)) = 0 ] && echo up || echo down)stream" '"timeout":0'; }
# What was said last is still on its way when the connection is closed.
slow_close() {
	toxic slow_close downstream "\"delay\":$((200 + $1 % 800))"
	proxy_is false
}

# --- a machine that is gone without a word ----------------------------------------

# socket: of the server, in the file system, which all networks see.
socket() {
	case $place in
	postgres*) echo "$(ask "$place" 'SHOW unix_socket_directories')/.s.PGSQL.$(port_of "$place")" ;;
	mysql*) ask "$place" 'SELECT @@socket' ;;
	esac
}

# two_networks: $away leads to the place from the one that "${inside[@]}" is in.
two_networks() {
	local name=fl$BASHPID
	[ "$(id -u)" = 0 ] || skip 'only root makes networks'
	command -v ip >/dev/null || skip 'ip is not installed'
	command -v socat >/dev/null || skip 'socat is not installed'
	ip netns add "$name-a" 2>ip.err || skip "$(head -n 1 ip.err)"
	ip netns add "$name-b"
	echo "$name" >networks
	ip link add veth netns "$name-a" type veth peer name veth netns "$name-b"
	ip -n "$name-a" addr add 10.77.0.1/30 dev veth
	ip -n "$name-b" addr add 10.77.0.2/30 dev veth
	ip -n "$name-a" link set veth up
	ip -n "$name-b" link set veth up
	ip netns exec "$name-b" socat TCP-LISTEN:7777,fork,reuseaddr "UNIX-CONNECT:$(socket)" 2>socat.err 3>&- &
	echo $! >helper.pid
	# shellcheck disable=SC2001
	away=$(sed 's|@[^/]*/|@10.77.0.2:7777/|' <<<"$place")
	inside=(ip netns exec "$name-a")
}

# cable_cut TIMES PARAMETERS: neither end hears of it, for longer than one waits.
cable_cut() {
	local turn
	two_networks
	fl-load --migrate "$place"
	witness "$place"
	begins "$away$2"
	RANDOM=9
	for ((turn = 0; turn < $1; turn++)); do
		moves_on
		sleep 0.$((RANDOM % 10))
		ip -n "$(<networks)-b" link set veth down
		sleep 2.$((RANDOM % 10))
		ip -n "$(<networks)-b" link set veth up
	done
	moves_on
	comes_to_rest
	inside=()
	settles "cuts=$turn"
}

# --- a full disk -----------------------------------------------------------------

# small_disk SIZE: from now on the tables of $place are made on a disk of that size.
small_disk() {
	local name=${place##*/} where owner=postgres
	[ "$(id -u)" = 0 ] || skip 'only root makes small disks'
	case $place in
	postgres*) where=/tmp/financelake-small-$BASHPID ;;
	mysql*)
		where=$(msql "$root" 'SELECT @@datadir')$name
		owner=$(stat -c %U "$where")
		;;
	esac
	mkdir -p "$where"
	mount -t tmpfs -o "size=$1" tmpfs "$where" 2>mount.err || skip "$(<mount.err)"
	echo "$where" >disk
	chown "$owner:" "$where"
	case $place in
	postgres*)
		ask "${place%/*}/lake" "CREATE TABLESPACE small LOCATION '$where'"
		ask "${place%/*}/lake" "ALTER DATABASE $name SET TABLESPACE small"
		;;
	esac
}

small_disk_ends() {
	case $place in
	postgres*) ask "${place%/*}/lake" "DROP DATABASE ${place##*/}" && ask "${place%/*}/lake" 'DROP TABLESPACE small' ;;
	mysql*) msql "${place%/*}/lake" "DROP DATABASE ${place##*/}" ;;
	esac >drop.log 2>&1 || :
	umount -l "$(<disk)"
	rmdir "$(<disk)" 2>/dev/null || :
}

full_disk() {
	local stream
	small_disk 24m
	fl-load --migrate "$place"
	witness "$place"
	stream=(fl-fetch "${sim[@]}" -n 150000 --resume "$place" --pipeline p --marks '2000,1s' --warm-up 0s)
	run -5 fl-load --pipeline p --batch 10000,1s "$place" < <("${stream[@]}" 2>fetch.err | "${bars[@]}" 2>agg.err)
	[[ $output == "fl-load: cannot write to '"*[Ff]ull* ]] || [[ $output == *'No space left'* ]]
	echo "# at $(at) of 150000: ${lines[0]##*: }" >&3
	[ "$(at)" -lt 150000 ]
	mount -o remount,size=300m "$(<disk)"
	"${stream[@]}" | "${bars[@]}" | fl-load -q --pipeline p "$place"
	holds 150000
	[ "$(ask "$place" 'SELECT count(*) FROM twice')" = 0 ]
}

# --- rows that the database refuses ------------------------------------------------

# dear PRICE: quotes of that price and more are refused. The tables are made unless
# $made says that they are.
dear() {
	[ -n "${made-}" ] || fl-load --migrate "$place"
	ask "$place" "ALTER TABLE quote ADD CONSTRAINT cheap CHECK (price < $1)"
}
# dear_lines SEED FROM TO: quotes with a number of theirs from FROM to TO, many twice
# and more, one in four for 1000 or more.
dear_lines() {
	awk -v seed="$1" -v from="$2" -v to="$3" 'BEGIN { srand(seed)
		for (i = from; i <= to; i++) {
			seq = from + int((i - from) * (0.5 + rand() / 2))
			price = int(1 + rand() * 1333); size = i
			printf "{\"type\":\"quote\",\"ts\":\"2026-01-02T16:%02d:%02d.000Z\",\"provider\":\"t\",", seq / 60 % 60, seq % 60
			printf "\"symbol\":\"ZZZT\",\"price\":%d,\"size\":%d,\"seq\":%d}\n", price, size, seq
		}
	}'
}
# last_good: of those that may stay the last of each number.
last_good() {
	jq -c 'select(.price < 1000)' | jq -sc 'group_by(.seq) | map(last) | sort_by(.ts, .seq)[]'
}

# refused_of BATCH: of those that may not stay the ones that no line of the same
# number, in the same batch, takes the place of before anybody asks the database.
refused_of() {
	awk -v batch="$1" '
		function settle(i) {
			for (i = count; i > 0; i--)
				if (good[i]) later[seq[i]] = 1
				else refused[i] = !(seq[i] in later)
			for (i = 1; i <= count; i++) if (!good[i] && refused[i]) print line[i]
			count = 0; delete later
		}
		{
			line[++count] = $0
			match($0, /"price":[0-9]*/); good[count] = 0 + substr($0, RSTART + 8, RLENGTH - 8) < 1000
			match($0, /"seq":[0-9]*/); seq[count] = substr($0, RSTART + 6, RLENGTH - 6)
		}
		NR % batch == 0 { settle() }
		END { settle() }'
}

# Of several lines with one key the last stays that the database takes, be it in one
# batch or in several; each that it refuses is a reject with the database's words.
refused_rows() {
	local count=${1:-3000} refused
	dear 1000
	dear_lines 1 1 "$count" >one
	dear_lines 2 1 $((2 * count)) >two
	cat one two | refused_of 1000 | sort >want.raw
	cat one two | last_good >want
	refused=$(wc -l <want.raw)
	for _ in 1 2; do
		rm -f bad
		run_json 1 fl-load --rejects bad --batch 1000,1m "$place" one two
		[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = "[$((3 * count)),$((3 * count - refused)),$refused]" ]
		jq -r 'select(.reason == "sink_refused") | select(.detail | test("cheap")) | .raw' bad |
			sort | cmp - want.raw
		fl-fetch store "$place" | cmp - want
	done
	[[ $(jq -r .detail bad | head -n 1) == *cheap* ]]
}

# The same between marks: rejects are stored, too, in the transaction of their mark.
refused_between_marks() {
	local count=4000 refused
	dear 1000
	dear_lines 3 1 $count >one
	refused_of 600 <one | sort >want.raw
	refused=$(wc -l <want.raw)
	{
		echo '{"type":"mark","pipeline":"p","at":{},"open":true}'
		awk -v n=$count '{ print } NR % 300 == 0 || NR == n {
			printf "{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{\"o\":[%s,\"%d\"]}%s}\n",
				from ? "\"" from "\"" : "null", NR, NR == n ? ",\"end\":true" : ""
			from = NR
		}' one
	} >stream
	run_json 1 fl-load --pipeline p --batch 500,1m "$place" stream
	[ "$(jq -c '[.in, .used, .rejected, .uncommitted]' <<<"$record")" = "[$count,$((count - refused)),$refused,0]" ]
	fl-fetch store "$place" --type quote | cmp - <(last_good <one)
	fl-fetch store "$place" --type reject | jq -r .raw | sort | cmp - want.raw
	[ "$(at)" = $count ]
}

# Many refused rows take no longer than many rows take elsewhere.
refused_rows_are_quick() {
	local began
	dear 1000
	dear_lines 4 1 20000 | awk '{ gsub(/"seq":[0-9]*/, "\"seq\":" NR) } { print }' >one
	began=$(date +%s%N)
	run -1 fl-load -q "$place" one
	echo "# $(jq -c 'select(.price >= 1000)' one | wc -l) of 20000 refused in $((($(date +%s%N) - began) / 1000000)) ms" >&3
	[ $((($(date +%s%N) - began) / 1000000)) -lt 15000 ]
}

# part FIRST HIGH VOLUME: of one bar, from that second on.
part() {
	printf '{"type":"bar","ts":"2026-01-02T16:00:00.000Z","provider":"t","symbol":"ZZZT","interval":"1m","open":1,"high":%d,"low":1,"close":1,"adj":"none","ts_end":"2026-01-02T16:01:00.000Z","volume":%d,"trades":1,"first_ts":"2026-01-02T16:00:%02d.000Z","last_ts":"2026-01-02T16:00:%02d.000Z","partial":true}\n' "$2" "$3" "$1" "$1"
}

# A part with which the bar is refused becomes a reject; the bar stays without it.
refused_parts() {
	fl-load --migrate "$place"
	ask "$place" 'ALTER TABLE bar ADD CONSTRAINT low CHECK (high < 1000)'
	part 1 5 10 >p1
	part 2 5000 20 >p2
	part 3 7 40 >p3
	echo '{"type":"mark","pipeline":"p","at":{},"open":true}' >open
	mark() { echo '{"type":"mark","pipeline":"p","at":{"o":['"$1"',"'"$2"'"]}'"${3-}"'}'; }
	# Each in a transaction of its own …
	run -1 fl-load -q --pipeline p --batch 1,1m "$place" < <(
		cat open p1; mark null 1; cat p2; mark '"1"' 2; cat p3; mark '"2"' 3 ',"end":true')
	[ "$(fl-fetch store "$place" --type bar | jq -c '[.high, .volume]')" = '[7,50]' ]
	[ "$(fl-fetch store "$place" --type reject | jq -r .raw)" = "$(<p2)" ]
	# … and all in one, with the first of another bar.
	sed -i 's/ZZZT/ZZZU/' p1 p2 p3
	run_json 1 fl-load --pipeline p "$place" < <(cat open p1 p3 p2; mark '"3"' 4 ',"end":true')
	[ "$(jq -c '[.in, .used, .rejected]' <<<"$record")" = '[3,2,1]' ]
	[ "$(fl-fetch store "$place" --type bar --symbol ZZZU | jq -c '[.high, .volume]')" = '[7,50]' ]
	[ "$(fl-fetch store "$place" --type reject | jq -r .raw | grep -c ZZZU)" = 1 ]
	[ "$(at)" = 4 ]
}

# A reject that the database refuses would be another one like it: it is kept where
# rejects are kept elsewhere, and else ends the load, saying so.
refused_rejects() {
	fl-load --migrate "$place"
	ask "$place" 'ALTER TABLE reject ADD CONSTRAINT few CHECK (line <> 7)'
	echo '{"type":"mark","pipeline":"p","at":{},"open":true}' >stream
	for i in {1..9}; do echo "{\"type\":\"quote\",\"n\":$i}"; done | fl-clean -q --rejects rejects - || :
	cat rejects >>stream
	echo '{"type":"mark","pipeline":"p","at":{"o":[null,"9"]},"end":true}' >>stream
	run -4 fl-load --pipeline p "$place" stream
	[[ $output == *"refuses a reject: "*few*"--rejects FILE keeps rejects elsewhere"* ]]
	run -1 fl-load -q --pipeline p --rejects kept "$place" stream
	[ "$(fl-fetch store "$place" --type reject | wc -l)" = 8 ]
	[ "$(jq -r '.raw | fromjson | .line' kept)" = 7 ]
}
