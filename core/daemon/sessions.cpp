#include "daemon/sessions.hpp"

#include <random>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "config/connection_string.hpp"
#include "replication/server_identity.hpp"
#include "replication/stream.hpp"

namespace pgat::daemon {

namespace {

// The same for all sessions of one daemon and no other's: it tells whose an orphaned session is. Process ids
// and host names repeat in containers, so it holds something drawn once as well.
std::string daemon_name(StreamId stream) {
    static const auto drawn = std::random_device{}();
    return fmt::format("async_triggers_{}_{}_{:08x}", stream, ::getpid(), drawn);
}

postgres::SessionOptions base_session(const config::Stream &stream, const Wakeup *interrupt) {
    postgres::SessionOptions options;
    options.keywords = config::connection_parameters(stream.pg_connection);
    options.keywords.emplace_back("application_name", daemon_name(stream.id));
    options.interrupt = interrupt;
    options.answer_timeout = std::chrono::seconds(30);
    // A server that is not told would keep a session that was cut off, with its locks, for two hours. Six
    // seconds as wal_sender_timeout; over a Unix socket these are accepted and mean nothing.
    options.settings = {{"tcp_keepalives_idle", "2"},
                        {"tcp_keepalives_interval", "2"},
                        {"tcp_keepalives_count", "2"}};
    return options;
}

} // namespace

postgres::SessionOptions sql_session(const config::Stream &stream, const Wakeup *interrupt) {
    auto options = base_session(stream, interrupt);
    options.settings.insert(
        options.settings.end(),
        {{"synchronous_commit", "local"},
         {"default_transaction_isolation", "read committed"},
         {"default_transaction_read_only", "off"},
         {"statement_timeout", "0"},
         {"idle_session_timeout", "0"},
         // Not for the stream: it would end a session whose sink is slow, for then we do not read for long.
         {"tcp_user_timeout", "6s"},
         // Between two statements of a transaction there is a round trip and nothing else. A daemon cut off
         // there leaves its locks: they are gone before the slot is free for the next one.
         {"idle_in_transaction_session_timeout", "5s"},
         {"lock_timeout", "2s"},
         {"search_path", "pg_catalog"},
         {"DateStyle", "ISO"}});
    return options;
}

postgres::SessionOptions stream_session(const config::Stream &stream, const Wakeup *interrupt) {
    return replication::replication_session(base_session(stream, interrupt));
}

postgres::Connection open_at(const postgres::SessionOptions &session, const outbox::Home &home) {
    auto sql = postgres::Connection::open(session);
    const auto server = replication::identify_sql(sql);
    const bool same = !server.in_recovery && server.system_identifier == home.system_identifier &&
                      server.timeline.value() == home.timeline;
    if (!same)
        throw Error(Remedy::reconnect,
                    fmt::format("a further connection reached another server: {} {} timeline {}, "
                                "not system {} timeline {}",
                                server.in_recovery ? "a standby of system" : "system",
                                server.system_identifier, server.timeline, home.system_identifier,
                                home.timeline))
            .with_hint("this passes when a promotion is complete; if it stays, the host name leads "
                       "to different servers");
    return sql;
}

} // namespace pgat::daemon
