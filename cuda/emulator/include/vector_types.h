// float4, dim3 and the like.
#pragma once
#include <cuda_runtime.h>
