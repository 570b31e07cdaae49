# gradus: one Makefile, no recursion. `make help` lists what there is.
#
#   BUILD=dir     where everything that is built goes            (default: build)
#   CXX=clang++   another compiler                               (default: g++)
#   SANITIZE=1    AddressSanitizer and UBSan, into build/sanitize
#   ARCH=…        the processor to compile for                   (default: -march=native)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ifeq ($(origin CXX),default)
CXX := g++
endif
ARCH     ?= -march=native
OPT      ?= -O3
# pass-failed is clang's remark that a loop was not vectorised, not a fault of the code.
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-pass-failed
BUILD    ?= build
ifdef SANITIZE
override BUILD := $(BUILD)/sanitize
OPT      := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
VERSION  := 0.1.0

# GCC 12 on x86 with AVX-512 turns the 32-byte constants {a, a, a, 0} and {a, a, 0, 0} into {a, a, a, a}
# when it copies them in one piece (tests/test_compiler.cpp); 16-byte pieces are right.
SMALL_MOVES := $(shell $(CXX) -mmove-max=128 -mstore-max=128 -E -x c++ /dev/null >/dev/null 2>&1 && \
                       echo -mmove-max=128 -mstore-max=128)
# No fast-math: it removes NaN and infinity. These two flags change no value, only errno and FP traps.
CXXFLAGS ?=
GRADUS_FLAGS := -std=c++20 $(OPT) $(ARCH) -fopenmp -fno-math-errno -fno-trapping-math \
                $(SMALL_MOVES) \
                $(WARN) -I. -DGRADUS_VERSION='"$(VERSION)"' -MMD -MP
PKG_CFLAGS := $(shell pkg-config --cflags openblas fmt 2>/dev/null)
PKG_LIBS   := $(or $(shell pkg-config --libs openblas fmt 2>/dev/null),-lopenblas -lfmt)
SUPPORT_LIBS := -lz -lpcre2-8

LIB_DIRS    := tensor tensor/cpu autograd nn optim
LIB_SRC     := $(foreach d,$(LIB_DIRS),$(sort $(wildcard $(d)/*.cpp)))
SUPPORT_SRC := $(sort $(wildcard examples/support/*.cpp))
EXAMPLE_SRC := $(sort $(wildcard examples/[0-9]*.cpp))
TEST_SRC    := $(sort $(wildcard tests/*.cpp))
BENCH_SRC   := $(sort $(wildcard tests/bench/*.cpp))
ALL_SRC     := $(LIB_SRC) $(SUPPORT_SRC) $(EXAMPLE_SRC) $(TEST_SRC) $(BENCH_SRC)

obj = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
bin = $(patsubst %.cpp,$(BUILD)/bin/%,$(notdir $(1)))

LIB      := $(BUILD)/libgradus.a
SUPPORT  := $(BUILD)/libsupport.a
EXAMPLES := $(call bin,$(EXAMPLE_SRC))
BENCHES  := $(call bin,$(BENCH_SRC))
TESTS    := $(BUILD)/bin/tests

.PHONY: all lib examples test clean help
all: lib examples
lib: $(LIB)
examples: $(EXAMPLES)

# Where the examples look for their data unless $GRADUS_DATA says otherwise.
$(BUILD)/obj/examples/support/datasets.o: GRADUS_FLAGS += -DGRADUS_DATA_DIR='"$(CURDIR)/examples/data"'

$(BUILD)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(GRADUS_FLAGS) $(PKG_CFLAGS) $(CXXFLAGS) -c $< -o $@

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^
$(SUPPORT): $(call obj,$(SUPPORT_SRC))
	@rm -f $@
	ar rcs $@ $^

link = @mkdir -p $(@D); echo "link $@"; $(CXX) $(GRADUS_FLAGS) $(CXXFLAGS) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) $(SUPPORT_LIBS) -o $@

$(EXAMPLES): $(BUILD)/bin/%: $(BUILD)/obj/examples/%.o $(SUPPORT) $(LIB)
	$(link)
$(BENCHES): $(BUILD)/bin/%: $(BUILD)/obj/tests/bench/%.o $(SUPPORT) $(LIB)
	$(link)
$(TESTS): $(call obj,$(TEST_SRC)) $(SUPPORT) $(LIB)
	$(link)

test: $(TESTS)
	$(TESTS)

clean:
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(call obj,$(ALL_SRC)))
