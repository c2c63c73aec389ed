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
	local one_in=$1 count=$2 parameters=$3 proxy fault at
	shift 3
	fl-load --migrate "$place"
	witness "$place"
	"$FL_BUILD/helper/cut-proxy" "$(port_of "$place")" port faults 7 "$one_in" "$@" 3>&- &
	proxy=$!
	echo $proxy >helper.pid
	until [ -s port ]; do sleep 0.02; done
	begins "$(through "$(<port)")$parameters"
	for ((at = 0; at < 1200; at++)); do
		for fault; do
			[ "$(grep -cx "$fault" faults)" -ge "$count" ] || break
			[ "$fault" != "${!#}" ] || break 2
		done
		sleep 0.1
	done
	[ $at -lt 1200 ] || fail "too few faults: $(sort faults | uniq -c)"
	comes_to_rest
	kill $proxy
	settles "$(sort faults | uniq -c | awk '{ printf "%s=%d ", $2, $1 }')"
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
