// A second daemon on the same stream stands by, and takes over from one that is gone, hangs or is cut off: in
// the time that the documentation promises, and so that the first one, should it come back, delivers nothing
// more.
#include <atomic>
#include <csignal>
#include <optional>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/proxy.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::HttpReceiver;
using support::numbers;
using support::printing_sink;
using support::Proxy;
using support::Site;

using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto slowness = 5s;
#else
constexpr auto slowness = 0s;
#endif
constexpr auto promised_after_death = 2s + slowness;
constexpr auto promised_after_silence = 10s + slowness;

// Two daemons on one stream, the first of them active, behind a network that can be cut.
class Pair {
  public:
    Pair() : site(Cluster::shared()), network(site.cluster().port()) {
        site.subscribe_to_items();
        first.emplace(site.configure(printing_sink, "", network.port()));
        if (!first->wait_until_streaming()) throw std::runtime_error(first->err());
        second.emplace(site.configure(printing_sink));
        if (!second->wait_for_err("standing by")) throw std::runtime_error(second->err());
        site.insert_items(1, 100);
        if (!first->wait_for_out_lines(100)) throw std::runtime_error(first->err());
    }

    // Then nothing that was delivered has to come again.
    void cursor_is_stored() {
        ASSERT_TRUE(eventually([this] {
            return site.exec("SELECT bool_and(pg_visible_in_snapshot(xid, cursor_snapshot))"
                             " FROM async_triggers.streams, async_triggers.events")
                       .text(0, 0) == "t";
        })) << first->err();
    }

    // From `since` on. What it delivers proves it, not what it says.
    void second_takes_over_within(std::chrono::milliseconds limit, Clock::time_point since) {
        ASSERT_TRUE(second->wait_for_out_lines(100)) << second->err();
        const auto took = Clock::now() - since;
        EXPECT_LT(took, limit) << second->err();
        RecordProperty("milliseconds", took / 1ms);
        EXPECT_EQ(support::item_ids(second->out()), numbers(101, 200));
    }

    // The first one is back, and heard of what has happened.
    void first_stands_by() {
        ASSERT_TRUE(eventually([this] {
            return support::occurrences(first->err(), "standing by") == 1;
        })) << first->err();
        EXPECT_EQ(support::item_ids(first->out()), numbers(1, 100)) << first->err();
        // And takes over in its turn.
        second->signal(SIGKILL);
        const auto killed = Clock::now();
        site.insert_items(201, 300);
        ASSERT_TRUE(eventually([this] {
            const auto ids = support::item_ids(first->out());
            return ids.back() == 300;
        })) << first->err();
        EXPECT_LT(Clock::now() - killed, promised_after_death) << first->err();
        EXPECT_EQ(first->stop(), 0) << first->err();
        second->wait();
        second->wait_for_end_of_output();
        auto all = support::item_ids(first->out());
        const auto taken = support::item_ids(second->out());
        all.insert(all.begin() + 100, taken.begin(), taken.end());
        EXPECT_EQ(support::once_each(all), numbers(1, 300));
    }

    static void RecordProperty(const char *key, std::int64_t value) {
        testing::Test::RecordProperty(key, std::to_string(value));
    }

    Site site;
    Proxy network;
    std::optional<Daemon> first;
    std::optional<Daemon> second;
};

TEST(Takeover, OfADaemonThatWasKilledTakesTwoSeconds) {
    Pair pair;
    EXPECT_EQ(pair.second->out_lines(), 0U);
    pair.first->signal(SIGKILL);
    const auto killed = Clock::now();
    pair.site.insert_items(101, 200);
    // What the first one delivered last may come again.
    ASSERT_TRUE(eventually([&] {
        const auto ids = support::item_ids(pair.second->out());
        return !ids.empty() && ids.back() == 200;
    })) << pair.second->err();
    EXPECT_LT(Clock::now() - killed, promised_after_death) << pair.second->err();
    EXPECT_EQ(pair.second->stop(), 0);
    pair.first->wait();
    pair.first->wait_for_end_of_output();
    auto all = support::item_ids(pair.first->out());
    const auto rest = support::item_ids(pair.second->out());
    all.insert(all.end(), rest.begin(), rest.end());
    EXPECT_EQ(support::once_each(all), numbers(1, 200));
}

TEST(Takeover, OfADaemonThatStopsInOrderMakesNoDuplicates) {
    Pair pair;
    const auto stopped = Clock::now();
    EXPECT_EQ(pair.first->stop(), 0) << pair.first->err();
    pair.site.insert_items(101, 200);
    pair.second_takes_over_within(promised_after_death, stopped);
}

TEST(Takeover, OfADaemonThatHangsTakesTenSecondsAndItDeliversNothingMore) {
    Pair pair;
    pair.cursor_is_stored();
    pair.first->signal(SIGSTOP);
    const auto paused = Clock::now();
    // They reach its socket, and it will find them there.
    pair.site.insert_items(101, 200);
    pair.second_takes_over_within(promised_after_silence, paused);
    pair.first->signal(SIGCONT);
    pair.first_stands_by();
}

TEST(Takeover, OfADaemonThatIsCutOffTakesTenSecondsAndItDeliversNothingMore) {
    Pair pair;
    pair.cursor_is_stored();
    pair.network.cut();
    const auto cut = Clock::now();
    pair.site.insert_items(101, 200);
    pair.second_takes_over_within(promised_after_silence, cut);
    pair.network.mend();
    pair.first_stands_by();
}

// Neither what waits in its queue, nor, if the sink wants it once more, what it has in hand.
TEST(Takeover, OfADaemonThatIsCutOffInACallOfTheSinkLeavesItThatOneCall) {
    for (const int status : {200, 503}) {
        Site site(Cluster::shared());
        site.subscribe_to_items();
        Proxy network(site.cluster().port());
        HttpReceiver receiver;
        std::atomic<bool> held{true};
        receiver.answer_with([&](const support::HttpRequest &) {
            eventually([&] { return !held.load(); });
            return support::HttpAnswer{status, {}, {}};
        });
        // One event a call, and more of them than the queue takes.
        Daemon first(site.configure("  type: http\n  url: " + receiver.url() + "\n",
                                    "  batch: {max_size: 1}\n"
                                    "  retry: {initial_backoff_ms: 1, max_backoff_ms: 1}\n",
                                    network.port()));
        ASSERT_TRUE(first.wait_until_streaming()) << first.err();
        Daemon second(site.configure(printing_sink));
        ASSERT_TRUE(second.wait_for_err("standing by")) << second.err();
        site.insert_items(1, 100);
        ASSERT_TRUE(receiver.wait_for(1)) << first.err();
        network.cut();
        ASSERT_TRUE(second.wait_for_out_lines(100)) << second.err();
        held = false;
        EXPECT_FALSE(receiver.wait_for(2, 2s)) << first.err();
        network.mend();
        network.reset();
        ASSERT_TRUE(first.wait_for_err("standing by")) << first.err();
        EXPECT_EQ(receiver.requests().size(), 1U) << first.err();
        EXPECT_EQ(first.stop(), 0) << first.err();
        EXPECT_EQ(second.stop(), 0) << second.err();
        EXPECT_EQ(support::item_ids(second.out()), numbers(1, 100));
    }
}

} // namespace
} // namespace pgat
