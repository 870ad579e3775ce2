#include "sinks/host.hpp"

#include <exception>
#include <time.h>

#include <spdlog/spdlog.h>

#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

constexpr std::string_view host_version = "postgres-async-triggers/" PGAT_VERSION;
// How many events around the last one are searched for a document before it is taken for the
// plugin's own.
constexpr std::size_t search_window = 1024;

spdlog::level::level_enum to_level(std::int32_t level) noexcept {
    switch (level) {
    case PGAT_LOG_DEBUG:
        return spdlog::level::debug;
    case PGAT_LOG_INFO:
        return spdlog::level::info;
    case PGAT_LOG_WARN:
        return spdlog::level::warn;
    default:
        return spdlog::level::err;
    }
}

bool same(pgat_str a, std::string_view b) noexcept {
    return a.ptr == b.data() && a.len == b.size();
}

} // namespace

Host::Host(std::shared_ptr<spdlog::logger> log, std::string_view config, Metrics &metrics)
    : log_(std::move(log)), config_(config), metrics_(metrics) {
    abi_.struct_size = sizeof abi_;
    abi_.abi_minor = PGAT_ABI_MINOR;
    abi_.host_data = this;
    abi_.version = to_abi(host_version);
    abi_.cancel_fd = cancelled_bell_.fd();
    abi_.log = &Host::log;
    abi_.fail = &Host::fail;
    abi_.now_ns = &Host::now_ns;
    abi_.is_cancelled = &Host::is_cancelled;
    abi_.counter = &Host::counter;
    abi_.counter_add = &Host::counter_add;
    abi_.gauge = &Host::gauge;
    abi_.gauge_set = &Host::gauge_set;
    abi_.json_get = &Host::json_get;
    abi_.json_each = &Host::json_each;
    abi_.settle = &Host::settle;
    abi_.delivered = &Host::delivered;
    abi_.extension = &Host::extension;
}

void Host::cancel() noexcept {
    cancelled_.store(true, std::memory_order_relaxed);
    cancelled_bell_.ring();
}

Host::Call::Call(Host &host, std::span<const pgat_event> events) : host_(host) {
    host_.failure_.said = false;
    host_.failure_.reason.clear();
    host_.failure_.retry_after = {};
    host_.events_ = events;
    host_.last_event_ = 0;
    host_.misdeeds_.store(0, std::memory_order_relaxed);
    host_.inside_.store(std::this_thread::get_id(), std::memory_order_relaxed);
}

Host::Call::~Call() {
    host_.inside_.store(std::thread::id(), std::memory_order_relaxed);
    host_.events_ = {};
    host_.json_.clear();
    if (const auto more = host_.misdeeds_.load(std::memory_order_relaxed); more > 1)
        host_.log_->error("the plugin broke its contract {} more times in this call", more - 1);
}

void Host::misbehaved(std::string_view what) {
    if (misdeeds_.fetch_add(1, std::memory_order_relaxed) == 0)
        log_->error("the plugin broke its contract: {}; refused", what);
}

// Runs what belongs to the thread inside the plugin; `refused` where it is another, or we are out
// of memory.
template <class Result, class Action>
Result Host::guarded(const pgat_host *host, const char *function, Result refused, Action action) {
    Host &self = of(host);
    try {
        if (self.inside_.load(std::memory_order_relaxed) == std::this_thread::get_id())
            return action(self);
        self.misbehaved(
            fmt::format("{}() from a thread of its own, or outside of any call", function));
    } catch (const std::exception &error) {
        try {
            self.log_->error("{}(): {}", function, error.what());
        } catch (...) { // the log has no memory either: the refusal must do
        }
    } catch (...) {
        return refused;
    }
    return refused;
}

void Host::log(const pgat_host *host, std::int32_t level, pgat_str line) {
    try {
        spdlog::logger &logger = *of(host).log_;
        const auto severity = to_level(level);
        if (logger.should_log(severity))
            logger.log(severity, "{}", one_line(from_abi(line), max_log_line));
    } catch (...) { // a line is lost: nothing the plugin could do
    }
}

void Host::fail(const pgat_host *host, pgat_str reason, std::uint64_t retry_after_ms) {
    guarded(host, "fail", 0, [&](Host &self) {
        self.failure_.said = true;
        self.failure_.retry_after = bounded_wait(retry_after_ms);
        self.failure_.reason = one_line(from_abi(reason), max_reason);
        return 0;
    });
}

std::uint64_t Host::now_ns(const pgat_host *) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

std::int32_t Host::is_cancelled(const pgat_host *host) { return of(host).cancelled() ? 1 : 0; }

// The number of a metric, or 0 and a complaint.
std::uint32_t Host::checked(std::uint32_t number, const char *kind, pgat_str name) {
    if (number == 0)
        misbehaved(
            fmt::format("the {} \"{}\" is one too many, is of the other kind already, or its "
                        "name is not of the form [a-z][a-z0-9_]{{0,63}} or begins with "
                        "calls_",
                        kind, one_line(from_abi(name), 80)));
    return number;
}

std::uint32_t Host::counter(const pgat_host *host, pgat_str name, pgat_str help) {
    return guarded(host, "counter", 0U, [&](Host &self) {
        const std::string text = one_line(from_abi(help), max_reason);
        return self.checked(self.metrics_.counter(from_abi(name), text), "counter", name);
    });
}

void Host::counter_add(const pgat_host *host, std::uint32_t counter, std::uint64_t n) {
    of(host).metrics_.add(counter, n);
}

std::uint32_t Host::gauge(const pgat_host *host, pgat_str name, pgat_str help) {
    return guarded(host, "gauge", 0U, [&](Host &self) {
        const std::string text = one_line(from_abi(help), max_reason);
        return self.checked(self.metrics_.gauge(from_abi(name), text), "gauge", name);
    });
}

void Host::gauge_set(const pgat_host *host, std::uint32_t gauge, double value) {
    of(host).metrics_.set(gauge, value);
}

Lifetime Host::lifetime_of(std::string_view document) noexcept {
    if (document.data() == config_.data() && document.size() == config_.size())
        return Lifetime::lasting;
    const std::size_t window = std::min(search_window, events_.size());
    std::size_t at = last_event_;
    for (std::size_t i = 0; i < window; ++i, at = at + 1 == events_.size() ? 0 : at + 1)
        if (same(events_[at].payload, document) || same(events_[at].metadata, document)) {
            last_event_ = at;
            return Lifetime::lasting;
        }
    return Lifetime::passing;
}

std::int32_t Host::json_get(const pgat_host *host, pgat_str document, pgat_str pointer,
                            pgat_str *text) {
    return guarded(host, "json_get", PGAT_JSON_INVALID, [&](Host &self) -> std::int32_t {
        if (self.visiting_) {
            self.misbehaved("json_get() from within a visit");
            return PGAT_JSON_INVALID;
        }
        const std::string_view view = from_abi(document);
        std::string_view found;
        const auto kind = self.json_.get(view, self.lifetime_of(view), from_abi(pointer), found);
        if (kind > 0 && text != nullptr) *text = to_abi(found);
        return kind;
    });
}

std::int32_t Host::json_each(const pgat_host *host, pgat_str document, pgat_str pointer,
                             pgat_json_visit visit, void *arg) {
    struct Visiting {
        bool &flag;
        explicit Visiting(bool &on) : flag(on) { flag = true; }
        ~Visiting() { flag = false; }
    };
    return guarded(host, "json_each", PGAT_JSON_INVALID, [&](Host &self) -> std::int32_t {
        if (self.visiting_ || visit == nullptr) {
            self.misbehaved("json_each() from within a visit, or without one");
            return PGAT_JSON_INVALID;
        }
        const Visiting visiting(self.visiting_);
        const std::string_view view = from_abi(document);
        return self.json_.each(view, self.lifetime_of(view), from_abi(pointer),
                               [&](std::string_view key, std::int32_t kind, std::string_view text) {
                                   return visit(arg, to_abi(key), kind, to_abi(text));
                               });
    });
}

pgat_status Host::settle(const pgat_host *host, pgat_outcomes *outcomes, std::uint32_t index,
                         const pgat_outcome *outcome) {
    return guarded(host, "settle", PGAT_E_UNSUPPORTED, [&](Host &self) -> pgat_status {
        const std::string_view refusal =
            outcomes != self.ledger_.abi() || outcome == nullptr
                ? "a verdict without outcome or into no ledger of its own"
                : self.ledger_.settle(index, *outcome);
        if (refusal.empty()) return PGAT_OK;
        self.misbehaved(refusal);
        return PGAT_E_UNSUPPORTED;
    });
}

pgat_status Host::delivered(const pgat_host *host, pgat_outcomes *outcomes, std::uint32_t first,
                            std::uint32_t count) {
    return guarded(host, "delivered", PGAT_E_UNSUPPORTED, [&](Host &self) -> pgat_status {
        const std::string_view refusal = outcomes != self.ledger_.abi()
                                             ? "a verdict into no ledger of its own"
                                             : self.ledger_.delivered(first, count);
        if (refusal.empty()) return PGAT_OK;
        self.misbehaved(refusal);
        return PGAT_E_UNSUPPORTED;
    });
}

const void *Host::extension(const pgat_host *, pgat_str) { return nullptr; }

} // namespace pgat::sinks
