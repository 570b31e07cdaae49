// float4, dim3 and their like.
#pragma once
#include <cuda_runtime.h>
