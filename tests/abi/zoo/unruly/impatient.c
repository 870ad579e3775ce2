/* Takes an absent receiver for a reason not to be made. */
#define ZOO_TYPE "impatient"
#define ZOO_IN_CREATE                                                                              \
    free(sink);                                                                                    \
    return failed(host, PGAT_E_UNAVAILABLE, "nobody there")
#include "good.h"
