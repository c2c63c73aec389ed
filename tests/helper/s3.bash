# shellcheck shell=bash
# s3: an S3 server of a test file (scripts/services/s3).
#
#   setup_file() { begin_s3; }
#   setup() { s3_ready; }
#   teardown_file() { s3 stop; }

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/service.bash"

# s3 COMMAND [ARG...]: of the one that the file has.
s3() {
	"$BATS_TEST_DIRNAME/../../scripts/services/s3" "$@" --dir "$BATS_FILE_TMPDIR/s3"
}

# begin_s3 [OPTION...]: starts it.
begin_s3() { begin_service s3 s3 "$@"; }

# s3_ready: skips the test where there is no S3 server, else puts a place that is
# empty into $place, and the folder in which its objects are into $objects.
s3_ready() {
	service_ready s3 s3 || return
	# shellcheck disable=SC2034 # for the tests
	place=$FL_S3_TEST/test$BATS_TEST_NUMBER
	# shellcheck disable=SC2034
	objects=$FL_S3_TEST_DIR/test$BATS_TEST_NUMBER
}
