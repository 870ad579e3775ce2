// The verbs of `dead-letters`, and what they share.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/program.hpp"
#include "outbox/kept_letters.hpp"

namespace pgat::cli::dead_letters {

struct Choice {
    std::vector<std::int64_t> ids; // empty: all
    bool all = false;
    bool yes = false;
    bool json = false;
    std::optional<std::uint64_t> limit; // 0: none
};

// Each returns its exit status.
int list(const config::Config &config, const Choice &choice);
int retry(const Program &program, const config::Config &config, const Choice &choice);
int discard(const config::Config &config, const Choice &choice);

outbox::LetterSelection selection_of(const config::Config &config, const Choice &choice);

// Throws Error (stop) if one of the ids is no dead letter, having done nothing.
void require_found(postgres::Connection &sql, const outbox::LetterSelection &selection);
// Takes the stream's letters for the session, and fixes the selection to what is there now. Throws Error (stop)
// while another command has them.
void take(postgres::Connection &sql, outbox::LetterSelection &selection);

} // namespace pgat::cli::dead_letters
