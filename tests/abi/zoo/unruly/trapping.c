/* Takes a signal for itself. */
#define ZOO_TYPE "trapping"
#define ZOO_IN_CREATE signal(SIGUSR1, SIG_IGN)
#include "good.h"
