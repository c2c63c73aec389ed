# FinanceLake: one Makefile for everything (GNU make).
#
# Targets
#   all            programs in build/bin (the default)
#   docs           manual in build/share/man, completions beside it
#   completion     bash and zsh completions alone, in build/share
#   install        programs, manual, completions, calendars, and flow with its
#                  systemd unit under DESTDIR PREFIX
#   uninstall      takes them away again
#   test           unit tests, replay of the fuzz corpora, command tests
#   test-unit test-replay test-cmd      the three of them alone
#   test-live      tests against real services, where there are any
#   asan tsan      the same suite under sanitizers, in build/asan, build/tsan
#   fuzz           every tests/fuzz/fuzz-*.c for FUZZ_SECONDS each (clang)
#   golden         command tests that write their expected files anew
#   lint           format, clang-tidy, shellcheck, mandoc, layers, manual
#   check          lint, test with -Werror, asan
#   bench          speed beside the peers, half an hour; bench-quick: one minute
#   hooks          points git at scripts/hooks
#   dist           a source archive of what is committed, in build/
#   clean          removes build/
#
# Variables
#   CC=clang       another compiler            V=1          show the commands
#   PREFIX=/usr/local  DESTDIR=                WERROR=1     warnings are errors
#   VARIANT=NAME   objects in build/NAME, programs in build/NAME/bin; asan, tsan
#                  and fuzz add sanitizers, check adds -Werror, reference goes
#                  without shortcuts (lib/base/reference.h), the default
#                  'release' puts its programs in build/bin
#   WITH_JQ=0      leave a library out (default: used when it is there)
#   VERSION=1.2    instead of what git describe says
#   FUZZ_SECONDS=10  BATS='bats'  BATSFLAGS=  CFLAGS='-O3 -g'  LDFLAGS=
#
# Adding a file edits nothing here: lib/*/*.c go into one archive, of which each
# cmd/fl-*.c links what it needs; tests/unit/*.c, tests/fuzz/fuzz-*.c and
# tests/helper/*.c are programs, tests/helper/preload-*.c shared objects.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
SHELL := /bin/bash

ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
VARIANT ?= release
PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man
FUZZ_SECONDS ?= 10
BATS ?= bats
PROVE ?= prove
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

B := build/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),build/bin,$(B)/bin)
SHARE := build/share

# --- what there is -----------------------------------------------------------

LIB_SRC := $(sort $(wildcard lib/*/*.c lib/*/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/fl-*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz-*.c))
PRELOAD_SRC := $(sort $(wildcard tests/helper/preload-*.c))
HELPER_SRC := $(filter-out $(PRELOAD_SRC),$(sort $(wildcard tests/helper/*.c)))
BENCH_SRC := $(sort $(wildcard scripts/bench/*.c))
BENCH := $(patsubst scripts/bench/%.c,build/bench/%,$(BENCH_SRC))
MAN_SRC := $(sort $(wildcard man/*.[1-8]))
ALL_SRC := $(LIB_SRC) $(CMD_SRC) $(UNIT_SRC) $(sort $(wildcard tests/fuzz/*.c)) \
	$(sort $(wildcard tests/helper/*.c)) $(BENCH_SRC)
ALL_HDR := $(sort $(wildcard lib/*/*.h lib/*/*/*.h tests/*/*.h))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB := $(B)/libfinancelake.a
NAMES := $(notdir $(CMD_SRC:.c=))
PROGRAMS := $(addprefix $(BIN)/,$(NAMES))
UNITS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
HELPERS := $(patsubst tests/helper/%.c,$(B)/helper/%,$(HELPER_SRC)) \
	$(patsubst tests/helper/%.c,$(B)/helper/%.so,$(PRELOAD_SRC))

# A tree without git is an unpacked archive, named financelake-VERSION.
VERSION ?= $(or $(if $(wildcard .git),$(shell \
	git describe --tags --always --dirty 2>/dev/null)),$(patsubst \
	financelake-%,%,$(filter financelake-%,$(notdir $(CURDIR)))),unknown)

# --- libraries and flags, probed once ----------------------------------------

# header:how to link:package
REQUIRED := yyjson.h:-lyyjson:libyyjson-dev csv.h:-lcsv:libcsv-dev \
	zstd.h:-lzstd:libzstd-dev zlib.h:-lz:zlib1g-dev \
	sqlite3.h:-lsqlite3:libsqlite3-dev xxhash.h::libxxhash-dev \
	openssl/evp.h:-lcrypto:libssl-dev
# NAME:header:how to link:package. Without it FL_WITHOUT_NAME is defined.
OPTIONAL := JQ:jq.h:-ljq:libjq-dev CURL:curl/curl.h:-ldl:libcurl4-openssl-dev \
	EXPAT:expat.h:-lexpat:libexpat1-dev WSLAY:wslay/wslay.h:-lwslay:libwslay-dev \
	KAFKA:librdkafka/rdkafka.h:-lrdkafka:librdkafka-dev \
	PG:postgresql/libpq-fe.h:-ldl:libpq-dev \
	MYSQL:mariadb/mysql.h:-ldl:libmariadb-dev

# A text cut to its ceiling is what snprintf is for: no -Wformat-truncation.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wimplicit-fallthrough -Werror=format-security -Werror=implicit \
	-Werror=incompatible-pointer-types -Werror=int-conversion
HARDEN := -fstack-protector-strong -fno-delete-null-pointer-checks \
	-fno-strict-overflow -fno-strict-aliasing -fPIE
PROBED := -Wtrampolines -Wbidi-chars=any -fstack-clash-protection \
	-fcf-protection=full -ftrivial-auto-var-init=zero \
	-fstrict-flex-arrays=3 -Wno-format-truncation
PROBED_LD := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen

# The packages' state file is newer after each installation: then probe again.
PROBE := build/probe-$(subst /,_,$(subst $() ,_,$(CC))).mk
.PHONY: probe
probe: ; @:
ifneq ($(filter-out clean help hooks uninstall dist lint-format lint-layers \
	lint-shell,$(or $(MAKECMDGOALS),all)),)
include $(PROBE)
endif

$(PROBE): Makefile $(wildcard /var/lib/dpkg/status)
	@mkdir -p build; command -v $(firstword $(CC)) >/dev/null || { \
		echo "make: no compiler '$(CC)': scripts/setup installs what is missing" >&2; exit 1; }; \
	missing=; for lib in $(REQUIRED); do IFS=: read -r h l p <<<"$$lib"; \
		printf '#include <stdio.h>\n#include <%s>\nint main(void) { return 0; }\n' "$$h" | \
		$(CC) $(CPPFLAGS) -x c - -o /dev/null $(LDFLAGS) $$l 2>/dev/null || { missing+=" $$p"; \
		echo "make: cannot build without <$$h>: package '$$p' is missing" >&2; }; done; \
	[ -z "$$missing" ] || { \
		echo "make: scripts/setup installs what is missing, or: apt-get install$$missing" >&2; exit 1; }; \
	flags=; for f in $(PROBED); do \
		$(CC) -Werror $$f -c -x c /dev/null -o /dev/null 2>/dev/null && flags+=" $$f"; done; \
	ld=; for f in $(PROBED_LD); do echo 'int main(void) { return 0; }' | \
		$(CC) -Werror -x c - -o /dev/null $$f 2>/dev/null && ld+=" $$f"; done; \
	{ echo "HARDEN += $$flags"; echo "HARDEN_LD :=$$ld"; \
	for lib in $(OPTIONAL); do IFS=: read -r n h l p <<<"$$lib"; \
		if printf '#include <stdio.h>\n#include <%s>\nint main(void) { return 0; }\n' "$$h" | \
		$(CC) $(CPPFLAGS) -x c - -o /dev/null $(LDFLAGS) $$l 2>/dev/null; then \
			echo "WITH_$$n ?= 1"; else echo "WITH_$$n ?= 0"; \
			echo "make: without $${n,,}: package '$$p' is missing" >&2; fi; done; } >$@.new
	@mv $@.new $@

optional = $(foreach o,$(OPTIONAL),$(call $(1),$(subst :, ,$(o))))
without = $(if $(filter 0,$(WITH_$(firstword $(1)))),-DFL_WITHOUT_$(firstword $(1)))
linked = $(if $(filter 0,$(WITH_$(firstword $(1)))),,$(word 3,$(1)))

LIBS = $(foreach r,$(REQUIRED),$(filter -l%,$(subst :, ,$(r)))) \
	$(call optional,linked) -lm
ifneq ($(filter asan fuzz,$(VARIANT)),)
CFLAGS ?= -O1 -g
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
ifeq ($(VARIANT),fuzz)
SANITIZE += -fsanitize=fuzzer-no-link
endif
else ifeq ($(VARIANT),tsan)
CFLAGS ?= -O1 -g
SANITIZE := -fsanitize=thread -fno-omit-frame-pointer
else
CFLAGS ?= -O3 -g
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
WERROR ?= $(if $(filter check,$(VARIANT)),1)

# Builds that are tested only can be told to crash at named points.
TESTING := $(if $(filter asan tsan check,$(VARIANT)),-DFL_TESTING)
# One that goes the general way only (lib/base/reference.h).
TESTING += $(if $(filter reference,$(VARIANT)),-DFL_REFERENCE)

FL_CFLAGS = -std=c17 -D_GNU_SOURCE $(TESTING) -Ilib $(call optional,without) $(WARNINGS) \
	$(if $(WERROR),-Werror) $(HARDEN) $(FORTIFY) $(SANITIZE) -pthread \
	-ffile-prefix-map=$(CURDIR)=. $(CPPFLAGS) $(CFLAGS)
FL_LDFLAGS = $(if $(SANITIZE),,$(HARDEN_LD)) -pie -Wl,--as-needed -pthread \
	$(SANITIZE) $(CFLAGS) $(LDFLAGS)

# --- programs ----------------------------------------------------------------

.PHONY: all
all: $(PROGRAMS)

# Stamps hold what no file's date shows; they change only when it does.
.PHONY: FORCE
stamp = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || \
	printf '%s\n' '$(subst ','\'',$(1))' >$@
$(B)/flags: FORCE
	$(call stamp,$(CC) $(FL_CFLAGS) / $(FL_LDFLAGS) $(LIBS))
$(B)/members: FORCE
	$(call stamp,$(LIB_SRC))
$(B)/version: FORCE
	$(call stamp,$(VERSION))

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FL_CFLAGS) $(EXTRA) -MMD -MP -c -o $@ $<

$(B)/obj/lib/cli/run.o: EXTRA = -DFL_VERSION='"$(VERSION)"'
$(B)/obj/lib/cli/run.o: $(B)/version
$(B)/obj/lib/rec/sessions-data.o: lib/rec/calendars.txt
$(call obj,$(UNIT_SRC)): EXTRA = -Itests/unit
$(call obj,$(PRELOAD_SRC)): EXTRA = -fPIC

$(LIB): $(call obj,$(LIB_SRC)) $(B)/members
	$(call say,AR,$@)
	$(Q)rm -f $@; $(AR) rcsD $@ $(filter %.o,$^)

define link
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
endef

$(PROGRAMS): $(BIN)/%: $(B)/obj/cmd/%.o $(LIB)
	$(link)
$(UNITS): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(LIB)
	$(link)
$(filter-out %.so,$(HELPERS)): $(B)/helper/%: $(B)/obj/tests/helper/%.o $(LIB)
	$(link)
$(B)/helper/ws-script: LIBS += -lssl
$(filter %.so,$(HELPERS)): $(B)/helper/%.so: $(B)/obj/tests/helper/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) -o $@ $< -ldl
build/bench/%: $(B)/obj/scripts/bench/%.o $(LIB)
	$(link)

# Everywhere but in variant fuzz, a target of the fuzzer replays its corpus.
ifeq ($(VARIANT),fuzz)
$(FUZZERS): FL_LDFLAGS += -fsanitize=fuzzer
$(FUZZERS): $(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(LIB)
	$(link)
else
$(FUZZERS): $(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o \
		$(B)/obj/tests/fuzz/drive.o $(LIB)
	$(link)
endif

ifneq ($(wildcard $(B)/obj),)
-include $(patsubst %.o,%.d,$(call obj,$(ALL_SRC)))
endif
.SECONDARY:

# --- manual and completions ---------------------------------------------------

# A placeholder line in a page is replaced by what the program itself says.
MAN := $(foreach m,$(MAN_SRC),$(SHARE)/man/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m)))
COMPLETIONS := $(NAMES:%=$(SHARE)/bash-completion/completions/%) \
	$(NAMES:%=$(SHARE)/zsh/site-functions/_%)

.PHONY: docs completion
docs: $(MAN) completion
completion: $(COMPLETIONS)

define page
	$(call say,MAN,$@)
	@mkdir -p $(@D); cp $< $@; \
	for insert in 'OPTIONS build/bin/$(basename $(<F)) --help-man' \
			'TYPES build/bin/fl-clean --help-records' \
			'INDICATORS build/bin/fl-agg --help-indicators'; do \
		word=$${insert%% *}; grep -qxF ".\\\" @$$word@" $< || continue; \
		$${insert#* } >$@.part && \
			sed -i -e "/^\.\\\\\" @$$word@\$$/{r $@.part" -e 'd}' $@ || exit; \
		rm -f $@.part; done
endef
$(SHARE)/man/man1/%.1: man/%.1 $(if $(filter release,$(VARIANT)),$(PROGRAMS))
	$(page)
$(SHARE)/man/man5/%.5: man/%.5 $(if $(filter release,$(VARIANT)),$(PROGRAMS))
	$(page)
$(SHARE)/man/man7/%.7: man/%.7
	$(page)
$(SHARE)/bash-completion/completions/%: build/bin/%
	$(call say,COMP,$@)
	@mkdir -p $(@D); $< --help-completion bash >$@
$(SHARE)/zsh/site-functions/_%: build/bin/%
	$(call say,COMP,$@)
	@mkdir -p $(@D); $< --help-completion zsh >$@

# --- tests -------------------------------------------------------------------

# A finding of a sanitizer ends with 99, a status of none of our programs.
export ASAN_OPTIONS ?= exitcode=99:detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= exitcode=99:print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS ?= exitcode=99:halt_on_error=1
TEST_ENV = PATH="$(abspath $(BIN)):$$PATH" FL_BIN="$(abspath $(BIN))" \
	FL_BUILD="$(abspath $(B))" FL_VARIANT=$(VARIANT) FL_CC="$(CC)" $(no_aslr)
# ThreadSanitizer wants its addresses where newer kernels may put a mapping.
no_aslr = $(if $(filter tsan,$(VARIANT)),$(shell setarch -R true 2>/dev/null && echo setarch -R))
BATS_FILES = $(sort $(wildcard tests/cmd/*.bats tests/pipe/*.bats))
BATS_RUNS = $(addprefix run-,$(BATS_FILES))

run_unit = $(if $(UNITS),$(TEST_ENV) $(PROVE) --exec '' $(UNITS),echo 'no unit tests')
run_bats = $(TEST_ENV) $(BATS) $(BATSFLAGS)
define run_replay
bad=0; for f in $(FUZZERS); do d=tests/fuzz/corpus/$$(basename "$$f"); d=$${d/fuzz-/}; \
	[ -d "$$d" ] || d=; \
	if out=$$($$f $$d 2>&1); then echo "$$out"; else bad=1; \
	echo "not ok: replay of $$f $$d"; tail -n 60 <<<"$$out"; fi; done; [ $$bad = 0 ]
endef
test_programs = $(PROGRAMS) $(UNITS) $(FUZZERS) $(HELPERS)

.PHONY: test test-programs test-unit test-replay test-cmd test-live golden asan tsan
test-programs: $(test_programs)
test: $(test_programs)
	$(Q)s=0; { $(run_unit); } || s=1; { $(run_replay); } || s=1; \
	$(MAKE) -k -O test-cmd || s=1; \
	[ -z "$(wildcard tests/live/*.bats)" ] || echo 'not run here: tests/live, which need services (make test-live)'; \
	exit $$s
test-unit: $(UNITS) $(HELPERS)
	$(Q)$(run_unit)
test-replay: $(FUZZERS)
	$(Q)$(run_replay)
# Each file on its own, so that -j runs as many at once; most of their time
# they wait.
test-cmd: $(BATS_RUNS)
.PHONY: $(BATS_RUNS)
$(BATS_RUNS): run-%: $(PROGRAMS) $(HELPERS)
	$(Q)$(run_bats) $*
test-live: $(PROGRAMS) $(HELPERS)
	$(Q)$(if $(wildcard tests/live/*.bats),$(run_bats) tests/live,echo 'no live tests')
golden: $(PROGRAMS) $(HELPERS)
	$(Q)FL_GOLDEN=write $(run_bats) $(BATS_FILES); git --no-pager diff --stat -- tests/data

asan tsan:
	$(Q)$(MAKE) VARIANT=$@ test

# --- fuzzing -----------------------------------------------------------------

.PHONY: fuzz fuzz-run
fuzz:
	$(Q)$(MAKE) VARIANT=fuzz CC=$(if $(findstring clang,$(CC)),$(CC),clang) fuzz-run
fuzz-run: $(FUZZERS:$(B)/fuzz/%=run-%)
run-fuzz-%: $(B)/fuzz/fuzz-%
	@mkdir -p $(B)/corpus/$* $(B)/crash $(B)/log; \
	seeds=tests/fuzz/corpus/$*; [ -d "$$seeds" ] || seeds=; \
	if $< -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(B)/crash/$*- $(B)/corpus/$* $$seeds >$(B)/log/$* 2>&1; then \
		awk -v t='$*' '/number_of_executed_units/ { n = $$2 } / cov: / { for (i = 1; i < NF; i++) \
			if ($$i == "cov:") c = $$(i + 1) } \
			END { printf "ok: fuzz %s, %d runs in $(FUZZ_SECONDS) s, coverage %d\n", t, n, c }' $(B)/log/$*; \
	else echo "not ok: fuzz $*, input in $(B)/crash/$*-*"; tail -n 60 $(B)/log/$*; exit 1; fi

# --- checks ------------------------------------------------------------------

.PHONY: lint lint-format lint-tidy lint-shell lint-layers lint-docs check hooks
lint: lint-format lint-layers lint-shell lint-docs lint-tidy
lint-format:
	$(call say,LINT,clang-format)
	$(Q)$(if $(ALL_SRC)$(ALL_HDR),$(CLANG_FORMAT) --dry-run -Werror $(ALL_SRC) $(ALL_HDR))
lint-layers:
	$(call say,LINT,check-layers)
	$(Q)scripts/check-layers
lint-docs: docs
	$(call say,LINT,check-docs)
	$(Q)scripts/check-docs
lint-shell:
	$(call say,LINT,shellcheck)
	$(Q){ grep -lrE '^#! ?(/usr)?/bin/(env )?(ba)?sh' scripts .ci tests/helper 2>/dev/null; \
		ls tests/*/*.bats tests/helper/*.bash 2>/dev/null; } | xargs -r shellcheck -x
# A file is read again only when it or a header of it has changed.
lint-tidy: $(patsubst %.c,$(B)/tidy/%.ok,$(ALL_SRC))
$(B)/tidy/%.ok: %.c .clang-tidy $(B)/obj/%.o
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG_TIDY) --quiet $< -- -std=c17 -D_GNU_SOURCE -Ilib -Itests/unit \
		-DFL_VERSION='"lint"' $(call optional,without) $(CPPFLAGS) 2> >(grep -v ' warnings\? generated\.$$' >&2 || :)
	@touch $@

check:
	$(Q)$(MAKE) lint
	$(Q)$(MAKE) VARIANT=check test
	$(Q)$(MAKE) asan
hooks:
	git config core.hooksPath scripts/hooks

# --- speed -------------------------------------------------------------------

.PHONY: bench bench-quick
bench: all $(BENCH)
	$(Q)scripts/bench/run
bench-quick: all $(BENCH)
	$(Q)scripts/bench/run --quick

# --- install and the rest -----------------------------------------------------

FLOW := $(PREFIX)/lib/financelake/flow
SERVICE := $(PREFIX)/lib/systemd/system/financelake@.service

.PHONY: install uninstall dist clean help
install: all docs
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	$(foreach m,$(MAN),install -Dm 644 $(m) $(DESTDIR)$(MANDIR)/$(m:$(SHARE)/man/%=%)$(newline))
	$(foreach c,$(COMPLETIONS),install -Dm 644 $(c) $(DESTDIR)$(PREFIX)/share/$(c:$(SHARE)/%=%)$(newline))
	install -Dm 644 lib/rec/calendars.txt $(DESTDIR)$(PREFIX)/share/financelake/calendars.txt
	install -Dm 755 scripts/deploy/flow $(DESTDIR)$(FLOW)
	install -Dm 644 scripts/deploy/$(notdir $(SERVICE)) $(DESTDIR)$(SERVICE)
	sed -i 's,@PREFIX@,$(PREFIX),' $(DESTDIR)$(SERVICE)
uninstall:
	rm -f $(NAMES:%=$(DESTDIR)$(PREFIX)/bin/%) $(MAN:$(SHARE)/man/%=$(DESTDIR)$(MANDIR)/%) \
		$(COMPLETIONS:$(SHARE)/%=$(DESTDIR)$(PREFIX)/share/%) \
		$(DESTDIR)$(PREFIX)/share/financelake/calendars.txt \
		$(DESTDIR)$(FLOW) $(DESTDIR)$(SERVICE)
	rmdir $(DESTDIR)$(PREFIX)/share/financelake $(DESTDIR)$(dir $(FLOW)) 2>/dev/null || :
dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=financelake-$(VERSION)/ \
		-o build/financelake-$(VERSION).tar.gz HEAD
clean:
	rm -rf build
help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p; s/^#$$//p' Makefile

define newline


endef
