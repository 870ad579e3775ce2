/* Leaves memory behind. */
static void *volatile lost;

#define ZOO_TYPE "leaking"
#define ZOO_IN_CREATE lost = malloc(64)
#include "good.h"
