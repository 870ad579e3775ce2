/* Changes the environment. */
#define ZOO_TYPE "polluting"
#define ZOO_IN_CREATE setenv("ZOO", "1", 1)
#include "good.h"
