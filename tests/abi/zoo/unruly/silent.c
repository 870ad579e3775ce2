/* Rejects the first of several events and does not say why. */
#define ZOO_TYPE "silent"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->count > 1) {                                                                        \
        const pgat_outcome outcome = {sizeof outcome, PGAT_REJECTED, 0, {NULL, 0}};                \
        host->settle(host, outcomes, 0, &outcome);                                                 \
        return host->delivered(host, outcomes, 1, batch->count - 1);                               \
    }
#include "good.h"
