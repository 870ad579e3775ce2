#include "sinks/conformance/observed_host.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <poll.h>
#include <time.h>

#include "sinks/text.hpp"

namespace pgat::conformance {
namespace {

using sinks::from_abi;
using sinks::one_line;

constexpr std::size_t first_release_size = offsetof(pgat_host, extension) + sizeof(void *);
constexpr std::size_t future_size = sizeof(pgat_host) + 64;
constexpr std::size_t most_said = 1 << 20;
constexpr std::size_t shown = 60;
constexpr std::uint64_t a_day = 24ULL * 3600 * 1000;

// Whose call this thread is in.
thread_local const ObservedHost *inside_here = nullptr;

} // namespace

ObservedHost &ObservedHost::make(HostShape shape) { return *new ObservedHost(shape); }

ObservedHost::ObservedHost(HostShape shape) : shape_(shape) {
    pgat_host table = functions();
    table.host_data = this;
    table.cancel_fd = bell_.fd();
    said_.reserve(most_said); // what we write down is not to look like a leak of the plugin's
    if (shape == HostShape::first_release) {
        table.struct_size = first_release_size;
        table.abi_minor = 0;
        table_ = static_cast<const pgat_host *>(
            GuardedMemory(&table, first_release_size, "behind the host's table of ABI 1.0", "")
                .data());
        return;
    }
    // Room behind it in any case: only the first_release's end is guarded.
    const std::size_t size = future_size;
    if (shape == HostShape::future) {
        table.struct_size = static_cast<std::uint32_t>(future_size);
        table.abi_minor = PGAT_ABI_MINOR + 7;
        table.flags = 0xFFFF0000U;
    }
    auto *memory = static_cast<char *>(::operator new(size));
    std::memset(memory, 0xA5, size);
    std::memcpy(memory, &table, sizeof table);
    table_ = reinterpret_cast<const pgat_host *>(memory);
}

pgat_host ObservedHost::functions() noexcept {
    pgat_host table{};
    table.struct_size = sizeof table;
    table.abi_minor = PGAT_ABI_MINOR;
    table.version = sinks::to_abi("postgres-async-triggers/" PGAT_VERSION);
    table.log = &ObservedHost::log;
    table.fail = &ObservedHost::fail;
    table.now_ns = &ObservedHost::now_ns;
    table.is_cancelled = &ObservedHost::is_cancelled;
    table.counter = &ObservedHost::counter;
    table.counter_add = &ObservedHost::counter_add;
    table.gauge = &ObservedHost::gauge;
    table.gauge_set = &ObservedHost::gauge_set;
    table.json_get = &ObservedHost::json_get;
    table.json_each = &ObservedHost::json_each;
    table.settle = &ObservedHost::settle;
    table.delivered = &ObservedHost::delivered;
    table.extension = &ObservedHost::extension;
    return table;
}

void ObservedHost::cancel() noexcept {
    cancelled_ = true;
    bell_.ring();
}

ObservedHost::Call::Call(ObservedHost &host, std::uint32_t events) : host_(host) {
    host_.failed_ = false;
    host_.reason_.clear();
    host_.message_.clear();
    host_.verdicts_.assign(events, std::nullopt);
    host_.publishing_ = events > 0;
    host_.inside_ = std::this_thread::get_id();
    inside_here = &host;
}

ObservedHost::Call::~Call() {
    host_.inside_ = std::thread::id();
    inside_here = nullptr;
    host_.publishing_ = false;
    host_.json_.clear();
    for (const GuardedMemory &memory : host_.lent_)
        memory.seal();
    host_.lent_.clear();
}

std::string ObservedHost::cancel_fd_problem() const {
    pollfd fd{bell_.fd(), POLLIN, 0};
    ::poll(&fd, 1, 0);
    if ((fd.revents & POLLNVAL) != 0) return "it closed the host's cancel_fd";
    if (cancelled_ && (fd.revents & POLLIN) == 0) return "it read from the host's cancel_fd";
    return {};
}

std::string_view ObservedHost::lent(std::string_view text) {
    if (shape_ != HostShape::forgetful || text.empty()) return text;
    const std::string with_room = std::string(text) + std::string(64, '\0');
    return lent_
        .emplace_back(with_room, "behind a text of json_get()",
                      "of a text of json_get() after the call had returned")
        .text()
        .substr(0, text.size());
}

void ObservedHost::violated(Rule rule, std::string what) {
    const std::lock_guard lock(mutex_);
    std::pair<Rule, std::string> entry(rule, std::move(what));
    if (std::find(violations_.begin(), violations_.end(), entry) == violations_.end() &&
        violations_.size() < 50)
        violations_.push_back(std::move(entry));
}

std::vector<std::string> ObservedHost::violations(Rule rule) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto &[of, what] : violations_)
        if (of == rule) found.push_back(what);
    return found;
}

std::string ObservedHost::said() const {
    const std::lock_guard lock(mutex_);
    return said_;
}

bool ObservedHost::alive(const char *function) {
    if (!alive_) violated(Rule::lifetime, fmt::format("{}() after destroy() returned", function));
    return alive_;
}

bool ObservedHost::on_sink_thread(const char *function) {
    if (!alive(function)) return false;
    const auto inside = inside_.load();
    if (inside == std::this_thread::get_id()) return true;
    if (inside_here != nullptr) {
        violated(Rule::foreign, fmt::format("{}() of the host of another sink", function));
        return false;
    }
    violated(Rule::thread, inside == std::thread::id()
                               ? fmt::format("{}() while no function of the plugin runs", function)
                               : fmt::format("{}() on a thread that is not the sink's", function));
    return false;
}

std::string_view ObservedHost::checked(pgat_str text, Rule rule, std::string_view what) {
    if (text.ptr == nullptr && text.len != 0)
        violated(rule, fmt::format("{} is NULL with a length of {}", what, text.len));
    const std::string_view view = from_abi(text);
    if (!sinks::is_utf8(view))
        violated(rule, fmt::format("{} is not UTF-8: \"{}\"", what, one_line(view, shown)));
    const std::lock_guard lock(mutex_);
    if (said_.size() + view.size() < said_.capacity()) said_.append(view).push_back('\n');
    return view;
}

void ObservedHost::log(const pgat_host *host, std::int32_t, pgat_str line) {
    ObservedHost &self = of(host);
    if (!self.alive("log")) return;
    const std::string_view text = self.checked(line, Rule::log_line, "a line given to log()");
    if (text.ends_with('\n'))
        self.violated(Rule::log_line, fmt::format("a line given to log() ends in a newline: \"{}\"",
                                                  one_line(text, shown)));
}

void ObservedHost::check_wait(const char *function, std::uint64_t milliseconds) {
    if (milliseconds > a_day)
        violated(Rule::text, fmt::format("{}() is asked for a wait of {} ms, more than a day",
                                         function, milliseconds));
}

void ObservedHost::fail(const pgat_host *host, pgat_str reason, std::uint64_t retry_after_ms) {
    ObservedHost &self = of(host);
    if (!self.on_sink_thread("fail")) return;
    self.check_wait("fail", retry_after_ms);
    self.failed_ = true;
    self.reason_ =
        one_line(self.checked(reason, Rule::text, "the reason given to fail()"), sinks::max_reason);
}

std::uint64_t ObservedHost::now_ns(const pgat_host *host) {
    of(host).alive("now_ns");
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

std::int32_t ObservedHost::is_cancelled(const pgat_host *host) {
    of(host).alive("is_cancelled");
    return of(host).cancelled_ ? 1 : 0;
}

std::uint32_t ObservedHost::make(Metric kind, pgat_str name, pgat_str help) {
    const char *const function = kind == Metric::counter ? "counter" : "gauge";
    if (!on_sink_thread(function)) return 0;
    checked(help, Rule::text, fmt::format("the help given to {}()", function));
    const std::uint32_t number = kind == Metric::counter
                                     ? metrics_.counter(from_abi(name), from_abi(help))
                                     : metrics_.gauge(from_abi(name), from_abi(help));
    if (number == 0)
        violated(
            Rule::service,
            fmt::format("{}() of \"{}\" is refused: it is one too many, begins with calls_, is a "
                        "metric of the other kind, or is not of the form [a-z][a-z0-9_]{{0,63}}",
                        function, one_line(from_abi(name), shown)));
    const std::lock_guard lock(mutex_);
    if (number != 0) made_.emplace(kind, number);
    return number;
}

void ObservedHost::use(Metric kind, std::uint32_t number) {
    const char *const function = kind == Metric::counter ? "counter" : "gauge";
    if (!alive(function) || number == 0) return;
    {
        const std::lock_guard lock(mutex_);
        if (made_.contains({kind, number})) return;
    }
    violated(Rule::service, fmt::format("a number is used that {0}() did not return", function));
}

std::uint32_t ObservedHost::counter(const pgat_host *host, pgat_str name, pgat_str help) {
    return of(host).make(Metric::counter, name, help);
}

void ObservedHost::counter_add(const pgat_host *host, std::uint32_t counter, std::uint64_t) {
    of(host).use(Metric::counter, counter);
}

std::uint32_t ObservedHost::gauge(const pgat_host *host, pgat_str name, pgat_str help) {
    return of(host).make(Metric::gauge, name, help);
}

void ObservedHost::gauge_set(const pgat_host *host, std::uint32_t gauge, double) {
    of(host).use(Metric::gauge, gauge);
}

std::int32_t ObservedHost::json_get(const pgat_host *host, pgat_str document, pgat_str pointer,
                                    pgat_str *text) {
    ObservedHost &self = of(host);
    if (!self.on_sink_thread("json_get")) return PGAT_JSON_INVALID;
    if (self.visiting_) {
        self.violated(Rule::service, "json_get() from within a visit of json_each()");
        return PGAT_JSON_INVALID;
    }
    std::string_view found;
    const auto kind =
        self.json_.get(from_abi(document), sinks::Lifetime::passing, from_abi(pointer), found);
    if (kind > 0 && text != nullptr) *text = sinks::to_abi(self.lent(found));
    return kind;
}

std::int32_t ObservedHost::json_each(const pgat_host *host, pgat_str document, pgat_str pointer,
                                     pgat_json_visit visit, void *arg) {
    ObservedHost &self = of(host);
    if (!self.on_sink_thread("json_each")) return PGAT_JSON_INVALID;
    if (self.visiting_ || visit == nullptr) {
        self.violated(Rule::service, "json_each() from within a visit, or without a function");
        return PGAT_JSON_INVALID;
    }
    self.visiting_ = true;
    const auto kind =
        self.json_.each(from_abi(document), sinks::Lifetime::passing, from_abi(pointer),
                        [&](std::string_view key, std::int32_t of_kind, std::string_view text) {
                            return visit(arg, sinks::to_abi(key), of_kind, sinks::to_abi(text));
                        });
    self.visiting_ = false;
    return kind;
}

pgat_status ObservedHost::give(std::uint32_t first, std::uint32_t count, pgat_verdict verdict) {
    const auto refuse = [this](std::string what) {
        violated(Rule::verdict, std::move(what));
        return PGAT_E_UNSUPPORTED;
    };
    if (!publishing_) return refuse("a verdict outside of publish()");
    if (first > verdicts_.size() || count > verdicts_.size() - first)
        return refuse(fmt::format("a verdict for an event beyond the batch ({} of {})",
                                  std::uint64_t{first} + count, verdicts_.size()));
    for (std::uint32_t i = first; i < first + count; ++i)
        if (verdicts_[i]) return refuse("a second verdict for an event");
    std::fill_n(verdicts_.begin() + first, count, verdict);
    return PGAT_OK;
}

bool ObservedHost::left_any() const noexcept {
    return std::any_of(verdicts_.begin(), verdicts_.end(),
                       [](const auto &verdict) { return !verdict || *verdict == PGAT_RETRY; });
}

bool ObservedHost::is_own(const pgat_outcomes *outcomes) {
    if (outcomes == this->outcomes()) return true;
    violated(Rule::foreign, "a verdict into the outcomes of another sink, or of nobody");
    return false;
}

pgat_status ObservedHost::settle(const pgat_host *host, pgat_outcomes *outcomes,
                                 std::uint32_t index, const pgat_outcome *outcome) {
    ObservedHost &self = of(host);
    if (!self.on_sink_thread("settle")) return PGAT_E_UNSUPPORTED;
    if (!self.is_own(outcomes)) return PGAT_E_UNSUPPORTED;
    if (outcome == nullptr || !PGAT_HAS(pgat_outcome, outcome, message)) {
        self.violated(Rule::verdict, outcome == nullptr
                                         ? "settle() without an outcome"
                                         : "an outcome whose struct_size is too small");
        return PGAT_E_UNSUPPORTED;
    }
    if (outcome->verdict < PGAT_DELIVERED || outcome->verdict > PGAT_REJECTED)
        self.violated(Rule::verdict, fmt::format("the unknown verdict {}", outcome->verdict));
    self.check_wait("settle", outcome->retry_after_ms);
    const auto message = self.checked(outcome->message, Rule::text, "an outcome's message");
    if (outcome->verdict != PGAT_DELIVERED && message.empty())
        self.violated(Rule::text, "an event is not delivered, and no message says why");
    if (outcome->verdict != PGAT_DELIVERED && self.message_.empty())
        self.message_ = one_line(message, sinks::max_reason);
    return self.give(index, 1, outcome->verdict);
}

pgat_status ObservedHost::delivered(const pgat_host *host, pgat_outcomes *outcomes,
                                    std::uint32_t first, std::uint32_t count) {
    ObservedHost &self = of(host);
    if (!self.on_sink_thread("delivered")) return PGAT_E_UNSUPPORTED;
    if (!self.is_own(outcomes)) return PGAT_E_UNSUPPORTED;
    return self.give(first, count, PGAT_DELIVERED);
}

const void *ObservedHost::extension(const pgat_host *host, pgat_str name) {
    ObservedHost &self = of(host);
    if (self.alive("extension")) self.checked(name, Rule::text, "the name given to extension()");
    return nullptr;
}

} // namespace pgat::conformance
