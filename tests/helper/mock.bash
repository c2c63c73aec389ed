# shellcheck shell=bash
# mock: a stand-in for Kafka (kafka-mock.c), which needs no service.
#
#   setup() { begin_mock 3; }         FL_BROKERS says where
#   teardown() { end_mock; }
#   order down 1

begin_mock() {
	local at
	mkfifo "$BATS_TEST_TMPDIR/orders"
	exec {mock_orders}<>"$BATS_TEST_TMPDIR/orders"
	"$FL_BUILD/helper/kafka-mock" "$1" <&"$mock_orders" >"$BATS_TEST_TMPDIR/mock.out" \
		2>"$BATS_TEST_TMPDIR/mock.err" 3>&- &
	mock_pid=$!
	mock_done=1
	for ((at = 0; at < 500; at++)); do
		[ ! -s "$BATS_TEST_TMPDIR/mock.out" ] || break
		sleep 0.01
	done
	read -r FL_BROKERS <"$BATS_TEST_TMPDIR/mock.out" ||
		{ cat "$BATS_TEST_TMPDIR/mock.err" >&2; return 1; }
	export FL_BROKERS
}

# order WORD...: it has been done when this returns.
order() {
	local at
	echo "$*" >&"$mock_orders"
	mock_done=$((mock_done + 1))
	for ((at = 0; at < 500; at++)); do
		[ "$(wc -l <"$BATS_TEST_TMPDIR/mock.out")" -lt $mock_done ] || return 0
		sleep 0.01
	done
	cat "$BATS_TEST_TMPDIR/mock.err" >&2
	return 1
}

end_mock() {
	[ -z "${mock_pid-}" ] || kill "$mock_pid" 2>/dev/null || :
}
