/* Events as lines of NDJSON, on their way into a file: gathered, and written in large pieces. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pgat/sink.h>

struct lines {
    int file; /* not owned */
    bool whole_event;
    int error; /* errno of the first write that failed; from then on nothing happens */
    uint64_t bytes;
    size_t used;
    char buffer[262144];
};

void lines_begin(struct lines *lines, int file, bool whole_event);
/* Takes nothing of `event` but copies. */
void lines_add(struct lines *lines, const pgat_event *event);
/* Writes what is still gathered. 0, or errno of what failed: then part of it may be in the file. */
int lines_end(struct lines *lines);
