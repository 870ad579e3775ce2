// `dead-letters list`
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/dead_letters/verbs.hpp"
#include "cli/terminal_text.hpp"
#include "outbox/time_text.hpp"

namespace pgat::cli::dead_letters {

namespace {

constexpr std::size_t table_limit = 50;
// So many are read at a time. Payloads may be large.
constexpr std::size_t rows_of_json = 16;
constexpr std::size_t rows_of_table = 200;
constexpr std::size_t unlimited = SIZE_MAX;

// 2026-11-26 08:00:00, in UTC.
std::string to_the_second(Timestamp time) { return outbox::time_text(time).substr(0, 19); }

std::string json_string(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// By hand: payload and metadata are JSON already, whose numbers no parser of ours shall round.
std::string to_json(const outbox::Letter &letter, StreamId stream) {
    return fmt::format(R"({{"event_id": {}, "stream_id": {}, "event_created_at": {}, )"
                       R"("failed_at": {}, "attempts": {}, "reason": {}, )"
                       R"("payload": {}, "metadata": {}}})",
                       letter.at.id, stream,
                       json_string(outbox::iso_time_text(letter.at.created_at)),
                       json_string(outbox::iso_time_text(letter.failed_at)), letter.attempts,
                       json_string(letter.reason), letter.payload.empty() ? "null" : letter.payload,
                       letter.metadata.empty() ? "null" : letter.metadata);
}

// Calls `show` with each letter, the newest event first; how many there were.
template <class Show>
std::size_t for_each(postgres::Connection &sql, const outbox::LetterSelection &selection,
                     std::size_t limit, std::size_t page, std::optional<std::size_t> text_limit,
                     Show show) {
    std::size_t shown = 0;
    std::optional<outbox::Position> before;
    while (shown < limit) {
        const std::size_t rows = std::min(page, limit - shown);
        const auto letters = outbox::newest_letters(sql, selection, before, rows, text_limit);
        for (const auto &letter : letters)
            show(letter);
        shown += letters.size();
        if (letters.size() < rows) break;
        before = letters.back().at;
    }
    return shown;
}

void print_json(postgres::Connection &sql, const outbox::LetterSelection &selection,
                std::size_t limit) {
    const char *separator = "[";
    for_each(sql, selection, limit, rows_of_json, std::nullopt, [&](const outbox::Letter &letter) {
        fmt::print("{}\n  {}", separator, to_json(letter, selection.stream));
        separator = ",";
    });
    fmt::print("{}]\n", *separator == '[' ? "[" : "\n");
}

void print_table(postgres::Connection &sql, const outbox::LetterSelection &selection,
                 std::size_t limit) {
    const auto width = static_cast<std::size_t>(columns_of(STDOUT_FILENO));
    std::size_t id_width = 0;
    const auto show = [&](const outbox::Letter &letter) {
        if (id_width == 0) {
            // The largest id comes first.
            id_width = std::max<std::size_t>(5, fmt::formatted_size("{}", letter.at.id));
            fmt::print("{:>{}}  {:<19}  ATTEMPTS  REASON, AND PAYLOAD BELOW\n", "EVENT", id_width,
                       "FAILED AT (UTC)");
        }
        const std::string begin = fmt::format("{:>{}}  {}  {:>8}  ", letter.at.id, id_width,
                                              to_the_second(letter.failed_at), letter.attempts);
        const std::size_t left = width > begin.size() + 10 ? width - begin.size() : 10;
        fmt::print("{}{}\n", begin, fit(letter.reason, left));
        fmt::print("{:>{}}  {}\n", "", id_width,
                   fit(letter.payload, width > id_width + 12 ? width - id_width - 2 : 10));
    };
    // A letter takes at least one column.
    const std::size_t shown = for_each(sql, selection, limit, rows_of_table, width, show);
    const auto all = static_cast<std::size_t>(outbox::count_letters(sql, selection));
    if (all > shown)
        fmt::print("{} of {} dead letters of stream {}; --limit 0 shows all\n", shown, all,
                   selection.stream);
    else
        fmt::print("{} dead letter{} of stream {}\n", shown == 0 ? "no" : std::to_string(shown),
                   shown == 1 ? "" : "s", selection.stream);
}

} // namespace

int list(const config::Config &config, const Choice &choice) {
    auto sql = postgres::Connection::open(session_options(config, "dead-letters list"));
    require_schema(sql);
    const auto selection = selection_of(config, choice);
    require_found(sql, selection);
    std::size_t limit = choice.limit.value_or(choice.json ? 0 : table_limit);
    if (limit == 0) limit = unlimited;
    if (choice.json)
        print_json(sql, selection, limit);
    else
        print_table(sql, selection, limit);
    return done;
}

} // namespace pgat::cli::dead_letters
