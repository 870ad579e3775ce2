/* A correct sink that takes every event; what is defined before it is included is what a bad one does besides,
 * or instead. Each hook is a statement inside the function of that name, before what it does by itself. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pgat/sink.h>

#ifndef ZOO_AT_LOAD
#define ZOO_AT_LOAD
#endif
#ifndef ZOO_IN_ENTRY
#define ZOO_IN_ENTRY
#endif
#ifndef ZOO_IN_CREATE
#define ZOO_IN_CREATE
#endif
#ifndef ZOO_IN_PUBLISH
#define ZOO_IN_PUBLISH
#endif
#ifndef ZOO_IN_PROBE
#define ZOO_IN_PROBE
#endif
#ifndef ZOO_IN_DESTROY
#define ZOO_IN_DESTROY
#endif
#ifndef ZOO_VERSION
#define ZOO_VERSION "1.2.3"
#endif
#ifndef ZOO_DESCRIPTION
#define ZOO_DESCRIPTION "takes everything"
#endif
#ifndef ZOO_LICENSE
#define ZOO_LICENSE "Apache-2.0 OR (MIT AND LicenseRef-Zoo)"
#endif
#ifndef ZOO_SCHEMA
#define ZOO_SCHEMA "{\"type\": \"object\", \"additionalProperties\": false}"
#endif
#ifndef ZOO_STATE
#define ZOO_STATE int unused;
#endif
#ifndef ZOO_EXTENSION
#define ZOO_EXTENSION NULL
#endif

struct pgat_sink {
    const pgat_host *host;
    ZOO_STATE
};

static inline pgat_str str(const char *text) {
    const pgat_str made = {text, strlen(text)};
    return made;
}

static inline pgat_status failed(const pgat_host *host, pgat_status status, const char *why) {
    host->fail(host, str(why), 0);
    return status;
}

/* Longer than anybody waits here. */
static inline void sleep_long(void) {
    for (int i = 0; i < 60; ++i) {
        const struct timespec second = {1, 0};
        nanosleep(&second, NULL);
    }
}

static inline void sleep_ms(long milliseconds) {
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

__attribute__((constructor)) static void at_load(void) { ZOO_AT_LOAD; }

static pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    (void)config;
    pgat_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) return failed(host, PGAT_E_BROKEN, "no memory");
    sink->host = host;
    ZOO_IN_CREATE;
    *out = sink;
    return PGAT_OK;
}

static void destroy(pgat_sink *sink) {
    ZOO_IN_DESTROY;
    free(sink);
}

static pgat_status publish(pgat_sink *sink, const pgat_batch *batch, pgat_outcomes *outcomes) {
    const pgat_host *host = sink->host;
    ZOO_IN_PUBLISH;
    return host->delivered(host, outcomes, 0, batch->count);
}

static pgat_status probe(pgat_sink *sink, uint64_t deadline_ns) {
    (void)sink;
    (void)deadline_ns;
    ZOO_IN_PROBE;
    return PGAT_OK;
}

const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor) {
    static const pgat_sink_plugin table = {.struct_size = sizeof(pgat_sink_plugin),
                                           .abi_major = PGAT_ABI_MAJOR,
                                           .abi_minor = PGAT_ABI_MINOR,
                                           .min_host_minor = 0,
                                           .type = PGAT_LIT(ZOO_TYPE),
                                           .version = PGAT_LIT(ZOO_VERSION),
                                           .description = PGAT_LIT(ZOO_DESCRIPTION),
                                           .license = PGAT_LIT(ZOO_LICENSE),
                                           .config_schema = PGAT_LIT(ZOO_SCHEMA),
                                           .create = create,
                                           .destroy = destroy,
                                           .publish = publish,
                                           .probe = probe,
                                           .extension = ZOO_EXTENSION};
    (void)host_major;
    (void)host_minor;
    ZOO_IN_ENTRY;
    return &table;
}
