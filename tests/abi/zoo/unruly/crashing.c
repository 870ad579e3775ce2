/* Writes to address 0. */
#define ZOO_TYPE "crashing"
#define ZOO_IN_PUBLISH *(volatile int *)batch->deadline_ns = *(volatile int *)(size_t)sink->unused
#include "good.h"
