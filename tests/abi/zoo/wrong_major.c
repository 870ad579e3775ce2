/* Built for the next major version of the ABI. */
#define ZOO_TYPE "wrong_major"
#define ZOO_ABI_MAJOR 2
#define ZOO_ABI_MINOR 3
#include "minimal.h"
