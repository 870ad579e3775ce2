/* Its probe() fails for no receiver's sake. */
#define ZOO_TYPE "blind"
#define ZOO_IN_PROBE return failed(sink->host, PGAT_E_BROKEN, "cannot see")
#include "good.h"
