#include "daemon/sessions.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "config/connection_string.hpp"
#include "replication/stream.hpp"

namespace pgat::daemon {

namespace {

postgres::SessionOptions base_session(const config::Stream &stream, const Wakeup *interrupt) {
    postgres::SessionOptions options;
    options.keywords = config::connection_parameters(stream.pg_connection);
    // The same for all sessions of one daemon and no other's: it tells whose an orphaned session is.
    char host[64] = {};
    ::gethostname(host, sizeof host - 1);
    options.keywords.emplace_back(
        "application_name",
        fmt::format("async_triggers_{}_{}_{}", stream.id, ::getpid(), host).substr(0, 63));
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
