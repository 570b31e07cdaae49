// Loads and stores that say how a GPU's caches should treat them. There are no caches here.
#pragma once
#include "simt/types.h"

#define SIMT_LOAD(name)                      \
  template <class T>                         \
  __forceinline__ T name(const T* address) { \
    return *address;                         \
  }
SIMT_LOAD(__ldg)
SIMT_LOAD(__ldca)
SIMT_LOAD(__ldcg)
SIMT_LOAD(__ldcs)
SIMT_LOAD(__ldlu)
SIMT_LOAD(__ldcv)
#undef SIMT_LOAD

#define SIMT_STORE(name)                                                 \
  template <class T>                                                     \
  __forceinline__ void name(T* address, std::type_identity_t<T> value) { \
    *address = value;                                                    \
  }
SIMT_STORE(__stwb)
SIMT_STORE(__stcg)
SIMT_STORE(__stcs)
SIMT_STORE(__stwt)
#undef SIMT_STORE
