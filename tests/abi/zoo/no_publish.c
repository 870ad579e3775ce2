/* Has no publish(). */
#define ZOO_TYPE "no_publish"
#define ZOO_PUBLISH NULL
#include "minimal.h"
