/* Exports a function of its own beside the entry. */
__attribute__((visibility("default"))) int zoo_of_my_own(void);
int zoo_of_my_own(void) { return 1; }

#define ZOO_TYPE "exporting"
#include "good.h"
