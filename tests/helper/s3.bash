# shellcheck shell=bash
# s3: an S3 server of a test file (scripts/services/s3).
#
#   setup_file() { begin_s3; }
#   setup() { s3_ready; }
#   teardown_file() { s3 stop; }

# s3 COMMAND [ARG...]: of the one that the file has.
s3() {
	"$BATS_TEST_DIRNAME/../../scripts/services/s3" "$@" --dir "$BATS_FILE_TMPDIR/s3"
}

# begin_s3 [OPTION...]: starts it. What is not to be had is why the tests are
# skipped; all else that goes wrong is for the first of them to show.
begin_s3() {
	local said got=0
	said=$(s3 start "$@" 2>&1) || got=$?
	echo "$said" >"$BATS_FILE_TMPDIR/start"
	case $got:$said in
	4:*' is not installed'*)
		sed -n 's/^s3: \(.* is not installed\( and cannot be built\)*\).*/\1/p' \
			<<<"$said" >"$BATS_FILE_TMPDIR/missing"
		;;
	esac
}

# s3_ready: skips the test where there is no S3 server, else puts a place that is
# empty into $place, and the folder in which its objects are into $objects.
s3_ready() {
	local where
	[ ! -e "$BATS_FILE_TMPDIR/missing" ] || skip "$(<"$BATS_FILE_TMPDIR/missing")"
	where=$(s3 env) || { cat "$BATS_FILE_TMPDIR/start" >&2; return 1; }
	eval "$where"
	# shellcheck disable=SC2034 # for the tests
	place=$FL_S3_TEST/test$BATS_TEST_NUMBER
	# shellcheck disable=SC2034
	objects=$FL_S3_TEST_DIR/test$BATS_TEST_NUMBER
}
