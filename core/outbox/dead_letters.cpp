#include "outbox/dead_letters.hpp"

#include <optional>
#include <string>
#include <vector>

#include "base/fault_point.hpp"
#include "outbox/time_text.hpp"
#include "postgres/array.hpp"

namespace pgat::outbox {

void store_dead_letters(postgres::Connection &connection, StreamId stream,
                        std::span<const DeadLetter> letters) {
    if (letters.empty()) return;
    using Texts = std::vector<std::optional<std::string_view>>;
    std::vector<EventId> ids;
    std::vector<std::uint32_t> attempts;
    std::vector<std::string> times;
    Texts payloads;
    Texts metadata;
    Texts reasons;
    for (const DeadLetter &letter : letters) {
        ids.push_back(letter.at.id);
        times.push_back(time_text(letter.at.created_at));
        attempts.push_back(letter.attempts);
        payloads.emplace_back(letter.payload);
        metadata.push_back(letter.metadata.empty() ? std::nullopt : std::optional(letter.metadata));
        reasons.emplace_back(letter.reason);
    }
    fault_point("dead_letters_storing");
    connection.exec(
        "insert into async_triggers.dead_letters as kept "
        "(stream_id, event_id, event_created_at, payload, metadata, reason, attempts) "
        "select distinct on (id, created_at) $1::bigint, id, created_at, payload::jsonb, "
        "metadata::jsonb, reason, attempts "
        "from unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], "
        "$7::integer[]) "
        "as letter (id, created_at, payload, metadata, reason, attempts) "
        "on conflict (stream_id, event_id, event_created_at) do update "
        "set reason = excluded.reason, attempts = excluded.attempts, failed_at = now()",
        {stream, postgres::number_array(ids),
         postgres::text_array(Texts(times.begin(), times.end())), postgres::text_array(payloads),
         postgres::text_array(metadata), postgres::text_array(reasons),
         postgres::number_array(attempts)});
    fault_point("dead_letters_stored");
}

} // namespace pgat::outbox
