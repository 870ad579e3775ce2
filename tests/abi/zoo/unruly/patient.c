/* Wants to be left alone for a year. */
#define ZOO_TYPE "patient"
#define ZOO_IN_PUBLISH                                                                             \
    if (host->is_cancelled(host)) {                                                                \
        host->fail(host, str("cancelled"), 31536000000);                                           \
        return PGAT_E_CANCELLED;                                                                   \
    }
#include "good.h"
