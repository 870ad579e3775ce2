// Taking the stream: the sessions, the slot, the row.
#include "daemon/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "daemon/sessions.hpp"
#include "observe/log.hpp"
#include "outbox/migrations.hpp"
#include "postgres/sqlstate.hpp"
#include "replication/publication.hpp"
#include "replication/slot_creation.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr observe::Log log{"daemon"};

constexpr auto standby_interval = 1s;

outbox::PartitionPolicy partition_policy(const config::Partitions &partitions) {
    return {partitions.days_ahead, partitions.retention_days, partitions.drop_undelivered};
}

outbox::Home home_of(const replication::ServerIdentity &server) {
    return {server.system_identifier, server.timeline.value()};
}

} // namespace

// Both sessions, proved to be with one primary, and the schema that this program knows.
void Pipeline::connect() {
    situation_.enter(Phase::connecting);
    sql_ = postgres::Connection::open(sql_session(settings_, &halt_.bell()));
    server_ = replication::identify_sql(*sql_);
    stand_by();
    replication_ = postgres::Connection::open(stream_session(settings_, &halt_.bell()));
    server_ = replication::identify_replication(*replication_);
    replication::require_one_primary(replication::identify_sql(*sql_), server_);
    const auto applied = outbox::migrate(*sql_);
    for (const auto &name : applied)
        log.info("migration applied", {{"migration", name}});
    // A fresh schema has no writers yet whom today's partition would have to wait for.
    if (!applied.empty()) {
        outbox::PartitionWork work;
        outbox::create_partitions(*sql_, partition_policy(settings_.partitions), work);
    }
}

// The daemon that holds the slot is the active one; the server frees it at once when that one dies, and after
// six seconds when it hangs or is cut off. Here nothing but one question a second is asked meanwhile.
void Pipeline::stand_by() {
    for (bool first = true;; first = false) {
        const auto slot = look_at_slot();
        if (!slot || !slot->active) return;
        if (slot->being_created()) replication::cancel_orphaned_creation(*sql_, slot->name);
        situation_.enter(Phase::standby);
        if (first)
            log.info("another daemon holds the slot, standing by",
                     {{"slot", slot->name}, {"process", slot->active_pid.value_or(0)}});
        if (halt_.wait_for(standby_interval)) throw Error(Remedy::interrupted, "stopped");
    }
}

// Publication first, committed, then the slot, then the row.
void Pipeline::take_stream() {
    const auto slot = usable_slot();
    replication::ensure_publication(*sql_, settings_.id);

    // Room for one batch waiting beside the one in delivery.
    const delivery::ChunkQueue::Bounds room{4 * limits_.max_size, limits_.max_bytes};
    queue_.emplace(room, [this] { reader_->wake(); });
    watched_queue_.emplace(situation_, *queue_, room);
    passage_.emplace(*queue_);
    captures_.emplace([this] { queue_->nudge(); });
    ReaderPlan plan;
    plan.stream = settings_.id;
    plan.request = {settings_.slot_name, replication::stream_object_name(settings_.id), Lsn()};
    plan.create_slot = !slot.has_value();
    plan.slots = &memory_.slots;
    plan.sql = sql_session(settings_, &halt_.bell());
    plan.home = home_of(server_);
    walsender_ = replication_->backend_pid();
    reader_.emplace(std::move(plan), *queue_, *passage_, confirmed_, halt_, failure_);
    waker_.emplace(halt_, [this] {
        queue_->nudge();
        reader_->wake();
    });
    // Nobody else's creation can succeed beside ours, so a stream without a slot is taken right away.
    if (!slot) {
        report_slot_limit();
        take_ownership();
        // A position that was confirmed here was a slot's.
        const bool had_slot = memory_.had_slot || (row_.confirmed && row_.home == home_of(server_));
        if (had_slot && !dropped_slot_)
            situation_.slot_replaced("it was gone, dropped by somebody else");
    }
    reader_->start(std::move(*replication_));
    replication_.reset();
    if (slot) take_ownership();
}

std::optional<replication::Slot> Pipeline::look_at_slot() {
    auto slot = replication::find_slot(*sql_, settings_.slot_name);
    if (slot) replication::require_ours(*slot, server_.database);
    return slot;
}

// The slot to read, or none where there is none that could decode what we need: the table has all of it. It
// goes before its publication is mended: a crash in between must not leave one that has decoded too little.
std::optional<replication::Slot> Pipeline::usable_slot() {
    auto slot = look_at_slot();
    if (!slot) return slot;
    if (slot->being_created() && replication::cancel_orphaned_creation(*sql_, slot->name))
        throw Error(Remedy::retry,
                    "a daemon that is gone had begun to create the slot " + slot->name);
    const bool published = replication::inspect_publication(*sql_, settings_.id) ==
                           replication::PublicationState::right;
    if (published && !slot->invalidated && !memory_.replace_slot) return slot;
    if (slot->active)
        throw Error(Remedy::retry, "another session holds the slot " + slot->name)
            .with_sqlstate(postgres::sqlstate::object_in_use);
    const std::string reason = slot->invalidated ? slot->invalidation_reason
                               : published       ? "its stream could not be decoded"
                                                 : "it is older than its publication";
    log.warn("replacing the slot: what it has lost is in the table",
             {{"slot", slot->name}, {"reason", reason}});
    replication::drop_slot(*sql_, slot->name);
    situation_.slot_replaced(reason);
    dropped_slot_ = true;
    memory_.replace_slot = false;
    return std::nullopt;
}

// A slot that is lost again and again is not mended by one more; until there may be one, events come from the
// table once a second.
void Pipeline::report_slot_limit() {
    const auto now = Clock::now();
    const auto wait = memory_.slots.next(now) - now;
    if (wait <= 0s) return;
    log.error("the slot has been replaced too often: events are delivered from the table, once a "
              "second, until the next one is made",
              {{"slot", settings_.slot_name},
               {"replaced_within_an_hour", replication::SlotLimit::most},
               {"next_attempt_ms", std::chrono::ceil<std::chrono::milliseconds>(wait).count()},
               {"max_slot_wal_keep_size", sql_->exec("SHOW max_slot_wal_keep_size").text(0, 0)},
               {"hint", "look in the server's log for who drops or invalidates it, and raise "
                        "max_slot_wal_keep_size if it is too small"}});
}

// From here on any other daemon's writes fail. The cursor is the row's, or what is in memory if it was we
// who wrote the row last, on this timeline.
void Pipeline::take_ownership() {
    auto taken = outbox::take_stream(*sql_, settings_.id, home_of(server_));
    row_ = std::move(taken.before);
    const bool ours_last = memory_.ownership && memory_.ownership->generation == row_.generation &&
                           memory_.ownership->home == taken.ownership.home;
    const bool set_back = ours_last && memory_.ownership->wrote_after(row_.written_by);
    if (set_back)
        log.warn(
            "the database was set back in time, as by a backup that was restored: its own cursor "
            "counts, and what was delivered since may come again",
            {{"stream", settings_.id}});
    const bool remembered = ours_last && !set_back;
    if (!remembered) memory_.cursor = row_.cursor;
    // Of another server or timeline a position says nothing here: it may even lie ahead of this one's WAL.
    memory_.position =
        row_.home == taken.ownership.home
            ? std::max(row_.confirmed.value_or(Lsn()), remembered ? memory_.position : Lsn())
            : Lsn();
    memory_.in_failover = row_.failover_checkpoint.has_value() || dispatcher_.outage().has_value();
    memory_.ownership = taken.ownership;
    situation_.failover(memory_.in_failover, row_.failover_since);
    situation_.enter(Phase::recovering);
    if (taken.origin == outbox::Origin::moved)
        log.warn("the database was copied here from another server; its cursor came with it",
                 {{"system_identifier", server_.system_identifier}});
    progress_.emplace(memory_.cursor, memory_.position);
    take_crash_into_account();
    lease_.emplace(taken.ownership, settings_.slot_name, walsender_);
    housekeeping_.emplace(
        HousekeepingPlan{sql_session(settings_, &halt_.bell()),
                         taken.ownership,
                         memory_.position,
                         partition_policy(settings_.partitions),
                         &memory_.oldest_undelivered,
                         {settings_.id, settings_.slot_name, settings_.partitions.days_ahead,
                          settings_.partitions.retention_days,
                          settings_.partitions.drop_undelivered}},
        *captures_, *passage_, confirmed_, situation_, halt_, failure_);
    log.info("stream taken", {{"stream", settings_.id},
                              {"slot", settings_.slot_name},
                              {"generation", taken.ownership.generation},
                              {"floor", memory_.cursor.floor()}});
}

// A slot that we created last, and left where the row says, has all that the table does not give up to any
// capture. Every other slot has to be covered first.
Pipeline::TakeOver Pipeline::examine_slot() {
    const auto slot = look_at_slot();
    if (!slot)
        throw Error(Remedy::recover, "the slot " + settings_.slot_name + " went away while in use");
    TakeOver from{slot->confirmed_flush, std::nullopt, std::nullopt};
    const bool as_we_left_it =
        row_.confirmed && slot->confirmed_flush <= *row_.confirmed && row_.home == home_of(server_);
    if (!as_we_left_it) {
        from.not_ours = Xid(sql_->exec("SELECT pg_current_xact_id()").unsigned_integer(0, 0));
        log.info("the slot is not as this stream left it, the table is read until it is covered",
                 {{"slot", slot->name}, {"position", slot->confirmed_flush}});
    }
    return from;
}

} // namespace pgat::daemon
