/* Reads the byte behind each payload. */
#define ZOO_TYPE "overreading"
#define ZOO_STATE char last;
#define ZOO_IN_PUBLISH                                                                             \
    for (uint32_t i = 0; i < batch->count; ++i) {                                                  \
        const pgat_str payload = batch->events[i]->payload;                                        \
        sink->last = ((const volatile char *)payload.ptr)[payload.len];                            \
    }
#include "good.h"
