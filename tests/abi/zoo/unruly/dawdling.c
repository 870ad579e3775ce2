/* Has no eye on the clock. */
#define ZOO_TYPE "dawdling"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->count == 1000 && batch->deadline_ns < host->now_ns(host)) sleep_long()
#include "good.h"
