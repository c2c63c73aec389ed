# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # url is the tests' to use, data theirs to set
# serve: web servers of a test, which answer by a script (http-script.c).

# A stand-in is asked as fast as one can; tests of quotas say otherwise.
export FL_LIMIT=none

# serve [NAME] <SCRIPT: starts one; its URL is left in $url, its requests in the
# file NAME.log [web.log]. body=FILE is a file of $data.
serve() {
	local name=${1:-web} at
	sed "s|body=|body=$data/|" >"$name.script"
	LD_PRELOAD=${server_preload-} ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0 \
		"$FL_BUILD/helper/http-script" "$name.script" "$name.log" "$name.port" \
		>"$name.out" 2>&1 3>&- &
	servers+=" $!"
	for ((at = 0; at < 200; at++)); do
		[ ! -s "$name.port" ] || break
		sleep 0.02
	done
	[ -s "$name.port" ] || { cat "$name.out" >&2; return 1; }
	url=http://127.0.0.1:$(<"$name.port")
}

# Ends what serve started.
end_servers() {
	local pid
	for pid in ${servers-}; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	servers=''
}

# asked [NAME]: the targets that were asked for, one a line.
asked() { cut -d ' ' -f 2 "${1:-web}.log"; }
