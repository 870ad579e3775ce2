#include "sinks/plugin_sink.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.hpp"
#include "sinks/config_schema.hpp"
#include "sinks/quiet_signals.hpp"
#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

using std::chrono::steady_clock;

// The host's clock is CLOCK_MONOTONIC, as libstdc++'s and libc++'s steady_clock on Linux is.
std::uint64_t to_abi(steady_clock::time_point deadline) noexcept {
    if (deadline == steady_clock::time_point::max()) return 0;
    const auto since_boot =
        std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count();
    return since_boot > 0 ? static_cast<std::uint64_t>(since_boot) : 1;
}

// Reads a status as the constructor's caller does; the other calls know fewer.
Status from_create(pgat_status status) noexcept {
    switch (status) {
    case PGAT_OK:
        return Status::ok;
    case PGAT_E_CONFIG:
        return Status::misconfigured;
    case PGAT_E_UNAVAILABLE:
        return Status::unavailable;
    case PGAT_E_CANCELLED:
        return Status::cancelled;
    case PGAT_E_UNSUPPORTED:
        return Status::unsupported;
    default:
        return Status::broken;
    }
}

Status from_running(Status status) noexcept {
    return status == Status::misconfigured || status == Status::unsupported ? Status::broken
                                                                            : status;
}

std::string checked_config(const Plugin &plugin, const nlohmann::json &settings,
                           const config::Places &places) {
    if (const auto problems = check_settings(plugin, settings); !problems.empty())
        throw Error(Remedy::configure, to_text(problems, places))
            .with_hint(
                fmt::format("these keys are for the plugin {} {}; its documentation lists them",
                            plugin.type, plugin.version));
    try {
        return settings.dump();
    } catch (const nlohmann::json::exception &) {
        throw Error(Remedy::configure, "sink: some text in it is not UTF-8");
    }
}

// While it stands the watch, if there is one, knows of the call.
class Watched {
  public:
    Watched(CallWatch *watch, const char *function, steady_clock::time_point due,
            std::span<const pgat_event> events, const Verdict *verdicts) noexcept
        : watch_(watch) {
        if (watch_ != nullptr) watch_->enter(function, due, events, verdicts);
    }
    ~Watched() {
        if (watch_ != nullptr) watch_->leave();
    }
    Watched(const Watched &) = delete;
    Watched &operator=(const Watched &) = delete;

  private:
    CallWatch *const watch_;
};

} // namespace

std::vector<ConfigProblem> check_settings(const Plugin &plugin, const nlohmann::json &settings) {
    if (!settings.is_object()) return {{"sink", "must be a map of keys"}};
    return check_settings(plugin.schema, settings, "sink");
}

PluginSink::PluginSink(const Plugin &plugin, const nlohmann::json &settings, Metrics &metrics,
                       const config::Places &places, CallWatch *watch)
    : plugin_(plugin), watch_(watch), config_(checked_config(plugin, settings, places)),
      host_(spdlog::default_logger()->clone(plugin.type), config_, metrics) {
    if (watch_ != nullptr) watch_->attach(plugin);
    const Result made = create();
    if (made.status == Status::ok) return;
    const std::string what = fmt::format("sink {}: {}", plugin.type, made.reason);
    if (made.status == Status::misconfigured)
        throw Error(Remedy::configure, what).with_hint("mend the keys under sink");
    if (made.status == Status::unsupported)
        throw Error(Remedy::configure, what)
            .with_hint(
                fmt::format("{} {} and this daemon do not fit: install other versions of them, "
                            "or leave out the key that asks for this",
                            plugin.type, plugin.version));
    throw Error(Remedy::retry, what);
}

PluginSink::~PluginSink() { destroy(); }

// One call into the plugin: what it returned, said or threw, as one result. Whatever must surround every
// call of a plugin's functions belongs here.
template <class Function>
PluginSink::Result PluginSink::call(const char *function, steady_clock::time_point due,
                                    std::span<const pgat_event> events, Function function_call) {
    pgat_status returned = PGAT_E_BROKEN;
    std::string thrown;
    {
        const Host::Call inside(host_, events);
        const QuietSignals quiet;
        const Watched watched(watch_, function, due, events, host_.ledger().verdicts());
        try {
            returned = function_call();
        } catch (const std::exception &error) {
            thrown = fmt::format("{}() threw an exception: {}", function,
                                 one_line(error.what(), max_reason));
        } catch (...) {
            thrown = fmt::format("{}() threw an exception of unknown type", function);
        }
    }
    const Host::Failure &said = host_.failure();
    if (!thrown.empty()) return {Status::broken, std::move(thrown), {}};
    if (returned == PGAT_OK && !said.said) return {};
    if (returned == PGAT_OK)
        return {Status::broken,
                fmt::format("{}() returned ok after giving a reason to fail: {}", function,
                            said.reason),
                said.retry_after};
    const bool known = returned > PGAT_OK && returned <= PGAT_E_UNSUPPORTED;
    std::string reason =
        known ? std::string()
              : fmt::format("{}() returned the unknown status {}", function, returned);
    if (!said.reason.empty()) reason += (reason.empty() ? "" : ": ") + said.reason;
    if (reason.empty())
        reason = fmt::format("{}() returned status {} and no reason", function, returned);
    return {from_create(returned), std::move(reason), said.retry_after};
}

PluginSink::Result PluginSink::create() {
    pgat_sink *made = nullptr;
    Result result = call("create", steady_clock::now() + CallWatch::create_limit, {}, [&] {
        return plugin_.table->create(host_.abi(), sinks::to_abi(config_), &made);
    });
    if (result.status == Status::ok && made == nullptr)
        return {Status::broken, "create() returned ok but no sink", {}};
    // Where ok was taken back the instance exists all the same.
    if (result.status == Status::ok || (result.status == Status::broken && made != nullptr))
        instance_ = made;
    if (result.status != Status::ok) destroy();
    return result;
}

PluginSink::Result PluginSink::ensure_instance() {
    if (instance_ != nullptr) return {};
    if (host_.cancelled()) return {Status::cancelled, "cancelled", {}};
    Result made = create();
    if (made.status == Status::ok || made.status == Status::cancelled) return made;
    // No event is to blame, and what was wrong may pass: the sink is away.
    return {Status::unavailable, "cannot be made again: " + made.reason, made.retry_after};
}

void PluginSink::destroy() noexcept {
    if (instance_ == nullptr) return;
    try {
        pgat_sink *const old = std::exchange(instance_, nullptr);
        const Result result =
            call("destroy", steady_clock::now() + CallWatch::destroy_limit, {}, [&] {
                plugin_.table->destroy(old);
                return PGAT_OK;
            });
        host_.reset_gauges();
        if (result.status != Status::ok) host_.logger().error("{}", result.reason);
    } catch (...) { // no memory for a log line
    }
}

void PluginSink::map(std::span<const OutgoingEvent> events) {
    if (events_.size() < events.size()) {
        events_.resize(events.size(), pgat_event{});
        event_pointers_.resize(events_.size());
        for (std::size_t i = 0; i < events_.size(); ++i) {
            events_[i].struct_size = sizeof(pgat_event);
            event_pointers_[i] = &events_[i];
        }
    }
    pgat_event *to = events_.data();
    for (const OutgoingEvent &event : events) {
        to->attempt = event.attempt;
        to->id = sinks::to_abi(event.id);
        to->key = sinks::to_abi(event.key);
        to->payload = sinks::to_abi(event.payload);
        to->metadata = sinks::to_abi(event.metadata);
        to->stream_id = event.stream.value();
        to->xid = event.xid.value();
        to->commit_lsn = event.commit_lsn.value();
        to->created_at_us = event.created_at.value();
        ++to;
    }
}

void PluginSink::publish(std::span<const OutgoingEvent> events, steady_clock::time_point deadline,
                         Outcomes &outcomes) {
    const std::span<const OutgoingEvent> taken =
        plugin_.max_batch != 0 && events.size() > plugin_.max_batch
            ? events.first(plugin_.max_batch)
            : events;
    Result result = ensure_instance();
    Ledger &ledger = host_.ledger();
    ledger.open(outcomes, static_cast<std::uint32_t>(taken.size()));
    if (result.status == Status::ok && !taken.empty()) {
        map(taken);
        const pgat_batch batch{sizeof(pgat_batch),     static_cast<std::uint32_t>(taken.size()),
                               event_pointers_.data(), to_abi(deadline),
                               host_.cancel_fd(),      0};
        result = call("publish", deadline, std::span(events_).first(taken.size()),
                      [&] { return plugin_.table->publish(instance_, &batch, ledger.abi()); });
        result.status = from_running(result.status);
        if (result.status == Status::ok)
            if (const auto forgotten = ledger.charge_forgotten(taken); forgotten > 0)
                host_.logger().warn(
                    "publish() returned ok without a verdict for {} of {} events: they "
                    "count as to be retried",
                    forgotten, taken.size());
    }
    ledger.close();
    outcomes.status = result.status;
    outcomes.reason = std::move(result.reason);
    outcomes.retry_after = result.retry_after;
    outcomes.verdicts.resize(events.size(), Verdict::not_attempted);
    const auto by_index = [](const Reason &a, const Reason &b) { return a.index < b.index; };
    if (!std::is_sorted(outcomes.reasons.begin(), outcomes.reasons.end(), by_index))
        std::sort(outcomes.reasons.begin(), outcomes.reasons.end(), by_index);
    if (outcomes.status == Status::broken) destroy();
}

Status PluginSink::probe(steady_clock::time_point deadline, std::string &reason,
                         std::chrono::milliseconds &retry_after) {
    Result result = ensure_instance();
    if (result.status == Status::ok && has_probe()) {
        result = call("probe", deadline, {},
                      [&] { return plugin_.table->probe(instance_, to_abi(deadline)); });
        result.status = from_running(result.status);
        if (result.status == Status::broken) destroy();
    }
    reason = std::move(result.reason);
    retry_after = result.retry_after;
    return result.status;
}

} // namespace pgat::sinks
