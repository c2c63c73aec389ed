# shellcheck shell=bash
# postgres: a PostgreSQL of a test file (scripts/services/postgres).
#
#   setup_file() { begin_postgres; }
#   setup() { postgres_ready; }
#   teardown_file() { postgres stop; }

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/service.bash"

# postgres COMMAND [ARG...]: of the one that the file has. TMPDIR of the tests
# may be closed to the account that the server runs under.
postgres() {
	"$BATS_TEST_DIRNAME/../../scripts/services/postgres" "$@" \
		--dir "/tmp/financelake-postgres-test-${BATS_FILE_TMPDIR//\//-}"
}

# begin_postgres [OPTION...]: starts it, of the release whose programs are in
# FL_PG_BIN, where that is set.
begin_postgres() { begin_service postgres postgres ${FL_PG_BIN:+--bin "$FL_PG_BIN"} "$@"; }

# postgres_ready: skips the test where there is no PostgreSQL, else puts the place
# of a new, empty database into FL_PG_TEST and $place.
postgres_ready() {
	service_ready postgres postgres || return
	# shellcheck disable=SC2034 # for the tests
	place=${FL_PG_TEST%/*}/test$BATS_TEST_NUMBER
	sql "$FL_PG_TEST" "CREATE DATABASE test$BATS_TEST_NUMBER"
}

# postgres_log: the path of what the server says.
postgres_log() { echo "/tmp/financelake-postgres-test-${BATS_FILE_TMPDIR//\//-}/log"; }

# sql PLACE STATEMENT: its rows, columns with |.
sql() { psql -qAtX -v ON_ERROR_STOP=1 "$1" -c "$2"; }
