/* A default that its own schema refuses. */
#define ZOO_TYPE "misfitting"
#define ZOO_SCHEMA                                                                                 \
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"n\": {\"type\": "  \
    "\"integer\", \"default\": \"one\"}}}"
#include "good.h"
