// Who runs the server, as far as it can be told, for what has to be done differently there: docs/managed-postgres.md.
#pragma once

#include <string>
#include <string_view>

#include "postgres/connection.hpp"

namespace pgat::cli::check {

enum class Provider { none, rds, aurora, cloud_sql, alloydb, azure, supabase, neon };

// By roles and functions that only its servers have.
Provider provider_of(postgres::Connection &sql);

// "Amazon RDS", …; empty: nobody that we know, so a server of one's own.
std::string_view name_of(Provider provider) noexcept;

// What sets a parameter there: a statement, or where else it is set.
std::string set_parameter(Provider provider, std::string_view name, std::string_view value);
// What makes logical decoding possible, with the restart that it takes.
std::string enable_logical(Provider provider);
// What gives a role REPLICATION. `role` is quoted already.
std::string grant_replication(Provider provider, std::string_view role);

} // namespace pgat::cli::check
