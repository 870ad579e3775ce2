// What belongs to the whole process, and is not a plugin's to change.
#include <atomic>
#include <cerrno>

#include <pthread.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/child.hpp"
#include "sinks/conformance/surroundings.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance::checks {
namespace {

// Lives a life, and after loading and each step of it compares by `changed`.
template <class Changed>
ObservedHost &watch(const Subject &subject, Changed changed) {
    const Surroundings before = Surroundings::now();
    const auto look = [&](std::string_view step) {
        const auto found = changed(before, Surroundings::now());
        if (!found.empty())
            fail(fmt::format("{} changed {}", step, found.front()),
                 {found.begin() + 1, found.end()});
    };
    const Opened &opened = open(subject);
    look("loading it");
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, look);
    return sink.host();
}

std::atomic<bool> forked{false};

} // namespace

Finding leaves_signals_alone(const Subject &subject) {
    const ObservedHost &host = watch(subject, changed_signals);
    if (const auto found = host.violations(Rule::signals); !found.empty())
        fail(found.front(), {found.begin() + 1, found.end()});
    return {};
}

Finding leaves_the_process_alone(const Subject &subject) {
    watch(subject, changed_process);
    return {};
}

Finding writes_no_output(const Subject &subject) {
    const Opened &opened = open(subject);
    const std::size_t loading = written_to_output().size(); // is another check's
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, [loading](std::string_view step) {
        if (const auto written = written_to_output().substr(loading); !written.empty())
            fail(fmt::format("{} wrote \"{}\"", step, sinks::one_line(written, 200)),
                 {"log it through host->log(): standard output may be somebody's data"});
    });
    return {};
}

Finding forks_nothing(const Subject &subject) {
    const auto look = [](std::string_view step) {
        // One that was started without fork() is a child that can be waited for.
        const bool child = ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
        if (forked || child)
            fail(fmt::format("{} started a process", step),
                 {"a fork of a daemon with threads holds its locks for ever"});
    };
    ::pthread_atfork([] { forked = true; }, nullptr, nullptr);
    const Opened &opened = open(subject);
    look("loading it");
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, look);
    return {};
}

Finding logs_lines(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, [](std::string_view) {});
    if (const auto found = sink.host().violations(Rule::log_line); !found.empty())
        fail(found.front(), {found.begin() + 1, found.end()});
    return {};
}

Finding uses_services_as_described(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, [](std::string_view) {});
    if (const auto found = sink.host().violations(Rule::service); !found.empty())
        fail(found.front(), {found.begin() + 1, found.end()});
    if (const std::string problem = sink.host().cancel_fd_problem(); !problem.empty())
        fail(problem, {"poll it: to read it would hide the cancellation from others"});
    return {};
}

} // namespace pgat::conformance::checks
