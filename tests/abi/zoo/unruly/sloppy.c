/* Refuses a long name, and forgets what it has made by then. */
#define ZOO_TYPE "sloppy"
#define ZOO_SCHEMA                                                                                 \
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"name\": "          \
    "{\"type\": \"string\"}}}"
#define ZOO_IN_CREATE                                                                              \
    pgat_str name = {NULL, 0};                                                                     \
    if (host->json_get(host, config, str("/name"), &name) > 0 && name.len > 1000)                  \
    return failed(host, PGAT_E_CONFIG, "name: too long")
#include "good.h"
