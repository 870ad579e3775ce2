// What the housekeeping thread looks up in the database for those who watch the daemon.
//
// Every five seconds, less often where that takes the server long. The subscriptions, whose look is dearer and
// leaves traces in the catalogs, only when the catalogs tell of a change to what they use, and once an hour. What
// cannot be read is told, and no reason to end the session. On the housekeeping thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "observe/throttled_log.hpp"
#include "outbox/kept_letters.hpp"
#include "outbox/report/findings.hpp"
#include "outbox/report/stream_report.hpp"
#include "outbox/report/subscription_report.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

struct Subscription {
    std::string key;
    std::string operation;
    std::string table;
};

struct Survey {
    outbox::StreamReport stream;
    std::vector<Subscription> subscriptions;           // the first two hundred
    std::vector<outbox::SubscriptionProblem> problems; // of the stream's subscriptions
    std::vector<outbox::Letter> letters;   // the newest dead letters, without what they carry
    std::vector<outbox::Finding> findings; // of all these
    Timestamp taken;                       // by this machine's clock
};

class Surveyor {
  public:
    using Clock = std::chrono::steady_clock;

    explicit Surveyor(outbox::ReportRequest request) : request_(std::move(request)) {}

    Clock::time_point due() const noexcept { return due_; }
    // Something has just changed that it would show.
    void look_soon() noexcept { due_ = {}; }
    // Throws Error where the session is lost.
    Survey look(postgres::Connection &sql);

  private:
    void look_at_subscriptions(postgres::Connection &sql);

    const outbox::ReportRequest request_;
    Clock::time_point due_{};
    Clock::time_point subscriptions_due_{};
    std::string subscriptions_seen_; // the state of the catalogs when they were looked at last
    std::vector<Subscription> subscriptions_;
    std::vector<outbox::SubscriptionProblem> problems_;
    observe::ThrottledLog log_{observe::Log{"housekeeping"}, std::chrono::hours(1)};
};

} // namespace pgat::daemon
