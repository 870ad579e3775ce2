// What the stream said about its tables: kept, because rows name their table and columns by number
// alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replication/pgoutput/message.hpp"

namespace pgat::replication {

struct Relation {
    struct Column {
        std::string name;
        TypeId type;
    };

    RelationId id;
    std::string schema;
    std::string name;
    std::vector<Column> columns;

    // Where in a row's values the column stands.
    std::optional<std::size_t> column(std::string_view column_name) const noexcept;
};

// The newest description of each table. Not thread-safe.
class RelationCache {
  public:
    // Keeps a copy; the older description of the same table is gone. The reference holds until the
    // same table is described again.
    const Relation &remember(const RelationDescription &description);
    // Throws Error (reconnect) if the stream never described it.
    const Relation &at(RelationId id) const;

  private:
    std::unordered_map<RelationId, Relation> relations_;
};

} // namespace pgat::replication
