#include "daemon/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "base/fault_point.hpp"
#include "daemon/sessions.hpp"
#include "observe/log.hpp"
#include "outbox/dead_letters.hpp"
#include "outbox/migrations.hpp"
#include "postgres/sqlstate.hpp"
#include "replication/publication.hpp"
#include "replication/slot_creation.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr observe::Log log{"daemon"};

constexpr auto round_interval = 1s;
constexpr auto standby_interval = 1s;
constexpr auto probe_interval = 5s;
constexpr auto farewell_limit = 3s;

delivery::BatchLimits limits_of(const config::Batch &batch) {
    return {batch.max_size, batch.max_bytes, batch.min_size, batch.max_fill};
}

outbox::PartitionPolicy partition_policy(const config::Partitions &partitions) {
    return {partitions.days_ahead, partitions.retention_days, partitions.drop_undelivered};
}

std::optional<outbox::Position> lowest_unsettled(const delivery::Batch &batch,
                                                 const delivery::Settled &settled) {
    std::optional<outbox::Position> lowest;
    auto next = settled.delivered.begin();
    for (std::size_t i = settled.prefix; i < batch.events.size(); ++i) {
        if (next != settled.delivered.end() && *next == i)
            ++next;
        else if (!lowest || batch.events[i]->at < *lowest)
            lowest = batch.events[i]->at;
    }
    return lowest;
}

outbox::Home home_of(const replication::ServerIdentity &server) {
    return {server.system_identifier, server.timeline.value()};
}

} // namespace

Pipeline::Pipeline(const config::Config &config, delivery::Dispatcher &dispatcher, Memory &memory,
                   Halt &halt)
    : config_(config), settings_(config.stream), limits_(limits_of(config.stream.batch)),
      dispatcher_(dispatcher), memory_(memory), halt_(halt), failure_(halt) {}

Pipeline::~Pipeline() {
    housekeeping_.reset();
    memory_.position = std::max(memory_.position, confirmed_.get());
}

void Pipeline::run() {
    connect();
    take_stream();
    try {
        while (!halt_.halted()) {
            recover();
            if (!halt_.halted()) stream();
        }
    } catch (const Error &error) {
        if (error.remedy() != Remedy::interrupted || !halt_.halted()) throw;
    }
    if (const auto failure = failure_.get()) throw *failure;
    settle_down();
}

// Both sessions, proved to be with one primary, and the schema that this program knows.
void Pipeline::connect() {
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
    queue_.emplace(delivery::ChunkQueue::Bounds{4 * limits_.max_size, limits_.max_bytes},
                   [this] { reader_->wake(); });
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
    log.warn("replacing the slot: what it has lost is in the table",
             {{"slot", slot->name},
              {"reason", slot->invalidated ? slot->invalidation_reason
                         : published       ? "its stream could not be decoded"
                                           : "it is older than its publication"}});
    replication::drop_slot(*sql_, slot->name);
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
    const bool remembered = memory_.ownership && memory_.ownership->generation == row_.generation &&
                            memory_.ownership->home == taken.ownership.home;
    if (!remembered) memory_.cursor = row_.cursor;
    // Of another server or timeline a position says nothing here: it may even lie ahead of this one's WAL.
    memory_.position =
        row_.home == taken.ownership.home
            ? std::max(row_.confirmed.value_or(Lsn()), remembered ? memory_.position : Lsn())
            : Lsn();
    in_failover_ = row_.failover_checkpoint.has_value() || dispatcher_.outage().has_value();
    memory_.ownership = taken.ownership;
    if (taken.origin == outbox::Origin::moved)
        log.warn("the database was copied here from another server; its cursor came with it",
                 {{"system_identifier", server_.system_identifier}});
    progress_.emplace(memory_.cursor, memory_.position);
    lease_.emplace(taken.ownership, settings_.slot_name, walsender_);
    housekeeping_.emplace(sql_session(settings_, &halt_.bell()), taken.ownership, memory_.position,
                          partition_policy(settings_.partitions), *captures_, *passage_, confirmed_,
                          memory_.oldest_undelivered, halt_, failure_);
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

// The slot is looked at before a capture is taken, never after: the capture must see more.
void Pipeline::look_at_slot_taken() {
    if (from_) return;
    const auto taken = reader_->taken_within(0ms);
    if (!taken) return;
    from_ = taken->created_at ? TakeOver{taken->position, taken->created_at, std::nullopt}
                              : examine_slot();
    passage_->begin_at(from_->slot_position);
}

outbox::Capture Pipeline::capture_for_round() {
    auto capture = outbox::take_capture(*sql_);
    outbox::wait_until_flushed(*sql_, capture.wal);
    return capture;
}

// Once any capture has seen what the slot's stream will not give, every later one does: from here on a
// position may be stored and confirmed.
void Pipeline::look_at_cover(const outbox::Capture &capture) {
    if (covered_ || !from_) return;
    if (from_->created_at && !capture.snapshot.covers(*from_->created_at)) return;
    if (from_->not_ours && capture.snapshot.xmin() <= *from_->not_ours) return;
    covered_ = true;
    confirmed_.begin_at(from_->slot_position);
}

// While the sink is down: waits until it is worth trying again. False: halted.
bool Pipeline::await_sink() {
    while (!halt_.halted()) {
        if (!dispatcher_.outage()) return true;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            dispatcher_.outage()->next_attempt - Clock::now());
        if (left <= 0ms) {
            if (dispatcher_.worth_a_call()) return true;
            tell(std::nullopt);
            continue;
        }
        // Without a cover the WAL cannot be released, however long the sink stays away.
        if (!covered_) {
            look_at_slot_taken();
            if (from_) look_at_cover(capture_for_round());
        }
        halt_.wait_for(covered_ ? left : std::min<std::chrono::milliseconds>(left, round_interval));
    }
    return false;
}

// Rounds from the table, until nothing is left there that the stream will not give. The stream's transactions
// pass meanwhile; once a round is short, the last one is run with the stream paused.
void Pipeline::recover() {
    delivery::Recovery recovery(
        settings_.id, limits_, *progress_, halt_,
        [this] { return open_at(sql_session(settings_, &halt_.bell()), memory_.ownership->home); },
        [this](const delivery::Batch &batch) { return deliver_replayed(batch); });
    while (await_sink()) {
        const auto began = Clock::now();
        look_at_slot_taken();
        if (!recovery.finish_open_round(*sql_)) continue;
        const auto capture = capture_for_round();
        look_at_cover(capture);
        if (!recovery.run_round(*sql_, capture)) continue;
        const auto rest = round_interval - (Clock::now() - began);
        if (covered_ && rest < 0s) continue;
        if (covered_ && finish_with_stream_paused(recovery)) break;
        if (dispatcher_.outage()) continue;
        const auto pause = std::max(std::chrono::ceil<std::chrono::milliseconds>(rest), 0ms);
        if (from_)
            halt_.wait_for(pause);
        else
            reader_->taken_within(pause);
    }
    if (recovery.replayed() > 0)
        log.info("replayed from the table", {{"events", recovery.replayed()}});
}

// True: all that passed is delivered, and what comes behind it is in the queue.
bool Pipeline::finish_with_stream_paused(delivery::Recovery &recovery) {
    passage_->close();
    fault_point("stream_paused");
    const auto capture = capture_for_round();
    if (recovery.run_round(*sql_, capture) && passage_->all_seen_by(capture.snapshot)) {
        progress_->start_at(std::max(progress_->position(), passage_->position()));
        memory_.position = progress_->position();
        return true;
    }
    passage_->open();
    return false;
}

bool Pipeline::deliver_replayed(const delivery::Batch &batch) {
    const auto settled = deliver(batch);
    progress_->settle_replayed(batch, settled);
    if (settled.failure) throw *settled.failure;
    hand_over_cursor();
    if (!settled.whole)
        tell(lowest_unsettled(batch, settled));
    else if (in_failover_ && Clock::now() - told_at_ >= round_interval)
        tell(std::nullopt);
    return settled.whole;
}

void Pipeline::stream() {
    log.info("streaming", {{"slot", settings_.slot_name}, {"position", progress_->position()}});
    streamed_ = true;
    housekeeping_->store({memory_.cursor, progress_->position()});
    if (std::exchange(in_failover_, false)) housekeeping_->tell(std::nullopt);
    delivery::Batcher batcher(
        limits_, *queue_, [this](const outbox::Event &event) { return progress_->held(event); });
    delivery::Batch batch;
    auto next_probe = Clock::now();
    while (!halt_.halted()) {
        if (auto capture = captures_->take()) progress_->expect(std::move(*capture));
        hand_over_cursor();
        if (batcher.fill(batch, next_probe)) {
            delivery::Settled settled{0, {}, true, std::nullopt};
            if (!batch.events.empty()) settled = deliver(batch);
            progress_->settle_streamed(batch, settled);
            memory_.position = progress_->position();
            if (settled.failure) throw *settled.failure;
            if (!settled.whole) return enter_failover(batch, settled, batcher);
            batch.clear();
            if (progress_->wants_capture()) housekeeping_->want_capture();
        } else if (batcher.exhausted()) {
            break;
        }
        if (Clock::now() >= next_probe) {
            if (batch.empty()) dispatcher_.probe();
            next_probe = Clock::now() + probe_interval;
        }
    }
}

// From here on the stream's transactions pass, those in hand first, and the table gives their events. Unless
// the daemon halts: then all of it is left to the next session.
void Pipeline::enter_failover(const delivery::Batch &batch, const delivery::Settled &settled,
                              delivery::Batcher &batcher) {
    if (halt_.halted()) return;
    housekeeping_->store({memory_.cursor, progress_->position()});
    tell(lowest_unsettled(batch, settled));
    passage_->open(progress_->position(), batch, batcher);
    captures_->take();
    fault_point("failover_entered");
}

void Pipeline::tell(const std::optional<outbox::Position> &first) {
    if (dispatcher_.outage()) in_failover_ = true;
    if (!in_failover_) return;
    told_at_ = Clock::now();
    housekeeping_->tell(OutageNews{dispatcher_.outage(), first, memory_.cursor});
}

delivery::Settled Pipeline::deliver(const delivery::Batch &batch) {
    auto settled = dispatcher_.deliver(
        batch, row_.uid,
        [this](std::span<const delivery::Rejection> letters) { store_rejections(letters); },
        [this] { lease_->require(*sql_); });
    fault_point("batch_delivered");
    return settled;
}

void Pipeline::store_rejections(std::span<const delivery::Rejection> rejections) {
    std::vector<outbox::DeadLetter> letters;
    letters.reserve(rejections.size());
    for (const auto &rejection : rejections)
        letters.push_back({rejection.event->at, rejection.event->payload, rejection.event->metadata,
                           rejection.reason, rejection.attempts});
    outbox::store_dead_letters(*sql_, settings_.id, letters);
    for (const auto &rejection : rejections)
        log.warn("an event went to async_triggers.dead_letters", {{"event", rejection.event->at.id},
                                                                  {"attempts", rejection.attempts},
                                                                  {"reason", rejection.reason}});
}

void Pipeline::hand_over_cursor() {
    if (auto cursor = progress_->worth_storing(Clock::now()))
        housekeeping_->store(std::move(*cursor));
}

// A clean stop: the cursor is stored exactly as it is, then the position is confirmed, then the slot is free.
void Pipeline::settle_down() {
    housekeeping_.reset();
    sql_->interrupt_by(nullptr);
    sql_->answer_within(farewell_limit);
    memory_.position = std::max(progress_->position(), confirmed_.get());
    outbox::store_cursor(*sql_, *memory_.ownership, memory_.cursor, memory_.position);
    confirmed_.set(memory_.position);
    reader_->finish();
    if (const auto failure = failure_.get())
        log.warn("the stream was not ended in order", *failure);
    log.info("stopped, the cursor is stored", {{"position", memory_.position}});
}

} // namespace pgat::daemon
