/* Does not ask whether it is cancelled already. */
#define ZOO_TYPE "deaf"
#define ZOO_IN_PUBLISH                                                                             \
    if (batch->count == 100 && host->is_cancelled(host)) sleep_long()
#include "good.h"
