// One result of a statement: rows of text values, owned. Values are views into it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <libpq-fe.h>

#include "base/lsn.hpp"

namespace pgat::postgres {

class Result {
  public:
    // Takes ownership.
    explicit Result(PGresult *result) noexcept : result_(result) {}

    int rows() const noexcept { return PQntuples(result_.get()); }
    int columns() const noexcept { return PQnfields(result_.get()); }
    bool empty() const noexcept { return rows() == 0; }
    // Rows that an INSERT, UPDATE, DELETE or MERGE touched; 0 for other statements.
    std::uint64_t affected() const;

    bool null(int row, int column) const noexcept;
    // The value as Postgres printed it; empty for NULL.
    std::string_view text(int row, int column) const noexcept;
    std::optional<std::string_view> value(int row, int column) const noexcept;

    // The value as a number, truth or position. Throws Error (stop) if it is NULL or not one: the
    // statement and the code that reads it disagree.
    std::int64_t integer(int row, int column) const;
    std::uint64_t unsigned_integer(int row, int column) const;
    bool boolean(int row, int column) const;
    Lsn lsn(int row, int column) const;

    // For this folder.
    PGresult *handle() const noexcept { return result_.get(); }

  private:
    struct Clear {
        void operator()(PGresult *result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

} // namespace pgat::postgres
