# shellcheck shell=bash disable=SC2154 # the script that reads this sets the rest
# database: what scripts/services/postgres and mariadb have in common: a server
# in a folder of its own, started, ended, killed and revived. Each sets
#
#   name       of itself; account  of the package, which runs it for root
#   usage      what --help says
#   patience   seconds for a start
#   at_once    the signal that ends it without delay
#
# and has the functions
#
#   find_programs   fails where they are not installed
#   make_server     its files in $dir/server, for user lake with $password
#   serve           puts into serving what is to be run
#   ask_ready       does it answer?
#   finish          what is to be done once it does for the first time
#   version         of the server, for the reader
#   pid_of          prints the process that it has recorded
#   environment     prints what env prints
#
# The folder:
#
#   financelake-NAME       what it was started with; marks it as ours
#   port log ca.pem        
#   server/data server/run its own, for which the account must reach it
#   ready                  it has been: a start was not cut off
set -uo pipefail
umask 077 # there is a password in the folder
export LC_ALL=C

say() { echo "$name: $*"; }
fail() { echo "$name: ${*:2}" >&2; exit "$1"; }
misuse() { fail 2 "$*; try 'scripts/services/$name --help'"; }
need() { command -v "$1" >/dev/null || fail 4 "$1 is not installed: apt-get install $2"; }

# --- the folder --------------------------------------------------------------

is_ours() { [ -O "$dir" ] && [ -e "$dir/financelake-$name" ]; }
recall() {
	read -r tls durable <"$dir/financelake-$name"
	port=$(cat "$dir/port" 2>/dev/null)
}

# pid: of the server that was recorded and still works in this folder.
pid() {
	local it
	it=$(pid_of) && [ "/proc/$it/cwd" -ef "$dir/server/data" ] && echo "$it"
} 2>/dev/null
runs() { pid >/dev/null; }

# lock FOLDER FD: the lock is the folder's own, so that no file of it is left;
# that of a folder which was deleted meanwhile is worth nothing.
lock() {
	while mkdir -p "$1" && [ -O "$1" ] && eval "exec $2<\"\$1\"" && flock "$2"; do
		[ ! "/proc/self/fd/$2" -ef "$1" ] || return 0
	done 2>/dev/null
	fail 5 "cannot write '$1', or it is not yours"
}

# end SIGNAL: of those that it has started, too: they end when it is gone.
end() {
	local it at
	it=$(pid) || return 0
	kill "-$1" "$it"
	for ((at = 0; at < 500; at++)); do
		[ -e "/proc/$it/cwd" ] || break
		sleep 0.02
	done
	[ $at -lt 500 ] || fail 3 'the server does not end'
}

clear_away() {
	recall
	end "$at_once"
	rm -rf "${dir:?}"
}

# --- the server --------------------------------------------------------------

# as_server COMMAND...: as the account that may run it.
as_server() {
	local drop=()
	[ "$(id -u)" != 0 ] ||
		drop=(setpriv "--reuid=$account" "--regid=$account" --init-groups --)
	(cd / && TMPDIR=$dir/server/run exec "${drop[@]}" "$@" </dev/null)
}
give_to_server() { [ "$(id -u)" != 0 ] || chown -R "$account:" "$@"; }

# launch: away from our terminal, and with none of our files open, which are what
# somebody reads to its end, and our locks.
launch() {
	local fd
	serve
	(
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			((fd < 3 || fd == 255)) || eval "exec $fd>&-"
		done
		as_server setsid "${serving[@]}"
	) >>"$dir/log" 2>&1 </dev/null &
	launched=$!
	disown
}

until_ready() {
	local end=$((SECONDS + patience))
	until ask_ready >/dev/null 2>&1; do
		if ! kill -0 "$launched" 2>/dev/null || [ $SECONDS -ge $end ]; then
			echo "$name: it is not ready; its last words:" >&2
			tail -n 5 "$dir/log" | sed 's/^/  /' >&2
			return 1
		fi
		sleep 0.05
	done
}

# A port below those that the system gives to outgoing connections. Who else
# takes it before the server does makes the start fail, and another is tried.
pick_port() {
	local try
	for ((try = 0; try < 500; try++)); do
		port=$((15000 + RANDOM % 5000))
		if ! (exec 7<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo $port >"$dir/port"
			return
		fi
	done
	fail 5 'no free port'
}

certify() {
	local server=$dir/server/data/server
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$server.key" -out "$dir/ca.pem" 2>>"$dir/log" &&
		cp "$dir/ca.pem" "$server.crt" &&
		give_to_server "$server.key" "$server.crt"
}

# --- the commands ------------------------------------------------------------

start() {
	local began=$SECONDS wanted="$tls $durable" try
	find_programs
	[ "$tls" = 0 ] || need openssl openssl
	# A start that was cut off, or whose server is gone, is done anew.
	while lock "$dir" 9 && is_ours; do
		recall
		if [ -e "$dir/ready" ] && runs; then
			[ "$wanted" = "$tls $durable" ] ||
				fail 4 "another one runs in '$dir': stop it first"
			say "it runs already, in '$dir'"
			return
		fi
		clear_away
		read -r tls durable <<<"$wanted"
	done
	[ -z "$(ls -A "$dir")" ] || fail 4 "'$dir' holds something else"
	echo "$tls $durable" >"$dir/financelake-$name" || fail 5 "cannot write '$dir'"
	trap clear_away EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	# shellcheck disable=SC2034 # for make_server
	password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
	mkdir -p "$dir/server/run" "$dir/server/data"
	chmod 711 "$dir" "$dir/server"
	chmod 755 "$dir/server/run"
	make_server
	if [ "$tls" = 1 ]; then
		certify || fail 5 "openssl: $(tail -n 1 "$dir/log")"
	fi
	for ((try = 0; try < 3; try++)); do
		pick_port
		launch
		until_ready && break
		end "$at_once"
	done
	[ $try -lt 3 ] || exit 3
	finish || exit 3
	touch "$dir/ready"
	trap - EXIT INT TERM HUP
	say "$(version) at 127.0.0.1:$port$([ "$tls" = 0 ] || echo ', TLS'), ready in $((SECONDS - began)) s, in '$dir'"
}

stop() {
	is_ours || { say "nothing runs in '$dir'"; return; }
	lock "$dir" 9
	is_ours || { rmdir "$dir"; return; } # another stop was quicker
	clear_away
	say "stopped, and '$dir' deleted"
}

kill_server() { runs || fail 3 'it does not run'; end KILL; }
revive() {
	lock "$dir" 9
	! runs || fail 4 'it runs'
	find_programs
	# Its children are gone a moment later than it is itself, and their memory
	# with them.
	local try
	for ((try = 0; try < 50; try++)); do
		launch
		sleep 0.1
		! until_ready 2>/dev/null || return 0
	done
	fail 3 'it does not come back'
}

# --- what was typed ----------------------------------------------------------

database() {
	local words=() starting=''
	dir=${TMPDIR:-/tmp}/financelake-$name-$UID
	tls=0 durable=0
	while [ $# -gt 0 ]; do
		case $1 in
		--dir=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
		--dir) [ -n "${2-}" ] || misuse '--dir needs a folder'; dir=$2; shift ;;
		--tls) tls=1 starting=$1 ;;
		--durable) durable=1 starting=$1 ;;
		-h | --help) echo "$usage"; exit 0 ;;
		-*) misuse "unknown option '$1'" ;;
		*) words+=("$1") ;;
		esac
		shift
	done
	dir=$(realpath -m -- "$dir")
	set -- ${words[@]+"${words[@]}"}
	case ${1-}:$# in
	start:1 | stop:1 | env:1 | kill:1 | revive:1) ;;
	:*) misuse 'a command is missing' ;;
	start:* | stop:* | env:* | kill:* | revive:*) misuse "'$1' takes no operand" ;;
	*) misuse "unknown command '$1'" ;;
	esac
	[ -z "$starting" ] || [ "$1" = start ] || misuse "$starting goes with start"

	case $1 in
	start | stop) "$1"; exit ;;
	esac
	if ! is_ours || ! recall || [ ! -e "$dir/ready" ]; then fail 3 "nothing runs in '$dir'"; fi
	case $1 in
	env) environment ;;
	kill) kill_server ;;
	revive) revive ;;
	esac
}
