# gradus. `make help` lists the goals. This file says what is built from which files. .ci/rules.mk
# says how a file is compiled and linked, and .ci/cuda.mk what becomes of the kernels in cuda/.
#
#   CXX=clang++       another compiler                                  (default: g++)
#   SANITIZE=1        AddressSanitizer and UBSan, into build/sanitize
#   SANITIZE=thread   ThreadSanitizer, into build/sanitize-thread
#   CUDA=1            with the kernels of cuda/ for a GPU, by nvcc, into build/cuda
#   GPU_ARCH=sm_90    for another GPU than this machine's
#   CUDA=emulator     the same kernels on the emulator, for any machine, into build/emulator
#   ARCH=…            the processor to compile for                      (default: -march=native)
#   CXXFLAGS=…        further flags
#   V=1               show whole commands
#   BUILD=dir         where everything that is built goes               (default: build)
#   PREFIX=dir        where `make install` puts it                      (default: /usr/local)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Use all cores. A -j on the command line wins over this line. One from the environment, or from a
# make that started this one, does not, so look for it: $(MAKEFLAGS) does not show it yet.
ifeq (,$(filter -j% --jobserver%,$(MAKEFLAGS) $(shell echo "$$MAKEFLAGS")))
MAKEFLAGS += -j$(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
endif

ifneq (,$(filter-out 1 emulator,$(CUDA))$(filter-out 1 thread,$(SANITIZE)))
$(error CUDA is 1 or emulator, SANITIZE is 1 or thread; leave them out for neither)
endif

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
ifeq ($(origin CXX),default)
CXX     := g++
endif

# ---- Flags --------------------------------------------------------------------------------------

ARCH ?= -march=native
OPT  ?= -O3
# pass-failed is clang's remark that a loop was not vectorised, not a fault of the code.
WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-pass-failed
ifdef SANITIZE
override BUILD := $(BUILD)/sanitize$(patsubst %,-%,$(filter thread,$(SANITIZE)))
OPT := -O1 -g -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS -fno-sanitize-recover=all \
       -fsanitize=$(if $(filter thread,$(SANITIZE)),thread,address -fsanitize=undefined)
# GCC's instrumentation hides from its own warning that <regex> initialises what it moves.
WARN += -Wno-unknown-warning-option -Wno-maybe-uninitialized
endif
ifneq (,$(CUDA))
override BUILD := $(BUILD)/$(if $(filter emulator,$(CUDA)),emulator,cuda)
endif
# No fast-math: it removes NaN and infinity. no-math-errno and no-trapping-math change no value.
FLAGS := -std=c++20 $(OPT) $(ARCH) -fopenmp -fno-math-errno -fno-trapping-math $(WARN) -I. \
         -DGRADUS_VERSION='"$(VERSION)"' $(if $(CUDA),-DGRADUS_CUDA)
# Flags for the compilers that know them. GCC 12 with AVX-512 turns the 32-byte constants
# {a, a, a, 0} and {a, a, 0, 0} into {a, a, a, a} when it copies them in one piece, but not in
# pieces of 16 bytes (tests/test_compiler.cpp). Full-width AVX-512 takes 10 to 45 % off softmax,
# layer_norm and exp in cache.
MAYBE := -mmove-max=128 -mstore-max=128 $(if $(findstring march,$(ARCH)),-mprefer-vector-width=512)

# ---- Files --------------------------------------------------------------------------------------

LIB_DIRS    := tensor tensor/cpu autograd nn nn/models nn/text optim
LIB_SRC     := $(sort $(wildcard $(LIB_DIRS:=/*.cpp)))
SUPPORT_SRC := $(sort $(wildcard examples/support/*/*.cpp))
EXAMPLE_SRC := $(sort $(wildcard examples/[0-9]*.cpp))
TABLE_SRC   := $(sort $(wildcard tests/op_table*.cpp))
TEST_SRC    := $(filter-out %/gradcheck.cpp %/doctor.cpp,$(sort $(wildcard tests/*.cpp)))
BENCH_SRC   := $(sort $(wildcard tests/bench/*.cpp))
SOURCES     := $(LIB_SRC) $(SUPPORT_SRC) $(EXAMPLE_SRC) $(TEST_SRC) $(BENCH_SRC) \
               tests/gradcheck.cpp tests/doctor.cpp
# What a program may include: not the CPU's kernels.
HEADERS     := $(foreach d,$(filter-out tensor/cpu,$(LIB_DIRS)),$(wildcard $(d)/*.h $(d)/*.def)) \
               $(if $(CUDA),cuda/cuda.h cuda/matmul_options.h)

objects  = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
programs = $(patsubst %.cpp,$(BUILD)/bin/%,$(notdir $(1)))
LIB      := $(BUILD)/libgradus.a
SUPPORT  := $(BUILD)/libsupport.a
EXAMPLES := $(call programs,$(EXAMPLE_SRC))
BENCHES  := $(call programs,$(BENCH_SRC))
CHAT     := $(BUILD)/bin/17_chatbot
include .ci/cuda.mk .ci/rules.mk

# ---- Goals --------------------------------------------------------------------------------------

.PHONY: all lib examples chat test test-threads gradcheck bench lint doctor deps install uninstall \
        clean help
all: lib examples             ## the library and the examples
lib: $(LIB)                   ## the library alone
examples: $(EXAMPLES)         ## the examples; then build/bin/01_logistic_regression --help

# The question comes from the environment, untouched by make and the shell, whatever is in it.
override ASK := $(value ASK)
export ASK
chat: $(CHAT)                 ## train the chatbot, if needed, and talk to it; ASK="…" asks once
	@exec $(CHAT) $(if $(CUDA),--device cuda) $${ASK:+--ask "$$ASK"}

TESTED := $(CUDA_TESTS) $(filter %logistic_regression %mini_gpt %chatbot,$(EXAMPLES)) $(LIB)
test: $(BUILD)/bin/tests $(TESTED) ## all tests; TEST="-tc=*softmax*" some, SANITIZE=1 sanitized
	@$(SCRIPT_ENV) SANITIZE='$(SANITIZE)' tests/run.sh $(TEST)
# OpenMP's own waiting is invisible to the sanitizer, so each thread of the tests works alone.
test-threads:                 ## what threads may do at once, under ThreadSanitizer
	@$(MAKE) SANITIZE=thread $(BUILD)/sanitize-thread/bin/tests
	OMP_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1 $(BUILD)/sanitize-thread/bin/tests -tc='threads:*'
gradcheck: $(BUILD)/bin/gradcheck ## every op: its gradient against finite differences, as a table
	$<
bench: $(BENCHES)             ## how fast it is: operations, then a small GPT
	@for b in $(filter-out %/bench_gpt,$(BENCHES)); do echo "$$b"; $$b || exit 1; done
	$(BUILD)/bin/bench_gpt train nano
	$(BUILD)/bin/bench_gpt generate nano
lint:                         ## the rules of the house: who includes whom, layout, names, flags
	@.ci/lint
doctor:                       ## this machine: compiler, BLAS kernel and speed, packages, data sets
	@! CXX='$(CXX)' .ci/deps check build >/dev/null || $(MAKE) $(BUILD)/bin/doctor
	@CXX='$(CXX)' .ci/doctor $(BUILD)/bin/doctor
deps:                         ## install every package there is a use for; .ci/deps list names them
	@CXX='$(CXX)' .ci/deps install && CXX='$(CXX)' .ci/deps list
INSTALL := LIB='$(LIB)' VERSION='$(VERSION)' LINK='$(CHECK_PROCESSOR) $(LINK_DEVICE)' .ci/install
install: $(LIB)               ## headers, libgradus.a and gradus.pc, into PREFIX
	@BUILT_FOR="$$(.ci/processor name $(MACHINE))" $(INSTALL) '$(DESTDIR)' '$(PREFIX)' $(HEADERS)
uninstall:                    ## remove what install put there
	@$(INSTALL) --remove '$(DESTDIR)' '$(PREFIX)'
clean:                        ## remove everything that was built
	rm -rf $(BUILD)
help:                         ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile .ci/cuda.mk | expand -t 22
	@echo; sed -nE '/^#   [A-Z]/s/^#/ /p' Makefile

# ---- What is made of what; where a wildcard chose the files, also of the list of them ------------

$(LIB): $(call objects,$(LIB_SRC)) $(DEVICE_KERNELS) $(BUILD)/.sources
	$(archive)
$(SUPPORT): $(call objects,$(SUPPORT_SRC)) $(BUILD)/.sources
	$(archive)
$(EXAMPLES): $(BUILD)/bin/%: $(BUILD)/obj/examples/%.o $(SUPPORT) $(LIB)
	$(link)
$(BUILD)/bin/tests: $(call objects,$(TEST_SRC)) $(SUPPORT) $(LIB) $(BUILD)/.sources
	$(link)
$(BUILD)/bin/gradcheck: $(call objects,tests/gradcheck.cpp $(TABLE_SRC)) $(SUPPORT) $(LIB)
	$(link)
$(BUILD)/bin/doctor: $(BUILD)/obj/tests/doctor.o $(SUPPORT) $(LIB)
	$(link)
$(BENCHES): $(BUILD)/bin/%: $(BUILD)/obj/tests/bench/%.o $(SUPPORT) $(LIB)
	$(link)
$(CHAT): private LINK_ALSO := -ledit
$(filter-out %/bench_gpt,$(BENCHES)): private LINK_ALSO := -lbenchmark
$(call objects,$(BENCH_SRC)): | packages-bench
# Where the examples look for their data unless $GRADUS_DATA says otherwise.
$(BUILD)/obj/examples/support/data/datasets.o: private DEFINES := \
  -DGRADUS_DATA_DIR='"$(CURDIR)/examples/data"'
