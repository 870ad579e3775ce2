/* A version that is not a semantic one. */
#define ZOO_TYPE "unversioned"
#define ZOO_VERSION "1.0"
#include "good.h"
