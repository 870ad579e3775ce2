/* Has no table for hosts that it does not know. */
#define ZOO_TYPE "choosy"
#define ZOO_IN_ENTRY                                                                               \
    if (host_major != PGAT_ABI_MAJOR) return NULL
#include "good.h"
