#include "daemon/outage_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "observe/log.hpp"
#include "outbox/time_text.hpp"

namespace pgat::daemon {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr observe::Log log{"housekeeping"};

constexpr auto news_interval = 1s;
constexpr auto row_interval = 5s;
constexpr auto log_interval = 60s;
// Counting may take up a twentieth of the server's time.
constexpr int count_share = 20;

// The wall clock's idea of a point of the steady clock.
Timestamp on_the_wall(OutageReport::Clock::time_point time) {
    const auto at = std::chrono::system_clock::now() + (time - OutageReport::Clock::now());
    return Timestamp(
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
}

} // namespace

void OutageReport::take(OutageNews news) {
    const auto now = Clock::now();
    if (!news_) {
        next_count_ = now;
        next_log_ = now + log_interval;
    }
    if (news.outage) {
        // A sink that fails again before all is replayed has not been back.
        if (reason_.empty()) since_ = news.outage->since;
        reason_ = news.outage->reason;
    }
    news_ = std::move(news);
    due_ = std::min(due_, std::max(now, written_ + news_interval));
}

void OutageReport::end(postgres::Connection &sql) {
    outbox::store_failover(sql, ours_, std::nullopt);
    news_.reset();
    counting_.reset();
    backlog_ = {};
    reason_.clear();
    due_ = Clock::time_point::max();
}

std::optional<outbox::FailoverState> OutageReport::work(postgres::Connection &sql) {
    if (!news_) return std::nullopt;
    const bool write = Clock::now() >= due_;
    if (counting_ || (write && Clock::now() >= next_count_)) count_on(sql);
    if (!write) return std::nullopt;
    const auto now_known = state();
    outbox::store_failover(sql, ours_, now_known);
    if (Clock::now() >= next_log_) write_log(now_known);
    written_ = Clock::now();
    due_ = written_ + row_interval;
    return now_known;
}

// One range. What a long count has found is for the next row.
void OutageReport::count_on(postgres::Connection &sql) {
    const auto began = Clock::now();
    if (!counting_) {
        counting_.emplace(sql, ours_.stream, news_->cursor);
        counting_took_ = {};
    }
    counting_->count_range(sql);
    const auto now = Clock::now();
    counting_took_ += now - began;
    if (!counting_->done()) return;
    backlog_ = counting_->counted();
    counting_.reset();
    next_count_ = now + std::max<Clock::duration>(news_interval, count_share * counting_took_);
    due_ = std::min(due_, std::max(now, written_ + news_interval));
}

outbox::FailoverState OutageReport::state() const {
    outbox::FailoverState state;
    state.first = backlog_.first;
    if (news_->first && (!state.first || *news_->first < *state.first)) state.first = news_->first;
    if (!reason_.empty()) {
        state.since = since_;
        state.reason = reason_;
    }
    state.waiting = std::max<std::uint64_t>(backlog_.events, state.first ? 1 : 0);
    if (news_->outage) state.next_attempt = on_the_wall(news_->outage->next_attempt);
    return state;
}

void OutageReport::write_log(const outbox::FailoverState &state) {
    next_log_ = Clock::now() + log_interval;
    const auto first = state.first ? fmt::format("{}", state.first->id) : "not visible yet";
    if (!news_->outage) {
        log.info("the sink takes events, those that waited are delivered from the table",
                 {{"waiting", state.waiting}, {"first", first}});
        return;
    }
    const auto wait =
        std::chrono::ceil<milliseconds>(news_->outage->next_attempt - Clock::now()).count();
    log.warn("in failover: events wait in the table, the WAL is released",
             {{"waiting", state.waiting},
              {"first", first},
              {"since", outbox::time_text(since_)},
              {"reason", reason_},
              {"next_attempt_ms", std::max<std::int64_t>(wait, 0)}});
}

} // namespace pgat::daemon
