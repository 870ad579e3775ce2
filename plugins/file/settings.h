/* What `sink` says, read once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <pgat/sink.h>

struct settings {
    char *path;            /* owned, ends in NUL */
    uint64_t rotate_bytes; /* 0: never for its size */
    int64_t period;        /* seconds: one file an hour or a day, UTC; 0: never for its age */
    unsigned keep;         /* rotated files; 0: all of them */
    bool sync;             /* what is delivered is on the disk */
    bool whole_event;      /* a line is the event; else its payload alone */
    mode_t permissions;
};

/* Into *out. NULL, or what is wrong: a static text that begins with the key. */
const char *read_settings(const pgat_host *host, pgat_str config, struct settings *out);
void free_settings(struct settings *settings);
