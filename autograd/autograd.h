#pragma once
// Everything about recording and differentiating.
#include "autograd/debug.h"
#include "autograd/engine.h"
#include "autograd/gradcheck.h"
#include "autograd/graph.h"
#include "autograd/ops.h"
#include "tensor/runtime.h"
