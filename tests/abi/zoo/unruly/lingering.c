/* Takes its time to end when something is in flight. */
#define ZOO_TYPE "lingering"
#define ZOO_STATE bool in_flight;
#define ZOO_IN_PUBLISH                                                                             \
    sink->in_flight = batch->count == 1000 &&                                                      \
                      batch->deadline_ns < host->now_ns(host) + 20000000 &&                        \
                      batch->deadline_ns > host->now_ns(host) + 2000000
#define ZOO_IN_DESTROY                                                                             \
    if (sink->in_flight) sleep_long()
#include "good.h"
