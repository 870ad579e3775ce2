/* The file sink: appends events to a file as lines of NDJSON. A batch is in the file whole, or not at all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <pgat/sink.h>

#include "lines.h"
#include "schema.h"
#include "settings.h"
#include "target.h"

struct pgat_sink {
    const pgat_host *host;
    struct settings settings;
    struct target target;
    uint32_t events;
    uint32_t bytes;
    uint32_t rotations;
    uint32_t size;
    struct lines lines;
};

static pgat_status say(const pgat_host *host, pgat_status status, const char *why) {
    const pgat_str text = {why, strlen(why)};
    host->fail(host, text, 0);
    return status;
}

static uint32_t counter(const pgat_host *host, const char *name, const char *help) {
    const pgat_str named = {name, strlen(name)};
    const pgat_str text = {help, strlen(help)};
    return host->counter(host, named, text);
}

static void destroy(pgat_sink *sink) {
    target_close(&sink->target);
    free_settings(&sink->settings);
    free(sink);
}

static pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    static const pgat_str size_name = PGAT_LIT("file_bytes");
    static const pgat_str size_help = PGAT_LIT("Size of the file that is written to");
    pgat_sink *const sink = calloc(1, sizeof *sink);
    if (sink == NULL) return say(host, PGAT_E_BROKEN, "no memory");
    sink->host = host;
    sink->target = (struct target){.settings = &sink->settings, .host = host, .file = -1};
    const char *const wrong = read_settings(host, config, &sink->settings);
    if (wrong != NULL || sink->settings.path == NULL) {
        destroy(sink);
        return wrong != NULL ? say(host, PGAT_E_CONFIG, wrong)
                             : say(host, PGAT_E_BROKEN, "no memory");
    }
    sink->events = counter(host, "lines_total", "Lines written");
    sink->bytes = counter(host, "line_bytes_total", "Bytes of the lines written");
    sink->rotations = counter(host, "rotations_total", "Files that were ended for a new one");
    sink->size = host->gauge(host, size_name, size_help);
    *out = sink;
    return PGAT_OK;
}

static pgat_status give_up(pgat_sink *sink) {
    const pgat_status status = say(sink->host, sink->target.status, sink->target.why);
    target_end(&sink->target);
    return status;
}

/* What the batch will take, roughly: rotation by size looks at it before. */
static uint64_t size_of(const pgat_batch *batch) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch->count; ++i)
        bytes += batch->events[i]->payload.len + 1;
    return bytes;
}

static pgat_status publish(pgat_sink *sink, const pgat_batch *batch, pgat_outcomes *outcomes) {
    const pgat_host *const host = sink->host;
    struct target *const target = &sink->target;
    const uint64_t rotated = target->rotations;
    if (!target_begin(target, size_of(batch), batch->deadline_ns)) return give_up(sink);
    host->counter_add(host, sink->rotations, target->rotations - rotated);

    lines_begin(&sink->lines, target->file, sink->settings.whole_event);
    for (uint32_t i = 0; i < batch->count; ++i) {
        const uint64_t now = host->now_ns(host);
        if (host->is_cancelled(host) != 0 ||
            (batch->deadline_ns != 0 && now >= batch->deadline_ns)) {
            target_take_back(target, 0);
            target_end(target);
            return say(host, PGAT_E_CANCELLED,
                       "stopped in the middle of a batch: it was taken back");
        }
        lines_add(&sink->lines, batch->events[i]);
    }
    const int error = lines_end(&sink->lines);
    if (error != 0) {
        target_take_back(target, error);
        return give_up(sink);
    }
    if (!target_keep(target)) return give_up(sink);
    target_end(target);
    host->counter_add(host, sink->events, batch->count);
    host->counter_add(host, sink->bytes, sink->lines.bytes);
    host->gauge_set(host, sink->size, (double)target->start + (double)sink->lines.bytes);
    return host->delivered(host, outcomes, 0, batch->count);
}

static pgat_status probe(pgat_sink *sink, uint64_t deadline_ns) {
    struct target *const target = &sink->target;
    /* Whoever asks may not be who writes: a file that root made is of no use to the daemon. */
    if (access(sink->settings.path, F_OK) != 0 && errno == ENOENT)
        return target_could_begin(target) ? PGAT_OK : give_up(sink);
    if (!target_begin(target, 0, deadline_ns)) return give_up(sink);
    target_end(target);
    struct statvfs disk;
    if (fstatvfs(target->file, &disk) == 0 && disk.f_blocks > 0 && disk.f_bavail == 0)
        return say(sink->host, PGAT_E_UNAVAILABLE, "the file's disk is full: free some space");
    return PGAT_OK;
}

static const pgat_sink_plugin plugin = {
    .struct_size = sizeof(pgat_sink_plugin),
    .abi_major = PGAT_ABI_MAJOR,
    .abi_minor = PGAT_ABI_MINOR,
    .type = PGAT_LIT("file"),
    .version = PGAT_LIT(PGAT_SINK_VERSION),
    .description = PGAT_LIT("appends events to a file, one a line (NDJSON), and rotates it"),
    .license = PGAT_LIT("MIT"),
    .config_schema = PGAT_LIT(FILE_SINK_SCHEMA),
    .create = create,
    .destroy = destroy,
    .publish = publish,
    .probe = probe,
};

const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor) {
    (void)host_major;
    (void)host_minor;
    return &plugin;
}
