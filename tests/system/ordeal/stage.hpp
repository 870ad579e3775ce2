// What is put to the test: a Postgres of its own, the network before it, and the daemon, or two. The thread
// that made it strikes and mends; only connect() and ask() are for others too.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ledger.hpp"
#include "support/cluster.hpp"
#include "support/daemon.hpp"
#include "support/proxy.hpp"

namespace pgat::ordeal {

class Stage {
  public:
    // `sink` is what a configuration says below `sink:`. With `keyed` many events are under way at once, some of
    // them far ahead of others; what has no key (deletes, and events written directly) is a barrier.
    Stage(Ledger &ledger, const std::string &sink, bool keyed);
    ~Stage();
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

    support::Cluster &cluster() noexcept { return cluster_; }
    support::Site &site() noexcept { return site_; }
    support::Proxy &network() noexcept { return network_; }

    // How many requests a daemon has under way, at most.
    std::uint64_t at_once() const noexcept { return keyed_ ? concurrency : 1; }

    // A session that no stalled standby holds up. Throws Error.
    postgres::Connection connect() const;
    // Runs `work` with a session until it succeeds: Postgres may be starting. Throws after a minute.
    void ask(const std::function<void(postgres::Connection &)> &work) const;
    // Its slot, or what else of it the catalogs show.
    std::string publication() const { return site_.slot(); }

    // The daemon, with Postgres behind the network.
    support::Daemon &daemon() { return *daemon_; }
    bool daemon_runs() { return daemon_ != nullptr && daemon_->running(); }
    void start_daemon(const std::map<std::string, std::string> &environment = {});
    // One that was started to end by itself; killed if it did not in time. False: it was.
    bool bury_daemon(std::chrono::milliseconds time);
    // SIGTERM: it must end well.
    void stop_daemon();
    void kill_daemon();
    // A second one, which does not see the network's faults.
    support::Daemon &start_second();
    void stop_second();

    // What went wrong with daemons so far; empty: nothing.
    const std::string &complaints() const noexcept { return complaints_; }
    // Complains of a daemon that has ended by itself, and starts it again.
    void look_after_daemon();

  private:
    static constexpr std::uint64_t concurrency = 8;

    void stop(std::unique_ptr<support::Daemon> &daemon);
    void farewell(support::Daemon &daemon);

    Ledger &ledger_;
    const bool keyed_;
    support::Cluster cluster_;
    support::Site site_;
    support::Proxy network_;
    std::filesystem::path configuration_;
    std::filesystem::path direct_configuration_;
    std::unique_ptr<support::Daemon> daemon_;
    std::unique_ptr<support::Daemon> second_;
    std::string complaints_;
    std::filesystem::path logs_;
};

} // namespace pgat::ordeal
