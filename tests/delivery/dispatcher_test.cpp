#include <functional>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "delivery/dispatcher_fixture.hpp"

namespace pgat::delivery {
namespace {

TEST_F(DispatcherTest, DeliversABatchInOneCallUnderStableIds) {
    events(3);
    const auto settled = deliver();
    EXPECT_TRUE(settled.whole);
    EXPECT_EQ(settled.prefix, 3U);
    ASSERT_EQ(sink.offered.size(), 1U);
    EXPECT_EQ(sink.offered[0],
              (std::vector<std::string>{"uid-1-1001", "uid-2-1002", "uid-3-1003"}));
    EXPECT_EQ(counts.delivered, 3U);
}

TEST_F(DispatcherTest, OffersOnlyWhatIsNotSettledAgainAndInOrder) {
    events(4);
    sink.script = {
        verdicts({Verdict::delivered, Verdict::retry, Verdict::delivered, Verdict::not_attempted})};
    EXPECT_TRUE(deliver().whole);
    ASSERT_EQ(sink.offered.size(), 2U);
    EXPECT_EQ(sink.offered[1], (std::vector<std::string>{"uid-2-1002", "uid-4-1004"}));
    EXPECT_EQ(sink.attempts[1], 2U);
}

TEST_F(DispatcherTest, ChargesNobodyForAnOutage) {
    events(2);
    sink.script = std::vector<ScriptedSink::Answer>(50, status(Status::unavailable));
    Dispatcher dispatcher(sink, policy, halt, counts);
    EXPECT_EQ(deliver_through_outages(dispatcher), 49) << "three calls at once, then one at a time";
    ASSERT_EQ(sink.offered.size(), 52U);
    EXPECT_EQ(sink.attempts.back(), 1U);
    EXPECT_TRUE(dead.empty());
    EXPECT_FALSE(dispatcher.outage());
}

TEST_F(DispatcherTest, AsksASinkThatWasAwayWithOneEventWhereItCannotBeAskedOtherwise) {
    events(4);
    sink.script = std::vector<ScriptedSink::Answer>(4, status(Status::unavailable));
    Dispatcher dispatcher(sink, policy, halt, counts);
    EXPECT_EQ(deliver_through_outages(dispatcher), 3);
    ASSERT_EQ(sink.offered.size(), 6U);
    EXPECT_EQ(sink.offered[2].size(), 4U) << "no outage yet";
    EXPECT_EQ(sink.offered[3], std::vector<std::string>{"uid-1-1001"});
    EXPECT_EQ(sink.offered[4], std::vector<std::string>{"uid-1-1001"});
    EXPECT_EQ(sink.offered[5].size(), 3U) << "it is back: the rest at once";
}

TEST_F(DispatcherTest, GivesUpAfterSoManyFailedCallsInARowAndSaysWhen) {
    events(2);
    sink.script = std::vector<ScriptedSink::Answer>(4, status(Status::unavailable, 60s));
    sink.script[0] = sink.script[1] = status(Status::unavailable);
    Dispatcher dispatcher(sink, policy, halt, counts);
    const auto before = std::chrono::steady_clock::now();
    const auto settled = deliver(dispatcher);
    EXPECT_FALSE(settled.whole);
    EXPECT_EQ(settled.prefix, 0U);
    EXPECT_EQ(sink.offered.size(), 3U);
    ASSERT_TRUE(dispatcher.outage());
    EXPECT_EQ(dispatcher.outage()->failed_calls, 3U);
    EXPECT_NE(dispatcher.outage()->reason.find("the peer is away"), std::string::npos);
    EXPECT_GE(dispatcher.outage()->next_attempt - before, 60s) << "what the sink asked for is kept";
    const auto since = dispatcher.outage()->since;
    // The next is one call, and does not wait.
    EXPECT_FALSE(deliver(dispatcher).whole);
    EXPECT_EQ(sink.offered.size(), 4U);
    EXPECT_EQ(dispatcher.outage()->failed_calls, 4U);
    EXPECT_EQ(dispatcher.outage()->since, since);
}

TEST_F(DispatcherTest, AsksASinkThatCanBeAskedBeforeItOffersABatchInAnOutage) {
    events(1);
    sink.script = std::vector<ScriptedSink::Answer>(3, status(Status::unavailable));
    sink.probes = {Status::unavailable, Status::ok};
    Dispatcher dispatcher(sink, policy, halt, counts);
    EXPECT_TRUE(dispatcher.worth_a_call()) << "no outage, no question";
    EXPECT_FALSE(deliver(dispatcher).whole);
    EXPECT_FALSE(dispatcher.worth_a_call());
    EXPECT_EQ(dispatcher.outage()->failed_calls, 4U);
    EXPECT_TRUE(dispatcher.worth_a_call());
    EXPECT_EQ(sink.offered.size(), 3U);
    EXPECT_TRUE(deliver(dispatcher).whole);
    EXPECT_FALSE(dispatcher.outage());
}

TEST_F(DispatcherTest, CountsFailedCallsInARowWhateverTheVerdict) {
    events(3);
    sink.script = {status(Status::unavailable),
                   verdicts({Verdict::delivered, Verdict::retry, Verdict::not_attempted}),
                   status(Status::unavailable)};
    Dispatcher dispatcher(sink, policy, halt, counts);
    const auto settled = deliver(dispatcher);
    EXPECT_EQ(settled.prefix, 1U);
    EXPECT_TRUE(dispatcher.outage());
    EXPECT_EQ(sink.offered.size(), 3U);
}

TEST_F(DispatcherTest, RemembersWhatAnEventIsChargedWithFromBatchToBatch) {
    policy.attempts = 1;
    policy.max_event_attempts = 4;
    sink.script = std::vector<ScriptedSink::Answer>(
        4, verdicts({Verdict::delivered, Verdict::retry, Verdict::delivered}));
    Dispatcher dispatcher(sink, policy, halt, counts);
    events(3);
    EXPECT_FALSE(deliver(dispatcher).whole);
    for (int attempt = 2; attempt < 4; ++attempt) {
        events_from(1, 3);
        EXPECT_FALSE(deliver(dispatcher).whole);
        EXPECT_TRUE(dead.empty());
    }
    events_from(1, 3);
    EXPECT_TRUE(deliver(dispatcher).whole);
    EXPECT_EQ(dead, (decltype(dead){{2, 4}}));
}

TEST_F(DispatcherTest, PutsAnEventThatFailsTooOftenIntoTheDeadLettersAndGoesOn) {
    events(2);
    sink.script =
        std::vector<ScriptedSink::Answer>(3, verdicts({Verdict::retry, Verdict::not_attempted}));
    EXPECT_TRUE(deliver().whole);
    EXPECT_EQ(dead, (decltype(dead){{1, 3}}));
    EXPECT_EQ(sink.offered.back(), (std::vector<std::string>{"uid-2-1002"}));
}

TEST_F(DispatcherTest, ChargesTheFirstUnsettledEventWhenThePluginBreaks) {
    events(3);
    sink.script = {[](auto events, sinks::Outcomes &outcomes) {
        outcomes.verdicts[0] = Verdict::delivered;
        outcomes.status = Status::broken;
        outcomes.reason = "it threw";
        (void)events;
    }};
    EXPECT_TRUE(deliver().whole);
    EXPECT_EQ(sink.offered[1], (std::vector<std::string>{"uid-2-1002", "uid-3-1003"}));
    EXPECT_EQ(sink.attempts[1], 2U);
}

TEST_F(DispatcherTest, DeadLettersARejectedEventAtOnce) {
    events(3);
    sink.script = {verdicts({Verdict::delivered, Verdict::rejected, Verdict::delivered})};
    EXPECT_TRUE(deliver().whole);
    EXPECT_EQ(sink.offered.size(), 1U);
    EXPECT_EQ(dead, (decltype(dead){{2, 1}}));
}

TEST_F(DispatcherTest, BlocksOnARejectedEventIfToldTo) {
    policy.dead_letters = false;
    events(1);
    sink.script = std::vector<ScriptedSink::Answer>(30, verdicts({Verdict::rejected}));
    Dispatcher dispatcher(sink, policy, halt, counts);
    deliver_through_outages(dispatcher);
    EXPECT_EQ(sink.offered.size(), 31U);
    EXPECT_TRUE(dead.empty());
}

TEST_F(DispatcherTest, TakesASinkThatRejectsEverythingForBroken) {
    policy.max_consecutive_rejected = 2;
    events(4);
    sink.script = {
        verdicts({Verdict::rejected, Verdict::rejected, Verdict::rejected, Verdict::rejected})};
    EXPECT_TRUE(deliver().whole);
    EXPECT_EQ(dead.size(), 2U);
    EXPECT_EQ(counts.delivered, 2U);
}

TEST_F(DispatcherTest, LetsNothingOvertakeARejectedEventOfABrokenSink) {
    policy.max_consecutive_rejected = 1;
    events(5);
    sink.script = {verdicts({Verdict::rejected, Verdict::rejected, Verdict::delivered,
                             Verdict::rejected, Verdict::rejected})};
    EXPECT_TRUE(deliver().whole);
    // The second: what came behind it was delivered. The last comes again.
    EXPECT_EQ(dead, (std::vector<std::pair<std::int64_t, std::uint32_t>>{{1, 1}, {2, 1}, {4, 1}}));
    ASSERT_EQ(sink.offered.size(), 2U);
    EXPECT_EQ(sink.offered[1], (std::vector<std::string>{"uid-5-1005"}));
}

TEST_F(DispatcherTest, OffersOneEventAKeyWhereARejectedOneBlocks) {
    policy.dead_letters = false;
    policy.group_key = "/k";
    const auto write = [this](int id, std::string_view payload) {
        chunk->events.push_back({Xid(9), {EventId(id), Timestamp(1000 + id)}, Lsn(), payload, {}});
    };
    write(1, R"({"k": "a"})");
    write(2, R"({"k": "b"})");
    write(3, R"({"k": "a"})");
    write(4, R"({"k": "c"})");
    write(5, "{}");
    write(6, R"({"k": "a"})");
    for (const auto &event : chunk->events)
        batch.events.push_back(&event);
    sink.script = {verdicts({Verdict::rejected, Verdict::delivered, Verdict::delivered}),
                   verdicts({Verdict::delivered})};
    EXPECT_TRUE(deliver().whole);
    using Ids = std::vector<std::string>;
    EXPECT_EQ(sink.offered, (std::vector<Ids>{{"uid-1-1001", "uid-2-1002", "uid-4-1004"},
                                              {"uid-1-1001"},
                                              {"uid-3-1003"},
                                              {"uid-5-1005"},
                                              {"uid-6-1006"}}));
}

TEST_F(DispatcherTest, KeepsToRetryAfter) {
    events(1);
    sink.script = {status(Status::unavailable, 50ms)};
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(deliver().whole);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 50ms);
}

TEST_F(DispatcherTest, GivesASinkNoMoreThanItTakesAtOnce) {
    events(5);
    sink.limit = 2;
    EXPECT_TRUE(deliver().whole);
    ASSERT_EQ(sink.offered.size(), 3U);
    EXPECT_EQ(sink.offered[2].size(), 1U);
}

TEST_F(DispatcherTest, SaysHowFarItGotWhenHalted) {
    events(4);
    sink.script = {[this](auto, sinks::Outcomes &outcomes) {
        outcomes.verdicts = {Verdict::delivered, Verdict::retry, Verdict::delivered,
                             Verdict::not_attempted};
        halt.stop();
    }};
    const auto settled = deliver();
    EXPECT_FALSE(settled.whole);
    EXPECT_EQ(settled.prefix, 1U);
    EXPECT_EQ(settled.delivered, (std::vector<std::size_t>{2}));
}

TEST_F(DispatcherTest, EndsALongWaitWhenHalted) {
    policy.initial_backoff = policy.max_backoff = 1h;
    events(1);
    sink.script = {[this](auto, sinks::Outcomes &outcomes) {
        outcomes.status = Status::unavailable;
        halt.end_session();
    }};
    EXPECT_FALSE(deliver().whole);
}

TEST_F(DispatcherTest, DoesNotCountARejectionAsSettledThatCouldNotBeStored) {
    events(3);
    sink.script = {verdicts({Verdict::delivered, Verdict::rejected, Verdict::delivered})};
    Dispatcher dispatcher(sink, policy, halt, counts);
    const auto settled = dispatcher.deliver(batch, "uid", [](std::span<const Rejection>) {
        throw Error(Remedy::reconnect, "the connection is lost");
    });
    EXPECT_FALSE(settled.whole);
    EXPECT_EQ(settled.prefix, 1U);
    EXPECT_EQ(settled.delivered, (std::vector<std::size_t>{2}));
    ASSERT_TRUE(settled.failure);
    EXPECT_EQ(settled.failure->remedy(), Remedy::reconnect);
}

TEST_F(DispatcherTest, AsksForTheLeaseBeforeEveryCallAndMakesNoneWithoutIt) {
    events(3);
    sink.script = {verdicts({Verdict::delivered, Verdict::retry, Verdict::delivered})};
    Dispatcher dispatcher(sink, policy, halt, counts);
    int calls = 0;
    const auto settled = dispatcher.deliver(
        batch, "uid", [](std::span<const Rejection>) {},
        [&] {
            if (++calls == 2) throw Error(Remedy::recover, "fenced");
        });
    EXPECT_EQ(sink.offered.size(), 1U);
    EXPECT_FALSE(settled.whole);
    EXPECT_EQ(settled.prefix, 1U);
    EXPECT_EQ(settled.delivered, (std::vector<std::size_t>{2}));
    ASSERT_TRUE(settled.failure);
    EXPECT_EQ(settled.failure->remedy(), Remedy::recover);
}

TEST_F(DispatcherTest, GivesEveryEventTheKeyThatThePointerLeadsTo) {
    policy.group_key = "/group_id";
    chunk->events.push_back(
        {Xid(9), {EventId(1), Timestamp(1)}, Lsn(), R"({"group_id": "a b"})", {}});
    chunk->events.push_back(
        {Xid(9), {EventId(2), Timestamp(2)}, Lsn(), R"({"group_id": 12345678901234567890.5})", {}});
    chunk->events.push_back({Xid(9), {EventId(3), Timestamp(3)}, Lsn(), R"({"other": 1})", {}});
    for (const auto &event : chunk->events)
        batch.events.push_back(&event);
    std::vector<std::string> keys;
    sink.script = {[&](std::span<const sinks::OutgoingEvent> events, sinks::Outcomes &outcomes) {
        for (const auto &event : events)
            keys.emplace_back(event.key);
        outcomes.verdicts.assign(events.size(), Verdict::delivered);
    }};
    EXPECT_TRUE(deliver().whole);
    EXPECT_EQ(keys, (std::vector<std::string>{"a b", "12345678901234567890.5", ""}));
}

} // namespace
} // namespace pgat::delivery
