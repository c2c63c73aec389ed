# shellcheck shell=bash
# place: what the campaigns ask of a place directly, whichever kind it is.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/mariadb.bash"

# doubled PLACE: how many ticks stand in the objects of a lake more than once.
# FL_S3_TEST_DIR is the folder in which the server keeps those of s3://BUCKET.
doubled() {
	local path=${1#s3://}
	find "$FL_S3_TEST_DIR/${path#*/}/quote" -name '*.zst' -print0 |
		xargs -0 -r zstdcat | sort | uniq -d | wc -l
}

# ask PLACE SQL: its rows, columns with |. A lake on S3 is asked for what was
# written twice alone.
ask() {
	case $1 in
	s3:*) doubled "$1" ;;
	postgres*) psql -qAtX -v ON_ERROR_STOP=1 "$1" -c "$2" ;;
	mysql* | mariadb*) msql "$1" "$2" ;;
	*) sqlite3 "$1" "$2" ;;
	esac
}

# witness PLACE: from now on the table `twice` there gets a row whenever one of
# `quote` is written that was there already.
witness() {
	case $1 in
	s3:*) ;; # its objects tell
	postgres*) ask "$1" "CREATE TABLE twice (tick_id bigint); CREATE FUNCTION witness()
		RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO twice VALUES
		(new.tick_id); RETURN NULL; END'; CREATE TRIGGER twice AFTER UPDATE ON quote
		FOR EACH ROW EXECUTE FUNCTION witness()" ;;
	mysql* | mariadb*) ask "$1" "CREATE TABLE twice (tick_id bigint); CREATE TRIGGER twice
		AFTER UPDATE ON quote FOR EACH ROW INSERT INTO twice VALUES (new.tick_id)" ;;
	*) ask "$1" "CREATE TABLE twice (tick_id); CREATE TRIGGER twice AFTER UPDATE
		ON quote BEGIN INSERT INTO twice VALUES (new.tick_id); END" ;;
	esac
}

# deadlocks PLACE: how many the database has broken.
deadlocks() {
	case $1 in
	postgres*) ask "$1" "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()" ;;
	mysql* | mariadb*) ask "$1" "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'" | cut -d '|' -f 2 ;;
	*) echo 0 ;;
	esac
}
