// The text of a report. See check_report.h.
#include "cuda/emulator/check_report.h"

#include <cuda_runtime.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cuda/emulator/check_order.h"

namespace simt::check {
namespace {

std::vector<const void*> parameters;  // of the running kernel: its pointers, null for the others
std::uint32_t reported_run;           // each copy is reported once

std::string number(std::uint64_t n) { return std::to_string(n); }

std::string coordinates(std::uint32_t linear, const dim3& size) {
  return "(" + number(linear % size.x) + "," + number(linear / size.x % size.y) + "," +
         number(linear / size.x / size.y) + ")";
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// "fill launched at file.cu:12" or "cudaMemcpyAsync called at file.cu:13". Some calls have no
/// place.
std::string name_of(const Run& run) {
  if (run.what.empty()) return "host code";
  const std::string what(run.what);
  if (!run.site.line()) return what;
  return what + (what.starts_with("cuda") ? " called at " : " launched at ") +
         base_name(run.site.file_name()) + ":" + number(run.site.line());
}

/// Ends the kernel, or reports what a copy or the host did.
void finding(const std::string& what) {
  if (running.in_kernel) fail(what);
  if (operation_run && reported_run == operation_run) return;
  reported_run = operation_run;
  report(name_of(run_info(current_run())) + " " + what);
}

const char* present_tense(Kind kind) {
  switch (kind) {
    case Kind::load: return "reads";
    case Kind::store: return "writes";
    default: return "atomically updates";
  }
}
const char* past_tense(Kind kind) {
  switch (kind) {
    case Kind::load: return "read";
    case Kind::store: return "wrote";
    default: return "atomically updated";
  }
}

const char* allocator(Space space) {
  switch (space) {
    case Space::device: return "cudaMalloc";
    case Space::pinned: return "cudaMallocHost";
    default: return "cudaMallocManaged";
  }
}

/// "reads 4 bytes at f.cu:12", without a line if it is a copy's access.
std::string act(const Access& access) {
  const std::string line = access.pc ? " at " + source_line(access.pc) : "";
  return std::string(present_tense(access.kind)) + " " + number(access.bytes) + " bytes" + line;
}

std::string owner(const Region& region) {
  const std::string size = number(region.bytes) + " bytes";
  if (region.space == Space::shared) {
    const std::string name = region.name;
    const bool is_dynamic = name.find(' ') != name.npos;  // its name is "dynamic shared memory"
    return (is_dynamic ? name : "__shared__ " + name) + ", " + size;
  }
  std::string text = region.freed ? "a freed " : "a ";
  text += allocator(region.space) + (" of " + size);
  for (std::size_t i = 0; running.in_kernel && i < parameters.size(); ++i) {
    const char* p = static_cast<const char*>(parameters[i]);
    if (p < region.begin || p >= region.begin + region.bytes) continue;
    return text + " (parameter " + number(i + 1) + ")";
  }
  return text;
}

/// "element 100 (bytes 400 to 403) of a cudaMalloc of 400 bytes (parameter 1)"
std::string place(const Access& access) {
  const Region* region = region_of(access.address);
  if (!region) return "memory that was never allocated";
  const std::ptrdiff_t offset = access.address - region->begin;
  // A shared array knows the size of its elements. For other memory, use the size of the access.
  const auto element =
      std::ptrdiff_t(region->space == Space::shared ? region->element_bytes
                                                    : std::min<std::size_t>(access.bytes, 8));
  const std::ptrdiff_t index = offset >= 0 ? offset / element : (offset + 1) / element - 1;
  return "element " + std::to_string(index) + " (bytes " + std::to_string(offset) + " to " +
         std::to_string(offset + std::ptrdiff_t(access.bytes) - 1) + ") of " + owner(*region);
}

/// Says what would have ordered two accesses of the running launch.
std::string remedy(const Accesses& other) {
  const std::uint32_t me = this_thread();
  if (other.flags & many_blocks || other.thread / threads_in_block != me / threads_in_block) {
    return "nothing orders two blocks of a launch (use atomics or a second kernel)";
  }
  if (other.flags & many_warps || other.thread / 32 != me / 32) {
    return "no __syncthreads() orders the two";
  }
  return "no __syncwarp() or __syncthreads() orders the two";
}

/// A thread in a set of accesses, other than the running one: "thread (3,0,0)".
std::string other_thread(const Accesses& other) {
  std::uint32_t thread = other.thread;
  if (thread == this_thread()) {
    const std::uint32_t lanes = unordered_lanes(other);
    if (other.flags & many_blocks) return "another block";
    if (other.flags & many_warps || !lanes) return "another thread";
    thread = (thread & ~31u) | std::uint32_t(std::countr_zero(lanes));
  }
  const std::uint32_t block = thread / threads_in_block;
  const std::string name = "thread " + coordinates(thread % threads_in_block, blockDim);
  return block == running.block ? name : name + " of block " + coordinates(block, gridDim);
}

/// The first uninitialised byte of an access, and how many there are. A copy may have checked many
/// bytes before it meets one.
std::pair<Access, std::size_t> unwritten(const Access& access) {
  std::size_t count = 0;
  const char* first = nullptr;
  const char* p = access.address;
  for (std::size_t left = access.bytes; left;) {
    const Piece piece = piece_at(p, left);
    if (!(cell_of(p).written & piece.mask)) {
      if (!first) first = p;
      count += piece.bytes;
    }
    p += piece.bytes;
    left -= piece.bytes;
  }
  return {{access.kind, first, std::min<std::size_t>(count, 4), access.pc}, count};
}

/// What to do where an atomic meets a plain load. CUDA's own guide starts its atomicCAS loop with
/// one.
std::string advice(const Access& access, Kind other) {
  if (access.kind == Kind::load && other == Kind::atomic) {
    return "; without a barrier, load it with atomicAdd(p, 0)";
  }
  if (access.kind == Kind::atomic && other == Kind::load) {
    return "; start an atomicCAS loop with atomicAdd(p, 0), not with *p";
  }
  return "";
}

}  // namespace

void set_grid(const Grid& grid) {
  parameters.assign(grid.pointers, grid.pointers + grid.parameters);
}

void report_bad_address(const Access& access) {
  const Pause pause;
  const Region* region = region_of(access.address);
  const bool freed = region && region->freed;
  finding(act(access) + (freed ? ", after cudaFree: " : ", out of bounds: ") + place(access));
}

void report_uninitialised(const Access& access) {
  const Pause pause;
  const Region* region = region_of(access.address);
  const bool shared = region && region->space == Space::shared;
  const auto [first, count] = unwritten(access);
  finding(act(access) + ", " + (count < access.bytes ? number(count) + " of them " : "") +
          "uninitialised" + (shared ? " (never written, or a barrier is missing): " : ": ") +
          (access.bytes > 8 ? "from " + place(first) : place(access)));
}

void report_host_memory(const Access& access) {
  const Pause pause;
  finding(act(access) + " of host memory: a kernel can only access device memory");
}

void report_race(const Access& access, const Accesses& other, Kind other_kind) {
  const Pause pause;
  const std::string line = other.pc ? " at " + source_line(other.pc) : "";
  std::string text = act(access) + ", ";
  if (other.run == current_run()) {
    text += other_thread(other) + " " + past_tense(other_kind) + " them" + line + ", and " +
            remedy(other);
  } else {
    text += name_of(run_info(other.run)) + " " + past_tense(other_kind) + " them" + line +
            ", and no synchronisation or event orders the two";
  }
  const bool same = other.run == current_run();
  finding(text + ": data race on " + place(access) + (same ? advice(access, other_kind) : ""));
}

void report_host_access(const Access& access) {
  const Pause pause;
  const std::string text =
      "host code " + act(access) + " of device memory; copy it with cudaMemcpy: " + place(access);
  std::fprintf(stderr, "simt: %s\n", text.c_str());
  std::abort();
}

std::string source_line(std::uint32_t pc) {
  char command[160];  // pc is where the call returns to, and the byte before it is the call itself
  std::snprintf(command, sizeof command, "addr2line -i -e /proc/%d/exe %#x 2>/dev/null",
                int(getpid()), pc - 1);
  std::string inner, outer;  // of inlined code, addr2line prints the innermost frame first
  if (FILE* lines = popen(command, "r")) {
    char buffer[1000];
    while (std::fgets(buffer, sizeof buffer, lines)) {
      std::string line = buffer;
      line.erase(line.find_last_not_of(" \n") + 1);
      line.erase(line.find(" (discriminator") == line.npos ? line.size()
                                                           : line.find(" (discriminator"));
      const bool ours = line.find("cuda/emulator/include/") == line.npos &&
                        line.find("/usr/") != 0 && line[0] != '?';
      if (ours) (inner.empty() ? inner : outer) = base_name(line);
    }
    pclose(lines);
  }
  if (inner.empty()) return "an unknown line (compile with -g1)";
  const bool same_file = outer.substr(0, outer.find(':')) == inner.substr(0, inner.find(':'));
  return outer.empty() || same_file ? inner : inner + " (from " + outer + ")";
}

}  // namespace simt::check
