#include "daemon/reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/own_thread.hpp"
#include "daemon/sessions.hpp"
#include "observe/log.hpp"
#include "replication/slot_creation.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using Interest = replication::ReplicationStream::Interest;

constexpr observe::Log log{"replication"};

constexpr auto status_interval = std::chrono::seconds(1);
constexpr auto farewell_limit = std::chrono::seconds(2);
// Just above the wal_sender_timeout of our session: a server that was cut off has given up by then.
constexpr auto silence_limit = std::chrono::seconds(7);
// Well below the wal_sender_timeout of our session: meanwhile no status goes out.
constexpr auto question_limit = std::chrono::seconds(2);

} // namespace

Reader::Reader(ReaderPlan plan, delivery::ChunkQueue &queue, delivery::Passage &passage,
               const ConfirmedPosition &confirmed, Halt &halt, FirstFailure &failure)
    : plan_(std::move(plan)), queue_(queue), passage_(passage), confirmed_(confirmed), halt_(halt),
      failure_(failure), events_(plan_.stream) {}

Reader::~Reader() { finish(); }

void Reader::start(postgres::Connection session) {
    if (plan_.create_slot) {
        thread_ =
            std::thread([this, own = std::make_shared<postgres::Connection>(std::move(session))] {
                run(std::move(*own));
            });
        return;
    }
    stream_.emplace(std::move(session), plan_.request, &bell_);
    taken_ = Taken{};
    thread_ = std::thread([this] { run(std::nullopt); });
}

std::optional<Reader::Taken> Reader::taken_within(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    taking_.wait_for(lock, time, [this] { return taken_.has_value() || halt_.halted(); });
    return taken_;
}

void Reader::run(std::optional<postgres::Connection> session) {
    this_thread_is_ours();
    failure_.guard([&] {
        if (!session || create(*session)) read();
    });
    queue_.close();
    const std::lock_guard lock(mutex_);
    taking_.notify_all();
}

// False: halted before it was time to.
bool Reader::create(postgres::Connection &session) {
    const auto wait = plan_.slots->next(Clock::now()) - Clock::now();
    if (wait > Clock::duration::zero() &&
        halt_.wait_for(std::chrono::ceil<std::chrono::milliseconds>(wait)))
        return false;
    log.info("creating the slot: this waits for every transaction open in the cluster",
             {{"slot", plan_.request.slot}});
    const auto slot = replication::create_slot(session, plan_.request.slot);
    plan_.slots->note(Clock::now());
    auto sql = open_at(plan_.sql, plan_.home);
    Taken taken{slot.consistent_point,
                outbox::Snapshot::from_server(
                    replication::read_exported_snapshot(sql, slot.snapshot_name))};
    log.info("slot created", {{"slot", plan_.request.slot},
                              {"position", slot.consistent_point},
                              {"failover", slot.failover}});
    stream_.emplace(std::move(session), plan_.request, &bell_);
    const std::lock_guard lock(mutex_);
    taken_ = std::move(taken);
    taking_.notify_all();
    return true;
}

void Reader::read() {
    chunk_ = std::make_shared<outbox::Chunk>();
    heard_ = Clock::now();
    send_status();
    // When the program is to end, the server is kept content until the owner has stored the cursor and
    // set the last position to confirm.
    while (!finishing_ && (!halt_.halted() || halt_.stopping())) {
        const bool wanted = !halt_.halted() && !passage_.full();
        if (wanted && drain()) hand_on();
        if (Clock::now() >= next_status_) {
            send_status();
            require_a_sign_of_life(wanted);
        }
        const auto ready = stream_->poll(
            next_status_, wanted && !passage_.full() ? Interest::receive : Interest::none);
        if (ready == replication::ReplicationStream::Ready::wakeup) bell_.clear();
    }
    if (!finishing_) return;
    stream_->send_status(std::max(received_, confirmed_.get()), confirmed_.get());
    stream_->finish(Clock::now() + farewell_limit);
}

// Reads what is here, as far as the queue takes it; true: the chunk has something to hand on.
bool Reader::drain() {
    while (auto frame = stream_->next()) {
        heard_ = Clock::now();
        if (const auto *wal = std::get_if<replication::WalData>(&*frame)) {
            received_ = std::max(received_, wal->start);
            events_.add(wal->bytes, *chunk_);
        } else {
            const auto &keepalive = std::get<replication::Keepalive>(*frame);
            received_ = std::max(received_, keepalive.wal_end);
            events_.add(keepalive, *chunk_);
            if (keepalive.reply_requested) next_status_ = Clock::now();
        }
        if (chunk_->events.size() >= plan_.chunk_events || chunk_->bytes >= plan_.chunk_bytes ||
            chunk_->marks.size() >= plan_.chunk_events) {
            hand_on();
            if (Clock::now() >= next_status_) send_status();
            if (passage_.full() || halt_.halted()) break;
        }
    }
    return !chunk_->empty();
}

void Reader::hand_on() { passage_.pass(std::exchange(chunk_, std::make_shared<outbox::Chunk>())); }

void Reader::send_status() {
    const Lsn confirmed = confirmed_.get();
    // Asking for an answer makes an idle server say how far it has read.
    stream_->send_status(std::max(received_, confirmed), confirmed, true);
    next_status_ = Clock::now() + status_interval;
}

// A network that swallows packets ends no connection: only the missing answers tell. But a server at work on a
// huge transaction is silent as well, and would begin it anew for every new session: so it is asked, by
// another session, whether it still serves this one.
void Reader::require_a_sign_of_life(bool listening) {
    // What is not read cannot be heard.
    if (!listening) heard_ = Clock::now();
    if (Clock::now() - heard_ <= silence_limit) return;
    auto options = plan_.sql;
    options.connect_timeout = options.answer_timeout = question_limit;
    auto sql = postgres::Connection::open(options);
    const auto serving = sql.exec("SELECT FROM pg_replication_slots WHERE slot_name = $1"
                                  " AND active_pid = $2::integer",
                                  {plan_.request.slot, stream_->session().backend_pid()});
    if (serving.empty())
        throw Error(Remedy::reconnect,
                    "the server has given up the replication session unheard: the "
                    "network between was cut");
    heard_ = Clock::now();
}

void Reader::finish() {
    finishing_ = true;
    halt_.end_session();
    wake();
    if (thread_.joinable()) thread_.join();
}

} // namespace pgat::daemon
