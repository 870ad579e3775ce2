/* Returns another table each time. */
#define ZOO_TYPE "fickle"
#define ZOO_IN_ENTRY                                                                               \
    pgat_sink_plugin *copy = malloc(sizeof table);                                                 \
    if (copy == NULL) return &table;                                                               \
    *copy = table;                                                                                 \
    return copy
#include "good.h"
