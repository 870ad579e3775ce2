#include "settings.h"

#include <stdlib.h>
#include <string.h>

static bool find(const pgat_host *host, pgat_str config, const char *pointer, pgat_str *text) {
    const pgat_str at = {pointer, strlen(pointer)};
    return host->json_get(host, config, at, text) > PGAT_JSON_NULL;
}

static bool is(pgat_str text, const char *word) {
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

/* The text's number; the schema has seen to its form. */
static uint64_t number(pgat_str text, int base) {
    char digits[32] = {0};
    memcpy(digits, text.ptr, text.len < sizeof digits ? text.len : sizeof digits - 1);
    return strtoull(digits, NULL, base);
}

const char *read_settings(const pgat_host *host, pgat_str config, struct settings *out) {
    *out = (struct settings){.sync = true, .permissions = 0640};
    pgat_str text = {NULL, 0};
    if (!find(host, config, "/path", &text) || text.len == 0) return "path: is missing";
    if (memchr(text.ptr, '\0', text.len) != NULL) return "path: holds a NUL character";
    if (text.ptr[text.len - 1] == '/') return "path: is a folder: name a file in it";
    out->path = strndup(text.ptr, text.len); /* texts of the interface have no NUL at their end */
    if (out->path == NULL) return NULL;
    if (find(host, config, "/format", &text)) out->whole_event = is(text, "event");
    if (find(host, config, "/fsync", &text)) out->sync = is(text, "batch");
    if (find(host, config, "/rotate", &text))
        out->period = is(text, "hourly") ? 3600 : is(text, "daily") ? 86400 : 0;
    if (find(host, config, "/rotate_bytes", &text)) out->rotate_bytes = number(text, 10);
    if (find(host, config, "/keep", &text)) out->keep = (unsigned)number(text, 10);
    if (find(host, config, "/permissions", &text)) out->permissions = (mode_t)number(text, 8);
    return NULL;
}

void free_settings(struct settings *settings) { free(settings->path); }
