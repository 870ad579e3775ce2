// The dead letters that are there: counted, read page by page, removed, or marked as failed once more.
//
// Nothing here holds a transaction open over more than one statement. Letters are told by the position of
// their event within a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/identifiers.hpp"
#include "outbox/event.hpp"
#include "outbox/page_walk.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct LetterSelection {
    StreamId stream;
    std::vector<EventId> ids; // empty: all of the stream
    // Only those that failed until then, by the server's clock: what comes while they are worked is
    // nobody's choice.
    std::optional<Timestamp> failed_until;
};

// As the server says.
Timestamp server_time(postgres::Connection &connection);

std::int64_t count_letters(postgres::Connection &connection, const LetterSelection &selection);
// Those of the selection's ids that are no dead letter of the stream.
std::vector<EventId> missing_letters(postgres::Connection &connection,
                                     const LetterSelection &selection);

// Takes the stream's letters for this session, until it ends: whoever delivers or discards them asks first,
// so that no letter is worked twice at a time. The server process that has them, if it is another.
std::optional<int> take_letters(postgres::Connection &connection, StreamId stream);

// What the sink gets: events in the order of their ids. Of their transactions nothing is known any more.
class LetterWalk {
  public:
    LetterWalk(LetterSelection selection, PageLimits limits)
        : selection_(std::move(selection)), limits_(limits) {}

    // Adds the next page; false: there is none.
    bool read_page(postgres::Connection &connection, Chunk &chunk);

  private:
    const LetterSelection selection_;
    const PageLimits limits_;
    std::optional<Position> after_;
    bool ended_ = false;
};

void remove_letters(postgres::Connection &connection, StreamId stream,
                    std::span<const Position> letters);
// All of the selection, in steps; how many there were.
std::int64_t remove_letters(postgres::Connection &connection, const LetterSelection &selection);

struct FailedAgain {
    Position at;
    std::string_view reason;
    std::uint32_t attempts; // that are to be added
};
void mark_letters(postgres::Connection &connection, StreamId stream,
                  std::span<const FailedAgain> letters);

// A letter as a person reads it.
struct Letter {
    Position at;
    Timestamp failed_at;
    std::int64_t attempts = 0;
    std::string reason;
    std::string payload;
    std::string metadata; // empty: none
};
// The newest events first; those before `before`, if given. Of payload and reason no more than
// `text_limit` characters, if given.
std::vector<Letter> newest_letters(postgres::Connection &connection,
                                   const LetterSelection &selection,
                                   const std::optional<Position> &before, std::size_t rows,
                                   std::optional<std::size_t> text_limit);

} // namespace pgat::outbox
