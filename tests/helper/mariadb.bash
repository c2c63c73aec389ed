# shellcheck shell=bash
# mariadb: a MariaDB of a test file (scripts/services/mariadb).
#
#   setup_file() { begin_mariadb; }
#   setup() { mariadb_ready; }
#   teardown_file() { mariadb_service stop; }

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/service.bash"

# mariadb_service COMMAND [ARG...]: of the one that the file has. TMPDIR of the
# tests may be closed to the account that the server runs under.
mariadb_service() {
	"$BATS_TEST_DIRNAME/../../scripts/services/mariadb" "$@" \
		--dir "/tmp/financelake-mariadb-test-${BATS_FILE_TMPDIR//\//-}"
}

# begin_mariadb [OPTION...]: starts it.
begin_mariadb() { begin_service mariadb mariadb_service "$@"; }

# mariadb_ready: skips the test where there is no MariaDB, else puts the place of
# a new, empty database into FL_MYSQL_TEST and $place, and that of one's
# administrator into $root.
mariadb_ready() {
	service_ready mariadb mariadb_service || return
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
