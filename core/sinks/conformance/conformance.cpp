#include "sinks/conformance/conformance.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "sinks/conformance/child.hpp"
#include "sinks/conformance/settings_secrets.hpp"

namespace pgat::conformance {
namespace {

using std::chrono::steady_clock;

// A check that waits leaves the processor to another.
constexpr std::size_t beyond_cores = 2;
// To mask what is shorter hides nothing but the sense.
constexpr std::size_t least_masked = 3;
constexpr timespec between_looks{0, 20000000};

// So that the end of a child can be waited for.
class ChildSignal {
  public:
    ChildSignal() {
        sigemptyset(&set_);
        sigaddset(&set_, SIGCHLD);
        ::sigprocmask(SIG_BLOCK, &set_, &before_);
        // Where the caller has it ignored, children vanish without a word.
        ignored_ = ::signal(SIGCHLD, SIG_DFL);
    }
    ~ChildSignal() {
        ::signal(SIGCHLD, ignored_);
        ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    }
    ChildSignal(const ChildSignal &) = delete;
    ChildSignal &operator=(const ChildSignal &) = delete;

    // Until a child ends, or it is time to look whether one takes too long.
    void wait() const { ::sigtimedwait(&set_, nullptr, &between_looks); }

  private:
    sigset_t set_{};
    sigset_t before_{};
    sighandler_t ignored_ = SIG_DFL;
};

bool wanted(const Check &check, const Options &options) {
    return options.only.empty() ||
           std::any_of(options.only.begin(), options.only.end(), [&](const std::string &name) {
               return name == check.name || name == check.group;
           });
}

class Run {
  public:
    Run(Subject subject, const Options &options, const std::function<void(const Result &)> &tell)
        : subject_(std::move(subject)), secrets_(secrets_of(subject_.settings, least_masked)),
          options_(options), tell_(tell) {
        for (const Check &check : all_checks())
            slots_.push_back({&check, {}, {}, {}, false});
    }

    Outcome run() {
        for (Slot &slot : slots_)
            if (slot.check->proves != Stage::nothing && needed(*slot.check)) prove(slot);
        try_all();
        Outcome outcome;
        outcome.undelivered = undelivered_;
        for (Slot &slot : slots_)
            if (shown(slot)) outcome.results.push_back(std::move(*slot.result));
        return outcome;
    }

  private:
    struct Slot {
        const Check *check;
        std::optional<Child> child;
        steady_clock::time_point begin;
        std::optional<Result> result;
        bool told;
    };

    // What was not proved, so that all that needs it is skipped.
    struct Obstacle {
        Stage lost;
        const Check *check;
        bool failed;
    };

    // A check that proves something is run if any that is wanted stands on it.
    bool needed(const Check &check) const {
        return wanted(check, options_) ||
               std::any_of(slots_.begin(), slots_.end(), [&](const Slot &slot) {
                   return wanted(*slot.check, options_) && slot.check->needs >= check.proves;
               });
    }

    bool shown(const Slot &slot) const {
        return slot.result &&
               (wanted(*slot.check, options_) || slot.result->finding.mark == Mark::failed);
    }

    void start(Slot &slot) {
        slot.begin = steady_clock::now();
        const Check &check = *slot.check;
        slot.child.emplace([&check, this] { return check.run(subject_); });
    }

    // Nothing: it still runs.
    std::optional<Finding> collect(Slot &slot) {
        if (!slot.child->ended()) return std::nullopt;
        Finding finding = slot.child->finding();
        slot.child.reset();
        // Plugins and libraries quote what they were given; this is read in the logs of a CI.
        finding.reason = masked(std::move(finding.reason), secrets_);
        for (std::string &line : finding.advice)
            line = masked(std::move(line), secrets_);
        return finding;
    }

    void finish(Slot &slot, Finding finding) {
        using std::chrono::milliseconds;
        const auto took =
            slot.begin == steady_clock::time_point()
                ? milliseconds(0)
                : std::chrono::duration_cast<milliseconds>(steady_clock::now() - slot.begin);
        slot.result = {slot.check, std::move(finding), took, nullptr};
        tell_in_order();
    }

    // A check that needs `stage` cannot be tried.
    bool is_skipped(Slot &slot) {
        if (!obstacle_ || slot.check->needs < obstacle_->lost) return false;
        slot.result = {slot.check,
                       {Mark::skipped,
                        fmt::format("as \"{}\" {}", obstacle_->check->name,
                                    obstacle_->failed ? "failed" : "was skipped"),
                        {}},
                       {},
                       obstacle_->check};
        tell_in_order();
        return true;
    }

    void tell_in_order() {
        for (Slot &next : slots_) { // all that is known, in order
            if (next.told || !wanted_or_failed(next)) continue;
            if (!next.result) break;
            tell_(*next.result);
            next.told = true;
        }
    }

    bool wanted_or_failed(const Slot &slot) const {
        return wanted(*slot.check, options_) || shown(slot);
    }

    void prove(Slot &slot) {
        const Check &check = *slot.check;
        if (is_skipped(slot)) return;
        start(slot);
        std::optional<Finding> finding;
        while (!(finding = collect(slot)))
            signal_.wait();
        if (finding->undelivered) {
            if (undelivered_.empty()) undelivered_ = finding->reason;
            if (options_.require_delivery) finding->mark = Mark::failed;
        }
        const bool failed = finding->mark == Mark::failed;
        if (check.run == checks::reaches_its_receiver) subject_.may_probe = !failed;
        if (check.proves == Stage::delivery) {
            subject_.may_publish = !failed || finding->undelivered;
            subject_.answers = finding->mark == Mark::ok || finding->undelivered;
        }
        if (is_delivery(check))
            subject_.receiver_there = finding->mark == Mark::ok || finding->undelivered;
        if (finding->mark != Mark::ok && !finding->undelivered) lose(check, *finding);
        finish(slot, std::move(*finding));
    }

    static bool is_delivery(const Check &check) {
        return check.group == std::string_view("delivery");
    }

    // `check` did not prove what others stand on.
    void lose(const Check &check, Finding &finding) {
        const bool failed = finding.mark == Mark::failed;
        // What a sink can be tried with without a receiver is tried.
        const Stage lost = is_delivery(check) ? Stage::delivery : check.proves;
        if (!obstacle_ || lost < obstacle_->lost) obstacle_ = {lost, &check, failed};
        if (failed) return;
        if (undelivered_.empty()) undelivered_ = finding.reason;
        if (options_.require_delivery) finding.mark = Mark::failed;
    }

    void try_all() {
        const std::size_t most = std::thread::hardware_concurrency() + beyond_cores;
        std::size_t running = 0;
        auto next = slots_.begin();
        for (;;) {
            for (; next != slots_.end() && running < most; ++next) {
                if (next->result || !wanted(*next->check, options_)) continue;
                if (is_skipped(*next)) continue;
                start(*next);
                ++running;
            }
            if (running == 0) return;
            for (Slot &slot : slots_) {
                if (!slot.child) continue;
                auto finding = collect(slot);
                if (!finding) continue;
                finish(slot, std::move(*finding));
                --running;
            }
            if (running > 0) signal_.wait();
        }
    }

    const ChildSignal signal_;
    Subject subject_;
    const std::set<std::string> secrets_;
    const Options &options_;
    const std::function<void(const Result &)> &tell_;
    std::vector<Slot> slots_;
    std::optional<Obstacle> obstacle_;
    std::string undelivered_;
};

} // namespace

std::size_t Outcome::count(Mark mark) const {
    return static_cast<std::size_t>(
        std::count_if(results.begin(), results.end(),
                      [mark](const Result &r) { return r.finding.mark == mark; }));
}

Outcome run(Subject subject, const Options &options,
            const std::function<void(const Result &)> &tell) {
    return Run(std::move(subject), options, tell).run();
}

bool is_check(const std::string &name) {
    return std::any_of(all_checks().begin(), all_checks().end(), [&](const Check &check) {
        return name == check.name || name == check.group;
    });
}

std::vector<std::string> check_names() {
    std::vector<std::string> names;
    for (const Check &check : all_checks())
        names.emplace_back(check.name);
    return names;
}

} // namespace pgat::conformance
