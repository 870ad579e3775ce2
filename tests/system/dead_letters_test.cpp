// What the sink refuses for good is kept beside the stream, or the stream waits.
#include <algorithm>
#include <csignal>
#include <memory>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using support::Cluster;
using support::Daemon;
using support::eventually;
using support::HttpReceiver;
using support::numbers;
using support::Site;

// A stream whose sink refuses the item 7.
class DeadLetters : public testing::Test {
  protected:
    DeadLetters() : site(Cluster::shared()) {
        site.subscribe_to_items();
        receiver.answer_with([](const support::HttpRequest &request) {
            return support::HttpAnswer{
                request.body.find("\"id\": 7}") != std::string::npos ? 422 : 200, {}, {}};
        });
        configuration = site.configure("  type: http\n  url: " + receiver.url() + "\n");
    }

    // The items that were refused, and why, and at which attempt.
    postgres::Result letters() {
        return site.exec("SELECT payload->'new'->>'id', reason, attempts FROM"
                         " async_triggers.dead_letters WHERE stream_id = $1",
                         {site.stream()});
    }

    std::vector<std::int64_t> taken_items() const {
        std::string bodies;
        for (const auto &request : receiver.requests())
            bodies += request.body + "\n";
        auto ids = support::item_ids(bodies);
        ids.erase(std::remove(ids.begin(), ids.end(), 7), ids.end());
        return ids;
    }

    // It has tried to store the letter several times, each time in a new session.
    static bool keeps_failing(Daemon &daemon) {
        return eventually([&] {
            return support::occurrences(daemon.err(), "the session with Postgres ended") >= 2;
        });
    }

    Site site;
    HttpReceiver receiver;
    std::filesystem::path configuration;
};

std::vector<std::int64_t> all_but_seven(std::int64_t last) {
    auto ids = numbers(1, last);
    ids.erase(ids.begin() + 6);
    return ids;
}

TEST_F(DeadLetters, KeepARejectedEventAndTheRestGoesOn) {
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 20);
    ASSERT_TRUE(receiver.wait_for(20)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto kept = letters();
    ASSERT_EQ(kept.rows(), 1);
    EXPECT_EQ(kept.text(0, 0), "7");
    EXPECT_NE(kept.text(0, 1).find("422"), std::string::npos) << kept.text(0, 1);
    EXPECT_EQ(kept.integer(0, 2), 1);
}

TEST_F(DeadLetters, ThatALockHoldsUpAreStoredOnceItIsGone) {
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    auto holder = site.connect();
    holder.exec("BEGIN; LOCK TABLE async_triggers.dead_letters IN ACCESS EXCLUSIVE MODE");
    site.insert_items(1, 20);
    ASSERT_TRUE(keeps_failing(daemon)) << daemon.err();
    site.insert_items(21, 30);
    EXPECT_EQ(holder.exec("SELECT FROM async_triggers.dead_letters").rows(), 0);
    holder.exec("COMMIT");
    ASSERT_TRUE(eventually([&] { return letters().rows() == 1; })) << daemon.err();
    ASSERT_TRUE(eventually([&] { return taken_items().size() >= 29; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(letters().rows(), 1);
    EXPECT_EQ(letters().text(0, 0), "7");
    // The sink took them once: that a letter could not be stored is no reason to give it more.
    EXPECT_EQ(taken_items(), all_but_seven(30));
}

TEST_F(DeadLetters, ThatCannotBeStoredAreNotLostWithTheDaemon) {
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        // An owner may lose the rights to his own table.
        site.exec("REVOKE ALL ON async_triggers.dead_letters FROM " + site.role());
        site.insert_items(1, 20);
        ASSERT_TRUE(keeps_failing(daemon)) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
    }
    EXPECT_EQ(letters().rows(), 0);
    site.exec("GRANT ALL ON async_triggers.dead_letters TO " + site.role());
    Daemon next(configuration);
    ASSERT_TRUE(eventually([&] { return letters().rows() == 1; })) << next.err();
    ASSERT_TRUE(next.wait_until_streaming()) << next.err();
    EXPECT_EQ(next.stop(), 0) << next.err();
    EXPECT_EQ(letters().text(0, 0), "7");
    auto taken = taken_items();
    std::sort(taken.begin(), taken.end());
    taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
    EXPECT_EQ(taken, all_but_seven(20));
}

// A bad deployment that refuses whatever comes must not have all of a stream put away.
TEST_F(DeadLetters, EndAfterAFewInARowWhereTheSinkRefusesEverything) {
    configuration = site.configure("  type: http\n  url: " + receiver.url() + "\n",
                                   "  max_consecutive_rejected: 5\n"
                                   "  retry: {initial_backoff_ms: 10, max_backoff_ms: 100}\n");
    receiver.answer_with(400);
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 50);
    ASSERT_TRUE(eventually([&] {
        return site.exec("SELECT status FROM async_triggers.streams").text(0, 0) == "failover";
    })) << daemon.err();
    site.insert_items(51, 60);
    EXPECT_EQ(letters().rows(), 5);
    receiver.forget();
    std::mutex mutex;
    std::string taken;
    receiver.answer_with([&](const support::HttpRequest &request) {
        const std::lock_guard lock(mutex);
        taken += request.body + "\n";
        return support::HttpAnswer{};
    });
    ASSERT_TRUE(eventually([&] {
        const std::lock_guard lock(mutex);
        return support::item_ids(taken).size() >= 55;
    })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(taken), numbers(6, 60));
    EXPECT_EQ(letters().rows(), 5);
}

// The item of a request.
std::int64_t item_in(const support::HttpRequest &request) {
    return support::item_ids(request.body + "\n").at(0);
}

// Answers one status to one item, another to all others.
support::HttpReceiver::Script answer(std::int64_t item, int status, int to_others = 200) {
    return [=](const support::HttpRequest &request) {
        return support::HttpAnswer{item_in(request) == item ? status : to_others, {}, {}};
    };
}

// What a refusal comes to under one policy, with quick retries.
class Refusal : public DeadLetters {
  protected:
    void use(const std::string &retry, const std::string &more = "") {
        configuration = site.configure("  type: http\n  url: " + receiver.url() + "\n",
                                       "  retry: {initial_backoff_ms: 1, max_backoff_ms: 20" +
                                           retry + "}\n" + more);
    }
    std::size_t requests_for(std::int64_t item) const {
        const auto requests = receiver.requests();
        return static_cast<std::size_t>(
            std::count_if(requests.begin(), requests.end(),
                          [&](const support::HttpRequest &one) { return item_in(one) == item; }));
    }
    // Each item once, in the order in which they were first sent.
    std::vector<std::int64_t> first_sent() const {
        std::vector<std::int64_t> items;
        for (const auto &request : receiver.requests())
            if (const auto item = item_in(request);
                std::find(items.begin(), items.end(), item) == items.end())
                items.push_back(item);
        return items;
    }
};

TEST_F(Refusal, WithBlockHoldsTheStreamUntilTheEventIsTaken) {
    use("", "  on_rejected: block\n");
    receiver.answer_with(answer(7, 400));
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 20);
    ASSERT_TRUE(eventually([&] { return requests_for(7) >= 10; })) << daemon.err();
    site.insert_items(21, 25);
    ASSERT_TRUE(eventually([&] { return requests_for(7) >= 30; })) << daemon.err();
    EXPECT_EQ(first_sent(), numbers(1, 7));
    EXPECT_EQ(letters().rows(), 0);
    receiver.answer_with(200);
    ASSERT_TRUE(eventually([&] { return requests_for(25) == 1; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(first_sent(), numbers(1, 25));
    EXPECT_EQ(letters().rows(), 0);
}

TEST_F(Refusal, OfABlockedStreamIsADeadLetterOnceThatIsConfigured) {
    use("", "  on_rejected: block\n");
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(1, 20);
        ASSERT_TRUE(eventually([&] { return requests_for(7) >= 10; })) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    }
    use("");
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    ASSERT_TRUE(eventually([&] { return requests_for(20) == 1; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(letters().rows(), 1);
    EXPECT_EQ(taken_items(), all_but_seven(20));
}

TEST_F(Refusal, ThatIsChargedTooOftenIsADeadLetter) {
    use(", attempts: 2, max_event_attempts: 5");
    receiver.answer_with(answer(7, 500));
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 20);
    ASSERT_TRUE(eventually([&] { return requests_for(20) == 1; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(requests_for(7), 5U);
    EXPECT_EQ(first_sent(), numbers(1, 20));
    const auto kept = letters();
    ASSERT_EQ(kept.rows(), 1);
    EXPECT_EQ(kept.text(0, 0), "7");
    EXPECT_NE(kept.text(0, 1).find("500"), std::string::npos) << kept.text(0, 1);
    EXPECT_EQ(kept.integer(0, 2), 5);
}

// What a receiver has answered with 200.
struct Taken {
    std::mutex mutex;
    std::set<std::int64_t> items;

    std::set<std::int64_t> all() {
        const std::lock_guard lock(mutex);
        return items;
    }
};

TEST_F(Refusal, OfEveryEventIsTheSinksFault) {
    use("", "  max_consecutive_rejected: 10\n");
    receiver.answer_with(400);
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(eventually([&] { return letters().rows() == 10; })) << daemon.err();
    // It goes on asking, and nothing more is given up.
    receiver.forget();
    ASSERT_TRUE(receiver.wait_for(50)) << daemon.err();
    site.insert_items(101, 110);
    receiver.forget();
    ASSERT_TRUE(receiver.wait_for(50)) << daemon.err();
    EXPECT_EQ(letters().rows(), 10);
    // From the first event of a call on: one that it refused in front of others that it took would be given up.
    const auto taken = std::make_shared<Taken>();
    receiver.answer_with([taken](const support::HttpRequest &request) {
        const auto item = item_in(request);
        const std::lock_guard lock(taken->mutex);
        if (taken->items.empty() && item != 11) return support::HttpAnswer{400, {}, {}};
        taken->items.insert(item);
        return support::HttpAnswer{200, {}, {}};
    });
    ASSERT_TRUE(eventually([&] { return taken->all().size() == 100; })) << daemon.err();
    EXPECT_EQ(letters().rows(), 10);
    // The ten, beside the daemon.
    const auto retried =
        site.run_program({"--config", configuration.string(), "dead-letters", "retry", "--all"});
    EXPECT_EQ(retried.status, 0) << retried.err;
    EXPECT_EQ(letters().rows(), 0);
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto all = numbers(1, 110);
    EXPECT_EQ(taken->all(), std::set<std::int64_t>(all.begin(), all.end()));
}

TEST_F(Refusal, OfTheSinkItselfChargesNoEvent) {
    use(", attempts: 2, max_event_attempts: 3");
    receiver.answer_with(503);
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 20);
    ASSERT_TRUE(receiver.wait_for(20)) << daemon.err();
    receiver.answer_with(200);
    ASSERT_TRUE(eventually([&] { return requests_for(20) >= 1; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(letters().rows(), 0);
    EXPECT_EQ(first_sent(), numbers(1, 20));
}

TEST_F(Refusal, BetweenDeliveriesIsNeverTheSinksFault) {
    use("", "  max_consecutive_rejected: 2\n");
    receiver.answer_with([](const support::HttpRequest &request) {
        return support::HttpAnswer{item_in(request) % 2 == 0 ? 422 : 200, {}, {}};
    });
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 41);
    ASSERT_TRUE(eventually([&] { return requests_for(41) == 1; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(letters().rows(), 20);
    EXPECT_EQ(receiver.requests().size(), 41U);
}

} // namespace
} // namespace pgat
