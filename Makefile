# npuprep: build, check, install. `make help` lists the goals.
# No file is ever listed here: every .c under src/ and passes/ is built, every tests/unit/test_*.c is a test.
VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
O       ?= -O2
DATA    ?=

LIBS_PC  := libprotobuf-c libzip jansson libpng libjpeg libxxhash zlib nettle
PC_CFLAGS := $(shell pkg-config --cflags $(LIBS_PC) 2>/dev/null)
PC_LIBS   := $(shell pkg-config --libs $(LIBS_PC) 2>/dev/null) -ldnnl -lpthread -lm

WARN  := -Wall -Wextra -Wconversion -Wshadow -Werror
BASE_CFLAGS = -std=c11 -D_GNU_SOURCE -DNPUPREP_VERSION='"$(VERSION)"' $(O) -g -fno-math-errno -ffp-contract=off \
              -fno-strict-aliasing -fPIC -Isrc -I. -I$(BUILD)/gen $(PC_CFLAGS) $(SANITIZE)
CFLAGS  ?=
LDFLAGS ?=

SRCS  := $(sort $(wildcard src/*/*.c src/*/*/*.c passes/*.c))
GEN   := $(BUILD)/gen/onnx.pb-c.c $(BUILD)/gen/targets_embedded.c
OBJS  := $(SRCS:%.c=$(BUILD)/%.o) $(GEN:%.c=%.o)
UNIT  := $(sort $(wildcard tests/unit/test_*.c))
UNITS := $(UNIT:tests/unit/%.c=$(BUILD)/tests/%)

all: $(BUILD)/npuprep $(BUILD)/libnpuprep.a

# Kernels of the integer datapath are built without floating-point registers: a float there does not compile.
$(BUILD)/src/kernels/int/%.o: EXTRA := -mgeneral-regs-only
# The fast element-wise and integer SIMD loops want the vectoriser; the bits do not depend on it.
$(BUILD)/src/kernels/float/%.o: EXTRA := -O3 -fno-trapping-math
$(BUILD)/src/kernels/int_simd/%.o: EXTRA := -O3
# Generated code is not ours to keep free of warnings.
$(BUILD)/gen/%.o: WARN := -w

$(BUILD)/gen/onnx.pb-c.c: proto/onnx.proto
	@mkdir -p $(BUILD)/gen
	cd proto && protoc-c --c_out=$(abspath $(BUILD))/gen onnx.proto
$(BUILD)/gen/onnx.pb-c.h: $(BUILD)/gen/onnx.pb-c.c ;

# Target profiles become byte arrays: one row {name, text} per src/targets/*.json.
$(BUILD)/gen/targets_embedded.c: $(wildcard src/targets/*.json) src/targets/embed.sh
	@mkdir -p $(BUILD)/gen
	sh src/targets/embed.sh src/targets > $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.c | $(BUILD)/gen/onnx.pb-c.h
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(WARN) $(EXTRA) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libnpuprep.a: $(OBJS)
	@rm -f $@
	ar rcsD $@ $^
$(BUILD)/npuprep: $(BUILD)/src/main.o $(BUILD)/libnpuprep.a
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(PC_LIBS)

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libnpuprep.a
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(WARN) $(CFLAGS) -Itests/unit -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libnpuprep.a $(PC_LIBS) -lcmocka

unit: $(UNITS)
check: all unit
	BUILD=$(BUILD) DATA=$(DATA) sh tests/run.sh
clean:
	rm -rf $(BUILD)
help:
	@echo 'all (default)  check  unit  clean'

-include $(OBJS:.o=.d) $(BUILD)/src/main.d $(UNITS:%=%.d)
.PHONY: all unit check clean help
.DELETE_ON_ERROR:
