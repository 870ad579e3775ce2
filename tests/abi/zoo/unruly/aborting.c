/* Gives up by abort(). */
#define ZOO_TYPE "aborting"
#define ZOO_IN_PUBLISH abort()
#include "good.h"
