# The kernels of cuda/, compiled up to three ways: `plain` and `checked` by g++ for the emulator,
# and `nvcc` for a GPU. The Makefile includes this.

GPU_ARCH ?= $(if $(shell command -v nvidia-smi),native,sm_75)
NVCC     ?= $(or $(shell command -v nvcc),$(wildcard /usr/local/cuda/bin/nvcc),nvcc)
CUDA_DIR := $(patsubst %/bin/nvcc,%,$(NVCC))

# How g++ compiles for the emulator: the library's kernels, puzzles, and a student's own file. A
# loop may wait for another thread, so the compiler must not assume that every loop ends.
KERNEL_FLAGS := -std=c++20 -O2 -fno-finite-loops -Wno-unknown-pragmas -I. -Icuda/emulator/include
EMULATED = $(CXX) $(KERNEL_FLAGS) -g1 $(WARN) -DGRADUS_VERSION='"$(VERSION)"' $(PACKAGE_FLAGS)
# The checker and the counters see each load and store through the hooks that this instrumentation
# calls; cuda/emulator/ defines them. The last flags keep an access in one piece, as in the source.
CLANG   := $(findstring clang,$(CXX) $(shell $(CXX) --version 2>/dev/null))
CHECKED := -fsanitize=thread,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined \
  $(if $(CLANG),-fno-vectorize -fno-slp-vectorize -fno-sanitize=function \
                -mllvm -tsan-instrument-read-before-write,\
                -fno-tree-sra -fno-tree-vectorize -fno-store-merging)

# ---- Files. An object's name keeps its source's ending: build/obj/checked/cuda/reduce.cu.o ------

KERNEL_SRC    := $(sort $(wildcard cuda/*.cu cuda/*.cpp))
EMULATOR_SRC  := $(sort $(wildcard cuda/emulator/*.cpp))
CHECKER_SRC   := $(filter cuda/emulator/check% cuda/emulator/profile%,$(EMULATOR_SRC))
CUDA_TEST_SRC := $(sort $(wildcard tests/cuda/test_*.cu tests/cuda/test_*.cpp))
BUG_SRC       := $(sort $(wildcard tests/cuda/bugs*.cu tests/cuda/bugs*.cpp))
PUZZLE_SRC    := $(sort $(wildcard cuda/puzzles/*.cpp))
CUDA_BENCH_SRC := tests/bench/cuda/bench_cuda.cpp
CUDA_SOURCES   := $(KERNEL_SRC) $(EMULATOR_SRC) $(CUDA_TEST_SRC) $(BUG_SRC) $(PUZZLE_SRC) \
                  $(CUDA_BENCH_SRC)

plain   = $(patsubst %,$(BUILD)/obj/plain/%.o,$(1))
checked = $(patsubst %,$(BUILD)/obj/checked/%.o,$(1))
nvcc    = $(patsubst %,$(BUILD)/obj/nvcc/%.o,$(1))
PLAIN_EMULATOR   := $(call plain,$(filter-out $(CHECKER_SRC),$(EMULATOR_SRC)))
CHECKED_EMULATOR := $(call checked,$(EMULATOR_SRC))
# The emulator comes first: the linker then takes its copies of inline functions of the standard
# library, which are not instrumented.
PLAIN_KERNELS   := $(PLAIN_EMULATOR) $(call plain,$(KERNEL_SRC))
CHECKED_KERNELS := $(CHECKED_EMULATOR) $(call checked,$(KERNEL_SRC))
NVCC_KERNELS    := $(call nvcc,$(KERNEL_SRC))

# The interpreter of PTX finds a kernel by its symbol, hence -rdynamic.
LINK_EMULATOR := -rdynamic
LINK_NVCC     := -L$(CUDA_DIR)/lib64 -lcublas -lcudart
PUZZLES := $(BUILD)/libpuzzles.a
bin     := $(BUILD)/bin

# With CUDA the library has the kernels. Without, `make test` still runs each of them on the
# emulator, but not under a sanitizer, which the instrumentation of the checker excludes.
ON_GPU := $(if $(filter-out emulator,$(CUDA)),1)
ifneq (,$(CUDA))
DEVICE_KERNELS := $(if $(ON_GPU),$(NVCC_KERNELS),$(PLAIN_KERNELS))
LINK_DEVICE    := $(if $(ON_GPU),$(LINK_NVCC),$(LINK_EMULATOR))
endif
EMULATED_TESTS := $(PUZZLES) $(foreach way,plain checked,\
                    $(bin)/cuda_tests_$(way) $(bin)/bugs_$(way) $(BUILD)/libemulator_$(way).a)
CUDA_TESTS := $(if $(ON_GPU),$(bin)/cuda_tests_nvcc,$(if $(SANITIZE),,$(EMULATED_TESTS)))

# ---- Goals --------------------------------------------------------------------------------------

SCRIPT_ENV = KERNEL_FLAGS='$(KERNEL_FLAGS)' CHECKED_FLAGS='$(CHECKED)' CHECKED='$(PUZZLES)' \
  BUILD='$(BUILD)' CXX='$(CXX)' NVCC='$(NVCC)' CUDA='$(ON_GPU)' \
  P='$(P)' HINT='$(HINT)' RESET='$(RESET)' UPDATE='$(UPDATE)' FROM='$(FROM)'

RUN_NEEDS    := $(if $(ON_GPU),,$(BUILD)/libemulator_$(if $(PLAIN),plain,checked).a)
PUZZLES_NEED := $(if $(ON_GPU),,$(PUZZLES))

.PHONY: staircase run puzzles puzzles-check cuda-check
staircase: $(bin)/bench_cuda  ## four matrix products in CUDA: what they fetch; CUDA=1: their time
	$(if $(ON_GPU),,GRADUS_CUDA_PROFILE=1 )$< matmul all
run: $(RUN_NEEDS)             ## a CUDA program of yours: FILE=shift.cu; PLAIN=1, CUDA=1, ARGS="…"
	@$(SCRIPT_ENV) FILE='$(FILE)' PLAIN='$(PLAIN)' ARGS='$(ARGS)' cuda/emulator/run.sh
puzzles: $(PUZZLES_NEED)      ## CUDA exercises; P=05, HINT=1, RESET=05, UPDATE=1, FROM=dir
	@$(SCRIPT_ENV) cuda/puzzles/run.sh
puzzles-check: $(PUZZLES)     ## the puzzles are fair: solved ones pass, blank ones fail
	@$(SCRIPT_ENV) cuda/puzzles/check.sh
cuda-check:                   ## nvcc for every architecture: warnings, registers, memory, spills
	@NVCC='$(NVCC)' .ci/cuda-check

# ---- Rules --------------------------------------------------------------------------------------

$(BUILD)/obj/plain/%.o: % $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,compile $<)$(EMULATED) $(CXXFLAGS) -MMD -MP -x c++ -c $< -o $@
$(BUILD)/obj/checked/%.cu.o: %.cu $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,compile $< for the checker)$(EMULATED) $(CHECKED) $(CXXFLAGS) -MMD -MP \
	  -x c++ -c $< -o $@
$(BUILD)/obj/checked/%.cpp.o: %.cpp $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,compile $< for the checker)$(EMULATED) -DSIMT_CHECK $(CXXFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/obj/nvcc/%.cu.o: %.cu $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,nvcc $<)$(NVCC) -std=c++20 -O3 -arch=$(GPU_ARCH) --expt-relaxed-constexpr -I. \
	  -MMD -MP -c $< -o $@
$(BUILD)/obj/nvcc/%.cpp.o: %.cpp $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,compile $<)$(COMPILE) -I$(CUDA_DIR)/include -MMD -MP -c $< -o $@

$(PUZZLES): $(call checked,$(PUZZLE_SRC)) $(CHECKED_EMULATOR) $(BUILD)/.sources
	$(archive)
$(BUILD)/libemulator_plain.a: $(PLAIN_EMULATOR) $(BUILD)/.sources
	$(archive)
$(BUILD)/libemulator_checked.a: $(CHECKED_EMULATOR) $(BUILD)/.sources
	$(archive)

AROUND := $(call objects,tests/main.cpp $(TABLE_SRC)) $(SUPPORT) $(LIB) $(BUILD)/.sources
$(bin)/cuda_tests_plain: $(PLAIN_KERNELS) $(call plain,$(CUDA_TEST_SRC)) $(AROUND)
	$(link)
$(bin)/cuda_tests_checked: $(CHECKED_KERNELS) $(call checked,$(CUDA_TEST_SRC)) $(AROUND)
	$(link)
$(bin)/cuda_tests_nvcc: $(NVCC_KERNELS) $(call nvcc,$(CUDA_TEST_SRC)) $(AROUND)
	$(link)
$(bin)/bugs_plain: $(PLAIN_EMULATOR) $(call plain,$(BUG_SRC)) $(BUILD)/.sources
	$(link)
$(bin)/bugs_checked: $(CHECKED_EMULATOR) $(call checked,$(BUG_SRC)) $(BUILD)/.sources
	$(link)
# On the emulator it counts what memory is asked for, so it is the checked one; on a GPU, time.
$(bin)/bench_cuda: $(if $(ON_GPU),$(NVCC_KERNELS) $(call nvcc,$(CUDA_BENCH_SRC)),\
    $(CHECKED_KERNELS) $(call checked,$(CUDA_BENCH_SRC))) $(SUPPORT) $(LIB)
	$(link)
$(foreach way,plain checked,$(bin)/cuda_tests_$(way) $(bin)/bugs_$(way)): \
  private LINK_ALSO := $(LINK_EMULATOR)
$(bin)/bench_cuda: private LINK_ALSO := $(if $(ON_GPU),,$(LINK_EMULATOR))
$(bin)/cuda_tests_nvcc: private LINK_ALSO := $(LINK_NVCC)
