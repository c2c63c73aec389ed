# shellcheck shell=bash
# kafka: a broker, or three, of a test file (scripts/services/kafka).
#
#   setup_file() { begin_kafka --brokers 3 --tls; }
#   setup() { kafka_ready; }
#   teardown_file() { kafka stop; }

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/service.bash"

# kafka COMMAND [ARG...]: of the one that the file has.
kafka() {
	"$BATS_TEST_DIRNAME/../../scripts/services/kafka" "$@" --dir "$BATS_FILE_TMPDIR/kafka"
}

# begin_kafka [OPTION...]: starts it, where there is kcat, too.
begin_kafka() { begin_service kafka kafka_with_kcat "$@"; }
kafka_with_kcat() {
	command -v kcat >/dev/null || { echo 'kafka: kcat is not installed'; return 4; }
	kafka "$@"
}

# kafka_ready: skips the test where there is no Kafka, else puts where it
# listens into FL_BROKERS and FL_KAFKA_TEST_….
kafka_ready() { service_ready kafka kafka; }

same() { cmp "$1" "$2" || fail "$(diff "$1" "$2" | head -n 5)"; }
sorted() { sort "$1" >"$1.sorted" && sort "$2" >"$2.sorted" && same "$1.sorted" "$2.sorted"; }
# begin OUT COMMAND...: in the background, with none of bats' own files.
begin() {
	"${@:2}" >"$1" 2>"$1.err" 3>&- &
	began=$!
	started+=("$began")
}
# ended STATUS: so did what was begun last.
ended() {
	local got=0
	wait "$began" || got=$?
	[ "$got" = "$1" ] || fail "status $got: $(cat ./*.err)"
}
# until_seen SECONDS COMMAND...: it comes true.
until_seen() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[ $SECONDS -lt $end ] || fail "not after $1 s: ${*:2}"
		sleep 0.1
	done
}
