/* A schema with a keyword outside the subset that the host checks: fine, with a warning. */
#define ZOO_TYPE "odd_schema"
#define ZOO_SCHEMA PGAT_LIT("{\"type\": \"object\", \"minProperties\": 1}")
#include "minimal.h"
