/* Keeps the pointer to a payload, and reads it in the next call. */
#define ZOO_TYPE "clinging"
#define ZOO_STATE const volatile char *kept;
#define ZOO_IN_PUBLISH                                                                             \
    if (sink->kept != NULL && *sink->kept == '?') return failed(host, PGAT_E_BROKEN, "odd");       \
    sink->kept = batch->events[0]->payload.ptr
#include "good.h"
