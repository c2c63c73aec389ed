# shellcheck shell=bash
# postgres: a PostgreSQL of a test file (scripts/services/postgres).
#
#   setup_file() { begin_postgres; }
#   setup() { postgres_ready; }
#   teardown_file() { postgres stop; }

# postgres COMMAND [ARG...]: of the one that the file has. TMPDIR of the tests
# may be closed to the account that the server runs under.
postgres() {
	"$BATS_TEST_DIRNAME/../../scripts/services/postgres" "$@" \
		--dir "/tmp/financelake-postgres-test-${BATS_FILE_TMPDIR//\//-}"
}

# begin_postgres [OPTION...]: starts it. What is not to be had is why the tests
# are skipped; all else that goes wrong is for the first of them to show.
begin_postgres() {
	local said got=0
	said=$(postgres start "$@" 2>&1) || got=$?
	echo "$said" >"$BATS_FILE_TMPDIR/postgres-start"
	case $got:$said in
	4:*' is not installed'*)
		sed -n 's/^postgres: \(.* is not installed\).*/\1/p' <<<"$said" >"$BATS_FILE_TMPDIR/postgres-missing"
		;;
	esac
}

# postgres_ready: skips the test where there is no PostgreSQL, else puts the place
# of a new, empty database into FL_PG_TEST and $place.
postgres_ready() {
	local where
	[ ! -e "$BATS_FILE_TMPDIR/postgres-missing" ] || skip "$(<"$BATS_FILE_TMPDIR/postgres-missing")"
	where=$(postgres env) || { cat "$BATS_FILE_TMPDIR/postgres-start" >&2; return 1; }
	eval "$where"
	# shellcheck disable=SC2034 # for the tests
	place=${FL_PG_TEST%/*}/test$BATS_TEST_NUMBER
	sql "$FL_PG_TEST" "CREATE DATABASE test$BATS_TEST_NUMBER"
}

# postgres_log: the path of what the server says.
postgres_log() { echo "/tmp/financelake-postgres-test-${BATS_FILE_TMPDIR//\//-}/log"; }

# sql PLACE STATEMENT: its rows, columns with |.
sql() { psql -qAtX -v ON_ERROR_STOP=1 "$1" -c "$2"; }
