/* Changes the umask. */
#define ZOO_TYPE "open_handed"
#define ZOO_IN_CREATE umask(0)
#include "good.h"
