#include "postgres/transaction.hpp"

#include <fmt/format.h>

namespace pgat::postgres {

Transaction::Transaction(Connection &connection) : connection_(connection) {
    connection_.exec("begin");
}

Transaction::~Transaction() {
    if (!open_ || !connection_.usable()) return;
    try {
        connection_.exec("rollback");
    } catch (const std::exception &) {
        // Lost or stuck sessions roll back on their own when they are closed.
    }
}

void Transaction::set(std::string_view name, std::string_view value) {
    connection_.exec(fmt::format("set local {} = {}", connection_.quote_identifier(name),
                                 connection_.quote_literal(value)));
}

void Transaction::commit_after(const std::string &statements) {
    // After a statement that failed the server skips the rest: it is rolled back when this goes.
    connection_.exec(statements + "; commit");
    open_ = false;
}

void Transaction::commit() {
    open_ = false;
    connection_.exec("commit");
}

} // namespace pgat::postgres
