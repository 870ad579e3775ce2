/* Prints a line when it is loaded. */
#define ZOO_TYPE "greeting"
#define ZOO_AT_LOAD puts("hello")
#include "good.h"
