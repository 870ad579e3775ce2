/* Stops when it is cancelled, and gives no reason. */
#define ZOO_TYPE "sullen"
#define ZOO_IN_PUBLISH                                                                             \
    if (host->is_cancelled(host)) return PGAT_E_CANCELLED
#include "good.h"
