// `dead-letters discard`
#include <algorithm>

#include <fmt/format.h>

#include "cli/confirmation.hpp"
#include "cli/dead_letters/verbs.hpp"

namespace pgat::cli::dead_letters {

int discard(const config::Config &config, const Choice &choice) {
    auto sql = postgres::Connection::open(session_options(config, "dead-letters discard"));
    require_schema(sql);
    auto selection = selection_of(config, choice);
    take(sql, selection);
    const std::int64_t count = outbox::count_letters(sql, selection);
    if (choice.json) {
        fmt::print("{{\"stream_id\": {}, \"discarded\": {}}}\n", selection.stream,
                   outbox::remove_letters(sql, selection));
        return done;
    }
    if (count == 0) {
        fmt::print("no dead letters to discard\n");
        return done;
    }
    const char *const plural = count == 1 ? "" : "s";
    fmt::print("This removes {} dead letter{} of stream {} for good. Their events are never "
               "delivered.\n",
               count, plural, selection.stream);
    std::fflush(stdout);
    if (!choice.yes && !confirmed("discard asks before it removes anything")) {
        fmt::print("nothing was removed\n");
        return failed;
    }
    fmt::print("{} dead letter{} discarded\n", outbox::remove_letters(sql, selection), plural);
    return done;
}

} // namespace pgat::cli::dead_letters
