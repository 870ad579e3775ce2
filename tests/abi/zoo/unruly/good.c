/* Nothing wrong with it. */
#define ZOO_TYPE "good"
#include "good.h"
