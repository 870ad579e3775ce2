// With a group_key, an event that must be offered again holds back its own key alone.
#include <fmt/format.h>

#include "delivery/dispatcher_fixture.hpp"

namespace pgat::delivery {
namespace {

// Events of two keys and of none, as the stream brings them.
struct KeyedDispatcherTest : DispatcherTest {
    KeyedDispatcherTest() {
        policy.group_key = "/k";
        policy.initial_backoff = policy.max_backoff = 1h;
    }

    // One event a character: its key; a blank: none.
    void keyed(std::string_view keys) {
        for (const char key : keys) {
            const auto payload =
                key == ' ' ? std::string("{}") : fmt::format(R"({{"k": "{}"}})", key);
            chunk->events.push_back(
                {Xid(9),
                 {EventId(static_cast<std::int64_t>(chunk->events.size()) + 1), Timestamp(1)},
                 Lsn(),
                 chunk->arena.copy(payload),
                 {}});
        }
        for (const auto &event : chunk->events)
            batch.events.push_back(&event);
    }
    Settled deliver_holding(Dispatcher &dispatcher) {
        return dispatcher.deliver(
            batch, "uid",
            [this](std::span<const Rejection> rejections) {
                for (const auto &letter : rejections)
                    dead.emplace_back(letter.event->at.id.value(), letter.attempts);
            },
            {}, Holding::keys);
    }
    // The keys of each call.
    std::vector<std::string> calls() const {
        std::vector<std::string> calls;
        for (const auto &ids : sink.offered) {
            auto &call = calls.emplace_back();
            for (const auto &id : ids) {
                const auto event = std::stoul(id.substr(4)) - 1;
                const auto &payload = chunk->events[event].payload;
                call += payload.size() > 7 ? payload[7] : ' ';
            }
        }
        return calls;
    }
    // Retries every event of these keys, stops at a key's first and at a barrier, as a plugin does.
    ScriptedSink::Answer refuse(const std::string &keys) {
        return
            [this, keys](std::span<const sinks::OutgoingEvent> events, sinks::Outcomes &outcomes) {
                std::string refused;
                for (std::uint32_t i = 0; i < events.size(); ++i) {
                    const char key = events[i].key.empty() ? ' ' : events[i].key[0];
                    if (refused.find(key) != std::string::npos) continue;
                    if (key == ' ' && !refused.empty()) return;
                    if (keys.find(key) == std::string::npos) {
                        outcomes.verdicts[i] = Verdict::delivered;
                        continue;
                    }
                    outcomes.verdicts[i] = Verdict::retry;
                    outcomes.reasons.push_back({i, "refused", asked});
                    refused += key;
                    if (key == ' ') return;
                }
            };
    }

    std::chrono::milliseconds asked{0};
};

TEST_F(KeyedDispatcherTest, HoldsBackOnlyTheKeyOfAnEventThatMustBeRetried) {
    keyed("abcab");
    sink.script = {refuse("a")};
    Dispatcher dispatcher(sink, policy, halt, counts);
    const auto settled = deliver_holding(dispatcher);
    EXPECT_EQ(settled.prefix, 0U);
    EXPECT_EQ(settled.delivered, (std::vector<std::size_t>{1, 2, 4}));
    EXPECT_FALSE(settled.whole);
    EXPECT_FALSE(dispatcher.outage());
    EXPECT_EQ(dispatcher.held_keys().size(), 1U);
    EXPECT_EQ(calls(), (std::vector<std::string>{"abcab"}));
}

TEST_F(KeyedDispatcherTest, OffersTheHeldKeyWhenItsTimeHasComeInOrder) {
    policy.initial_backoff = policy.max_backoff = 1ms;
    keyed("aba");
    sink.script = {refuse("a"), refuse("a")};
    Dispatcher dispatcher(sink, policy, halt, counts);
    batch.keep_unsettled(deliver_holding(dispatcher));
    while (!batch.empty()) {
        std::this_thread::sleep_until(dispatcher.held_keys().next_attempt());
        batch.keep_unsettled(deliver_holding(dispatcher));
    }
    EXPECT_EQ(calls(), (std::vector<std::string>{"aba", "aa", "aa"}));
    EXPECT_EQ(sink.attempts, (std::vector<std::uint32_t>{1, 2, 3}));
    EXPECT_TRUE(dispatcher.held_keys().empty());
}

TEST_F(KeyedDispatcherTest, LetsNothingPassAnEventWithoutTheKey) {
    keyed("ab cb");
    sink.script = {refuse("a")};
    Dispatcher dispatcher(sink, policy, halt, counts);
    const auto settled = deliver_holding(dispatcher);
    EXPECT_EQ(settled.delivered, (std::vector<std::size_t>{1}));
    EXPECT_EQ(calls().size(), 1U) << "behind the barrier nothing may go";
    batch.keep_unsettled(settled);
    EXPECT_FALSE(deliver_holding(dispatcher).whole);
    EXPECT_EQ(calls().size(), 1U);
}

TEST_F(KeyedDispatcherTest, WaitsForAnEventWithoutTheKeyAsForTheWholeStream) {
    policy.initial_backoff = policy.max_backoff = 1ms;
    keyed(" a");
    sink.script = {refuse(" ")};
    Dispatcher dispatcher(sink, policy, halt, counts);
    EXPECT_TRUE(deliver_holding(dispatcher).whole);
    EXPECT_EQ(calls(), (std::vector<std::string>{" a", " a"}));
}

TEST_F(KeyedDispatcherTest, KeepsToWhatTheSinkAskedForAKey) {
    policy.initial_backoff = policy.max_backoff = 1ms;
    asked = 1h;
    keyed("ab");
    sink.script = {refuse("a")};
    Dispatcher dispatcher(sink, policy, halt, counts);
    deliver_holding(dispatcher);
    EXPECT_GE(dispatcher.held_keys().next_attempt() - std::chrono::steady_clock::now(), 59min);
}

TEST_F(KeyedDispatcherTest, TakesASinkForDownThatRefusesEveryKeyItIsOffered) {
    policy.max_event_attempts = 1000;
    Dispatcher dispatcher(sink, policy, halt, counts);
    sink.script = std::vector<ScriptedSink::Answer>(9, refuse("abc"));
    for (const char *keys : {"a", "b", "c"}) {
        EXPECT_FALSE(dispatcher.outage());
        chunk = std::make_shared<outbox::Chunk>();
        batch.clear();
        keyed(keys);
        EXPECT_FALSE(deliver_holding(dispatcher).whole);
    }
    ASSERT_TRUE(dispatcher.outage());
    EXPECT_EQ(dispatcher.outage()->reason, "refused");
}

TEST_F(KeyedDispatcherTest, TakesNoSinkForDownThatRefusesOneKeyForEver) {
    policy.initial_backoff = policy.max_backoff = 1ms;
    policy.max_event_attempts = 1000;
    keyed("a");
    sink.script = std::vector<ScriptedSink::Answer>(20, refuse("a"));
    Dispatcher dispatcher(sink, policy, halt, counts);
    for (int call = 0; call < 20; ++call) {
        EXPECT_FALSE(deliver_holding(dispatcher).whole);
        EXPECT_FALSE(dispatcher.outage());
        std::this_thread::sleep_until(dispatcher.held_keys().next_attempt());
    }
    EXPECT_TRUE(deliver_holding(dispatcher).whole);
}

TEST_F(KeyedDispatcherTest, LetsAKeyGoOnOnceItsEventIsADeadLetter) {
    policy.max_event_attempts = 1;
    keyed("aba");
    sink.script = {refuse("a")};
    Dispatcher dispatcher(sink, policy, halt, counts);
    EXPECT_TRUE(deliver_holding(dispatcher).whole);
    EXPECT_EQ(dead, (decltype(dead){{1, 1}}));
    EXPECT_EQ(calls(), (std::vector<std::string>{"aba", "a"}));
}

TEST_F(KeyedDispatcherTest, BlocksOnlyTheKeyOfARejectedEventThatIsToBlock) {
    policy.dead_letters = false;
    keyed("aba");
    sink.script = {verdicts({Verdict::rejected, Verdict::delivered, Verdict::not_attempted})};
    Dispatcher dispatcher(sink, policy, halt, counts);
    const auto settled = deliver_holding(dispatcher);
    EXPECT_EQ(settled.delivered, (std::vector<std::size_t>{1}));
    EXPECT_FALSE(dispatcher.outage());
}

TEST_F(KeyedDispatcherTest, HoldsNoKeyInAReplay) {
    policy.initial_backoff = policy.max_backoff = 1ms;
    keyed("ab");
    sink.script = {refuse("a")};
    EXPECT_TRUE(deliver().whole);
    EXPECT_EQ(calls(), (std::vector<std::string>{"ab", "a"}));
}

} // namespace
} // namespace pgat::delivery
