/* Leaves a file open. */
#define ZOO_TYPE "dropping"
#define ZOO_IN_CREATE (void)!open("/dev/null", O_RDONLY | O_CLOEXEC)
#include "good.h"
