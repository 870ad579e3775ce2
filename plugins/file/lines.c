#include "lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void write_all(struct lines *lines, const char *from, size_t left) {
    while (left > 0 && lines->error == 0) {
        const ssize_t taken = write(lines->file, from, left);
        if (taken < 0 && errno == EINTR) continue;
        if (taken <= 0) {
            lines->error = taken < 0 ? errno : ENOSPC;
            return;
        }
        from += taken;
        left -= (size_t)taken;
    }
}

static void flush(struct lines *lines) {
    write_all(lines, lines->buffer, lines->used);
    lines->used = 0;
}

static void put(struct lines *lines, const char *from, size_t size) {
    lines->bytes += size;
    if (size > sizeof lines->buffer - lines->used) flush(lines);
    if (size > sizeof lines->buffer) {
        write_all(lines, from, size);
        return;
    }
    if (size > 0) memcpy(lines->buffer + lines->used, from, size);
    lines->used += size;
}

static void put_text(struct lines *lines, const char *text) { put(lines, text, strlen(text)); }

/* A document as it stands. Postgres prints jsonb without line breaks; elsewhere they may only stand between its
 * parts, where a space says the same. */
static void put_document(struct lines *lines, pgat_str document) {
    while (document.len > 0) {
        size_t before = 0;
        while (before < document.len && document.ptr[before] != '\n' &&
               document.ptr[before] != '\r')
            ++before;
        put(lines, document.ptr, before);
        if (before == document.len) return;
        put(lines, " ", 1);
        document.ptr += before + 1;
        document.len -= before + 1;
    }
}

static void put_string(struct lines *lines, pgat_str text) {
    put(lines, "\"", 1);
    for (size_t i = 0; i < text.len; ++i) {
        const unsigned char c = (unsigned char)text.ptr[i];
        char escaped[8];
        if (c == '"' || c == '\\') {
            const char pair[] = {'\\', (char)c};
            put(lines, pair, sizeof pair);
        } else if (c < 0x20) {
            put(lines, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
        } else {
            put(lines, text.ptr + i, 1);
        }
    }
    put(lines, "\"", 1);
}

static void put_time(struct lines *lines, int64_t microseconds) {
    int64_t second = microseconds / 1000000;
    int64_t rest = microseconds % 1000000;
    if (rest < 0) {
        rest += 1000000;
        --second;
    }
    const time_t at = (time_t)second;
    struct tm parts;
    char text[64] = "";
    char whole[96];
    if (gmtime_r(&at, &parts) != NULL) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    put(lines, whole, (size_t)snprintf(whole, sizeof whole, "\"%s.%06" PRId64 "Z\"", text, rest));
}

static void put_event(struct lines *lines, const pgat_event *event) {
    put_text(lines, "{\"id\": ");
    put_string(lines, event->id);
    put_text(lines, ", \"created_at\": ");
    put_time(lines, event->created_at_us);
    if (event->key.len > 0) {
        put_text(lines, ", \"key\": ");
        put_string(lines, event->key);
    }
    put_text(lines, ", \"payload\": ");
    put_document(lines, event->payload);
    if (event->metadata.len > 0) {
        put_text(lines, ", \"metadata\": ");
        put_document(lines, event->metadata);
    }
    put_text(lines, "}");
}

void lines_begin(struct lines *lines, int file, bool whole_event) {
    lines->file = file;
    lines->whole_event = whole_event;
    lines->error = 0;
    lines->bytes = 0;
    lines->used = 0;
}

void lines_add(struct lines *lines, const pgat_event *event) {
    if (lines->whole_event)
        put_event(lines, event);
    else
        put_document(lines, event->payload);
    put(lines, "\n", 1);
}

int lines_end(struct lines *lines) {
    flush(lines);
    return lines->error;
}
