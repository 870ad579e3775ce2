/* Makes no sink and does not say why. */
#define ZOO_TYPE "wordless"
#define ZOO_IN_CREATE                                                                              \
    free(sink);                                                                                    \
    return PGAT_E_CONFIG
#include "good.h"
