/* Calls what came after ABI 1.0, and does not ask whether it is there. */
#define ZOO_TYPE "modern"
#define ZOO_STATE uint64_t newest;
#define ZOO_IN_CREATE sink->newest = *(const volatile uint64_t *)(const void *)(host + 1)
#include "good.h"
