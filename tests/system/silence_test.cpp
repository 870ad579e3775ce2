// A walsender at work on a huge transaction sends nothing for minutes. It is no cut network: a new session
// would have it begin anew, for ever.
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::Site;

// Says nothing, as if it were busy, and still has its session.
class Paused {
  public:
    explicit Paused(pid_t pid) : pid_(pid) { ::kill(pid_, SIGSTOP); }
    ~Paused() { ::kill(pid_, SIGCONT); }
    Paused(const Paused &) = delete;
    Paused &operator=(const Paused &) = delete;

  private:
    pid_t pid_;
};

TEST(Silence, OfAServerThatStillServesUsEndsNoSession) {
    Cluster cluster({.settings = {{"log_connections", "on"}}, .hba = {}});
    Site site(cluster);
    site.subscribe_to_items();
    Daemon daemon(site.configure(support::printing_sink));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    const auto walsender = [&] {
        return static_cast<pid_t>(
            site.exec("SELECT coalesce(active_pid, 0) FROM pg_replication_slots").integer(0, 0));
    };
    // One session more is the question whether it still serves us.
    const auto sessions = [&] {
        return support::occurrences(cluster.log(),
                                    "connection authorized: user=" + site.role() + " ");
    };
    const auto serving = walsender();
    const auto before = sessions();
    {
        const Paused silent(serving);
        site.insert_items(101, 200);
        ASSERT_TRUE(eventually([&] { return sessions() > before; }, 40s)) << daemon.err();
    }
    ASSERT_TRUE(daemon.wait_for_out_lines(200)) << daemon.err();
    EXPECT_EQ(walsender(), serving);
    EXPECT_EQ(support::occurrences(daemon.err(), "the session with Postgres ended"), 0U)
        << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 200));
}

} // namespace
} // namespace pgat
