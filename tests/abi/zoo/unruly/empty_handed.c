/* Returns ok and no sink. */
#define ZOO_TYPE "empty_handed"
#define ZOO_IN_CREATE                                                                              \
    free(sink);                                                                                    \
    return PGAT_OK
#include "good.h"
