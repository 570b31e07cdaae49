#pragma once
// The machine: how many threads, which processor, which BLAS kernels.
#include <cstdint>
#include <string>

namespace gradus {

/// Threads that kernels may use; OMP_NUM_THREADS or the number of cores unless set. Results do not
/// depend on it. ValueError below 1.
void set_num_threads(int n);
int get_num_threads();
/// The processor that the library was compiled for, by the compiler's name: "cooperlake". A program
/// that starts on a lesser one ends with a sentence that says what is missing.
const char* built_for();
/// The name of the OpenBLAS kernel in use, and what was done about it: "SkylakeX (was Prescott)".
std::string blas_kernel();
/// Undoes what the first product of gradus has changed in OpenBLAS, for a host (Python with a NumPy
/// on the same library) that goes on without gradus; the next product changes it again. Two things,
/// for the whole process: OpenBLAS works on one thread, because gradus divides the work itself; and
/// where it did not know the processor it chooses its kernels anew, for which moment
/// OPENBLAS_CORETYPE is in the environment. Results stay right either way. No other thread may be
/// in OpenBLAS meanwhile.
void restore_blas();

/// Memory that the CPU's pool has taken from the system, in use or kept for reuse, in bytes.
int64_t pool_bytes();
/// Gives what the pool keeps for reuse back to the system.
void empty_cache();

}  // namespace gradus
