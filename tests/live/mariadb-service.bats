#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status, mariadb_ready where it listens
# scripts/services/mariadb, seen by the client of the package; and our own
# connection (lib/store/my.h), seen by the servers that it starts.

load ../helper/common
load ../helper/mariadb

setup_file() { begin_mariadb --tls; }
teardown_file() { mariadb_service stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mariadb_ready
}

top=$BATS_TEST_DIRNAME/../..
# A second one; the account of the server must reach its folder.
other() { run "$top/scripts/services/mariadb" "$@" --dir "/tmp/financelake-mariadb-other-$$"; }
folder() { echo "/tmp/financelake-mariadb-other-$$"; }
teardown() { other stop; }

# built NAME: a unit program, built for this run.
built() {
	make -s -C "$top" "build/${FL_VARIANT:-release}/unit/$1" VARIANT="${FL_VARIANT:-release}" CC="${FL_CC:-gcc}" >&2 &&
		echo "$top/build/${FL_VARIANT:-release}/unit/$1"
}
# holds PROGRAM: all that it checks.
holds() {
	"$1" >out 2>err || {
		grep -A 6 '^not ok' out
		cat err
		return 1
	}
	run ! grep '# SKIP.*FL_MYSQL' out
}

# --- our connection ------------------------------------------------------------

@test "values, cursors and loads are what they should be" {
	program=$(built my)
	FL_MYSQL_TEST=$place holds "$program"
}

@test "what goes wrong is sorted, told and survived; a crash of the server, too" {
	program=$(built my_faults)
	script=$(declare -f mariadb_service)
	export BATS_TEST_DIRNAME BATS_FILE_TMPDIR
	printf '#!/bin/bash\n%s\nmariadb_service "$@"\n' "$script" >service
	chmod +x service
	FL_MYSQL_TEST=$place FL_MYSQL_TEST_KILL='./service kill' \
		FL_MYSQL_TEST_REVIVE='./service revive' holds "$program"
}

@test "a server without TLS is fine, unless it is wanted" {
	program=$(built my_faults)
	other start
	[ "$status" = 0 ] || fail "$output"
	other env
	unset FL_MYSQL_TEST_CA
	eval "$output"
	FL_MYSQL_TEST_KILL="$top/scripts/services/mariadb kill --dir $(folder)" \
		FL_MYSQL_TEST_REVIVE="$top/scripts/services/mariadb revive --dir $(folder)" holds "$program"
}

# --- the script ----------------------------------------------------------------

@test "it is ready in time, listens on loopback alone, and leaves neither process nor folder" {
	began=$SECONDS
	other start --durable
	[ "$status" = 0 ] || fail "$output"
	[ $((SECONDS - began)) -le 10 ]
	[[ $output == 'mariadb: '*' at 127.0.0.1:'* ]]
	other env
	eval "$output"
	[ "$(stat -c %a "$FL_MYSQL_PASSWORD_FILE")" = 600 ]
	[[ $FL_MYSQL_TEST =~ ^'mysql://lake@127.0.0.1:'[0-9]+/lake$ ]]
	run -0 msql "$FL_MYSQL_TEST" 'SELECT DATABASE(), @@innodb_flush_log_at_trx_commit, COUNT(*) FROM information_schema.tables WHERE table_schema = "lake"'
	[ "$output" = 'lake|1|0' ]
	other start --durable
	[ "$status $output" = "0 mariadb: it runs already, in '$(folder)'" ]
	other start --tls
	[ "$status" = 4 ]
	[[ $output == *'another one runs in '* ]]
	pid=$(<"$(folder)/server/data/server.pid")
	port=$(printf '%04X' "$(<"$(folder)/port")")
	[ "$(awk -v p=":$port" '$4 == "0A" && index($2, p) { print $2 }' /proc/net/tcp /proc/net/tcp6)" = "0100007F:$port" ]
	other stop
	[ "$status $output" = "0 mariadb: stopped, and '$(folder)' deleted" ]
	[ ! -e "$(folder)" ]
	[ ! -e "/proc/$pid/cwd" ]
	other env
	[ "$status" = 3 ]
}

@test "a start that was killed is done anew, with another's folder nothing is done" {
	"$top/scripts/services/mariadb" start --dir "$(folder)" >/dev/null 2>&1 3>&- &
	start=$!
	until [ -e "$(folder)/server/data/server.pid" ]; do sleep 0.02; done
	kill -KILL $start
	other env
	[ "$status" = 3 ]
	other start
	[ "$status" = 0 ] || fail "$output"
	other stop
	mkdir "$(folder)"
	touch "$(folder)/mine"
	other start
	[ "$status $output" = "4 mariadb: '$(folder)' holds something else" ]
	other stop
	[ -e "$(folder)/mine" ]
	rm -r "$(folder)"
	other --dir
	[ "$status" = 2 ]
	other start now
	[ "$status" = 2 ]
	[[ $output == *"'start' takes no operand"* ]]
	run -2 "$top/scripts/services/mariadb" start --dir 'a b'
}

@test "what was committed outlives a crash, and the server is revived" {
	msql "$place" 'CREATE TABLE t (n INT); INSERT INTO t VALUES (1), (2)'
	mariadb_service kill
	run -3 mariadb_service kill
	run ! msql "$place" 'SELECT 1'
	mariadb_service revive
	run -4 mariadb_service revive
	run -0 msql "$place" 'SELECT SUM(n) FROM t'
	[ "$output" = 3 ]
}

@test "lake has its databases, roles and users, and not those of others" {
	msql "$place" "CREATE DATABASE lake_more; CREATE ROLE fl_bi; GRANT SELECT ON lake_more.* TO fl_bi;
		CREATE USER test_one@'%'; GRANT fl_bi TO test_one@'%'; DROP USER test_one@'%'; DROP ROLE fl_bi;
		DROP DATABASE lake_more"
	run ! msql "$place" 'CREATE DATABASE mine'
	[[ $output == *'Access denied'* ]]
	run ! msql "$place" 'SET GLOBAL read_only = 0'
	msql "$root" 'SET GLOBAL read_only = 0'
}

@test "its certificate is good for localhost, to who trusts it" {
	port=${FL_MYSQL_TEST##*:}
	port=${port%/*}
	export MYSQL_PWD
	MYSQL_PWD=$(<"$FL_MYSQL_PASSWORD_FILE")
	secure() { run mariadb --no-defaults --protocol=tcp -P "$port" -u lake -BN --ssl-verify-server-cert "$@" -e "SHOW STATUS LIKE 'Ssl_version'"; }
	secure -h localhost --ssl-ca="$FL_MYSQL_TEST_CA"
	[ "$status" = 0 ] || fail "$output"
	[[ $output == *TLSv1.[23]* ]]
	secure -h 127.1 --ssl-ca="$FL_MYSQL_TEST_CA"
	[ "$status" = 1 ]
}
