/* Its receiver is not there, it says; it takes events all the same. */
#define ZOO_TYPE "lonely"
#define ZOO_IN_PROBE return failed(sink->host, PGAT_E_UNAVAILABLE, "nobody there")
#include "good.h"
