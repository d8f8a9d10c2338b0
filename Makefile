# Slipway's everyday targets. `make help` lists them.
#
# MODE=release|debug|asan|tsan|fuzz chooses the build; each has its own folder under build/.
# SETUP=no builds with what the machine has: no package is looked for or installed.
# V=1 prints each command as it is run.

MODE  ?= release
SETUP ?= yes
CC    ?= cc
DEPS ?= $(CURDIR)/.deps
OUT  := build/$(MODE)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror \
            -Wno-missing-field-initializers -Wno-enum-float-conversion
FLAGS_release := -O2 -g -DNDEBUG
FLAGS_debug   := -O0 -g -DSLIPWAY_CRASH_POINTS
FLAGS_asan    := -O1 -g -DSLIPWAY_CRASH_POINTS -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all \
                 -Wno-format-truncation
FLAGS_tsan    := -O1 -g -fsanitize=thread
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer \
                 -fno-sanitize-recover=all
# One short line per step; none under make -s, all there is under V=1.
ifeq ($(V),1)
SAY := @:
RUN :=
else
SAY := @$(if $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS)))),:,echo)
RUN := @
endif
ifeq ($(MODE),fuzz)
override CC := clang
endif
CFLAGS  := -std=gnu17 $(WARNINGS) $(FLAGS_$(MODE)) $(EXTRA_CFLAGS)
CPPFLAGS := -Isrc -I. -I$(DEPS)/include -D_GNU_SOURCE
DEPFLAGS = -MMD -MP -MF $(basename $@).d
LDFLAGS := -L$(DEPS)/lib -Wl,-rpath,'$$ORIGIN/lib' -Wl,-rpath,$(DEPS)/lib
# Of static libraries only what is used comes along. What few commands need is opened at run time
# (base/library.h): libcurl, libarchive, libmicrohttpd, DuckDB.
LIBS    := -lsqlite3 -lyyjson -lyaml -lutf8proc -l:libzstd.a -l:libz.a -l:libcrypto.a -static-libgcc -lm -lpthread -ldl
# Tests and benches make archives and a bare server, and solve with LIBLINEAR (in C++) what ml/ solves.
TEST_LIBS := -l:liblinear.a -l:libstdc++.a -Wl,--as-needed -larchive -lmicrohttpd

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
SCHEMA  := $(sort $(wildcard src/store/schema/*.sql))
OBJECTS := $(SOURCES:src/%.c=$(OUT)/src/%.o) $(OUT)/generated/migrations_table.o
LIBRARY := $(OUT)/libslipway.a
TESTS   := $(patsubst tests/unit/%.c,$(OUT)/tests/%,$(wildcard tests/unit/*/test_*.c))

FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all help setup build tests fuzzers test test-tsan check docs fuzz crash faults clock memory damage soak bench study demo clean print-flags
all: build

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: ## Install what is missing: packages to build, test and check, and .deps/
	@tools/setup.sh build test check

build: $(OUT)/slipway ## Build the binary, build/release/slipway

demo: build ## Start Slipway with demonstration data
	@tools/demo.sh

test: $(DEPS)/setup-test.stamp ## Run all tests under sanitizers (F=word: those whose path has the word)
	@tools/run_tests.py all $(F)

test-tsan: $(DEPS)/setup-test.stamp ## Run the tests of tests/tsan.txt under the thread sanitizer
	@tools/run_tests.py tsan $(F)

check: $(DEPS)/setup-test.stamp $(DEPS)/setup-check.stamp ## Check format, warnings, layers, sizes and the like
	@tools/check.py $(F)

docs: build ## Write the reference of commands and routes from the program
	@tools/make_reference.py

fuzz: $(DEPS)/setup-check.stamp ## Fuzz each target for FUZZ_SECONDS (10; F=word: those whose name has it)
	@tools/fuzz.py $(F)

crash: ## Kill server and shims at every crash point and at random, CRASH_RANDOM times, into docs/results/
	@$(MAKE) --no-print-directory -s MODE=debug build
	@status=0; for driver in crash crash_writers crash_pipeline crash_release; do \
	    tools/$$driver.py build/debug/slipway || status=1; done; exit $$status

faults: ## Fail the disk writes of server and shims one after the other, into docs/results/
	@$(MAKE) --no-print-directory -s MODE=debug build build/debug/fault.so
	@status=0; for driver in faults faults_pipeline; do \
	    tools/$$driver.py build/debug/slipway build/debug/fault.so || status=1; done; exit $$status

clock: ## Put the clock forward and back in the middle of CLOCK_RUNS (20) pipelines and releases, into docs/results/
	@$(MAKE) --no-print-directory -s MODE=debug build build/debug/fault.so
	@tools/clock.py build/debug/slipway build/debug/fault.so

memory: ## Fail the server's allocations one after the other, into docs/results/
	@$(MAKE) --no-print-directory -s MODE=debug build build/debug/fault.so
	@tools/memory.py build/debug/slipway build/debug/fault.so

damage: build $(OUT)/damage ## Try DAMAGE_COUNT (100000) damaged model packages, into docs/results/
	@tools/damage.py $(OUT)/slipway $(OUT)/damage

soak: build ## Load a server for SOAK_SECONDS (3600) and watch its memory, files and threads
	@tools/soak.py $(OUT)/slipway

bench: build $(DEPS)/setup-test.stamp $(DEPS)/setup-bench.stamp ## Measure against peers and limits into docs/results/ (F=word: subjects)
	@tools/bench.sh $(F)

study: $(OUT)/bench/study_text $(OUT)/bench/study_forecast $(OUT)/bench/study_known $(OUT)/bench/study_forest $(OUT)/bench/study_tabular $(OUT)/bench/study_table_texts build $(DEPS)/setup-test.stamp ## Measure models of texts and tables, trees, the gate and forecasts into docs/results/
	$<
	$(OUT)/bench/study_forest > docs/results/forest.md
	bench/study_tabular.py $(OUT)/bench/study_tabular docs/results/tabular.md
	$(OUT)/bench/study_table_texts > docs/results/table_texts.md
	bench/study_forecast.py $(OUT)/bench/study_forecast docs/results/forecast.md
	$(OUT)/bench/study_known > docs/results/forecast_known.md
	bench/study_gate.py $(OUT)/slipway $${SLIPWAY_DATA:-../shared/data} docs/results/gate.md

clean: ## Remove what was built
	rm -rf build

# What the targets above call.
tests: $(TESTS)
fuzzers: $(FUZZERS)
print-flags:
	@echo $(CPPFLAGS) -std=gnu17 $(WARNINGS)

# The set-up of a folder is done when its stamp is newer than the lists it was made from.
# Precious: make would take a stamp that only a pattern asks for as intermediate, and delete it.
.PRECIOUS: $(DEPS)/setup-%.stamp
ifeq ($(SETUP),no)
$(DEPS)/setup-%.stamp: ;
else
$(DEPS)/setup-%.stamp: tools/setup.sh tools/packages.txt tools/deps.sha256
	@tools/setup.sh $*
endif

$(OUT)/slipway: $(OUT)/src/main.o $(LIBRARY)
	$(SAY) "link $@"
	$(RUN)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(SAY) "ar $@"
	$(RUN)ar rcs $@ $^

$(OUT)/src/%.o: src/%.c | $(DEPS)/setup-build.stamp
	@mkdir -p $(@D)
	$(SAY) "cc $<"
	$(RUN)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(OUT)/generated/migrations_table.c: $(SCHEMA) tools/embed_schema.sh
	@mkdir -p $(@D)
	$(SAY) "embed $@"
	$(RUN)tools/embed_schema.sh $(SCHEMA) > $@

$(OUT)/generated/%.o: $(OUT)/generated/%.c
	$(SAY) "cc $<"
	$(RUN)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/tests/%: tests/unit/%.c tests/test.h $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "cc $<"
	$(RUN)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS) $(TEST_LIBS)

$(OUT)/fault.so: tests/faults/fault.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out -fsanitize%,$(CFLAGS)) -fPIC -shared -o $@ $< -ldl

# An executor on a pipe, for tests/blackbox/test_executor.py.
$(OUT)/executor_driver: tests/executor/driver.c $(LIBRARY)
	$(SAY) "cc $@"
	$(RUN)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c,$^) $(LIBRARY) $(LIBS)

$(OUT)/damage: tests/damage/damage.c tests/damage/mutate.c tests/damage/mutate.h $(LIBRARY)
	$(SAY) "cc $@"
	$(RUN)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c,$^) $(LIBRARY) $(LIBS)

$(OUT)/fuzz_%: tests/fuzz/fuzz_%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "cc $<"
	$(RUN)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer $(DEPFLAGS) $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS)

# Each program of bench/ is one file study_NAME.c or bench_NAME.c; study_data.c is what studies share.
$(OUT)/bench/%: bench/%.c bench/study_data.c bench/study_data.h $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "cc $<"
	$(RUN)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) $(LDFLAGS) -o $@ $< bench/study_data.c $(LIBRARY) $(LIBS) $(TEST_LIBS)


-include $(OBJECTS:.o=.d) $(OUT)/src/main.d $(TESTS:=.d) $(FUZZERS:=.d)
