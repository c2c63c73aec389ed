# shellcheck shell=bash
# mariadb: a MariaDB of a test file (scripts/services/mariadb).
#
#   setup_file() { begin_mariadb; }
#   setup() { mariadb_ready; }
#   teardown_file() { mariadb_service stop; }

# mariadb_service COMMAND [ARG...]: of the one that the file has. TMPDIR of the
# tests may be closed to the account that the server runs under.
mariadb_service() {
	"$BATS_TEST_DIRNAME/../../scripts/services/mariadb" "$@" \
		--dir "/tmp/financelake-mariadb-test-${BATS_FILE_TMPDIR//\//-}"
}

# begin_mariadb [OPTION...]: starts it. What is not to be had is why the tests
# are skipped; all else that goes wrong is for the first of them to show.
begin_mariadb() {
	local said got=0
	said=$(mariadb_service start "$@" 2>&1) || got=$?
	echo "$said" >"$BATS_FILE_TMPDIR/mariadb-start"
	case $got:$said in
	4:*' is not installed'*)
		sed -n 's/^mariadb: \(.* is not installed\).*/\1/p' <<<"$said" >"$BATS_FILE_TMPDIR/mariadb-missing"
		;;
	esac
}

# mariadb_ready: skips the test where there is no MariaDB, else puts the place of
# a new, empty database into FL_MYSQL_TEST and $place, and that of one's
# administrator into $root.
mariadb_ready() {
	local where
	[ ! -e "$BATS_FILE_TMPDIR/mariadb-missing" ] || skip "$(<"$BATS_FILE_TMPDIR/missing")"
	where=$(mariadb_service env) || { cat "$BATS_FILE_TMPDIR/mariadb-start" >&2; return 1; }
	eval "$where"
	# shellcheck disable=SC2034 # for the tests
	place=${FL_MYSQL_TEST%/*}/test$BATS_TEST_NUMBER root=${FL_MYSQL_TEST_ROOT%/*}/test$BATS_TEST_NUMBER
	msql "$FL_MYSQL_TEST" "CREATE OR REPLACE DATABASE test$BATS_TEST_NUMBER"
}

# msql PLACE STATEMENT: its rows, columns with |.
msql() {
	local user host rows
	user=${1#*://} host=${1#*@}
	host=${host%%/*}
	rows=$(MYSQL_PWD=$(<"$FL_MYSQL_PASSWORD_FILE") mariadb --no-defaults --skip-ssl --protocol=tcp -BN \
		-h "${host%:*}" -P "${host##*:}" -u "${user%%@*}" -e "$2" "$(basename "${1%%\?*}")") ||
		return
	[ -z "$rows" ] || tr '\t' '|' <<<"$rows"
}
