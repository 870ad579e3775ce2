/* Probes on though it is cancelled. */
#define ZOO_TYPE "engrossed"
#define ZOO_IN_PROBE                                                                               \
    if (sink->host->is_cancelled(sink->host)) sleep_long()
#include "good.h"
