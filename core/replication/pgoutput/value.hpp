// Column values of the types that we publish, out of Postgres's binary format (its typsend
// functions) or, should the server send text, out of that. Pure.
//
// All throw Error (stop) for a value that is null, unchanged, or not of the type: the table is not
// the one that we know.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/identifiers.hpp"
#include "replication/pgoutput/message.hpp"

namespace pgat::replication {

std::int64_t int8_value(const Value &value);
std::uint64_t xid8_value(const Value &value);
// Text is understood in DateStyle ISO, which replication_session() sets. No infinities.
Timestamp timestamptz_value(const Value &value);
// The document as Postgres prints it, a view of the value's bytes.
std::string_view jsonb_text(const Value &value);

} // namespace pgat::replication
