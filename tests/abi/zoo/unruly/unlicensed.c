/* A license in prose. */
#define ZOO_TYPE "unlicensed"
#define ZOO_LICENSE "All rights reserved"
#include "good.h"
