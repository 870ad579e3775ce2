/* Ends the process. */
#define ZOO_TYPE "exiting"
#define ZOO_IN_PUBLISH exit(3)
#include "good.h"
