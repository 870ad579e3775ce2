/* Delivers more events than there are. */
#define ZOO_TYPE "overreaching"
#define ZOO_IN_PUBLISH host->delivered(host, outcomes, 0, batch->count + 1)
#include "good.h"
