/* Thinks that there is one sink only. */
#include <pgat/sink.h>

static const pgat_host *only;

#define ZOO_TYPE "solitary"
#define ZOO_IN_CREATE only = host
#define ZOO_IN_PUBLISH host = only
#include "good.h"
