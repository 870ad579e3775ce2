#include "daemon/sessions.hpp"

#include <random>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "config/connection_string.hpp"
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
    return options;
}

} // namespace

postgres::SessionOptions sql_session(const config::Stream &stream, const Wakeup *interrupt) {
    auto options = base_session(stream, interrupt);
    options.settings = {{"synchronous_commit", "local"},
                        {"default_transaction_isolation", "read committed"},
                        {"default_transaction_read_only", "off"},
                        {"statement_timeout", "0"},
                        {"idle_in_transaction_session_timeout", "0"},
                        {"lock_timeout", "2s"},
                        {"search_path", "pg_catalog"},
                        {"DateStyle", "ISO"}};
    return options;
}

postgres::SessionOptions stream_session(const config::Stream &stream, const Wakeup *interrupt) {
    return replication::replication_session(base_session(stream, interrupt));
}

} // namespace pgat::daemon
