// Finds the entry with a kernel's name in the files of GRADUS_CUDA_PTX. g++ and nvcc give a kernel
// the same symbol. The C++ build must export it (-rdynamic).
#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cuda/emulator/check.h"
#include "cuda/emulator/launch.h"
#include "cuda/emulator/ptx.h"

namespace simt::ptx {
namespace {

/// The files of GRADUS_CUDA_PTX=a.ptx:b.ptx, and their entries by name.
struct Library {
  std::vector<std::unique_ptr<Module>> modules;
  std::unordered_map<std::string, const Function*> entries;
};

Library read_files(const std::string& paths) {
  Library library;
  std::istringstream list(paths);
  for (std::string path; std::getline(list, path, ':');) {
    std::ifstream file(path);
    if (!file) stop("cannot read " + path + ", which GRADUS_CUDA_PTX names");
    std::ostringstream text;
    text << file.rdbuf();
    library.modules.push_back(parse(text.str(), path));
    for (const auto& [name, function] : library.modules.back()->functions)
      if (function->entry) library.entries.try_emplace(name, function.get());
  }
  return library;
}

Library& library() {
  static Library files = [] {
    const char* const paths = std::getenv("GRADUS_CUDA_PTX");
    if (check::enabled && paths)
      stop(
          "GRADUS_CUDA_PTX: the checker sees only g++'s code; use the plain build (make run "
          "PLAIN=1)");
    return read_files(paths ? paths : "");
  }();
  return files;
}

const Function& entry_of(const Library& library, const Kernel& kernel) {
  Dl_info symbol;
  if (!dladdr(kernel.function, &symbol) || symbol.dli_saddr != kernel.function || !symbol.dli_sname)
    stop("the kernel " + std::string(kernel.name) +
         " has no exported symbol; link with -rdynamic, and do not make the kernel static");
  const auto found = library.entries.find(symbol.dli_sname);
  if (found == library.entries.end())
    stop("no file in GRADUS_CUDA_PTX has an entry " + std::string(symbol.dli_sname) + " for " +
         std::string(kernel.name));
  const Function& entry = *found->second;
  bool same = entry.parameters.size() == kernel.parameter_count;
  for (size_t k = 0; same && k < entry.parameters.size(); ++k)
    same = entry.parameters[k].bytes == kernel.parameters[k].bytes;
  if (!same) stop("the parameters of " + std::string(kernel.name) + " differ in PTX and in C++");
  return entry;
}

struct Context {
  const Function& entry;
  std::vector<Parameter> layout;
  std::vector<char> parameters;
};

void run_thread(const void* context) {
  const auto& c = *static_cast<const Context*>(context);
  Machine machine(c.entry);
  for (size_t k = 0; k < c.layout.size(); ++k)
    std::memcpy(machine.frame() + c.entry.parameters[k].offset,
                c.parameters.data() + c.layout[k].offset, c.layout[k].bytes);
  machine.run();
}

}  // namespace

void stop(const std::string& what) {
  std::fprintf(stderr, "ptx: %s\n", what.c_str());
  std::abort();
}

std::string demangled(const std::string& name) {
  int status = 0;
  char* const text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  const std::string result = status == 0 ? text : name;
  std::free(text);
  return result;
}

void use(const std::string& paths) { library() = read_files(paths); }

void substitute(const Kernel& kernel, const void* parameters, Body& body) {
  const Library& files = library();
  if (files.modules.empty()) return;
  const auto* const bytes = static_cast<const char*>(parameters);
  auto context = std::make_shared<Context>(
      Context{entry_of(files, kernel),
              {kernel.parameters, kernel.parameters + kernel.parameter_count},
              {bytes, bytes + kernel.parameter_bytes}});
  body = {run_thread, std::move(context)};
}

}  // namespace simt::ptx
