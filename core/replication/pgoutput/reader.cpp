#include "replication/pgoutput/reader.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace pgat::replication {

void Reader::fail(const char *why) const {
    throw Error(Remedy::reconnect, fmt::format("Postgres sent a malformed {}: {}", what_, why))
        .with_hint("if it comes again, this server speaks a protocol that this version does not "
                   "know: look for a newer one");
}

} // namespace pgat::replication
