#include "replication/stream.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/fault_point.hpp"
#include "observe/log.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::replication {

namespace {

namespace sqlstate = postgres::sqlstate;

constexpr std::string_view undefined_file = "58P01"; // a WAL segment is gone
// Where a server says that a slot of synchronized_standby_slots is missing, lost or not in use. It shares its
// SQLSTATE with a missing publication.
constexpr std::string_view slots_of_the_server = "slot.c";

std::string start_command(const postgres::Connection &session, const StreamRequest &request) {
    return fmt::format(
        "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {}, "
        "binary 'true')",
        session.quote_identifier(request.slot), request.from,
        session.quote_literal(session.quote_identifier(request.publication)));
}

bool slot_is_of_no_use(std::string_view code) {
    return code == sqlstate::undefined_object ||
           code == sqlstate::object_not_in_prerequisite_state || code == undefined_file;
}

Error with_remedy(const Error &error, Remedy remedy) {
    return Error(remedy, error.what()).with_sqlstate(error.sqlstate()).with_hint(error.hint());
}

Error cannot_start(const Error &error) {
    if (slot_is_of_no_use(error.sqlstate())) return with_remedy(error, Remedy::recover);
    if (error.sqlstate() == sqlstate::insufficient_privilege)
        return Error(Remedy::stop, error.what())
            .with_sqlstate(error.sqlstate())
            .with_hint("ALTER ROLE … REPLICATION for the role of stream.pg_connection");
    return error;
}

Error broken(const Error &error) {
    if (slot_is_of_no_use(error.sqlstate())) return with_remedy(error, Remedy::recover);
    // The session may stand, the stream does not.
    return with_remedy(error, Remedy::reconnect);
}

postgres::CopyBoth start(postgres::Connection session, const StreamRequest &request) {
    const auto command = start_command(session, request);
    fault_point("stream_starting");
    try {
        return {std::move(session), command};
    } catch (const Error &error) {
        throw cannot_start(error);
    }
}

Timestamp now() {
    return Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count());
}

} // namespace

postgres::SessionOptions replication_session(postgres::SessionOptions base) {
    base.keywords.emplace_back("replication", "database");
    base.settings.insert(base.settings.end(), {
                                                  {"wal_sender_timeout", "6s"},
                                                  {"statement_timeout", "0"},
                                                  {"lock_timeout", "0"},
                                                  {"idle_in_transaction_session_timeout", "0"},
                                                  {"idle_session_timeout", "0"},
                                                  // Values that come as text, see value.hpp.
                                                  {"datestyle", "ISO"},
                                                  {"timezone", "UTC"},
                                                  // The stream needs to see warnings, see next().
                                                  {"client_min_messages", "warning"},
                                              });
    return base;
}

ReplicationStream::ReplicationStream(postgres::Connection session, const StreamRequest &request,
                                     const Wakeup *wakeup)
    : copy_(start(std::move(session), request)),
      log_(std::make_unique<observe::ThrottledLog>(observe::Log{"replication"})),
      wakeup_(wakeup), sent_{request.from, request.from, {}, false} {
    fault_point("stream_started");
}

ReplicationStream::Ready ReplicationStream::poll(Deadline deadline, Interest interest) {
    try {
        for (;;) {
            const auto ready = copy_.poll(deadline, interest, wakeup_);
            if (status_waits_ && !copy_.sending()) send_now();
            if (ready != Ready::sent) return ready;
        }
    } catch (const Error &error) {
        throw broken(error);
    }
}

std::optional<Frame> ReplicationStream::next() {
    try {
        const auto message = copy_.next();
        if (copy_.warned()) heed_warnings();
        if (!message) return std::nullopt;
        heard_at_ = std::chrono::steady_clock::now();
        return parse_frame(*message);
    } catch (const Error &error) {
        throw broken(error);
    }
}

void ReplicationStream::heed_warnings() {
    for (const auto &warning : copy_.take_warnings()) {
        if (warning.source_file == slots_of_the_server) {
            log_->warn("the server holds events back until a standby has them, see its "
                       "synchronized_standby_slots",
                       {{"server_says", warning.message}});
            continue;
        }
        // Postgres 18 and later: "skipped loading publication", and with it every row since.
        if (warning.sqlstate == sqlstate::object_not_in_prerequisite_state)
            throw Error(Remedy::recover,
                        "the publication did not exist at this point of the WAL, and the server "
                        "left out what it would have published")
                .with_sqlstate(sqlstate::undefined_object);
    }
}

void ReplicationStream::send_status(Lsn written, Lsn flushed, bool reply_requested) {
    sent_.flushed = std::max(sent_.flushed, flushed);
    sent_.written = std::max({sent_.written, written, sent_.flushed});
    sent_.reply_requested = reply_requested || (status_waits_ && sent_.reply_requested);
    status_waits_ = true;
    if (copy_.sending()) return;
    try {
        send_now();
    } catch (const Error &error) {
        throw broken(error);
    }
}

void ReplicationStream::send_now() {
    sent_.sent_at = now();
    write_status(sent_, buffer_);
    if (sent_.flushed.valid()) fault_point("position_confirming");
    copy_.send(buffer_);
    if (sent_.flushed.valid()) fault_point("position_confirmed");
    status_waits_ = false;
}

void ReplicationStream::finish(Deadline deadline) {
    try {
        while (status_waits_ && copy_.poll(deadline, Interest::none, nullptr) == Ready::sent)
            if (!copy_.sending()) send_now();
        copy_.finish(deadline);
    } catch (const Error &error) {
        throw broken(error);
    }
}

} // namespace pgat::replication
