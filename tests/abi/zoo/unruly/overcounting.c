/* Looks at one event more than there are. */
#define ZOO_TYPE "overcounting"
#define ZOO_STATE const void *last;
#define ZOO_IN_PUBLISH sink->last = ((const void *const volatile *)batch->events)[batch->count]
#include "good.h"
