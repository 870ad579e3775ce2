// In which order the http sink sends, how much at once, and how it stops.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "plugins/sink_under_test.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat::test {

using nlohmann::json;
using std::chrono::milliseconds;
using support::HttpAnswer;
using support::HttpReceiver;
using support::HttpRequest;

namespace {

int number_of(const HttpRequest &request) { return json::parse(request.body).at("n").get<int>(); }

std::string five_keys(std::size_t i) { return "key-" + std::to_string(i % 5); }

// Splits arrays that hold a number of `culprits` off with `status`.
HttpReceiver::Script refuse(std::vector<int> culprits, int status) {
    return [culprits = std::move(culprits), status](const HttpRequest &request) {
        for (const json &event : json::parse(request.body))
            for (const int culprit : culprits)
                if (event.at("n") == culprit) return HttpAnswer{status, "", {}};
        return HttpAnswer{};
    };
}

} // namespace

TEST(HttpOrder, IsTheStreamsWhereEventsHaveNoKey) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"concurrency", 8}});
    EXPECT_EQ(sink.publish(Events().fill(100)).verdicts, verdicts(100));
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 100U);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(number_of(requests[static_cast<std::size_t>(i)]), i + 1);
    EXPECT_EQ(receiver.most_at_once(), 1U);
}

TEST(HttpOrder, HoldsWithinAKeyWhileKeysGoAtOnce) {
    HttpReceiver receiver;
    // Nobody is answered before five requests are there: one of each key.
    std::atomic<int> arrived{0};
    receiver.answer_with([&](const HttpRequest &) {
        ++arrived;
        support::eventually([&] { return arrived >= 5; });
        return HttpAnswer{};
    });
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"concurrency", 16}});
    EXPECT_EQ(sink.publish(Events().fill(100, five_keys)).verdicts, verdicts(100));
    EXPECT_EQ(receiver.most_at_once(), 5U);
    EXPECT_LE(receiver.connections(), 5U);
    std::map<int, int> last;
    for (const HttpRequest &request : receiver.requests()) {
        const int n = number_of(request);
        EXPECT_LT(last[n % 5], n);
        last[n % 5] = n;
    }
}

TEST(HttpOrder, KeepsToTheConcurrencyThatIsConfigured) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"concurrency", 3}});
    const auto own_key = [](std::size_t i) { return std::to_string(i); };
    EXPECT_EQ(sink.publish(Events().fill(200, own_key)).verdicts, verdicts(200));
    EXPECT_LE(receiver.most_at_once(), 3U);
    EXPECT_LE(receiver.connections(), 3U);
}

TEST(HttpOrder, LetsAnEventWithoutAKeyWaitForAllBeforeIt) {
    HttpReceiver receiver;
    std::mutex mutex;
    std::set<int> being_answered;
    std::vector<std::string> overlaps;
    receiver.answer_with([&](const HttpRequest &request) {
        const int n = number_of(request);
        {
            const std::lock_guard lock(mutex);
            if (n % 10 == 0 && !being_answered.empty()) overlaps.push_back(request.body);
            for (const int other : being_answered)
                if (other / 10 != n / 10 || other % 10 == 0) overlaps.push_back(request.body);
            being_answered.insert(n);
        }
        std::this_thread::yield();
        const std::lock_guard lock(mutex);
        being_answered.erase(n);
        return HttpAnswer{};
    });
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"concurrency", 8}});
    // Numbers 10, 20, … have no key.
    const auto key = [](std::size_t i) {
        return (i + 1) % 10 == 0 ? std::string() : std::to_string(i);
    };
    EXPECT_EQ(sink.publish(Events().fill(100, key)).verdicts, verdicts(100));
    EXPECT_TRUE(overlaps.empty()) << overlaps.front();
}

TEST(HttpOrder, HoldsBackOnlyTheKeyOfARetriedEventUpToTheNextWithoutAKey) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"concurrency", 4}});
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{number_of(request) == 1 ? 500 : 200, "", {}};
    });
    const Outcomes outcomes = sink.publish(Events().fill(6, [](std::size_t i) {
        return std::string(i == 4 ? "" : i % 2 ? "b" : "a");
    }));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    const auto none = Verdict::not_attempted;
    EXPECT_EQ(outcomes.verdicts, (std::vector{Verdict::retry, Verdict::delivered, none,
                                              Verdict::delivered, none, none}));
}

TEST(HttpOrder, WaitsForWhatIsInFlightWhenTheEndpointTakesNoMore) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"concurrency", 4}});
    receiver.answer_with([&](const HttpRequest &request) {
        receiver.wait_for(4);
        return HttpAnswer{number_of(request) == 2 ? 503 : 200, "", {}};
    });
    const auto own_key = [](std::size_t i) { return std::to_string(i); };
    const Outcomes outcomes = sink.publish(Events().fill(4, own_key));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, (std::vector{Verdict::delivered, Verdict::not_attempted,
                                              Verdict::delivered, Verdict::delivered}));
}

TEST(HttpSplit, FindsTheEventsThatAreToBlame) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"mode", "array"}});
    for (const int status : {400, 413, 422}) {
        receiver.answer_with(refuse({17, 64, 65}, status));
        const Outcomes outcomes = sink.publish(Events().fill(100));
        EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
        for (std::size_t i = 0; i < 100; ++i) {
            const bool bad = i == 16 || i == 63 || i == 64;
            EXPECT_EQ(outcomes.verdicts[i], bad ? Verdict::rejected : Verdict::delivered) << i;
        }
    }
    // Three culprits of a hundred, three times: far fewer requests than events.
    EXPECT_LT(receiver.requests().size(), 150U);
}

TEST(HttpSplit, DeliversInOrder) {
    HttpReceiver receiver;
    std::vector<int> delivered;
    receiver.answer_with([&](const HttpRequest &request) {
        const json events = json::parse(request.body);
        if (events.size() > 3) return HttpAnswer{413, "", {}};
        for (const json &event : events)
            delivered.push_back(event.at("n").get<int>());
        return HttpAnswer{};
    });
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"mode", "array"}});
    EXPECT_EQ(sink.publish(Events().fill(50)).verdicts, verdicts(50));
    ASSERT_EQ(delivered.size(), 50U);
    EXPECT_TRUE(std::is_sorted(delivered.begin(), delivered.end()));
}

TEST(HttpSplit, RetriesOnlyTheEventThatFailsByItself) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"mode", "ndjson"}});
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{request.body.find("\"n\":5}") != std::string::npos ? 500 : 200, "", {}};
    });
    const Outcomes outcomes = sink.publish(Events().fill(10));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    auto expected = verdicts(10, Verdict::not_attempted);
    std::fill_n(expected.begin(), 4, Verdict::delivered);
    expected[4] = Verdict::retry;
    EXPECT_EQ(outcomes.verdicts, expected);
}

TEST(HttpSplit, SpreadsKeysOverSeveralRequests) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"mode", "array"}, {"concurrency", 4}});
    const auto key = [](std::size_t i) { return std::to_string(i % 50); };
    EXPECT_EQ(sink.publish(Events().fill(500, key)).verdicts, verdicts(500));
    EXPECT_GE(receiver.requests().size(), 2U);
    EXPECT_LE(receiver.requests().size(), 4U);
    std::map<int, std::size_t> request_of_key;
    for (std::size_t r = 0; r < receiver.requests().size(); ++r) {
        int last = 0;
        for (const json &event : json::parse(receiver.requests()[r].body)) {
            const int n = event.at("n").get<int>();
            EXPECT_LT(last, n);
            last = n;
            EXPECT_EQ(request_of_key.try_emplace((n - 1) % 50, r).first->second, r);
        }
    }
}

TEST(HttpStop, ByCancellationComesWithinASecondAndKeepsVerdicts) {
    HttpReceiver receiver;
    std::promise<void> promise;
    receiver.answer_with([gate = promise.get_future().share()](const HttpRequest &request) {
        if (number_of(request) == 3) gate.wait();
        return HttpAnswer{};
    });
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    std::atomic<Clock::duration> asked{};
    std::thread canceller([&] {
        receiver.wait_for(3);
        asked = Clock::now().time_since_epoch();
        sink.sink().cancel();
    });
    const Outcomes outcomes = sink.publish(Events().fill(5));
    const auto took = Clock::now().time_since_epoch() - asked.load();
    canceller.join();
    promise.set_value();
    EXPECT_EQ(outcomes.status, Status::cancelled) << outcomes.reason;
    const auto none = Verdict::not_attempted;
    EXPECT_EQ(outcomes.verdicts,
              (std::vector{Verdict::delivered, Verdict::delivered, none, none, none}));
    EXPECT_LT(took, std::chrono::seconds(1));
}

TEST(HttpStop, WaitsAMomentForAnAnswerThatIsAboutToCome) {
    HttpReceiver receiver;
    std::atomic<bool> cancelled{false};
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    receiver.answer_with([&](const HttpRequest &) {
        sink.sink().cancel();
        cancelled = true;
        return HttpAnswer{};
    });
    const Outcomes outcomes = sink.publish(Events().fill(3));
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(outcomes.status, Status::cancelled);
    EXPECT_EQ(outcomes.verdicts,
              (std::vector{Verdict::delivered, Verdict::not_attempted, Verdict::not_attempted}));
}

TEST(HttpStop, ComesAtTheDeadline) {
    HttpReceiver receiver;
    std::promise<void> promise;
    receiver.answer_with([gate = promise.get_future().share()](const HttpRequest &) {
        gate.wait();
        return HttpAnswer{};
    });
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    const auto begin = Clock::now();
    const Outcomes outcomes = sink.publish(Events().fill(2), milliseconds(300));
    EXPECT_LT(Clock::now() - begin, milliseconds(1300));
    EXPECT_EQ(outcomes.status, Status::cancelled);
    EXPECT_EQ(outcomes.verdicts, verdicts(2, Verdict::not_attempted));
    promise.set_value();
    // The instance is as good as before.
    receiver.answer_with(200);
    EXPECT_EQ(sink.publish(Events().fill(2)).verdicts, verdicts(2));
}

} // namespace pgat::test
