// Two servers with one database, the second a standby of the first, and the one name that leads to the
// primary: a proxy.
#pragma once

#include <csignal>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/cluster.hpp"
#include "support/daemon.hpp"
#include "support/proxy.hpp"
#include "support/waiting.hpp"

namespace pgat::testing {

using Settings = std::map<std::string, std::string>;

class ServerPair {
  public:
    explicit ServerPair(const Settings &of_primary = {}, const Settings &of_standby = {})
        : primary({.settings = of_primary, .hba = {}}),
          standby(primary, support::Cluster::Copy::standby, of_standby), site(primary),
          name(primary.port()) {
        site.subscribe_to_items();
    }

    // The standby has replayed all that the primary has written.
    void catch_up() {
        const auto written = site.exec("SELECT pg_current_wal_lsn()").lsn(0, 0);
        const auto replayed = [&] {
            return standby.connect("postgres").exec("SELECT pg_last_wal_replay_lsn()").lsn(0, 0) >=
                   written;
        };
        if (!support::eventually(replayed))
            throw std::runtime_error("the standby does not follow: " + standby.log());
    }

    // The standby is the primary from now on, and the name leads there. Whether the old one lives is the
    // caller's business.
    void promote() {
        standby.promote();
        site.move_to(standby);
        name.lead_to({standby.port()});
        name.reset();
    }

    support::Cluster primary;
    support::Cluster standby;
    support::Site site;
    support::Proxy name;
};

// What a daemon prints, until the last of it is `last`.
inline bool delivers_up_to(support::Daemon &daemon, std::int64_t last) {
    return support::eventually(
        [&] {
            const auto ids = support::item_ids(daemon.out());
            return !ids.empty() && ids.back() == last;
        },
        std::chrono::seconds(60));
}

// One after the other.
inline std::vector<std::int64_t> joined(std::vector<std::int64_t> first,
                                        const std::vector<std::int64_t> &second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

} // namespace pgat::testing
