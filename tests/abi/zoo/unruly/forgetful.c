/* Forgets the last event. */
#define ZOO_TYPE "forgetful"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->count > 1) {                                                                        \
        host->delivered(host, outcomes, 0, batch->count - 1);                                      \
        return PGAT_OK;                                                                            \
    }
#include "good.h"
