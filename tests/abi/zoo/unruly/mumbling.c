/* Rejects the first of several events with a message in Latin-1. */
#define ZOO_TYPE "mumbling"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->count > 1) {                                                                        \
        const pgat_outcome outcome = {sizeof outcome, PGAT_REJECTED, 0, PGAT_LIT("caf\xe9")};      \
        host->settle(host, outcomes, 0, &outcome);                                                 \
        return host->delivered(host, outcomes, 1, batch->count - 1);                               \
    }
#include "good.h"
