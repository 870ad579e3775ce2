/* Takes objects only. */
#define ZOO_TYPE "prudish"
#define ZOO_IN_PUBLISH                                                                             \
    for (uint32_t i = 0; i < batch->count; ++i)                                                    \
        if (batch->events[i]->payload.ptr[0] != '{') return failed(host, PGAT_E_BROKEN, "no object")
#include "good.h"
