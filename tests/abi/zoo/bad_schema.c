/* A schema that is no JSON. */
#define ZOO_TYPE "bad_schema"
#define ZOO_SCHEMA PGAT_LIT("{type: object}")
#include "minimal.h"
