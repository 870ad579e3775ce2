/* Probes past the deadline. */
#define ZOO_TYPE "contemplative"
#define ZOO_IN_PROBE                                                                               \
    if (deadline_ns < sink->host->now_ns(sink->host)) sleep_long()
#include "good.h"
