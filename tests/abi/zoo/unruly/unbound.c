/* Calls a function that nobody has. */
void zoo_nobody_has_this(void);

#define ZOO_TYPE "unbound"
#define ZOO_IN_DESTROY zoo_nobody_has_this()
#include "good.h"
