#include "postgres/refusal.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

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

} // namespace pgat::postgres
