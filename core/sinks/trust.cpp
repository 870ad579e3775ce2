#include "sinks/trust.hpp"

#include <unistd.h>

#include <fmt/format.h>

namespace pgat::sinks {

Trust trust_in(const struct stat &status, const std::string &path) {
    const char *kind = S_ISDIR(status.st_mode) ? "the folder" : "the file";
    Trust trust;
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        trust.refusal =
            fmt::format("{} {} belongs to user {}, neither to root nor to the user this "
                        "daemon runs as ({}): chown it to one of them",
                        kind, path, status.st_uid, ::geteuid());
    } else if ((status.st_mode & S_IWOTH) != 0) {
        trust.refusal =
            fmt::format("{0} {1} can be written by everybody: chmod o-w {1}", kind, path);
    } else if ((status.st_mode & S_IWGRP) != 0) {
        trust.warning = fmt::format("{0} {1} can be written by group {2}: chmod g-w {1}", kind,
                                    path, status.st_gid);
    }
    return trust;
}

} // namespace pgat::sinks
