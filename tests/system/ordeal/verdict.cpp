#include "verdict.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace pgat::ordeal {

namespace {

struct Row {
    std::int64_t transaction;
    std::string payload;
};

std::string name(const EventKey &key) { return fmt::format("event {}-{}", key.id, key.created_at); }

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::map<EventKey, Row> read_table(Stage &stage) {
    std::map<EventKey, Row> rows;
    stage.ask([&](postgres::Connection &sql) {
        rows.clear();
        const auto found =
            sql.exec("SELECT id, (extract(epoch FROM created_at) * 1000000)::bigint,"
                     " coalesce(payload #>> '{direct,tag}', payload #>> '{new,tag}',"
                     " payload #>> '{old,tag}')::bigint, payload::text || ' of transaction ' || xid"
                     " FROM async_triggers.events WHERE stream_id = $1",
                     {stage.site().stream()});
        for (int row = 0; row < found.rows(); ++row)
            rows.emplace(EventKey{found.integer(row, 0), found.integer(row, 1)},
                         Row{found.integer(row, 2), std::string(found.text(row, 3))});
    });
    return rows;
}

std::set<EventKey> read_dead_letters(Stage &stage) {
    std::set<EventKey> keys;
    stage.ask([&](postgres::Connection &sql) {
        keys.clear();
        const auto found =
            sql.exec("SELECT event_id, (extract(epoch FROM event_created_at) * 1000000)::bigint"
                     " FROM async_triggers.dead_letters WHERE stream_id = $1",
                     {stage.site().stream()});
        for (int row = 0; row < found.rows(); ++row)
            keys.insert({found.integer(row, 0), found.integer(row, 1)});
    });
    return keys;
}

void compare_with_writers(const std::map<EventKey, Row> &table, const Ledger::Contents &known,
                          Verdict &verdict) {
    std::map<std::int64_t, std::int64_t> found;
    for (const auto &[key, row] : table)
        ++found[row.transaction];
    for (const auto &[number, transaction] : known.transactions) {
        const auto at = found.find(number);
        const auto events = at == found.end() ? 0 : at->second;
        const bool right = transaction.outcome == Outcome::committed ? events == transaction.events
                           : transaction.outcome == Outcome::rolled_back
                               ? events == 0
                               : events == 0 || events == transaction.events;
        if (!right)
            verdict.wrong_in_table.push_back(
                fmt::format("transaction {} ({}, {}): {} events written, {} in the table", number,
                            transaction.kind,
                            transaction.outcome == Outcome::committed     ? "committed"
                            : transaction.outcome == Outcome::rolled_back ? "rolled back"
                                                                          : "end not known",
                            transaction.events, events));
    }
}

// The excuse with the least reach first: what a pause explains is not a kill's.
void judge_repeats(const Ledger::Contents &known, Verdict &verdict) {
    auto excuses = known.excuses;
    std::stable_sort(excuses.begin(), excuses.end(),
                     [](const auto &a, const auto &b) { return a.reach < b.reach; });
    for (const auto &repeat : known.repeats) {
        if (repeat.answer_lost) {
            ++verdict.excused["answer lost"];
            continue;
        }
        const auto excuse = std::find_if(excuses.begin(), excuses.end(), [&](const Excuse &one) {
            const bool within =
                one.reach == Clock::duration::max() || repeat.before >= one.from - one.reach;
            return one.most > 0 && within && repeat.before <= one.to && repeat.again >= one.from;
        });
        if (excuse == excuses.end()) {
            verdict.duplicates.push_back(fmt::format(
                "{}: taken {:.3f} s and {:.3f} s after the beginning", name(repeat.event),
                seconds(repeat.before - known.began), seconds(repeat.again - known.began)));
            continue;
        }
        --excuse->most;
        ++verdict.excused["after " + excuse->kind];
        verdict.oldest_excused = std::max(verdict.oldest_excused, excuse->from - repeat.before);
    }
}

template <class Map>
std::string list(const Map &counts) {
    std::string text;
    for (const auto &[what, count] : counts)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, count);
    return text.empty() ? "none" : text;
}

} // namespace

Verdict judge(Stage &stage, const Ledger &ledger) {
    Verdict verdict;
    const auto table = read_table(stage);
    const auto letters = read_dead_letters(stage);
    const auto known = ledger.contents();
    verdict.committed = table.size();
    for (const auto &[key, row] : table) {
        if (known.deliveries.contains(key)) continue;
        if (letters.contains(key) && known.rejected.contains(key))
            ++verdict.rejected;
        else
            verdict.lost.push_back(fmt::format("{}: {}", name(key), row.payload));
    }
    for (const auto &[key, delivery] : known.deliveries)
        if (!table.contains(key)) verdict.phantoms.push_back(name(key));
    for (const auto &text : known.unreadable)
        verdict.phantoms.push_back("not an event: " + text);
    for (const auto &one : known.disorders)
        verdict.disorders.push_back(fmt::format(
            "{}: version {} of {} after {}, {:.3f} s after the beginning", name(one.event),
            one.version, one.row, one.after, seconds(one.at - known.began)));
    judge_repeats(known, verdict);
    compare_with_writers(table, known, verdict);
    return verdict;
}

std::string report(const Verdict &verdict, const Ledger &ledger, std::uint64_t seed) {
    const auto known = ledger.contents();
    std::map<std::string, std::size_t> kinds;
    for (const auto &[number, transaction] : known.transactions)
        ++kinds[transaction.kind];
    std::size_t faults = 0;
    for (const auto &[what, count] : known.faults)
        faults += count;
    std::size_t excused = 0;
    for (const auto &[what, count] : verdict.excused)
        excused += count;
    return fmt::format(
        "seed {}: {:.0f} s\n"
        "  events committed   {}\n"
        "  transactions       {}: {}\n"
        "  faults             {}: {}\n"
        "  lost               {}\n"
        "  phantom            {}\n"
        "  order violations   {}\n"
        "  duplicates         {} without cause, {} with: {} (the oldest {:.1f} s before its "
        "fault)\n"
        "  dead letters       {}\n",
        seed, seconds(Clock::now() - known.began), verdict.committed, known.transactions.size(),
        list(kinds), faults, list(known.faults), verdict.lost.size(), verdict.phantoms.size(),
        verdict.disorders.size(), verdict.duplicates.size(), excused, list(verdict.excused),
        seconds(verdict.oldest_excused), verdict.rejected);
}

} // namespace pgat::ordeal
