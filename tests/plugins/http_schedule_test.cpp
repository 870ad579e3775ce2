// The http sink's schedule: whatever requests come to, in whatever order, the stream's order holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "http/schedule.hpp"

namespace pgat::test {

using http::Schedule;

namespace {

enum class Fate { untouched, in_flight, settled, retried };

// Plays one batch against the rules of the interface, with random keys, outcomes and order of answers.
class Play {
  public:
    explicit Play(unsigned seed)
        : random_(seed), shape_{1 + pick(6), pick(2) == 1}, schedule_(shape_) {
        const std::size_t count = 1 + pick(60);
        const unsigned keys = 1 + pick(6);
        for (std::size_t i = 0; i < count; ++i)
            keys_.push_back(pick(4) == 0 ? "" : std::to_string(pick(keys)));
        if (pick(2) == 1)
            for (std::size_t i = 0; i < count; ++i)
                groups_.push_back(pick(2));
        bad_ = pick(3) == 0 ? 0 : 1 + pick(10);
        fates_.assign(count, Fate::untouched);
    }

    void run() {
        schedule_.begin({keys_.begin(), keys_.end()}, groups_);
        std::vector<Schedule::Request> flying;
        while (true) {
            Schedule::Request request;
            while (flying.size() < shape_.concurrency && schedule_.next(request)) {
                started(request);
                flying.push_back(request);
            }
            if (flying.empty()) break;
            const std::size_t which = pick(static_cast<unsigned>(flying.size()));
            answered(flying[which]);
            flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(which));
        }
        ended();
    }

  private:
    unsigned pick(unsigned below) { return std::uniform_int_distribution(0U, below - 1)(random_); }

    void started(const Schedule::Request &request) {
        ASSERT_FALSE(request.events.empty());
        ASSERT_TRUE(std::is_sorted(request.events.begin(), request.events.end()));
        if (!shape_.many_events_a_request) {
            ASSERT_EQ(request.events.size(), 1U);
        }
        for (const std::uint32_t event : request.events) {
            ASSERT_EQ(fates_[event], Fate::untouched);
            if (!groups_.empty()) {
                ASSERT_EQ(groups_[event], groups_[request.events.front()]);
            }
            for (std::uint32_t before = 0; before < event; ++before) {
                if (std::binary_search(request.events.begin(), request.events.end(), before))
                    continue;
                const bool same_key = keys_[before] == keys_[event];
                const bool barrier = keys_[before].empty() || keys_[event].empty();
                if (same_key || barrier) {
                    ASSERT_EQ(fates_[before], Fate::settled) << before << " before " << event;
                }
            }
        }
        for (const std::uint32_t event : request.events)
            fates_[event] = Fate::in_flight;
    }

    void answered(const Schedule::Request &request) {
        const bool good = bad_ == 0 || pick(bad_) != 0;
        if (!good && request.events.size() > 1) {
            for (const std::uint32_t event : request.events)
                fates_[event] = Fate::untouched;
            schedule_.split(request);
            return;
        }
        for (const std::uint32_t event : request.events) {
            fates_[event] = good ? Fate::settled : Fate::retried;
            if (!good) schedule_.retry(event);
        }
        schedule_.done(request);
    }

    // Nothing is left alone but what stands behind a retried event.
    void ended() {
        std::map<std::string, bool> held;
        bool any_retried = false;
        bool stopped = false;
        for (std::uint32_t event = 0; event < fates_.size(); ++event) {
            stopped = stopped || (keys_[event].empty() && any_retried);
            if (stopped || held[keys_[event]]) {
                ASSERT_EQ(fates_[event], Fate::untouched) << event;
            } else {
                ASSERT_TRUE(fates_[event] == Fate::settled || fates_[event] == Fate::retried)
                    << event;
            }
            if (fates_[event] != Fate::retried) continue;
            any_retried = true;
            held[keys_[event]] = true;
            stopped = stopped || keys_[event].empty();
        }
    }

    std::mt19937 random_;
    Schedule::Shape shape_;
    Schedule schedule_;
    std::vector<std::string> keys_;
    std::vector<std::uint32_t> groups_;
    unsigned bad_ = 0;
    std::vector<Fate> fates_;
};

std::vector<std::uint32_t> take(Schedule &schedule) {
    Schedule::Request request;
    return schedule.next(request) ? request.events : std::vector<std::uint32_t>();
}

} // namespace

TEST(HttpSchedule, KeepsTheStreamsOrderWhateverHappens) {
    for (unsigned seed = 0; seed < 20000; ++seed) {
        Play(seed).run();
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
    }
}

TEST(HttpSchedule, StartsTheEarliestEventsFirst) {
    Schedule schedule({8, false});
    schedule.begin({"a", "b", "a", "c", "b"}, {});
    EXPECT_EQ(take(schedule), (std::vector<std::uint32_t>{0}));
    EXPECT_EQ(take(schedule), (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(take(schedule), (std::vector<std::uint32_t>{3}));
    EXPECT_TRUE(take(schedule).empty());
}

TEST(HttpSchedule, PutsAWholeBatchInOneRequestWhereOneLaneIsAskedFor) {
    Schedule schedule({1, true});
    schedule.begin({"a", "", "b"}, {});
    EXPECT_EQ(take(schedule), (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(HttpSchedule, BeginsAnewWithEachBatch) {
    Schedule schedule({4, false});
    schedule.begin({"a", "a"}, {});
    take(schedule);
    schedule.retry(0);
    schedule.begin({"a"}, {});
    EXPECT_EQ(take(schedule), (std::vector<std::uint32_t>{0}));
}

} // namespace pgat::test
