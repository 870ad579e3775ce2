/* Refuses a long name without a word. */
#define ZOO_TYPE "fragile"
#define ZOO_SCHEMA                                                                                 \
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"name\": "          \
    "{\"type\": \"string\"}}}"
#define ZOO_IN_CREATE                                                                              \
    pgat_str name = {NULL, 0};                                                                     \
    if (host->json_get(host, config, str("/name"), &name) > 0 && name.len > 1000) {                \
        free(sink);                                                                                \
        return PGAT_E_CONFIG;                                                                      \
    }
#include "good.h"
