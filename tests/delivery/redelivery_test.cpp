#include "delivery/redelivery.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "delivery/scripted_sink.hpp"

namespace pgat::delivery {
namespace {

using Ids = std::vector<std::string>;

struct RedeliveryTest : testing::Test {
    RedeliveryPolicy policy{StreamId(1), "", 3, 1ms, 2ms, 4, 60s, false};
    ScriptedSink sink;
    Halt halt;
    DeliveryCounts counts;
    std::vector<outbox::Event> stored;
    std::optional<Redelivery> redelivery;

    Redelivered deliver(int first, int last) {
        stored.clear();
        for (int id = first; id <= last; ++id)
            stored.push_back({Xid(9), {EventId(id), Timestamp(1000 + id)}, Lsn(), "{}", {}});
        std::vector<const outbox::Event *> events;
        for (const auto &event : stored)
            events.push_back(&event);
        if (!redelivery) redelivery.emplace(sink, policy, halt, counts);
        return redelivery->deliver(events, "uid");
    }
    // The same answer to each of the next calls.
    void say(std::size_t calls, const ScriptedSink::Answer &answer) {
        sink.script.insert(sink.script.end(), calls, answer);
    }
};

TEST_F(RedeliveryTest, DeliversInOrderUnderTheEventsOwnIds) {
    sink.limit = 2;
    const auto result = deliver(1, 3);
    EXPECT_EQ(result.prefix, 3U);
    EXPECT_EQ(result.delivered, (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_FALSE(result.given_up);
    ASSERT_EQ(sink.offered.size(), 2U);
    EXPECT_EQ(sink.offered[0], (Ids{"uid-1-1001", "uid-2-1002"}));
    EXPECT_EQ(sink.offered[1], (Ids{"uid-3-1003"}));
    EXPECT_EQ(counts.delivered, 3U);
}

TEST_F(RedeliveryTest, RefusesWhatIsRejectedAndGoesOn) {
    say(1, verdicts({Verdict::delivered, Verdict::rejected, Verdict::delivered}));
    const auto result = deliver(1, 3);
    EXPECT_EQ(result.prefix, 3U);
    EXPECT_EQ(result.delivered, (std::vector<std::size_t>{0, 2}));
    ASSERT_EQ(result.refused.size(), 1U);
    EXPECT_EQ(result.refused[0].index, 1U);
    EXPECT_EQ(result.refused[0].reason, "because");
    EXPECT_EQ(result.refused[0].attempts, 1U);
    EXPECT_EQ(sink.offered.size(), 1U);
}

TEST_F(RedeliveryTest, OffersAgainWhatTheSinkAsksForAgain) {
    say(2, verdicts({Verdict::retry, Verdict::not_attempted}));
    const auto result = deliver(1, 2);
    EXPECT_EQ(result.delivered.size(), 2U);
    EXPECT_EQ(sink.attempts, (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST_F(RedeliveryTest, RefusesAnEventThatFailsAgainAndAgainAndGoesOn) {
    policy.max_backoff = 1ms;
    say(3, verdicts({Verdict::retry, Verdict::not_attempted}));
    const auto result = deliver(1, 2);
    EXPECT_FALSE(result.given_up);
    EXPECT_EQ(result.delivered, (std::vector<std::size_t>{1}));
    ASSERT_EQ(result.refused.size(), 1U);
    EXPECT_EQ(result.refused[0].index, 0U);
    EXPECT_EQ(result.refused[0].attempts, 3U);
    EXPECT_EQ(result.refused[0].reason, "because");
    EXPECT_EQ(sink.offered.back(), (Ids{"uid-2-1002"}));
}

TEST_F(RedeliveryTest, GivesTheSinkUpWhenItStaysAway) {
    say(10, status(Status::unavailable));
    const auto result = deliver(1, 2);
    ASSERT_TRUE(result.given_up);
    EXPECT_EQ(result.given_up->reason, "the peer is away");
    EXPECT_FALSE(result.given_up->since);
    EXPECT_EQ(result.prefix, 0U);
    EXPECT_TRUE(result.refused.empty());
    EXPECT_GE(sink.offered.size(), 3U);
}

TEST_F(RedeliveryTest, BlamesNoEventForASinkThatIsAway) {
    policy.max_backoff = 1ms;
    say(10, [](std::span<const sinks::OutgoingEvent>, sinks::Outcomes &outcomes) {
        outcomes.verdicts[0] = Verdict::retry;
        outcomes.status = Status::unavailable;
        outcomes.reason = "the peer is away";
    });
    const auto result = deliver(1, 2);
    EXPECT_TRUE(result.given_up);
    EXPECT_TRUE(result.refused.empty());
}

TEST_F(RedeliveryTest, AsksForTheWholeOfTheLongestBackoffBeforeItGivesUp) {
    policy.max_backoff = 60ms;
    say(1000, status(Status::unavailable));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(deliver(1, 2).given_up);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 60ms);
    EXPECT_GT(sink.offered.size(), 3U);
}

TEST_F(RedeliveryTest, IsPatientAnewOnceSomethingIsDelivered) {
    say(2, status(Status::unavailable));
    say(1, verdicts({Verdict::delivered, Verdict::not_attempted}));
    say(2, status(Status::unavailable));
    const auto result = deliver(1, 2);
    EXPECT_FALSE(result.given_up);
    EXPECT_EQ(result.prefix, 2U);
}

TEST_F(RedeliveryTest, GivesTheSinkUpThatFailsEventAfterEvent) {
    policy.max_backoff = 1ms;
    EXPECT_FALSE(deliver(1, 1).given_up);
    sink.offered.clear();
    say(1000, [](std::span<const sinks::OutgoingEvent>, sinks::Outcomes &outcomes) {
        outcomes.verdicts[0] = Verdict::retry;
    });
    const auto result = deliver(2, 9);
    ASSERT_TRUE(result.given_up);
    EXPECT_EQ(result.given_up->since, (outbox::Position{EventId(2), Timestamp(1002)}));
    EXPECT_EQ(result.refused.size(), 3U);
    EXPECT_EQ(sink.offered.size(), 9U);
}

TEST_F(RedeliveryTest, GivesTheSinkUpThatRejectsAllAcrossBatches) {
    say(1, verdicts({Verdict::rejected, Verdict::delivered, Verdict::rejected}));
    say(1, verdicts({Verdict::rejected, Verdict::rejected, Verdict::rejected}));
    EXPECT_FALSE(deliver(1, 3).given_up);
    const auto result = deliver(4, 6);
    ASSERT_TRUE(result.given_up);
    EXPECT_EQ(result.given_up->since, (outbox::Position{EventId(3), Timestamp(1003)}));
    EXPECT_EQ(result.given_up->reason, "it refused 4 events in a row, the last with: because");
}

TEST_F(RedeliveryTest, OffersEachOnceWhereThatIsAskedFor) {
    policy.each_once = true;
    say(1, verdicts(std::vector<Verdict>(9, Verdict::retry)));
    say(1, verdicts(std::vector<Verdict>(9, Verdict::rejected)));
    EXPECT_EQ(deliver(1, 9).refused.size(), 9U);
    EXPECT_EQ(deliver(10, 18).refused.size(), 9U);
    const auto result = deliver(19, 20);
    EXPECT_EQ(result.delivered.size(), 2U);
    EXPECT_EQ(sink.offered.size(), 3U);
}

TEST_F(RedeliveryTest, ChargesTheFirstUnsettledEventWithAPluginThatBreaks) {
    policy.max_backoff = 1ms;
    const auto breaks = [](std::span<const sinks::OutgoingEvent> events,
                           sinks::Outcomes &outcomes) {
        if (events.front().id != "uid-2-1002") {
            outcomes.verdicts[0] = Verdict::delivered;
            if (events.size() == 1) return;
        }
        outcomes.status = Status::broken;
        outcomes.reason = "it threw";
    };
    say(4, breaks);
    const auto result = deliver(1, 3);
    EXPECT_FALSE(result.given_up);
    ASSERT_EQ(result.refused.size(), 1U);
    EXPECT_EQ(result.refused[0].index, 1U);
    EXPECT_EQ(result.refused[0].reason, "it threw");
    EXPECT_EQ(result.delivered, (std::vector<std::size_t>{0, 2}));

    // Each once: a plugin that does nothing but break is given up all the same.
    policy.each_once = true;
    redelivery.emplace(sink, policy, halt, counts);
    sink.script.clear();
    sink.offered.clear();
    say(100, status(Status::broken));
    const auto broken = deliver(1, 9);
    EXPECT_TRUE(broken.given_up);
    EXPECT_EQ(broken.refused.size(), 3U);
}

TEST_F(RedeliveryTest, KeepsWhatTheSinkAskedToWait) {
    say(1, status(Status::unavailable, 80ms));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(deliver(1, 1).prefix, 1U);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 80ms);
}

TEST_F(RedeliveryTest, StopsAfterTheCallInHandWhenHalted) {
    say(1, [this](std::span<const sinks::OutgoingEvent>, sinks::Outcomes &outcomes) {
        halt.stop();
        outcomes.verdicts = {Verdict::delivered, Verdict::not_attempted, Verdict::delivered};
    });
    const auto result = deliver(1, 3);
    EXPECT_EQ(result.prefix, 1U);
    EXPECT_EQ(result.delivered, (std::vector<std::size_t>{0, 2}));
    EXPECT_FALSE(result.given_up);
    EXPECT_EQ(sink.offered.size(), 1U);
}

TEST_F(RedeliveryTest, OffersMoreAtATimeWhileTheSinkIsQuick) {
    EXPECT_EQ(deliver(1, 200).delivered.size(), 200U);
    ASSERT_EQ(sink.offered.size(), 4U);
    EXPECT_EQ(sink.offered[0].size(), 16U);
    EXPECT_EQ(sink.offered[2].size(), 64U);
    EXPECT_EQ(sink.offered[3].size(), 88U);
}

TEST_F(RedeliveryTest, IsWokenOutOfItsWait) {
    say(1, status(Status::unavailable, 1min));
    std::thread stopper([this] { halt.stop(); });
    EXPECT_EQ(deliver(1, 1).prefix, 0U);
    stopper.join();
}

} // namespace
} // namespace pgat::delivery
