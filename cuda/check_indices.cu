// Is every index in range? Copying them to the host to find out would mean waiting for all earlier
// kernels, at every embedding and every loss. So a kernel looks at them and makes a note of what is
// wrong, and the next copy to the host or synchronize(), which waits anyway, reads the notes and
// throws. The notes are in host memory, to which a GPU can write. It writes only if an index is
// wrong, and reading them needs no copy.
//
// Each block has a note of its own and keeps the first one it made, so the outcome does not depend
// on which block is faster: the error is about the earliest check, and its first position.
#include <algorithm>
#include <atomic>
#include <mutex>

#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "tensor/walk.h"

namespace gradus::cuda {

/// The question. `number` counts the checks: of two errors, the earlier one is reported.
struct IndexCheck {
  const char* op;
  int64_t number, size;
  std::optional<int64_t> ignore_index;
  __device__ bool allows(int64_t id) const { return (id >= 0 && id < size) || id == ignore_index; }
};

/// The answer. op is null where nothing is wrong.
struct IndexNote {
  const char* op;
  int64_t check, size, index, position;
};

/// notes[block] = the first bad index that the block meets, unless it already has a note. Reads 8
/// bytes an index.
__global__ void check_indices_kernel(IndexCheck check, Walk<1> walk, const int64_t* ids, int64_t n,
                                     IndexNote* notes) {
  int64_t first = n;
  for (int64_t i = first_element(); i < n && first == n; i += element_step())
    if (!check.allows(ids[walk.element(i)[0]])) first = i;
  first = block_reduce(first, scalar::Minimum{}, n);
  if (threadIdx.x != 0 || first == n || notes[blockIdx.x].op != nullptr) return;
  notes[blockIdx.x] = {check.op, check.number, check.size, ids[walk.element(first)[0]], first};
}

namespace {

constexpr int64_t kNotes = 64;  // and at most as many blocks
std::mutex notes_mutex;
std::atomic<int64_t> checks = 0;

/// Never freed, like the backend.
IndexNote* notes() {
  static IndexNote* const all = [] {
    IndexNote* p = nullptr;
    check_cuda(cudaMallocHost(&p, kNotes * sizeof *p), "cudaMallocHost");
    std::fill_n(p, kNotes, IndexNote{});
    return p;
  }();
  return all;
}

}  // namespace

void CudaBackend::check_indices(const char* op, const View& index, int64_t size,
                                std::optional<int64_t> ignore_index) {
  const int64_t n = index.numel();
  if (n == 0) return;
  LaunchConfig config = elements(n, stream());
  if (config.grid.x > kNotes) config.grid.x = kNotes;
  launch<check_indices_kernel>(config, IndexCheck{op, ++checks, size, ignore_index},
                               Walk<1>({&index}), index.as<int64_t>(), n, notes());
}

void CudaBackend::throw_noted_error() {
  if (checks == 0) return;
  IndexNote first{};
  {
    const std::lock_guard lock(notes_mutex);
    for (int64_t i = 0; i < kNotes; ++i) {
      IndexNote& note = notes()[i];
      if (note.op == nullptr) continue;
      if (first.op == nullptr || note.check < first.check ||
          (note.check == first.check && note.position < first.position))
        first = note;
      note = {};
    }
  }
  if (first.op != nullptr) bad_index(first.op, first.index, first.position, first.size);
}

}  // namespace gradus::cuda
