// The plugin's own threads, and the host's: who may call what, when, and how many sinks there are.
#include <atomic>
#include <exception>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/slate.hpp"
#include "sinks/conformance/surroundings.hpp"

namespace pgat::conformance::checks {
namespace {

constexpr std::chrono::milliseconds between_looks{2};
// How long a thread that has ended may still be listed.
constexpr std::chrono::milliseconds passing{500};
// How long what runs on after destroy() has to give itself away.
constexpr std::chrono::milliseconds aftermath{200};

// Looks, until it is destroyed, at the threads of the process that are not ours.
class ThreadWatch {
  public:
    ThreadWatch() : ours_(threads()), watcher_([this](const std::stop_token &stop) { run(stop); }) {
        while (!watching_)
            std::this_thread::yield();
    }
    ~ThreadWatch() = default;
    ThreadWatch(const ThreadWatch &) = delete;
    ThreadWatch &operator=(const ThreadWatch &) = delete;

    void end() {
        watcher_.request_stop();
        watcher_.join();
    }

    // A thread, and what it did not block; after end().
    const std::map<std::string, std::vector<std::string>> &open() const noexcept { return open_; }
    bool saw_any() const noexcept { return saw_any_; }

  private:
    void look() {
        for (const pid_t thread : threads()) {
            if (ours_.contains(thread)) continue;
            saw_any_ = true;
            auto unblocked = unblocked_signals(thread);
            if (!unblocked.empty()) open_[thread_name(thread)] = std::move(unblocked);
        }
    }

    void run(const std::stop_token &stop) {
        ours_.insert(::gettid());
        watching_ = true;
        while (!stop.stop_requested()) {
            look();
            std::this_thread::sleep_for(between_looks);
        }
    }

    std::set<pid_t> ours_;
    std::atomic<bool> watching_{false};
    bool saw_any_ = false;
    std::map<std::string, std::vector<std::string>> open_;
    std::jthread watcher_; // the last, as it uses the others
};

// The threads, once there are no more than `wanted`, or that does not come: one that has been joined is listed
// for a moment longer.
std::set<pid_t> threads_after(std::size_t wanted) {
    const auto end = std::chrono::steady_clock::now() + passing;
    auto found = threads();
    while (found.size() > wanted && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(between_looks);
        found = threads();
    }
    return found;
}

// Counts down, also where the sink is not made.
class Made {
  public:
    explicit Made(std::latch &latch) : latch_(latch) {}
    ~Made() {
        if (!counted_) latch_.count_down();
    }
    Made(const Made &) = delete;
    Made &operator=(const Made &) = delete;

    void wait() {
        counted_ = true;
        latch_.arrive_and_wait();
    }

  private:
    std::latch &latch_;
    bool counted_ = false;
};

} // namespace

Finding leaves_no_thread(const Subject &subject) {
    const Opened &opened = open(subject);
    const auto once = [&] {
        ObservedHost &host = ObservedHost::make();
        TrialSink sink(opened.plugin.table, host, opened.config);
        live(subject, sink, [](std::string_view) {});
    };
    once(); // a library may keep a thread for good
    const std::size_t before = threads().size();
    constexpr int times = 5;
    for (int i = 0; i < times; ++i)
        once();
    const auto after = threads_after(before);
    if (after.size() <= before) return {};
    fail(fmt::format("after {} sinks made and destroyed {} threads still run, as {}", times,
                     after.size() - before, thread_name(*after.rbegin())),
         {"join in destroy() what create() or publish() started"});
}

Finding threads_block_signals(const Subject &subject) {
    if (sanitized) skip("the sanitizer of this build has threads of its own");
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    ThreadWatch watch;
    live(subject, sink, [](std::string_view) { std::this_thread::sleep_for(2 * between_looks); });
    watch.end();
    if (!watch.saw_any()) return {Mark::ok, "", {}};
    if (watch.open().empty()) return {};
    const auto &[thread, signals] = *watch.open().begin();
    const bool many = signals.size() > 3;
    fail(fmt::format("its thread {} does not block {}{}", thread,
                     fmt::join(signals.begin(), many ? signals.begin() + 3 : signals.end(), ", "),
                     many ? " and others" : ""),
         {"it would take a signal that is for the daemon: functions are called with all of them "
          "blocked, so threads started there block them, too, unless they change it"});
}

Finding calls_on_the_right_thread(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, [](std::string_view) {});
    if (const auto found = sink.host().violations(Rule::thread); !found.empty())
        fail(found.front(), {found.begin() + 1, found.end()});
    return {};
}

Finding calls_only_during_life(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, [](std::string_view) {});
    slate().enter("what runs on after destroy()", patience);
    std::this_thread::sleep_for(aftermath);
    if (const auto found = sink.host().violations(Rule::lifetime); !found.empty())
        fail(found.front(), {found.begin() + 1, found.end()});
    return {};
}

Finding two_sinks_on_two_threads(const Subject &subject) {
    const Opened &opened = open(subject);
    std::exception_ptr problem;
    std::mutex mutex;
    std::latch both_made(2);
    std::atomic<bool> made_no_answer{false};
    const auto work = [&] {
        TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
        try {
            Made made(both_made);
            sink.require();
            made.wait();
            for (int round = 0; round < 5 && subject.may_publish; ++round) {
                TrialBatch batch(usual_events(50));
                const Answer answer = sink.publish(batch, "50 events", subject.deadline());
                const bool away =
                    answer.status == PGAT_E_UNAVAILABLE || answer.status == PGAT_E_CANCELLED;
                if (away && !subject.answers) {
                    made_no_answer = true;
                    break;
                }
                if (subject.receiver_there && answer.status != PGAT_OK)
                    fail(fmt::format("publish() of one of two sinks returned {}", answer.text()));
            }
            sink.destroy();
            if (const auto found = sink.host().violations(Rule::foreign); !found.empty())
                fail("what belongs to one sink came to the other: " + found.front(),
                     {"keep what belongs to a sink in its instance, and lock what they share"});
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!problem) problem = std::current_exception();
        }
    };
    // Five calls, each of which may come a second after its deadline, and the way there and back.
    slate().enter("one of two sinks on two threads",
                  5 * (subject.deadline() + grace + grace) + patience);
    std::thread first(work);
    std::thread second(work);
    first.join();
    second.join();
    slate().leave();
    if (problem) std::rethrow_exception(problem);
    if (made_no_answer) return {Mark::ok, "", {"its receiver took nothing: shows little"}};
    return {};
}

} // namespace pgat::conformance::checks
