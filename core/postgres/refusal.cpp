#include "postgres/refusal.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "postgres/sqlstate.hpp"

namespace pgat::postgres {

namespace {

// The hint for a connection that the server refused, or that never came about.
std::string_view hint_for_refusal(std::string_view code) {
    if (code == sqlstate::invalid_password)
        return "check user and password, and that this is the server they are for";
    if (code == sqlstate::invalid_authorization)
        return "check that the role exists and may log in, and that the server's pg_hba.conf has a "
               "line for this role, database and address";
    if (code == sqlstate::invalid_catalog_name) return "check the database's name, or create it";
    if (code == sqlstate::too_many_connections)
        return "end sessions that nobody needs, or raise max_connections";
    if (code == sqlstate::insufficient_privilege)
        return "run postgres-async-triggers check: it names every privilege that is missing";
    if (code.empty())
        return "check host and port, that Postgres runs there, and that it can be reached from "
               "here "
               "(listen_addresses, firewall)";
    return {};
}

} // namespace

Error refusal(std::string_view verbose) {
    std::string text;
    std::string code;
    for (std::size_t begin = 0; begin < verbose.size();) {
        const auto end = std::min(verbose.find('\n', begin), verbose.size());
        std::string line(verbose.substr(begin, end - begin));
        begin = end + 1;
        if (line.starts_with("LOCATION:")) continue;
        constexpr std::string_view code_characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for (auto at = line.find(":  "); at != std::string::npos; at = line.find(":  ", at + 1)) {
            const std::string_view after = std::string_view(line).substr(at + 3);
            if (after.size() < 7 || after.substr(5, 2) != ": ") continue;
            if (after.substr(0, 5).find_first_not_of(code_characters) != std::string_view::npos)
                continue;
            code = after.substr(0, 5);
            line.erase(at + 3, 7);
            break;
        }
        text += (text.empty() ? "" : "\n") + line;
    }
    return Error(Remedy::reconnect, fmt::format("cannot connect to Postgres: {}", text))
        .with_sqlstate(code)
        .with_hint(std::string(hint_for_refusal(code)));
}

void require_readable(const std::string &connection_string) {
    // As libpq does: what is neither a URI nor has "=" is a database's name.
    if (connection_string.find('=') == std::string::npos &&
        !connection_string.starts_with("postgres://") &&
        !connection_string.starts_with("postgresql://"))
        return;
    const auto free_all = [](PQconninfoOption *options) { PQconninfoFree(options); };
    const std::unique_ptr<PQconninfoOption, decltype(free_all)> options(
        PQconninfoParse(connection_string.c_str(), nullptr), free_all);
    bool readable = options != nullptr;
    for (auto *option = options.get(); readable && option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        const std::string_view value = option->val == nullptr ? "" : option->val;
        // An "@" or a "/" in a password, not written as %40 or %2F, puts a piece of it in here.
        if (keyword == "host") readable = value.find('@') == std::string_view::npos;
        if (keyword == "port")
            readable = value.find_first_not_of("0123456789,") == std::string_view::npos;
    }
    if (readable) return;
    throw Error(Remedy::configure, "the connection string (uri) of Postgres cannot be read")
        .with_hint(
            "it is not shown, for it may hold a password. In postgres://… write special "
            "characters of user and password as %40 (@), %2F (/) and the like; in host=… strings "
            "put values with spaces in single quotes");
}

} // namespace pgat::postgres
