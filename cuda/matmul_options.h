#pragma once
// Which kernel computes matrix products on the GPU, and how exactly. Plain declarations, for
// programs and for the kernels.

namespace gradus::cuda {

/// Four steps of a staircase (matmul_staircase.cu), and the vendor's library at its top.
enum class MatmulKernel { Naive, Coalesced, Tiled, Registers, Cublas };
inline constexpr MatmulKernel kMatmulKernels[] = {MatmulKernel::Naive, MatmulKernel::Coalesced,
                                                  MatmulKernel::Tiled, MatmulKernel::Registers,
                                                  MatmulKernel::Cublas};

/// "naive", "coalesced", "tiled", "registers", "cublas"; back: ValueError for another name.
const char* name(MatmulKernel kernel);
MatmulKernel matmul_kernel_named(const char* name);

/// Cublas, unless GRADUS_CUDA_MATMUL names another or it was set.
MatmulKernel matmul_kernel();
void set_matmul_kernel(MatmulKernel kernel);

/// Whether cuBLAS may round F32 factors to TF32, 10 bits of mantissa instead of 23, and use tensor
/// cores: several times faster, a thousand times less exact. Off, unless GRADUS_TF32=1 or it was
/// set.
bool tf32();
void set_tf32(bool on);

}  // namespace gradus::cuda
