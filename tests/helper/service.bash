# shellcheck shell=bash
# service: one of scripts/services for the tests of a file.
#
# The helper of each has a function that runs its script in the file's own
# folder, and calls these with the name that the script says and that function.

# begin_service NAME FUNCTION [OPTION...]: starts it. What is not to be had is why
# the tests are skipped; all else that goes wrong is for the first of them to
# show.
begin_service() {
	local name=$1 run=$2 said got=0
	shift 2
	said=$("$run" start "$@" 2>&1) || got=$?
	echo "$said" >"$BATS_FILE_TMPDIR/$name-start"
	case $got:$said in
	4:*' is not installed'* | 3:*'Maven cannot'*)
		sed -n "s/^$name: \(.*\( is not installed\|cannot\)[^:]*\).*/\1/p" <<<"$said" \
			>"$BATS_FILE_TMPDIR/$name-missing"
		;;
	esac
}

# service_ready NAME FUNCTION: skips the test where it is not to be had, else sets
# what the script says about where it is.
service_ready() {
	local where
	[ ! -e "$BATS_FILE_TMPDIR/$1-missing" ] || skip "$(<"$BATS_FILE_TMPDIR/$1-missing")"
	where=$("$2" env) || { cat "$BATS_FILE_TMPDIR/$1-start" >&2; return 1; }
	eval "$where"
}
