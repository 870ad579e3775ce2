// A transaction on a session: rolled back when it goes out of scope uncommitted. The session outlives
// it and must not be in a transaction before.
#pragma once

#include <string>
#include <string_view>

#include "postgres/connection.hpp"

namespace pgat::postgres {

class Transaction {
  public:
    explicit Transaction(Connection &connection);
    ~Transaction();
    Transaction(const Transaction &) = delete;
    Transaction &operator=(const Transaction &) = delete;

    // A run-time parameter for the rest of the transaction.
    void set(std::string_view name, std::string_view value);
    // Runs the statements (without parameters) and commits, all in one message: no lock that they take is
    // held over a round trip, which might never end. Throws as commit() does, or what a statement failed with.
    void commit_after(const std::string &statements);
    // May throw; the transaction is over all the same, and whether it committed not known if the
    // session was lost.
    void commit();

  private:
    Connection &connection_;
    bool open_ = true;
};

} // namespace pgat::postgres
