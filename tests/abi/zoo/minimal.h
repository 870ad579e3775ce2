/* A correct plugin that takes every event and does nothing; what is defined before it is included
 * replaces the part of that name. */
#pragma once

#include <pgat/sink.h>

#ifndef ZOO_STRUCT_SIZE
#define ZOO_STRUCT_SIZE sizeof(pgat_sink_plugin)
#endif
#ifndef ZOO_ABI_MAJOR
#define ZOO_ABI_MAJOR PGAT_ABI_MAJOR
#endif
#ifndef ZOO_ABI_MINOR
#define ZOO_ABI_MINOR PGAT_ABI_MINOR
#endif
#ifndef ZOO_MIN_HOST_MINOR
#define ZOO_MIN_HOST_MINOR 0
#endif
#ifndef ZOO_DESCRIPTION
#define ZOO_DESCRIPTION PGAT_LIT("takes everything")
#endif
#ifndef ZOO_SCHEMA
#define ZOO_SCHEMA PGAT_LIT("{\"type\": \"object\"}")
#endif
#ifndef ZOO_PUBLISH
#define ZOO_PUBLISH take_all
#endif

static const pgat_host *the_host; /* one sink at a time is enough here */
static int instance;

static pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    (void)config;
    the_host = host;
    *out = (pgat_sink *)(void *)&instance;
    return PGAT_OK;
}

static void destroy(pgat_sink *sink) { (void)sink; }

static inline pgat_status take_all(pgat_sink *sink, const pgat_batch *batch,
                                   pgat_outcomes *outcomes) {
    (void)sink;
    return the_host->delivered(the_host, outcomes, 0, batch->count);
}

const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor) {
    static const pgat_sink_plugin table = {.struct_size = ZOO_STRUCT_SIZE,
                                           .abi_major = ZOO_ABI_MAJOR,
                                           .abi_minor = ZOO_ABI_MINOR,
                                           .min_host_minor = ZOO_MIN_HOST_MINOR,
                                           .type = PGAT_LIT(ZOO_TYPE),
                                           .version = PGAT_LIT("1.2.3"),
                                           .description = ZOO_DESCRIPTION,
                                           .license = PGAT_LIT("MIT"),
                                           .config_schema = ZOO_SCHEMA,
                                           .create = create,
                                           .destroy = destroy,
                                           .publish = ZOO_PUBLISH};
    (void)host_major;
    (void)host_minor;
    return &table;
}
