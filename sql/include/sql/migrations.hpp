// The SQL of schema async_triggers, embedded at build time from sql/migrations/, in the order in which it is applied.
//
// Each text is one transaction's worth of statements for the simple query protocol, without transaction control.
// Who applies it inserts (version, name) into async_triggers.schema_migrations in the same transaction; the
// first migration creates the schema and that table. The views last as long as the program.
#pragma once

#include <span>
#include <string_view>

namespace pgat::sql {

struct Migration {
    int version;           // 1, 2, … without gaps
    std::string_view name; // of the file, without number and suffix
    std::string_view text;
};

std::span<const Migration> migrations() noexcept;

} // namespace pgat::sql
