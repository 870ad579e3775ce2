/* A complete sink in plain C: the interface needs no C++. It delivers everything to nowhere. */
#include <pgat/sink.h>
#include <stdlib.h>

struct pgat_sink {
    const pgat_host *host;
};

static pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    (void)config;
    *out = malloc(sizeof **out);
    if (*out == NULL) {
        const pgat_str why = PGAT_LIT("out of memory");
        host->fail(host, why, 0);
        return PGAT_E_BROKEN;
    }
    (*out)->host = host;
    return PGAT_OK;
}

static void destroy(pgat_sink *sink) { free(sink); }

static pgat_status publish(pgat_sink *sink, const pgat_batch *batch, pgat_outcomes *outcomes) {
    return sink->host->delivered(sink->host, outcomes, 0, batch->count);
}

static const pgat_sink_plugin plugin = {
    .struct_size = sizeof(pgat_sink_plugin),
    .abi_major = PGAT_ABI_MAJOR,
    .abi_minor = PGAT_ABI_MINOR,
    .type = PGAT_LIT("plain"),
    .version = PGAT_LIT("1.0.0"),
    .description = PGAT_LIT("a sink in plain C"),
    .license = PGAT_LIT("MIT"),
    .config_schema = PGAT_LIT("{\"type\": \"object\", \"additionalProperties\": false}"),
    .create = create,
    .destroy = destroy,
    .publish = publish,
};

const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor) {
    (void)host_major;
    (void)host_minor;
    return &plugin;
}
