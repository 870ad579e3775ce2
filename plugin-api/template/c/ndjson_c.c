/* A complete sink in plain C: appends each event as a line to a file. Copy the folder, give it a name
 * of its own, and put your receiver where the file is. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgat/sink.h>

struct pgat_sink {
    const pgat_host *host;
    int file;
};

static pgat_status fail(const pgat_host *host, pgat_status status, const char *what) {
    char reason[256];
    snprintf(reason, sizeof reason, "%s: %s", what, strerror(errno));
    const pgat_str text = {reason, strlen(reason)};
    host->fail(host, text, 0);
    return status;
}

static pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    const pgat_str pointer = PGAT_LIT("/path");
    pgat_str found = {NULL, 0};
    host->json_get(host, config, pointer, &found); /* the schema requires it */
    pgat_sink *sink = malloc(sizeof *sink);
    char *path = strndup(found.ptr, found.len); /* text of the ABI has no NUL at its end */
    pgat_status status = PGAT_OK;
    if (sink == NULL || path == NULL) {
        status = fail(host, PGAT_E_BROKEN, "create");
    } else {
        sink->host = host;
        sink->file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        if (sink->file < 0) status = fail(host, PGAT_E_CONFIG, path);
    }
    free(path);
    if (status == PGAT_OK)
        *out = sink;
    else
        free(sink);
    return status;
}

static void destroy(pgat_sink *sink) {
    close(sink->file);
    free(sink);
}

/* Postgres prints a payload without line breaks, so that a line is an event. Its id is the same each
 * time it comes: by that a reader drops repeats. */
static int put(int file, const pgat_event *event) {
    return dprintf(file, "{\"id\":\"%.*s\",\"payload\":%.*s}\n", (int)event->id.len, event->id.ptr,
                   (int)event->payload.len, event->payload.ptr);
}

/* All or nothing: where the disk is full nothing of the batch stays behind, and it comes again. */
static pgat_status publish(pgat_sink *sink, const pgat_batch *batch, pgat_outcomes *outcomes) {
    const off_t start = lseek(sink->file, 0, SEEK_END);
    int failed = 0;
    for (uint32_t i = 0; i < batch->count && !failed; ++i)
        failed = put(sink->file, batch->events[i]) < 0;
    if (failed || fdatasync(sink->file) != 0) {
        const pgat_status status = fail(sink->host, PGAT_E_UNAVAILABLE, "cannot write");
        return ftruncate(sink->file, start) == 0 ? status : PGAT_E_BROKEN;
    }
    return sink->host->delivered(sink->host, outcomes, 0, batch->count);
}

static const pgat_sink_plugin plugin = {
    .struct_size = sizeof(pgat_sink_plugin),
    .abi_major = PGAT_ABI_MAJOR,
    .abi_minor = PGAT_ABI_MINOR,
    .type = PGAT_LIT("ndjson_c"),
    .version = PGAT_LIT("1.0.0"),
    .description = PGAT_LIT("appends events to a file, one a line"),
    .license = PGAT_LIT("MIT"),
    .config_schema = PGAT_LIT("{\"type\": \"object\", \"required\": [\"path\"],"
                              " \"additionalProperties\": false, \"properties\":"
                              " {\"path\": {\"type\": \"string\", \"minLength\": 1}}}"),
    .create = create,
    .destroy = destroy,
    .publish = publish,
};

const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor) {
    (void)host_major;
    (void)host_minor;
    return &plugin;
}
