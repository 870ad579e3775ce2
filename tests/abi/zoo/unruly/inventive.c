/* Returns a status of its own. */
#define ZOO_TYPE "inventive"
#define ZOO_IN_PUBLISH                                                                             \
    if (host->is_cancelled(host)) return failed(host, 42, "not in the mood")
#include "good.h"
