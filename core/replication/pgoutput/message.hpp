// The messages of pgoutput's protocol version 1 as values
// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html).
//
// All views and spans point into the message's bytes or into the decoder, and are valid until its
// next call.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/distinct.hpp"
#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::replication {

// The low 32 bits of a transaction id.
using Xid32 = Distinct<struct Xid32Tag, std::uint32_t>;
// pg_class.oid of a published table (the partition root's with publish_via_partition_root).
using RelationId = Distinct<struct RelationIdTag, std::uint32_t>;
// pg_type.oid
using TypeId = Distinct<struct TypeIdTag, std::uint32_t>;

struct Begin {
    Lsn commit_lsn; // where the commit record begins: the Commit to come has the same
    Timestamp committed_at;
    Xid32 xid;
};

struct Commit {
    Lsn commit_lsn;
    Lsn end_lsn; // behind the commit record: what is confirmed when the transaction is delivered
    Timestamp committed_at;
};

struct ColumnDescription {
    std::string_view name;
    TypeId type;
    std::int32_t modifier;
    bool key;
};

// Sent before the first row of a table, and again when its definition has changed.
struct RelationDescription {
    RelationId id;
    std::string_view schema; // empty for pg_catalog
    std::string_view name;
    char replica_identity; // as pg_class.relreplident
    std::span<const ColumnDescription> columns;
};

enum class ValueKind : std::uint8_t {
    null,
    unchanged, // a TOASTed value that an UPDATE left alone and that is not sent
    text,
    binary,
};

struct Value {
    ValueKind kind;
    std::string_view bytes; // empty for null and unchanged
};

struct Insert {
    RelationId relation;
    std::span<const Value> values; // in the order of the description's columns
};

// We publish inserts alone; of these no more is kept than what happened where. Their contents are
// checked all the same.
struct Update {
    RelationId relation;
};
struct Delete {
    RelationId relation;
};
struct Truncate {
    std::uint32_t relations;
};

struct TypeDescription {
    TypeId id;
    std::string_view schema;
    std::string_view name;
};

struct Origin {
    Lsn commit_lsn;
    std::string_view name;
};

// pg_logical_emit_message()
struct LogicalMessage {
    bool transactional;
    Lsn lsn;
    std::string_view prefix;
    std::string_view content;
};

// A kind that protocol version 1 does not have.
struct Unknown {
    char kind;
};

using Message = std::variant<Begin, Commit, Insert, RelationDescription, Update, Delete, Truncate,
                             TypeDescription, Origin, LogicalMessage, Unknown>;

} // namespace pgat::replication
