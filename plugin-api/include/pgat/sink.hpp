// C++20 over sink.h: a sink is a class with
//
//     MySink(pgat::plugin::Host host, std::string_view config);
//     void publish(const pgat::plugin::Batch &batch, pgat::plugin::Outcomes &outcomes);
//     void probe(pgat::plugin::TimePoint deadline);            // may be left out
//
// and PGAT_EXPORT_SINK at global scope. Threads, lifetimes and manners are those of sink.h.
// Exceptions are caught here: throw Failure to choose the status, anything else reads as
// PGAT_E_BROKEN.
//
// Never part of the ABI: compiled into the plugin, and hidden there.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "pgat/sink.h"

namespace pgat::plugin {

constexpr pgat_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }
constexpr std::string_view view(pgat_str text) noexcept { return {text.ptr, text.len}; }

// CLOCK_MONOTONIC, the clock of host->now_ns.
using TimePoint = std::chrono::steady_clock::time_point;

constexpr TimePoint time_point(std::uint64_t deadline_ns) noexcept {
    return deadline_ns == 0
               ? TimePoint::max()
               : TimePoint(std::chrono::nanoseconds(static_cast<std::int64_t>(deadline_ns)));
}

// What is left until `deadline` as poll() takes it: milliseconds, rounded up, 0 once it is past. At
// most INT_MAX, so that TimePoint::max(), which is no deadline, may be given too. For a timeout of
// your own beside it: poll_timeout(std::min(deadline, started + timeout)).
inline int poll_timeout(TimePoint deadline) noexcept {
    const TimePoint now = std::chrono::steady_clock::now();
    if (deadline <= now) return 0;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    return static_cast<int>(std::min<decltype(left)>(left, INT_MAX));
}

// As the ABI counts waits; one that is past is none.
constexpr std::uint64_t wait_ms(std::chrono::milliseconds wait) noexcept {
    return wait.count() > 0 ? static_cast<std::uint64_t>(wait.count()) : 0;
}

// Ends a call with a status other than PGAT_OK. `retry_after`: leave the sink alone for so long; 0:
// as the host's backoff has it. The text is logged and shown: no secrets in it.
class Failure : public std::runtime_error {
  public:
    Failure(pgat_status status, const std::string &why, std::chrono::milliseconds retry_after = {})
        : std::runtime_error(why), status_(status == PGAT_OK ? PGAT_E_BROKEN : status),
          retry_after_(retry_after) {}

    pgat_status status() const noexcept { return status_; }
    std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }

  private:
    pgat_status status_;
    std::chrono::milliseconds retry_after_;
};

// What a JSON pointer leads to. The text is good until the plugin function that is running returns.
struct Json {
    int kind = PGAT_JSON_MISSING;
    std::string_view
        text; // a string's contents, or any other value as it is written in the document

    bool present() const noexcept { return kind > PGAT_JSON_NULL; }
};

// A counter among the daemon's metrics. One that the host refused counts nothing.
class Counter {
  public:
    Counter() noexcept = default;
    Counter(const pgat_host *host, std::uint32_t id) noexcept : host_(host), id_(id) {}
    void add(std::uint64_t n = 1) const noexcept {
        if (id_ != 0) host_->counter_add(host_, id_, n);
    }

  private:
    const pgat_host *host_ = nullptr;
    std::uint32_t id_ = 0;
};

// A level among them, 0 until it is set. One that the host refused shows nothing.
class Gauge {
  public:
    Gauge() noexcept = default;
    Gauge(const pgat_host *host, std::uint32_t id) noexcept : host_(host), id_(id) {}
    void set(double value) const noexcept {
        if (id_ != 0) host_->gauge_set(host_, id_, value);
    }

  private:
    const pgat_host *host_ = nullptr;
    std::uint32_t id_ = 0;
};

// The daemon's services. A copy is as good as the original.
class Host {
  public:
    explicit Host(const pgat_host *host) noexcept : host_(host) {}

    // Here and below: for what came after 1.0, asked for with PGAT_HAS.
    const pgat_host *raw() const noexcept { return host_; }
    std::string_view version() const noexcept { return view(host_->version); }

    void debug(std::string_view line) const noexcept { log(PGAT_LOG_DEBUG, line); }
    void info(std::string_view line) const noexcept { log(PGAT_LOG_INFO, line); }
    void warn(std::string_view line) const noexcept { log(PGAT_LOG_WARN, line); }
    void error(std::string_view line) const noexcept { log(PGAT_LOG_ERROR, line); }

    bool cancelled() const noexcept { return host_->is_cancelled(host_) != 0; }
    // Readable once cancelled(); poll it beside the sockets.
    int cancel_fd() const noexcept { return host_->cancel_fd; }

    // `name` is [a-z][a-z0-9_]*, "…_total" for a counter; call them in the constructor, once each.
    Counter counter(std::string_view name, std::string_view help) const noexcept {
        return {host_, host_->counter(host_, str(name), str(help))};
    }
    Gauge gauge(std::string_view name, std::string_view help) const noexcept {
        return {host_, host_->gauge(host_, str(name), str(help))};
    }

    Json find(std::string_view document, std::string_view pointer) const noexcept {
        pgat_str text{};
        const int kind = host_->json_get(host_, str(document), str(pointer), &text);
        return {kind, kind > PGAT_JSON_MISSING ? view(text) : std::string_view()};
    }

    // Copies of what is there; nothing where it is missing or null. The schema has checked the
    // kind.
    std::optional<std::string> text(std::string_view document, std::string_view pointer) const {
        const Json found = find(document, pointer);
        return found.present() ? std::optional<std::string>(found.text) : std::nullopt;
    }
    std::optional<bool> boolean(std::string_view document, std::string_view pointer) const {
        const Json found = find(document, pointer);
        return found.present() ? std::optional<bool>(found.text == "true") : std::nullopt;
    }
    // Throws Failure(PGAT_E_CONFIG) where the number is no whole one of 64 bits, or written as 1e3.
    std::optional<std::int64_t> integer(std::string_view document, std::string_view pointer) const {
        const Json found = find(document, pointer);
        if (!found.present()) return std::nullopt;
        std::int64_t value = 0;
        const char *const end = found.text.data() + found.text.size();
        const auto [stopped, error] = std::from_chars(found.text.data(), end, value);
        if (error != std::errc() || stopped != end)
            throw Failure(PGAT_E_CONFIG, std::string(pointer) + ": write a whole number, not " +
                                             std::string(found.text));
        return value;
    }

    // Calls visit(key, json) for each member of the array or object there, and returns its kind;
    // `key` is empty in arrays. It must not look anything up.
    template <class Visit>
    int each(std::string_view document, std::string_view pointer, Visit &&visit) const {
        struct Call {
            Visit &visit;
            std::exception_ptr thrown;
        } call{visit, nullptr};
        const auto step = [](void *arg, pgat_str key, std::int32_t kind, pgat_str text) noexcept {
            Call &to = *static_cast<Call *>(arg);
            try {
                to.visit(view(key), Json{kind, view(text)});
            } catch (...) {
                to.thrown = std::current_exception();
            }
            return std::int32_t{to.thrown ? 1 : 0};
        };
        const int kind = host_->json_each(host_, str(document), str(pointer), step, &call);
        if (call.thrown) std::rethrow_exception(call.thrown);
        return kind;
    }

  private:
    void log(std::int32_t level, std::string_view line) const noexcept {
        host_->log(host_, level, str(line));
    }

    const pgat_host *host_;
};

// One event of a batch; what it returns is good until publish() returns.
class Event {
  public:
    explicit Event(const pgat_event *event) noexcept : event_(event) {}

    const pgat_event *raw() const noexcept { return event_; }
    std::string_view id() const noexcept { return view(event_->id); }
    std::string_view key() const noexcept { return view(event_->key); }
    std::string_view payload() const noexcept { return view(event_->payload); }
    std::string_view metadata() const noexcept { return view(event_->metadata); }
    std::uint32_t attempt() const noexcept { return event_->attempt; }
    std::int64_t stream_id() const noexcept { return event_->stream_id; }
    std::uint64_t xid() const noexcept { return event_->xid; }
    std::uint64_t commit_lsn() const noexcept { return event_->commit_lsn; }
    std::int64_t created_at_us() const noexcept { return event_->created_at_us; }

  private:
    const pgat_event *event_;
};

class Batch {
  public:
    explicit Batch(const pgat_batch &batch) noexcept : batch_(batch) {}

    const pgat_batch *raw() const noexcept { return &batch_; }
    std::uint32_t size() const noexcept { return batch_.count; }
    Event operator[](std::uint32_t index) const noexcept { return Event(batch_.events[index]); }
    // TimePoint::max(): there is none. For poll(): poll_timeout(batch.deadline()).
    TimePoint deadline() const noexcept { return time_point(batch_.deadline_ns); }
    // Readable once publish() is to return; poll it beside the sockets.
    int cancel_fd() const noexcept { return batch_.cancel_fd; }

  private:
    const pgat_batch &batch_;
};

// Where publish() says what became of each event. An event that it leaves out was not attempted.
class Outcomes {
  public:
    Outcomes(const pgat_host *host, pgat_outcomes *ledger) noexcept
        : host_(host), ledger_(ledger) {}

    void delivered(std::uint32_t first, std::uint32_t count = 1) noexcept {
        host_->delivered(host_, ledger_, first, count);
    }
    void retry(std::uint32_t index, std::string_view why,
               std::chrono::milliseconds after = {}) noexcept {
        settle(index, PGAT_RETRY, why, after);
    }
    void rejected(std::uint32_t index, std::string_view why) noexcept {
        settle(index, PGAT_REJECTED, why, {});
    }

  private:
    void settle(std::uint32_t index, pgat_verdict verdict, std::string_view why,
                std::chrono::milliseconds after) noexcept {
        const pgat_outcome outcome{sizeof(pgat_outcome), verdict, wait_ms(after), str(why)};
        host_->settle(host_, ledger_, index, &outcome);
    }

    const pgat_host *host_;
    pgat_outcomes *ledger_;
};

// What PGAT_EXPORT_SINK tells the host about a plugin, as designated initializers.
struct About {
    std::string_view type;
    std::string_view version;
    std::string_view description;
    std::string_view license;
    std::string_view config_schema;
    std::uint32_t max_batch = 0;
    std::uint32_t min_host_minor = 0;
};

constexpr bool is_type(std::string_view type) noexcept {
    if (type.empty() || type.size() > 32 || type[0] < 'a' || type[0] > 'z') return false;
    for (const char c : type)
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_') return false;
    return true;
}

// The C functions of one sink class.
template <class S>
struct Exported {
    struct Instance {
        Instance(const pgat_host *of_host, std::string_view config)
            : host(of_host), sink(Host(of_host), config) {}
        const pgat_host *host;
        S sink;
    };
    static constexpr bool has_probe = requires(S & sink, TimePoint deadline) {
        sink.probe(deadline);
    };

    static Instance &of(pgat_sink *sink) noexcept { return *reinterpret_cast<Instance *>(sink); }

    template <class Call>
    static pgat_status guarded(const pgat_host *host, Call &&call) noexcept {
        try {
            call();
            return PGAT_OK;
        } catch (const Failure &failure) {
            host->fail(host, str(failure.what()), wait_ms(failure.retry_after()));
            return failure.status();
        } catch (const std::exception &exception) {
            host->fail(host, str(exception.what()), 0);
        } catch (...) {
            host->fail(host, str("an exception that is no std::exception"), 0);
        }
        return PGAT_E_BROKEN;
    }

    static pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) noexcept {
        return guarded(host, [&] {
            *out = reinterpret_cast<pgat_sink *>(
                std::make_unique<Instance>(host, view(config)).release());
        });
    }
    static void destroy(pgat_sink *sink) noexcept { delete &of(sink); }
    static pgat_status publish(pgat_sink *sink, const pgat_batch *batch,
                               pgat_outcomes *ledger) noexcept {
        return guarded(of(sink).host, [&] {
            Outcomes outcomes(of(sink).host, ledger);
            of(sink).sink.publish(Batch(*batch), outcomes);
        });
    }
    static pgat_status probe(pgat_sink *sink, std::uint64_t deadline_ns) noexcept {
        return guarded(of(sink).host, [&] {
            if constexpr (has_probe) of(sink).sink.probe(time_point(deadline_ns));
        });
    }

    // Does not compile where the host would refuse the type.
    static constexpr pgat_sink_plugin table(const About &about) {
        if (!is_type(about.type)) throw "PGAT_EXPORT_SINK: .type is [a-z][a-z0-9_]{0,31}";
        if (about.version.empty()) throw "PGAT_EXPORT_SINK: .version is missing";
        return {sizeof(pgat_sink_plugin),
                PGAT_ABI_MAJOR,
                PGAT_ABI_MINOR,
                about.min_host_minor,
                str(about.type),
                str(about.version),
                str(about.description),
                str(about.license),
                str(about.config_schema),
                about.max_batch,
                0,
                &create,
                &destroy,
                &publish,
                has_probe ? &probe : nullptr,
                nullptr};
    }
};

} // namespace pgat::plugin

// Once a plugin, at global scope: PGAT_EXPORT_SINK(MySink, .type = "mine", .version = "1.0.0").
#define PGAT_EXPORT_SINK(Class, ...)                                                               \
    extern "C" const pgat_sink_plugin *pgat_sink_entry(uint32_t, uint32_t) {                       \
        static constexpr pgat_sink_plugin table =                                                  \
            ::pgat::plugin::Exported<Class>::table(::pgat::plugin::About{__VA_ARGS__});            \
        return &table;                                                                             \
    }
