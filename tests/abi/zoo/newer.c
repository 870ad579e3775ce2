/* Built with a header of the future that only adds: fine. */
#define ZOO_TYPE "newer"
#define ZOO_ABI_MINOR 9
#include "minimal.h"
