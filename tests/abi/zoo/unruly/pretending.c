/* Has every extension that it is asked for. */
#include <pgat/sink.h>

static const void *pretend(pgat_str name) {
    (void)name;
    return "everything";
}

#define ZOO_TYPE "pretending"
#define ZOO_EXTENSION pretend
#include "good.h"
