#pragma once
// The machine: how many threads, which processor, which BLAS kernels.
#include <cstdint>
#include <string>

namespace gradus {

/// Threads that kernels may use; OMP_NUM_THREADS or the number of cores unless set. Results do not
/// depend on it. ValueError below 1.
void set_num_threads(int n);
int get_num_threads();
/// The processor that the library was compiled for, by the compiler's name: "cooperlake". On a
/// processor that lacks something, a program ends at its start and says what is missing.
const char* built_for();
/// The name of the OpenBLAS kernel in use, and what was done about it: "SkylakeX (was Prescott)".
std::string blas_kernel();
/// Undoes what the first product of gradus changed in OpenBLAS. This is for a host that uses the
/// same OpenBLAS without gradus, such as Python with NumPy. The next product changes it again.
/// Two things change, for the whole process. OpenBLAS works on one thread, because gradus divides
/// the work itself. And where OpenBLAS does not know the processor, it is told to choose its
/// kernels again; while it does, OPENBLAS_CORETYPE is set in the environment. Results are right
/// either way. No other thread may be inside OpenBLAS during the call.
void restore_blas();

/// How many bytes the CPU's pool holds, whether in use or kept for reuse.
int64_t pool_bytes();
/// Returns to the system what the pool keeps for reuse.
void empty_cache();

}  // namespace gradus
