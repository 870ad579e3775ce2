/* Never returns from publish(). */
#define ZOO_TYPE "stuck"
#define ZOO_IN_PUBLISH sleep_long()
#include "good.h"
