// Whose file is it. A daemon that holds database credentials runs no code that anybody could have
// put there.
#pragma once

#include <string>

#include <sys/stat.h>

namespace pgat::sinks {

struct Trust {
    std::string refusal; // why it must not be used, and the command that mends it; empty: it may
    std::string warning; // it may be used, but this should be mended
};

// Judges a file or folder `path` by its owner and permissions: it must belong to root or to the
// user we run as, and not be writable by the world. Writable by a group is a warning: some umasks
// make build folders so.
Trust trust_in(const struct stat &status, const std::string &path);

} // namespace pgat::sinks
