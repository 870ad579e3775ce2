#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rotation.h"

enum { look_again_ms = 20, longest_wait_ms = 5000, tries = 16 };

static const char *remedy_for(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return ": create its folder, or correct sink.path";
    case EACCES:
    case EPERM:
    case EROFS:
        return ": let the daemon's user write there, or correct sink.path";
    case ENOSPC:
    case EDQUOT:
        return ": free some space";
    case EFBIG:
        return ": raise the daemon's limit on file sizes, or set sink.rotate_bytes";
    default:
        return "";
    }
}

static bool fail(struct target *target, const char *what, int error) {
    target->status = PGAT_E_UNAVAILABLE;
    snprintf(target->why, sizeof target->why, "%s: cannot %s: %s%s", target->settings->path, what,
             strerror(error), remedy_for(error));
    return false;
}

static void log_line(const struct target *target, int32_t level, const char *line) {
    const pgat_str text = {line, strlen(line)};
    target->host->log(target->host, level, text);
}

void target_close(struct target *target) {
    if (target->file >= 0) close(target->file); /* and lets go of the lock */
    target->file = -1;
}

/* The caller frees it; NULL: no memory. */
static char *folder_of(const char *path) {
    const char *const slash = strrchr(path, '/');
    return slash == NULL ? strdup(".") : strndup(path, (size_t)(slash + 1 - path));
}

/* So that the name outlives a power cut, too. */
static bool sync_folder(struct target *target) {
    char *const folder = folder_of(target->settings->path);
    const int file = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    if (file < 0) return fail(target, "open the folder", errno);
    const int error = fsync(file) == 0 ? 0 : errno;
    close(file);
    /* Some file systems do not know it of folders. */
    return error == 0 || error == EINVAL || fail(target, "write the folder to the disk", error);
}

static bool open_file(struct target *target) {
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK;
    target->file = open(target->settings->path, flags);
    if (target->file >= 0) return true;
    if (errno != ENOENT) return fail(target, "open the file", errno);
    target->file = open(target->settings->path, flags | O_CREAT, target->settings->permissions);
    if (target->file < 0) return fail(target, "create the file", errno);
    return !target->settings->sync || sync_folder(target);
}

static bool lock(struct target *target, uint64_t deadline_ns) {
    const pgat_host *const host = target->host;
    uint64_t end = host->now_ns(host) + (uint64_t)longest_wait_ms * 1000000;
    if (deadline_ns != 0 && deadline_ns < end) end = deadline_ns;
    while (flock(target->file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return fail(target, "lock the file", errno);
        if (host->is_cancelled(host) != 0) {
            target->status = PGAT_E_CANCELLED;
            snprintf(target->why, sizeof target->why, "told to stop while another has the lock");
            return false;
        }
        if (host->now_ns(host) >= end) {
            target->status = PGAT_E_UNAVAILABLE;
            snprintf(target->why, sizeof target->why,
                     "%s: another process keeps its lock: fuser -v tells which",
                     target->settings->path);
            return false;
        }
        struct pollfd cancelled = {.fd = host->cancel_fd, .events = POLLIN};
        poll(&cancelled, 1, look_again_ms);
    }
    return true;
}

/* Where the last whole line ends; -1 and errno if it cannot be read. */
static off_t end_of_lines(int file, off_t size) {
    char block[65536];
    while (size > 0) {
        const size_t wanted = (size_t)(size < (off_t)sizeof block ? size : (off_t)sizeof block);
        const ssize_t got = pread(file, block, wanted, size - (off_t)wanted);
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)wanted) return -1;
        const char *const newline = memrchr(block, '\n', wanted);
        if (newline != NULL) return size - (off_t)wanted + (newline - block) + 1;
        size -= (off_t)wanted;
    }
    return 0;
}

/* A line without its end is an event that was not delivered: it comes again, whole. */
static bool cut_torn_line(struct target *target, struct stat *file) {
    char last = '\n';
    if (file->st_size > 0 && pread(target->file, &last, 1, file->st_size - 1) != 1)
        return fail(target, "read the file's end", errno);
    if (last == '\n') return true;
    const off_t end = end_of_lines(target->file, file->st_size);
    if (end < 0 || ftruncate(target->file, end) != 0)
        return fail(target, "cut off a torn line", errno);
    char line[640];
    snprintf(line, sizeof line,
             "%s: cut off %lld bytes of a line that was never finished: its event comes again",
             target->settings->path, (long long)(file->st_size - end));
    log_line(target, PGAT_LOG_WARN, line);
    file->st_size = end;
    return true;
}

bool target_could_begin(struct target *target) {
    char *const folder = folder_of(target->settings->path);
    const int error =
        folder != NULL && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
    free(folder);
    return error == 0 || fail(target, "create the file", error);
}

bool target_begin(struct target *target, uint64_t bytes, uint64_t deadline_ns) {
    for (int i = 0; i < tries; ++i) {
        if (target->file < 0 && !open_file(target)) return false;
        if (!lock(target, deadline_ns)) return false;
        struct stat file;
        struct stat named;
        if (fstat(target->file, &file) != 0) return fail(target, "look at the file", errno);
        if (!S_ISREG(file.st_mode)) {
            target_close(target);
            target->status = PGAT_E_UNAVAILABLE;
            snprintf(target->why, sizeof target->why, "%s: is no regular file: correct sink.path",
                     target->settings->path);
            return false;
        }
        if (stat(target->settings->path, &named) != 0 || named.st_ino != file.st_ino ||
            named.st_dev != file.st_dev) {
            target_close(target); /* it was moved away, or removed */
            continue;
        }
        if (!cut_torn_line(target, &file)) return false;
        if (rotation_is_due(target->settings, &file, bytes)) {
            const int error = rotate(target->settings);
            if (error != 0) return fail(target, "rename the file", error);
            ++target->rotations;
            target_close(target);
            continue;
        }
        target->start = file.st_size;
        return true;
    }
    return fail(target, "hold on to the file, which is moved away all the time", EAGAIN);
}

bool target_keep(struct target *target) {
    if (!target->settings->sync || fdatasync(target->file) == 0) return true;
    target_take_back(target, errno);
    return false;
}

void target_take_back(struct target *target, int error) {
    if (error != 0) fail(target, "write", error);
    if (ftruncate(target->file, target->start) == 0) return;
    char line[640];
    snprintf(line, sizeof line, "%s: lines of events that will come again stay in it: %s",
             target->settings->path, strerror(errno));
    log_line(target, PGAT_LOG_ERROR, line);
}

void target_end(struct target *target) {
    if (target->file >= 0) flock(target->file, LOCK_UN);
}
