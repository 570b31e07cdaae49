#pragma once
// Everything in nn/: modules, layers, losses, files.
#include "nn/attention.h"
#include "nn/checkpoint.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/module.h"
#include "nn/safetensors.h"
#include "nn/transformer.h"
