#include "daemon/housekeeping.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>

#include "base/own_thread.hpp"
#include "daemon/sessions.hpp"
#include "observe/log.hpp"

namespace pgat::daemon {

namespace {

constexpr observe::Log log{"housekeeping"};

constexpr auto capture_interval = std::chrono::seconds(1);
constexpr auto partition_interval = std::chrono::hours(1);
constexpr auto partition_retry = std::chrono::seconds(10);
constexpr std::size_t default_partition_steps = 10;
// Writing the row makes WAL of its own, which must not be a reason to write it again.
constexpr std::uint64_t worthwhile_wal = 1 << 20;
constexpr auto position_interval = std::chrono::seconds(10);

void report(const outbox::PartitionWork &work) {
    for (const auto &name : work.created)
        log.info("partition created", {{"partition", name}});
    for (const auto &name : work.dropped)
        log.info("partition dropped", {{"partition", name}});
    for (const auto &day : work.left_in_default)
        log.warn("a day stays in the default partition, which holds events of it already",
                 {{"day", day}});
    for (const auto &name : work.blocked)
        log.error("no partition can be made: a table that is none has its name",
                  {{"table", name}, {"hint", "rename or drop that table"}});
    for (const auto &what : work.again)
        log.info("a partition is locked by others, trying again soon", {{"action", what}});
    if (work.deleted_from_default != 0)
        log.info("expired events deleted from the default partition",
                 {{"events", work.deleted_from_default}});
}

} // namespace

Housekeeping::Housekeeping(HousekeepingPlan plan, Mailbox<outbox::Capture> &captures,
                           delivery::Passage &passage, ConfirmedPosition &confirmed,
                           Situation &situation, Halt &halt, FirstFailure &failure)
    : plan_(std::move(plan)), captures_(captures), passage_(passage), confirmed_(confirmed),
      situation_(situation), halt_(halt), failure_(failure), to_store_([this] { bell_.ring(); }),
      news_([this] { bell_.ring(); }), report_(plan_.ours), stored_(plan_.stored),
      watch_(plan_.ours.stream, plan_.partitions, *plan_.oldest), surveyor_(plan_.report),
      thread_([this] { failure_.guard([this] { run(); }); }) {}

Housekeeping::~Housekeeping() {
    halt_.end_session();
    thread_.join();
}

void Housekeeping::store(delivery::CursorToStore cursor) { to_store_.put(std::move(cursor)); }

void Housekeeping::want_capture() noexcept {
    // A ring for the first wish only: the rest finds it standing.
    if (!capture_wanted_.exchange(true)) bell_.ring();
}

void Housekeeping::tell(std::optional<OutageNews> news) { news_.put(std::move(news)); }

void Housekeeping::run() {
    this_thread_is_ours();
    auto sql = open_at(plan_.sql, plan_.ours.home);
    while (!halt_.halted()) {
        take_care_of_cursor(sql);
        take_care_of_passage(sql);
        // One that delivery has not looked at yet is as good as a new one.
        const bool passing = passage_.is_open();
        if (!passing && capture_wanted_ && Clock::now() >= next_capture_ && captures_.empty()) {
            capture_wanted_ = false;
            next_capture_ = Clock::now() + capture_interval;
            captures_.put(outbox::take_capture(sql));
        }
        if (Clock::now() >= watch_.due()) watch_.look(sql);
        if (Clock::now() >= next_partitions_) {
            take_care_of_partitions(sql);
            surveyor_.look_soon();
        }
        if (Clock::now() >= surveyor_.due()) situation_.survey(surveyor_.look(sql));
        auto until = std::min({next_partitions_, watch_.due(), report_.due(), surveyor_.due()});
        if (passing)
            until = std::min(until, Clock::now() + capture_interval);
        else if (capture_wanted_)
            until = std::min(until,
                             std::max(next_capture_, Clock::now() + std::chrono::milliseconds(50)));
        wait(sql, until);
    }
}

// The news come after the cursor: a row that says "streaming" has the cursor of streaming.
void Housekeeping::take_care_of_cursor(postgres::Connection &sql) {
    auto news = news_.take();
    if (const auto cursor = to_store_.take()) {
        // Delivery need not know how far the passage has got.
        stored_ = std::max(stored_, cursor->position);
        outbox::store_cursor(sql, plan_.ours, cursor->cursor, stored_);
        confirmed_.set(stored_);
    }
    if (news && *news)
        report_.take(std::move(**news));
    else if (news)
        report_.end(sql);
    if (auto told = report_.work(sql)) situation_.outage(std::move(told));
}

void Housekeeping::take_care_of_passage(postgres::Connection &sql) {
    if (passage_.wants_capture() && Clock::now() >= next_capture_) {
        next_capture_ = Clock::now() + capture_interval;
        passage_.see(outbox::take_capture(sql).snapshot);
    }
    if (passage_.is_open()) release_wal(sql);
}

// The row first: a slot that is found beyond it counts as moved by somebody else.
void Housekeeping::release_wal(postgres::Connection &sql) {
    const auto events = passage_.events();
    const Lsn position = passage_.confirmable();
    if (!confirmed_.allows(position) || position <= stored_) return;
    const auto age = Clock::now() - stored_at_;
    const bool much = position.bytes_since(stored_) >= worthwhile_wal && age >= capture_interval;
    if (!much && (events == stored_events_ || age < position_interval)) return;
    outbox::store_position(sql, plan_.ours, position);
    stored_ = position;
    stored_at_ = Clock::now();
    // Of events that no capture has seen the position is still to be stored.
    if (passage_.remembered() == 0) stored_events_ = events;
    confirmed_.set(position);
}

void Housekeeping::take_care_of_partitions(postgres::Connection &sql) {
    // The floor of a stream that has nothing to deliver stays behind while others write: whoever asks what it
    // has not delivered would read all of theirs.
    if (next_partitions_ != Clock::time_point{}) capture_wanted_ = true;
    outbox::PartitionWork work;
    outbox::create_partitions(sql, plan_.partitions, work);
    outbox::drop_partitions(sql, plan_.ours, plan_.partitions, work);
    const bool more =
        outbox::clean_default_partition(sql, plan_.partitions, default_partition_steps, work);
    report(work);
    watch_.report(work);
    const bool soon = more || !work.again.empty();
    next_partitions_ = Clock::now() + (soon ? Clock::duration(partition_retry)
                                            : Clock::duration(partition_interval));
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        (std::chrono::system_clock::now() + (next_partitions_ - Clock::now())).time_since_epoch());
    outbox::store_next_maintenance(sql, plan_.ours, Timestamp(now.count()));
}

void Housekeeping::wait(postgres::Connection &sql, Clock::time_point until) {
    pollfd watched[3] = {
        {sql.socket(), POLLIN, 0}, {halt_.bell().fd(), POLLIN, 0}, {bell_.fd(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const auto bounded = std::clamp<std::int64_t>(left, 0, 1 << 30);
    if (::poll(watched, 3, static_cast<int>(bounded)) < 0) {
        if (errno == EINTR) return;
        throw std::system_error(errno, std::generic_category(), "poll");
    }
    if (watched[2].revents != 0) bell_.clear();
    if (watched[0].revents != 0) sql.take_in();
}

} // namespace pgat::daemon
