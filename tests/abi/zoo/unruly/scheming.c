/* A schema with a keyword that the host does not check. */
#define ZOO_TYPE "scheming"
#define ZOO_SCHEMA "{\"type\": \"object\", \"additionalProperties\": false, \"minProperties\": 0}"
#include "good.h"
