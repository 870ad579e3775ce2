/* Says its whole configuration where it says why it is not available. */
#define ZOO_TYPE "tattling"
#define ZOO_SCHEMA "{\"type\": \"object\"}"
#define ZOO_STATE char *settings;
#define ZOO_IN_CREATE sink->settings = strndup(config.ptr, config.len)
#define ZOO_IN_PROBE return failed(sink->host, PGAT_E_UNAVAILABLE, sink->settings)
#define ZOO_IN_PUBLISH return failed(sink->host, PGAT_E_UNAVAILABLE, sink->settings)
#define ZOO_IN_DESTROY free(sink->settings)
#include "good.h"
