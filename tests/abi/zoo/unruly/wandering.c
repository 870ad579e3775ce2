/* Changes the working directory. */
#define ZOO_TYPE "wandering"
#define ZOO_IN_PUBLISH (void)!chdir("/")
#include "good.h"
