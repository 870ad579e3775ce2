/* Old files: when one begins to be old, what it is called then, and which of them stay. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "settings.h"

/* Whether a new file is to begin before `bytes` more are written to the one that `file` describes. */
bool rotation_is_due(const struct settings *settings, const struct stat *file, uint64_t bytes);

/* Renames path to path.20261122T103000Z (or …Z-2, -3 where there is one); then removes the oldest of these beyond
 * settings->keep. 0, or errno of the renaming. The caller holds the file's lock. */
int rotate(const struct settings *settings);
