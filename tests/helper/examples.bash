# shellcheck shell=bash disable=SC2154 # who loads this sets top
# examples: what README.md and the manual tell people to type, as files to run.

# The blocks as files block.LINE, LINE being that of the fence.
blocks() {
	awk '/^```sh$/ { out = "block." NR; next }
		/^```/ { out = "" }
		out { print > out }' "$top/README.md"
}

# What a file of commands needs beside ours and is not there.
lacks() {
	local tool
	for tool in jq sqlite3 zstd; do
		if grep -qw "$tool" "$1" && ! command -v "$tool" >/dev/null; then
			echo "$tool"
		fi
	done
	if grep -qE 'fl-fetch (yahoo|alphavantage|syslog)' "$1"; then
		echo 'the network'
	fi
	if grep -qE 'fl-(produce|consume) ' "$1" && [ -z "${FL_BROKERS:-}" ]; then
		echo 'a broker'
	fi
	if grep -q FL_MYSQL_TEST "$1" && [ -z "${FL_MYSQL_TEST:-}" ]; then
		echo MariaDB
	fi
	if grep -q -e --jq "$1" && ! fl-clean -q --jq . </dev/null 2>/dev/null; then
		echo libjq
	fi
}

# examples PAGE SECTION: its commands as files example.NN: a line behind .Dl, or
# the text between .Bd and .Ed, whole.
examples() {
	rm -f example.*
	awk -v section="$2" '
		/^\.Sh / { on = $0 == ".Sh " section; next }
		!on { next }
		/^\.Bd/ { text = 1; n++; next }
		/^\.Ed/ { text = 0; next }
		/^\.Dl / { sub(/^\.Dl /, ""); n++; hit = 1 }
		text || hit {
			gsub(/\\\(dq/, "\"")
			gsub(/\\e/, "\\")
			print > sprintf("example.%02d", n)
			hit = 0
		}' "$top/man/$1"
}

# try FILE: run it here; it ends with 0, or with 1 where some was rejected.
try() {
	local status=0
	bash "$1" >out 2>&1 </dev/null || status=$?
	[ $status -le 1 ] ||
		fail "ended with $status:"$'\n'"$(cat "$1")"$'\n'"$(cat out)"
}
