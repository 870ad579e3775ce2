/* Waits in create(), and for how long. */
#define ZOO_TYPE "waiting"
#define ZOO_IN_CREATE sleep_long()
#include "good.h"
