/* Wants a host of exactly its own size. */
#define ZOO_TYPE "suspicious"
#define ZOO_IN_CREATE                                                                              \
    if (host->struct_size != sizeof *host) {                                                       \
        free(sink);                                                                                \
        return failed(host, PGAT_E_UNSUPPORTED, "an odd host");                                    \
    }
#include "good.h"
