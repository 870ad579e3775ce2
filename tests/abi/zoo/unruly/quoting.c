/* Says its whole configuration where it refuses it. */
#define ZOO_TYPE "quoting"
#define ZOO_SCHEMA "{\"type\": \"object\"}"
#define ZOO_IN_CREATE                                                                              \
    free(sink);                                                                                    \
    host->fail(host, config, 0);                                                                   \
    return PGAT_E_CONFIG
#include "good.h"
