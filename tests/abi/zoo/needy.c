/* Needs a library that is not there. */
int zoo_absent(void);

static int needed(void) { return zoo_absent(); }

#define ZOO_TYPE "needy"
#define ZOO_DESCRIPTION                                                                            \
    { "needs", 5 }
#include "minimal.h"

__attribute__((constructor)) static void use(void) { instance = needed(); }
