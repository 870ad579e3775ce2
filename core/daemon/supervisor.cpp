#include "daemon/supervisor.hpp"

#include "config/connection_string.hpp"
#include "daemon/sessions.hpp"
#include "daemon/sink_watch.hpp"
#include "delivery/policy.hpp"
#include "observe/log.hpp"
#include "postgres/sqlstate.hpp"
#include "sinks/open_sink.hpp"

namespace pgat::daemon {

namespace {

using namespace std::chrono_literals;

constexpr observe::Log log{"daemon"};
constexpr auto standby_interval = 1s;
constexpr auto last_store_limit = 2s;

} // namespace

Supervisor::Supervisor(const config::Config &config, Halt &halt, sinks::CrashMarker &crash)
    : config_(config), halt_(halt), backoff_(250ms, 10s) {
    memory_.crash = &crash;
    if (!crash.found()) return;
    log.error("the last run was ended by a crash of the plugin",
              {{"crash", crash.found()->what()}, {"event", crash.found()->event}});
    // Of a function that has no event, or a thread between two calls: nothing is left to be done.
    if (crash.found()->event.empty()) crash.forget();
}

void Supervisor::cancel_sink() {
    const std::lock_guard lock(sink_mutex_);
    if (sink_ != nullptr) sink_->cancel();
}

std::optional<std::string> Supervisor::ailment() const {
    const auto hanging = sink_calls_.hanging();
    return hanging ? std::optional(describe(*hanging)) : std::nullopt;
}

// A configuration that can never work is thrown on; anything else is tried again until the program is to end.
std::unique_ptr<sinks::PluginSink> Supervisor::make_sink() {
    const auto &plugin = sinks::configured_plugin(config_);
    Backoff backoff(config_.stream.retry.initial_backoff, config_.stream.retry.max_backoff);
    while (!halt_.stopping()) {
        try {
            auto sink = sinks::open_sink(plugin, config_, sink_metrics_, sink_calls_);
            log.info("sink ready", {{"type", plugin.type},
                                    {"version", plugin.version},
                                    {"file", plugin.file.string()}});
            return sink;
        } catch (const Error &error) {
            if (error.remedy() != Remedy::retry) throw;
            situation_.sink_not_ready(error);
            const auto wait = backoff.next();
            log.error("the sink cannot be set up, trying again", error,
                      {{"next_attempt_ms", wait.count()}});
            halt_.wait_for(wait);
        }
    }
    return nullptr;
}

int Supervisor::run() {
    try {
        const auto sink = make_sink();
        if (!sink) return 0;
        {
            const std::lock_guard lock(sink_mutex_);
            sink_ = sink.get();
        }
        const int status = run_sessions(*sink);
        const std::lock_guard lock(sink_mutex_);
        sink_ = nullptr;
        return status;
    } catch (const Error &error) {
        log.error("the daemon cannot go on", error);
        return error.remedy() == Remedy::configure ? 2 : 1;
    }
}

int Supervisor::run_sessions(sinks::Sink &sink) {
    delivery::Dispatcher dispatcher(sink, delivery::dispatch_policy(config_.stream), halt_,
                                    counts_);
    while (!halt_.stopping()) {
        halt_.begin_session();
        in_order_ = false;
        bool streamed = false;
        try {
            Pipeline pipeline(config_, dispatcher, memory_, situation_, halt_);
            try {
                pipeline.run();
                in_order_ = true;
            } catch (...) {
                streamed = pipeline.streamed();
                throw;
            }
        } catch (const Error &error) {
            if (halt_.stopping()) break;
            if (const auto status = after(error, streamed)) return *status;
        }
    }
    if (in_order_)
        has_stored_the_cursor_ = true;
    else
        store_what_is_left();
    return 0;
}

std::optional<int> Supervisor::after(const Error &error, bool streamed) {
    halt_.begin_session();
    if (error.sqlstate() == postgres::sqlstate::object_in_use) {
        if (!standing_by_)
            log.info("another daemon holds the slot, standing by",
                     {{"slot", config_.stream.slot_name}});
        standing_by_ = true;
        situation_.enter(Phase::standby);
        halt_.wait_for(standby_interval);
        return std::nullopt;
    }
    standing_by_ = false;
    situation_.session_lost(error);
    if (error.remedy() == Remedy::configure || error.remedy() == Remedy::stop) {
        log.error("the daemon cannot go on", error);
        return error.remedy() == Remedy::configure ? 2 : 1;
    }
    // From the server this means that the slot's stream is of no use; from ourselves, that we are fenced.
    if (error.remedy() == Remedy::recover && !error.sqlstate().empty()) memory_.replace_slot = true;
    if (streamed) backoff_.reset();
    const auto wait = backoff_.next();
    log.error("the session with Postgres ended, a new one follows", error,
              {{"server", config::describe(config_.stream.pg_connection)},
               {"next_attempt_ms", wait.count()}});
    halt_.wait_for(wait);
    return std::nullopt;
}

// The program is to end, but the session had failed: the cursor in memory knows more than the row. Nobody
// may have taken the stream meanwhile; store_cursor sees to that.
void Supervisor::store_what_is_left() {
    if (!memory_.ownership) return;
    try {
        auto options = sql_session(config_.stream, nullptr);
        options.connect_timeout = last_store_limit;
        options.answer_timeout = last_store_limit;
        auto sql = open_at(options, memory_.ownership->home);
        outbox::store_cursor(sql, *memory_.ownership, memory_.cursor, memory_.position);
        has_stored_the_cursor_ = true;
        log.info("stopped, the cursor is stored");
    } catch (const Error &error) {
        // Another daemon has the stream, and a newer cursor.
        if (error.remedy() == Remedy::recover) return;
        log.warn("the cursor could not be stored: what was delivered last is delivered again",
                 error);
    }
}

} // namespace pgat::daemon
