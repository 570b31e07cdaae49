# How a file is compiled and linked, and what must be there before. The Makefile includes this.

.PHONY: packages packages-bench FORCE
packages: ; @CXX='$(CXX)' .ci/deps install build
packages-bench: packages ; @CXX='$(CXX)' .ci/deps install bench

# pkg-config and the compiler may have been installed by the lines above, so they are asked when a
# command runs and not before: by the shell, or by .known, which lists the flags of MAYBE that the
# compiler knows.
PACKAGE_FLAGS := $$(pkg-config --cflags openblas fmt)
PACKAGE_LIBS  := $$(pkg-config --libs openblas fmt zlib libpcre2-8)
KNOWN          = $(file <$(BUILD)/.known)
COMPILE        = $(CXX) $(FLAGS) $(KNOWN) $(PACKAGE_FLAGS) $(DEFINES) $(CXXFLAGS)

# Records, which .ci/record writes only when their text changes. Every object depends on .flags:
# other flags, another compiler or processor compile it anew. Archives and programs depend on
# .sources: a file that went away goes from them too. The + lets `make -n` look as well.
quote     = '$(subst ','\'',$(1))'
MACHINE  := $(CXX) $(ARCH) $(CXXFLAGS)
$(BUILD)/.known: FORCE | packages
	+@.ci/record $@ "$$(.ci/known-flags $(CXX) -- $(MAYBE))"
$(BUILD)/.flags: $(BUILD)/.known FORCE
	+@.ci/record $@ "$$($(CXX) --version | head -n 1; .ci/processor name $(MACHINE))" \
	  $(call quote,$(filter-out ccache,$(COMPILE) $(EMULATED) $(CHECKED) $(if $(CUDA),$(GPU_ARCH))))
$(BUILD)/.sources: FORCE
	+@.ci/record $@ $(SOURCES) $(CUDA_SOURCES)

say = $(if $(V),,@echo '$(1)'; )
$(BUILD)/obj/%.o: %.cpp $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,compile $<)$(COMPILE) -MMD -MP -c $< -o $@
-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)) \
           $(foreach way,plain checked nvcc,$(call $(way),$(CUDA_SOURCES))))

# processor.o must run on any processor, so it is built without -m flags. -D flags tell it what the
# other objects require.
$(BUILD)/obj/tensor/processor.o: private DEFINES = $(shell .ci/processor flags $(MACHINE))
$(BUILD)/obj/tensor/processor.o: private FLAGS := $(filter-out -m%,$(FLAGS))
$(BUILD)/obj/tensor/processor.o: private CXXFLAGS := $(filter-out -m%,$(CXXFLAGS))
$(BUILD)/obj/tensor/processor.o: private KNOWN :=

# Nothing calls it, so a program must ask for it.
CHECK_PROCESSOR := -Wl,-u,gradus_check_processor

archive = $(call say,archive $@)rm -f $@; ar rcs $@ $(filter %.o,$^)
link    = $(call say,link $@)mkdir -p $(@D); $(COMPILE) $(LDFLAGS) \
          $(filter %.o,$^) $(filter %.a,$^) $(CHECK_PROCESSOR) $(PACKAGE_LIBS) \
          $(LINK_ALSO) $(LINK_DEVICE) -o $@
