#include "cli/sink_session.hpp"

#include <exception>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/program.hpp"
#include "daemon/foreground.hpp"
#include "daemon/sink_watch.hpp"
#include "sinks/open_sink.hpp"

namespace pgat::cli {

void run_with_sink(const config::Config &config, Halt &halt, const SinkSession &session) {
    const sinks::Plugin &plugin = sinks::configured_plugin(config);
    sinks::Metrics metrics;
    sinks::CallWatch calls;
    std::mutex mutex;
    sinks::Sink *current = nullptr;
    const auto set_current = [&](sinks::Sink *sink) {
        const std::lock_guard lock(mutex);
        current = sink;
    };
    std::exception_ptr failure;
    daemon::Foreground foreground;
    foreground.work = [&] {
        try {
            const auto sink = sinks::open_sink(plugin, config, metrics, calls);
            set_current(sink.get());
            try {
                session.work(*sink);
            } catch (...) {
                failure = std::current_exception();
            }
            set_current(nullptr);
        } catch (...) {
            failure = std::current_exception();
        }
    };
    foreground.tick = session.tick;
    foreground.stopping = [](const char *) {
        // Below the ^C, or the bar.
        fmt::print(stderr, "{}stopping after the batch in hand; once more to stop at once\n",
                   isatty(STDERR_FILENO) != 0 ? "\n" : "");
    };
    foreground.cancel = [&] {
        const std::lock_guard lock(mutex);
        if (current != nullptr) current->cancel();
    };
    if (!daemon::run_in_foreground(halt, config.stream.shutdown_timeout, foreground)) {
        const auto call = calls.running();
        fmt::print(stderr, "{}, and is left behind\n",
                   call ? daemon::describe(*call) : "the sink did not end in time");
        if (session.abandoned) session.abandoned();
        std::fflush(nullptr);
        // A thread is still at work with what destructors would take away.
        ::_exit(1);
    }
    if (failure) std::rethrow_exception(failure);
}

postgres::SessionOptions sink_session_options(const config::Config &config,
                                              std::string_view command, const Wakeup *interrupt) {
    auto options = session_options(config, command);
    options.interrupt = interrupt;
    for (const auto &setting : {std::pair{"synchronous_commit", "local"},
                                {"default_transaction_isolation", "read committed"},
                                {"default_transaction_read_only", "off"},
                                {"statement_timeout", "0"},
                                {"idle_session_timeout", "0"},
                                {"search_path", "pg_catalog"},
                                {"DateStyle", "ISO"}})
        options.settings.emplace_back(setting.first, setting.second);
    return options;
}

std::string require_uid(postgres::Connection &sql, StreamId stream) {
    // Not the whole row: the schema may be an older one, which the daemon has still to bring up to date.
    const auto row = sql.exec("select uid from async_triggers.streams where id = $1", {stream});
    if (!row.empty()) return std::string(row.text(0, 0));
    throw Error(Remedy::stop, fmt::format("this database has no stream {}", stream))
        .with_hint(
            "look at stream.id and stream.pg_connection; a subscription or the daemon's first "
            "start makes a stream");
}

delivery::RedeliveryPolicy redelivery_policy(const config::Stream &stream) {
    return {stream.id,
            stream.group_key,
            stream.retry.attempts,
            stream.retry.initial_backoff,
            stream.retry.max_backoff,
            stream.max_consecutive_rejected,
            stream.call_timeout,
            false};
}

} // namespace pgat::cli
