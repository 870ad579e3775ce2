/* Aborts while it is loaded. */
#define ZOO_TYPE "exploding"
#define ZOO_AT_LOAD abort()
#include "good.h"
