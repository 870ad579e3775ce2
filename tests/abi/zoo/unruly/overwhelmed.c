/* Cannot take more than 200 events. */
#define ZOO_TYPE "overwhelmed"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->count > 200) return failed(host, PGAT_E_BROKEN, "too many")
#include "good.h"
