/* Opens a file when it is loaded, and keeps it. */
#define ZOO_TYPE "opening"
#define ZOO_AT_LOAD (void)!open("/dev/null", O_RDONLY)
#include "good.h"
