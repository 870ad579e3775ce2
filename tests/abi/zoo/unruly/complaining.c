/* Prints to standard error. */
#define ZOO_TYPE "complaining"
#define ZOO_IN_PUBLISH fputs("what a day\n", stderr)
#include "good.h"
