# npuprep: build, check, install. `make help` lists the goals.
# No file is ever listed here: every .c under src/ and passes/ is built, every tests/unit/test_*.c is a test, every row of
# src/cmd/cmds.def gets its manual page, every src/report/schema/*.json is installed.
VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
O       ?= -O2
DATA    ?=

LIBS_PC   := libprotobuf-c libzip jansson libpng libjpeg libxxhash zlib nettle
PC_CFLAGS := $(shell pkg-config --cflags $(LIBS_PC) 2>/dev/null)
PC_LIBS   := $(shell pkg-config --libs $(LIBS_PC) 2>/dev/null) -ldnnl -lpthread -lm

# SANITIZE="-fsanitize=..." builds everything with a sanitizer (its instrumentation makes gcc warn where nothing is wrong).
SANITIZE ?=
WARN     := -Wall -Wextra -Wconversion -Wshadow $(if $(SANITIZE),,-Werror)
HARDEN   := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
BASE_CFLAGS = -std=c11 -D_GNU_SOURCE -DNPUPREP_VERSION='"$(VERSION)"' $(O) -g -fno-math-errno -ffp-contract=off \
              -fno-strict-aliasing -fPIC -Isrc -I. -I$(BUILD)/gen $(PC_CFLAGS) $(HARDEN) $(SANITIZE)
CFLAGS  ?=
LDFLAGS ?= -Wl,-z,relro,-z,now

SRCS     := $(sort $(wildcard src/*/*.c src/*/*/*.c passes/*.c))
GEN      := $(BUILD)/gen/onnx.pb-c.c $(BUILD)/gen/targets_embedded.c
OBJS     := $(SRCS:%.c=$(BUILD)/%.o) $(GEN:%.c=%.o)
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
VECTORS  := $(sort $(wildcard tests/vectors/*.c))
BENCH    := $(sort $(wildcard tests/bench/*.c))
TOOLS    := $(BUILD)/tests/kernel_vectors $(BUILD)/tests/bench $(addprefix $(BUILD)/tests/,$(sort $(basename $(notdir $(wildcard tests/tools/*.c tests/gen/*.c)))))
COMMANDS := $(shell sed -n 's/^CMD.\([a-z0-9]*\),.*/\1/p' src/cmd/cmds.def)
MANUALS  := $(BUILD)/man/npuprep.1 $(COMMANDS:%=$(BUILD)/man/npuprep-%.1)
SHELLS   := $(BUILD)/completion/npuprep.bash $(BUILD)/completion/npuprep.zsh $(BUILD)/completion/npuprep.fish
SCHEMAS  := $(sort $(wildcard src/report/schema/*.json))

# V=1 shows the commands.
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1)')

all: $(BUILD)/npuprep $(BUILD)/libnpuprep.a $(MANUALS) $(SHELLS) $(BUILD)/npuprep.pc

# The integer datapath is built without floating-point registers: a float there does not compile.
INT_ONLY := $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-mgeneral-regs-only)
$(BUILD)/src/kernels/int/%.o: EXTRA := $(INT_ONLY)
# The fast element-wise and integer SIMD loops want the vectoriser; the bits do not depend on it.
$(BUILD)/src/kernels/float/%.o: EXTRA := -O3 -fno-trapping-math
$(BUILD)/src/kernels/int_simd/%.o: EXTRA := -O3
# Generated code is not ours to keep free of warnings.
$(BUILD)/gen/%.o: WARN := -w

$(BUILD)/gen/onnx.pb-c.c: proto/onnx.proto
	@mkdir -p $(BUILD)/gen
	$(Q)cd proto && protoc-c --c_out=$(abspath $(BUILD))/gen onnx.proto
$(BUILD)/gen/onnx.pb-c.h: $(BUILD)/gen/onnx.pb-c.c ;

# Target profiles become byte arrays: one row {name, text} per src/targets/*.json.
$(BUILD)/gen/targets_embedded.c: $(wildcard src/targets/*.json) src/targets/embed.sh
	@mkdir -p $(BUILD)/gen
	$(Q)sh src/targets/embed.sh src/targets > $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(call say,compile $@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.c | $(BUILD)/gen/onnx.pb-c.h
	@mkdir -p $(@D)
	$(call say,compile $@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(EXTRA) $(CFLAGS) -MMD -MP -c -o $@ $<

# A deleted source must leave the archive too: it depends on the list of its members.
$(BUILD)/objects.list: FORCE
	@mkdir -p $(BUILD)
	@echo '$(OBJS)' | cmp -s - $@ || echo '$(OBJS)' > $@
$(BUILD)/libnpuprep.a: $(OBJS) $(BUILD)/objects.list
	@rm -f $@
	$(call say,archive $@)
	$(Q)ar rcsD $@ $(OBJS)
$(BUILD)/npuprep: $(BUILD)/src/main.o $(BUILD)/libnpuprep.a
	$(call say,link    $@)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) -pie -o $@ $^ $(PC_LIBS)

# Made by the program from its own tables, so they cannot disagree with -h.
$(BUILD)/man/commands.roff: $(BUILD)/npuprep
	@mkdir -p $(@D)
	$(Q)$< help --as man > $@
$(BUILD)/man/npuprep.1: man/npuprep.1 $(BUILD)/man/commands.roff
	$(Q)sed -e 's/@VERSION@/$(VERSION)/' -e '/^@COMMANDS@$$/{r $(BUILD)/man/commands.roff' -e 'd;}' $< > $@
$(BUILD)/man/npuprep-%.1: $(BUILD)/npuprep
	@mkdir -p $(@D)
	$(Q)$< help --as man $* > $@
$(BUILD)/completion/npuprep.%: $(BUILD)/npuprep
	@mkdir -p $(@D)
	$(Q)$< help --as $* > $@

# The library is an archive, so whoever links it needs all of these: none is private. (--static would also ask for the
# archives behind libzip and the others.) The installed place is known at install time only; in the build folder the file serves the tests.
PC_TEXT = prefix=$(PREFIX)\nlibdir=$${prefix}/lib\nincludedir=$${prefix}/include\n\nName: npuprep\n\
Description: rewrite and quantize ONNX models for NPUs\nVersion: $(VERSION)\nRequires: $(LIBS_PC)\n\
Libs: -L$${libdir} -lnpuprep -ldnnl -lpthread -lm\nCflags: -I$${includedir}\n
$(BUILD)/npuprep.pc: Makefile
	@mkdir -p $(@D)
	@printf '$(PC_TEXT)' > $@

# ---- tests ----
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libnpuprep.a
	@mkdir -p $(@D)
	$(call say,link    $@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) -Itests/unit -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libnpuprep.a $(PC_LIBS) -lcmocka
$(BUILD)/tests/%: tests/tools/%.c $(BUILD)/libnpuprep.a
	@mkdir -p $(@D)
	$(call say,link    $@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libnpuprep.a $(PC_LIBS)
$(BUILD)/tests/kernel_vectors: $(VECTORS) tests/vectors/vectors.h $(wildcard src/kernels/int/*.[ch])
	@mkdir -p $(@D)
	$(call say,link    $@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) $(LDFLAGS) -o $@ $(VECTORS) $(wildcard src/kernels/int/*.c) -lz -lm
$(BUILD)/tests/bench: $(BENCH) $(wildcard tests/bench/*.h) $(BUILD)/libnpuprep.a
	@mkdir -p $(@D)
	$(call say,link    $@)
	$(Q)$(CC) $(BASE_CFLAGS) -ffp-contract=fast $(WARN) $(CFLAGS) $(LDFLAGS) -o $@ $(BENCH) $(BUILD)/libnpuprep.a $(PC_LIBS)
$(BUILD)/tests/%: tests/gen/%.c $(BUILD)/libnpuprep.a
	@mkdir -p $(@D)
	$(call say,link    $@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libnpuprep.a $(PC_LIBS)

unit: $(UNITS)
tools: $(TOOLS)
check: all unit tools
	BUILD=$(BUILD) DATA=$(DATA) CC="$(CC)" sh tests/run.sh
check-full: all unit tools
	BUILD=$(BUILD) DATA=$(DATA) CC="$(CC)" FULL=1 sh tests/run.sh
demo: $(BUILD)/npuprep
	BUILD=$(BUILD) sh examples/run_demo.sh
bench: all tools
	BUILD=$(BUILD) DATA=$(DATA) sh tests/bench/run.sh

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TSAN := -fsanitize=thread -fno-omit-frame-pointer
asan:
	$(MAKE) BUILD=build-asan O=-O1 SANITIZE="$(ASAN)" check
tsan:
	$(MAKE) BUILD=build-tsan O=-O1 SANITIZE="$(TSAN)" check
clang:
	$(MAKE) BUILD=build-clang CC="$(CLANG)" all unit tools
CLANG ?= clang

# ---- install ----
D := $(DESTDIR)$(PREFIX)
install: all
	install -d $(D)/bin $(D)/lib/pkgconfig $(D)/include $(D)/share/man/man1 $(D)/share/npuprep/schema \
	    $(D)/share/bash-completion/completions $(D)/share/zsh/site-functions $(D)/share/fish/vendor_completions.d
	install -m 755 $(BUILD)/npuprep $(D)/bin/npuprep
	install -m 644 $(BUILD)/libnpuprep.a $(D)/lib/libnpuprep.a
	install -m 644 src/npuprep.h $(D)/include/npuprep.h
	printf '$(PC_TEXT)' > $(D)/lib/pkgconfig/npuprep.pc
	install -m 644 $(MANUALS) $(D)/share/man/man1
	install -m 644 $(SCHEMAS) $(D)/share/npuprep/schema
	install -m 644 $(BUILD)/completion/npuprep.bash $(D)/share/bash-completion/completions/npuprep
	install -m 644 $(BUILD)/completion/npuprep.zsh $(D)/share/zsh/site-functions/_npuprep
	install -m 644 $(BUILD)/completion/npuprep.fish $(D)/share/fish/vendor_completions.d/npuprep.fish
uninstall:
	rm -f $(D)/bin/npuprep $(D)/lib/libnpuprep.a $(D)/include/npuprep.h $(D)/lib/pkgconfig/npuprep.pc \
	    $(MANUALS:$(BUILD)/man/%=$(D)/share/man/man1/%) $(D)/share/bash-completion/completions/npuprep \
	    $(D)/share/zsh/site-functions/_npuprep $(D)/share/fish/vendor_completions.d/npuprep.fish
	rm -rf $(D)/share/npuprep

clean:
	rm -rf $(BUILD)
help:
	@echo 'all (default)   the program, the library, manual pages, completion'
	@echo 'check           tests; DATA=../shared adds those on real models'
	@echo 'check-full      all tests without sampling'
	@echo 'demo bench      quantize the example; measure against the bounds'
	@echo 'asan tsan       check under the sanitizers; clang: build with clang'
	@echo 'install         DESTDIR= PREFIX=; uninstall takes it back'
	@echo 'clean'

-include $(OBJS:.o=.d) $(BUILD)/src/main.d $(UNITS:%=%.d) $(TOOLS:%=%.d)
.PHONY: all unit tools check check-full demo bench asan tsan clang install uninstall clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
