/* Gives its verdict twice. */
#define ZOO_TYPE "repeating"
#define ZOO_IN_PUBLISH                                                                             \
    host->delivered(host, outcomes, 0, batch->count);                                              \
    host->delivered(host, outcomes, 0, 1);                                                         \
    return PGAT_OK
#include "good.h"
