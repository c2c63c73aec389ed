#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# The PostgreSQL store, against a real server.

load ../helper/common
load ../helper/postgres
load ../helper/stores

setup_file() { begin_postgres --tls; }
teardown_file() { postgres stop; }
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	postgres_ready
}

# --- what is stored -----------------------------------------------------------

@test "the conformance suites of all stores hold for PostgreSQL" {
	fl_stores_hold postgres
}

@test "every type is read back as SQLite gives it, equal to the byte, and loading twice changes nothing" {
	every_type_comes_back
}

@test "numbers, times and texts are what SQL and BI tools expect" {
	echo '{"type":"quote","ts":"2026-01-02T16:00:00.123456789Z","provider":"t","symbol":"ZZZT","price":101.25,"conditions":["a","b\"c"],"mine":{"x":1.5}}' |
		fl-load "$place"
	run -0 sql "$place" "SELECT ts, ts_ns, price * 2, conditions[2], extra ->> 'mine' FROM quote"
	[ "$output" = '2026-01-02 16:00:00.123456+00|789|202.50|b"c|{"x":1.5}' ]
	run -0 fl-fetch store "$place"
	[ "$output" = '{"type":"quote","ts":"2026-01-02T16:00:00.123456789Z","provider":"t","symbol":"ZZZT","price":101.25,"conditions":["a","b\"c"],"mine":{"x":1.5}}' ]
}

@test "a place may name a schema, and TLS with a certificate that is checked" {
	sql "$place" 'CREATE SCHEMA mine'
	address=${place#*@}
	secure="postgresql://lake@localhost:${address#*:}?sslmode=verify-full&sslrootcert=$FL_PG_TEST_CA&options=-csearch_path%3Dmine"
	quote 1 | fl-load "$secure"
	run -0 sql "$place" 'SELECT count(*) FROM mine.quote'
	[ "$output" = 1 ]
	run -4 fl-load "${secure/"$FL_PG_TEST_CA"/$BATS_TEST_DIRNAME/none.pem}" </dev/null
	[[ $output == *certificate* ]]
}

# --- marks --------------------------------------------------------------------

@test "a pipeline killed 10 times at random leaves the rows of an undisturbed run" {
	killed_at_random "$([ -n "${FL_LONG:-}" ] && echo 200 || echo 10)"
}

@test "bars made of parts by a pipeline killed 6 times at random are those of an undisturbed run" {
	bars_killed_at_random "$([ -n "${FL_LONG:-}" ] && echo 100 || echo 6)"
}

@test "of two copies of a pipeline one wins, and the other stops with 3" {
	one_copy_wins
}

@test "copies of a pipeline that share its origins commit side by side" {
	copies_side_by_side 30
}

@test "a mark that does not move is found where it was, though nothing changes" {
	a_mark_may_stand_still
}

@test "copies that commit at the same time: the one behind waits, then stops with 3" {
	one_behind_waits sql "$place" "BEGIN; UPDATE fl_position SET pos = '7'; SELECT pg_sleep(1); COMMIT"
}

@test "a store that holds nothing of where the stream goes on refuses it with 4" {
	nothing_is_held
}

# --- what goes wrong ----------------------------------------------------------

@test "a row that the database refuses is a reject with its words, the others of the batch stay" {
	fl-load --migrate "$place"
	sql "$place" 'ALTER TABLE quote ADD CONSTRAINT cheap CHECK (price < 1000)'
	refuses_dear_ones 'violates check constraint "cheap"'
}

@test "a row refused between marks is stored as a reject, with its mark" {
	fl-load --migrate "$place"
	sql "$place" "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN RAISE EXCEPTION \$\$not on a %\$\$, new.symbol; END'; CREATE TRIGGER no
		BEFORE INSERT ON quote FOR EACH ROW WHEN (new.price = 5) EXECUTE FUNCTION no()"
	refuses_between_marks 'not on a ZZZT'
}

@test "a wrong password, no such database, no such role are 4, with what mends it" {
	quote 1 >in
	PGPASSFILE=/dev/null run -4 fl-load "$place" in
	[[ $output == *'~/.pgpass'* ]]
	PGPASSWORD=wrong run -4 fl-load "$place" in
	[[ $output == *'password authentication failed'*PGPASSWORD* ]]
	[[ $output != *wrong* ]]
	run -4 fl-load "${place}x" in
	[[ $output == *'does not exist; createdb '* ]]
}

@test "a password in a place is refused, and not shown" {
	keeps_a_password PGPASSWORD
}

@test "a server that is not there is 3" {
	run -3 fl-load postgres://lake@127.0.0.1:1/lake /dev/null
	[[ $output == "fl-load: cannot connect to 'postgres://lake@127.0.0.1:1/lake': "*'Connection refused'* ]]
}

@test "tables of a newer release are 4, to who writes and to who reads" {
	newer_tables sql
}

@test "a migration while a load runs ends it with 4 before the next batch" {
	newer_tables_meanwhile sql
}

@test "who may not make tables is told what the owner has to say" {
	sql "$place" "CREATE ROLE guest LOGIN PASSWORD 'pw'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
	PGPASSWORD=pw run -4 fl-load "${place/lake@/guest@}" /dev/null
	[[ $output == *'permission denied'*'GRANT CREATE, USAGE ON SCHEMA public TO "guest"'* ]]
}

@test "who may not connect, read or write is told what the owner has to say" {
	quote 1 | fl-load "$place"
	sql "$place" "DROP ROLE IF EXISTS other; CREATE ROLE other LOGIN PASSWORD 'pw'"
	theirs=${place/lake@/other@}
	export PGPASSWORD=pw
	run -4 fl-load "$theirs" < <(quote 2)
	[[ $output == *'permission denied for table'*'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "other"'* ]]
	run -4 fl-fetch store "$theirs"
	[[ $output == *'permission denied for table'*'GRANT '* ]]
	PGPASSWORD='' sql "$place" "GRANT SELECT ON ALL TABLES IN SCHEMA public TO other"
	[ "$(fl-fetch store "$theirs" | wc -l)" = 1 ]
	run -4 fl-load "$theirs" < <(quote 2)
	[[ $output == *'permission denied for '*'GRANT '* ]]
	PGPASSWORD='' sql "$place" "REVOKE CONNECT ON DATABASE ${place##*/} FROM PUBLIC"
	run -4 fl-load "$theirs" < <(quote 2)
	[[ $output == *'permission denied for database'*"GRANT CONNECT ON DATABASE \"${place##*/}\" TO \"other\""* ]]
	[ "$(PGPASSWORD='' sql "$place" 'SELECT count(*) FROM quote')" = 1 ]
}

@test "a read-only database is 5" {
	fl-load --migrate "$place"
	sql "$place" "ALTER DATABASE ${place##*/} SET default_transaction_read_only = on"
	quote 1 >in
	run -5 fl-load "$place" in
	[[ $output == *'read-only transaction'* ]]
}

@test "a reader sees one moment of the store, and --last the newest of each symbol" {
	selects_as_sqlite_does
}
