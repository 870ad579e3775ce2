#include "fault_points/trial.hpp"

#include <algorithm>
#include <csignal>
#include <set>

#include <fmt/format.h>

#include "base/fault_point.hpp"
#include "outbox/stream_row.hpp"
#include "support/waiting.hpp"

namespace pgat::fault_points {

using namespace std::chrono_literals;
using support::Daemon;
using support::eventually;

template <class... Values>
void Trial::complain(const char *format, const Values &...values) {
    complaints_ += fmt::format(fmt::runtime(format), values...) + "\n";
}

Trial::Trial(support::Cluster &cluster, std::mutex &making, const Case &what) : what_(what) {
    {
        const std::lock_guard lock(making);
        site_ = std::make_unique<support::Site>(cluster);
    }
    receiver_.answer_with([this](const support::HttpRequest &request) { return answer(request); });
}

Trial::~Trial() {
    // The cluster has a place for twenty.
    eventually([this] {
        try {
            site_->exec("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                        " WHERE slot_name = $1",
                        {site_->slot()});
            return true;
        } catch (const Error &) {
            return false;
        }
    });
}

std::filesystem::path Trial::configure(Life life) {
    return site_->configure(
        fmt::format("  type: http\n  url: {}\n", receiver_.url(life == after ? "/after" : "/")),
        "  batch: {max_size: 20}\n"
        "  retry: {attempts: 2, initial_backoff_ms: 10, max_backoff_ms: 100}\n");
}

support::HttpAnswer Trial::answer(const support::HttpRequest &request) {
    const auto key = ordeal::parse_event_id(request.header("webhook-id"));
    if (!key || rejects(*key)) return {422, "", {}};
    if (down_) return {503, "", {}};
    std::unique_lock lock(mutex_);
    may_take_.wait(lock, [this] { return !allowance_ || *allowance_ > 0; });
    if (allowance_) --*allowance_;
    taken_[request.target == "/after" ? after : before].push_back(*key);
    return {};
}

// So many more; nothing: all from now on.
void Trial::allow(std::optional<int> more) {
    const std::lock_guard lock(mutex_);
    allowance_ = more ? std::optional(allowance_.value_or(0) + *more) : std::nullopt;
    may_take_.notify_all();
}

bool Trial::rejects(const EventKey &key) const {
    return what_.during == During::dead_letter && key.id % 7 == 0;
}

std::string Trial::run() {
    prepare();
    read_table();
    if (end_at_the_point()) {
        look_at_the_row();
        if (deliver_the_rest()) judge();
    }
    if (complaints_.empty()) return "";
    return fmt::format("{}:{}: {}{}\n", what_.point, what_.pass, complaints_, logs_);
}

void Trial::prepare() {
    if (what_.during == During::first_start) return;
    site_->subscribe_to_items();
    application_ = std::make_unique<Application>(*site_);
    application_->write_for_a_while();
    if (what_.during == During::slot_creation) return;
    run_to_a_clean_stop();
    application_->write_for_a_while();
    if (what_.during == During::replacement)
        site_->exec("DROP PUBLICATION async_triggers_stream_" + std::to_string(site_->stream()));
    if (what_.during == During::housekeeping)
        site_->exec("DO $$ DECLARE name text; BEGIN FOR name IN SELECT relname FROM pg_class"
                    " WHERE relname ~ '^events_2' AND relkind = 'r' AND relname > 'events_' ||"
                    " to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"
                    " LOOP EXECUTE 'DROP TABLE async_triggers.' || name; END LOOP; END $$");
}

void Trial::run_to_a_clean_stop() {
    Daemon daemon(configure(before));
    // Partitions are seen to by then.
    const bool ready = daemon.wait_until_streaming() && eventually([this] {
                           return !site_
                                       ->exec("SELECT next_maintenance_at FROM"
                                              " async_triggers.streams")
                                       .null(0, 0);
                       });
    if (what_.during == During::housekeeping) make_an_old_partition();
    read_table();
    const bool all = ready && eventually([this] { return taken(before) >= due(); });
    if (daemon.stop() != 0 || !all) complain("the daemon before did not do its work");
    logs_ += "--- the daemon before\n" + daemon.err();
}

void Trial::make_an_old_partition() {
    old_partition_ = "async_triggers." + site_->make_past_day(20);
    site_->write_in_the_past(20, 10);
}

// Long enough for a round and a look at the row in each; the application goes on writing.
void Trial::lose_the_sink_again_and_again(Daemon &daemon) {
    const auto row_says = [&](std::string_view status) {
        eventually([&] {
            application_->write();
            return !daemon.running() ||
                   site_->exec("SELECT status FROM async_triggers.streams").text(0, 0) == status;
        });
    };
    eventually([&] {
        application_->commit();
        application_->begin();
        down_ = true;
        row_says("failover");
        down_ = false;
        row_says("streaming");
        return !daemon.running();
    });
}

// The application leaves a transaction open.
void Trial::write_until_it_ends(Daemon &daemon) {
    allow(0);
    eventually([&] {
        application_->commit();
        application_->begin();
        application_->write();
        allow(Application::events_at_a_time - 1);
        return !daemon.running();
    });
    allow(std::nullopt);
}

bool Trial::end_at_the_point() {
    Daemon daemon(configure(before),
                  {{"PGAT_FAULT_POINT", fmt::format("{}:{}", what_.point, what_.pass)}});
    if (what_.during == During::stop) {
        // The first time is when it begins to stream.
        eventually([&] { return row_holds_all() || !daemon.running(); });
        application_->write_for_a_while();
        read_table();
        // It may come there by itself while the last of them are delivered.
        eventually([&] { return taken(before) >= due() || !daemon.running(); });
        daemon.signal(SIGTERM);
    }
    if (what_.during == During::outage) lose_the_sink_again_and_again(daemon);
    if (application_ && what_.during != During::stop)
        write_until_it_ends(daemon);
    else
        daemon.wait();
    const auto status = daemon.wait(0ms);
    if (status) daemon.wait_for_end_of_output();
    logs_ += "--- the daemon that was to end there\n" + daemon.err();
    if (status == fault_point_status) return true;
    complain("the daemon did not end there; its status: {}", status.value_or(-1));
    return false;
}

bool Trial::row_holds_all() {
    auto sql = site_->connect();
    const auto row = outbox::load_stream_row(sql, StreamId(site_->stream()));
    return std::all_of(committed_.begin(), committed_.end(), [&](const auto &one) {
        return row->cursor.holds(one.second.xid,
                                 {EventId(one.first.id), Timestamp(one.first.created_at)});
    });
}

void Trial::look_at_the_row() {
    // What it had sent to the server may still be at work.
    const bool gone = eventually([this] {
        return site_
                   ->exec("SELECT count(*) FROM pg_stat_activity WHERE"
                          " backend_type = 'client backend' AND starts_with(application_name, $1)",
                          {fmt::format("async_triggers_{}_", site_->stream())})
                   .integer(0, 0) == 0;
    });
    if (!gone) complain("the server goes on with a session of the daemon that ended");
    if (what_.during == During::first_start) {
        // Events that an application writes itself, where there is a table already.
        if (site_->exec("SELECT to_regclass('async_triggers.events') IS NOT NULL").boolean(0, 0))
            site_->exec("INSERT INTO async_triggers.events (stream_id, payload) VALUES ($1, '"
                        R"({"new": {"id": 0, "n": 0}})"
                        "')",
                        {site_->stream()});
        return;
    }
    auto sql = site_->connect();
    if (const auto row = outbox::load_stream_row(sql, StreamId(site_->stream())))
        cursor_ = row->cursor;
    application_->write();
}

bool Trial::deliver_the_rest() {
    Daemon daemon(configure(after));
    // The transaction that was open commits now, though it is older than all that was delivered.
    bool goes_on = daemon.wait_for_err("stream taken");
    if (application_) application_->commit();
    goes_on = goes_on && daemon.wait_until_streaming();
    if (!application_) {
        site_->subscribe_to_items();
        application_ = std::make_unique<Application>(*site_);
    }
    application_->write_for_a_while();
    read_table();
    goes_on = goes_on && eventually([this] { return taken(after) >= due(); });
    if (!old_partition_.empty())
        goes_on = goes_on && eventually([this] {
                      return site_->exec("SELECT to_regclass($1) IS NULL", {old_partition_})
                          .boolean(0, 0);
                  });
    const int status = daemon.stop();
    logs_ += "--- the daemon after it\n" + daemon.err();
    if (!goes_on) complain("{} of {} events came after it", taken(after), due());
    if (status != 0) complain("the daemon after it ended with status {}", status);
    return status == 0;
}

void Trial::read_table() {
    if (!application_) return;
    const auto rows = site_->exec("SELECT id, (extract(epoch FROM created_at) * 1000000)::bigint,"
                                  " xid, payload->'new'->>'id', payload->'new'->>'n'"
                                  " FROM async_triggers.events");
    for (int row = 0; row < rows.rows(); ++row)
        committed_.insert_or_assign(EventKey{rows.integer(row, 0), rows.integer(row, 1)},
                                    Committed{Xid(rows.unsigned_integer(row, 2)),
                                              rows.integer(row, 3), rows.integer(row, 4)});
}

// How many events the sink has still to take, as the row has it.
std::size_t Trial::due() const {
    std::size_t count = 0;
    for (const auto &[key, event] : committed_)
        if (!rejects(key) &&
            !cursor_.holds(event.xid, {EventId(key.id), Timestamp(key.created_at)}))
            ++count;
    return count;
}

std::size_t Trial::taken(Life life) const {
    const std::lock_guard lock(mutex_);
    return taken_[life].size();
}

void Trial::judge() {
    const std::lock_guard lock(mutex_);
    const std::set<EventKey> first(taken_[before].begin(), taken_[before].end());
    const std::set<EventKey> second(taken_[after].begin(), taken_[after].end());
    if (first.size() != taken_[before].size()) complain("one daemon delivered an event twice");
    if (second.size() != taken_[after].size()) complain("the daemon after it delivered one twice");
    std::set<EventKey> letters;
    const auto kept = site_->exec("SELECT event_id, (extract(epoch FROM event_created_at) *"
                                  " 1000000)::bigint FROM async_triggers.dead_letters");
    for (int row = 0; row < kept.rows(); ++row)
        letters.insert({kept.integer(row, 0), kept.integer(row, 1)});
    for (const auto &[key, event] : committed_) {
        const bool held = cursor_.holds(event.xid, {EventId(key.id), Timestamp(key.created_at)});
        if (rejects(key) != letters.contains(key))
            complain("event {} {} a dead letter", key.id, rejects(key) ? "is not" : "is");
        if (rejects(key)) continue;
        if (held && !first.contains(key)) complain("event {} is held and was never taken", key.id);
        if (held && second.contains(key)) complain("event {} is held and came again", key.id);
        if (!held && !second.contains(key)) complain("event {} is lost", key.id);
    }
    for (const auto *all : {&first, &second})
        for (const auto &key : *all)
            if (!committed_.contains(key)) complain("event {} was never committed", key.id);
    if (committed_.size() < 30) complain("only {} events were written", committed_.size());
    judge_order();
}

// What a row became comes for the first time in the order in which it became it.
void Trial::judge_order() {
    std::set<EventKey> seen;
    std::map<std::int64_t, std::int64_t> newest;
    for (const auto *all : {&taken_[before], &taken_[after]})
        for (const auto &key : *all) {
            const auto event = committed_.find(key);
            if (event == committed_.end() || !seen.insert(key).second) continue;
            const auto [row, version] = std::pair(event->second.row, event->second.version);
            const auto known = newest.try_emplace(row, -1).first;
            if (version < known->second)
                complain("version {} of row {} came after {}", version, row, known->second);
            known->second = std::max(known->second, version);
        }
}

} // namespace pgat::fault_points
