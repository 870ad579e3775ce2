/* Cannot do without what a later minor version of the host has. */
#define ZOO_TYPE "too_new"
#define ZOO_ABI_MINOR 8
#define ZOO_MIN_HOST_MINOR 7
#include "minimal.h"
