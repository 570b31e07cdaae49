# gradus: one Makefile, no recursion. `make help` lists what there is.
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
# All cores, unless -j was given: on the command line, where it wins over this line, or by the
# make or the environment above us, which $(MAKEFLAGS) does not show yet while this is read.
ifeq (,$(filter -j% --jobserver%,$(MAKEFLAGS) $(shell echo "$$MAKEFLAGS")))
MAKEFLAGS += -j$(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
endif

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
override PREFIX := $(abspath $(PREFIX))
ifeq ($(origin CXX),default)
CXX := g++
endif

# ---- What a goal needs. Looked at once; .ci/deps asks apt only for what is missing. --------------

GOALS  := $(or $(MAKECMDGOALS),all)
GROUPS := $(if $(filter-out help clean lint deps uninstall doctor cuda-check,$(GOALS)),build) \
          $(if $(filter test $(BUILD)/bin/tests $(BUILD)/bin/cuda_tests_% gradcheck,$(GOALS)),test) \
          $(if $(filter bench,$(GOALS)),bench)
# make cannot keep a name with a space together: this would install, and remove, under each of its parts.
ifneq (,$(and $(filter install uninstall,$(GOALS)),$(word 2,$(PREFIX))))
$(error PREFIX has a space in it; choose a folder without one)
endif
DRY    := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
NEEDED := $(if $(DRY),,$(foreach g,$(GROUPS),$(if $(wildcard $(BUILD)/.has-$(g)),,$(g))))
ifneq (,$(strip $(NEEDED)))
$(shell CXX='$(CXX)' .ci/deps install $(NEEDED) >&2 && mkdir -p $(BUILD) && \
        touch $(patsubst %,$(BUILD)/.has-%,$(NEEDED)))
ifneq (0,$(.SHELLSTATUS))
$(error These packages are needed first)
endif
endif

# ---- Flags --------------------------------------------------------------------------------------

, := ,
ARCH ?= -march=native
OPT  ?= -O3
# pass-failed is clang's remark that a loop was not vectorised, not a fault of the code.
WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-pass-failed
ifdef SANITIZE
override BUILD := $(BUILD)/sanitize$(patsubst %,-%,$(filter thread,$(SANITIZE)))
OPT  := -O1 -g -fsanitize=$(or $(filter thread,$(SANITIZE)),address$(,)undefined) -fno-sanitize-recover=all \
        -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS
# GCC's instrumentation hides from its own warning that <regex> initialises what it moves.
WARN += -Wno-unknown-warning-option -Wno-maybe-uninitialized
endif
# With CUDA, programs know --device cuda. Without, `make test` still runs every kernel on the emulator.
ifneq (,$(CUDA))
override BUILD := $(BUILD)/$(if $(filter emulator,$(CUDA)),emulator,cuda)
DEVICE_FLAGS := -DGRADUS_CUDA
endif
GPU_ARCH ?= $(if $(shell command -v nvidia-smi 2>/dev/null),native,sm_75)
NVCC ?= $(or $(shell command -v nvcc 2>/dev/null),$(wildcard /usr/local/cuda/bin/nvcc),nvcc)
# Full-width AVX-512 where the processor has it: 10 to 45 % on softmax, layer_norm and exp in cache.
WIDE := $(if $(findstring march,$(ARCH)),$(shell $(CXX) -mprefer-vector-width=512 -E -x c++ /dev/null >/dev/null 2>&1 && \
                                                echo -mprefer-vector-width=512))
# GCC 12 on x86 with AVX-512 turns the 32-byte constants {a, a, a, 0} and {a, a, 0, 0} into {a, a, a, a}
# when it copies them in one piece (tests/test_compiler.cpp); 16-byte pieces are right.
SMALL_MOVES := $(shell $(CXX) -mmove-max=128 -mstore-max=128 -E -x c++ /dev/null >/dev/null 2>&1 && \
                       echo -mmove-max=128 -mstore-max=128)
# No fast-math: it removes NaN and infinity. These two flags change no value, only errno and FP traps.
CXXFLAGS ?=
GRADUS_FLAGS := -std=c++20 $(OPT) $(ARCH) -fopenmp -fno-math-errno -fno-trapping-math \
                $(SMALL_MOVES) $(WIDE) $(WARN) -I. -DGRADUS_VERSION='"$(VERSION)"' $(DEVICE_FLAGS)
PKG_CFLAGS   := $(shell pkg-config --cflags openblas fmt 2>/dev/null)
PKG_LIBS     := $(or $(shell pkg-config --libs openblas fmt 2>/dev/null),-lopenblas -lfmt)
SUPPORT_LIBS := -lz -lpcre2-8
COMPILE       = $(CXX) $(GRADUS_FLAGS) $(PKG_CFLAGS) $(DEFINES) $(CXXFLAGS)

# How g++ compiles what runs on the emulator: the library's kernels, puzzles, and a student's own file.
# A loop may wait for another thread, so none may be left out because it has to end anyway.
KERNEL_FLAGS := -std=c++20 -O2 -fno-finite-loops -Wno-unknown-pragmas -I. -Icuda/emulator/include
EMULATED := $(CXX) $(KERNEL_FLAGS) -g1 $(WARN) -DGRADUS_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
# The checker and the counters see each load and store through the hooks that this instrumentation calls;
# cuda/emulator/ defines them. GCC's last flags, or clang's, keep an access in one piece, as in the source.
WHOLE    := -fno-tree-sra -fno-tree-vectorize -fno-store-merging
CHECKED  := -fsanitize=thread,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined \
            $(if $(shell $(CXX) $(WHOLE) -E -x c++ /dev/null >/dev/null 2>&1 && echo yes),$(WHOLE),\
              -fno-vectorize -fno-slp-vectorize -fno-sanitize=function -mllvm -tsan-instrument-read-before-write)

# ---- Files --------------------------------------------------------------------------------------

LIB_DIRS    := tensor tensor/cpu autograd nn nn/models nn/text optim
LIB_SRC     := $(foreach d,$(LIB_DIRS),$(sort $(wildcard $(d)/*.cpp)))
SUPPORT_SRC := $(sort $(wildcard examples/support/*/*.cpp))
EXAMPLE_SRC := $(sort $(wildcard examples/[0-9]*.cpp))
TABLE_SRC   := $(sort $(wildcard tests/op_table*.cpp))
CHECK_SRC   := $(wildcard tests/gradcheck.cpp)
DOCTOR_SRC  := tests/doctor.cpp
TEST_SRC    := $(filter-out $(CHECK_SRC) $(DOCTOR_SRC),$(sort $(wildcard tests/*.cpp)))
BENCH_SRC   := $(sort $(wildcard tests/bench/*.cpp))
KERNEL_SRC  := $(sort $(wildcard cuda/*.cu cuda/*.cpp))
EMULATOR_SRC  := $(sort $(wildcard cuda/emulator/*.cpp))
CHECKER_SRC   := $(filter cuda/emulator/check% cuda/emulator/profile%,$(EMULATOR_SRC))
CUDA_TEST_SRC := $(sort $(wildcard tests/cuda/test_*.cu tests/cuda/test_*.cpp))
PUZZLE_SRC    := $(sort $(wildcard cuda/puzzles/*.cpp))
BUG_SRC       := $(sort $(wildcard tests/cuda/bugs*))
ALL_SRC     := $(LIB_SRC) $(SUPPORT_SRC) $(EXAMPLE_SRC) $(TEST_SRC) $(CHECK_SRC) $(DOCTOR_SRC) $(BENCH_SRC)
# Kernels and their private headers stay behind; the rest is what a program may include.
HEADERS     := $(foreach d,tensor autograd nn nn/models nn/text optim,$(sort $(wildcard $(d)/*.h $(d)/*.def))) \
               $(if $(CUDA),cuda/cuda.h cuda/matmul_options.h)

obj = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
bin = $(patsubst %.cpp,$(BUILD)/bin/%,$(notdir $(1)))

LIB       := $(BUILD)/libgradus.a
SUPPORT   := $(BUILD)/libsupport.a
EXAMPLES  := $(call bin,$(EXAMPLE_SRC))
BENCHES   := $(call bin,$(BENCH_SRC))
TESTS     := $(BUILD)/bin/tests
GRADCHECK := $(BUILD)/bin/gradcheck

# The kernels are compiled up to three ways: `plain` and `checked` by g++ for the emulator, `nvcc` for a
# GPU. An object's name keeps its source's ending: build/obj/checked/cuda/reduce.cu.o.
DEVICE := $(if $(filter-out emulator,$(CUDA)),nvcc,plain)
in      = $(patsubst %,$(BUILD)/obj/$(1)/%.o,$(filter %.cu %.cpp,$(2)))
kernels = $(call emulator,$(1)) $(call in,$(1),$(KERNEL_SRC))
emulator = $(call in,$(1),$(if $(filter nvcc,$(1)),,$(filter-out $(if $(filter plain,$(1)),$(CHECKER_SRC)),$(EMULATOR_SRC))))
# What `make test` runs of them. The sanitizers and the instrumentation of the checker exclude each other.
EMULATED_TESTS := $(foreach v,plain checked,$(BUILD)/bin/cuda_tests_$(v) $(BUILD)/bin/bugs_$(v) $(BUILD)/libemulator_$(v).a) $(BUILD)/libpuzzles.a
CUDA_TESTS := $(if $(filter nvcc,$(DEVICE)),$(BUILD)/bin/cuda_tests_nvcc,$(if $(SANITIZE),,$(EMULATED_TESTS)))
BENCH_CUDA    := $(BUILD)/bin/bench_cuda
BENCH_CUDA_ON := $(if $(filter nvcc,$(DEVICE)),nvcc,checked)

# What a student's puzzle is linked with: the harness and the checked emulator.
PUZZLES_LIB := $(BUILD)/libpuzzles.a
PUZZLE_ENV   = KERNEL_FLAGS='$(KERNEL_FLAGS)' CHECKED_FLAGS='$(CHECKED)' BUILD='$(BUILD)' CXX='$(CXX)' NVCC='$(NVCC)' CUDA='$(filter-out emulator,$(CUDA))' CHECKED='$(PUZZLES_LIB)' \
               P='$(P)' HINT='$(HINT)' RESET='$(RESET)' UPDATE='$(UPDATE)' FROM='$(FROM)'

# A stamp is a file that changes when its text does. Objects depend on the flags and the compiler, so
# that another flag rebuilds them; archives and programs on the list of sources, so that a file that
# went away goes from them too.
stamp = $(if $(DRY),,$(shell mkdir -p $(BUILD))$(if $(call same,$(2),$(file <$(1))),,$(file >$(1),$(2))))
same  = $(and $(findstring x$(strip $(1))x,x$(strip $(2))x),$(findstring x$(strip $(2))x,x$(strip $(1))x))
FLAGS_STAMP  := $(BUILD)/.flags
SOURCE_STAMP := $(BUILD)/.sources
ifneq (,$(strip $(GROUPS) $(filter doctor,$(GOALS))))
$(call stamp,$(FLAGS_STAMP),$(filter-out ccache,$(COMPILE) $(EMULATED) $(CHECKED)) $(shell $(CXX) -dumpfullversion 2>/dev/null))
$(call stamp,$(SOURCE_STAMP),$(LIB_SRC) $(SUPPORT_SRC) $(TEST_SRC) $(KERNEL_SRC) $(EMULATOR_SRC) $(CUDA_TEST_SRC) $(BUG_SRC) $(PUZZLE_SRC))
endif

# ---- Goals --------------------------------------------------------------------------------------

.PHONY: all lib chat examples test test-threads gradcheck bench staircase run puzzles puzzles-check cuda-check lint doctor deps install uninstall clean help
all: lib examples             ## the library and the examples
lib: $(LIB)                   ## the library alone
examples: $(EXAMPLES)         ## the examples; then build/bin/01_logistic_regression --help

# The answer comes from the environment, untouched by make and the shell, whatever is in the question.
override ASK := $(value ASK)
export ASK
CHAT := $(BUILD)/bin/17_chatbot
chat: $(CHAT)                 ## train the chatbot, if it is not yet, and talk to it; ASK="…" asks once
	@if [ -n "$$ASK" ]; then exec $(CHAT) --ask "$$ASK"; else exec $(CHAT); fi

test: $(TESTS) $(CUDA_TESTS) $(LIB) $(patsubst %,$(BUILD)/bin/%,01_logistic_regression 13_mini_gpt) $(CHAT)  ## all tests; TEST="-tc=*softmax*" runs some, SANITIZE=1 under the sanitizers
	@$(PUZZLE_ENV) SANITIZE='$(SANITIZE)' tests/run.sh $(TEST)

test-threads:                 ## what threads may do at once, under ThreadSanitizer
	@$(MAKE) SANITIZE=thread $(BUILD)/sanitize-thread/bin/tests
	# OpenMP's own waiting is invisible to the sanitizer, so each thread of the tests works alone.
	OMP_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1 $(BUILD)/sanitize-thread/bin/tests -tc='threads:*'

gradcheck: $(GRADCHECK)       ## every op: its gradient against finite differences, as a table
	$(GRADCHECK)

bench: $(BENCHES)             ## how fast it is: operations, then a small GPT
	@for b in $(filter-out %/bench_gpt,$(BENCHES)); do echo "$$b"; $$b || exit 1; done
	$(BUILD)/bin/bench_gpt train nano
	$(BUILD)/bin/bench_gpt generate nano

staircase: $(BENCH_CUDA)      ## four matrix products in CUDA: what they fetch, or with CUDA=1 their time
	$(if $(filter nvcc,$(DEVICE)),,GRADUS_CUDA_PROFILE=1 )$(BENCH_CUDA) matmul all

run: $(if $(filter plain,$(DEVICE)),$(BUILD)/libemulator_$(if $(PLAIN),plain,checked).a) ## a CUDA program of yours, FILE=shift.cu, on the checked emulator; PLAIN=1, CUDA=1, ARGS="…"
	@$(PUZZLE_ENV) FILE='$(FILE)' PLAIN='$(PLAIN)' ARGS='$(ARGS)' cuda/emulator/run.sh
puzzles: $(if $(filter plain,$(DEVICE)),$(PUZZLES_LIB)) ## seventeen CUDA exercises, no GPU needed; P=05, HINT=1, RESET=05, UPDATE=1, FROM=dir
	@$(PUZZLE_ENV) cuda/puzzles/run.sh
puzzles-check: $(PUZZLES_LIB) ## the puzzles are fair: solved ones pass, blank ones fail
	@$(PUZZLE_ENV) cuda/puzzles/check.sh
cuda-check:                   ## nvcc for every architecture: warnings, registers, shared memory, spills
	@NVCC='$(NVCC)' .ci/cuda-check

lint:                         ## the rules of the house: who includes whom, layout, names, flags
	@.ci/lint

# Where the library cannot be built, the rest of the report still is of use.
DOCTOR := $(if $(filter doctor,$(GOALS)),$(if $(shell CXX='$(CXX)' .ci/deps check build),,\
            $(BUILD)/bin/doctor))
doctor: $(DOCTOR)             ## this machine: compiler, BLAS kernel and speed, packages, data sets
	@CXX='$(CXX)' .ci/doctor $(DOCTOR)

deps:                         ## install every package there is a use for; .ci/deps list names them
	@CXX='$(CXX)' .ci/deps install && CXX='$(CXX)' .ci/deps list

LIBDIR     := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include/gradus
install: $(LIB)               ## headers, libgradus.a and gradus.pc, into PREFIX
	@$(foreach d,$(sort $(dir $(HEADERS))),install -d "$(DESTDIR)$(INCLUDEDIR)/$(d)" && \
	  install -m 644 $(filter $(d)%,$(HEADERS)) "$(DESTDIR)$(INCLUDEDIR)/$(d)" &&) \
	install -d "$(DESTDIR)$(LIBDIR)/pkgconfig" && \
	install -m 644 $(LIB) "$(DESTDIR)$(LIBDIR)/" && \
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include/gradus' '' \
	  'Name: gradus' 'Description: Tensors, automatic differentiation, neural networks' \
	  'Version: $(VERSION)' 'Requires: openblas fmt zlib libpcre2-8' 'Libs: -L$${libdir} -lgradus -fopenmp $(if $(CUDA),$(LINK_$(DEVICE)))' \
	  'Cflags: -I$${includedir} -std=c++20 -fopenmp' >"$(DESTDIR)$(LIBDIR)/pkgconfig/gradus.pc" && \
	echo 'installed into $(DESTDIR)$(PREFIX)'

uninstall:                    ## remove what install put there
	rm -rf "$(DESTDIR)$(INCLUDEDIR)" "$(DESTDIR)$(LIBDIR)/libgradus.a" "$(DESTDIR)$(LIBDIR)/pkgconfig/gradus.pc"

clean:                        ## remove everything that was built
	rm -rf $(BUILD)

help:                         ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18
	@echo; sed -nE '/^#   [A-Z]/s/^#/ /p' Makefile

# ---- Rules --------------------------------------------------------------------------------------

$(FLAGS_STAMP) $(SOURCE_STAMP): ;
# Where the examples look for their data unless $GRADUS_DATA says otherwise.
$(BUILD)/obj/examples/support/data/datasets.o: private DEFINES := -DGRADUS_DATA_DIR='"$(CURDIR)/examples/data"'

$(BUILD)/obj/%.o: %.cpp $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,compile $<)$(COMPILE) -MMD -MP -c $< -o $@

say     = $(if $(V),,@echo "$(1)"; )
archive = $(call say,archive $@)rm -f $@; ar rcs $@ $(filter %.o,$^)
$(LIB): $(call obj,$(LIB_SRC)) $(if $(CUDA),$(call kernels,$(DEVICE))) $(SOURCE_STAMP)
	$(archive)
$(SUPPORT): $(call obj,$(SUPPORT_SRC)) $(SOURCE_STAMP)
	$(archive)
$(PUZZLES_LIB): $(call in,checked,$(PUZZLE_SRC)) $(call emulator,checked) $(SOURCE_STAMP)
	$(archive)

$(BUILD)/obj/plain/%.o: % $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,compile $<)$(EMULATED) $(CXXFLAGS) -MMD -MP -x c++ -c $< -o $@
$(BUILD)/obj/checked/%.o: % $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,compile $< for the checker)$(EMULATED) $(if $(filter %.cu,$<),$(CHECKED),-DSIMT_CHECK) $(CXXFLAGS) -MMD -MP -x c++ -c $< -o $@
$(BUILD)/obj/nvcc/%.cu.o: %.cu $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,nvcc $<)$(NVCC) -std=c++20 -O3 -arch=$(GPU_ARCH) --expt-relaxed-constexpr -I. -MMD -MP -c $< -o $@
$(BUILD)/obj/nvcc/%.cpp.o: %.cpp $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,compile $<)$(COMPILE) -I$(patsubst %/bin/nvcc,%/include,$(NVCC)) -MMD -MP -c $< -o $@

# The interpreter of PTX finds a kernel by its symbol, hence -rdynamic. The emulator comes first, so that
# of an inline function of the standard library the linker takes its copy, which is not instrumented.
LINK_plain   := -rdynamic
LINK_checked := -rdynamic
LINK_nvcc    := -L$(patsubst %/bin/nvcc,%/lib64,$(NVCC)) -lcublas -lcudart
define cuda_tests
$(BUILD)/bin/cuda_tests_$(1): private LINK_ALSO := $(LINK_$(1))
$(BUILD)/bin/cuda_tests_$(1): $(call kernels,$(1)) $(call in,$(1),$(CUDA_TEST_SRC)) \
    $(call obj,tests/main.cpp $(TABLE_SRC)) $(SUPPORT) $(LIB) $(SOURCE_STAMP)
	$$(link)
$(BUILD)/libemulator_$(1).a: $(call emulator,$(1)) $(SOURCE_STAMP)
	$$(archive)
$(BUILD)/bin/bugs_$(1): private LINK_ALSO := $(LINK_$(1))
$(BUILD)/bin/bugs_$(1): $(call emulator,$(1)) $(call in,$(1),$(BUG_SRC)) $(SOURCE_STAMP)
	$$(link)
endef
$(foreach v,plain checked nvcc,$(eval $(call cuda_tests,$(v))))
# On the emulator it counts memory accesses, so it is the checked one; on a GPU it measures time.
$(BENCH_CUDA): private LINK_ALSO := $(if $(filter nvcc,$(DEVICE)),,$(LINK_checked))
$(BENCH_CUDA): $(call kernels,$(BENCH_CUDA_ON)) $(call in,$(BENCH_CUDA_ON),tests/bench/cuda/bench_cuda.cpp) $(SUPPORT) $(LIB)
	$(link)

link = $(call say,link $@)mkdir -p $(@D); $(COMPILE) $(LDFLAGS) \
       $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) $(SUPPORT_LIBS) $(LINK_ALSO) $(if $(CUDA),$(LINK_$(DEVICE))) -o $@
$(EXAMPLES): $(BUILD)/bin/%: $(BUILD)/obj/examples/%.o $(SUPPORT) $(LIB)
	$(link)
$(BENCHES): $(BUILD)/bin/%: $(BUILD)/obj/tests/bench/%.o $(SUPPORT) $(LIB)
	$(link)
$(filter-out %/bench_gpt,$(BENCHES)): private LINK_ALSO := -lbenchmark
$(BUILD)/bin/doctor: $(BUILD)/obj/tests/doctor.o $(LIB)
	$(link)
$(TESTS): $(call obj,$(TEST_SRC)) $(SUPPORT) $(LIB) $(SOURCE_STAMP)
	$(link)
$(GRADCHECK): $(call obj,$(CHECK_SRC) $(TABLE_SRC)) $(SUPPORT) $(LIB)
	$(link)

-include $(patsubst %.o,%.d,$(call obj,$(ALL_SRC)) \
  $(foreach v,plain checked nvcc,$(call in,$(v),$(KERNEL_SRC) $(EMULATOR_SRC) $(CUDA_TEST_SRC) $(BUG_SRC) $(PUZZLE_SRC) tests/bench/cuda/bench_cuda.cpp)))
