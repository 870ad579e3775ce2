/* Does not say what it does. */
#define ZOO_TYPE "undescribed"
#define ZOO_DESCRIPTION ""
#include "good.h"
