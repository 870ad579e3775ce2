// The SQLSTATEs that steps of ours depend on
// (https://www.postgresql.org/docs/current/errcodes-appendix.html). Texts are translated; these are
// not.
#pragma once

#include <string_view>

namespace pgat::postgres::sqlstate {

inline constexpr std::string_view insufficient_privilege = "42501";
inline constexpr std::string_view undefined_object = "42704";
inline constexpr std::string_view duplicate_object = "42710";
inline constexpr std::string_view undefined_table = "42P01";
inline constexpr std::string_view duplicate_table = "42P07";
inline constexpr std::string_view invalid_schema_name = "3F000";
inline constexpr std::string_view object_in_use = "55006";
inline constexpr std::string_view object_not_in_prerequisite_state = "55000";
inline constexpr std::string_view lock_not_available = "55P03";
inline constexpr std::string_view query_canceled = "57014";
inline constexpr std::string_view invalid_password = "28P01";
inline constexpr std::string_view invalid_authorization = "28000";
inline constexpr std::string_view invalid_catalog_name = "3D000";
inline constexpr std::string_view configuration_limit_exceeded = "53400";
inline constexpr std::string_view too_many_connections = "53300";

// The session is over, or the server is not ready for one: class 08, and class 57P but for a
// cancelled statement (57014).
constexpr bool ends_the_session(std::string_view code) {
    return code.starts_with("08") || code.starts_with("57P");
}

} // namespace pgat::postgres::sqlstate
