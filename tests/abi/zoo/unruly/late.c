/* Reads its configuration when the first batch comes. */
#define ZOO_TYPE "late"
#define ZOO_STATE const volatile char *config;
#define ZOO_IN_CREATE sink->config = config.ptr
#define ZOO_IN_PUBLISH                                                                             \
    if (*sink->config == '?') return failed(host, PGAT_E_BROKEN, "odd")
#include "good.h"
