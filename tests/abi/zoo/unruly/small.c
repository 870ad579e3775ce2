/* Cannot take an event of more than a megabyte. */
#define ZOO_TYPE "small"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->events[0]->payload.len > 1048576) return failed(host, PGAT_E_BROKEN, "too large")
#include "good.h"
