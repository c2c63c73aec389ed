#!/usr/bin/env bats
# The marks protocol as an executable model, and fl-load held against it.

setup() {
	MODEL=$BATS_TEST_DIRNAME/../model
}

@test "the model of the protocol loses and doubles nothing" {
	run python3 "$MODEL/marks.py" --runs "$( [ -n "${FL_LONG:-}" ] && echo 2000 || echo 100)" --seed 7
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 wrong"* ]]
}

@test "the model notices when a rule of the protocol is left out" {
	for rule in cas warmup onetx; do
		run python3 "$MODEL/marks.py" --runs 40 --seed 7 --break "$rule"
		echo "$output"
		[[ $output != *" 0 wrong"* ]]
	done
}

@test "fl-load does with cut, stale and repeated streams what the model says" {
	run python3 "$MODEL/against.py" --runs "$( [ -n "${FL_LONG:-}" ] && echo 500 || echo 60)" --seed 11
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the model of the lake loses and doubles nothing, whoever is frozen or killed" {
	run python3 "$MODEL/lake.py" --runs "$( [ -n "${FL_LONG:-}" ] && echo 5000 || echo 300)" --seed 7
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 wrong"* ]]
}

@test "the model of the lake notices when a rule is left out" {
	for rule in cas highest publish view stamp sweep; do
		run python3 "$MODEL/lake.py" --runs 100 --seed 7 --break "$rule"
		echo "$output"
		[[ $output != *" 0 wrong"* ]]
	done
}
