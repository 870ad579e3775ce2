/* The file that is written to: open, locked for the length of a batch, and never left with half a line.
 *
 * Whoever moves it away (logrotate), removes or truncates it is noticed at the next batch. The lock is flock()'s,
 * so that two daemons on one file write whole batches one after the other. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings.h"

struct target {
    const struct settings *settings;
    const pgat_host *host;
    int file;      /* -1: not open */
    off_t start;   /* its size when target_begin() returned */
    char why[512]; /* after a failure */
    pgat_status status;
    uint64_t rotations;
};

/* Opens, locks, cuts off what a crash has left of a line, and begins a new file if that is due before `bytes` more.
 * Waits for another's lock no longer than `deadline_ns` or cancellation. False: see status and why. */
bool target_begin(struct target *target, uint64_t bytes, uint64_t deadline_ns);
/* The same question without a file that is not there yet: could it be made? Makes none. */
bool target_could_begin(struct target *target);
/* What was written since is to stay, and is on the disk if settings say so. False: it was taken back. */
bool target_keep(struct target *target);
/* Nothing that was written since is to stay; `error` (errno) or a status says why. */
void target_take_back(struct target *target, int error);
/* Lets go of the lock, after any of the three. */
void target_end(struct target *target);
void target_close(struct target *target);
