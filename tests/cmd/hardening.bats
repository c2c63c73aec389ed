#!/usr/bin/env bats
# What the linker was asked for is what the programs are.

load ../helper/common

setup() {
	[ "${FL_VARIANT:-release}" = release ] || skip 'sanitizer builds are linked otherwise'
	command -v readelf >/dev/null || skip 'readelf is not installed'
}

@test "programs are position independent, bound at start, without executable stacks" {
	for program in "$FL_BIN"/fl-*; do
		readelf -h "$program" | grep -q 'Type: *DYN'
		readelf -d "$program" | grep -q 'BIND_NOW\|FLAGS_1.*NOW'
		readelf -lW "$program" | grep -q GNU_RELRO
		readelf -lW "$program" | grep -q 'GNU_STACK.* RW '
		! readelf -lW "$program" | grep -q 'LOAD.* RWE '
		! readelf -d "$program" | grep -q 'RPATH\|RUNPATH\|TEXTREL'
	done
}

@test "programs check their stacks and the library's copies" {
	for program in "$FL_BIN"/fl-*; do
		readelf -sW --dyn-syms "$program" | grep -q __stack_chk_fail
		readelf -sW --dyn-syms "$program" | grep -q '_chk@'
	done
}
