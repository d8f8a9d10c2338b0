# Slipway's everyday targets. `make help` lists them.
#
# MODE=release|debug|asan|tsan chooses the build; each has its own folder under build/.

MODE ?= release
CC   ?= cc
DEPS ?= $(CURDIR)/.deps
OUT  := build/$(MODE)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror \
            -Wno-missing-field-initializers
FLAGS_release := -O2 -g -DNDEBUG
FLAGS_debug   := -O0 -g
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all \
                 -Wno-format-truncation
FLAGS_tsan    := -O1 -g -fsanitize=thread
CFLAGS  := -std=gnu17 $(WARNINGS) $(FLAGS_$(MODE)) $(EXTRA_CFLAGS)
CPPFLAGS := -Isrc -I. -I$(DEPS)/include -D_GNU_SOURCE -MMD -MP
LDFLAGS := -L$(DEPS)/lib -Wl,-rpath,'$$ORIGIN/lib' -Wl,-rpath,$(DEPS)/lib -rdynamic
LIBS    := -lmicrohttpd -lsqlite3 -lcurl -lyyjson -lyaml -lsodium -lcrypto -lzstd -lz -larchive \
           -l:liblinear.a -lutf8proc -lstdc++ -lm -lpthread -ldl

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
SCHEMA  := $(sort $(wildcard src/store/schema/*.sql))
OBJECTS := $(SOURCES:src/%.c=$(OUT)/src/%.o) $(OUT)/generated/migrations_table.o
LIBRARY := $(OUT)/libslipway.a
TESTS   := $(patsubst tests/unit/%.c,$(OUT)/tests/%,$(wildcard tests/unit/*/test_*.c))

.PHONY: all build tests clean
all: build
build: $(OUT)/slipway
tests: $(TESTS)

$(OUT)/slipway: $(OUT)/src/main.o $(LIBRARY)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	rm -f $@
	ar rcs $@ $^

$(OUT)/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/generated/migrations_table.c: $(SCHEMA) tools/embed_schema.sh
	@mkdir -p $(@D)
	tools/embed_schema.sh $(SCHEMA) > $@

$(OUT)/generated/%.o: $(OUT)/generated/%.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/tests/%: tests/unit/%.c tests/test.h $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS)

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(OUT)/src/main.d $(TESTS:=.d)
