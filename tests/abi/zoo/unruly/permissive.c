/* Takes keys that it does not know. */
#define ZOO_TYPE "permissive"
#define ZOO_SCHEMA "{\"type\": \"object\"}"
#include "good.h"
