#include "cli/replay/range.hpp"

#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "config/nearest.hpp"
#include "outbox/time_text.hpp"

namespace pgat::cli::replay {

namespace {

std::optional<EventId> parse_id(const std::string &word) {
    std::int64_t id = 0;
    const char *const end = word.data() + word.size();
    const auto read = std::from_chars(word.data(), end, id);
    if (read.ec != std::errc() || read.ptr != end || id < 0) return std::nullopt;
    return EventId(id);
}

Error not_understood(const std::string &option, const std::string &word) {
    const bool zone_alone_is_missing = outbox::parse_time(word + "Z").has_value();
    const bool date_alone = outbox::parse_time(word + "T00:00Z").has_value();
    if (!zone_alone_is_missing && !date_alone)
        return Error(Remedy::configure,
                     fmt::format("{}: {} is neither an event's id nor a time", option, word))
            .with_hint("a time is written like 2026-11-26T13:00:00Z");
    const std::string time = date_alone ? word + "T00:00" : word;
    return Error(Remedy::configure, fmt::format("{}: {} says no time zone", option, word))
        .with_hint(fmt::format("write {0}Z for UTC, or an offset: {0}+01:00", time));
}

void parse_end(const std::string &option, const std::string &word, std::optional<EventId> &id,
               std::optional<Timestamp> &time) {
    if (word.empty()) return;
    id = parse_id(word);
    if (id) return;
    time = outbox::parse_time(word);
    if (!time) throw not_understood(option, word);
}

} // namespace

outbox::EventRange range_of(const RangeWords &words, StreamId stream) {
    outbox::EventRange range;
    range.stream = stream;
    range.subscription = words.subscription;
    parse_end("--from", words.from, range.from_id, range.from_time);
    parse_end("--to", words.to, range.to_id, range.to_time);
    const bool ids_cross = range.from_id && range.to_id && *range.to_id < *range.from_id;
    const bool times_cross = range.from_time && range.to_time && *range.to_time < *range.from_time;
    if (ids_cross || times_cross)
        throw Error(Remedy::configure,
                    fmt::format("--to {} is before --from {}", words.to, words.from));
    return range;
}

void require_subscription(postgres::Connection &sql, const outbox::EventRange &range, bool found) {
    if (range.subscription.empty()) return;
    const auto rows =
        sql.exec("select key, exists (select from jsonb_array_elements(case "
                 "when jsonb_typeof(payload_extensions) = 'array' then payload_extensions "
                 "else '[]' end) extension where extension->>'json_path' = 'tg_name' "
                 "or starts_with(extension->>'json_path', 'tg_name.')) "
                 "from async_triggers.subscriptions where stream_id = $1 order by key",
                 {range.stream});
    std::vector<std::string> keys;
    for (int row = 0; row < rows.rows(); ++row) {
        keys.emplace_back(rows.text(row, 0));
        if (keys.back() == range.subscription && rows.boolean(row, 1))
            throw Error(Remedy::configure,
                        fmt::format("the events of subscription {} cannot be told from others: its "
                                    "payload_extensions write over tg_name",
                                    range.subscription))
                .with_hint("leave out --subscription, and choose the events by --from and --to");
        if (keys.back() == range.subscription) found = true;
    }
    if (found) return;
    throw Error(Remedy::configure,
                fmt::format("stream {} has no subscription {}, and no stored event there is of one",
                            range.stream, range.subscription))
        .with_hint(keys.empty() ? std::string("it has no subscriptions at all")
                                : fmt::format("did you mean {}?",
                                              config::nearest(range.subscription, keys)));
}

} // namespace pgat::cli::replay
