#include "daemon/outage_report.hpp"

#include <algorithm>

#include "observe/log.hpp"
#include "outbox/failover_state.hpp"
#include "outbox/time_text.hpp"

namespace pgat::daemon {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr observe::Log log{"housekeeping"};

constexpr auto news_interval = 1s;
constexpr auto row_interval = 5s;
constexpr auto log_interval = 60s;
// Counting may take up a twentieth of this thread's time.
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
        reason_ = news.outage->reason;
        since_ = news.outage->since;
    }
    news_ = std::move(news);
    due_ = std::min(due_, std::max(now, written_ + news_interval));
}

void OutageReport::end(postgres::Connection &sql) {
    outbox::store_failover(sql, ours_, std::nullopt);
    news_.reset();
    backlog_ = {};
    reason_.clear();
    due_ = Clock::time_point::max();
}

void OutageReport::work(postgres::Connection &sql) {
    if (!news_ || Clock::now() < due_) return;
    if (Clock::now() >= next_count_) count(sql);
    write_row(sql);
    if (Clock::now() >= next_log_) write_log();
    written_ = Clock::now();
    due_ = written_ + row_interval;
}

void OutageReport::count(postgres::Connection &sql) {
    const auto began = Clock::now();
    backlog_ = outbox::count_backlog(sql, ours_.stream, news_->cursor);
    const auto took = Clock::now() - began;
    next_count_ = began + std::max<Clock::duration>(news_interval, count_share * took);
}

void OutageReport::write_row(postgres::Connection &sql) {
    outbox::FailoverState state;
    state.first = backlog_.first;
    if (news_->first && (!state.first || *news_->first < *state.first)) state.first = news_->first;
    if (!reason_.empty()) {
        state.since = since_;
        state.reason = reason_;
    }
    state.waiting = std::max<std::uint64_t>(backlog_.events, state.first ? 1 : 0);
    if (news_->outage) state.next_attempt = on_the_wall(news_->outage->next_attempt);
    outbox::store_failover(sql, ours_, state);
}

void OutageReport::write_log() {
    next_log_ = Clock::now() + log_interval;
    const auto first = backlog_.first ? backlog_.first->id : EventId();
    if (!news_->outage) {
        log.info("the sink takes events, those that waited are delivered from the table",
                 {{"waiting", backlog_.events}, {"first", first}});
        return;
    }
    const auto wait =
        std::chrono::ceil<milliseconds>(news_->outage->next_attempt - Clock::now()).count();
    log.warn("in failover: events wait in the table, the WAL is released",
             {{"waiting", backlog_.events},
              {"first", first},
              {"since", outbox::time_text(since_)},
              {"reason", reason_},
              {"next_attempt_ms", std::max<std::int64_t>(wait, 0)}});
}

} // namespace pgat::daemon
