/* Prints to standard output. */
#define ZOO_TYPE "chatting"
#define ZOO_IN_PUBLISH puts("delivered")
#include "good.h"
