#pragma once
// Modules, layers, losses and files. What is in models/ and text/ is included by name.
#include "nn/attention.h"
#include "nn/checkpoint.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/module.h"
#include "nn/safetensors.h"
#include "nn/transformer.h"
