/* Reads what it was to poll. */
#define ZOO_TYPE "thirsty"
#define ZOO_IN_PUBLISH                                                                             \
    char drop[8];                                                                                  \
    if (host->is_cancelled(host) && read(batch->cancel_fd, drop, sizeof drop) < 0)                 \
    return failed(host, PGAT_E_BROKEN, "nothing to read")
#include "good.h"
