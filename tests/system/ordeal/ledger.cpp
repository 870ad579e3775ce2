#include "ledger.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace pgat::ordeal {

namespace {

bool read_number(std::string_view text, std::int64_t &number) {
    const auto *const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end;
}

// A payload of the workload says which row it is about, and which version of it. A delete follows the
// version that it took away.
std::pair<std::string, std::int64_t> row_of(std::string_view body) {
    const auto payload = nlohmann::json::parse(body);
    const bool direct = payload.contains("direct");
    const auto &fresh = direct ? payload.at("direct") : payload.at("new");
    const auto &row = fresh.is_null() ? payload.at("old") : fresh;
    const auto table = direct ? "direct" : payload.at("tg_table_name").get<std::string>();
    return {table + " " + std::to_string(row.at("id").get<std::int64_t>()),
            2 * row.at("version").get<std::int64_t>() + (fresh.is_null() ? 1 : 0)};
}

} // namespace

std::optional<EventKey> parse_event_id(std::string_view text) {
    EventKey key;
    const auto second = text.rfind('-');
    if (second == std::string_view::npos || second == 0) return std::nullopt;
    const auto first = text.rfind('-', second - 1);
    if (first == std::string_view::npos) return std::nullopt;
    if (!read_number(text.substr(first + 1, second - first - 1), key.id) ||
        !read_number(text.substr(second + 1), key.created_at))
        return std::nullopt;
    return key;
}

std::int64_t Ledger::begin(std::string kind) {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<std::int64_t>(contents_.transactions.size()) + 1;
    contents_.transactions[number].kind = std::move(kind);
    return number;
}

void Ledger::end(std::int64_t transaction, std::int64_t events, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    auto &known = contents_.transactions[transaction];
    known.events = events;
    known.outcome = outcome;
}

void Ledger::taken(std::string_view event_id, std::string_view body, bool answer_lost) {
    const auto now = Clock::now();
    const auto key = parse_event_id(event_id);
    std::optional<std::pair<std::string, std::int64_t>> row;
    try {
        row = row_of(body);
    } catch (const nlohmann::json::exception &) {
    }
    const std::lock_guard lock(mutex_);
    if (!key || !row) {
        contents_.unreadable.push_back(std::string(event_id) + ": " + std::string(body));
        return;
    }
    const auto [delivery, first] = contents_.deliveries.try_emplace(
        *key, Delivery{contents_.deliveries.size(), now, answer_lost, 1});
    if (!first) {
        auto &known = delivery->second;
        contents_.repeats.push_back({*key, known.last, now, known.answer_lost});
        known.last = now;
        known.answer_lost = answer_lost;
        ++known.times;
        return;
    }
    auto &newest = versions_.try_emplace(row->first, -1).first->second;
    // One that was rejected has had its turn.
    if (row->second <= newest && contents_.rejected.contains(*key)) return;
    if (row->second <= newest)
        contents_.disorders.push_back({*key, row->first, row->second, newest, now});
    else
        newest = row->second;
}

void Ledger::rejected(std::string_view event_id) {
    const auto key = parse_event_id(event_id);
    const std::lock_guard lock(mutex_);
    if (key)
        contents_.rejected.insert(*key);
    else
        contents_.unreadable.emplace_back(event_id);
}

void Ledger::excuse(Excuse excuse) {
    const std::lock_guard lock(mutex_);
    contents_.excuses.push_back(std::move(excuse));
}

void Ledger::count_fault(const std::string &kind) {
    const std::lock_guard lock(mutex_);
    ++contents_.faults[kind];
}

std::size_t Ledger::settled() const {
    const std::lock_guard lock(mutex_);
    auto count = contents_.deliveries.size();
    for (const auto &key : contents_.rejected)
        if (!contents_.deliveries.contains(key)) ++count;
    return count;
}

Ledger::Contents Ledger::contents() const {
    const std::lock_guard lock(mutex_);
    return contents_;
}

} // namespace pgat::ordeal
