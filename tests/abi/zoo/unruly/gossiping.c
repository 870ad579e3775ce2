/* Logs its password. */
#define ZOO_TYPE "gossiping"
#define ZOO_SCHEMA                                                                                 \
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"password\"], "       \
    "\"properties\": {\"password\": {\"type\": \"string\", \"default\": \"open sesame\"}}}"
#define ZOO_IN_CREATE                                                                              \
    pgat_str word = {NULL, 0};                                                                     \
    if (host->json_get(host, config, str("/password"), &word) > 0)                                 \
    host->log(host, PGAT_LOG_DEBUG, word)
#include "good.h"
