/* Keeps a text of json_get() beyond the call. */
#define ZOO_TYPE "nostalgic"
#define ZOO_SCHEMA                                                                                 \
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"name\"], "           \
    "\"properties\": {\"name\": {\"type\": \"string\", \"default\": \"the zoo\"}}}"
#define ZOO_STATE pgat_str name;
#define ZOO_IN_CREATE host->json_get(host, config, str("/name"), &sink->name)
#define ZOO_IN_PUBLISH                                                                             \
    if (*(const volatile char *)sink->name.ptr == '?') return failed(host, PGAT_E_BROKEN, "odd")
#include "good.h"
