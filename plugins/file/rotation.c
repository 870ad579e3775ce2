#include "rotation.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char stamp_form[] = "ddddddddTddddddZ"; /* d: a digit */

bool rotation_is_due(const struct settings *settings, const struct stat *file, uint64_t bytes) {
    if (file->st_size == 0) return false;
    const uint64_t size = (uint64_t)file->st_size;
    if (settings->rotate_bytes > 0 && size + bytes > settings->rotate_bytes) return true;
    /* When it was last written says which period it belongs to, also after a restart. */
    return settings->period > 0 &&
           file->st_mtime / settings->period != time(NULL) / settings->period;
}

/* Whether `name` is `base`.<stamp> or `base`.<stamp>-<n>. */
static bool is_rotated(const char *name, const char *base) {
    const size_t size = strlen(base);
    if (strncmp(name, base, size) != 0 || name[size] != '.') return false;
    name += size + 1;
    for (const char *form = stamp_form; *form != '\0'; ++form, ++name)
        if (*form == 'd' ? !isdigit((unsigned char)*name) : *name != *form) return false;
    if (*name == '\0') return true;
    if (*name++ != '-' || *name == '\0') return false;
    while (isdigit((unsigned char)*name))
        ++name;
    return *name == '\0';
}

/* By stamp, then by the number behind it: "…Z" before "…Z-2" before "…Z-10". */
static int by_age(const void *a, const void *b) {
    const char *const left = *(char *const *)a;
    const char *const right = *(char *const *)b;
    return strverscmp(left, right);
}

struct names {
    char **list; /* each owned */
    size_t count;
};

static void add_name(struct names *names, const char *name) {
    char **const grown = realloc(names->list, (names->count + 1) * sizeof *grown);
    if (grown == NULL) return; /* it stays for now */
    names->list = grown;
    names->list[names->count] = strdup(name);
    if (names->list[names->count] != NULL) ++names->count;
}

static void remove_oldest(const struct settings *settings) {
    if (settings->keep == 0) return;
    const char *const slash = strrchr(settings->path, '/');
    const char *const base = slash != NULL ? slash + 1 : settings->path;
    char *const folder =
        slash == NULL ? strdup(".") : strndup(settings->path, (size_t)(slash + 1 - settings->path));
    DIR *const open_folder = folder != NULL ? opendir(folder) : NULL;
    free(folder);
    if (open_folder == NULL) return;
    struct names names = {NULL, 0};
    for (const struct dirent *entry; (entry = readdir(open_folder)) != NULL;)
        if (is_rotated(entry->d_name, base)) add_name(&names, entry->d_name);
    if (names.count > 0) qsort(names.list, names.count, sizeof *names.list, by_age);
    for (size_t i = 0; i < names.count; ++i) {
        if (names.count - i > settings->keep) unlinkat(dirfd(open_folder), names.list[i], 0);
        free(names.list[i]);
    }
    free(names.list);
    closedir(open_folder);
}

int rotate(const struct settings *settings) {
    const time_t now = time(NULL);
    struct tm parts;
    char stamp[32] = "";
    if (gmtime_r(&now, &parts) != NULL) strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    const size_t size = strlen(settings->path) + sizeof stamp + 16;
    char *const name = malloc(size);
    if (name == NULL) return ENOMEM;
    snprintf(name, size, "%s.%s", settings->path, stamp);
    for (unsigned n = 2; access(name, F_OK) == 0; ++n)
        snprintf(name, size, "%s.%s-%u", settings->path, stamp, n);
    const int error = rename(settings->path, name) == 0 ? 0 : errno;
    free(name);
    if (error == 0) remove_oldest(settings);
    return error;
}
