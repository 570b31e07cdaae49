#pragma once
// The GPU, as a program sees it. `install()` once, and tensors may live on Device::CUDA:
//
//   gradus::cuda::install();
//   Tensor x = randn({1024, 1024}, {F32, Device::CUDA});
//
// On a machine without a GPU the same kernels run through the emulator in cuda/emulator/, if the
// program was built with it.
#include <cstdint>

namespace gradus::cuda {

/// Is there a GPU that this program can use, or the emulator in its place?
bool available();
/// Makes the GPU, or the emulator, the backend of Device::CUDA. May be called again. DeviceError
/// where there is neither.
void install();
/// "NVIDIA GeForce RTX 3060", or what the emulator calls itself. CudaError where there is no GPU.
const char* device_name();
/// Was this program built with the emulator? Then times say nothing about a GPU.
bool emulated();

/// How many kernels have been launched so far, cuBLAS's products among them. A launch costs the
/// host some microseconds, whatever it computes: a step of a small model is mostly launches.
int64_t launches();
/// How often the host has waited for the GPU so far: for a copy to the host, or in synchronize().
int64_t waits();

/// Device memory that the pool has taken, in use or kept for reuse, in bytes.
int64_t pool_bytes();
/// Gives what the pool keeps for reuse back to the device.
void empty_cache();

}  // namespace gradus::cuda
