#include "faults.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>

#include "fault_points/cases.hpp"
#include "sink.hpp"
#include "support/waiting.hpp"

namespace pgat::ordeal {

using namespace std::chrono_literals;
using support::Cluster;
using support::eventually;

namespace {

constexpr auto object_in_use = "55006";

} // namespace

Faults::Faults(Stage &stage, Ledger &ledger, std::uint64_t seed)
    : stage_(stage), ledger_(ledger), random_(seed) {
    lasting_ = {
        {"daemon killed", [this] { kill_daemon(); }},
        {"daemon ended at a fault point", [this] { end_daemon_at_a_point(); }},
        {"daemon stopped", [this] { stop_daemon(); }},
        {"daemon paused", [this] { pause_daemon(); }},
        {"network silent", [this] { cut_network(); }},
        {"commits held invisible", [this] { hold_commits(); }},
        {"second daemon", [this] { second_daemon(); }},
    };
    sudden_ = {
        {"network reset", [this] { stage_.network().reset(); }},
        {"Postgres restarted, fast", [this] { stage_.cluster().restart(Cluster::Stop::fast); }},
        {"Postgres restarted, immediate",
         [this] { stage_.cluster().restart(Cluster::Stop::immediate); }},
        {"postmaster killed",
         [this] {
             stage_.cluster().kill();
             stage_.cluster().start();
         }},
        {"backend killed", [this] { kill_backend(); }},
        {"sessions ended", [this] { end_sessions(); }},
        {"slot dropped", [this] { drop_slot(); }},
        {"slot advanced by hand", [this] { advance_slot(); }},
        {"slot recreated by hand", [this] { recreate_slot(); }},
        {"slot invalidated", [this] { invalidate_slot(); }},
        {"publication dropped", [this] { drop_publication(); }},
        {"publication recreated by hand", [this] { recreate_publication(); }},
    };
}

std::chrono::milliseconds Faults::between(int least, int most) {
    return std::chrono::milliseconds(std::uniform_int_distribution<>(least, most)(random_));
}

// A fault's duration is what it is; nothing to wait for.
void Faults::wait(std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
}

void Faults::run(const Fault &fault) {
    ledger_.count_fault(fault.name);
    fault.strike();
}

void Faults::strike() {
    if (deck_.empty()) {
        for (const auto *all : {&lasting_, &sudden_})
            for (const auto &fault : *all)
                deck_.push_back(&fault);
        std::shuffle(deck_.begin(), deck_.end(), random_);
    }
    const auto &fault = *deck_.back();
    deck_.pop_back();
    run(fault);
    stage_.look_after_daemon();
    // Often the next comes before the last is mended, now and then all is well for a while.
    wait(chance(3) ? between(2000, 4000) : between(0, 800));
}

void Faults::perhaps_another() {
    if (chance(2)) run(sudden_[random_() % sudden_.size()]);
}

void Faults::kill_daemon() {
    stage_.kill_daemon();
    perhaps_another();
    wait(between(0, 1500));
    stage_.start_daemon();
}

// Between two of its steps, where a kill hardly ever strikes.
void Faults::end_daemon_at_a_point() {
    const auto &point = fault_points::cases[random_() % fault_points::cases.size()];
    const auto pass = 1 + random_() % 3;
    stage_.kill_daemon();
    stage_.start_daemon({{"PGAT_FAULT_POINT", fmt::format("{}:{}", point.point, pass)}});
    perhaps_another();
    stage_.bury_daemon(4s);
    stage_.start_daemon();
}

void Faults::stop_daemon() {
    // A server that is there, so that the cursor can be stored.
    stage_.ask([](postgres::Connection &sql) { sql.exec("SELECT 1"); });
    stage_.stop_daemon();
    perhaps_another();
    wait(between(0, 1500));
    stage_.start_daemon();
}

void Faults::pause_daemon() {
    const auto from = Clock::now();
    stage_.daemon().signal(SIGSTOP);
    perhaps_another();
    // Now and then longer than wal_sender_timeout.
    wait(chance(3) ? between(6500, 9000) : between(200, 3000));
    stage_.daemon().signal(SIGCONT);
    // Requests may be under way, and out of time when the daemon looks again.
    ledger_.excuse({"pause", from, Clock::now(), WeatheredSink::timeout + 500ms, stage_.at_once()});
}

void Faults::cut_network() {
    stage_.network().cut();
    perhaps_another();
    wait(chance(3) ? between(6500, 9000) : between(200, 3000));
    stage_.network().mend();
}

// Commits reach the WAL, and no snapshot sees them: their sessions wait for a standby that never comes.
void Faults::hold_commits() {
    const auto hold = [this](const char *standby) {
        stage_.cluster().set("synchronous_standby_names", standby);
        stage_.cluster().reload();
    };
    hold("nosuch");
    wait(between(300, 2000));
    perhaps_another();
    wait(between(300, 2000));
    hold("");
}

// Takes over when the first is killed, paused, cut off or stopped.
void Faults::second_daemon() {
    // Whenever the first one has lost the stream for a moment, the second may be quicker.
    const auto from = Clock::now();
    auto &second = stage_.start_second();
    const auto has_stream = [&second] {
        return second.err().find("stream taken") != std::string::npos;
    };
    second.wait_for_err("standing by", 10s);
    const bool quicker = has_stream();
    const auto how = random_() % 4;
    if (how == 0) stage_.kill_daemon();
    if (how == 1) stage_.daemon().signal(SIGSTOP);
    if (how == 2) stage_.network().cut();
    if (how == 3) stage_.stop_daemon();
    second.wait_for_err("stream taken", 20s);
    wait(between(0, 2000));
    if (chance(2)) perhaps_another();
    if (how == 1) stage_.daemon().signal(SIGCONT);
    if (how == 2) stage_.network().mend();
    if (!stage_.daemon_runs()) stage_.start_daemon();
    wait(between(0, 1000));
    const bool took_over = has_stream();
    stage_.stop_second();
    // A stop hands everything over in order.
    if (quicker || (took_over && how != 3)) ledger_.excuse({"takeover", from, Clock::now()});
}

void Faults::with_free_slot(const std::function<void(postgres::Connection &)> &work) {
    eventually(
        [&] {
            try {
                auto sql = stage_.connect();
                sql.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                         " WHERE slot_name = $1 AND active",
                         {stage_.site().slot()});
                work(sql);
                return true;
            } catch (const Error &error) {
                // The daemon was quicker, or Postgres is away for a moment; else it is as good as done.
                return error.sqlstate() != object_in_use && error.remedy() == Remedy::retry;
            }
        },
        10s);
}

void Faults::drop_slot() {
    with_free_slot([this](postgres::Connection &sql) {
        sql.exec("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                 " WHERE slot_name = $1",
                 {stage_.site().slot()});
    });
}

void Faults::advance_slot() {
    with_free_slot([this](postgres::Connection &sql) {
        sql.exec("SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn())"
                 " FROM pg_replication_slots WHERE slot_name = $1",
                 {stage_.site().slot()});
    });
}

void Faults::recreate_slot() {
    drop_slot();
    with_free_slot([this](postgres::Connection &sql) {
        sql.exec("SELECT pg_create_logical_replication_slot($1, 'pgoutput')",
                 {stage_.site().slot()});
    });
}

void Faults::invalidate_slot() {
    const bool stopped = chance(2) && stage_.daemon_runs();
    const auto from = Clock::now();
    if (stopped) stage_.daemon().signal(SIGSTOP);
    stage_.cluster().set("max_slot_wal_keep_size", "1MB");
    stage_.cluster().reload();
    const auto lost = [this] {
        bool is = false;
        try {
            auto sql = stage_.connect();
            for (int segments = 0; segments < 2; ++segments)
                sql.exec("SELECT pg_logical_emit_message(false, 'ordeal', ''), pg_switch_wal()");
            sql.exec("CHECKPOINT");
            const auto slot = sql.exec("SELECT wal_status = 'lost' FROM pg_replication_slots"
                                       " WHERE slot_name = $1",
                                       {stage_.site().slot()});
            is = slot.empty() || slot.text(0, 0) == "t";
        } catch (const Error &) {
        }
        return is;
    };
    eventually(lost, stopped ? 10s : 2s);
    stage_.cluster().set("max_slot_wal_keep_size", "-1");
    stage_.cluster().reload();
    if (!stopped) return;
    stage_.daemon().signal(SIGCONT);
    ledger_.excuse({"pause", from, Clock::now(), WeatheredSink::timeout + 500ms, stage_.at_once()});
}

void Faults::drop_publication() {
    stage_.ask([this](postgres::Connection &sql) {
        sql.exec("DROP PUBLICATION IF EXISTS " + stage_.publication());
    });
}

// As somebody might who wants to mend it: it lacks the row filter.
void Faults::recreate_publication() {
    stage_.ask([this](postgres::Connection &sql) {
        sql.exec(fmt::format("BEGIN; DROP PUBLICATION IF EXISTS {0}; SET LOCAL ROLE {1};"
                             "CREATE PUBLICATION {0} FOR TABLE async_triggers.events"
                             " WITH (publish_via_partition_root = true); COMMIT",
                             stage_.publication(), stage_.site().role()));
    });
}

void Faults::end_sessions() {
    stage_.ask([this](postgres::Connection &sql) {
        sql.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                 "pg_backend_pid() AND (application_name LIKE 'async_triggers_%' OR random() < 0.2)"
                 " AND backend_type IN ('client backend', 'walsender')");
    });
}

// Postgres throws all sessions out and recovers as after a crash.
void Faults::kill_backend() {
    pid_t victim = 0;
    stage_.ask([&](postgres::Connection &sql) {
        const auto found = sql.exec("SELECT pid FROM pg_stat_activity WHERE datname ="
                                    " current_database() ORDER BY random() LIMIT 1");
        victim = static_cast<pid_t>(found.integer(0, 0));
        ::kill(victim, SIGKILL);
    });
}

} // namespace pgat::ordeal
